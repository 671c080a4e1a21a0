-- Customers who sign in: codes that were mailed, homed on the hash of the address, and what a browser holds, as its hash.
create table if not exists sign_in_code (
    hash {bytes} not null,
    code_id {bytes} not null,
    made_at {int} not null,
    expires_at {int} not null,
    tries {int} not null,
    used_at {int},
    primary key (hash, code_id)
) {strict};
create index if not exists sign_in_code_by_age on sign_in_code (expires_at);

create table if not exists customer_session (
    token_hash {bytes} primary key,
    session_id {bytes} not null,
    customer_id {bytes} not null,
    channel_id {bytes} not null,
    made_at {int} not null,
    used_at {int} not null
) {strict};
create index if not exists customer_session_by_customer on customer_session (customer_id);
create index if not exists customer_session_by_use on customer_session (used_at);
