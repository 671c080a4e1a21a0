-- Kept membership: who is in a segment, and who may come in or fall out by time alone; what changed; how far a segment is built; and whose
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

create table if not exists segment_build (
    segment_id {bytes} primary key,
    customers {int} not null,
    after {bytes} not null,
    built_at {int}
) {strict};

create table if not exists profile_stirred (
    profile_id {bytes} primary key,
    at {int} not null
) {strict};
