//! The story of claims: goods that were lost, came damaged or wrong are made good once, by money, by the same goods again, or by taking
//! them back.

mod desk;
mod lost;

use crate::changing::{code_of, told};
use desk::Desk;
use domain::Code;
use domain::actor::Actor;
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::State as OrderState;
use domain::returns::claim::{Kind, KindTerms, Remedy, State, Terms as ClaimTerms};
use domain::returns::policy::{Fee, Terms};
use domain::returns::{Condition, Means, State as ReturnState, Way};
use domain::stock::State as Stock;
use domain::value::Rate;
use engine::Failure;
use engine::returns::Wish;
use engine::returns::claim::{self, Request};
use engine::returns::request::{self, Arrival};
use sim::{TestShop, on_every_engine};

#[test]
fn damaged_goods_are_kept_against_a_part_of_the_money_and_nothing_goes_back_twice() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let (order, line) = desk.shipped(3);
        let one = desk.claim(order, Kind::Damaged, &[(line, 2)]).unwrap();
        assert_eq!((one.state, one.value), (State::Approved, 1000), "a colleague asked");
        assert_eq!(
            told(desk.claim(order, Kind::Faulty, &[(line, 2)])),
            "wrong_state: lines.0.quantity: 1 of sku MUG can be claimed, 2 asked"
        );
        assert_eq!(code_of(desk.bring_back(order, line, 2)), Some(Code::WrongState), "two are claimed");
        let much = desk.resolve_with(one.id, Remedy::Refund, vec![(line, 1001)], Wish::default());
        assert_eq!(
            told(much),
            "amount_exceeded: amounts.0.amount: 1000 minor units can be given back, 1001 asked"
        );
        let done = desk.resolve_with(one.id, Remedy::Refund, vec![(line, 300)], Wish::default()).unwrap();
        assert_eq!((done.state, done.refund, done.means), (State::Resolved, 300, Some(Means::Original)));
        let again = desk.resolve(one.id, Remedy::Refund);
        assert_eq!(told(again), "wrong_state: the claim is resolved and cannot become resolved");
        let whole = desk.ground.read(order);
        assert_eq!((whole.order.returned, whole.sums.refunded, whole.lines[0].returned), (300, 300, 2));
        assert_eq!(desk.world(Stock::Shrinkage), 0, "the customer has them");
        assert_eq!(code_of(desk.claim(order, Kind::Damaged, &[(line, 2)])), Some(Code::WrongState));
        desk.bring_back(order, line, 1).unwrap();
        assert_eq!(code_of(desk.claim(order, Kind::Damaged, &[(line, 1)])), Some(Code::WrongState));
        assert_eq!(desk.ground.read(order).sums.refunded, 800);
    });
}

#[test]
fn the_same_goods_are_sent_again_for_nothing_and_may_still_come_back() {
    on_every_engine(|shop| {
        let desk = Desk::with(shop, CapturePolicy::AtFulfilment);
        let (order, line) = desk.shipped(2);
        let before = desk.ground.read(order);
        assert_eq!(before.order.state, OrderState::Completed);
        let one = desk.claim(order, Kind::MissingPieces, &[(line, 1)]).unwrap();
        desk.resolve(one.id, Remedy::Replacement).unwrap();
        let open = desk.ground.open_parts(order);
        assert_eq!((open.len(), open[0].lines[0].quantity), (1, 1));
        let during = desk.ground.read(order);
        assert_eq!((during.order.state, during.sums), (OrderState::Placed, before.sums), "nothing is paid");
        assert_eq!(desk.world(Stock::Shrinkage), 1, "one never came");
        assert_eq!(
            code_of(desk.claim(order, Kind::Lost, &[(line, 2)])),
            Some(Code::WrongState),
            "one is to leave"
        );
        desk.ground.ship(order, open[0].id).unwrap();
        let after = desk.ground.read(order);
        assert_eq!((after.order.state, after.sums), (OrderState::Completed, before.sums));
        desk.bring_back(order, line, 2).unwrap();
        assert_eq!(desk.ground.read(order).sums.refunded, 1000);
    });
}

#[test]
fn goods_that_shall_be_sent_again_and_are_cancelled_are_paid_back() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let (order, line) = desk.shipped(2);
        let one = desk.claim(order, Kind::WrongGoods, &[(line, 1)]).unwrap();
        desk.resolve(one.id, Remedy::Replacement).unwrap();
        desk.ground.cancel(order, Some(vec![(line, 1)])).unwrap();
        let whole = desk.ground.read(order);
        assert_eq!(
            (whole.order.state, whole.order.cancelled, whole.sums.refunded),
            (OrderState::Completed, 500, 500)
        );
        desk.bring_back(order, line, 1).unwrap();
        assert_eq!(code_of(desk.bring_back(order, line, 1)), Some(Code::WrongState));
    });
}

