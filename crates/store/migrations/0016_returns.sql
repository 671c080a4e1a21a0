-- Goods that come back, what was decided of them, what was not as announced, and how the money went back.
create table if not exists return_of_goods (
    return_id {bytes} primary key,
    order_id {bytes},
    customer_id {bytes},
    location_id {bytes} not null,
    state {int} not null,
    way {int} not null,
    reason text not null,
    override_reason text,
    currency text not null,
    refund {int} not null check (refund >= 0),
    fee {int} not null check (fee >= 0),
    postage {int} not null check (postage >= 0),
    delivery {int} not null check (delivery >= 0),
    tax {int} not null,
    means {int} not null,
    credited {int} not null,
    label text,
    due_at {int},
    external_id text,
    at {int} not null
) {strict};
create index if not exists return_of_goods_due on return_of_goods (state, due_at);

create table if not exists return_of_order (
    order_id {bytes} not null,
    return_id {bytes} not null,
    primary key (order_id, return_id)
) {strict};

create table if not exists return_of_customer (
    customer_id {bytes} not null,
    return_id {bytes} not null,
    primary key (customer_id, return_id)
) {strict};

create table if not exists return_line (
    return_id {bytes} not null,
    return_line_id {bytes} not null,
    order_line_id {bytes},
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    received {int} not null check (received >= 0 and received <= quantity),
    graded {int} not null check (graded >= 0 and graded <= received),
    condition {int} not null,
    refund {int} not null check (refund >= 0),
    policy_id {bytes},
    policy_version {int},
    primary key (return_id, return_line_id)
) {strict};

create table if not exists return_discrepancy (
    return_id {bytes} not null,
    place {int} not null,
    kind {int} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    at {int} not null,
    primary key (return_id, place)
) {strict};

create table if not exists return_refund (
    return_id {bytes} not null,
    place {int} not null,
    means {int} not null,
    amount {int} not null check (amount > 0),
    payment_id {bytes},
    book_id {bytes},
    primary key (return_id, place)
) {strict};
create index if not exists return_refund_by_book on return_refund (book_id);

create table if not exists return_policy (
    return_policy_id {bytes} primary key,
    code text not null,
    name text not null,
    category_id {bytes},
    customer_group text,
    channel_id {bytes},
    active {int} not null,
    terms {json} not null,
    version {int} not null
) {strict};

create table if not exists return_policy_version (
    return_policy_id {bytes} not null,
    version {int} not null,
    terms {json} not null,
    at {int} not null,
    primary key (return_policy_id, version)
) {strict};

create table if not exists reason (
    code text primary key,
    wording {json} not null,
    purposes {int} not null,
    active {int} not null
) {strict};

create table if not exists exchange (
    exchange_id {bytes} primary key,
    order_id {bytes} not null,
    return_id {bytes} not null,
    new_order_id {bytes} not null,
    location_id {bytes} not null,
    carried {int} not null check (carried >= 0),
    at {int} not null
) {strict};

create table if not exists exchange_of_order (
    order_id {bytes} not null,
    exchange_id {bytes} not null,
    primary key (order_id, exchange_id)
) {strict};
