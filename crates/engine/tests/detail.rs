//! What customers tell beside the contact: addresses, preferences and sizes are theirs, notes are the colleagues'; a merge shows all of it as
//! one, its undoing tells them apart again, and nothing outlives an erasure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::catalogue::Wording;
use domain::consent::Medium;
use domain::contact::{Card, Draft};
use domain::detail::{ADDRESSES_MAX, Question, Scale, SizeKind};
use domain::merging::Cause;
use domain::value::id::{Customer, Note as NoteKind};
use domain::value::{Id, Language};
use engine::address::{self, Address, Holder, Shown, Wanted};
use engine::customer::NewCustomer;
use engine::detail::note::{self, Change, NewNote, Note};
use engine::detail::preference::{self, Preferences, Said, SaidSize};
use engine::merging::{self, Wish};
use engine::{Failure, customer, erasure};
use sim::{TestShop, on_every_engine};

const LAST: Id<NoteKind> = Id::from_bytes([255; 16]);

fn a_customer(shop: &TestShop, name: &str) -> Id<Customer> {
    let draft =
        Draft { name: Some(name.into()), email: Some(format!("{name}@example.com")), ..Draft::default() };
    let new = NewCustomer { external_id: None, card: Card::new(&draft).expect("a card"), groups: Vec::new() };
    let made = shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone()));
    made.expect("a customer").id
}

pub fn at(street: &str) -> Wanted {
    let draft = Draft {
        name: Some("Ada Lovelace".into()),
        street: vec![street.into()],
        city: Some("Leeds".into()),
        postal_code: Some("LS1 4DY".into()),
        country: Some("GB".into()),
        ..Draft::default()
    };
    let card = Card::new(&draft).expect("a card");
    Wanted { label: Some(format!("by {street}")), card, for_delivery: false, for_billing: false }
}

pub fn add(shop: &TestShop, of: Id<Customer>, wanted: Wanted) -> Result<Address, Failure> {
    shop.run(move |tx, actor, world| address::add(tx, actor, world, Holder::Customer(of), wanted.clone()))
}

fn addresses(shop: &TestShop, of: Id<Customer>) -> Vec<Shown> {
    shop.run(move |tx, actor, world| address::list(tx, actor, world, Holder::Customer(of)))
        .expect("addresses")
}

/// Labels of the addresses, those for delivery and billing marked.
fn told(shop: &TestShop, of: Id<Customer>) -> Vec<String> {
    let marked = |one: &Shown| {
        let mark = |yes, mark: &'static str| if yes { mark } else { "" };
        let (delivery, billing) = (mark(one.address.for_delivery, " D"), mark(one.address.for_billing, " B"));
        format!("{}{delivery}{billing}", one.label.as_deref().unwrap_or("-"))
    };
    addresses(shop, of).iter().map(marked).collect()
}

pub fn jot(shop: &TestShop, of: Id<Customer>, text: &str) -> Note {
    let new = NewNote { text: text.into(), location: None, is_pinned: false, follow_up_at: None };
    shop.run(move |tx, actor, world| note::add(tx, actor, world, of, new.clone())).expect("a note")
}

fn notes(shop: &TestShop, of: Id<Customer>) -> Vec<String> {
    let read = shop
        .run(move |tx, actor, world| note::list(tx, actor, world, (of, false), (LAST, 10)))
        .expect("notes");
    read.into_iter().map(|(_, text)| text.unwrap_or_default()).collect()
}

pub fn say(shop: &TestShop, of: Id<Customer>, said: Said) -> Result<Preferences, Failure> {
    shop.run(move |tx, actor, world| preference::say(tx, actor, world, of, &said))
}

pub fn size(brand: &str, size: Option<&str>) -> SaidSize {
    let size = size.map(|size| ("EU".to_owned(), size.to_owned()));
    SaidSize { kind: "shoe".into(), brand: brand.into(), size }
}

fn held(shop: &TestShop, of: Id<Customer>) -> Preferences {
    shop.read(move |tx| preference::read(tx, &Actor::system(), of)).expect("preferences")
}

fn sizes(held: &Preferences) -> Vec<(&str, &str)> {
    held.others.iter().map(|one| (one.brand.as_str(), one.value.as_deref().unwrap_or_default())).collect()
}

/// The retailer asks for sizes of shoes and for the fit.
pub fn ask(shop: &TestShop) {
    let named = |text: &str| Wording::title(text, &[]).expect("a title");
    let scales = vec![Scale { name: "EU".into(), sizes: vec!["38".into(), "39".into(), "40".into()] }];
    let kind = SizeKind::new("shoe", named("Shoes"), scales).expect("a kind");
    let question =
        Question::new("fit", named("Fit"), vec![("slim".into(), named("slim"))]).expect("a question");
    shop.run(move |tx, actor, world| {
        preference::set_size_kind(tx, actor, world, &kind)?;
        preference::set_question(tx, actor, world, &question)
    })
    .expect("asked");
}

