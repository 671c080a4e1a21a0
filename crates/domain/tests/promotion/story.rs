//! What each kind of promotion does, one after the other.

use domain::promotion::rules::Why;
use domain::promotion::{
    Benefit, Condition, Goods, Measure, Mode, Occasion, Off, Part, Promotion, Selection, Stacking, Step,
    price,
};
use domain::promotion::{Gives, price::Source};
use domain::value::{Id, Instant, OpeningHours, Rate, Unit};

use super::ground::*;

fn applied(line: &domain::promotion::price::PricedLine) -> Vec<(u8, i64, i64)> {
    let number = |source| match source {
        Source::Promotion(id, _) => id.bytes()[0],
        Source::Line => 254,
        Source::Whole => 255,
    };
    line.applied.iter().map(|one| (number(one.source), one.quantity, one.minor)).collect()
}

#[test]
fn a_share_an_amount_or_a_price() {
    let lines = || vec![line(1, 3, 999, 1), line(2, 1, 500, 2)];
    let ten = promotion(7, each(of(&[1]), Off::Rate(percent(10))));
    let ours = priced(lines(), vec![ten]);
    assert_eq!(amounts(&ours), [2997 - 300, 500]);
    assert_eq!(applied(&ours.lines[0]), [(7, 3, 300)]);
    let six = promotion(7, each(Selection::all(), Off::Amount(600)));
    assert_eq!(amounts(&priced(lines(), vec![six])), [3 * 399, 0]);
    let four = promotion(7, each(Selection::all(), Off::Price(400)));
    assert_eq!(amounts(&priced(lines(), vec![four])), [1200, 400]);
    let dearer = promotion(7, each(Selection::all(), Off::Price(2000)));
    let ours = priced(lines(), vec![dearer]);
    assert_eq!(
        (amounts(&ours), ours.unused),
        (vec![2997, 500], vec![(Id::from_bytes([7; 16]), Why::Outdone)])
    );
}

#[test]
fn what_is_excepted_or_agreed_stays() {
    let but_two =
        Selection::of(vec![category(1)], vec![domain::promotion::Tag::Variant(Id::from_bytes([2; 16]))]);
    let half = promotion(7, each(but_two, Off::Rate(percent(50))));
    let agreed = domain::promotion::Line { agreed: true, ..line(3, 1, 1000, 1) };
    assert_eq!(
        amounts(&priced(vec![line(1, 1, 1000, 1), line(2, 1, 1000, 1), agreed], vec![half])),
        [500, 1000, 1000]
    );
}

#[test]
fn more_for_those_who_buy_more() {
    let steps =
        vec![Step { from: 3, off: Off::Rate(percent(10)) }, Step { from: 6, off: Off::Rate(percent(20)) }];
    let by_quantity =
        promotion(7, Benefit::Each { of: of(&[1]), by: Measure::Quantity, steps: steps.clone() });
    let pays = |one: i64, two: i64| {
        let lines = vec![line(1, one, 100, 1), line(2, two, 100, 1)];
        priced(lines, vec![by_quantity.clone()]).total.gross_minor
    };
    assert_eq!([pays(1, 1), pays(2, 1), pays(3, 3)], [200, 270, 480]);
    let steps =
        vec![Step { from: 5000, off: Off::Amount(500) }, Step { from: 10_000, off: Off::Amount(1500) }];
    let by_amount = promotion(7, Benefit::Whole { of: Selection::all(), steps, minor_max: None });
    let pays = |quantity| priced(vec![line(1, quantity, 100, 1)], vec![by_amount.clone()]).total.gross_minor;
    assert_eq!([pays(49), pays(50), pays(99), pays(100)], [4900, 4500, 9400, 8500]);
    let capped = Benefit::Whole {
        of: Selection::all(),
        steps: vec![Step { from: 0, off: Off::Rate(percent(50)) }],
        minor_max: Some(700),
    };
    assert_eq!(priced(vec![line(1, 20, 100, 1)], vec![promotion(7, capped)]).total.gross_minor, 1300);
}

#[test]
fn three_for_two_makes_the_cheapest_of_each_three_free() {
    let three = promotion(7, cheapest_free(of(&[1]), 3));
    let lines = vec![line(1, 2, 900, 1), line(2, 2, 700, 1), line(3, 2, 500, 1), line(4, 1, 100, 2)];
    let ours = priced(lines, vec![three]);
    assert_eq!(amounts(&ours), [1800, 700, 500, 100]);
    assert_eq!(ours.slack_minor, 0);
}

