//! The model's shelves: how many pieces lie where, what is held for whom, and what can be promised.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::stock::State;
use engine::stock::AdjustReason;

use super::{Model, Plan};

/// Where pieces are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The other side of every change.
    World,
    /// Promised, not yet at a shelf.
    Network,
    Location(usize),
}

/// A place and a state there.
pub type Spot = (Place, State);

/// Pieces set aside until an instant.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Rises with every hold made.
    number: u64,
    pub variant: usize,
    from: Spot,
    held: Spot,
    pub amount: i64,
    expires_at: i64,
}

/// All pieces of the shop.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// How many of which variant are where; nothing is not noted.
    pub amounts: BTreeMap<(usize, Spot), i64>,
    safety: BTreeMap<(usize, usize), i64>,
    /// Where a picker missed a variant, so that it is not given to orders until then.
    pub excluded: BTreeMap<(usize, usize), i64>,
    /// What carts hold now, by cart and variant.
    pub held_for: BTreeMap<(usize, usize), Hold>,
    /// What changes of orders keep, by order and change.
    kept_for: BTreeMap<(usize, usize), Vec<Hold>>,
    /// What was ever set aside by hand; none once it ended.
    pub asides: Vec<Option<Hold>>,
    /// How many holds were made.
    made_holds: u64,
    /// The instant of what moves now.
    pub now: i64,
    /// How many pieces of a variant were on the shelf and missing at a location after each instant at which that changed.
    seen: BTreeMap<(usize, usize), Rc<Vec<Seen>>>,
}

/// An instant, the pieces on the shelf after it, and those missing.
type Seen = (i64, i64, i64);

impl Stock {
    /// How many are there.
    pub fn count(&self, variant: usize, spot: Spot) -> i64 {
        self.amounts.get(&(variant, spot)).copied().unwrap_or(0)
    }

    /// Moves pieces.
    pub fn shift(&mut self, variant: usize, (from, to): (Spot, Spot), amount: i64) {
        assert!(amount > 0, "{amount} pieces moved");
        for (spot, change) in [(from, -amount), (to, amount)] {
            let count = self.amounts.entry((variant, spot)).or_insert(0);
            *count += change;
            assert!(spot.0 == Place::World || *count >= 0, "variant {variant} at {spot:?}: {count}");
            if *count == 0 {
                self.amounts.remove(&(variant, spot));
            }
        }
        for (place, _) in [from, to] {
            if let Place::Location(location) = place {
                self.see(variant, location);
            }
        }
    }

    /// Notes what lies at a location now. On the shelf is what is free, held or committed.
    fn see(&mut self, variant: usize, location: usize) {
        let count = |state| self.count(variant, at(location, state));
        let shelf = count(State::Available) + count(State::Held) + count(State::Committed);
        let now = (self.now, shelf, count(State::Missing));
        let seen = Rc::make_mut(self.seen.entry((variant, location)).or_default());
        match seen.last_mut() {
            Some(last) if last.0 == self.now => *last = now,
            _ => seen.push(now),
        }
    }

    fn seen(&self, spot: (usize, usize)) -> &[Seen] {
        self.seen.get(&spot).map_or(&[], |seen| seen.as_slice())
    }

    /// How many pieces were on the shelf and missing after an instant.
    pub fn as_of(&self, spot: (usize, usize), instant: i64) -> (i64, i64) {
        let before = self.seen(spot).iter().rfind(|(at, ..)| *at <= instant);
        before.map_or((0, 0), |(_, shelf, missing)| (*shelf, *missing))
    }

    /// The fewest and the most pieces on the shelf from one instant to another.
    pub fn span(&self, spot: (usize, usize), (first, last): (i64, i64)) -> (i64, i64) {
        let at_first = self.as_of(spot, first).0;
        let meanwhile = self.seen(spot).iter().filter(|(at, ..)| (first + 1..=last).contains(at));
        meanwhile
            .fold((at_first, at_first), |(least, most), (_, shelf, _)| (least.min(*shelf), most.max(*shelf)))
    }

    fn new_hold(&mut self, variant: usize, (from, held): (Spot, Spot), amount: i64, expires_at: i64) -> Hold {
        self.made_holds += 1;
        Hold { number: self.made_holds, variant, from, held, amount, expires_at }
    }

