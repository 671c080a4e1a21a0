//! What is around every request: problems, bounds, protecting headers, health and figures.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::json;
use sim::shop::{TestShop, on_every_engine};
use tandem_http::server::{Rate, Settings};

#[test]
fn what_cannot_be_answered_is_a_problem() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let token = key_for(&shop, Permission::ALL);
    let cases = [
        ("GET", "/v1/nothing-here", 404, "not_found"),
        ("DELETE", "/v1/tax-classes", 405, "wrong_method"),
        ("GET", "/v1/tax-classes?limit=many", 400, "unreadable"),
        ("GET", "/v1/tax-classes?limit=0", 422, "invalid"),
        ("GET", "/v1/tax-classes?cursor=%00", 400, "unreadable"),
        ("POST", "/v1/tax-classes", 415, "not_json"),
    ];
    for (method, path, status, code) in cases {
        let answer = desk.ask(&token, method, path, None);
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let allowed = desk.ask(&token, "DELETE", "/v1/tax-classes", None);
    assert_eq!(allowed.headers["allow"], "POST,GET,HEAD");
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::with(&shop, Settings { body_bytes_max: 1000, ..Settings::default() });
    let token = key_for(&shop, Permission::ALL);
    let large = json!({"code": "x".repeat(1000), "name": "Large"});
    let refused = desk.ask(&token, "POST", "/v1/tax-classes", Some(large));
    assert_eq!((refused.status.as_u16(), refused.code()), (413, "too_large"));
}

#[test]
fn a_request_has_a_name() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let named = desk.send("GET", "/health/live", &[("x-request-id", "till-7-0042")], None);
    assert_eq!(named.headers["x-request-id"], "till-7-0042");
    for given in ["", "a b", "\"quoted\"", &"x".repeat(65)] {
        let made = desk.send("GET", "/health/live", &[("x-request-id", given)], None);
        assert_eq!(made.headers["x-request-id"].len(), 32);
    }
}

#[test]
fn who_asks_too_often_waits() {
    let shop = TestShop::on_sqlite(1);
    let settings = Settings { per_credential: Rate { per_minute: 60, at_once: 3 }, ..Settings::default() };
    let desk = Desk::with(&shop, settings);
    let (eager, calm) = (key_for(&shop, Permission::ALL), key_for(&shop, Permission::ALL));
    for _ in 0..3 {
        assert_eq!(desk.ask(&eager, "GET", "/v1/permissions", None).status, 200);
    }
    let refused = desk.ask(&eager, "GET", "/v1/permissions", None);
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many_requests"));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(desk.ask(&calm, "GET", "/v1/permissions", None).status, 200);
    shop.pass(1);
    assert_eq!(desk.ask(&eager, "GET", "/v1/permissions", None).status, 200);
}

#[test]
fn those_who_watch_see_how_the_shop_is() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        assert_eq!(desk.send("GET", "/health/live", &[], None).json, json!({"status": "live"}));
        let ready = desk.send("GET", "/health/ready", &[], None);
        assert_eq!((ready.status.as_u16(), &ready.json["status"]), (200, &json!("ready")));
        let description = desk.send("GET", "/v1/openapi.json", &[], None);
        assert_eq!(description.json["openapi"], json!("3.1.0"));
        let paths = &description.json["paths"];
        assert_eq!(paths["/v1/session"]["post"]["security"], json!([]));
        assert_eq!(paths["/v1/jobs"]["get"]["security"], json!([{"key": []}, {"session": []}]));

        assert_eq!(desk.send("GET", "/metrics", &[], None).status, 401);
        let reader = key_for(shop, &[Permission::ReadPlaces]);
        assert_eq!(desk.ask(&reader, "GET", "/metrics", None).status, 403);
        let operator = key_for(shop, &[Permission::Operate]);
        let figures = desk.ask(&operator, "GET", "/metrics", None).text;
        let live = r#"tandem_requests_total{method="GET",route="/health/live",status="200"} 1"#;
        assert!(figures.contains(live), "{figures}");
        assert!(figures.contains("tandem_jobs_dead 0"), "{figures}");
        assert!(figures.contains("tandem_commands_waiting 0"), "{figures}");
        assert!(figures.contains("tandem_request_seconds_count"), "{figures}");
        let open = Desk::with(shop, Settings { metrics_open: true, ..Settings::default() });
        assert_eq!(open.send("GET", "/metrics", &[], None).status, 200);
    });
}
