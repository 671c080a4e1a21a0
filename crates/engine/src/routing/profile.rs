//! Routing profiles: written as drafts, active from an instant on, retired; and which channels and networks go by which.

use domain::actor::{Actor, Permission};
use domain::routing::condition::Condition;
use domain::routing::criterion::Measure;
use domain::routing::profile::{Profile, State, Strategy, Waiting, Waits};
use domain::value::id::{self, RoutingProfile};
use domain::value::{Currency, Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, routing as rows};

pub use store::routing::{Place, Version};

use crate::event::emit;
use crate::stock::availability::Reach;
use crate::{Failure, World, edit};

/// The most versions of one profile.
pub const VERSIONS_MAX: i64 = 1000;

/// What is not placed by the plain rule waits for goods.
pub(super) const FOR_GOODS: Waiting = (Waits::Goods, None);

/// The version of the profile that routes an order now; none when the plain rule does: the goods come from one place that was named,
/// nobody named a profile, or its amounts are in another currency than the order's.
pub(crate) fn of_order(
    tx: &mut Tx<'_>,
    now: Instant,
    (channel, currency): (Id<id::Channel>, Currency),
    reach: &Reach,
) -> Result<Option<Version>, Failure> {
    if reach.pinned {
        return Ok(None);
    }
    let version = of_channel(tx, now, (channel, reach.network))?;
    Ok(version.filter(|version| version.profile.costs().currency == currency))
}

/// The version of the profile that a channel's orders from a network are routed by at an instant.
///
/// # Errors
/// What the store says.
pub fn of_channel(
    tx: &mut Tx<'_>,
    at: Instant,
    (channel, network): (Id<id::Channel>, Id<id::Network>),
) -> Result<Option<Version>, Failure> {
    match rows::used_by(tx, (channel, network))? {
        Some(profile) => Ok(rows::in_force(tx, profile, at)?),
        None => Ok(None),
    }
}

/// Makes a profile; its first version is a draft.
///
/// # Errors
/// [`Code::Invalid`] naming what it names that does not exist.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    profile: Profile,
) -> Result<Version, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let id = world.id();
    add(tx, actor, world, (id, profile))
}

/// Begins the next version of a profile, as a draft that says what another version says.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Invalid`] for a version that does not exist; [`Code::WrongState`] while there is a draft already, or after very many versions.
pub fn draft(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, from): Which,
) -> Result<Version, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let known = versions_of(tx, id)?;
    let before = known.iter().find(|version| version.profile.version() == from);
    let before = before
        .ok_or_else(|| Refusal::invalid("from_version", format!("the profile has no version {from}")))?;
    if let Some(draft) = known.iter().find(|version| version.state == State::Draft) {
        let number = draft.profile.version();
        let message = format!("version {number} is a draft; change that one, or retire it");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let next = known.iter().map(|version| version.profile.version()).max().unwrap_or(0) + 1;
    if next > VERSIONS_MAX {
        let message = format!("the profile has {VERSIONS_MAX} versions; make a new profile");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    add(tx, actor, world, (id, before.profile.numbered(next)))
}

fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, profile): (Id<RoutingProfile>, Profile),
) -> Result<Version, Failure> {
    known(tx, &profile)?;
    let version =
        Version { id, profile, state: State::Draft, active_from: None, made_at: world.now(), revision: 1 };
    if !rows::add(tx, &version)? {
        return Err(edit::stale(id).into());
    }
    tell(tx, actor, world, &version, "routing_profile.drafted");
    Ok(version)
}

