//! What a person may ask, over the API: what is kept is given to who has shown to be the person, put right, and forgotten; each with its time,
//! noted, and for nobody else.

use std::cell::Cell;

use crate::desk::{Answer, Desk, key_for};
use crate::passkey::by_code;
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::retailer::a_channel;
use sim::shop::{TestShop, on_every_engine};

/// A desk with the key of a colleague who may do these things.
pub struct Colleague<'d> {
    desk: &'d Desk,
    pub key: String,
    asked: Cell<u64>,
}

impl<'d> Colleague<'d> {
    pub fn at(desk: &'d Desk, shop: &TestShop, permissions: &[Permission]) -> Colleague<'d> {
        Colleague { desk, key: key_for(shop, permissions), asked: Cell::new(0) }
    }

    /// Asks, each time under another idempotency key.
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.asked.set(self.asked.get() + 1);
        let (bearer, once) = (format!("Bearer {}", self.key), format!("asked-{}", self.asked.get()));
        let headers =
            [("authorization", bearer.as_str()), ("idempotency-key", once.as_str()), ("if-match", "\"1\"")];
        self.desk.send(method, path, &headers, body)
    }

    pub fn done(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method, path, body);
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
        answer.json
    }
}

fn home(street: &str) -> Value {
    json!({"name": "Ada Lovelace", "street": [street], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"})
}

/// Ada signs up, has an address, a size and a note, and bought a mug.
fn a_customer(shop: &TestShop, all: &Colleague<'_>) -> String {
    let retailer = Retailer::open(shop, &["leeds"]);
    retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
    retailer.parcel(shop, 395, &["web"]);
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 10);
    let made = all.done(
        "POST",
        "/v1/customers",
        Some(json!({"external_id": "ADA", "contact": {"name": "Ada Lovelace", "email": "ada@example.com"}})),
    );
    all.done(
        "POST",
        "/v1/customers/ADA/addresses",
        Some(json!({"label": "home", "contact": home("1 High Street"), "for_delivery": true})),
    );
    all.done("POST", "/v1/customers/ADA/notes", Some(json!({"text": "likes tea"})));
    let kinds = json!({"name": {"text": "Shoes"}, "scales": [{"name": "EU", "sizes": ["38", "39"]}]});
    all.done("PUT", "/v1/size-kinds/shoe", Some(kinds));
    let said = json!({"language": "en", "sizes": [{"kind": "shoe", "scale": "EU", "size": "39"}]});
    all.done("POST", "/v1/customers/ADA/preferences", Some(said));
    let cart = json!({"channel": "web", "customer": "ADA", "contact": home("1 High Street"), "delivery": {"method": "parcel"},
        "lines": [{"sku": "MUG", "quantity": 1}]});
    let cart = all.done("POST", "/v1/carts", Some(cart));
    let checkout = format!("/v1/carts/{}/checkout", cart["id"].as_str().expect("an id"));
    all.done("POST", &checkout, Some(json!({"payments": [{"kind": "manual"}]})));
    made["id"].as_str().expect("an id").to_owned()
}

/// Notes a request, with a colleague who has seen who asks.
fn asked(all: &Colleague<'_>, kind: &str) -> String {
    let body = json!({"customer": "ADA", "kind": kind, "country": "DE", "note": "asked by letter"});
    let made = all.done("POST", "/v1/privacy-requests", Some(body));
    format!("/v1/privacy-requests/{}", made["id"].as_str().expect("an id"))
}

fn verified(all: &Colleague<'_>, kind: &str) -> String {
    let request = asked(all, kind);
    all.done("POST", &format!("{request}/verify"), Some(json!({"proof": "document"})));
    request
}

#[test]
fn what_is_kept_is_given_put_right_and_forgotten() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let ada = a_customer(shop, &all);
        let request = asked(&all, "access");
        let read = all.done("GET", &request, None);
        let known = &read["request"];
        assert_eq!((&known["state"], &read["note"]), (&json!("received"), &json!("asked by letter")));
        assert!(known["due_at"].as_str() > known["made_at"].as_str(), "it has its time");
        assert_eq!(
            all.ask("GET", &format!("{request}/archive"), None).code(),
            "wrong_state",
            "nobody showed who asked"
        );
        all.done("POST", &format!("{request}/verify"), Some(json!({"proof": "document"})));
        let kept = all.done("GET", &format!("{request}/archive"), None);
        assert_eq!(kept["addresses"][0]["street"][0], "1 High Street");
        assert_eq!(kept["addresses"][0]["label"], "home");
        assert_eq!(kept["notes"][0]["text"], "likes tea");
        assert_eq!(kept["preferences"]["sizes"][0]["said"], "39");
        assert_eq!(kept["orders"][0]["lines"][0]["sku"], "MUG");
        assert_eq!(kept["requests"][0]["note"], "asked by letter");
        let what: Vec<&str> =
            kept["what_happened"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
        assert!(what.contains(&"Note written") && what.contains(&"Became a customer"), "{what:?}");
        assert_eq!(kept["links"][0]["for"], "verify");
        let register = all.done("GET", "/v1/privacy-register", None);
        let notes =
            register["items"].as_array().unwrap().iter().find(|one| one["tables"][0] == "customer_note");
        assert_eq!(notes.unwrap()["left_after_erasing"], "nothing", "it says what is kept, and what is left");
        let file = all.ask("GET", &format!("{request}/archive.zip"), None);
        assert_eq!(
            (file.status.as_u16(), &file.headers["content-type"]),
            (200, &"application/zip".parse().unwrap())
        );
        assert!(
            file.bytes.starts_with(b"PK\x03\x04") && file.headers["cache-control"] == "private, no-store"
        );
        assert_eq!(all.done("POST", &format!("{request}/finish"), None)["state"], "done");

        let request = verified(&all, "correction");
        let right = json!({"contact": {"name": "Ada King", "email": "ada@example.com"}});
        all.done("PATCH", "/v1/customers/ADA", Some(right));
        all.done("POST", &format!("{request}/finish"), None);
        assert_eq!(all.done("GET", "/v1/customers/ADA/contact", None)["name"], "Ada King");

        let request = verified(&all, "erasure");
        assert_eq!(all.done("POST", &format!("{request}/finish"), None)["state"], "done");
        assert_eq!(all.ask("GET", "/v1/customers/ADA", None).status, 404, "nobody is called so any more");
        assert_eq!(all.ask("GET", &format!("/v1/customers/{ada}/contact"), None).status, 404);
        let left = |of: &str| all.done("GET", &format!("/v1/customers/{ada}/{of}"), None);
        assert_eq!((&left("addresses")["items"], &left("notes")["items"]), (&json!([]), &json!([])));
        assert_eq!(left("preferences")["sizes"], json!([]));
        let page = left("timeline");
        let told = page.to_string();
        assert!(
            told.contains("Customer erased") && told.contains("Note written"),
            "what happened stays: {told}"
        );
        for word in ["Ada", "Lovelace", "King", "High Street", "likes tea"] {
            assert!(!told.contains(word), "{word} in {told}");
        }
    });
}

