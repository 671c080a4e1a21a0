//! Segments as a colleague uses them over the API: written, tried, read with their reasons, and followed as stock, time and people change.

use crate::desk::Desk;
use crate::privacy::Colleague;
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

const DAY: i64 = 86_400;

fn customer(all: &Colleague<'_>, external_id: &str, groups: &[&str]) -> String {
    let body = json!({"external_id": external_id, "contact": {"name": external_id}, "groups": groups});
    all.done("POST", "/v1/customers", Some(body))["id"].as_str().expect("an id").to_owned()
}

fn segment(all: &Colleague<'_>, code: &str, expression: &Value) -> String {
    let body = json!({"code": code, "name": code, "expression": expression});
    let made = all.done("POST", "/v1/segments", Some(body));
    format!("/v1/segments/{}", made["id"].as_str().expect("an id"))
}

fn subjects(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("a page").iter().filter_map(|one| one["subject"].as_str()).collect()
}

/// What a browser tells, with who it knows is in front of it.
fn viewed(desk: &Desk, key: &str, message: &str, user: &str, properties: &Value) {
    let event = json!({"type": "track", "event": "Product Viewed", "messageId": message, "anonymousId": "b1", "userId": user,
        "properties": properties, "writeKey": key});
    let answer = desk.send_raw("POST", "/v1/track", &[], event.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn server_source(all: &Colleague<'_>) -> String {
    let made = all.done("POST", "/v1/sources", Some(json!({"name": "Shop", "kind": "server"})));
    made["write_key"].as_str().expect("a key").to_owned()
}

#[test]
fn who_belongs_why_and_since_when() {
    on_every_engine(|shop: &TestShop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let (ada, bob) = (customer(&all, "ADA", &["vip"]), customer(&all, "BOB", &[]));
        let lookers = json!({"event": {"name": "Product Viewed", "where": [{"property": "colour", "is": ["red"]}], "within_days": 30}});
        let tried = |expression: &Value| {
            all.done("POST", "/v1/segments/preview", Some(json!({"expression": expression})))
        };
        assert_eq!((&tried(&lookers)["members"], &tried(&lookers)["exact"]), (&json!(0), &json!(true)));
        let path = segment(&all, "lookers", &lookers);
        viewed(&desk, &server_source(&all), "m1", &ada, &json!({"colour": "red"}));
        assert_eq!(tried(&lookers)["members"], 1);
        assert_eq!(subjects(&all.done("GET", &format!("{path}/members"), None)), [&ada]);
        let why = all.done("GET", &format!("{path}/members/{ada}"), None);
        assert_eq!((&why["member"], &why["why"]["actual"]), (&json!(true), &json!([1])), "{why}");
        assert!(why["next_change"].as_str() > why["at"].as_str(), "it says when that ends");
        let other = all.done("GET", &format!("{path}/members/{bob}"), None);
        assert_eq!((&other["member"], &other["why"]["holds"]), (&json!(false), &json!(false)));
        assert_eq!(
            all.done("GET", &format!("/v1/customers/{ada}/segments"), None)["segments"][0]["code"],
            "lookers"
        );
        shop.pass(30 * DAY);
        assert_eq!(
            all.done("GET", &format!("{path}/members/{ada}"), None)["member"],
            false,
            "a month is over"
        );
        let size = all.done("GET", &format!("{path}/size"), None);
        assert_eq!(size, json!({"members": 0, "exact": true, "live": false, "built": true, "whole": true}));
        let steps = all.done("GET", &format!("{path}/history?subject={ada}"), None);
        let entered: Vec<&Value> =
            steps["items"].as_array().unwrap().iter().map(|one| &one["entered"]).collect();
        assert_eq!(entered, [&json!(false), &json!(true)], "fell out, after coming in");

        let change = all.done("PATCH", &path, Some(json!({"expression": {"groups": ["vip"]}})));
        assert_eq!(change["version"], 2);
        assert_eq!(subjects(&all.done("GET", &format!("{path}/members"), None)), [&ada]);
        assert_eq!(
            all.ask("PATCH", &path, Some(json!({"name": "Old"}))).code(),
            "stale",
            "it was read before the change"
        );
        let versions = all.done("GET", &format!("{path}/versions"), None);
        assert_eq!(versions["items"].as_array().unwrap().len(), 2, "every version is kept");
    });
}

#[test]
fn traits_lists_and_what_lies_on_the_shelf() {
    on_every_engine(|shop: &TestShop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        let (ada, bob) = (customer(&all, "ADA", &[]), customer(&all, "BOB", &[]));
        let definition = json!({"name": "Product Viewed", "within_days": 90, "aggregate": "most_frequent", "property": "colour"});
        let body = json!({"name": "Favourite colour", "definition": definition});
        let asked = desk.ask(&all.key, "PUT", "/v1/traits/favourite", Some(body));
        assert_eq!(asked.status, 200, "{}", asked.text);
        let key = server_source(&all);
        for (place, colour) in ["red", "blue", "blue"].into_iter().enumerate() {
            viewed(&desk, &key, &format!("m{place}"), &ada, &json!({"colour": colour}));
        }
        let worked_out = all.done("GET", &format!("/v1/customers/{ada}/traits"), None);
        assert_eq!(worked_out["traits"][0]["values"], json!(["blue"]), "{worked_out}");

        let list = all.done("POST", "/v1/lists", Some(json!({"code": "press", "name": "Press"})));
        let list = list["id"].as_str().expect("an id").to_owned();
        let people = json!({"people": [ada, bob]});
        assert_eq!(all.done("POST", &format!("/v1/lists/{list}/put"), Some(people))["people"], 2);
        let here = retailer.locations[0].to_string();
        let expression = json!({"all": [{"list": list}, {"trait": {"code": "favourite", "is": ["blue"]}},
            {"stock": {"variant": mug.to_string(), "location": here, "at_least": 3}}]});
        let path = segment(&all, "blue-mugs", &expression);
        let counted = || {
            let size = all.done("GET", &format!("{path}/size"), None);
            (size["members"].as_i64(), size["exact"] == true && size["live"] == true)
        };
        assert_eq!(counted(), (Some(0), true), "the shelf is empty");
        retailer.stock(shop, mug, 0, 3);
        assert_eq!(counted(), (Some(1), true), "it was filled a moment ago");
        assert_eq!(subjects(&all.done("GET", &format!("{path}/members"), None)), [&ada]);
        all.done("POST", &format!("/v1/lists/{list}/take-off"), Some(json!({"people": [ada]})));
        assert_eq!(counted(), (Some(0), true));
    });
}

