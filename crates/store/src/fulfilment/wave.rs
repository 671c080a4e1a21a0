//! The rows of pick waves: what is picked in one walk, and what lies in its totes.

use domain::delivery::Kind;
use domain::fulfilment::wave::State;
use domain::value::id::{self, Location, OrderLine, PickWave as PickWaveKind, Staff, Variant};
use domain::value::{Id, Instant};

use super::Which;
use crate::{Row, StoreError, Tx, params};

/// Fulfilment orders that are picked in one walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickWave {
    /// Its identity.
    pub id: Id<PickWaveKind>,
    /// Where the walk is.
    pub location: Id<Location>,
    /// The only way its goods leave, when one was asked for.
    pub kind: Option<Kind>,
    /// Who walks, when one was named.
    pub colleague: Option<Id<Staff>>,
    /// Where it stands.
    pub state: State,
    /// When it was made.
    pub made_at: Instant,
    /// When the walk began.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

/// Pieces of a fulfilment order of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Of which order.
    pub which: Which,
    /// Its tote.
    pub tote: i64,
    /// Where its fulfilment order stands.
    pub state: domain::fulfilment::State,
    /// Where its fulfilment order is.
    pub location: Option<Id<Location>>,
    /// The order line.
    pub line: Id<OrderLine>,
    /// The variant.
    pub variant: Id<Variant>,
    /// How many are still part of the fulfilment order.
    pub quantity: i64,
    /// How many of those were taken from the shelf.
    pub picked: i64,
    /// How many were put into the tote in this walk.
    pub walked: i64,
    /// The variant's SKU.
    pub sku: String,
    /// Its shelf, where one is known.
    pub shelf: Option<String>,
}

/// Fulfilment orders at a location that wait to be picked and are in no wave: made before an instant, leaving in one way (0 for any), the
/// oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn waiting(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    (kind, before): (i64, Instant),
    limit: i64,
) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select order_id, fulfilment_order_id from fulfilment_order
         where location_id = $1 and state in (1, 7) and on_hold is null and wave_id is null and ($2 = 0 or kind = $2) and made_at < $3
         order by fulfilment_order_id limit $4",
        params![location, kind, before, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Adds a wave.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &PickWave) -> Result<(), StoreError> {
    tx.execute(
        "insert into pick_wave (wave_id, location_id, kind, colleague_id, state, made_at, started_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            new.id, new.location, new.kind.map(Kind::code), new.colleague, new.state.code(), new.made_at, new.started_at, new.ended_at
        ],
    )?;
    Ok(())
}

/// Takes a fulfilment order into a wave; false when it is in another one.
///
/// # Errors
/// What the store says.
pub fn take_in(
    tx: &mut Tx<'_>,
    wave: Id<PickWaveKind>,
    (order, id): Which,
    tote: i64,
) -> Result<bool, StoreError> {
    let taken = tx.execute(
        "update fulfilment_order set wave_id = $3 where order_id = $1 and fulfilment_order_id = $2 and wave_id is null",
        params![order, id, wave],
    )?;
    if taken == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into pick_wave_part (wave_id, fulfilment_order_id, order_id, tote) values ($1, $2, $3, $4)",
        params![wave, id, order, tote],
    )?;
    Ok(true)
}

/// Lets a fulfilment order of a wave that has ended be in another one.
///
/// # Errors
/// What the store says.
pub fn let_go(tx: &mut Tx<'_>, wave: Id<PickWaveKind>, (order, id): Which) -> Result<(), StoreError> {
    tx.execute(
        "update fulfilment_order set wave_id = null where order_id = $1 and fulfilment_order_id = $2 and wave_id = $3",
        params![order, id, wave],
    )?;
    Ok(())
}

fn wave(row: &mut Row<'_>) -> Result<PickWave, StoreError> {
    let (id, location) = (row.id()?, row.id()?);
    let kind = row.int_or_null()?.map(|code| {
        Kind::coded(code).ok_or_else(|| StoreError::Corrupt("a pick wave has an unknown kind".into()))
    });
    Ok(PickWave {
        id,
        location,
        kind: kind.transpose()?,
        colleague: row.id_or_null()?,
        state: row.word(State::coded)?,
        made_at: row.instant()?,
        started_at: row.instant_or_null()?,
        ended_at: row.instant_or_null()?,
    })
}

/// A wave.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<PickWaveKind>) -> Result<Option<PickWave>, StoreError> {
    tx.one(
        "select wave_id, location_id, kind, colleague_id, state, made_at, started_at, ended_at from pick_wave where wave_id = $1",
        params![id],
        wave,
    )
}

