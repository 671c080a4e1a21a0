//! Segments are exact whenever they are read: at the instant a window lapses, after a purchase, a return, a no, a join, a merge and an erasure.

use crate::agreed::lay;
use crate::counter::{self, DAY, ada, buy_for, cash, work};
use domain::behaviour::plan::Plan;
use domain::behaviour::{Call, SchemaMode, SourceKind};
use domain::consent::{Cell, Medium, Source as Heard, Status};
use domain::identity::Kind;
use domain::merging::Cause;
use domain::returns::{Condition, Means};
use domain::segment::Subject;
use domain::segment::occurrence::Scalar;
use domain::value::Id;
use domain::value::id::{Customer, Segment as SegmentId};
use domain::{Code, Refusal};
use engine::behaviour::source::{self, NewSource};
use engine::behaviour::{self, Incoming, Source, incoming};
use engine::consent::{self, Evidence, Said};
use engine::merging::{self, Wish};
use engine::segment::{self, Change, Named, NewSegment, Segment, document, list, traits};
use engine::{Failure, erasure, identity};
use serde_json::{Value, json};
use sim::{Retailer, TestShop, on_every_engine};

pub fn web(shop: &TestShop) -> Source {
    shop.run(move |tx, actor, world| {
        let new = NewSource {
            name: "Shop".into(),
            kind: SourceKind::Server,
            mode: SchemaMode::Accept,
            plan: Plan::default(),
            channel: None,
            countable: Vec::new(),
            purpose: None,
        };
        source::create(tx, actor, world, new)
    })
    .expect("a source")
    .0
}

/// Somebody does something now.
pub fn did(
    shop: &TestShop,
    source: &Source,
    message: &str,
    of: &[(Kind, String)],
    name: &str,
    properties: &Value,
) {
    let event = Incoming {
        call: Call::Track,
        name: Some(name.into()),
        message: Some(message.into()),
        identifiers: of.iter().map(|(kind, value)| (*kind, None, value.clone())).collect(),
        at: shop.shop.source.now(),
        body: incoming::body(Some(properties.clone()), None, None),
        fault: None,
    };
    let source = source.clone();
    shop.run(move |tx, _, world| behaviour::collect(tx, world, &source, std::slice::from_ref(&event)))
        .expect("it is collected");
}

fn write(shop: &TestShop, code: &str, expression: &Value) -> Result<Segment, Failure> {
    let (code, expression) = (code.to_owned(), document::expression(expression, "expression"));
    let expression = expression.map_err(Failure::from)?;
    shop.run(move |tx, actor, world| {
        let new = NewSegment { code: code.clone(), name: code.clone(), expression: expression.clone() };
        segment::create(tx, actor, world, new)
    })
}

pub fn made(shop: &TestShop, code: &str, expression: &Value) -> Id<SegmentId> {
    write(shop, code, expression).expect("a segment").id
}

pub fn is_in(shop: &TestShop, segment: Id<SegmentId>, who: Named) -> bool {
    let now = shop.shop.source.now();
    let found = shop.run(move |tx, actor, _| segment::membership(tx, actor, segment, (who, now)));
    let found = found.expect("a membership");
    assert_eq!(found.verdict.is_in, found.why.holds);
    found.verdict.is_in.expect("nothing is open when shelves are looked at")
}

fn fields(failure: Result<Segment, Failure>) -> Vec<String> {
    let Err(Failure::Refused(refusal)) = failure else { panic!("it is refused") };
    refusal.each().filter_map(Refusal::field).map(str::to_owned).collect()
}

