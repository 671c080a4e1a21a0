//! A shop front on another address asks with a storefront key: its browser may read what the key may see, and nobody else's pages anything.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};

const FRONT: &str = "https://shop.example";

/// A web shop's channel with the origin of its front, and one without.
fn channels(desk: &Desk, owner: &str) {
    let make = |path: &str, body: Value| {
        let made = desk.ask(owner, "POST", path, Some(body));
        assert_eq!(made.status, 201, "{}", made.text);
    };
    make(
        "/v1/locations",
        json!({"code": "leeds", "external_id": "leeds", "name": "Leeds", "kind": "store", "time_zone": "Europe/London"}),
    );
    make(
        "/v1/networks",
        json!({"code": "uk", "external_id": "uk", "name": "UK", "members": [{"location": "leeds", "rank": 1}]}),
    );
    make(
        "/v1/markets",
        json!({"code": "gb", "external_id": "gb", "name": "Britain", "countries": ["GB"], "currency": "GBP", "prices_include_tax": true,
            "language": "en", "time_zone": "Europe/London"}),
    );
    for code in ["web", "app"] {
        let body = json!({"code": code, "external_id": code, "name": code, "kind": "web", "market": "gb", "network": "uk", "payment_kinds": ["manual"]});
        make("/v1/channels", body);
    }
    let set = set_origins(desk, owner, "web", "\"1\"", json!([FRONT, "http://localhost:5173"]));
    assert_eq!(
        (set.status.as_u16(), &set.headers["etag"]),
        (200, &"\"2\"".parse().expect("a tag")),
        "{}",
        set.text
    );
}

fn set_origins(desk: &Desk, owner: &str, channel: &str, version: &str, origins: Value) -> Answer {
    let headers = [("authorization", &*format!("Bearer {owner}")), ("if-match", version)];
    desk.send(
        "PUT",
        &format!("/v1/channels/{channel}/origins"),
        &headers,
        Some(json!({ "origins": origins })),
    )
}

fn key(desk: &Desk, owner: &str, kind: &str, channel: Option<&str>) -> String {
    let body = json!({"name": "front", "kind": kind, "permissions": ["catalogue:read", "places:read"], "channel": channel});
    let made = desk.ask(owner, "POST", "/v1/api-keys", Some(body));
    format!("Bearer {}", made.json["token"].as_str().expect("a key"))
}

/// Which origin may read the answer to this.
fn reader(answer: &Answer) -> Option<&str> {
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    answer.headers.get("access-control-allow-origin").map(|value| value.to_str().expect("text"))
}

fn asked_beforehand(desk: &Desk, origin: &str) -> Answer {
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    desk.send("OPTIONS", "/v1/carts", &headers, None)
}

fn read(desk: &Desk, origin: &str, key: &str) -> Answer {
    desk.send("GET", "/v1/channels", &[("origin", origin), ("authorization", key)], None)
}

#[test]
fn a_page_of_a_channels_origin_reads_what_a_storefront_key_may_see() {
    on_every_engine(|shop| {
        let (desk, owner) = (Desk::of(shop), key_for(shop, Permission::ALL));
        channels(&desk, &owner);
        let before = asked_beforehand(&desk, FRONT);
        assert_eq!((before.status.as_u16(), reader(&before)), (204, Some(FRONT)));
        let allowed = before.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(["authorization", "idempotency-key", "if-match"].iter().all(|name| allowed.contains(name)));
        let other = asked_beforehand(&desk, "https://other.example");
        assert_eq!((other.status.as_u16(), reader(&other)), (405, None));

        let (web, app) =
            (key(&desk, &owner, "storefront", Some("web")), key(&desk, &owner, "storefront", Some("app")));
        let every = key(&desk, &owner, "storefront", None);
        let found = read(&desk, FRONT, &web);
        assert_eq!((found.status.as_u16(), reader(&found)), (200, Some(FRONT)));
        assert_eq!(found.headers["vary"], "origin");
        assert!(found.headers["access-control-expose-headers"].to_str().unwrap().contains("etag"));
        assert_eq!(reader(&read(&desk, "http://localhost:5173", &every)), Some("http://localhost:5173"));
        assert_eq!(reader(&read(&desk, "https://other.example", &web)), None);
        assert_eq!(reader(&read(&desk, "null", &web)), None);
        assert_eq!(reader(&read(&desk, FRONT, &app)), None, "a key of another channel");
        let refused = read(&desk, FRONT, "Bearer nonsense");
        assert_eq!((refused.status.as_u16(), reader(&refused)), (401, Some(FRONT)));
    });
}

#[test]
fn nothing_of_staff_or_of_secret_keys_is_shown_to_other_pages() {
    let shop = TestShop::on_sqlite(1);
    let (desk, owner) = (Desk::of(&shop), key_for(&shop, Permission::ALL));
    channels(&desk, &owner);
    let secret = read(&desk, FRONT, &key(&desk, &owner, "secret", Some("web")));
    assert_eq!((secret.status.as_u16(), reader(&secret)), (200, None));
    let headers = [("origin", FRONT), ("cookie", "tandem_session=0123")];
    assert_eq!(reader(&desk.send("GET", "/v1/channels", &headers, None)), None);
}

#[test]
fn a_channels_origins_are_kept_and_taken_away() {
    on_every_engine(|shop| {
        let (desk, owner) = (Desk::of(shop), key_for(shop, Permission::ALL));
        channels(&desk, &owner);
        let kept = desk.ask(&owner, "GET", "/v1/channels/web/origins", None);
        assert_eq!(kept.json["origins"], json!(["http://localhost:5173", FRONT]));
        assert_eq!(set_origins(&desk, &owner, "web", "\"1\"", json!([])).code(), "stale");
        let wrong = set_origins(&desk, &owner, "web", "\"2\"", json!([FRONT, "*", "https://shop.example/"]));
        let fields: Vec<_> = wrong.json["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
        assert_eq!((wrong.status.as_u16(), fields), (422, vec![&json!("origins.1"), &json!("origins.2")]));
        let twice = set_origins(&desk, &owner, "web", "\"2\"", json!([FRONT, "https://SHOP.example:443"]));
        assert!(twice.text.contains("named twice"), "{}", twice.text);
        assert_eq!(set_origins(&desk, &owner, "web", "\"2\"", json!([])).status, 200);
        assert_eq!(reader(&asked_beforehand(&desk, FRONT)), None);
    });
}
