//! Locations and networks: making, changing and finding them, and whether the door is open.

pub mod area;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::location::{self as rules, Kind, Member};
use domain::value::hours::CutOffs;
use domain::value::{Address, Coordinates, Id, Instant, OpeningHours, Reference, Zone, id};
use serde_json::json;
use store::{Tx, location as rows};

pub use store::location::{Filter, Location, Network};

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external, job};

/// A location to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewLocation {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Parcels leave from here.
    pub can_ship: bool,
    /// Customers collect here.
    pub can_pick_up: bool,
    /// Suppliers and other locations deliver here.
    pub can_receive: bool,
    /// Customers bring goods back here.
    pub can_return: bool,
    /// The time zone of its clock on the wall.
    pub zone: Zone,
    /// When its door is open.
    pub hours: Option<OpeningHours>,
    /// Where it stands, without names.
    pub address: Option<Address>,
    /// Where it is on the map.
    pub coordinates: Option<Coordinates>,
    /// Until when it prepares orders the same day.
    pub cut_off: Option<CutOffs>,
    /// The most orders it prepares in a day.
    pub capacity: Option<i64>,
    /// How long it takes to prepare an order, in minutes of being open.
    pub preparation_minutes: i64,
}

/// What of a location is to change; `None` leaves it, `Some(None)` takes it away.
#[derive(Default, Clone, Debug)]
pub struct LocationChange {
    /// What people call it.
    pub name: Option<String>,
    /// What it is.
    pub kind: Option<Kind>,
    /// Parcels leave from here.
    pub can_ship: Option<bool>,
    /// Customers collect here.
    pub can_pick_up: Option<bool>,
    /// Suppliers and other locations deliver here.
    pub can_receive: Option<bool>,
    /// Customers bring goods back here.
    pub can_return: Option<bool>,
    /// It takes part in the trade.
    pub active: Option<bool>,
    /// The time zone of its clock on the wall.
    pub zone: Option<Zone>,
    /// When its door is open.
    pub hours: Option<Option<OpeningHours>>,
    /// Where it stands, without names.
    pub address: Option<Option<Address>>,
    /// Where it is on the map.
    pub coordinates: Option<Option<Coordinates>>,
    /// Until when it prepares orders the same day.
    pub cut_off: Option<Option<CutOffs>>,
    /// The most orders it prepares in a day.
    pub capacity: Option<Option<i64>>,
    /// How long it takes to prepare an order, in minutes of being open.
    pub preparation_minutes: Option<i64>,
}

/// A network to be made.
#[derive(Clone, Debug)]
pub struct NewNetwork {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// Its locations with their ranks; the lowest rank is asked first.
    pub members: Vec<(Reference<id::Location>, i64)>,
}

/// What of a network is to change.
#[derive(Clone, Debug)]
pub struct NetworkChange {
    /// What people call it.
    pub name: Option<String>,
    /// Its locations with their ranks, in place of those it has.
    pub members: Option<Vec<(Reference<id::Location>, i64)>>,
}

/// Whether a location is open, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The instant that was asked about.
    pub at: Instant,
    /// The door is open.
    pub open: bool,
    /// When it next opens.
    pub next_opening: Option<Instant>,
    /// When it next closes.
    pub next_closing: Option<Instant>,
    /// Until when the next orders are taken that are prepared the same day.
    pub next_cut_off: Option<Instant>,
}

/// Makes a location.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when its code or external id is taken.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewLocation,
) -> Result<Location, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let location = Location {
        id: world.id(),
        code: new.code,
        name: new.name,
        kind: new.kind,
        can_ship: new.can_ship,
        can_pick_up: new.can_pick_up,
        can_receive: new.can_receive,
        can_return: new.can_return,
        active: true,
        zone: new.zone,
        hours: new.hours,
        address: new.address,
        coordinates: new.coordinates,
        cut_off: new.cut_off,
        capacity: new.capacity.map(rules::capacity).transpose()?,
        preparation_minutes: rules::preparation_minutes(new.preparation_minutes)?,
        version: 1,
    };
    if !rows::add(tx, &location)? {
        return Err(edit::code_taken::<id::Location>(&location.code).into());
    }
    external::give(tx, location.id, new.external_id.as_deref())?;
    emit(
        tx,
        actor,
        world,
        location.id,
        "location.created",
        json!({ "code": location.code, "kind": location.kind.text() }),
    );
    Ok(location)
}