#[test]
fn what_no_place_has_waits_and_is_served_when_it_comes() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let (order, line) = desk.shipped(2);
        let others = [desk.shipped(4).0, desk.shipped(4).0];
        assert_eq!(desk.ground.promisable(desk.ground.mug), 0, "{others:?} took the rest");
        let one = desk.claim(order, Kind::Damaged, &[(line, 2)]).unwrap();
        desk.resolve(one.id, Remedy::Replacement).unwrap();
        assert!(desk.ground.open_parts(order)[0].location.is_none());
        desk.ground.retailer.stock(shop, desk.ground.mug, 1, 2);
        shop.run(engine::fulfilment::pool::route_waiting).unwrap();
        let open = desk.ground.open_parts(order);
        assert_eq!((open.len(), open[0].location), (1, Some(desk.ground.retailer.locations[1])));
    });
}

#[test]
fn goods_come_back_free_of_charge_whatever_the_return_policy_says() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let fee = Fee { reason: None, fixed_minor: 100, rate: Rate::ZERO };
        let claims = ClaimTerms { kept_up_to_minor: Some(499), ..ClaimTerms::default() };
        let strict = Terms {
            fees: vec![fee],
            postage_minor: 150,
            final_sale: true,
            conditions: vec![Condition::Resellable],
            claims,
            ..Terms::open()
        };
        desk.write(strict);
        let (order, line) = desk.shipped(2);
        let one = desk.claim(order, Kind::Faulty, &[(line, 1)]).unwrap();
        assert_eq!(
            told(desk.resolve(one.id, Remedy::Refund)),
            "policy_refuses: remedy: goods worth more than 499 minor units are sent back, these are worth 500"
        );
        let done = desk.resolve(one.id, Remedy::SendBack).unwrap();
        let taken = desk.taken(done.taken.expect("a return"));
        assert_eq!((taken.state, taken.way, taken.label.is_some()), (ReturnState::Approved, Way::Post, true));
        assert_eq!((taken.refund, taken.fee, taken.postage), (500, 0, 0));
        assert_eq!(
            code_of(desk.claim(order, Kind::Faulty, &[(line, 2)])),
            Some(Code::WrongState),
            "one is on its way"
        );
        let (id, part) = (taken.id, taken.lines[0].id);
        let arrival = Arrival {
            id,
            location: desk.ground.retailer.locations[1],
            lines: vec![(part, 1, Some(Condition::Scrap))],
            others: Vec::new(),
            complete: true,
        };
        let paid =
            shop.run(move |tx, actor, world| request::receive(tx, actor, world, arrival.clone())).unwrap();
        assert_eq!((paid.state, paid.refund, paid.fee), (ReturnState::Refunded, 500, 0));
        assert_eq!(desk.ground.read(order).sums.refunded, 500);
        let other = desk.claim(order, Kind::Lost, &[(line, 1)]);
        assert!(other.is_ok(), "{other:?}");
        assert_eq!(
            code_of(desk.resolve(other.unwrap().id, Remedy::SendBack)),
            Some(Code::WrongState),
            "it never came"
        );
    });
}

