-- Companies that buy: sealed under a key of their own, found by the keyed hash of their VAT number, with members and the orders bought for them.
create table if not exists company (
    company_id {bytes} primary key,
    person_id {bytes} not null,
    contact_id {bytes} not null,
    external_id text,
    numbers {bytes},
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

create table if not exists company_of_cart (
    cart_id {bytes} primary key,
    company_id {bytes} not null
) {strict};

create table if not exists company_of_order (
    order_id {bytes} primary key,
    company_id {bytes} not null,
    customer_id {bytes} not null
) {strict};

create table if not exists order_of_company (
    company_id {bytes} not null,
    order_id {bytes} not null,
    primary key (company_id, order_id)
) {strict};
