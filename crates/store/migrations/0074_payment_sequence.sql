-- In which sequence the means of one order are taken and given back, for each market; every version is kept, because orders follow the one that
-- was in force when they were placed.
create table if not exists payment_sequence (
    market_id {bytes} not null,
    version {int} not null,
    capture text not null,
    capture_rest {int} not null,
    refund text not null,
    refund_rest {int} not null,
    since {int} not null,
    primary key (market_id, version)
) {strict};
