-- Which customers may be one person: the keyed keys by which candidates are found, pairs that were found, and by which model.
create table if not exists match_key (
    key {int} not null,
    customer_id {bytes} not null,
    primary key (key, customer_id)
) {strict};
create index if not exists match_key_by_customer on match_key (customer_id);

-- Customers whose contact is what they wrote of themselves, which nobody checked.
create table if not exists match_own_word (
    customer_id {bytes} primary key
) {strict};

create table if not exists match_model (
    number {int} primary key,
    parts {json} not null,
    customers {int} not null,
    made_at {int} not null
) {strict};

-- What is frequent among those a model was learnt of, under keyed hashes: a name that many have says less.
create table if not exists match_value (
    number {int} not null,
    key {int} not null,
    times {int} not null,
    primary key (number, key)
) {strict};

-- One row, once something was said.
create table if not exists match_rule (
    place {int} primary key check (place = 1),
    number {int},
    -- Which was in force before, to go back to; 0 is the built-in one.
    before_number {int} not null default 0,
    automatic {int} not null,
    version {int} not null,
    changed_at {int} not null
) {strict};

create table if not exists match_review (
    match_review_id {bytes} primary key,
    one_id {bytes} not null,
    other_id {bytes} not null,
    found_by {int} not null,
    score {int} not null,
    band {int} not null,
    number {int} not null,
    steps {json} not null,
    state {int} not null,
    at {int} not null,
    -- As the contacts were at this instant.
    scored_at {int} not null,
    -- Why it was not joined at once, where the model is sure.
    held {int},
    held_why text,
    decided_at {int},
    decided_by text,
    merge_id {bytes}
) {strict};
create index if not exists match_review_by_state on match_review (state, match_review_id);
create index if not exists match_review_by_one on match_review (one_id, state);
create index if not exists match_review_by_other on match_review (other_id, state);

create table if not exists match_pair (
    one_id {bytes} not null,
    other_id {bytes} not null,
    match_review_id {bytes} not null,
    primary key (one_id, other_id)
) {strict};
