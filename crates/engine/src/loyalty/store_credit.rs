//! Store credit: money we owe one customer in one currency, spent in the shop.

use domain::actor::{Actor, Permission};
use domain::ledger::BookKind;
use domain::value::id::{Customer, StoreCredit as CreditKind};
use domain::value::{Currency, Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, loyalty as rows};

pub use store::loyalty::StoreCredit;

use super::{Credit, Unit};
use crate::event::emit;
use crate::{Failure, World};

/// The book of money a store credit has.
pub fn credit(one: &StoreCredit) -> Credit {
    Credit { book: one.id.shared_with(), subject: one.id.to_string(), unit: Unit::Money(one.currency) }
}

/// A customer's store credit in a currency; opened when it is not there yet. The caller has asked for the permission.
///
/// # Errors
/// [`Code::NotFound`] for an unknown customer, [`Code::WrongState`] for one who was erased.
pub(crate) fn of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: Id<Customer>,
    currency: Currency,
) -> Result<StoreCredit, Failure> {
    let found = rows::credits_of(tx, customer)?.into_iter().find(|one| one.currency == currency);
    if let Some(found) = found {
        return Ok(found);
    }
    let known = store::customer::find(tx, customer)?
        .ok_or_else(|| Refusal::not_found("customer", customer).at("customer"))?;
    if known.erased_at.is_some() {
        let why = "the customer was erased; give a gift card instead";
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    let one = StoreCredit { id: world.id(), customer, currency, made_at: world.now() };
    if !rows::add_credit(tx, &one)? {
        return Err(tx.begin_anew().into());
    }
    super::open(tx, &credit(&one), BookKind::StoreCredit, one.made_at)?;
    let body = json!({ "customer": customer.to_string(), "currency": currency.code() });
    emit(tx, actor, world, one.id, "store_credit.opened", body);
    Ok(one)
}

/// Locks the book of a customer's store credit in a currency, if there is one, as a checkout does before it spends.
pub(super) fn lock(tx: &mut Tx<'_>, customer: Id<Customer>, currency: Currency) -> Result<(), Failure> {
    let found = rows::credits_of(tx, customer)?.into_iter().find(|one| one.currency == currency);
    let mut books = found.iter().map(|one| one.id.shared_with()).collect();
    Ok(store::ledger::lock_books(tx, &mut books)?)
}

/// A customer's store credit in a currency, to be spent.
///
/// # Errors
/// [`Code::AmountExceeded`] when there is none.
pub(crate) fn to_spend(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    currency: Currency,
) -> Result<Credit, Failure> {
    let found = rows::credits_of(tx, customer)?.into_iter().find(|one| one.currency == currency);
    let none =
        || Refusal::new(Code::AmountExceeded, format!("the customer has no store credit in {currency}"));
    Ok(credit(&found.ok_or_else(none)?))
}

/// Gives a customer store credit.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::Invalid`] for an amount out of bounds.
pub fn issue(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: Id<Customer>,
    amount: Money,
) -> Result<StoreCredit, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    let one = of(tx, actor, world, customer, amount.currency())?;
    super::issue(tx, actor, world, &credit(&one), amount.minor())?;
    Ok(one)
}

/// A store credit.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, id: Id<CreditKind>) -> Result<StoreCredit, Failure> {
    rows::find_credit(tx, id)?.ok_or_else(|| Refusal::not_found("store credit", id).into())
}

/// A store credit, for who gives credit.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CreditKind>) -> Result<StoreCredit, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    find(tx, id)
}

/// A customer's store credits, one for each currency.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn of_customer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: Id<Customer>,
) -> Result<Vec<StoreCredit>, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    Ok(rows::credits_of(tx, customer)?)
}
