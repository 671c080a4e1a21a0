//! The story of orders that were nobody's and become a customer's: by the receipt's link, or by a colleague who saw it; in time for points or too
//! late; with what was brought back before.

use domain::Code;
use domain::actor::{Actor, Who};
use domain::loyalty::programme::Terms;
use domain::returns::Means;
use domain::value::Id;
use domain::value::id::{self, Customer};
use engine::checkout::Whole;
use engine::status::take_over::Proof;
use engine::status::{self, take_over};
use engine::{Failure, check, returns};
use sim::{TestShop, on_every_engine};

use crate::club::{Club, back, club, terms};
use crate::counter::{buy_for, cash};

const DAY: i64 = 86_400;

fn sold_to_nobody(shop: &TestShop, club: &Club, mugs: i64) -> Whole {
    buy_for(shop, &club.till, &[(club.mug, mugs)], cash(), None)
}

fn link(shop: &TestShop, order: Id<id::Order>) -> Proof {
    let made = shop.run(move |tx, actor, world| status::make_link(tx, actor, world, order, 90));
    Proof::Link(made.expect("a link").0)
}

fn brought(shop: &TestShop, actor: &Actor, customer: Id<Customer>, proof: &Proof) -> Result<(), Failure> {
    let proof = proof.clone();
    shop.run_as(actor, move |tx, actor, world| {
        take_over::take_over(tx, actor, world, (customer, &proof)).map(drop)
    })
}

#[test]
fn a_receipt_earns_while_the_programme_says_so() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let (in_time, late) = (sold_to_nobody(shop, &club, 2), sold_to_nobody(shop, &club, 1));
        let (first, second) = (link(shop, in_time.order.id), link(shop, late.order.id));
        shop.pass(30 * DAY);
        brought(shop, &Actor::system(), club.ada, &first).unwrap();
        assert_eq!(club.has(shop).0, 10, "on the last day");
        shop.pass(1);
        brought(shop, &Actor::system(), club.ada, &second).unwrap();
        assert_eq!(club.has(shop).0, 10, "too late for points, but hers");
        let late = late.order.id;
        let order = shop.read(move |tx| engine::order::find(tx, late)).unwrap();
        assert_eq!(order.customer, Some(club.ada));
        shop.pass(60 * DAY);
        let third = sold_to_nobody(shop, &club, 1).order.id;
        let gone = link(shop, third);
        shop.pass(91 * DAY);
        let refused = brought(shop, &Actor::system(), club.ada, &gone).unwrap_err();
        assert_eq!(refused.code(), Some(Code::NotFound), "its link has expired");
    });
}

#[test]
fn a_customer_needs_the_link_and_a_colleague_the_receipt() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let order = sold_to_nobody(shop, &club, 1).order.id;
        let (herself, stranger) = (Who::Customer(club.ada), Who::Customer(Id::from_bytes([7; 16])));
        let as_who = |who| Actor { who, channel: None, grants: Vec::new() };
        let seen = Proof::Seen(order);
        let by_link = link(shop, order);
        for (who, proof) in [(herself, &seen), (stranger, &by_link)] {
            let refused = brought(shop, &as_who(who), club.ada, proof).unwrap_err();
            assert_eq!(refused.code(), Some(Code::Forbidden));
        }
        brought(shop, &as_who(herself), club.ada, &by_link).unwrap();
        brought(shop, &Actor::system(), club.ada, &seen).expect("hers already");
        assert_eq!(club.has(shop).0, 5);
    });
}

#[test]
fn what_came_back_before_goes_along_and_earns_nothing() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let sold = sold_to_nobody(shop, &club, 3);
        back(shop, &club, &sold, 1, Means::Original);
        brought(shop, &Actor::system(), club.ada, &Proof::Seen(sold.order.id)).unwrap();
        assert_eq!(club.has(shop).0, 10, "for the two that are kept");
        let order = sold.order.id;
        let all = shop.read(move |tx| returns::of_order(tx, &Actor::system(), order)).unwrap();
        assert_eq!(all[0].customer, Some(club.ada));
        back(shop, &club, &sold, 2, Means::Original);
        assert_eq!(club.has(shop).0, 0);
        let report = shop.read(|tx| check::check(tx, [1; 32], &mut |_, _| {})).unwrap();
        assert!(report.differences.is_empty(), "{:?}", report.differences);
    });
}
