//! What holds of every cart, whatever the promotions are.

use domain::order::{Sums, share};
use domain::promotion::Priced;
use domain::promotion::price::PricedLine;
use domain::promotion::{
    Benefit, Gives, Goods, Line, Measure, Mode, Off, Part, Presented, Promotion, Rules, Selection, Stacking,
    Step, price,
};
use domain::tax::Policy;
use domain::tax::en16931::{Document, Item, breaches};
use domain::value::{Id, Rate};
use proptest::prelude::*;

use super::ground::*;

prop_compose! {
    fn some_off()(kind in 0u8..3, amount in 1i64..900, rate in 1i64..101) -> Off {
        match kind {
            0 => Off::Rate(percent(rate)),
            1 => Off::Amount(amount),
            _ => Off::Price(amount),
        }
    }
}

prop_compose! {
    fn some_selection()(any in prop::collection::vec(0u8..4, 0..3), except in prop::option::of(0u8..4)) -> Selection {
        Selection::of(any.into_iter().map(category).collect(), except.into_iter().map(category).collect())
    }
}

prop_compose! {
    fn some_set()(
        parts in prop::collection::vec((some_selection(), 1i64..3), 1..3),
        off in some_off(), kind in 0u8..3, times in prop::option::of(1i64..4), rate in 1i64..101,
    ) -> Benefit {
        let parts: Vec<Part> = parts.into_iter().map(|(of, pieces)| Part { of, pieces }).collect();
        let gives = match kind {
            0 => Gives::Off(off),
            1 => Gives::Cheapest { pieces: 1, rate: percent(rate) },
            _ => Gives::Part { part: parts.len() - 1, rate: percent(rate) },
        };
        Benefit::Set { parts, gives, times_max: times }
    }
}

fn some_benefit() -> impl Strategy<Value = Benefit> {
    let whole_off = some_off().prop_map(|off| match off {
        Off::Price(minor) => Off::Amount(minor),
        off => off,
    });
    prop_oneof![
        (some_selection(), some_off(), 0i64..5).prop_map(|(of, off, from)| Benefit::Each {
            of,
            by: Measure::Quantity,
            steps: vec![Step { from, off }]
        }),
        some_set(),
        (some_selection(), whole_off, 0i64..3000).prop_map(|(of, off, from)| Benefit::Whole {
            of,
            steps: vec![Step { from, off }],
            minor_max: Some(2500)
        }),
        some_off().prop_map(|off| Benefit::Delivery { methods: Vec::new(), off }),
        (0u8..6, 1i64..3)
            .prop_map(|(number, pieces)| Benefit::Gift { variant: Id::from_bytes([number; 16]), pieces }),
    ]
}

prop_compose! {
    fn some_promotions()(list in prop::collection::vec(
        (some_benefit(), 0u8..3, 0i64..3, prop_oneof![6 => Just(0u8), 2 => Just(1), 1 => Just(2)], prop::bool::weighted(0.3), prop::option::of(0i64..3000)),
        0..7,
    )) -> Vec<Promotion> {
        (1u8..).zip(list).map(|(number, (benefit, lane, priority, stacking, needs_coupon, left_minor))| Promotion {
            lane, priority, needs_coupon, left_minor,
            stacking: Stacking::ALL[usize::from(stacking)],
            ..promotion(number, benefit)
        }).collect()
    }
}

prop_compose! {
    fn some_goods()(
        lines in prop::collection::btree_map(0u8..12, (1i64..6, 0i64..2000, 0u8..4, 0usize..3), 0..9),
        sent in prop::option::of(0i64..900), by_hand in prop::option::of(1i64..40),
    ) -> Goods {
        let rates = [0, 55_000, 200_000].map(|parts| Rate::from_parts_per_million(parts).expect("a rate"));
        let lines = lines.into_iter().map(|(number, (quantity, unit, own, rate))| {
            Line { rate: rates[rate], ..line(number, quantity, unit, own) }
        });
        Goods { delivery: sent.map(charge), discount: by_hand.map(|rate| Off::Rate(percent(rate))), ..goods(lines.collect()) }
    }
}

fn some_policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), any::<bool>()).prop_map(|(include, by_line)| Policy {
        prices_include_tax: include,
        level: if by_line { INCLUSIVE.level } else { EXCLUSIVE.level },
        ..EXCLUSIVE
    })
}

fn document(cart: &Goods, ours: &Priced, policy: Policy, paid: i64) -> Document {
    let sums = Sums { gross: ours.total.gross_minor, captured: paid, ..Sums::default() };
    let item = |line: &PricedLine, rate| Item {
        listed_minor: line.listed_minor,
        allowance_minor: line.applied.iter().map(|applied| applied.minor).sum(),
        taxed: line.taxed,
        rate,
    };
    Document {
        lines: ours.lines.iter().zip(&cart.lines).map(|(line, own)| item(line, own.rate)).collect(),
        charges: ours.delivery.iter().zip(cart.delivery).map(|(line, own)| item(line, own.rate)).collect(),
        rates: ours.rates.clone(),
        total: ours.total,
        paid_minor: paid,
        due_minor: sums.missing() - sums.to_refund(),
        policy,
    }
}

