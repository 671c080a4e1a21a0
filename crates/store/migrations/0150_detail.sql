-- What customers tell beside the contact, and what colleagues note; companies have addresses too. Everything stays with the customer it was told
-- of; it is read over all who were merged into one. What names a person is sealed under that customer's own person key, or the company's.
create table if not exists address (
    holder_id {bytes} not null,
    address_id {bytes} not null,
    contact_id {bytes} not null,
    label {bytes},
    delivery_since {int},
    billing_since {int},
    made_at {int} not null,
    changed_at {int} not null,
    version {int} not null,
    primary key (holder_id, address_id)
) {strict};

create table if not exists customer_note (
    customer_id {bytes} not null,
    note_id {bytes} not null,
    sealed {bytes} not null,
    author text not null,
    location_id {bytes},
    is_pinned {int} not null,
    follow_up_at {int},
    done_at {int},
    made_at {int} not null,
    changed_at {int} not null,
    version {int} not null,
    primary key (customer_id, note_id)
) {strict};
create index if not exists customer_note_to_follow_up on customer_note (follow_up_at, note_id)
    where follow_up_at is not null and done_at is null;

-- The newest of the same kind, key and brand counts, over all who were merged into one; without a value it is said no longer.
create table if not exists customer_preference (
    customer_id {bytes} not null,
    kind {int} not null,
    key text not null,
    brand text not null,
    scale text,
    value text,
    at {int} not null,
    primary key (customer_id, kind, key, brand)
) {strict};

create table if not exists preference_question (
    code text primary key,
    wording {json} not null,
    answers {json} not null
) {strict};

create table if not exists size_kind (
    code text primary key,
    wording {json} not null,
    scales {json} not null
) {strict};
