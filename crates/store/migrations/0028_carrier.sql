-- Who carries parcels to customers. The secret is sealed with the master key.
create table if not exists carrier (
    carrier_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    url text,
    tracking_url text,
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

-- What leaves a location in one piece. Names and addresses are not kept here: a label is drawn when it is printed.
create table if not exists parcel (
    order_id {bytes} not null,
    parcel_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    location_id {bytes} not null,
    state {int} not null,
    weight_grams {int} not null check (weight_grams > 0),
    length_mm {int},
    width_mm {int},
    height_mm {int},
    carrier_id {bytes},
    service text,
    label {int} not null,
    tracking text,
    reference text,
    failure text,
    collected_on text,
    tracked {int},
    attempts {int} not null,
    manifest_id {bytes},
    made_at {int} not null,
    left_at {int},
    ended_at {int},
    lost_at {int},
    primary key (order_id, parcel_id)
) {strict};
create index if not exists parcel_by_carrier on parcel (carrier_id, collected_on, parcel_id);
create index if not exists parcel_by_manifest on parcel (manifest_id, parcel_id);

create table if not exists parcel_line (
    order_id {bytes} not null,
    parcel_id {bytes} not null,
    line_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    primary key (order_id, parcel_id, line_id, variant_id)
) {strict};

-- What carriers and drivers told of a parcel, each once.
create table if not exists parcel_told (
    order_id {bytes} not null,
    parcel_id {bytes} not null,
    told_id text not null,
    tracked {int} not null,
    at {int} not null,
    heard_at {int} not null,
    note text,
    primary key (order_id, parcel_id, told_id)
) {strict};
