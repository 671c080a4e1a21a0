-- The journal of events, the jobs that follow from them, and the answers already given.
-- Which migrations the database has, each with the fingerprint of its text: a build whose tables differ is told so.
create table if not exists migration (number {int} primary key, name text not null, fingerprint {bytes} not null) {strict};

create table if not exists journal (
    partition {int} primary key,
    next_sequence {int} not null
) {strict};

create table if not exists event (
    partition {int} not null,
    sequence {int} not null,
    event_id {bytes} not null,
    subject text not null,
    kind text not null,
    at {int} not null,
    actor text not null,
    channel_id {bytes},
    book_id {bytes},
    transfer_id {bytes},
    body {json} not null,
    primary key (partition, sequence)
) {strict};
create index if not exists event_by_subject on event (subject, sequence);

create table if not exists seal (
    partition {int} not null,
    last_sequence {int} not null,
    first_sequence {int} not null,
    at {int} not null,
    hash {bytes} not null,
    primary key (partition, last_sequence),
    unique (partition, first_sequence)
) {strict};

create table if not exists consumer (
    name text not null,
    partition {int} not null,
    sequence {int} not null,
    primary key (name, partition)
) {strict};

create table if not exists job (
    job_id {bytes} primary key,
    kind text not null,
    subject text not null,
    body {json} not null,
    state text not null check (state in ('waiting', 'dead')),
    run_at {int} not null,
    attempts {int} not null,
    last_error text,
    made_at {int} not null
) {strict};
create index if not exists job_by_kind on job (state, kind, run_at, job_id);

create table if not exists duty (
    name text primary key,
    next_at {int} not null,
    last_error text
) {strict};

create table if not exists idempotency (
    key_hash {bytes} primary key,
    input_hash {bytes} not null,
    status {int},
    answer {json},
    at {int} not null
) {strict};
create index if not exists idempotency_by_time on idempotency (at);

create table if not exists external_id (
    kind text not null,
    external_id text not null,
    id {bytes} not null,
    primary key (kind, external_id)
) {strict};
