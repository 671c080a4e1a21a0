//! The rows of locations and networks.

pub mod area;
pub mod serving;

use domain::location::{Kind, Member};
use domain::value::hours::CutOffs;
use domain::value::id;
use domain::value::{Address, AddressDraft, Coordinates, Id, OpeningHours, Zone};

use crate::{Param, Row, StoreError, Tx, params};

/// A store, warehouse, supplier or virtual place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its identity.
    pub id: Id<id::Location>,
    /// The short word it goes by in files; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
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
    /// It takes part in the trade; one that does not stays readable.
    pub active: bool,
    /// The time zone of its clock on the wall.
    pub zone: Zone,
    /// When its door is open; none for a place without a door.
    pub hours: Option<OpeningHours>,
    /// Where it stands, without names.
    pub address: Option<Address>,
    /// Where it is on the map.
    pub coordinates: Option<Coordinates>,
    /// Until when it prepares orders the same day.
    pub cut_off: Option<CutOffs>,
    /// The most orders it prepares in a day; none for no limit.
    pub capacity: Option<i64>,
    /// How long it takes to prepare an order, in minutes of being open.
    pub preparation_minutes: i64,
    /// Rises with every change.
    pub version: i64,
}

/// Locations that serve together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its identity.
    pub id: Id<id::Network>,
    /// The short word it goes by in files; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Its locations, each with its rank, the lowest first.
    pub members: Vec<Member>,
    /// Rises with every change.
    pub version: i64,
}

/// Which locations a list shows.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only those that are active, or only those that are not.
    pub active: Option<bool>,
}

fn location(row: &mut Row<'_>) -> Result<Location, StoreError> {
    Ok(Location {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        kind: row.word(Kind::coded)?,
        can_ship: row.yes()?,
        can_pick_up: row.yes()?,
        can_receive: row.yes()?,
        can_return: row.yes()?,
        active: row.yes()?,
        zone: row.value(Zone::parse)?,
        hours: row.value_or_null(OpeningHours::parse)?,
        cut_off: row.value_or_null(CutOffs::parse)?,
        capacity: row.int_or_null()?,
        preparation_minutes: row.int()?,
        address: address(row)?,
        coordinates: coordinates(row)?,
        version: row.int()?,
    })
}

/// Five columns: street lines, city, region, postal code, country; no country for no address.
fn address(row: &mut Row<'_>) -> Result<Option<Address>, StoreError> {
    let street = row.text_or_null()?.unwrap_or_default();
    let (city, region, postal_code) = (row.text_or_null()?, row.text_or_null()?, row.text_or_null()?);
    let Some(country) = row.text_or_null()? else { return Ok(None) };
    let street = street.lines().map(str::to_owned).collect();
    let draft = AddressDraft { names: Vec::new(), company: None, street, city, region, postal_code, country };
    let corrupt = |_| StoreError::Corrupt("a location has an address that fits on no label".into());
    Address::new(&draft).map(Some).map_err(corrupt)
}

/// Two columns in micro-degrees, or two nulls.
pub(crate) fn coordinates(row: &mut Row<'_>) -> Result<Option<Coordinates>, StoreError> {
    let (Some(latitude), Some(longitude)) = (row.int_or_null()?, row.int_or_null()?) else { return Ok(None) };
    let micro = |degrees| i32::try_from(degrees).unwrap_or(i32::MAX);
    let corrupt = |error| StoreError::Corrupt(format!("a location is not on the map: {error}"));
    Coordinates::from_micro(micro(latitude), micro(longitude)).map(Some).map_err(corrupt)
}

/// What the columns of a location hold, where it is not in the location as the engines take it.
struct Columns {
    kind: i64,
    zone: String,
    hours: Option<String>,
    cut_off: Option<String>,
    street: Option<String>,
    country: Option<&'static str>,
    latitude_micro: Option<i64>,
    longitude_micro: Option<i64>,
}

impl Columns {
    fn of(location: &Location) -> Columns {
        let street = |address: &Address| address.street().collect::<Vec<_>>().join("\n");
        Columns {
            kind: location.kind.code(),
            zone: location.zone.name().to_owned(),
            hours: location.hours.as_ref().map(ToString::to_string),
            cut_off: location.cut_off.as_ref().map(ToString::to_string),
            street: location.address.as_ref().map(street),
            country: location.address.as_ref().map(|address| address.country().code()),
            latitude_micro: location.coordinates.map(|point| point.latitude_micro().into()),
            longitude_micro: location.coordinates.map(|point| point.longitude_micro().into()),
        }
    }

