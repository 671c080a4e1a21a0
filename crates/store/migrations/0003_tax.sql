-- Tax classes.
create table if not exists tax_class (
    tax_class_id {bytes} primary key,
    code text not null unique,
    name text not null
) {strict};