    /// Gives back what is held of a variant at a location, the newest hold first, until so many pieces are free.
    pub fn let_go(&mut self, (variant, location): (usize, usize), pieces: i64) {
        let here = |hold: &Hold| hold.variant == variant && hold.held == at(location, State::Held);
        let of_carts = self.held_for.values().filter(|hold| here(hold));
        let by_hand = self.asides.iter().flatten().filter(|hold| here(hold));
        let of_changes = self.kept_for.values().flatten().filter(|hold| here(hold));
        let mut holds: Vec<Hold> = of_carts.chain(by_hand).chain(of_changes).cloned().collect();
        holds.sort_by_key(|hold| std::cmp::Reverse(hold.number));
        let mut free = 0;
        for hold in holds {
            if free >= pieces {
                break;
            }
            free += hold.amount;
            self.held_for.retain(|_, one| one.number != hold.number);
            self.asides.iter_mut().for_each(|aside| {
                aside.take_if(|one| one.number == hold.number);
            });
            for kept in self.kept_for.values_mut() {
                kept.retain(|one| one.number != hold.number);
            }
            self.end_hold(&hold);
        }
    }

    /// Keeps pieces for a change of an order until it is over.
    pub fn keep_for(&mut self, change: (usize, usize), variant: usize, way: (Spot, Spot), amount: i64) {
        self.shift(variant, way, amount);
        let hold = self.new_hold(variant, way, amount, i64::MAX);
        self.kept_for.entry(change).or_default().push(hold);
    }

    /// What is kept for a change goes back.
    pub fn release_change(&mut self, change: (usize, usize)) {
        for hold in self.kept_for.remove(&change).unwrap_or_default() {
            self.end_hold(&hold);
        }
    }

    /// Moves pieces, unless there are none to move.
    pub fn shift_some(&mut self, variant: usize, way: (Spot, Spot), amount: i64) {
        if amount > 0 {
            self.shift(variant, way, amount);
        }
    }

    /// Moves pieces, if so many are there.
    pub fn shift_if_there(
        &mut self,
        variant: usize,
        (from, to): (Spot, Spot),
        amount: i64,
    ) -> Result<(), Code> {
        if from.0 != Place::World && self.count(variant, from) < amount {
            return Err(Code::OutOfStock);
        }
        self.shift(variant, (from, to), amount);
        Ok(())
    }

    fn end_hold(&mut self, hold: &Hold) {
        self.shift(hold.variant, (hold.held, hold.from), hold.amount);
    }

    /// Everything a cart holds goes back to where it came from.
    pub fn release_cart(&mut self, cart: usize) {
        for hold in self.held_by(cart) {
            self.held_for.remove(&(cart, hold.variant));
            self.end_hold(&hold);
        }
    }

    /// What a cart holds.
    pub fn held_by(&self, cart: usize) -> Vec<Hold> {
        self.held_for.range((cart, 0)..(cart + 1, 0)).map(|(_, hold)| hold.clone()).collect()
    }
}

/// From where pieces can be promised: one location, down to its last piece; or all that ship, less what must stay there, what is promised
/// already, and what this channel never sells.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The best first.
    pub locations: Vec<usize>,
    /// One location must serve it.
    pub pinned: bool,
    pub threshold: i64,
    /// For pieces that wait in the pool: how many of each variant wait there longer. Only those go before them.
    pub ahead: Option<BTreeMap<usize, i64>>,
}

impl Reach {
    pub fn counter(location: usize) -> Reach {
        Reach { locations: vec![location], pinned: true, threshold: 0, ahead: None }
    }
}

/// So many of a variant from a location.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub location: usize,
    pub variant: usize,
    pub quantity: i64,
}

/// The world's side of a state.
pub const fn world(state: State) -> Spot {
    (Place::World, state)
}

/// A state at a location.
pub const fn at(location: usize, state: State) -> Spot {
    (Place::Location(location), state)
}

/// What lines take from shelves together.
pub fn demand(plan: &Plan, lines: &[(usize, i64)]) -> BTreeMap<usize, i64> {
    let mut sum = BTreeMap::new();
    for (variant, quantity) in lines {
        for (part, each) in &plan.variants[*variant].takes {
            *sum.entry(*part).or_insert(0) += each * quantity;
        }
    }
    sum
}

impl Model {
    /// All locations that ship.
    pub fn network(&self, threshold: i64) -> Reach {
        let all = self.plan.locations.iter().enumerate();
        let locations = all.filter(|(_, location)| location.can_ship).map(|(number, _)| number).collect();
        Reach { locations, pinned: false, threshold, ahead: None }
    }

