//! The rows of parcels: what is in them, how they travel, and what was told of them on the way.

use domain::fulfilment::parcel::{Label, Size, State, Tracked};
use domain::value::id::{
    self, Carrier, FulfilmentOrder, Location, Manifest as ManifestKind, Order, OrderLine, Variant,
};
use domain::value::{Id, Instant, LocalDay};

use crate::{Row, StoreError, Tx, params};

/// Which parcel of which order.
pub type Which = (Id<Order>, Id<id::Parcel>);

/// What leaves a location in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The order.
    pub order: Id<Order>,
    /// Its identity.
    pub id: Id<id::Parcel>,
    /// The fulfilment order its goods belong to.
    pub fulfilment_order: Id<FulfilmentOrder>,
    /// Where it leaves from.
    pub location: Id<Location>,
    /// Where it stands.
    pub state: State,
    /// How heavy and large it is.
    pub size: Size,
    /// Who carries it.
    pub carrier: Option<Id<Carrier>>,
    /// By which of the carrier's services.
    pub service: Option<String>,
    /// Where its label stands.
    pub label: Label,
    /// The tracking number.
    pub tracking: Option<String>,
    /// The carrier's own id of it.
    pub reference: Option<String>,
    /// Why the carrier refused it.
    pub failure: Option<String>,
    /// The day on which the carrier takes it along.
    pub collected_on: Option<LocalDay>,
    /// Where it is, as far as was told.
    pub tracked: Option<Tracked>,
    /// How often nobody took it.
    pub attempts: i64,
    /// The list it was handed to the carrier with.
    pub manifest: Option<Id<ManifestKind>>,
    /// When it was packed.
    pub made_at: Instant,
    /// When it left the location.
    pub left_at: Option<Instant>,
    /// When it was delivered or came back.
    pub ended_at: Option<Instant>,
    /// When it was given up as lost.
    pub lost_at: Option<Instant>,
    /// What is in it.
    pub lines: Vec<Line>,
}

/// Pieces in a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The order line.
    pub line: Id<OrderLine>,
    /// The variant; for a kit, a component.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
}

/// What was told of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// By what its teller knows it, so that it is heard once.
    pub id: String,
    /// What.
    pub tracked: Tracked,
    /// When it happened.
    pub at: Instant,
    /// When it was heard.
    pub heard_at: Instant,
    /// In the carrier's or driver's words.
    pub note: Option<String>,
}

/// Adds a parcel with what is in it.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Parcel) -> Result<(), StoreError> {
    let (length, width, height) = edges(&new.size);
    tx.execute(
        "insert into parcel (order_id, parcel_id, fulfilment_order_id, location_id, state, weight_grams, length_mm, width_mm, height_mm,
             carrier_id, service, label, tracking, reference, failure, collected_on, tracked, attempts, manifest_id, made_at, left_at, ended_at, lost_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
        params![
            new.order, new.id, new.fulfilment_order, new.location, new.state.code(), new.size.weight_grams, length, width, height,
            new.carrier, new.service.as_ref(), new.label.code(), new.tracking.as_ref(), new.reference.as_ref(), new.failure.as_ref(),
            day_text(new).as_ref(), new.tracked.map(Tracked::code), new.attempts, new.manifest, new.made_at, new.left_at, new.ended_at, new.lost_at
        ],
    )?;
    for line in &new.lines {
        tx.execute(
            "insert into parcel_line (order_id, parcel_id, line_id, variant_id, quantity) values ($1, $2, $3, $4, $5)",
            params![new.order, new.id, line.line, line.variant, line.quantity],
        )?;
    }
    Ok(())
}

fn edges(size: &Size) -> (Option<i64>, Option<i64>, Option<i64>) {
    size.edges_mm
        .map_or((None, None, None), |(length, width, height)| (Some(length), Some(width), Some(height)))
}

fn day_text(parcel: &Parcel) -> Option<String> {
    parcel.collected_on.map(|day| day.to_string())
}

