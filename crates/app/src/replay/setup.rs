//! The demo retailer's house over the public API, before anything is sold: places, channels, taxes, goods with their prices, customers.
//!
//! What the source does not say is decided here. All prices contain British VAT, whoever buys: 17.5 % until 3 January 2011, 20 % since.
//! Delivery charges are what the source charged and are lines of a service; the delivery method itself costs nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tandem::demo::assignment::Channel;
use tandem::demo::class::Treatment;
use tandem::demo::locations::{Kind, Location};
use tandem::demo::people;
use tandem::demo::source::Source;
use tandem::demo::tables::{self, Product};

use super::api::Api;
use super::clock::ZONE;
use super::goods::CURRENCY;
use super::offers::{self, Offers};
use super::rules;
use super::sale::contact;
use crate::fault::Fault;
use crate::screen::Screen;

/// Rows of one bulk call.
const BULK: usize = 500;
/// The market's and the price list's name outside.
const MARKET: &str = "gb";

/// What later steps must know of the house.
pub struct House {
    /// Channels by the shop's own id.
    pub channels: BTreeMap<String, Channel>,
    /// SKUs of services, by the shop's own id of the variant.
    pub services: BTreeSet<String>,
    /// SKUs of services.
    pub service_skus: BTreeSet<String>,
    /// External ids of locations, by their number in the source.
    pub locations: Vec<String>,
    /// Numbers of locations, by the shop's own id.
    pub numbers: HashMap<String, usize>,
    /// SKUs, by the shop's own id of the variant.
    pub skus: HashMap<String, String>,
    /// List prices of a piece by SKU, in minor units.
    pub prices: HashMap<String, i64>,
    /// The way to the shop of who must agree to what is worth much.
    pub second: Api,
    /// What is offered, in a replay with offers.
    pub offers: Option<Offers>,
}

impl House {
    /// Which SKU the shop's own id of a variant names.
    pub fn sku(&self, variant: &Value) -> &str {
        variant.as_str().and_then(|id| self.skus.get(id)).map_or("", String::as_str)
    }

    /// The number of the location that the shop's own id names.
    pub fn number(&self, location: &Value) -> Option<usize> {
        self.numbers.get(location.as_str()?).copied()
    }
}

/// Makes everything.
///
/// # Errors
/// What the shop refuses.
pub async fn set_up(
    api: &Api,
    source: &Source,
    (clients, with_offers): (usize, bool),
    screen: &Screen,
) -> Result<House, Fault> {
    let countries: BTreeSet<&str> = source.invoices().iter().map(|invoice| invoice.country.code).collect();
    taxes(api, &countries).await?;
    let numbers = places(api, source).await?;
    let channels = channels(api, source, (&countries, with_offers)).await?;
    let second = rules::set(api, source).await?;
    let products = offered(source);
    let skus = goods(api, &products, with_offers, screen).await?;
    let mut offers = match with_offers {
        true => Some(offers::set_up(api, source, &products, (MARKET, &tills(&channels))).await?),
        false => None,
    };
    customers(api, source, (clients, offers.as_mut()), screen).await?;
    let service_skus: BTreeSet<String> = products
        .iter()
        .filter(|product| product.kind == "service")
        .map(|product| product.sku.clone())
        .collect();
    let services =
        skus.iter().filter(|(_, sku)| service_skus.contains(*sku)).map(|(id, _)| id.clone()).collect();
    let locations = source.locations.all().iter().map(|location| location.external_id.clone()).collect();
    let priced = products.iter().filter_map(|product| Some((product.sku.clone(), product.price_minor?)));
    let prices = priced.collect();
    Ok(House { channels, services, service_skus, locations, numbers, prices, skus, second, offers })
}

fn tills(channels: &BTreeMap<String, Channel>) -> Vec<String> {
    let tills = channels.iter().filter(|(_, channel)| **channel == Channel::Till);
    tills.map(|(id, _)| id.clone()).collect()
}

async fn make(api: &Api, path: &str, body: &Value) -> Result<Value, Fault> {
    let name = body["code"].as_str().unwrap_or_default();
    api.post(path, &format!("replay:setup:{path}:{name}"), body).await
}

async fn taxes(api: &Api, countries: &BTreeSet<&str>) -> Result<(), Fault> {
    make(api, "/v1/tax-classes", &json!({ "code": "standard", "name": "Standard" })).await?;
    let zone = json!({ "code": "vat", "name": "British VAT", "external_id": "vat", "areas": countries });
    make(api, "/v1/tax-zones", &zone).await?;
    let change = "2011-01-04T00:00:00Z";
    let before = json!({ "tax_class": "standard", "rate_ppm": 175_000, "valid_until": change });
    api.put("/v1/tax-zones/vat/rates", "replay:setup:vat-before", &before).await?;
    let since = json!({ "tax_class": "standard", "rate_ppm": 200_000, "valid_from": change });
    api.put("/v1/tax-zones/vat/rates", "replay:setup:vat-since", &since).await?;
    Ok(())
}

