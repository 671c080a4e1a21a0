//! The rows of a network's locations as far as routing weighs them: what else a location is costs more to read, and clocks and opening hours
//! are read once for all that share them.

use std::collections::HashMap;

use domain::location::Kind;
use domain::value::id::{self, Network};
use domain::value::{Coordinates, Country, Id, OpeningHours, Zone};

use super::coordinates;
use crate::{StoreError, Tx, params};

/// A location that serves, with its rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The location.
    pub id: Id<id::Location>,
    /// Its rank in the network, the lowest first.
    pub rank: i64,
    /// What it is.
    pub kind: Kind,
    /// In which country it stands.
    pub country: Option<Country>,
    /// Where it is on the map.
    pub coordinates: Option<Coordinates>,
    /// The most orders it prepares in a day; none for no limit.
    pub capacity: Option<i64>,
    /// Which of the clocks it goes by.
    pub clock: usize,
}

/// A clock on the wall, and when doors are open by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The time zone.
    pub zone: Zone,
    /// When the door is open; none for a place without a door.
    pub hours: Option<OpeningHours>,
}

/// The active locations of a network, the best first, and the clocks they go by.
///
/// # Errors
/// What the store says.
pub fn of_network(tx: &mut Tx<'_>, network: Id<Network>) -> Result<(Vec<Serving>, Vec<Clock>), StoreError> {
    let mut clocks = Vec::new();
    let mut known: HashMap<(String, Option<String>), usize> = HashMap::new();
    let serving = tx.rows(
        "select location.location_id, rank, kind, country, latitude_micro, longitude_micro, capacity, zone, hours
         from network_member join location on location.location_id = network_member.location_id
         where network_id = $1 and active = 1 order by rank, location.location_id",
        params![network],
        |row| {
            let (id, rank, kind) = (row.id()?, row.int()?, row.word(Kind::coded)?);
            let country = row.value_or_null(Country::parse)?;
            let (coordinates, capacity) = (coordinates(row)?, row.int_or_null()?);
            let shown = (row.text()?, row.text_or_null()?);
            let clock = match known.get(&shown) {
                Some(clock) => *clock,
                None => {
                    clocks.push(clock(&shown)?);
                    known.insert(shown, clocks.len() - 1);
                    clocks.len() - 1
                }
            };
            Ok(Serving { id, rank, kind, country, coordinates, capacity, clock })
        },
    )?;
    Ok((serving, clocks))
}

fn clock((zone, hours): &(String, Option<String>)) -> Result<Clock, StoreError> {
    let zone = Zone::parse(zone).map_err(|error| StoreError::Corrupt(format!("zone: {error}")))?;
    let hours = hours.as_deref().map(OpeningHours::parse).transpose();
    Ok(Clock { zone, hours: hours.map_err(|error| StoreError::Corrupt(format!("hours: {error}")))? })
}

/// How many locations there are.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let found = tx.one("select count(*) from location", &[], |row| row.int())?;
    Ok(found.unwrap_or(0))
}
