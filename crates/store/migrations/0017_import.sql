-- Files being taken in: how far each is, and what was told of rows that could not be taken.
create table if not exists import_run (
    import_id {bytes} primary key,
    kind {int} not null,
    mode {int} not null,
    state {int} not null,
    -- Which source the file came from, and who is right where it says something else than is known.
    source text,
    precedence {int},
    -- What the file and its mapping hash to: an import goes on with the same file only.
    file_hash {bytes} not null,
    -- Lines of text for people: how the file was read.
    notes text not null,
    actor text not null,
    rows_total {int} not null,
    rows_read {int} not null,
    made {int} not null,
    changed {int} not null,
    same {int} not null,
    joined {int} not null,
    review {int} not null,
    findings {int} not null,
    refused {int} not null,
    errors {int} not null,
    made_at {int} not null,
    changed_at {int} not null
) {strict};

create table if not exists import_error (
    import_id {bytes} not null,
    place {int} not null,
    line {int} not null,
    column_name text,
    value text,
    code text not null,
    message text not null,
    primary key (import_id, place)
) {strict};