#[test]
fn what_cannot_be_is_refused_by_name_and_nobody_looks_who_may_not() {
    on_every_engine(|shop: &TestShop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let wrong = json!({"code": "Big One", "name": "", "expression": {"all": [{"orders": {"within_days": 0}}, {"unheard": 1}]}});
        let refused = all.ask("POST", "/v1/segments", Some(wrong));
        assert_eq!(refused.status, 422, "{}", refused.text);
        for field in ["code", "name", "expression.all.1"] {
            assert!(refused.text.contains(field), "{field} is named: {}", refused.text);
        }
        let endless =
            json!({"code": "x", "name": "x", "expression": {"all": [{"orders": {"within_days": 0}}]}});
        let refused = all.ask("POST", "/v1/segments", Some(endless));
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid"), "{}", refused.text);
        assert!(refused.text.contains("expression.all.0"), "{}", refused.text);
        let path = segment(&all, "all", &json!({"share": {"seed": "a", "from": 0, "below": 100}}));
        let cashier = Colleague::at(&desk, shop, &[Permission::Shop, Permission::ReadCatalogue]);
        for read in [
            path.clone(),
            format!("{path}/members"),
            format!("{path}/size"),
            format!("{path}/history"),
            "/v1/traits".into(),
        ] {
            assert_eq!(cashier.ask("GET", &read, None).code(), "forbidden", "{read}");
        }
        let change = json!({"code": "x", "name": "x", "expression": {"groups": ["vip"]}});
        assert_eq!(cashier.ask("POST", "/v1/segments", Some(change)).code(), "forbidden");
    });
}
