//! Moving amounts: transfers with their events, and holds that end in one of three ways.

use std::borrow::Cow;

use domain::actor::Actor;
use domain::ledger::{self, AccountKey, HoldEnd, HoldState, NewTransfer, Posting};
use domain::value::id::{Book, Hold};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::Value;
use store::event::Event;
use store::ledger::{HoldRow, Shortfall};
use store::{Tx, ledger as rows};

use crate::event::stamp;
use crate::{Failure, World};

/// The event that tells of a transfer.
pub struct Notice {
    /// What it happened to, such as the variant whose stock moved.
    pub subject: String,
    /// What happened, such as `stock.moved`.
    pub kind: &'static str,
    /// What else is worth knowing.
    pub body: Value,
}

/// A transfer with the event that tells of it.
pub struct Told {
    /// The transfer.
    pub transfer: NewTransfer,
    /// The event.
    pub notice: Notice,
}

/// Posts a transfer and tells of it; answers the balances after it, in the order of its settled lines.
///
/// # Errors
/// What `short` makes of an account that has too little, or what the rules and the store say.
pub fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    told: Told,
    short: impl FnOnce(Shortfall) -> Refusal,
) -> Result<(NewTransfer, Vec<i64>), Failure> {
    let Told { transfer, notice } = told;
    let transfer = transfer.settled()?;
    let balances = rows::post(tx, &transfer, &stamp(actor, world))?.map_err(short)?;
    tx.emit(Event {
        id: world.id(),
        subject: notice.subject,
        kind: notice.kind,
        at: world.now(),
        actor: actor.who.label(),
        channel: actor.channel,
        transfer: Some((transfer.book, transfer.id)),
        body: notice.body.to_string(),
    });
    Ok((transfer, balances))
}

/// A hold to be made: this much from one account into another, until an instant.
pub struct NewHold {
    /// The book.
    pub book: Id<Book>,
    /// Where it comes from and goes back to, and the floor there.
    pub from: (AccountKey, Option<i64>),
    /// Where it lies meanwhile.
    pub held: AccountKey,
    /// How much, at least 1.
    pub amount: i64,
    /// When it is given back by itself.
    pub expires_at: Option<Instant>,
    /// What it is for: kind and id in text.
    pub cause: (&'static str, String),
    /// The event that tells of it.
    pub notice: Notice,
}

/// First phase: moves the amount aside and notes the hold.
///
/// # Errors
/// As [`post`].
pub fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewHold,
    short: impl FnOnce(Shortfall) -> Refusal,
) -> Result<Id<Hold>, Failure> {
    if new.amount < 1 {
        return Err(Refusal::invalid("quantity", "a hold is for at least 1").into());
    }
    let id = world.id();
    let (kind, cause) = new.cause;
    let postings = vec![
        Posting { account: new.from.0, amount: -new.amount, floor: new.from.1 },
        Posting { account: new.held, amount: new.amount, floor: Some(0) },
    ];
    let transfer = NewTransfer {
        id: world.id(),
        book: new.book,
        reason: "held",
        cause: Some((Cow::Borrowed(kind), cause.clone())),
        postings,
    };
    post(tx, actor, world, Told { transfer, notice: new.notice }, short)?;
    let row = HoldRow {
        book: new.book,
        id,
        from: new.from.0,
        held: new.held,
        amount: new.amount,
        posted: 0,
        state: HoldState::Pending,
        expires_at: new.expires_at,
        cause_kind: Some(kind.to_owned()),
        cause_id: Some(cause),
    };
    rows::add_hold(tx, &row, world.now())?;
    Ok(id)
}

/// How a hold ends.
pub struct Ending<'a> {
    /// Posted in part or wholly, given back, or expired.
    pub end: HoldEnd,
    /// Where the posted part goes on to; the rest goes back to where it came from.
    pub onward: &'a [Posting],
    /// The event that tells of it.
    pub notice: Notice,
}

/// Second phase: what the hold becomes.
///
/// # Errors
/// [`Code::HoldNotOpen`] when it ended before, or as [`post`].
pub fn end_hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    hold: &HoldRow,
    ending: Ending<'_>,
) -> Result<HoldState, Failure> {
    let (state, posted, returned) = ledger::end_hold(hold.id, hold.state, hold.amount, ending.end)?;
    if !rows::end_hold(tx, hold.book, hold.id, state, posted)? {
        return Err(Refusal::new(Code::HoldNotOpen, format!("hold {} was ended meanwhile", hold.id)).into());
    }
    let back_floor = (hold.from.place != AccountKey::WORLD).then_some(0);
    let mut postings = vec![
        Posting { account: hold.held, amount: -hold.amount, floor: Some(0) },
        Posting { account: hold.from, amount: returned, floor: back_floor },
    ];
    postings.extend_from_slice(ending.onward);
    let reason = match state {
        HoldState::Posted => "hold_posted",
        HoldState::Expired => "hold_expired",
        _ => "hold_released",
    };
    let cause = hold.cause_kind.clone().map(Cow::Owned).zip(hold.cause_id.clone());
    let transfer = NewTransfer { id: world.id(), book: hold.book, reason, cause, postings };
    post(tx, actor, world, Told { transfer, notice: ending.notice }, |shortfall| {
        Refusal::new(Code::HoldNotOpen, format!("hold {} is not covered: {} left", hold.id, shortfall.amount))
    })?;
    Ok(state)
}
