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
