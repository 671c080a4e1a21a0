//! Gift cards: money paid in before, or given back for goods, spent later by whoever holds the code.
//!
//! The code follows from the card's id and the master key, so it need not be kept: the books have only its hash, and show it once.

use domain::actor::{Actor, Permission};
use domain::ledger::BookKind;
use domain::loyalty::{self as rules, CardState, State as Place};
use domain::value::id::GiftCard as CardKind;
use domain::value::{Currency, Id, Instant, Money};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Tx, loyalty as rows};

pub use store::loyalty::GiftCard;

use super::{Cause, Credit, Unit};
use crate::event::emit;
use crate::{Failure, Keyring, World};

/// The book of money a card has.
pub fn credit(card: &GiftCard) -> Credit {
    Credit { book: card.id.shared_with(), subject: card.id.to_string(), unit: Unit::Money(card.currency) }
}

/// The code of a card, from its id and the master key.
fn code_of(keyring: &Keyring, id: Id<CardKind>) -> String {
    let hash = keyring.lookup_hash("gift card code", &id.to_string());
    rules::code(std::array::from_fn(|place| hash[place]))
}

fn hash_of(keyring: &Keyring, sought: &str) -> [u8; 32] {
    keyring.lookup_hash("gift card", sought)
}

/// Makes a card with nothing on it. The caller has asked for the permission.
///
/// # Errors
/// [`Code::Invalid`] when it would expire before it is made.
pub(crate) fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    currency: Currency,
    expires_at: Option<Instant>,
) -> Result<GiftCard, Failure> {
    let now = world.now();
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::invalid("expires_at", "give an instant that is still to come").into());
    }
    let id: Id<CardKind> = world.id();
    let code = code_of(world.keyring(), id);
    let card = GiftCard {
        id,
        currency,
        last_four: code[code.len() - 4..].to_owned(),
        state: CardState::Active,
        expires_at,
        code_shown_at: None,
        made_at: now,
        version: 1,
    };
    let plain = rules::sought(&code).unwrap_or_default();
    rows::add_card(tx, &card, &hash_of(world.keyring(), &plain))?;
    super::open(tx, &credit(&card), BookKind::GiftCard, now)?;
    let body = json!({ "currency": currency.code(), "expires_at": expires_at.map(|at| at.to_string()) });
    emit(tx, actor, world, id, "gift_card.made", body);
    Ok(card)
}

/// Sells or gives a card with an amount on it. Its code is shown by [`show_code`].
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] for an amount or instant out of bounds.
pub fn issue(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    amount: Money,
    expires_at: Option<Instant>,
) -> Result<GiftCard, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    let card = make(tx, actor, world, amount.currency(), expires_at)?;
    super::issue(tx, actor, world, &credit(&card), amount.minor())?;
    Ok(card)
}

/// Sells a card with an amount on it, as part of an order. The caller accounts for the money.
///
/// # Errors
/// [`Code::Invalid`] for an amount out of bounds.
pub(crate) fn sell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    amount: Money,
    expires_at: Option<Instant>,
    cause: Cause,
) -> Result<GiftCard, Failure> {
    let card = make(tx, actor, world, amount.currency(), expires_at)?;
    let line = ("issued", Place::Issued, Place::Balance, rules::amount(amount.minor())?);
    super::moved(tx, actor, world, &credit(&card), line, Some(cause))?;
    Ok(card)
}

/// Takes a card back that was sold with this amount on it: it is emptied and stopped; false, and nothing is done, when something of it was spent
/// or is set aside.
///
/// # Errors
/// What the ledger says.
pub(crate) fn unsell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CardKind>,
    minor: i64,
    cause: Cause,
) -> Result<bool, Failure> {
    let card = find(tx, id)?;
    if card.state == CardState::Blocked || super::balance(tx, &credit(&card))? != (minor, 0) {
        return Ok(false);
    }
    let line = ("taken_back", Place::Balance, Place::Issued, minor);
    super::moved(tx, actor, world, &credit(&card), line, Some(cause))?;
    stop(tx, actor, world, id, CardState::Blocked)?;
    Ok(true)
}

/// Lets what is left on expired cards lapse; true when there may be more. What is set aside for an order stays set aside.
///
/// # Errors
/// What the store says.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = store::loyalty::sale::expired(tx, world.now(), super::EXPIRE_BATCH)?;
    let full = due.len() as i64 == super::EXPIRE_BATCH;
    for id in due {
        let card = find(tx, id)?;
        let (free, _) = super::balance(tx, &credit(&card))?;
        if free > 0 {
            let line = ("expired", Place::Balance, Place::Expired, free);
            super::moved(tx, actor, world, &credit(&card), line, None)?;
        }
    }
    Ok(full)
}

