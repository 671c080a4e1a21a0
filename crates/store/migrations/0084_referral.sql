-- Referral: the code of each member who asked for one, and the friends that came by it.
create table if not exists referral_code (
    member_id {bytes} primary key,
    code text not null,
    made_at {int} not null
) {strict};

create table if not exists referral_by_code (
    code text primary key,
    member_id {bytes} not null
) {strict};

create table if not exists referral (
    friend_id {bytes} primary key,
    member_id {bytes} not null,
    number {int} not null,
    state {int} not null,
    why {int},
    order_id {bytes},
    left_at {int},
    review_at {int},
    points {int} not null,
    friend_points {int} not null,
    made_at {int} not null,
    rewarded_at {int}
) {strict};
create index if not exists referral_by_review on referral (review_at);

create table if not exists referral_of_member (
    member_id {bytes} not null,
    friend_id {bytes} not null,
    rewarded_at {int},
    primary key (member_id, friend_id)
) {strict};
