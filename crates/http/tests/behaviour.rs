//! The collector as libraries ask it, and what the retailer sees of it afterwards.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};

const PAGE: (&str, &str) = ("origin", "https://anything.example");

fn owner(shop: &TestShop) -> String {
    key_for(shop, Permission::ALL)
}

fn source(desk: &Desk, owner: &str, kind: &str) -> (String, String) {
    let made = desk.ask(owner, "POST", "/v1/sources", Some(json!({ "name": "Shop", "kind": kind })));
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |name: &str| made.json[name].as_str().expect("a text").to_owned();
    (text("id"), text("write_key"))
}

fn post(desk: &Desk, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let answer = desk.send_raw("POST", path, headers, body.to_string());
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer
}

/// The names of what a person did, the latest first.
fn told(desk: &Desk, owner: &str, kind: &str, value: &str) -> Vec<String> {
    let found = desk.ask(owner, "POST", "/v1/profiles/find", Some(json!({ "kind": kind, "value": value })));
    assert_eq!(found.status, 200, "{}", found.text);
    let path = format!("/v1/profiles/{}/events", found.json["id"].as_str().expect("an id"));
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = desk.ask(owner, "GET", &format!("{path}?limit=2{cursor}"), None);
        let items = page.json["items"].as_array().expect("a page");
        names.extend(
            items
                .iter()
                .map(|one| one["name"].as_str().or(one["type"].as_str()).unwrap_or_default().to_owned()),
        );
        let Some(next) = page.json["next_cursor"].as_str() else { return names };
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn every_library_finds_its_own_way_in() {
    on_every_engine(|shop| {
        let (desk, owner) = (Desk::of(shop), owner(shop));
        let (_, key) = source(&desk, &owner, "web");
        let basic = format!("Basic {}", base64(&format!("{key}:")));
        let named = |n: i64, more: Value| {
            let at = format!("2026-06-01T09:{n:02}:00Z");
            let mut event = json!({ "type": "track", "event": format!("e{n}"), "messageId": format!("m{n}"), "anonymousId": "b1", "timestamp": at });
            event.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
            event
        };
        post(
            &desk,
            "/v1/t",
            &[("authorization", &basic), ("content-type", "text/plain"), PAGE],
            &named(1, json!({})),
        );
        post(
            &desk,
            "/v1/batch",
            &[],
            &json!({ "writeKey": key, "batch": [named(2, json!({})), named(1, json!({}))] }),
        );
        post(
            &desk,
            &format!("/beacon/v1/batch?writeKey={key}"),
            &[],
            &json!({ "batch": [named(3, json!({}))] }),
        );
        post(
            &desk,
            "/api/s/track",
            &[("x-write-key", &format!("{key}:x"))],
            &named(4, json!({ "type": null })),
        );
        let identify = json!({ "type": "identify", "messageId": "i", "userId": "u1", "anonymousId": "b1", "timestamp": "2026-06-01T09:05:00Z" });
        post(&desk, "/v1/identify", &[("authorization", &basic)], &identify);
        let captured = json!({ "api_key": key, "batch": [{ "event": "e6", "uuid": "p6", "distinct_id": "u1", "timestamp": "2026-06-01T09:06:00Z" }] });
        assert_eq!(post(&desk, "/posthog/batch/", &[], &captured).json, json!({ "status": 1 }));
        post(&desk, "/v1/m", &[], &json!({}));
        assert_eq!(told(&desk, &owner, "anonymous_id", "b1"), ["e6", "identify", "e4", "e3", "e2", "e1"]);
        assert_eq!(told(&desk, &owner, "user_id", "u1").len(), 6);
    });
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn pages_of_any_origin_may_send() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), owner(&shop));
    let (_, key) = source(&desk, &owner, "web");
    let asked = [
        PAGE,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,anonymousid"),
    ];
    let answer = desk.send("OPTIONS", "/v1/track", &asked, None);
    let header = |name: &str| answer.headers[name].to_str().expect("a text").to_owned();
    assert_eq!(answer.status, 200);
    assert_eq!(header("access-control-allow-origin"), PAGE.1);
    assert_eq!(header("access-control-allow-headers"), "authorization,anonymousid");
    let settings = desk.send("GET", &format!("/v1/projects/{key}/settings"), &[PAGE], None);
    assert_eq!(settings.json["integrations"]["Segment.io"]["apiKey"], json!(key));
    assert_eq!(desk.send("GET", "/v1/projects/nothing/settings", &[PAGE], None).status, 404);
    let basic = format!("Basic {}", base64(&format!("{key}:")));
    let config = desk.send("GET", "/sourceConfig/?p=npm", &[("authorization", &basic), PAGE], None);
    assert_eq!(config.json["source"]["writeKey"], json!(key));
    let other = desk.send("OPTIONS", "/v1/products", &asked, None);
    assert!(!other.headers.contains_key("access-control-allow-origin"), "nothing else is open to it");
}

