//! The rows of delivery methods.

pub mod sending;

use domain::catalogue::Wording;
use domain::delivery::{Area, Band, Kind, Measure, Rates};
use domain::value::id::{Channel, DeliveryMethod, Location, Network, TaxClass};
use domain::value::{Country, Currency, Id, OpeningHours};
use serde_json::{Value, json};

use crate::catalogue::json as wordings;
use crate::{Param, Row, StoreError, Tx, params};

/// A way to get goods to the customer, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its identity.
    pub id: Id<DeliveryMethod>,
    /// The short word it goes by in files; unique, and never changed.
    pub code: String,
    /// What people call it, in each language.
    pub name: Wording,
    /// How goods get to the customer.
    pub kind: Kind,
    /// The currency of its amounts, which is that of the markets it is offered in.
    pub currency: Currency,
    /// The countries parcels go to; empty when it is not a parcel.
    pub zone: Vec<Area>,
    /// What it costs.
    pub rates: Rates,
    /// How it is taxed.
    pub tax_class: Id<TaxClass>,
    /// The least and the most working days until the goods are there.
    pub lead_days: (i64, i64),
    /// When its carrier delivers; from Monday to Friday when none is given.
    pub delivery_hours: Option<OpeningHours>,
    /// The channels it is offered in, in order.
    pub channels: Vec<Id<Channel>>,
    /// The network at whose locations goods are collected.
    pub pickup_network: Option<Id<Network>>,
    /// The locations at which goods are collected, in order, when no network is named.
    pub pickup_locations: Vec<Id<Location>>,
    /// It is offered; one that is not stays readable.
    pub active: bool,
    /// Rises with every change.
    pub version: i64,
}

/// A method without its channels and locations yet.
fn method(row: &mut Row<'_>) -> Result<Method, StoreError> {
    Ok(Method {
        id: row.id()?,
        code: row.text()?,
        name: row.value(wordings::wording)?,
        kind: row.word(Kind::coded)?,
        currency: row.value(Currency::parse)?,
        zone: row.value(zone)?,
        rates: Rates {
            measure: row.word(Measure::coded)?,
            bands: row.value(bands)?,
            most: row.int_or_null()?,
            free_from_minor: row.int_or_null()?,
        },
        tax_class: row.id()?,
        lead_days: (row.int()?, row.int()?),
        delivery_hours: row.value_or_null(OpeningHours::parse)?,
        pickup_network: row.id_or_null()?,
        active: row.yes()?,
        version: row.int()?,
        channels: Vec::new(),
        pickup_locations: Vec::new(),
    })
}

/// Zones are kept as `[["GB", "LS", "YO"], ["IE"]]`: each country, then its postal prefixes.
fn zone(text: &str) -> Result<Vec<Area>, String> {
    let lists: Vec<Vec<String>> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let area = |mut list: Vec<String>| {
        let postal_prefixes = list.split_off(list.len().min(1));
        let country =
            Country::parse(list.first().map_or("", String::as_str)).map_err(|error| error.to_string())?;
        Ok(Area { country, postal_prefixes })
    };
    lists.into_iter().map(area).collect()
}

fn of_zone(zone: &[Area]) -> String {
    let list = |area: &Area| {
        let country = std::iter::once(area.country.code());
        json!(country.chain(area.postal_prefixes.iter().map(String::as_str)).collect::<Vec<_>>())
    };
    Value::from_iter(zone.iter().map(list)).to_string()
}

/// Bands are kept as `[[0, 399], [2001, 799]]`: from, price.
fn bands(text: &str) -> Result<Vec<Band>, String> {
    let pairs: Vec<(i64, i64)> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(pairs.into_iter().map(|(from, price_minor)| Band { from, price_minor }).collect())
}

fn of_bands(bands: &[Band]) -> String {
    Value::from_iter(bands.iter().map(|band| json!([band.from, band.price_minor]))).to_string()
}

/// Adds a method, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, method: &Method) -> Result<bool, StoreError> {
    let hours = method.delivery_hours.as_ref().map(ToString::to_string);
    let made = tx.execute(
        "insert into delivery_method (delivery_method_id, code, name, kind, currency, zone, measure, bands, most,
             free_from_minor, tax_class_id, lead_days_min, lead_days_max, delivery_hours, pickup_network_id, active, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)
         on conflict (code) do nothing",
        params![
            method.id,
            &method.code,
            &wordings::of_wording(&method.name),
            method.kind.code(),
            method.currency.code(),
            &of_zone(&method.zone),
            method.rates.measure.code(),
            &of_bands(&method.rates.bands),
            method.rates.most,
            method.rates.free_from_minor,
            method.tax_class,
            method.lead_days.0,
            method.lead_days.1,
            hours.as_ref(),
            method.pickup_network,
            method.active
        ],
    )?;
    if made == 1 {
        add_parts(tx, method)?;
    }
    Ok(made == 1)
}

