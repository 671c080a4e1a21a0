//! The model's substitutes: another variant takes the place of one that is not there, if the customer allows it, and is never dearer.

use domain::Code;
use domain::fulfilment::State as PartState;
use domain::fulfilment::substitute::Allowed;
use domain::stock::State as StockState;

use super::Model;
use super::order::{Line, Piece};
use super::stock::at;

/// Units of a line that another variant takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    pub line: usize,
    pub by: usize,
    pub quantity: i64,
    /// Nobody finds what was ordered; otherwise it goes back on its shelf.
    pub missing: bool,
}

impl Model {
    /// The customer says what may take the place of what is not there.
    pub(super) fn allow(&mut self, order: usize, allowed: Allowed, named: &[usize]) -> Result<(), Code> {
        if (allowed == Allowed::Named) == named.is_empty() {
            return Err(Code::Invalid);
        }
        self.order_mut(order).allowed = (allowed, named.to_vec());
        Ok(())
    }

    /// What may take the place of a variant in an order.
    pub fn choices(&self, order: usize, variant: usize) -> Vec<usize> {
        let rules = self.plan.variants[variant].substitutes.iter().copied();
        let (allowed, named) = &self.orders[order].allowed;
        match allowed {
            Allowed::None => Vec::new(),
            Allowed::Similar => rules.collect(),
            Allowed::Named => rules.filter(|variant| named.contains(variant)).collect(),
        }
    }

    pub(super) fn substitute(&mut self, order: usize, part: usize, asked: &Replaced) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let sold = &self.orders[order];
        let one = &sold.parts[part];
        if !one.state.is_at_location() || one.held.is_some() {
            return Err(Code::WrongState);
        }
        let location = one.location.ok_or(Code::WrongState)?;
        let piece = one.pieces.iter().find(|piece| piece.line == asked.line).ok_or(Code::NotFound)?;
        let variant = piece.variant;
        let is_open = (1..=piece.quantity - piece.picked).contains(&asked.quantity);
        let is_whole = sold.lines[asked.line].takes == [(variant, 1)];
        if !is_open || !self.choices(order, variant).contains(&asked.by) || !is_whole {
            return Err(Code::WrongState);
        }
        let unit = self.plan.variants[asked.by].price.min(sold.lines[asked.line].unit);
        let order_of = self.order_mut(order);
        let replaced = &mut order_of.lines[asked.line];
        replaced.cancelled += asked.quantity;
        order_of.cancelled += replaced.unit * asked.quantity;
        let line = order_of.lines.len();
        order_of.lines.push(Line::sold(asked.by, asked.quantity, unit, vec![(asked.by, 1)]));
        let own = &mut order_of.parts[part];
        for piece in own.pieces.iter_mut().filter(|piece| piece.line == asked.line) {
            piece.quantity -= asked.quantity;
        }
        own.pieces.retain(|piece| piece.quantity > 0);
        own.pieces.push(Piece { line, variant: asked.by, quantity: asked.quantity, picked: asked.quantity });
        if own.state.leads_to(PartState::Picking) {
            own.state = PartState::Picking;
        }
        let (shelf, committed) = (at(location, StockState::Available), at(location, StockState::Committed));
        if asked.missing {
            self.stock.shift(variant, (committed, at(location, StockState::Missing)), asked.quantity);
            self.doubt(variant, location);
        } else {
            self.stock.shift(variant, (committed, shelf), asked.quantity);
        }
        let picked = at(location, StockState::Picked);
        self.stock.shift_if_there(asked.by, (shelf, picked), asked.quantity)?;
        self.order_mut(order).give_back_too_much();
        Ok(())
    }
}
