//! The story of referral: a friend comes by a member's code, buys for the first time, and both are given points once the goods are kept.

use crate::club;
use crate::counter;
use std::thread;

use crate::club::{Club, another, club, terms};
use crate::counter::{DAY, cash};
use domain::loyalty::programme::Terms;
use domain::loyalty::referral::{State, Terms as Rules, Why};
use domain::market::PaymentKind;
use domain::promotion::limit::Period;
use domain::returns::Means;
use domain::{Code, Refusal};
use engine::checkout::{self, Tender, Whole, referral as duty};
use engine::loyalty::member::{self, Member};
use engine::loyalty::points;
use engine::loyalty::referral::{self, Referral};
use engine::payment::{self, Operation, Verdict};
use engine::{Failure, check, erasure};
use sim::{TestShop, on_every_engine};

/// A hundred points for who brings a friend and fifty for the friend, when ten pounds are kept for fourteen days.
pub fn rules() -> Rules {
    Rules {
        points: 100,
        friend_points: 50,
        minimums: vec![(counter::pounds(), 1000)],
        wait_days: 14,
        within_days: Some(60),
        member_max: Some(2),
        period: Period::Year,
    }
}

fn with(rules: Rules) -> Terms {
    Terms { referral: Some(rules), ..terms() }
}

pub fn code(shop: &TestShop, one: &Member) -> Result<String, Failure> {
    let one = one.clone();
    shop.run(move |tx, actor, world| referral::code(tx, actor, world, &one))
}

fn accept(shop: &TestShop, one: &Member, code: &str) -> Result<Referral, Failure> {
    let (one, code) = (one.clone(), code.to_owned());
    shop.run(move |tx, actor, world| referral::accept(tx, actor, world, (&one, &code)))
}

fn review(shop: &TestShop) {
    shop.run(duty::review_due).expect("reviewed");
}

fn came(shop: &TestShop, one: &Member) -> Referral {
    let one = one.clone();
    shop.read(move |tx| referral::came_by(tx, &one)).expect("a read").expect("a referral")
}

fn stands(shop: &TestShop, one: &Member) -> (State, Option<Why>) {
    let one = came(shop, one);
    (one.state, one.why)
}

fn free(shop: &TestShop, one: &Member) -> i64 {
    let (one, now) = (one.clone(), shop.shop.source.now());
    shop.read(move |tx| points::balance(tx, &one, now)).expect("a balance").free
}

fn buy(shop: &TestShop, club: &Club, one: &Member, mugs: i64) -> Whole {
    counter::buy_for(shop, &club.till, &[(club.mug, mugs)], cash(), Some(one.customer))
}

/// A member buys two mugs and pays by a card whose token the provider knows.
fn by_card(shop: &TestShop, club: &Club, one: &Member) {
    let card = Tender { provider_token: Some("tok_same".into()), ..counter::tender(PaymentKind::Test, None) };
    let order = counter::buy_for(shop, &club.till, &[(club.mug, 2)], vec![card], Some(one.customer));
    let (id, payment) = (order.order.id, order.payments[0].id);
    let done = Verdict::Done { reference: Some("tp_1".into()) };
    let paid = shop.run(move |tx, actor, world| {
        payment::outcome(tx, actor, world, payment, Operation::Authorise, &done)?;
        checkout::payment_changed(tx, actor, world, id)
    });
    paid.expect("paid");
}

/// A friend who came by Ada's code.
fn a_friend(shop: &TestShop, club: &Club, name: &'static str) -> Member {
    let friend = another(shop, club, name, None);
    accept(shop, &friend, &code(shop, &club.member).expect("a code").to_lowercase()).expect("accepted");
    friend
}

#[test]
fn both_are_given_when_the_first_order_is_kept() {
    on_every_engine(|shop| {
        let club = club(shop, with(rules()));
        let bob = a_friend(shop, &club, "bob");
        assert_eq!(
            code(shop, &club.member).unwrap(),
            code(shop, &club.member).unwrap(),
            "the same every time"
        );
        buy(shop, &club, &bob, 3);
        review(shop);
        shop.pass(13 * DAY);
        review(shop);
        assert_eq!((stands(shop, &bob), free(shop, &bob)), ((State::Ordered, None), 0));
        buy(shop, &club, &bob, 1);
        shop.pass(DAY);
        review(shop);
        assert_eq!(
            (stands(shop, &bob), free(shop, &bob), free(shop, &club.member)),
            ((State::Rewarded, None), 50, 100)
        );
        shop.pass(30 * DAY);
        review(shop);
        assert_eq!((free(shop, &bob), free(shop, &club.member)), (50, 100), "once");
        let ada = club.member.clone();
        let friends =
            shop.read(move |tx| referral::friends(tx, &ada, domain::value::Id::from_bytes([255; 16]), 10));
        assert_eq!(friends.unwrap().iter().map(|one| one.friend).collect::<Vec<_>>(), [bob.id]);
    });
}

