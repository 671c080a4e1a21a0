-- The retailer's own sign-on: who says it, with the secret we share sealed by the master key; attempts that wait for somebody to come back, by the
-- hash of their state; and which customer a subject of an issuer is, by keyed hash.
create table if not exists sign_on_provider (
    provider_id {bytes} primary key,
    code text not null unique,
    name text not null,
    audience {int} not null,
    issuer text not null,
    client_id text not null,
    secret {bytes},
    scopes text not null,
    email_claim text not null,
    name_claim text not null,
    trusts_email {int} not null,
    active {int} not null,
    version {int} not null
) {strict};

create table if not exists sign_on_attempt (
    hash {bytes} primary key,
    provider_id {bytes} not null,
    redirect_uri text not null,
    expires_at {int} not null
) {strict};
create index if not exists sign_on_attempt_by_age on sign_on_attempt (expires_at);

create table if not exists sign_on_subject (
    hash {bytes} primary key,
    provider_id {bytes} not null,
    customer_id {bytes} not null,
    made_at {int} not null
) {strict};
create index if not exists sign_on_subject_by_customer on sign_on_subject (customer_id);
