//! The model's goods on their way: picked, missed, packed, refused, offered, claimed, waiting in the pool, ready for their customer.

use std::collections::BTreeMap;

use domain::Code;
use domain::delivery::Kind;
use domain::fulfilment::State as PartState;
use domain::order::State;
use domain::stock::State as StockState;

use super::later::BACKORDERED;
use super::order::{Held, Part, Piece, Pieces, of_variants};
use super::stock::{Place, Reach, Taken, at, world};
use super::{Model, Step};

/// How long a location gives none of a variant to orders after a picker missed it.
pub const EXCLUDED_SECONDS: i64 = 86_400;
/// The most fulfilment orders one round looks at.
const ROUND: usize = 100;
/// How many rounds behind the first are looked at, at most.
const LOOKS: usize = 20;

impl Part {
    /// May the next state follow, and does nobody hold it?
    pub(super) fn go_to(&mut self, next: PartState) -> Result<(), Code> {
        if self.held.is_some() || !self.state.leads_to(next) {
            return Err(Code::WrongState);
        }
        self.state = next;
        Ok(())
    }

    fn begin_picking(&mut self) -> Result<usize, Code> {
        let location = self.location.ok_or(Code::WrongState)?;
        if self.state != PartState::Picking || self.held.is_some() {
            self.go_to(PartState::Picking)?;
        }
        Ok(location)
    }

    /// Which pieces so many of a variant are that are still to be picked: their places, and how many of each.
    fn unpicked(&self, variant: usize, quantity: i64) -> Result<Vec<(usize, i64)>, Code> {
        let mut left = quantity;
        let mut found = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate().filter(|(_, piece)| piece.variant == variant) {
            let part = (piece.quantity - piece.picked).min(left);
            if part > 0 {
                found.push((place, part));
                left -= part;
            }
        }
        if quantity < 1 || left > 0 { Err(Code::WrongState) } else { Ok(found) }
    }

    /// What is of each variant, counted in this way.
    pub fn by_variant(&self, count: impl Fn(&Piece) -> i64) -> BTreeMap<usize, i64> {
        let mut sum = BTreeMap::new();
        for piece in self.pieces.iter().filter(|piece| count(piece) > 0) {
            *sum.entry(piece.variant).or_insert(0) += count(piece);
        }
        sum
    }
}

impl Model {
    /// A step of a part of an order.
    pub(super) fn go_on_with(&mut self, order: usize, part: usize, step: &Step) -> Result<(), Code> {
        match step {
            Step::StartPicking => {
                self.must_be_placed(order)?;
                self.part_mut(order, part).go_to(PartState::Picking)
            }
            Step::Pick(found) => self.pick(order, part, found),
            Step::Miss(missing) => self.miss(order, part, missing),
            Step::Pack => self.pack(order, part),
            Step::MakeReady => self.make_ready(order, part),
            Step::Deliver => {
                let one = self.part_mut(order, part);
                if one.state == PartState::Delivered { Ok(()) } else { one.go_to(PartState::Delivered) }
            }
            Step::Hold => {
                let one = self.part_mut(order, part);
                if !one.state.is_open() {
                    return Err(Code::WrongState);
                }
                one.held = Some(Held::ByHand);
                Ok(())
            }
            Step::Release => {
                self.part_mut(order, part).held = None;
                Ok(())
            }
            Step::Reject => self.reject(order, part),
            Step::Offer { locations, seconds } => self.offer(order, part, (locations, *seconds)),
            Step::Claim { location } => self.claim(order, part, *location),
        }
    }

    pub(super) fn part_mut(&mut self, order: usize, part: usize) -> &mut Part {
        &mut self.order_mut(order).parts[part]
    }

    pub(super) fn must_be_placed(&self, order: usize) -> Result<(), Code> {
        if self.orders[order].state == State::Placed { Ok(()) } else { Err(Code::WrongState) }
    }

