//! Routing one order, against trying everything; and its story in the trade's words.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::{BTreeMap, BTreeSet};

use domain::location;
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::decision::{Decision, Exclusion, Proof, place};
use domain::routing::profile::{Limits, Objective, Remainder, Strategy};
use domain::routing::reason::{Names, summary, why};
use domain::routing::wanted::{Candidate, Line, Supply, Tariff, Wanted};
use domain::value::id::{Location, Variant};
use domain::value::{Country, Currency, Id, Name};
use proptest::prelude::*;
use proptest::strategy::Strategy as _;

const LINES: usize = 3;

fn id<K: domain::value::Kind>(number: u16) -> Id<K> {
    let mut bytes = [0; 16];
    bytes[14..].copy_from_slice(&number.to_be_bytes());
    Id::from_bytes(bytes)
}

fn strategy(limits: Limits, criteria: Vec<Criterion>) -> Strategy {
    Strategy {
        name: Name::new("name", "near and cheap").unwrap(),
        conditions: Vec::new(),
        criteria,
        limits,
        objective: Objective::Cost,
        is_all_or_next: false,
        remainder: Remainder::BackOrder,
        batch_minutes: None,
    }
}

fn limits(parts_max: i64) -> Limits {
    Limits { parts_max, part_value_minor: 0, split_minor: 0 }
}

fn wanted(lines: &[(u16, i64, i64)]) -> Wanted {
    let line = |(variant, quantity, value): &(u16, i64, i64)| Line {
        variant: id(*variant),
        quantity: *quantity,
        value_minor: *value,
        weight_grams: 500,
    };
    Wanted {
        lines: lines.iter().map(line).collect(),
        countries: BTreeSet::from([Country::parse("GB").unwrap()]),
        first: BTreeSet::new(),
    }
}

fn candidate(number: u16, parcel_minor: i64, free: &[(u16, i64)]) -> Candidate {
    let supply = |(variant, free): &(u16, i64)| {
        let plain =
            Supply { free: *free, safety: 0, daily_demand_milli: 0, markdown_minor: 0, is_missed: false };
        (id(*variant), plain)
    };
    Candidate {
        location: id(number),
        rank: 0,
        kind: location::Kind::Store,
        country: Country::parse("GB").ok(),
        distance_m: Some(1000 * i64::from(number)),
        is_open: true,
        parcels_left: None,
        units_left: None,
        tariff: Tariff { parcel_minor, item_minor: 50, kilogram_minor: 100, kilometre_minor: 1 },
        supply: free.iter().map(supply).collect(),
    }
}

/// The most value placed, and the least cost for it, by trying every way of giving.
fn by_trying(strategy: &Strategy, wanted: &Wanted, candidates: &[Candidate]) -> (i64, i64) {
    let mut best = (0, 0);
    let mut given = vec![vec![0i64; wanted.lines.len()]; candidates.len()];
    try_from(strategy, wanted, candidates, &mut given, 0, &mut best);
    (-best.0, best.1)
}

fn try_from(
    strategy: &Strategy,
    wanted: &Wanted,
    candidates: &[Candidate],
    given: &mut Vec<Vec<i64>>,
    at: usize,
    best: &mut (i64, i64),
) {
    let lines = wanted.lines.len();
    if at == candidates.len() * lines {
        if let Some(worth) = worth(strategy, wanted, candidates, given) {
            *best = worth.min(*best);
        }
        return;
    }
    let (place, line) = (at / lines, at % lines);
    let asked = &wanted.lines[line];
    let free = candidates[place].supply.get(&asked.variant).map_or(0, |supply| supply.free);
    let taken: i64 = given.iter().map(|given| given[line]).sum();
    for units in 0..=free.min(asked.quantity - taken) {
        given[place][line] = units;
        try_from(strategy, wanted, candidates, given, at + 1, best);
    }
    given[place][line] = 0;
}

