//! Customers who sign in by a code that is mailed: whoever reads the mail is the customer of that address, known or new. What a browser holds is kept
//! only as a hash. A basket filled before goes into the customer's own. Passkeys and the retailer's own sign-on lead into
//! the same session.

mod ceremony;
pub mod own;
pub mod passkey;
pub mod provider;
pub mod sign_on;
mod signed;
pub mod token;

use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::cart::State as CartState;
use domain::contact::{Card, Draft};
use domain::message::Template;
use domain::sign_in::{CODE_SECONDS, CODES_MAX, CODES_SECONDS, IDLE_SECONDS, LIFE_SECONDS, TRIES_MAX};
use domain::value::id::{self, Channel as ChannelKind, Customer, Merge, SignInCode};
use domain::value::{Email, Id, Instant, Language, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Tx;
use store::sign_in as rows;

use crate::cart::{self, Details};
use crate::consent::subscriber;
use crate::contact::{self, Sought};
use crate::customer::{self, NewCustomer, Shown};
use crate::event::emit;
use crate::message::{self, NewMessage};
use crate::{Failure, World, external};

/// How exactly it is known when a session was last used, in seconds.
const USE_NOTED_SECONDS: i64 = 3600;
/// How many old codes and sessions one round forgets.
const ROUND: i64 = 500;
/// How many of a customer's carts are looked at for the one that goes on.
const CARTS_MAX: i64 = 200;
/// What a customer may do: fill carts, order, and see what is sold; and what is his own.
const OWN: [Permission; 2] = [Permission::Shop, Permission::ReadCatalogue];

/// Who wants to sign in.
#[derive(Clone)]
pub struct SignIn {
    /// The address the code went to.
    pub email: Email,
    /// The code.
    pub code: u32,
    /// The channel the customer comes through.
    pub channel: Reference<ChannelKind>,
    /// The basket filled before.
    pub cart: Option<Id<id::Cart>>,
    /// What to call somebody who is new.
    pub name: Option<String>,
}

/// Where somebody who signs in goes on.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The channel the customer comes through.
    pub channel: Reference<ChannelKind>,
    /// The basket filled before.
    pub cart: Option<Id<id::Cart>>,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the browser keeps, given out only now.
    pub token: String,
    /// Who.
    pub customer: Id<Customer>,
    /// Was the customer made just now?
    pub is_new: bool,
    /// The basket to go on with.
    pub cart: Option<Id<id::Cart>>,
    /// The basket filled before, if it could not come along.
    pub left: Option<Left>,
    /// When the session ends in any case.
    pub ends_at: Instant,
}

/// A basket that stayed as it was when its visitor signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub cart: Id<id::Cart>,
    /// Why.
    pub why: Refusal,
}

/// Mails a code to this very address, whether it is known or not, and whoever it leads to; until when it works. Who asks learns nothing of the address.
///
/// # Errors
/// [`Code::WrongState`] when too many codes were mailed within the hour; [`Code::Forbidden`].
pub fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (email, language): (&Email, Option<Language>),
) -> Result<Instant, Failure> {
    actor.may_somewhere(Permission::Shop)?;
    let (to, contact) = subscriber::of_email(tx, actor, world, email, language)?;
    subscriber::lock(tx, to.id)?;
    let (hash, now) = (hash_of(world, email), world.now());
    if rows::codes(tx, &hash, now.plus_seconds(-CODES_SECONDS), CODES_MAX)?.len() as i64 == CODES_MAX {
        let why = format!(
            "{CODES_MAX} codes were mailed to this address within the hour; use the last one, or wait"
        );
        return Err(Refusal::new(Code::WrongState, why).at("email").into());
    }
    let id: Id<SignInCode> = world.id();
    let code =
        rows::Code { id, made_at: now, expires_at: now.plus_seconds(CODE_SECONDS), tries: 0, used_at: None };
    rows::add_code(tx, &hash, &code)?;
    let parameters = json!({ "code": id.to_string(), "minutes": CODE_SECONDS / 60 });
    let template = Template::SignInCode;
    let (cell, link, due_at) = (None, None, None);
    let letter = NewMessage { to: to.id, contact, template, parameters, cell, link, due_at, language };
    message::write(tx, actor, world, letter)?;
    Ok(code.expires_at)
}

/// Signs in whoever knows the code; `None` when it does not fit, which is counted. Who is new becomes a customer with this address. A basket
/// filled before becomes the customer's; if he has one in this channel already, its lines go into that one and none is lost.
///
/// # Errors
/// [`Code::Forbidden`], and what making a customer refuses.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    asked: &SignIn,
) -> Result<Option<Opened>, Failure> {
    let channel = channel_for(tx, actor, &asked.channel)?;
    let hash = hash_of(world, &asked.email);
    if !use_up(tx, world, &hash, asked.code)? {
        return Ok(None);
    }
    let known = store::customer::holder(tx, &hash)?;
    let holder = match known {
        Some((holder, _)) => holder,
        None => {
            let email = Some(asked.email.as_str().to_owned());
            let card = Card::new(&Draft { name: asked.name.clone(), email, ..Draft::default() })?;
            newcomer(tx, actor, world, card)?
        }
    };
    let opened = enter(tx, world, (holder, channel), asked.cart, "code")?;
    Ok(Some(Opened { is_new: known.is_none(), ..opened }))
}

