//! The rows of selling rules: what a channel does when nothing of a variant is left.

use domain::stock::selling::{Rule, WhenOut};
use domain::value::Id;
use domain::value::id::{Channel, Variant};

use crate::{Param, Row, StoreError, Tx, params};

/// Stands for every variant without a rule of its own.
pub const ALL: Id<Variant> = Id::from_bytes([0; 16]);

fn rule(row: &mut Row<'_>) -> Result<(Id<Variant>, Rule), StoreError> {
    let variant = row.id()?;
    let rule = Rule {
        when_out: row.word(WhenOut::coded)?,
        cap: row.int_or_null()?,
        lead_days: row.int_or_null()?,
        releases_at: row.instant_or_null()?,
    };
    Ok((variant, rule))
}

/// Sets the rule of a variant in a channel, or of [`ALL`].
///
/// # Errors
/// What the store says.
pub fn set(
    tx: &mut Tx<'_>,
    (variant, channel): (Id<Variant>, Id<Channel>),
    rule: &Rule,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into selling_rule (variant_id, channel_id, when_out, cap, lead_days, releases_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (variant_id, channel_id) do update set when_out = excluded.when_out, cap = excluded.cap,
             lead_days = excluded.lead_days, releases_at = excluded.releases_at",
        params![variant, channel, rule.when_out.code(), rule.cap, rule.lead_days, rule.releases_at],
    )?;
    Ok(())
}

/// Takes a rule away; false when there was none.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, (variant, channel): (Id<Variant>, Id<Channel>)) -> Result<bool, StoreError> {
    let removed = tx.execute(
        "delete from selling_rule where variant_id = $1 and channel_id = $2",
        params![variant, channel],
    )?;
    Ok(removed > 0)
}

/// The rules of these variants in a channel, and the one of [`ALL`] if it is among them.
///
/// # Errors
/// What the store says.
pub fn among(
    tx: &mut Tx<'_>,
    channel: Id<Channel>,
    variants: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, Rule)>, StoreError> {
    tx.rows(
        "select variant_id, when_out, cap, lead_days, releases_at from selling_rule
         where variant_id {in ids $1} and channel_id = $2",
        &[Param::Ids(variants), channel.into()],
        rule,
    )
}

/// The rules of a channel after one variant, in the order of variants, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    channel: Id<Channel>,
    after: Option<Id<Variant>>,
    limit: i64,
) -> Result<Vec<(Id<Variant>, Rule)>, StoreError> {
    tx.rows(
        "select variant_id, when_out, cap, lead_days, releases_at from selling_rule
         where channel_id = $1 and variant_id >= $2 and ($3 = 0 or variant_id > $2) order by variant_id limit $4",
        params![channel, after.unwrap_or(ALL), i64::from(after.is_some()), limit],
        rule,
    )
}
