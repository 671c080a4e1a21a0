//! Which pieces go into which sets, so that the customer pays least: exactly for small carts, else well and with a bound.
//!
//! Pieces that cost the same are a [`Cell`]. What one piece is worth alone ([`Cell::each`]) is known; a set must bring more than its
//! pieces alone. Cells that share no set are chosen apart. Up to [`PIECES_MAX`] pieces the best choice is counted out over all states of
//! pieces left, as far as it takes no more than [`WORK_MAX`] steps; more pieces are as far as it takes [`WORK_MANY_MAX`]. Beyond, sets are
//! formed biggest first, with swaps of their order, and [`Chosen::bound`] says what no choice exceeds.

mod exact;
mod form;

use super::Gives;

/// The most pieces that compete for sets and are always counted out.
pub const PIECES_MAX: i64 = 16;
/// The most steps a count of so few pieces may take.
pub const WORK_MAX: u64 = 8_000_000;
/// The most steps a count of more pieces may take.
pub const WORK_MANY_MAX: u64 = 50_000;
/// Values are in millionths of a minor unit, so that rates are exact.
pub const SCALE: i128 = 1_000_000;

/// Pieces of one line that cost the same and may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What one costs, in minor units.
    pub unit: i64,
    /// How many.
    pub count: i64,
    /// What one is lowered by when no set takes it, in millionths of a minor unit.
    pub each: i128,
}

/// A set that may be formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The cells each part may be taken from, dearest first, and how many pieces it needs.
    pub parts: Vec<(Vec<usize>, i64)>,
    /// What it brings.
    pub gives: Gives,
    /// How often at most.
    pub times_max: i64,
}

/// A set that is formed, so many times alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// Which set.
    pub set: usize,
    /// How often.
    pub times: i64,
    /// The cell of each piece and the part it is for.
    pub pieces: Vec<(usize, usize)>,
}

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The sets formed.
    pub takings: Vec<Taking>,
    /// What all pieces are lowered by, sets and single ones, in millionths of a minor unit.
    pub value: i128,
    /// What no choice exceeds; the same as `value` when the choice is the best.
    pub bound: i128,
}

/// Chooses the sets that lower the total most.
pub fn choose(cells: &[Cell], sets: &[Set]) -> Chosen {
    let mut chosen = Chosen::default();
    for group in apart(cells, sets) {
        let known: Vec<usize> = group.cells.clone();
        let own_cells: Vec<Cell> = known.iter().map(|cell| cells[*cell]).collect();
        let own_sets: Vec<Set> = group.sets.iter().map(|set| renumbered(&sets[*set], &known)).collect();
        let part = choose_together(&own_cells, &own_sets);
        chosen.value += part.value;
        chosen.bound += part.bound;
        chosen.takings.extend(part.takings.into_iter().map(|taking| Taking {
            set: group.sets[taking.set],
            times: taking.times,
            pieces: taking.pieces.iter().map(|(cell, part)| (known[*cell], *part)).collect(),
        }));
    }
    chosen
}

fn choose_together(cells: &[Cell], sets: &[Set]) -> Chosen {
    if sets.is_empty() {
        let value = alone(cells);
        return Chosen { takings: Vec::new(), value, bound: value };
    }
    if form::is_best_in_order(cells, sets) {
        let formed = form::biggest_first(cells, sets, &[0]);
        return Chosen { bound: formed.value, ..formed };
    }
    exact::count_out(cells, sets).unwrap_or_else(|| form::form(cells, sets))
}

/// What all pieces are lowered by without sets.
fn alone(cells: &[Cell]) -> i128 {
    cells.iter().map(|cell| cell.each * i128::from(cell.count)).sum()
}

struct Group {
    cells: Vec<usize>,
    sets: Vec<usize>,
}

/// Cells and sets in groups that share nothing.
fn apart(cells: &[Cell], sets: &[Set]) -> Vec<Group> {
    let mut root: Vec<usize> = (0..cells.len()).collect();
    fn find(root: &mut [usize], mut cell: usize) -> usize {
        while root[cell] != cell {
            root[cell] = root[root[cell]];
            cell = root[cell];
        }
        cell
    }
    let cells_of = |set: &Set| set.parts.iter().flat_map(|(cells, _)| cells.clone()).collect::<Vec<_>>();
    for set in sets {
        let touched = cells_of(set);
        for pair in touched.windows(2) {
            let (one, other) = (find(&mut root, pair[0]), find(&mut root, pair[1]));
            root[one.max(other)] = one.min(other);
        }
    }
    let mut place = vec![usize::MAX; cells.len()];
    let mut groups: Vec<Group> = Vec::new();
    for cell in 0..cells.len() {
        let head = find(&mut root, cell);
        if place[head] == usize::MAX {
            place[head] = groups.len();
            groups.push(Group { cells: Vec::new(), sets: Vec::new() });
        }
        groups[place[head]].cells.push(cell);
    }
    for (number, set) in sets.iter().enumerate() {
        if let Some(cell) = cells_of(set).first() {
            groups[place[find(&mut root, *cell)]].sets.push(number);
        }
    }
    groups
}

