//! What people did is taken in once, onto the right profile, at the time it really happened; what cannot be is set aside and taken in later.

use crate::counter;
use domain::actor::Actor;
use domain::behaviour::plan::{Plan, Planned, Property, ValueType};
use domain::behaviour::{Call, Fault, SchemaMode, SourceKind};
use domain::identity::{Identifier, Kind};
use domain::privacy::Class;
use domain::returns::{Condition, Means};
use domain::value::id::{Event as EventKind, Profile, Source as SourceId};
use domain::value::{Id, Instant};
use engine::behaviour::source::{self, Change, NewSource};
use engine::behaviour::{self, Collected, Incoming, Source, commerce, incoming, quarantine};
use engine::cart;
use engine::identity;
use engine::privacy::retention::{self, Rule};
use engine::status::take_over::{self, Proof};
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{OPENING, TestShop, on_every_engine};

pub const LAST: Id<EventKind> = Id::from_bytes([255; 16]);

fn minute(minute: i64) -> Instant {
    Instant::from_micros(OPENING.micros() + minute * 60_000_000)
}

pub fn source(shop: &TestShop, kind: SourceKind, mode: SchemaMode, plan: Plan) -> (Source, String) {
    shop.run(move |tx, actor, world| {
        let (plan, countable) = (plan.clone(), vec!["Heel-Height".to_owned()]);
        let new =
            NewSource { name: "Shop".into(), kind, mode, plan, channel: None, countable, purpose: None };
        source::create(tx, actor, world, new)
    })
    .expect("a source")
}

/// A change of nothing, of the first version.
pub fn unchanged() -> Change {
    Change {
        name: None,
        enabled: None,
        mode: None,
        plan: None,
        countable: None,
        purpose: None,
        if_match: Some(1),
    }
}

/// What became of events of which none was refused by whom it names.
pub fn came(accepted: u64, repeated: u64, quarantined: u64) -> Collected {
    Collected { accepted, repeated, quarantined, not_permitted: 0 }
}

pub fn web(shop: &TestShop) -> Source {
    source(shop, SourceKind::Web, SchemaMode::Accept, Plan::default()).0
}

pub fn event(message: &str, at: i64, of: &[(Kind, &str)], name: &str, properties: Value) -> Incoming {
    Incoming {
        call: Call::Track,
        name: Some(name.into()),
        message: Some(message.into()),
        identifiers: of.iter().map(|(kind, value)| (*kind, None, (*value).to_owned())).collect(),
        at: minute(at),
        body: incoming::body(Some(properties), None, None),
        fault: None,
    }
}

pub fn collect(shop: &TestShop, source: &Source, events: Vec<Incoming>) -> Collected {
    let source = source.clone();
    shop.run(move |tx, _, world| behaviour::collect(tx, world, &source, &events)).expect("they are collected")
}

pub fn root(shop: &TestShop, kind: Kind, value: &str) -> Id<Profile> {
    let identifier = Identifier::new(kind, None, value).expect("an identifier");
    shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).expect("somebody")
}

pub fn told(shop: &TestShop, profile: Id<Profile>) -> Vec<behaviour::Event> {
    let before = (minute(1_000_000), LAST);
    shop.run(move |tx, actor, _| behaviour::of_person(tx, actor, profile, before, 100)).expect("events")
}

use Kind::{AnonymousId, UserId};

#[test]
fn an_event_counts_once_however_often_it_is_sent() {
    on_every_engine(|shop| {
        let web = web(shop);
        let viewed = |n: i64| {
            event(&format!("m{n}"), n, &[(AnonymousId, "b1")], "Product Viewed", json!({ "sku": n }))
        };
        let once = came(2, 1, 0);
        assert_eq!(collect(shop, &web, vec![viewed(1), viewed(2), viewed(1)]), once);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| collect(shop, &web, vec![viewed(1), viewed(2), viewed(3), viewed(4)]));
            }
        });
        let signed_in = event("m9", 5, &[(UserId, "u1"), (AnonymousId, "b1")], "Signed In", json!({}));
        collect(shop, &web, vec![signed_in]);
        let person = root(shop, UserId, "u1");
        assert_eq!(person, root(shop, AnonymousId, "b1"));
        let names: Vec<_> =
            told(shop, person).into_iter().map(|one| one.at.micros() - minute(0).micros()).collect();
        assert_eq!(names, [5, 4, 3, 2, 1].map(|minute| minute * 60_000_000));
        let visits = shop
            .run(move |tx, actor, _| behaviour::visits_of_person(tx, actor, person, minute(9_999), 10))
            .unwrap();
        assert_eq!(visits.iter().map(|visit| visit.events).collect::<Vec<_>>(), [5]);
    });
}

