//! The model's changes of orders: shown with what they cost, then done as shown, or left.

use std::collections::{BTreeMap, BTreeSet};

use domain::Code;
use domain::change::{AddedAt, Rule, State, What};
use domain::delivery::Kind;
use domain::order::State as OrderState;

use super::money::Tender;
use super::order::{Held, Line, Order, Part};
use super::{Choice, Model};

/// One thing to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Add(usize, i64),
    Remove(usize, i64),
    Swap(usize, i64, (usize, i64)),
    CorrectPrice(usize, i64),
    Address,
    Delivery(Choice),
}

/// A change that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub state: State,
    pub lines: Vec<ChangeLine>,
    pub served_anew: bool,
    /// It goes to somebody else, or somewhere else.
    pub readdressed: bool,
    /// How the order is afterwards.
    pub after: Way,
    /// What the order costs more, in minor units.
    pub difference: i64,
    pub to_pay: i64,
    pub to_refund: i64,
    pub expires_at: i64,
    /// Until when its money is waited for.
    pub paid_by: Option<i64>,
}

/// How an order is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub kind: Kind,
    pub choice: Option<Choice>,
    pub place: Option<usize>,
    pub charge: i64,
    /// It is known to whom it goes.
    pub known: bool,
}

/// What a change does to a line; one that is put in has no number yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeLine {
    pub what: What,
    pub line: Option<usize>,
    pub variant: usize,
    pub quantity: i64,
    pub unit: i64,
    /// What it adds to what the order costs.
    pub gross: i64,
}

/// What is known of a change after some of its actions.
#[derive(Default)]
struct Sheet {
    removed: BTreeMap<usize, i64>,
    corrected: BTreeMap<usize, i64>,
    added: Vec<(usize, i64, i64)>,
    choice: Option<Choice>,
    readdressed: bool,
}

impl Change {
    pub(super) fn of(&self, what: What) -> impl Iterator<Item = &ChangeLine> {
        self.lines.iter().filter(move |line| line.what == what)
    }

    /// How many units of a line of the order it takes out.
    pub(super) fn taken(&self, line: usize) -> i64 {
        self.of(What::Remove).filter(|one| one.line == Some(line)).map(|one| one.quantity).sum()
    }
}

impl Model {
    fn rule_of(&self, order: usize) -> Rule {
        self.plan.channels[self.orders[order].channel].changes
    }

    fn must_be_open(&self, order: usize) -> Result<(), Code> {
        let open = matches!(self.orders[order].state, OrderState::PendingPayment | OrderState::Placed);
        if open { Ok(()) } else { Err(Code::WrongState) }
    }

    /// The change of an order that waits for a yes.
    pub fn open_change(&self, order: usize) -> Option<usize> {
        self.orders[order].changes.iter().position(|change| change.state == State::Previewed)
    }

    pub(super) fn preview(&mut self, order: usize, actions: &[Action]) -> Result<(), Code> {
        self.must_be_open(order)?;
        if let Some(open) = self.open_change(order) {
            if self.orders[order].changes[open].expires_at > self.now {
                return Err(Code::WrongState);
            }
            self.end_change((order, open), State::Expired);
        }
        if actions.is_empty() {
            return Err(Code::Invalid);
        }
        let sold = &self.orders[order];
        let mut sheet = Sheet { choice: sold.choice, ..Sheet::default() };
        for action in actions {
            self.act(order, &mut sheet, action)?;
        }
        let stays = |(number, line): (usize, &Line)| {
            line.quantity - line.cancelled - sheet.removed.get(&number).copied().unwrap_or(0) > 0
        };
        if sheet.added.is_empty() && !sold.lines.iter().enumerate().any(stays) {
            return Err(Code::WrongState);
        }
        let change = self.worked_out(order, &sheet)?;
        if self.orders[order].owed() + change.difference < 0 {
            return Err(Code::AmountExceeded);
        }
        let number = self.orders[order].changes.len();
        self.keep((order, number), &change)?;
        self.order_mut(order).changes.push(change);
        Ok(())
    }

