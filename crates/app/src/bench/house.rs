//! A house to measure in, made over the public API: places, one web channel, and goods with prices, ten variants to each product.

use serde_json::{Value, json};
use tandem::demo::assignment::scattered;

use crate::fault::Fault;
use crate::replay::api::Api;

/// Variants of each product.
pub const VARIANTS_EACH: usize = 10;
/// Everything is sold in this.
const CURRENCY: &str = "GBP";
/// Products, and prices, of one bulk call.
const PRODUCTS_AT_ONCE: usize = 40;
/// Locations of one bulk call.
const LOCATIONS_AT_ONCE: usize = 500;
/// Orders a day that a location on the map can prepare.
const CAPACITY: u64 = 500;
/// The most lines of one receipt.
const LINES_MAX: usize = 500;

/// How large a house.
pub struct Plan {
    /// What everything in it is called first, so that two houses may share one database.
    pub name: &'static str,
    /// How many locations.
    pub locations: usize,
    /// How many products.
    pub products: usize,
    /// Its locations lie about the country and have opening hours, cut-offs and a capacity.
    pub on_the_map: bool,
}

/// What is known of a house.
#[derive(Clone)]
pub struct House {
    name: &'static str,
    /// The way parcels go.
    method: String,
    /// The channel that reaches all locations.
    pub channel: String,
    /// The locations' ids, best first.
    pub locations: Vec<String>,
    /// The variants' ids, product by product.
    pub variants: Vec<String>,
}

/// Makes a house.
///
/// # Errors
/// What the shop refuses.
pub async fn make(api: &Api, plan: &Plan) -> Result<House, Fault> {
    let name = plan.name;
    let one = |path: &'static str, code: &str, mut body: Value| {
        body["code"] = json!(code);
        // A tax class is known by its code alone.
        if path != "/v1/tax-classes" {
            body["external_id"] = json!(code);
        }
        let once = format!("bench:{path}:{code}");
        async move { api.post(path, &once, &body).await }
    };
    one("/v1/tax-classes", name, json!({ "name": "Standard" })).await?;
    one("/v1/tax-zones", name, json!({ "name": "VAT", "areas": ["GB"] })).await?;
    let rate = json!({ "tax_class": name, "rate_ppm": 200_000 });
    api.put(&format!("/v1/tax-zones/{name}/rates"), &format!("bench:rate:{name}"), &rate).await?;
    let places: Vec<Value> = (0..plan.locations).map(|place| location(plan, place)).collect();
    let mut locations = Vec::with_capacity(plan.locations);
    for (nth, places) in places.chunks(LOCATIONS_AT_ONCE).enumerate() {
        let made = api.bulk("/v1/locations/bulk", &format!("bench:locations:{name}:{nth}"), places).await?;
        locations.extend(made.iter().map(|location| text(&location["id"])));
    }
    let market = json!({
        "name": "Britain", "countries": ["GB"], "currency": CURRENCY, "prices_include_tax": true, "language": "en-GB",
        "time_zone": "Europe/London", "tax_zone": name,
    });
    one("/v1/markets", name, market).await?;
    let list = json!({ "name": "Retail", "currency": CURRENCY, "market": name });
    one("/v1/price-lists", name, list).await?;
    let mut house =
        House { name, method: String::new(), channel: String::new(), locations, variants: Vec::new() };
    house.open(api, name).await?;
    let products: Vec<Value> =
        (0..plan.products).map(|number| product(name, &format!("{name}-{number}"), VARIANTS_EACH)).collect();
    for products in products.chunks(PRODUCTS_AT_ONCE) {
        let made = house.sell(api, products).await?;
        house.variants.extend(made);
    }
    Ok(house)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn location(plan: &Plan, place: usize) -> Value {
    let code = format!("{}-{place}", plan.name);
    let mut location = json!({
        "code": code, "external_id": code, "name": format!("Store {place}"), "kind": "store", "can_ship": true, "can_pick_up": true,
        "can_receive": true, "can_return": true, "time_zone": "Europe/London",
    });
    if plan.on_the_map {
        location["coordinates"] = point(&code);
        location["opening_hours"] = json!("mo-sa 09:00-18:00; su 10:00-16:00; 2026-12-25 closed");
        location["cut_off"] = json!("mo-fr 15:00; sa 12:00");
        location["capacity"] = json!(CAPACITY);
    }
    location
}

/// Somewhere in England, the same for the same word each time.
pub fn point(word: &str) -> Value {
    let along = |what, from: f64, most: u64| from + (scattered(word, what) % most) as f64 / 1000.0;
    json!({ "latitude": along("latitude", 50.5, 4_500), "longitude": along("longitude", -3.5, 4_500) })
}

