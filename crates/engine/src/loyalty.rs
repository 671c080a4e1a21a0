//! What customers have with us: gift cards, store credit and points. How much it is is a balance of the ledger; spending is in two
//! phases, held first and then posted or given back, so that a crowd cannot spend the same twice.

pub mod gift_card;
pub mod household;
pub mod joint;
pub mod member;
pub(crate) mod opening;
pub mod points;
pub mod programme;
pub(crate) mod purse;
pub mod referral;
pub mod reward;
pub mod sale;
pub mod store_credit;
pub mod tier;

use std::borrow::Cow;

use domain::actor::{Actor, Permission};
use domain::ledger::{BookKind, HoldEnd, HoldState, NewTransfer};
use domain::loyalty::{self as rules, State};
use domain::value::id::{Book, Hold, Transfer};
use domain::value::{Currency, Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::ledger::{HistoryLine, HoldRow, Shortfall};
use store::{Tx, ledger as books};

use crate::ledger::{Ending, NewHold, Notice, Told, end_hold, hold as hold_aside, post};
use crate::{Failure, World};

/// The most holds one run gives back.
const EXPIRE_BATCH: i64 = 100;

/// What is counted in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Minor units of a currency.
    Money(Currency),
    /// Points.
    Points,
}

impl Unit {
    /// Its name in the books.
    pub fn code(self) -> &'static str {
        match self {
            Unit::Money(currency) => currency.code(),
            Unit::Points => "points",
        }
    }
}

/// The book of a gift card, a store credit or a member, and whose events tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The book.
    pub book: Id<Book>,
    /// The gift card, store credit or member, its id in text.
    pub subject: String,
    /// What is counted.
    pub unit: Unit,
}

