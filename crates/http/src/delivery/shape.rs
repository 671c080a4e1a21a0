//! Delivery methods as they are written over the API.

use domain::Refusal;
use domain::delivery::{AREAS_MAX, Area, BANDS_MAX, Band, CHANNELS_MAX, Kind, Measure, Rates};
use domain::location::MEMBERS_MAX;
use domain::value::id::DeliveryMethod;
use domain::value::{Country, Currency, Money, OpeningHours, Reference, reference, text};
use engine::delivery::{Method, MethodChange, NewMethod, Offer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalogue::WordingShape;
use crate::location::CODE_CHARS_MAX;
use crate::shape::{Fields, MoneyShape, changed};

/// A country parcels go to, wholly or in part.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryArea, example = json!({"country": "GB", "postal_prefixes": ["LS", "YO1"]}))]
pub(super) struct AreaShape {
    /// Two letters of ISO 3166-1.
    country: String,
    /// What postal codes there begin with, 1 to 5 letters and digits each; the whole country when empty. Spaces and
    /// dashes do not count.
    #[serde(default)]
    #[schema(max_items = 1000)]
    postal_prefixes: Vec<String>,
}

/// From this value or weight on it costs this much.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryBand, example = json!({"from": 0, "price": {"amount": 399, "currency": "GBP"}}))]
pub(super) struct BandShape {
    /// The least value in minor units, or the least weight in grams.
    #[schema(minimum = 0)]
    from: i64,
    /// What it costs, with or without tax as the market's prices are.
    price: MoneyShape,
}

/// What a method costs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryRates, example = json!({"measure": "weight", "bands": [{"from": 0, "price": {"amount": 399, "currency": "GBP"}}],
    "most": 30000, "free_from": {"amount": 5000, "currency": "GBP"}}))]
pub(super) struct RatesShape {
    /// What the bands are measured by: `value` of the goods in minor units, or `weight` in grams.
    measure: String,
    /// The bands, the lowest first; what lies under the lowest is not delivered.
    #[schema(min_items = 1, max_items = 100)]
    bands: Vec<BandShape>,
    /// The most it takes, in the measure of the bands; no limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    most: Option<i64>,
    /// From this value of the goods on it costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free_from: Option<MoneyShape>,
}

impl RatesShape {
    fn new(method: &Method) -> RatesShape {
        let money = |minor| MoneyShape { amount: minor, currency: method.currency.code().to_owned() };
        let band = |band: &Band| BandShape { from: band.from, price: money(band.price_minor) };
        RatesShape {
            measure: method.rates.measure.text().to_owned(),
            bands: method.rates.bands.iter().map(band).collect(),
            most: method.rates.most,
            free_from: method.rates.free_from_minor.map(money),
        }
    }

    /// The rates and the one currency of all their amounts.
    fn read(&self, fields: &mut Fields) -> Option<(Rates, Currency)> {
        if self.bands.is_empty() || self.bands.len() > BANDS_MAX {
            fields.refuse("bands", format!("give 1 to {BANDS_MAX} bands"));
            return None;
        }
        let measure = fields.take("measure", Measure::parse(&self.measure));
        let mut prices = Vec::with_capacity(self.bands.len());
        for (place, band) in self.bands.iter().enumerate() {
            prices.push(fields.money(&format!("bands.{place}.price"), &band.price)?);
        }
        let free_from = match &self.free_from {
            Some(least) => Some(fields.money("free_from", least)?),
            None => None,
        };
        let currency = prices.first()?.currency();
        let other = |money: &Money| money.currency() != currency;
        if let Some(place) = prices.iter().position(other) {
            fields.refuse(&format!("bands.{place}.price"), format!("give every amount in {currency}"));
        }
        if free_from.as_ref().is_some_and(other) {
            fields.refuse("free_from", format!("give every amount in {currency}"));
        }
        let bands = self.bands.iter().zip(&prices);
        let bands = bands.map(|(band, price)| Band { from: band.from, price_minor: price.minor() }).collect();
        let rates =
            Rates { measure: measure?, bands, most: self.most, free_from_minor: free_from.map(Money::minor) };
        Some((rates, currency))
    }
}

fn read_zone(fields: &mut Fields, zone: &[AreaShape]) -> Option<Vec<Area>> {
    if zone.len() > AREAS_MAX {
        fields.refuse("zone", format!("give at most {AREAS_MAX} countries"));
        return None;
    }
    let mut areas = Vec::with_capacity(zone.len());
    for (place, area) in zone.iter().enumerate() {
        let country = fields.take(&format!("zone.{place}.country"), Country::parse(&area.country));
        areas.extend(country.map(|country| Area { country, postal_prefixes: area.postal_prefixes.clone() }));
    }
    (areas.len() == zone.len()).then_some(areas)
}

fn read_references<K: domain::value::Kind>(
    fields: &mut Fields,
    (field, most): (&str, usize),
    texts: &[String],
) -> Option<Vec<Reference<K>>> {
    if texts.len() > most {
        fields.refuse(field, format!("give at most {most}"));
        return None;
    }
    Some(texts.iter().map(|text| Reference::read(text)).collect())
}

