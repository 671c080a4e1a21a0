//! The model's parcels: picked goods packed into one or several, which leave together or one by one, and what becomes of them on the road.

use domain::Code;
use domain::delivery::Kind;
use domain::fulfilment::State as PartState;
use domain::fulfilment::parcel::State;
use domain::returns::Condition;

use super::Model;
use super::order::{Order, Part, Piece};

/// How often our own van tries to hand a parcel over.
pub const ATTEMPTS_MAX: i64 = 2;

/// What leaves a location in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Which part of the order it is of; another one once it has left by itself.
    pub part: usize,
    pub location: usize,
    pub state: State,
    /// Our own van carries it, and tells how it went.
    pub by_van: bool,
    pub attempts: i64,
    /// It was given up.
    pub lost: bool,
    /// Lines, variants and how many pieces.
    pub pieces: Vec<(usize, usize, i64)>,
}

/// What can be done with parcels of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParcelStep {
    /// Variants and how many of a part's picked goods; everything picked that is in no parcel when nothing is named.
    Pack {
        part: usize,
        goods: Option<Vec<(usize, i64)>>,
        by_van: bool,
    },
    Unpack(usize),
    Ship(usize),
    Attempt {
        parcel: usize,
        delivered: bool,
    },
}

impl Order {
    /// What of each piece of a part is picked and in no parcel yet.
    pub fn unpacked(&self, part: usize) -> Vec<Piece> {
        let own = self.parcels.iter().filter(|one| one.part == part && one.state.holds_goods());
        let packed: Vec<_> = own.flat_map(|one| &one.pieces).collect();
        let free = |piece: &Piece| {
            let same = packed.iter().filter(|one| (one.0, one.1) == (piece.line, piece.variant));
            let quantity = piece.picked - same.map(|one| one.2).sum::<i64>();
            Piece { quantity: quantity.max(0), ..*piece }
        };
        self.parts[part].pieces.iter().map(free).collect()
    }

    /// The pieces that go into a parcel.
    fn to_pack(&self, part: usize, named: Option<&[(usize, i64)]>) -> Result<Vec<(usize, usize, i64)>, Code> {
        let mut free = self.unpacked(part);
        free.retain(|piece| piece.quantity > 0);
        let Some(named) = named else {
            let all: Vec<_> = free.iter().map(|one| (one.line, one.variant, one.quantity)).collect();
            return if all.is_empty() { Err(Code::WrongState) } else { Ok(all) };
        };
        let mut pieces: Vec<(usize, usize, i64)> = Vec::new();
        for (variant, quantity) in named {
            let mut left = *quantity;
            for piece in free.iter_mut().filter(|piece| piece.variant == *variant) {
                let some = piece.quantity.min(left);
                if some > 0 {
                    piece.quantity -= some;
                    left -= some;
                    pieces.push((piece.line, piece.variant, some));
                }
            }
            if *quantity < 1 || left > 0 {
                return Err(Code::WrongState);
            }
        }
        pieces.sort_unstable();
        if pieces.is_empty() { Err(Code::Invalid) } else { Ok(pieces) }
    }

    fn packed(&self, part: usize) -> Vec<usize> {
        let parcels = self.parcels.iter().enumerate();
        let packed = parcels.filter(|(_, one)| one.part == part && one.state == State::Packed);
        packed.map(|(place, _)| place).collect()
    }

    /// The parcels in which a part leaves as a whole: if there are any, they hold everything.
    pub(super) fn parcels_of_whole(&self, part: usize) -> Result<Vec<usize>, Code> {
        let packed = self.packed(part);
        let held: i64 = packed.iter().map(|one| self.parcels[*one].held()).sum();
        let all: i64 = self.parts[part].pieces.iter().map(|piece| piece.quantity).sum();
        if !packed.is_empty() && held < all { Err(Code::WrongState) } else { Ok(packed) }
    }

    /// Parcels leave with a part.
    pub(super) fn send(&mut self, parcels: &[usize], part: usize) {
        for one in parcels {
            let parcel = &mut self.parcels[*one];
            (parcel.state, parcel.part) = (State::Shipped, part);
        }
    }

    /// Goods of a part were cancelled or refused: parcels that hold more than it has are unpacked, the last first.
    pub(super) fn unpack_what_is_gone(&mut self, part: usize) {
        let is_here = self.parts[part].state.is_at_location();
        let mut packed = self.packed(part);
        while let Some(last) = packed.last().copied() {
            let fits = self.parcels[last].pieces.iter().all(|(line, variant, _)| {
                let own = self.parts[part]
                    .pieces
                    .iter()
                    .filter(|piece| (piece.line, piece.variant) == (*line, *variant));
                let has: i64 = own.filter(|_| is_here).map(|piece| piece.picked).sum();
                let all = packed.iter().flat_map(|one| &self.parcels[*one].pieces);
                let held: i64 = all.filter(|one| (one.0, one.1) == (*line, *variant)).map(|one| one.2).sum();
                held <= has
            });
            packed.pop();
            if !fits {
                self.parcels[last].state = State::Void;
            }
        }
    }

    /// What was packed for somebody else is unpacked.
    pub(super) fn unpack_all(&mut self) {
        for parcel in self.parcels.iter_mut().filter(|one| one.state == State::Packed) {
            parcel.state = State::Void;
        }
    }
}

impl Parcel {
    fn held(&self) -> i64 {
        self.pieces.iter().map(|one| one.2).sum()
    }
}

