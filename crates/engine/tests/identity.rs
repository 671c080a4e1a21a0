//! Whose trace is it: browsers, apps and customers are put together by what they are known by, the same whatever is seen first, and
//! taken apart again exactly.

use std::collections::{BTreeMap, BTreeSet};

use domain::Code;
use domain::contact::{Card, Draft};
use domain::identity::Kind::{self, AnonymousId, CardToken, Email, Phone, UserId};
use domain::identity::Trust::{self, Authenticated, Public};
use domain::identity::{Identifier, rule};
use domain::value::id::{Customer, Profile};
use domain::value::{Id, Instant};
use engine::customer::{self, Change, NewCustomer};
use engine::identity::{self, Resolution, Seen, rules};
use proptest::prelude::*;
use sim::shop::{OPENING, TestShop, on_every_engine};

fn known_by(kind: Kind, value: &str) -> Identifier {
    Identifier::new(kind, None, value).expect("an identifier")
}

fn seen(trust: Trust, minute: i64, of: &[(Kind, &str)]) -> Seen {
    let identifiers = of.iter().map(|(kind, value)| known_by(*kind, value)).collect();
    Seen { identifiers, trust, at: Instant::from_micros(OPENING.micros() + minute * 60_000_000) }
}

fn resolve_all(shop: &TestShop, seen: Vec<Seen>) -> Vec<Option<Resolution>> {
    shop.run(move |tx, actor, world| identity::resolve(tx, actor, world, &seen)).expect("it is resolved")
}

fn resolve(shop: &TestShop, one: Seen) -> Resolution {
    resolve_all(shop, vec![one]).pop().flatten().expect("somebody")
}

fn root(shop: &TestShop, kind: Kind, value: &str) -> Id<Profile> {
    let identifier = known_by(kind, value);
    shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).expect("somebody")
}

fn sign_up(shop: &TestShop, external_id: &str, email: &str, phone: Option<&str>) -> Id<Customer> {
    let draft = Draft { email: Some(email.into()), phone: phone.map(str::to_owned), ..Draft::default() };
    let new = NewCustomer {
        external_id: Some(external_id.into()),
        card: Card::new(&draft).expect("a card"),
        groups: Vec::new(),
    };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

fn of_customer(shop: &TestShop, id: Id<Customer>) -> Id<Profile> {
    shop.run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, id))
        .expect("a profile")
}

#[test]
fn a_browser_becomes_its_customer() {
    on_every_engine(|shop| {
        let first = resolve(shop, seen(Public, 0, &[(AnonymousId, "b1")]));
        assert_eq!((first.profile, first.customer), (first.root, None));
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let bound = resolve(shop, seen(Public, 1, &[(UserId, "CRM-1"), (AnonymousId, "b1")]));
        assert_eq!((bound.customer, bound.dropped.len()), (Some(ada), 0));
        assert_eq!(root(shop, AnonymousId, "b1"), of_customer(shop, ada));
        let mail =
            resolve(shop, seen(Authenticated, 2, &[(Email, "ADA@example.com"), (CardToken, "card_1")]));
        assert_eq!(mail.customer, Some(ada));
        let whole = shop.run(move |tx, actor, _| identity::read(tx, actor, first.profile)).unwrap();
        assert_eq!((whole.root, whole.customer, whole.identifiers.len()), (bound.root, Some(ada), 5));
        assert!(whole.links.iter().all(|said| said.holds) && whole.links.len() == 4);
    });
}

#[test]
fn a_customers_own_id_is_as_good_as_any() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let own = resolve(shop, seen(Public, 0, &[(UserId, &ada.to_string()), (AnonymousId, "b1")]));
        assert_eq!((own.customer, own.dropped.len()), (Some(ada), 0));
        let nobody = Id::<Customer>::from_bytes([7; 16]).to_string();
        assert_eq!(resolve(shop, seen(Public, 0, &[(UserId, &nobody)])).customer, None);
    });
}

#[test]
fn a_page_cannot_say_who_somebody_is() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let eve = sign_up(shop, "CRM-2", "eve@example.com", None);
        let told = resolve(shop, seen(Public, 0, &[(AnonymousId, "thief"), (Email, "ada@example.com")]));
        assert_eq!((told.customer, told.dropped.len()), (None, 0), "a mail address is no proof");
        assert_eq!(resolve_all(shop, vec![seen(Public, 0, &[(Email, "ada@example.com")])]), [None]);
        let own = resolve(shop, seen(Public, 1, &[(UserId, "CRM-2"), (AnonymousId, "thief")]));
        assert_eq!(own.customer, Some(eve));
        let both = resolve(shop, seen(Public, 2, &[(UserId, "CRM-1"), (AnonymousId, "thief")]));
        assert_eq!((both.customer, both.dropped, both.same.len()), (Some(ada), vec![AnonymousId], 0));
        assert_eq!(root(shop, AnonymousId, "thief"), of_customer(shop, eve));
    });
}

