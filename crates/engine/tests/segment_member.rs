//! Kept membership: lists, sizes and history say what is judged, whoever looks first; who waits for changes is told of each once.

use crate::counter::{DAY, ada, work};
use crate::segment::{did, made, web};
use domain::actor::Actor;
use domain::identity::Kind;
use domain::merging::Cause;
use domain::segment::Subject;
use domain::value::Id;
use domain::value::id::{Customer, Segment as SegmentId};
use engine::event::{Cursor, Filter};
use engine::merging::{self, Wish};
use engine::segment::{self, Change, Named, document, follow, member};
use engine::{customer, erasure, event};
use serde_json::json;
use sim::{TestShop, on_every_engine};

fn members(shop: &TestShop, segment: Id<SegmentId>) -> Vec<Subject> {
    let shown = shop.run(move |tx, actor, world| member::list(tx, actor, world, segment, ([0; 16], 100)));
    shown.expect("members").0.into_iter().map(|one| one.subject).collect()
}

fn size(shop: &TestShop, segment: Id<SegmentId>) -> i64 {
    let size = shop.run(move |tx, actor, world| member::size(tx, actor, world, segment)).expect("a size");
    assert!(size.built && size.whole);
    size.members
}

/// What was told of coming in and falling out, in order.
fn told(shop: &TestShop, who: Subject) -> Vec<String> {
    let filter = Filter { kind: Some("segment.".into()), subject: Some(who.to_string()) };
    let cursor: Cursor = [0; store::event::PARTITIONS];
    let found = shop.read(move |tx| event::read(tx, &Actor::system(), cursor, &filter, 100)).expect("events");
    found.events.into_iter().map(|(entry, _)| entry.kind).collect()
}

fn another(shop: &TestShop, name: &'static str) -> Id<Customer> {
    shop.run(move |tx, actor, world| {
        let draft = domain::contact::Draft { name: Some(name.into()), ..Default::default() };
        let card = domain::contact::Card::new(&draft)?;
        customer::create(
            tx,
            actor,
            world,
            customer::NewCustomer { external_id: None, card, groups: Vec::new() },
        )
    })
    .expect("a customer")
    .id
}

#[test]
fn members_come_and_go_with_what_happens_and_with_time() {
    on_every_engine(|shop| {
        let (source, customer) = (web(shop), ada(shop));
        let ada = Subject::Customer(customer);
        let viewed = json!({ "event": { "name": "Product Viewed", "within_days": 30 } });
        let segment = made(shop, "lookers", &viewed);
        assert_eq!((members(shop, segment), size(shop, segment)), (Vec::new(), 0));
        let browser = [(Kind::AnonymousId, "b1".to_owned())];
        did(shop, &source, "1", &browser, "Product Viewed", &json!({}));
        assert_eq!(size(shop, segment), 1, "the browser is somebody, though no customer");
        let seen = members(shop, segment);
        let known = [(Kind::AnonymousId, "b1".to_owned()), (Kind::UserId, customer.to_string())];
        did(shop, &source, "2", &known, "Signed In", &json!({}));
        assert_eq!(members(shop, segment), [ada], "the browser is hers, and no more somebody of its own");
        assert_eq!(told(shop, seen[0]), ["segment.entered", "segment.left"]);
        shop.pass(30 * DAY - 1);
        work(shop);
        assert_eq!(size(shop, segment), 1);
        shop.pass(1);
        assert_eq!(size(shop, segment), 0, "no job had to run for it");
        assert_eq!(told(shop, ada), ["segment.entered", "segment.left"]);
        let of = Some(Named::Customer(customer));
        let last = Id::from_bytes([255; 16]);
        let steps =
            shop.run(move |tx, actor, world| member::history(tx, actor, world, (segment, of), (last, 10)));
        assert_eq!(steps.expect("steps").iter().map(|one| one.entered).collect::<Vec<_>>(), [false, true]);
        did(shop, &source, "3", &known, "Product Viewed", &json!({}));
        work(shop);
        assert_eq!(members(shop, segment), [ada]);
        let bob = another(shop, "Bob");
        let wish = Wish { winner: bob, loser: customer, cause: Cause::Staff, why: "one person".into() };
        let merge = shop
            .run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone()))
            .expect("a merge")
            .id;
        assert_eq!(members(shop, segment), [Subject::Customer(bob)]);
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge)).expect("two again");
        assert_eq!(members(shop, segment), [ada]);
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, customer))
            .expect("she is forgotten");
        assert_eq!(size(shop, segment), 0);
    });
}

