//! The rows of fulfilment orders and their lines, their offers and pickup visits.

pub mod carrier;
pub mod parcel;
pub mod substitute;
pub mod visit;
pub mod wait;
pub mod waiting;
pub mod wave;

use domain::delivery::Kind;
use domain::fulfilment::State;
use domain::ledger::AccountKey;
use domain::stock::selling::Later;
use domain::value::id::{self, Location, Network, Order, OrderLine, Variant};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Which fulfilment order of which order.
pub type Which = (Id<Order>, Id<id::FulfilmentOrder>);

/// From when on the customer has the goods, and by when at the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// From this instant on.
    pub from: Option<Instant>,
    /// By this instant.
    pub by: Option<Instant>,
}

/// Goods of one order that leave one location together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FulfilmentOrder {
    /// The order.
    pub order: Id<Order>,
    /// Its identity.
    pub id: Id<id::FulfilmentOrder>,
    /// The network that promised the goods.
    pub network: Id<Network>,
    /// The location; none while the goods are sold and at no location yet.
    pub location: Option<Id<Location>>,
    /// How the goods reach the customer.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why nobody may go on with it.
    pub on_hold: Option<String>,
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// When it was made.
    pub made_at: Instant,
    /// Since when it waits for the customer.
    pub ready_at: Option<Instant>,
    /// Until when it waits for the customer.
    pub collect_by: Option<Instant>,
    /// When the goods left.
    pub left_at: Option<Instant>,
    /// How the goods were sold, when they were not there.
    pub later: Option<Later>,
    /// Before this instant the goods do not leave.
    pub not_before: Option<Instant>,
    /// From when on the customer was promised to have them, and by when.
    pub promised: Promised,
    /// When goods on their way to its location are expected there.
    pub expected_at: Option<Instant>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Pieces of one variant for one order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The order line.
    pub line: Id<OrderLine>,
    /// The variant; for a kit, a component.
    pub variant: Id<Variant>,
    /// How many are still part of it.
    pub quantity: i64,
    /// How many of those were taken from the shelf.
    pub picked: i64,
}

/// Adds a fulfilment order with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &FulfilmentOrder) -> Result<(), StoreError> {
    tx.execute(
        "insert into fulfilment_order (order_id, fulfilment_order_id, network_id, location_id, kind, state, on_hold, tracking,
             made_at, ready_at, collect_by, left_at, later, not_before, promised_from, promised_by, expected_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        params![
            new.order, new.id, new.network, new.location, new.kind.code(), new.state.code(), new.on_hold.as_ref(),
            new.tracking.as_ref(), new.made_at, new.ready_at, new.collect_by, new.left_at, new.later.map(Later::code),
            new.not_before, new.promised.from, new.promised.by, new.expected_at
        ],
    )?;
    for line in &new.lines {
        add_line(tx, new, line)?;
    }
    Ok(())
}

/// Adds pieces for an order line to a fulfilment order.
///
/// # Errors
/// What the store says.
pub fn add_line(tx: &mut Tx<'_>, of: &FulfilmentOrder, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "insert into fulfilment_line (order_id, fulfilment_order_id, line_id, variant_id, quantity, picked, waits)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![of.order, of.id, line.line, line.variant, line.quantity, line.picked, of.state.is_unplaced()],
    )?;
    Ok(())
}

