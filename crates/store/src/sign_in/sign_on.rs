//! The rows of the retailer's own sign-ons, of those who are away at one, and of whom their subjects are.

use domain::sign_in::sign_on::Audience;
use domain::value::id::{Customer, SignOnProvider};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// Another program that says who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its identity.
    pub id: Id<SignOnProvider>,
    /// The short word it goes by; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Whom it lets in; never changed.
    pub audience: Audience,
    /// Its address, as its tokens name it; never changed.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// What we share with it, sealed with the master key.
    pub secret: Option<Vec<u8>>,
    /// What we ask it for.
    pub scopes: String,
    /// What it calls an e-mail address.
    pub email_claim: String,
    /// What it calls a name.
    pub name_claim: String,
    /// Are its addresses seen to be those of its people, though it does not say so?
    pub trusts_email: bool,
    /// People may sign in by it.
    pub active: bool,
    /// Rises with every change.
    pub version: i64,
}

fn provider(row: &mut Row<'_>) -> Result<Provider, StoreError> {
    Ok(Provider {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        audience: row.word(Audience::coded)?,
        issuer: row.text()?,
        client_id: row.text()?,
        secret: row.bytes_or_null()?,
        scopes: row.text()?,
        email_claim: row.text()?,
        name_claim: row.text()?,
        trusts_email: row.yes()?,
        active: row.yes()?,
        version: row.int()?,
    })
}

/// Adds a sign-on, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Provider) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into sign_on_provider (provider_id, code, name, audience, issuer, client_id, secret, scopes, email_claim, name_claim,
         trusts_email, active, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) on conflict (code) do nothing",
        params![
            new.id, &new.code, &new.name, new.audience.code(), &new.issuer, &new.client_id, new.secret.as_ref(), &new.scopes,
            &new.email_claim, &new.name_claim, new.trusts_email, new.active
        ],
    )?;
    Ok(made == 1)
}

/// A sign-on.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<SignOnProvider>) -> Result<Option<Provider>, StoreError> {
    tx.one(
        "select provider_id, code, name, audience, issuer, client_id, secret, scopes, email_claim, name_claim, trusts_email, active, version
         from sign_on_provider where provider_id = $1",
        params![id],
        provider,
    )
}

/// The sign-ons after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<SignOnProvider>, limit: i64) -> Result<Vec<Provider>, StoreError> {
    tx.rows(
        "select provider_id, code, name, audience, issuer, client_id, secret, scopes, email_claim, name_claim, trusts_email, active, version
         from sign_on_provider where provider_id > $1 order by provider_id limit $2",
        params![after, limit],
        provider,
    )
}

/// Changes a sign-on at a version; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Provider) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update sign_on_provider set name = $3, client_id = $4, secret = $5, scopes = $6, email_claim = $7, name_claim = $8,
         trusts_email = $9, active = $10, version = version + 1 where provider_id = $1 and version = $2",
        params![
            one.id, one.version, &one.name, &one.client_id, one.secret.as_ref(), &one.scopes, &one.email_claim, &one.name_claim,
            one.trusts_email, one.active
        ],
    )?;
    Ok(changed == 1)
}

/// Somebody who is away at a sign-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// At which.
    pub provider: Id<SignOnProvider>,
    /// Where he comes back to.
    pub redirect_uri: String,
    /// From when on it is too late.
    pub expires_at: Instant,
}

/// Notes by the hash of a state that somebody went away.
///
/// # Errors
/// What the store says.
pub fn add_attempt(tx: &mut Tx<'_>, hash: &[u8; 32], one: &Attempt) -> Result<(), StoreError> {
    tx.execute(
        "insert into sign_on_attempt (hash, provider_id, redirect_uri, expires_at) values ($1, $2, $3, $4)",
        params![&hash[..], one.provider, &one.redirect_uri, one.expires_at],
    )?;
    Ok(())
}

/// Takes an attempt, so that nobody comes back by it again; none when it was taken or never was.
///
/// # Errors
/// What the store says.
pub fn take_attempt(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Attempt>, StoreError> {
    tx.one(
        "delete from sign_on_attempt where hash = $1 returning provider_id, redirect_uri, expires_at",
        params![&hash[..]],
        |row| Ok(Attempt { provider: row.id()?, redirect_uri: row.text()?, expires_at: row.instant()? }),
    )
}

/// Forgets attempts from which nobody came back in time, at most `limit`; how many.
///
/// # Errors
/// What the store says.
pub fn forget_attempts(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<Vec<u8>> = tx.rows(
        "select hash from sign_on_attempt where expires_at < $1 order by expires_at limit $2",
        params![before, limit],
        |row| row.bytes(),
    )?;
    for hash in &old {
        tx.execute("delete from sign_on_attempt where hash = $1", params![&hash[..]])?;
    }
    Ok(old.len())
}

/// The customer a subject is, though merged into another since; none when nobody is, or he was erased.
///
/// # Errors
/// What the store says.
pub fn customer_of(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<Customer>>, StoreError> {
    tx.one(
        "select s.customer_id from sign_on_subject s join customer c on c.customer_id = s.customer_id
         where s.hash = $1 and c.erased_at is null",
        params![&hash[..]],
        |row| row.id(),
    )
}

/// Says which customer a subject is; false when that was said already.
///
/// # Errors
/// What the store says.
pub fn link(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    (provider, customer): (Id<SignOnProvider>, Id<Customer>),
    now: Instant,
) -> Result<bool, StoreError> {
    let linked = tx.execute(
        "insert into sign_on_subject (hash, provider_id, customer_id, made_at) values ($1, $2, $3, $4) on conflict (hash) do nothing",
        params![&hash[..], provider, customer, now],
    )?;
    Ok(linked == 1)
}

/// Which sign-ons say who these customers are, with their codes and since when, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customers(
    tx: &mut Tx<'_>,
    of: &[[u8; 16]],
    limit: i64,
) -> Result<Vec<(Id<SignOnProvider>, String, Instant)>, StoreError> {
    tx.rows(
        "select p.provider_id, p.code, s.made_at from sign_on_subject s join sign_on_provider p on p.provider_id = s.provider_id
         where s.customer_id {in ids $1} order by s.made_at, s.hash limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        |row| Ok((row.id()?, row.text()?, row.instant()?)),
    )
}

/// Forgets which subjects a customer was said to be since an instant; how many.
///
/// # Errors
/// What the store says.
pub fn unlink_since(tx: &mut Tx<'_>, customer: Id<Customer>, since: Instant) -> Result<u64, StoreError> {
    let sql = "delete from sign_on_subject where customer_id = $1 and made_at >= $2";
    tx.execute(sql, params![customer, since])
}

/// Forgets which subjects a customer is.
///
/// # Errors
/// What the store says.
pub fn unlink_all(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), StoreError> {
    tx.execute("delete from sign_on_subject where customer_id = $1", params![customer])?;
    Ok(())
}
