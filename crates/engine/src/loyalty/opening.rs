//! Opening balances: what customers had with us in the system before, each taken in once under the number it had there.

use domain::actor::{Actor, Permission};
use domain::ledger::BookKind;
use domain::loyalty::points::MemberState;
use domain::loyalty::{self as rules, CardState, State};
use domain::value::id::{Book, Customer, GiftCard as GiftCardKind, LoyaltyProgramme};
use domain::value::id::{Member as MemberKind, PointLot, StoreCredit};
use domain::value::{Currency, Id, Instant, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::loyalty::points::Lot;
use store::loyalty::{self as cards, opening as rows};
use store::{StoreError, Tx};

use super::gift_card::{self, GiftCard, Known};
use super::member::Member;
use super::programme::PROGRAMMES_MAX;
use super::{Cause, member, points, store_credit};
use crate::event::emit;
use crate::{Failure, World};

/// Whose balance it is, and how much.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// Points of a customer, who takes part from now on if he did not.
    Points(Id<LoyaltyProgramme>, Id<Customer>, i64),
    /// Store credit of a customer.
    StoreCredit(Id<Customer>, Money),
    /// Money on a gift card, and what is known of its code.
    GiftCard(Option<Known>, Money),
}

/// A balance to be taken in.
#[derive(Clone, Debug)]
pub(crate) struct Opening<'a> {
    /// The number it had in the other system.
    pub reference: &'a str,
    /// Whose it is.
    pub holder: Holder,
    /// When it lapses; points as the programme says when `None`.
    pub expires_at: Option<Instant>,
}

impl Holder {
    fn amount(&self) -> i64 {
        match self {
            Holder::Points(_, _, points) => *points,
            Holder::StoreCredit(_, money) | Holder::GiftCard(_, money) => money.minor(),
        }
    }
}

/// Takes a balance in; false when it was taken in before, or is one of ours that was given out, and nothing changes.
///
/// # Errors
/// [`Code::AlreadyExists`] when another balance was taken in under the number, or a card has the code; [`Code::Forbidden`], [`Code::Invalid`].
pub(crate) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: Opening<'_>,
) -> Result<bool, Failure> {
    match one.holder {
        Holder::Points(..) => actor.may_somewhere(Permission::GivePoints)?,
        Holder::StoreCredit(..) | Holder::GiftCard(..) => actor.may(Permission::GiveCredit, None)?,
    }
    if is_ours(tx, one.reference)? {
        return Ok(false);
    }
    let field = if matches!(one.holder, Holder::Points(..)) { "points" } else { "amount" };
    let amount = rules::amount(one.holder.amount())
        .map_err(|_| Refusal::invalid(field, format!("give 1 to {}", rules::CREDIT_MINOR_MAX)))?;
    if let Some((book, known)) = rows::find(tx, one.reference)? {
        if known == amount && owner(tx, world, &one.holder, book)? == Some(book) {
            return Ok(false);
        }
        let message = "another balance was taken in under this number; correct it by hand";
        return Err(Refusal::new(Code::AlreadyExists, message).at("reference").into());
    }
    if one.expires_at.is_some_and(|at| at <= world.now()) {
        return Err(Refusal::invalid("expires_at", "give an instant that is still to come").into());
    }
    let book = opened(tx, actor, world, &one)?;
    if !rows::add(tx, one.reference, (book, amount), world.now())? {
        return Err(tx.begin_anew().into());
    }
    post(tx, actor, world, (book, amount), one)?;
    Ok(true)
}

/// Is it a gift card, a store credit or a lot of these books?
fn is_ours(tx: &mut Tx<'_>, reference: &str) -> Result<bool, Failure> {
    if let Ok(id) = Id::<GiftCardKind>::parse(reference) {
        return Ok(cards::find_card(tx, id)?.is_some());
    }
    if let Ok(id) = Id::<StoreCredit>::parse(reference) {
        return Ok(cards::find_credit(tx, id)?.is_some());
    }
    match Id::<PointLot>::parse(reference) {
        Ok(id) => Ok(rows::is_lot(tx, id)?),
        Err(_) => Ok(false),
    }
}

