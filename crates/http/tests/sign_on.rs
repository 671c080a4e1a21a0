//! The retailer's own sign-on over the API and on the page of signing in: a right token lets in, every wrong one does not; and the pages without
//! scripts, with their cookie.

use std::sync::Arc;

use axum::http::header;
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};
use sim::sign_on::{Fault, Person, SignOn};
use tandem_http::outside::{Outside, Question};
use tandem_http::server::Settings;

use crate::desk::{Answer, Desk, key_for};

const ISSUER: &str = "https://id.acme.example";
pub const OWN: &str = "https://shop.example";

/// A shop with a web channel and a sign-on that is asked in process.
pub fn opened(shop: &TestShop) -> (Desk, Arc<SignOn>, String) {
    Retailer::open(shop, &["leeds"]).web(shop);
    let sign_on = Arc::new(SignOn::at(ISSUER, "shop"));
    let (asked, source) = (Arc::clone(&sign_on), shop.shop.source.clone());
    let outside = Outside::new(move |question: Question| {
        let (status, body) = asked.answer(&question.url, question.form.as_deref(), source.now());
        Box::pin(async move { Ok((status, body.into_bytes().into())) })
    });
    let settings = Settings { outside: Some(outside), public_address: OWN.into(), ..Settings::default() };
    let (desk, owner) = (Desk::with(shop, settings), key_for(shop, Permission::ALL));
    let new = json!({ "code": "acme", "name": "Acme", "issuer": ISSUER, "client_id": "shop", "client_secret": "5b8f2c" });
    let made = desk.ask(&owner, "POST", "/v1/sign-on-providers", Some(new));
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains("5b8f2c"), "the secret is never shown");
    (desk, sign_on, owner)
}

pub fn person(subject: &str) -> Person {
    Person { subject: subject.into(), email: "ada@example.com".into(), is_email_verified: true }
}

/// Goes to the sign-on and comes back: what was finished with.
fn back(desk: &Desk, key: &str, sign_on: &SignOn, who: &Person) -> Value {
    let asked = json!({ "provider": "acme", "redirect_uri": format!("{OWN}/signed-in") });
    let begun = desk.ask(key, "POST", "/v1/customer-session/sign-ons", Some(asked));
    assert_eq!(begun.status, 200, "{}", begun.text);
    let back = sign_on.let_in(begun.json["url"].as_str().unwrap(), who);
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    json!({ "state": begun.json["state"], "code": code, "channel": "web" })
}

#[test]
fn only_a_right_token_lets_in() {
    on_every_engine(|shop| {
        let (desk, sign_on, _) = opened(shop);
        let storefront = key_for(shop, &[Permission::Shop]);
        let finish =
            |given: Value| desk.ask(&storefront, "POST", "/v1/customer-session/sign-ons/finish", Some(given));
        let listed = desk.ask(&storefront, "GET", "/v1/customer-session/sign-ons", None);
        assert_eq!(listed.json["items"], json!([{ "code": "acme", "name": "Acme" }]));
        for fault in [Fault::Audience, Fault::Expired, Fault::Issuer, Fault::Nonce, Fault::Key] {
            sign_on.spoil(fault);
            let refused = finish(back(&desk, &storefront, &sign_on, &person("1")));
            assert_eq!((refused.status.as_u16(), refused.code()), (401, "sign_in_failed"), "{fault:?}");
        }
        sign_on.spoil(Fault::None);
        let given = back(&desk, &storefront, &sign_on, &person("1"));
        let opened = finish(given.clone());
        assert_eq!((opened.status.as_u16(), &opened.json["is_new"]), (200, &json!(true)), "{}", opened.text);
        assert_eq!(finish(given).status, 401, "a state is used once");
        let mut other = back(&desk, &storefront, &sign_on, &person("1"));
        other["code"] = json!("made up");
        assert_eq!(finish(other).status, 401);
        let again = finish(back(&desk, &storefront, &sign_on, &person("1")));
        assert_eq!(
            (&again.json["customer"], &again.json["is_new"]),
            (&opened.json["customer"], &json!(false))
        );
        let own = desk.ask(opened.json["token"].as_str().unwrap(), "GET", "/v1/customer-session", None);
        assert_eq!(own.json["customer"], opened.json["customer"]);
        let elsewhere = json!({ "provider": "acme", "redirect_uri": "https://evil.example/" });
        let refused = desk.ask(&storefront, "POST", "/v1/customer-session/sign-ons", Some(elsewhere));
        assert_eq!(refused.json["errors"][0]["field"], "redirect_uri", "{}", refused.text);
    });
}

#[test]
fn a_sign_on_of_the_house_needs_the_operator() {
    let shop = TestShop::on_sqlite(1);
    let (desk, _, owner) = opened(&shop);
    for bad in [
        "http://id.acme.example",
        "https://127.0.0.1:9",
        "https://id.acme.example/?a",
        "id",
        "https://intranet",
    ] {
        let new = json!({ "code": "b", "name": "B", "issuer": bad, "client_id": "shop" });
        let refused = desk.ask(&owner, "POST", "/v1/sign-on-providers", Some(new));
        assert_eq!(refused.json["errors"][0]["field"], "issuer", "{bad}: {}", refused.text);
    }
}

