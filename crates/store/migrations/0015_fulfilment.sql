-- Goods of an order that leave one location together; without a location while they are sold and at no location yet.
create table if not exists fulfilment_order (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    network_id {bytes} not null,
    location_id {bytes},
    kind {int} not null,
    state {int} not null,
    on_hold text,
    tracking text,
    made_at {int} not null,
    ready_at {int},
    collect_by {int},
    left_at {int},
    later {int},
    not_before {int},
    promised_from {int},
    promised_by {int},
    expected_at {int},
    wave_id {bytes},
    primary key (order_id, fulfilment_order_id)
) {strict};
create index if not exists fulfilment_order_by_location on fulfilment_order (location_id, state, fulfilment_order_id);
create index if not exists fulfilment_order_by_state on fulfilment_order (state, fulfilment_order_id);

create table if not exists fulfilment_line (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    line_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity >= 0),
    picked {int} not null check (picked >= 0 and picked <= quantity),
    waits {int} not null,
    primary key (order_id, fulfilment_order_id, line_id, variant_id)
) {strict};
-- The queue of each variant: pieces that are sold and at no location yet, the longest waiting first.
create index if not exists fulfilment_line_waiting on fulfilment_line (variant_id, fulfilment_order_id) where waits = 1;

-- Locations a fulfilment order is offered to, until the first claims it or the time is over.
create table if not exists fulfilment_offer (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    location_id {bytes} not null,
    until {int} not null,
    primary key (order_id, fulfilment_order_id, location_id)
) {strict};
create index if not exists fulfilment_offer_by_location on fulfilment_offer (location_id, fulfilment_order_id);
create index if not exists fulfilment_offer_by_time on fulfilment_offer (until);

-- The customer's way to the goods that wait: the code shown at the counter, when and at which bay, who is to come and who came.
create table if not exists pickup_visit (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    state {int} not null,
    code text not null,
    wrong_codes {int} not null,
    expected_at {int},
    bay text,
    named_id {bytes},
    collector_id {bytes},
    arrived_at {int},
    reminded_at {int},
    ended_at {int},
    primary key (order_id, fulfilment_order_id)
) {strict};
