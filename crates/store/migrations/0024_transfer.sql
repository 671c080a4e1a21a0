-- Above which value a second person must agree at a location: to write goods off, to send them elsewhere.
create table if not exists stock_rule (
    location_id {bytes} primary key,
    write_off_minor {int},
    transfer_minor {int},
    currency text not null
) {strict};

-- Goods to be written off that wait for a second person.
create table if not exists write_off (
    write_off_id {bytes} primary key,
    location_id {bytes} not null,
    variant_id {bytes} not null,
    from_state {int} not null,
    quantity {int} not null check (quantity > 0),
    reason {int} not null,
    reference text,
    state {int} not null,
    asked_by text not null,
    asked_at {int} not null,
    ended_by text,
    ended_at {int}
) {strict};
create index if not exists write_off_by_location on write_off (location_id, state, write_off_id);

-- Goods on their way from one location to another; for an order that is collected there, its fulfilment order is named.
create table if not exists transfer_order (
    transfer_order_id {bytes} primary key,
    source_id {bytes} not null,
    destination_id {bytes} not null,
    state {int} not null,
    reason {int} not null,
    note text,
    order_id {bytes},
    fulfilment_order_id {bytes},
    asked_by text not null,
    made_at {int} not null,
    needs_approval {int} not null,
    approved_at {int},
    expected_at {int},
    reference text,
    shipped_at {int},
    ended_at {int}
) {strict};
create index if not exists transfer_order_by_source on transfer_order (source_id, state, transfer_order_id);
create index if not exists transfer_order_by_destination on transfer_order (destination_id, state, transfer_order_id);
create index if not exists transfer_order_by_order on transfer_order (order_id, fulfilment_order_id);

-- A variant of a transfer order. `promised` pieces are for its order and go on to it when they arrive.
create table if not exists transfer_line (
    transfer_order_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity >= 0),
    picked {int} not null check (picked >= 0 and picked <= quantity),
    shipped {int} not null check (shipped >= 0 and shipped <= picked),
    arrived {int} not null check (arrived >= 0 and arrived <= shipped),
    damaged {int} not null check (damaged >= 0 and damaged <= arrived),
    over {int} not null check (over >= 0),
    lost {int} not null check (lost >= 0 and arrived + lost <= shipped),
    promised {int} not null check (promised >= 0 and promised <= quantity),
    primary key (transfer_order_id, variant_id)
) {strict};
create index if not exists transfer_line_by_variant on transfer_line (variant_id, transfer_order_id);

-- From which network a pickup location is sent what it lacks, and how many days that takes.
create table if not exists delivery_sending (
    delivery_method_id {bytes} primary key,
    network_id {bytes} not null,
    days {int} not null check (days >= 0)
) {strict};
