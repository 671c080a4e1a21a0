-- By what the master key of these books is known again. The key itself is never here.
create table if not exists keyring (
    name text primary key,
    fingerprint {bytes} not null
) {strict};