#[test]
fn the_policy_says_until_when_with_what_and_when_nobody_has_to_decide() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let of = |kind, window_days, needs_evidence| KindTerms { kind, window_days, needs_evidence };
        let claims = ClaimTerms {
            kinds: vec![of(Kind::Damaged, Some(7), true), of(Kind::Faulty, Some(700), false)],
            approved_up_to_minor: 500,
            kept_up_to_minor: Some(500),
        };
        desk.write(Terms { claims, ..Terms::open() });
        let customer = desk.ground.customer();
        let (order, line) = desk.shipped(4);
        let damaged = |evidence: Option<&str>, quantity| Request {
            evidence: evidence.map(str::to_owned),
            wished: Some(Remedy::Refund),
            ..desk.request(order, Kind::Damaged, &[(line, quantity)])
        };
        assert_eq!(
            told(desk.ask_as(&customer, damaged(None, 1))),
            "policy_refuses: lines.0: a claim that goods are damaged needs evidence; name photos or notes"
        );
        let done = desk.ask_as(&customer, damaged(Some("photo 1"), 1)).unwrap();
        assert_eq!((done.state, done.refund), (State::Resolved, 500), "the rule suffices");
        let dear = desk.ask_as(&customer, damaged(Some("photo 2"), 2)).unwrap();
        assert_eq!((dear.state, dear.refund), (State::Requested, 0), "too dear for the rule");
        let decided =
            shop.run_as(&customer, move |tx, actor, world| claim::decide(tx, actor, world, (dear.id, None)));
        assert_eq!(code_of(decided), Some(Code::Forbidden));
        let declined = desk.decline(dear.id).unwrap();
        assert_eq!(
            (declined.state, declined.decline_reason.as_deref()),
            (State::Declined, Some("no damage seen"))
        );
        assert_eq!(code_of(desk.withdraw_as(&customer, dear.id)), Some(Code::WrongState));
        let mine = desk.ask_as(&customer, damaged(Some("photo 3"), 2)).unwrap();
        assert_eq!(desk.withdraw_as(&customer, mine.id).unwrap().state, State::Withdrawn);
        shop.pass(8 * 86_400);
        assert_eq!(code_of(desk.ask_as(&customer, damaged(Some("photo 4"), 1))), Some(Code::PolicyRefuses));
        let overridden = Request { override_reason: Some("was abroad".into()), ..damaged(None, 1) };
        assert_eq!(code_of(desk.ask_as(&customer, overridden.clone())), Some(Code::Forbidden));
        assert_eq!(desk.ask(overridden).unwrap().override_reason.as_deref(), Some("was abroad"));
        let sooner =
            Request { wished: Some(Remedy::SendBack), ..desk.request(order, Kind::Faulty, &[(line, 1)]) };
        let sent = desk.ask_as(&customer, sooner).unwrap();
        assert_eq!(
            (sent.state, desk.taken(sent.taken.expect("a return")).label.is_some()),
            (State::Resolved, true)
        );
    });
}

#[test]
fn money_goes_onto_a_card_or_in_bounded_cash_as_the_policy_says() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let terms = Terms { means: vec![Means::Original, Means::GiftCard], ..Terms::open() };
        desk.write(terms);
        let (order, line) = desk.shipped(2);
        let claimed = || desk.claim(order, Kind::Damaged, &[(line, 1)]).unwrap().id;
        let by = |means| Wish { means: Some(means), override_reason: None };
        let one = claimed();
        let refused = desk.resolve_with(one, Remedy::Refund, Vec::new(), by(Means::Cash));
        assert_eq!(told(refused), "policy_refuses: means: the money is given back by original or gift_card");
        let done = desk.resolve_with(one, Remedy::Refund, Vec::new(), by(Means::GiftCard)).unwrap();
        let taken = done.taken.expect("a return");
        let paid = shop.read(move |tx| Ok::<_, Failure>(store::returns::paid(tx, taken)?)).unwrap();
        assert_eq!((paid[0].means, paid[0].amount, paid[0].book.is_some()), (Means::GiftCard, 500, true));
        let amounts = desk.resolve_with(claimed(), Remedy::Replacement, vec![(line, 1)], Wish::default());
        assert_eq!(code_of(amounts), Some(Code::Invalid));
    });
}

#[test]
fn of_a_claim_and_a_return_at_once_or_two_claims_one_is_made_good() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let (order, line) = desk.shipped(1);
        let claims = std::thread::scope(|scope| {
            let ask = || desk.claim(order, Kind::Damaged, &[(line, 1)]).ok();
            let all: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            all.into_iter().filter_map(|one| one.join().ok().flatten()).collect::<Vec<_>>()
        });
        assert_eq!(claims.len(), 1, "one piece is claimed once");
        let id = claims[0].id;
        let done = std::thread::scope(|scope| {
            let make = || desk.resolve(id, Remedy::Refund).is_ok();
            let all: Vec<_> = (0..3).map(|_| scope.spawn(make)).collect();
            all.into_iter().filter_map(|one| one.join().ok()).filter(|done| *done).count()
        });
        assert_eq!((done, desk.ground.read(order).sums.refunded), (1, 500));

        let (order, line) = desk.shipped(1);
        let outcomes = std::thread::scope(|scope| {
            let claimed = scope.spawn(|| desk.claim(order, Kind::Damaged, &[(line, 1)]).is_ok());
            let back = scope.spawn(|| desk.bring_back(order, line, 1).is_ok());
            [claimed, back].map(|one| one.join().unwrap_or(false))
        });
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1, "{outcomes:?}");

        let (order, line) = desk.shipped(1);
        let one = desk.claim(order, Kind::Damaged, &[(line, 1)]).unwrap();
        let customer = desk.ground.customer();
        let outcomes = std::thread::scope(|scope| {
            let replaced = scope.spawn(|| desk.resolve(one.id, Remedy::Replacement).is_ok());
            let gone = scope.spawn(|| desk.withdraw_as(&customer, one.id).is_ok());
            [replaced, gone].map(|one| one.join().unwrap_or(false))
        });
        assert_eq!(outcomes.iter().filter(|done| **done).count(), 1, "{outcomes:?}");
        assert_eq!(desk.ground.open_parts(order).len(), usize::from(outcomes[0]));
    });
}

