//! What can be promised: per location and for a whole channel, from shelves, safety stock, promises not yet at a shelf, and thresholds.

use std::collections::{BTreeMap, HashMap};

use domain::actor::{Actor, Permission};
use domain::ledger::AccountKey;
use domain::stock::selling::Claims;
use domain::stock::{self, Shelf, State};
use domain::value::Id;
use domain::value::id::{Location, Network, Variant};
use store::catalogue::Variant as Loaded;
use store::ledger::HoldRow;
use store::location::Site;
use store::market::Channel;
use store::{Tx, stock as rows};

use crate::Failure;

/// So many places are looked up one by one, whatever there is beside them.
const PLACES_FEW: usize = 4;
/// They are looked up, too, where there are so many times more beside them: an account that is looked up costs about half as much again as one
/// that is read in the order of its book.
const TIMES_MORE: i64 = 4;

/// From where a channel can take goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The channel's network, which keeps its promises.
    pub network: Id<Network>,
    /// Networks that share a location with it, itself among them: their promises count too.
    pub overlapping: Vec<Id<Network>>,
    /// The locations, best first.
    pub locations: Vec<Id<Location>>,
    /// One location only, at the counter: safety stock and threshold do not bind there.
    pub pinned: bool,
    /// What the channel never sells.
    pub threshold: i64,
    /// For goods that wait already: who waits longer. Promises to others of the same queue do not count then.
    pub ahead: Option<Ahead>,
}

/// Those who wait longer in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Whose queue it is.
    pub network: Id<Network>,
    /// How many of each variant are promised to them.
    pub pieces: BTreeMap<Id<Variant>, i64>,
}

/// The reach of a channel: a till's own location, or the active shipping locations of its network by rank.
///
/// # Errors
/// What the store says.
pub fn reach(tx: &mut Tx<'_>, channel: &Channel) -> Result<Reach, Failure> {
    if let Some(location) = channel.location {
        return Ok(pinned(channel, location));
    }
    let sites = store::location::sites(tx, channel.network)?;
    reach_among(tx, channel, &sites)
}

/// The same where the sites of the channel's network are known.
pub(crate) fn reach_among(tx: &mut Tx<'_>, channel: &Channel, sites: &[Site]) -> Result<Reach, Failure> {
    if let Some(location) = channel.location {
        return Ok(pinned(channel, location));
    }
    Ok(Reach {
        network: channel.network,
        overlapping: store::location::overlapping_networks(tx, channel.network)?,
        locations: sites.iter().filter(|site| site.can_ship).map(|site| site.id).collect(),
        pinned: false,
        threshold: channel.stock_threshold,
        ahead: None,
    })
}

/// The reach of an order that one location must serve: a till, a pickup store.
pub fn pinned(channel: &Channel, location: Id<Location>) -> Reach {
    Reach {
        network: channel.network,
        overlapping: vec![channel.network],
        locations: vec![location],
        pinned: true,
        threshold: 0,
        ahead: None,
    }
}

/// The stock of several variants as a reach sees it.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    shelves: HashMap<Id<Variant>, Shelves>,
    claims: HashMap<Id<Variant>, Claims>,
    threshold: i64,
    pinned: bool,
}

/// The shelves of one variant, twice: there may be a thousand of them, and they are asked for in both ways.
#[derive(Clone, Debug, Default)]
struct Shelves {
    /// Best location first.
    ranked: Vec<(usize, Shelf)>,
    /// By location.
    placed: Vec<Shelf>,
}

impl Shelves {
    fn sort(&mut self) {
        self.placed = self.ranked.iter().map(|(_, shelf)| *shelf).collect();
        self.placed.sort_unstable_by_key(|shelf| shelf.location);
        self.ranked.sort_unstable_by_key(|(rank, _)| *rank);
    }
}