#[test]
fn what_comes_back_is_not_rewarded_and_what_was_given_is_taken_back() {
    on_every_engine(|shop| {
        let club = club(shop, with(rules()));
        let (bob, cy) = (a_friend(shop, &club, "bob"), a_friend(shop, &club, "cy"));
        let order = buy(shop, &club, &bob, 3);
        club::back(shop, &club, &order, 2, Means::Original);
        review(shop);
        assert_eq!(stands(shop, &bob), (State::Refused, Some(Why::NotKept)), "five pounds are kept");
        let order = buy(shop, &club, &cy, 3);
        shop.pass(14 * DAY);
        review(shop);
        assert_eq!((free(shop, &cy), free(shop, &club.member)), (50, 100));
        club.adjust(shop, -70).unwrap();
        club::back(shop, &club, &order, 1, Means::Original);
        review(shop);
        assert_eq!(stands(shop, &cy), (State::Rewarded, None), "ten pounds are still kept");
        club::back(shop, &club, &order, 1, Means::Original);
        review(shop);
        assert_eq!((stands(shop, &cy), free(shop, &cy)), ((State::Revoked, Some(Why::NotKept)), 0));
        assert_eq!(club.has(shop), (0, 0, 0, 70), "what was spent meanwhile is owed");
    });
}

#[test]
fn nobody_brings_himself() {
    on_every_engine(|shop| {
        let club = club(shop, with(rules()));
        let own = code(shop, &club.member).unwrap();
        assert_eq!(accept(shop, &club.member, &own).unwrap_err().code(), Some(Code::WrongState));
        let alias = another(shop, &club, "alias", Some("+44 20 7946 0958"));
        let refused = accept(shop, &alias, &own).unwrap_err().to_string();
        assert!(refused.contains("nobody brings himself"), "by the phone they share: {refused}");
        let bob = another(shop, &club, "bob", None);
        assert_eq!(accept(shop, &bob, "F-NOBODY-HAS-THIS").unwrap_err().code(), Some(Code::NotFound));
        buy(shop, &club, &bob, 1);
        let late = accept(shop, &bob, &own).unwrap_err().to_string();
        assert!(late.contains("has ordered before"), "{late}");
        // Both pay with the same card: the token a provider gave for it.
        let cy = a_friend(shop, &club, "cy");
        for one in [&club.member, &cy] {
            by_card(shop, &club, one);
        }
        review(shop);
        assert_eq!(stands(shop, &cy), (State::Refused, Some(Why::SamePerson)));
    });
}

#[test]
fn a_member_is_given_for_so_many_friends_in_a_period() {
    on_every_engine(|shop| {
        let club = club(shop, with(Rules { wait_days: 0, ..rules() }));
        let friends = ["bob", "cy", "di", "eve"].map(|name| a_friend(shop, &club, name));
        for friend in &friends {
            buy(shop, &club, friend, 2);
        }
        let twice = thread::scope(|scope| {
            let tries: Vec<_> = (0..2).map(|_| scope.spawn(|| review(shop))).collect();
            tries.into_iter().all(|one| one.join().is_ok())
        });
        assert!(twice, "two who judge at once");
        let states: Vec<_> = friends.iter().map(|friend| stands(shop, friend)).collect();
        let given = states.iter().filter(|(state, _)| *state == State::Rewarded).count();
        let full = states.iter().filter(|found| **found == (State::Refused, Some(Why::Limit))).count();
        assert_eq!((given, full, free(shop, &club.member)), (2, 2, 200), "{states:?}");
        shop.pass(365 * DAY);
        let fay = a_friend(shop, &club, "fay");
        buy(shop, &club, &fay, 2);
        review(shop);
        assert_eq!(stands(shop, &fay), (State::Rewarded, None), "another year");
    });
}

#[test]
fn who_orders_too_little_or_too_late_or_leaves_is_not_rewarded() {
    on_every_engine(|shop| {
        let club = club(shop, with(rules()));
        let [bob, cy, di] = ["bob", "cy", "di"].map(|name| a_friend(shop, &club, name));
        let eve = another(shop, &club, "eve", None);
        buy(shop, &club, &bob, 1);
        review(shop);
        assert_eq!(stands(shop, &bob), (State::Refused, Some(Why::TooLittle)));
        buy(shop, &club, &di, 2);
        let one = di.id;
        shop.run(move |tx, actor, world| member::leave(tx, actor, world, one).map(drop)).unwrap();
        shop.pass(61 * DAY);
        buy(shop, &club, &cy, 2);
        review(shop);
        assert_eq!(stands(shop, &cy), (State::Refused, Some(Why::TooLate)));
        assert_eq!(stands(shop, &di), (State::Refused, Some(Why::Left)));
        let known = code(shop, &club.member).unwrap();
        let ada = club.ada;
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)).unwrap();
        assert_eq!(
            accept(shop, &eve, &known).unwrap_err().code(),
            Some(Code::NotFound),
            "of somebody who is gone"
        );
    });
}

#[test]
fn points_given_for_a_friend_that_were_tampered_with_are_found() {
    on_every_engine(|shop| {
        let club = club(shop, with(Rules { wait_days: 0, ..rules() }));
        let bob = a_friend(shop, &club, "bob");
        buy(shop, &club, &bob, 2);
        review(shop);
        let one = came(shop, &bob);
        // Whatever is planted is taken back by the refusal that tells what was found.
        let told = shop.run(move |tx, _, _| -> Result<(), Failure> {
            store::loyalty::referral::update(tx, &Referral { points: 101, ..one.clone() })?;
            let report = check::check(tx, [7; 32], &mut |_, _| {})?;
            let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
            Err(Refusal::new(Code::WrongState, told.join("; ")).into())
        });
        let told = told.unwrap_err().to_string();
        assert!(told.contains("expected 151 given for a friend, found 150"), "{told}");
    });
}
