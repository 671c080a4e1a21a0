//! Who floods a person with browsers by a public key changes nothing of what programs and the shop itself know of him.

use domain::contact::{Card, Draft};
use domain::identity::Kind::{self, AnonymousId, Email, UserId};
use domain::identity::Trust::{self, Authenticated, Internal, Public};
use domain::identity::{Identifier, rule};
use domain::value::id::{Customer, Profile};
use domain::value::{Id, Instant};
use engine::customer::{self, NewCustomer};
use engine::identity::{self, Resolution, Seen, rules};
use engine::merging::{self, Wish};
use proptest::prelude::*;
use sim::shop::{OPENING, TestShop, on_every_engine};

use crate::counter;

fn seen(trust: Trust, minute: i64, of: &[(Kind, &str)]) -> Seen {
    let known = of.iter().map(|(kind, value)| Identifier::new(*kind, None, value).expect("an identifier"));
    let at = Instant::from_micros(OPENING.micros() + minute * 60_000_000);
    Seen { identifiers: known.collect(), trust, at }
}

fn resolve(shop: &TestShop, all: Vec<Seen>) -> Vec<Option<Resolution>> {
    shop.run(move |tx, actor, world| identity::resolve(tx, actor, world, &all)).expect("it is resolved")
}

fn root(shop: &TestShop, kind: Kind, value: &str) -> Id<Profile> {
    let identifier = Identifier::new(kind, None, value).expect("an identifier");
    shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).expect("somebody")
}

fn whole(shop: &TestShop, profile: Id<Profile>) -> identity::Whole {
    shop.run(move |tx, actor, _| identity::read(tx, actor, profile)).expect("a profile")
}

fn of_customer(shop: &TestShop, id: Id<Customer>) -> Id<Profile> {
    shop.run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, id))
        .expect("a profile")
}

