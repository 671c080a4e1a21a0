-- What one base unit of a variant is worth in the retailer's books.
create table if not exists stock_value (
    variant_id {bytes} primary key,
    value_minor {int} not null check (value_minor >= 0),
    currency text not null
) {strict};

-- Counts: shelves compared with the books while selling goes on.
create table if not exists count (
    count_id {bytes} primary key,
    location_id {bytes} not null,
    state {int} not null,
    origin {int} not null,
    blind {int} not null,
    note text,
    cause_kind text,
    cause_id text,
    asked_at {int} not null,
    begun_at {int},
    counted_at {int},
    ended_at {int}
) {strict};
create index if not exists count_by_location on count (location_id, count_id);
create index if not exists count_by_end on count (location_id, ended_at);

-- A variant of a count. The books are looked at over the time in which it was counted: the least and the most they had then.
create table if not exists count_line (
    count_id {bytes} not null,
    variant_id {bytes} not null,
    state {int} not null,
    round {int} not null,
    counted {int},
    booked_least {int},
    booked_most {int},
    missing {int},
    difference {int},
    value_minor {int},
    currency text,
    primary key (count_id, variant_id)
) {strict};

-- What a colleague counted of a variant at one place of the location, in one round.
create table if not exists count_tally (
    count_id {bytes} not null,
    variant_id {bytes} not null,
    round {int} not null,
    place text not null,
    counted_by text not null,
    pieces {int} not null check (pieces >= 0),
    first_at {int} not null,
    last_at {int} not null,
    primary key (count_id, variant_id, round, place, counted_by)
) {strict};

-- The one open count of a variant at a location, and when it was last counted there.
create table if not exists count_spot (
    variant_id {bytes} not null,
    location_id {bytes} not null,
    count_id {bytes},
    counted_at {int},
    primary key (variant_id, location_id)
) {strict};
create index if not exists count_spot_by_location on count_spot (location_id, variant_id);

-- When a location's counts are done again, and how many variants it counts each day.
create table if not exists count_rule (
    location_id {bytes} primary key,
    pieces {int},
    percent {int},
    value_minor {int},
    currency text,
    other_colleague {int} not null,
    each_day {int} not null,
    next_at {int} not null
) {strict};

create index if not exists account_by_place on account (place, state, book_id);
create index if not exists stock_level_by_shelf on stock_level (location_id, shelf);
