-- Behaviour: who may send events, what was heard once, what people did and in which visits, and what was set aside.
create table if not exists source (
    source_id {bytes} primary key,
    name text not null,
    kind {int} not null,
    enabled {int} not null,
    schema_mode {int} not null,
    plan {json} not null,
    channel_id {bytes},
    countable {json} not null,
    purpose text not null,
    not_permitted {int} not null,
    key_hash {bytes} not null,
    key_text text,
    made_at {int} not null,
    changed_at {int} not null,
    version {int} not null
) {strict};

create table if not exists behaviour_message (
    source_id {bytes} not null,
    hash {bytes} not null,
    received_at {int} not null,
    primary key (source_id, hash)
) {strict};
create index if not exists behaviour_message_by_time on behaviour_message (received_at);

-- Dropped says of which kinds an identifier was not believed, wrong what was not as planned.
create table if not exists behaviour_event (
    profile_id {bytes} not null,
    at {int} not null,
    event_id {bytes} not null,
    source_id {bytes} not null,
    call {int} not null,
    name text,
    received_at {int} not null,
    dropped text,
    wrong text,
    body {json} not null,
    sealed {bytes},
    primary key (profile_id, at, event_id)
) {strict};
create index if not exists behaviour_event_by_source on behaviour_event (source_id, event_id);
create index if not exists behaviour_event_by_name on behaviour_event (name, at, profile_id) where name is not null;

create table if not exists behaviour_session (
    profile_id {bytes} not null,
    began_at {int} not null,
    last_at {int} not null,
    events {int} not null,
    primary key (profile_id, began_at)
) {strict};

create table if not exists quarantined_event (
    source_id {bytes} not null,
    event_id {bytes} not null,
    received_at {int} not null,
    fault {int} not null,
    why text not null,
    name text,
    person_id {bytes} not null,
    sealed {bytes} not null,
    replayed_at {int},
    primary key (source_id, event_id)
) {strict};
create index if not exists quarantined_event_waiting on quarantined_event (source_id, event_id) where replayed_at is null;
