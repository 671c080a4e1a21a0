-- Companies, their members and who was invited to be one. What names a company is sealed under a key of its own; it is found by keyed hashes.
create table if not exists company (
    company_id {bytes} primary key,
    person_id {bytes} not null,
    contact_id {bytes} not null,
    external_id text,
    numbers {bytes},
    state {int} not null,
    groups {json} not null,
    made_at {int} not null,
    changed_at {int} not null,
    erased_at {int},
    version {int} not null
) {strict};

create table if not exists company_by_vat_number (
    hash {bytes} primary key,
    company_id {bytes} not null
) {strict};
create index if not exists company_by_vat_number_company on company_by_vat_number (company_id);

create table if not exists company_by_word (
    hash {bytes} not null,
    company_id {bytes} not null,
    primary key (hash, company_id)
) {strict};
create index if not exists company_by_word_company on company_by_word (company_id);

create table if not exists company_member (
    company_id {bytes} not null,
    customer_id {bytes} not null,
    role {int} not null,
    limit_minor {int},
    limit_currency text,
    since {int} not null,
    primary key (company_id, customer_id),
    check ((limit_minor is null) = (limit_currency is null))
) {strict};

create table if not exists company_of_customer (
    customer_id {bytes} not null,
    company_id {bytes} not null,
    primary key (customer_id, company_id)
) {strict};

create table if not exists order_of_company (
    company_id {bytes} not null,
    order_id {bytes} not null,
    primary key (company_id, order_id)
) {strict};
