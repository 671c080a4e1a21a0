//! One line of everything: what was bought, brought back, agreed to, noted and looked at, each once and in order, over every page, whoever is
//! merged or parted meanwhile.

use std::collections::BTreeSet;

use crate::counter;
use domain::Code;
use domain::actor::Permission;
use domain::behaviour::{Call, SchemaMode, SourceKind};
use domain::contact::{Card, Draft};
use domain::identity::Kind as Known;
use domain::merging::Cause;
use domain::returns::{Condition, Means};
use domain::timeline::Kind;
use domain::value::id::{Customer, Event};
use domain::value::{Id, Instant, Language};
use engine::behaviour::source::{self, NewSource};
use engine::behaviour::{self, Incoming, incoming};
use engine::customer::{self, NewCustomer};
use engine::detail::note::{self, NewNote};
use engine::merging::{self, Wish};
use engine::timeline::{self, Asked, Entry, NEWEST, Place};
use engine::{Failure, job};
use serde_json::json;
use sim::{Retailer, TestShop, on_every_engine};

fn everything() -> Asked {
    let language = Language::parse("en").expect("a language");
    Asked { kinds: Vec::new(), channel: None, since: None, until: None, language }
}

fn page(shop: &TestShop, of: Id<Customer>, asked: &Asked, (before, limit): (Place, i64)) -> Vec<Entry> {
    let asked = asked.clone();
    shop.run(move |tx, actor, world| timeline::read(tx, actor, world, (of, &asked), (before, limit)))
        .expect("a page")
}

/// All entries, read in pages of so many.
fn all(shop: &TestShop, of: Id<Customer>, asked: &Asked, limit: i64) -> Vec<Entry> {
    let (mut found, mut before) = (Vec::new(), NEWEST);
    loop {
        let next = page(shop, of, asked, (before, limit));
        let Some(last) = next.last() else { return found };
        before = (last.at, last.id);
        found.extend(next);
    }
}

fn codes(entries: &[Entry]) -> BTreeSet<&str> {
    entries.iter().map(|one| one.code.as_str()).collect()
}

fn must_be_in_order(entries: &[Entry]) {
    let places: Vec<(Instant, Id<Event>)> = entries.iter().map(|one| (one.at, one.id)).collect();
    assert!(places.is_sorted_by(|one, next| one > next), "the newest first, each once");
}

