//! The sign-ons of a retailer: other programs that say who somebody is, with what we share with them.

use domain::actor::{Actor, Permission};
use domain::sign_in::sign_on::{Audience, PROVIDERS_MAX};
use domain::value::id::SignOnProvider;
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::sign_in::sign_on as rows;

pub use store::sign_in::sign_on::Provider;

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, Keyring, World};

/// The most characters of a secret.
const SECRET_CHARS_MAX: usize = 1000;

/// A sign-on to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Whom it lets in.
    pub audience: Audience,
    /// Its address, as its tokens name it.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// What we share with it, if anything.
    pub secret: Option<String>,
    /// What we ask it for.
    pub scopes: String,
    /// What it calls an e-mail address.
    pub email_claim: String,
    /// What it calls a name.
    pub name_claim: String,
    /// Are its addresses believed though it does not say that they were seen?
    pub trusts_email: bool,
}

/// What of a sign-on is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ProviderChange {
    /// What people call it.
    pub name: Option<String>,
    /// Who we are to it.
    pub client_id: Option<String>,
    /// What we share with it; `Some(None)` for nothing.
    pub secret: Option<Option<String>>,
    /// What we ask it for.
    pub scopes: Option<String>,
    /// What it calls an e-mail address.
    pub email_claim: Option<String>,
    /// What it calls a name.
    pub name_claim: Option<String>,
    /// Are its addresses believed?
    pub trusts_email: Option<bool>,
    /// May people sign in by it?
    pub active: Option<bool>,
}

/// Makes a sign-on.
///
/// # Errors
/// [`Code::AlreadyExists`] for a used code; [`Code::Invalid`] naming the field; [`Code::WrongState`] for too many; [`Code::Forbidden`].
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewProvider,
) -> Result<Provider, Failure> {
    may_change(actor, new.audience)?;
    if rows::list(tx, Id::from_bytes([0; 16]), PROVIDERS_MAX)?.len() as i64 >= PROVIDERS_MAX {
        let why = format!("there are {PROVIDERS_MAX} sign-ons already; change one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let id: Id<SignOnProvider> = world.id();
    let provider = Provider {
        id,
        code: new.code,
        name: new.name,
        audience: new.audience,
        issuer: new.issuer,
        client_id: new.client_id,
        secret: new.secret.map(|secret| sealed(world, id, &secret)).transpose()?,
        scopes: read_scopes(&new.scopes)?,
        email_claim: new.email_claim,
        name_claim: new.name_claim,
        trusts_email: new.trusts_email,
        active: true,
        version: 1,
    };
    if !rows::add(tx, &provider)? {
        return Err(edit::code_taken::<SignOnProvider>(&provider.code).into());
    }
    emit(tx, actor, world, id, "sign_on_provider.created", json!({ "audience": provider.audience.text() }));
    Ok(provider)
}

/// Whoever says who a customer is could be any of them; whoever says who a member of staff is gives access.
fn may_change(actor: &Actor, audience: Audience) -> Result<(), Refusal> {
    match audience {
        Audience::Customers => actor.may(Permission::EditPlaces, None),
        Audience::Staff => actor.may(Permission::ManageAccess, None),
    }
}

fn sealed(world: &mut World, id: Id<SignOnProvider>, secret: &str) -> Result<Vec<u8>, Refusal> {
    let is_one =
        (1..=SECRET_CHARS_MAX).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_one {
        let why =
            format!("give the secret the sign-on gave us, at most {SECRET_CHARS_MAX} visible characters");
        return Err(Refusal::invalid("client_secret", why));
    }
    let nonce = world.bytes();
    Ok(world.keyring().seal_secret(nonce, secret.as_bytes(), &id.bytes()))
}

/// Without `openid` there is no token that says who somebody is.
fn read_scopes(scopes: &str) -> Result<String, Refusal> {
    let words: Vec<&str> = scopes.split_ascii_whitespace().collect();
    if words.contains(&"openid") {
        return Ok(words.join(" "));
    }
    Err(Refusal::invalid("scopes", "name openid among them, such as \"openid email profile\""))
}

/// What we share with a sign-on.
pub fn secret(keyring: &Keyring, provider: &Provider) -> Option<String> {
    let opened = keyring.open_secret(provider.secret.as_ref()?, &provider.id.bytes())?;
    String::from_utf8(opened).ok()
}

/// Changes a sign-on that is still at the version that was read.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`], or as [`create`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<SignOnProvider>, Option<i64>),
    change: ProviderChange,
) -> Result<Provider, Failure> {
    let mut provider = load(tx, id)?;
    may_change(actor, provider.audience)?;
    edit::unchanged(id, provider.version, version)?;
    set(&mut provider.name, change.name);
    set(&mut provider.client_id, change.client_id);
    set(&mut provider.email_claim, change.email_claim);
    set(&mut provider.name_claim, change.name_claim);
    set(&mut provider.trusts_email, change.trusts_email);
    set(&mut provider.active, change.active);
    set(&mut provider.scopes, change.scopes.as_deref().map(read_scopes).transpose()?);
    if let Some(secret) = change.secret {
        provider.secret = secret.map(|secret| sealed(world, id, &secret)).transpose()?;
    }
    if !rows::change(tx, &provider)? {
        return Err(edit::stale(id).into());
    }
    provider.version += 1;
    emit(tx, actor, world, id, "sign_on_provider.changed", json!({ "version": provider.version }));
    Ok(provider)
}

/// A sign-on.
///
/// # Errors
/// [`Code::NotFound`].
pub(super) fn load(tx: &mut Tx<'_>, id: Id<SignOnProvider>) -> Result<Provider, Failure> {
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("sign-on provider", id))?)
}

/// A sign-on, for who may see places.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<SignOnProvider>) -> Result<Provider, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    load(tx, id)
}

/// The sign-ons after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<SignOnProvider>,
    limit: i64,
) -> Result<Vec<Provider>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The sign-ons by which these people may sign in now.
///
/// # Errors
/// What the store says.
pub fn open_to(tx: &mut Tx<'_>, audience: Audience) -> Result<Vec<Provider>, Failure> {
    let all = rows::list(tx, Id::from_bytes([0; 16]), PROVIDERS_MAX)?;
    Ok(all.into_iter().filter(|one| one.active && one.audience == audience).collect())
}

/// The sign-on of this reference: an id, or the code it goes by.
///
/// # Errors
/// [`Code::NotFound`] when there is none, or it is closed to these people.
pub(super) fn named(
    tx: &mut Tx<'_>,
    reference: &Reference<SignOnProvider>,
    audience: Audience,
) -> Result<Provider, Failure> {
    let is_meant = |one: &Provider| match reference {
        Reference::Id(id) => one.id == *id,
        Reference::External(code) => one.code == *code,
    };
    let found = open_to(tx, audience)?.into_iter().find(is_meant);
    let name = match reference {
        Reference::Id(id) => id.to_string(),
        Reference::External(code) => code.clone(),
    };
    Ok(found.ok_or_else(|| Refusal::not_found("sign-on provider", name))?)
}
