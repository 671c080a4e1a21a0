//! Places over the API: a store is made, found from where a customer stands, changed with its ETag; a channel sells from it.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::on_every_engine;

fn leeds() -> Value {
    json!({
        "code": "leeds", "name": "Leeds, Briggate", "external_id": "STORE-7", "kind": "store", "can_pick_up": true,
        "time_zone": "Europe/London", "opening_hours": "mo-sa 09:00-18:00",
        "address": {"street": ["1 Briggate"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"},
        "coordinates": {"latitude": 53.797, "longitude": -1.5437}, "cut_off": "mo-fr 15:00", "capacity": 40
    })
}

/// The fields a problem names.
fn fields(answer: &Answer) -> Vec<&str> {
    let errors = answer.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["field"].as_str()).collect()
}

#[test]
fn a_store_over_the_api() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let made = desk.ask(&owner, "POST", "/v1/locations", Some(leeds()));
        assert_eq!(made.status, 201, "{}", made.json);
        assert_eq!(made.headers["etag"], "\"1\"");
        assert_eq!(made.json["coordinates"], leeds()["coordinates"]);
        assert_eq!(made.json["address"], leeds()["address"]);
        let read = desk.ask(&owner, "GET", "/v1/locations/STORE-7", None);
        assert_eq!(read.json, made.json);
        let near = desk.ask(&owner, "GET", "/v1/locations?near=51.507351,-0.127758&kind=store", None);
        assert_eq!(near.json["items"][0]["distance_m"], json!(271_910));
        let opening = desk.ask(&owner, "GET", "/v1/locations/STORE-7/opening?at=2026-06-06T10:00:00Z", None);
        assert_eq!(
            (&opening.json["open"], &opening.json["next_closing"]),
            (&json!(true), &json!("2026-06-06T17:00:00Z"))
        );
        assert_eq!(desk.ask(&owner, "GET", "/v1/locations/STORE-7/opening", None).json["open"], json!(true));

        let change = || Some(json!({"opening_hours": null, "active": false}));
        let unread = desk.ask(&owner, "PATCH", "/v1/locations/STORE-7", change());
        assert_eq!((unread.status.as_u16(), unread.code()), (412, "stale"));
        let bearer = format!("Bearer {owner}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let changed = desk.send("PATCH", "/v1/locations/STORE-7", &headers, change());
        assert_eq!(changed.headers["etag"], "\"2\"");
        assert_eq!((changed.json.get("opening_hours"), &changed.json["active"]), (None, &json!(false)));
        assert_eq!(desk.send("PATCH", "/v1/locations/STORE-7", &headers, change()).code(), "stale");
    });
}

#[test]
fn many_locations_at_once() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let york = json!({"code": "york", "name": "York", "kind": "store", "time_zone": "Europe/London"});
        let wrong = json!({"code": "hull", "name": "Hull", "kind": "shop", "time_zone": "Europe/London"});
        let bulk = |on_error: &str| {
            let body = json!({"on_error": on_error, "items": [leeds(), wrong, york, york]});
            desk.ask(&owner, "POST", "/v1/locations/bulk", Some(body))
        };
        let refused = bulk("all_or_nothing");
        assert_eq!((refused.status.as_u16(), fields(&refused)), (422, vec!["items.1.kind", "items.3.code"]));
        let made = bulk("rows_that_pass");
        assert_eq!((&made.json["done"], &made.json["refused"]), (&json!(2), &json!(2)));
        assert_eq!(made.json["results"][2]["item"]["code"], json!("york"));
        assert_eq!(made.json["results"][3]["problem"]["code"], json!("already_exists"));
        let listed = desk.ask(&owner, "GET", "/v1/locations", None);
        assert_eq!(listed.json["items"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn what_cannot_be_is_refused_by_field() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let wrong = json!({"code": "", "name": "a\u{202e}b", "kind": "shop", "time_zone": "Leeds", "opening_hours": "always",
            "address": {"street": [], "country": "UK"}, "coordinates": {"latitude": 91, "longitude": 0}, "cut_off": "noon"});
        let refused = desk.ask(&owner, "POST", "/v1/locations", Some(wrong));
        assert_eq!(refused.status, 422);
        let expected = [
            "code",
            "name",
            "kind",
            "time_zone",
            "opening_hours",
            "cut_off",
            "address.street",
            "address.city",
            "address.country",
            "coordinates",
        ];
        assert_eq!(fields(&refused), expected);
        assert_eq!(desk.ask(&owner, "GET", "/v1/locations/none", None).code(), "not_found");
        assert_eq!(desk.ask(&owner, "GET", "/v1/locations/%00", None).code(), "unreadable");
        assert_eq!(desk.ask(&owner, "GET", "/v1/locations?limit=x", None).code(), "unreadable");
        assert_eq!(fields(&desk.ask(&owner, "GET", "/v1/locations?near=here", None)), ["near"]);
        let reader = key_for(shop, &[Permission::ReadPlaces]);
        assert_eq!(desk.ask(&reader, "POST", "/v1/locations", Some(leeds())).code(), "forbidden");
        let stranger = key_for(shop, &[Permission::ReadStock]);
        assert_eq!(desk.ask(&stranger, "GET", "/v1/locations", None).code(), "forbidden");
    });
}