#[test]
fn who_may_not_send_is_told_so() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), owner(&shop));
    let (id, key) = source(&desk, &owner, "server");
    let event = json!({ "userId": "u1", "event": "x" });
    let send = |key: &str, body: &[u8]| {
        let basic = format!("Basic {}", base64(&format!("{key}:")));
        let answer = desk.send_raw("POST", "/v1/track", &[("authorization", &basic)], body);
        (answer.status.as_u16(), answer.code().to_owned())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(send("nothing", event.to_string().as_bytes()), refused(401, "no_key"));
    assert_eq!(send(&key.replace(&key[40..], "00"), event.to_string().as_bytes()), refused(401, "no_key"));
    assert_eq!(send(&key, b"{"), refused(400, "unreadable"));
    let many = json!({ "batch": vec![event.clone(); 2_501] });
    assert_eq!(send(&key, many.to_string().as_bytes()), refused(400, "too_many"));
    assert_eq!(send(&key, event.to_string().as_bytes()).0, 200);
    let body = Some(json!({ "enabled": false }));
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", "\"1\"")];
    assert_eq!(desk.send("PATCH", &format!("/v1/sources/{id}"), &headers, body).status, 200);
    assert_eq!(send(&key, event.to_string().as_bytes()), refused(404, "disabled"));
    let read = desk.ask(&owner, "GET", &format!("/v1/sources/{id}"), None);
    assert_eq!((&read.json["enabled"], &read.json["write_key"]), (&json!(false), &Value::Null));
}

#[test]
fn what_was_set_aside_is_seen_and_taken_in() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), owner(&shop));
    let plan = json!([{ "name": "Product Viewed", "properties": [{ "name": "sku", "type": "text", "required": true }] }]);
    let body = json!({ "name": "Shop", "kind": "web", "mode": "quarantine", "plan": plan });
    let made = desk.ask(&owner, "POST", "/v1/sources", Some(body));
    let (id, key) = (made.json["id"].as_str().expect("an id"), made.json["write_key"].clone());
    let viewed = json!({ "type": "track", "event": "Product Viewed", "anonymousId": "b1", "messageId": "1" });
    let odd = json!({ "type": "nonsense", "event": "Product Viewed", "anonymousId": "b1", "properties": { "sku": "T" } });
    post(&desk, "/v1/batch", &[], &json!({ "writeKey": key, "batch": [viewed, odd, 7] }));
    let listed = desk.ask(&owner, "GET", &format!("/v1/sources/{id}/quarantined-events"), None);
    let faults: Vec<_> =
        listed.json["items"].as_array().expect("a list").iter().map(|one| &one["fault"]).collect();
    assert_eq!(faults, ["unreadable", "unreadable", "off_plan"]);
    assert_eq!(
        [0, 2].map(|place| listed.json["items"][place]["replayable"].clone()),
        [json!(false), json!(true)]
    );
    let change = Some(json!({ "mode": "warn", "name": "Web shop" }));
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", "\"1\"")];
    assert_eq!(desk.send("PATCH", &format!("/v1/sources/{id}"), &headers, change).status, 200);
    let replayed = desk.ask(&owner, "POST", &format!("/v1/sources/{id}/replay"), Some(json!({})));
    assert_eq!(
        replayed.json,
        json!({ "accepted": 1, "quarantined": 2, "not_permitted": 0 }),
        "{}",
        replayed.text
    );
    let events = desk.ask(&owner, "GET", &format!("/v1/sources/{id}/events"), None);
    assert_eq!(events.json["items"][0]["wrong"], json!("\"sku\" is missing"));
    let wrong = json!({ "name": "", "kind": "pixel", "mode": "never", "plan": [{ "name": "x", "properties": [{ "name": "y", "type": "z" }] }] });
    let refused = desk.ask(&owner, "POST", "/v1/sources", Some(wrong));
    let fields: Vec<_> =
        refused.json["errors"].as_array().expect("errors").iter().map(|one| one["field"].clone()).collect();
    assert_eq!(fields, ["name", "kind", "mode", "plan.0.properties.0.type"]);
}

