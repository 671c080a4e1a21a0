//! Locations as they are written over the API.

use domain::Refusal;
use domain::location::{Kind, PREPARATION_MINUTES};
use domain::value::hours::CutOffs;
use domain::value::{Address, AddressDraft, Coordinates, Instant, OpeningHours, Zone, id, reference, text};
use engine::location::{Location, LocationChange, NewLocation, Opening};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shape::{Fields, changed};

/// The most characters of a code.
pub(crate) const CODE_CHARS_MAX: usize = 60;

/// Where a location stands. People's addresses are contacts and have names.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaceAddress, example = json!({"street": ["1 Briggate"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"}))]
pub(crate) struct PlaceAddressShape {
    /// Street and house, 1 to 3 lines.
    #[schema(min_items = 1, max_items = 3)]
    street: Vec<String>,
    /// The town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    /// State, county or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// Two letters of ISO 3166-1.
    country: String,
}

impl From<&Address> for PlaceAddressShape {
    fn from(address: &Address) -> PlaceAddressShape {
        PlaceAddressShape {
            street: address.street().map(str::to_owned).collect(),
            city: address.city().map(str::to_owned),
            region: address.region().map(str::to_owned),
            postal_code: address.postal_code().map(str::to_owned),
            country: address.country().code().to_owned(),
        }
    }
}

impl PlaceAddressShape {
    fn read(&self, fields: &mut Fields) -> Option<Address> {
        let draft = AddressDraft {
            names: Vec::new(),
            company: None,
            street: self.street.clone(),
            city: self.city.clone(),
            region: self.region.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country.clone(),
        };
        let refuse = |errors: Vec<domain::value::address::AddressError>| {
            fields.within("address", |fields| {
                errors.iter().for_each(|error| fields.refuse(error.field(), error));
            });
        };
        Address::new(&draft).map_err(refuse).ok()
    }
}

/// A point on the map (WGS 84).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Coordinates, example = json!({"latitude": 53.797, "longitude": -1.5437}))]
pub(crate) struct CoordinatesShape {
    /// Degrees north of the equator; six digits after the point are kept.
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    /// Degrees east of Greenwich; six digits after the point are kept.
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
}

impl From<Coordinates> for CoordinatesShape {
    fn from(point: Coordinates) -> CoordinatesShape {
        let degrees = |micro: i32| f64::from(micro) / 1_000_000.0;
        CoordinatesShape {
            latitude: degrees(point.latitude_micro()),
            longitude: degrees(point.longitude_micro()),
        }
    }
}

impl CoordinatesShape {
    /// The point, or `None` with the refusal remembered.
    pub(crate) fn read(&self, fields: &mut Fields) -> Option<Coordinates> {
        let point = Coordinates::parse(&format!("{:.6}", self.latitude), &format!("{:.6}", self.longitude));
        fields.take("coordinates", point)
    }
}

/// A store, warehouse, supplier or virtual place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Location, example = json!({"id": "loc_01jd0000000000000000000000", "code": "leeds", "name": "Leeds, Briggate", "kind": "store",
    "can_ship": true, "can_pick_up": true, "can_receive": true, "can_return": true, "active": true, "time_zone": "Europe/London",
    "opening_hours": "mo-sa 09:00-18:00; 2026-12-25 closed", "address": {"street": ["1 Briggate"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"},
    "coordinates": {"latitude": 53.797, "longitude": -1.5437}, "cut_off": "mo-fr 15:00; sa 12:00", "capacity": 40, "preparation_minutes": 30, "version": 1}))]
pub(super) struct LocationShape {
    /// Its id.
    pub(super) id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: String,
    /// `store`, `warehouse`, `supplier` or `virtual`.
    kind: &'static str,
    /// Parcels leave from here.
    can_ship: bool,
    /// Customers collect here.
    can_pick_up: bool,
    /// Suppliers and other locations deliver here.
    can_receive: bool,
    /// Customers bring goods back here.
    can_return: bool,
    /// It takes part in the trade.
    active: bool,
    /// Its time zone in the IANA database.
    time_zone: String,
    /// When its door is open; absent for a place without a door.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<PlaceAddressShape>,
    /// Where it is on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    coordinates: Option<CoordinatesShape>,
    /// Until when it prepares orders the same day.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<String>,
    /// The most orders it prepares in a day; absent for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<i64>,
    /// How long it takes to prepare an order, in minutes of being open.
    preparation_minutes: i64,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// Metres from the point in `near`; only in answers to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<u32>,
}