#[test]
fn buy_these_get_those_and_a_set_for_a_price() {
    let get_half = Benefit::Set {
        parts: vec![Part { of: of(&[1]), pieces: 2 }, Part { of: of(&[2]), pieces: 1 }],
        gives: Gives::Part { part: 1, rate: percent(50) },
        times_max: Some(1),
    };
    let lines = || vec![line(1, 5, 300, 1), line(2, 2, 800, 2)];
    let ours = priced(lines(), vec![promotion(7, get_half)]);
    assert_eq!(amounts(&ours), [1500, 1200]);
    assert_eq!(applied(&ours.lines[1]), [(7, 1, 400)]);
    let outfit = Benefit::Set {
        parts: vec![Part { of: of(&[1]), pieces: 1 }, Part { of: of(&[2]), pieces: 1 }],
        gives: Gives::Off(Off::Price(1000)),
        times_max: None,
    };
    let ours = priced(lines(), vec![promotion(7, outfit.clone())]);
    assert_eq!(ours.total.gross_minor, 3 * 300 + 2 * 1000);
    // Goods by weight make no sets.
    let grams = domain::promotion::Line { unit: Unit::Gram, ..line(1, 5, 300, 1) };
    assert_eq!(priced(vec![grams, line(2, 2, 800, 2)], vec![promotion(7, outfit)]).total.gross_minor, 3100);
}

#[test]
fn delivery_is_cheaper_or_free() {
    let free = |from| {
        let enough = has(Selection::all(), Measure::Amount, from);
        let off = Benefit::Delivery { methods: Vec::new(), off: Off::Rate(percent(100)) };
        Promotion { conditions: vec![enough], ..promotion(7, off) }
    };
    let ours = |from| {
        let sent = Goods { delivery: Some(charge(399)), ..goods(vec![line(1, 1, 5000, 1)]) };
        price(&sent, &rules(vec![free(from)]), &occasion(), INCLUSIVE)
    };
    assert_eq!(ours(5000).total.gross_minor, 5000);
    assert_eq!(ours(5001).total.gross_minor, 5399);
    assert_eq!(ours(5001).unused[0].1, Why::Goods);
    let delivery = ours(5000).delivery.unwrap();
    assert_eq!((delivery.listed_minor, delivery.minor, delivery.taxed.tax_minor), (399, 0, 0));
    let elsewhere = Benefit::Delivery { methods: vec![Id::from_bytes([9; 16])], off: Off::Price(100) };
    let sent = Goods { delivery: Some(charge(399)), ..goods(vec![line(1, 1, 5000, 1)]) };
    let ours = price(&sent, &rules(vec![promotion(7, elsewhere)]), &occasion(), INCLUSIVE);
    assert_eq!(ours.total.gross_minor, 5399);
}

#[test]
fn a_gift_is_free_in_the_cart_or_offered() {
    let enough = has(of(&[1]), Measure::Amount, 1000);
    let gift = Benefit::Gift { variant: Id::from_bytes([9; 16]), pieces: 2 };
    let gift = Promotion { conditions: vec![enough], ..promotion(7, gift) };
    let ours = priced(vec![line(1, 1, 1000, 1)], vec![gift.clone()]);
    assert_eq!(ours.gifts[0].quantity, 2);
    let ours = priced(vec![line(1, 1, 1000, 1), line(9, 1, 250, 2)], vec![gift.clone()]);
    assert_eq!((amounts(&ours), ours.gifts[0].quantity), (vec![1000, 0], 1));
    let ours = priced(vec![line(1, 1, 999, 1), line(9, 3, 250, 2)], vec![gift]);
    assert_eq!((amounts(&ours), ours.gifts.len()), (vec![999, 750], 0));
}