fn fulfilment_order(row: &mut Row<'_>) -> Result<FulfilmentOrder, StoreError> {
    Ok(FulfilmentOrder {
        order: row.id()?,
        id: row.id()?,
        network: row.id()?,
        location: row.id_or_null()?,
        kind: row.word(Kind::coded)?,
        state: row.word(State::coded)?,
        on_hold: row.text_or_null()?,
        tracking: row.text_or_null()?,
        made_at: row.instant()?,
        ready_at: row.instant_or_null()?,
        collect_by: row.instant_or_null()?,
        left_at: row.instant_or_null()?,
        later: row.word_or_null(Later::coded)?,
        not_before: row.instant_or_null()?,
        promised: Promised { from: row.instant_or_null()?, by: row.instant_or_null()? },
        expected_at: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

/// The fulfilment orders of an order with their lines, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<FulfilmentOrder>, StoreError> {
    let mut found = tx.rows(
        "select order_id, fulfilment_order_id, network_id, location_id, kind, state, on_hold, tracking, made_at, ready_at,
             collect_by, left_at, later, not_before, promised_from, promised_by, expected_at
         from fulfilment_order where order_id = $1 order by fulfilment_order_id",
        params![order],
        fulfilment_order,
    )?;
    let lines = tx.rows(
        "select fulfilment_order_id, line_id, variant_id, quantity, picked from fulfilment_line
         where order_id = $1 order by fulfilment_order_id, line_id, variant_id",
        params![order],
        line_of,
    )?;
    give_lines(&mut found, lines);
    Ok(found)
}

fn line_of(row: &mut Row<'_>) -> Result<(Id<id::FulfilmentOrder>, Line), StoreError> {
    let of = row.id()?;
    Ok((of, Line { line: row.id()?, variant: row.id()?, quantity: row.int()?, picked: row.int()? }))
}

fn give_lines(found: &mut [FulfilmentOrder], lines: Vec<(Id<id::FulfilmentOrder>, Line)>) {
    for (of, line) in lines {
        if let Some(one) = found.iter_mut().find(|one| one.id == of) {
            one.lines.push(line);
        }
    }
}

/// Whether anything of an order is still to leave.
///
/// # Errors
/// What the store says.
pub fn any_open(tx: &mut Tx<'_>, order: Id<Order>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select state from fulfilment_order where order_id = $1 and state in (1, 5, 6, 7, 8, 9, 10, 13) limit 1",
        params![order],
        |row| row.int(),
    )?;
    Ok(found.is_some())
}

/// What a location has to get ready after one, in the order it was made, at most `limit`, with lines.
///
/// # Errors
/// What the store says.
pub fn open_at(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    after: Id<id::FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<FulfilmentOrder>, StoreError> {
    let mut found = tx.rows(
        "select order_id, fulfilment_order_id, network_id, location_id, kind, state, on_hold, tracking, made_at, ready_at,
             collect_by, left_at, later, not_before, promised_from, promised_by, expected_at
         from fulfilment_order where location_id = $1 and state in (1, 7, 8, 9, 10) and fulfilment_order_id > $2
         order by fulfilment_order_id limit $3",
        params![location, after, limit],
        fulfilment_order,
    )?;
    for one in &mut found {
        one.lines = lines_of(tx, one)?;
    }
    Ok(found)
}

fn lines_of(tx: &mut Tx<'_>, of: &FulfilmentOrder) -> Result<Vec<Line>, StoreError> {
    let lines = tx.rows(
        "select fulfilment_order_id, line_id, variant_id, quantity, picked from fulfilment_line
         where order_id = $1 and fulfilment_order_id = $2 order by line_id, variant_id",
        params![of.order, of.id],
        line_of,
    )?;
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Offers a fulfilment order to a location; a second offer moves the end.
///
/// # Errors
/// What the store says.
pub fn add_offer(
    tx: &mut Tx<'_>,
    of: &FulfilmentOrder,
    location: Id<Location>,
    until: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into fulfilment_offer (order_id, fulfilment_order_id, location_id, until) values ($1, $2, $3, $4)
         on conflict (order_id, fulfilment_order_id, location_id) do update set until = excluded.until",
        params![of.order, of.id, location, until],
    )?;
    Ok(())
}

/// The locations a fulfilment order is offered to, and until when.
///
/// # Errors
/// What the store says.
pub fn offers(tx: &mut Tx<'_>, of: &FulfilmentOrder) -> Result<Vec<(Id<Location>, Instant)>, StoreError> {
    tx.rows(
        "select location_id, until from fulfilment_offer where order_id = $1 and fulfilment_order_id = $2 order by location_id",
        params![of.order, of.id],
        |row| Ok((row.id()?, row.instant()?)),
    )
}

/// Ends all offers of a fulfilment order.
///
/// # Errors
/// What the store says.
pub fn end_offers(tx: &mut Tx<'_>, of: &FulfilmentOrder) -> Result<(), StoreError> {
    tx.execute(
        "delete from fulfilment_offer where order_id = $1 and fulfilment_order_id = $2",
        params![of.order, of.id],
    )?;
    Ok(())
}

/// The fulfilment orders with an offer whose time is over, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn offers_over(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select distinct order_id, fulfilment_order_id from fulfilment_offer where until <= $1
         order by order_id, fulfilment_order_id limit $2",
        params![now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// The fulfilment orders offered to a location at an instant, after one, at most `limit`, with lines.
///
/// # Errors
/// What the store says.
pub fn offered_to(
    tx: &mut Tx<'_>,
    (location, now): (Id<Location>, Instant),
    after: Id<id::FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<FulfilmentOrder>, StoreError> {
    let mut found = tx.rows(
        "select f.order_id, f.fulfilment_order_id, f.network_id, f.location_id, f.kind, f.state, f.on_hold, f.tracking, f.made_at,
             f.ready_at, f.collect_by, f.left_at, f.later, f.not_before, f.promised_from, f.promised_by, f.expected_at
         from fulfilment_offer o
         join fulfilment_order f on f.order_id = o.order_id and f.fulfilment_order_id = o.fulfilment_order_id
         where o.location_id = $1 and o.until > $2 and o.fulfilment_order_id > $3 and f.state = 6
         order by o.fulfilment_order_id limit $4",
        params![location, now, after, limit],
        fulfilment_order,
    )?;
    for one in &mut found {
        one.lines = lines_of(tx, one)?;
    }
    Ok(found)
}

/// The orders with goods that waited for their customer until now or longer and that nobody holds, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn uncollected(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select distinct order_id from fulfilment_order where state = 10 and on_hold is null and collect_by <= $1
         order by order_id limit $2",
        params![now, limit],
        |row| row.id(),
    )
}

/// The fulfilment orders at a location with pieces of a variant that were not picked yet, the youngest first.
///
/// # Errors
/// What the store says.
pub fn unpicked_at(
    tx: &mut Tx<'_>,
    (variant, location): (Id<Variant>, Id<Location>),
) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select distinct f.order_id, f.fulfilment_order_id from fulfilment_order f
         join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
         where f.location_id = $2 and f.state in (1, 7, 8, 9, 10, 13) and l.variant_id = $1 and l.quantity > l.picked
         order by f.fulfilment_order_id desc",
        params![variant, location],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Writes where a fulfilment order stands. The order is locked. What was promised stays; [`waiting::promise`] writes it.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &FulfilmentOrder) -> Result<(), StoreError> {
    if !one.state.has_left() {
        tx.execute(
            "update fulfilment_line set waits = $3 where order_id = $1 and fulfilment_order_id = $2 and waits <> $3",
            params![one.order, one.id, one.state.is_unplaced()],
        )?;
    }
    tx.execute(
        "update fulfilment_order set location_id = $3, state = $4, on_hold = $5, tracking = $6, ready_at = $7, collect_by = $8,
             left_at = $9, expected_at = $10
         where order_id = $1 and fulfilment_order_id = $2",
        params![
            one.order, one.id, one.location, one.state.code(), one.on_hold.as_ref(), one.tracking.as_ref(), one.ready_at,
            one.collect_by, one.left_at, one.expected_at
        ],
    )?;
    Ok(())
}

/// Writes how many pieces are still part of a line, and how many of them are picked. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update_line(tx: &mut Tx<'_>, one: &FulfilmentOrder, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "update fulfilment_line set quantity = $5, picked = $6 where order_id = $1 and fulfilment_order_id = $2 and line_id = $3 and variant_id = $4",
        params![one.order, one.id, line.line, line.variant, line.quantity, line.picked],
    )?;
    Ok(())
}

