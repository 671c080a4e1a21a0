-- Balances taken in from another system: homed on the number they had there, so that each is taken in once.
create table if not exists opening_balance (
    reference text primary key,
    book_id {bytes} not null,
    amount {int} not null,
    made_at {int} not null
) {strict};
create index if not exists point_lot_by_id on point_lot (point_lot_id);