    fn params<'a>(&'a self, location: &'a Location) -> [Param<'a>; 20] {
        let address = location.address.as_ref();
        [
            location.id.into(),
            (&location.name).into(),
            self.kind.into(),
            location.can_ship.into(),
            location.can_pick_up.into(),
            location.can_receive.into(),
            location.can_return.into(),
            location.active.into(),
            (&self.zone).into(),
            self.hours.as_ref().into(),
            self.cut_off.as_ref().into(),
            location.capacity.into(),
            location.preparation_minutes.into(),
            self.street.as_ref().into(),
            address.and_then(Address::city).into(),
            address.and_then(Address::region).into(),
            address.and_then(Address::postal_code).into(),
            self.country.into(),
            self.latitude_micro.into(),
            self.longitude_micro.into(),
        ]
    }
}

/// Adds a location, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, location: &Location) -> Result<bool, StoreError> {
    let columns = Columns::of(location);
    let mut params = columns.params(location).to_vec();
    params.push((&location.code).into());
    let made = tx.execute(
        "insert into location (location_id, name, kind, can_ship, can_pick_up, can_receive, can_return, active,
             zone, hours, cut_off, capacity, preparation_minutes, street, city, region, postal_code, country,
             latitude_micro, longitude_micro, code, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 1)
         on conflict (code) do nothing",
        &params,
    )?;
    Ok(made == 1)
}

/// Writes a location over the version it was read at, and raises the version; false when somebody else changed it
/// meanwhile. Its code stays; so it does for networks, markets and channels.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, location: &Location) -> Result<bool, StoreError> {
    let columns = Columns::of(location);
    let mut params = columns.params(location).to_vec();
    params.push(location.version.into());
    let changed = tx.execute(
        "update location set name = $2, kind = $3, can_ship = $4, can_pick_up = $5, can_receive = $6,
             can_return = $7, active = $8, zone = $9, hours = $10, cut_off = $11, capacity = $12,
             preparation_minutes = $13, street = $14, city = $15, region = $16, postal_code = $17, country = $18,
             latitude_micro = $19, longitude_micro = $20, version = version + 1
         where location_id = $1 and version = $21",
        &params,
    )?;
    Ok(changed == 1)
}

/// The location with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, location: Id<id::Location>) -> Result<Option<Location>, StoreError> {
    Ok(among(tx, &[location])?.pop())
}

/// The clock of a location that prepares only so many orders a day; none for one without a limit.
///
/// # Errors
/// What the store says.
pub fn clock_of_limited(tx: &mut Tx<'_>, location: Id<id::Location>) -> Result<Option<Zone>, StoreError> {
    tx.one(
        "select zone from location where location_id = $1 and capacity is not null",
        params![location],
        |row| row.value(Zone::parse),
    )
}

/// The locations with these ids, in the order of their ids; those that do not exist are left out.
///
/// # Errors
/// What the store says.
pub fn among(tx: &mut Tx<'_>, locations: &[Id<id::Location>]) -> Result<Vec<Location>, StoreError> {
    let ids: Vec<[u8; 16]> = locations.iter().map(|location| location.bytes()).collect();
    tx.rows(
        "select location_id, code, name, kind, can_ship, can_pick_up, can_receive, can_return, active,
             zone, hours, cut_off, capacity, preparation_minutes, street, city, region, postal_code, country,
             latitude_micro, longitude_micro, version
         from location where location_id {in ids $1} order by location_id",
        &[Param::Ids(&ids)],
        location,
    )
}

/// The locations after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    filter: Filter,
    after: Id<id::Location>,
    limit: i64,
) -> Result<Vec<Location>, StoreError> {
    tx.rows(
        "select location_id, code, name, kind, can_ship, can_pick_up, can_receive, can_return, active,
             zone, hours, cut_off, capacity, preparation_minutes, street, city, region, postal_code, country,
             latitude_micro, longitude_micro, version
         from location
         where location_id > $1 and kind = coalesce(cast($2 as {int}), kind) and active = coalesce(cast($3 as {int}), active)
         order by location_id limit $4",
        params![after, filter.kind.map(Kind::code), filter.active, limit],
        location,
    )
}

/// Where every location is that is on the map.
///
/// # Errors
/// What the store says.
pub fn points(tx: &mut Tx<'_>, filter: Filter) -> Result<Vec<(Id<id::Location>, Coordinates)>, StoreError> {
    let found = tx.rows(
        "select location_id, latitude_micro, longitude_micro from location
         where latitude_micro is not null
             and kind = coalesce(cast($1 as {int}), kind) and active = coalesce(cast($2 as {int}), active)",
        params![filter.kind.map(Kind::code), filter.active],
        |row| Ok((row.id()?, coordinates(row)?)),
    )?;
    Ok(found.into_iter().filter_map(|(location, point)| Some((location, point?))).collect())
}

/// Adds a network with its members, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_network(tx: &mut Tx<'_>, network: &Network) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into network (network_id, code, name, version) values ($1, $2, $3, 1) on conflict (code) do nothing",
        params![network.id, &network.code, &network.name],
    )?;
    if made == 1 {
        add_members(tx, network)?;
    }
    Ok(made == 1)
}