/// What the books say of goods of orders at a place, and what the open fulfilment orders say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unequal {
    /// The variant.
    pub variant: Id<Variant>,
    /// The account: at a location, or on a network for goods at no location yet.
    pub account: AccountKey,
    /// By the books.
    pub booked: i64,
    /// By open fulfilment and transfer orders.
    pub open: i64,
}

/// Every account of committed, picked, pooled goods and goods on their way where the books and the open fulfilment and transfer orders do
/// not say the same. What a fulfilment order waits for is not committed at its location yet.
/// Goods sold beyond what was there lie in two accounts of a network, which are compared as one.
///
/// # Errors
/// What the store says.
pub fn unequal_promises(tx: &mut Tx<'_>) -> Result<Vec<Unequal>, StoreError> {
    tx.rows(
        "select variant_id, place, state, cast(sum(booked) as {int}), cast(sum(pieces) as {int}) from (
            select l.variant_id as variant_id, f.location_id as place, 3 as state, 0 as booked, l.quantity - l.picked as pieces
            from fulfilment_order f join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
            where f.state in (1, 7, 8, 9, 10, 13)
            union all
            select l.variant_id as variant_id, f.location_id as place, 4 as state, 0 as booked, l.picked as pieces
            from fulfilment_order f join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
            where f.state in (1, 7, 8, 9, 10)
            union all
            select l.variant_id as variant_id, f.network_id as place, case when f.later is null then 21 else 22 end as state, 0 as booked, l.quantity as pieces
            from fulfilment_order f join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
            where f.state in (5, 6)
            union all
            select l.variant_id as variant_id, t.source_id as place, 3 as state, 0 as booked, l.quantity - l.picked as pieces
            from transfer_order t join transfer_line l on l.transfer_order_id = t.transfer_order_id
            where t.state in (2, 3) and t.approved_at is not null
            union all
            select l.variant_id as variant_id, t.source_id as place, 4 as state, 0 as booked, l.picked as pieces
            from transfer_order t join transfer_line l on l.transfer_order_id = t.transfer_order_id
            where t.state in (2, 3) and t.approved_at is not null
            union all
            select l.variant_id as variant_id, t.destination_id as place, 9 as state, 0 as booked, l.shipped - l.arrived - l.lost as pieces
            from transfer_order t join transfer_line l on l.transfer_order_id = t.transfer_order_id
            where t.state in (4, 5)
            union all
            select l.variant_id as variant_id, t.destination_id as place, 3 as state, 0 as booked, -l.promised as pieces
            from transfer_order t join transfer_line l on l.transfer_order_id = t.transfer_order_id
            where t.state in (2, 3, 4, 5)
            union all
            select a.book_id as variant_id, a.place, case when a.state = 23 then 22 else a.state end as state, a.amount as booked, 0 as pieces
            from account a join book b on b.book_id = a.book_id and b.kind = 1 where a.state in (3, 4, 9, 21, 22, 23)
         ) both_sides group by variant_id, place, state having sum(booked) <> sum(pieces)",
        &[],
        |row| {
            Ok(Unequal {
                variant: row.id()?,
                account: AccountKey { place: row.key()?, state: row.int()? },
                booked: row.int()?,
                open: row.int()?,
            })
        },
    )
}