async fn places(api: &Api, source: &Source) -> Result<HashMap<String, usize>, Fault> {
    let items: Vec<Value> = source.locations.all().iter().map(location).collect();
    let made = bulk(api, "/v1/locations/bulk", &items).await?;
    let id = |(number, made): (usize, &Value)| Some((made["id"].as_str()?.to_owned(), number));
    let numbers = made.iter().enumerate().filter_map(id).collect();
    let areas: Vec<Value> = source.locations.all().iter().filter_map(area).collect();
    api.bulk("/v1/postal-areas/bulk", "replay:setup:areas", &areas).await?;
    let member = |at: &usize| json!({ "location": source.locations.at(*at).external_id });
    let warehouses: Vec<Value> = source.locations.warehouses().iter().map(member).collect();
    let stores = source.locations.stores().iter().map(member);
    let all: Vec<Value> = warehouses.iter().cloned().chain(stores).collect();
    for (code, name, members) in [("warehouses", "Warehouses", warehouses), ("all", "Everywhere", all)] {
        let network = json!({ "code": code, "name": name, "external_id": code, "members": members });
        make(api, "/v1/networks", &network).await?;
    }
    Ok(numbers)
}

/// The postal area in which a location lies, such as LS around Leeds, so that whoever gives his postal code is told the nearest stores.
fn area(location: &Location) -> Option<Value> {
    let (latitude, longitude) = location.latitude.zip(location.longitude)?;
    let letters = location.postal_code.find(|letter: char| !letter.is_ascii_alphabetic())?;
    Some(json!({
        "country": location.country, "prefix": location.postal_code[..letters], "place": location.city,
        "coordinates": { "latitude": latitude, "longitude": longitude },
    }))
}

fn location(location: &Location) -> Value {
    let does = |what: &str| location.capabilities.split(' ').any(|word| word == what);
    let mut body = json!({
        "code": location.external_id,
        "external_id": location.external_id,
        "name": location.name,
        "kind": match location.kind { Kind::Virtual => "virtual", Kind::Warehouse => "warehouse", Kind::Store => "store" },
        "can_ship": does("ship"),
        "can_pick_up": does("pickup"),
        "can_receive": does("receive"),
        "can_return": does("return"),
        "time_zone": location.time_zone,
    });
    if !location.opening_hours.is_empty() {
        body["opening_hours"] = json!(location.opening_hours);
    }
    if !location.street.is_empty() {
        body["address"] = json!({ "street": [location.street], "city": location.city, "postal_code": location.postal_code, "country": location.country });
    }
    if let Some((latitude, longitude)) = location.latitude.zip(location.longitude) {
        body["coordinates"] = json!({ "latitude": latitude, "longitude": longitude });
    }
    body
}

async fn channels(
    api: &Api,
    source: &Source,
    (countries, with_offers): (&BTreeSet<&str>, bool),
) -> Result<BTreeMap<String, Channel>, Fault> {
    let means = |usual: &[&str]| {
        let more = if with_offers { ["points", "gift_card"].as_slice() } else { &[] };
        json!([usual, more].concat())
    };
    let market = json!({
        "code": MARKET, "name": "Britain", "external_id": MARKET, "countries": countries, "currency": CURRENCY,
        "prices_include_tax": true, "language": "en-GB", "time_zone": ZONE, "tax_zone": "vat",
    });
    make(api, "/v1/markets", &market).await?;
    let parcels =
        [("web", "Web shop", "all", Channel::Web), ("phone", "Phone desk", "warehouses", Channel::Phone)];
    let mut wanted: Vec<(Value, Channel)> = parcels
        .into_iter()
        .map(|(code, name, network, channel)| {
            let body = json!({
                "code": code, "external_id": code, "name": name, "kind": code, "market": MARKET, "network": network,
                "payment_kinds": means(&["manual", "test"]), "payment_minutes": 129_600,
            });
            (body, channel)
        })
        .collect();
    for at in source.locations.stores() {
        let store = source.locations.at(*at);
        let code = format!("till-{}", store.external_id);
        let body = json!({
            "code": code, "external_id": code, "name": format!("Till {}", store.city), "kind": "till", "market": MARKET,
            "network": "all", "location": store.external_id, "payment_kinds": means(&["cash", "card_record"]),
        });
        wanted.push((body, Channel::Till));
    }
    let mut channels = BTreeMap::new();
    for (body, channel) in wanted {
        let made = make(api, "/v1/channels", &body).await?;
        channels.insert(made["id"].as_str().unwrap_or_default().to_owned(), channel);
    }
    let method = json!({
        "code": "parcel", "external_id": "parcel", "name": { "text": "Parcel" }, "kind": "ship", "tax_class": "standard",
        "rates": { "measure": "value", "bands": [{ "from": 0, "price": { "amount": 0, "currency": CURRENCY } }] },
        "lead_days_min": 1, "lead_days_max": 5, "channels": ["web", "phone"],
        "zone": countries.iter().map(|code| json!({ "country": code })).collect::<Vec<_>>(),
    });
    make(api, "/v1/delivery-methods", &method).await?;
    let collect = json!({
        "code": "collect", "external_id": "collect", "name": { "text": "Collect in store" }, "kind": "pickup", "tax_class": "standard",
        "rates": { "measure": "value", "bands": [{ "from": 0, "price": { "amount": 0, "currency": CURRENCY } }] },
        "lead_days_min": 0, "lead_days_max": 2, "channels": ["web"], "pickup_network": "all",
    });
    make(api, "/v1/delivery-methods", &collect).await?;
    Ok(channels)
}