#[test]
fn events_may_come_in_any_order() {
    on_every_engine(|shop| {
        let web = web(shop);
        let late = event("b", 70, &[(UserId, "u1"), (AnonymousId, "b1")], "Late", json!({}));
        collect(shop, &web, vec![late]);
        collect(shop, &web, vec![event("a", 10, &[(AnonymousId, "b1")], "Early", json!({}))]);
        let person = root(shop, UserId, "u1");
        let names: Vec<_> = told(shop, person).into_iter().filter_map(|one| one.name).collect();
        assert_eq!(names, ["Late", "Early"]);
        let visits = |shop: &TestShop| {
            let read = move |tx: &mut store::Tx<'_>, actor: &domain::actor::Actor, _: &mut engine::World| {
                behaviour::visits_of_person(tx, actor, person, minute(9_999), 10)
            };
            shop.run(read).unwrap().len()
        };
        assert_eq!(visits(shop), 2);
        let between = [("c", 38), ("d", 55)]
            .map(|(id, at)| event(id, at, &[(AnonymousId, "b1")], "Between", json!({})));
        collect(shop, &web, between.to_vec());
        assert_eq!(visits(shop), 1, "what comes late joins two visits");
    });
}

#[test]
fn what_is_off_plan_is_set_aside_and_taken_in_later() {
    on_every_engine(|shop| {
        let sku = Property { name: "sku".into(), value: ValueType::Text, required: true };
        let plan = Plan::new(vec![Planned { name: "Product Viewed".into(), properties: vec![sku] }]).unwrap();
        let (source, key) = source(shop, SourceKind::Server, SchemaMode::Quarantine, plan);
        let id: Id<SourceId> = source.id;
        let good = event("1", 1, &[(UserId, "u1")], "Product Viewed", json!({ "sku": "T" }));
        let bad = event(
            "2",
            2,
            &[(UserId, "u1")],
            "Product Viewed",
            json!({ "sku": 7, "mail": "ada@example.com" }),
        );
        let nobody = event("3", 3, &[], "Product Viewed", json!({ "sku": "T" }));
        let all = vec![good, bad, nobody];
        assert_eq!(collect(shop, &source, all.clone()), came(1, 0, 2));
        assert_eq!(collect(shop, &source, all), came(0, 3, 0));
        let aside = move |shop: &TestShop| {
            shop.run(move |tx, actor, _| quarantine::list(tx, actor, id, LAST, 10)).unwrap()
        };
        let listed = aside(shop);
        let faults: Vec<_> = listed.iter().map(|one| (one.fault, one.why.as_str())).collect();
        assert_eq!(
            faults,
            [
                (Fault::Nobody, "give a user id or an anonymous id"),
                (Fault::OffPlan, "\"sku\" is a number, not a text")
            ]
        );
        let change = Change { mode: Some(SchemaMode::Warn), ..unchanged() };
        shop.run(move |tx, actor, world| source::update(tx, actor, world, id, change.clone())).unwrap();
        let replay = || {
            let first = Id::from_bytes([0; 16]);
            shop.run(move |tx, actor, world| quarantine::replay(tx, actor, world, id, first)).unwrap()
        };
        assert_eq!(replay(), (came(1, 0, 1), None));
        assert_eq!(replay(), (came(0, 0, 1), None), "only once");
        let person = root(shop, UserId, "u1");
        let events = told(shop, person);
        assert_eq!(events[0].wrong.as_deref(), Some("\"sku\" is a number, not a text"));
        assert!(!events[0].body.contains("ada@") && events[0].sealed.is_some());
        assert_eq!(aside(shop)[1].replayed_at, Some(OPENING));
        let found = shop.run(move |tx, _, _| Ok(source::recognise(tx, &key)?)).unwrap();
        assert_eq!(
            found.map(|source| (source.id, source.key)),
            Some((id, None)),
            "a server's key is kept nowhere"
        );
        shop.pass(31 * 24 * 3600);
        shop.run(quarantine::forget).unwrap();
        assert!(aside(shop).is_empty());
    });
}

