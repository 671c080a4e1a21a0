//! What the demo retailer decided before anything is sold: who must agree, how shelves are counted, what may come back, from where orders
//! are served, and who carries them.

use serde_json::{Value, json};
use tandem::demo::source::Source;

use super::api::Api;
use super::goods::CURRENCY;
use crate::fault::Fault;

/// What is moved for more than this needs a second person, in minor units.
const ALONE_MINOR: i64 = 30_000;
/// A counted line that differs by more pieces is counted again.
const TOLERATED_PIECES: i64 = 2;
/// How many days a sending to a pickup store takes.
const SENDING_DAYS: i64 = 2;
/// Places that open within two weeks are given orders: a replay lives at any hour of any day.
const OPENS_WITHIN_HOURS: i64 = 336;

/// Makes the rules; answers the way to the shop of the second person.
///
/// # Errors
/// What the shop refuses.
pub async fn set(api: &Api, source: &Source) -> Result<Api, Fault> {
    let places = source.locations.warehouses().iter().chain(source.locations.stores());
    for place in places.map(|at| &source.locations.at(*at).external_id) {
        let rule = json!({ "currency": CURRENCY, "transfer": ALONE_MINOR });
        put(api, &format!("/v1/locations/{place}/stock-rule"), &rule).await?;
        let rule = json!({ "pieces": TOLERATED_PIECES, "each_day": 0 });
        put(api, &format!("/v1/locations/{place}/count-rule"), &rule).await?;
    }
    // Goods may come back for ever: what was sold in the source's year comes back today.
    let policy = json!({
        "code": "standard", "name": "Standard", "terms": {
            "by_rule": true, "when": "after_inspection",
            "conditions": ["resellable", "inspect", "damaged", "scrap", "kept"],
            "means": ["original", "store_credit", "exchange"], "means_without_receipt": ["cash"],
        },
    });
    post(api, "/v1/return-policies", &policy).await?;
    route(api).await?;
    let sending = json!({ "network": "all", "days": SENDING_DAYS });
    put(api, "/v1/delivery-methods/collect/sending", &sending).await?;
    let van = json!({ "code": "van", "external_id": "van", "name": "Own van", "kind": "own_van", "collections": "mo-su 24:00" });
    post(api, "/v1/carriers", &van).await?;
    let second = json!({ "name": "area manager", "kind": "secret", "permissions": ["transfers:approve"] });
    let made = post(api, "/v1/api-keys", &second).await?;
    Ok(api.with_key(made["token"].as_str().unwrap_or_default().to_owned()))
}

/// As few parcels as can be; then a store before a warehouse, and the nearest.
async fn route(api: &Api) -> Result<(), Fault> {
    let tariff = |parcel: i64, item: i64| json!({ "parcel_minor": parcel, "item_minor": item, "kilogram_minor": 0, "kilometre_minor": 0 });
    let profile = json!({
        "name": "Whole, from a store, near",
        "opens_within_hours": OPENS_WITHIN_HOURS,
        "costs": { "currency": CURRENCY, "otherwise": tariff(320, 18), "tariffs": [{ "kinds": ["warehouse"], "tariff": tariff(320, 12) }] },
        "fallback": {
            "name": "All orders",
            "criteria": [
                { "measure": "parts", "effect": "rank" },
                { "measure": "kind", "effect": "rank", "kinds": ["store", "warehouse"] },
                { "measure": "distance", "effect": "rank" },
            ],
            "limits": { "parts_max": 20 }, "objective": "criteria", "remainder": { "kind": "back_order" },
        },
    });
    let made = post(api, "/v1/routing-profiles", &profile).await?;
    let id = made["id"].as_str().unwrap_or_default();
    post(api, &format!("/v1/routing-profiles/{id}/versions/1/activate"), &json!({})).await?;
    put(api, "/v1/channels/web/routing-profile", &json!({ "profile": id })).await
}

async fn post(api: &Api, path: &str, body: &Value) -> Result<Value, Fault> {
    api.post(path, &format!("replay:setup:{path}:{}", body["code"].as_str().unwrap_or_default()), body).await
}

async fn put(api: &Api, path: &str, body: &Value) -> Result<(), Fault> {
    api.put(path, &format!("replay:setup:{path}"), body).await.map(drop)
}
