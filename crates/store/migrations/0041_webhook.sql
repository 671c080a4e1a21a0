-- Where events are sent. The secrets are sealed with the master key; the old one signs too until its end.
create table if not exists webhook_endpoint (
    endpoint_id {bytes} primary key,
    url text not null,
    kinds {json} not null,
    description text not null,
    state {int} not null,
    because {int},
    secret {bytes} not null,
    old_secret {bytes},
    old_until {int},
    made_at {int} not null,
    version {int} not null
) {strict};

-- How far an endpoint was sent each partition of the journal; the lane after the last is for what is sent again by itself. Who sends claims
-- the lane first: the claim's number rises, and what an older claim did counts for nothing.
create table if not exists webhook_lane (
    endpoint_id {bytes} not null,
    lane {int} not null,
    sequence {int} not null,
    failures {int} not null,
    failing_since {int},
    next_at {int} not null,
    claim {int} not null,
    claimed_until {int} not null,
    primary key (endpoint_id, lane)
) {strict};

-- What was sent, and what became of each. Kept for a while; the journal keeps the events themselves.
create table if not exists webhook_message (
    endpoint_id {bytes} not null,
    event_id {bytes} not null,
    partition {int} not null,
    sequence {int} not null,
    kind text not null,
    outcome {int} not null,
    attempts {int} not null,
    first_at {int} not null,
    last_at {int} not null,
    status {int},
    said text not null,
    primary key (endpoint_id, event_id)
) {strict};
create index if not exists webhook_message_by_time on webhook_message (last_at);
create index if not exists webhook_message_untaken on webhook_message (endpoint_id, event_id) where outcome <> 1;