fn also(shop: &TestShop) -> Id<Customer> {
    let draft =
        Draft { name: Some("Ada L".into()), email: Some("al@example.com".into()), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    let new = NewCustomer { external_id: None, card, groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

fn jot(shop: &TestShop, of: Id<Customer>) {
    let new = NewNote { text: "likes tea".into(), location: None, is_pinned: false, follow_up_at: None };
    shop.run(move |tx, actor, world| note::add(tx, actor, world, of, new.clone())).expect("a note");
}

/// She looks at a product on the web, under her own number.
fn look(shop: &TestShop, of: Id<Customer>) {
    let at = shop.shop.source.now();
    shop.run(move |tx, actor, world| {
        let new = NewSource {
            name: "Shop".into(),
            kind: SourceKind::Server,
            mode: SchemaMode::Accept,
            plan: domain::behaviour::plan::Plan::default(),
            channel: None,
            countable: Vec::new(),
            purpose: None,
        };
        let (source, _) = source::create(tx, actor, world, new)?;
        let event = Incoming {
            call: Call::Track,
            name: Some("Product Viewed".into()),
            message: Some("m1".into()),
            identifiers: vec![(Known::UserId, None, of.to_string())],
            at,
            body: incoming::body(Some(json!({ "sku": "MUG" })), None, None),
            fault: None,
        };
        behaviour::collect(tx, world, &source, &[event])
    })
    .expect("collected");
}

/// A shop with a till where somebody buys, brings back, is noted about and looks at something.
fn a_life(shop: &TestShop, of: Id<Customer>) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let till = retailer.till(shop, 0);
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 100);
    let order = counter::buy_for(shop, &till, &[(mug, 2)], counter::cash(), Some(of));
    counter::buy(shop, &till, &[(mug, 1)], counter::cash());
    shop.pass(60);
    let back =
        counter::a_back(&retailer, &order, 0, (1, Condition::Resellable), counter::by(Means::Original));
    counter::bring(shop, back).expect("brought back");
    counter::work(shop);
    look(shop, of);
    jot(shop, of);
    while shop.run(behaviour::commerce::round).expect("a round") {}
    while job::turn(&shop.shop, &job::registry()).expect("a turn") > 0 {}
}

#[test]
fn everything_is_told_once_and_in_order() {
    on_every_engine(|shop| {
        let ada = counter::ada(shop);
        a_life(shop, ada);
        let whole = all(shop, ada, &everything(), 200);
        must_be_in_order(&whole);
        for code in [
            "customer.created",
            "order.created",
            "order.placed",
            "payment.captured",
            "fulfilment.collected",
            "return.received",
            "payment.refunded",
            "customer.note_added",
            "Product Viewed",
        ] {
            assert_eq!(
                whole.iter().filter(|one| one.code == code).count(),
                1,
                "{code} of {:?}",
                codes(&whole)
            );
        }
        let placed = whole.iter().find(|one| one.code == "order.placed").expect("placed");
        assert!(
            placed.words.starts_with("Order ") && placed.words.ends_with("placed, £10.00"),
            "{}",
            placed.words
        );
        assert!(placed.location.is_some() && placed.order.is_some() && placed.channel.is_some());
        for limit in [1, 3] {
            assert_eq!(all(shop, ada, &everything(), limit), whole, "pages of {limit}");
        }
        let kinds = vec![Kind::Return, Kind::Behaviour];
        let some = all(shop, ada, &Asked { kinds, ..everything() }, 2);
        assert!(some.iter().all(|one| matches!(one.kind, Kind::Return | Kind::Behaviour)), "{some:?}");
        assert!(codes(&some).contains("Product Viewed") && codes(&some).contains("return.received"));
        let channel = placed.channel;
        let through = all(shop, ada, &Asked { channel, ..everything() }, 50);
        assert!(!through.is_empty() && through.iter().all(|one| one.channel == channel));
        let since = placed.at.plus_seconds(1);
        let (late, early) = (
            all(shop, ada, &Asked { since: Some(since), ..everything() }, 50),
            all(shop, ada, &Asked { until: Some(since), ..everything() }, 50),
        );
        assert!(!late.is_empty() && !early.is_empty());
        assert_eq!([late, early].concat(), whole, "cut in two at an instant");
    });
}

#[test]
fn what_happens_meanwhile_shifts_no_page() {
    on_every_engine(|shop| {
        let ada = counter::ada(shop);
        (0..6).for_each(|_| jot(shop, ada));
        let first = page(shop, ada, &everything(), (NEWEST, 3));
        shop.pass(1);
        jot(shop, ada);
        let last = first.last().expect("an entry");
        let rest = page(shop, ada, &everything(), ((last.at, last.id), 200));
        let read = [first, rest].concat();
        must_be_in_order(&read);
        assert_eq!(read.len(), 7, "six notes and having become a customer");
        let now = all(shop, ada, &everything(), 2);
        assert_eq!((now.len(), &now[1..]), (8, &read[..]), "the new one stands before them");
    });
}

#[test]
fn who_is_merged_has_one_line_and_two_again() {
    on_every_engine(|shop| {
        let (ada, also) = (counter::ada(shop), also(shop));
        a_life(shop, also);
        jot(shop, ada);
        let of = |id| all(shop, id, &everything(), 50);
        let (hers, theirs) = (of(ada), of(also));
        let wish = Wish { winner: ada, loser: also, cause: Cause::Staff, why: "the same".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        let both = of(ada);
        must_be_in_order(&both);
        assert_eq!(of(also), both, "by either number");
        let known: BTreeSet<Id<Event>> = both.iter().map(|one| one.id).collect();
        assert!(hers.iter().chain(&theirs).all(|one| known.contains(&one.id)), "nothing is lost");
        let id = merged.id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id)).expect("undone");
        assert_eq!(of(also), theirs);
        let kept = of(ada);
        assert!(hers.iter().all(|one| kept.contains(one)) && codes(&kept).contains("customer.unmerged"));
    });
}

#[test]
fn only_who_may_see_customers_reads_it_and_is_noted() {
    on_every_engine(|shop| {
        let ada = counter::ada(shop);
        let asked = everything();
        let read = |permission| {
            let (actor, asked) = (counter::only(&[permission]), asked.clone());
            shop.run_as(&actor, move |tx, actor, world| {
                timeline::read(tx, actor, world, (ada, &asked), (NEWEST, 10))
            })
        };
        let Err(Failure::Refused(refusal)) = read(Permission::ReadOrders) else { panic!("not refused") };
        assert_eq!(refusal.code(), Code::Forbidden);
        assert_eq!(read(Permission::ReadContacts).expect("a page").len(), 1);
        let Err(Failure::Refused(refusal)) = read(Permission::ReadBehaviour) else { panic!("not refused") };
        assert_eq!(refusal.code(), Code::Forbidden, "alone it shows no line of everything");
        let subject = ada.to_string();
        let trail =
            shop.read(move |tx| Ok(store::event::of_subject(tx, &subject, 0, 10)?)).expect("the trail");
        assert_eq!(trail.last().expect("an event").kind, "person.read");
    });
}
