-- Contacts: sealed snapshots, the wrapped keys that open them, and the keyed hashes by which people are found. Customers.
create table if not exists person (
    person_id {bytes} primary key,
    wrapped_key {bytes},
    made_at {int} not null,
    erased_at {int},
    check ((wrapped_key is null) = (erased_at is not null))
) {strict};

create table if not exists contact (
    contact_id {bytes} primary key,
    person_id {bytes} not null,
    sealed {bytes} not null,
    made_at {int} not null
) {strict};

create table if not exists contact_lookup (
    hash {bytes} not null,
    person_id {bytes} not null,
    contact_id {bytes} not null,
    primary key (hash, person_id)
) {strict};
create index if not exists contact_lookup_by_person on contact_lookup (person_id);

create table if not exists customer (
    customer_id {bytes} primary key,
    person_id {bytes} not null,
    contact_id {bytes} not null,
    external_id text,
    made_at {int} not null,
    changed_at {int} not null,
    erased_at {int},
    merged_into {bytes},
    version {int} not null
) {strict};
create index if not exists customer_by_person on customer (person_id);
create index if not exists customer_by_merged on customer (merged_into) where merged_into is not null;

create table if not exists customer_group (
    customer_id {bytes} not null,
    place {int} not null,
    label text not null,
    primary key (customer_id, place)
) {strict};

create table if not exists customer_by_email (
    hash {bytes} primary key,
    customer_id {bytes} not null
) {strict};
create index if not exists customer_by_email_customer on customer_by_email (customer_id);

create table if not exists customer_by_phone (
    hash {bytes} not null,
    customer_id {bytes} not null,
    primary key (hash, customer_id)
) {strict};
create index if not exists customer_by_phone_customer on customer_by_phone (customer_id);
