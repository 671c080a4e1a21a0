//! The rows of tallies: pieces that colleagues counted of a line, each at a place of the location.

use domain::value::id::{Count, Variant};
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// Pieces counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The variant.
    pub variant: Id<Variant>,
    /// In which round.
    pub round: i64,
    /// Where at the location, in its own words; empty when nobody said.
    pub place: String,
    /// By whom, as text: `staff:stf_…`.
    pub counted_by: String,
    /// How many.
    pub pieces: i64,
    /// When the first of them was counted.
    pub first_at: Instant,
    /// When the last was.
    pub last_at: Instant,
}

/// The round of a line that is being counted now, held against its end until the commit; none when the line is not counted now.
///
/// # Errors
/// What the store says.
pub fn open_round(
    tx: &mut Tx<'_>,
    count: Id<Count>,
    variant: Id<Variant>,
) -> Result<Option<i64>, StoreError> {
    tx.one(
        "select round from count_line where count_id = $1 and variant_id = $2 and state = 1 {lock}",
        params![count, variant],
        |row| row.int(),
    )
}

/// Adds pieces to what the same colleague counted at the same place, or takes some away; false when there would be fewer than none.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, count: Id<Count>, tally: &Tally) -> Result<bool, StoreError> {
    if tally.pieces < 0 {
        let changed = tx.execute(
            "update count_tally set pieces = pieces + $6, last_at = case when last_at < $7 then $7 else last_at end
             where count_id = $1 and variant_id = $2 and round = $3 and place = $4 and counted_by = $5 and pieces + $6 >= 0",
            params![count, tally.variant, tally.round, &tally.place, &tally.counted_by, tally.pieces, tally.last_at],
        )?;
        return Ok(changed == 1);
    }
    tx.execute(
        "insert into count_tally (count_id, variant_id, round, place, counted_by, pieces, first_at, last_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (count_id, variant_id, round, place, counted_by) do update set pieces = count_tally.pieces + excluded.pieces,
             first_at = case when excluded.first_at < count_tally.first_at then excluded.first_at else count_tally.first_at end,
             last_at = case when excluded.last_at > count_tally.last_at then excluded.last_at else count_tally.last_at end",
        params![
            count, tally.variant, tally.round, &tally.place, &tally.counted_by, tally.pieces, tally.first_at, tally.last_at
        ],
    )?;
    Ok(true)
}

/// Everything counted in a count, in all rounds, in the order of variants.
///
/// # Errors
/// What the store says.
pub fn of_count(tx: &mut Tx<'_>, count: Id<Count>) -> Result<Vec<Tally>, StoreError> {
    tx.rows(
        "select variant_id, round, place, counted_by, pieces, first_at, last_at from count_tally where count_id = $1
         order by variant_id, round, place, counted_by",
        params![count],
        |row| {
            Ok(Tally {
                variant: row.id()?,
                round: row.int()?,
                place: row.text()?,
                counted_by: row.text()?,
                pieces: row.int()?,
                first_at: row.instant()?,
                last_at: row.instant()?,
            })
        },
    )
}