    /// How many of a variant a location gives.
    pub(super) fn free(&self, reach: &Reach, variant: usize, location: usize) -> i64 {
        let there = self.stock.count(variant, at(location, State::Available));
        if reach.pinned {
            return there;
        }
        if self.stock.excluded.contains_key(&(variant, location)) {
            return 0;
        }
        (there - self.stock.safety.get(&(variant, location)).copied().unwrap_or(0)).max(0)
    }

    /// How many of a variant can be promised.
    pub fn promisable(&self, reach: &Reach, variant: usize) -> i64 {
        let free: i64 = reach.locations.iter().map(|location| self.free(reach, variant, *location)).sum();
        if reach.pinned {
            return free.max(0);
        }
        let held = self.stock.count(variant, (Place::Network, State::PoolHeld));
        let sold = match &reach.ahead {
            Some(ahead) => ahead.get(&variant).copied().unwrap_or(0),
            None => {
                let sold = |state| self.stock.count(variant, (Place::Network, state));
                sold(State::PoolCommitted) + sold(State::Backordered)
            }
        };
        (free - held - sold - reach.threshold).max(0)
    }

    /// Takes what is asked from the locations that serve it: one that has everything, the best first; else each variant from the
    /// first that has all of it; else what each has, the best first.
    pub fn take(
        &mut self,
        reach: &Reach,
        demand: &BTreeMap<usize, i64>,
        to: State,
    ) -> Result<Vec<Taken>, Code> {
        if demand.iter().any(|(variant, asked)| self.promisable(reach, *variant) < *asked) {
            return Err(Code::OutOfStock);
        }
        Ok(self.allocate(reach, demand, to))
    }

    /// Takes what can be promised.
    pub fn allocate(&mut self, reach: &Reach, demand: &BTreeMap<usize, i64>, to: State) -> Vec<Taken> {
        let locations = &reach.locations;
        let gives = |location: &&usize, variant: &usize, asked: &i64| {
            self.free(reach, *variant, **location) >= *asked
        };
        let one =
            locations.iter().find(|place| demand.iter().all(|(variant, asked)| gives(place, variant, asked)));
        let mut taken = Vec::new();
        for (variant, asked) in demand {
            let first = one.or_else(|| locations.iter().find(|place| gives(place, variant, asked)));
            let mut left = *asked;
            for location in first.map_or(locations.as_slice(), std::slice::from_ref) {
                let quantity = self.free(reach, *variant, *location).min(left);
                if quantity > 0 {
                    taken.push(Taken { location: *location, variant: *variant, quantity });
                    left -= quantity;
                }
            }
            assert_eq!(left, 0, "what can be promised can be taken");
        }
        for part in &taken {
            let spot = if to.code() >= State::Supplier.code() { world(to) } else { at(part.location, to) };
            self.stock.shift(part.variant, (at(part.location, State::Available), spot), part.quantity);
        }
        taken
    }

    /// Holds exactly this for a cart.
    pub fn hold_exactly(
        &mut self,
        cart: usize,
        demand: &BTreeMap<usize, i64>,
        (channel, reach): (usize, &Reach),
        expires_at: i64,
    ) -> Result<(), Code> {
        for hold in self.stock.held_by(cart) {
            if demand.get(&hold.variant) != Some(&hold.amount) {
                self.stock.held_for.remove(&(cart, hold.variant));
                self.stock.end_hold(&hold);
            }
        }
        for (variant, asked) in demand {
            if self.stock.held_for.contains_key(&(cart, *variant)) {
                continue;
            }
            // What is not there and is sold all the same is judged anew at the checkout.
            let missing = self.missing_of((channel, reach), (*variant, *asked));
            let amount = &(asked - missing.map_or(0, |(missing, _)| missing));
            if self.promisable(reach, *variant) < *amount {
                return Err(Code::OutOfStock);
            }
            if *amount == 0 {
                continue;
            }
            let (from, held) = if reach.pinned {
                (at(reach.locations[0], State::Available), at(reach.locations[0], State::Held))
            } else {
                (world(State::Demand), (Place::Network, State::PoolHeld))
            };
            self.stock.shift(*variant, (from, held), *amount);
            let hold = self.stock.new_hold(*variant, (from, held), *amount, expires_at);
            self.stock.held_for.insert((cart, *variant), hold);
        }
        for hold in self.stock.held_for.range_mut((cart, 0)..(cart + 1, 0)) {
            hold.1.expires_at = expires_at;
        }
        Ok(())
    }

