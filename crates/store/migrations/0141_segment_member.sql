-- Kept membership: who is in a segment, and who may come in or fall out by time alone; what changed; how far a segment is built and for whom; and whose
-- behaviour was told of since it was looked at.
create table if not exists segment_member (
    segment_id {bytes} not null,
    subject_id {bytes} not null,
    is_customer {int} not null,
    is_in {int} not null,
    entered_at {int},
    next_change {int},
    primary key (segment_id, subject_id),
    check ((is_in = 1) = (entered_at is not null))
) {strict};
create index if not exists segment_member_by_subject on segment_member (subject_id);
create index if not exists segment_member_by_change on segment_member (next_change) where next_change is not null;

create table if not exists segment_step (
    segment_id {bytes} not null,
    step_id {bytes} not null,
    subject_id {bytes} not null,
    is_customer {int} not null,
    entered {int} not null,
    at {int} not null,
    version {int} not null,
    primary key (segment_id, step_id)
) {strict};
create index if not exists segment_step_by_subject on segment_step (subject_id, step_id);

-- in_parts is 1 when those whom the segment can reach were found and wait in parts, 0 when everybody is gone through, and null before anybody
-- looked. Each time a segment is built anew is a round of its own.
create table if not exists segment_build (
    segment_id {bytes} primary key,
    round {int} not null,
    in_parts {int},
    customers {int} not null,
    after {bytes} not null,
    built_at {int}
) {strict};

create table if not exists segment_build_part (
    segment_id {bytes} not null,
    part {int} not null,
    is_customer {int} not null,
    subjects {bytes} not null,
    primary key (segment_id, part)
) {strict};

create table if not exists profile_stirred (
    profile_id {bytes} primary key,
    at {int} not null
) {strict};
