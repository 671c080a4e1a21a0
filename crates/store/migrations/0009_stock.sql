-- What of a variant must stay at a location, and when it counts as low there. The amounts themselves are in the ledger.
create table if not exists stock_level (
    variant_id {bytes} not null,
    location_id {bytes} not null,
    safety {int} not null check (safety >= 0),
    low_below {int} not null check (low_below >= 0),
    primary key (variant_id, location_id)
) {strict};
