//! Passkeys: a customer who is signed in registers a phone, a computer or a password manager, and signs in by it ever after, without saying who
//! he is. The mailed code always stays, so that a lost phone locks nobody out.

use domain::actor::{Actor, Permission, Who};
use domain::market::origin::Origin;
use domain::sign_in::passkey::{
    CHALLENGE_SECONDS, CHALLENGES_MAX, NAME_CHARS_MAX, PASSKEYS_MAX, Purpose, Said, host_of, is_secure,
    is_within,
};
use domain::value::id::{Customer, Passkey as PasskeyKind};
use domain::value::{Id, Instant, text};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Tx;
use store::market::origin as origins;
use store::sign_in::passkey as rows;

use super::ceremony::{ClientData, made};
use super::{Entrance, Opened, signed};
use crate::event::emit;
use crate::{Failure, World, contact, customer};

/// The most characters of a domain.
const DOMAIN_CHARS_MAX: usize = 253;

/// A question to whoever has a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What is to be signed.
    pub bytes: [u8; 32],
    /// The domain whose passkeys can answer.
    pub domain: String,
    /// From when on an answer comes too late.
    pub expires_at: Instant,
}

/// A question to a customer who registers.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The question.
    pub challenge: Challenge,
    /// Who registers.
    pub customer: Id<Customer>,
    /// What the authenticator shows of its owner.
    pub label: String,
    /// The credentials known already, which shall not be made again.
    pub known: Vec<Vec<u8>>,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its identity.
    pub id: Id<PasskeyKind>,
    /// What its owner calls it.
    pub name: String,
    /// The domain it was made for.
    pub domain: String,
    /// Is it kept on several devices?
    pub is_copied: bool,
    /// When it was registered.
    pub made_at: Instant,
    /// When somebody last signed in by it.
    pub used_at: Option<Instant>,
}

/// What a browser answers when a passkey was made.
#[derive(Clone)]
pub struct Registration {
    /// What the browser says it did.
    pub client_data: Vec<u8>,
    /// What the authenticator says.
    pub attestation: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
}

/// What a browser answers when somebody signs in.
#[derive(Clone)]
pub struct Assertion {
    /// The passkey's credential.
    pub credential: Vec<u8>,
    /// What the browser says it did.
    pub client_data: Vec<u8>,
    /// What the authenticator says.
    pub said: Vec<u8>,
    /// What it signed both with.
    pub signature: Vec<u8>,
    /// Whose it is, as the authenticator was told when the passkey was made.
    pub owner: Option<Vec<u8>>,
}

/// A question to whoever wants to sign in from a page at `origin`, one of a channel's or our `own`.
///
/// # Errors
/// [`Code::Invalid`] at `origin` for a page that may not use passkeys; [`Code::Forbidden`].
pub fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (origin, own): (&Origin, Option<&Origin>),
) -> Result<Challenge, Failure> {
    actor.may_somewhere(Permission::Shop)?;
    let domain = domain_for(tx, origin, own)?;
    challenge(tx, world, Purpose::SignIn, (origin, domain), None)
}