/// Shows a card's code, once; afterwards only whoever wrote it down has it.
///
/// # Errors
/// [`Code::WrongState`] when it was shown before.
pub fn show_code(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CardKind>,
) -> Result<String, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    reveal(tx, actor, world, id)
}

/// Shows a card's code, once. The caller has asked for the permission.
///
/// # Errors
/// [`Code::WrongState`] when it was shown before.
pub(crate) fn reveal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CardKind>,
) -> Result<String, Failure> {
    let card = find(tx, id)?;
    if !rows::show_code(tx, card.id, world.now())? {
        let why = "the code was shown before; block this gift card and issue another";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    emit(tx, actor, world, card.id, "gift_card.code_shown", json!({}));
    Ok(code_of(world.keyring(), card.id))
}

/// The card with a code, however it was typed: whoever holds the code may know what is on it and spend it.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Forbidden`] for who neither sells, takes payments nor gives credit.
pub fn by_code(tx: &mut Tx<'_>, actor: &Actor, world: &World, typed: &str) -> Result<GiftCard, Failure> {
    let may = |permission| actor.may_somewhere(permission);
    may(Permission::Shop)
        .or_else(|_| may(Permission::TakePayments))
        .or_else(|_| may(Permission::GiveCredit))?;
    let missing = || Refusal::new(Code::NotFound, "no gift card has this code").at("code");
    let sought = rules::sought(typed);
    if let Some(sought) = &sought
        && let Some(id) = rows::card_by_code(tx, &hash_of(world.keyring(), sought))?
    {
        return find(tx, id);
    }
    for code in rules::old_code(typed).into_iter().chain(sought) {
        if let Some(id) = known(tx, world, &Known::code(&code))? {
            return find(tx, id);
        }
    }
    Err(missing().into())
}

/// What is known of the code of a card that another system made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The SHA-256 of the code in capitals without gaps and hyphens, as 64 small digits.
    pub sha256: String,
    /// Its last four letters and digits, as far as they are known.
    pub last_four: String,
}

impl Known {
    /// A code in capitals without gaps and hyphens.
    pub(crate) fn code(plain: &str) -> Known {
        let digest: [u8; 32] = Sha256::digest(plain.as_bytes()).into();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Known { sha256, last_four: plain[plain.len().saturating_sub(4)..].to_owned() }
    }

    /// What such a card is found by.
    pub(crate) fn hash(&self, keyring: &Keyring) -> [u8; 32] {
        keyring.lookup_hash("old gift card", &self.sha256)
    }
}

/// The card another system made with a code.
pub(crate) fn known(tx: &mut Tx<'_>, world: &World, code: &Known) -> Result<Option<Id<CardKind>>, Failure> {
    Ok(rows::card_by_code(tx, &code.hash(world.keyring()))?)
}

/// What another system may know of the code of a card that was made here; nothing of one that was taken in, for its code is not kept.
pub(crate) fn known_elsewhere(
    tx: &mut Tx<'_>,
    world: &World,
    id: Id<CardKind>,
) -> Result<Option<Known>, Failure> {
    let plain = rules::sought(&code_of(world.keyring(), id)).unwrap_or_default();
    let is_own = rows::card_by_code(tx, &hash_of(world.keyring(), &plain))? == Some(id);
    Ok(is_own.then(|| Known::code(&plain)))
}

/// The money of the card with a code, to be spent in a currency.
///
/// # Errors
/// As [`by_code`], [`Code::WrongState`] when the card is blocked or has expired, [`Code::CurrencyMismatch`].
pub(crate) fn to_spend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    typed: &str,
    currency: Currency,
) -> Result<Credit, Failure> {
    let card = by_code(tx, actor, world, typed)?;
    rules::may_spend(card.state, card.expires_at, world.now())?;
    if card.currency != currency {
        let message = format!("the gift card is in {}, not in {currency}", card.currency);
        return Err(Refusal::new(Code::CurrencyMismatch, message).into());
    }
    Ok(credit(&card))
}

/// Stops a card, or lets it be spent again. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn set_state(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CardKind>,
    state: CardState,
) -> Result<GiftCard, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    find(tx, id)?;
    stop(tx, actor, world, id, state)?;
    find(tx, id)
}

fn stop(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CardKind>,
    state: CardState,
) -> Result<(), Failure> {
    if rows::set_card_state(tx, id, state)? {
        let kind = match state {
            CardState::Active => "gift_card.unblocked",
            CardState::Blocked => "gift_card.blocked",
        };
        emit(tx, actor, world, id, kind, json!({}));
    }
    Ok(())
}

/// A card.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, id: Id<CardKind>) -> Result<GiftCard, Failure> {
    rows::find_card(tx, id)?.ok_or_else(|| Refusal::not_found("gift card", id).into())
}

/// A card, for who gives credit.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CardKind>) -> Result<GiftCard, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    find(tx, id)
}