/// Writes a draft anew.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Stale`] when it was changed meanwhile; [`Code::WrongState`] unless it is a draft.
pub fn rewrite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (which, revision): (Which, i64),
    profile: Profile,
) -> Result<Version, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let mut version = read_version(tx, which)?;
    edit::unchanged(version.id, version.revision, Some(revision))?;
    if version.state != State::Draft {
        let message = format!("version {} is {}; begin the next version", which.1, version.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    known(tx, &profile)?;
    version.profile = profile;
    keep(tx, &mut version)?;
    tell(tx, actor, world, &version, "routing_profile.drafted");
    Ok(version)
}

/// Lets a draft route orders from an instant on. The version before it is retired as soon as this one does.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::WrongState`] unless it is a draft; [`Code::Invalid`] for an instant that is over.
pub fn activate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    from: Option<Instant>,
) -> Result<Version, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let mut version = read_version(tx, which)?;
    let from = from.unwrap_or(world.now());
    if from < world.now() {
        let message = "what was decided stays decided; give an instant to come, or none for now";
        return Err(Refusal::invalid("active_from", message).into());
    }
    version.state = version.state.to(State::Active)?;
    version.active_from = Some(from);
    keep(tx, &mut version)?;
    tell(tx, actor, world, &version, "routing_profile.activated");
    for mut other in versions_of(tx, version.id)? {
        let over = other.profile.version() != version.profile.version()
            && other.active_from.is_some_and(|since| since <= from)
            && from <= world.now();
        if other.state == State::Active && over {
            other.state = other.state.to(State::Retired)?;
            keep(tx, &mut other)?;
            tell(tx, actor, world, &other, "routing_profile.retired");
        }
    }
    Ok(version)
}

/// Ends a version. Without an active version the plain rule routes those who go by the profile.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::WrongState`] when it is retired already.
pub fn retire(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: Which) -> Result<Version, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let mut version = read_version(tx, which)?;
    version.state = version.state.to(State::Retired)?;
    keep(tx, &mut version)?;
    tell(tx, actor, world, &version, "routing_profile.retired");
    Ok(version)
}

/// Which version of which profile.
pub type Which = (Id<RoutingProfile>, i64);

/// The versions of a profile, the newest first.
///
/// # Errors
/// [`Code::NotFound`].
pub fn versions(tx: &mut Tx<'_>, actor: &Actor, id: Id<RoutingProfile>) -> Result<Vec<Version>, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    versions_of(tx, id)
}

/// A version of a profile.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<Version, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    read_version(tx, which)
}

/// The newest version of each profile after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<RoutingProfile>,
    limit: i64,
) -> Result<Vec<Version>, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    Ok(rows::list(tx, after, limit)?)
}

/// Lets the orders of a channel or network be routed by a profile, or by none of their own.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Invalid`] for a profile that does not exist; [`Code::CurrencyMismatch`] for one in another currency than
/// the channel's.
pub fn name(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    place: Place,
    profile: Option<Id<RoutingProfile>>,
) -> Result<(), Failure> {
    actor.may(Permission::EditRouting, None)?;
    let subject = exists(tx, place)?;
    if let Some(profile) = profile {
        let Some(newest) = rows::versions(tx, profile)?.into_iter().next() else {
            return Err(Refusal::invalid("profile", format!("no routing profile \"{profile}\"")).into());
        };
        if let Place::Channel(channel) = place {
            in_its_currency(tx, channel, &newest.profile)?;
        }
    }
    rows::name(tx, place, profile)?;
    let body = json!({ "profile": profile.map(|profile| profile.to_string()) });
    emit(tx, actor, world, subject, "routing_profile.named", body);
    Ok(())
}

/// The profile that a channel or network itself names.
///
/// # Errors
/// [`Code::NotFound`].
pub fn named_by(tx: &mut Tx<'_>, actor: &Actor, place: Place) -> Result<Option<Id<RoutingProfile>>, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    exists(tx, place)?;
    Ok(rows::named_by(tx, place)?)
}

fn exists(tx: &mut Tx<'_>, place: Place) -> Result<String, Failure> {
    let (is_there, name, kind) = match place {
        Place::Channel(id) => (store::market::find_channel(tx, id)?.is_some(), id.to_string(), "channel"),
        Place::Network(id) => (store::location::find_network(tx, id)?.is_some(), id.to_string(), "network"),
    };
    if is_there { Ok(name) } else { Err(Refusal::not_found(kind, name).into()) }
}

fn in_its_currency(tx: &mut Tx<'_>, channel: Id<id::Channel>, profile: &Profile) -> Result<(), Failure> {
    let channel = store::market::find_channel(tx, channel)?;
    let market = match &channel {
        Some(channel) => store::market::find_market(tx, channel.market)?,
        None => None,
    };
    let own = profile.costs().currency;
    if let (Some(channel), Some(market)) = (channel, market.filter(|market| market.currency != own)) {
        let message =
            format!("channel \"{}\" sells in {}, the profile counts in {own}", channel.code, market.currency);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("profile").into());
    }
    Ok(())
}