/// Writes a network and its members over the version it was read at, and raises the version; false when somebody else changed it meanwhile.
///
/// # Errors
/// What the store says.
pub fn update_network(tx: &mut Tx<'_>, network: &Network) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update network set name = $2, version = version + 1 where network_id = $1 and version = $3",
        params![network.id, &network.name, network.version],
    )?;
    if changed == 1 {
        tx.execute("delete from network_member where network_id = $1", params![network.id])?;
        add_members(tx, network)?;
    }
    Ok(changed == 1)
}

fn add_members(tx: &mut Tx<'_>, network: &Network) -> Result<(), StoreError> {
    for (location, rank) in &network.members {
        tx.execute(
            "insert into network_member (network_id, location_id, rank) values ($1, $2, $3)",
            params![network.id, *location, *rank],
        )?;
    }
    Ok(())
}

/// The network with this id, and its members.
///
/// # Errors
/// What the store says.
pub fn find_network(tx: &mut Tx<'_>, network: Id<id::Network>) -> Result<Option<Network>, StoreError> {
    let found = tx.one(
        "select network_id, code, name, version from network where network_id = $1",
        params![network],
        row_of_network,
    )?;
    Ok(with_members(tx, found.into_iter().collect())?.pop())
}

/// The networks after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_networks(
    tx: &mut Tx<'_>,
    after: Id<id::Network>,
    limit: i64,
) -> Result<Vec<Network>, StoreError> {
    let found = tx.rows(
        "select network_id, code, name, version from network where network_id > $1 order by network_id limit $2",
        params![after, limit],
        row_of_network,
    )?;
    with_members(tx, found)
}

/// A network without its members yet.
fn row_of_network(row: &mut Row<'_>) -> Result<Network, StoreError> {
    Ok(Network {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        version: row.int()?,
        members: Vec::new(),
    })
}

fn with_members(tx: &mut Tx<'_>, mut networks: Vec<Network>) -> Result<Vec<Network>, StoreError> {
    let ids: Vec<[u8; 16]> = networks.iter().map(|network| network.id.bytes()).collect();
    let members = tx.rows(
        "select network_id, location_id, rank from network_member where network_id {in ids $1}
         order by network_id, rank, location_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id::<id::Network>()?, row.id()?, row.int()?)),
    )?;
    for (network, location, rank) in members {
        if let Some(found) = networks.iter_mut().find(|one| one.id == network) {
            found.members.push((location, rank));
        }
    }
    Ok(networks)
}

/// The locations of a network that are active, each with its rank, the lowest first.
///
/// # Errors
/// What the store says.
pub fn network_members(
    tx: &mut Tx<'_>,
    network: Id<id::Network>,
) -> Result<Vec<(Location, i64)>, StoreError> {
    tx.rows(
        "select location.location_id, code, name, kind, can_ship, can_pick_up, can_receive, can_return, active,
             zone, hours, cut_off, capacity, preparation_minutes, street, city, region, postal_code, country,
             latitude_micro, longitude_micro, version, rank
         from network_member join location on location.location_id = network_member.location_id
         where network_id = $1 and active = 1 order by rank, location.location_id",
        params![network],
        |row| Ok((location(row)?, row.int()?)),
    )
}

/// A location of a network as far as distance and rank go; what else it is costs more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The location.
    pub id: Id<id::Location>,
    /// Parcels leave from here.
    pub can_ship: bool,
    /// Customers collect here.
    pub can_pick_up: bool,
    /// Where it is on the map.
    pub coordinates: Option<Coordinates>,
}

/// The active locations of a network, the best first.
///
/// # Errors
/// What the store says.
pub fn sites(tx: &mut Tx<'_>, network: Id<id::Network>) -> Result<Vec<Site>, StoreError> {
    tx.rows(
        "select location.location_id, can_ship, can_pick_up, latitude_micro, longitude_micro
         from network_member join location on location.location_id = network_member.location_id
         where network_id = $1 and active = 1 order by rank, location.location_id",
        params![network],
        |row| {
            let (id, can_ship, can_pick_up) = (row.id()?, row.yes()?, row.yes()?);
            Ok(Site { id, can_ship, can_pick_up, coordinates: coordinates(row)? })
        },
    )
}

/// The networks that share a location with a network, itself among them.
///
/// # Errors
/// What the store says.
pub fn overlapping_networks(
    tx: &mut Tx<'_>,
    network: Id<id::Network>,
) -> Result<Vec<Id<id::Network>>, StoreError> {
    tx.rows(
        "select distinct other.network_id from network_member mine
         join network_member other on other.location_id = mine.location_id where mine.network_id = $1",
        params![network],
        |row| row.id(),
    )
}