impl Picture {
    /// The picture of shelves as somebody imagines them.
    pub fn of_shelves(imagined: impl Iterator<Item = (Id<Variant>, Shelf)>) -> Picture {
        let mut picture = Picture::default();
        for (rank, (variant, shelf)) in imagined.enumerate() {
            picture.shelves.entry(variant).or_default().ranked.push((rank, shelf));
        }
        picture.shelves.values_mut().for_each(Shelves::sort);
        picture
    }

    /// The shelves of a variant within the reach, best location first.
    pub fn shelves(&self, variant: Id<Variant>) -> impl Iterator<Item = &Shelf> {
        let known = self.shelves.get(&variant);
        known.into_iter().flat_map(|shelves| &shelves.ranked).map(|(_, shelf)| shelf)
    }

    /// The shelf of a variant at a location within the reach.
    pub fn shelf(&self, variant: Id<Variant>, location: Id<Location>) -> Option<&Shelf> {
        let placed = &self.shelves.get(&variant)?.placed;
        let found = placed.binary_search_by_key(&location, |shelf| shelf.location).ok()?;
        placed.get(found)
    }

    /// The shelves at each of these locations, in the order of these variants. Locations and shelves are walked side by side, which for many
    /// of them is much faster than asking for each.
    pub fn shelves_at<'p>(
        &'p self,
        locations: &[Id<Location>],
        variants: impl Iterator<Item = Id<Variant>>,
    ) -> Vec<Vec<(Id<Variant>, &'p Shelf)>> {
        let mut sorted: Vec<(Id<Location>, usize)> = locations.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut found = vec![Vec::new(); locations.len()];
        for variant in variants {
            let Some(shelves) = self.shelves.get(&variant) else { continue };
            let mut placed = shelves.placed.iter().peekable();
            for (location, place) in &sorted {
                while placed.next_if(|shelf| shelf.location < *location).is_some() {}
                if let Some(shelf) = placed.next_if(|shelf| shelf.location == *location) {
                    found[*place].push((variant, shelf));
                }
            }
        }
        found
    }

    /// How many of a variant can be promised.
    pub fn promisable(&self, variant: Id<Variant>) -> i64 {
        let claims = self.claims(variant);
        let (held, sold) =
            if self.pinned { (0, 0) } else { (claims.held, claims.committed + claims.backordered) };
        stock::promisable(claims.free, held, sold, self.threshold)
    }

    /// How many of a variant can be promised if a location gives none.
    pub fn promisable_without(&self, variant: Id<Variant>, location: Id<Location>) -> i64 {
        let claims = self.claims(variant);
        let free = claims.free - self.shelf(variant, location).map_or(0, Shelf::free);
        stock::promisable(free, claims.held, claims.committed + claims.backordered, self.threshold)
    }

    /// What the books say of a variant where the reach sells from.
    pub fn claims(&self, variant: Id<Variant>) -> Claims {
        let free = self.shelves(variant).map(Shelf::free).sum();
        Claims { free, ..self.claims.get(&variant).copied().unwrap_or_default() }
    }
}

/// The ranks of a reach's locations. Accounts come variant by variant in the order of locations, so most look-ups are no search.
struct Ranks {
    by_location: Vec<([u8; 16], usize)>,
    next: usize,
}

impl Ranks {
    fn of_reach(reach: &Reach) -> Ranks {
        let ranked = reach.locations.iter().enumerate();
        let mut by_location: Vec<_> = ranked.map(|(rank, location)| (location.bytes(), rank)).collect();
        by_location.sort_unstable();
        Ranks { by_location, next: 0 }
    }

    fn of(&mut self, place: [u8; 16]) -> Option<usize> {
        let guessed = self.by_location.get(self.next).is_some_and(|(location, _)| *location == place);
        if !guessed {
            self.next = self.by_location.binary_search_by_key(&place, |(location, _)| *location).ok()?;
        }
        let (_, rank) = self.by_location[self.next];
        self.next += 1;
        Some(rank)
    }
}

