//! Money to the cent: the amounts that other programs get wrong.

use domain::order::share;
use domain::promotion::{Goods, Line, Off, Selection, price};
use domain::tax::{Policy, Taxable, Taxed, apply};
use domain::value::Rate;

use super::ground::*;

#[test]
fn known_amounts() {
    let taxed = Line { rate: Rate::from_parts_per_million(107_500).unwrap(), ..line(1, 1, 2499, 1) };
    let ours = price(&goods(vec![taxed]), &rules(vec![]), &occasion(), EXCLUSIVE);
    assert_eq!(ours.total, Taxed { net_minor: 2499, tax_minor: 269, gross_minor: 2768 });
    let ten = promotion(7, whole(Selection::all(), 0, Off::Rate(percent(10))));
    let ours = priced(vec![line(1, 25, 39_900, 1)], vec![ten.clone()]);
    assert_eq!(ours.total.gross_minor, 897_750);
    let each_ten = promotion(7, each(Selection::all(), Off::Rate(percent(10))));
    assert_eq!(priced(vec![line(1, 25, 39_900, 1)], vec![each_ten]).total.gross_minor, 897_750);
}

#[test]
fn three_for_two_over_five_tax_rates() {
    let rates =
        [0, 55_000, 107_500, 200_000, 250_000].map(|parts| Rate::from_parts_per_million(parts).unwrap());
    let lines: Vec<Line> = (1u8..)
        .zip(rates)
        .map(|(number, rate)| Line { rate, ..line(number, 1, 1099 + i64::from(number), 1) })
        .collect();
    let three = promotion(7, cheapest_free(Selection::all(), 3));
    for policy in [INCLUSIVE, EXCLUSIVE] {
        let ours = price(&goods(lines.clone()), &rules(vec![three.clone()]), &occasion(), policy);
        // Of the three dearest the cheapest is free; two are left over.
        assert_eq!(amounts(&ours), [1100, 1101, 0, 1103, 1104]);
        let nets: i64 = ours.lines.iter().map(|line| line.taxed.net_minor).sum();
        assert_eq!((nets, ours.rates.len()), (ours.total.net_minor, 5));
        let taxes: i64 = ours.rates.iter().map(|(_, part)| part.tax_minor).sum();
        assert_eq!(taxes, ours.total.tax_minor);
    }
}

#[test]
fn without_promotions_it_is_the_tax_of_the_lines() {
    for include in [false, true] {
        let policy = Policy { prices_include_tax: include, ..EXCLUSIVE };
        let lines = vec![line(3, 3, 333, 1), line(1, 7, 1, 1), line(2, 1, 99_999, 2)];
        let sent = Goods { delivery: Some(charge(499)), ..goods(lines.clone()) };
        let ours = price(&sent, &rules(vec![]), &occasion(), policy);
        let taxables: Vec<Taxable> = lines
            .iter()
            .map(|line| Taxable { minor: line.listed_minor(), rate: line.rate })
            .chain([Taxable { minor: 499, rate: percent(20) }])
            .collect();
        let document = apply(&taxables, policy);
        let lines: Vec<Taxed> = ours.lines.iter().chain(&ours.delivery).map(|line| line.taxed).collect();
        assert_eq!((lines, ours.total, ours.rates), (document.lines, document.total, document.rates));
    }
}

#[test]
fn what_is_cancelled_leaves_the_others_and_all_that_comes_back_is_what_was_paid() {
    let lines = vec![line(1, 3, 999, 1), line(2, 7, 333, 1), line(3, 2, 2501, 1)];
    let promotions = vec![
        promotion(7, cheapest_free(of(&[1]), 3)),
        domain::promotion::Promotion {
            lane: 1,
            ..promotion(8, whole(Selection::all(), 0, Off::Amount(1000)))
        },
    ];
    let ours = priced(lines.clone(), promotions);
    // Frozen amounts: a part of a line is a share of it, whatever becomes of the other lines, in any order.
    for first in 0..3 {
        let mut refunded = 0;
        for place in (0..3).map(|step| (first + step) % 3) {
            let (gross, whole) = (ours.lines[place].taxed.gross_minor, lines[place].quantity);
            for done in 0..whole {
                let part = share(gross, whole, done, 1);
                assert!((0..=lines[place].unit_minor).contains(&part));
                refunded += part;
            }
        }
        assert_eq!(refunded, ours.total.gross_minor);
    }
}
