//! By which cards a customer is known: the loyalty card he was given, and the one he pays with.

use domain::identity::rule::Rules;
use domain::identity::{Identifier, Kind};
use domain::market::PaymentKind;
use domain::payment::Card;
use domain::value::Id;
use domain::value::id::{Customer, Profile};
use engine::behaviour::{self, commerce};
use engine::checkout::{Tender, Whole};
use engine::identity::{self, rules};
use engine::loyalty::member;
use engine::merging::{self, Wish};
use engine::status::take_over::{self, Proof};
use sim::{TestShop, on_every_engine};

use crate::club::{Club, club, terms};
use crate::counter;

fn found(shop: &TestShop, kind: Kind, value: &str) -> Option<Id<Profile>> {
    let identifier = Identifier::new(kind, None, value).expect("an identifier");
    shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).ok()
}

fn of_customer(shop: &TestShop, id: Id<Customer>) -> Id<Profile> {
    shop.run(move |tx, actor, world| identity::customer::of_customer(tx, actor, world, id))
        .expect("a profile")
}

fn known_as(shop: &TestShop, profile: Id<Profile>) -> Option<Id<Customer>> {
    shop.run(move |tx, actor, _| identity::read(tx, actor, profile)).expect("a profile").customer
}

fn by_card(token: &str) -> Vec<Tender> {
    let card = Card::new("4242", "A12345", "till-1").and_then(|card| card.called(token)).expect("a card");
    vec![Tender { card: Some(card), ..counter::tender(PaymentKind::CardRecord, None) }]
}

fn bought(shop: &TestShop, club: &Club, token: &str, customer: Option<Id<Customer>>) -> Whole {
    counter::buy_for(shop, &club.till, &[(club.mug, 1)], by_card(token), customer)
}

/// How many orders are told of a person.
fn orders_told(shop: &TestShop, customer: Id<Customer>) -> usize {
    while shop.run(commerce::round).expect("a round") {}
    let profile = of_customer(shop, customer);
    let last = (domain::value::Instant::from_micros(i64::MAX), Id::from_bytes([255; 16]));
    shop.run(move |tx, actor, _| behaviour::of_person(tx, actor, profile, last, 50)).expect("events").len()
}

fn another(shop: &TestShop) -> Id<Customer> {
    let draft = domain::contact::Draft { email: Some("bea@example.com".into()), ..Default::default() };
    let card = domain::contact::Card::new(&draft).expect("a card");
    let new = engine::customer::NewCustomer { external_id: None, card, groups: Vec::new() };
    let made = shop.run(move |tx, actor, world| engine::customer::create(tx, actor, world, new.clone()));
    made.expect("a customer").id
}

#[test]
fn a_member_is_known_by_the_number_of_his_card() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let number = club.member.id.to_string();
        let hers = found(shop, Kind::LoyaltyNumber, &number).expect("known as soon as she takes part");
        assert_eq!((hers, known_as(shop, hers)), (of_customer(shop, club.ada), Some(club.ada)));
        let (ada, bea, programme) = (club.ada, another(shop), club.programme.id);
        let other = shop
            .run(move |tx, actor, world| member::enrol(tx, actor, world, programme, bea))
            .expect("a member")
            .id
            .to_string();
        let apart = (found(shop, Kind::LoyaltyNumber, &number), found(shop, Kind::LoyaltyNumber, &other));
        let wish = Wish { winner: ada, loser: bea, cause: domain::merging::Cause::Staff, why: "one".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        assert_eq!(found(shop, Kind::LoyaltyNumber, &other), Some(hers));
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merged.id).map(drop))
            .expect("undone");
        let again = (found(shop, Kind::LoyaltyNumber, &number), found(shop, Kind::LoyaltyNumber, &other));
        assert_eq!(again, apart);
        assert_ne!(again.0, again.1);
    });
}

#[test]
fn a_membership_that_a_merge_opened_goes_with_its_number() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let (bea, ada) = (another(shop), club.ada);
        let wish = Wish { winner: bea, loser: ada, cause: domain::merging::Cause::Staff, why: "one".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        let opened = shop.run(move |tx, actor, _| member::of_customer(tx, actor, bea)).expect("members");
        let number = opened[0].id.to_string();
        assert_eq!(found(shop, Kind::LoyaltyNumber, &number), Some(of_customer(shop, bea)));
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merged.id).map(drop))
            .expect("undone");
        assert_eq!(found(shop, Kind::LoyaltyNumber, &number), None, "as if it had never been given");
    });
}

#[test]
fn an_order_of_nobody_is_told_as_hers_whose_card_paid_it() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        bought(shop, &club, "tok_ada", Some(club.ada));
        assert_eq!(found(shop, Kind::CardToken, "tok_ada"), Some(of_customer(shop, club.ada)));
        assert_eq!(orders_told(shop, club.ada), 1);
        let nobodys = bought(shop, &club, "tok_ada", None);
        bought(shop, &club, "tok_strange", None);
        assert_eq!(orders_told(shop, club.ada), 2);
        assert_eq!(counter::read(shop, nobodys.order.id).order.customer, None, "told as hers, and not hers");
        let silent = Rules::usual().with_card_orders(false);
        shop.run(move |tx, actor, world| rules::set(tx, actor, world, 0, silent.clone())).expect("set");
        bought(shop, &club, "tok_ada", None);
        assert_eq!(orders_told(shop, club.ada), 2, "the retailer does not want it");
    });
}

#[test]
fn a_card_that_two_pay_with_says_nothing_of_an_order_of_nobody() {
    on_every_engine(|shop| {
        let (club, bea) = (club(shop, terms()), another(shop));
        bought(shop, &club, "tok_shared", Some(club.ada));
        bought(shop, &club, "tok_shared", Some(bea));
        bought(shop, &club, "tok_shared", None);
        assert_eq!((orders_told(shop, club.ada), orders_told(shop, bea)), (1, 1));
        assert_ne!(of_customer(shop, club.ada), of_customer(shop, bea));
    });
}

#[test]
fn who_takes_an_order_over_is_known_by_the_card_that_paid_it() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let (ada, seen) = (club.ada, Proof::Seen(bought(shop, &club, "tok_hers", None).order.id));
        assert_ne!(found(shop, Kind::CardToken, "tok_hers"), Some(of_customer(shop, ada)));
        shop.run(move |tx, actor, world| take_over::take_over(tx, actor, world, (ada, &seen)).map(drop))
            .expect("hers");
        assert_eq!(found(shop, Kind::CardToken, "tok_hers"), Some(of_customer(shop, ada)));
        bought(shop, &club, "tok_hers", None);
        assert_eq!(orders_told(shop, ada), 2);
    });
}