/// Minus the value placed, and the cost; none when a limit is broken.
fn worth(
    strategy: &Strategy,
    wanted: &Wanted,
    candidates: &[Candidate],
    given: &[Vec<i64>],
) -> Option<(i64, i64)> {
    let (mut value, mut cost, mut parts) = (0, 0, 0);
    let is_whole =
        |given: &[i64]| wanted.lines.iter().zip(given).all(|(line, units)| line.quantity == *units);
    for (candidate, given) in candidates.iter().zip(given) {
        let units: i64 = given.iter().sum();
        if units == 0 {
            continue;
        }
        let worth: i64 = wanted.lines.iter().zip(given).map(|(line, units)| line.value_minor * units).sum();
        let is_small = worth < strategy.limits.part_value_minor && !is_whole(given);
        if is_small || candidate.units_left.is_some_and(|left| units > left) {
            return None;
        }
        parts += 1;
        value += worth;
        cost += candidate.tariff.parcel_minor + candidate.distance_m.unwrap() / 1000;
        for (line, units) in wanted.lines.iter().zip(given) {
            let gain = candidate.supply.get(&line.variant).map_or(0, |supply| supply.markdown_minor);
            cost += units * (candidate.tariff.item_minor + 50 - gain);
        }
    }
    let split = strategy.limits.split_minor * (parts - 1).max(0);
    (parts <= strategy.limits.parts_max).then_some((-value, cost + split))
}

fn value_placed(decision: &Decision, wanted: &Wanted) -> i64 {
    let value = |variant: Id<Variant>| {
        wanted.lines.iter().find(|line| line.variant == variant).map_or(0, |line| line.value_minor)
    };
    decision.allocations().map(|given| given.quantity * value(given.variant)).sum()
}

prop_compose! {
    fn some_candidate(number: u16)(
        parcel in 100i64..900,
        free in prop::collection::vec(0i64..3, LINES),
        markdown in prop::collection::vec(prop_oneof![3 => Just(0i64), 1 => 0i64..300], LINES),
        units_left in prop_oneof![3 => Just(None), 1 => (1i64..4).prop_map(Some)],
    ) -> Candidate {
        let stock: Vec<(u16, i64)> = (1..).zip(free).collect();
        let mut candidate = candidate(number, parcel, &stock);
        for (supply, markdown) in candidate.supply.values_mut().zip(markdown) {
            supply.markdown_minor = markdown;
        }
        candidate.units_left = units_left;
        candidate
    }
}

