//! Delivery methods: making, changing and finding them, and what they cost for goods that go somewhere.

pub mod sending;

use domain::actor::{Actor, Permission};
use domain::catalogue::Wording;
use domain::delivery::{self as rules, Area, Delivery, Kind, Rates};
use domain::value::id::{self, DeliveryMethod, TaxClass};
use domain::value::{Currency, Id, OpeningHours, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::market::Channel;
use store::{Tx, delivery as rows, location, market};

pub use store::delivery::Method;
pub use store::location::Location;

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// A delivery method to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewMethod {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it, in each language.
    pub name: Wording,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// How goods get to the customer; never changed.
    pub kind: Kind,
    /// The currency of its amounts; never changed.
    pub currency: Currency,
    /// The countries parcels go to.
    pub zone: Vec<Area>,
    /// What it costs.
    pub rates: Rates,
    /// How it is taxed.
    pub tax_class: Reference<TaxClass>,
    /// The least and the most working days until the goods are there.
    pub lead_days: (i64, i64),
    /// When its carrier delivers.
    pub delivery_hours: Option<OpeningHours>,
    /// The channels it is offered in.
    pub channels: Vec<Reference<id::Channel>>,
    /// The network at whose locations goods are collected.
    pub pickup_network: Option<Reference<id::Network>>,
    /// The locations at which goods are collected, when no network is named.
    pub pickup_locations: Vec<Reference<id::Location>>,
}

/// What of a delivery method is to change; `None` leaves it, `Some(None)` takes it away.
#[derive(Clone, Debug)]
pub struct MethodChange {
    /// What people call it, in each language.
    pub name: Option<Wording>,
    /// The countries parcels go to.
    pub zone: Option<Vec<Area>>,
    /// What it costs, in which currency.
    pub rates: Option<(Rates, Currency)>,
    /// How it is taxed.
    pub tax_class: Option<Reference<TaxClass>>,
    /// The least working days until the goods are there.
    pub lead_days_min: Option<i64>,
    /// The most working days until the goods are there.
    pub lead_days_max: Option<i64>,
    /// When its carrier delivers.
    pub delivery_hours: Option<Option<OpeningHours>>,
    /// The channels it is offered in.
    pub channels: Option<Vec<Reference<id::Channel>>>,
    /// The network at whose locations goods are collected.
    pub pickup_network: Option<Option<Reference<id::Network>>>,
    /// The locations at which goods are collected.
    pub pickup_locations: Option<Vec<Reference<id::Location>>>,
    /// It is offered.
    pub active: Option<bool>,
}

/// A method that serves some goods, and what it costs for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The method.
    pub method: Method,
    /// What it costs, in minor units of its currency, with or without tax as the market's prices are.
    pub price_minor: i64,
}

/// The methods of a channel that serve these goods, the cheapest first.
///
/// # Errors
/// What the store says.
pub fn methods_for(tx: &mut Tx<'_>, channel: &Channel, delivery: &Delivery) -> Result<Vec<Offer>, Failure> {
    let methods = rows::offered(tx, channel.id)?;
    let mut offers: Vec<Offer> = methods.into_iter().filter_map(|method| offer(method, delivery)).collect();
    offers.sort_by_key(|offer| (offer.price_minor, offer.method.id));
    Ok(offers)
}

/// What a method costs for these goods in a channel.
///
/// # Errors
/// [`Code::NotDeliverable`] when the method is not offered in the channel, or does not serve the goods or where they go.
pub fn quote(
    tx: &mut Tx<'_>,
    channel: &Channel,
    method: Id<DeliveryMethod>,
    delivery: &Delivery,
) -> Result<Offer, Failure> {
    let method = load(tx, method)?;
    let code = method.code.clone();
    if !method.active || !method.channels.contains(&channel.id) {
        let message = format!(
            "the delivery method \"{code}\" is not offered in the channel \"{}\"; choose another",
            channel.code
        );
        return Err(Refusal::new(Code::NotDeliverable, message).into());
    }
    offer(method, delivery).ok_or_else(|| {
        let message = format!(
            "the delivery method \"{code}\" does not serve this destination, weight or value; choose another"
        );
        Refusal::new(Code::NotDeliverable, message).into()
    })
}

fn offer(method: Method, delivery: &Delivery) -> Option<Offer> {
    let price_minor = rules::price(method.kind, &method.zone, &method.rates, delivery)?;
    Some(Offer { method, price_minor })
}

/// The locations at which goods sent by a method can be collected now, in the order in which they are asked.
///
/// # Errors
/// What the store says.
pub fn pickup_locations(tx: &mut Tx<'_>, method: &Method) -> Result<Vec<Location>, Failure> {
    let places = match method.pickup_network {
        Some(network) => {
            location::network_members(tx, network)?.into_iter().map(|(place, _)| place).collect()
        }
        None => location::among(tx, &method.pickup_locations)?,
    };
    Ok(places.into_iter().filter(|place| place.active && place.can_pick_up).collect())
}

