//! Payment accounts: where the retailer has payments taken, with the secrets for it, and which account takes a payment.

use domain::actor::{Actor, Permission};
use domain::payment::account::Scope;
use domain::value::id::{Channel, PaymentAccount};
use domain::value::{Currency, Id, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::payment::account as rows;

pub use domain::payment::account::Kind;
pub use store::payment::account::Account;

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, Keyring, World, external};

/// The most accounts of a retailer.
pub const ACCOUNTS_MAX: i64 = 200;
/// The most characters of a secret.
const SECRET_LENGTH_MAX: usize = 255;
/// What the two secrets are sealed for, beside their account.
const KEY: &[u8] = b"key";
const WEBHOOK: &[u8] = b"webhook";

/// An account to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// Whose account it is; never changed.
    pub kind: Kind,
    /// Where it is asked, if not where its kind always is.
    pub url: Option<String>,
    /// What we ask with.
    pub secret_key: String,
    /// What signs its messages to us; without it none is heard.
    pub webhook_secret: Option<String>,
    /// What it takes; never changed.
    pub scope: Scope,
}

/// What of an account is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// What people call it.
    pub name: Option<String>,
    /// Where it is asked; another address needs the secret key again.
    pub url: Option<String>,
    /// What we ask with.
    pub secret_key: Option<String>,
    /// What signs its messages to us.
    pub webhook_secret: Option<String>,
    /// New payments are taken by it.
    pub active: Option<bool>,
}

/// Makes an account.
///
/// # Errors
/// [`Code::AlreadyExists`] for a used code or external id; [`Code::Invalid`] for secrets that are none; [`Code::WrongState`] for too many.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewAccount,
) -> Result<Account, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id: Id<PaymentAccount> = world.id();
    check(Some(&new.secret_key), new.webhook_secret.as_deref())?;
    if rows::list(tx, Id::from_bytes([0; 16]), ACCOUNTS_MAX)?.len() as i64 >= ACCOUNTS_MAX {
        let message = format!("there are {ACCOUNTS_MAX} payment accounts already; change one of them");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let account = Account {
        id,
        code: new.code,
        name: new.name,
        kind: new.kind,
        url: new.url,
        secret_key: sealed(world, id, KEY, &new.secret_key),
        webhook_secret: new.webhook_secret.map(|secret| sealed(world, id, WEBHOOK, &secret)),
        scope: new.scope,
        active: true,
        version: 1,
    };
    if !rows::add(tx, &account)? {
        return Err(edit::code_taken::<PaymentAccount>(&account.code).into());
    }
    external::give(tx, id, new.external_id.as_deref())?;
    let body = json!({ "code": account.code, "kind": account.kind.text() });
    emit(tx, actor, world, id, "payment_account.created", body);
    Ok(account)
}

fn check(secret_key: Option<&str>, webhook_secret: Option<&str>) -> Result<(), Refusal> {
    let good = |secret: &str| {
        (1..=SECRET_LENGTH_MAX).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let mut refusals = Vec::new();
    if secret_key.is_some_and(|secret| !good(secret) || secret.starts_with("pk_")) {
        let message =
            "give the secret key, such as sk_live_… or a restricted rk_live_…, not the publishable one";
        refusals.push(Refusal::invalid("secret_key", message));
    }
    if webhook_secret.is_some_and(|secret| !good(secret)) {
        let message = "give the signing secret of the webhook endpoint, such as whsec_…";
        refusals.push(Refusal::invalid("webhook_secret", message));
    }
    Refusal::all(refusals).map_or(Ok(()), Err)
}

fn sealed(world: &mut World, id: Id<PaymentAccount>, what: &[u8], secret: &str) -> Vec<u8> {
    let nonce = world.bytes();
    world.keyring().seal_secret(nonce, secret.as_bytes(), &context(id, what))
}

fn context(id: Id<PaymentAccount>, what: &[u8]) -> Vec<u8> {
    [&id.bytes()[..], what].concat()
}

/// What we ask with.
pub fn secret_key(keyring: &Keyring, account: &Account) -> Option<String> {
    opened(keyring, account.id, KEY, &account.secret_key)
}

/// What signs its messages to us; none when none is set.
pub fn webhook_secret(keyring: &Keyring, account: &Account) -> Option<String> {
    opened(keyring, account.id, WEBHOOK, account.webhook_secret.as_ref()?)
}

fn opened(keyring: &Keyring, id: Id<PaymentAccount>, what: &[u8], sealed: &[u8]) -> Option<String> {
    String::from_utf8(keyring.open_secret(sealed, &context(id, what))?).ok()
}

/// Changes an account that is still at the version that was read.
///
/// # Errors
/// [`Code::Stale`], or as [`create`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<PaymentAccount>, Option<i64>),
    change: AccountChange,
) -> Result<Account, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let mut account = load(tx, id)?;
    edit::unchanged(id, account.version, version)?;
    check(change.secret_key.as_deref(), change.webhook_secret.as_deref())?;
    if change.url.is_some() && change.url != account.url && change.secret_key.is_none() {
        let message = "give the secret key again: a key that is kept is not sent to another address";
        return Err(Refusal::invalid("secret_key", message).into());
    }
    set(&mut account.name, change.name);
    set(&mut account.active, change.active);
    account.url = change.url.or(account.url);
    if let Some(secret) = change.secret_key {
        account.secret_key = sealed(world, id, KEY, &secret);
    }
    if let Some(secret) = change.webhook_secret {
        account.webhook_secret = Some(sealed(world, id, WEBHOOK, &secret));
    }
    if !rows::change(tx, &account)? {
        return Err(edit::stale(id).into());
    }
    account.version += 1;
    emit(tx, actor, world, id, "payment_account.changed", json!({ "version": account.version }));
    Ok(account)
}

/// An account.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn load(tx: &mut Tx<'_>, id: Id<PaymentAccount>) -> Result<Account, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("payment account", id).into())
}

/// An account, for who may see places.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, account: &Reference<PaymentAccount>) -> Result<Account, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, account)?;
    load(tx, id)
}

/// The accounts after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<PaymentAccount>,
    limit: i64,
) -> Result<Vec<Account>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The account that takes a payment: of the active ones the most particular, the oldest of several.
///
/// # Errors
/// [`Code::Invalid`] at `kind` when none does.
pub(crate) fn takes(
    tx: &mut Tx<'_>,
    kind: Kind,
    (channel, currency): (Id<Channel>, Currency),
) -> Result<Id<PaymentAccount>, Failure> {
    let mut best: Option<(u8, Id<PaymentAccount>)> = None;
    for account in rows::list(tx, Id::from_bytes([0; 16]), ACCOUNTS_MAX)? {
        let fit = account.scope.fit(channel, currency).filter(|_| account.active && account.kind == kind);
        if fit.is_some_and(|fit| best.is_none_or(|(so_far, _)| fit > so_far)) {
            best = fit.map(|fit| (fit, account.id));
        }
    }
    let missing = || {
        let message = format!(
            "no active {} account takes {} in this channel; set one up, or choose another means of payment",
            kind.text(),
            currency.code()
        );
        Refusal::invalid("kind", message)
    };
    Ok(best.ok_or_else(missing)?.1)
}
