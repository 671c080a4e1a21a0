//! The model's transfer orders: goods leave one shelf and lie on another when they arrive.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::stock::State as StockState;
use domain::transfer::{Progress, Shortage, State};

use super::Model;
use super::stock::{Spot, at, world};

/// Goods on their way from one location to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub source: usize,
    pub destination: usize,
    pub state: State,
    /// Which part of which order waits for it.
    pub waiting: Option<(usize, usize)>,
    /// How far the pieces of each variant are.
    pub lines: BTreeMap<usize, Progress>,
}

/// What can be done with a transfer order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferStep {
    SetLines(Vec<(usize, i64)>),
    Request,
    Pick(Vec<(usize, i64)>),
    Miss(Vec<(usize, i64)>),
    Ship,
    /// Variants, how many came, and in which state.
    Arrive(Vec<(usize, i64, StockState)>),
    CloseShort(Shortage),
    Cancel,
}

impl Transfer {
    fn lead(&mut self, next: State) -> Result<(), Code> {
        if !self.state.leads_to(next) {
            return Err(Code::WrongState);
        }
        self.state = next;
        Ok(())
    }

    /// So many of a variant that are still to be picked.
    fn unpicked(&mut self, variant: usize, pieces: i64) -> Result<&mut Progress, Code> {
        let line = self.lines.get_mut(&variant).filter(|line| (1..=line.unpicked()).contains(&pieces));
        line.ok_or(Code::WrongState)
    }

    fn at_source(&self) -> Result<(), Code> {
        if self.state.is_at_source() { Ok(()) } else { Err(Code::WrongState) }
    }

    fn begin_picking(&mut self) {
        self.state = State::Picking;
    }
}

impl Model {
    fn sent(&self, lines: &[(usize, i64)]) -> Result<BTreeMap<usize, Progress>, Code> {
        if lines.is_empty() {
            return Err(Code::Invalid);
        }
        let mut sum: BTreeMap<usize, Progress> = BTreeMap::new();
        for (variant, pieces) in lines {
            if *pieces < 1 {
                return Err(Code::Invalid);
            }
            self.must_be_stocked(*variant)?;
            sum.entry(*variant).or_default().quantity += pieces;
        }
        Ok(sum)
    }

    pub(super) fn draft_transfer(
        &mut self,
        (source, destination): (usize, usize),
        lines: &[(usize, i64)],
    ) -> Result<(), Code> {
        if source == destination {
            return Err(Code::Invalid);
        }
        if !self.plan.locations[destination].can_receive {
            return Err(Code::WrongState);
        }
        let lines = self.sent(lines)?;
        self.touched.transfers.insert(self.transfers.len());
        let (state, waiting) = (State::Draft, None);
        self.transfers.push(Rc::new(Transfer { source, destination, state, waiting, lines }));
        Ok(())
    }

    pub(super) fn transfer_mut(&mut self, number: usize) -> &mut Transfer {
        self.touched.transfers.insert(number);
        Rc::make_mut(&mut self.transfers[number])
    }

    pub(super) fn go_on_with_transfer(&mut self, number: usize, step: &TransferStep) -> Result<(), Code> {
        self.step_of_transfer(number, step)?;
        self.follow(number);
        Ok(())
    }

    fn step_of_transfer(&mut self, number: usize, step: &TransferStep) -> Result<(), Code> {
        let Transfer { source, destination, state, .. } = *self.transfers[number];
        let (committed, picked) = (at(source, StockState::Committed), at(source, StockState::Picked));
        let shelf = at(source, StockState::Available);
        match step {
            TransferStep::SetLines(lines) => {
                if state != State::Draft {
                    return Err(Code::WrongState);
                }
                self.transfer_mut(number).lines = self.sent(lines)?;
                Ok(())
            }
            TransferStep::Request => {
                self.transfer_mut(number).lead(State::Requested)?;
                self.move_lines(number, (shelf, committed), |line| line.quantity)
            }
            TransferStep::Pick(found) => self.pick_transfer(number, found),
            TransferStep::Miss(missing) => self.miss_transfer(number, missing),
            TransferStep::Ship => {
                let one = &self.transfers[number];
                one.at_source()?;
                if one.lines.values().all(|line| line.quantity == 0) {
                    return Err(Code::WrongState);
                }
                let on_the_way = at(destination, StockState::InTransit);
                self.move_lines(number, (committed, on_the_way), Progress::unpicked)?;
                self.move_lines(number, (picked, on_the_way), |line| line.picked)?;
                let one = self.transfer_mut(number);
                for line in one.lines.values_mut() {
                    (line.picked, line.shipped) = (line.quantity, line.quantity);
                }
                one.lead(State::InTransit)
            }
            TransferStep::Arrive(arrived) => self.arrive(number, arrived),
            TransferStep::CloseShort(why) => self.close_short(number, *why),
            TransferStep::Cancel => {
                self.transfer_mut(number).lead(State::Cancelled)?;
                if state.is_at_source() {
                    self.move_lines(number, (committed, shelf), Progress::unpicked)?;
                    self.move_lines(number, (picked, shelf), |line| line.picked)?;
                }
                Ok(())
            }
        }
    }

