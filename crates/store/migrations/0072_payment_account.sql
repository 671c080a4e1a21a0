-- Where the retailer has payments taken. Both secrets are sealed with the master key.
create table if not exists payment_account (
    account_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    url text,
    secret_key {bytes} not null,
    webhook_secret {bytes},
    channel_id {bytes},
    currency text,
    active {int} not null,
    version {int} not null
) {strict};
