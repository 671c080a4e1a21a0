-- Customers who were merged into another, and what went with them, so that it can go back.
create table if not exists merge_record (
    merge_id {bytes} primary key,
    winner_id {bytes} not null,
    loser_id {bytes} not null,
    cause {int} not null,
    why text not null,
    actor text not null,
    at {int} not null,
    undone_at {int},
    undone_by text
) {strict};

create table if not exists merge_of_customer (
    customer_id {bytes} not null,
    merge_id {bytes} not null,
    primary key (customer_id, merge_id)
) {strict};

create table if not exists merge_moved (
    merge_id {bytes} not null,
    kind {int} not null,
    key {bytes} not null,
    before {json},
    primary key (merge_id, kind, key)
) {strict};
