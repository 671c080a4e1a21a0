//! Prices from files: each takes the place of the one with the same list, variant, quantity and start.

use domain::Refusal;
use domain::actor::Actor;
use domain::import::Outcome;
use domain::price::Row as Listed;
use domain::value::id::{PriceList as ListKind, Variant};
use domain::value::{Currency, Id, Instant, Reference};
use store::Tx;

use super::row::{Amount, CellError, Cells, same_currency};
use super::stock::variant_of;
use crate::price::{self, NewPrice};
use crate::{Failure, World};

/// A row of a file of prices.
#[derive(Clone, Debug)]
pub(super) struct Row {
    list: String,
    sku: String,
    price: Priced,
    minimum_quantity: i64,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
}

/// What something costs, in a currency that is known later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priced {
    pub amount: Amount,
    pub was: Option<Amount>,
    pub currency: Option<Currency>,
}

impl Row {
    pub fn key(&self) -> String {
        format!("{}\n{}\n{}\n{:?}", self.list, self.sku, self.minimum_quantity, self.starts_at)
    }
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let own = |said: &str| Ok::<_, String>(said.to_owned());
    let list = row.need("price_list", own);
    let sku = row.need("sku", own);
    let amount = row.amount("price", "price_minor");
    if amount == Some(None) {
        let column = if row.layout.has("price_minor") { "price_minor" } else { "price" };
        row.refuse(column, "is empty; give what one costs, or leave the row out");
    }
    let was = row.amount("was", "was_minor");
    let currency = row.currency();
    let minimum_quantity = row.whole("minimum_quantity");
    let (starts_at, ends_at) = (row.instant("starts_at"), row.instant("ends_at"));
    let read = (|| {
        Some(Row {
            list: list?,
            sku: sku?,
            price: Priced { amount: amount??, was: was?, currency: currency? },
            minimum_quantity: minimum_quantity?.unwrap_or(1),
            starts_at: starts_at?,
            ends_at: ends_at?,
        })
    })();
    row.done(read)
}

/// Sets the price.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let variant = variant_of(tx, &row.sku)?;
    let place = (row.minimum_quantity, row.starts_at, row.ends_at);
    set(tx, actor, world, (&row.list, variant), &row.price, place)
}

/// Sets a price in a list named by code or external id.
pub(super) fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (list, variant): (&str, Id<Variant>),
    priced: &Priced,
    (minimum_quantity, starts_at, ends_at): (i64, Option<Instant>, Option<Instant>),
) -> Result<Outcome, Failure> {
    let list = list_of(tx, list)?;
    same_currency(priced.currency, list.currency, "the price list")?;
    let minor = priced.amount.minor("price", list.currency)?;
    let was_minor = priced.was.map(|was| was.minor("was", list.currency)).transpose()?;
    let wanted = Listed { list: list.rule.id, minimum_quantity, starts_at, ends_at, minor, was_minor };
    let before = store::price::find_price(tx, variant, &wanted)?;
    if before == Some(wanted) {
        return Ok(Outcome::Same);
    }
    let new = NewPrice {
        list: Reference::Id(list.rule.id),
        variant: Reference::Id(variant),
        minor: Some(minor),
        was_minor,
        minimum_quantity,
        starts_at,
        ends_at,
    };
    price::set_price(tx, actor, world, new)?;
    Ok(if before.is_some() { Outcome::Changed } else { Outcome::Made })
}

fn list_of(tx: &mut Tx<'_>, named: &str) -> Result<price::PriceList, Failure> {
    let coded = store::import::price_list_coded(tx, named)?;
    let reference = coded.map_or_else(|| Reference::<ListKind>::read(named), Reference::Id);
    price::find_list(tx, &reference).map_err(|failure| match failure {
        Failure::Refused(_) => {
            Refusal::invalid("price_list", "no price list has this code or external id; make it first").into()
        }
        store => store,
    })
}