#[test]
fn what_is_not_there_cannot_be_claimed() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let whole = desk.ground.order(2, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        assert_eq!(
            told(desk.claim(order, Kind::Lost, &[(line, 1)])),
            "wrong_state: lines.0.quantity: 0 of sku MUG can be claimed, 1 asked"
        );
        desk.ground.cancel(order, None).unwrap();
        assert_eq!(code_of(desk.claim(order, Kind::Lost, &[(line, 1)])), Some(Code::WrongState));
        let (order, line) = desk.shipped(2);
        assert_eq!(code_of(desk.claim(order, Kind::Faulty, &[(line, 0)])), Some(Code::WrongState));
        assert_eq!(code_of(desk.claim(order, Kind::Faulty, &[(line, 1), (line, 1)])), Some(Code::Invalid));
        let stranger = Actor { channel: None, ..desk.ground.customer() };
        let request = desk.request(order, Kind::Faulty, &[(line, 1)]);
        assert_eq!(code_of(desk.ask_as(&stranger, request)), Some(Code::NotFound));
        let collected = desk.ground.order_paid(1, Some(0), Some(PaymentKind::Cash));
        desk.ground.pick(&collected, 1);
        desk.hand_over(&collected);
        let lost = desk.claim(collected.order.id, Kind::Lost, &[(collected.lines[0].id, 1)]);
        assert_eq!(
            told(lost),
            "wrong_state: lines.0.quantity: it was handed over; only goods that were sent can be lost on the way"
        );
    });
}

#[test]
fn a_service_that_is_cancelled_while_it_is_claimed_is_not_paid_back_twice() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let ground = &desk.ground;
        let lines = vec![ground.line(ground.mug, 1), ground.line(ground.wrapping(), 2)];
        let whole = ground.order_of(lines, Some(ground.choice(None)), Some(PaymentKind::Cash));
        let (order, wrapping) = (whole.order.id, whole.lines[1].id);
        let one = desk.claim(order, Kind::Faulty, &[(wrapping, 2)]).unwrap();
        ground.cancel(order, Some(vec![(wrapping, 1)])).unwrap();
        shop.must_tally();
        for remedy in [Remedy::Refund, Remedy::SendBack] {
            assert_eq!(
                told(desk.resolve(one.id, remedy)),
                "wrong_state: 1 of sku WRAP are left, 2 claimed; the others were cancelled and paid back: decline this claim"
            );
        }
        desk.decline(one.id).unwrap();
        let again = desk.claim(order, Kind::Faulty, &[(wrapping, 1)]).unwrap();
        desk.resolve(again.id, Remedy::Refund).unwrap();
        assert_eq!(ground.read(order).sums.refunded, 500);
    });
}

#[test]
fn a_check_finds_claims_that_do_not_agree() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::open(&shop);
    let (order, line) = desk.shipped(2);
    let paid = desk.claim(order, Kind::Damaged, &[(line, 1)]).unwrap();
    desk.resolve(paid.id, Remedy::Refund).unwrap();
    let open = desk.claim(order, Kind::Damaged, &[(line, 1)]).unwrap();
    shop.must_tally();
    let found = || {
        let report = shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("a report");
        report.differences.iter().map(|one| (one.check, one.found.clone())).collect::<Vec<_>>()
    };
    shop.run(move |tx, _, _| {
        let mut planted = store::returns::claim::find(tx, paid.id)?.expect("the claim");
        planted.refund += 1;
        store::returns::claim::update(tx, &planted)?;
        let mut planted = store::order::lines(tx, order)?.remove(0);
        planted.cancelled += 1;
        Ok::<_, Failure>(store::order::update_line(tx, order, &planted)?)
    })
    .unwrap();
    let found = found();
    assert!(found.contains(&("claimed", "1".to_owned())), "{found:?} for {}", open.id);
    assert!(found.contains(&("made good", "500".to_owned())), "{found:?}");
}
