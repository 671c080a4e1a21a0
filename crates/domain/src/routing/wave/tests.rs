//! Waves take no more than there is, and their bound holds against trying everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::ground::{Ground, Shared};
use super::{Effort, Order, SIXTEENTH, route};
use crate::location;
use crate::routing::optimise::problem::Weight;
use crate::routing::profile::{Limits, Objective, Remainder, Strategy};
use crate::routing::wanted::{Candidate, Line, Supply, Tariff, Wanted};
use crate::value::{Id, Name};

const EFFORT: Effort = Effort { price_steps: 30, rounds: 40, seed: 7 };

fn strategy() -> Strategy {
    Strategy {
        name: Name::new("name", "least cost").unwrap(),
        conditions: Vec::new(),
        criteria: Vec::new(),
        limits: Limits { parts_max: 2, part_value_minor: 0, split_minor: 10 },
        objective: Objective::Cost,
        is_all_or_next: false,
        remainder: Remainder::Person,
        batch_minutes: None,
    }
}

fn wanted(quantities: &[i64]) -> Wanted {
    let line = |(number, quantity): (u8, &i64)| Line {
        variant: Id::from_bytes([number; 16]),
        quantity: *quantity,
        value_minor: 900,
        weight_grams: 0,
    };
    Wanted {
        lines: (1..).zip(quantities).map(line).collect(),
        countries: BTreeSet::new(),
        first: BTreeSet::new(),
    }
}

/// Locations with so much stock each, so many parcels and units left, and so dear a parcel.
type Place = (Vec<i64>, i64, i64, i64);

fn candidates(places: &[Place], near: usize) -> Vec<Candidate> {
    let candidate = |(at, (stock, parcels, units, parcel_minor)): (usize, &Place)| {
        let supply = |(number, free): (u8, &i64)| {
            let plain =
                Supply { free: *free, safety: 0, daily_demand_milli: 0, markdown_minor: 0, is_missed: false };
            (Id::from_bytes([number; 16]), plain)
        };
        Candidate {
            location: Id::from_bytes([at as u8 + 1; 16]),
            rank: 0,
            kind: location::Kind::Store,
            country: None,
            distance_m: Some(if at == near { 0 } else { 90_000 }),
            is_open: true,
            parcels_left: Some(*parcels),
            units_left: Some(*units),
            tariff: Tariff {
                parcel_minor: *parcel_minor,
                item_minor: 20,
                kilogram_minor: 0,
                kilometre_minor: 1,
            },
            supply: (1..).zip(stock).map(supply).collect::<BTreeMap<_, _>>(),
        }
    };
    places.iter().enumerate().map(candidate).collect()
}

/// The least that any wave weighs, by trying every way of giving.
fn by_trying(ground: &Ground<'_>) -> Weight {
    let given: Vec<Vec<Vec<i64>>> = ground
        .orders
        .iter()
        .map(|own| vec![vec![0; own.problem.demand.len()]; own.problem.nodes.len()])
        .collect();
    let slots: Vec<(usize, usize, usize)> = given
        .iter()
        .enumerate()
        .flat_map(|(order, nodes)| {
            nodes
                .iter()
                .enumerate()
                .flat_map(move |(node, lines)| (0..lines.len()).map(move |line| (order, node, line)))
        })
        .collect();
    let mut best = Weight::MAX;
    try_from(ground, &slots, &mut given.clone(), &mut best);
    best
}

fn try_from(
    ground: &Ground<'_>,
    slots: &[(usize, usize, usize)],
    given: &mut Vec<Vec<Vec<i64>>>,
    best: &mut Weight,
) {
    let Some(((order, node, line), rest)) = slots.split_first() else {
        *best = weigh(ground, given).unwrap_or(Weight::MAX).min(*best);
        return;
    };
    let problem = &ground.orders[*order].problem;
    let taken: i64 = given[*order].iter().map(|node| node[*line]).sum();
    for units in 0..=problem.nodes[*node].stock[*line].min(problem.demand[*line] - taken) {
        given[*order][*node][*line] = units;
        try_from(ground, rest, given, best);
    }
    given[*order][*node][*line] = 0;
}

fn weigh(ground: &Ground<'_>, given: &[Vec<Vec<i64>>]) -> Option<Weight> {
    let mut left = ground.limits.clone();
    let mut weight = 0;
    for (order, given) in given.iter().enumerate() {
        let problem = &ground.orders[order].problem;
        let found = problem.found(given.iter().cloned().enumerate().collect());
        if found.gives.len() > problem.parts_max {
            return None;
        }
        weight += found.weight;
        ground.take(order, &found, 1, &mut left);
    }
    let Shared { stock, parcels, units } = left;
    stock.into_iter().chain(parcels).chain(units).all(|left| left >= 0).then_some(weight)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_wave_weighs_less_than_the_bound_and_none_takes_more_than_there_is(
        places in prop::collection::vec((prop::collection::vec(0i64..3, 2), 0i64..3, 1i64..4, 50i64..400), 2),
        quantities in prop::collection::vec(prop::collection::vec(1i64..3, 2), 3),
    ) {
        let strategy = strategy();
        let wants: Vec<Wanted> = quantities.iter().map(|quantities| wanted(quantities)).collect();
        let offers: Vec<Vec<Candidate>> = (0..wants.len()).map(|order| candidates(&places, order % 2)).collect();
        let orders: Vec<Order<'_>> = wants.iter().zip(&offers)
            .map(|(wanted, candidates)| Order { strategy: &strategy, wanted, candidates }).collect();
        let wave = route(&orders, EFFORT);
        let ground = Ground::new(&orders);
        let best = by_trying(&ground);
        prop_assert!(Weight::from(wave.least_minor - 1) * SIXTEENTH < best);
        prop_assert!(best <= Weight::from(wave.burden_minor) * SIXTEENTH);
        prop_assert_eq!(&route(&orders, EFFORT), &wave);
        for (at, (stock, parcels, units, _)) in places.iter().enumerate() {
            let location = Id::from_bytes([at as u8 + 1; 16]);
            let parts: Vec<_> =
                wave.decisions.iter().flat_map(|decision| &decision.parts).filter(|part| part.location == location).collect();
            prop_assert!(parts.len() as i64 <= *parcels);
            prop_assert!(parts.iter().flat_map(|part| part.gives.values()).sum::<i64>() <= *units);
            for (number, free) in (1..).zip(stock) {
                let given = parts.iter().filter_map(|part| part.gives.get(&Id::from_bytes([number; 16])));
                prop_assert!(given.sum::<i64>() <= *free);
            }
        }
    }
}

#[test]
fn who_needs_the_scarce_piece_most_gets_it() {
    // Both want variant 1; the second order can have it only here, the first also from afar.
    let strategy = strategy();
    let near = vec![(vec![1], 5, 5, 100), (vec![1], 5, 5, 300)];
    let (all, only) = (candidates(&near, 0), candidates(&near[..1], 0));
    let want = wanted(&[1]);
    let orders = [
        Order { strategy: &strategy, wanted: &want, candidates: &all },
        Order { strategy: &strategy, wanted: &want, candidates: &only },
    ];
    let wave = route(&orders, EFFORT);
    assert!(wave.decisions.iter().all(|decision| decision.unplaced.is_empty()));
    assert_eq!(wave.burden_minor, wave.least_minor);
    assert_eq!(route(&[], EFFORT).burden_minor, 0);
}