/// Why money moves: what caused it, kind and id in text.
pub type Cause = (&'static str, String);

/// Opens the book of a new card or credit.
fn open(tx: &mut Tx<'_>, credit: &Credit, kind: BookKind, now: Instant) -> Result<(), Failure> {
    Ok(books::open_book(tx, credit.book, kind, credit.unit.code(), now)?)
}

fn notice(credit: &Credit, reason: &str, amount: i64, cause: Option<(&str, &str)>) -> Notice {
    let (kind, mut body) = match credit.unit {
        Unit::Money(currency) => {
            ("credit.moved", json!({ "reason": reason, "amount": amount, "currency": currency.code() }))
        }
        Unit::Points => ("points.moved", json!({ "reason": reason, "points": amount })),
    };
    if let Some((of, id)) = cause {
        body["cause"] = json!({ "kind": of, "id": id });
    }
    Notice { subject: credit.subject.clone(), kind, body }
}

fn too_little(credit: &Credit) -> impl FnOnce(Shortfall) -> Refusal {
    let unit = credit.unit;
    move |short| {
        let words = match unit {
            Unit::Money(currency) => domain::value::Money::new(short.amount, currency)
                .map_or_else(|_| short.amount.to_string(), |money| money.to_string()),
            Unit::Points => format!("{} points", short.amount),
        };
        Refusal::new(Code::AmountExceeded, format!("{words} can still be spent; ask for less")).at("amount")
    }
}

/// Moves money between two accounts of a book, for a reason. What comes onto the store credit of somebody who was merged into another
/// customer goes on to that customer's.
fn moved(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    line: (&'static str, State, State, i64),
    cause: Option<Cause>,
) -> Result<(), Failure> {
    let pool = store_credit::pool(tx, credit)?;
    post_move(tx, actor, world, credit, line, cause)?;
    go_on(tx, actor, world, (credit, pool))
}

/// What can be spent of a store credit goes on to the one that has it now, if there is one.
fn go_on(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (credit, pool): (&Credit, Option<Credit>),
) -> Result<(), Failure> {
    let Some(pool) = pool else { return Ok(()) };
    store_credit::pour(tx, actor, world, (credit, &pool), None).map(drop)
}

fn post_move(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    (reason, from, to, amount): (&'static str, State, State, i64),
    cause: Option<Cause>,
) -> Result<(), Failure> {
    let told = notice(
        credit,
        reason,
        if to == State::Balance { amount } else { -amount },
        cause.as_ref().map(|(kind, id)| (*kind, id.as_str())),
    );
    let transfer = NewTransfer {
        id: world.id(),
        book: credit.book,
        reason,
        cause: cause.map(|(kind, id)| (Cow::Borrowed(kind), id)),
        postings: rules::moving(credit.book, from, to, amount).into(),
    };
    post(tx, actor, world, Told { transfer, notice: told }, too_little(credit))?;
    Ok(())
}

/// Puts money on a card or credit for goods that came back. The caller has asked for the permission, and accounts for the money.
///
/// # Errors
/// [`Code::Invalid`] for an amount that is out of bounds.
pub fn refund_onto(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    amount: i64,
    cause: Cause,
) -> Result<(), Failure> {
    let amount = rules::amount(amount)?;
    moved(tx, actor, world, credit, ("refunded", State::Refunded, State::Balance, amount), Some(cause))
}

/// Takes back that money was spent: it is on the card or credit again. The caller accounts for it.
///
/// # Errors
/// [`Code::Invalid`] for an amount that is out of bounds.
pub(crate) fn unspend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    amount: i64,
    cause: Cause,
) -> Result<(), Failure> {
    let amount = rules::amount(amount)?;
    moved(tx, actor, world, credit, ("unspent", State::Spent, State::Balance, amount), Some(cause))
}

/// Puts money on a card or credit that was sold or given as a present.
fn issue(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    amount: i64,
) -> Result<(), Failure> {
    let amount = rules::amount(amount)?;
    moved(tx, actor, world, credit, ("issued", State::Issued, State::Balance, amount), None)
}

/// Corrects what is on a card or credit by hand: more (positive) or less (negative). `note` is the retailer's word for it.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] for 0 or an amount out of bounds, [`Code::AmountExceeded`] when less is on it.
pub fn adjust(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    (change, note): (i64, String),
) -> Result<(), Failure> {
    actor.may(Permission::GiveCredit, None)?;
    let pool = store_credit::pool(tx, credit)?;
    let credit = pool.as_ref().filter(|_| change < 0).unwrap_or(credit);
    let amount = rules::amount(change.saturating_abs())
        .map_err(|refusal| Refusal::invalid("change", refusal.message()))?;
    let line = if change > 0 {
        ("adjusted", State::Adjusted, State::Balance, amount)
    } else {
        ("adjusted", State::Balance, State::Adjusted, amount)
    };
    moved(tx, actor, world, credit, line, Some(("note", note)))
}

/// First phase of spending: sets money aside, until an instant if one is given. The caller has made sure that the card or credit may be spent.
///
/// # Errors
/// [`Code::AmountExceeded`] when less is on it; [`Code::Invalid`] for an instant that has passed or is too far away.
pub fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    (amount, expires_at): (i64, Option<Instant>),
    cause: Cause,
) -> Result<Id<Hold>, Failure> {
    let amount = rules::amount(amount)?;
    let latest = world.now().plus_seconds(rules::HOLD_MINUTES_MAX * 60);
    if expires_at.is_some_and(|at| at <= world.now() || at > latest) {
        return Err(Refusal::invalid("expires_at", "give an instant within the next thirty days").into());
    }
    let told = notice(credit, "held", -amount, Some((cause.0, &cause.1)));
    let new = NewHold {
        book: credit.book,
        from: (rules::account(credit.book, State::Balance), Some(0)),
        held: rules::account(credit.book, State::Held),
        amount,
        expires_at,
        cause,
        notice: told,
    };
    hold_aside(tx, actor, world, new, too_little(credit))
}

/// Second phase of spending: this much of what was held is spent, the rest is free again.
///
/// # Errors
/// [`Code::HoldNotOpen`] when it ended before, [`Code::Invalid`] for more than was held.
pub fn spend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    (id, amount): (Id<Hold>, i64),
) -> Result<(), Failure> {
    let pool = store_credit::pool(tx, credit)?;
    let row = held(tx, credit, id)?;
    let told = notice(credit, "spent", row.amount - amount, row_cause(&row));
    let onward = [rules::moving(credit.book, State::Held, State::Spent, amount)[1]];
    end_hold(tx, actor, world, &row, Ending { end: HoldEnd::Post(amount), onward: &onward, notice: told })?;
    go_on(tx, actor, world, (credit, pool))
}

