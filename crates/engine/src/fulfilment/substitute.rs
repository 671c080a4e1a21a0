//! Substitutes: which a picker may put in the place of what is not there, by the retailer's rules and with the customer's consent.

use domain::actor::{Actor, Permission};
use domain::fulfilment::substitute::{Allowed, choices};
use domain::stock;
use domain::value::Id;
use domain::value::id::{Order as OrderKind, OrderLine, Variant};
use domain::{Code, Refusal};
use serde_json::json;
use store::fulfilment::substitute as rows;
use store::{Tx, fulfilment as parts};

pub use store::fulfilment::substitute::Consent;

use super::pick::{Which, begin, miss};
use super::{FulfilmentOrder, Line, location_of, shift};
use crate::event::emit;
use crate::order;
use crate::{Failure, World};
use std::collections::BTreeMap;

/// The most substitutes of a variant, and the most a customer names.
pub const SUBSTITUTES_MAX: usize = 20;
/// The most variants of an order a customer says something of.
pub const CONSENTS_MAX: usize = 500;

/// Sets what may take the place of a variant, the best first: other variants of the same unit and tax class, that are on a shelf themselves.
///
/// # Errors
/// [`Code::Invalid`] naming each that cannot.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    substitutes: &[Id<Variant>],
) -> Result<(), Failure> {
    actor.may(Permission::EditPolicies, None)?;
    if substitutes.len() > SUBSTITUTES_MAX {
        return Err(Refusal::invalid("substitutes", format!("name at most {SUBSTITUTES_MAX}")).into());
    }
    let own = variant_of(tx, variant)?;
    let mut refusals = Vec::new();
    for (place, substitute) in substitutes.iter().enumerate() {
        let other = variant_of(tx, *substitute)?;
        let alike = other.unit == own.unit && other.tax_class == own.tax_class;
        let why = if other.id == own.id || substitutes[..place].contains(substitute) {
            Some("name each other variant once")
        } else if other.kit || other.service || own.kit || own.service {
            Some("kits and services have no substitutes, and are none")
        } else if !alike {
            Some("a substitute is counted and taxed as what it replaces")
        } else {
            None
        };
        refusals.extend(why.map(|why| Refusal::invalid(format!("substitutes.{place}"), why)));
    }
    if let Some(refusal) = Refusal::all(refusals) {
        return Err(refusal.into());
    }
    rows::set(tx, variant, substitutes)?;
    let named: Vec<_> = substitutes.iter().map(ToString::to_string).collect();
    emit(tx, actor, world, variant, "variant.substitutes_set", json!({ "substitutes": named }));
    Ok(())
}

fn variant_of(tx: &mut Tx<'_>, id: Id<Variant>) -> Result<store::catalogue::Variant, Failure> {
    let found = store::catalogue::variants(tx, &[id])?.pop();
    found.ok_or_else(|| Refusal::not_found("variant", id).into())
}

/// What may take the place of a variant by the retailer's rules, the best first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn of_variant(tx: &mut Tx<'_>, actor: &Actor, variant: Id<Variant>) -> Result<Vec<Id<Variant>>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::of_variant(tx, variant)?)
}

/// The customer says what may take the place of what is not there: of a variant, or of all that are not named. Nothing, until it is said.
///
/// # Errors
/// [`Code::NotFound`] for who may not see the order; [`Code::Invalid`] when too much is named.
pub fn allow(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<OrderKind>,
    consents: &[Consent],
) -> Result<(), Failure> {
    let order = order::lock(tx, order)?;
    order::may_see(tx, actor, &order)?;
    if consents.is_empty() || consents.len() > CONSENTS_MAX {
        return Err(
            Refusal::invalid("lines", format!("say something of 1 to {CONSENTS_MAX} variants")).into()
        );
    }
    let mut told = Vec::new();
    for (place, consent) in consents.iter().enumerate() {
        if consent.named.len() > SUBSTITUTES_MAX
            || (consent.allowed == Allowed::Named) == consent.named.is_empty()
        {
            let message = format!(
                "name 1 to {SUBSTITUTES_MAX} substitutes where \"named\" is allowed, and none elsewhere"
            );
            return Err(Refusal::invalid(format!("lines.{place}.named"), message).into());
        }
        rows::allow(tx, order.id, consent)?;
        told.push(
            json!({ "variant": consent.variant.map(|id| id.to_string()), "allowed": consent.allowed.text() }),
        );
    }
    emit(tx, actor, world, order.id, "order.substitution_allowed", json!({ "allowed": told }));
    Ok(())
}

