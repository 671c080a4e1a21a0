-- Messages to one person, and addresses that are not written to. One that advertises has the consent it was written with, and as long as it
-- is queued the yes that holds now: without that row it cannot be, whatever a program does.
create table if not exists message (
    subscriber_id {bytes} not null,
    message_id {bytes} not null,
    contact_id {bytes},
    medium {int} not null,
    kind {int} not null,
    purpose text,
    topic text,
    consent_id {bytes},
    grant_id {bytes},
    grant_status {int},
    template {int} not null,
    parameters {json} not null,
    language text not null,
    link_id {bytes},
    state {int} not null,
    due_at {int} not null,
    tries {int} not null,
    made_at {int} not null,
    changed_at {int} not null,
    failed {int},
    primary key (subscriber_id, message_id),
    check (kind = 1 or (consent_id is not null and purpose is not null)),
    check (kind = 1 or state <> 1 or grant_id is not null),
    check ((grant_id is null) = (grant_status is null)),
    check (grant_status is null or grant_status = 1),
    foreign key (subscriber_id, grant_id, grant_status)
        references consent_now (subscriber_id, consent_id, status) on update cascade
) {strict};
create index if not exists message_by_grant on message (subscriber_id, grant_id, grant_status);
create index if not exists message_by_state on message (state, due_at);

create table if not exists suppression (
    hash {bytes} primary key,
    reason {int} not null,
    at {int} not null,
    erased_at {int}
) {strict};
