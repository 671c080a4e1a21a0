-- Changes of orders after they were placed; one of each order is open at most.
create table if not exists order_change (
    order_id {bytes} not null,
    change_id {bytes} not null,
    state {int} not null,
    reason text,
    actor text not null,
    served_anew {int} not null,
    kind {int} not null,
    location_id {bytes},
    contact_id {bytes},
    country text,
    region text,
    postal_area text,
    note text,
    delivery_method_id {bytes},
    delivery_net {int} not null,
    delivery_tax {int} not null,
    delivery_gross {int} not null,
    delivery_rate {int} not null,
    kind_before {int} not null,
    location_before_id {bytes},
    delivery_method_before_id {bytes},
    delivery_net_before {int} not null,
    delivery_tax_before {int} not null,
    delivery_gross_before {int} not null,
    delivery_rate_before {int} not null,
    sent_by {int},
    net {int} not null,
    tax {int} not null,
    gross {int} not null,
    to_pay {int} not null,
    to_refund {int} not null,
    made_at {int} not null,
    expires_at {int} not null,
    ended_at {int},
    paid_by {int},
    primary key (order_id, change_id)
) {strict};
create unique index if not exists order_change_open on order_change (order_id) where state = 1;
create index if not exists order_change_by_expiry on order_change (state, expires_at);
create index if not exists order_change_unpaid on order_change (paid_by) where paid_by is not null;

-- What a change puts in, takes out and corrects; amounts are what it adds to the order.
create table if not exists order_change_line (
    order_id {bytes} not null,
    change_id {bytes} not null,
    position {int} not null,
    what {int} not null,
    line_id {bytes} not null,
    variant_id {bytes} not null,
    sku text not null,
    title text not null,
    quantity {int} not null check (quantity > 0),
    unit {int} not null,
    net {int} not null,
    tax {int} not null,
    gross {int} not null,
    tax_rate {int} not null,
    takes {json} not null,
    primary key (order_id, change_id, position)
) {strict};

-- What is kept for a change until somebody says yes or no.
create table if not exists order_change_hold (
    order_id {bytes} not null,
    change_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    primary key (order_id, change_id, variant_id)
) {strict};

-- What a channel allows of changes.
create table if not exists change_rule (
    channel_id {bytes} primary key,
    customers {int} not null,
    delivery_anew {int} not null,
    added_at {int} not null,
    preview_minutes {int} not null,
    correction_most {int} not null,
    correction_most_minor {int}
) {strict};