    fn act(&self, order: usize, sheet: &mut Sheet, action: &Action) -> Result<(), Code> {
        match *action {
            Action::Add(variant, quantity) => self.add(order, sheet, (variant, quantity)),
            Action::Remove(line, quantity) => return self.remove(order, sheet, (line, quantity)),
            Action::Swap(line, quantity, with) => {
                self.remove(order, sheet, (line, quantity))?;
                self.add(order, sheet, with);
            }
            Action::CorrectPrice(line, price) => return self.correct(order, sheet, (line, price)),
            Action::Address => sheet.readdressed = true,
            Action::Delivery(choice) => {
                let known = self.orders[order].known || sheet.readdressed;
                if choice == Choice::Parcel && !known {
                    return Err(Code::NotDeliverable);
                }
                sheet.choice = Some(choice);
            }
        }
        Ok(())
    }

    fn add(&self, order: usize, sheet: &mut Sheet, (variant, quantity): (usize, i64)) {
        let same = self.orders[order].lines.iter().find(|line| line.variant == variant);
        let original = same.filter(|_| self.rule_of(order).added_at == AddedAt::Original);
        let unit = original.map_or(self.plan.variants[variant].price, |line| line.unit);
        sheet.added.push((variant, quantity, unit));
    }

    fn remove(&self, order: usize, sheet: &mut Sheet, (line, units): (usize, i64)) -> Result<(), Code> {
        let taken = sheet.removed.entry(line).or_insert(0);
        if units > self.orders[order].untouched_units(line) - *taken {
            return Err(Code::WrongState);
        }
        *taken += units;
        if sheet.corrected.contains_key(&line) { Err(Code::Invalid) } else { Ok(()) }
    }

    fn correct(&self, order: usize, sheet: &mut Sheet, (number, price): (usize, i64)) -> Result<(), Code> {
        if sheet.removed.contains_key(&number) || sheet.corrected.contains_key(&number) {
            return Err(Code::Invalid);
        }
        let line = &self.orders[order].lines[number];
        if line.cancelled + line.returned > 0 {
            return Err(Code::WrongState);
        }
        // Half of the price at most.
        if (price - line.unit).abs() > line.unit / 2 {
            return Err(Code::Invalid);
        }
        sheet.corrected.insert(number, price);
        Ok(())
    }

    /// What all actions together do and cost.
    fn worked_out(&self, order: usize, sheet: &Sheet) -> Result<Change, Code> {
        let sold = &self.orders[order];
        let mut lines = Vec::new();
        for (number, units) in &sheet.removed {
            let line = &sold.lines[*number];
            let (quantity, unit) = (*units, line.unit);
            let (line, variant, gross) = (Some(*number), line.variant, -unit * quantity);
            lines.push(ChangeLine { what: What::Remove, line, variant, quantity, unit, gross });
        }
        for (number, unit) in &sheet.corrected {
            let line = &sold.lines[*number];
            let (quantity, gross) = (line.quantity, (unit - line.unit) * line.quantity);
            let (line, variant, unit) = (Some(*number), line.variant, *unit);
            lines.push(ChangeLine { what: What::Correct, line, variant, quantity, unit, gross });
        }
        for (variant, quantity, unit) in sheet.added.iter().copied() {
            let gross = unit * quantity;
            lines.push(ChangeLine { what: What::Add, line: None, variant, quantity, unit, gross });
        }
        let (after, served_anew) = self.way_after(order, sheet)?;
        let goods: i64 = lines.iter().map(|line| line.gross).sum();
        let difference = goods + after.charge - sold.delivery;
        let owed = sold.owed() + difference;
        Ok(Change {
            state: State::Previewed,
            lines,
            served_anew,
            readdressed: sheet.readdressed,
            after,
            difference,
            to_pay: (owed - sold.kept() - sold.promised()).max(0),
            to_refund: (sold.kept() - owed).max(0),
            expires_at: self.now + self.rule_of(order).preview_minutes * 60,
            paid_by: None,
        })
    }

