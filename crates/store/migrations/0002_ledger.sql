-- The ledger: books, accounts, transfers, postings, holds.
create table if not exists book (
    book_id {bytes} primary key,
    kind {int} not null,
    unit text not null,
    made_at {int} not null
) {strict};

create table if not exists account (
    book_id {bytes} not null,
    place {bytes} not null,
    state {int} not null,
    amount {int} not null,
    floor {int},
    primary key (book_id, place, state),
    check (floor is null or amount >= floor)
) {strict};

create table if not exists transfer (
    book_id {bytes} not null,
    transfer_id {bytes} not null,
    at {int} not null,
    reason text not null,
    cause_kind text,
    cause_id text,
    actor text not null,
    channel_id {bytes},
    primary key (book_id, transfer_id)
) {strict};

create table if not exists posting (
    book_id {bytes} not null,
    place {bytes} not null,
    state {int} not null,
    at {int} not null,
    transfer_id {bytes} not null,
    amount {int} not null check (amount <> 0),
    balance {int} not null,
    primary key (book_id, place, state, at, transfer_id)
) {strict};
create index if not exists posting_by_transfer on posting (book_id, transfer_id);

create table if not exists hold (
    book_id {bytes} not null,
    hold_id {bytes} not null,
    from_place {bytes} not null,
    from_state {int} not null,
    held_place {bytes} not null,
    held_state {int} not null,
    amount {int} not null check (amount > 0),
    posted {int} not null,
    state {int} not null,
    expires_at {int},
    cause_kind text,
    cause_id text,
    made_at {int} not null,
    primary key (book_id, hold_id),
    check (posted >= 0 and posted <= amount)
) {strict};
create index if not exists hold_by_expiry on hold (state, expires_at);
create index if not exists hold_by_cause on hold (cause_id);
