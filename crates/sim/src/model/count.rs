//! The model's counts: what was counted is held against what lay on the shelf while it was counted.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::count::{LineState, State};
use domain::stock::State as StockState;

use super::Model;
use super::stock::{at, world};

/// How often a line is counted without somebody asking for it.
const ROUNDS: i64 = 2;

/// Shelves of a location that are compared with the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub location: usize,
    pub state: State,
    pub asked_at: i64,
    pub counted_at: Option<i64>,
    pub lines: BTreeMap<usize, Line>,
    /// What was counted, by variant and round.
    pub tallies: BTreeMap<(usize, i64), Tally>,
}

/// A variant that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub state: LineState,
    pub round: i64,
    pub found: Option<Found>,
    /// Missing when it was counted.
    pub missing: i64,
}

/// What was counted, and what the books had meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub counted: i64,
    pub least: i64,
    pub most: i64,
}

/// Pieces counted from one instant to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub pieces: i64,
    pub first_at: i64,
    pub last_at: i64,
}

/// What can be done with a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountStep {
    /// Variants, how many, and how many seconds ago.
    Tally(Vec<(usize, i64, i64)>),
    Finish {
        rest_is_none: bool,
    },
    Recount(Vec<usize>),
    Post,
    Cancel,
}

impl Found {
    fn difference(&self) -> i64 {
        (self.counted - self.most).max(0) - (self.least - self.counted).max(0)
    }
}

impl Count {
    fn lead(&mut self, next: State) -> Result<(), Code> {
        if !self.state.leads_to(next) {
            return Err(Code::WrongState);
        }
        self.state = next;
        Ok(())
    }

    /// These are counted once more.
    fn again(&mut self, variants: &[usize]) {
        for variant in variants {
            let line = self.lines.get_mut(variant).expect("a line of the count");
            line.state = LineState::Open;
            line.round += 1;
        }
        if self.counted_at.is_some() {
            self.state = State::Recount;
        }
    }
}

impl Model {
    fn count_mut(&mut self, number: usize) -> &mut Count {
        self.touched.counts.insert(number);
        Rc::make_mut(&mut self.counts[number])
    }

    fn add_count(&mut self, location: usize, variants: &[usize]) {
        let line = Line { state: LineState::Open, round: 1, found: None, missing: 0 };
        for variant in variants {
            self.counting.insert((*variant, location), self.counts.len());
        }
        self.touched.counts.insert(self.counts.len());
        self.counts.push(Rc::new(Count {
            location,
            state: State::Requested,
            asked_at: self.now,
            counted_at: None,
            lines: variants.iter().map(|variant| (*variant, line)).collect(),
            tallies: BTreeMap::new(),
        }));
    }

    pub(super) fn ask_for_count(&mut self, location: usize, variants: &[usize]) -> Result<(), Code> {
        if variants.is_empty() {
            return Err(Code::Invalid);
        }
        variants.iter().try_for_each(|variant| self.must_be_stocked(*variant))?;
        if variants.iter().any(|variant| self.counting.contains_key(&(*variant, location))) {
            return Err(Code::AlreadyExists);
        }
        self.add_count(location, variants);
        Ok(())
    }

    /// Pieces were not found: the location gives none of the variant for a while, and it is counted, once more if it was counted.
    pub(super) fn doubt(&mut self, variant: usize, location: usize) {
        self.stock.excluded.insert((variant, location), self.now + super::goods::EXCLUDED_SECONDS);
        let Some(open) = self.counting.get(&(variant, location)).copied() else {
            return self.add_count(location, &[variant]);
        };
        if self.counts[open].lines[&variant].state == LineState::Counted {
            self.count_mut(open).again(&[variant]);
        }
    }

    pub(super) fn go_on_with_count(&mut self, number: usize, step: &CountStep) -> Result<(), Code> {
        match step {
            CountStep::Tally(pieces) => self.tally(number, pieces),
            CountStep::Finish { rest_is_none } => self.finish_count(number, *rest_is_none),
            CountStep::Recount(variants) => self.recount(number, variants),
            CountStep::Post => self.post_count(number),
            CountStep::Cancel => {
                self.count_mut(number).lead(State::Cancelled)?;
                self.leave_spots(number);
                Ok(())
            }
        }
    }

    fn leave_spots(&mut self, number: usize) {
        self.counting.retain(|_, open| *open != number);
    }

    fn tally(&mut self, number: usize, pieces: &[(usize, i64, i64)]) -> Result<(), Code> {
        let now = self.now;
        let count = self.count_mut(number);
        if count.state == State::Requested {
            count.state = State::Counting;
        }
        if !count.state.takes_pieces() {
            return Err(Code::WrongState);
        }
        let mut pieces = pieces.to_vec();
        pieces.sort_by_key(|(variant, ..)| *variant);
        for (variant, units, ago) in pieces {
            let at = now - ago;
            let count = Rc::make_mut(&mut self.counts[number]);
            if at < count.asked_at || at > now {
                return Err(Code::Invalid);
            }
            match count.lines.get(&variant) {
                Some(line) if line.state == LineState::Open => {}
                Some(_) => return Err(Code::WrongState),
                None => self.tally_unasked(number, variant)?,
            }
            let count = Rc::make_mut(&mut self.counts[number]);
            let round = count.lines[&variant].round;
            let none = Tally { pieces: 0, first_at: at, last_at: at };
            let known = count.tallies.contains_key(&(variant, round));
            let tally = count.tallies.entry((variant, round)).or_insert(none);
            if units < 0 && (!known || tally.pieces + units < 0) {
                return Err(Code::WrongState);
            }
            tally.pieces += units;
            tally.last_at = tally.last_at.max(at);
            if units >= 0 {
                tally.first_at = tally.first_at.min(at);
            }
        }
        Ok(())
    }