    /// How an order is delivered after a change, and whether its goods are served anew.
    fn way_after(&self, order: usize, sheet: &Sheet) -> Result<(Way, bool), Code> {
        let sold = &self.orders[order];
        let channel = &self.plan.channels[sold.channel];
        let known = sold.known || sheet.readdressed;
        let mut way =
            Way { kind: sold.kind, choice: sheet.choice, place: sold.place, charge: sold.delivery, known };
        let redirected = sheet.choice != sold.choice;
        let Some(choice) = sheet.choice else {
            // Over the counter; goods that nobody hands over must be sent somehow.
            let moves = |(variant, ..): &(usize, i64, i64)| !self.plan.variants[*variant].takes.is_empty();
            let nowhere = channel.location.is_none() && sheet.added.iter().any(moves);
            return if nowhere { Err(Code::NotDeliverable) } else { Ok((way, false)) };
        };
        if !channel.delivers && (redirected || sheet.readdressed) {
            return Err(Code::NotDeliverable);
        }
        if redirected {
            (way.kind, way.place) = match choice {
                Choice::Parcel => (Kind::Ship, channel.location),
                Choice::Collected(location) | Choice::Sent(location) => (Kind::Pickup, Some(location)),
            };
        }
        let other_method = sold.choice.map(method) != Some(method(choice));
        if other_method || channel.changes.delivery_anew {
            let charge = self.charge(sheet.choice);
            let left = other_method && sold.parts.iter().any(|part| part.state.has_left());
            way.charge = if left { sold.delivery + charge } else { charge };
        }
        Ok((way, redirected || (sheet.readdressed && way.kind == Kind::Ship)))
    }

    pub(super) fn redirect(&mut self, order: usize, change: &Change) {
        let Way { kind, choice, place, charge, known } = change.after;
        let sold = self.order_mut(order);
        (sold.kind, sold.choice, sold.place, sold.delivery, sold.known) =
            (kind, choice, place, charge, known);
    }

    /// What was kept is free again, and the change is over.
    pub(super) fn end_change(&mut self, (order, number): (usize, usize), state: State) {
        self.stock.release_change((order, number));
        self.order_mut(order).changes[number].state = state;
    }

    pub(super) fn decline(&mut self, order: usize, number: usize) -> Result<(), Code> {
        match self.orders[order].changes[number].state {
            State::Declined => Ok(()),
            State::Previewed => {
                self.end_change((order, number), State::Declined);
                Ok(())
            }
            _ => Err(Code::WrongState),
        }
    }

    pub(super) fn confirm(
        &mut self,
        order: usize,
        number: usize,
        expected: i64,
        tenders: &[Tender],
    ) -> Result<(), Code> {
        self.must_be_open(order)?;
        let change = self.orders[order].changes[number].clone();
        self.must_stand(order, &change, expected)?;
        let known = self.orders[order].parts.len();
        self.do_change((order, number), &change);
        let (plan, now) = (self.plan.clone(), self.now);
        let sold = &self.orders[order];
        let channel = &plan.channels[sold.channel];
        for one in self.means(sold, tenders, sold.open_to_pay())? {
            self.begin_paying(order, one, channel.captures_at_order)?;
        }
        let sold = self.order_mut(order);
        sold.give_back_too_much();
        sold.go_on();
        if sold.state == OrderState::Placed && sold.missing() > 0 {
            let opened = sold.parts[known..].iter().any(Part::is_open);
            for (place, part) in sold.parts.iter_mut().enumerate() {
                if part.is_open() && part.held.is_none() && (place >= known || !opened) {
                    part.held = Some(Held::Unpaid(number));
                }
            }
            sold.changes[number].paid_by = Some(now + channel.payment_seconds);
        }
        Ok(())
    }