fn renumbered(set: &Set, known: &[usize]) -> Set {
    let number = |cell: &usize| known.binary_search(cell).expect("a set lies in one group");
    let parts =
        set.parts.iter().map(|(cells, pieces)| (cells.iter().map(number).collect(), *pieces)).collect();
    Set { parts, ..*set }
}

/// What a set of these pieces (what each costs, and its part) is lowered by, piece by piece, in minor units.
pub fn shares(gives: Gives, pieces: &[(i64, usize)]) -> Vec<i64> {
    use super::Off;
    use crate::value::Rounding::HalfUp;
    use crate::value::money::split;
    let units: Vec<i64> = pieces.iter().map(|(unit, _)| *unit).collect();
    let sum: i64 = units.iter().sum();
    let lowered_by_rate = |weights: Vec<i64>, rate: crate::value::Rate| {
        let of: i64 = weights.iter().sum();
        split(rate.of(of, HalfUp).min(of), &weights)
    };
    match gives {
        Gives::Off(Off::Rate(rate)) => lowered_by_rate(units, rate),
        Gives::Off(Off::Amount(minor)) => split(minor.min(sum), &units),
        Gives::Off(Off::Price(minor)) => split((sum - minor).max(0), &units),
        Gives::Cheapest { pieces: many, rate } => {
            let mut places: Vec<usize> = (0..units.len()).collect();
            places.sort_by_key(|place| (units[*place], std::cmp::Reverse(*place)));
            let mut weights = vec![0; units.len()];
            for place in places.into_iter().take(usize::try_from(many).unwrap_or(0)) {
                weights[place] = units[place];
            }
            lowered_by_rate(weights, rate)
        }
        Gives::Part { part, rate } => {
            let weights = pieces.iter().map(|(unit, own)| if *own == part { *unit } else { 0 }).collect();
            lowered_by_rate(weights, rate)
        }
    }
}

