//! The three ways of solving agree: counting everything out, counting out what the bound leaves, and searching.

use proptest::prelude::*;

use super::problem::{Node, Problem, Weight};
use super::{dynamic, solve, solve_within};

const LINES: usize = 3;

prop_compose! {
    fn node()(
        open in 0i64..400,
        unit in prop::collection::vec(-20i64..60, LINES),
        stock in prop::collection::vec(prop_oneof![Just(0i64), 0i64..4, Just(9)], LINES),
        units_max in prop_oneof![4 => Just(i64::MAX), 1 => 1i64..5],
    ) -> Node {
        Node { open: open.into(), unit: unit.into_iter().map(Weight::from).collect(), stock, units_max }
    }
}

prop_compose! {
    fn problem()(
        nodes in prop::collection::vec(node(), 1..9),
        wanted in prop::collection::vec(1i64..4, LINES),
        parts_max in 1usize..5,
        part_value in prop_oneof![3 => Just(0i64), 1 => 1i64..200],
        value in prop::collection::vec(0i64..100, LINES),
    ) -> Problem {
        let have = |line: usize| nodes.iter().map(|node| node.stock[line]).sum::<i64>();
        let demand: Vec<i64> = (0..LINES).map(|line| wanted[line].min(have(line))).collect();
        let is_whole = demand == wanted;
        let mut nodes = nodes;
        for node in &mut nodes {
            node.stock = node.stock.iter().zip(&demand).map(|(have, wanted)| *have.min(wanted)).collect();
        }
        let missing = value.iter().map(|value| 10_000 * Weight::from(*value.max(&1))).collect();
        Problem { demand, missing, value, part_value, is_whole, parts_max, nodes }
    }
}

fn all(problem: &Problem) -> Vec<usize> {
    (0..problem.nodes.len()).collect()
}

fn is_allowed(problem: &Problem, gives: &[(usize, Vec<i64>)]) -> bool {
    let given = |line: usize| gives.iter().map(|(_, given)| given[line]).sum::<i64>();
    gives.len() <= problem.parts_max
        && (0..LINES).all(|line| given(line) <= problem.demand[line])
        && gives.iter().all(|(place, given)| {
            let node = &problem.nodes[*place];
            problem.allows(given)
                && given.iter().sum::<i64>() <= node.units_max
                && given.iter().zip(&node.stock).all(|(given, stock)| given <= stock)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_bound_leaves_still_holds_the_best(problem in problem()) {
        let exact = dynamic::solve(&problem, &all(&problem), problem.parts_max);
        let solved = solve_within(&problem, 0, u128::MAX);
        prop_assert!(is_allowed(&problem, &exact.gives));
        prop_assert!(is_allowed(&problem, &solved.found.gives));
        prop_assert_eq!(solved.found.weight, exact.weight);
        prop_assert_eq!(solved.least, exact.weight);
    }

    #[test]
    fn searching_is_exact_or_says_how_far_it_may_be(problem in problem()) {
        let exact = dynamic::solve(&problem, &all(&problem), problem.parts_max);
        let solved = solve_within(&problem, 0, 0);
        prop_assert!(is_allowed(&problem, &solved.found.gives));
        prop_assert!(solved.least <= exact.weight && exact.weight <= solved.found.weight);
        if problem.is_separable() {
            prop_assert_eq!(solved.found.weight, exact.weight);
        }
    }

    #[test]
    fn what_is_found_weighs_what_is_said(problem in problem()) {
        let found = solve(&problem).found;
        prop_assert_eq!(&problem.found(found.gives.clone()), &found);
    }
}

/// An order of forty lines, too many to be counted out, and places that have most of them; the same for the same number.
fn of_forty_lines(number: u64) -> Problem {
    let mut state = number;
    let mut thrown = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let nodes: Vec<Node> = (0..4)
        .map(|_| Node {
            open: Weight::from(100 + thrown(300)),
            unit: (0..40).map(|_| Weight::from(thrown(20))).collect(),
            stock: (0..40).map(|_| i64::from(thrown(10) > 0)).collect(),
            units_max: i64::MAX,
        })
        .collect();
    let demand = (0..40).map(|line| nodes.iter().map(|node| node.stock[line]).max().unwrap_or(0)).collect();
    let (missing, value) = (vec![10_000; 40], vec![1; 40]);
    Problem { demand, missing, value, part_value: 0, is_whole: true, parts_max: 20, nodes }
}

#[test]
fn where_no_place_can_better_the_choice_it_is_the_best() {
    for number in 0..200 {
        let problem = of_forty_lines(number);
        let solved = solve(&problem);
        assert!(solved.least <= solved.found.weight);
        assert_eq!(problem.found(solved.found.gives.clone()), solved.found, "{number}");
    }
    assert_eq!(dynamic::steps(&of_forty_lines(0), &[], 20), None, "its states alone do not fit into memory");
}