#[test]
fn a_page_says_nothing_of_whom_it_names_by_mail() {
    on_every_engine(|shop| {
        let web = web(shop);
        let mail = event("1", 1, &[(Kind::Email, "ada@example.com")], "Viewed", json!({}));
        assert_eq!(collect(shop, &web, vec![mail]), came(0, 0, 1));
        let aside = shop.run(move |tx, actor, _| quarantine::list(tx, actor, web.id, LAST, 10)).unwrap();
        assert_eq!(aside[0].why, "nothing that this source may say tells whom it is about");
    });
}

#[test]
fn an_erased_person_leaves_events_that_name_nobody() {
    on_every_engine(|shop| {
        let (source, _) = source(shop, SourceKind::Server, SchemaMode::Accept, Plan::default());
        let draft = domain::contact::Draft { email: Some("ada@example.com".into()), ..Default::default() };
        let new = engine::customer::NewCustomer {
            external_id: Some("CRM-1".into()),
            card: domain::contact::Card::new(&draft).unwrap(),
            groups: Vec::new(),
        };
        let ada = shop
            .run(move |tx, actor, world| engine::customer::create(tx, actor, world, new.clone()))
            .unwrap()
            .id;
        let of = [(UserId, "CRM-1"), (AnonymousId, "b1")];
        collect(
            shop,
            &source,
            vec![event("1", 1, &of, "Viewed", json!({ "email": "ada@example.com", "sku": "T" }))],
        );
        let person = root(shop, UserId, "CRM-1");
        let kept = told(shop, person);
        assert_eq!((kept.len(), kept[0].body.as_str()), (1, r#"{"properties":{"sku":"T"}}"#));
        shop.run(move |tx, actor, world| engine::erasure::erase(tx, actor, world, ada)).unwrap();
        let keys =
            shop.run(move |tx, _, _| Ok(store::identity::persons(tx, &[kept[0].profile.bytes()])?)).unwrap();
        assert!(matches!(keys[..], [(_, Some(_), None)]), "the key is destroyed");
        assert_eq!(told(shop, person).len(), 1, "what happened stays");
    });
}

#[test]
fn the_shop_tells_of_customers_orders_itself() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let customer = counter::ada(shop);
        let order = counter::buy_for(shop, &till, &[(mug, 2)], counter::cash(), Some(customer));
        counter::buy(shop, &till, &[(mug, 1)], counter::cash());
        let returned =
            counter::a_back(&retailer, &order, 0, (1, Condition::Resellable), counter::by(Means::Original));
        counter::bring(shop, returned).unwrap();
        let follow = || {
            while shop.run(commerce::round).unwrap() {}
        };
        follow();
        follow();
        let person = shop
            .run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, customer))
            .unwrap();
        let events = told(shop, person);
        let named = |name: &str| events.iter().find(|one| one.name.as_deref() == Some(name));
        let completed = named("Order Completed").expect("an order");
        assert_eq!(events.len(), 3, "{events:?}");
        let properties = |event: &behaviour::Event| -> Value {
            serde_json::from_str::<Value>(&event.body).expect("a document")["properties"].clone()
        };
        let bought = properties(completed);
        for (name, told) in [("total", json!(10.0)), ("shipping", json!(0.0)), ("currency", json!("GBP"))] {
            assert_eq!(bought[name], told, "{name}");
        }
        let sum = ["revenue", "shipping", "tax"].map(|name| bought[name].as_f64().expect("a number"));
        assert!((sum.iter().sum::<f64>() - 10.0).abs() < 0.001, "{bought}");
        let mug = &bought["products"][0];
        assert_eq!((&mug["sku"], &mug["price"], &mug["quantity"]), (&json!("MUG"), &json!(5.0), &json!(2)));
        assert!(mug["product_id"].as_str().is_some_and(|id| id.starts_with("prd_")), "{mug}");
        for name in ["Order Refunded", "Order Returned"] {
            let told = properties(named(name).expect("goods that came back"));
            let mug = &told["products"][0];
            assert_eq!(
                (&told["total"], &mug["sku"], &mug["quantity"]),
                (&json!(5.0), &json!("MUG"), &json!(1)),
                "{name}"
            );
        }
        assert_eq!(completed.source, commerce::OURSELVES);
    });
}