#[test]
fn two_customers_are_told_to_be_one_only_by_a_trusted_source() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", Some("+442079460958"));
        let other = sign_up(shop, "CRM-2", "a.lovelace@example.com", Some("+442079460958"));
        let told =
            resolve(shop, seen(Authenticated, 0, &[(UserId, "CRM-1"), (Email, "a.lovelace@example.com")]));
        let same: Vec<_> = told.same.iter().map(|same| (same.customers, same.kinds)).collect();
        assert_eq!((told.dropped, same), (vec![Email], vec![((ada, other), (UserId, Email))]));
        let phone = resolve(shop, seen(Authenticated, 1, &[(UserId, "CRM-2"), (Phone, "+44 20 7946 0958")]));
        assert_eq!((phone.customer, phone.same.len()), (Some(other), 0), "a phone is shared");
    });
}

#[test]
fn a_decision_joins_and_is_taken_back_exactly() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let other = sign_up(shop, "CRM-2", "a.lovelace@example.com", None);
        resolve(shop, seen(Public, 0, &[(UserId, "CRM-1"), (AnonymousId, "b1")]));
        resolve(shop, seen(Public, 1, &[(UserId, "CRM-2"), (AnonymousId, "b2")]));
        let roots = |shop: &TestShop| {
            [("b1", AnonymousId), ("b2", AnonymousId), ("CRM-1", UserId), ("CRM-2", UserId)]
                .map(|(value, kind)| root(shop, kind, value))
        };
        let before = roots(shop);
        let join = || {
            shop.run(move |tx, actor, world| identity::customer::join_customers(tx, actor, world, other, ada))
        };
        let joined = join().unwrap();
        assert_eq!((join().unwrap(), roots(shop)), (joined, [joined; 4]));
        assert_eq!(of_customer(shop, ada), joined);
        let whole = shop.run(move |tx, actor, _| identity::read(tx, actor, joined)).unwrap();
        assert_eq!(whole.customer, Some(other), "the first remains");
        let more = resolve(shop, seen(Public, 2, &[(UserId, "CRM-1"), (AnonymousId, "b3")]));
        assert_eq!((more.root, more.customer), (joined, Some(other)));
        let part = || {
            shop.run(move |tx, actor, world| identity::customer::part_customers(tx, actor, world, ada, other))
        };
        part().unwrap();
        part().unwrap();
        assert_eq!(roots(shop), before);
        assert_eq!(root(shop, AnonymousId, "b3"), before[0], "what came meanwhile goes with whom it names");
    });
}

#[test]
fn the_customer_file_is_right() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let first = of_customer(shop, ada);
        assert_eq!(of_customer(shop, ada), first);
        let card = Card::new(&Draft { email: Some("new@example.com".into()), ..Draft::default() }).unwrap();
        let change = Change { card: Some(card), groups: None, if_match: Some(1), shown: None };
        shop.run(move |tx, actor, world| customer::update(tx, actor, world, ada, change.clone())).unwrap();
        let heir = sign_up(shop, "CRM-2", "ada@example.com", None);
        let told = resolve(shop, seen(Authenticated, 5, &[(Email, "ada@example.com")]));
        assert_eq!(told.customer, Some(heir), "the address is another's now");
        assert_eq!(resolve(shop, seen(Authenticated, 5, &[(Email, "new@example.com")])).customer, Some(ada));
    });
}

#[test]
fn an_erased_customer_is_known_by_nothing() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, "CRM-1", "ada@example.com", None);
        let before = resolve(shop, seen(Public, 0, &[(UserId, "CRM-1"), (AnonymousId, "b1")]));
        shop.run(move |tx, actor, world| engine::erasure::erase(tx, actor, world, ada)).unwrap();
        let identifier = known_by(AnonymousId, "b1");
        let gone =
            shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).unwrap_err();
        assert_eq!(gone.to_string(), "not_found: nobody is known by this anonymous_id");
        let again = resolve(shop, seen(Public, 1, &[(UserId, "CRM-1"), (AnonymousId, "b1")]));
        assert!(again.root != before.root && again.customer.is_none());
        let refused =
            shop.run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, ada));
        assert_eq!(refused.unwrap_err().code(), Some(Code::WrongState));
    });
}

#[test]
fn a_screen_in_the_store_ties_nobody_to_anybody() {
    on_every_engine(|shop| {
        let visits = (0..70).map(|n| (n, format!("user-{n}")));
        for (minute, user) in visits {
            let own = resolve(shop, seen(Public, minute, &[(UserId, &user), (AnonymousId, "screen")]));
            assert_eq!(own.dropped.len(), usize::from(minute > 0), "visit {minute}");
        }
        assert_eq!(root(shop, AnonymousId, "screen"), root(shop, UserId, "user-0"));
        let roots: BTreeSet<_> = (0..70).map(|n| root(shop, UserId, &format!("user-{n}"))).collect();
        assert_eq!(roots.len(), 70);
    });
}

