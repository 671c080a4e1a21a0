//! Locations from files: made, or changed where the external id or code is known.

use domain::actor::Actor;
use domain::import::{Outcome, cell};
use domain::location::{Kind, PREPARATION_MINUTES};
use domain::value::hours::CutOffs;
use domain::value::{Address, AddressDraft, Coordinates, OpeningHours, Reference, Zone, id, reference, text};
use store::Tx;

use super::row::{CellError, Cells};
use crate::location::{self, Location, LocationChange, NewLocation};
use crate::{Failure, World};

/// The most characters of a code.
const CODE_CHARS_MAX: usize = 60;

/// A row of a file of locations. What the file has no column for is `None` and stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    external_id: Option<String>,
    code: String,
    name: String,
    kind: Kind,
    zone: Zone,
    /// Ship, pick up, receive, return.
    can: Option<[bool; 4]>,
    active: Option<bool>,
    hours: Option<Option<OpeningHours>>,
    address: Option<Option<Address>>,
    coordinates: Option<Option<Coordinates>>,
    cut_off: Option<Option<CutOffs>>,
    capacity: Option<Option<i64>>,
    preparation_minutes: Option<i64>,
}

impl Row {
    pub fn key(&self) -> String {
        self.external_id.clone().unwrap_or_else(|| self.code.clone())
    }
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let external_id = row.may("external_id", reference::external_id::<id::Location>);
    let by = if row.said("code").is_empty() { "external_id" } else { "code" };
    let code = row.need(by, |said| text::bounded("code", said, 1, CODE_CHARS_MAX));
    let name = row.need("name", |said| text::bounded("name", said, 1, text::NAME_CHARS_MAX));
    let kind = row.need("kind", |said| Kind::parse(&said.to_lowercase()));
    let zone = row.need("time_zone", Zone::parse);
    let can = row.may("capabilities", capabilities);
    let active = row.may("active", cell::yes);
    let hours = row.may("opening_hours", OpeningHours::parse);
    let cut_off = row.may("cut_off", CutOffs::parse);
    let capacity = row.whole("capacity");
    let preparation_minutes = row.whole("preparation_minutes");
    let (address, coordinates) = (address(&mut row), coordinates(&mut row));
    let has = |name: &str| row.layout.has(name);
    let [has_can, has_hours, has_cut_off, has_capacity] =
        ["capabilities", "opening_hours", "cut_off", "capacity"].map(has);
    let read = (|| {
        let can = can?.unwrap_or_default();
        Some(Row {
            external_id: external_id?,
            code: code?,
            name: name?,
            kind: kind?,
            zone: zone?,
            can: has_can.then_some(can),
            active: active?,
            hours: hours.map(|hours| has_hours.then_some(hours))?,
            address: address?,
            coordinates: coordinates?,
            cut_off: cut_off.map(|cut_off| has_cut_off.then_some(cut_off))?,
            capacity: capacity.map(|capacity| has_capacity.then_some(capacity))?,
            preparation_minutes: preparation_minutes?,
        })
    })();
    row.done(read)
}

fn capabilities(said: &str) -> Result<[bool; 4], String> {
    let mut can = [false; 4];
    for word in said.split(|mark: char| mark.is_whitespace() || matches!(mark, ',' | '|' | ';')) {
        let place = match word.to_lowercase().as_str() {
            "" => continue,
            "ship" => 0,
            "pickup" | "pick_up" => 1,
            "receive" => 2,
            "return" => 3,
            _ => return Err("give any of ship, pickup, receive and return".into()),
        };
        can[place] = true;
    }
    Ok(can)
}

/// The address, where the file has columns for it; a country alone is none.
fn address(row: &mut Cells<'_>) -> Option<Option<Option<Address>>> {
    let parts = ["street", "city", "region", "postal_code"];
    if !parts.iter().any(|name| row.layout.has(name)) {
        return Some(None);
    }
    if parts.iter().all(|name| row.said(name).is_empty()) {
        return Some(Some(None));
    }
    let draft = AddressDraft {
        names: Vec::new(),
        company: None,
        street: row.said("street").split('|').map(|line| line.trim().to_owned()).collect(),
        city: row.text("city"),
        region: row.text("region"),
        postal_code: row.text("postal_code"),
        country: row.said("country").to_owned(),
    };
    match Address::new(&draft) {
        Ok(address) => Some(Some(Some(address))),
        Err(errors) => {
            errors.iter().for_each(|error| row.refuse(error.field(), error));
            None
        }
    }
}