/// Shows by the code that was mailed to the address of a card that one reads its mail, and uses the code up.
///
/// # Errors
/// [`Code::Invalid`] at `email_code` when the code does not fit. That undoes its count: it is counted by [`count_wrong`] before.
pub fn show(tx: &mut Tx<'_>, world: &World, card: &Card, code: u32) -> Result<Shown, Failure> {
    if let Some(hash) = contact::email_hash(world.keyring(), card)
        && use_up(tx, world, &hash, code)?
    {
        return Ok(Shown::of(hash));
    }
    Err(Refusal::invalid("email_code", wrong().message()).into())
}

/// Counts a code that does not fit the address of a card, in a commit of its own.
///
/// # Errors
/// What the store says.
pub fn count_wrong(tx: &mut Tx<'_>, world: &World, card: &Card, code: u32) -> Result<(), Failure> {
    match contact::email_hash(world.keyring(), card) {
        Some(hash) => right(tx, world, &hash, code).map(drop),
        None => Ok(()),
    }
}

/// Uses up the code that was mailed last; false when this is another, which is counted, or it does not work any more.
fn use_up(tx: &mut Tx<'_>, world: &World, hash: &[u8; 32], code: u32) -> Result<bool, Failure> {
    match right(tx, world, hash, code)? {
        Some(id) => Ok(rows::use_code(tx, hash, (id, TRIES_MAX), world.now())?),
        None => Ok(false),
    }
}

/// The code that was mailed last, if it is this; another is counted.
fn right(
    tx: &mut Tx<'_>,
    world: &World,
    hash: &[u8; 32],
    code: u32,
) -> Result<Option<Id<SignInCode>>, Failure> {
    let now = world.now();
    let newest = rows::codes(tx, hash, now.plus_seconds(-CODE_SECONDS), 1)?.into_iter().next();
    let Some(newest) = newest.filter(|code| code.expires_at > now) else { return Ok(None) };
    if world.keyring().one_time_code(&newest.id.bytes()) == code {
        return Ok(Some(newest.id));
    }
    rows::try_code(tx, hash, newest.id, TRIES_MAX)?;
    Ok(None)
}

/// The channel somebody who may shop signs in through.
fn channel_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    channel: &Reference<ChannelKind>,
) -> Result<Id<ChannelKind>, Failure> {
    actor.may_somewhere(Permission::Shop)?;
    let channel = external::resolve_at(tx, "channel", channel)?;
    if actor.channel.is_some_and(|bound| bound != channel) {
        let why = "the channel is another one than that you come through";
        return Err(Refusal::new(Code::Forbidden, why).at("channel").into());
    }
    Ok(channel)
}

/// Opens a session for somebody who showed who he is, and takes the basket along. It stays with whom he showed to be, and so does not lead to
/// another any more when both were one by mistake.
fn enter(
    tx: &mut Tx<'_>,
    world: &mut World,
    (shown, channel): (Id<Customer>, Id<ChannelKind>),
    cart: Option<Id<id::Cart>>,
    by: &str,
) -> Result<Opened, Failure> {
    let customer = store::customer::standing_for(tx, shown)?.unwrap_or(shown);
    let herself = acting(customer, channel);
    let (cart, left) = taken_along(tx, world, &herself, (customer, channel), cart)?;
    // Carts are locked before customers. Who was merged or parted meanwhile is somebody else now.
    if customer::stay(tx, shown)?.id != customer {
        return Err(tx.begin_anew().into());
    }
    let (token, now) = (world.bytes::<32>(), world.now());
    let session = rows::Session { id: world.id(), customer: shown, channel, made_at: now, used_at: now };
    rows::add_session(tx, &Sha256::digest(token).into(), &session)?;
    emit(
        tx,
        &herself,
        world,
        customer,
        "customer.signed_in",
        json!({ "channel": channel.to_string(), "by": by }),
    );
    let ends_at = now.plus_seconds(LIFE_SECONDS);
    Ok(Opened { token: hexadecimal(&token), customer, is_new: false, cart, left, ends_at })
}

/// Makes a customer of somebody nobody knows. When somebody else makes one with this address at the same time, that one is found by beginning anew.
fn newcomer(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, card: Card) -> Result<Id<Customer>, Failure> {
    let new = NewCustomer { external_id: None, card, groups: Vec::new() };
    match customer::come(tx, &actor.trusted(), world, new) {
        Err(Failure::Refused(refusal)) if refusal.code() == Code::AlreadyExists => {
            Err(tx.begin_anew().into())
        }
        made => Ok(made?.id),
    }
}

/// The customer as who asks.
fn acting(customer: Id<Customer>, channel: Id<ChannelKind>) -> Actor {
    let grants = vec![Grant { location: None, permissions: Permissions::of(&OWN) }];
    Actor { who: Who::Customer(customer), channel: Some(channel), grants }
}

