//! The model's exchanges: what was paid for goods that come back pays for others in their place, and goes back the way it came.

use domain::Code;
use domain::payment::Kind as PaymentKind;

use super::Model;
use super::returns::Brought;

impl Model {
    pub(super) fn exchange(
        &mut self,
        (number, location): (usize, usize),
        lines: &[Brought],
        (cart, expected): (usize, Option<i64>),
        tenders: &[(PaymentKind, Option<i64>)],
    ) -> Result<(), Code> {
        let place = self.take_in(number, location, lines)?;
        let new = &self.carts[cart];
        if new.choice.is_some() && !self.plan.channels[new.channel].delivers {
            return Err(Code::NotDeliverable);
        }
        let old = &self.orders[number];
        let worth = (old.kept() - old.owed()).clamp(0, old.returns[place].refund);
        let carried = worth.min(self.total(cart));
        let over = (carried > 0).then_some((PaymentKind::Exchange, Some(carried)));
        let tenders: Vec<_> = over.into_iter().chain(tenders.iter().copied()).collect();
        self.check_out(cart, expected, &tenders)?;
        self.carry_over(number, (worth - carried, carried));
        let old = self.order_mut(number);
        old.pay_out_return(place);
        old.settle_returns();
        Ok(())
    }

    /// Money of an order's payments, the first first, is paid out; what follows is the first payment of the newest order.
    fn carry_over(&mut self, number: usize, (paid_out, carried): (i64, i64)) {
        let (mut passed, mut left) = (paid_out, carried);
        let mut from = Vec::new();
        for (place, one) in self.order_mut(number).payments.iter_mut().enumerate() {
            let leads = one.open_to_refund().min(passed);
            passed -= leads;
            let part = (one.open_to_refund() - leads).min(left);
            if part > 0 {
                one.amounts.carried += part;
                left -= part;
                from.push((number, place, part));
            }
        }
        assert_eq!(left, 0, "no more is carried over than was paid");
        let newest = self.orders.len() - 1;
        if carried > 0 {
            self.order_mut(newest).payments[0].carried_from = from;
        }
    }

    /// Money of exchanges goes back to the payments it came from, whose orders are told.
    pub(super) fn carry_back(&mut self) {
        for number in 0..self.orders.len() {
            if self.orders[number].carried_back.is_empty() {
                continue;
            }
            for (order, payment, amount) in std::mem::take(&mut self.order_mut(number).carried_back) {
                let source = self.order_mut(order);
                source.payments[payment].amounts.carried -= amount;
                source.told = true;
            }
        }
    }
}