/// Whose book a balance lies in that was taken in before, as far as the row tells.
fn owner(
    tx: &mut Tx<'_>,
    world: &World,
    holder: &Holder,
    known: Id<Book>,
) -> Result<Option<Id<Book>>, Failure> {
    Ok(match holder {
        Holder::Points(programme, customer, _) => {
            member_of(tx, *programme, *customer)?.map(|own| own.id.shared_with())
        }
        Holder::StoreCredit(customer, money) => {
            let found = cards::credits_of(tx, *customer)?;
            found.iter().find(|own| own.currency == money.currency()).map(|own| own.id.shared_with())
        }
        Holder::GiftCard(Some(code), _) => gift_card::known(tx, world, code)?.map(Id::shared_with),
        Holder::GiftCard(None, _) => Some(known),
    })
}

fn member_of(
    tx: &mut Tx<'_>,
    programme: Id<LoyaltyProgramme>,
    customer: Id<Customer>,
) -> Result<Option<Member>, Failure> {
    Ok(cards::member::of_customer(tx, customer)?.into_iter().find(|own| own.programme == programme))
}

/// The book a balance goes into; opened when it is not there.
fn opened(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Opening<'_>) -> Result<Id<Book>, Failure> {
    Ok(match &one.holder {
        Holder::Points(programme, customer, _) => {
            let found = member_of(tx, *programme, *customer)?.filter(|own| own.state != MemberState::Ended);
            let of = match found {
                Some(found) => found,
                None => member::enrol(tx, actor, world, *programme, *customer)?,
            };
            of.id.shared_with()
        }
        Holder::StoreCredit(customer, money) => {
            store_credit::of(tx, actor, world, *customer, money.currency())?.id.shared_with()
        }
        Holder::GiftCard(code, money) => {
            let none = "the card's code is not known; give code or code_sha256";
            let code = code.as_ref().ok_or_else(|| Refusal::invalid("code", none))?;
            if gift_card::known(tx, world, code)?.is_some() {
                let message = "a gift card has this code already; correct what is on it by hand";
                return Err(Refusal::new(Code::AlreadyExists, message).at("code").into());
            }
            card_of(tx, actor, world, (code, *money), one.expires_at)?
        }
    })
}

/// A card made for a code of another system.
fn card_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (code, money): (&Known, Money),
    expires_at: Option<Instant>,
) -> Result<Id<Book>, Failure> {
    let now = world.now();
    let card = GiftCard {
        id: world.id(),
        currency: money.currency(),
        last_four: code.last_four.clone(),
        state: CardState::Active,
        expires_at,
        // Whoever has the card has its code: it is not ours to show.
        code_shown_at: Some(now),
        made_at: now,
        version: 1,
    };
    cards::add_card(tx, &card, &code.hash(world.keyring()))?;
    super::open(tx, &gift_card::credit(&card), BookKind::GiftCard, now)?;
    let body = json!({ "currency": card.currency.code(), "expires_at": expires_at.map(|at| at.to_string()) });
    emit(tx, actor, world, card.id, "gift_card.made", body);
    Ok(card.id.shared_with())
}

fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (book, amount): (Id<Book>, i64),
    one: Opening<'_>,
) -> Result<(), Failure> {
    let cause = Some(("reference", one.reference.to_owned()));
    let credit = match one.holder {
        Holder::Points(..) => {
            return open_points(tx, actor, world, (book.shared_with(), amount), (one.expires_at, cause));
        }
        Holder::StoreCredit(..) => store_credit::credit(&store_credit::find(tx, book.shared_with())?),
        Holder::GiftCard(..) => gift_card::credit(&gift_card::find(tx, book.shared_with())?),
    };
    super::moved(tx, actor, world, &credit, ("opening", State::Opening, State::Balance, amount), cause)
}

