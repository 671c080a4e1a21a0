//! The rows of decisions: from where an order was served and what was known then, each as one compact document.

use domain::routing::decision::{Decision, Occasion, Weighed};
use domain::value::id::{self, Network, Order, RoutingDecision, RoutingProfile};
use domain::value::{Currency, Id, Instant};

use super::document;
use crate::{Row, StoreError, Tx, params};

/// The most locations of which a decision keeps what was known.
pub const KEPT_MAX: usize = 200;

/// A decision as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The order.
    pub order: Id<Order>,
    /// Its identity.
    pub id: Id<RoutingDecision>,
    /// When it was made.
    pub made_at: Instant,
    /// What for.
    pub occasion: Occasion,
    /// The network that promised the goods.
    pub network: Id<Network>,
    /// The profile it went by and its version; none for the plain rule.
    pub profile: Option<(Id<RoutingProfile>, i64)>,
    /// The currency of its costs.
    pub currency: Currency,
    /// How many locations were looked at beyond those it still names.
    pub left_out: i64,
    /// The decision.
    pub decision: Decision,
}

fn kept(row: &mut Row<'_>) -> Result<Kept, StoreError> {
    let (order, id, made_at) = (row.id()?, row.id()?, row.instant()?);
    let (occasion, network) = (row.word(Occasion::coded)?, row.id()?);
    let (profile, version) = (row.id_or_null::<id::RoutingProfile>()?, row.int_or_null()?);
    Ok(Kept {
        order,
        id,
        made_at,
        occasion,
        network,
        profile: profile.zip(version),
        currency: row.value(Currency::parse)?,
        left_out: row.int()?,
        decision: row.value(document::decision)?,
    })
}

/// Keeps a decision. Of very many locations only those are named that send, and those that could give most.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Kept) -> Result<(), StoreError> {
    let all = &new.decision.weighed;
    let (text, left_out) = if all.len() <= KEPT_MAX {
        (document::of_decision(&new.decision, all), 0)
    } else {
        let sends = |one: &Weighed| new.decision.parts.iter().any(|part| part.location == one.location);
        let mut named: Vec<&Weighed> = all.iter().collect();
        let order = |one: &&Weighed| {
            let could: i64 = one.gives.values().sum();
            (!sends(one), one.excluded.is_some(), -could, one.scores.clone(), one.location)
        };
        named.sort_by_cached_key(order);
        named.truncate(KEPT_MAX);
        named.sort_by_key(|one| one.location);
        let named: Vec<Weighed> = named.into_iter().cloned().collect();
        (document::of_decision(&new.decision, &named), all.len() - named.len())
    };
    tx.execute(
        "insert into routing_decision (order_id, decision_id, made_at, occasion, network_id, profile_id, profile_version, currency,
             left_out, document)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            new.order,
            new.id,
            new.made_at,
            new.occasion.code(),
            new.network,
            new.profile.map(|(profile, _)| profile),
            new.profile.map(|(_, version)| version),
            new.currency.code(),
            left_out as i64,
            &text
        ],
    )?;
    Ok(())
}

/// The decisions of an order after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_order(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    after: Id<RoutingDecision>,
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    tx.rows(
        "select order_id, decision_id, made_at, occasion, network_id, profile_id, profile_version, currency, left_out, document
         from routing_decision where order_id = $1 and decision_id > $2 order by decision_id limit $3",
        params![order, after, limit],
        kept,
    )
}

/// A decision of an order.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, order: Id<Order>, id: Id<RoutingDecision>) -> Result<Option<Kept>, StoreError> {
    tx.one(
        "select order_id, decision_id, made_at, occasion, network_id, profile_id, profile_version, currency, left_out, document
         from routing_decision where order_id = $1 and decision_id = $2",
        params![order, id],
        kept,
    )
}

/// Forgets decisions made before an instant, at most `limit`; how many those were.
///
/// # Errors
/// What the store says.
pub fn forget_before(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from routing_decision where (order_id, decision_id) in
             (select order_id, decision_id from routing_decision where made_at < $1 order by made_at limit $2)",
        params![before, limit],
    )
}
