//! The rows of transfer orders and their lines.

use domain::transfer::{Progress, Reason, State};
use domain::value::id::{FulfilmentOrder, Location, Order, TransferOrder as Kind, Variant};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Goods on their way from one location to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferOrder {
    /// Its identity.
    pub id: Id<Kind>,
    /// From where.
    pub source: Id<Location>,
    /// To where.
    pub destination: Id<Location>,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// The retailer's words.
    pub note: Option<String>,
    /// The order and its fulfilment order that wait for the goods.
    pub waiting: Option<(Id<Order>, Id<FulfilmentOrder>)>,
    /// Who asked for it, as text: `staff:stf_…`.
    pub asked_by: String,
    /// When it was made.
    pub made_at: Instant,
    /// Must a second person agree?
    pub needs_approval: bool,
    /// Since when it may be picked.
    pub approved_at: Option<Instant>,
    /// When it is expected.
    pub expected_at: Option<Instant>,
    /// The carrier's or the parcels' numbers.
    pub reference: Option<String>,
    /// When it left.
    pub shipped_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// Its lines, in the order of variants.
    pub lines: Vec<Line>,
}

/// Pieces of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The variant.
    pub variant: Id<Variant>,
    /// How far they are.
    pub progress: Progress,
}

/// Adds a transfer order with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &TransferOrder) -> Result<(), StoreError> {
    tx.execute(
        "insert into transfer_order (transfer_order_id, source_id, destination_id, state, reason, note, order_id, fulfilment_order_id, asked_by,
             made_at, needs_approval, approved_at, expected_at, reference, shipped_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            new.id, new.source, new.destination, new.state.code(), new.reason.code(), new.note.as_ref(),
            new.waiting.map(|(order, _)| order), new.waiting.map(|(_, part)| part), &new.asked_by, new.made_at, new.needs_approval,
            new.approved_at, new.expected_at, new.reference.as_ref(), new.shipped_at, new.ended_at
        ],
    )?;
    new.lines.iter().try_for_each(|line| set_line(tx, new.id, line))
}

/// Writes how far the pieces of a variant are. The transfer order is new or locked.
///
/// # Errors
/// What the store says.
pub fn set_line(tx: &mut Tx<'_>, of: Id<Kind>, line: &Line) -> Result<(), StoreError> {
    let one = line.progress;
    tx.execute(
        "insert into transfer_line (transfer_order_id, variant_id, quantity, picked, shipped, arrived, damaged, over, lost, promised)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (transfer_order_id, variant_id) do update set quantity = excluded.quantity, picked = excluded.picked,
             shipped = excluded.shipped, arrived = excluded.arrived, damaged = excluded.damaged, over = excluded.over,
             lost = excluded.lost, promised = excluded.promised",
        params![
            of, line.variant, one.quantity, one.picked, one.shipped, one.arrived, one.damaged, one.over, one.lost, one.promised
        ],
    )?;
    Ok(())
}

/// Takes all lines of a draft away.
///
/// # Errors
/// What the store says.
pub fn clear_lines(tx: &mut Tx<'_>, of: Id<Kind>) -> Result<(), StoreError> {
    tx.execute("delete from transfer_line where transfer_order_id = $1", params![of])?;
    Ok(())
}

/// Writes where a transfer order stands. It is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &TransferOrder) -> Result<(), StoreError> {
    tx.execute(
        "update transfer_order set state = $2, needs_approval = $3, approved_at = $4, expected_at = $5, reference = $6, shipped_at = $7,
             ended_at = $8
         where transfer_order_id = $1",
        params![
            one.id, one.state.code(), one.needs_approval, one.approved_at, one.expected_at, one.reference.as_ref(), one.shipped_at,
            one.ended_at
        ],
    )?;
    Ok(())
}

