//! What is kept of what people did: nothing that may name somebody lies open, what cannot be read is kept as it came, and of who refuses it
//! nothing is kept at all.

use crate::behaviour::{LAST, came, collect, event, root, source, told, unchanged, web};
use crate::counter;
use domain::behaviour::plan::{Plan, Planned, Property, ValueType};
use domain::behaviour::{Fault, SchemaMode, SourceKind};
use domain::consent::{Cell, Medium, SALE_OR_SHARE, Status};
use domain::identity::{Identifier, Kind};
use domain::value::id::Customer;
use domain::value::{Email, Id};
use engine::behaviour::source::{self as sources, Change};
use engine::behaviour::{Collected, Source, commerce, quarantine};
use engine::consent::{self, Evidence, Said};
use engine::identity;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

use Kind::{AnonymousId, UserId};

#[test]
fn what_may_name_somebody_is_sealed_and_what_the_retailer_counts_is_open() {
    on_every_engine(|shop| {
        let web = web(shop);
        let sent = json!({ "sku": "T", "colour": "red", "heelHeight": "flat", "receiver": "Ada Lovelace",
            "shipping_address": { "name": "Ada Lovelace", "line1": "1 St James's Square" }, "coupon": "ada@example.com" });
        let mut event = event("m1", 1, &[(AnonymousId, "b1")], "Gift for ada@example.com", sent);
        event.body["traits"] =
            json!({ "given_name": "Ada", "surname": "Lovelace", "telephone": "07911 123456" });
        event.body["context"] =
            json!({ "device": { "id": "d-1" }, "externalIds": [{ "type": "crm", "id": "7" }] });
        collect(shop, &web, vec![event]);
        let kept = told(shop, root(shop, AnonymousId, "b1")).remove(0);
        let open: Value = serde_json::from_str(&kept.body).expect("a document");
        assert_eq!(open, json!({ "properties": { "sku": "T", "colour": "red", "heelHeight": "flat" } }));
        assert_eq!((kept.name.as_deref(), kept.sealed.is_some()), (Some("Gift for …"), true));
        let wrong = Change { countable: Some(vec!["ok".into(), "Ada's".into()]), ..unchanged() };
        let id = web.id;
        let refused = shop.run(move |tx, actor, world| sources::update(tx, actor, world, id, wrong.clone()));
        assert!(format!("{refused:?}").contains("countable.1"), "{refused:?}");
    });
}

#[test]
fn what_cannot_be_read_is_kept_as_it_came_and_stays_set_aside() {
    on_every_engine(|shop| {
        let (source, _) = source(shop, SourceKind::Server, SchemaMode::Accept, Plan::default());
        let of = [(UserId, "u1")];
        let mut unreadable = event("1", 1, &of, "Told ada@example.com", json!({}));
        unreadable.fault = Some((Fault::Unreadable, "give a type".into()));
        unreadable.body = json!({ "sent": { "type": "nonsense", "mail": "ada@example.com" } });
        let mut large = event("2", 2, &of, "Large", json!({}));
        large.fault = Some((Fault::TooLarge, "the event has 99999 bytes".into()));
        large.body = json!({ "cut": "{" });
        assert_eq!(collect(shop, &source, vec![unreadable, large]), came(0, 0, 2));
        let id = source.id;
        let aside =
            || shop.run(move |tx, actor, _| quarantine::list(tx, actor, id, LAST, 10)).expect("a list");
        let before = aside();
        let first = Id::from_bytes([0; 16]);
        let replayed = shop.run(move |tx, actor, world| quarantine::replay(tx, actor, world, id, first));
        assert_eq!(replayed.expect("a replay"), (came(0, 0, 2), None));
        assert_eq!(aside(), before, "with their reasons");
        assert_eq!(before[1].name.as_deref(), Some("Told …"));
        assert!(before.iter().all(|one| !one.fault.is_mendable() && one.replayed_at.is_none()));
    });
}

