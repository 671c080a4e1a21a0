-- Delivery methods, the channels they are offered in, and where goods are collected.
create table if not exists delivery_method (
    delivery_method_id {bytes} primary key,
    code text not null unique,
    name {json} not null,
    kind {int} not null,
    currency text not null,
    zone {json} not null,
    measure {int} not null,
    bands {json} not null,
    most {int},
    free_from_minor {int},
    tax_class_id {bytes} not null,
    lead_days_min {int} not null,
    lead_days_max {int} not null,
    delivery_hours text,
    pickup_network_id {bytes},
    active {int} not null,
    version {int} not null
) {strict};

create table if not exists delivery_channel (
    delivery_method_id {bytes} not null,
    channel_id {bytes} not null,
    primary key (delivery_method_id, channel_id)
) {strict};
create index if not exists delivery_channel_by_channel on delivery_channel (channel_id);

create table if not exists delivery_place (
    delivery_method_id {bytes} not null,
    location_id {bytes} not null,
    primary key (delivery_method_id, location_id)
) {strict};
