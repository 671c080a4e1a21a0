//! Coupons from files: codes that were printed or mailed already; and into files.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::import::Outcome;
use domain::promotion::coupon as rules;
use domain::value::id::{Coupon, Promotion};
use domain::value::{Id, Reference};
use store::Tx;
use store::promotion::coupon as rows;

use super::export::{Read, or_empty};
use super::row::{CellError, Cells};
use crate::promotion::coupon::{self, NewCoupon};
use crate::{Failure, World, external};

/// A row of a file of coupons.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub code: String,
    promotion: String,
    uses_max: Option<i64>,
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let code = row.need("code", rules::code);
    let promotion = row.need("promotion", |said| Ok::<_, String>(said.to_owned()));
    let uses_max = row.whole("uses_max");
    let read = (|| Some(Row { code: code?, promotion: promotion?, uses_max: uses_max? }))();
    row.done(read)
}

/// Makes the coupon. One that is there must be for the same promotion, and stays as it is.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let promotion = external::resolve_at(tx, "promotion", &Reference::<Promotion>::read(&row.promotion))?;
    if let Some(known) = rows::by_code(tx, &row.code)? {
        actor.may(Permission::EditPromotions, None)?;
        if known.promotion != promotion {
            return Err(Refusal::invalid("code", "is a code of another promotion; choose another").into());
        }
        if known.uses_max != row.uses_max {
            let message = "is another than the coupon has, and that stays; use another code";
            return Err(Refusal::invalid("uses_max", message).into());
        }
        return Ok(Outcome::Same);
    }
    let new = NewCoupon { code: row.code.clone(), uses_max: row.uses_max };
    coupon::create(tx, actor, world, promotion, new)?;
    Ok(Outcome::Made)
}

/// The rows of the coupons after one.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<Coupon>,
    limit: i64,
) -> Result<Read, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    let found = rows::all(tx, after, limit)?;
    let keys: Vec<_> = found.iter().map(|coupon| coupon.promotion.bytes()).collect();
    let external: BTreeMap<_, _> = store::import::external_ids::<Promotion>(tx, &keys)?.into_iter().collect();
    let row = |own: &rows::Coupon| {
        BTreeMap::from([
            ("code", own.code.clone()),
            ("promotion", external.get(&own.promotion).cloned().unwrap_or_else(|| own.promotion.to_string())),
            ("uses_max", or_empty(own.uses_max)),
        ])
    };
    Ok((found.len(), found.iter().map(row).collect(), found.last().map(|coupon| coupon.id.bytes())))
}