    /// A change is done as it was shown or not at all.
    fn must_stand(&self, order: usize, change: &Change, expected: i64) -> Result<(), Code> {
        let sold = &self.orders[order];
        if change.state != State::Previewed || change.expires_at <= self.now {
            return Err(Code::WrongState);
        }
        if change.difference != expected {
            return Err(Code::TotalChanged);
        }
        for one in &change.lines {
            let (Some(number), false) = (one.line, one.what == What::Add) else { continue };
            let line = &sold.lines[number];
            if one.what == What::Correct && line.cancelled + line.returned > 0 {
                return Err(Code::TotalChanged);
            }
            if one.what == What::Remove && one.quantity > sold.untouched_units(number) {
                return Err(Code::WrongState);
            }
        }
        if sold.owed() + change.difference < 0 { Err(Code::TotalChanged) } else { Ok(()) }
    }

    /// What a change does to lines and goods.
    fn do_change(&mut self, which: (usize, usize), change: &Change) {
        let order = which.0;
        self.stock.release_change(which);
        let (anew, put_in) = (self.anew(order, change), self.put_in(order, change));
        self.redirect(order, change);
        for one in change.of(What::Remove) {
            let line = one.line.expect("a line of the order");
            self.cancel_units(order, (line, one.quantity), None);
        }
        let lines: BTreeSet<usize> = anew.keys().map(|(line, _)| *line).collect();
        for line in lines {
            let units = self.orders[order].untouched_units(line);
            self.give_back_units(order, (line, units), None);
        }
        if change.readdressed {
            self.order_mut(order).unpack_all();
        }
        let plan = self.plan.clone();
        let sold = self.order_mut(order);
        sold.changes[which.1].state = State::Confirmed;
        for one in change.of(What::Correct) {
            sold.lines[one.line.expect("a line of the order")].unit = one.unit;
        }
        for (place, one) in change.lines.iter().enumerate().filter(|(_, one)| one.what == What::Add) {
            sold.changes[which.1].lines[place].line = Some(sold.lines.len());
            let takes = plan.variants[one.variant].takes.clone();
            sold.lines.push(Line::sold(one.variant, one.quantity, one.unit, takes));
        }
        self.go_elsewhere(order, anew.into_iter().chain(put_in).collect());
    }

    /// Previews nobody said yes to in time are over.
    pub(super) fn expire_changes(&mut self) {
        for order in 0..self.orders.len() {
            if let Some(open) = self.open_change(order)
                && self.orders[order].changes[open].expires_at <= self.now
            {
                self.end_change((order, open), State::Expired);
            }
        }
    }

    /// What changes put in and nobody paid in time is taken out again.
    pub(super) fn give_up_unpaid(&mut self) {
        for order in 0..self.orders.len() {
            for number in 0..self.orders[order].changes.len() {
                if self.orders[order].changes[number].paid_by.is_none_or(|by| by > self.now) {
                    continue;
                }
                let sold = &self.orders[order];
                if sold.missing() > 0 && sold.state == OrderState::Placed {
                    let added = sold.changes[number].of(What::Add).filter_map(|one| one.line);
                    let open = added.map(|line| (line, sold.untouched_units(line)));
                    let units: Vec<_> = open.filter(|(_, units)| *units > 0).collect();
                    self.cancel(order, Some(units)).expect("what is open can be cancelled");
                }
                let sold = self.order_mut(order);
                if sold.missing() > 0 {
                    sold.changes[number].paid_by = None;
                } else {
                    sold.change_is_paid(number);
                }
            }
        }
    }
}

impl Order {
    /// Goods that waited for the money of a change go on.
    pub(super) fn change_is_paid(&mut self, number: usize) {
        for part in self.parts.iter_mut().filter(|part| part.is_open()) {
            part.held.take_if(|why| *why == Held::Unpaid(number));
        }
        self.changes[number].paid_by = None;
    }

    /// Once nothing is missing, goods go on that waited for the money of changes.
    pub(super) fn pay_changes(&mut self) {
        for number in (0..self.changes.len()).filter(|_| self.missing() == 0).collect::<Vec<_>>() {
            if self.changes[number].paid_by.is_some() {
                self.change_is_paid(number);
            }
        }
    }
}

/// Which method of delivery a choice is.
const fn method(choice: Choice) -> u8 {
    match choice {
        Choice::Parcel => 0,
        Choice::Collected(_) => 1,
        Choice::Sent(_) => 2,
    }
}