fn sign_up(shop: &TestShop) -> Id<Customer> {
    let draft = Draft { email: Some("a.lovelace@example.com".into()), ..Draft::default() };
    let new = NewCustomer { external_id: None, card: Card::new(&draft).expect("a card"), groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

/// Says by a public key that many browsers are somebody's.
fn flood(shop: &TestShop, user: &str, named: &str, (from, many): (i64, i64)) {
    let browser = |n: i64| format!("{named}{n}");
    let all = (0..many).map(|n| seen(Public, from + n, &[(UserId, user), (AnonymousId, &browser(n))]));
    resolve(shop, all.collect());
}

fn kinds_told(shop: &TestShop, profile: Id<Profile>) -> Vec<String> {
    let subject = profile.to_string();
    let told = shop.read(move |tx| Ok(store::event::of_subject(tx, &subject, 0, 50)?)).expect("events");
    told.into_iter().map(|one| one.kind).collect()
}

#[test]
fn a_public_key_uses_up_nothing_of_what_others_say() {
    on_every_engine(|shop| {
        resolve(shop, vec![seen(Public, 0, &[(UserId, "ada"), (AnonymousId, "old")])]);
        flood(shop, "ada", "x", (1_000_000, 1_000));
        let person = root(shop, UserId, "ada");
        let links = whole(shop, person).links;
        assert!(links.len() <= 200, "{} links by a public key", links.len());
        let server = [(UserId, "ada"), (AnonymousId, "hers")];
        let mail = [(UserId, "ada"), (Email, "ada@example.com")];
        let told =
            resolve(shop, vec![seen(Authenticated, 2_000_000, &server), seen(Internal, 2_000_001, &mail)]);
        assert!(told.iter().flatten().all(|one| one.root == person && one.dropped.is_empty()), "{told:?}");
        assert!(kinds_told(shop, person).contains(&"profile.links_dropped".to_owned()), "it is told");
        let again = resolve(shop, vec![seen(Public, 3_000_000, &[(UserId, "ada"), (AnonymousId, "old")])]);
        let again = again.into_iter().flatten().next().expect("somebody");
        let hers = root(shop, UserId, "ada");
        assert_eq!((again.root, again.dropped.len()), (hers, 0), "a browser in use comes back");
    });
}

#[test]
fn what_is_seen_beside_others_stays_with_whom_it_is() {
    on_every_engine(|shop| {
        let hers = || seen(Public, 0, &[(UserId, "ada"), (AnonymousId, "hers")]);
        resolve(shop, vec![hers()]);
        let together = root(shop, AnonymousId, "hers");
        resolve(shop, vec![hers(), seen(Public, 1, &[(UserId, "bea"), (AnonymousId, "another")])]);
        assert_eq!((root(shop, AnonymousId, "hers"), root(shop, UserId, "ada")), (together, together));
    });
}

#[test]
fn programs_fill_the_room_and_the_shop_still_finds_some() {
    on_every_engine(|shop| {
        let browser = |n: i64| format!("b{n}");
        let all = (0..1_010).map(|n| seen(Authenticated, n, &[(UserId, "ada"), (AnonymousId, &browser(n))]));
        resolve(shop, all.collect());
        let known = root(shop, UserId, "ada");
        let own = resolve(shop, vec![seen(Internal, 9, &[(UserId, "ada"), (Email, "ada@example.com")])]);
        assert_eq!(own[0].as_ref().map(|one| one.dropped.len()), Some(0));
        assert_eq!(root(shop, Email, "ada@example.com"), known);
        assert!(kinds_told(shop, known).contains(&"profile.links_dropped".to_owned()));
    });
}

#[test]
fn merges_are_done_whatever_public_keys_said() {
    on_every_engine(|shop| {
        let (ada, other) = (counter::ada(shop), sign_up(shop));
        let own = [ada.to_string(), other.to_string()];
        own.iter().for_each(|id| flood(shop, id, &id[20..], (0, 1_000)));
        // A chain of browsers that ties more people together than are looked at.
        let user = |n: i64| if n < 2 { own[n as usize].clone() } else { format!("user-{n}") };
        let tied = |n: i64| {
            [n, n + 1]
                .map(|one| seen(Public, n, &[(UserId, &user(one)), (AnonymousId, &format!("chain{n}"))]))
        };
        resolve(shop, (0..1_300).flat_map(tied).collect());
        let before = (of_customer(shop, ada), of_customer(shop, other));
        let wish =
            Wish { winner: ada, loser: other, cause: domain::merging::Cause::Staff, why: "one".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        assert_eq!((of_customer(shop, ada), of_customer(shop, other)), (before.0, before.0));
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merged.id)).expect("undone");
        assert_eq!((of_customer(shop, ada), of_customer(shop, other)), before);
        let after =
            resolve(shop, vec![seen(Authenticated, 9_000, &[(UserId, &own[0]), (AnonymousId, "late")])]);
        assert_eq!(after[0].as_ref().map(|one| (one.root, one.dropped.len())), Some((before.0, 0)));
    });
}

#[test]
fn the_retailer_says_how_many_links_public_keys_have() {
    on_every_engine(|shop| {
        let few = rule::Rules::new(Vec::new(), Some(3)).expect("rules");
        shop.run(move |tx, actor, world| rules::set(tx, actor, world, 0, few.clone())).expect("set");
        (0..8).for_each(|n| flood(shop, "ada", &format!("x{n}-"), (n * 20_000, 1)));
        assert_eq!(whole(shop, root(shop, UserId, "ada")).identifiers.len(), 4);
        assert_eq!(root(shop, AnonymousId, "x7-0"), root(shop, UserId, "ada"), "the newest stay");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn what_a_public_key_says_changes_nothing_of_what_programs_know(
        said in proptest::collection::vec((0..3u8, 0..5u8, any::<bool>(), 0..200i64), 1..8),
        public in proptest::collection::vec((0..4u8, 0..9u8, 0..400i64), 1..40),
    ) {
        let of = |(user, other, mail, minute): (u8, u8, bool, i64)| {
            let (user, value) = (format!("u{user}"), format!("m{other}@example.com"));
            let card = format!("card{other}");
            let trusted = if mail { Internal } else { Authenticated };
            let more = if mail { (Email, value.as_str()) } else { (Kind::CardToken, card.as_str()) };
            seen(trusted, minute, &[(UserId, &user), more])
        };
        let (quiet, loud) = (TestShop::in_memory(1), TestShop::in_memory(1));
        let noise = |all: &[(u8, u8, i64)]| {
            let one = |(user, browser, minute): &(u8, u8, i64)| {
                seen(Public, *minute, &[(UserId, &format!("u{user}")), (AnonymousId, &format!("b{browser}"))])
            };
            resolve(&loud, all.iter().map(one).collect());
        };
        let (first, last) = public.split_at(public.len() / 2);
        noise(first);
        said.iter().for_each(|one| { resolve(&quiet, vec![of(*one)]); resolve(&loud, vec![of(*one)]); });
        noise(last);
        let known: Vec<Identifier> = said.iter().flat_map(|one| of(*one).identifiers).collect();
        let together = |shop: &TestShop| -> Vec<bool> {
            let roots: Vec<_> = known.iter().map(|one| root(shop, one.kind(), one.value())).collect();
            roots.iter().flat_map(|one| roots.iter().map(move |other| one == other)).collect()
        };
        prop_assert_eq!(together(&quiet), together(&loud));
    }
}
