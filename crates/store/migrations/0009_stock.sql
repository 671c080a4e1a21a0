-- What of a variant must stay at a location, when it counts as low there, on which shelf it lies, and until when the location gives
-- none of it to orders because a picker did not find it. The amounts themselves are in the ledger.
create table if not exists stock_level (
    variant_id {bytes} not null,
    location_id {bytes} not null,
    safety {int} not null check (safety >= 0),
    low_below {int} not null check (low_below >= 0),
    shelf text,
    excluded_until {int},
    primary key (variant_id, location_id)
) {strict};
create index if not exists stock_level_excluded on stock_level (excluded_until);