fn transfer_order(row: &mut Row<'_>) -> Result<TransferOrder, StoreError> {
    Ok(TransferOrder {
        id: row.id()?,
        source: row.id()?,
        destination: row.id()?,
        state: row.word(State::coded)?,
        reason: row.word(Reason::coded)?,
        note: row.text_or_null()?,
        waiting: row.id_or_null()?.zip(row.id_or_null()?),
        asked_by: row.text()?,
        made_at: row.instant()?,
        needs_approval: row.yes()?,
        approved_at: row.instant_or_null()?,
        expected_at: row.instant_or_null()?,
        reference: row.text_or_null()?,
        shipped_at: row.instant_or_null()?,
        ended_at: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

fn with_lines(tx: &mut Tx<'_>, found: Vec<TransferOrder>) -> Result<Vec<TransferOrder>, StoreError> {
    let fill = |mut one: TransferOrder| {
        one.lines = lines(tx, one.id)?;
        Ok(one)
    };
    found.into_iter().map(fill).collect()
}

fn lines(tx: &mut Tx<'_>, of: Id<Kind>) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select variant_id, quantity, picked, shipped, arrived, damaged, over, lost, promised from transfer_line
         where transfer_order_id = $1 order by variant_id",
        params![of],
        |row| {
            Ok(Line {
                variant: row.id()?,
                progress: Progress {
                    quantity: row.int()?,
                    picked: row.int()?,
                    shipped: row.int()?,
                    arrived: row.int()?,
                    damaged: row.int()?,
                    over: row.int()?,
                    lost: row.int()?,
                    promised: row.int()?,
                },
            })
        },
    )
}

/// A transfer order.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Option<TransferOrder>, StoreError> {
    let found = tx.rows(
        "select transfer_order_id, source_id, destination_id, state, reason, note, order_id, fulfilment_order_id, asked_by, made_at,
             needs_approval, approved_at, expected_at, reference, shipped_at, ended_at
         from transfer_order where transfer_order_id = $1",
        params![id],
        transfer_order,
    )?;
    Ok(with_lines(tx, found)?.pop())
}

/// A transfer order, which nobody else takes further until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Option<TransferOrder>, StoreError> {
    let found = tx.rows(
        "select transfer_order_id, source_id, destination_id, state, reason, note, order_id, fulfilment_order_id, asked_by, made_at,
             needs_approval, approved_at, expected_at, reference, shipped_at, ended_at
         from transfer_order where transfer_order_id = $1 {lock}",
        params![id],
        transfer_order,
    )?;
    Ok(with_lines(tx, found)?.pop())
}

/// The open transfer orders a fulfilment order waits for, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn for_order(
    tx: &mut Tx<'_>,
    (order, part): (Id<Order>, Id<FulfilmentOrder>),
) -> Result<Vec<Id<Kind>>, StoreError> {
    tx.rows(
        "select transfer_order_id from transfer_order where order_id = $1 and fulfilment_order_id = $2 and state in (2, 3, 4, 5)
         order by transfer_order_id",
        params![order, part],
        |row| row.id(),
    )
}

/// Which transfer orders of a location are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those it sends.
    Out,
    /// Those it receives.
    In,
}

/// The transfer orders a location sends or receives, before one, the newest first, at most `limit`; only the open ones when asked so.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    (location, side, open): (Id<Location>, Side, bool),
    before: Id<Kind>,
    limit: i64,
) -> Result<Vec<TransferOrder>, StoreError> {
    let sql = match side {
        Side::Out => {
            "select transfer_order_id, source_id, destination_id, state, reason, note, order_id, fulfilment_order_id, asked_by, made_at,
             needs_approval, approved_at, expected_at, reference, shipped_at, ended_at
         from transfer_order where source_id = $1 and ($2 = 0 or state in (1, 2, 3, 4, 5)) and transfer_order_id < $3
         order by transfer_order_id desc limit $4"
        }
        Side::In => {
            "select transfer_order_id, source_id, destination_id, state, reason, note, order_id, fulfilment_order_id, asked_by, made_at,
             needs_approval, approved_at, expected_at, reference, shipped_at, ended_at
         from transfer_order where destination_id = $1 and ($2 = 0 or state in (1, 2, 3, 4, 5)) and transfer_order_id < $3
         order by transfer_order_id desc limit $4"
        }
    };
    let found = tx.rows(sql, params![location, open, before, limit], transfer_order)?;
    with_lines(tx, found)
}

/// The transfer orders with pieces of a variant at their source that were not picked yet, the youngest first.
///
/// # Errors
/// What the store says.
pub fn unpicked_at(
    tx: &mut Tx<'_>,
    (variant, source): (Id<Variant>, Id<Location>),
) -> Result<Vec<Id<Kind>>, StoreError> {
    tx.rows(
        "select t.transfer_order_id from transfer_order t join transfer_line l on l.transfer_order_id = t.transfer_order_id
         where t.source_id = $2 and t.state in (2, 3) and t.approved_at is not null and l.variant_id = $1 and l.quantity > l.picked
         order by t.transfer_order_id desc",
        params![variant, source],
        |row| row.id(),
    )
}