/// A question to a customer who is signed in and registers a passkey.
///
/// # Errors
/// As [`ask`]; [`Code::WrongState`] with too many passkeys or open questions; [`Code::Forbidden`] for anybody else.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    (origin, own): (&Origin, Option<&Origin>),
) -> Result<Invitation, Failure> {
    let known = owner(tx, actor, id)?;
    let domain = domain_for(tx, origin, own)?;
    let all = with_room(tx, known.id)?;
    if rows::challenges(tx, known.id, world.now())? >= CHALLENGES_MAX {
        let why = format!("{CHALLENGES_MAX} registrations were begun; end one of them, or wait a little");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let card = contact::open(tx, actor, world, known.contact)?;
    let label = card.text().email.clone().or_else(|| card.text().name.clone());
    let challenge = challenge(tx, world, Purpose::Register, (origin, domain), Some(known.id))?;
    let known_already = all.into_iter().map(|one| one.credential).collect();
    Ok(Invitation {
        challenge,
        customer: known.id,
        label: label.unwrap_or_else(|| known.id.to_string()),
        known: known_already,
    })
}

fn challenge(
    tx: &mut Tx<'_>,
    world: &mut World,
    purpose: Purpose,
    (origin, domain): (&Origin, String),
    customer: Option<Id<Customer>>,
) -> Result<Challenge, Failure> {
    let bytes = world.bytes::<32>();
    let expires_at = world.now().plus_seconds(CHALLENGE_SECONDS);
    let kept =
        rows::Challenge { purpose, customer, origin: origin.clone(), domain: domain.clone(), expires_at };
    rows::add_challenge(tx, &Sha256::digest(bytes).into(), &kept)?;
    Ok(Challenge { bytes, domain, expires_at })
}

/// The domain for which a page makes and uses passkeys.
fn domain_for(tx: &mut Tx<'_>, origin: &Origin, own: Option<&Origin>) -> Result<String, Failure> {
    let at = |why: String| Failure::from(Refusal::invalid("origin", why));
    if own != Some(origin) && origins::channels_with(tx, origin)?.is_empty() {
        return Err(at(format!("{origin} is not an origin of an active channel; set it there first")));
    }
    if !is_secure(origin) {
        return Err(at(format!("browsers give passkeys only to pages by https, and {origin} is none")));
    }
    match rows::domain(tx)?.0 {
        None if origin.is_app() => {
            Err(at("an app has no domain of its own; set the domain of all passkeys first".into()))
        }
        None => Ok(host_of(origin).to_owned()),
        Some(domain) if is_within(origin, &domain) => Ok(domain),
        Some(domain) => Err(at(format!("{origin} is not within {domain}, for which all passkeys are made"))),
    }
}

/// The customer who acts for himself; until the commit he is neither merged nor erased.
fn owner(tx: &mut Tx<'_>, actor: &Actor, id: Id<Customer>) -> Result<customer::Customer, Failure> {
    if actor.who != Who::Customer(id) {
        let why = "only customers who are signed in register their own passkeys";
        return Err(Refusal::new(Code::Forbidden, why).into());
    }
    let known = customer::stay(tx, id)?;
    contact::must_live(tx, known.person)?;
    Ok(known)
}

/// The passkeys a customer has, if there is room for one more.
fn with_room(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<Vec<rows::Passkey>, Failure> {
    let all = rows::list(tx, id, PASSKEYS_MAX)?;
    if all.len() as i64 >= PASSKEYS_MAX {
        let why = format!("there are {PASSKEYS_MAX} passkeys already; remove one that is not used any more");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    Ok(all)
}

/// Keeps a passkey that was just made; `None` when the answer does not fit its question, which is then used up.
///
/// # Errors
/// [`Code::AlreadyExists`] when the credential is known; [`Code::WrongState`] with too many; [`Code::Invalid`] at `name`; [`Code::Forbidden`].
pub fn register(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    given: &Registration,
) -> Result<Option<Passkey>, Failure> {
    let name = read_name(&given.name)?;
    let known = owner(tx, actor, id)?;
    let Some(asked) = answered(tx, world, Purpose::Register, &given.client_data)? else { return Ok(None) };
    let Some(asker) = asked.customer else { return Ok(None) };
    if store::customer::merged_into(tx, asker)?.unwrap_or(asker) != known.id {
        return Ok(None);
    }
    let Some(made) = made(&given.attestation, &asked.domain) else { return Ok(None) };
    with_room(tx, known.id)?;
    let id: Id<PasskeyKind> = world.id();
    let one = rows::Passkey {
        id,
        customer: known.id,
        person: known.person,
        domain: asked.domain,
        algorithm: made.algorithm,
        public_key: made.public_key,
        sign_count: made.sign_count,
        is_copied: made.is_copied,
        name: contact::seal(tx, world, known.person, name.as_bytes(), &id.bytes())?,
        made_at: world.now(),
        used_at: None,
        credential: made.credential,
    };
    if !rows::add(tx, &hash_of(&one.credential), &one)? {
        let why = "this passkey is registered already; sign in by it";
        return Err(Refusal::new(Code::AlreadyExists, why).at("credential").into());
    }
    emit(tx, actor, world, known.id, "customer.passkey_added", json!({ "passkey": id.to_string() }));
    Ok(Some(shown(one, name)))
}

/// The question that was answered, taken so that it is never answered again; none when it is unknown, too old, another's or was asked by
/// another page.
fn answered(
    tx: &mut Tx<'_>,
    world: &World,
    purpose: Purpose,
    client_data: &[u8],
) -> Result<Option<rows::Challenge>, Failure> {
    let Some(data) = ClientData::read(client_data) else { return Ok(None) };
    let taken = rows::take_challenge(tx, &Sha256::digest(&data.challenge).into())?;
    Ok(taken.filter(|asked| {
        asked.purpose == purpose
            && data.ceremony == purpose.ceremony()
            && data.origin == asked.origin
            && asked.expires_at > world.now()
    }))
}

/// Signs in whoever answers the question with a passkey; `None` when it does not fit, which uses the question up.
///
/// # Errors
/// [`Code::Forbidden`], and what going in refuses.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (given, entrance): (&Assertion, &Entrance),
) -> Result<Option<Opened>, Failure> {
    let channel = super::channel_for(tx, actor, &entrance.channel)?;
    let Some(asked) = answered(tx, world, Purpose::SignIn, &given.client_data)? else { return Ok(None) };
    let Some(one) = rows::find(tx, &hash_of(&given.credential))? else { return Ok(None) };
    let is_owners = given.owner.as_ref().is_none_or(|owner| owner[..] == one.customer.bytes());
    let said = Said::read(&given.said).filter(|said| said.holds_for(&Sha256::digest(&asked.domain).into()));
    let Some(said) = said.filter(|_| is_owners && one.domain == asked.domain) else { return Ok(None) };
    let message = [&given.said[..], &Sha256::digest(&given.client_data)].concat();
    if !signed::is_signed(one.algorithm, &one.public_key, &message, &given.signature) {
        return Ok(None);
    }
    if !rows::note_use(tx, &one, (i64::from(said.count), said.is_copied), world.now())? {
        // Two keep the same key: whoever copied it does not get in, and neither does its owner before he registers anew.
        let customer = store::customer::merged_into(tx, one.customer)?.unwrap_or(one.customer);
        let body = json!({ "passkey": one.id.to_string() });
        emit(tx, actor, world, customer, "customer.passkey_doubted", body);
        return Ok(None);
    }
    super::enter(tx, world, (one.customer, channel), entrance.cart, "passkey").map(Some)
}

/// The passkeys of a customer, the oldest first.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    id: Id<Customer>,
) -> Result<Vec<Passkey>, Failure> {
    customer::read(tx, actor, id)?;
    let mut all = Vec::new();
    for one in rows::list(tx, id, PASSKEYS_MAX)? {
        let name = contact::unseal(tx, world, one.person, &one.name, &one.id.bytes())?.unwrap_or_default();
        all.push(shown(one, String::from_utf8_lossy(&name).into_owned()));
    }
    Ok(all)
}

/// Calls a passkey something else.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Invalid`] at `name`; [`Code::Forbidden`].
pub fn rename(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customer, id): (Id<Customer>, Id<PasskeyKind>),
    name: &str,
) -> Result<Passkey, Failure> {
    let name = read_name(name)?;
    let one = changed(tx, actor, customer, id)?;
    let sealed = contact::seal(tx, world, one.person, name.as_bytes(), &id.bytes())?;
    rows::rename(tx, &one, &sealed)?;
    emit(tx, actor, world, customer, "customer.passkey_renamed", json!({ "passkey": id.to_string() }));
    Ok(shown(one, name))
}