#[test]
fn who_where_and_when() {
    let why = |condition: Condition, occasion: &Occasion| {
        let half = each(Selection::all(), Off::Rate(percent(50)));
        let half = Promotion { conditions: vec![condition], ..promotion(7, half) };
        let known = rules(vec![half]).looking_at_all();
        let ours = price(&goods(vec![line(1, 1, 1000, 1)]), &known, occasion, INCLUSIVE);
        ours.unused.first().map(|(_, why)| *why)
    };
    let mut here = occasion();
    here.customer.groups = vec!["trade".into()];
    here.customer.segments = vec!["sleeping".into()];
    here.payment = Some("card".into());
    let names = |name: &str| vec![name.to_owned()];
    assert_eq!(why(Condition::Channels(vec![here.channel]), &here), None);
    assert_eq!(why(Condition::Channels(vec![Id::from_bytes([2; 16])]), &here), Some(Why::Channel));
    assert_eq!(why(Condition::Stores(vec![Id::from_bytes([1; 16])]), &here), Some(Why::Store));
    assert_eq!(why(Condition::Groups(names("trade")), &here), None);
    assert_eq!(why(Condition::Groups(names("staff")), &here), Some(Why::Customer));
    assert_eq!(why(Condition::Segments(names("sleeping")), &here), None);
    assert_eq!(why(Condition::Payments(names("card")), &here), None);
    assert_eq!(why(Condition::Payments(names("cash")), &here), Some(Why::Payment));
    assert_eq!(why(Condition::FirstOrder, &here), Some(Why::Customer));
    here.customer.first_order = true;
    assert_eq!(why(Condition::FirstOrder, &here), None);
    assert_eq!(why(Condition::Colleague, &here), Some(Why::Customer));
    here.customer.colleague = true;
    assert_eq!(why(Condition::Colleague, &here), None);
}

#[test]
fn happy_hours_go_by_the_store_s_clock() {
    let hours = OpeningHours::parse("fr 17:00-19:00; su 01:30-03:00").unwrap();
    let happy = Promotion {
        conditions: vec![Condition::Hours(Box::new(hours))],
        ..promotion(7, each(Selection::all(), Off::Rate(percent(50))))
    };
    let pays = |at: &str| {
        let now = Occasion { at: Instant::parse(at).unwrap(), ..occasion() };
        price(&goods(vec![line(1, 1, 1000, 1)]), &rules(vec![happy.clone()]), &now, INCLUSIVE)
            .total
            .gross_minor
    };
    // A Friday in winter and one in summer, when London is an hour ahead of UTC.
    assert_eq!([pays("2026-11-27T17:00:00Z"), pays("2026-11-27T16:59:59Z")], [500, 1000]);
    assert_eq!([pays("2026-07-03T16:00:00Z"), pays("2026-07-03T18:00:00Z")], [500, 1000]);
    // The night the clock goes forward, 01:30 does not exist: the hours begin at 02:00, 01:00 in UTC.
    assert_eq!([pays("2026-03-29T00:59:59Z"), pays("2026-03-29T01:00:00Z")], [1000, 500]);
}

#[test]
fn dates_and_currency() {
    let half = |promotion: Promotion| {
        let pays = price(
            &goods(vec![line(1, 1, 1000, 1)]),
            &rules(vec![promotion]).looking_at_all(),
            &occasion(),
            INCLUSIVE,
        );
        (pays.total.gross_minor, pays.unused.first().map(|(_, why)| *why))
    };
    let own = promotion(7, each(Selection::all(), Off::Rate(percent(50))));
    let now = occasion().at;
    assert_eq!(half(Promotion { starts_at: Some(now), ..own.clone() }), (500, None));
    assert_eq!(half(Promotion { ends_at: Some(now), ..own.clone() }), (1000, Some(Why::Time)));
    let euro = domain::value::Currency::parse("EUR").ok();
    assert_eq!(half(Promotion { currency: euro, ..own.clone() }), (1000, Some(Why::Currency)));
    assert_eq!(half(Promotion { needs_coupon: true, ..own }), (1000, Some(Why::Coupon)));
}

#[test]
fn lanes_follow_each_other_and_no_piece_is_lowered_twice_in_one() {
    let ten = promotion(7, each(Selection::all(), Off::Rate(percent(10))));
    let twenty = promotion(8, each(of(&[1]), Off::Rate(percent(20))));
    let lines = || vec![line(1, 1, 1000, 1), line(2, 1, 1000, 2)];
    assert_eq!(amounts(&priced(lines(), vec![ten.clone(), twenty.clone()])), [800, 900]);
    let later = Promotion { lane: 1, ..ten.clone() };
    assert_eq!(amounts(&priced(lines(), vec![later.clone(), twenty.clone()])), [720, 900]);
    let alone = Promotion { stacking: Stacking::AloneOnPieces, ..twenty.clone() };
    assert_eq!(amounts(&priced(lines(), vec![later.clone(), alone])), [800, 900]);
    let thirty = promotion(8, each(of(&[1]), Off::Rate(percent(30))));
    let only = Promotion { stacking: Stacking::AloneInCart, ..thirty };
    assert_eq!(amounts(&priced(lines(), vec![later, only.clone()])), [700, 1000]);
    let better = Promotion { lane: 1, ..promotion(9, each(Selection::all(), Off::Rate(percent(20)))) };
    assert_eq!(amounts(&priced(lines(), vec![better, only])), [800, 800]);
}