/// What the books say of several variants that decides what can be promised, wherever it lies.
pub struct Known {
    accounts: Vec<(Id<Variant>, AccountKey, i64)>,
    kept_back: KeptBack,
}

/// Reads it: two statements, whatever the number of variants and locations.
///
/// # Errors
/// What the store says.
pub fn known(tx: &mut Tx<'_>, variants: &[Id<Variant>]) -> Result<Known, Failure> {
    let keys: Vec<[u8; 16]> = variants.iter().map(|variant| variant.bytes()).collect();
    Ok(Known { kept_back: kept_back(tx, &keys)?, accounts: rows::promising(tx, &keys)? })
}

/// What locations keep back of each variant.
type KeptBack = HashMap<(Id<Variant>, Id<Location>), i64>;

fn kept_back(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<KeptBack, Failure> {
    let levels = rows::kept_back(tx, variants)?.into_iter();
    Ok(levels.map(|level| ((level.variant, level.location), level.out_of_reach())).collect())
}

impl Known {
    /// Counts as free what is held for who asks.
    pub fn give_back(&mut self, held: &[HoldRow]) {
        for hold in held {
            let variant: Id<Variant> = hold.book.shared_with();
            self.add(variant, hold.held, -hold.amount);
            if taken_from_shelf(hold).is_some() {
                self.add(variant, hold.from, hold.amount);
            }
        }
    }

    /// Accounts of one variant stand together.
    fn add(&mut self, variant: Id<Variant>, account: AccountKey, amount: i64) {
        let known = self.accounts.iter_mut().find(|(one, key, _)| (*one, *key) == (variant, account));
        if let Some((.., balance)) = known {
            *balance += amount;
        } else if amount > 0 {
            let last = self.accounts.iter().rposition(|(one, ..)| *one == variant);
            self.accounts
                .insert(last.map_or(self.accounts.len(), |last| last + 1), (variant, account, amount));
        }
    }
}

/// At which location a hold took its goods from the shelf; at none when they are promised in the pool.
pub(crate) fn taken_from_shelf(hold: &HoldRow) -> Option<Id<Location>> {
    let shelf = State::coded(hold.from.state) == Some(State::Available);
    shelf.then(|| Id::from_bytes(hold.from.place))
}

/// Takes the picture of several variants: two statements at most.
///
/// # Errors
/// What the store says.
pub fn picture(tx: &mut Tx<'_>, reach: &Reach, variants: &[Id<Variant>]) -> Result<Picture, Failure> {
    let keys: Vec<[u8; 16]> = variants.iter().map(|variant| variant.bytes()).collect();
    let kept_back = if reach.pinned { HashMap::new() } else { kept_back(tx, &keys)? };
    let accounts = accounts_of(tx, reach, &keys)?;
    Ok(draw(reach, &Known { accounts, kept_back }))
}

/// Reads the accounts of a reach's own places where these are few; where they are most of all there are, reading all is faster.
fn accounts_of(
    tx: &mut Tx<'_>,
    reach: &Reach,
    variants: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, AccountKey, i64)>, Failure> {
    let locations = reach.locations.iter().map(|location| location.bytes());
    let places: Vec<_> = locations.chain(reach.overlapping.iter().map(|network| network.bytes())).collect();
    let are_few =
        places.len() <= PLACES_FEW || places.len() as i64 * TIMES_MORE < store::location::serving::count(tx)?;
    if are_few {
        return Ok(rows::promising_at(tx, variants, &places)?);
    }
    Ok(rows::promising(tx, variants)?)
}

/// The picture that a reach sees of what is known.
pub fn draw(reach: &Reach, known: &Known) -> Picture {
    let mut ranks = Ranks::of_reach(reach);
    let keeps = !reach.pinned && !known.kept_back.is_empty();
    let mut picture = Picture { threshold: reach.threshold, pinned: reach.pinned, ..Picture::default() };
    for accounts in known.accounts.chunk_by(|(one, ..), (other, ..)| one == other) {
        let variant = accounts[0].0;
        let shelves = picture.shelves.entry(variant).or_default();
        let claims = picture.claims.entry(variant).or_default();
        for (_, account, amount) in accounts {
            let state = State::coded(account.state);
            match (ranks.of(account.place), state) {
                (Some(rank), Some(State::Available)) => {
                    let location = Id::from_bytes(account.place);
                    let safety = if keeps { known.kept_back.get(&(variant, location)) } else { None };
                    let safety = safety.copied().unwrap_or(0);
                    shelves.ranked.push((rank, Shelf { location, available: *amount, safety }));
                }
                (Some(_), Some(State::Incoming)) => claims.incoming += amount,
                (Some(_), _) => {}
                (None, _) => claim(claims, reach, account.place, (state, *amount)),
            }
        }
    }
    let ahead = reach.ahead.iter().filter(|ahead| reach.overlapping.contains(&ahead.network));
    for (variant, pieces) in ahead.flat_map(|ahead| &ahead.pieces) {
        picture.claims.entry(*variant).or_default().committed += pieces;
    }
    picture.shelves.values_mut().for_each(Shelves::sort);
    picture
}

/// Counts a promise that is at no shelf, if it is kept on a network that sells from the same shelves.
fn claim(claims: &mut Claims, reach: &Reach, place: [u8; 16], (state, amount): (Option<State>, i64)) {
    if !reach.overlapping.iter().any(|network| network.bytes() == place) {
        return;
    }
    // Of those who wait in the same queue only they count who are ahead.
    let in_queue = reach.ahead.as_ref().is_some_and(|ahead| place == ahead.network.bytes());
    match state {
        Some(State::PoolHeld) => claims.held += amount,
        Some(State::PoolCommitted) if !in_queue => claims.committed += amount,
        Some(State::Backordered) if !in_queue => claims.backordered += amount,
        Some(State::Preordered) => claims.preordered += amount,
        _ => {}
    }
}

/// What a channel can promise of one variant, and what lies free at each location it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many the channel can promise.
    pub promisable: i64,
    /// How many each location can give; for a kit, how many kits.
    pub locations: Vec<(Id<Location>, i64)>,
}