pub fn form(desk: &Desk, path: &str, cookie: &str, fields: &str) -> Answer {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", cookie),
        ("sec-fetch-site", "same-origin"),
    ];
    desk.send_raw("POST", path, &headers, fields)
}

/// The cookies an answer sets, as a browser sends them back.
pub fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|one| one.to_str().ok());
    let pairs: Vec<&str> =
        set.filter_map(|one| one.split(';').next()).filter(|pair| !pair.ends_with('=')).collect();
    pairs.join("; ")
}

pub fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// The code that was mailed to an address last.
pub fn code_mailed(shop: &TestShop, email: &str) -> String {
    let (keyring, since) = (shop.shop.keyring.clone(), shop.shop.source.now().plus_seconds(-600));
    let hash = keyring.lookup_hash("email", email);
    let codes = shop.read(move |tx| Ok::<_, engine::Failure>(store::sign_in::codes(tx, &hash, since, 1)?));
    format!("{:06}", keyring.one_time_code(&codes.unwrap()[0].id.bytes()))
}

#[test]
fn the_pages_sign_in_by_a_code_and_by_the_sign_on_without_scripts() {
    on_every_engine(|shop| {
        let (desk, sign_on, _) = opened(shop);
        let get = |path: &str, cookie: &str| desk.send("GET", path, &[("cookie", cookie)], None);
        assert_eq!(location(&get("/me", "")), "/sign-in");
        let page = get("/sign-in?language=de", "");
        assert!(page.text.contains("Anmelden") && page.text.contains("Weiter mit Acme"), "{}", page.text);
        assert_eq!(form(&desk, "/sign-in/code", "", "email=nobody").status, 422);
        let foreign =
            [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        assert_eq!(desk.send_raw("POST", "/sign-in/code", &foreign, "email=ada%40example.com").status, 403);
        let mailed = form(&desk, "/sign-in/code", "", "email=ada%40example.com");
        assert!(mailed.text.contains("one-time-code"), "{}", mailed.text);
        let wrong = form(&desk, "/sign-in/open", "", "email=ada%40example.com&code=12");
        assert_eq!((wrong.status.as_u16(), wrong.text.contains("does not fit")), (422, true));
        let code = code_mailed(shop, "ada@example.com");
        let opened =
            form(&desk, "/sign-in/open?language=de", "", &format!("email=ada%40example.com&code={code}"));
        assert_eq!(location(&opened), "/me?language=de");
        let set = opened.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(set.ends_with("; Path=/; Max-Age=15724800; HttpOnly; SameSite=Lax"), "{set}");
        let cookie = cookies(&opened);
        let own = get("/me?language=de", &cookie);
        assert!(own.text.contains("ada@example.com") && own.text.contains("Ihre Passkeys"), "{}", own.text);
        assert_eq!(own.headers[header::CACHE_CONTROL], "private, no-store");
        let out = form(&desk, "/me/sign-out", &cookie, "");
        assert_eq!(
            (location(&out), location(&get("/me", &cookie))),
            ("/sign-in?did=sign_out".into(), "/sign-in".into())
        );

        let id = page.text.split("/sign-in/with/").nth(1).unwrap().split(['?', '"']).next().unwrap();
        let away = get(&format!("/sign-in/with/{id}?language=de"), "");
        let state = cookies(&away);
        let back = sign_on.let_in(&location(&away), &person("9"));
        let path = back.strip_prefix(OWN).expect("our own page").to_owned();
        let elsewhere = get(&path, "");
        assert_eq!(elsewhere.status, 401, "it was another browser that went");
        let here = get(&path, &state);
        assert_eq!(location(&here), "/me?language=de");
        assert!(get("/me?language=de", &cookies(&here)).text.contains("ada@example.com"));
        assert_eq!(get(&path, &state).status, 401, "once");
        let refused = get("/sign-in/back?error=access_denied", &state);
        assert_eq!((refused.status.as_u16(), refused.text.contains("role=\"alert\"")), (401, true));
    });
}

#[test]
fn a_member_of_staff_is_let_in_by_the_address_and_nobody_becomes_one() {
    on_every_engine(|shop| {
        let (desk, sign_on, owner) = opened(shop);
        let new = json!({ "code": "office", "name": "Office", "audience": "staff", "issuer": ISSUER, "client_id": "shop" });
        let made = desk.ask(&owner, "POST", "/v1/sign-on-providers", Some(new));
        assert_eq!(made.status, 201, "{}", made.text);
        let link = shop.run(engine::actor::setup_token).expect("a link").expect("no owner yet");
        let ada = json!({ "token": link, "name": "Ada", "email": "ada@example.com", "password": "a few words to keep in mind" });
        assert_eq!(desk.send("POST", "/v1/setup", &[], Some(ada)).status, 200);
        let listed = desk.send("GET", "/v1/session/sign-ons", &[], None);
        assert_eq!(listed.json["items"], json!([{ "code": "office", "name": "Office" }]));
        let begun = |redirect: &str| {
            let asked = json!({ "provider": "office", "redirect_uri": redirect });
            desk.send("POST", "/v1/session/sign-ons", &[], Some(asked))
        };
        let back = |who: &Person| {
            let begun = begun(&format!("{OWN}/desk"));
            assert_eq!(begun.status, 200, "{}", begun.text);
            let back = sign_on.let_in(begun.json["url"].as_str().unwrap(), who);
            let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
            let given = json!({ "state": begun.json["state"], "code": code });
            desk.send("POST", "/v1/session/sign-ons/finish", &[], Some(given))
        };
        let in_office = back(&person("1"));
        assert_eq!(
            (in_office.status.as_u16(), &in_office.json["name"]),
            (200, &json!("Ada")),
            "{}",
            in_office.text
        );
        let cookie = cookies(&in_office);
        assert!(cookie.starts_with("tandem_session="));
        assert_eq!(desk.send("GET", "/v1/session", &[("cookie", &cookie)], None).json["name"], "Ada");
        for nobody in [
            Person { is_email_verified: false, ..person("1") },
            Person { email: "eve@example.com".into(), ..person("1") },
        ] {
            assert_eq!(back(&nobody).code(), "sign_in_failed", "{nobody:?}");
        }
        assert_eq!(begun("https://shop.example.evil/desk").status, 422);
        // What was begun for staff does not end as a customer's session.
        let away = begun(&format!("{OWN}/desk"));
        let to = sign_on.let_in(away.json["url"].as_str().unwrap(), &person("1"));
        let code = to.split("code=").nth(1).unwrap().split('&').next().unwrap();
        let given = json!({ "state": away.json["state"], "code": code, "channel": "web" });
        let storefront = key_for(shop, &[Permission::Shop]);
        assert_eq!(
            desk.ask(&storefront, "POST", "/v1/customer-session/sign-ons/finish", Some(given)).status,
            401
        );
    });
}

#[test]
fn the_pages_of_colleagues_sign_in_by_password_and_by_the_company() {
    on_every_engine(|shop| {
        let (desk, sign_on, owner) = opened(shop);
        let new = json!({ "code": "office", "name": "Office", "audience": "staff", "issuer": ISSUER, "client_id": "shop" });
        assert_eq!(desk.ask(&owner, "POST", "/v1/sign-on-providers", Some(new)).status, 201);
        let link = shop.run(engine::actor::setup_token).expect("a link").expect("no owner yet");
        let ada = json!({ "token": link, "name": "Ada", "email": "ada@example.com", "password": "a few words to keep in mind" });
        assert_eq!(desk.send("POST", "/v1/setup", &[], Some(ada)).status, 200);
        let get = |path: &str, cookie: &str| desk.send("GET", path, &[("cookie", cookie)], None);
        assert_eq!(location(&get("/staff", "")), "/staff/sign-in");
        let page = get("/staff/sign-in?language=de", "");
        assert!(page.text.contains("Weiter mit Office") && !page.text.contains("Acme"), "{}", page.text);
        let wrong = form(&desk, "/staff/sign-in/open", "", "email=ada%40example.com&password=other+words");
        assert_eq!(
            (wrong.status.as_u16(), wrong.text.contains("role=\"alert\"")),
            (401, true),
            "{}",
            wrong.text
        );
        assert_eq!(form(&desk, "/staff/sign-in/open", "", "email=nobody&password=x").status, 422);
        let foreign =
            [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        let fields = "email=ada%40example.com&password=a+few+words+to+keep+in+mind";
        assert_eq!(desk.send_raw("POST", "/staff/sign-in/open", &foreign, fields).status, 403);
        let opened = form(&desk, "/staff/sign-in/open?language=de", "", fields);
        assert_eq!(location(&opened), "/staff?language=de");
        let cookie = cookies(&opened);
        assert!(get("/staff?language=de", &cookie).text.contains("Angemeldet, Ada"));
        assert_eq!(get("/v1/session", &cookie).json["name"], "Ada", "the same session as over the API");
        let out = form(&desk, "/staff/sign-out", &cookie, "");
        assert_eq!(
            (location(&out), location(&get("/staff", &cookie))),
            ("/staff/sign-in?did=sign_out".into(), "/staff/sign-in".into())
        );

        let id = page.text.split("/staff/sign-in/with/").nth(1).unwrap().split(['?', '"']).next().unwrap();
        let away = get(&format!("/staff/sign-in/with/{id}"), "");
        let state = cookies(&away);
        let back =
            |who: &Person| sign_on.let_in(&location(&away), who).strip_prefix(OWN).expect("ours").to_owned();
        let path = back(&person("1"));
        assert_eq!(get(&path, "").status, 401, "it was another browser that went");
        let here = get(&path, &state);
        assert_eq!(location(&here), "/staff");
        assert!(get("/staff", &cookies(&here)).text.contains("Signed in, Ada"));
        assert_eq!(get(&path, &state).status, 401, "once");
        // Customers are not sent to the colleagues' sign-on, nor they to the customers'.
        assert_eq!(get(&format!("/sign-in/with/{id}"), "").status, 404);
    });
}
