-- Orders and their lines. Totals and line amounts are frozen when the order is placed.
create table if not exists order_head (
    order_id {bytes} primary key,
    number text not null,
    channel_id {bytes} not null,
    market_id {bytes} not null,
    cart_id {bytes} not null,
    customer_id {bytes},
    company_id {bytes},
    contact_id {bytes},
    billing_contact_id {bytes},
    location_id {bytes},
    state {int} not null,
    kind {int} not null,
    currency text not null,
    prices_include_tax {int} not null,
    net {int} not null,
    tax {int} not null,
    gross {int} not null,
    delivery_method_id {bytes},
    delivery_net {int} not null,
    delivery_tax {int} not null,
    delivery_gross {int} not null,
    delivery_rate {int} not null,
    units {int} not null,
    cancelled {int} not null,
    returned {int} not null,
    note text,
    external_id text,
    placed_at {int} not null,
    payment_due_at {int},
    open_change_id {bytes},
    changed_at {int},
    version {int} not null,
    check (cancelled >= 0 and returned >= 0 and cancelled + returned <= gross)
) {strict};
create index if not exists order_head_by_time on order_head (placed_at);
create index if not exists order_head_unpaid on order_head (state, payment_due_at);

create table if not exists order_number (
    number text primary key,
    order_id {bytes} not null
) {strict};

create table if not exists order_of_customer (
    customer_id {bytes} not null,
    order_id {bytes} not null,
    primary key (customer_id, order_id)
) {strict};

create table if not exists order_of_contact (
    contact_id {bytes} not null,
    order_id {bytes} not null,
    primary key (contact_id, order_id)
) {strict};

create table if not exists order_line (
    order_id {bytes} not null,
    line_id {bytes} not null,
    position {int} not null,
    variant_id {bytes} not null,
    sku text not null,
    title text not null,
    quantity {int} not null check (quantity > 0),
    unit {int} not null,
    net {int} not null,
    tax {int} not null,
    gross {int} not null,
    tax_rate {int} not null,
    cancelled {int} not null,
    returned {int} not null,
    handed {int} not null,
    takes {json} not null,
    primary key (order_id, line_id),
    check (cancelled >= 0 and returned >= 0 and cancelled + returned <= quantity and handed + cancelled <= quantity)
) {strict};
