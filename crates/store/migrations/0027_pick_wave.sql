-- Fulfilment orders that are picked in one walk; a tote for each of them.
create table if not exists pick_wave (
    wave_id {bytes} primary key,
    location_id {bytes} not null,
    kind {int},
    colleague_id {bytes},
    state {int} not null,
    made_at {int} not null,
    started_at {int},
    ended_at {int}
) {strict};
create index if not exists pick_wave_by_location on pick_wave (location_id, wave_id);

create table if not exists pick_wave_part (
    wave_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    order_id {bytes} not null,
    tote {int} not null,
    primary key (wave_id, fulfilment_order_id)
) {strict};

-- What was put into the totes in the walk, so that what is cancelled meanwhile is put back.
create table if not exists pick_wave_line (
    wave_id {bytes} not null,
    fulfilment_order_id {bytes} not null,
    line_id {bytes} not null,
    variant_id {bytes} not null,
    picked {int} not null check (picked >= 0),
    primary key (wave_id, fulfilment_order_id, line_id, variant_id)
) {strict};