#[test]
fn a_channel_over_the_api() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let make = |path: &str, body: Value| desk.ask(&owner, "POST", path, Some(body));
        make("/v1/locations", leeds());
        let network = json!({"code": "uk", "name": "United Kingdom", "external_id": "NET-1", "members": [{"location": "STORE-7"}]});
        assert_eq!(make("/v1/networks", network).json["members"][0]["rank"], json!(1));
        let market = json!({"code": "gb", "name": "Britain", "external_id": "MKT-1", "countries": ["GB"], "currency": "GBP",
            "prices_include_tax": true, "language": "en-GB", "time_zone": "Europe/London"});
        assert_eq!(make("/v1/markets", market).json["rounding"], json!("half_up"));
        let web = json!({"code": "web", "name": "Web", "external_id": "CHN-1", "kind": "web", "market": "MKT-1",
            "network": "NET-1", "payment_kinds": ["test", "manual"]});
        let made = make("/v1/channels", web.clone());
        assert_eq!((made.status.as_u16(), &made.json["payment_kinds"]), (201, &json!(["manual", "test"])));
        assert_eq!(make("/v1/channels", web).code(), "already_exists");
        let wrong = json!({"code": "web", "name": "Web", "kind": "fax", "market": "MKT-1", "network": "NET-1", "payment_kinds": ["gold"]});
        assert_eq!(fields(&make("/v1/channels", wrong)), ["kind", "payment_kinds.0"]);
        let read = desk.ask(&owner, "GET", "/v1/channels/CHN-1", None);
        assert_eq!(read.json, made.json);
        let bearer = format!("Bearer {owner}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let change = json!({"location": "STORE-7", "kind": "till", "stock_threshold": 3});
        let changed = desk.send("PATCH", "/v1/channels/CHN-1", &headers, Some(change));
        assert_eq!((&changed.json["kind"], &changed.json["version"]), (&json!("till"), &json!(2)));
        for (path, change) in [
            ("/v1/markets/MKT-1", json!({"cash_rounding_minor": 5})),
            ("/v1/networks/NET-1", json!({"members": []})),
        ] {
            let changed = desk.send("PATCH", path, &headers, Some(change));
            assert_eq!(
                (changed.status.as_u16(), &changed.json["version"]),
                (200, &json!(2)),
                "{}",
                changed.json
            );
            assert_eq!(desk.ask(&owner, "GET", path, None).json, changed.json);
        }
        for path in ["/v1/markets", "/v1/networks", "/v1/channels"] {
            let listed = desk.ask(&owner, "GET", &format!("{path}?limit=1"), None);
            assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
            assert!(listed.json["next_cursor"].is_string());
        }
    });
}
