//! A customer registers a passkey over the API and signs in by it from a page of the shop; others' pages and answers are refused.

use serde_json::{Value, json};
use sim::Retailer;
use sim::authenticator::{Authenticator, from_base64url};
use sim::shop::{TestShop, on_every_engine};

use crate::desk::{Answer, Desk, key_for};
use crate::sign_on::code_mailed;
use domain::actor::Permission;

const PAGE: &str = "https://shop.example";

pub fn challenge_of(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    from_base64url(answer.json["public_key"]["challenge"].as_str().expect("a challenge"))
}

/// The code that is mailed to an address when it is asked for with this key or token.
pub fn mailed(shop: &TestShop, desk: &Desk, key: &str, email: &str) -> String {
    let asked = desk.ask(key, "POST", "/v1/customer-session/codes", Some(json!({ "email": email })));
    assert_eq!(asked.status, 202, "{}", asked.text);
    code_mailed(shop, email)
}

/// Signs in by the code that was mailed; the token and the customer.
pub fn by_code(shop: &TestShop, desk: &Desk, key: &str, email: &str) -> (String, String) {
    let given = json!({ "email": email, "code": mailed(shop, desk, key, email), "channel": "web" });
    let opened = desk.ask(key, "POST", "/v1/customer-session", Some(given));
    assert_eq!(opened.status, 200, "{}", opened.text);
    let text = |field: &str| opened.json[field].as_str().expect("a text").to_owned();
    (text("token"), text("customer"))
}

/// A shop whose web channel has a page of its own; keys of who may do everything, and of the page.
fn opened(shop: &TestShop) -> (Desk, String, String) {
    Retailer::open(shop, &["leeds"]).web(shop);
    let (desk, owner) = (Desk::of(shop), key_for(shop, Permission::ALL));
    let read = desk.ask(&owner, "GET", "/v1/channels/web/origins", None);
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let bearer = format!("Bearer {owner}");
    let headers = [("authorization", bearer.as_str()), ("if-match", &tag)];
    let set = desk.send("PUT", "/v1/channels/web/origins", &headers, Some(json!({ "origins": [PAGE] })));
    assert_eq!(set.status, 200, "{}", set.text);
    (desk, owner, key_for(shop, &[Permission::Shop]))
}

/// Signs in by the phone, whose answer is spoiled; what was answered.
fn signed(desk: &Desk, storefront: &str, phone: &mut Authenticator, spoil: &dyn Fn(&mut Value)) -> Answer {
    let bearer = format!("Bearer {storefront}");
    let headers = [("authorization", bearer.as_str()), ("origin", PAGE)];
    let asked = desk.send("POST", "/v1/customer-session/passkey-challenges", &headers, Some(json!({})));
    let mut credential = phone.sign("shop.example", &challenge_of(&asked)).expect("a passkey").json();
    spoil(&mut credential);
    let given = json!({ "credential": credential, "channel": "web" });
    desk.ask(storefront, "POST", "/v1/customer-session/passkeys", Some(given))
}

#[test]
fn a_passkey_is_made_used_named_and_removed() {
    on_every_engine(|shop| {
        let (desk, owner, storefront) = opened(shop);
        let (token, customer) = by_code(shop, &desk, &storefront, "ada@example.com");
        let asking = format!("/v1/customers/{customer}/passkey-challenges");
        let all = format!("/v1/customers/{customer}/passkeys");
        let from = |page: &str| Some(json!({ "origin": page }));
        let invited = desk.ask(&token, "POST", &asking, from(PAGE));
        assert_eq!(invited.json["public_key"]["rp"]["id"], "shop.example");
        assert_eq!(invited.json["public_key"]["user"]["name"], "ada@example.com");
        let other = desk.ask(&token, "POST", &asking, from("https://evil.example"));
        assert_eq!((other.status.as_u16(), other.json["errors"][0]["field"].as_str()), (422, Some("origin")));
        assert_eq!(
            desk.ask(&owner, "POST", &asking, from(PAGE)).status,
            403,
            "not even the owner of the shop"
        );

        let mut phone = Authenticator::at(PAGE);
        let made = phone.make("shop.example", &challenge_of(&invited), &[1; 16]);
        let new = json!({ "credential": made.json(), "name": "Ada's phone" });
        let registered = desk.ask(&token, "POST", &all, Some(new.clone()));
        assert_eq!(
            (registered.status.as_u16(), &registered.json["name"]),
            (201, &json!("Ada's phone")),
            "{}",
            registered.text
        );
        assert_eq!(desk.ask(&token, "POST", &all, Some(new)).status, 422, "its question was answered");

        let wrong = signed(&desk, &storefront, &mut phone, &|_| ());
        assert_eq!(
            (wrong.status.as_u16(), wrong.code()),
            (401, "sign_in_failed"),
            "the phone names another owner"
        );
        let hers = |credential: &mut Value| credential["response"]["userHandle"] = json!("");
        let opened = signed(&desk, &storefront, &mut phone, &hers);
        assert_eq!(
            (opened.status.as_u16(), opened.json["customer"].as_str()),
            (200, Some(customer.as_str())),
            "{}",
            opened.text
        );
        let who = desk.ask(opened.json["token"].as_str().unwrap(), "GET", "/v1/customer-session", None);
        assert_eq!(who.json["customer"], json!(customer));
        let unread = signed(&desk, &storefront, &mut phone, &|credential| {
            credential["response"]["signature"] = json!("not bytes!")
        });
        assert_eq!(unread.json["errors"][0]["field"], "credential.response.signature", "{}", unread.text);

        let id = registered.json["id"].as_str().unwrap();
        let named =
            desk.ask(&token, "POST", &format!("{all}/{id}/rename"), Some(json!({ "name": "Tablet" })));
        assert_eq!(named.json["name"], "Tablet", "{}", named.text);
        let listed = desk.ask(&token, "GET", &all, None);
        assert_eq!(
            (&listed.json["items"][0]["name"], listed.json["items"][0]["used_at"].is_string()),
            (&json!("Tablet"), true)
        );
        let (_, bob) = by_code(shop, &desk, &storefront, "bob@example.com");
        assert_eq!(desk.ask(&token, "GET", &format!("/v1/customers/{bob}/passkeys"), None).status, 403);
        assert_eq!(desk.ask(&token, "DELETE", &format!("{all}/{id}"), None).status, 204);
        assert_eq!(desk.ask(&token, "DELETE", &format!("{all}/{id}"), None).status, 404);
        assert_eq!(signed(&desk, &storefront, &mut phone, &hers).status, 401);
    });
}
