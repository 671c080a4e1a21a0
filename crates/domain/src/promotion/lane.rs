//! One lane: which of its promotions lower which pieces, the whole, and delivery.

use super::choice::{Cell, Chosen, SCALE, Set, choose, shares};
use super::pieces::Pieces;
use super::{Benefit, Condition, Gives, Measure, Mode, Off, Part, Promotion, Stacking, Step};
use crate::value::{Rate, Rounding, Unit};

/// The most promotions on wholes among which the best are found by trying every choice.
const WHOLES_MAX: usize = 16;

/// A promotion that may apply, with the lines each of its selections means.
pub(super) struct Candidate<'a> {
    pub promotion: &'a Promotion,
    pub meant: Vec<Vec<usize>>,
    /// The lines of its gift.
    pub gift: Vec<usize>,
}

/// What is worked on: pieces, delivery, and how far the choices may be from the best.
#[derive(Clone)]
pub(super) struct State {
    pub pieces: Pieces,
    /// What delivery costs so far, and whether nothing may lower it any more.
    pub delivery: Option<(i64, bool)>,
    /// Who lowered delivery, and by how much.
    pub delivered: Vec<(usize, i64)>,
    /// Gifts that were reached, by their place among the candidates.
    pub gifts: Vec<usize>,
    /// By how much a better choice could lower the total more, at most; millionths of a minor unit.
    pub slack: i128,
}

impl State {
    fn total(&self, lines: usize) -> i64 {
        let goods: i64 = (0..lines).map(|line| self.pieces.amount(line)).sum();
        goods + self.delivery.map_or(0, |(minor, _)| minor)
    }
}

/// The ground of all lanes: the candidates, and of each line its quantity and whether it is counted in pieces.
pub(super) struct Ground<'a> {
    pub candidates: &'a [Candidate<'a>],
    pub lines: &'a [(i64, Unit)],
}

