//! Signing in by the retailer's own sign-on: somebody goes there, comes back with a code, and is the customer that its subject was said to be, or
//! the one with the address that it has verified, or a new one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::{Actor, Permission};
use domain::contact::{Card, Draft};
use domain::identity::{Identifier, Kind, Trust};
use domain::market::origin::Origin;
use domain::sign_in::sign_on::{AWAY_SECONDS, Audience, Claims, Expected};
use domain::value::id::{Customer, SignOnProvider};
use domain::value::{Email, Id, Instant, Reference};
use domain::{Code, Refusal};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use store::market::origin as origins;
use store::sign_in::sign_on as rows;
use store::{Tx, customer as customers};

use super::provider::{self, Provider};
use super::token::Discovery;
use super::{Entrance, Opened};
use crate::actor::session;
use crate::contact::Sought;
use crate::customer::{self, NewCustomer};
use crate::identity::{self, Seen};
use crate::{Failure, Keyring, World};

/// The most characters of an address somebody comes back to.
const ADDRESS_CHARS_MAX: usize = 500;
/// The most characters of a code that is brought back.
const CODE_CHARS_MAX: usize = 4096;

/// What does not stand for itself in a form.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Somebody who goes to a sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Where to.
    pub url: String,
    /// What he brings back.
    pub state: String,
    /// From when on it is too late.
    pub expires_at: Instant,
}

/// Somebody who came back.
#[derive(Clone)]
pub struct Back {
    /// From where.
    pub provider: Provider,
    /// To which address.
    pub redirect_uri: String,
    nonce: String,
    verifier: String,
}

/// What to ask the sign-on for a token with: headers, and a form.
pub type Question = (Vec<(&'static str, String)>, String);

/// The sign-on that customers, or members of staff, want to go to.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Forbidden`].
pub fn chosen(
    tx: &mut Tx<'_>,
    actor: &Actor,
    reference: &Reference<SignOnProvider>,
    audience: Audience,
) -> Result<Provider, Failure> {
    if audience == Audience::Customers {
        actor.may_somewhere(Permission::Shop)?;
    }
    provider::named(tx, reference, audience)
}

/// Sends somebody to a sign-on, to come back to a page of a channel's origins or our `own`; a member of staff comes back to ours only.
///
/// # Errors
/// [`Code::Invalid`] at `redirect_uri`.
pub fn leave(
    tx: &mut Tx<'_>,
    world: &mut World,
    (provider, discovery): (&Provider, &Discovery),
    (redirect_uri, own): (&str, Option<&Origin>),
) -> Result<Away, Failure> {
    check_redirect(tx, redirect_uri, own, provider.audience)?;
    let state = hexadecimal(&world.bytes::<32>());
    let expires_at = world.now().plus_seconds(AWAY_SECONDS);
    let attempt = rows::Attempt { provider: provider.id, redirect_uri: redirect_uri.to_owned(), expires_at };
    rows::add_attempt(tx, &Sha256::digest(&state).into(), &attempt)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier(world.keyring(), &state)));
    let asked = form(&[
        ("response_type", "code"),
        ("client_id", &provider.client_id),
        ("redirect_uri", redirect_uri),
        ("scope", &provider.scopes),
        ("state", &state),
        ("nonce", &nonce(world.keyring(), &state)),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let between = if discovery.authorization_endpoint.contains('?') { '&' } else { '?' };
    let url = format!("{}{between}{asked}", discovery.authorization_endpoint);
    Ok(Away { url, state, expires_at })
}

/// Is this a page people may come back to: of our `own` origin, or, for customers, of a channel's?
///
/// # Errors
/// [`Code::Invalid`] at `redirect_uri`.
pub fn check_redirect(
    tx: &mut Tx<'_>,
    address: &str,
    own: Option<&Origin>,
    audience: Audience,
) -> Result<(), Failure> {
    let wrong = |why: &str| Failure::from(Refusal::invalid("redirect_uri", why));
    let is_clean = address.len() <= ADDRESS_CHARS_MAX
        && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#@".contains(&byte));
    let host_at = address.find("://").map(|place| place + 3).filter(|_| is_clean);
    let path_at = host_at.and_then(|from| Some(from + address[from..].find('/')?));
    let origin = path_at.and_then(|end| Origin::parse(&address[..end]).ok());
    let origin =
        origin.ok_or_else(|| wrong("give the address of a page, such as https://shop.example/signed-in"))?;
    if own == Some(&origin) {
        return Ok(());
    }
    if audience == Audience::Staff {
        return Err(wrong("members of staff come back to a page of the shop itself"));
    }
    if origins::channels_with(tx, &origin)?.is_empty() {
        return Err(wrong("the page is not of an origin of an active channel; set it there first"));
    }
    Ok(())
}

// Neither is written down: both follow from the state, which only the browser keeps, and from the master key.
fn nonce(keyring: &Keyring, state: &str) -> String {
    hexadecimal(&keyring.lookup_hash("sign-on nonce", state))
}

fn verifier(keyring: &Keyring, state: &str) -> String {
    hexadecimal(&keyring.lookup_hash("sign-on verifier", state))
}

/// Takes back who went away with this state, once; none when it is unknown, used, too late, or the sign-on was closed meanwhile.
///
/// # Errors
/// What the store says.
pub fn come_back(
    tx: &mut Tx<'_>,
    world: &World,
    state: &str,
    audience: Audience,
) -> Result<Option<Back>, Failure> {
    if from_hexadecimal(state).is_none() {
        return Ok(None);
    }
    let taken = rows::take_attempt(tx, &Sha256::digest(state).into())?;
    let Some(attempt) = taken.filter(|one| one.expires_at > world.now()) else { return Ok(None) };
    let provider = provider::load(tx, attempt.provider)?;
    let (nonce, verifier) = (nonce(world.keyring(), state), verifier(world.keyring(), state));
    let is_open = provider.active && provider.audience == audience;
    Ok(is_open.then_some(Back { provider, redirect_uri: attempt.redirect_uri, nonce, verifier }))
}

impl Back {
    /// What the code that was brought back is exchanged with; none when it is no code.
    pub fn question(&self, keyring: &Keyring, discovery: &Discovery, code: &str) -> Option<Question> {
        let is_code = (1..=CODE_CHARS_MAX).contains(&code.len());
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ];
        let mut headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        let (id, secret) = (&self.provider.client_id, provider::secret(keyring, &self.provider));
        match &secret {
            Some(secret) if !discovery.posts_secret => {
                let pair = format!("{}:{}", encoded(id), encoded(secret));
                headers.push(("authorization", format!("Basic {}", STANDARD.encode(pair))));
            }
            Some(secret) => fields.extend([("client_id", id.as_str()), ("client_secret", secret)]),
            None => fields.push(("client_id", id)),
        }
        is_code.then(|| (headers, form(&fields)))
    }

    /// Why the token that was given for it is not believed; none when it is.
    pub fn doubt(&self, claims: &Claims, now: Instant) -> Option<&'static str> {
        claims.doubt(&Expected {
            issuer: &self.provider.issuer,
            client_id: &self.provider.client_id,
            nonce: &self.nonce,
            now: now.micros() / 1_000_000,
        })
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Signs in the customer a sign-on vouches for.
///
/// # Errors
/// [`Code::Forbidden`], and what making a customer refuses.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (provider, claims): (&Provider, &Claims),
    entrance: &Entrance,
) -> Result<Opened, Failure> {
    let channel = super::channel_for(tx, actor, &entrance.channel)?;
    let (customer, is_new) = vouched_for(tx, actor, world, provider, claims)?;
    let opened = super::enter(tx, world, (customer, channel), entrance.cart, "sign_on")?;
    Ok(Opened { is_new, ..opened })
}

/// The address the sign-on has seen to be the person's.
fn verified_email(provider: &Provider, claims: &Claims) -> Option<Email> {
    let said = claims.email.as_deref().filter(|_| claims.is_email_verified || provider.trusts_email)?;
    Email::parse(said).ok()
}

/// The customer a subject is: as was said before; or who has the verified address; or somebody new.
fn vouched_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    provider: &Provider,
    claims: &Claims,
) -> Result<(Id<Customer>, bool), Failure> {
    let hash =
        world.keyring().lookup_hash("sign-on subject", &format!("{}\n{}", provider.issuer, claims.subject));
    if let Some(known) = rows::customer_of(tx, &hash)? {
        return Ok((known, false));
    }
    let email = verified_email(provider, claims);
    let by_email = match &email {
        Some(email) => customers::by_email(tx, &Sought::Email(email.lookup_form()).hash(world.keyring()))?,
        None => None,
    };
    let customer = match by_email {
        Some(customer) => customer,
        None => newcomer(tx, actor, world, (provider, claims), email)?,
    };
    if !rows::link(tx, &hash, (provider.id, customer), world.now())? {
        // Somebody else said it meanwhile.
        return Err(tx.begin_anew().into());
    }
    let own = Identifier::new(Kind::UserId, None, &customer.to_string());
    if let (Ok(own), Ok(theirs)) =
        (own, Identifier::new(Kind::External, Some(&provider.code), &claims.subject))
    {
        let seen = Seen { identifiers: vec![own, theirs], trust: Trust::Internal, at: world.now() };
        identity::resolve(tx, actor, world, &[seen])?;
    }
    Ok((customer, by_email.is_none()))
}