#[test]
fn a_segment_is_built_of_everybody_and_anew_when_it_changes() {
    on_every_engine(|shop| {
        let all: Vec<Subject> =
            ["A", "B", "C", "D"].into_iter().map(|name| Subject::Customer(another(shop, name))).collect();
        let everybody = json!({ "share": { "seed": "a", "from": 0, "below": 100 } });
        let segment = made(shop, "everybody", &everybody);
        let outer = made(shop, "outer", &json!({ "not": { "segment": segment.to_string() } }));
        assert_eq!((members(shop, segment), size(shop, outer)), (all, 0));
        let nobody = document::expression(&json!({ "groups": ["nobody"] }), "expression").expect("it reads");
        let expression = nobody.clone();
        shop.run(move |tx, actor, world| {
            let change =
                Change { name: None, active: None, expression: Some(expression.clone()), if_match: Some(1) };
            segment::change(tx, actor, world, segment, change)
        })
        .expect("changed");
        assert_eq!((size(shop, segment), size(shop, outer)), (0, 4), "who names it is looked at anew too");
        let now = shop.shop.source.now();
        let preview =
            shop.run(move |tx, actor, _| member::preview(tx, actor, &nobody, now)).expect("a preview");
        assert_eq!((preview.members, preview.looked_at, preview.people), (0, 4, 4));
    });
}

#[test]
fn a_member_who_was_put_in_by_hand_is_found_by_the_check() {
    on_every_engine(|shop| {
        let (source, customer) = (web(shop), ada(shop));
        let segment = made(shop, "lookers", &json!({ "event": { "name": "Product Viewed" } }));
        assert_eq!(size(shop, segment), 0);
        did(shop, &source, "1", &[(Kind::UserId, customer.to_string())], "Product Viewed", &json!({}));
        assert_eq!(size(shop, segment), 1);
        shop.must_tally();
        let key = customer.bytes();
        shop.run(move |tx, _, _| Ok(store::segment::member::remove(tx, segment, key)?)).expect("removed");
        let report =
            shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("the books are read");
        assert_eq!(report.differences.iter().map(|one| one.check).collect::<Vec<_>>(), ["segments"]);
        let change = Change { name: None, active: Some(false), expression: None, if_match: Some(1) };
        shop.run(move |tx, actor, world| segment::change(tx, actor, world, segment, change.clone()))
            .expect("put out");
        assert_eq!(size(shop, segment), 0);
    });
}

#[test]
fn whoever_follows_at_the_same_time_tells_of_each_step_once() {
    on_every_engine(|shop| {
        let (source, customer) = (web(shop), ada(shop));
        let segment =
            made(shop, "lookers", &json!({ "event": { "name": "Product Viewed", "within_days": 1 } }));
        assert_eq!(size(shop, segment), 0);
        let known = [(Kind::UserId, customer.to_string())];
        for round in 0..4 {
            did(shop, &source, &format!("m{round}"), &known, "Product Viewed", &json!({}));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| shop.run(follow::round).expect("a round"));
                }
            });
            shop.pass(DAY);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| shop.run(follow::round).expect("a round"));
                }
            });
        }
        assert_eq!(size(shop, segment), 0);
        assert_eq!(told(shop, Subject::Customer(customer)), ["segment.entered", "segment.left"].repeat(4));
    });
}