/// A way to get goods to the customer, and what it costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryMethod, example = json!({"id": "dlv_01jd0000000000000000000000", "code": "parcel", "name": {"text": "Parcel", "translations": {"de": "Paket"}},
    "kind": "ship", "currency": "GBP", "zone": [{"country": "GB", "postal_prefixes": []}],
    "rates": {"measure": "weight", "bands": [{"from": 0, "price": {"amount": 399, "currency": "GBP"}}]},
    "tax_class": "txc_01jd0000000000000000000000", "lead_days_min": 1, "lead_days_max": 3,
    "channels": ["chn_01jd0000000000000000000000"], "pickup_locations": [], "active": true, "version": 1}))]
pub(super) struct MethodShape {
    /// Its id.
    pub(super) id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: WordingShape,
    /// `ship` (a parcel), `pickup` (collected later) or `hand_over` (taken along at once).
    kind: &'static str,
    /// The currency of its amounts, ISO 4217.
    currency: &'static str,
    /// The countries parcels go to.
    zone: Vec<AreaShape>,
    /// What it costs.
    rates: RatesShape,
    /// How it is taxed.
    tax_class: String,
    /// The least working days until the goods are there.
    lead_days_min: i64,
    /// The most working days until the goods are there.
    lead_days_max: i64,
    /// When its carrier delivers; absent for Monday to Friday.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_hours: Option<String>,
    /// The channels it is offered in.
    channels: Vec<String>,
    /// The network at whose locations goods are collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_network: Option<String>,
    /// The locations at which goods are collected, when no network is named.
    pickup_locations: Vec<String>,
    /// It is offered.
    active: bool,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Method> for MethodShape {
    fn from(method: &Method) -> MethodShape {
        let area = |area: &Area| AreaShape {
            country: area.country.code().to_owned(),
            postal_prefixes: area.postal_prefixes.clone(),
        };
        MethodShape {
            id: method.id.to_string(),
            code: method.code.clone(),
            name: WordingShape::from(&method.name),
            kind: method.kind.text(),
            currency: method.currency.code(),
            zone: method.zone.iter().map(area).collect(),
            rates: RatesShape::new(method),
            tax_class: method.tax_class.to_string(),
            lead_days_min: method.lead_days.0,
            lead_days_max: method.lead_days.1,
            delivery_hours: method.delivery_hours.as_ref().map(ToString::to_string),
            channels: method.channels.iter().map(ToString::to_string).collect(),
            pickup_network: method.pickup_network.map(|network| network.to_string()),
            pickup_locations: method.pickup_locations.iter().map(ToString::to_string).collect(),
            active: method.active,
            version: method.version,
        }
    }
}

/// A delivery method to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDeliveryMethod, example = json!({"code": "parcel", "name": {"text": "Parcel", "translations": {"de": "Paket"}}, "kind": "ship",
    "zone": [{"country": "GB"}], "rates": {"measure": "weight", "bands": [{"from": 0, "price": {"amount": 399, "currency": "GBP"}}]},
    "tax_class": "txc_01jd0000000000000000000000", "lead_days_min": 1, "lead_days_max": 3, "channels": ["chn_01jd0000000000000000000000"]}))]
pub(super) struct NewMethodShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it.
    name: WordingShape,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// `ship` (a parcel), `pickup` (collected later) or `hand_over` (taken along at once); never changed.
    kind: String,
    /// The countries parcels go to; left out for everything else.
    #[serde(default)]
    #[schema(max_items = 249)]
    zone: Vec<AreaShape>,
    /// What it costs, all amounts in the one currency of its channels; never another.
    rates: RatesShape,
    /// How it is taxed: the tax class's id, external id or code.
    tax_class: String,
    /// The least working days until the goods are there.
    #[schema(minimum = 0, maximum = 365)]
    lead_days_min: i64,
    /// The most working days until the goods are there.
    #[schema(minimum = 0, maximum = 365)]
    lead_days_max: i64,
    /// When its carrier delivers, such as `mo-sa 08:00-20:00; 2026-12-25 closed`: only these days count. From Monday to Friday when absent.
    delivery_hours: Option<String>,
    /// The channels it is offered in, by id or external id.
    #[schema(max_items = 200)]
    channels: Vec<String>,
    /// For a pickup, the network at whose locations goods are collected: its id or external id.
    pickup_network: Option<String>,
    /// For a pickup without a network, the locations at which goods are collected, by id or external id.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pickup_locations: Vec<String>,
}