    /// What nobody asked for lies there and is counted too.
    fn tally_unasked(&mut self, number: usize, variant: usize) -> Result<(), Code> {
        let location = self.counts[number].location;
        if self.counts[number].state != State::Counting {
            return Err(Code::WrongState);
        }
        self.must_be_stocked(variant)?;
        if self.counting.contains_key(&(variant, location)) {
            return Err(Code::WrongState);
        }
        self.counting.insert((variant, location), number);
        let line = Line { state: LineState::Open, round: 1, found: None, missing: 0 };
        Rc::make_mut(&mut self.counts[number]).lines.insert(variant, line);
        Ok(())
    }

    fn finish_count(&mut self, number: usize, rest_is_none: bool) -> Result<(), Code> {
        let now = self.now;
        let count = self.count_mut(number);
        if rest_is_none && count.state == State::Requested {
            count.state = State::Counting;
        }
        if !matches!(count.state, State::Counting | State::Recount) {
            return Err(Code::WrongState);
        }
        let location = count.location;
        let open = count.lines.iter().filter(|(_, line)| line.state == LineState::Open);
        let open: Vec<usize> = open.map(|(variant, _)| *variant).collect();
        let mut again = Vec::new();
        for variant in open {
            let round = self.counts[number].lines[&variant].round;
            let counted = self.counts[number].tallies.contains_key(&(variant, round));
            if !counted && !rest_is_none {
                return Err(Code::WrongState);
            }
            let found = self.look(number, variant, now);
            self.count_mut(number).lines.get_mut(&variant).expect("a line").state = LineState::Counted;
            let most = self.plan.locations[location].recounts_beyond;
            if round < ROUNDS && most.is_some_and(|most| found.difference().abs() > most) {
                again.push(variant);
            }
        }
        let count = self.count_mut(number);
        count.counted_at = Some(now);
        if again.is_empty() {
            return count.lead(State::InReview);
        }
        count.again(&again);
        Ok(())
    }

    /// Holds what was counted of a line against what lay on the shelf from the first piece counted to the last.
    fn look(&mut self, number: usize, variant: usize, otherwise: i64) -> Found {
        let count = &self.counts[number];
        let location = count.location;
        let none = Tally { pieces: 0, first_at: otherwise, last_at: otherwise };
        let round = count.lines[&variant].round;
        let tally = count.tallies.get(&(variant, round)).copied().unwrap_or(none);
        let (least, most) = self.stock.span((variant, location), (tally.first_at, tally.last_at));
        let found = Found { counted: tally.pieces, least, most };
        let missing = self.stock.as_of((variant, location), tally.last_at).1;
        let line = self.count_mut(number).lines.get_mut(&variant).expect("a line");
        (line.found, line.missing) = (Some(found), missing);
        found
    }

    fn recount(&mut self, number: usize, variants: &[usize]) -> Result<(), Code> {
        let count = self.count_mut(number);
        if count.state != State::InReview {
            return Err(Code::WrongState);
        }
        if variants.iter().any(|variant| !count.lines.contains_key(variant)) {
            return Err(Code::Invalid);
        }
        let differs = |line: &Line| line.found.is_some_and(|found| found.difference() != 0);
        let wanted = |variant: &usize| {
            variants.contains(variant) || (variants.is_empty() && differs(&count.lines[variant]))
        };
        let wanted: Vec<usize> = count.lines.keys().copied().filter(wanted).collect();
        if wanted.is_empty() {
            return Err(Code::WrongState);
        }
        count.again(&wanted);
        Ok(())
    }

    fn post_count(&mut self, number: usize) -> Result<(), Code> {
        self.count_mut(number).lead(State::Posted)?;
        let Count { location, counted_at, .. } = *self.counts[number];
        let variants: Vec<usize> = self.counts[number].lines.keys().copied().collect();
        let mut promised = Vec::new();
        for variant in variants {
            let found = self.look(number, variant, counted_at.unwrap_or(self.now));
            let missing_then = self.counts[number].lines[&variant].missing;
            let lost = self.post_line((variant, location), found.difference(), missing_then);
            promised.push((variant, lost));
            self.stock.excluded.remove(&(variant, location));
        }
        self.leave_spots(number);
        for (variant, lost) in promised {
            let lost = self.send_fewer((variant, location), lost);
            self.promise_fewer((variant, location), lost);
        }
        Ok(())
    }

    /// Posts a difference; answers how many pieces that are not there are promised to somebody.
    fn post_line(&mut self, (variant, location): (usize, usize), difference: i64, missing_then: i64) -> i64 {
        let (shelf, missing) = (at(location, StockState::Available), at(location, StockState::Missing));
        let (found, lost) = (world(StockState::Found), world(StockState::Shrinkage));
        let gone = self.stock.count(variant, missing);
        let known = gone.min(missing_then);
        let mut moves = Vec::new();
        let mut promised = 0;
        if difference >= 0 {
            let back = difference.min(known);
            moves.extend([
                (missing, shelf, back),
                (found, shelf, difference - back),
                (missing, lost, known - back),
            ]);
        } else {
            let seen_again = (gone - known).min(-difference);
            let rest = -difference - seen_again;
            let free = self.stock.count(variant, shelf);
            if rest > free {
                self.stock.let_go((variant, location), rest - free);
            }
            let off_the_shelf = rest.min(self.stock.count(variant, shelf));
            moves.extend([(missing, lost, known + seen_again), (shelf, lost, off_the_shelf)]);
            promised = rest - off_the_shelf;
        }
        for (from, to, pieces) in moves.into_iter().filter(|(.., pieces)| *pieces > 0) {
            self.stock.shift(variant, (from, to), pieces);
        }
        promised
    }
}