/// Changes a location.
///
/// # Errors
/// [`domain::Code::NotFound`]; [`domain::Code::Stale`] when it is not at the version given.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (location, version): (&Reference<id::Location>, Option<i64>),
    change: LocationChange,
) -> Result<Location, Failure> {
    let id = external::resolve(tx, location)?;
    actor.may(Permission::EditPlaces, Some(id))?;
    let mut location = load(tx, id)?;
    edit::unchanged(location.id, location.version, version)?;
    let may_serve_less = change.active.is_some()
        || change.can_ship.is_some()
        || change.hours.is_some()
        || change.capacity.is_some();
    apply(&mut location, change)?;
    if !rows::update(tx, &location)? {
        return Err(edit::stale(location.id).into());
    }
    location.version += 1;
    let body = json!({ "version": location.version, "active": location.active });
    emit(tx, actor, world, location.id, "location.changed", body);
    if may_serve_less {
        let now = world.now();
        job::enqueue(tx, world, "location.review", location.id, json!({}), now)?;
    }
    Ok(location)
}

fn apply(location: &mut Location, change: LocationChange) -> Result<(), Refusal> {
    set(&mut location.name, change.name);
    set(&mut location.kind, change.kind);
    set(&mut location.can_ship, change.can_ship);
    set(&mut location.can_pick_up, change.can_pick_up);
    set(&mut location.can_receive, change.can_receive);
    set(&mut location.can_return, change.can_return);
    set(&mut location.active, change.active);
    set(&mut location.zone, change.zone);
    set(&mut location.hours, change.hours);
    set(&mut location.address, change.address);
    set(&mut location.coordinates, change.coordinates);
    set(&mut location.cut_off, change.cut_off);
    set(&mut location.capacity, change.capacity);
    set(&mut location.preparation_minutes, change.preparation_minutes);
    location.capacity.map(rules::capacity).transpose()?;
    rules::preparation_minutes(location.preparation_minutes)?;
    Ok(())
}

/// A location.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, location: &Reference<id::Location>) -> Result<Location, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, location)?;
    load(tx, id)
}

fn load(tx: &mut Tx<'_>, id: Id<id::Location>) -> Result<Location, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("location", id).into())
}

/// Refuses a location to which nothing is delivered.
///
/// # Errors
/// [`domain::Code::NotFound`], or [`domain::Code::WrongState`].
pub(crate) fn must_receive(tx: &mut Tx<'_>, id: Id<id::Location>) -> Result<(), Failure> {
    let found = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("location", id).at("location"))?;
    if found.can_receive {
        return Ok(());
    }
    let message = format!("location \"{}\" does not receive goods; choose another", found.code);
    Err(Refusal::new(domain::Code::WrongState, message).at("location").into())
}

/// The locations after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: Filter,
    after: Id<id::Location>,
    limit: i64,
) -> Result<Vec<Location>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, filter, after, limit)?)
}

/// The locations nearest to a point, the nearest first, each with its distance in metres; at most `limit`.
/// Those that are not on the map are left out.
///
/// # Errors
/// What the store says.
pub fn nearest(
    tx: &mut Tx<'_>,
    actor: &Actor,
    filter: Filter,
    point: Coordinates,
    limit: i64,
) -> Result<Vec<(Location, u32)>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let points = rows::points(tx, filter)?;
    let mut distances: Vec<_> = points.into_iter().map(|(id, other)| (point.distance_m(other), id)).collect();
    distances.sort_unstable();
    distances.truncate(usize::try_from(limit).unwrap_or(0));
    let ids: Vec<_> = distances.iter().map(|(_, id)| *id).collect();
    let distance =
        |location: &Location| distances.iter().find(|(_, id)| *id == location.id).map(|(metres, _)| *metres);
    let mut found: Vec<_> = rows::among(tx, &ids)?
        .into_iter()
        .filter_map(|location| distance(&location).map(|metres| (location, metres)))
        .collect();
    found.sort_by_key(|(location, metres)| (*metres, location.id));
    Ok(found)
}