impl NewMethodShape {
    pub(super) fn read(&self) -> Result<NewMethod, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, CODE_CHARS_MAX));
        let name = fields.take("name", self.name.title().map_err(|refusal| refusal.message().to_owned()));
        let external_id = fields.take_if(
            "external_id",
            self.external_id.as_deref(),
            reference::external_id::<DeliveryMethod>,
        );
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let zone = read_zone(&mut fields, &self.zone);
        let rates = fields.within("rates", |fields| self.rates.read(fields));
        let hours = fields.take_if("delivery_hours", self.delivery_hours.as_deref(), OpeningHours::parse);
        let channels = read_references(&mut fields, ("channels", CHANNELS_MAX), &self.channels);
        let places = read_references(&mut fields, ("pickup_locations", MEMBERS_MAX), &self.pickup_locations);
        let read = (|| {
            let (rates, currency) = rates?;
            Some(NewMethod {
                code: code?,
                name: name?,
                external_id: external_id?,
                kind: kind?,
                currency,
                zone: zone?,
                rates,
                tax_class: Reference::read(&self.tax_class),
                lead_days: (self.lead_days_min, self.lead_days_max),
                delivery_hours: hours?,
                channels: channels?,
                pickup_network: self.pickup_network.as_deref().map(Reference::read),
                pickup_locations: places?,
            })
        })();
        fields.done(read)
    }
}

/// What of a delivery method is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryMethodChange, example = json!({"lead_days_max": 5, "active": false}))]
pub(super) struct MethodChangeShape {
    /// What people call it.
    name: Option<WordingShape>,
    /// The countries parcels go to, in place of those it has.
    #[schema(max_items = 249)]
    zone: Option<Vec<AreaShape>>,
    /// What it costs, in place of what it did; in the same currency.
    rates: Option<RatesShape>,
    /// How it is taxed: the tax class's id, external id or code.
    tax_class: Option<String>,
    /// The least working days until the goods are there.
    #[schema(minimum = 0, maximum = 365)]
    lead_days_min: Option<i64>,
    /// The most working days until the goods are there.
    #[schema(minimum = 0, maximum = 365)]
    lead_days_max: Option<i64>,
    /// When its carrier delivers.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    delivery_hours: Option<Option<String>>,
    /// The channels it is offered in, in place of those it has.
    #[schema(max_items = 200)]
    channels: Option<Vec<String>>,
    /// The network at whose locations goods are collected.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    pickup_network: Option<Option<String>>,
    /// The locations at which goods are collected, in place of those it has.
    #[schema(max_items = 1000)]
    pickup_locations: Option<Vec<String>>,
    /// False takes it off offer; it stays readable, and true brings it back.
    active: Option<bool>,
}

impl MethodChangeShape {
    pub(super) fn read(&self) -> Result<MethodChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_ref(), |name| {
            name.title().map_err(|refusal| refusal.message().to_owned())
        });
        let zone = self.zone.as_deref().map(|zone| read_zone(&mut fields, zone).unwrap_or_default());
        let rates = self.rates.as_ref().and_then(|rates| fields.within("rates", |fields| rates.read(fields)));
        let hours = fields.take_if("delivery_hours", self.delivery_hours.as_ref(), |hours| {
            hours.as_deref().map(OpeningHours::parse).transpose()
        });
        let channels = self.channels.as_deref();
        let channels = channels.and_then(|all| read_references(&mut fields, ("channels", CHANNELS_MAX), all));
        let places = self.pickup_locations.as_deref();
        let places =
            places.and_then(|all| read_references(&mut fields, ("pickup_locations", MEMBERS_MAX), all));
        fields.done(name.zip(hours).map(|(name, hours)| MethodChange {
            name,
            zone,
            rates,
            tax_class: self.tax_class.as_deref().map(Reference::read),
            lead_days_min: self.lead_days_min,
            lead_days_max: self.lead_days_max,
            delivery_hours: hours,
            channels,
            pickup_network:
                self.pickup_network.as_ref().map(|network| network.as_deref().map(Reference::read)),
            pickup_locations: places,
            active: self.active,
        }))
    }
}

/// A method that serves some goods, and what it costs for them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryOffer, example = json!({"method": "dlv_01jd0000000000000000000000", "code": "parcel", "name": {"text": "Parcel", "translations": {}},
    "kind": "ship", "price": {"amount": 399, "currency": "GBP"}, "lead_days_min": 1, "lead_days_max": 3, "pickup_locations": []}))]
pub(super) struct OfferShape {
    /// The method's id.
    method: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: WordingShape,
    /// `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// What it costs, with or without tax as the market's prices are.
    price: MoneyShape,
    /// The least working days until the goods are there.
    lead_days_min: i64,
    /// The most working days until the goods are there.
    lead_days_max: i64,
    /// Where the goods can be collected, in the order in which they are asked.
    pickup_locations: Vec<String>,
}

impl OfferShape {
    pub(super) fn new(offer: &Offer, places: &[engine::delivery::Location]) -> OfferShape {
        let method = &offer.method;
        OfferShape {
            method: method.id.to_string(),
            code: method.code.clone(),
            name: WordingShape::from(&method.name),
            kind: method.kind.text(),
            price: MoneyShape { amount: offer.price_minor, currency: method.currency.code().to_owned() },
            lead_days_min: method.lead_days.0,
            lead_days_max: method.lead_days.1,
            pickup_locations: places.iter().map(|place| place.id.to_string()).collect(),
        }
    }
}
