-- Payments of orders, what was captured of them, and what was given back.
create table if not exists payment (
    payment_id {bytes} primary key,
    order_id {bytes} not null,
    kind {int} not null,
    state {int} not null,
    currency text not null,
    amount {int} not null check (amount > 0),
    authorised {int} not null,
    capturing {int} not null check (capturing >= 0),
    captured {int} not null check (captured >= 0),
    refunding {int} not null check (refunding >= 0),
    refunded {int} not null check (refunded >= 0),
    carried {int} not null default 0 check (carried >= 0),
    timing {int} not null,
    location_id {bytes},
    points {int},
    account_id {bytes},
    provider_token text,
    provider_reference text,
    client_secret text,
    failure text,
    card_last_four text,
    card_approval_code text,
    card_terminal text,
    profile_id {bytes},
    expires_at {int},
    made_at {int} not null,
    version {int} not null,
    check (authorised <= amount),
    check (captured + capturing <= authorised),
    check (refunded + refunding + carried <= captured)
) {strict};
create index if not exists payment_by_expiry on payment (state, expires_at);

create table if not exists order_payment (
    order_id {bytes} not null,
    payment_id {bytes} not null,
    primary key (order_id, payment_id)
) {strict};

create table if not exists payment_capture (
    payment_id {bytes} not null,
    capture_id {bytes} not null,
    state {int} not null,
    amount {int} not null check (amount > 0),
    at {int} not null,
    provider_reference text,
    failure text,
    primary key (payment_id, capture_id)
) {strict};

create table if not exists payment_refund (
    payment_id {bytes} not null,
    refund_id {bytes} not null,
    state {int} not null,
    amount {int} not null check (amount > 0),
    at {int} not null,
    provider_reference text,
    failure text,
    elsewhere {int} not null default 0,
    primary key (payment_id, refund_id)
) {strict};

-- Money of payments that was carried over to the payment of an exchange, in the sequence in which it goes back, and how much of it did.
create table if not exists payment_carry (
    payment_id {bytes} not null,
    source_id {bytes} not null,
    place {int} not null,
    amount {int} not null check (amount > 0),
    back {int} not null check (back >= 0 and back <= amount),
    primary key (payment_id, source_id)
) {strict};
create index if not exists payment_carry_by_source on payment_carry (source_id);

create table if not exists payment_by_card (
    last_four text not null,
    order_id {bytes} not null,
    primary key (last_four, order_id)
) {strict};