#[test]
fn why_an_event_is_set_aside_is_said_anew() {
    on_every_engine(|shop| {
        let plan = |name: &str| {
            Plan::new(vec![Planned { name: name.into(), properties: Vec::new() }]).expect("a plan")
        };
        let (source, _) = source(shop, SourceKind::Server, SchemaMode::Quarantine, plan("Bought"));
        collect(shop, &source, vec![event("1", 1, &[], "Looked", json!({}))]);
        let id = source.id;
        let why = || {
            let aside =
                shop.run(move |tx, actor, _| quarantine::list(tx, actor, id, LAST, 10)).expect("a list");
            (aside[0].fault, aside[0].why.clone())
        };
        assert_eq!(why().0, Fault::Nobody);
        collect(shop, &source, vec![event("2", 1, &[(UserId, "u1")], "Looked", json!({}))]);
        assert_eq!(why(), (Fault::OffPlan, "no event of this name is planned".to_owned()));
        let sku = Property { name: "sku".into(), value: ValueType::Text, required: true };
        let plan = Plan::new(vec![Planned { name: "Looked".into(), properties: vec![sku] }]).expect("a plan");
        let change = Change { plan: Some(plan), ..unchanged() };
        shop.run(move |tx, actor, world| sources::update(tx, actor, world, id, change.clone()))
            .expect("a plan");
        let first = Id::from_bytes([0; 16]);
        shop.run(move |tx, actor, world| quarantine::replay(tx, actor, world, id, first)).expect("a replay");
        assert_eq!(why(), (Fault::OffPlan, "\"sku\" is missing".to_owned()));
    });
}

/// Ada says no.
fn refuse(shop: &TestShop, ada: Id<Customer>, status: Status) {
    let cell = Cell { purpose: "analytics".into(), medium: Medium::Every, topic: String::new() };
    let said = [Said { cell, status }];
    let evidence = Evidence::of(domain::consent::Source::Told);
    shop.run(move |tx, actor, world| consent::say(tx, actor, world, ada, &said, &evidence).map(drop))
        .expect("it is written down");
}

fn not_permitted(shop: &TestShop, of: &Source) -> i64 {
    let id = of.id;
    shop.run(move |tx, actor, _| sources::read(tx, actor, id)).expect("a source").not_permitted
}

#[test]
fn of_who_refuses_it_nothing_is_kept_but_what_the_books_tell() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| consent::purpose::lay(tx)).expect("purposes");
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let web = web(shop);
        let ada = counter::ada(shop);
        let own = ada.to_string();
        let of_ada = [(UserId, own.as_str()), (AnonymousId, "b1")];
        collect(shop, &web, vec![event("1", 1, &of_ada, "Looked", json!({}))]);
        refuse(shop, ada, Status::Denied);
        let by_browser = event("2", 2, &[(AnonymousId, "b1")], "Looked", json!({}));
        let elsewhere = event("3", 3, &[(UserId, &own), (AnonymousId, "b2")], "Looked", json!({}));
        let others = event("4", 4, &[(AnonymousId, "b3")], "Looked", json!({}));
        let sent = vec![by_browser, elsewhere, others];
        let collected = Collected { not_permitted: 2, ..came(1, 0, 0) };
        assert_eq!(collect(shop, &web, sent.clone()), collected);
        assert_eq!(not_permitted(shop, &web), 2);
        let hers = root(shop, AnonymousId, "b1");
        assert_eq!(told(shop, hers).len(), 1, "what was collected before stays");
        let b2 = Identifier::new(AnonymousId, None, "b2").expect("an identifier");
        let found = shop.run(move |tx, actor, world| identity::find(tx, actor, world, &b2));
        assert!(found.is_err(), "nothing else is written");
        counter::buy_for(shop, &till, &[(mug, 1)], counter::cash(), Some(ada));
        while shop.run(commerce::round).expect("a round") {}
        let names: Vec<_> = told(shop, hers).into_iter().filter_map(|one| one.name).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.contains(&"Order Completed".to_owned()));
        refuse(shop, ada, Status::Granted);
        assert_eq!(collect(shop, &web, sent), came(2, 1, 0), "a yes holds from then on");
    });
}