#[test]
fn a_lane_takes_the_best_deal_the_first_or_only_one() {
    let ten = Promotion { priority: 5, ..promotion(7, each(of(&[1]), Off::Rate(percent(10)))) };
    let three = promotion(8, cheapest_free(of(&[1]), 3));
    let lines = || vec![line(1, 4, 900, 1), line(2, 2, 1000, 2)];
    let pays = |mode: Mode| {
        let rules =
            rules_by(mode, vec![ten.clone(), three.clone(), promotion(9, each(of(&[2]), Off::Amount(50)))]);
        price(&goods(lines()), &rules, &occasion(), INCLUSIVE).total.gross_minor
    };
    // Three for two, a tenth off the fourth, and the amounts.
    assert_eq!(pays(Mode::BestDeal), 3600 + 2000 - 900 - 90 - 100);
    assert_eq!(pays(Mode::Priority), 3600 + 2000 - 360 - 100);
    assert_eq!(pays(Mode::BestOne), 3600 + 2000 - 900);
}

#[test]
fn coupons_are_used_where_they_help() {
    // The coupon takes a lane before: with it, the cart falls under the threshold that gives more.
    let spend = Promotion {
        lane: 1,
        conditions: vec![has(Selection::all(), Measure::Amount, 10_000)],
        ..promotion(8, whole(Selection::all(), 0, Off::Amount(2000)))
    };
    let small = Promotion { needs_coupon: true, ..promotion(7, each(Selection::all(), Off::Amount(100))) };
    let known = rules(vec![spend, small.clone()]);
    let cart = |coupons| Goods { coupons, ..goods(vec![line(1, 2, 5000, 1)]) };
    let without = price(&cart(vec![]), &known, &occasion(), INCLUSIVE);
    let with = price(&cart(vec![coupon(1, 7)]), &known, &occasion(), INCLUSIVE);
    assert_eq!((without.total.gross_minor, with.total.gross_minor), (8000, 8000));
    assert_eq!((with.coupons.len(), with.unused), (0, vec![(Id::from_bytes([7; 16]), Why::Outdone)]));
    let alone = price(&cart(vec![coupon(1, 7), coupon(2, 7)]), &rules(vec![small]), &occasion(), INCLUSIVE);
    assert_eq!((alone.total.gross_minor, alone.coupons), (9800, vec![coupon(1, 7)]));
    assert_eq!(
        alone.lines[0].applied[0].source,
        Source::Promotion(Id::from_bytes([7; 16]), Some(Id::from_bytes([1; 16])))
    );
}

#[test]
fn a_budget_gives_all_or_nothing() {
    let half = |left| Promotion {
        left_minor: Some(left),
        ..promotion(7, each(Selection::all(), Off::Rate(percent(50))))
    };
    let ten = promotion(8, each(Selection::all(), Off::Rate(percent(10))));
    let ours = priced(vec![line(1, 1, 1000, 1)], vec![half(500), ten.clone()]);
    assert_eq!(ours.total.gross_minor, 500);
    let ours = priced(vec![line(1, 1, 1000, 1)], vec![half(499), ten]);
    assert_eq!((ours.total.gross_minor, ours.unused[0].1), (900, Why::Budget));
}

#[test]
fn a_colleague_lowers_by_hand_what_promotions_left() {
    let ten = promotion(7, each(Selection::all(), Off::Rate(percent(10))));
    let by_hand = domain::promotion::Line { discount: Some(Off::Amount(400)), ..line(1, 1, 1000, 1) };
    let cart = Goods {
        discount: Some(Off::Rate(Rate::from_parts_per_million(333_333).unwrap())),
        ..goods(vec![by_hand, line(2, 1, 1000, 1)])
    };
    let ours = price(&cart, &rules(vec![ten]), &occasion(), INCLUSIVE);
    assert_eq!(amounts(&ours), [333, 600]);
    assert_eq!(applied(&ours.lines[0]), [(7, 1, 100), (254, 1, 400), (255, 1, 167)]);
}