prop_compose! {
    fn instance()(
        candidates in (some_candidate(1), some_candidate(2), some_candidate(3), some_candidate(4)),
        quantities in prop::collection::vec(1i64..3, LINES),
        values in prop::collection::vec(1i64..5, LINES),
        parts_max in 1i64..4,
        part_value_minor in prop_oneof![2 => Just(0i64), 1 => 0i64..3000],
        split_minor in 0i64..200,
    ) -> (Strategy, Wanted, Vec<Candidate>) {
        let lines: Vec<(u16, i64, i64)> =
            (1..).zip(quantities.iter().zip(&values)).map(|(at, (many, value))| (at, *many, value * 499)).collect();
        let (a, b, c, d) = candidates;
        (strategy(Limits { parts_max, part_value_minor, split_minor }, Vec::new()), wanted(&lines), vec![a, b, c, d])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn as_much_as_can_be_is_placed_and_nothing_is_cheaper((strategy, wanted, candidates) in instance()) {
        let decision = place(&strategy, &wanted, &candidates);
        let (value, cost) = by_trying(&strategy, &wanted, &candidates);
        prop_assert_eq!(value_placed(&decision, &wanted), value);
        prop_assert_eq!(decision.cost.total_minor(), cost);
        prop_assert_eq!(decision.proof, Proof::Best);
        for part in &decision.parts {
            let giver = candidates.iter().find(|candidate| candidate.location == part.location).unwrap();
            prop_assert!(part.gives.iter().all(|(variant, units)| *units <= giver.supply[variant].free));
        }
        prop_assert_eq!(decision.remainder.is_none(), decision.unplaced.is_empty());
    }

    #[test]
    fn the_order_of_the_candidates_does_not_matter((strategy, wanted, candidates) in instance(), turn in 0usize..4) {
        let mut turned = candidates.clone();
        turned.rotate_left(turn);
        turned.swap(0, 2);
        prop_assert_eq!(place(&strategy, &wanted, &candidates), place(&strategy, &wanted, &turned));
    }

    #[test]
    fn large_orders_keep_every_limit(
        stock in prop::collection::vec(prop::collection::vec(0i64..2_000_000, 6), 40),
        quantities in prop::collection::vec(1i64..1_000_000, 6),
        parts_max in 1i64..8,
    ) {
        let candidates: Vec<Candidate> = (1..).zip(&stock).map(|(number, have)| {
            candidate(number, 300 + i64::from(number * 37 % 50), &(1..).zip(have.iter().copied()).collect::<Vec<_>>())
        }).collect();
        let lines: Vec<(u16, i64, i64)> = (1..).zip(&quantities).map(|(at, many)| (at, *many, 100)).collect();
        let decision = place(&strategy(limits(parts_max), Vec::new()), &wanted(&lines), &candidates);
        prop_assert!(decision.parts.len() <= usize::try_from(parts_max).unwrap());
        for (at, many, _) in &lines {
            let given: i64 = decision.allocations().filter(|one| one.variant == id(*at)).map(|one| one.quantity).sum();
            prop_assert!(given <= *many);
        }
        for given in decision.allocations() {
            let giver = candidates.iter().find(|candidate| candidate.location == given.location).unwrap();
            prop_assert!(given.quantity > 0 && given.quantity <= giver.supply[&given.variant].free);
        }
    }
}

fn places(decision: &Decision) -> Vec<Id<Location>> {
    decision.parts.iter().map(|part| part.location).collect()
}

#[test]
fn one_part_from_one_place_is_cheaper_than_two_from_near() {
    let near =
        [candidate(1, 300, &[(1, 1)]), candidate(2, 300, &[(2, 1)]), candidate(9, 400, &[(1, 5), (2, 5)])];
    let decision = place(&strategy(limits(3), Vec::new()), &wanted(&[(1, 1, 999), (2, 1, 999)]), &near);
    assert_eq!(places(&decision), [id(9)]);
}

#[test]
fn nobody_to_give_leaves_everything_to_the_remainder() {
    let wanted = wanted(&[(1, 2, 999)]);
    let decision = place(&strategy(limits(3), Vec::new()), &wanted, &[]);
    assert_eq!((decision.parts.len(), decision.unplaced[0].found, decision.unplaced[0].asked), (0, 0, 2));
    assert_eq!(decision.remainder, Some(Remainder::BackOrder));
    let mut tired = candidate(1, 300, &[(1, 5)]);
    tired.parcels_left = Some(0);
    let mut shut = candidate(2, 300, &[(1, 5)]);
    shut.is_open = false;
    let mut missed = candidate(3, 300, &[(1, 5)]);
    missed.supply.get_mut(&id(1)).unwrap().is_missed = true;
    let decision = place(&strategy(limits(3), Vec::new()), &wanted, &[tired, shut, missed]);
    let excluded: Vec<_> = decision.weighed.iter().map(|weighed| weighed.excluded).collect();
    assert_eq!(excluded, [Some(Exclusion::NoCapacity), Some(Exclusion::Closed), Some(Exclusion::Missed)]);
    assert!(decision.parts.is_empty());
}

#[test]
fn with_one_part_at_most_the_more_valuable_goods_go() {
    let split = [candidate(1, 300, &[(1, 1)]), candidate(2, 900, &[(2, 1)])];
    let decision = place(&strategy(limits(1), Vec::new()), &wanted(&[(1, 1, 100), (2, 1, 5000)]), &split);
    assert_eq!(places(&decision), [id(2)]);
    assert_eq!(decision.unplaced[0].variant, id(1));
}

#[test]
fn a_part_is_worth_enough_or_the_whole_order() {
    let all = [candidate(1, 300, &[(1, 1)]), candidate(2, 300, &[(2, 1)])];
    let least = Limits { parts_max: 3, part_value_minor: 2000, split_minor: 0 };
    let decision = place(&strategy(least, Vec::new()), &wanted(&[(1, 1, 100), (2, 1, 5000)]), &all);
    assert_eq!(places(&decision), [id(2)]);
    let decision = place(&strategy(least, Vec::new()), &wanted(&[(1, 1, 100)]), &all);
    assert_eq!(places(&decision), [id(1)]);
}

#[test]
fn the_parts_of_a_kit_may_come_from_several_places_and_lines_of_one_variant_share_its_stock() {
    let places_with = [candidate(1, 300, &[(1, 2)]), candidate(2, 300, &[(2, 4)])];
    let kit = wanted(&[(1, 1, 700), (2, 2, 300), (1, 2, 700)]);
    let decision = place(&strategy(limits(3), Vec::new()), &kit, &places_with);
    assert_eq!(decision.parts.len(), 2);
    assert_eq!((decision.unplaced[0].found, decision.unplaced[0].asked), (2, 3));
}

#[test]
fn criteria_in_order_come_before_cost_where_the_objective_says_so() {
    let rank = |measure| Criterion { measure, effect: Effect::Rank };
    let mut by_list =
        strategy(limits(3), vec![rank(Measure::Parts), rank(Measure::List(vec![id(3), id(2)]))]);
    by_list.objective = Objective::Criteria;
    let all = [
        candidate(1, 100, &[(1, 1), (2, 1)]),
        candidate(2, 200, &[(1, 1), (2, 1)]),
        candidate(3, 100, &[(1, 1)]),
    ];
    let asked = wanted(&[(1, 1, 999), (2, 1, 999)]);
    assert_eq!(places(&place(&by_list, &asked, &all)), [id(2)]);
    by_list.objective = Objective::Cost;
    assert_eq!(places(&place(&by_list, &asked, &all)), [id(1)]);
}

#[test]
fn safety_stock_stays_and_what_would_be_marked_down_goes_first() {
    let keep = Criterion { measure: Measure::SafetyStock, effect: Effect::Exclude { limit: 0 } };
    let mut near = candidate(1, 300, &[(1, 2)]);
    near.supply.get_mut(&id(1)).unwrap().safety = 2;
    let mut slow = candidate(3, 500, &[(1, 2)]);
    slow.supply.get_mut(&id(1)).unwrap().markdown_minor = 300;
    let all = [near, candidate(2, 350, &[(1, 2)]), slow];
    let decision = place(&strategy(limits(3), vec![keep]), &wanted(&[(1, 1, 999)]), &all);
    assert_eq!(places(&decision), [id(3)]);
    assert_eq!(decision.weighed[0].excluded, Some(Exclusion::NothingFree));
}

#[test]
fn it_can_be_asked_why() {
    let far = Criterion { measure: Measure::Distance, effect: Effect::Exclude { limit: 50_000 } };
    let near = Criterion { measure: Measure::Distance, effect: Effect::Band { edges: vec![5_000] } };
    let all = [
        candidate(1, 300, &[(1, 2)]),
        candidate(2, 380, &[(1, 2)]),
        candidate(3, 100, &[]),
        candidate(90, 100, &[(1, 2)]),
    ];
    let decision = place(&strategy(limits(3), vec![far, near]), &wanted(&[(1, 2, 999)]), &all);
    let towns = BTreeMap::from([(id(1), "leeds"), (id(2), "york"), (id(3), "hull"), (id(90), "kirkwall")]);
    let names = Names {
        currency: Currency::parse("GBP").unwrap(),
        location: &|location| (*towns.get(&location).unwrap_or(&"elsewhere")).to_owned(),
        variant: &|_| "mug".to_owned(),
    };
    let told = |number| why(&decision, id(number), &names).join("; ");
    assert_eq!(
        told(1),
        "leeds sends 2 of mug for GBP 5.01: parcel GBP 3.00, way GBP 0.01, units GBP 2.00; by distance leeds stands \
         in place 1: 1000; no better choice exists"
    );
    assert_eq!(
        told(2),
        "york could send everything for GBP 5.82, GBP 0.81 more than leeds; by distance york stands in place 1: \
         2000; by the strategy \"near and cheap\" leeds came out better"
    );
    assert_eq!(told(3), "hull has nothing free of what is wanted");
    assert_eq!(told(90), "kirkwall is shut out: distance is 90000, at most 50000 is asked for");
    assert_eq!(told(7), "elsewhere was not looked at: it does not serve this order's channel");
    assert_eq!(summary(&decision, &names), ["leeds sends 2 of mug for GBP 5.01", "no better choice exists"]);
}
