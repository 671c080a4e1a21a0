-- Locations, and the networks they form.
create table if not exists location (
    location_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    can_ship {int} not null,
    can_pick_up {int} not null,
    can_receive {int} not null,
    can_return {int} not null,
    active {int} not null,
    zone text not null,
    hours text,
    cut_off text,
    capacity {int} check (capacity >= 0),
    preparation_minutes {int} not null check (preparation_minutes >= 0),
    street text,
    city text,
    region text,
    postal_code text,
    country text,
    latitude_micro {int},
    longitude_micro {int},
    version {int} not null
) {strict};

create table if not exists network (
    network_id {bytes} primary key,
    code text not null unique,
    name text not null,
    version {int} not null
) {strict};

create table if not exists network_member (
    network_id {bytes} not null,
    location_id {bytes} not null,
    rank {int} not null,
    primary key (network_id, location_id)
) {strict};
