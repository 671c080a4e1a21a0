//! Store credit: money we owe one customer in one currency, spent in the shop.

use domain::actor::{Actor, Permission};
use domain::ledger::BookKind;
use domain::value::id::{Customer, StoreCredit as CreditKind};
use domain::value::{Currency, Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, loyalty as rows};

pub use store::loyalty::StoreCredit;

use super::{Credit, State, Unit};
use crate::event::emit;
use crate::{Failure, World, customer};

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
    let known = customer::stay(tx, customer).map_err(|failure| failure.at("customer"))?;
    let found = rows::credits_of(tx, known.id)?.into_iter().find(|one| one.currency == currency);
    if let Some(found) = found {
        return Ok(found);
    }
    if known.erased_at.is_some() {
        let why = "the customer was erased; give a gift card instead";
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    open(tx, actor, world, known.id, currency)
}

/// Opens a customer's store credit in a currency. The customer stays who he is.
pub(super) fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: Id<Customer>,
    currency: Currency,
) -> Result<StoreCredit, Failure> {
    let one = StoreCredit { id: world.id(), customer, currency, pool: None, made_at: world.now() };
    if !rows::add_credit(tx, &one)? {
        return Err(tx.begin_anew().into());
    }
    super::open(tx, &credit(&one), BookKind::StoreCredit, one.made_at)?;
    let body = json!({ "customer": customer.to_string(), "currency": currency.code() });
    emit(tx, actor, world, one.id, "store_credit.opened", body);
    Ok(one)
}

/// The store credit that has what comes onto one: of who was merged into another customer, that customer's. It stays so until the commit.
pub(super) fn pool(tx: &mut Tx<'_>, of: &Credit) -> Result<Option<Credit>, Failure> {
    let Unit::Money(currency) = of.unit else { return Ok(None) };
    let found = rows::pool_of(tx, of.book.shared_with())?;
    Ok(found.map(|id| Credit {
        book: id.shared_with(),
        subject: id.to_string(),
        unit: Unit::Money(currency),
    }))
}

/// Moves what can be spent from a store credit to the one that has it now.
pub(super) fn pour(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (&Credit, &Credit),
    most: Option<i64>,
) -> Result<i64, Failure> {
    let there = super::balance(tx, from)?.0;
    let amount = most.map_or(there, |most| there.min(most));
    if amount > 0 {
        let out = ("moved", State::Balance, State::Moved, amount);
        super::post_move(tx, actor, world, from, out, Some(("store_credit", into.subject.clone())))?;
        let back = ("moved", State::Moved, State::Balance, amount);
        super::post_move(tx, actor, world, into, back, Some(("store_credit", from.subject.clone())))?;
    }
    Ok(amount.max(0))
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