#[test]
fn a_window_lapses_at_its_instant_and_a_join_brings_what_was_done() {
    on_every_engine(|shop| {
        let (source, customer) = (web(shop), ada(shop));
        let viewed = json!({ "event": { "name": "Product Viewed", "where": [{ "property": "price", "at_least": 10 }],
            "within_days": 30, "at_least": 2 } });
        let segment = made(shop, "lookers", &viewed);
        let browser = [(Kind::AnonymousId, "b1".to_owned())];
        did(shop, &source, "1", &browser, "Product Viewed", &json!({ "price": 10 }));
        did(shop, &source, "2", &browser, "Product Viewed", &json!({ "price": 9.99 }));
        shop.pass(DAY);
        did(shop, &source, "3", &browser, "Product Viewed", &json!({ "price": 20 }));
        let ada = Named::Customer(customer);
        assert!(!is_in(shop, segment, ada));
        let known = [(Kind::AnonymousId, "b1".to_owned()), (Kind::UserId, customer.to_string())];
        did(shop, &source, "4", &known, "Signed In", &json!({}));
        assert!(is_in(shop, segment, ada), "what her browser did is hers");
        shop.pass(29 * DAY - 1);
        assert!(is_in(shop, segment, ada));
        let now = shop.shop.source.now();
        let verdict = shop
            .run(move |tx, actor, _| segment::membership(tx, actor, segment, (ada, now)))
            .unwrap()
            .verdict;
        assert_eq!(verdict.next_change, Some(now.plus_seconds(1)));
        shop.pass(1);
        assert!(!is_in(shop, segment, ada), "at the instant, not a day later");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, customer))
            .expect("she is forgotten");
        let all = made(shop, "all", &json!({ "not": { "groups": ["nobody"] } }));
        assert!(!is_in(shop, all, ada), "whoever was erased is in no segment");
    });
}

#[test]
fn orders_returns_and_merges_count_at_once() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let scarf = retailer.sell(shop, "SCARF", 5_000);
        retailer.stock(shop, scarf, 0, 20);
        let (till, customer) = (retailer.till(shop, 0), ada(shop));
        let spent = json!({ "orders": { "measure": "spend", "currency": "GBP", "within_days": 90, "at_least": 12_000 } });
        let (rich, fan) = (
            made(shop, "rich", &spent),
            made(shop, "fan", &json!({ "orders": { "variants": [scarf.to_string()] } })),
        );
        let stages = json!({ "life_cycle": ["new"] });
        let new = made(shop, "new", &stages);
        let ada = Named::Customer(customer);
        assert!(!is_in(shop, fan, ada) && !is_in(shop, new, ada));
        let order = buy_for(shop, &till, &[(scarf, 2)], cash(), Some(customer));
        assert!(is_in(shop, fan, ada) && is_in(shop, new, ada) && !is_in(shop, rich, ada));
        let other = shop.run(|tx, actor, world| {
            let card = domain::contact::Card::new(&domain::contact::Draft {
                name: Some("A".into()),
                ..Default::default()
            })?;
            let new = engine::customer::NewCustomer { external_id: None, card, groups: Vec::new() };
            engine::customer::create(tx, actor, world, new)
        });
        let other = other.expect("another customer").id;
        buy_for(shop, &till, &[(scarf, 1)], cash(), Some(other));
        let wish = Wish { winner: customer, loser: other, cause: Cause::Staff, why: "one person".into() };
        let merge = shop
            .run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone()))
            .expect("a merge");
        assert!(is_in(shop, rich, ada) && is_in(shop, rich, Named::Customer(other)));
        counter::bring(
            shop,
            counter::a_back(&retailer, &order, 0, (1, Condition::Resellable), counter::by(Means::Original)),
        )
        .expect("a return");
        work(shop);
        assert!(!is_in(shop, rich, ada), "what came back is not spent");
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge.id))
            .expect("they are two again");
        assert!(is_in(shop, fan, Named::Customer(other)) && !is_in(shop, rich, ada));
        shop.pass(30 * DAY);
        assert!(!is_in(shop, new, ada), "new for thirty days");
    });
}