/// Removes a passkey: nobody signs in by it any more.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Forbidden`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customer, id): (Id<Customer>, Id<PasskeyKind>),
) -> Result<(), Failure> {
    let one = changed(tx, actor, customer, id)?;
    rows::remove(tx, &hash_of(&one.credential), &one)?;
    emit(tx, actor, world, customer, "customer.passkey_removed", json!({ "passkey": id.to_string() }));
    Ok(())
}

/// A passkey that its owner, or who may change customers, wants changed.
fn changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: Id<Customer>,
    id: Id<PasskeyKind>,
) -> Result<rows::Passkey, Failure> {
    if actor.who != Who::Customer(customer) {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    let known = customer::stay(tx, customer)?;
    let found = rows::list(tx, known.id, PASSKEYS_MAX)?.into_iter().find(|one| one.id == id);
    Ok(found.ok_or_else(|| Refusal::not_found("passkey", id))?)
}

/// Forgets all passkeys of a customer who is erased.
///
/// # Errors
/// What the store says.
pub(crate) fn forget(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), Failure> {
    Ok(rows::remove_all(tx, customer)?)
}

/// The domain all passkeys are made for, if one is set, and its version.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn read_domain(tx: &mut Tx<'_>, actor: &Actor) -> Result<(Option<String>, i64), Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::domain(tx)?)
}

/// Sets the domain all passkeys are made for, so that they hold on every page below it; none makes them for the host of each page. Passkeys of
/// another domain are kept, and do not open until their domain is set again.
///
/// # Errors
/// [`Code::Stale`]; [`Code::Invalid`] at `domain`; [`Code::Forbidden`].
pub fn set_domain(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (domain, read): (Option<String>, Option<i64>),
) -> Result<(Option<String>, i64), Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let domain = domain.as_deref().map(read_domain_text).transpose()?;
    let version = rows::domain(tx)?.1;
    let stale =
        || Refusal::new(Code::Stale, "the domain was changed meanwhile; read it again and repeat the change");
    if read != Some(version) || !rows::set_domain(tx, domain.as_ref(), version)? {
        return Err(stale().into());
    }
    emit(tx, actor, world, "passkeys", "passkey_domain.changed", json!({ "version": version + 1 }));
    Ok((domain, version + 1))
}

fn read_domain_text(text: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::invalid("domain", "give the domain alone, such as shop.example");
    let text = text.trim().to_ascii_lowercase();
    let origin = Origin::parse(&format!("https://{text}")).map_err(|_| wrong())?;
    let is_name = host_of(&origin) == text
        && text.len() <= DOMAIN_CHARS_MAX
        && text.parse::<std::net::IpAddr>().is_err();
    let is_whole =
        text == "localhost" || (text.contains('.') && !text.starts_with('.') && !text.ends_with('.'));
    if is_name && is_whole { Ok(text) } else { Err(wrong()) }
}

fn read_name(name: &str) -> Result<String, Refusal> {
    text::bounded("name", name, 1, NAME_CHARS_MAX).map_err(|error| Refusal::invalid("name", error))
}

fn shown(one: rows::Passkey, name: String) -> Passkey {
    Passkey {
        id: one.id,
        name,
        domain: one.domain,
        is_copied: one.is_copied,
        made_at: one.made_at,
        used_at: one.used_at,
    }
}

fn hash_of(credential: &[u8]) -> [u8; 32] {
    Sha256::digest(credential).into()
}