fn coordinates(row: &mut Cells<'_>) -> Option<Option<Option<Coordinates>>> {
    if !row.layout.has("latitude") && !row.layout.has("longitude") {
        return Some(None);
    }
    let (latitude, longitude) = (row.said("latitude"), row.said("longitude"));
    if latitude.is_empty() && longitude.is_empty() {
        return Some(Some(None));
    }
    let point = Coordinates::parse(&latitude.replace(',', "."), &longitude.replace(',', "."));
    point.map(|point| Some(Some(point))).map_err(|error| row.refuse("latitude", error)).ok()
}

/// Makes or changes the location.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let by_id = match &row.external_id {
        Some(external_id) => store::external::find::<id::Location>(tx, external_id)?,
        None => None,
    };
    let known = match by_id {
        Some(id) => Some(id),
        // A code that is taken by a location of another external id is refused when it is made.
        None if row.external_id.is_none() => store::import::location_coded(tx, &row.code)?,
        None => None,
    };
    let Some(id) = known else {
        let made = location::create(tx, actor, world, new(row))?;
        if row.active == Some(false) {
            let change = LocationChange { active: Some(false), ..change(row) };
            location::update(tx, actor, world, (&Reference::Id(made.id), Some(made.version)), change)?;
        }
        return Ok(Outcome::Made);
    };
    let reference = Reference::Id(id);
    let before = location::find(tx, actor, &reference)?;
    if is_so(&before, row) {
        return Ok(Outcome::Same);
    }
    location::update(tx, actor, world, (&reference, Some(before.version)), change(row))?;
    Ok(Outcome::Changed)
}

fn new(row: &Row) -> NewLocation {
    let [can_ship, can_pick_up, can_receive, can_return] = row.can.unwrap_or([true, false, true, false]);
    NewLocation {
        code: row.code.clone(),
        name: row.name.clone(),
        external_id: row.external_id.clone(),
        kind: row.kind,
        can_ship,
        can_pick_up,
        can_receive,
        can_return,
        zone: row.zone.clone(),
        hours: row.hours.clone().flatten(),
        address: row.address.clone().flatten(),
        coordinates: row.coordinates.flatten(),
        cut_off: row.cut_off.clone().flatten(),
        capacity: row.capacity.flatten(),
        preparation_minutes: row.preparation_minutes.unwrap_or(PREPARATION_MINUTES),
    }
}

fn change(row: &Row) -> LocationChange {
    let can = |place: usize| row.can.map(|can| can[place]);
    LocationChange {
        name: Some(row.name.clone()),
        kind: Some(row.kind),
        can_ship: can(0),
        can_pick_up: can(1),
        can_receive: can(2),
        can_return: can(3),
        active: row.active,
        zone: Some(row.zone.clone()),
        hours: row.hours.clone(),
        address: row.address.clone(),
        coordinates: row.coordinates,
        cut_off: row.cut_off.clone(),
        capacity: row.capacity,
        preparation_minutes: row.preparation_minutes,
    }
}

/// Does the location say everything the row says?
fn is_so(location: &Location, row: &Row) -> bool {
    let can = [location.can_ship, location.can_pick_up, location.can_receive, location.can_return];
    location.name == row.name
        && location.kind == row.kind
        && location.zone == row.zone
        && row.can.is_none_or(|wanted| wanted == can)
        && row.active.is_none_or(|active| active == location.active)
        && row.hours.as_ref().is_none_or(|hours| *hours == location.hours)
        && row.address.as_ref().is_none_or(|address| *address == location.address)
        && row.coordinates.is_none_or(|point| point == location.coordinates)
        && row.cut_off.as_ref().is_none_or(|cut_off| *cut_off == location.cut_off)
        && row.capacity.is_none_or(|capacity| capacity == location.capacity)
        && row.preparation_minutes.is_none_or(|minutes| minutes == location.preparation_minutes)
}
