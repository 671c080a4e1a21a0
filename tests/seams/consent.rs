//! S28: consent withdrawn in one channel holds in all of them in the same second; the person gets everything that is kept, and once erased is
//! gone while the books still balance.

use serde_json::{Value, json};
use sim::client::Client;
use sim::mailbox::Mailbox;

use crate::floor::{Floor, with_mail};

/// Ada with an address, agreeing to nothing yet.
fn ada(floor: &Floor) {
    let contact = json!({ "name": "Ada Lovelace", "email": "ada@example.com", "phone": "+442079460958" });
    floor.must("/v1/customers", &json!({ "external_id": "ADA", "contact": contact }));
}

fn said(status: &str) -> Value {
    let one = json!({ "purpose": "marketing", "medium": "mail", "status": status });
    json!({ "consents": [one], "evidence": { "wording": "newsletter-3", "address": "203.0.113.7" } })
}

/// What holds of mail for news and offers.
fn stands(floor: &Floor) -> String {
    let held = floor.get("/v1/customers/ADA/consents");
    let marketing =
        |one: &&Value| one["purpose"] == "marketing" && one["medium"] == "mail" && one["topic"].is_null();
    let found = held["items"].as_array().expect("a list").iter().find(marketing).cloned();
    found.map_or("nothing".into(), |one| one["status"].as_str().expect("a word").to_owned())
}

fn states(floor: &Floor) -> Vec<String> {
    let messages = floor.list("/v1/customers/ADA/messages");
    messages.iter().map(|one| one["state"].as_str().expect("a word").to_owned()).collect()
}

/// A message that tells of the mug.
fn offer(floor: &Floor) -> Value {
    let product = floor.list("/v1/products")[0]["id"].clone();
    json!({ "purpose": "marketing", "medium": "mail", "product": product })
}

/// A form of a page, sent by a browser that holds no credential.
fn press(browser: &Client, path: &str, fields: &str) -> u16 {
    browser.submit(path, fields).unwrap().status
}

/// Ada signs up, confirms, and is written to.
fn signed_up(floor: &Floor, mailbox: &Mailbox) -> String {
    ada(floor);
    let browser = floor.browser();
    floor.must("/v1/customers/ADA/consents", &said("granted"));
    assert_eq!(stands(floor), "pending");
    let offer = offer(floor);
    let early = floor.ask("/v1/customers/ADA/messages", &offer);
    assert_eq!((early.status, &early.json().unwrap()["code"]), (409, &json!("no_consent")));
    let mail = mailbox.next();
    assert_eq!(
        (mail.to.as_str(), mail.head("Subject")),
        ("ada@example.com", Some("Please confirm your address"))
    );
    let link = mail.link().expect("a link").to_owned();
    assert!(browser.get(&link).unwrap().text().contains("Is this what you want?"));
    assert_eq!(stands(floor), "pending", "what a mail program looks at confirms nothing");
    assert_eq!(press(&browser, &format!("{link}/confirm"), ""), 303);
    assert_eq!(stands(floor), "granted");
    floor.must("/v1/customers/ADA/messages", &offer);
    let mail = mailbox.next();
    assert_eq!(mail.head("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert!(mail.head("List-Unsubscribe").expect("an address").ends_with("/unsubscribe>"));
    mail.link().expect("a link").to_owned()
}

/// Somebody signs up on the web and takes it back at the till; nothing is sent any more, in no channel, from that second on.
#[test]
fn s28_what_is_withdrawn_at_the_till_holds_everywhere_at_once() {
    with_mail([3, 0], |floor, mailbox| {
        let link = signed_up(floor, mailbox);
        let mut later = offer(floor);
        later["due_at"] = json!("2199-01-01T00:00:00Z");
        floor.must("/v1/customers/ADA/messages", &later);
        assert_eq!(floor.list("/v1/audiences?purpose=marketing&medium=mail").len(), 1);
        let (_, till) = floor.till(0);
        let till = till.with_header("idempotency-key", "till-1");
        assert_eq!(till.post("/v1/customers/ADA/consents", &said("withdrawn")).unwrap().status, 200);
        assert_eq!(stands(floor), "withdrawn");
        assert_eq!(states(floor)[0], "withdrawn", "what waited does not leave");
        assert!(floor.list("/v1/audiences?purpose=marketing&medium=mail").is_empty());
        let refused = floor.ask("/v1/customers/ADA/messages", &later);
        assert_eq!((refused.status, &refused.json().unwrap()["code"]), (409, &json!("no_consent")));
        let page = floor.browser().get(&link).unwrap().text();
        assert!(
            page.contains("marketing.mail.") && !page.contains("checked"),
            "the page says so too: {page}"
        );
        mailbox.must_be_quiet();
    });
}

/// One click in a mail program, without a page and without signing in.
#[test]
fn s28_one_click_unsubscribes() {
    with_mail([3, 0], |floor, mailbox| {
        let link = signed_up(floor, mailbox);
        let browser = floor.browser();
        assert_eq!(press(&browser, &format!("{link}/unsubscribe"), "List-Unsubscribe=One-Click"), 200);
        assert_eq!(stands(floor), "withdrawn");
        assert_eq!(
            press(&browser, &format!("{link}/save"), "on=marketing.mail."),
            303,
            "and back by the page"
        );
        assert_eq!(stands(floor), "granted");
        let quiet = browser.clone().with_header("sec-gpc", "1").get(&link).unwrap();
        assert_eq!(quiet.status, 200);
        let held = floor.get("/v1/customers/ADA/consents");
        let sale =
            held["items"].as_array().unwrap().iter().find(|one| one["purpose"] == "sale_or_share").cloned();
        assert_eq!(sale.expect("the browser's signal was heeded")["status"], "denied");
    });
}

/// The same address signs up fifty times at once through HTTP: one subscription, one mail.
#[test]
fn s28_fifty_sign_ups_are_one() {
    with_mail([1, 0], |floor, mailbox| {
        let page = floor.page();
        std::thread::scope(|scope| {
            for number in 0..50 {
                let page = page.clone().with_header("idempotency-key", format!("sign-up-{number}"));
                scope.spawn(move || {
                    let asked =
                        json!({ "email": "Eve@example.com", "purpose": "marketing", "language": "de" });
                    let reply = page.post("/v1/subscriptions", &asked).unwrap();
                    assert_eq!(reply.status, 202, "{}", reply.text());
                });
            }
        });
        let mail = mailbox.next();
        assert!(mail.text.contains("angemeldet"), "she reads German: {}", mail.text);
        mailbox.must_be_quiet();
        let found = floor.must("/v1/subscribers/find", &json!({ "email": "eve@example.com" }));
        let items = found["items"].as_array().expect("a list");
        assert_eq!((items.len(), &items[0]["items"][0]["status"]), (1, &json!("pending")));
    });
}

/// An address that does not exist is not written to again.
#[test]
fn s28_what_comes_back_is_not_written_to_again() {
    with_mail([1, 0], |floor, mailbox| {
        let page = floor.page().with_header("idempotency-key", "nobody");
        let asked = json!({ "email": "nobody@example.com", "purpose": "marketing" });
        assert_eq!(page.post("/v1/subscriptions", &asked).unwrap().status, 202);
        mailbox.must_be_quiet();
        let listed = floor.must("/v1/suppressions/find", &json!({ "email": "NOBODY@example.com" }));
        assert_eq!(listed["reason"], "bounced");
    });
}