/// What shows a part of what is known of one person, and what `reads` calls it.
const SHOWN: &[(&str, &str)] = &[
    ("/v1/customers/{id}/addresses", "contact"),
    ("/v1/customers/{id}/consents", "consents"),
    ("/v1/customers/{id}/consents/history", "consents"),
    ("/v1/customers/{id}/contact", "contact"),
    ("/v1/customers/{id}/messages", "messages"),
    ("/v1/customers/{id}/notes", "notes"),
    ("/v1/customers/{id}/preferences", "preferences"),
    ("/v1/customers/{id}/profile", "profile"),
    ("/v1/customers/{id}/records", "records"),
    ("/v1/customers/{id}/segments", "segments"),
    ("/v1/customers/{id}/timeline", "timeline"),
    ("/v1/customers/{id}/traits", "traits"),
    ("/v1/profiles/{profile}", "profile"),
    ("/v1/profiles/{profile}/events", "behaviour"),
    ("/v1/profiles/{profile}/segments", "segments"),
    ("/v1/profiles/{profile}/traits", "traits"),
    ("/v1/profiles/{profile}/visits", "visits"),
];

/// What tells of a customer and is not noted: that there is one and for what others hold it, passkeys without what opens them, who read
/// what; and the companies somebody buys for, whose own contacts are noted.
const NOT_NOTED: &[&str] = &["", "/companies", "/legal-hold", "/passkeys", "/reads"];