/// The basket the customer goes on with: his own in this channel, with what is in the one filled before. One that cannot come along, such as one
/// that has ended or is somebody else's, is left as it is, which is told with the reason, and keeps nobody out.
fn taken_along(
    tx: &mut Tx<'_>,
    world: &mut World,
    herself: &Actor,
    (customer, channel): (Id<Customer>, Id<ChannelKind>),
    before: Option<Id<id::Cart>>,
) -> Result<(Option<Id<id::Cart>>, Option<Left>), Failure> {
    let now = world.now();
    let first = Id::from_bytes([0; 16]);
    let all = cart::list_of_customer(tx, herself, &Reference::Id(customer), first, CARTS_MAX)?;
    let goes_on = |one: &&cart::Cart| {
        one.channel == channel
            && Some(one.id) != before
            && matches!(cart::standing(one, now), CartState::Active | CartState::Recovered)
    };
    let own = all.iter().rev().find(goes_on).map(|cart| cart.id);
    let Some(before) = before else { return Ok((own, None)) };
    let moved = tx.savepoint(|tx| match own {
        Some(own) => cart::merge(tx, herself, world, before, own),
        None => {
            let details = Details { customer: Some(Reference::Id(customer)), ..Details::default() };
            cart::change(tx, herself, world, (before, None), details)
        }
    });
    match moved {
        Ok(cart) => Ok((Some(cart.id), None)),
        Err(Failure::Refused(why)) => Ok((own, Some(Left { cart: before, why }))),
        Err(failure) => Err(failure),
    }
}

/// The customer behind what a browser sent, and whether its use should be noted.
///
/// # Errors
/// [`Code::SignInFailed`] when the session ended.
pub fn recognise(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<(Actor, bool), Failure> {
    let ended = || Refusal::new(Code::SignInFailed, "the session has ended; sign in again");
    let hash = token_hash(token).ok_or_else(ended)?;
    let session = rows::find_session(tx, &hash)?.ok_or_else(ended)?;
    let is_over = now >= session.made_at.plus_seconds(LIFE_SECONDS)
        || now >= session.used_at.plus_seconds(IDLE_SECONDS);
    if is_over {
        return Err(ended().into());
    }
    let to_be_noted = now >= session.used_at.plus_seconds(USE_NOTED_SECONDS);
    Ok((acting(session.customer, session.channel), to_be_noted))
}

/// Notes that a session is used now.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<(), Failure> {
    token_hash(token).map_or(Ok(()), |hash| Ok(rows::note_use(tx, &hash, now)?))
}

/// Signs out. Signing out twice is the same as once.
///
/// # Errors
/// What the store says.
pub fn sign_out(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, token: &str) -> Result<(), Failure> {
    let Some(hash) = token_hash(token) else { return Ok(()) };
    if let (true, Who::Customer(customer)) = (rows::end_session(tx, &hash)?, actor.who) {
        emit(tx, actor, world, customer, "customer.signed_out", json!({}));
    }
    Ok(())
}

/// One round of the duty that forgets codes, challenges and sessions that are over; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let now = world.now();
    let codes = rows::forget_codes(tx, now.plus_seconds(-CODES_SECONDS), ROUND)?;
    let sessions = rows::forget_sessions(tx, now.plus_seconds(-IDLE_SECONDS), ROUND)?;
    let challenges = store::sign_in::passkey::forget_challenges(tx, now, ROUND)?;
    let attempts = store::sign_in::sign_on::forget_attempts(tx, now, ROUND)?;
    Ok([codes, sessions, challenges, attempts].contains(&(ROUND as usize)))
}

/// Ends what may open the winner of a merge to the other, now that they are two: sessions of both since the merge, and the winner's passkeys
/// and sign-ons since. Nobody can know who of the two added them; both sign in anew by a code.
///
/// # Errors
/// What the store says.
pub(crate) fn part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (winner, loser): (Id<Customer>, Id<Customer>),
    (merge, at): (Id<Merge>, Instant),
) -> Result<(), Failure> {
    let sessions = rows::end_since(tx, &[winner.bytes(), loser.bytes()], merge)?;
    let passkeys = rows::passkey::remove_since(tx, winner, merge)?;
    let sign_ons = rows::sign_on::unlink_since(tx, winner, at)?;
    if sessions + passkeys + sign_ons > 0 {
        let body = json!({ "merge": merge.to_string(), "loser": loser.to_string(), "sessions": sessions,
            "passkeys": passkeys, "sign_ons": sign_ons });
        emit(tx, actor, world, winner, "customer.sign_ins_ended", body);
    }
    Ok(())
}

/// What is said to everybody who does not get in, whatever the reason.
pub fn wrong() -> Refusal {
    let why = "the code does not fit, was used or has expired; ask for a new one";
    Refusal::new(Code::SignInFailed, why).at("code")
}

fn hash_of(world: &World, email: &Email) -> [u8; 32] {
    Sought::Email(email.lookup_form()).hash(world.keyring())
}

fn token_hash(token: &str) -> Option<[u8; 32]> {
    from_hexadecimal(token).map(|token| Sha256::digest(token).into())
}
