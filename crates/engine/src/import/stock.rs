//! Stock from files: afterwards exactly so many are available there, however often the file is taken in.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::import::Outcome;
use domain::stock::{self as rules, State};
use domain::value::id::{Location, Variant};
use domain::value::{Id, Quantity};
use store::{Tx, ledger};

use super::row::{CellError, Cells};
use crate::stock::{self, Receive, Set, book_of};
use crate::{Failure, World};

/// A row of a file of stock.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub location: String,
    pub sku: String,
    quantity: i64,
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let own = |said: &str| Ok::<_, String>(said.to_owned());
    let location = row.need("location", own);
    let sku = row.need("sku", own);
    let quantity = match row.whole("quantity") {
        Some(None) => row.need("quantity", |_| Ok::<i64, String>(0)),
        Some(Some(quantity)) if !(0..=Quantity::MAX).contains(&quantity) => {
            row.refuse("quantity", format!("give a whole number from 0 to {}", Quantity::MAX));
            None
        }
        other => other.flatten(),
    };
    let read = (|| Some(Row { location: location?, sku: sku?, quantity: quantity? }))();
    row.done(read)
}

/// The location of a code or external id.
pub(super) fn location_of(tx: &mut Tx<'_>, named: &str) -> Result<Id<Location>, Failure> {
    if let Some(id) = store::import::location_coded(tx, named)? {
        return Ok(id);
    }
    if let Ok(id) = Id::parse(named) {
        return Ok(id);
    }
    let found = store::external::find(tx, named)?;
    let missing =
        || Refusal::invalid("location", "no location has this code or external id; take in locations first");
    found.ok_or_else(|| missing().into())
}

/// The variant of a SKU.
pub(super) fn variant_of(tx: &mut Tx<'_>, sku: &str) -> Result<Id<Variant>, Failure> {
    let found = store::catalogue::variant_by_sku(tx, sku)?;
    let missing = || Refusal::invalid("sku", "no variant has this sku; take in products first");
    found.map(|variant| variant.id).ok_or_else(|| missing().into())
}

/// Sets what is available. Where nothing ever was, it is opening stock; else a correction.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let (location, variant) = (location_of(tx, &row.location)?, variant_of(tx, &row.sku)?);
    actor.may(Permission::MoveStock, Some(location))?;
    let shelf = rules::at(location, State::Available);
    let balances = ledger::balances(tx, book_of(variant))?;
    let was = balances.iter().find(|(account, _)| *account == shelf).map(|(_, amount)| *amount);
    if was.unwrap_or(0) == row.quantity {
        return Ok(Outcome::Same);
    }
    if was.is_some() {
        stock::set(tx, actor, world, Set { variant, location, quantity: row.quantity, expected: None })?;
        return Ok(Outcome::Changed);
    }
    let quantity = Quantity::new(row.quantity).map_err(|error| Refusal::invalid("quantity", error))?;
    let opening = Receive {
        variant,
        location,
        quantity,
        state: State::Available,
        from: State::Opening,
        reference: None,
    };
    stock::receive(tx, actor, world, opening)?;
    Ok(Outcome::Made)
}