/// What may take the place of a variant in an order, the best first.
///
/// # Errors
/// What the store says.
pub fn choices_for(
    tx: &mut Tx<'_>,
    order: Id<OrderKind>,
    variant: Id<Variant>,
) -> Result<Vec<Id<Variant>>, Failure> {
    let consents = rows::consents(tx, order)?;
    let own = consents.iter().find(|consent| consent.variant == Some(variant));
    let consent = own.or_else(|| consents.iter().find(|consent| consent.variant.is_none()));
    let Some(consent) = consent else { return Ok(Vec::new()) };
    Ok(choices(consent.allowed, &consent.named, &rows::of_variant(tx, variant)?))
}

/// Units of a line that another variant takes the place of.
#[derive(Clone, Copy, Debug)]
pub struct Swap {
    /// The line.
    pub line: Id<OrderLine>,
    /// What takes its place.
    pub by: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// Nobody finds what was ordered; otherwise it goes back on its shelf.
    pub missing: bool,
}

/// The fulfilment order of a swap, and the variant that is replaced; both may be swapped now.
///
/// # Errors
/// [`Code::WrongState`] unless so many are still to be picked and the customer allows it.
pub(crate) fn check(
    tx: &mut Tx<'_>,
    actor: &Actor,
    which: Which,
    swap: &Swap,
) -> Result<(order::Order, FulfilmentOrder, Id<Variant>), Failure> {
    let (order, one) = begin(tx, actor, which)?;
    if !one.state.is_at_location() || one.on_hold.is_some() {
        let message = format!("fulfilment order {} is {} and not to be picked", one.id, one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let found = one.lines.iter().find(|line| line.line == swap.line);
    let line = found.ok_or_else(|| Refusal::not_found("order line", swap.line).at("line"))?;
    let open = line.quantity - line.picked;
    if !(1..=open).contains(&swap.quantity) {
        let message = format!("{open} of it are still to be picked, {} named", swap.quantity);
        return Err(Refusal::new(Code::WrongState, message).at("quantity").into());
    }
    let variant = line.variant;
    if !choices_for(tx, order.id, variant)?.contains(&swap.by) {
        let message = "the customer does not allow this in its place, or the retailer's rules do not";
        return Err(Refusal::new(Code::WrongState, message).at("variant").into());
    }
    Ok((order, one, variant))
}

/// Swaps the goods: what was ordered is missing or back on its shelf, and the substitute is taken from its shelf for the new line.
///
/// # Errors
/// [`Code::OutOfStock`] when the location has too few of the substitute.
pub(crate) fn swap(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut FulfilmentOrder,
    (swap, variant, new): (&Swap, Id<Variant>, Id<OrderLine>),
) -> Result<(), Failure> {
    let location = location_of(one)?;
    let at = |state| stock::at(location, state);
    let of = |line: &&mut Line| (line.line, line.variant) == (swap.line, variant);
    if let Some(line) = one.lines.iter_mut().find(of) {
        line.quantity -= swap.quantity;
        let line = *line;
        parts::update_line(tx, one, &line)?;
    }
    if swap.missing {
        miss(tx, actor, world, one, (location, variant, swap.quantity))?;
    } else {
        let way = ("released", at(stock::State::Committed), at(stock::State::Available));
        shift(tx, actor, world, one, way, &BTreeMap::from([(variant, swap.quantity)]))?;
    }
    let goods = BTreeMap::from([(swap.by, swap.quantity)]);
    for (reason, from, to) in [
        ("committed", stock::State::Available, stock::State::Committed),
        ("picked", stock::State::Committed, stock::State::Picked),
    ] {
        shift(tx, actor, world, one, (reason, at(from), at(to)), &goods)?;
    }
    let line = Line { line: new, variant: swap.by, quantity: swap.quantity, picked: swap.quantity };
    parts::add_line(tx, one, &line)?;
    one.lines.push(line);
    Ok(())
}
