-- What counts for the tiers of members, where they stand, and where they stood before.
create table if not exists member_counted (
    member_id {bytes} not null,
    source_id {bytes} not null,
    book_id {bytes},
    at {int} not null,
    points {int} not null,
    minor {int} not null,
    currency text,
    visits {int} not null,
    primary key (member_id, source_id)
) {strict};
create index if not exists member_counted_by_time on member_counted (member_id, at);

create table if not exists member_tier (
    member_id {bytes} primary key,
    loyalty_programme_id {bytes} not null,
    number {int} not null,
    tier text,
    label text,
    rate {int} not null,
    return_days {int} not null,
    since {int} not null,
    falls_at {int},
    review_at {int},
    judged_at {int} not null,
    changes {int} not null
) {strict};
create index if not exists member_tier_by_review on member_tier (review_at);
create index if not exists member_tier_by_version on member_tier (loyalty_programme_id, number);

create table if not exists member_tier_change (
    member_id {bytes} not null,
    place {int} not null,
    at {int} not null,
    number {int} not null,
    before text,
    after text,
    why {int} not null,
    primary key (member_id, place)
) {strict};
