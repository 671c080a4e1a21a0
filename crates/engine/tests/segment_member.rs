//! Kept membership: lists, sizes and history say what is judged, whoever looks first; who waits for changes is told of each once.

use std::collections::BTreeSet;

use crate::club::{club, terms};
use crate::counter::{DAY, ada, filled, work};
use crate::segment::{did, made, web};
use domain::actor::Actor;
use domain::consent::{Source, Status};
use domain::identity::Kind;
use domain::merging::Cause;
use domain::privacy::Class;
use domain::segment::Subject;
use domain::value::id::{Customer, Segment as SegmentId};
use domain::value::{Email, Id};
use engine::consent::subscriber::{self, Subscriber};
use engine::consent::{self, Evidence, Said};
use engine::event::{Cursor, Filter};
use engine::merging::{self, Wish};
use engine::privacy::retention::{self, Rule};
use engine::promotion::{self, NewPromotion};
use engine::segment::{self, Change, Named, document, follow, member};
use engine::{customer, erasure, event};
use serde_json::json;
use sim::{TestShop, on_every_engine};
use store::customer::Told;

fn members(shop: &TestShop, segment: Id<SegmentId>) -> Vec<Subject> {
    members_of(shop, segment, 100)
}

fn members_of(shop: &TestShop, segment: Id<SegmentId>, limit: i64) -> Vec<Subject> {
    let shown = shop.run(move |tx, actor, world| member::list(tx, actor, world, segment, ([0; 16], limit)));
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
    customers(shop, (1, name), &[])[0]
}

fn customers(shop: &TestShop, (count, name): (usize, &'static str), groups: &[&str]) -> Vec<Id<Customer>> {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let made = shop.run(move |tx, actor, world| {
        let draft = domain::contact::Draft { name: Some(name.into()), ..Default::default() };
        let card = domain::contact::Card::new(&draft)?;
        let new = || customer::NewCustomer { external_id: None, card: card.clone(), groups: groups.clone() };
        (0..count).map(|_| Ok(customer::create(tx, actor, world, new())?.id)).collect()
    });
    made.expect("customers")
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
fn whoever_can_be_written_to_is_judged_again_and_so_is_who_shares_the_address() {
    on_every_engine(|shop| {
        let cell = crate::agreed::of_service(shop);
        let says = |one: &Subscriber, status| {
            let (one, said) = (one.clone(), [Said { cell: cell.clone(), status }]);
            shop.run(move |tx, actor, world| {
                consent::write(tx, actor, world, &one, &said, &Evidence::of(Source::Told)).map(drop)
            })
            .expect("said");
        };
        let email = Email::parse("cyd@example.com").expect("an address");
        let known = shop.run(move |tx, actor, world| subscriber::of_email(tx, actor, world, &email, None));
        let (known, _) = known.expect("somebody known by an address");
        says(&known, Status::Denied);
        let cyd = crate::agreed::made(shop, "cyd@example.com");
        let reached = json!({ "consent": { "purpose": "service", "medium": "mail" } });
        let (reached, english) =
            (made(shop, "reached", &reached), made(shop, "english", &json!({ "languages": ["en"] })));
        work(shop);
        assert_eq!((members(shop, reached), members(shop, english)), (Vec::new(), Vec::new()));
        says(&known, Status::Granted);
        assert_eq!(members(shop, reached), [Subject::Customer(cyd)], "the no from the address holds no more");
        shop.run(move |tx, actor, world| subscriber::of_customer(tx, actor, world, cyd))
            .expect("a subscriber");
        assert_eq!((members(shop, english), size(shop, english)), (vec![Subject::Customer(cyd)], 1));
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
        assert_eq!((preview.members, preview.looked_at, preview.exact, preview.people), (0, 0, true, 4));
    });
}

#[test]
fn whoever_changes_between_the_looking_and_the_judging_is_judged_as_he_is() {
    on_every_engine(|shop| {
        let many = customers(shop, (1_010, "A"), &["vip"]);
        let plain = another(shop, "Plain");
        let segment = made(shop, "vips", &json!({ "groups": ["vip"] }));
        segment::build::prepare(&shop.shop).expect("whom it can reach is found");
        let (winner, loser, gone) = (many[0], many[1], many[2]);
        let wish = Wish { winner, loser, cause: Cause::Staff, why: "one person".into() };
        shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("a merge");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, gone)).expect("forgotten");
        let late = customers(shop, (1, "B"), &["vip"])[0];
        segment::build::prepare(&shop.shop).expect("looking once more changes nothing");
        work(shop);
        assert_eq!(size(shop, segment), 1_009, "two are one, one is gone, one came late");
        let members: BTreeSet<Subject> = members_of(shop, segment, 2_000).into_iter().collect();
        let mut wanted: BTreeSet<Subject> = many.iter().copied().map(Subject::Customer).collect();
        wanted.insert(Subject::Customer(late));
        for out in [loser, gone, plain] {
            wanted.remove(&Subject::Customer(out));
        }
        assert_eq!(members, wanted);
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
        shop.run(move |tx, _, _| Ok(store::segment::member::remove(tx, &[(segment, key)])?))
            .expect("removed");
        let report =
            shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("the books are read");
        assert_eq!(report.differences.iter().map(|one| one.check).collect::<Vec<_>>(), ["segments"; 2]);
        let change = Change { name: None, active: Some(false), expression: None, if_match: Some(1) };
        shop.run(move |tx, actor, world| segment::change(tx, actor, world, segment, change.clone()))
            .expect("put out");
        assert_eq!(size(shop, segment), 0);
    });
}