/// What a set of these pieces is lowered by, in millionths of a minor unit.
fn worth(set: &Set, cells: &[Cell], pieces: &[(usize, usize)]) -> i128 {
    let priced: Vec<(i64, usize)> = pieces.iter().map(|(cell, part)| (cells[*cell].unit, *part)).collect();
    i128::from(shares(set.gives, &priced).iter().sum::<i64>()) * SCALE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promotion::Off;
    use crate::value::Rate;
    use proptest::prelude::*;

    fn free(pieces: i64) -> Gives {
        Gives::Cheapest { pieces, rate: Rate::from_parts_per_million(Rate::WHOLE).unwrap() }
    }

    fn cells(list: &[(i64, i64, i128)]) -> Vec<Cell> {
        let mut cells: Vec<Cell> =
            list.iter().map(|(unit, count, each)| Cell { unit: *unit, count: *count, each: *each }).collect();
        cells.sort_by_key(|cell| std::cmp::Reverse(cell.unit));
        cells
    }

    /// Every way there is, one piece after the other.
    fn brute(cells: &[Cell], sets: &[Set], left: &mut Vec<i64>, times: &mut Vec<i64>) -> i128 {
        let mut best =
            cells.iter().zip(left.iter()).map(|(cell, count)| cell.each * i128::from(*count)).sum();
        for (number, set) in sets.iter().enumerate() {
            if times[number] == 0 {
                continue;
            }
            times[number] -= 1;
            let slots: Vec<usize> = set
                .parts
                .iter()
                .enumerate()
                .flat_map(|(part, (_, pieces))| std::iter::repeat_n(part, *pieces as usize))
                .collect();
            best = fill(cells, sets, (number, &slots), &mut Vec::new(), left, times).max(best);
            times[number] += 1;
        }
        best
    }

    fn fill(
        cells: &[Cell],
        sets: &[Set],
        (number, slots): (usize, &[usize]),
        pieces: &mut Vec<(usize, usize)>,
        left: &mut Vec<i64>,
        times: &mut Vec<i64>,
    ) -> i128 {
        let Some(part) = slots.get(pieces.len()) else {
            return worth(&sets[number], cells, pieces) + brute(cells, sets, left, times);
        };
        let mut best = i128::MIN;
        for cell in sets[number].parts[*part].0.clone() {
            if left[cell] > 0 {
                left[cell] -= 1;
                pieces.push((cell, *part));
                best = best.max(fill(cells, sets, (number, slots), pieces, left, times));
                pieces.pop();
                left[cell] += 1;
            }
        }
        best
    }

    #[test]
    fn the_best_is_not_the_first_to_come() {
        // Three for two on everything, and the two dear ones together for 100.
        let cells = cells(&[(90, 1, 0), (80, 1, 0), (20, 1, 0), (10, 1, 0)]);
        let any = Set { parts: vec![(vec![0, 1, 2, 3], 3)], gives: free(1), times_max: 99 };
        let pair = Set {
            parts: vec![(vec![0], 1), (vec![1], 1)],
            gives: Gives::Off(Off::Price(100)),
            times_max: 99,
        };
        let chosen = choose(&cells, &[any, pair]);
        assert_eq!((chosen.value, chosen.bound), (70 * SCALE, 70 * SCALE));
    }

    #[test]
    fn a_set_must_bring_more_than_its_pieces_alone() {
        let cells = cells(&[(100, 3, 50 * SCALE)]);
        let any = Set { parts: vec![(vec![0], 3)], gives: free(1), times_max: 99 };
        let chosen = choose(&cells, &[any]);
        assert_eq!((chosen.value, chosen.takings.len()), (150 * SCALE, 0));
    }

    #[test]
    fn thousands_of_pieces_are_formed_at_once() {
        let cells = cells(&[(500, 90_000_000, 0), (300, 1_000, 0), (100, 1, 0)]);
        let any = Set { parts: vec![(vec![0, 1, 2], 3)], gives: free(1), times_max: i64::MAX };
        let chosen = choose(&cells, &[any]);
        assert_eq!(chosen.value, (30_000_000 * 500 + 333 * 300) * SCALE);
        assert_eq!(chosen.value, chosen.bound);
    }

    #[test]
    fn sixteen_different_pieces_are_counted_out() {
        for (many, times_max) in [(16, 99), (14, 2)] {
            let list: Vec<(i64, i64, i128)> = (0..many).map(|place| (1000 - 37 * place, 1, 0)).collect();
            let cells = cells(&list);
            let every = cells.len();
            let any = Set { parts: vec![((0..every).collect(), 3)], gives: free(1), times_max: 99 };
            let odd = (0..every).step_by(2).collect();
            let odd = Set { parts: vec![(odd, 2)], gives: Gives::Off(Off::Price(700)), times_max };
            let sets = [any, odd];
            let (chosen, formed) = (choose(&cells, &sets), form::form(&cells, &sets));
            assert_eq!(chosen.value, chosen.bound);
            assert!(formed.value <= chosen.value && chosen.value <= formed.bound);
            let odd = chosen.takings.iter().filter(|taking| taking.set == 1).map(|taking| taking.times);
            assert!(odd.sum::<i64>() <= times_max);
        }
    }

    prop_compose! {
        fn some_set(cells: usize)(
            masks in prop::collection::vec((1u32..(1 << cells), 1i64..3), 1..3),
            kind in 0u8..5, amount in 0i64..150, times_max in 1i64..4,
        ) -> Set {
            let parts: Vec<(Vec<usize>, i64)> = masks.iter()
                .map(|(mask, pieces)| ((0..cells).filter(|cell| mask >> cell & 1 == 1).collect(), *pieces)).collect();
            let half = Rate::from_parts_per_million(500_000).unwrap();
            let gives = match kind {
                0 => Gives::Off(Off::Price(amount)),
                1 => Gives::Off(Off::Amount(amount)),
                2 => Gives::Off(Off::Rate(half)),
                3 => free(1),
                _ => Gives::Part { part: parts.len() - 1, rate: half },
            };
            Set { parts, gives, times_max }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn nothing_beats_the_choice(
            list in prop::collection::vec((1i64..200, 1i64..3, 0i128..40), 4..=4),
            sets in prop::collection::vec(some_set(4), 1..3),
        ) {
            let list: Vec<_> = list.iter().map(|(unit, count, each)| (*unit, *count, (*each).min(i128::from(*unit)) * SCALE)).collect();
            let cells = cells(&list);
            let mut left: Vec<i64> = cells.iter().map(|cell| cell.count).collect();
            let mut times: Vec<i64> = sets.iter().map(|set| set.times_max).collect();
            let best = brute(&cells, &sets, &mut left, &mut times);
            let chosen = choose(&cells, &sets);
            prop_assert_eq!(chosen.value, best);
            prop_assert_eq!(chosen.bound, best);
            let formed = form::form(&cells, &sets);
            prop_assert!(formed.value <= best && best <= formed.bound, "{} {} {}", formed.value, best, formed.bound);
        }
    }
}