impl Ground<'_> {
    /// Works a lane: the candidates at these places, in order.
    pub fn work(&self, own: &[usize], mode: Mode, state: &mut State) {
        let reached: Vec<usize> =
            own.iter().copied().filter(|place| self.is_reached(*place, &state.pieces)).collect();
        if mode != Mode::BestOne {
            return self.steps(&reached, mode, state);
        }
        let alone = reached.iter().map(|place| {
            let mut alone = state.clone();
            self.steps(&[*place], Mode::BestDeal, &mut alone);
            alone
        });
        if let Some(best) = alone.min_by_key(|alone| alone.total(self.lines.len())) {
            *state = best;
        }
    }

    fn steps(&self, own: &[usize], mode: Mode, state: &mut State) {
        self.lower_pieces(own, mode, state);
        self.lower_wholes(own, mode, state);
        self.lower_delivery(own, mode, state);
    }

    fn closes(&self, place: usize) -> (usize, bool) {
        (place, self.candidates[place].promotion.stacking == Stacking::AloneOnPieces)
    }

    /// Do the goods have what a promotion asks for?
    pub fn is_reached(&self, place: usize, pieces: &Pieces) -> bool {
        let candidate = &self.candidates[place];
        let asked = candidate.promotion.conditions.iter().filter_map(|condition| match condition {
            Condition::Has { by, at_least, .. } => Some((*by, *at_least)),
            _ => None,
        });
        asked
            .zip(&candidate.meant)
            .all(|((by, at_least), meant)| self.measured(by, meant, pieces) >= at_least)
    }

    fn measured(&self, by: Measure, lines: &[usize], pieces: &Pieces) -> i64 {
        match by {
            Measure::Quantity => lines.iter().map(|line| self.lines[*line].0).sum(),
            Measure::Amount => lines.iter().map(|line| pieces.amount(*line)).sum(),
        }
    }

    /// The lines a benefit's own selections mean: those after the ones of its conditions.
    fn benefit_lines(&self, place: usize) -> &[Vec<usize>] {
        let candidate = &self.candidates[place];
        let is_asked = |condition: &&Condition| matches!(condition, Condition::Has { .. });
        let asked = candidate.promotion.conditions.iter().filter(is_asked).count();
        &candidate.meant[asked..]
    }

    fn lower_pieces(&self, own: &[usize], mode: Mode, state: &mut State) {
        let mut table = Table::new(self, &state.pieces);
        let eaches: Vec<(usize, Off)> =
            own.iter().filter_map(|place| Some((*place, self.off_each(*place, &state.pieces)?))).collect();
        let sets: Vec<(usize, Set)> =
            own.iter().filter_map(|place| Some((*place, self.set(*place, &table)?))).collect();
        state.gifts.extend(
            own.iter()
                .filter(|place| matches!(self.candidates[**place].promotion.benefit, Benefit::Gift { .. })),
        );
        let mut deals = Deals::default();
        if mode == Mode::Priority {
            for place in own {
                if let Some((_, off)) = eaches.iter().find(|(each, _)| each == place) {
                    table.take_each(*place, *off, &self.benefit_lines(*place)[0], &mut deals);
                } else if let Some((_, set)) = sets.iter().find(|(own, _)| own == place) {
                    let left = table.left();
                    let chosen = choose(&left, std::slice::from_ref(set));
                    state.slack += chosen.bound - chosen.value;
                    table.take_sets(&[(*place, set.clone())], chosen, &mut deals);
                }
            }
        } else {
            for (place, off) in &eaches {
                table.offer(*place, *off, &self.benefit_lines(*place)[0]);
            }
            if !sets.is_empty() {
                let known: Vec<Set> = sets.iter().map(|(_, set)| set.clone()).collect();
                let chosen = choose(&table.cells, &known);
                state.slack += chosen.bound - chosen.value;
                table.take_sets(&sets, chosen, &mut deals);
            }
            table.take_offers(&mut deals);
        }
        self.apply(&table, deals, &mut state.pieces);
    }

    /// What a benefit on each piece gives now.
    fn off_each(&self, place: usize, pieces: &Pieces) -> Option<Off> {
        let Benefit::Each { by, steps, .. } = &self.candidates[place].promotion.benefit else { return None };
        step(steps, self.measured(*by, &self.benefit_lines(place)[0], pieces))
    }

    /// The set of a promotion over the cells of the table, if its goods are there.
    fn set(&self, place: usize, table: &Table) -> Option<Set> {
        let whole = Rate::from_parts_per_million(Rate::WHOLE).ok()?;
        let cells = |lines: &[usize]| {
            let mut cells: Vec<usize> = lines
                .iter()
                .filter(|line| self.lines[**line].1 == Unit::Piece)
                .flat_map(|line| table.of_line[*line].clone())
                .collect();
            cells.sort_unstable();
            cells
        };
        let set = match &self.candidates[place].promotion.benefit {
            Benefit::Set { parts, gives, times_max } => {
                let lines = self.benefit_lines(place);
                let part = |(part, lines): (&Part, &Vec<usize>)| (cells(lines), part.pieces);
                let parts = parts.iter().zip(lines).map(part).collect();
                Set { parts, gives: *gives, times_max: times_max.unwrap_or(i64::MAX) }
            }
            Benefit::Gift { pieces, .. } => Set {
                parts: vec![(cells(&self.candidates[place].gift), 1)],
                gives: Gives::Cheapest { pieces: 1, rate: whole },
                times_max: *pieces,
            },
            _ => return None,
        };
        let has = |(cells, pieces): &(Vec<usize>, i64)| {
            cells.iter().map(|cell| table.cells[*cell].count).sum::<i64>() >= *pieces
        };
        set.parts.iter().all(has).then_some(set)
    }

    fn apply(&self, table: &Table, deals: Deals, pieces: &mut Pieces) {
        for (place, gives, taking) in deals.sets {
            let priced: Vec<(i64, usize)> =
                taking.pieces.iter().map(|(cell, part)| (table.cells[*cell].unit, *part)).collect();
            for ((cell, _), share) in taking.pieces.iter().zip(shares(gives, &priced)) {
                let taken = (table.cells[*cell].unit, taking.times);
                pieces.lower(self.closes(place), table.line[*cell], taken, share * taking.times);
            }
        }
        let mut eaches = deals.eaches;
        eaches.sort_by_key(|each| (each.place, table.line[each.cell], each.cell));
        for same in eaches
            .chunk_by(|one, other| one.place == other.place && table.line[one.cell] == table.line[other.cell])
        {
            let heaps: Vec<(i64, i64)> =
                same.iter().map(|each| (table.cells[each.cell].unit, each.count)).collect();
            let (by, line) = (self.closes(same[0].place), table.line[same[0].cell]);
            match same[0].off {
                Off::Rate(_) => {
                    let amount = heaps.iter().map(|(unit, count)| unit * count).sum();
                    pieces.lower_heaps(by, line, &heaps, off_amount(same[0].off, amount));
                }
                off => {
                    for (unit, count) in heaps {
                        pieces.lower(by, line, (unit, count), off_amount(off, unit) * count);
                    }
                }
            }
        }
    }

    fn lower_wholes(&self, own: &[usize], mode: Mode, state: &mut State) {
        let mut offers: Vec<(usize, Vec<usize>, i64)> = Vec::new();
        for place in own {
            let Benefit::Whole { steps, minor_max, .. } = &self.candidates[*place].promotion.benefit else {
                continue;
            };
            let open = |line: &usize| state.pieces.open_amount(*line) > 0;
            let lines: Vec<usize> = self.benefit_lines(*place)[0].iter().copied().filter(open).collect();
            let amount = lines.iter().map(|line| state.pieces.open_amount(*line)).sum();
            let minor = step(steps, amount).map_or(0, |off| off_amount(off, amount));
            let minor = minor.min(minor_max.unwrap_or(i64::MAX));
            if minor > 0 {
                offers.push((*place, lines, minor));
            }
        }
        let (taken, slack) = together(&offers, mode);
        state.slack += slack;
        for number in taken {
            let (place, lines, minor) = &offers[number];
            state.pieces.lower_lines(self.closes(*place), lines, *minor);
        }
    }

    fn lower_delivery(&self, own: &[usize], mode: Mode, state: &mut State) {
        let Some((charge, false)) = state.delivery else { return };
        let offers = own.iter().filter_map(|place| match &self.candidates[*place].promotion.benefit {
            Benefit::Delivery { off, .. } => Some((*place, off_amount(*off, charge))),
            _ => None,
        });
        let mut offers = offers.filter(|(_, minor)| *minor > 0);
        let best = if mode == Mode::Priority {
            offers.next()
        } else {
            offers.max_by_key(|(place, minor)| (*minor, std::cmp::Reverse(*place)))
        };
        if let Some((place, minor)) = best {
            state.delivery = Some((charge - minor, self.closes(place).1));
            state.delivered.push((place, minor));
        }
    }
}