#[test]
fn whoever_is_shown_what_is_known_of_somebody_is_noted() {
    for (method, route, _) in tandem_http::access::operations() {
        let is_of_one = route.starts_with("/v1/profiles/{profile}")
            || route
                .strip_prefix("/v1/customers/{id}")
                .is_some_and(|rest| !NOT_NOTED.contains(&rest) && !rest.starts_with("/points"));
        let is_listed = SHOWN.iter().any(|(shown, _)| shown == route);
        assert!(*method != "GET" || !is_of_one || is_listed, "{route}: is it noted who is shown it?");
    }
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let reader = Colleague::at(&desk, shop, Permission::ALL);
        a_customer(shop, &all);
        let request = verified(&all, "access");
        let profile = all.done("GET", "/v1/customers/ADA/profile", None);
        let profile = profile["id"].as_str().expect("an id");
        let newest = || all.done("GET", "/v1/customers/ADA/reads?limit=1", None)["items"][0].clone();
        let noted = |what: &str, before: &Value, by: &str| {
            let newest = newest();
            assert_eq!(newest["what"], what, "{by}");
            assert!(newest["id"] != before["id"] && newest["by"] != before["by"], "{by}: {newest}");
            // The other one reads again, so that it is seen who was last.
            all.done("GET", "/v1/customers/ADA/contact", None);
        };
        all.done("GET", "/v1/customers/ADA/contact", None);
        for (route, what) in SHOWN {
            let (path, before) = (route.replace("{id}", "ADA").replace("{profile}", profile), newest());
            reader.done("GET", &path, None);
            noted(what, &before, route);
        }
        let before = newest();
        reader.done("GET", &format!("{request}/archive"), None);
        let reads = all.done("GET", "/v1/customers/ADA/reads", None).to_string();
        assert!(reads.contains("\"archive\""), "{reads}");
        all.done("GET", "/v1/customers/ADA/contact", None);
        let by_mail = json!({"kind": "email", "value": "ada@example.com"});
        reader.done("POST", "/v1/profiles/find", Some(by_mail));
        noted("profile", &before, "/v1/profiles/find");
        reader.done("POST", "/v1/subscribers/find", Some(json!({"email": "ada@example.com"})));
        noted("consents", &before, "/v1/subscribers/find");

        let storefront = key_for(shop, &[Permission::Shop]);
        let (token, _) = by_code(shop, &desk, &storefront, "ada@example.com");
        let before = newest();
        for part in ["consents", "preferences"] {
            assert_eq!(desk.ask(&token, "GET", &format!("/v1/customers/ADA/{part}"), None).status, 200);
        }
        assert_eq!(newest(), before, "what she reads of herself is nobody's business");
    });
}

#[test]
fn one_click_unsubscribes_in_whatever_form_the_mail_program_sends_it() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        a_customer(shop, &all);
        shop.run(|tx, _, _| engine::consent::purpose::lay(tx)).expect("purposes");
        let part =
            "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let forms: [(Option<&str>, &str); 5] = [
            (Some("application/x-www-form-urlencoded"), "List-Unsubscribe=One-Click"),
            (Some("multipart/form-data; boundary=b"), part),
            (Some("text/plain"), "List-Unsubscribe=One-Click"),
            (None, "List-Unsubscribe=One-Click"),
            (None, ""),
        ];
        let holding = |held: &Value| {
            held["items"].as_array().expect("items").iter().filter(|one| one["holds"] == true).count()
        };
        for (form, body) in forms {
            let said = json!([{"purpose": "personalisation", "status": "granted"},
                {"purpose": "personalisation", "medium": "sms", "status": "granted"}]);
            let held = all.done("POST", "/v1/customers/ADA/consents", Some(json!({"consents": said})));
            assert_eq!(holding(&held), 2, "{held}");
            let link = all.done("POST", "/v1/customers/ADA/preference-links", None);
            let path = format!("{}/unsubscribe", link["page"].as_str().expect("a page"));
            let headers: Vec<(&str, &str)> = form.iter().map(|form| ("content-type", *form)).collect();
            let answer = desk.send_raw("POST", &path, &headers, body);
            assert_eq!(answer.status, 200, "{form:?}: {}", answer.text);
            let held = all.done("GET", "/v1/customers/ADA/consents", None);
            assert_eq!(holding(&held), 0, "{form:?}: {held}");
        }
        let link = all.done("POST", "/v1/customers/ADA/preference-links", None);
        let path = format!("{}/save", link["page"].as_str().expect("a page"));
        let other =
            desk.send_raw("POST", &path, &[("content-type", "multipart/form-data; boundary=b")], part);
        assert_eq!(other.status, 415, "what is chosen comes from the page's own form");
    });
}

