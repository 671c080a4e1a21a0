-- Markets, and the channels in which they are sold to.
create table if not exists market (
    market_id {bytes} primary key,
    code text not null unique,
    name text not null,
    countries text not null,
    currency text not null,
    prices_include_tax {int} not null,
    rounding_level {int} not null,
    rounding text not null,
    cash_rounding_minor {int} not null check (cash_rounding_minor >= 1),
    language text not null,
    zone text not null,
    tax_zone_id {bytes},
    version {int} not null
) {strict};

create table if not exists channel (
    channel_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    market_id {bytes} not null,
    network_id {bytes} not null,
    location_id {bytes},
    hold_policy {int} not null,
    hold_minutes {int} not null,
    cart_expiry_minutes {int} not null,
    payment_minutes {int} not null,
    collect_days {int} not null,
    stock_threshold {int} not null,
    category_tree_id {bytes},
    payment_kinds text not null,
    capture_policy {int} not null,
    active {int} not null,
    version {int} not null
) {strict};
