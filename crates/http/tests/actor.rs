//! Who may ask: keys are made, used, bound and revoked.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::json;
use sim::shop::on_every_engine;

#[test]
fn a_key_opens_the_api_until_it_is_revoked() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let new = json!({"name": "Till import", "kind": "secret", "permissions": ["places:read"]});
        let made = desk.ask(&owner, "POST", "/v1/api-keys", Some(new));
        assert_eq!(made.status, 201, "{}", made.json);
        let (id, token) = (made.json["id"].as_str().unwrap(), made.json["token"].as_str().unwrap());
        assert_eq!(desk.ask(token, "GET", "/v1/tax-classes", None).status, 200);
        assert_eq!(desk.ask(token, "GET", "/v1/api-keys", None).code(), "forbidden");

        let read = desk.ask(&owner, "GET", &format!("/v1/api-keys/{id}"), None);
        assert_eq!((&read.json["last_used_on"], &read.json["token"]), (&json!("2026-06-01"), &json!(null)));
        assert_eq!(desk.ask(&owner, "GET", "/v1/api-keys", None).json["items"].as_array().unwrap().len(), 2);

        for _ in 0..2 {
            let revoked = desk.ask(&owner, "POST", &format!("/v1/api-keys/{id}/revoke"), None);
            assert_eq!(revoked.json["revoked_at"], json!("2026-06-01T10:00:00Z"));
        }
        let refused = desk.ask(token, "GET", "/v1/tax-classes", None);
        assert_eq!((refused.status.as_u16(), refused.code()), (401, "sign_in_failed"));
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
    });
}

#[test]
fn what_is_no_key_opens_nothing() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, Permission::ALL);
        let last = if token.ends_with('0') { "1" } else { "0" };
        let forged = format!("{}{last}", &token[..token.len() - 1]);
        let unknown = format!("key_0000000000000000000000000{}", &token[30..]);
        for wrong in ["", "key", &forged, &unknown, &token.to_uppercase()] {
            let refused = desk.ask(wrong, "GET", "/v1/tax-classes", None);
            assert_eq!((refused.status.as_u16(), refused.code()), (401, "sign_in_failed"), "{wrong}");
        }
        let basic = [("authorization", "Basic b3duZXI6c2VjcmV0")];
        assert_eq!(desk.send("GET", "/v1/tax-classes", &basic, None).code(), "sign_in_failed");
        assert_eq!(desk.send("GET", "/v1/tax-classes", &[], None).code(), "sign_in_needed");
    });
}

#[test]
fn nobody_makes_a_key_that_may_do_more_than_he() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, &[Permission::ManageAccess, Permission::ReadPlaces]);
        let make = |kind: &str, permissions: &[&str]| {
            let new = json!({"name": "more", "kind": kind, "permissions": permissions});
            desk.ask(&token, "POST", "/v1/api-keys", Some(new))
        };
        assert_eq!(make("secret", &["places:read"]).status, 201);
        assert_eq!(make("secret", &["stock:write"]).code(), "forbidden");
        let refused = make("storefront", &["access:write"]);
        assert_eq!(
            (refused.code(), &refused.json["errors"][0]["field"]),
            ("invalid", &json!("permissions.0"))
        );
        assert_eq!(make("secret", &[]).code(), "invalid");
        assert_eq!(make("public", &["places:read"]).code(), "invalid");
    });
}

#[test]
fn places_that_do_not_exist_are_bound_to_nobody() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let refused = |method: &str, path: &str, body: serde_json::Value, field: &str| {
            let answer = desk.ask(&owner, method, path, Some(body));
            assert_eq!(
                (answer.code(), &answer.json["errors"][0]["field"]),
                ("invalid", &json!(field)),
                "{path}: {}",
                answer.text
            );
        };
        let nowhere = "loc_00000000000000000000000001";
        let unsold = "chn_00000000000000000000000001";
        let key =
            json!({"name": "till", "kind": "secret", "permissions": ["places:read"], "location": nowhere});
        refused("POST", "/v1/api-keys", key, "location");
        let key = json!({"name": "web", "kind": "secret", "permissions": ["places:read"], "channel": unsold});
        refused("POST", "/v1/api-keys", key, "channel");
        let role = json!({"code": "keeper", "name": "Keeper", "permissions": ["places:read"]});
        assert_eq!(desk.ask(&owner, "POST", "/v1/roles", Some(role)).status, 201);
        let member = json!({"name": "Ada", "email": "ada@example.com", "roles": [{"role": "keeper", "location": nowhere}]});
        refused("POST", "/v1/staff", member, "roles.0.location");
        let market = json!({"code": "gb", "name": "Britain", "countries": ["GB"], "currency": "GBP", "prices_include_tax": true,
            "language": "en", "time_zone": "Europe/London", "tax_zone": "txz_00000000000000000000000001"});
        refused("POST", "/v1/markets", market, "tax_zone");
        let list = json!({"code": "gb", "name": "Britain", "currency": "GBP", "market": "mkt_00000000000000000000000001"});
        refused("POST", "/v1/price-lists", list, "market");
        assert_eq!(desk.ask(&owner, "GET", "/v1/api-keys", None).json["items"].as_array().unwrap().len(), 1);
    });
}