#[test]
fn consents_lists_traits_and_shelves_are_read_as_they_are_now() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let scarf = retailer.sell(shop, "SCARF", 5_000);
        let (source, customer) = (web(shop), lay(shop));
        let ada = Named::Customer(customer);
        let may = made(shop, "may", &json!({ "consent": { "purpose": "marketing", "medium": "mail" } }));
        let say = |status: Status| {
            let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
            let said = [Said { cell, status }];
            shop.run(move |tx, actor, world| {
                consent::say(tx, actor, world, customer, &said, &Evidence::of(Heard::Told))
            })
            .expect("it is said");
        };
        assert!(!is_in(shop, may, ada));
        say(Status::Granted);
        assert!(is_in(shop, may, ada));
        say(Status::Withdrawn);
        assert!(!is_in(shop, may, ada));
        let press = shop
            .run(|tx, actor, world| list::create(tx, actor, world, ("press", "Press")))
            .expect("a list")
            .id;
        let on_it = made(shop, "on_it", &json!({ "list": press.to_string() }));
        let put = |people: Vec<Named>| {
            shop.run(move |tx, actor, world| list::put(tx, actor, world, press, &people))
        };
        assert_eq!(put(vec![ada, ada]).expect("put"), 1);
        assert_eq!(put(vec![ada]).expect("put again"), 0);
        assert!(is_in(shop, on_it, ada));
        let taken = shop
            .run(move |tx, actor, world| list::take_off(tx, actor, world, press, &[ada]))
            .expect("taken off");
        assert_eq!((taken, is_in(shop, on_it, ada)), (1, false));
        let definition =
            json!({ "name": "Product Viewed", "aggregate": "most_frequent", "property": "colour" });
        let definition = document::trait_of(&definition, "trait").expect("a trait");
        shop.run(move |tx, actor, world| {
            traits::set(tx, actor, world, ("colour", "Colour", definition.clone()), None)
        })
        .expect("a trait");
        let likes = made(shop, "likes", &json!({ "trait": { "code": "colour", "is": ["red"] } }));
        let known = [(Kind::UserId, customer.to_string())];
        for (message, colour) in [("1", "red"), ("2", "blue"), ("3", "red")] {
            did(
                shop,
                &source,
                message,
                &known,
                "Product Viewed",
                &json!({ "colour": colour, "sku": "SCARF" }),
            );
        }
        assert!(is_in(shop, likes, ada));
        let now = shop.shop.source.now();
        let (who, values) =
            shop.run(move |tx, actor, _| traits::of_subject(tx, actor, (ada, now))).expect("traits");
        assert_eq!((who, &values[0].1[..]), (Subject::Customer(customer), &[Scalar::Text("red".into())][..]));
        let live = json!({ "all": [{ "segment": likes.to_string() },
            { "stock": { "variant": "last_viewed", "location": retailer.locations[0].to_string(), "at_least": 2 } }] });
        let live = made(shop, "live", &live);
        assert!(!is_in(shop, live, ada));
        retailer.stock(shop, scarf, 0, 2);
        assert!(is_in(shop, live, ada), "what she looked at last came in");
        let (_, all) =
            shop.run(move |tx, actor, _| segment::of_subject(tx, actor, (ada, now))).expect("her segments");
        assert_eq!(all.iter().map(|(one, _)| one.code.as_str()).collect::<Vec<_>>(), ["likes", "live"]);
    });
}

#[test]
fn a_kit_lies_where_all_its_parts_do() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let ada = Named::Customer(ada(shop));
        let scarf = retailer.sell(shop, "SCARF", 5_000);
        retailer.stock(shop, scarf, 0, 2);
        let pair = retailer.sell_kit(shop, "PAIR", &[(scarf, 2)], 9_000);
        let pairs = |least: i64| {
            let leeds = retailer.locations[0].to_string();
            json!({ "stock": { "variant": pair.to_string(), "location": leeds, "at_least": least } })
        };
        let (one, two) = (made(shop, "one_pair", &pairs(1)), made(shop, "two_pairs", &pairs(2)));
        assert_eq!((is_in(shop, one, ada), is_in(shop, two, ada)), (true, false), "two scarves are one pair");
    });
}