fn product(name: &str, sku: &str, variants: usize) -> Value {
    let sizes: Vec<String> = (1..=variants).map(|size| size.to_string()).collect();
    let variant =
        |size: &String| json!({ "sku": format!("{sku}-{size}"), "options": [size], "weight_grams": 350 });
    json!({
        "title": { "text": format!("Product {sku}") }, "external_id": format!("product-{sku}"), "status": "active", "tax_class": name,
        "options": [{ "name": "size", "values": sizes }], "variants": sizes.iter().map(variant).collect::<Vec<_>>(),
    })
}

impl House {
    /// Opens a channel, with a network and a way for parcels of its own, that sells from the house's locations.
    async fn open(&mut self, api: &Api, code: &str) -> Result<(), Fault> {
        let name = self.name;
        let one = |path: &'static str, mut body: Value| {
            (body["code"], body["external_id"]) = (json!(code), json!(code));
            let once = format!("bench:{path}:{code}");
            async move { api.post(path, &once, &body).await }
        };
        let members: Vec<Value> =
            self.locations.iter().map(|location| json!({ "location": location })).collect();
        one("/v1/networks", json!({ "name": "Everywhere", "members": members })).await?;
        let channel = json!({ "name": "Web shop", "kind": "web", "market": name, "network": code, "payment_kinds": ["manual"] });
        one("/v1/channels", channel).await?;
        let parcel = json!({
            "name": { "text": "Parcel" }, "kind": "ship", "tax_class": name, "lead_days_min": 1, "lead_days_max": 5, "channels": [code],
            "zone": [{ "country": "GB" }],
            "rates": { "measure": "value", "bands": [{ "from": 0, "price": { "amount": 395, "currency": CURRENCY } }] },
        });
        one("/v1/delivery-methods", parcel).await?;
        (self.channel, self.method) = (code.to_owned(), code.to_owned());
        Ok(())
    }

    /// The same house as another channel sees it, which reaches only the first locations.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn narrower(&self, api: &Api, locations: usize) -> Result<House, Fault> {
        let mut house = House { locations: self.locations[..locations].to_vec(), ..self.clone() };
        house.open(api, &format!("{}-{locations}", self.name)).await?;
        Ok(house)
    }

    /// Makes products and gives every variant a price; answers the variants' ids.
    async fn sell(&self, api: &Api, products: &[Value]) -> Result<Vec<String>, Fault> {
        let first = text(&products[0]["external_id"]);
        let made = api.bulk("/v1/products/bulk", &format!("bench:products:{first}"), products).await?;
        let variants = made.iter().flat_map(|product| product["variants"].as_array().into_iter().flatten());
        let ids: Vec<String> = variants.map(|variant| text(&variant["id"])).collect();
        let price = |(place, variant): (usize, &String)| json!({ "price_list": self.name, "variant": variant, "amount": 499 + 100 * (place % 40) });
        let prices: Vec<Value> = ids.iter().enumerate().map(price).collect();
        api.bulk("/v1/prices/bulk", &format!("bench:prices:{first}"), &prices).await?;
        Ok(ids)
    }

    /// One more product of one variant, with so many pieces at each location; answers the variant's id.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn also_sell(&self, api: &Api, word: &str, pieces_each: u64) -> Result<String, Fault> {
        let sku = format!("{}-{word}", self.name);
        let made = self.sell(api, &[product(self.name, &sku, 1)]).await?;
        self.stock(api, &made, pieces_each).await?;
        made.into_iter().next().ok_or_else(|| Fault::Failed(format!("product {sku} came without a variant")))
    }

    /// Opening stock of these variants, so many pieces at each location.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn stock(&self, api: &Api, variants: &[String], pieces_each: u64) -> Result<(), Fault> {
        for location in &self.locations {
            for lines in variants.chunks(LINES_MAX) {
                let once = format!("bench:stock:{location}:{}", lines[0]);
                let line = |variant: &String| json!({ "variant": variant, "quantity": pieces_each });
                let lines: Vec<Value> = lines.iter().map(line).collect();
                let receipt = json!({ "location": location, "opening": true, "lines": lines });
                api.post("/v1/stock/receipts", &once, &receipt).await?;
            }
        }
        Ok(())
    }

    /// A guest's whole cart with these variants, one of each.
    pub fn cart(&self, variants: &[&String]) -> Value {
        self.cart_of(variants, 1)
    }

    /// A guest's whole cart with these variants, so many of each.
    pub fn cart_of(&self, variants: &[&String], quantity: u64) -> Value {
        let line = |variant: &&String| json!({ "variant": variant, "quantity": quantity });
        json!({
            "channel": self.channel,
            "currency": CURRENCY,
            "lines": variants.iter().map(line).collect::<Vec<_>>(),
            "delivery": { "method": self.method },
            "contact": {
                "name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB",
                "email": "ada@example.com", "phone": "+442079460958",
            },
        })
    }
}
