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

create table if not exists role (
    role_id {bytes} primary key,
    code text not null unique,
    name text not null,
    permissions {int} not null,
    version {int} not null
) {strict};

-- A member of staff. Name and e-mail are sealed under the member's own key.
create table if not exists staff (
    staff_id {bytes} primary key,
    wrapped_key {bytes} not null,
    sealed {bytes} not null,
    password_hash text,
    active {int} not null,
    made_at {int} not null,
    version {int} not null
) {strict};

create table if not exists staff_by_email (
    hash {bytes} primary key,
    staff_id {bytes} not null
) {strict};

-- Which roles a member holds, and where; sixteen zero bytes stand for everywhere.
create table if not exists staff_role (
    staff_id {bytes} not null,
    role_id {bytes} not null,
    location_id {bytes} not null,
    primary key (staff_id, role_id, location_id)
) {strict};

create table if not exists session (
    token_hash {bytes} primary key,
    session_id {bytes} not null,
    staff_id {bytes} not null,
    made_at {int} not null,
    used_at {int} not null
) {strict};
create index if not exists session_by_staff on session (staff_id);

-- Links that work once: for the first owner (no member) and for members who set a password.
create table if not exists access_link (
    token_hash {bytes} primary key,
    staff_id {bytes},
    expires_at {int} not null,
    used_at {int}
) {strict};
