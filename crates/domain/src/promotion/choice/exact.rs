//! Counting out: the best of every way to form sets, over all states of pieces left.

use super::{Cell, Chosen, PIECES_MAX, Set, Taking, WORK_MANY_MAX, WORK_MAX, worth};

/// The most states of pieces left.
const STATES_MAX: usize = 1 << 18;
/// The most ways to form one set that are looked at.
const WAYS_MAX: usize = 20_000;
/// The most cells and limited sets: each has its own bits in a word of 128.
const PLACES_MAX: usize = 32;

/// One way to form a set.
struct Way {
    set: usize,
    pieces: Vec<(usize, usize)>,
    /// How many of each place it takes, in the place's own bits.
    takes: u128,
    /// How far the state moves.
    down: usize,
    value: i128,
}

/// What there may be left of: cells, then sets that may be formed only so often.
struct Places {
    counts: Vec<i64>,
    /// The place of each set that is limited.
    limits: Vec<Option<usize>>,
    strides: Vec<usize>,
    states: usize,
    /// The bits of one place; the highest is kept free, to see what does not fit.
    bits: usize,
}

impl Places {
    /// How many a state has left of a place.
    fn left(&self, state: usize, place: usize) -> usize {
        state / self.strides[place] % (self.counts[place].unsigned_abs() as usize + 1)
    }

    /// The highest bit of every place.
    fn guards(&self) -> u128 {
        (0..self.counts.len()).map(|place| 1 << (self.bits * (place + 1) - 1)).sum()
    }
}

/// The best choice; `None` when counting it out would be too much work.
pub(super) fn count_out(cells: &[Cell], sets: &[Set]) -> Option<Chosen> {
    let pieces = cells.iter().fold(0i64, |sum, cell| sum.saturating_add(cell.count));
    let work_max = if pieces <= PIECES_MAX { WORK_MAX } else { WORK_MANY_MAX };
    let places = places(cells, sets)?;
    if places.states as u64 > work_max {
        return None;
    }
    let ways = ways(cells, sets, &places)?;
    let work: u64 = places.states as u64 * (1 + ways.iter().map(Vec::len).max().unwrap_or(0) as u64) / 2;
    if work > work_max {
        return None;
    }
    let (best, steps) = table(cells, &places, &ways);
    Some(walk_back(&places, &ways, &best, &steps))
}

fn places(cells: &[Cell], sets: &[Set]) -> Option<Places> {
    let mut counts: Vec<i64> = cells.iter().map(|cell| cell.count).collect();
    let pieces: i64 = counts.iter().fold(0, |sum, count| sum.saturating_add(*count));
    let mut limits = Vec::with_capacity(sets.len());
    for set in sets {
        let needs: i64 = set.parts.iter().map(|(_, pieces)| pieces).sum();
        let limited = set.times_max < pieces / needs.max(1);
        limits.push(limited.then_some(counts.len()));
        if limited {
            counts.push(set.times_max);
        }
    }
    let bits = 128 / counts.len().next_power_of_two().max(4);
    if counts.len() > PLACES_MAX || counts.iter().any(|count| *count >= 1 << (bits - 1)) {
        return None;
    }
    let mut strides = Vec::with_capacity(counts.len());
    let mut states: usize = 1;
    for count in &counts {
        strides.push(states);
        states = states.checked_mul(usize::try_from(*count).ok()? + 1)?;
        if states > STATES_MAX {
            return None;
        }
    }
    Some(Places { counts, limits, strides, states, bits })
}

