-- Taxes: classes of goods, zones of the world, and the rates of a class in a zone.
create table if not exists tax_class (
    tax_class_id {bytes} primary key,
    code text not null unique,
    name text not null
) {strict};

create table if not exists tax_zone (
    tax_zone_id {bytes} primary key,
    code text not null unique,
    name text not null,
    version {int} not null
) {strict};

-- A country, or a region of one (empty: the rest of the country), belongs to one zone.
create table if not exists tax_area (
    country text not null,
    region text not null,
    tax_zone_id {bytes} not null,
    primary key (country, region)
) {strict};
create index if not exists tax_area_by_zone on tax_area (tax_zone_id);

create table if not exists tax_rate (
    tax_zone_id {bytes} not null,
    tax_class_id {bytes} not null,
    valid_from {int} not null,
    valid_until {int},
    rate {int} not null check (rate between 0 and 10000000),
    exempt {int} not null check (exempt = 0 or rate = 0),
    primary key (tax_zone_id, tax_class_id, valid_from)
) {strict};
