//! Decisions: from where an order is served is kept with everything that was known, so that it can be asked why.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::routing::decision::Decision;
use domain::routing::reason::{self, Names};
use domain::value::Id;
use domain::value::id::{self, Location, RoutingDecision, Variant};
use serde_json::json;
use store::Tx;
use store::routing::{Version, decision as rows};

pub use store::routing::decision::Kept;

use super::Taking;
use crate::event::emit;
use crate::{Failure, World, order};

/// How long decisions are kept, in days: as long as somebody may ask why.
pub const KEPT_DAYS: i64 = 400;
/// The most decisions one round forgets.
const FORGET_BATCH: i64 = 500;

/// Keeps a decision and tells of it.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    (decision, version): (Decision, Option<&Version>),
) -> Result<(), Failure> {
    let kept = Kept {
        order: taking.of.order.id,
        id: world.id(),
        made_at: world.now(),
        occasion: taking.of.occasion,
        network: taking.reach.network,
        profile: version.map(|version| (version.id, version.profile.version())),
        currency: taking.of.order.currency,
        left_out: 0,
        decision,
    };
    rows::add(tx, &kept)?;
    let part = |(variant, quantity): (&Id<Variant>, &i64)| json!({ "variant": variant.to_string(), "quantity": quantity });
    let parts: Vec<_> = kept
        .decision
        .parts
        .iter()
        .map(|one| json!({ "location": one.location.to_string(), "lines": one.gives.iter().map(part).collect::<Vec<_>>() }))
        .collect();
    let body = json!({
        "decision": kept.id.to_string(), "occasion": kept.occasion.text(),
        "profile": kept.profile.map(|(profile, _)| profile.to_string()), "version": kept.profile.map(|(_, version)| version),
        "parts": parts, "cost": kept.decision.cost.total_minor(),
        "unplaced": kept.decision.unplaced.iter().map(|short| short.asked - short.found).sum::<i64>()
    });
    emit(tx, actor, world, kept.order, "routing.decided", body);
    Ok(())
}

/// The decisions of an order after one, in the order they were made.
///
/// # Errors
/// [`domain::Code::NotFound`], [`domain::Code::Forbidden`].
pub fn of_order(
    tx: &mut Tx<'_>,
    actor: &Actor,
    order: Id<id::Order>,
    after: Id<RoutingDecision>,
    limit: i64,
) -> Result<Vec<Kept>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    let order = order::find(tx, order)?;
    order::may_see(tx, actor, &order)?;
    Ok(rows::of_order(tx, order.id, after, limit)?)
}

/// Why a location sends what it sends of an order, or nothing: a few sentences; without a location, what was decided.
///
/// # Errors
/// [`domain::Code::NotFound`], [`domain::Code::Forbidden`].
pub fn why(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (order, id): (Id<id::Order>, Id<RoutingDecision>),
    location: Option<Id<Location>>,
) -> Result<Vec<String>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    let order = order::find(tx, order)?;
    order::may_see(tx, actor, &order)?;
    let kept = rows::find(tx, order.id, id)?.ok_or_else(|| Refusal::not_found("routing decision", id))?;
    let mut asked: Vec<_> = kept.decision.weighed.iter().map(|one| one.location).collect();
    asked.extend(location);
    let places = store::location::among(tx, &asked)?;
    let places: BTreeMap<_, _> = places.into_iter().map(|place| (place.id, place.name)).collect();
    if let Some(unknown) = location.filter(|location| !places.contains_key(location)) {
        return Err(Refusal::not_found("location", unknown).into());
    }
    let variants: Vec<_> = kept.decision.asked.keys().copied().collect();
    let variants = store::catalogue::variants(tx, &variants)?;
    let skus: BTreeMap<_, _> = variants.into_iter().map(|variant| (variant.id, variant.sku)).collect();
    let names = Names {
        currency: kept.currency,
        location: &|id| places.get(&id).cloned().unwrap_or_else(|| id.to_string()),
        variant: &|id| skus.get(&id).cloned().unwrap_or_else(|| id.to_string()),
    };
    let Some(location) = location else { return Ok(reason::summary(&kept.decision, &names)) };
    let is_named = kept.decision.weighed.iter().any(|one| one.location == location);
    if kept.left_out > 0 && !is_named {
        let message = format!(
            "{} may be one of {} further locations of which nothing was kept, because others could give more",
            (names.location)(location),
            kept.left_out
        );
        return Ok(vec![message]);
    }
    Ok(reason::why(&kept.decision, location, &names))
}

/// Forgets decisions that are old; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let before = world.now().plus_seconds(-KEPT_DAYS * 24 * 3600);
    Ok(rows::forget_before(tx, before, FORGET_BATCH)? >= FORGET_BATCH.unsigned_abs())
}