fn parcel(row: &mut Row<'_>) -> Result<Parcel, StoreError> {
    Ok(Parcel {
        order: row.id()?,
        id: row.id()?,
        fulfilment_order: row.id()?,
        location: row.id()?,
        state: row.word(State::coded)?,
        size: Size {
            weight_grams: row.int()?,
            edges_mm: match (row.int_or_null()?, row.int_or_null()?, row.int_or_null()?) {
                (Some(length), Some(width), Some(height)) => Some((length, width, height)),
                _ => None,
            },
        },
        carrier: row.id_or_null()?,
        service: row.text_or_null()?,
        label: row.word(Label::coded)?,
        tracking: row.text_or_null()?,
        reference: row.text_or_null()?,
        failure: row.text_or_null()?,
        collected_on: row.value_or_null(LocalDay::parse)?,
        tracked: row.int_or_null()?.and_then(Tracked::coded),
        attempts: row.int()?,
        manifest: row.id_or_null()?,
        made_at: row.instant()?,
        left_at: row.instant_or_null()?,
        ended_at: row.instant_or_null()?,
        lost_at: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

/// The parcels of an order with what is in them, in the order they were packed.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Parcel>, StoreError> {
    let mut found = tx.rows(
        "select order_id, parcel_id, fulfilment_order_id, location_id, state, weight_grams, length_mm, width_mm, height_mm, carrier_id,
             service, label, tracking, reference, failure, collected_on, tracked, attempts, manifest_id, made_at, left_at, ended_at, lost_at
         from parcel where order_id = $1 order by parcel_id",
        params![order],
        parcel,
    )?;
    let lines = tx.rows(
        "select parcel_id, line_id, variant_id, quantity from parcel_line where order_id = $1 order by parcel_id, line_id, variant_id",
        params![order],
        |row| {
            let of: Id<id::Parcel> = row.id()?;
            Ok((of, Line { line: row.id()?, variant: row.id()?, quantity: row.int()? }))
        },
    )?;
    for (of, line) in lines {
        if let Some(one) = found.iter_mut().find(|one| one.id == of) {
            one.lines.push(line);
        }
    }
    Ok(found)
}

/// Writes where a parcel stands. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Parcel) -> Result<(), StoreError> {
    tx.execute(
        "update parcel set fulfilment_order_id = $3, state = $4, service = $5, label = $6, tracking = $7, reference = $8, failure = $9,
             collected_on = $10, tracked = $11, attempts = $12, manifest_id = $13, left_at = $14, ended_at = $15, lost_at = $16
         where order_id = $1 and parcel_id = $2",
        params![
            one.order, one.id, one.fulfilment_order, one.state.code(), one.service.as_ref(), one.label.code(), one.tracking.as_ref(),
            one.reference.as_ref(), one.failure.as_ref(), day_text(one).as_ref(), one.tracked.map(Tracked::code), one.attempts,
            one.manifest, one.left_at, one.ended_at, one.lost_at
        ],
    )?;
    Ok(())
}

/// Notes what was told of a parcel; false when it was heard before.
///
/// # Errors
/// What the store says.
pub fn add_told(tx: &mut Tx<'_>, (order, parcel): Which, told: &Told) -> Result<bool, StoreError> {
    let added = tx.execute(
        "insert into parcel_told (order_id, parcel_id, told_id, tracked, at, heard_at, note) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (order_id, parcel_id, told_id) do nothing",
        params![order, parcel, &told.id, told.tracked.code(), told.at, told.heard_at, told.note.as_ref()],
    )?;
    Ok(added > 0)
}

/// What was told of a parcel, in the order in which it happened.
///
/// # Errors
/// What the store says.
pub fn told(tx: &mut Tx<'_>, (order, parcel): Which) -> Result<Vec<Told>, StoreError> {
    tx.rows(
        "select told_id, tracked, at, heard_at, note from parcel_told where order_id = $1 and parcel_id = $2 order by at, tracked, told_id",
        params![order, parcel],
        |row| {
            Ok(Told {
                id: row.text()?,
                tracked: row.word(Tracked::coded)?,
                at: row.instant()?,
                heard_at: row.instant()?,
                note: row.text_or_null()?,
            })
        },
    )
}

/// The parcels that a carrier takes along from a location on a day, after one, at most `limit`; without what is in them.
///
/// # Errors
/// What the store says.
pub fn of_day(
    tx: &mut Tx<'_>,
    (carrier, location, day): (Id<Carrier>, Id<Location>, LocalDay),
    after: Id<id::Parcel>,
    limit: i64,
) -> Result<Vec<Parcel>, StoreError> {
    let day = day.to_string();
    tx.rows(
        "select order_id, parcel_id, fulfilment_order_id, location_id, state, weight_grams, length_mm, width_mm, height_mm, carrier_id,
             service, label, tracking, reference, failure, collected_on, tracked, attempts, manifest_id, made_at, left_at, ended_at, lost_at
         from parcel where carrier_id = $1 and collected_on = $2 and location_id = $3 and state <> 5 and parcel_id > $4
         order by parcel_id limit $5",
        params![carrier, &day, location, after, limit],
        parcel,
    )
}

/// The parcels at a location that left with a carrier, or have its label, and are on no list yet; at most `limit`.
///
/// # Errors
/// What the store says.
pub fn unlisted(
    tx: &mut Tx<'_>,
    carrier: Id<Carrier>,
    location: Id<Location>,
    limit: i64,
) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select order_id, parcel_id from parcel
         where carrier_id = $1 and location_id = $2 and label = 3 and state in (1, 2) and manifest_id is null and tracked is null
         order by order_id, parcel_id limit $3",
        params![carrier, location, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// The parcels of a list, in order.
///
/// # Errors
/// What the store says.
pub fn of_manifest(tx: &mut Tx<'_>, manifest: Id<ManifestKind>) -> Result<Vec<Parcel>, StoreError> {
    tx.rows(
        "select order_id, parcel_id, fulfilment_order_id, location_id, state, weight_grams, length_mm, width_mm, height_mm, carrier_id,
             service, label, tracking, reference, failure, collected_on, tracked, attempts, manifest_id, made_at, left_at, ended_at, lost_at
         from parcel where manifest_id = $1 order by parcel_id",
        params![manifest],
        parcel,
    )
}

/// Parcels that hold more of a line than their fulfilment order has: the parcel, how many it should hold at most, how many it holds.
///
/// # Errors
/// What the store says.
pub fn overfull(tx: &mut Tx<'_>) -> Result<Vec<(Id<FulfilmentOrder>, i64, i64)>, StoreError> {
    tx.rows(
        "select p.fulfilment_order_id, max(coalesce(f.picked_or_left, 0)), cast(sum(l.quantity) as {int})
         from parcel p join parcel_line l on l.order_id = p.order_id and l.parcel_id = p.parcel_id
         left join (
             select g.order_id, g.fulfilment_order_id, k.line_id, k.variant_id,
                 case when g.state in (2, 3, 11) then k.quantity when g.state in (4, 12) then 0 else k.picked end as picked_or_left
             from fulfilment_order g
             join fulfilment_line k on k.order_id = g.order_id and k.fulfilment_order_id = g.fulfilment_order_id
         ) f on f.order_id = p.order_id and f.fulfilment_order_id = p.fulfilment_order_id and f.line_id = l.line_id and f.variant_id = l.variant_id
         where p.state <> 5
         group by p.order_id, p.fulfilment_order_id, l.line_id, l.variant_id
         having sum(l.quantity) > max(coalesce(f.picked_or_left, 0))",
        &[],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