/// Writes a method over the version it was read at, and raises the version; false when somebody else changed it
/// meanwhile. Its code, kind and currency stay.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, method: &Method) -> Result<bool, StoreError> {
    let hours = method.delivery_hours.as_ref().map(ToString::to_string);
    let changed = tx.execute(
        "update delivery_method set name = $2, zone = $3, measure = $4, bands = $5, most = $6, free_from_minor = $7,
             tax_class_id = $8, lead_days_min = $9, lead_days_max = $10, delivery_hours = $11,
             pickup_network_id = $12, active = $13, version = version + 1
         where delivery_method_id = $1 and version = $14",
        params![
            method.id,
            &wordings::of_wording(&method.name),
            &of_zone(&method.zone),
            method.rates.measure.code(),
            &of_bands(&method.rates.bands),
            method.rates.most,
            method.rates.free_from_minor,
            method.tax_class,
            method.lead_days.0,
            method.lead_days.1,
            hours.as_ref(),
            method.pickup_network,
            method.active,
            method.version
        ],
    )?;
    if changed == 1 {
        tx.execute("delete from delivery_channel where delivery_method_id = $1", params![method.id])?;
        tx.execute("delete from delivery_place where delivery_method_id = $1", params![method.id])?;
        add_parts(tx, method)?;
    }
    Ok(changed == 1)
}

fn add_parts(tx: &mut Tx<'_>, method: &Method) -> Result<(), StoreError> {
    for channel in &method.channels {
        tx.execute(
            "insert into delivery_channel (delivery_method_id, channel_id) values ($1, $2)",
            params![method.id, *channel],
        )?;
    }
    for location in &method.pickup_locations {
        tx.execute(
            "insert into delivery_place (delivery_method_id, location_id) values ($1, $2)",
            params![method.id, *location],
        )?;
    }
    Ok(())
}

/// The method with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<DeliveryMethod>) -> Result<Option<Method>, StoreError> {
    let found = tx.rows(
        "select delivery_method_id, code, name, kind, currency, zone, measure, bands, most, free_from_minor,
             tax_class_id, lead_days_min, lead_days_max, delivery_hours, pickup_network_id, active, version
         from delivery_method where delivery_method_id = $1",
        params![id],
        method,
    )?;
    Ok(whole(tx, found)?.pop())
}

/// The methods after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<DeliveryMethod>, limit: i64) -> Result<Vec<Method>, StoreError> {
    let found = tx.rows(
        "select delivery_method_id, code, name, kind, currency, zone, measure, bands, most, free_from_minor,
             tax_class_id, lead_days_min, lead_days_max, delivery_hours, pickup_network_id, active, version
         from delivery_method where delivery_method_id > $1 order by delivery_method_id limit $2",
        params![after, limit],
        method,
    )?;
    whole(tx, found)
}

/// The methods a channel offers, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn offered(tx: &mut Tx<'_>, channel: Id<Channel>) -> Result<Vec<Method>, StoreError> {
    let found = tx.rows(
        "select delivery_method.delivery_method_id, code, name, kind, currency, zone, measure, bands, most,
             free_from_minor, tax_class_id, lead_days_min, lead_days_max, delivery_hours, pickup_network_id, active, version
         from delivery_channel
         join delivery_method on delivery_method.delivery_method_id = delivery_channel.delivery_method_id
         where channel_id = $1 and active = 1 order by delivery_method.delivery_method_id",
        params![channel],
        method,
    )?;
    whole(tx, found)
}

/// The methods with their channels and locations.
fn whole(tx: &mut Tx<'_>, mut methods: Vec<Method>) -> Result<Vec<Method>, StoreError> {
    let ids: Vec<[u8; 16]> = methods.iter().map(|method| method.id.bytes()).collect();
    let channels = tx.rows(
        "select delivery_method_id, channel_id from delivery_channel where delivery_method_id {in ids $1}
         order by delivery_method_id, channel_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id::<DeliveryMethod>()?, row.id()?)),
    )?;
    let locations = tx.rows(
        "select delivery_method_id, location_id from delivery_place where delivery_method_id {in ids $1}
         order by delivery_method_id, location_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id::<DeliveryMethod>()?, row.id()?)),
    )?;
    for method in &mut methods {
        let own = |owner: &Id<DeliveryMethod>| *owner == method.id;
        method.channels =
            channels.iter().filter(|(owner, _)| own(owner)).map(|(_, channel)| *channel).collect();
        method.pickup_locations =
            locations.iter().filter(|(owner, _)| own(owner)).map(|(_, location)| *location).collect();
    }
    Ok(methods)
}