    fn move_all(&mut self, quantities: &BTreeMap<usize, i64>, way: (super::stock::Spot, super::stock::Spot)) {
        quantities.iter().for_each(|(variant, quantity)| self.stock.shift(*variant, way, *quantity));
    }

    fn pick(&mut self, order: usize, part: usize, found: &[(usize, i64)]) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let location = self.part_mut(order, part).begin_picking()?;
        for (variant, quantity) in found {
            let one = self.part_mut(order, part);
            for (place, picked) in one.unpicked(*variant, *quantity)? {
                one.pieces[place].picked += picked;
            }
            let way = (at(location, StockState::Committed), at(location, StockState::Picked));
            self.stock.shift(*variant, way, *quantity);
        }
        Ok(())
    }

    fn miss(&mut self, order: usize, part: usize, missing: &[(usize, i64)]) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let location = self.part_mut(order, part).begin_picking()?;
        let mut elsewhere = Pieces::new();
        for (variant, quantity) in missing {
            let one = self.part_mut(order, part);
            for (place, missed) in one.unpicked(*variant, *quantity)? {
                one.pieces[place].quantity -= missed;
                *elsewhere.entry((one.pieces[place].line, *variant)).or_insert(0) += missed;
            }
            let way = (at(location, StockState::Committed), at(location, StockState::Missing));
            self.stock.shift(*variant, way, *quantity);
            self.doubt(*variant, location);
        }
        self.end_if_empty(order, part, PartState::Rejected);
        self.go_elsewhere(order, elsewhere);
        Ok(())
    }

    /// A part of which nothing is left ends.
    pub(super) fn end_if_empty(&mut self, order: usize, part: usize, end: PartState) {
        let one = self.part_mut(order, part);
        one.pieces.retain(|piece| piece.quantity > 0);
        if one.pieces.is_empty() {
            one.state = end;
        }
    }

    fn pack(&mut self, order: usize, part: usize) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let one = self.part_mut(order, part);
        if one.pieces.iter().any(|piece| piece.picked < piece.quantity) {
            return Err(Code::WrongState);
        }
        one.go_to(PartState::Packed)
    }

    fn make_ready(&mut self, order: usize, part: usize) -> Result<(), Code> {
        self.must_be_placed(order)?;
        let sold = &self.orders[order];
        if sold.parts[part].kind != Kind::Pickup {
            return Err(Code::WrongState);
        }
        let collect_by = self.now + self.plan.channels[sold.channel].collect_seconds;
        let one = self.part_mut(order, part);
        one.go_to(PartState::Ready)?;
        one.collect_by = Some(collect_by);
        let location = one.location.ok_or(Code::WrongState)?;
        let rest = one.by_variant(|piece| piece.quantity - piece.picked);
        one.pieces.iter_mut().for_each(|piece| piece.picked = piece.quantity);
        self.move_all(&rest, (at(location, StockState::Committed), at(location, StockState::Picked)));
        Ok(())
    }

    fn reject(&mut self, order: usize, part: usize) -> Result<(), Code> {
        self.part_mut(order, part).go_to(PartState::Rejected)?;
        self.back_to_shelf(order, part);
        self.order_mut(order).unpack_what_is_gone(part);
        let pieces = &self.orders[order].parts[part].pieces;
        let elsewhere = pieces.iter().map(|piece| ((piece.line, piece.variant), piece.quantity)).collect();
        self.go_elsewhere(order, elsewhere);
        Ok(())
    }

    fn back_to_shelf(&mut self, order: usize, part: usize) {
        let one = &self.orders[order].parts[part];
        let location = one.location.expect("goods that lie at a location");
        let promised = one.by_variant(|piece| piece.quantity - piece.picked);
        let picked = one.by_variant(|piece| piece.picked);
        let shelf = at(location, StockState::Available);
        self.move_all(&promised, (at(location, StockState::Committed), shelf));
        self.move_all(&picked, (at(location, StockState::Picked), shelf));
    }

    /// From where goods of an order may come now: not from a location that refused them.
    pub(super) fn reach_now(&self, order: usize) -> Reach {
        let sold = &self.orders[order];
        let mut reach = match sold.place {
            Some(location) => Reach::counter(location),
            None => self.reach(sold.channel),
        };
        let refused = sold.parts.iter().filter(|part| part.state == PartState::Rejected);
        let refused: Vec<usize> = refused.filter_map(|part| part.location).collect();
        reach.locations.retain(|location| !refused.contains(location));
        reach
    }

    /// Pieces a location does not give are taken from elsewhere as far as they can be had; the rest waits in the pool.
    pub(super) fn go_elsewhere(&mut self, order: usize, pieces: Pieces) {
        let reach = self.reach_now(order);
        let rest = self.take_what_there_is(order, &reach, pieces);
        if rest.is_empty() {
            return;
        }
        let one = Part::new(None, (self.orders[order].kind, PartState::Unrouted), rest);
        self.move_all(&one.by_variant(|piece| piece.quantity), (world(StockState::Demand), POOL));
        self.add_parts(order, vec![one]);
    }

    /// Adds parts, each with the next number.
    pub(super) fn add_parts(&mut self, order: usize, parts: Vec<Part>) {
        for mut part in parts {
            (part.number, part.made_at) = (self.made_parts, self.now);
            self.made_parts += 1;
            self.order_mut(order).parts.push(part);
        }
    }

    /// Takes what there is and opens parts for it; what the location lacks where it is collected is sent there. What nobody has is
    /// answered.
    pub(super) fn take_what_there_is(&mut self, order: usize, reach: &Reach, wanted: Pieces) -> Pieces {
        let (here, rest) = self.take_pieces(reach, wanted);
        let senders = self.senders(order, reach);
        let (coming, rest) =
            senders.map_or((BTreeMap::new(), rest.clone()), |senders| self.take_pieces(&senders, rest));
        if coming.is_empty() {
            let as_made = (self.orders[order].kind, PartState::Open);
            let opened =
                here.into_iter().map(|(location, pieces)| Part::new(Some(location), as_made, pieces));
            let opened: Vec<Part> = opened.collect();
            self.add_parts(order, opened);
        } else {
            self.await_goods(order, here, coming);
        }
        rest
    }

    /// Takes as many pieces as can be promised: what each location gives, and what is not there.
    fn take_pieces(&mut self, reach: &Reach, mut wanted: Pieces) -> (BTreeMap<usize, Pieces>, Pieces) {
        let mut demand = of_variants(&wanted);
        for (variant, asked) in &mut demand {
            *asked = self.promisable(reach, *variant).min(*asked);
        }
        demand.retain(|_, asked| *asked > 0);
        let mut taken = self.allocate(reach, &demand, StockState::Committed);
        let mut places: BTreeMap<usize, Pieces> = BTreeMap::new();
        for ((line, variant), missing) in &mut wanted {
            for Taken { location, quantity, .. } in taken.iter_mut().filter(|one| one.variant == *variant) {
                let part = (*quantity).min(*missing);
                if part > 0 {
                    *quantity -= part;
                    *missing -= part;
                    *places.entry(*location).or_default().entry((*line, *variant)).or_insert(0) += part;
                }
            }
        }
        wanted.retain(|_, missing| *missing > 0);
        (places, wanted)
    }

    fn offer(
        &mut self,
        order: usize,
        part: usize,
        (locations, seconds): (&[usize], i64),
    ) -> Result<(), Code> {
        if locations.is_empty() || seconds <= 0 {
            return Err(Code::Invalid);
        }
        let until = self.now + seconds;
        let one = &self.orders[order].parts[part];
        if one.state == PartState::Open && one.held.is_none() {
            self.back_to_shelf(order, part);
            let one = self.part_mut(order, part);
            (one.location, one.state) = (None, PartState::Unrouted);
            let wanted = one.by_variant(|piece| piece.quantity);
            self.move_all(&wanted, (world(StockState::Demand), POOL));
        }
        let one = self.part_mut(order, part);
        one.go_to(PartState::Offered)?;
        for location in locations {
            one.offers.insert(*location, until);
        }
        Ok(())
    }

    fn claim(&mut self, order: usize, part: usize, location: usize) -> Result<(), Code> {
        let now = self.now;
        let one = self.part_mut(order, part);
        if one.offers.get(&location).is_none_or(|until| *until <= now) {
            return Err(Code::WrongState);
        }
        if one.not_before.is_some_and(|at| at > now) {
            return Err(Code::WrongState);
        }
        one.go_to(PartState::Claimed)?;
        let later = one.later;
        one.location = Some(location);
        one.offers.clear();
        let wanted = one.by_variant(|piece| piece.quantity);
        let shelf = at(location, StockState::Available);
        if wanted.iter().any(|(variant, quantity)| self.stock.count(*variant, shelf) < *quantity) {
            return Err(Code::OutOfStock);
        }
        wanted.iter().for_each(|(variant, quantity)| self.leave_queue(later, *variant, *quantity));
        self.move_all(&wanted, (shelf, at(location, StockState::Committed)));
        Ok(())
    }

    /// Offers whose time is over end; what waits is served, the longest waiting first, so many in a round. Those behind are looked at when
    /// nothing moved. True when there may be more.
    pub(super) fn route_waiting(&mut self) -> bool {
        self.withdraw_offers();
        let mut after = None;
        for _ in 0..LOOKS {
            let round = self.servable(after);
            let mut moved = false;
            for (_, order, part) in &round {
                moved |= self.route(*order, *part);
            }
            after = round.last().map(|(number, ..)| *number);
            if round.len() < ROUND || moved {
                return moved && round.len() == ROUND;
            }
        }
        false
    }

    /// Goods that came are given to those who wait: a round for each time some came. How often there may be more.
    pub(super) fn serve_who_waits(&mut self, times: usize) -> usize {
        (0..times).filter(|_| self.route_waiting()).count()
    }

    /// The parts that wait for goods of which some location has any, the longest waiting first, after one; no more than one round.
    fn servable(&self, after: Option<u64>) -> Vec<(u64, usize, usize)> {
        let lies = |variant: usize| {
            let places = 0..self.plan.locations.len();
            places.into_iter().any(|place| self.stock.count(variant, at(place, StockState::Available)) > 0)
        };
        let mut waiting: Vec<(u64, usize, usize)> = Vec::new();
        for (number, order) in self.orders.iter().enumerate() {
            let servable = |part: &Part| {
                part.state == PartState::Unrouted
                    && part.held.is_none()
                    && after.is_none_or(|after| part.number > after)
                    && part.not_before.is_none_or(|at| at <= self.now)
                    && part.pieces.iter().any(|piece| piece.quantity > 0 && lies(piece.variant))
            };
            let parts = order.parts.iter().enumerate().filter(|(_, part)| servable(part));
            waiting.extend(parts.map(|(place, part)| (part.number, number, place)));
        }
        waiting.sort_unstable();
        waiting.truncate(ROUND);
        waiting
    }

    fn withdraw_offers(&mut self) {
        let now = self.now;
        for number in 0..self.orders.len() {
            for place in 0..self.orders[number].parts.len() {
                if !self.orders[number].parts[place].offers.values().any(|until| *until <= now) {
                    continue;
                }
                let one = self.part_mut(number, place);
                one.offers.clear();
                if one.state == PartState::Offered {
                    one.state = PartState::Unrouted;
                }
            }
        }
    }

    fn route(&mut self, order: usize, part: usize) -> bool {
        let one = self.orders[order].parts[part].clone();
        let pieces = self.entitled(&one);
        let wanted = of_variants(&pieces);
        let reach = Reach { ahead: Some(self.ahead_of(&one)), ..self.reach_now(order) };
        let can_be_had = |reach: &Reach| wanted.keys().any(|variant| self.promisable(reach, *variant) > 0);
        if !can_be_had(&reach) && !self.senders(order, &reach).is_some_and(|senders| can_be_had(&senders)) {
            return false;
        }
        let promised = if one.later.is_some() { BACKORDERED } else { POOL };
        self.move_all(&wanted, (promised, world(StockState::Demand)));
        let rest = self.take_what_there_is(order, &reach, pieces.clone());
        let own = self.part_mut(order, part);
        for piece in &mut own.pieces {
            let of = |pieces: &Pieces| pieces.get(&(piece.line, piece.variant)).copied().unwrap_or(0);
            piece.quantity -= of(&pieces) - of(&rest);
        }
        self.move_all(&of_variants(&rest), (world(StockState::Demand), promised));
        self.end_if_empty(order, part, PartState::Cancelled);
        true
    }

    /// How many of each variant those get who wait longer than a part.
    fn ahead_of(&self, one: &Part) -> BTreeMap<usize, i64> {
        let ahead = |variant: usize| {
            let (pool, later) = self.longer(one.number, variant);
            (variant, pool + later.min(self.stock.count(variant, BACKORDERED)))
        };
        one.by_variant(|piece| piece.quantity).into_keys().map(ahead).collect()
    }

    /// What nobody came for in time is cancelled; a part of a set whose rest is elsewhere is held for a person to decide.
    pub(super) fn expire_uncollected(&mut self) {
        for number in 0..self.orders.len() {
            for place in 0..self.orders[number].parts.len() {
                let one = &self.orders[number].parts[place];
                let late = one.collect_by.is_some_and(|by| by <= self.now);
                if one.state != PartState::Ready || one.held.is_some() || !late {
                    continue;
                }
                self.part_mut(number, place).no_show = true;
                if !self.cancel_part(number, place) {
                    self.part_mut(number, place).held = Some(Held::NotCollected);
                }
            }
        }
    }

    /// A count found that promised pieces are not there: they are taken from elsewhere for their orders, the youngest part first.
    pub(super) fn promise_fewer(&mut self, (variant, location): (usize, usize), mut lost: i64) {
        let mut promised: Vec<(u64, usize, usize)> = Vec::new();
        for (number, order) in self.orders.iter().enumerate() {
            let parts = order.parts.iter().enumerate();
            let here = parts.filter(|(_, part)| {
                part.location == Some(location)
                    && (part.state.is_at_location() || part.state == PartState::AwaitingTransfer)
            });
            promised.extend(here.map(|(place, part)| (part.number, number, place)));
        }
        promised.sort_unstable_by(|a, b| b.cmp(a));
        for (_, order, place) in promised {
            let mut elsewhere = Pieces::new();
            let mut there = self.committed_there((order, place), variant);
            for piece in &mut self.part_mut(order, place).pieces {
                let freed = (piece.quantity - piece.picked).min(lost).min(there);
                if piece.variant == variant && freed > 0 {
                    piece.quantity -= freed;
                    lost -= freed;
                    there -= freed;
                    *elsewhere.entry((piece.line, variant)).or_insert(0) += freed;
                }
            }
            let freed = elsewhere.values().sum();
            if freed > 0 {
                let way = (at(location, StockState::Committed), world(StockState::Shrinkage));
                self.stock.shift(variant, way, freed);
                self.end_if_empty(order, place, PartState::Rejected);
                self.go_elsewhere(order, elsewhere);
            }
        }
    }

    /// Locations give again what a picker missed there, when the time for it is over.
    pub(super) fn end_exclusions(&mut self) {
        let now = self.now;
        self.stock.excluded.retain(|_, until| *until > now);
    }
}

/// Where pieces are promised that lie at no location yet.
pub const POOL: super::stock::Spot = (Place::Network, StockState::PoolCommitted);