impl From<&Location> for LocationShape {
    fn from(location: &Location) -> LocationShape {
        LocationShape {
            id: location.id.to_string(),
            code: location.code.clone(),
            name: location.name.clone(),
            kind: location.kind.text(),
            can_ship: location.can_ship,
            can_pick_up: location.can_pick_up,
            can_receive: location.can_receive,
            can_return: location.can_return,
            active: location.active,
            time_zone: location.zone.to_string(),
            opening_hours: location.hours.as_ref().map(ToString::to_string),
            address: location.address.as_ref().map(PlaceAddressShape::from),
            coordinates: location.coordinates.map(CoordinatesShape::from),
            cut_off: location.cut_off.as_ref().map(ToString::to_string),
            capacity: location.capacity,
            preparation_minutes: location.preparation_minutes,
            version: location.version,
            distance_m: None,
        }
    }
}

impl LocationShape {
    /// A location with its distance from the point that was asked about.
    pub(super) fn at_distance(location: &Location, metres: u32) -> LocationShape {
        LocationShape { distance_m: Some(metres), ..LocationShape::from(location) }
    }
}

/// A location to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLocation, example = json!({"code": "leeds", "name": "Leeds, Briggate", "kind": "store", "can_pick_up": true, "can_return": true,
    "time_zone": "Europe/London", "opening_hours": "mo-sa 09:00-18:00; 2026-12-25 closed",
    "address": {"street": ["1 Briggate"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"},
    "coordinates": {"latitude": 53.797, "longitude": -1.5437}, "cut_off": "mo-fr 15:00; sa 12:00", "capacity": 40}))]
pub(super) struct NewLocationShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// `store`, `warehouse`, `supplier` (drop-ship) or `virtual`.
    kind: String,
    /// Parcels leave from here; true when absent.
    can_ship: Option<bool>,
    /// Customers collect here; false when absent.
    can_pick_up: Option<bool>,
    /// Suppliers and other locations deliver here; true when absent.
    can_receive: Option<bool>,
    /// Customers bring goods back here; false when absent.
    can_return: Option<bool>,
    /// Its time zone in the IANA database, such as `Europe/London`.
    time_zone: String,
    /// When its door is open, such as `mo-fr 09:00-18:00; sa 10:00-16:00; 2026-12-25 closed`.
    opening_hours: Option<String>,
    /// Where it stands.
    address: Option<PlaceAddressShape>,
    /// Where it is on the map.
    coordinates: Option<CoordinatesShape>,
    /// Until when it prepares orders the same day, such as `mo-fr 15:00; sa 12:00`.
    cut_off: Option<String>,
    /// The most orders it prepares in a day, 0 to 1,000,000; no limit when absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    capacity: Option<i64>,
    /// How long it takes to prepare an order, in minutes of being open, 0 to 10,080; 30 when absent.
    #[schema(minimum = 0, maximum = 10_080)]
    preparation_minutes: Option<i64>,
}

impl NewLocationShape {
    pub(super) fn read(&self) -> Result<NewLocation, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, CODE_CHARS_MAX));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let external_id = fields.take_if(
            "external_id",
            self.external_id.as_deref(),
            reference::external_id::<id::Location>,
        );
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let zone = fields.take("time_zone", Zone::parse(&self.time_zone));
        let hours = fields.take_if("opening_hours", self.opening_hours.as_deref(), OpeningHours::parse);
        let cut_off = fields.take_if("cut_off", self.cut_off.as_deref(), CutOffs::parse);
        let address = self.address.as_ref().and_then(|address| address.read(&mut fields));
        let coordinates = self.coordinates.as_ref().and_then(|point| point.read(&mut fields));
        let read = (|| {
            Some(NewLocation {
                code: code?,
                name: name?,
                external_id: external_id?,
                kind: kind?,
                can_ship: self.can_ship.unwrap_or(true),
                can_pick_up: self.can_pick_up.unwrap_or(false),
                can_receive: self.can_receive.unwrap_or(true),
                can_return: self.can_return.unwrap_or(false),
                zone: zone?,
                hours: hours?,
                address,
                coordinates,
                cut_off: cut_off?,
                capacity: self.capacity,
                preparation_minutes: self.preparation_minutes.unwrap_or(PREPARATION_MINUTES),
            })
        })();
        fields.done(read)
    }
}

