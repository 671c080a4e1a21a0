//! Stock: receiving, adjusting, setting, moving and holding goods; and why a number is what it is.

pub mod availability;
pub mod hold;
mod level;
pub mod onward;
pub mod rule;
pub mod selling;
pub mod write_off;

use std::borrow::Cow;

use domain::actor::{Actor, Permission};
use domain::ledger::{BookKind, NewTransfer, Posting};
use domain::stock::{self, Level, State};
use domain::value::id::{Book, Location, Transfer, Variant};
use domain::value::{Id, Instant, Quantity, Unit};
use domain::{Code, Refusal};
use serde_json::json;
use store::ledger::{HistoryLine, Shortfall};
use store::{Tx, ledger as books, stock as rows};

use crate::event::emit;
use crate::ledger::{Notice, Told, post};
use crate::{Failure, World, location};

pub use level::{LevelSetting, end_exclusions, include, set_level, set_value};

/// The stock book of a variant: it shares the variant's id.
pub const fn book_of(variant: Id<Variant>) -> Id<Book> {
    variant.shared_with()
}

/// Opens the stock book of a new variant.
///
/// # Errors
/// What the store says.
pub fn open(tx: &mut Tx<'_>, variant: Id<Variant>, unit: Unit, now: Instant) -> Result<(), Failure> {
    Ok(books::open_book(tx, book_of(variant), BookKind::Stock, unit.name(), now)?)
}