/// The highest step reached.
fn step(steps: &[Step], measured: i64) -> Option<Off> {
    steps.iter().rev().find(|step| step.from <= measured).map(|step| step.off)
}

/// How much lower an amount becomes: never more than all of it.
pub(super) fn off_amount(off: Off, minor: i64) -> i64 {
    match off {
        Off::Rate(rate) => rate.of(minor, Rounding::HalfUp).min(minor),
        Off::Amount(amount) => amount.min(minor),
        Off::Price(price) => (minor - price).max(0),
    }
}

/// Which offers on wholes go together, sharing no line; and by how much another choice could be better.
fn together(offers: &[(usize, Vec<usize>, i64)], mode: Mode) -> (Vec<usize>, i128) {
    let clash = |one: usize, other: usize| offers[one].1.iter().any(|line| offers[other].1.contains(line));
    let in_order = |order: &[usize]| {
        let mut taken: Vec<usize> = Vec::new();
        for offer in order {
            if !taken.iter().any(|other| clash(*offer, *other)) {
                taken.push(*offer);
            }
        }
        taken
    };
    let sum = |taken: &[usize]| taken.iter().map(|offer| offers[*offer].2).sum::<i64>();
    let mut order: Vec<usize> = (0..offers.len()).collect();
    if mode == Mode::Priority {
        return (in_order(&order), 0);
    }
    order.sort_by_key(|offer| std::cmp::Reverse(offers[*offer].2));
    let biggest_first = in_order(&order);
    let everything = sum(&order);
    if biggest_first.len() == offers.len() {
        return (biggest_first, 0);
    }
    if offers.len() > WHOLES_MAX {
        let slack = i128::from(everything - sum(&biggest_first)) * SCALE;
        return (biggest_first, slack);
    }
    let clashes: Vec<u32> = order
        .iter()
        .map(|one| (0u32..).zip(&order).map(|(bit, other)| u32::from(clash(*one, *other)) << bit).sum())
        .collect();
    let chosen = |mask: u32| (0..order.len()).filter(move |bit| mask >> bit & 1 == 1);
    let may = |mask: u32| chosen(mask).all(|bit| clashes[bit] & mask == 1 << bit);
    let value = |mask: u32| chosen(mask).map(|bit| offers[order[bit]].2).sum::<i64>();
    let best = (0..1u32 << order.len())
        .filter(|mask| may(*mask))
        .max_by_key(|mask| (value(*mask), !mask))
        .unwrap_or(0);
    (chosen(best).map(|bit| order[bit]).collect(), 0)
}