/// Makes a delivery method.
///
/// # Errors
/// [`Code::AlreadyExists`] when its code or external id is taken; [`Code::CurrencyMismatch`] when a channel sells in another
/// currency; [`Code::Invalid`] naming the field at fault.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewMethod) -> Result<Method, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let method = checked(Method {
        id: world.id(),
        code: new.code,
        name: new.name,
        kind: new.kind,
        currency: new.currency,
        zone: new.zone,
        rates: new.rates,
        tax_class: external::known_at(tx, "tax_class", &new.tax_class)?,
        lead_days: new.lead_days,
        delivery_hours: new.delivery_hours,
        channels: known_channels(tx, &new.channels, new.currency)?,
        pickup_network: new
            .pickup_network
            .map(|network| external::known_at(tx, "pickup_network", &network))
            .transpose()?,
        pickup_locations: known_locations(tx, &new.pickup_locations)?,
        active: true,
        version: 1,
    })?;
    if !rows::add(tx, &method)? {
        return Err(edit::code_taken::<DeliveryMethod>(&method.code).into());
    }
    external::give(tx, method.id, new.external_id.as_deref())?;
    let body = json!({ "code": method.code, "kind": method.kind.text(), "currency": method.currency.code() });
    emit(tx, actor, world, method.id, "delivery_method.created", body);
    Ok(method)
}

/// Changes a delivery method. Its code, kind and currency stay.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Stale`] when it is not at the version given; or as [`create`].
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (method, version): (&Reference<DeliveryMethod>, Option<i64>),
    change: MethodChange,
) -> Result<Method, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, method)?;
    let mut method = load(tx, id)?;
    edit::unchanged(id, method.version, version)?;
    if let Some(class) = change.tax_class {
        method.tax_class = external::known_at(tx, "tax_class", &class)?;
    }
    if let Some(channels) = change.channels {
        method.channels = known_channels(tx, &channels, method.currency)?;
    }
    if let Some(network) = change.pickup_network {
        method.pickup_network =
            network.map(|network| external::known_at(tx, "pickup_network", &network)).transpose()?;
    }
    if let Some(locations) = change.pickup_locations {
        method.pickup_locations = known_locations(tx, &locations)?;
    }
    set(&mut method.name, change.name);
    set(&mut method.zone, change.zone);
    if let Some((rates, currency)) = change.rates {
        if currency != method.currency {
            let message = format!("the method costs {}, not {currency}", method.currency);
            return Err(Refusal::new(Code::CurrencyMismatch, message).at("rates").into());
        }
        method.rates = rates;
    }
    set(&mut method.lead_days.0, change.lead_days_min);
    set(&mut method.lead_days.1, change.lead_days_max);
    set(&mut method.delivery_hours, change.delivery_hours);
    set(&mut method.active, change.active);
    let mut method = checked(method)?;
    if !rows::update(tx, &method)? {
        return Err(edit::stale(id).into());
    }
    method.version += 1;
    let body = json!({ "version": method.version, "active": method.active });
    emit(tx, actor, world, id, "delivery_method.changed", body);
    Ok(method)
}

fn checked(mut method: Method) -> Result<Method, Refusal> {
    method.zone = rules::zone(method.kind, method.zone)?;
    method.rates = rules::rates(method.rates).map_err(|refusal| refusal.within("rates"))?;
    method.lead_days = rules::lead_days(method.lead_days)?;
    rules::pickup_places(method.kind, method.pickup_network.is_some(), !method.pickup_locations.is_empty())?;
    Ok(method)
}

/// The channels named, in order, each of which sells in the currency.
fn known_channels(
    tx: &mut Tx<'_>,
    channels: &[Reference<id::Channel>],
    currency: Currency,
) -> Result<Vec<Id<id::Channel>>, Failure> {
    let mut known = Vec::with_capacity(channels.len());
    for (place, reference) in channels.iter().enumerate() {
        let field = format!("channels.{place}");
        let id = external::resolve_at(tx, &field, reference)?;
        let Some(channel) = market::find_channel(tx, id)? else {
            return Err(Refusal::invalid(field, format!("no channel \"{id}\"")).into());
        };
        let sells_in = market::find_market(tx, channel.market)?.map(|market| market.currency);
        if let Some(other) = sells_in.filter(|other| *other != currency) {
            let message =
                format!("the channel \"{}\" sells in {other}, the method costs {currency}", channel.code);
            return Err(Refusal::new(Code::CurrencyMismatch, message).at(field).into());
        }
        known.push(id);
    }
    known.sort();
    known.dedup();
    Ok(known)
}

/// The locations named, in order, at each of which customers can collect.
fn known_locations(
    tx: &mut Tx<'_>,
    locations: &[Reference<id::Location>],
) -> Result<Vec<Id<id::Location>>, Failure> {
    let mut known = Vec::with_capacity(locations.len());
    for (place, reference) in locations.iter().enumerate() {
        let field = format!("pickup_locations.{place}");
        let id = external::resolve_at(tx, &field, reference)?;
        match location::find(tx, id)? {
            Some(location) if location.can_pick_up => known.push(id),
            Some(location) => {
                let message =
                    format!("customers cannot collect at \"{}\"; change that location first", location.code);
                return Err(Refusal::invalid(field, message).into());
            }
            None => return Err(Refusal::invalid(field, format!("no location \"{id}\"")).into()),
        }
    }
    known.sort();
    known.dedup();
    Ok(known)
}

/// A delivery method.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, method: &Reference<DeliveryMethod>) -> Result<Method, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, method)?;
    load(tx, id)
}

fn load(tx: &mut Tx<'_>, id: Id<DeliveryMethod>) -> Result<Method, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("delivery method", id).into())
}

/// The delivery methods after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<DeliveryMethod>,
    limit: i64,
) -> Result<Vec<Method>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}
