//! The model's cancelling: what goes no further goes back to where it was promised.

use domain::Code;
use domain::fulfilment::State as PartState;
use domain::order::State;
use domain::stock::State as StockState;

use super::Model;
use super::stock::at;

impl Model {
    pub(super) fn cancel(&mut self, number: usize, lines: Option<Vec<(usize, i64)>>) -> Result<(), Code> {
        if matches!(self.orders[number].state, State::Completed | State::Cancelled) {
            return Err(Code::WrongState);
        }
        let order = &self.orders[number];
        let all = || (0..order.lines.len()).map(|line| (line, order.untouched_units(line)));
        let lines = lines.unwrap_or_else(|| all().filter(|(_, units)| *units > 0).collect());
        for (line, units) in lines {
            if units < 1 || units > self.orders[number].untouched_units(line) {
                return Err(Code::WrongState);
            }
            self.cancel_units(number, (line, units), None);
        }
        self.end_cancelling(number);
        Ok(())
    }

    /// Cancels what one part has wholly: false when it has no whole unit of any line.
    pub(super) fn cancel_part(&mut self, number: usize, part: usize) -> bool {
        let order = &self.orders[number];
        let own = &order.parts[part];
        let whole = |line: usize| {
            let takes = order.lines[line].takes.iter();
            takes.map(|(variant, each)| own.pieces_of(line, *variant) / each).min().unwrap_or(0)
        };
        let lines: Vec<_> = (0..order.lines.len()).map(|line| (line, whole(line))).collect();
        let lines: Vec<_> = lines.into_iter().filter(|(_, units)| *units > 0).collect();
        if lines.is_empty() {
            return false;
        }
        for line in lines {
            self.cancel_units(number, line, Some(part));
        }
        self.end_cancelling(number);
        true
    }

    fn end_cancelling(&mut self, number: usize) {
        let order = self.order_mut(number);
        let nothing_leaves = !order.parts.iter().any(|part| part.is_open() || part.state.has_left());
        if nothing_leaves && order.lines.iter().all(|line| line.cancelled == line.quantity) {
            order.cancelled = order.gross();
            order.state = State::Cancelled;
            order.due_at = None;
        }
        order.give_back_too_much();
        order.go_on();
    }

    /// Units of a line go no further; first those that are at no location, then those nobody picked yet.
    pub(super) fn cancel_units(&mut self, number: usize, (line, units): (usize, i64), only: Option<usize>) {
        let order = self.order_mut(number);
        order.cancelled += order.lines[line].unit * units;
        order.lines[line].cancelled += units;
        self.give_back_units(number, (line, units), only);
    }

    /// Pieces of units of a line go back to where they were promised.
    pub(super) fn give_back_units(
        &mut self,
        number: usize,
        (line, units): (usize, i64),
        only: Option<usize>,
    ) {
        for (variant, each) in self.orders[number].lines[line].takes.clone() {
            let order = self.order_mut(number);
            let mut left = each * units;
            let open =
                |place: &usize| order.parts[*place].is_open() && only.is_none_or(|only| only == *place);
            let mut open: Vec<usize> = (0..order.parts.len()).filter(open).collect();
            open.sort_by_key(|place| {
                let part = &order.parts[*place];
                (part.location.is_some(), part.pieces.iter().any(|piece| piece.picked > 0))
            });
            for place in open {
                left -= self.give_back((number, place), (line, variant), left);
            }
        }
        for place in 0..self.orders[number].parts.len() {
            if self.orders[number].parts[place].is_open() && only.is_none_or(|only| only == place) {
                self.end_if_empty(number, place, PartState::Cancelled);
                self.open_when_all_there((number, place));
            }
        }
    }

    /// Gives back as many pieces as one part has, at most so many; how many those were.
    fn give_back(
        &mut self,
        (order, part): (usize, usize),
        (line, variant): (usize, usize),
        most: i64,
    ) -> i64 {
        let one = &mut self.order_mut(order).parts[part];
        let location = one.location;
        let found = one.pieces.iter_mut().find(|piece| (piece.line, piece.variant) == (line, variant));
        let Some(piece) = found else { return 0 };
        let freed = piece.quantity.min(most);
        if freed < 1 {
            return 0;
        }
        let promised = freed.min(piece.quantity - piece.picked);
        piece.quantity -= freed;
        piece.picked -= freed - promised;
        let Some(location) = location else {
            let later = one.later;
            self.leave_queue(later, variant, promised);
            return freed;
        };
        let here = self.let_come((order, part), variant, promised);
        let shelf = at(location, StockState::Available);
        self.stock.shift_some(variant, (at(location, StockState::Committed), shelf), here);
        self.stock.shift_some(variant, (at(location, StockState::Picked), shelf), freed - promised);
        if freed > promised {
            self.order_mut(order).unpack_what_is_gone(part);
        }
        freed
    }
}
