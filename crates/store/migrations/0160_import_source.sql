-- Sources of files, what each of them says of whom, and what an import found out about rows.
create table if not exists import_source (
    code text primary key,
    name text not null,
    trust {int} not null,
    precedence {int} not null,
    -- Kinds of files with their mappings.
    mappings {json} not null,
    version {int} not null,
    changed_at {int} not null
) {strict};

-- What a source says of a customer, sealed under the person's key; of whoever was erased only that there was somebody.
create table if not exists customer_record (
    source text not null,
    -- A keyed hash of the number the source knows the person by, or of the e-mail address.
    key {bytes} not null,
    customer_id {bytes} not null,
    external_id text,
    person_id {bytes} not null,
    sealed {bytes},
    said_hash {bytes},
    said_at {int} not null,
    email_hash {bytes},
    phone_hash {bytes},
    primary key (source, key)
) {strict};
create index if not exists customer_record_by_customer on customer_record (customer_id, source, key);
create index if not exists customer_record_by_email on customer_record (email_hash, customer_id) where email_hash is not null;
create index if not exists customer_record_by_phone on customer_record (phone_hash, customer_id) where phone_hash is not null;

create table if not exists import_finding (
    import_id {bytes} not null,
    place {int} not null,
    line {int} not null,
    is_joined {int} not null,
    same_by {int} not null,
    customer_id {bytes},
    other_line {int},
    score {int} not null,
    steps {json} not null,
    primary key (import_id, place)
) {strict};