/// So many pieces of a cell, each lowered by a promotion.
struct Each {
    place: usize,
    off: Off,
    cell: usize,
    count: i64,
}

#[derive(Default)]
struct Deals {
    eaches: Vec<Each>,
    sets: Vec<(usize, Gives, super::choice::Taking)>,
}

/// The open pieces at the start of a lane, dearest first, and what is left of them.
struct Table {
    cells: Vec<Cell>,
    line: Vec<usize>,
    of_line: Vec<Vec<usize>>,
    left: Vec<i64>,
    /// The best single offer of each cell.
    offers: Vec<Option<(usize, Off)>>,
}

impl Table {
    fn new(ground: &Ground<'_>, pieces: &Pieces) -> Table {
        let mut all: Vec<(usize, Cell)> = (0..ground.lines.len())
            .flat_map(|line| {
                let cell = |unit, count| Cell { unit, count, each: 0 };
                pieces
                    .open(line)
                    .filter(|heap| heap.unit > 0)
                    .map(move |heap| (line, cell(heap.unit, heap.count)))
            })
            .collect();
        all.sort_by_key(|(line, cell)| (std::cmp::Reverse(cell.unit), *line));
        let mut of_line = vec![Vec::new(); ground.lines.len()];
        for (cell, (line, _)) in all.iter().enumerate() {
            of_line[*line].push(cell);
        }
        Table {
            left: all.iter().map(|(_, cell)| cell.count).collect(),
            offers: vec![None; all.len()],
            line: all.iter().map(|(line, _)| *line).collect(),
            cells: all.into_iter().map(|(_, cell)| cell).collect(),
            of_line,
        }
    }

    /// The cells as far as they are left, worth nothing alone.
    fn left(&self) -> Vec<Cell> {
        self.cells
            .iter()
            .zip(&self.left)
            .map(|(cell, count)| Cell { count: *count, each: 0, ..*cell })
            .collect()
    }

    /// A promotion offers so much on each piece of these lines; the best offer counts, the earlier among equals.
    fn offer(&mut self, place: usize, off: Off, lines: &[usize]) {
        for cell in lines.iter().flat_map(|line| &self.of_line[*line]) {
            let value = value_each(off, self.cells[*cell].unit);
            if value > self.cells[*cell].each {
                self.cells[*cell].each = value;
                self.offers[*cell] = Some((place, off));
            }
        }
    }

    fn take_each(&mut self, place: usize, off: Off, lines: &[usize], deals: &mut Deals) {
        for cell in lines.iter().flat_map(|line| &self.of_line[*line]) {
            if self.left[*cell] > 0 && value_each(off, self.cells[*cell].unit) > 0 {
                deals.eaches.push(Each { place, off, cell: *cell, count: self.left[*cell] });
                self.left[*cell] = 0;
            }
        }
    }

    fn take_offers(&mut self, deals: &mut Deals) {
        for cell in 0..self.cells.len() {
            if let Some((place, off)) = self.offers[cell].filter(|_| self.left[cell] > 0) {
                deals.eaches.push(Each { place, off, cell, count: self.left[cell] });
                self.left[cell] = 0;
            }
        }
    }

    fn take_sets(&mut self, sets: &[(usize, Set)], chosen: Chosen, deals: &mut Deals) {
        for taking in chosen.takings {
            taking.pieces.iter().for_each(|(cell, _)| self.left[*cell] -= taking.times);
            let (place, set) = &sets[taking.set];
            deals.sets.push((*place, set.gives, taking));
        }
    }
}

/// What a piece of this price is lowered by, in millionths of a minor unit.
fn value_each(off: Off, unit: i64) -> i128 {
    match off {
        Off::Rate(rate) => i128::from(unit) * i128::from(rate.parts_per_million().min(Rate::WHOLE)),
        off => i128::from(off_amount(off, unit)) * SCALE,
    }
}