pub fn merge(shop: &TestShop, winner: Id<Customer>, loser: Id<Customer>) -> merging::Merge {
    let wish = Wish { winner, loser, cause: Cause::Staff, why: "the same person".into() };
    shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged")
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.code(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn addresses_are_added_changed_and_taken_away() {
    on_every_engine(|shop| {
        let ada = a_customer(shop, "ada");
        let home = add(shop, ada, Wanted { for_delivery: true, for_billing: true, ..at("High Street") });
        let home = home.expect("an address");
        add(shop, ada, Wanted { for_delivery: true, label: None, ..at("Low Street") }).expect("an address");
        assert_eq!(told(shop, ada), ["by High Street B", "- D"], "the last one chosen is the one");
        shop.pass(1);
        let change = |version| {
            let (id, wanted) = (home.row.id, Wanted { for_delivery: true, ..at("Long Lane") });
            shop.run(move |tx, actor, world| {
                address::change(tx, actor, world, (Holder::Customer(ada), id), (wanted.clone(), version))
            })
        };
        let changed = change(1).expect("changed");
        assert_eq!((changed.row.version, code(change(1))), (2, Code::Stale));
        assert_ne!(changed.row.contact, home.row.contact, "what was is kept for the orders");
        assert_eq!(told(shop, ada), ["by Long Lane D", "-"], "nobody said where invoices go any more");
        assert_eq!(addresses(shop, ada)[0].card.text().street, ["Long Lane"]);
        let remove = || {
            let id = home.row.id;
            shop.run(move |tx, actor, world| address::remove(tx, actor, world, (Holder::Customer(ada), id)))
        };
        remove().expect("removed");
        assert_eq!(code(remove()), Code::NotFound);
        let empty = Wanted {
            card: Card::new(&Draft { name: Some("A".into()), ..Draft::default() }).unwrap(),
            ..at("x")
        };
        assert_eq!(code(add(shop, ada, empty)), Code::Invalid);
        for _ in 1..ADDRESSES_MAX {
            add(shop, ada, at("Any Street")).expect("an address");
        }
        assert_eq!(code(add(shop, ada, at("One Too Many"))), Code::WrongState);
    });
}

#[test]
fn fifty_at_once_are_no_more_than_there_may_be() {
    on_every_engine(|shop| {
        let ada = a_customer(shop, "ada");
        for _ in 3..ADDRESSES_MAX {
            add(shop, ada, at("Any Street")).expect("an address");
        }
        let added = Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let added = Arc::clone(&added);
                scope.spawn(move || match add(shop, ada, at("High Street")) {
                    Ok(_) => drop(added.fetch_add(1, Ordering::SeqCst)),
                    Err(failure) => assert_eq!(failure.code(), Some(Code::WrongState)),
                });
            }
        });
        assert_eq!((added.load(Ordering::SeqCst), told(shop, ada).len()), (3, 50));
    });
}

#[test]
fn what_is_preferred_is_said_on_its_own() {
    on_every_engine(|shop| {
        let ada = a_customer(shop, "ada");
        ask(shop);
        let german = Language::parse("de").ok();
        let first = Said {
            language: Some(german),
            medium: Some(Some(Medium::Post)),
            answers: vec![("fit".into(), Some("slim".into()))],
            sizes: vec![size("", Some("39")), size("Clarks", Some("40"))],
            ..Said::default()
        };
        say(shop, ada, first).expect("said");
        let then = Said { medium: Some(None), sizes: vec![size("", Some("38"))], ..Said::default() };
        let now = say(shop, ada, then).expect("said");
        assert_eq!((now.language, now.medium), (german, None));
        assert_eq!(sizes(&now), [("", "slim"), ("", "38"), ("Clarks", "40")]);
        let wrong = Said {
            answers: vec![("fit".into(), Some("wide".into())), ("hat".into(), None)],
            sizes: vec![size("", Some("99")), SaidSize { kind: "hat".into(), ..size("", None) }],
            ..Said::default()
        };
        let Err(Failure::Refused(refusal)) = say(shop, ada, wrong) else { panic!("not refused") };
        let fields: Vec<_> = refusal.each().filter_map(domain::Refusal::field).collect();
        assert_eq!(fields, ["answers.0.answer", "answers.1.question", "sizes.0.size", "sizes.1.kind"]);
        assert_eq!(held(shop, ada), now, "nothing of it was kept");
    });
}