    /// Holds whose time ran out go back.
    pub fn expire_holds(&mut self) {
        let now = self.now;
        let due = |hold: &Hold| hold.expires_at <= now;
        let carts: Vec<_> =
            self.stock.held_for.iter().filter(|(_, hold)| due(hold)).map(|(key, _)| *key).collect();
        let asides = self.stock.asides.iter_mut().filter_map(|aside| aside.take_if(|hold| due(hold)));
        let mut over: Vec<Hold> = asides.collect();
        over.extend(carts.iter().filter_map(|key| self.stock.held_for.remove(key)));
        over.iter().for_each(|hold| self.stock.end_hold(hold));
    }

    pub(super) fn must_be_stocked(&self, variant: usize) -> Result<(), Code> {
        if self.plan.variants[variant].stocked { Ok(()) } else { Err(Code::NotFound) }
    }

    pub(super) fn receive(
        &mut self,
        (variant, location): (usize, usize),
        quantity: i64,
        state: State,
    ) -> Result<(), Code> {
        if !matches!(state, State::Available | State::Quality | State::Damaged) {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        if !self.plan.locations[location].can_receive {
            return Err(Code::WrongState);
        }
        if state == State::Available {
            self.come_unannounced(variant, quantity);
        }
        self.stock.shift(variant, (world(State::Supplier), at(location, state)), quantity);
        Ok(())
    }

    pub(super) fn adjust(
        &mut self,
        (variant, location): (usize, usize),
        change: i64,
        reason: AdjustReason,
    ) -> Result<(), Code> {
        if change == 0 {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        let other = match reason {
            AdjustReason::Scrapped | AdjustReason::OwnUse => State::Scrap,
            _ if change > 0 => State::Found,
            _ => State::Shrinkage,
        };
        let (shelf, other) = (at(location, State::Available), world(other));
        let way = if change > 0 { (other, shelf) } else { (shelf, other) };
        self.stock.shift_if_there(variant, way, change.abs())
    }

    pub(super) fn set(
        &mut self,
        (variant, location): (usize, usize),
        quantity: i64,
        expected: Option<i64>,
    ) -> Result<(), Code> {
        if quantity < 0 {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        let there = self.stock.count(variant, at(location, State::Available));
        if expected.is_some_and(|expected| expected != there) {
            return Err(Code::Stale);
        }
        if quantity == there {
            return Ok(());
        }
        self.adjust((variant, location), quantity - there, AdjustReason::Correction)
    }

    pub(super) fn move_state(
        &mut self,
        (variant, location): (usize, usize),
        (from, to): (State, State),
        quantity: i64,
    ) -> Result<(), Code> {
        let by_hand = [State::Available, State::Damaged, State::Quality, State::Display, State::Missing];
        if !by_hand.contains(&from) || !by_hand.contains(&to) || from == to {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        if to == State::Available {
            self.come_unannounced(variant, quantity);
        }
        self.stock.shift_if_there(variant, (at(location, from), at(location, to)), quantity)
    }

    pub(super) fn set_safety(
        &mut self,
        (variant, location): (usize, usize),
        safety: i64,
    ) -> Result<(), Code> {
        if safety < 0 {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        self.stock.safety.insert((variant, location), safety);
        Ok(())
    }

    pub(super) fn set_aside(
        &mut self,
        (variant, location): (usize, usize),
        amount: i64,
        seconds: i64,
    ) -> Result<(), Code> {
        if seconds <= 0 {
            return Err(Code::Invalid);
        }
        self.must_be_stocked(variant)?;
        let (from, held) = (at(location, State::Available), at(location, State::Held));
        self.stock.shift_if_there(variant, (from, held), amount)?;
        let expires_at = self.now + seconds;
        let hold = self.stock.new_hold(variant, (from, held), amount, expires_at);
        self.stock.asides.push(Some(hold));
        Ok(())
    }

    pub(super) fn release(&mut self, aside: usize) -> Result<(), Code> {
        let hold = self.stock.asides[aside].take().ok_or(Code::HoldNotOpen)?;
        self.stock.end_hold(&hold);
        Ok(())
    }
}
