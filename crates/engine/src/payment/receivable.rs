//! What payment providers owe us, posted in the ledger as it is taken and given back. Each payment has a book of its own, so that no payment
//! waits for another.

use std::borrow::Cow;

use domain::actor::Actor;
use domain::ledger::{BookKind, NewTransfer};
use domain::payment::receivable::{State, TEST_ACCOUNT, day, moving};
use domain::value::id::{Book, PaymentAccount, Transfer};
use domain::value::{Currency, Id, LocalDay};
use domain::{Code, Refusal};
use serde_json::Value;
use store::ledger::Shortfall;
use store::payment::receivable as rows;
use store::{StoreError, Tx, ledger as books};

use super::Payment;
use crate::ledger::{Notice, Told, post};
use crate::{Failure, World};

/// A movement of what an account owes.
pub(super) struct Movement {
    /// The account.
    pub account: Id<PaymentAccount>,
    /// The book.
    pub book: Id<Book>,
    /// The currency.
    pub currency: Currency,
    /// Why, in a word of the trade.
    pub reason: &'static str,
    /// What caused it: kind and id in text.
    pub cause: (&'static str, String),
    /// On the other side of it.
    pub other: State,
    /// How much more the account owes.
    pub change: i64,
}

/// A capture or refund by a provider: what the account of the payment owes changes by it, and its event tells of the transfer.
pub(super) fn moved(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    (cause, change): ((&'static str, String), i64),
    notice: Notice,
) -> Result<(), Failure> {
    let movement = Movement {
        account: payment.account.unwrap_or(TEST_ACCOUNT),
        book: payment.id.shared_with(),
        currency: payment.currency,
        reason: if cause.0 == rows::CAPTURE { "captured" } else { "refunded" },
        cause,
        other: State::Customer,
        change,
    };
    book(tx, actor, world, movement, notice)
}

/// Posts a movement, and notes on which day of the account it stands.
pub(super) fn book(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    movement: Movement,
    notice: Notice,
) -> Result<(), Failure> {
    let (account, book, id): (_, _, Id<Transfer>) = (movement.account, movement.book, world.id());
    books::open_book(tx, book, BookKind::Receivable, movement.currency.code(), world.now())?;
    let (kind, cause) = movement.cause;
    let transfer = NewTransfer {
        id,
        book,
        reason: movement.reason,
        cause: Some((Cow::Borrowed(kind), cause)),
        postings: moving(account, movement.other, movement.change).into(),
    };
    // Neither account has a floor.
    let short = |short: Shortfall| Refusal::new(Code::AmountExceeded, format!("{} left", short.amount));
    post(tx, actor, world, Told { transfer, notice }, short)?;
    Ok(rows::note(tx, (account, today(world)?), (book, id))?)
}

/// Today, as providers count days.
pub(super) fn today(world: &World) -> Result<LocalDay, Failure> {
    Ok(day(world.now()).map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

/// What tells of a capture or refund.
pub(super) fn notice(payment: &Payment, kind: &'static str, body: Value) -> Notice {
    Notice { subject: payment.id.to_string(), kind, body: super::with_order(payment, body) }
}
