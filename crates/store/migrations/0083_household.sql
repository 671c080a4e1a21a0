-- Households: who is in one, and who may join it. A household is a member with a book of its own.
create table if not exists household_member (
    household_id {bytes} not null,
    member_id {bytes} not null,
    is_head {int} not null,
    may_spend {int} not null,
    joined_at {int} not null,
    left_at {int},
    primary key (household_id, member_id)
) {strict};

create index if not exists household_member_by_member on household_member (member_id, household_id);

create table if not exists household_left (
    member_id {bytes} primary key,
    left_at {int} not null
) {strict};

create table if not exists household_invitation (
    household_id {bytes} not null,
    hash {bytes} not null,
    expires_at {int} not null,
    member_id {bytes},
    primary key (household_id, hash)
) {strict};

create table if not exists household_by_invitation (
    hash {bytes} primary key,
    household_id {bytes} not null
) {strict};
