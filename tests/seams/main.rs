//! The crossings between channels, each walked end to end through the served program on every engine; afterwards the books agree with
//! themselves. A test is named after its seam.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]

mod after_sale;
mod basket;
mod between;
mod change;
mod claim;
mod consent;
mod floor;
mod loyalty;
mod person;
mod price;
mod receipt;
mod shelf;
mod sign_in;
mod sources;
mod spend;
mod status;
mod stock;

use domain::stock::State as Stock;
use serde_json::json;

use floor::on_every_engine;

/// Buy online, collect in store: picked, packed, ready, code shown, handed over; the customer waits at a bay.
#[test]
fn s05_buy_online_collect_in_store() {
    on_every_engine([0, 3], |floor| {
        let order = floor.order(2, Some("york"));
        let at_the_store = floor.list("/v1/locations/york/fulfilment-orders");
        assert_eq!((at_the_store.len(), &at_the_store[0]["order"]), (1, &json!(order)));
        let part = floor.part(&order, 0);
        floor.step(&part, "start-picking", &json!(null));
        let picked = floor.step(&part, "pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
        assert_eq!(picked["lines"][0]["picked"], 2);
        floor.step(&part, "pack", &json!(null));
        let ready = floor.step(&part, "ready", &json!(null));
        assert_eq!(ready["state"], "ready_for_pickup");
        let visit = floor.get(&format!("{part}/visit"));
        floor.step(&part, "arrive", &json!({ "bay": "2" }));
        let refused = floor.ask(&format!("{part}/hand-over"), &json!({ "code": "not it" }));
        assert_eq!(
            (refused.status, refused.json().unwrap()["errors"][0]["field"].as_str()),
            (422, Some("code"))
        );
        let done = floor.step(&part, "hand-over", &json!({ "code": visit["code"] }));
        assert_eq!(
            (&done["state"], &done["fulfilment_orders"][0]["state"]),
            (&json!("completed"), &json!("collected"))
        );
        assert_eq!(floor.count(1, Stock::Available), 1);
        let told = floor.told(&order);
        for kind in [
            "fulfilment.picking",
            "fulfilment.packed",
            "fulfilment.ready",
            "pickup.arrived",
            "pickup.handed_over",
        ] {
            assert!(told.iter().any(|known| known == kind), "{kind} is missing in {told:?}");
        }
    });
}

/// The customer is on the way, shows a QR code at the bay, and takes one of the two; for another order somebody else comes.
#[test]
fn s05_at_the_bay_and_by_another_person() {
    on_every_engine([0, 3], |floor| {
        let order = floor.order(2, Some("york"));
        let part = floor.part(&order, 0);
        floor.step(&part, "ready", &json!(null));
        floor.step(&part, "on-the-way", &json!({ "minutes": 10 }));
        floor.step(&part, "arrive", &json!({ "bay": "B 2" }));
        let visit = floor.get(&format!("{part}/visit"));
        assert_eq!((&visit["state"], &visit["bay"]), (&json!("arrived"), &json!("B 2")));
        let svg = floor.picture(&format!("{part}/visit/code.svg"));
        assert!(svg.starts_with(b"<?xml") && svg.windows(4).any(|part| part == b"<svg"));
        assert!(floor.picture(&format!("{part}/visit/code.png")).starts_with(b"\x89PNG"));
        let (goods, code) = (part.rsplit('/').next().unwrap(), visit["code"].as_str().unwrap());
        let line = &floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"];
        let taken = json!({ "code": format!("{goods}/{code}"), "lines": [{ "line": line, "quantity": 1 }] });
        let done = floor.step(&part, "hand-over", &taken);
        assert_eq!((&done["state"], &done["refunded"]["amount"]), (&json!("completed"), &json!(500)));
        assert_eq!(floor.count(1, Stock::Available), 2);

        let order = floor.order(1, Some("york"));
        let part = floor.part(&order, 0);
        floor.step(&part, "ready", &json!(null));
        let named = floor.put(&format!("{part}/visit/collector"), &json!({ "name": "Tom Byron" }));
        let seen = json!({ "seen": "driving licence", "collector": named["named"] });
        assert_eq!(floor.step(&part, "hand-over", &seen)["state"], "completed");
        assert_eq!(floor.get(&format!("{part}/visit"))["collector"], named["named"]);
    });
}

/// Ship from the store and from another one: one order split over both, with one charge for the delivery.
#[test]
fn s08_one_order_from_two_places() {
    on_every_engine([2, 2], |floor| {
        let order = floor.order(3, None);
        let whole = floor.get(&format!("/v1/orders/{order}"));
        assert_eq!(whole["fulfilment_orders"].as_array().unwrap().len(), 2);
        assert_eq!(whole["gross"]["amount"], 3 * 500 + 395, "{whole}");
        for number in 0..2 {
            floor.step(&floor.part(&order, number), "ship", &json!({ "tracking": format!("JD{number}") }));
        }
        assert_eq!(floor.get(&format!("/v1/orders/{order}"))["state"], "completed");
        assert_eq!((floor.count(0, Stock::Available), floor.count(1, Stock::Available)), (0, 1));
    });
}

/// Ship from the warehouse unless only the store has it: the profile decides, one delivery is charged, and it can be asked why.
#[test]
fn s08_the_profile_says_from_where_and_why() {
    on_every_engine([3, 2], |floor| {
        let tariff = |minor: i64| json!({ "parcel_minor": minor });
        let content = json!({
            "name": "warehouse first",
            "costs": { "currency": "GBP", "otherwise": tariff(400), "tariffs": [{ "locations": ["york"], "tariff": tariff(250) }] },
            "fallback": { "name": "all", "limits": { "parts_max": 2 }, "objective": "cost", "remainder": { "kind": "person" } },
        });
        let profile = floor.must("/v1/routing-profiles", &content);
        let id = profile["id"].as_str().unwrap();
        assert_eq!(profile["profile"]["costs"]["tariffs"][0]["tariff"]["parcel_minor"], 250);
        floor.must(&format!("/v1/routing-profiles/{id}/versions/1/activate"), &json!({}));
        floor.put("/v1/channels/web/routing-profile", &json!({ "profile": id }));

        let cheap = floor.order(2, None);
        let decision = &floor.list(&format!("/v1/orders/{cheap}/routing-decisions"))[0];
        assert_eq!((&decision["profile"], &decision["cost"]["total"]["amount"]), (&json!(id), &json!(250)));
        let reasons = |order: &str, decision: &serde_json::Value, location: &str| {
            let decision = decision["id"].as_str().unwrap();
            let path = format!("/v1/orders/{order}/routing-decisions/{decision}/reasons?location={location}");
            floor.get(&path)["reasons"].to_string()
        };
        let why = reasons(&cheap, decision, "leeds");
        assert!(why.contains("GBP 1.50 more than york"), "{why}");
        assert_eq!(floor.count(1, Stock::Committed), 2);

        let dear = floor.order(3, None);
        assert_eq!(floor.count(0, Stock::Committed), 3);
        let whole = floor.get(&format!("/v1/orders/{dear}"));
        assert_eq!(whole["gross"]["amount"], 3 * 500 + 395, "{whole}");
        assert!(floor.told(&dear).iter().any(|kind| kind == "routing.decided"));
        assert!(floor.list("/v1/waiting-fulfilment-orders").is_empty());
    });
}

/// Two parcels of one order leave one after the other, and the money is taken with each.
#[test]
fn s08_in_parcels_with_a_capture_for_each() {
    on_every_engine([3, 0], |floor| {
        let van = json!({ "code": "van", "name": "Own van", "external_id": "van", "kind": "own_van", "collections": "mo-su 24:00" });
        floor.must("/v1/carriers", &van);
        let order = floor.order(3, None);
        let wave = floor.must("/v1/locations/leeds/pick-waves", &json!({ "kind": "ship" }));
        let wave = format!("/v1/pick-waves/{}", wave["id"].as_str().unwrap());
        floor.must(&format!("{wave}/start"), &json!(null));
        let scanned = floor.must(&format!("{wave}/scan"), &json!({ "code": "MUG", "quantity": 3 }));
        assert_eq!(scanned["placed"][0]["quantity"], 3);
        floor.must(&format!("{wave}/finish"), &json!(null));
        let part = floor.part(&order, 0);
        let pack = |pieces: i64| {
            let lines = json!([{ "variant": "MUG", "quantity": pieces }]);
            floor.step(&part, "parcels", &json!({ "lines": lines, "carrier": "van" }))
        };
        let parcels = [pack(1), pack(2)];
        let path =
            |number: usize| format!("/v1/orders/{order}/parcels/{}", parcels[number]["id"].as_str().unwrap());
        let label = String::from_utf8(floor.picture(&format!("{}/label.zpl", path(0)))).unwrap();
        assert!(label.starts_with("^XA") && label.contains("Ada Byron"), "{label}");
        let first = floor.must(&format!("{}/ship", path(0)), &json!({}));
        assert_eq!(
            (&first["state"], &first["fulfilment_status"]),
            (&json!("placed"), &json!("partly_fulfilled"))
        );
        let last = floor.must(&format!("{}/ship", path(1)), &json!({}));
        assert_eq!(last["state"], "completed");
        let again = floor.ask(&format!("{}/ship", path(1)), &json!({}));
        assert_eq!(again.status, 409, "it left: {}", again.text());
        floor.must(&format!("{}/attempt", path(0)), &json!({ "outcome": "not_at_home" }));
        let done = floor.must(&format!("{}/attempt", path(0)), &json!({ "outcome": "delivered" }));
        assert_eq!((&done["state"], &done["attempts"]), (&json!("delivered"), &json!(1)));
        assert_eq!(floor.count(0, Stock::Available), 0);
    });
}

/// A picker cannot find the piece: the order moves to another place in the same instant.
#[test]
fn s10_a_short_pick_moves_the_order_at_once() {
    on_every_engine([2, 2], |floor| {
        let order = floor.order(2, None);
        let part = floor.part(&order, 0);
        floor.step(&part, "start-picking", &json!(null));
        let short =
            floor.step(&part, "short-pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
        let states: Vec<_> =
            short.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["rejected", "open"]);
        assert_eq!((floor.count(0, Stock::Missing), floor.count(1, Stock::Committed)), (2, 2));
        floor.step(&floor.part(&order, 1), "ship", &json!({ "tracking": "JD1" }));
        assert_eq!(floor.get(&format!("/v1/orders/{order}"))["state"], "completed");
    });
}