/// What a channel can promise of variants, kits by their components. Variants nobody knows are left out.
///
/// # Errors
/// What the store says.
pub fn availability(
    tx: &mut Tx<'_>,
    actor: &Actor,
    channel: &Channel,
    variants: &[Id<Variant>],
) -> Result<Vec<Availability>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let known = store::catalogue::variants(tx, variants)?;
    let reach = reach(tx, channel)?;
    of_known(tx, &reach, &known.iter().collect::<Vec<_>>())
}

/// What a reach can promise of variants that were loaded, in their order.
///
/// # Errors
/// What the store says.
pub fn of_known(tx: &mut Tx<'_>, reach: &Reach, known: &[&Loaded]) -> Result<Vec<Availability>, Failure> {
    let mut stocked: Vec<Id<Variant>> =
        known.iter().flat_map(|variant| variant.takes()).map(|(id, _)| id).collect();
    stocked.sort();
    stocked.dedup();
    let picture = picture(tx, reach, &stocked)?;
    Ok(known.iter().map(|variant| of_one(reach, &picture, variant.id, &variant.takes())).collect())
}

fn of_one(
    reach: &Reach,
    picture: &Picture,
    variant: Id<Variant>,
    parts: &[(Id<Variant>, i64)],
) -> Availability {
    let free_at = |variant, location| picture.shelf(variant, location).map_or(0, Shelf::free);
    Availability {
        variant,
        promisable: stock::kits_possible(parts, |part| picture.promisable(part)),
        locations: reach
            .locations
            .iter()
            .map(|location| (*location, stock::kits_possible(parts, |part| free_at(part, *location))))
            .collect(),
    }
}
