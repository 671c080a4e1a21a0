-- Loyalty programmes in versions, their members, and the lots of points members have. How many points lie where is in the ledger, in a book
-- that shares the member's id.
create table if not exists loyalty_programme (
    loyalty_programme_id {bytes} primary key,
    code text not null,
    name text not null,
    made_at {int} not null
) {strict};

create table if not exists loyalty_terms (
    loyalty_programme_id {bytes} not null,
    number {int} not null,
    state {int} not null,
    active_from {int},
    terms {json} not null,
    made_at {int} not null,
    primary key (loyalty_programme_id, number)
) {strict};

create table if not exists member (
    member_id {bytes} primary key,
    loyalty_programme_id {bytes} not null,
    customer_id {bytes} not null,
    kind {int} not null,
    pool_id {bytes},
    state {int} not null,
    enrolled_at {int} not null,
    left_at {int}
) {strict};
create index if not exists member_by_pool on member (pool_id) where pool_id is not null;

create table if not exists member_of_customer (
    customer_id {bytes} not null,
    loyalty_programme_id {bytes} not null,
    member_id {bytes} not null,
    primary key (customer_id, loyalty_programme_id)
) {strict};

create table if not exists point_lot (
    member_id {bytes} not null,
    point_lot_id {bytes} not null,
    state {int} not null,
    earner_id {bytes} not null,
    order_id {bytes},
    occasion text,
    granted {int} not null,
    rest {int} not null check (rest >= 0),
    counted {int} not null,
    number {int} not null,
    zone text not null,
    available_at {int},
    expires_at {int},
    made_at {int} not null,
    primary key (member_id, point_lot_id)
) {strict};
create index if not exists point_lot_by_due on point_lot (state, available_at);
create index if not exists point_lot_by_expiry on point_lot (expires_at, rest);

create table if not exists point_earning (
    order_id {bytes} not null,
    member_id {bytes} not null,
    loyalty_programme_id {bytes} not null,
    number {int} not null,
    point_lot_id {bytes} not null,
    points {int} not null,
    uncounted {int} not null,
    rate {int} not null,
    primary key (order_id, member_id)
) {strict};

create table if not exists point_earning_line (
    order_id {bytes} not null,
    member_id {bytes} not null,
    order_line_id {bytes} not null,
    counted {int} not null,
    points {int} not null,
    primary key (order_id, member_id, order_line_id)
) {strict};

create table if not exists point_use (
    member_id {bytes} not null,
    payment_id {bytes} not null,
    point_lot_id {bytes} not null,
    points {int} not null check (points >= 0),
    primary key (member_id, payment_id, point_lot_id)
) {strict};