/// What of a location is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LocationChange, example = json!({"opening_hours": "mo-sa 09:00-19:00", "capacity": null, "active": true}))]
pub(super) struct LocationChangeShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// `store`, `warehouse`, `supplier` or `virtual`.
    kind: Option<String>,
    /// Parcels leave from here.
    can_ship: Option<bool>,
    /// Customers collect here.
    can_pick_up: Option<bool>,
    /// Suppliers and other locations deliver here.
    can_receive: Option<bool>,
    /// Customers bring goods back here.
    can_return: Option<bool>,
    /// False takes it out of the trade; it stays readable, and true brings it back.
    active: Option<bool>,
    /// Its time zone in the IANA database.
    time_zone: Option<String>,
    /// When its door is open.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    opening_hours: Option<Option<String>>,
    /// Where it stands.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<PlaceAddressShape>)]
    address: Option<Option<PlaceAddressShape>>,
    /// Where it is on the map.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<CoordinatesShape>)]
    coordinates: Option<Option<CoordinatesShape>>,
    /// Until when it prepares orders the same day.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    cut_off: Option<Option<String>>,
    /// The most orders it prepares in a day, 0 to 1,000,000.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000)]
    capacity: Option<Option<i64>>,
    /// How long it takes to prepare an order, in minutes of being open, 0 to 10,080.
    #[schema(minimum = 0, maximum = 10_080)]
    preparation_minutes: Option<i64>,
}

impl LocationChangeShape {
    pub(super) fn read(&self) -> Result<LocationChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_deref(), |name| {
            text::bounded("name", name, 1, text::NAME_CHARS_MAX)
        });
        let kind = fields.take_if("kind", self.kind.as_deref(), Kind::parse);
        let zone = fields.take_if("time_zone", self.time_zone.as_deref(), Zone::parse);
        let hours = fields.take_if("opening_hours", self.opening_hours.as_ref(), |hours| {
            hours.as_deref().map(OpeningHours::parse).transpose()
        });
        let cut_off = fields.take_if("cut_off", self.cut_off.as_ref(), |cut_off| {
            cut_off.as_deref().map(CutOffs::parse).transpose()
        });
        let address = self
            .address
            .as_ref()
            .map(|address| address.as_ref().and_then(|address| address.read(&mut fields)));
        let coordinates =
            self.coordinates.as_ref().map(|point| point.as_ref().and_then(|point| point.read(&mut fields)));
        let read = (|| {
            Some(LocationChange {
                name: name?,
                kind: kind?,
                can_ship: self.can_ship,
                can_pick_up: self.can_pick_up,
                can_receive: self.can_receive,
                can_return: self.can_return,
                active: self.active,
                zone: zone?,
                hours: hours?,
                address,
                coordinates,
                cut_off: cut_off?,
                capacity: self.capacity,
                preparation_minutes: self.preparation_minutes,
            })
        })();
        fields.done(read)
    }
}

/// Whether a location is open, and what comes next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Opening, example = json!({"at": "2026-11-21T09:30:00Z", "open": true, "next_opening": "2026-11-23T09:00:00Z",
    "next_closing": "2026-11-21T18:00:00Z", "next_cut_off": "2026-11-21T12:00:00Z"}))]
pub(super) struct OpeningShape {
    /// The instant that was asked about.
    at: String,
    /// The door is open.
    open: bool,
    /// When it next opens; absent if it does not within 800 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_opening: Option<String>,
    /// When it next closes; absent if it does not within 800 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_closing: Option<String>,
    /// Until when the next orders are taken that are prepared the same day.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cut_off: Option<String>,
}

impl From<Opening> for OpeningShape {
    fn from(opening: Opening) -> OpeningShape {
        let written = |at: Option<Instant>| at.map(|at| at.to_string());
        OpeningShape {
            at: opening.at.to_string(),
            open: opening.open,
            next_opening: written(opening.next_opening),
            next_closing: written(opening.next_closing),
            next_cut_off: written(opening.next_cut_off),
        }
    }
}