fn coupons_of(promotions: &[Promotion]) -> Vec<Presented> {
    let opened = promotions.iter().filter(|promotion| promotion.needs_coupon);
    opened.map(|promotion| coupon(promotion.id.bytes()[0], promotion.id.bytes()[0])).take(4).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_negative_and_the_lines_are_the_total(
        cart in some_goods(), promotions in some_promotions(), policy in some_policy(), mode in 0usize..3, paid in 0i64..30_000,
    ) {
        let cart = Goods { coupons: coupons_of(&promotions), ..cart };
        let ours = price(&cart, &rules_by(Mode::ALL[mode], promotions.clone()), &occasion(), policy);
        let mut sum = (0, 0, 0);
        for (place, line) in ours.lines.iter().chain(&ours.delivery).enumerate() {
            let lowered: i64 = line.applied.iter().map(|applied| applied.minor).sum();
            prop_assert!(line.minor >= 0 && line.taxed.net_minor >= 0 && line.taxed.tax_minor >= 0);
            prop_assert_eq!(line.listed_minor - lowered, line.minor);
            prop_assert!(line.applied.iter().all(|applied| applied.minor > 0));
            if let Some(own) = cart.lines.get(place) {
                prop_assert_eq!(own.listed_minor(), line.listed_minor);
            }
            sum = (sum.0 + line.taxed.net_minor, sum.1 + line.taxed.tax_minor, sum.2 + line.taxed.gross_minor);
        }
        prop_assert_eq!(sum, (ours.total.net_minor, ours.total.tax_minor, ours.total.gross_minor));
        prop_assert_eq!(breaches(&document(&cart, &ours, policy, paid)), []);
        for (promotion, given) in ours.given() {
            let own = promotions.iter().find(|own| own.id == promotion).unwrap();
            prop_assert!(own.left_minor.is_none_or(|left| given <= left));
        }
    }

    #[test]
    fn parts_in_any_order_come_to_what_was_paid_and_leave_the_others(
        cart in some_goods(), promotions in some_promotions(), policy in some_policy(), mode in 0usize..3,
        draws in prop::collection::vec(any::<u32>(), 0..40),
    ) {
        let ours = price(&cart, &rules_by(Mode::ALL[mode], promotions), &occasion(), policy);
        let mut left: Vec<(usize, i64)> = cart.lines.iter().map(|line| line.quantity).enumerate().collect();
        left.retain(|(_, there)| *there > 0);
        let mut back = vec![0; cart.lines.len()];
        // What was not drawn comes back in the end, line by line.
        for draw in draws.into_iter().chain([u32::MAX; 64]) {
            let Some(at) = (draw as usize).checked_rem(left.len()) else { break };
            let (place, there) = left[at];
            let quantity = cart.lines[place].quantity;
            let pieces = if draw == u32::MAX { there } else { 1 + i64::from(draw >> 8) % there };
            let part = share(ours.lines[place].taxed.gross_minor, quantity, quantity - there, pieces);
            prop_assert!(part >= 0);
            back[place] += part;
            left[at].1 -= pieces;
            left.retain(|(_, there)| *there > 0);
        }
        let paid: Vec<i64> = ours.lines.iter().map(|line| line.taxed.gross_minor).collect();
        prop_assert_eq!(back, paid);
    }

    #[test]
    fn the_order_of_lines_and_promotions_does_not_matter(
        cart in some_goods(), promotions in some_promotions(), policy in some_policy(), mode in 0usize..3, turn in 0usize..9,
    ) {
        let cart = Goods { coupons: coupons_of(&promotions), ..cart };
        let mut turned = cart.clone();
        turned.lines.reverse();
        let turn = turn.min(turned.lines.len());
        turned.lines.rotate_left(turn);
        let other: Vec<Promotion> = promotions.iter().rev().cloned().collect();
        let ours = price(&cart, &rules_by(Mode::ALL[mode], promotions), &occasion(), policy);
        let theirs = price(&turned, &rules_by(Mode::ALL[mode], other), &occasion(), policy);
        prop_assert_eq!(&ours.total, &theirs.total);
        prop_assert_eq!(&ours.rates, &theirs.rates);
        for (line, priced) in cart.lines.iter().zip(&ours.lines) {
            let place = turned.lines.iter().position(|own| own == line).unwrap();
            prop_assert_eq!((priced.minor, &priced.applied), (theirs.lines[place].minor, &theirs.lines[place].applied));
        }
    }

    #[test]
    fn another_coupon_never_makes_it_dearer(
        cart in some_goods(), promotions in some_promotions(), policy in some_policy(), mode in 0usize..3,
    ) {
        let rules = rules_by(Mode::ALL[mode], promotions.clone());
        let mut before = i64::MAX;
        for many in 0..=coupons_of(&promotions).len() {
            let coupons = coupons_of(&promotions)[..many].to_vec();
            let ours = price(&Goods { coupons, ..cart.clone() }, &rules, &occasion(), policy).total.gross_minor;
            prop_assert!(ours <= before, "{} after {}", ours, before);
            before = ours;
        }
    }

    #[test]
    fn promotions_that_are_listed_are_those_that_apply(
        cart in some_goods(), promotions in some_promotions(), mode in 0usize..3,
    ) {
        let cart = Goods { coupons: coupons_of(&promotions), ..cart };
        let near: Rules = rules_by(Mode::ALL[mode], promotions);
        let far = near.clone().looking_at_all();
        let (ours, theirs) = (price(&cart, &near, &occasion(), INCLUSIVE), price(&cart, &far, &occasion(), INCLUSIVE));
        prop_assert_eq!(ours.lines, theirs.lines);
        prop_assert_eq!(ours.total, theirs.total);
    }
}
