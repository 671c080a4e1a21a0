-- Who carries parcels to customers. The secret is sealed with the master key.
create table if not exists carrier (
    carrier_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    url text,
    secret {bytes},
    services {json} not null,
    collections text not null,
    attempts_max {int} not null,
    active {int} not null,
    version {int} not null
) {strict};

-- Which parcel has a tracking number, as carriers know them.
create table if not exists parcel_tracking (
    carrier_id {bytes} not null,
    tracking text not null,
    order_id {bytes} not null,
    parcel_id {bytes} not null,
    primary key (carrier_id, tracking)
) {strict};

-- What a carrier took along from a location at one time.
create table if not exists manifest (
    carrier_id {bytes} not null,
    manifest_id {bytes} not null,
    location_id {bytes} not null,
    made_at {int} not null,
    parcels {int} not null,
    primary key (carrier_id, manifest_id)
) {strict};
