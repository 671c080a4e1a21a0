//! What the ledger holds agrees with what was promised, and every external id leads to a thing.

use domain::ledger::BookKind;
use domain::loyalty::State as Money;
use domain::stock::State;
use store::Tx;
use store::check as rows;

use super::{Difference, account_name};
use crate::Failure;

/// Live holds lie in their accounts, and nothing else does.
pub fn holds(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut unequal = rows::unequal_holds(tx)?;
    unequal.extend(rows::unheld(tx, BookKind::Stock, (State::Held.code(), State::PoolHeld.code()))?);
    for kind in [BookKind::GiftCard, BookKind::StoreCredit] {
        unequal.extend(rows::unheld(tx, kind, (Money::Held.code(), Money::Held.code()))?);
    }
    let tell = |held: rows::HeldAccount| {
        let place = account_name(held.book, held.account);
        Difference::new("holds", place, format!("{} by its live holds", held.pending), held.amount)
    };
    Ok(unequal.into_iter().map(tell).collect())
}

/// External ids lead to things that are there.
pub fn external_ids(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let lost = rows::lost_external_ids(tx)?;
    let tell = |(kind, external_id)| {
        Difference::new("external ids", format!("{kind} \"{external_id}\""), "a thing of this kind", "none")
    };
    Ok(lost.into_iter().map(tell).collect())
}

/// What is booked as coming to a location is what open expected goods say.
pub fn expected(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let unequal = store::stock::expected::unequal(tx)?;
    let tell = |(variant, location, booked, open): store::stock::expected::Unequal| {
        let account = domain::stock::at(location, State::Incoming);
        let place = account_name(variant.shared_with(), account);
        Difference::new("expected goods", place, format!("{open} by open expected goods"), booked)
    };
    Ok(unequal.into_iter().map(tell).collect())
}
