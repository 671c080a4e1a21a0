-- Goods that came back.
create table if not exists return_of_goods (
    return_id {bytes} primary key,
    order_id {bytes},
    location_id {bytes} not null,
    state {int} not null,
    reason text not null,
    currency text not null,
    refund {int} not null check (refund >= 0),
    external_id text,
    at {int} not null
) {strict};

create table if not exists return_of_order (
    order_id {bytes} not null,
    return_id {bytes} not null,
    primary key (order_id, return_id)
) {strict};

create table if not exists return_line (
    return_id {bytes} not null,
    return_line_id {bytes} not null,
    order_line_id {bytes},
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    condition {int} not null,
    refund {int} not null check (refund >= 0),
    primary key (return_id, return_line_id)
) {strict};
