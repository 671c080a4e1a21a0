-- Goods of an order that leave one location together.
create table if not exists fulfilment_order (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    location_id {bytes} not null,
    kind {int} not null,
    state {int} not null,
    tracking text,
    made_at {int} not null,
    left_at {int},
    primary key (order_id, fulfilment_order_id)
) {strict};
create index if not exists fulfilment_order_by_location on fulfilment_order (location_id, state, fulfilment_order_id);

create table if not exists fulfilment_line (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    line_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity >= 0),
    primary key (order_id, fulfilment_order_id, line_id, variant_id)
) {strict};
