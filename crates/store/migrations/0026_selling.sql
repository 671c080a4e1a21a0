-- What a channel does when nothing of a variant is left; the variant of zeros stands for all that have no rule of their own.
create table if not exists selling_rule (
    variant_id {bytes} not null,
    channel_id {bytes} not null,
    when_out {int} not null,
    cap {int} check (cap > 0),
    lead_days {int} check (lead_days >= 0),
    releases_at {int},
    primary key (variant_id, channel_id)
) {strict};
create index if not exists selling_rule_by_channel on selling_rule (channel_id, variant_id);

-- Goods that are to arrive at a location. The amounts still to come are in the ledger, too.
create table if not exists expected_goods (
    expected_goods_id {bytes} primary key,
    variant_id {bytes} not null,
    location_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    arrived {int} not null check (arrived >= 0),
    due_at {int} not null,
    reference text,
    state {int} not null,
    made_at {int} not null,
    version {int} not null
) {strict};
create index if not exists expected_goods_by_variant on expected_goods (variant_id, state, due_at);
create index if not exists expected_goods_by_location on expected_goods (location_id, state, expected_goods_id);
