-- Passkeys of customers, found by the hash of the credential's id; the name is sealed under the customer's key. And challenges that were given
-- out and not yet answered, homed on their hash.
create table if not exists passkey (
    customer_id {bytes} not null,
    passkey_id {bytes} not null,
    credential {bytes} not null,
    domain text not null,
    algorithm {int} not null,
    public_key {bytes} not null,
    sign_count {int} not null,
    is_copied {int} not null,
    name {bytes} not null,
    made_at {int} not null,
    used_at {int},
    primary key (customer_id, passkey_id)
) {strict};

create table if not exists passkey_credential (
    hash {bytes} primary key,
    customer_id {bytes} not null,
    passkey_id {bytes} not null
) {strict};
create index if not exists passkey_credential_by_customer on passkey_credential (customer_id);

create table if not exists passkey_challenge (
    hash {bytes} primary key,
    purpose {int} not null,
    customer_id {bytes},
    origin text not null,
    domain text not null,
    expires_at {int} not null
) {strict};
create index if not exists passkey_challenge_by_age on passkey_challenge (expires_at);
create index if not exists passkey_challenge_by_customer on passkey_challenge (customer_id) where customer_id is not null;

-- The domain for which all of the retailer's passkeys are made, where it is not the host of each page. One row.
create table if not exists passkey_domain (
    one {int} primary key,
    domain text,
    version {int} not null
) {strict};