impl Model {
    pub(super) fn go_on_with_parcels(&mut self, order: usize, step: &ParcelStep) -> Result<(), Code> {
        match step {
            ParcelStep::Pack { part, goods, by_van } => {
                self.pack_parcel((order, *part), goods.as_deref(), *by_van)
            }
            ParcelStep::Unpack(parcel) => {
                self.must_be_in(order, *parcel, State::Packed)?;
                self.order_mut(order).parcels[*parcel].state = State::Void;
                Ok(())
            }
            ParcelStep::Ship(parcel) => self.ship(order, *parcel),
            ParcelStep::Attempt { parcel, delivered } => self.attempt(order, *parcel, *delivered),
        }
    }

    fn must_be_in(&self, order: usize, parcel: usize, state: State) -> Result<(), Code> {
        if self.orders[order].parcels[parcel].state == state { Ok(()) } else { Err(Code::WrongState) }
    }

    fn pack_parcel(
        &mut self,
        (order, part): (usize, usize),
        named: Option<&[(usize, i64)]>,
        by_van: bool,
    ) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let one = &self.orders[order].parts[part];
        let location = one.location.ok_or(Code::WrongState)?;
        if one.kind != Kind::Ship || !one.state.is_at_location() || one.held.is_some() {
            return Err(Code::WrongState);
        }
        let pieces = self.orders[order].to_pack(part, named)?;
        let sold = self.order_mut(order);
        let (state, attempts, lost) = (State::Packed, 0, false);
        sold.parcels.push(Parcel { part, location, state, by_van, attempts, lost, pieces });
        let all_packed = sold.unpacked(part).iter().all(|piece| piece.quantity == 0);
        let one = &mut sold.parts[part];
        let all_picked = one.pieces.iter().all(|piece| piece.picked == piece.quantity);
        if all_packed && all_picked && one.state.leads_to(PartState::Packed) {
            one.go_to(PartState::Packed)?;
        }
        Ok(())
    }

    /// A parcel leaves. What is not in it stays, as a part of its own.
    fn ship(&mut self, order: usize, parcel: usize) -> Result<(), Code> {
        self.must_be_in(order, parcel, State::Packed)?;
        self.place_if_paid(order)?;
        let sold = &self.orders[order];
        let (own, mut part) = (sold.parcels[parcel].clone(), sold.parcels[parcel].part);
        let old = &sold.parts[part];
        if old.held.is_some() {
            return Err(Code::WrongState);
        }
        if own.held() < old.pieces.iter().map(|piece| piece.quantity).sum::<i64>() {
            let piece = |(line, variant, quantity): &(usize, usize, i64)| {
                let (line, variant, quantity) = (*line, *variant, *quantity);
                Piece { line, variant, quantity, picked: quantity }
            };
            let new = Part { pieces: own.pieces.iter().map(piece).collect(), ..old.clone() };
            for (line, variant, quantity) in &own.pieces {
                let pieces = self.part_mut(order, part).pieces.iter_mut();
                for piece in pieces.filter(|piece| (piece.line, piece.variant) == (*line, *variant)) {
                    piece.quantity -= quantity;
                    piece.picked -= quantity;
                }
            }
            self.part_mut(order, part).pieces.retain(|piece| piece.quantity > 0);
            part = self.orders[order].parts.len();
            self.add_parts(order, vec![new]);
        }
        self.leave(order, part)?;
        self.order_mut(order).send(&[parcel], part);
        Ok(())
    }

    /// A driver of our own van hands a parcel over, or brings it back after the last try.
    fn attempt(&mut self, order: usize, parcel: usize, delivered: bool) -> Result<(), Code> {
        self.must_be_in(order, parcel, State::Shipped)?;
        if !self.orders[order].parcels[parcel].by_van {
            return Err(Code::WrongState);
        }
        let sold = self.order_mut(order);
        let one = &mut sold.parcels[parcel];
        if delivered {
            one.state = State::Delivered;
            let part = one.part;
            let lost = one.lost;
            let mut own = sold.parcels.iter().filter(|one| one.part == part);
            if own.all(|one| matches!(one.state, State::Delivered | State::Void))
                && sold.parts[part].state == PartState::Shipped
            {
                sold.parts[part].state = PartState::Delivered;
            }
            self.found.extend(lost.then_some((order, parcel)));
            return Ok(());
        }
        one.attempts += 1;
        if one.attempts >= ATTEMPTS_MAX {
            one.state = State::Returned;
            let turned_up = if one.lost { &mut self.found } else { &mut self.brought_home };
            turned_up.push((order, parcel));
        }
        Ok(())
    }

    /// What a carrier brought home is taken back, as far as it can be without a person.
    pub(super) fn take_back_parcels(&mut self) {
        for (order, parcel) in std::mem::take(&mut self.brought_home) {
            let sold = &self.orders[order];
            let own = &sold.parcels[parcel];
            let pieces = |line: usize, variant: usize| -> i64 {
                own.pieces.iter().filter(|one| (one.0, one.1) == (line, variant)).map(|one| one.2).sum()
            };
            let units = |line: usize| {
                let takes = sold.lines[line].takes.iter();
                takes.map(|(variant, each)| pieces(line, *variant) / each).min().unwrap_or(0)
            };
            let lines = (0..sold.lines.len()).map(|line| (line, units(line), Condition::Inspect));
            let lines: Vec<_> = lines.filter(|(_, units, _)| *units > 0).collect();
            let mut tried = self.clone();
            if !lines.is_empty() && tried.take_back(order, own.location, &lines).is_ok() {
                *self = tried;
            }
        }
    }
}
