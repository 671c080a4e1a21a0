-- How a retailer wants orders routed: profiles in versions, and which networks and channels go by which.
create table if not exists routing_profile (
    profile_id {bytes} not null,
    version {int} not null,
    name text not null,
    state {int} not null,
    active_from {int},
    document {json} not null,
    made_at {int} not null,
    revision {int} not null,
    primary key (profile_id, version)
) {strict};

-- The place is a channel or a network; a channel's own profile goes before its network's.
create table if not exists routing_use (
    place_id {bytes} primary key,
    profile_id {bytes} not null
) {strict};
create index if not exists routing_use_by_profile on routing_use (profile_id);

-- From where an order was served, with what was known of every location then.
create table if not exists routing_decision (
    order_id {bytes} not null,
    decision_id {bytes} not null,
    made_at {int} not null,
    occasion {int} not null,
    network_id {bytes} not null,
    profile_id {bytes},
    profile_version {int},
    currency text not null,
    left_out {int} not null,
    document {json} not null,
    primary key (order_id, decision_id)
) {strict};
create index if not exists routing_decision_by_time on routing_decision (made_at);

-- How many fulfilment orders a location that can prepare only so many was given on a day of its own clock, and which they are.
create table if not exists location_day (
    location_id {bytes} not null,
    day {int} not null,
    given {int} not null check (given >= 0),
    primary key (location_id, day)
) {strict};

create table if not exists capacity_claim (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    location_id {bytes} not null,
    day {int} not null,
    primary key (order_id, fulfilment_order_id)
) {strict};
create index if not exists capacity_claim_by_day on capacity_claim (location_id, day);

-- How many of a variant left a location for customers in the 28 days before the mark.
create table if not exists outflow (
    variant_id {bytes} not null,
    location_id {bytes} not null,
    units {int} not null,
    primary key (variant_id, location_id)
) {strict};
create table if not exists outflow_mark (
    mark {int} primary key check (mark = 1),
    until {int} not null
) {strict};
create index if not exists fulfilment_order_by_leaving on fulfilment_order (left_at) where left_at is not null;

-- Why goods that are at no location wait: for a person, for the next run, or until they are cancelled. Without a row they wait for goods.
create table if not exists fulfilment_wait (
    order_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    network_id {bytes} not null,
    reason {int} not null,
    until {int},
    primary key (order_id, fulfilment_order_id)
) {strict};
create index if not exists fulfilment_wait_by_reason on fulfilment_wait (reason, until);

-- Past orders routed again under another version of a profile, beside how they would be routed now; and the shelves of that play.
create table if not exists routing_simulation (
    simulation_id {bytes} primary key,
    profile_id {bytes} not null,
    profile_version {int} not null,
    from_at {int} not null,
    until_at {int} not null,
    orders_max {int} not null,
    stock_percent {int} not null,
    late_after_hours {int} not null,
    is_done {int} not null,
    after_at {int} not null,
    after_id {bytes} not null,
    now_sums {json} not null,
    then_sums {json} not null,
    made_at {int} not null
) {strict};

create table if not exists routing_simulation_shelf (
    simulation_id {bytes} not null,
    variant_id {bytes} not null,
    location_id {bytes} not null,
    now_free {int} not null,
    then_free {int} not null,
    primary key (simulation_id, variant_id, location_id)
) {strict};