/// Whether a location is open at an instant, and what comes next. A place without hours is never open.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn opening(
    tx: &mut Tx<'_>,
    actor: &Actor,
    location: &Reference<id::Location>,
    at: Instant,
) -> Result<Opening, Failure> {
    let location = find(tx, actor, location)?;
    let (hours, zone) = (location.hours.as_ref(), &location.zone);
    Ok(Opening {
        at,
        open: hours.is_some_and(|hours| hours.is_open(at, zone)),
        next_opening: hours.and_then(|hours| hours.next_opening(at, zone)),
        next_closing: hours.and_then(|hours| hours.next_closing(at, zone)),
        next_cut_off: location.cut_off.as_ref().and_then(|cut_off| cut_off.next(at, zone)),
    })
}

/// Makes a network.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when its code or external id is taken; [`domain::Code::Invalid`] naming a member that cannot be.
pub fn create_network(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewNetwork,
) -> Result<Network, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let members = members(tx, new.members)?;
    let network = Network { id: world.id(), code: new.code, name: new.name, members, version: 1 };
    if !rows::add_network(tx, &network)? {
        return Err(edit::code_taken::<id::Network>(&network.code).into());
    }
    external::give(tx, network.id, new.external_id.as_deref())?;
    let body = json!({ "code": network.code, "members": network.members.len() });
    emit(tx, actor, world, network.id, "network.created", body);
    Ok(network)
}

/// Changes a network.
///
/// # Errors
/// [`domain::Code::NotFound`]; [`domain::Code::Stale`] when it is not at the version given; [`domain::Code::Invalid`] naming a member that cannot be.
pub fn update_network(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (network, version): (&Reference<id::Network>, Option<i64>),
    change: NetworkChange,
) -> Result<Network, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, network)?;
    let mut network = load_network(tx, id)?;
    edit::unchanged(network.id, network.version, version)?;
    set(&mut network.name, change.name);
    if let Some(references) = change.members {
        network.members = members(tx, references)?;
    }
    if !rows::update_network(tx, &network)? {
        return Err(edit::stale(network.id).into());
    }
    network.version += 1;
    let body = json!({ "version": network.version, "members": network.members.len() });
    emit(tx, actor, world, network.id, "network.changed", body);
    Ok(network)
}

/// The members meant by references, checked.
fn members(tx: &mut Tx<'_>, references: Vec<(Reference<id::Location>, i64)>) -> Result<Vec<Member>, Failure> {
    let mut members = Vec::with_capacity(references.len());
    for (place, (location, rank)) in references.iter().enumerate() {
        members.push((external::resolve_at(tx, &format!("members.{place}.location"), location)?, *rank));
    }
    let ids: Vec<_> = members.iter().map(|(location, _)| *location).collect();
    let known = rows::among(tx, &ids)?;
    for (place, location) in ids.iter().enumerate() {
        if !known.iter().any(|one| one.id == *location) {
            return Err(Refusal::invalid(
                format!("members.{place}.location"),
                format!("no location \"{location}\""),
            )
            .into());
        }
    }
    Ok(rules::members(members)?)
}

/// A network.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find_network(
    tx: &mut Tx<'_>,
    actor: &Actor,
    network: &Reference<id::Network>,
) -> Result<Network, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, network)?;
    load_network(tx, id)
}

fn load_network(tx: &mut Tx<'_>, id: Id<id::Network>) -> Result<Network, Failure> {
    rows::find_network(tx, id)?.ok_or_else(|| Refusal::not_found("network", id).into())
}

/// The networks after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_networks(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<id::Network>,
    limit: i64,
) -> Result<Vec<Network>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list_networks(tx, after, limit)?)
}
