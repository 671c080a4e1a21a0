//! A file over the API: tried, taken in, sent again, and asked what was wrong with it.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::json;
use sim::shop::on_every_engine;

const PLACES: &str =
    "code;name;kind;time_zone\nbath;Bath;store;Europe/London\nhull;Hull;shop;Europe/London\n";

fn send(desk: &Desk, token: &str, path: &str, key: &str, file: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers =
        [("authorization", bearer.as_str()), ("idempotency-key", key), ("content-type", "text/csv")];
    desk.send_raw("POST", path, &headers, file)
}

#[test]
fn a_file_is_tried_taken_and_sent_again() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let path = |mode: &str| format!("/v1/imports?kind=locations&mode={mode}");
        let tried = send(&desk, &owner, &path("dry_run"), "a", PLACES);
        assert_eq!((&tried.json["made"], &tried.json["refused"]), (&json!(1), &json!(1)), "{}", tried.text);
        assert_eq!(desk.ask(&owner, "GET", "/v1/locations", None).json["items"], json!([]));
        let taken = send(&desk, &owner, &path("rows_that_pass"), "b", PLACES);
        assert_eq!(
            (&taken.json["state"], &taken.json["made"]),
            (&json!("done"), &json!(1)),
            "{}",
            taken.text
        );
        assert_eq!(send(&desk, &owner, &path("rows_that_pass"), "b", PLACES).json, taken.json);
        let other =
            send(&desk, &owner, &path("rows_that_pass"), "b", "code,name,kind,time_zone\nx,X,store,UTC\n");
        assert_eq!(other.code(), "idempotency_key_reused");

        let id = taken.json["id"].as_str().unwrap();
        let errors = desk.ask(&owner, "GET", &format!("/v1/imports/{id}/errors"), None);
        assert_eq!(
            errors.json["items"],
            json!([{"place": 1, "line": 3, "column": "kind", "value": "shop", "code": "invalid",
                "message": "give one of store, warehouse, supplier, virtual"}])
        );
        assert_eq!(desk.ask(&owner, "GET", &format!("/v1/imports/{id}"), None).json, taken.json);
        let listed = desk.ask(&owner, "GET", "/v1/imports?limit=1", None);
        assert_eq!(listed.json["items"][0], taken.json);
        let next = listed.json["next_cursor"].as_str().unwrap();
        let second = desk.ask(&owner, "GET", &format!("/v1/imports?limit=1&cursor={next}"), None);
        assert_eq!(second.json["items"][0]["mode"], json!("dry_run"));
    });
}

#[test]
fn what_cannot_be_read_is_refused_whole() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let path = "/v1/imports?kind=locations&mode=all_or_nothing";
        let unknown = send(&desk, &owner, path, "a", "cod,nam,knd,zone\nbath,Bath,store,UTC\n");
        assert_eq!((unknown.status.as_u16(), unknown.code()), (422, "invalid"));
        assert!(unknown.text.contains("is \\\"code\\\" meant?"), "{}", unknown.text);
        assert_eq!(
            send(&desk, &owner, "/v1/imports?kind=goods&mode=x", "b", PLACES).json["errors"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        let large = send(&desk, &owner, path, "c", &"x".repeat((10 << 20) + 1));
        assert_eq!((large.status.as_u16(), large.code()), (413, "too_large"));
        let bearer = format!("Bearer {owner}");
        let keyless = desk.send_raw("POST", path, &[("authorization", &bearer)], PLACES);
        assert_eq!(keyless.code(), "unreadable");
        assert_eq!(
            desk.ask(&owner, "GET", "/v1/imports/imp_01jd0000000000000000000000", None).code(),
            "not_found"
        );
    });
}