fn newcomer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (provider, claims): (&Provider, &Claims),
    email: Option<Email>,
) -> Result<Id<Customer>, Failure> {
    let email = email.map(|email| email.as_str().to_owned());
    let named = |name: Option<String>| Card::new(&Draft { name, email: email.clone(), ..Draft::default() });
    // A name that cannot be kept keeps nobody out; who has neither name nor address is called what the sign-on is called.
    let card = match named(claims.name.clone()) {
        Ok(card) => card,
        Err(_) => named(Some(provider.name.clone()))?,
    };
    let new = NewCustomer { external_id: None, card, groups: Vec::new() };
    match customer::come(tx, actor, world, new) {
        Err(Failure::Refused(refusal)) if refusal.code() == Code::AlreadyExists => {
            Err(tx.begin_anew().into())
        }
        made => Ok(made?.id),
    }
}

/// Signs in the member of staff a sign-on vouches for, by the address it has verified.
///
/// # Errors
/// [`Code::SignInFailed`] when there is no such member, or the address is not verified.
pub fn open_staff(
    tx: &mut Tx<'_>,
    world: &mut World,
    (provider, claims): (&Provider, &Claims),
) -> Result<session::Opened, Failure> {
    let email = verified_email(provider, claims).ok_or_else(|| {
        let why = "the sign-on names no address that it has verified; sign in by your password";
        Refusal::new(Code::SignInFailed, why)
    })?;
    session::sign_in_vouched(tx, world, &email)
}

/// Forgets which subjects a customer who is erased was.
///
/// # Errors
/// What the store says.
pub(crate) fn forget(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), Failure> {
    Ok(rows::unlink_all(tx, customer)?)
}