#[test]
fn the_shop_tells_of_guests_by_their_mail_and_of_nobodys_orders_once_they_are_somebodys() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let follow = || while shop.run(commerce::round).expect("a round") {};
        let cart = counter::filled(shop, &till, &[(mug, 1)], None);
        let guest = domain::contact::Draft {
            email: Some("eve@example.com".into()),
            phone: Some("+442079460958".into()),
            ..domain::contact::Draft::default()
        };
        shop.run(move |tx, actor, world| {
            let card = domain::contact::Card::new(&guest)?;
            let details = cart::Details { contact: Some(card), ..cart::Details::default() };
            cart::change(tx, actor, world, (cart, None), details).map(drop)
        })
        .expect("a guest");
        counter::order_of(shop, cart, counter::cash());
        let nobodys = counter::buy(shop, &till, &[(mug, 2)], counter::cash()).order;
        follow();
        let names =
            |person| -> Vec<_> { told(shop, person).into_iter().filter_map(|one| one.name).collect() };
        assert_eq!(names(root(shop, Kind::Email, "eve@example.com")), ["Order Completed"]);
        let ada = counter::ada(shop);
        let hers = shop
            .run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, ada))
            .expect("a profile");
        assert_ne!(root(shop, Kind::Phone, "+442079460958"), root(shop, Kind::Email, "eve@example.com"));
        shop.pass(3600);
        let seen = Proof::Seen(nobodys.id);
        shop.run(move |tx, actor, world| take_over::take_over(tx, actor, world, (ada, &seen)).map(drop))
            .expect("hers");
        follow();
        let events = told(shop, hers);
        assert_eq!(
            (events.len(), events[0].at),
            (1, nobodys.placed_at),
            "when she bought, not when she said so"
        );
    });
}

#[test]
fn what_people_did_long_ago_is_forgotten_with_its_visits_once_the_retailer_says_so() {
    const DAY: i64 = 86_400;
    on_every_engine(|shop| {
        let web = web(shop);
        let of = [(AnonymousId, "b1")];
        let old = vec![
            event("m1", 1, &of, "Product Viewed", json!({})),
            event("m2", 2, &of, "Cart Viewed", json!({})),
        ];
        collect(shop, &web, old.clone());
        shop.pass(100 * DAY);
        collect(shop, &web, vec![event("m3", 100 * 24 * 60, &of, "Product Viewed", json!({}))]);
        let person = root(shop, AnonymousId, "b1");
        let visits = |shop: &TestShop| {
            let read = move |tx: &mut store::Tx<'_>| {
                behaviour::visits_of_person(tx, &Actor::system(), person, minute(1_000_000), 10)
            };
            shop.read(read).expect("visits").len()
        };
        assert_eq!((told(shop, person).len(), visits(shop)), (3, 2));
        let rule = |active| Rule { class: Class::Behaviour, days: 30, active };
        shop.run(move |tx, actor, world| retention::set(tx, actor, world, rule(false))).expect("a rule");
        let now = shop.shop.source.now();
        let counted = shop.read(move |tx| retention::preview(tx, &Actor::system(), now)).expect("a preview");
        assert!(counted.contains(&(rule(false), 2)), "{counted:?}");
        shop.run(retention::forget).expect("a round");
        assert_eq!(told(shop, person).len(), 3, "nothing is forgotten until it is turned on");
        shop.run(move |tx, actor, world| retention::set(tx, actor, world, rule(true))).expect("turned on");
        shop.run(retention::forget).expect("a round");
        let left = told(shop, person);
        assert_eq!((left.len(), left[0].at, visits(shop)), (1, minute(100 * 24 * 60), 1));
        let again = |shop: &TestShop| collect(shop, &web, old.clone()).repeated;
        assert_eq!(again(shop), 2, "it is known that they were heard");
        shop.run(quarantine::forget).expect("a round");
        assert_eq!(again(shop), 0, "no library sends them again after so long");
    });
}
