//! What a replay sells with offers: members with prices of their own, three promotions, points, gift cards. Lines the source has at the
//! list price are sold at the prices of the lists, so that all this applies to them; lines at any other price stay as they were agreed.

pub mod explain;
pub mod means;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use tandem::demo::source::{Invoice, Source};
use tandem::demo::tables::Product;

use super::api::Api;
use super::clock;
use super::goods::{self, CURRENCY, Listed, Mark};
use super::proportions;
use crate::fault::Fault;

/// The group of members, and their price list.
pub const MEMBERS: &str = "members";
/// The loyalty programme.
pub const PROGRAMME: &str = "club";
/// The SKU of gift cards, and what one costs.
pub const CARD: &str = "GIFT-CARD";
/// What is on a gift card, in minor units.
pub const CARD_MINOR: i64 = 2_000;
/// What members pay of a list price, of a hundred.
const MEMBERS_PAY: i64 = 95;
/// What who becomes a member is given, in points. A point is earned by a pound, and pays a penny.
const WELCOME: i64 = 250;
/// The fewest points that pay at once.
pub const POINTS_MIN: i64 = 100;
/// The categories of the first two promotions.
const CATEGORIES: [&str; 2] = ["first", "second"];
/// What the promotions are called, in the order of reports.
pub const PROMOTIONS: [&str; 3] = ["ten in a hundred off", "six for five", "off the whole at tills"];

/// What was set up.
pub struct Offers {
    /// The promotions by the shop's own id: their place in [`PROMOTIONS`].
    pub promotions: HashMap<String, usize>,
    /// What a piece costs members, by SKU, where that is less than the list says.
    pub for_members: HashMap<String, i64>,
    /// The members by the source's number: the shop's own ids of the customers.
    pub members: BTreeMap<u32, String>,
}

/// Is this customer a member?
pub fn is_member(customer: u32) -> bool {
    proportions::MEMBERS.falls_on(&customer.to_string())
}

/// The categories of goods.
pub fn categories(product: &Product) -> Vec<&'static str> {
    let shares = [&proportions::IN_FIRST, &proportions::IN_SECOND];
    let is_listed = product.kind == "goods" && product.price_minor.is_some();
    let fallen = is_listed.then(|| proportions::one_of(&shares, &product.sku)).flatten();
    let place = fallen.and_then(|share| shares.iter().position(|own| *own == share));
    place.map(|place| CATEGORIES[place]).into_iter().collect()
}

/// Makes the categories, before the goods are made.
///
/// # Errors
/// What the shop refuses, here and below.
pub async fn make_categories(api: &Api) -> Result<(), Fault> {
    let tree = json!({ "code": "offers", "name": "Offers" });
    let tree = make(api, "/v1/category-trees", "tree", &tree).await?;
    let path = format!("/v1/category-trees/{}/categories", tree["id"].as_str().unwrap_or_default());
    for code in CATEGORIES {
        let category = json!({ "title": { "text": code }, "external_id": code });
        make(api, &path, code, &category).await?;
    }
    Ok(())
}

/// Makes everything else, when goods and channels are there and nobody is a member yet.
///
/// # Errors
/// As above.
pub async fn set_up(
    api: &Api,
    source: &Source,
    products: &[Product],
    (market, tills): (&str, &[String]),
) -> Result<Offers, Fault> {
    let for_members = member_prices(source, products);
    let list = json!({ "code": MEMBERS, "external_id": MEMBERS, "name": "Members", "currency": CURRENCY, "market": market,
        "customer_group": MEMBERS });
    make(api, "/v1/price-lists", "members", &list).await?;
    let mut prices: Vec<Value> = for_members
        .iter()
        .map(|(sku, minor)| json!({ "price_list": MEMBERS, "variant": sku, "amount": minor }))
        .collect();
    prices.sort_by_key(|price| price["variant"].to_string());
    for (number, prices) in prices.chunks(500).enumerate() {
        api.bulk("/v1/prices/bulk", &format!("replay:offers:prices:{number}"), prices).await?;
    }
    gift_cards(api, market).await?;
    programme(api, source).await?;
    let promotions = promotions(api, source, tills).await?;
    Ok(Offers { promotions, for_members, members: BTreeMap::new() })
}

async fn make(api: &Api, path: &str, name: &str, body: &Value) -> Result<Value, Fault> {
    api.post(path, &format!("replay:offers:{path}:{name}"), body).await
}

/// What goods cost members: a price at which the source never sold them, so that the books tell it from one that was agreed.
fn member_prices(source: &Source, products: &[Product]) -> HashMap<String, i64> {
    let all = source.invoices().iter().flat_map(|invoice| &invoice.lines);
    let sold: HashSet<Mark> = all.map(|line| goods::mark(source, line)).collect();
    let numbers: HashMap<&str, usize> =
        source.stock.skus().iter().enumerate().map(|(number, sku)| (sku.as_str(), number)).collect();
    let is_cheaper =
        |product: &&Product| product.kind == "goods" && proportions::FOR_MEMBERS.falls_on(&product.sku);
    let price = |product: &Product| {
        let number = *numbers.get(product.sku.as_str())?;
        let highest = product.price_minor? * MEMBERS_PAY / 100;
        let minor = (1..=highest).rev().find(|minor| !sold.contains(&(number, *minor)))?;
        Some((product.sku.clone(), minor))
    };
    products.iter().filter(is_cheaper).filter_map(price).collect()
}