    /// Moves so many pieces of each line.
    fn move_lines(
        &mut self,
        number: usize,
        way: (Spot, Spot),
        count: impl Fn(&Progress) -> i64,
    ) -> Result<(), Code> {
        let lines = self.transfers[number].lines.clone();
        for (variant, pieces) in lines.iter().map(|(variant, line)| (*variant, count(line))) {
            if pieces > 0 {
                self.stock.shift_if_there(variant, way, pieces)?;
            }
        }
        Ok(())
    }

    fn pick_transfer(&mut self, number: usize, found: &[(usize, i64)]) -> Result<(), Code> {
        self.transfers[number].at_source()?;
        let source = self.transfers[number].source;
        for (variant, pieces) in found {
            self.transfer_mut(number).unpicked(*variant, *pieces)?.picked += pieces;
            let way = (at(source, StockState::Committed), at(source, StockState::Picked));
            self.stock.shift(*variant, way, *pieces);
        }
        self.transfer_mut(number).begin_picking();
        Ok(())
    }

    fn miss_transfer(&mut self, number: usize, missing: &[(usize, i64)]) -> Result<(), Code> {
        self.transfers[number].at_source()?;
        self.transfer_mut(number).begin_picking();
        let source = self.transfers[number].source;
        for (variant, pieces) in missing {
            self.transfer_mut(number).unpicked(*variant, *pieces)?.quantity -= pieces;
            let way = (at(source, StockState::Committed), at(source, StockState::Missing));
            self.stock.shift(*variant, way, *pieces);
            self.doubt(*variant, source);
        }
        Ok(())
    }

    /// What was sent comes first; what comes beyond that was found.
    fn arrive(&mut self, number: usize, arrived: &[(usize, i64, StockState)]) -> Result<(), Code> {
        if !self.transfers[number].state.is_on_the_way() {
            return Err(Code::WrongState);
        }
        if arrived.is_empty() {
            return Err(Code::Invalid);
        }
        let destination = self.transfers[number].destination;
        for (variant, pieces, state) in arrived.iter().copied() {
            if !matches!(state, StockState::Available | StockState::Quality | StockState::Damaged) {
                return Err(Code::Invalid);
            }
            self.must_be_stocked(variant)?;
            let line = self.transfer_mut(number).lines.entry(variant).or_default();
            let sent = pieces.min(line.on_the_way());
            line.arrived += sent;
            line.damaged += if state == StockState::Available { 0 } else { sent };
            line.over += pieces - sent;
            let to_order = if state == StockState::Available { sent.min(line.promised) } else { 0 };
            line.promised -= to_order;
            let (here, on_the_way) = (at(destination, state), at(destination, StockState::InTransit));
            let ways = [
                (on_the_way, at(destination, StockState::Committed), to_order),
                (on_the_way, here, sent - to_order),
                (world(StockState::Found), here, pieces - sent),
            ];
            for (from, to, count) in ways.into_iter().filter(|(.., count)| *count > 0) {
                self.stock.shift(variant, (from, to), count);
            }
        }
        let one = self.transfer_mut(number);
        let all = one.lines.values().all(|line| line.on_the_way() == 0);
        one.lead(if all { State::Received } else { State::PartlyReceived })
    }

    fn close_short(&mut self, number: usize, why: Shortage) -> Result<(), Code> {
        let one = self.transfer_mut(number);
        one.lead(State::ClosedShort)?;
        let to = match why {
            Shortage::Lost => world(StockState::Shrinkage),
            Shortage::Destroyed => world(StockState::Scrap),
            Shortage::NotSent => at(one.source, StockState::Available),
        };
        let from = at(one.destination, StockState::InTransit);
        self.move_lines(number, (from, to), Progress::on_the_way)?;
        for line in self.transfer_mut(number).lines.values_mut() {
            line.lost += line.on_the_way();
        }
        Ok(())
    }

    /// A count found that promised pieces are not there: so many fewer are sent, the youngest transfer order first. Answers how many are
    /// still to be found.
    pub(super) fn send_fewer(&mut self, (variant, location): (usize, usize), mut lost: i64) -> i64 {
        for number in (0..self.transfers.len()).rev() {
            let one = &self.transfers[number];
            let unpicked = one.lines.get(&variant).map_or(0, Progress::unpicked);
            let pieces = unpicked.min(lost);
            if one.source != location || !one.state.is_at_source() || pieces < 1 {
                continue;
            }
            lost -= pieces;
            self.transfer_mut(number).unpicked(variant, pieces).expect("so many").quantity -= pieces;
            let way = (at(location, StockState::Committed), world(StockState::Shrinkage));
            self.stock.shift(variant, way, pieces);
            self.follow(number);
        }
        lost
    }
}