/// Every way to form a set that brings something, by the first cell it takes from.
fn ways(cells: &[Cell], sets: &[Set], places: &Places) -> Option<Vec<Vec<Way>>> {
    let mut by_first: Vec<Vec<Way>> = (0..cells.len()).map(|_| Vec::new()).collect();
    let mut many = 0;
    for (number, set) in sets.iter().enumerate() {
        let mut found = Vec::new();
        let mut left: Vec<i64> = cells.iter().map(|cell| cell.count).collect();
        pick(set, (0, 0, 0), &mut left, &mut Vec::new(), &mut found)?;
        many += found.len();
        if many > WAYS_MAX {
            return None;
        }
        for pieces in found {
            let value = worth(set, cells, &pieces);
            let given_up: i128 = pieces.iter().map(|(cell, _)| cells[*cell].each).sum();
            if value <= given_up {
                continue;
            }
            let limit = places.limits[number];
            let taken = pieces.iter().map(|(cell, _)| *cell).chain(limit);
            let (mut takes, mut down) = (0, 0);
            for place in taken {
                takes += 1u128 << (places.bits * place);
                down += places.strides[place];
            }
            let first = pieces.iter().map(|(cell, _)| *cell).min().unwrap_or(0);
            by_first[first].push(Way { set: number, pieces, takes, down, value });
        }
    }
    Some(by_first)
}

/// Every choice of cells for the parts of a set, each part's cells in order; `None` when there are too many.
fn pick(
    set: &Set,
    (part, from, had): (usize, usize, i64),
    left: &mut [i64],
    pieces: &mut Vec<(usize, usize)>,
    found: &mut Vec<Vec<(usize, usize)>>,
) -> Option<()> {
    let Some((cells, needed)) = set.parts.get(part) else {
        found.push(pieces.clone());
        return (found.len() <= WAYS_MAX).then_some(());
    };
    if had == *needed {
        return pick(set, (part + 1, 0, 0), left, pieces, found);
    }
    for (place, cell) in cells.iter().enumerate().skip(from) {
        if left[*cell] > 0 {
            left[*cell] -= 1;
            pieces.push((*cell, part));
            let step = pick(set, (part, place, had + 1), left, pieces, found);
            pieces.pop();
            left[*cell] += 1;
            step?;
        }
    }
    Some(())
}

/// The best value of each state, from nothing left upwards, and the way that reaches it (0: the first piece stays alone).
fn table(cells: &[Cell], places: &Places, ways: &[Vec<Way>]) -> (Vec<i128>, Vec<u32>) {
    let mut best = vec![0i128; places.states];
    let mut steps = vec![0u32; places.states];
    let (mut left, guards): (u128, u128) = (0, places.guards());
    for state in 1..places.states {
        left = next(left, places);
        let first = left.trailing_zeros() as usize / places.bits;
        if first >= cells.len() {
            continue;
        }
        let mut value = best[state - places.strides[first]] + cells[first].each;
        for (number, way) in (1..).zip(&ways[first]) {
            if ((left | guards) - way.takes) & guards == guards && best[state - way.down] + way.value > value
            {
                value = best[state - way.down] + way.value;
                steps[state] = number;
            }
        }
        best[state] = value;
    }
    (best, steps)
}

/// The next state: counted up place by place.
fn next(left: u128, places: &Places) -> u128 {
    let mut left = left;
    for (place, count) in places.counts.iter().enumerate() {
        let at = places.bits * place;
        let own = left >> at & ((1 << places.bits) - 1);
        if own < count.unsigned_abs().into() {
            return left + (1 << at);
        }
        left -= own << at;
    }
    left
}

fn walk_back(places: &Places, ways: &[Vec<Way>], best: &[i128], steps: &[u32]) -> Chosen {
    let mut takings: Vec<Taking> = Vec::new();
    let mut state = places.states - 1;
    while state > 0 {
        let first = (0..places.counts.len()).find(|place| places.left(state, *place) > 0).unwrap_or(0);
        if first >= ways.len() {
            break;
        }
        match steps[state] {
            0 => state -= places.strides[first],
            number => {
                let way = &ways[first][number as usize - 1];
                state -= way.down;
                match takings.last_mut() {
                    Some(last) if last.set == way.set && last.pieces == way.pieces => last.times += 1,
                    _ => takings.push(Taking { set: way.set, times: 1, pieces: way.pieces.clone() }),
                }
            }
        }
    }
    let value = best[places.states - 1];
    Chosen { takings, value, bound: value }
}