#[test]
fn colleagues_note_and_follow_up() {
    on_every_engine(|shop| {
        let ada = a_customer(shop, "ada");
        let due = shop.shop.source.now().plus_seconds(60);
        let new = NewNote {
            text: "a wedding\nin June".into(),
            location: None,
            is_pinned: true,
            follow_up_at: Some(due),
        };
        let one =
            shop.run(move |tx, actor, world| note::add(tx, actor, world, ada, new.clone())).expect("noted");
        jot(shop, ada, "likes tea");
        assert_eq!(notes(shop, ada), ["likes tea", "a wedding\nin June"]);
        let pinned = shop
            .run(move |tx, actor, world| note::list(tx, actor, world, (ada, true), (LAST, 10)))
            .expect("notes");
        assert_eq!(pinned.len(), 1);
        let waiting = |until| {
            let first = (domain::value::Instant::from_micros(0), Id::from_bytes([0; 16]));
            let page = (first, 10);
            let found = shop.read(move |tx| note::to_follow_up(tx, &Actor::system(), until, page));
            found.expect("follow-ups").len()
        };
        assert_eq!((waiting(due), waiting(due.plus_seconds(1))), (0, 1));
        let done = |version| {
            let (id, change) = (one.id, Change { is_done: Some(true), ..Change::default() });
            shop.run(move |tx, actor, world| {
                note::change(tx, actor, world, (ada, id), (change.clone(), Some(version)))
            })
        };
        assert!(done(1).expect("done").done_at.is_some());
        assert_eq!((code(done(1)), waiting(due.plus_seconds(1))), (Code::Stale, 0));
        let id = one.id;
        shop.run(move |tx, actor, world| note::remove(tx, actor, world, (ada, id))).expect("removed");
        assert_eq!(notes(shop, ada), ["likes tea"]);
    });
}

#[test]
fn a_customer_has_addresses_and_preferences_but_no_notes() {
    on_every_engine(|shop| {
        let (ada, bob) = (a_customer(shop, "ada"), a_customer(shop, "bob"));
        jot(shop, ada, "likes tea");
        let herself = Actor { who: Who::Customer(ada), channel: None, grants: Vec::new() };
        let as_ada = herself.clone();
        let own = shop.run(move |tx, _, world| {
            address::add(tx, &as_ada, world, Holder::Customer(ada), at("High Street"))?;
            address::list(tx, &as_ada, world, Holder::Customer(ada))
        });
        assert_eq!(own.expect("her own").len(), 1);
        let as_ada = herself.clone();
        let others = shop.run(move |tx, _, world| address::list(tx, &as_ada, world, Holder::Customer(bob)));
        assert_eq!(code(others), Code::Forbidden);
        let read = shop.run(move |tx, _, world| note::list(tx, &herself, world, (ada, false), (LAST, 10)));
        assert_eq!(code(read), Code::Forbidden);
        let grants =
            vec![Grant { location: None, permissions: Permissions::of(&[Permission::ReadContacts]) }];
        let reader = Actor { who: Who::Guest, channel: None, grants };
        let wrote = shop.run(move |tx, _, world| {
            address::add(tx, &reader, world, Holder::Customer(ada), at("Low Street"))
        });
        assert_eq!(code(wrote), Code::SignInNeeded);
    });
}

#[test]
fn who_is_merged_is_told_as_one_and_apart_again() {
    on_every_engine(|shop| {
        let (ada, also) = (a_customer(shop, "ada"), a_customer(shop, "also"));
        ask(shop);
        add(shop, ada, Wanted { for_delivery: true, ..at("High Street") }).expect("an address");
        add(shop, also, Wanted { for_billing: true, ..at("Low Street") }).expect("an address");
        jot(shop, ada, "likes tea");
        jot(shop, also, "likes mugs");
        say(shop, ada, Said { sizes: vec![size("", Some("38"))], ..Said::default() }).expect("said");
        shop.pass(1);
        let later = Said {
            sizes: vec![size("", Some("39"))],
            language: Some(Language::parse("de").ok()),
            ..Said::default()
        };
        say(shop, also, later).expect("said");
        let before = (told(shop, ada), notes(shop, ada), held(shop, ada));
        let merged = merge(shop, ada, also);
        for id in [ada, also] {
            assert_eq!(told(shop, id), ["by High Street D", "by Low Street B"]);
            assert_eq!(notes(shop, id), ["likes mugs", "likes tea"]);
            let now = held(shop, id);
            assert_eq!((sizes(&now), now.language.is_some()), (vec![("", "39")], true), "said last");
        }
        let id = merged.id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id)).expect("undone");
        assert_eq!((told(shop, ada), notes(shop, ada), held(shop, ada)), before);
        assert_eq!((told(shop, also).len(), notes(shop, also)), (1, vec!["likes mugs".to_owned()]));
    });
}

#[test]
fn nothing_is_left_of_who_was_erased() {
    on_every_engine(|shop| {
        let (ada, also) = (a_customer(shop, "ada"), a_customer(shop, "also"));
        ask(shop);
        for id in [ada, also] {
            add(shop, id, at("High Street")).expect("an address");
            jot(shop, id, "likes tea");
            say(shop, id, Said { sizes: vec![size("", Some("39"))], ..Said::default() }).expect("said");
        }
        merge(shop, ada, also);
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada)).expect("erased");
        assert!(told(shop, ada).is_empty() && notes(shop, ada).is_empty());
        assert_eq!(held(shop, ada), Preferences::default());
        assert_eq!(code(add(shop, ada, at("High Street"))), Code::WrongState);
        let left = shop.read(move |tx| {
            let both = [ada.bytes(), also.bytes()];
            let addresses = store::address::list(tx, &both, 10)?.len();
            let notes = store::detail::note::list(tx, (&both, false), LAST, 10)?.len();
            Ok(addresses + notes + store::detail::preference::list(tx, &both)?.len())
        });
        assert_eq!(left.expect("a count"), 0);
    });
}