#[test]
fn what_colleagues_note_is_not_shown_to_the_customer() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        let ada = a_customer(shop, &all);
        let storefront = key_for(shop, &[Permission::Shop]);
        let (token, customer) = by_code(shop, &desk, &storefront, "ada@example.com");
        assert_eq!(customer, ada);
        let request = verified(&all, "access");
        let seen = desk.ask(&token, "GET", &request, None);
        assert_eq!((seen.status.as_u16(), &seen.json["request"]["state"]), (200, &json!("verified")));
        assert!(!seen.text.contains("asked by letter"), "{}", seen.text);
        assert_eq!(all.done("GET", &request, None)["note"], "asked by letter");

        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "hers")];
        let body = json!({"customer": ada, "kind": "correction", "note": "my name is King"});
        let own = desk.send("POST", "/v1/privacy-requests", &headers, Some(body));
        assert_eq!(own.status, 201, "{}", own.text);
        let own = format!("/v1/privacy-requests/{}", own.json["id"].as_str().expect("an id"));
        assert_eq!(desk.ask(&token, "GET", &own, None).json["note"], "my name is King", "her own words");
        all.done("POST", &format!("{own}/extend"), Some(json!({"reason": "we look at old letters"})));
        let mut refused = json!({"state": "refused", "note": "she jests"});
        let close = format!("{own}/close");
        let problem = all.ask("POST", &close, Some(refused.clone()));
        assert_eq!(
            (problem.status.as_u16(), &problem.json["errors"][0]["field"]),
            (422, &json!("reason")),
            "{}",
            problem.text
        );
        refused["reason"] = json!("your passport says Lovelace");
        all.done("POST", &close, Some(refused));
        let seen = desk.ask(&token, "GET", &own, None);
        assert_eq!((&seen.json["request"]["state"], &seen.json["note"]), (&json!("refused"), &Value::Null));
        let (reason, extension) = (&seen.json["reason"], &seen.json["extension_reason"]);
        assert_eq!(
            (reason, extension),
            (&json!("your passport says Lovelace"), &json!("we look at old letters"))
        );
        assert_eq!(all.done("GET", &own, None)["note"], "she jests");
    });
}

#[test]
fn who_may_not_answer_learns_nothing() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        a_customer(shop, &all);
        let request = verified(&all, "access");
        let others: Vec<Permission> =
            Permission::ALL.iter().copied().filter(|one| *one != Permission::AnswerPrivacy).collect();
        let other = Colleague::at(&desk, shop, &others);
        for path in ["", "/archive", "/archive.html", "/archive.zip"] {
            let refused = other.ask("GET", &format!("{request}{path}"), None);
            assert_eq!((refused.status.as_u16(), refused.code()), (403, "forbidden"), "{path}");
        }
        for deed in ["verify", "finish", "close"] {
            let body = json!({"proof": "document", "state": "refused"});
            let refused = other.ask("POST", &format!("{request}/{deed}"), Some(body));
            assert_eq!(refused.status, 403, "{deed}: {}", refused.text);
        }
        let trail =
            all.done("GET", &format!("/v1/audit?subject={}", request.rsplit('/').next().unwrap()), None);
        assert!(!trail.to_string().contains("person.exported"), "nobody was given anything: {trail}");
        all.done("GET", &format!("{request}/archive"), None);
        let trail =
            all.done("GET", &format!("/v1/audit?subject={}", request.rsplit('/').next().unwrap()), None);
        assert!(trail.to_string().contains("person.exported"), "who was given it is noted: {trail}");
    });
}

#[test]
fn the_timeline_goes_on_where_a_page_ended() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let all = Colleague::at(&desk, shop, Permission::ALL);
        a_customer(shop, &all);
        let (mut words, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                all.done("GET", &format!("/v1/customers/ADA/timeline?limit=2&language=de{cursor}"), None);
            let items = page["items"].as_array().expect("entries");
            words.extend(items.iter().map(|one| one["words"].as_str().unwrap_or_default().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(words.last().map(String::as_str), Some("Kunde geworden"));
        assert_eq!(words.iter().filter(|words| *words == "Notiz geschrieben").count(), 1, "{words:?}");
        let some = all.done("GET", "/v1/customers/ADA/timeline?kind=profile,note", None);
        assert_eq!(some["items"].as_array().map(Vec::len), Some(4), "{some}");
        assert_eq!(all.ask("GET", "/v1/customers/ADA/timeline?kind=orders", None).status, 422);
        assert_eq!(all.ask("GET", "/v1/customers/ADA/timeline?cursor=bm9uZQ", None).status, 400);
    });
}