async fn gift_cards(api: &Api, market: &str) -> Result<(), Fault> {
    let product = json!({ "title": { "text": "Gift card" }, "external_id": "product-gift-card", "status": "active", "tax_class": "standard",
        "variants": [{ "sku": CARD, "external_id": CARD, "service": true }] });
    make(api, "/v1/products", CARD, &product).await?;
    let price = json!({ "price_list": market, "variant": CARD, "amount": CARD_MINOR });
    make(api, "/v1/prices", CARD, &price).await?;
    let path = format!("/v1/gift-card-variants/{CARD}");
    api.put(&path, "replay:offers:gift-card", &Value::Null).await.map(drop)
}

/// The programme is as old as the source, so that its orders earn.
async fn programme(api: &Api, source: &Source) -> Result<(), Fault> {
    let money = |minor: i64| json!({ "amount": minor, "currency": CURRENCY });
    let terms = json!({
        "zone": clock::ZONE, "earnings": [{ "points": 1, "per": money(100) }], "worth": [{ "points": 1, "amount": money(1) }],
        "pays_min": POINTS_MIN, "pays_max_ppm": 500_000, "uncounted": ["gift_card"],
        "occasions": [{ "code": "welcome", "points": WELCOME, "times_max": 1 }],
    });
    let programme = json!({ "code": PROGRAMME, "name": "The club", "terms": terms });
    make(api, "/v1/loyalty-programmes", PROGRAMME, &programme).await?;
    let path = format!("/v1/loyalty-programmes/{PROGRAMME}/versions/1/activate");
    make(api, &path, PROGRAMME, &json!({ "from": beginning(source) })).await.map(drop)
}

/// When the first month of the source begins.
fn beginning(source: &Source) -> String {
    let first = source.months().into_iter().next();
    first.map_or_else(String::new, |month| clock::begin(month).to_string())
}

/// Makes a customer a member since the source begins, and welcomes him.
///
/// # Errors
/// As above.
pub async fn enrol(api: &Api, source: &Source, number: u32) -> Result<(), Fault> {
    let path = format!("/v1/customers/{number}/points");
    let joined = json!({ "programme": PROGRAMME, "enrolled_at": beginning(source) });
    let one = make(api, &path, "joined", &joined).await?;
    let path = format!("{path}/{}/give", one["id"].as_str().unwrap_or_default());
    make(api, &path, "welcome", &json!({ "occasion": "welcome" })).await.map(drop)
}

/// The promotions are in force since the source begins, though they are written down now.
async fn promotions(api: &Api, source: &Source, tills: &[String]) -> Result<HashMap<String, usize>, Fault> {
    let mut of = Vec::new();
    for code in CATEGORIES {
        let category = api.get(&format!("/v1/categories/{code}")).await?;
        of.push(json!({ "any": [{ "category": category["id"] }] }));
    }
    let off = |minor: i64| json!({ "amount": minor });
    let benefits = [
        json!({ "each": { "of": of[0], "steps": [{ "off": { "rate": 100_000 } }] } }),
        json!({ "set": { "parts": [{ "of": of[1], "pieces": 6 }], "gives": { "cheapest": { "pieces": 1, "rate": 1_000_000 } } } }),
        json!({ "whole": { "steps": [{ "from": 10_000, "off": off(300) }, { "from": 25_000, "off": off(1_000) }] } }),
    ];
    let mut made = HashMap::new();
    for (place, benefit) in benefits.into_iter().enumerate() {
        let is_last = place == PROMOTIONS.len() - 1;
        let conditions = if is_last { json!([{ "channels": tills }]) } else { json!([]) };
        let terms = json!({ "lane": u8::from(is_last), "currency": CURRENCY, "starts_at": beginning(source), "conditions": conditions,
            "benefit": benefit });
        let body = json!({ "name": PROMOTIONS[place], "terms": terms });
        let one = make(api, "/v1/promotions", &place.to_string(), &body).await?;
        let id = one["id"].as_str().unwrap_or_default().to_owned();
        make(api, &format!("/v1/promotions/{id}/activate"), "now", &Value::Null).await?;
        made.insert(id, place);
    }
    Ok(made)
}

impl Offers {
    /// The lines of a sale that are sold at the prices of the lists: goods at the list price of which the order has no other line, and which
    /// nobody changes afterwards.
    pub fn listed(
        &self,
        source: &Source,
        prices: &HashMap<String, i64>,
        invoice: &Invoice,
        (ordered, changed): (&BTreeMap<Mark, i64>, Option<Mark>),
    ) -> Listed {
        let is_alone = |mark: &Mark| ordered.keys().filter(|other| other.0 == mark.0).count() == 1;
        let member = invoice.customer.is_some_and(|customer| self.members.contains_key(&customer));
        let price = |mark: &Mark| {
            let sku = &source.stock.skus()[mark.0];
            let is_listed = prices.get(sku) == Some(&mark.1)
                && changed != Some(*mark)
                && is_alone(mark)
                && goods::is_of_goods(source, invoice, mark);
            let own = self.for_members.get(sku).filter(|_| member);
            is_listed.then(|| (*mark, own.copied().unwrap_or(mark.1)))
        };
        ordered.keys().filter_map(price).collect()
    }
}