/// A wave that nobody else walks until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<PickWaveKind>) -> Result<Option<PickWave>, StoreError> {
    tx.one("select state from pick_wave where wave_id = $1 {lock}", params![id], |row| row.int())?;
    find(tx, id)
}

/// The waves of a location before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    before: Id<PickWaveKind>,
    limit: i64,
) -> Result<Vec<PickWave>, StoreError> {
    tx.rows(
        "select wave_id, location_id, kind, colleague_id, state, made_at, started_at, ended_at from pick_wave
         where location_id = $1 and wave_id < $2 order by wave_id desc limit $3",
        params![location, before, limit],
        wave,
    )
}

/// Writes where a wave stands. The wave is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, wave: &PickWave) -> Result<(), StoreError> {
    tx.execute(
        "update pick_wave set state = $2, started_at = $3, ended_at = $4 where wave_id = $1",
        params![wave.id, wave.state.code(), wave.started_at, wave.ended_at],
    )?;
    Ok(())
}

/// The fulfilment orders of a wave with their totes, tote by tote.
///
/// # Errors
/// What the store says.
pub fn parts(tx: &mut Tx<'_>, wave: Id<PickWaveKind>) -> Result<Vec<(Which, i64)>, StoreError> {
    tx.rows(
        "select order_id, fulfilment_order_id, tote from pick_wave_part where wave_id = $1 order by tote",
        params![wave],
        |row| Ok(((row.id()?, row.id()?), row.int()?)),
    )
}

/// Everything of a wave, tote by tote.
///
/// # Errors
/// What the store says.
pub fn pieces(tx: &mut Tx<'_>, wave: &PickWave) -> Result<Vec<Piece>, StoreError> {
    tx.rows(
        "select p.order_id, p.fulfilment_order_id, p.tote, f.state, f.location_id, l.line_id, l.variant_id, l.quantity, l.picked,
             coalesce(w.picked, 0), v.sku, s.shelf
         from pick_wave_part p
         join fulfilment_order f on f.order_id = p.order_id and f.fulfilment_order_id = p.fulfilment_order_id
         join fulfilment_line l on l.order_id = p.order_id and l.fulfilment_order_id = p.fulfilment_order_id
         join variant v on v.variant_id = l.variant_id
         left join pick_wave_line w on w.wave_id = p.wave_id and w.fulfilment_order_id = p.fulfilment_order_id
             and w.line_id = l.line_id and w.variant_id = l.variant_id
         left join stock_level s on s.variant_id = l.variant_id and s.location_id = $2
         where p.wave_id = $1 order by p.tote, l.line_id, l.variant_id",
        params![wave.id, wave.location],
        |row| {
            Ok(Piece {
                which: (row.id()?, row.id()?),
                tote: row.int()?,
                state: row.word(domain::fulfilment::State::coded)?,
                location: row.id_or_null()?,
                line: row.id()?,
                variant: row.id()?,
                quantity: row.int()?,
                picked: row.int()?,
                walked: row.int()?,
                sku: row.text()?,
                shelf: row.text_or_null()?,
            })
        },
    )
}

/// Pieces were put into their tote.
///
/// # Errors
/// What the store says.
pub fn put_into_tote(
    tx: &mut Tx<'_>,
    wave: Id<PickWaveKind>,
    fulfilment_order: Id<id::FulfilmentOrder>,
    (line, variant, quantity): (Id<OrderLine>, Id<Variant>, i64),
) -> Result<(), StoreError> {
    tx.execute(
        "insert into pick_wave_line (wave_id, fulfilment_order_id, line_id, variant_id, picked) values ($1, $2, $3, $4, $5)
         on conflict (wave_id, fulfilment_order_id, line_id, variant_id)
         do update set picked = pick_wave_line.picked + excluded.picked",
        params![wave, fulfilment_order, line, variant, quantity],
    )?;
    Ok(())
}

/// Pieces left their tote with a parcel while the walk goes on: they are no longer counted as lying in it.
///
/// # Errors
/// What the store says.
pub fn take_along(
    tx: &mut Tx<'_>,
    (order, id): Which,
    (line, variant, quantity): (Id<OrderLine>, Id<Variant>, i64),
) -> Result<(), StoreError> {
    tx.execute(
        "update pick_wave_line set picked = case when picked > $5 then picked - $5 else 0 end
         where wave_id = (select wave_id from fulfilment_order where order_id = $1 and fulfilment_order_id = $2)
             and fulfilment_order_id = $2 and line_id = $3 and variant_id = $4",
        params![order, id, line, variant, quantity],
    )?;
    Ok(())
}