/// Everything a profile names exists.
fn known(tx: &mut Tx<'_>, profile: &Profile) -> Result<(), Failure> {
    let mut refusals = Vec::new();
    for (place, one) in profile.costs().tariffs.iter().enumerate() {
        let path = format!("costs.tariffs.{place}.locations");
        refusals.extend(unknown(tx, &path, one.locations.iter().copied())?);
    }
    for (place, strategy) in profile.strategies().iter().enumerate() {
        refusals.extend(unknown_of(tx, &format!("strategies.{place}"), strategy)?);
    }
    refusals.extend(unknown_of(tx, "fallback", profile.fallback())?);
    match Refusal::all(refusals) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn unknown_of(tx: &mut Tx<'_>, path: &str, strategy: &Strategy) -> Result<Vec<Refusal>, Failure> {
    let mut refusals = Vec::new();
    for (place, condition) in strategy.conditions.iter().enumerate() {
        let path = format!("{path}.conditions.{place}");
        refusals.extend(match condition {
            Condition::Channel(ids) => unknown(tx, &format!("{path}.any_of"), ids.iter().copied())?,
            Condition::Market(ids) => unknown(tx, &format!("{path}.any_of"), ids.iter().copied())?,
            Condition::Category(ids) => {
                let mut missing = Vec::new();
                for (at, id) in ids.iter().enumerate() {
                    if store::catalogue::category::find(tx, *id)?.is_none() {
                        let field = format!("{path}.any_of.{at}");
                        missing.push(Refusal::invalid(field, format!("no category \"{id}\"")));
                    }
                }
                missing
            }
            Condition::Variant(ids) => {
                let ids: Vec<_> = ids.iter().copied().collect();
                let known = store::catalogue::variants(tx, &ids)?;
                let lacks = |(at, id): (usize, &Id<id::Variant>)| {
                    let field = format!("{path}.any_of.{at}");
                    let is_known = known.iter().any(|variant| variant.id == *id);
                    (!is_known).then(|| Refusal::invalid(field, format!("no variant \"{id}\"")))
                };
                ids.iter().enumerate().filter_map(lacks).collect()
            }
            _ => Vec::new(),
        });
    }
    for (place, criterion) in strategy.criteria.iter().enumerate() {
        if let Measure::List(ids) = &criterion.measure {
            refusals.extend(unknown(tx, &format!("{path}.criteria.{place}.list"), ids.iter().copied())?);
        }
    }
    Ok(refusals)
}

fn unknown<K: domain::value::Kind>(
    tx: &mut Tx<'_>,
    path: &str,
    ids: impl Iterator<Item = Id<K>>,
) -> Result<Vec<Refusal>, Failure> {
    let mut refusals = Vec::new();
    for (place, id) in ids.enumerate() {
        if !store::external::exists(tx, id)? {
            refusals.push(Refusal::invalid(format!("{path}.{place}"), format!("no {} \"{id}\"", K::NAME)));
        }
    }
    Ok(refusals)
}

fn versions_of(tx: &mut Tx<'_>, id: Id<RoutingProfile>) -> Result<Vec<Version>, Failure> {
    let found = rows::versions(tx, id)?;
    if found.is_empty() { Err(Refusal::not_found("routing profile", id).into()) } else { Ok(found) }
}

fn read_version(tx: &mut Tx<'_>, (id, number): Which) -> Result<Version, Failure> {
    let found = versions_of(tx, id)?.into_iter().find(|version| version.profile.version() == number);
    found.ok_or_else(|| Refusal::not_found("version", number).into())
}

fn keep(tx: &mut Tx<'_>, version: &mut Version) -> Result<(), Failure> {
    if !rows::update(tx, version)? {
        return Err(edit::stale(version.id).into());
    }
    version.revision += 1;
    Ok(())
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, version: &Version, kind: &'static str) {
    let body = json!({
        "version": version.profile.version(), "state": version.state.text(),
        "active_from": version.active_from.map(|at| at.to_string())
    });
    emit(tx, actor, world, version.id, kind, body);
}