#[test]
fn clicks_that_are_alike_are_counted_and_what_a_browser_says_of_sharing_is_kept() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), owner(&shop));
    let body = json!({ "name": "Shop", "kind": "web", "countable": ["heel_height"] });
    let made = desk.ask(&owner, "POST", "/v1/sources", Some(body));
    let (id, key) = (made.json["id"].as_str().expect("an id"), made.json["write_key"].clone());
    assert_eq!((&made.json["purpose"], &made.json["not_permitted"]), (&json!("analytics"), &json!(0)));
    let click = json!({ "type": "track", "event": "Clicked", "anonymousId": "b1",
        "properties": { "heel_height": "flat", "note": "for Ada" } });
    let sent = json!({ "writeKey": key, "sentAt": "2026-06-01T09:00:00Z", "batch": [click, click] });
    for _ in 0..2 {
        post(&desk, "/v1/batch", &[("sec-gpc", "1")], &sent);
    }
    let events = desk.ask(&owner, "GET", &format!("/v1/sources/{id}/events"), None);
    let items = events.json["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2, "sent again they are the same");
    assert_eq!(
        items[0]["body"],
        json!({ "context": { "sec_gpc": true }, "properties": { "heel_height": "flat" } })
    );
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", "\"1\"")];
    let wrong = Some(json!({ "countable": ["ada@example.com"] }));
    let refused = desk.send("PATCH", &format!("/v1/sources/{id}"), &headers, wrong);
    assert_eq!(refused.json["errors"][0]["field"], json!("countable.0"), "{}", refused.text);
}

#[test]
fn the_rules_of_identity_are_read_and_set() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), owner(&shop));
    let read = desk.ask(&owner, "GET", "/v1/identity-rules", None);
    assert_eq!(
        (read.json["rules"].as_array().map(Vec::len), &read.headers["etag"]),
        (Some(9), &"\"0\"".parse().expect("a tag"))
    );
    let rule = json!({ "kind": "email", "limit": 2, "priority": 6, "joins": false, "blocked": ["shop@example.com"] });
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", "\"0\"")];
    let set =
        |rule: &Value| desk.send("PUT", "/v1/identity-rules", &headers, Some(json!({ "rules": [rule] })));
    assert_eq!((set(&rule).json["version"].clone(), set(&rule).status.as_u16()), (json!(1), 412));
    let read = desk.ask(&owner, "GET", "/v1/identity-rules", None);
    assert_eq!((&read.json["public_links"], &read.json["card_orders"]), (&json!(200), &json!(true)));
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", "\"1\"")];
    let knobs = json!({ "rules": [], "public_links": 40, "card_orders": false });
    let changed = desk.send("PUT", "/v1/identity-rules", &headers, Some(knobs)).json;
    assert_eq!((&changed["public_links"], &changed["card_orders"]), (&json!(40), &json!(false)));
    let many = json!({ "rules": [], "public_links": 1001 });
    let refused = desk.send("PUT", "/v1/identity-rules", &headers, Some(many)).json;
    assert_eq!(refused["errors"][0]["field"], json!("public_links"));
    let wrong = set(&json!({ "kind": "email", "limit": 0, "priority": 1, "joins": false }));
    assert_eq!(wrong.json["errors"][0]["field"], json!("rules.0.limit"));
}
