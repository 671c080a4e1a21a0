-- Who may ask: the keys of programs. Of a secret only its hash is kept.
create table if not exists api_key (
    api_key_id {bytes} primary key,
    name text not null,
    kind {int} not null,
    secret_hash {bytes} not null,
    permissions {int} not null,
    channel_id {bytes},
    location_id {bytes},
    made_at {int} not null,
    revoked_at {int},
    last_used_day {int}
) {strict};
