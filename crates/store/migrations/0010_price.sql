-- Price lists, the prices in them, and every change a price ever had.
create table if not exists price_list (
    price_list_id {bytes} primary key,
    code text not null unique,
    name text not null,
    currency text not null,
    market_id {bytes},
    channel_id {bytes},
    customer_group text,
    priority {int} not null,
    starts_at {int},
    ends_at {int},
    active {int} not null,
    external_id text,
    version {int} not null,
    check ((market_id is null) <> (channel_id is null))
) {strict};
create index if not exists price_list_by_market on price_list (market_id);
create index if not exists price_list_by_channel on price_list (channel_id);

-- `starts_at` is 0 for a price without a start, so that it can be part of the key.
create table if not exists price (
    variant_id {bytes} not null,
    price_list_id {bytes} not null,
    minimum_quantity {int} not null,
    starts_at {int} not null,
    ends_at {int},
    minor {int} not null check (minor >= 0),
    was_minor {int},
    primary key (variant_id, price_list_id, minimum_quantity, starts_at)
) {strict};
create index if not exists price_by_list on price (price_list_id, variant_id);

create table if not exists price_change (
    variant_id {bytes} not null,
    price_list_id {bytes} not null,
    change_id {bytes} not null,
    at {int} not null,
    actor text not null,
    minimum_quantity {int} not null,
    starts_at {int} not null,
    ends_at {int},
    old_minor {int},
    new_minor {int},
    primary key (variant_id, price_list_id, change_id)
) {strict};