/// Points can be spent at once, and lapse when it is said, or as the programme says. They count for no tier.
fn open_points(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, count): (Id<MemberKind>, i64),
    (expires_at, cause): (Option<Instant>, Option<Cause>),
) -> Result<(), Failure> {
    let member = member::lock(tx, of)?;
    let (number, terms) = points::in_force(tx, &member, world.now())?;
    let lot = points::available(world, of, (count, number), &terms);
    let expires_at = expires_at.or(lot.expires_at);
    cards::points::add_lot(tx, &Lot { expires_at, ..lot })?;
    let moves = [(State::Opening, -count), (State::Balance, count)];
    points::moved(tx, actor, world, of, ("opening", &moves), cause)?;
    points::settle(tx, actor, world, of)
}

/// What somebody has with us, as it is given out.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    /// Points of a lot: the code of the programme, whose they are, and how many.
    Points(String, Id<Customer>, i64),
    /// Store credit of a customer.
    StoreCredit(Id<Customer>, Money),
    /// Money on a gift card: its code as far as another system may know it, and its last four.
    GiftCard(Option<Known>, String, Money),
}

/// A balance that is given out.
#[derive(Clone, Debug)]
pub(crate) struct GivenOut {
    /// The gift card, store credit or lot, its id in text.
    pub reference: String,
    /// Whose it is, and how much.
    pub holder: Held,
    /// When it lapses.
    pub expires_at: Option<Instant>,
}

/// The books of what customers have with us after one.
///
/// # Errors
/// [`Code::Forbidden`] unless credit and points may be given.
pub(crate) fn books(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<Book>,
    limit: i64,
) -> Result<Vec<Id<Book>>, Failure> {
    actor.may(Permission::GiveCredit, None)?;
    actor.may_somewhere(Permission::GivePoints)?;
    Ok(rows::books(tx, after, limit)?)
}

/// What of a book can be spent now.
pub(crate) fn given_out(tx: &mut Tx<'_>, world: &World, book: Id<Book>) -> Result<Vec<GivenOut>, Failure> {
    let now = world.now();
    let lasts = |expires_at: Option<Instant>| expires_at.is_none_or(|at| at > now);
    if let Some(card) = cards::find_card(tx, book.shared_with())? {
        let (free, _) = super::balance(tx, &gift_card::credit(&card))?;
        if free < 1 || card.state != CardState::Active || !lasts(card.expires_at) {
            return Ok(Vec::new());
        }
        let code = gift_card::known_elsewhere(tx, world, card.id)?;
        let holder = Held::GiftCard(code, card.last_four, money(free, card.currency)?);
        return Ok(vec![GivenOut { reference: card.id.to_string(), holder, expires_at: card.expires_at }]);
    }
    if let Some(credit) = cards::find_credit(tx, book.shared_with())? {
        let (free, _) = super::balance(tx, &store_credit::credit(&credit))?;
        let holder = Held::StoreCredit(credit.customer, money(free, credit.currency)?);
        let one = GivenOut { reference: credit.id.to_string(), holder, expires_at: None };
        return Ok(if free < 1 { Vec::new() } else { vec![one] });
    }
    let Some(of) = cards::member::find(tx, book.shared_with())? else { return Ok(Vec::new()) };
    let all = cards::programme::list(tx, PROGRAMMES_MAX)?;
    let code = all.into_iter().find(|own| own.id == of.programme).map(|own| own.code).unwrap_or_default();
    let mut given_out = Vec::new();
    for lot in cards::points::spendable(tx, of.id)?.into_iter().filter(|lot| lasts(lot.expires_at)) {
        // In a household: of whom of its members brought them in.
        let holder = Held::Points(code.clone(), member::find(tx, lot.earner)?.customer, lot.rest);
        given_out.push(GivenOut { reference: lot.id.to_string(), holder, expires_at: lot.expires_at });
    }
    Ok(given_out)
}

fn money(minor: i64, currency: Currency) -> Result<Money, Failure> {
    let too_much = |_| StoreError::Corrupt(format!("{minor} {currency} is more than money can be"));
    Ok(Money::new(minor, currency).map_err(too_much)?)
}