#[test]
fn a_no_said_from_an_address_holds_for_who_is_known_by_it() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| consent::purpose::lay(tx)).expect("purposes");
        let (source, _) = source(shop, SourceKind::Server, SchemaMode::Accept, Plan::default());
        let eve = [(Kind::Email, "eve@example.com"), (UserId, "u1")];
        collect(shop, &source, vec![event("1", 1, &eve, "Looked", json!({}))]);
        shop.run(|tx, actor, world| {
            let email = Email::parse("Eve@example.com").expect("an address");
            let (one, _) = consent::subscriber::of_email(tx, actor, world, &email, None)?;
            let cell = Cell { purpose: "analytics".into(), medium: Medium::Web, topic: String::new() };
            let said = [Said { cell, status: Status::Denied }];
            consent::write(tx, actor, world, &one, &said, &Evidence::of(domain::consent::Source::Told))
                .map(drop)
        })
        .expect("a no");
        let by_name = event("2", 2, &[(UserId, "u1")], "Looked", json!({}));
        let by_mail =
            event("3", 2, &[(Kind::Email, "eve@example.com"), (AnonymousId, "b9")], "Looked", json!({}));
        let other = event("4", 2, &[(UserId, "u2")], "Looked", json!({}));
        let collected = Collected { not_permitted: 2, ..came(1, 0, 0) };
        assert_eq!(collect(shop, &source, vec![by_name, by_mail, other]), collected);
    });
}

#[test]
fn what_was_set_aside_of_who_refuses_it_by_now_is_gone_once_it_is_replayed() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| consent::purpose::lay(tx)).expect("purposes");
        let plan =
            Plan::new(vec![Planned { name: "Bought".into(), properties: Vec::new() }]).expect("a plan");
        let (source, _) = source(shop, SourceKind::Web, SchemaMode::Quarantine, plan);
        let ada = counter::ada(shop);
        collect(shop, &source, vec![event("1", 1, &[(UserId, &ada.to_string())], "Looked", json!({}))]);
        refuse(shop, ada, Status::Denied);
        let (id, first) = (source.id, Id::from_bytes([0; 16]));
        let replayed = shop.run(move |tx, actor, world| quarantine::replay(tx, actor, world, id, first));
        assert_eq!(replayed.expect("a replay").0, Collected { not_permitted: 1, ..came(0, 0, 0) });
        let aside = shop.run(move |tx, actor, _| quarantine::list(tx, actor, id, LAST, 10)).expect("a list");
        assert_eq!((aside.len(), not_permitted(shop, &source)), (0, 1));
    });
}

#[test]
fn a_browser_that_says_not_to_sell_or_share_is_heard() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| consent::purpose::lay(tx)).expect("purposes");
        let web = web(shop);
        let ada = counter::ada(shop);
        let own = ada.to_string();
        let stands = |shop: &TestShop| {
            let cell = Cell { purpose: SALE_OR_SHARE.into(), medium: Medium::Every, topic: String::new() };
            let now = shop.shop.source.now();
            shop.read(move |tx| consent::of(tx, ada.shared_with(), now)).expect("a standing").to(&cell)
        };
        let mut nobodys = event("1", 1, &[(AnonymousId, "b1")], "Looked", json!({}));
        nobodys.note_signal();
        collect(shop, &web, vec![nobodys, event("2", 2, &[(UserId, &own)], "Looked", json!({}))]);
        assert_eq!(stands(shop), None);
        let kept = told(shop, root(shop, AnonymousId, "b1")).remove(0);
        assert_eq!(kept.body, r#"{"context":{"sec_gpc":true}}"#, "kept with the event");
        let mut hers = event("3", 3, &[(UserId, &own)], "Looked", json!({}));
        hers.note_signal();
        collect(shop, &web, vec![hers]);
        assert_eq!(stands(shop), Some(Status::Denied));
    });
}