/// Goods of one variant moved between states, for a reason.
pub struct Movement {
    /// The variant.
    pub variant: Id<Variant>,
    /// Why, in a word of the trade.
    pub reason: &'static str,
    /// What caused it: kind and id in text.
    pub cause: Option<(&'static str, String)>,
    /// From where to where.
    pub postings: Vec<Posting>,
}

/// Posts a movement, tells of it, and tells of levels it crossed. Every change of stock goes through here or through a hold.
///
/// # Errors
/// What `short` makes of an account that has too little, or what the store says.
pub fn post_movement(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    movement: Movement,
    short: impl FnOnce(Shortfall) -> Refusal,
) -> Result<Id<Transfer>, Failure> {
    let id = world.id();
    let notice = notice(movement.variant, movement.reason, movement.cause.as_ref(), &movement.postings);
    let transfer = NewTransfer {
        id,
        book: book_of(movement.variant),
        reason: movement.reason,
        cause: movement.cause.map(|(kind, cause)| (Cow::Borrowed(kind), cause)),
        postings: movement.postings,
    };
    let (transfer, balances) = post(tx, actor, world, Told { transfer, notice }, short)?;
    tell_levels(tx, actor, world, movement.variant, transfer.postings.iter().zip(balances))?;
    Ok(id)
}

/// The event of a movement: which states of which locations changed by how much.
fn notice(
    variant: Id<Variant>,
    reason: &str,
    cause: Option<&(&'static str, String)>,
    postings: &[Posting],
) -> Notice {
    let lines: Vec<_> = postings
        .iter()
        .map(|posting| {
            let state = State::coded(posting.account.state).map_or("", State::text);
            let place = State::coded(posting.account.state).filter(|state| !state.is_world());
            match place {
                Some(state) if state.is_pool() => json!({ "state": state.text(), "amount": posting.amount }),
                Some(_) => json!({ "location": Id::<Location>::from_bytes(posting.account.place).to_string(), "state": state, "amount": posting.amount }),
                None => json!({ "state": state, "amount": posting.amount }),
            }
        })
        .collect();
    let body = match cause {
        Some((kind, id)) => json!({ "reason": reason, "cause": { "kind": kind, "id": id }, "lines": lines }),
        None => json!({ "reason": reason, "lines": lines }),
    };
    Notice { subject: variant.to_string(), kind: "stock.moved", body }
}

/// Tells when a shelf became low or empty, or has goods again, and when the whole variant sold out or is back.
fn tell_levels<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    changes: impl Iterator<Item = (&'a Posting, i64)>,
) -> Result<(), Failure> {
    for (posting, after) in changes.filter(|(posting, _)| posting.account.state == State::Available.code()) {
        let location = Id::<Location>::from_bytes(posting.account.place);
        let low_below = rows::level(tx, variant, location)?.low_below;
        let (was, is) = (stock::level(after - posting.amount, low_below), stock::level(after, low_below));
        if was == is {
            continue;
        }
        let body = json!({ "location": location.to_string(), "available": after });
        match (was, is) {
            (_, Level::Low) if was == Level::Enough => emit(tx, actor, world, variant, "stock.low", body),
            (_, Level::Out) => {
                emit(tx, actor, world, variant, "stock.out", body);
                if available_everywhere(tx, variant)? == 0 {
                    emit(tx, actor, world, variant, "stock.sold_out", json!({}));
                }
            }
            (Level::Out, _) => {
                emit(tx, actor, world, variant, "stock.back", body);
                if available_everywhere(tx, variant)? == after {
                    emit(tx, actor, world, variant, "stock.back_in_stock", json!({ "available": after }));
                }
            }
            _ => emit(tx, actor, world, variant, "stock.enough", body),
        }
    }
    Ok(())
}

fn available_everywhere(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<i64, Failure> {
    let balances = rows::balances(tx, &[variant.bytes()])?;
    Ok(balances
        .iter()
        .filter(|(_, account, _)| account.state == State::Available.code())
        .map(|(.., amount)| amount)
        .sum())
}

/// Goods that came from a supplier, or were there when the books were opened.
#[derive(Clone, Debug)]
pub struct Receive {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// How many.
    pub quantity: Quantity,
    /// In which state they arrive: available, quality or damaged.
    pub state: State,
    /// From [`State::Supplier`], or [`State::Opening`] for opening stock.
    pub from: State,
    /// The retailer's paper: delivery note, purchase order.
    pub reference: Option<String>,
}

/// Receives goods.
///
/// # Errors
/// [`Code::NotFound`] for an unknown variant or location, [`Code::WrongState`] when the location does not receive.
pub fn receive(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Receive,
) -> Result<Id<Transfer>, Failure> {
    actor.may(Permission::MoveStock, Some(input.location))?;
    if !matches!(input.state, State::Available | State::Quality | State::Damaged) {
        return Err(Refusal::invalid("state", "goods arrive available, in quality or damaged").into());
    }
    must_be_stocked(tx, input.variant)?;
    location::must_receive(tx, input.location)?;
    let postings = stock::moving(
        stock::world(input.from),
        stock::at(input.location, input.state),
        input.quantity.units(),
        0,
    );
    if input.state == State::Available {
        selling::claim_uncovered(tx, actor, world, input.variant, input.quantity.units())?;
    }
    let reason = if input.from == State::Opening { "opening" } else { "received" };
    let cause = input.reference.map(|reference| ("reference", reference));
    let movement = Movement { variant: input.variant, reason, cause, postings: postings.into() };
    post_movement(tx, actor, world, movement, never_short)
}

/// A correction of what is available at a location.
#[derive(Clone, Debug)]
pub struct Adjust {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// How many more (positive) or fewer (negative); not 0.
    pub change: i64,
    /// Why.
    pub reason: AdjustReason,
    /// The retailer's paper.
    pub reference: Option<String>,
}

domain::words! {
    /// Why stock is adjusted.
    AdjustReason {
        /// Found, or counted over.
        Found 1 "found";
        /// Lost, or counted short.
        Lost 2 "lost";
        /// Stolen.
        Stolen 3 "stolen";
        /// Thrown away: damaged beyond sale, expired.
        Scrapped 4 "scrapped";
        /// A mistake of before is put right.
        Correction 5 "correction";
        /// Used in the house: samples, gifts.
        OwnUse 6 "own_use";
    }
}

impl AdjustReason {
    /// What it needs: what is lost, thrown away or used is written off.
    const fn permission(self) -> Permission {
        match self {
            AdjustReason::Found | AdjustReason::Correction => Permission::MoveStock,
            AdjustReason::Lost | AdjustReason::Stolen | AdjustReason::Scrapped | AdjustReason::OwnUse => {
                Permission::WriteOff
            }
        }
    }

    /// The world's side of the adjustment.
    const fn world_side(self, change: i64) -> State {
        match self {
            AdjustReason::Scrapped | AdjustReason::OwnUse => State::Scrap,
            _ if change > 0 => State::Found,
            _ => State::Shrinkage,
        }
    }
}

/// Adjusts what is available.
///
/// # Errors
/// [`Code::OutOfStock`] when more would be taken than is available there.
pub fn adjust(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Adjust,
) -> Result<Id<Transfer>, Failure> {
    actor.may(input.reason.permission(), Some(input.location))?;
    if input.change == 0 || input.change.checked_abs().is_none_or(|size| size > Quantity::MAX) {
        return Err(Refusal::invalid(
            "change",
            format!("give a whole number from 1 to {} or its negative", Quantity::MAX),
        )
        .into());
    }
    must_be_stocked(tx, input.variant)?;
    let location = must_be_there(tx, input.location)?;
    let less = -input.change.min(0);
    if less > 0 && rule::write_off_needs_approval(tx, input.location, &[(input.variant, less)])? {
        let message = format!(
            "at location \"{}\" a second person must agree to this: ask for a write-off",
            location.code
        );
        return Err(Refusal::new(Code::WrongState, message).at("change").into());
    }
    post_adjustment(tx, actor, world, input)
}

fn post_adjustment(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Adjust,
) -> Result<Id<Transfer>, Failure> {
    let (shelf, other) =
        (stock::at(input.location, State::Available), stock::world(input.reason.world_side(input.change)));
    let postings = if input.change > 0 {
        stock::moving(other, shelf, input.change, 0)
    } else {
        stock::moving(shelf, other, -input.change, 0)
    };
    let cause = input.reference.map(|reference| ("reference", reference));
    let movement =
        Movement { variant: input.variant, reason: input.reason.text(), cause, postings: postings.into() };
    let short = |short: Shortfall| too_few(input.variant, short.amount, -input.change);
    let outcome = post_movement(tx, actor, world, movement, short);
    in_skus(tx, &[input.variant], outcome)
}

/// A count to be taken over from elsewhere: afterwards exactly this many are available.
#[derive(Clone, Debug)]
pub struct Set {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// How many are to be available, 0 or more.
    pub quantity: i64,
    /// How many the asker believes are available now; anything else refuses. `None` sets whatever is there.
    pub expected: Option<i64>,
}

/// Sets what is available by compare-and-set; answers how much it changed.
///
/// # Errors
/// [`Code::Stale`] when another number is available now than was expected.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Set) -> Result<i64, Failure> {
    actor.may(Permission::MoveStock, Some(input.location))?;
    if !(0..=Quantity::MAX).contains(&input.quantity) {
        return Err(
            Refusal::invalid("quantity", format!("give a whole number from 0 to {}", Quantity::MAX)).into()
        );
    }
    must_be_stocked(tx, input.variant)?;
    must_be_there(tx, input.location)?;
    let shelf = stock::at(input.location, State::Available);
    books::lock_books(tx, &mut vec![book_of(input.variant)])?;
    let now = books::lock_balance(tx, book_of(input.variant), shelf)?;
    if input.expected.is_some_and(|expected| expected != now) {
        return Err(Refusal::new(Code::Stale, format!("{now} are available now; read again and repeat"))
            .at("expected")
            .into());
    }
    let change = input.quantity - now;
    if change != 0 {
        let adjust = Adjust {
            variant: input.variant,
            location: input.location,
            change,
            reason: AdjustReason::Correction,
            reference: None,
        };
        post_adjustment(tx, actor, world, adjust)?;
    }
    Ok(change)
}

/// Goods moved by hand between two states at one location.
#[derive(Clone, Debug)]
pub struct Move {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// From this state.
    pub from: State,
    /// To this state.
    pub to: State,
    /// How many.
    pub quantity: Quantity,
}

/// Moves goods between states: to display, to damaged, back to available.
///
/// # Errors
/// [`Code::Invalid`] for a state that is not moved by hand, [`Code::OutOfStock`] when fewer are in that state.
pub fn move_state(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Move,
) -> Result<Id<Transfer>, Failure> {
    actor.may(Permission::MoveStock, Some(input.location))?;
    for (field, state) in [("from", input.from), ("to", input.to)] {
        if !state.is_by_hand() {
            return Err(Refusal::invalid(
                field,
                format!("goods {} are moved by orders, not by hand", state.text()),
            )
            .into());
        }
    }
    if input.from == input.to {
        return Err(Refusal::invalid("to", "give another state than the one they are in").into());
    }
    must_be_stocked(tx, input.variant)?;
    must_be_there(tx, input.location)?;
    let postings = stock::moving(
        stock::at(input.location, input.from),
        stock::at(input.location, input.to),
        input.quantity.units(),
        0,
    );
    if input.to == State::Available {
        selling::claim_uncovered(tx, actor, world, input.variant, input.quantity.units())?;
    }
    let movement = Movement {
        variant: input.variant,
        reason: stock::why_moved(input.from, input.to),
        cause: None,
        postings: postings.into(),
    };
    let short = |short: Shortfall| too_few(input.variant, short.amount, input.quantity.units());
    let outcome = post_movement(tx, actor, world, movement, short);
    in_skus(tx, &[input.variant], outcome)
}

/// Why is this number what it is: the postings of one state at one location before a point, newest first.
///
/// # Errors
/// [`Code::NotFound`] for an unknown variant.
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (variant, location, state): (Id<Variant>, Id<Location>, State),
    before: (Instant, Id<Transfer>),
    limit: i64,
) -> Result<Vec<HistoryLine>, Failure> {
    actor.may(Permission::ReadStock, Some(location))?;
    must_be_stocked(tx, variant)?;
    Ok(books::history(tx, book_of(variant), stock::at(location, state), before, limit)?)
}

/// A variant's balances, now or as of a past instant, without the world's side: location, state, amount.
///
/// # Errors
/// [`Code::NotFound`] for an unknown variant.
pub fn balances(
    tx: &mut Tx<'_>,
    actor: &Actor,
    variant: Id<Variant>,
    as_of: Option<Instant>,
) -> Result<Vec<(Id<Location>, State, i64)>, Failure> {
    actor.may_somewhere(Permission::ReadStock)?;
    must_be_stocked(tx, variant)?;
    let seen = actor.locations_for(Permission::ReadStock);
    let found = match as_of {
        None => books::balances(tx, book_of(variant))?,
        Some(at) => books::balances_as_of(tx, book_of(variant), at)?,
    };
    let at_place = |(account, amount): (domain::ledger::AccountKey, i64)| {
        let state = State::coded(account.state).filter(|state| !state.is_world())?;
        let location = Id::from_bytes(account.place);
        seen.as_ref().is_none_or(|seen| seen.contains(&location)).then_some((location, state, amount))
    };
    Ok(found.into_iter().filter_map(at_place).collect())
}

pub(crate) fn too_few(variant: Id<Variant>, found: i64, asked: i64) -> Refusal {
    Refusal::new(Code::OutOfStock, format!("{found} of {variant} can be had, {asked} asked"))
}

/// The same refusal in the words of who asks: the SKU in place of the id.
///
/// # Errors
/// That refusal, or what the store says.
pub(crate) fn in_skus<T>(
    tx: &mut Tx<'_>,
    variants: &[Id<Variant>],
    outcome: Result<T, Failure>,
) -> Result<T, Failure> {
    let Err(Failure::Refused(refusal)) = &outcome else { return outcome };
    let short = variants.iter().filter(|variant| refusal.message().contains(&variant.to_string()));
    let Some(variant) = short.copied().next().filter(|_| refusal.code() == Code::OutOfStock) else {
        return outcome;
    };
    let Some(known) = store::catalogue::variants(tx, &[variant])?.pop() else { return outcome };
    let words = refusal.message().replace(&variant.to_string(), &format!("sku {}", known.sku));
    Err(Refusal::new(Code::OutOfStock, words).into())
}

pub(crate) fn never_short(short: Shortfall) -> Refusal {
    Refusal::new(Code::OutOfStock, format!("{} left", short.amount))
}

pub(crate) fn must_be_stocked(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<(), Failure> {
    if books::has_book(tx, book_of(variant))? {
        return Ok(());
    }
    Err(Refusal::not_found("stocked variant", variant).at("variant").into())
}

pub(crate) fn must_be_there(
    tx: &mut Tx<'_>,
    location: Id<Location>,
) -> Result<store::location::Location, Failure> {
    store::location::find(tx, location)?
        .ok_or_else(|| Refusal::not_found("location", location).at("location").into())
}
