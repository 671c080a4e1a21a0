//! S29: one sign-in, by a mailed code, a passkey or the company's own sign-on: on the web, in the app and at the till it is the same person, with
//! the same basket, points and orders.

use serde_json::{Value, json};
use sim::authenticator::{Authenticator, from_base64url};
use sim::client::Client;
use sim::sign_on::{Fault, Person, SignOn};

use crate::floor::{Floor, with_sign_on};
use crate::loyalty::{club, points_of};

const PAGE: &str = "https://shop.example";
const HOST: &str = "shop.example";
const EMAIL: &str = "ADA@example.com";

/// Posts what must succeed: the answer.
fn must(client: &Client, path: &str, body: &Value) -> Value {
    let reply = client.post(path, body).unwrap();
    assert!((200..300).contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
    reply.json().unwrap()
}

fn challenge_of(asked: &Value) -> Vec<u8> {
    from_base64url(asked["public_key"]["challenge"].as_str().expect("a challenge"))
}

fn by_code(floor: &Floor, page: &Client, cart: &Value) -> Value {
    must(page, "/v1/customer-session/codes", &json!({ "email": EMAIL }));
    let given =
        json!({ "email": EMAIL, "code": floor.code_mailed(EMAIL), "channel": "web", "cart": cart["id"] });
    must(page, "/v1/customer-session", &given)
}

fn by_passkey(page: &Client, phone: &mut Authenticator) -> Value {
    let asked = must(page, "/v1/customer-session/passkey-challenges", &json!({ "origin": PAGE }));
    let answer = phone.sign(HOST, &challenge_of(&asked)).expect("a passkey");
    must(page, "/v1/customer-session/passkeys", &json!({ "credential": answer.json(), "channel": "web" }))
}

/// Goes to the sign-on and comes back: the status and the answer.
fn by_sign_on(page: &Client, sign_on: &SignOn) -> (u16, Value) {
    let asked = json!({ "provider": "acme", "redirect_uri": format!("{PAGE}/signed-in") });
    let begun = must(page, "/v1/customer-session/sign-ons", &asked);
    let ada = Person { subject: "acme-7".into(), email: EMAIL.to_lowercase(), is_email_verified: true };
    let back = sign_on.let_in(begun["url"].as_str().expect("an address"), &ada);
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
    let given = json!({ "state": begun["state"], "code": code, "channel": "web" });
    let reply = page.post("/v1/customer-session/sign-ons/finish", &given).unwrap();
    (reply.status, reply.json().unwrap())
}

#[test]
fn s29_one_sign_in_on_every_screen() {
    with_sign_on([9, 9], |floor, sign_on| {
        club(floor);
        let (web, app) = (floor.page(), floor.page());
        let filled = json!({ "channel": "web", "lines": [{ "variant": "MUG", "quantity": 2 }] });
        let cart = must(&web, "/v1/carts", &filled);
        let on_web = by_code(floor, &web, &cart);
        assert_eq!((&on_web["is_new"], &on_web["cart"]), (&json!(false), &cart["id"]));
        let customer = on_web["customer"].as_str().expect("a customer");

        let herself = floor.signed_in(on_web["token"].as_str().expect("a token"));
        let own = format!("/v1/customers/{customer}");
        let asked = must(&herself, &format!("{own}/passkey-challenges"), &json!({ "origin": PAGE }));
        let mut phone = Authenticator::at(PAGE);
        let owner = from_base64url(asked["public_key"]["user"]["id"].as_str().expect("an owner"));
        let made = phone.make(HOST, &challenge_of(&asked), &owner);
        must(&herself, &format!("{own}/passkeys"), &json!({ "credential": made.json(), "name": "Phone" }));

        let on_app = by_passkey(&app, &mut phone);
        for fault in [Fault::Nonce, Fault::Audience, Fault::Key] {
            sign_on.spoil(fault);
            assert_eq!(by_sign_on(&app, sign_on).0, 401, "{fault:?}");
        }
        sign_on.spoil(Fault::None);
        let (status, by_company) = by_sign_on(&app, sign_on);
        assert_eq!(status, 200, "{by_company}");
        for opened in [&on_app, &by_company] {
            assert_eq!(
                (&opened["customer"], &opened["cart"]),
                (&on_web["customer"], &cart["id"]),
                "{opened}"
            );
        }

        // At the till a colleague finds the same person, and calls up the same basket, which is paid with her points growing.
        let (till, cashier) = floor.till(0);
        let found = must(&cashier, "/v1/customers/find", &json!({ "email": EMAIL }));
        assert_eq!(found["items"][0]["id"], on_web["customer"]);
        let path = format!("/v1/carts/{}", cart["id"].as_str().expect("an id"));
        let keyed = |key: &str| cashier.clone().with_header("idempotency-key", key);
        must(&keyed("call-up"), &format!("{path}/call-up"), &json!({ "channel": till }));
        let paid = json!({ "payments": [{ "kind": "cash" }] });
        let sold = must(&keyed("pay"), &format!("{path}/checkout"), &paid);
        assert_eq!((&sold["state"], &sold["gross"]["amount"]), (&json!("completed"), &json!(1000)), "{sold}");
        assert_eq!(points_of(floor, "ADA"), (10, 0));

        for opened in [&on_web, &on_app, &by_company] {
            let token = opened["token"].as_str().expect("a token");
            let order = format!("/v1/orders/{}", sold["id"].as_str().expect("an id"));
            let seen = floor.signed_in(token).get(&order).unwrap();
            assert_eq!((seen.status, seen.json().unwrap()["number"].clone()), (200, sold["number"].clone()));
            let cookie = format!("tandem_customer={}", token.trim_start_matches("customer_"));
            let page = floor.browser().with_header("cookie", cookie).get("/me").unwrap().text();
            let number = sold["number"].as_str().expect("a number");
            assert!(page.contains(number) && page.contains(">10</b> to spend"), "{page}");
        }
    });
}
