//! The rows of payment accounts, and of what moved at them.

use domain::payment::account::{Kind, Scope};
use domain::value::id::PaymentAccount;
use domain::value::{Currency, Id};

use crate::{Row, StoreError, Tx, params};

/// Where the retailer has payments taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its identity.
    pub id: Id<PaymentAccount>,
    /// The short word it goes by; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Whose account it is.
    pub kind: Kind,
    /// Where it is asked, if not where its kind always is.
    pub url: Option<String>,
    /// What we ask with, sealed with the master key.
    pub secret_key: Vec<u8>,
    /// What signs its messages to us, sealed with the master key.
    pub webhook_secret: Option<Vec<u8>>,
    /// What it takes.
    pub scope: Scope,
    /// New payments are taken by it.
    pub active: bool,
    /// Rises with every change.
    pub version: i64,
}

fn account(row: &mut Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        kind: row.word(Kind::coded)?,
        url: row.text_or_null()?,
        secret_key: row.bytes()?,
        webhook_secret: row.bytes_or_null()?,
        scope: Scope { channel: row.id_or_null()?, currency: row.value_or_null(Currency::parse)? },
        active: row.yes()?,
        version: row.int()?,
    })
}

/// Adds an account, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Account) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into payment_account (account_id, code, name, kind, url, secret_key, webhook_secret, channel_id, currency, active, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1) on conflict (code) do nothing",
        params![
            new.id, &new.code, &new.name, new.kind.code(), new.url.as_ref(), &new.secret_key, new.webhook_secret.as_ref(),
            new.scope.channel, new.scope.currency.map(|currency| currency.code()), new.active
        ],
    )?;
    Ok(made == 1)
}

/// An account.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<PaymentAccount>) -> Result<Option<Account>, StoreError> {
    tx.one(
        "select account_id, code, name, kind, url, secret_key, webhook_secret, channel_id, currency, active, version
         from payment_account where account_id = $1",
        params![id],
        account,
    )
}

/// The accounts after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<PaymentAccount>, limit: i64) -> Result<Vec<Account>, StoreError> {
    tx.rows(
        "select account_id, code, name, kind, url, secret_key, webhook_secret, channel_id, currency, active, version
         from payment_account where account_id > $1 order by account_id limit $2",
        params![after, limit],
        account,
    )
}

/// Changes an account at a version; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Account) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update payment_account set name = $3, url = $4, secret_key = $5, webhook_secret = $6, active = $7, version = version + 1
         where account_id = $1 and version = $2",
        params![
            one.id, one.version, &one.name, one.url.as_ref(), &one.secret_key, one.webhook_secret.as_ref(), one.active
        ],
    )?;
    Ok(changed == 1)
}
