//! The journal over the API: pages, the stream that is taken up again, trails.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};
use tandem_http::server::Settings;

fn make_class(desk: &Desk, token: &str, code: &str) -> String {
    let made = desk.ask(token, "POST", "/v1/tax-classes", Some(json!({"code": code, "name": code})));
    assert_eq!(made.status, 201, "{}", made.json);
    made.json["id"].as_str().expect("a page").to_owned()
}

/// Reads page by page to the end; the codes of the classes made.
fn codes(desk: &Desk, token: &str, query: &str) -> Vec<String> {
    let (mut codes, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.ask(token, "GET", &format!("/v1/events?limit=3{query}{cursor}"), None).json;
        let of = |event: &Value| event["data"]["code"].as_str().map(str::to_owned);
        codes.extend(page["items"].as_array().expect("a page").iter().filter_map(of));
        cursor = format!("&cursor={}", page["next_cursor"].as_str().expect("a page"));
        if page["more"] == json!(false) {
            return codes;
        }
    }
}

#[test]
fn a_consumer_misses_nothing() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, Permission::ALL);
        let made: Vec<String> = (0..20).map(|number| format!("class-{number:02}")).collect();
        for code in &made {
            make_class(&desk, &token, code);
            shop.pass(1);
        }
        let mut read = codes(&desk, &token, "&kind=tax_class.");
        read.sort();
        assert_eq!(read, made);
        assert_eq!(codes(&desk, &token, "&kind=order."), Vec::<String>::new());
    });
}

#[test]
fn an_event_is_a_cloud_event_and_a_line_of_a_trail() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, Permission::ALL);
        let class = make_class(&desk, &token, "standard");
        let page = desk.ask(&token, "GET", &format!("/v1/events?subject={class}"), None).json;
        let event = &page["items"][0];
        let expected = [
            ("source", "/tandem"),
            ("specversion", "1.0"),
            ("type", "tax_class.created"),
            ("subject", class.as_str()),
            ("time", "2026-06-01T10:00:00Z"),
            ("datacontenttype", "application/json"),
        ];
        for (field, value) in expected {
            assert_eq!(event[field], json!(value));
        }
        assert_eq!(event["data"], json!({"code": "standard"}));
        assert!(event["actor"].as_str().unwrap().starts_with("key:key_"));

        let trail = desk.ask(&token, "GET", &format!("/v1/audit?subject={class}"), None).json;
        assert_eq!(trail["items"][0]["what"], json!("tax_class.created"));
        assert_eq!(trail["items"][0]["actor"], event["actor"]);
        assert_eq!((trail["items"].as_array().unwrap().len(), &trail["next_cursor"]), (1, &Value::Null));
    });
}

#[test]
fn a_stream_is_taken_up_where_it_was_cut_off() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, Permission::ALL);
        make_class(&desk, &token, "before");
        let mut stream = desk.follow(&token, "/v1/events/stream?kind=tax_class.", None);
        make_class(&desk, &token, "first");
        let (last_seen, first) = stream.next();
        assert_eq!(first["data"]["code"], json!("first"));
        drop(stream);
        make_class(&desk, &token, "meanwhile");
        let mut again = desk.follow(&token, "/v1/events/stream?kind=tax_class.", Some(&last_seen));
        assert_eq!(again.next().1["data"]["code"], json!("meanwhile"));
        make_class(&desk, &token, "live");
        assert_eq!(again.next().1["data"]["code"], json!("live"));
    });
}

#[test]
fn streams_are_bounded_and_for_those_who_may() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::with(&shop, Settings { streams_at_once_max: 1, ..Settings::default() });
    let token = key_for(&shop, Permission::ALL);
    let open = desk.follow(&token, "/v1/events/stream", None);
    let refused = desk.ask(&token, "GET", "/v1/events/stream", None);
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "unavailable"));
    drop(open);
    drop(desk.follow(&token, "/v1/events/stream", None));
    let reader = key_for(&shop, &[Permission::ReadPlaces]);
    assert_eq!(desk.ask(&reader, "GET", "/v1/events/stream", None).status, 403);
    assert_eq!(desk.ask(&reader, "GET", "/v1/events/stream?cursor=MQ", None).status, 403);
    assert_eq!(desk.ask(&token, "GET", "/v1/events/stream?cursor=MQ", None).status, 400);
}
