//! Gift cards that are sold: which variants are gift cards, how long the cards of a market are valid, and what is owed on all of them.

use domain::actor::{Actor, Permission};
use domain::loyalty::Validity;
use domain::value::id::{Market, Variant};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, loyalty::sale as rows};

pub use store::loyalty::sale::Liability;

use crate::event::emit;
use crate::{Failure, World};

/// Makes a variant a gift card: whoever buys it gets a card with its price on it. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] unless the variant is a service, for a card takes nothing from a shelf.
pub fn make(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, variant: Id<Variant>) -> Result<(), Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let found = store::catalogue::variants(tx, &[variant])?.pop();
    let found = found.ok_or_else(|| Refusal::not_found("variant", variant))?;
    if !found.service {
        let message = format!("sku {} lies on shelves; a gift card is a service", found.sku);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    if rows::add_variant(tx, variant)? {
        emit(tx, actor, world, variant, "variant.gift_card_made", json!({}));
    }
    Ok(())
}

/// Makes a variant no gift card any more; cards that were sold stay. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn unmake(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
) -> Result<(), Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    if rows::remove_variant(tx, variant)? {
        emit(tx, actor, world, variant, "variant.gift_card_unmade", json!({}));
    }
    Ok(())
}

/// The variants after one that are gift cards, in the order of their ids.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<Variant>,
    limit: i64,
) -> Result<Vec<Id<Variant>>, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    Ok(rows::variants(tx, after, limit)?)
}

/// Writes how long cards sold in a market are valid; for ever when nothing is given. Cards that were sold keep their day.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn set_validity(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    market: Id<Market>,
    validity: Option<Validity>,
) -> Result<(), Failure> {
    actor.may(Permission::EditPlaces, None)?;
    store::market::find_market(tx, market)?.ok_or_else(|| Refusal::not_found("market", market))?;
    rows::set_validity(tx, market, validity)?;
    let body = validity.map_or_else(
        || json!({}),
        |validity| json!({ "months": validity.months, "to_year_end": validity.to_year_end }),
    );
    emit(tx, actor, world, market, "market.gift_card_validity_changed", body);
    Ok(())
}

/// How long cards sold in a market are valid, when not for ever.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn validity(tx: &mut Tx<'_>, actor: &Actor, market: Id<Market>) -> Result<Option<Validity>, Failure> {
    actor.may_somewhere(Permission::Shop).or_else(|_| actor.may_somewhere(Permission::ReadPlaces))?;
    store::market::find_market(tx, market)?.ok_or_else(|| Refusal::not_found("market", market))?;
    Ok(rows::validity(tx, market)?)
}

/// What customers have with us at the end of a time on gift cards and as store credit, by currency, and what happened in that time.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::Invalid`] when the time ends before it begins.
pub fn liability(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (from, until): (Instant, Instant),
) -> Result<Vec<Liability>, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    if until < from {
        return Err(Refusal::invalid("until", "give an instant after \"from\"").into());
    }
    Ok(rows::liability(tx, from, until)?)
}