#[test]
fn what_is_not_there_is_named_and_versions_are_kept() {
    on_every_engine(|shop| {
        let customer = ada(shop);
        let nobody: Id<SegmentId> = Id::from_bytes([4; 16]);
        for wrong in [
            json!({ "trait": { "code": "none", "exists": true } }),
            json!({ "segment": nobody.to_string() }),
            json!({ "consent": { "purpose": "none" } }),
            json!({ "near": { "location": Id::<domain::value::id::Location>::from_bytes([1; 16]).to_string(), "km": 5 } }),
        ] {
            assert_eq!(fields(write(shop, "wrong", &wrong)), ["expression"], "{wrong}");
        }
        let inner = made(shop, "inner", &json!({ "share": { "seed": "a", "below": 100 } }));
        let outer = made(shop, "outer", &json!({ "segment": inner.to_string() }));
        assert!(is_in(shop, outer, Named::Customer(customer)));
        assert_eq!(fields(write(shop, "outer", &json!({ "groups": ["vip"] }))), ["code"]);
        let change = |id: Id<SegmentId>, change: Change| {
            shop.run(move |tx, actor, world| segment::change(tx, actor, world, id, change.clone()))
        };
        let none = Change { name: None, active: None, expression: None, if_match: Some(1) };
        let round =
            document::expression(&json!({ "not": { "segment": outer.to_string() } }), "expression").unwrap();
        assert_eq!(fields(change(inner, Change { expression: Some(round), ..none.clone() })), ["expression"]);
        let refused = change(inner, Change { active: Some(false), ..none.clone() });
        assert!(matches!(refused, Err(Failure::Refused(refusal)) if refusal.code() == Code::Referenced));
        let other =
            document::expression(&json!({ "share": { "seed": "a", "from": 0, "below": 1 } }), "expression")
                .unwrap();
        let changed =
            change(inner, Change { expression: Some(other), ..none.clone() }).expect("another version");
        assert_eq!(changed.version, 2);
        assert!(
            matches!(change(inner, none), Err(Failure::Refused(refusal)) if refusal.code() == Code::Stale)
        );
        let versions =
            shop.run(move |tx, actor, _| segment::versions(tx, actor, inner, (99, 10))).expect("versions");
        assert_eq!(versions.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
    });
}

#[test]
fn somebody_who_is_no_customer_yet_is_judged_by_what_was_seen() {
    on_every_engine(|shop| {
        let source = web(shop);
        let browser = [(Kind::AnonymousId, "b9".to_owned())];
        did(shop, &source, "1", &browser, "Cart Viewed", &json!({}));
        let identifier =
            domain::identity::Identifier::new(Kind::AnonymousId, None, "b9").expect("an identifier");
        let root = shop
            .run(move |tx, actor, world| identity::find(tx, actor, world, &identifier))
            .expect("somebody");
        let left = json!({ "sequence": { "first": { "name": "Cart Viewed" }, "then": { "name": "Order Completed" },
            "within_minutes": 60, "followed": false } });
        let segment = made(shop, "left_behind", &left);
        assert!(!is_in(shop, segment, Named::Profile(root)));
        shop.pass(3_600);
        assert!(!is_in(shop, segment, Named::Profile(root)), "within the hour it may still follow");
        shop.pass(1);
        assert!(is_in(shop, segment, Named::Profile(root)));
        let nobody: Id<Customer> = Id::from_bytes([3; 16]);
        let now = shop.shop.source.now();
        let missing = shop
            .run(move |tx, actor, _| segment::membership(tx, actor, segment, (Named::Customer(nobody), now)));
        assert!(matches!(missing, Err(Failure::Refused(refusal)) if refusal.code() == Code::NotFound));
    });
}
