-- Rewards that are given for points, and what members were given.
create table if not exists reward (
    reward_id {bytes} primary key,
    loyalty_programme_id {bytes} not null,
    code text not null,
    name text not null,
    kind {int} not null,
    promotion_id {bytes},
    minor {int},
    currency text,
    points {int} not null,
    given {int} not null,
    given_max {int},
    member_max {int},
    period {int} not null,
    tier text,
    active {int} not null,
    version {int} not null,
    made_at {int} not null,
    check (given >= 0)
) {strict};
create index if not exists reward_by_programme on reward (loyalty_programme_id, reward_id);

create table if not exists redemption (
    member_id {bytes} not null,
    redemption_id {bytes} not null,
    paid_by_id {bytes} not null,
    reward_id {bytes} not null,
    kind {int} not null,
    outcome_id {bytes} not null,
    promotion_id {bytes},
    minor {int},
    points {int} not null,
    state {int} not null,
    made_at {int} not null,
    taken_back_at {int},
    primary key (member_id, redemption_id)
) {strict};
