-- Identity: profiles, what they are known by, which of them somebody said are one person's, and the rules by which that is believed.
create table if not exists profile (
    profile_id {bytes} primary key,
    root_id {bytes} not null,
    customer_id {bytes},
    customer_version {int},
    person_id {bytes},
    made_at {int} not null
) {strict};
create index if not exists profile_by_root on profile (root_id);
create index if not exists profile_by_customer on profile (customer_id, profile_id) where customer_id is not null;
create index if not exists profile_joined on profile (profile_id, root_id) where root_id <> profile_id;

create table if not exists identifier (
    hash {bytes} primary key,
    kind {int} not null,
    profile_id {bytes} not null,
    trust {int} not null,
    first_seen {int} not null,
    last_seen {int} not null
) {strict};
create index if not exists identifier_by_profile on identifier (profile_id);

-- Each link stands under both of its ends; leads is 1 under the customer who remains of two that were joined by decision.
create table if not exists identifier_link (
    hash {bytes} not null,
    other_hash {bytes} not null,
    trust {int} not null,
    leads {int} not null,
    first_at {int} not null,
    primary key (hash, other_hash)
) {strict};

create table if not exists identity_rules (
    version {int} primary key,
    rules {json} not null,
    since {int} not null
) {strict};
