//! Webhooks over the API: the secret is shown once, what cannot be called is refused by name, and nothing is done twice.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};
use tandem_http::server::Settings;

/// Asks under an idempotency key, at a version.
fn ask(desk: &Desk, token: &str, (method, path): (&str, &str), key: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key), ("if-match", "\"1\"")];
    desk.send(method, path, &headers, (!body.is_null()).then_some(body))
}

fn endpoint(url: &str, kinds: &[&str]) -> Value {
    json!({ "url": url, "kinds": kinds, "description": "Data warehouse" })
}

/// The fields a refusal names.
fn fields(answer: &Answer) -> Vec<&str> {
    let errors = answer.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().filter_map(|error| error["field"].as_str()).collect()
}

#[test]
fn an_endpoint_is_made_changed_and_removed_and_its_secret_is_shown_once() {
    on_every_engine(|shop| {
        let (desk, key) = (Desk::of(shop), key_for(shop, &[Permission::EditWebhooks]));
        let new = endpoint("https://example.com/events?shop=1", &["order.", "stock.received"]);
        let made = desk.ask(&key, "POST", "/v1/webhook-endpoints", Some(new));
        assert_eq!(made.status, 201, "{}", made.text);
        let secret = made.json["secret"].as_str().unwrap_or_default();
        assert!(secret.starts_with("whsec_") && secret.len() > 40, "{}", made.text);
        let path = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap_or_default());
        let read = desk.ask(&key, "GET", &path, None);
        assert_eq!((&read.json["secret"], &read.json["state"]), (&Value::Null, &json!("enabled")));
        assert_eq!(read.json["kinds"], json!(["order.", "stock.received"]));

        let change = json!({ "state": "disabled", "description": "" });
        let changed = ask(&desk, &key, ("PATCH", &path), "a", change.clone());
        assert_eq!((changed.status.as_u16(), &changed.json["because"]), (200, &json!("asked")));
        let again = ask(&desk, &key, ("PATCH", &path), "b", change);
        assert_eq!((again.status.as_u16(), again.code()), (412, "stale"));
        let ping = ask(&desk, &key, ("POST", &format!("{path}/ping")), "c", Value::Null);
        assert_eq!((ping.status.as_u16(), ping.code()), (409, "wrong_state"), "{}", ping.text);

        let rotated = desk.ask(&key, "POST", &format!("{path}/rotate-secret"), None);
        assert_eq!(rotated.status, 200, "{}", rotated.text);
        assert!(rotated.json["secret"] != made.json["secret"] && !rotated.json["old_secret_until"].is_null());
        let at_once = Some(json!({ "at_once": true }));
        let rotated = desk.ask(&key, "POST", &format!("{path}/rotate-secret"), at_once);
        assert!(rotated.json["old_secret_until"].is_null(), "{}", rotated.text);

        assert_eq!(desk.ask(&key, "DELETE", &path, None).status, 204);
        for (method, end) in [("GET", ""), ("DELETE", ""), ("GET", "/messages")] {
            assert_eq!(desk.ask(&key, method, &format!("{path}{end}"), None).status, 404, "{method} {end}");
        }
        let listed = desk.ask(&key, "GET", "/v1/webhook-endpoints", None);
        assert_eq!(listed.json["items"], json!([]));
    });
}

#[test]
fn a_try_out_is_made_once_and_needs_a_key() {
    let shop = TestShop::on_sqlite(1);
    let (desk, key) = (Desk::of(&shop), key_for(&shop, Permission::ALL));
    let made = desk.ask(&key, "POST", "/v1/webhook-endpoints", Some(endpoint("https://example.com/", &[])));
    let path = format!("/v1/webhook-endpoints/{}", made.json["id"].as_str().unwrap_or_default());
    let ping = format!("{path}/ping");
    assert_eq!(desk.ask(&key, "POST", &ping, None).status, 400, "it needs an idempotency key");
    let (first, second) = (
        ask(&desk, &key, ("POST", &ping), "once", Value::Null),
        ask(&desk, &key, ("POST", &ping), "once", Value::Null),
    );
    assert_eq!((first.status.as_u16(), &first.json), (202, &second.json), "{}", first.text);
    let told = desk.ask(&key, "GET", "/v1/events?kind=webhook_endpoint.pinged", None);
    let events = told.json["items"].as_array().map_or(0, Vec::len);
    assert_eq!((events, &told.json["items"][0]["id"]), (1, &first.json["event"]));
    let event = first.json["event"].as_str().unwrap_or_default();
    let unsent = desk.ask(&key, "GET", &format!("{path}/messages/{event}"), None);
    assert_eq!(unsent.status, 404, "nobody sends here: {}", unsent.text);
    let replay = |from: &str, key_text: &str| {
        ask(&desk, &key, ("POST", &format!("{path}/replay")), key_text, json!({ "from": from }))
    };
    assert_eq!(replay("2026-01-01T00:00:00Z", "past").status, 200);
    for (from, key_text) in [("2126-01-01T00:00:00Z", "future"), ("yesterday", "no instant")] {
        let refused = replay(from, key_text);
        assert_eq!((refused.status.as_u16(), fields(&refused)), (422, vec!["from"]), "{}", refused.text);
    }
}

#[test]
fn what_cannot_be_called_or_wanted_is_refused_by_name() {
    let shop = TestShop::on_sqlite(1);
    let (desk, key) = (Desk::of(&shop), key_for(&shop, &[Permission::EditWebhooks]));
    let ask = |body: Value| desk.ask(&key, "POST", "/v1/webhook-endpoints", Some(body));
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost:8443/",
        "https://ada:secret@example.com/",
        "ftp://example.com/",
        "",
    ] {
        let refused = ask(endpoint(url, &[]));
        assert_eq!(
            (refused.status.as_u16(), fields(&refused)),
            (422, vec!["url"]),
            "{url}: {}",
            refused.text
        );
    }
    let long = "x".repeat(300);
    let all =
        ask(json!({ "url": "https://10.0.0.1/", "kinds": ["order.placed", "Order"], "description": long }));
    assert_eq!(fields(&all), ["url", "kinds.1", "description"], "{}", all.text);
    let many: Vec<String> = (0..51).map(|number| format!("kind{number}")).collect();
    assert_eq!(fields(&ask(json!({ "url": "https://example.com/", "kinds": many }))), ["kinds"]);

    let allowed = Settings { webhooks_to_private_addresses: true, ..Settings::default() };
    let desk = Desk::with(&shop, allowed);
    let body = Some(endpoint("http://127.0.0.1:4010/", &[]));
    assert_eq!(desk.ask(&key, "POST", "/v1/webhook-endpoints", body).status, 201, "the operator allows it");
}

#[test]
fn there_are_no_more_than_64() {
    let shop = TestShop::in_memory(1);
    let (desk, key) = (Desk::of(&shop), key_for(&shop, &[Permission::EditWebhooks]));
    let make =
        || desk.ask(&key, "POST", "/v1/webhook-endpoints", Some(endpoint("https://example.com/", &[])));
    assert!((0..64).all(|_| make().status == 201));
    let refused = make();
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "wrong_state"), "{}", refused.text);
}