/// Everything an invoice names, services that were only ever credited included.
fn offered(source: &Source) -> Vec<Product> {
    let mut products = tables::products(source);
    let mut known: BTreeSet<String> = products.iter().map(|product| product.sku.clone()).collect();
    for line in source.invoices().iter().flat_map(|invoice| &invoice.lines) {
        let sku = source.stock.sku(line);
        if line.class.treatment() != Treatment::NotSent && known.insert(sku.to_owned()) {
            let said = source.stock.description(line);
            let name = if said.is_empty() { sku } else { said }.to_owned();
            let sku = sku.to_owned();
            products.push(Product { sku, name, kind: "service", price_minor: None, currency: CURRENCY });
        }
    }
    products
}

/// Makes the goods with their prices; answers their SKUs by the shop's own id of the variant.
async fn goods(
    api: &Api,
    products: &[Product],
    with_offers: bool,
    screen: &Screen,
) -> Result<HashMap<String, String>, Fault> {
    if with_offers {
        offers::make_categories(api).await?;
    }
    let list = json!({ "code": MARKET, "external_id": MARKET, "name": "Britain", "currency": CURRENCY, "market": MARKET });
    make(api, "/v1/price-lists", &list).await?;
    let bar = screen.bar("goods", "products");
    bar.set_length(products.len() as u64);
    let mut skus = HashMap::new();
    for products in products.chunks(BULK) {
        let items: Vec<Value> = products.iter().map(|own| product(own, with_offers)).collect();
        let made = bulk(api, "/v1/products/bulk", &items).await?;
        let named = products.iter().zip(&made);
        skus.extend(named.filter_map(|(product, made)| {
            Some((made["variants"][0]["id"].as_str()?.to_owned(), product.sku.clone()))
        }));
        let price = |product: &Product| {
            product
                .price_minor
                .map(|minor| json!({ "price_list": MARKET, "variant": product.sku, "amount": minor }))
        };
        let prices: Vec<Value> = products.iter().filter_map(price).collect();
        if !prices.is_empty() {
            bulk(api, "/v1/prices/bulk", &prices).await?;
        }
        bar.inc(products.len() as u64);
    }
    bar.finish_and_clear();
    Ok(skus)
}

fn product(product: &Product, with_offers: bool) -> Value {
    let categories = if with_offers { offers::categories(product) } else { Vec::new() };
    json!({
        "categories": categories,
        "title": { "text": product.name },
        "external_id": format!("product-{}", product.sku),
        "status": "active",
        "tax_class": "standard",
        "variants": [{ "sku": product.sku, "external_id": product.sku, "service": product.kind == "service" }],
    })
}

/// Makes many things at once under a name that does not change from try to try.
async fn bulk(api: &Api, path: &str, items: &[Value]) -> Result<Vec<Value>, Fault> {
    let first = items.first().map(|item| item["external_id"].to_string() + &item["variant"].to_string());
    let once = format!("replay:setup:{path}:{}", first.unwrap_or_default());
    api.bulk(path, &once, items).await
}

async fn customers(
    api: &Api,
    source: &Source,
    (clients, offers): (usize, Option<&mut Offers>),
    screen: &Screen,
) -> Result<(), Fault> {
    let latest: BTreeMap<_, _> =
        source.invoices().iter().filter_map(|invoice| Some((invoice.customer?, invoice.country))).collect();
    let bar = screen.bar("customers", "people");
    bar.set_length(latest.len() as u64);
    let with_offers = offers.is_some();
    let each = stream::iter(latest).map(|(number, country)| {
        let bar = bar.clone();
        let person = people::customer(number, country, &source.locations);
        async move {
            let member = with_offers && offers::is_member(number);
            let groups = if member { [offers::MEMBERS].as_slice() } else { &[] };
            let body =
                json!({ "external_id": number.to_string(), "contact": contact(&person), "groups": groups });
            let made = api.post("/v1/customers", &format!("replay:setup:customer:{number}"), &body).await?;
            bar.inc(1);
            if !member {
                return Ok::<_, Fault>(None);
            }
            offers::enrol(api, source, number).await?;
            Ok(Some((number, made["id"].as_str().unwrap_or_default().to_owned())))
        }
    });
    let made: Result<Vec<_>, Fault> = each.buffer_unordered(clients).try_collect().await;
    bar.finish_and_clear();
    if let Some(offers) = offers {
        offers.members.extend(made?.into_iter().flatten());
    } else {
        made?;
    }
    Ok(())
}
