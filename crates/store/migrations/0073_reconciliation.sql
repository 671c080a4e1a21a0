-- What payment providers owe us, by account and day (universal time): which transfers of which books.
create table if not exists payment_receivable (
    account_id {bytes} not null,
    day text not null,
    transfer_id {bytes} not null,
    book_id {bytes} not null,
    primary key (account_id, day, transfer_id)
) {strict};

-- What comparing a provider's record of a day with the books found.
create table if not exists reconciliation (
    account_id {bytes} not null,
    day text not null,
    reconciliation_id {bytes} not null,
    state {int} not null,
    asked_at {int} not null,
    at {int},
    more {int} not null,
    primary key (account_id, day)
) {strict};

create table if not exists reconciliation_total (
    account_id {bytes} not null,
    day text not null,
    currency text not null,
    equal {int} not null,
    captured_there {int} not null,
    captured_here {int} not null,
    refunded_there {int} not null,
    refunded_here {int} not null,
    other_there {int} not null,
    fees {int} not null,
    paid_out {int} not null,
    left_there {int} not null,
    left_here {int} not null,
    shifted {int} not null,
    primary key (account_id, day, currency)
) {strict};

create table if not exists reconciliation_line (
    account_id {bytes} not null,
    day text not null,
    line_id {bytes} not null,
    outcome {int} not null,
    side {int} not null,
    reference text,
    key text,
    payment_id {bytes},
    currency text not null,
    theirs {int} not null,
    ours {int} not null,
    cleared_at {int},
    cleared_by text,
    reason text,
    primary key (account_id, day, line_id)
) {strict};
