-- Gift cards and store credit. Their amounts lie in the ledger, in a book that shares the id.
create table if not exists gift_card (
    gift_card_id {bytes} primary key,
    currency text not null,
    last_four text not null,
    state {int} not null,
    expires_at {int},
    code_shown_at {int},
    made_at {int} not null,
    version {int} not null
) {strict};

create table if not exists gift_card_by_code (
    hash {bytes} primary key,
    gift_card_id {bytes} not null
) {strict};

create table if not exists store_credit (
    store_credit_id {bytes} primary key,
    customer_id {bytes} not null,
    currency text not null,
    pool_id {bytes},
    made_at {int} not null
) {strict};
create index if not exists store_credit_by_pool on store_credit (pool_id) where pool_id is not null;

create table if not exists store_credit_of_customer (
    customer_id {bytes} not null,
    currency text not null,
    store_credit_id {bytes} not null,
    primary key (customer_id, currency)
) {strict};
