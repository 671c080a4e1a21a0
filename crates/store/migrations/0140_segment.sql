-- Segments and computed traits, each with every version; settings that are the same for everybody; lists of people.
create table if not exists segment (
    segment_id {bytes} primary key,
    code text not null unique,
    name text not null,
    active {int} not null,
    expression {json} not null,
    version {int} not null,
    made_at {int} not null,
    changed_at {int} not null
) {strict};

create table if not exists segment_version (
    segment_id {bytes} not null,
    version {int} not null,
    name text not null,
    active {int} not null,
    expression {json} not null,
    actor text not null,
    at {int} not null,
    primary key (segment_id, version)
) {strict};

create table if not exists computed_trait (
    code text not null,
    version {int} not null,
    name text not null,
    definition {json} not null,
    actor text not null,
    at {int} not null,
    primary key (code, version)
) {strict};

create table if not exists segment_setting (
    name text primary key,
    value {json} not null,
    at {int} not null,
    version {int} not null
) {strict};

create table if not exists customer_list (
    customer_list_id {bytes} primary key,
    code text not null unique,
    name text not null,
    made_at {int} not null,
    version {int} not null
) {strict};

create table if not exists customer_list_entry (
    customer_list_id {bytes} not null,
    subject_id {bytes} not null,
    is_customer {int} not null,
    added_at {int} not null,
    primary key (customer_list_id, subject_id)
) {strict};
create index if not exists customer_list_entry_by_subject on customer_list_entry (subject_id);
