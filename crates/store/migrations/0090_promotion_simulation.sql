-- Past orders priced again with and without some promotions, and what came of it.
create table if not exists promotion_simulation (
    simulation_id {bytes} primary key,
    added {json} not null,
    left_out {json} not null,
    from_at {int} not null,
    until_at {int} not null,
    orders_max {int} not null,
    is_done {int} not null,
    after_at {int} not null,
    after_id {bytes} not null,
    orders {int} not null,
    unlike {int} not null,
    made_at {int} not null
) {strict};

-- What came of it, by channel and currency.
create table if not exists promotion_simulation_sum (
    simulation_id {bytes} not null,
    channel_id {bytes} not null,
    currency text not null,
    orders {int} not null,
    touched {int} not null,
    was {int} not null,
    becomes {int} not null,
    primary key (simulation_id, channel_id, currency)
) {strict};

-- What each promotion that was tried gave.
create table if not exists promotion_simulation_given (
    simulation_id {bytes} not null,
    promotion_id {bytes} not null,
    currency text not null,
    orders {int} not null,
    minor {int} not null,
    primary key (simulation_id, promotion_id, currency)
) {strict};

-- What is used of the limits of those that are tried, while it goes on.
create table if not exists promotion_simulation_used (
    simulation_id {bytes} not null,
    promotion_id {bytes} not null,
    scope {int} not null,
    period {int} not null,
    holder {bytes} not null,
    begins {int} not null,
    uses {int} not null,
    minor {int} not null,
    primary key (simulation_id, promotion_id, scope, period, holder, begins)
) {strict};
