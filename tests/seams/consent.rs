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

/// Ada buys at the till and on the web, each with a word to the shop: the orders.
fn two_orders(floor: &Floor, cashier: &Client, till: &str) -> [Value; 2] {
    let note = "for Ada Lovelace herself";
    let at_the_till = json!({ "channel": till, "customer": "ADA", "note": note, "lines": [{ "variant": "MUG", "quantity": 1 }] });
    let mut on_the_web = floor.cart(1, None);
    (on_the_web["customer"], on_the_web["note"]) = (json!("ADA"), json!(note));
    let page = floor.client();
    [(cashier, at_the_till), (&page, on_the_web)].map(|(client, cart)| {
        let placed = floor.buy(client, &cart, &json!([{ "kind": "cash" }]));
        assert_eq!(placed.status, 201, "{}", placed.text());
        placed.json().unwrap()
    })
}

/// Ada signs in on the web by the code that was mailed: her id and her way to the shop.
fn herself(floor: &Floor) -> (String, Client) {
    let page = floor.page();
    let asked = page.post("/v1/customer-session/codes", &json!({ "email": "ada@example.com" })).unwrap();
    assert_eq!(asked.status, 202, "{}", asked.text());
    let given =
        json!({ "email": "ada@example.com", "code": floor.code_mailed("ada@example.com"), "channel": "web" });
    let opened = page.post("/v1/customer-session", &given).unwrap();
    assert_eq!(opened.status, 200, "{}", opened.text());
    let opened: Value = opened.json().unwrap();
    let text = |name: &str| opened[name].as_str().expect("a text").to_owned();
    (text("customer"), floor.signed_in(&text("token")))
}

/// A request of hers, which needs no further proof: its path.
fn wished(herself: &Client, customer: &str, kind: &str) -> String {
    let client = herself.clone().with_header("idempotency-key", kind);
    let made = client.post("/v1/privacy-requests", &json!({ "customer": customer, "kind": kind })).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = made.json().unwrap();
    assert_eq!((&made["state"], &made["proof"]), (&json!("verified"), &json!("signed_in")));
    format!("/v1/privacy-requests/{}", made["id"].as_str().expect("an id"))
}

/// She takes along what is kept of her, from every channel, and is forgotten: on the web, at the till, in the lists, and on her own pages she is
/// nobody from that second on, and what she bought still counts.
#[test]
fn s28_what_is_kept_is_given_and_then_forgotten_everywhere() {
    with_mail([5, 5], |floor, mailbox| {
        let choices = signed_up(floor, mailbox);
        let (till, cashier) = floor.till(0);
        let orders = two_orders(floor, &cashier, &till);
        let (customer, herself) = herself(floor);
        assert!(mailbox.next().head("Subject").is_some_and(|subject| subject.contains("code")));

        let kept = herself.get(&format!("{}/archive", wished(&herself, &customer, "export"))).unwrap();
        assert_eq!(kept.status, 200, "{}", kept.text());
        let kept: Value = kept.json().unwrap();
        let numbers = |all: &[Value]| {
            let mut numbers: Vec<String> = all.iter().map(|one| one["number"].to_string()).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(numbers(kept["orders"].as_array().expect("orders")), numbers(&orders), "of every channel");
        assert_eq!(kept["orders"][0]["note"], "for Ada Lovelace herself");
        let has = |section: &str| kept[section].as_array().is_some_and(|all| !all.is_empty());
        for section in
            ["contacts", "consents", "links", "messages", "sign_ins", "what_happened", "how_it_is_kept"]
        {
            assert!(has(section), "{section} is missing in {kept}");
        }

        let request = wished(&herself, &customer, "erasure");
        let path = format!("{request}/finish");
        let alone =
            herself.clone().with_header("idempotency-key", "finish").post(&path, &json!(null)).unwrap();
        assert_eq!(alone.status, 403, "a colleague finishes it: {}", alone.text());
        assert_eq!(floor.must(&path, &json!(null))["state"], "done");

        assert_eq!(herself.get(&format!("/v1/customers/{customer}")).unwrap().status, 401, "signed out");
        let found = cashier.post("/v1/customers/find", &json!({ "email": "ada@example.com" })).unwrap();
        assert_eq!(found.json().unwrap()["items"], json!([]), "nobody at the till");
        assert!(floor.list("/v1/audiences?purpose=marketing&medium=mail").is_empty(), "on no list");
        assert_eq!(floor.browser().get(&choices).unwrap().status, 404, "the link in her mails leads nowhere");
        for order in &orders {
            let path = format!("/v1/orders/{}", order["id"].as_str().expect("an id"));
            let seen = floor.get(&path);
            assert_eq!(
                (&seen["number"], &seen["gross"]),
                (&order["number"], &order["gross"]),
                "it still counts"
            );
            assert!(!seen.to_string().contains("Lovelace"), "and names nobody: {seen}");
        }
    });
}
