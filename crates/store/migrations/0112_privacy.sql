-- What people ask about what is kept of them, until when it is answered, how long which data is kept, and whom the law forbids to forget.
create table if not exists privacy_request (
    request_id {bytes} primary key,
    subscriber_id {bytes} not null,
    kind {int} not null,
    state {int} not null,
    country text,
    proof {int},
    note {bytes},
    reason {bytes},
    extension_reason {bytes},
    made_at {int} not null,
    due_at {int} not null,
    extended {int} not null,
    reminded {int} not null,
    verified_at {int},
    closed_at {int},
    version {int} not null
) {strict};
create index if not exists privacy_request_by_subscriber on privacy_request (subscriber_id, request_id);
create index if not exists privacy_request_by_due on privacy_request (state, due_at);

create table if not exists deadline_rule (
    country text primary key,
    days {int} not null,
    extension_days {int} not null
) {strict};

create table if not exists retention_rule (
    class {int} primary key,
    days {int} not null,
    active {int} not null
) {strict};

create table if not exists legal_hold (
    customer_id {bytes} primary key,
    reason text not null,
    actor text not null,
    made_at {int} not null
) {strict};