#[test]
fn the_rules_are_the_retailers() {
    on_every_engine(|shop| {
        let set = |read, rules: rule::Rules| {
            shop.run(move |tx, actor, world| rules::set(tx, actor, world, read, rules.clone()))
        };
        let own = rule::Rule { limit: 2, window_days: None, ..rule::Rules::usual().of(AnonymousId).clone() };
        let own = rule::Rules::new(vec![own], None).unwrap();
        assert_eq!(set(0, own.clone()).unwrap().0, 1);
        assert_eq!(set(1, own.clone()).unwrap().0, 1, "the same again is no new version");
        assert_eq!(set(0, rule::Rules::usual()).unwrap_err().code(), Some(Code::Stale));
        assert_eq!(shop.run(|tx, actor, _| rules::read(tx, actor)).unwrap(), (1, own));
        let dropped: Vec<usize> = ["a", "b", "c"]
            .iter()
            .zip(0..)
            .map(|(browser, day)| seen(Public, day * 3_000, &[(UserId, "u"), (AnonymousId, browser)]))
            .map(|one| resolve(shop, one).dropped.len())
            .collect();
        assert_eq!(dropped, [0, 0, 1]);
    });
}

#[test]
fn many_at_once_find_one_person() {
    on_every_engine(|shop| {
        std::thread::scope(|scope| {
            for n in 0..8i64 {
                scope.spawn(move || {
                    for step in 0..6i64 {
                        let one = format!("x{}", (n + step) % 5);
                        let other = format!("x{}", (n * 3 + step * 2 + 1) % 5);
                        resolve(
                            shop,
                            seen(Authenticated, n + step, &[(CardToken, &one), (CardToken, &other)]),
                        );
                    }
                });
            }
        });
        let roots: BTreeSet<_> = (0..5).map(|n| root(shop, CardToken, &format!("x{n}"))).collect();
        assert_eq!(roots.len(), 1);
    });
}

/// Who is together with whom: for each value the smallest value of its person.
fn groups(shop: &TestShop, values: &[(Kind, String)]) -> Vec<String> {
    let mut first: BTreeMap<Id<Profile>, String> = BTreeMap::new();
    values
        .iter()
        .map(|(kind, value)| {
            let root = root(shop, *kind, value);
            first.entry(root).or_insert_with(|| value.clone()).clone()
        })
        .collect()
}

fn some_seen() -> impl Strategy<Value = Vec<(u8, u8, u8, bool, u16)>> {
    proptest::collection::vec((0..4u8, 0..6u8, 0..4u8, any::<bool>(), 0..40_000u16), 2..12)
}

/// What one of the drawn numbers stands for: a person signs in, a browser is met, a mail is told.
fn drawn((user, browser, mail, public, minute): (u8, u8, u8, bool, u16)) -> Seen {
    let texts = [format!("u{user}"), format!("b{browser}"), format!("m{mail}@example.com")];
    let mut of: Vec<(Kind, &str)> = vec![(AnonymousId, &texts[1])];
    if user < 3 {
        of.push((UserId, &texts[0]));
    }
    if mail < 3 {
        of.push((Email, &texts[2]));
    }
    seen(if public { Public } else { Authenticated }, i64::from(minute), &of)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_arrival_does_not_matter(all in some_seen(), chance in any::<u64>()) {
        let mut values: BTreeSet<(Kind, String)> = BTreeSet::new();
        for one in all.iter().map(|one| drawn(*one)) {
            let said = one.identifiers.iter().filter(|said| said.kind().may_be_said(one.trust));
            values.extend(said.map(|said| (said.kind(), said.value().to_owned())));
        }
        let values: Vec<_> = values.into_iter().collect();
        let straight = TestShop::in_memory(1);
        all.iter().for_each(|one| { resolve(&straight, drawn(*one)); });
        let mut mixed = all.clone();
        let mut chance = sim::chance::Chance::new(chance);
        for place in (1..mixed.len()).rev() {
            mixed.swap(place, (chance.draw() % (place as u64 + 1)) as usize);
        }
        let other = TestShop::in_memory(2);
        let cut = (chance.draw() % mixed.len() as u64) as usize;
        resolve_all(&other, mixed[..cut].iter().map(|one| drawn(*one)).collect());
        mixed[cut..].iter().for_each(|one| { resolve(&other, drawn(*one)); });
        prop_assert_eq!(groups(&straight, &values), groups(&other, &values));
    }
}
