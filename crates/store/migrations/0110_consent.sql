-- Consents: purposes and topics, whom they are of, each thing said with its evidence, and what holds now of each cell.
create table if not exists purpose (
    code text primary key,
    wording {json} not null,
    basis {int} not null,
    double_opt_in {int} not null,
    days {int},
    active {int} not null
) {strict};

create table if not exists topic (
    code text primary key,
    wording {json} not null,
    active {int} not null
) {strict};

create table if not exists subscriber (
    subscriber_id {bytes} primary key,
    customer_id {bytes},
    person_id {bytes} not null,
    contact_id {bytes},
    language text not null,
    paused_until {int},
    made_at {int} not null,
    erased_at {int},
    check ((customer_id is null) = (contact_id is not null))
) {strict};
create index if not exists subscriber_by_person on subscriber (person_id);

create table if not exists subscriber_by_address (
    hash {bytes} primary key,
    subscriber_id {bytes} not null
) {strict};
create index if not exists subscriber_by_address_subscriber on subscriber_by_address (subscriber_id);

-- Everything that was said, never changed, numbered from 1 for each subscriber. The evidence (address, browser) is sealed under the person's key.
create table if not exists consent (
    subscriber_id {bytes} not null,
    consent_id {bytes} not null,
    number {int} not null,
    purpose text not null,
    medium {int} not null,
    topic text not null,
    status {int} not null,
    source {int} not null,
    wording text,
    channel_id {bytes},
    actor text not null,
    at {int} not null,
    expires_at {int},
    link_id {bytes},
    evidence {bytes},
    primary key (subscriber_id, consent_id),
    unique (subscriber_id, number)
) {strict};

-- What holds of each cell. A queued message that advertises refers to the yes it rests on, with its status: while it waits, the database
-- itself lets nobody turn that yes into anything else.
create table if not exists consent_now (
    subscriber_id {bytes} not null,
    purpose text not null,
    medium {int} not null,
    topic text not null,
    consent_id {bytes} not null,
    status {int} not null,
    expires_at {int},
    primary key (subscriber_id, purpose, medium, topic),
    unique (subscriber_id, consent_id, status)
) {strict};
create index if not exists consent_now_by_purpose on consent_now (purpose, status, subscriber_id);

-- Addresses by which a subscriber confirms, chooses or answers without signing in.
create table if not exists subscriber_link (
    token_hash {bytes} primary key,
    subscriber_id {bytes} not null,
    link_id {bytes} not null,
    deed {int} not null,
    about {bytes},
    made_at {int} not null,
    expires_at {int} not null
) {strict};
create index if not exists subscriber_link_by_subscriber on subscriber_link (subscriber_id, expires_at);

create index if not exists contact_by_person on contact (person_id);