#[test]
fn whose_behaviour_is_forgotten_falls_out_and_so_in_time_do_the_steps() {
    on_every_engine(|shop| {
        let (source, customer) = (web(shop), ada(shop));
        let segment = made(shop, "lookers", &json!({ "event": { "name": "Product Viewed" } }));
        did(shop, &source, "1", &[(Kind::UserId, customer.to_string())], "Product Viewed", &json!({}));
        assert_eq!(size(shop, segment), 1);
        let keep = |class, days| {
            let rule = Rule { class, days, active: true };
            shop.run(move |tx, actor, world| retention::set(tx, actor, world, rule)).expect("a rule");
            shop.run(retention::forget).expect("a round");
        };
        shop.pass(31 * DAY);
        keep(Class::Behaviour, 30);
        assert_eq!(size(shop, segment), 0, "what nobody knows any more does not count");
        assert_eq!(told(shop, Subject::Customer(customer)), ["segment.entered", "segment.left"]);
        let steps = || {
            let last = Id::from_bytes([255; 16]);
            let page = (last, 10);
            let found = shop
                .run(move |tx, actor, world| member::history(tx, actor, world, (segment, None), page))
                .expect("steps");
            found.iter().map(|one| one.entered).collect::<Vec<_>>()
        };
        assert_eq!(steps(), [false, true]);
        keep(Class::Segments, 30);
        assert_eq!(steps(), [false], "the older step is forgotten");
    });
}

const ONE_POUND_OFF_FOR_LOOKERS: &str = r#"{"lane": 1, "currency": "GBP", "conditions": [{"segments": ["lookers"]}],
    "benefit": {"whole": {"steps": [{"from": 500, "off": {"amount": 100}}]}}}"#;

#[test]
fn a_promotion_is_for_members_until_the_very_instant_they_fall_out() {
    on_every_engine(|shop| {
        let (club, source) = (club(shop, terms()), web(shop));
        let new = NewPromotion {
            name: domain::value::Name::new("name", "lookers").expect("a name"),
            terms: serde_json::from_str(ONE_POUND_OFF_FOR_LOOKERS).expect("terms"),
            limits: Vec::new(),
        };
        shop.run(move |tx, actor, world| {
            let made = promotion::create(tx, actor, world, new.clone())?;
            promotion::step(tx, actor, world, (made.promotion.id, None), domain::promotion::State::Active)
        })
        .expect("a promotion");
        let looked = json!({ "event": { "name": "Product Viewed", "within_days": 30 } });
        let segment = made(shop, "lookers", &looked);
        let cart = filled(shop, &club.till, &[(club.mug, 2)], Some(club.ada));
        let total = || {
            let now = shop.shop.source.now();
            let priced = shop.read(move |tx| {
                let cart = engine::cart::load(tx, cart)?;
                engine::cart::price::priced(tx, now, &cart)
            });
            priced.expect("a price").gross
        };
        work(shop);
        assert_eq!(total(), 1_000);
        let known = [(Kind::UserId, club.ada.to_string())];
        did(shop, &source, "1", &known, "Product Viewed", &json!({}));
        shop.pass(1);
        work(shop);
        assert_eq!((total(), size(shop, segment)), (900, 1));
        shop.pass(30 * DAY - 2);
        assert_eq!(total(), 900);
        shop.pass(1);
        assert_eq!(total(), 1_000, "no duty had to run for it");
        did(shop, &source, "2", &known, "Product Viewed", &json!({}));
        shop.pass(1);
        work(shop);
        assert_eq!(total(), 900);
        shop.must_tally();
        let change = Change { name: None, active: Some(false), expression: None, if_match: Some(1) };
        shop.run(move |tx, actor, world| segment::change(tx, actor, world, segment, change.clone()))
            .expect("put out of use");
        shop.pass(1);
        work(shop);
        assert_eq!(total(), 1_000);
        let ada = club.ada;
        shop.run(move |tx, _, _| {
            Ok(store::customer::tell_segments(tx, &[Told { customer: ada, code: "lookers", until: None }])?)
        })
        .expect("told by hand");
        let report =
            shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("the books are read");
        assert_eq!(report.differences.iter().map(|one| one.check).collect::<Vec<_>>(), ["segments"]);
        shop.run(move |tx, _, _| Ok(store::customer::untell_everybody(tx, "lookers")?)).expect("undone");
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