/// The other second phase: nothing is spent, all is free again.
///
/// # Errors
/// [`Code::HoldNotOpen`] when it ended before.
pub fn release(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    credit: &Credit,
    id: Id<Hold>,
) -> Result<(), Failure> {
    let row = held(tx, credit, id)?;
    give_back(tx, actor, world, (credit, &row), HoldEnd::Void)
}

fn held(tx: &mut Tx<'_>, credit: &Credit, id: Id<Hold>) -> Result<HoldRow, Failure> {
    books::lock_hold(tx, credit.book, id)?.ok_or_else(|| Refusal::not_found("hold", id).into())
}

fn row_cause(row: &HoldRow) -> Option<(&str, &str)> {
    row.cause_kind.as_deref().zip(row.cause_id.as_deref())
}

fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (credit, row): (&Credit, &HoldRow),
    end: HoldEnd,
) -> Result<(), Failure> {
    let pool = store_credit::pool(tx, credit)?;
    let told = notice(credit, "released", row.amount, row_cause(row));
    end_hold(tx, actor, world, row, Ending { end, onward: &[], notice: told })?;
    go_on(tx, actor, world, (credit, pool))
}

/// Gives back held money whose time ran out; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_holds(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let mut more = false;
    for kind in [BookKind::GiftCard, BookKind::StoreCredit] {
        let due = books::holds_due(tx, kind, world.now(), EXPIRE_BATCH)?;
        more |= due.len() as i64 == EXPIRE_BATCH;
        for row in due {
            let Some(row) = books::lock_hold(tx, row.book, row.id)? else { continue };
            if row.state == HoldState::Pending && row.expires_at.is_some_and(|at| at <= world.now()) {
                let credit = match kind {
                    BookKind::GiftCard => gift_card::credit(&gift_card::find(tx, row.book.shared_with())?),
                    _ => store_credit::credit(&store_credit::find(tx, row.book.shared_with())?),
                };
                give_back(tx, actor, world, (&credit, &row), HoldEnd::Expire)?;
            }
        }
    }
    Ok(more)
}

/// What is on a card or credit: free to be spent, and held.
///
/// # Errors
/// What the store says.
pub fn balance(tx: &mut Tx<'_>, credit: &Credit) -> Result<(i64, i64), Failure> {
    let free = books::balance(tx, credit.book, rules::account(credit.book, State::Balance))?;
    let held = books::balance(tx, credit.book, rules::account(credit.book, State::Held))?;
    Ok((free, held))
}

/// What came onto a card or credit and went from it before a point, the newest first. Who may see points was asked when their member was
/// [read](member::read).
///
/// # Errors
/// [`Code::Forbidden`].
pub fn statement(
    tx: &mut Tx<'_>,
    actor: &Actor,
    credit: &Credit,
    before: (Instant, Id<Transfer>),
    limit: i64,
) -> Result<Vec<HistoryLine>, Failure> {
    if credit.unit != Unit::Points {
        actor.may(Permission::GiveCredit, None)?;
    }
    let account = rules::account(credit.book, State::Balance);
    Ok(books::history(tx, credit.book, account, before, limit)?)
}
