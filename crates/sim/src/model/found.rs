//! The model's lost parcels: what we want of their carrier, and what happens when they turn up after all.

use domain::Code;
use domain::fulfilment::parcel::State as ParcelState;
use domain::returns::claim::{CarrierState, Found, State, Whereabouts};
use domain::stock::State as StockState;

use super::Model;
use super::stock::{at, world};

impl Model {
    pub(super) fn carrier_said(
        &mut self,
        order: usize,
        number: usize,
        (state, paid): (CarrierState, Option<i64>),
    ) -> Result<(), Code> {
        let carrier = self.claim_mut(order, number).carrier.as_mut().ok_or(Code::WrongState)?;
        if !carrier.0.leads_to(state) {
            return Err(Code::WrongState);
        }
        match (state, paid) {
            (CarrierState::Paid, Some(paid)) if paid < 1 || paid > carrier.1 => {
                return Err(Code::AmountExceeded);
            }
            (CarrierState::Paid, paid) => carrier.2 = paid.unwrap_or(carrier.1),
            (_, Some(_)) => return Err(Code::Invalid),
            (_, None) => {}
        }
        carrier.0 = state;
        Ok(())
    }

    /// Parcels turned up that were given up: their claims are told. One that came back and that no claim says is lost is taken back.
    pub(super) fn tell_claims(&mut self) {
        for (order, parcel) in std::mem::take(&mut self.found) {
            let found = match self.orders[order].parcels[parcel].state {
                ParcelState::Delivered => Found::Delivered,
                _ => Found::Returned,
            };
            if !self.orders[order].says_lost(parcel) && found == Found::Returned {
                self.brought_home.push((order, parcel));
            }
            for one in self.order_mut(order).claims.iter_mut().filter(|one| one.says_lost(parcel)) {
                one.found.get_or_insert(found);
            }
        }
    }

    /// A colleague says what became of goods that were made good and turned up after all.
    pub(super) fn settle_claim(
        &mut self,
        order: usize,
        number: usize,
        (whereabouts, location): (Whereabouts, Option<usize>),
    ) -> Result<(), Code> {
        let one = &self.orders[order].claims[number];
        if one.state != State::Resolved || one.found.is_none() || one.whereabouts.is_some() {
            return Err(Code::WrongState);
        }
        let to = match (whereabouts, location) {
            (Whereabouts::Kept, None) => world(StockState::Customer),
            (Whereabouts::Restocked, Some(location)) => {
                self.must_take_back(location)?;
                at(location, StockState::Quality)
            }
            _ => return Err(Code::Invalid),
        };
        self.move_claimed((order, number), (world(StockState::Shrinkage), to));
        self.claim_mut(order, number).whereabouts = Some(whereabouts);
        Ok(())
    }
}
