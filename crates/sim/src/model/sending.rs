//! The model's goods that are sent to where they are collected: the customer's part waits there until nothing more is to come.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::fulfilment::State as PartState;
use domain::stock::State as StockState;
use domain::transfer::{Progress, State};

use super::order::{Part, Pieces};
use super::stock::{Reach, at};
use super::transfer::Transfer;
use super::{Choice, Model};

impl Model {
    /// Which locations send what an order's pickup location lacks, to those who wait as long as they do in a reach; none for other orders.
    pub(super) fn senders(&self, order: usize, reach: &Reach) -> Option<Reach> {
        let Some(Choice::Sent(destination)) = self.orders[order].choice else { return None };
        let mut senders = Reach { ahead: reach.ahead.clone(), ..self.network(0) };
        senders.locations.retain(|location| *location != destination);
        Some(senders)
    }

    /// What is there already and what others send is one part, so that the customer comes once; each sender has a transfer order.
    pub(super) fn await_goods(
        &mut self,
        order: usize,
        here: BTreeMap<usize, Pieces>,
        coming: BTreeMap<usize, Pieces>,
    ) {
        let destination = self.orders[order].place.expect("where it is collected");
        let as_made = (self.orders[order].kind, PartState::AwaitingTransfer);
        let mut pieces = Pieces::new();
        for (piece, quantity) in here.values().chain(coming.values()).flatten() {
            *pieces.entry(*piece).or_insert(0) += quantity;
        }
        let part = self.orders[order].parts.len();
        self.add_parts(order, vec![Part::new(Some(destination), as_made, pieces)]);
        for (source, sent) in coming {
            let mut lines: BTreeMap<usize, Progress> = BTreeMap::new();
            for ((_, variant), quantity) in sent {
                let line = lines.entry(variant).or_default();
                line.quantity += quantity;
                line.promised += quantity;
            }
            self.touched.transfers.insert(self.transfers.len());
            let waiting = Some((order, part));
            let state = State::Requested;
            self.transfers.push(Rc::new(Transfer { source, destination, state, waiting, lines }));
        }
    }

    /// The transfer orders a part waits for, the oldest first.
    fn coming(&self, part: (usize, usize)) -> Vec<usize> {
        (0..self.transfers.len()).filter(|number| self.transfers[*number].waiting == Some(part)).collect()
    }

    /// How many unpicked pieces of a variant lie promised where a part is; those still to come do not.
    pub(super) fn committed_there(&self, (order, part): (usize, usize), variant: usize) -> i64 {
        let one = &self.orders[order].parts[part];
        let unpicked = one.pieces.iter().filter(|piece| piece.variant == variant);
        let unpicked: i64 = unpicked.map(|piece| piece.quantity - piece.picked).sum();
        let coming = self.coming((order, part));
        let promised = coming.iter().filter_map(|number| self.transfers[*number].lines.get(&variant));
        unpicked - promised.map(|line| line.promised).sum::<i64>()
    }

    /// A part for which nothing more is to come is to be picked.
    pub(super) fn open_when_all_there(&mut self, (order, part): (usize, usize)) {
        let one = &self.orders[order].parts[part];
        let coming = self.coming((order, part));
        let all_there =
            coming.iter().all(|number| self.transfers[*number].lines.values().all(|line| line.promised == 0));
        if one.state == PartState::AwaitingTransfer && !one.pieces.is_empty() && all_there {
            self.part_mut(order, part).state = PartState::Open;
        }
    }

    /// Something happened to a transfer order: what will not come for the part that waits is taken from elsewhere.
    pub(super) fn follow(&mut self, number: usize) {
        let Some((order, part)) = self.transfers[number].waiting else { return };
        let one = self.transfer_mut(number);
        let is_open = one.state.is_open();
        let mut lost: BTreeMap<usize, i64> = BTreeMap::new();
        for (variant, line) in &mut one.lines {
            let can_come = if is_open { line.quantity - line.arrived - line.lost } else { 0 };
            lost.insert(*variant, (line.promised - can_come).max(0));
            line.promised = line.promised.min(can_come);
        }
        if self.orders[order].parts[part].state != PartState::AwaitingTransfer {
            return;
        }
        let mut elsewhere = Pieces::new();
        for piece in &mut self.part_mut(order, part).pieces {
            let left = lost.entry(piece.variant).or_insert(0);
            let given_up = (*left).min(piece.quantity);
            if given_up > 0 {
                *left -= given_up;
                piece.quantity -= given_up;
                elsewhere.insert((piece.line, piece.variant), given_up);
            }
        }
        self.end_if_empty(order, part, PartState::Cancelled);
        self.open_when_all_there((order, part));
        self.go_elsewhere(order, elsewhere);
    }

    /// So many pieces of a variant are not wanted any more by a part. Those still to come are let go first, where they are: at the sender
    /// they are free again, on their way they become free on arrival. How many of them lie where the part is.
    pub(super) fn let_come(&mut self, part: (usize, usize), variant: usize, pieces: i64) -> i64 {
        let mut left = pieces;
        for number in self.coming(part) {
            let one = self.transfer_mut(number);
            let (source, at_source) = (one.source, one.state.is_at_source());
            let Some(line) = one.lines.get_mut(&variant) else { continue };
            let freed = line.promised.min(left);
            if freed < 1 {
                continue;
            }
            left -= freed;
            line.promised -= freed;
            if !at_source {
                continue;
            }
            let unpicked = freed.min(line.unpicked());
            line.quantity -= freed;
            line.picked -= freed - unpicked;
            if one.lines.values().all(|line| line.quantity == 0) {
                one.state = State::Cancelled;
            }
            let shelf = at(source, StockState::Available);
            for (state, pieces) in [(StockState::Committed, unpicked), (StockState::Picked, freed - unpicked)]
            {
                if pieces > 0 {
                    self.stock.shift(variant, (at(source, state), shelf), pieces);
                }
            }
        }
        left
    }
}
