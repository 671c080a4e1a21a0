//! The rows of webhooks: endpoints, how far each was sent the journal, and what became of each event.

pub mod lane;
pub mod message;

use domain::value::id::WebhookEndpoint;
use domain::value::target::Target;
use domain::value::{Id, Instant};
use domain::webhook::{Because, Kind, State};

use crate::{Row, StoreError, Tx, params};

/// Where events are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its identity.
    pub id: Id<WebhookEndpoint>,
    /// The address.
    pub target: Target,
    /// Which events; all when none is named.
    pub kinds: Vec<Kind>,
    /// What people say it is for.
    pub description: String,
    /// Is it sent anything?
    pub state: State,
    /// Why not.
    pub because: Option<Because>,
    /// What signs, sealed with the master key.
    pub secret: Vec<u8>,
    /// What signed before and still does until an instant, sealed too.
    pub old: Option<(Vec<u8>, Instant)>,
    /// When it was made.
    pub made_at: Instant,
    /// Rises with every change.
    pub version: i64,
}

fn endpoint(row: &mut Row<'_>) -> Result<Endpoint, StoreError> {
    let read = |text: &str| {
        let texts: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        texts.iter().map(|text| Kind::parse(text)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Endpoint {
        id: row.id()?,
        target: row.value(Target::parse)?,
        kinds: row.value(read)?,
        description: row.text()?,
        state: row.word(State::coded)?,
        because: row.word_or_null(Because::coded)?,
        secret: row.bytes()?,
        old: row.bytes_or_null()?.zip(row.instant_or_null()?),
        made_at: row.instant()?,
        version: row.int()?,
    })
}

fn kinds_text(kinds: &[Kind]) -> String {
    serde_json::Value::from_iter(kinds.iter().map(Kind::as_str)).to_string()
}

/// Adds an endpoint, as version 1.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Endpoint) -> Result<(), StoreError> {
    tx.execute(
        "insert into webhook_endpoint (endpoint_id, url, kinds, description, state, because, secret, old_secret, old_until, made_at, version)
         values ($1, $2, $3, $4, $5, null, $6, null, null, $7, 1)",
        params![
            new.id, new.target.url(), &kinds_text(&new.kinds), &new.description, new.state.code(), &new.secret, new.made_at
        ],
    )?;
    Ok(())
}

/// How many endpoints there are.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let counted = tx.one("select cast(count(*) as {int}) from webhook_endpoint", &[], |row| row.int())?;
    Ok(counted.unwrap_or(0))
}

/// An endpoint.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<WebhookEndpoint>) -> Result<Option<Endpoint>, StoreError> {
    tx.one(
        "select endpoint_id, url, kinds, description, state, because, secret, old_secret, old_until, made_at, version
         from webhook_endpoint where endpoint_id = $1",
        params![id],
        endpoint,
    )
}

/// An endpoint, held until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<WebhookEndpoint>) -> Result<Option<Endpoint>, StoreError> {
    tx.one(
        "select endpoint_id, url, kinds, description, state, because, secret, old_secret, old_until, made_at, version
         from webhook_endpoint where endpoint_id = $1 {lock}",
        params![id],
        endpoint,
    )
}

/// The endpoints after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<WebhookEndpoint>, limit: i64) -> Result<Vec<Endpoint>, StoreError> {
    tx.rows(
        "select endpoint_id, url, kinds, description, state, because, secret, old_secret, old_until, made_at, version
         from webhook_endpoint where endpoint_id > $1 order by endpoint_id limit $2",
        params![after, limit],
        endpoint,
    )
}

/// Changes an endpoint at its version; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Endpoint) -> Result<bool, StoreError> {
    let (old_secret, old_until) = one.old.as_ref().map(|(secret, until)| (secret, *until)).unzip();
    let changed = tx.execute(
        "update webhook_endpoint set url = $3, kinds = $4, description = $5, state = $6, because = $7, secret = $8, old_secret = $9,
             old_until = $10, version = version + 1
         where endpoint_id = $1 and version = $2",
        params![
            one.id, one.version, one.target.url(), &kinds_text(&one.kinds), &one.description, one.state.code(),
            one.because.map(Because::code), &one.secret, old_secret, old_until
        ],
    )?;
    Ok(changed == 1)
}

/// Removes an endpoint and its lanes. What became of its events is forgotten with time.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, id: Id<WebhookEndpoint>) -> Result<bool, StoreError> {
    let removed = tx.execute("delete from webhook_endpoint where endpoint_id = $1", params![id])?;
    tx.execute("delete from webhook_lane where endpoint_id = $1", params![id])?;
    Ok(removed == 1)
}
