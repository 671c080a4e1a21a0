//! What can be promised: per location and for a whole channel, from shelves, safety stock, promises not yet at a shelf, and thresholds.

use std::collections::{BTreeMap, HashMap};

use domain::actor::{Actor, Permission};
use domain::stock::selling::Claims;
use domain::stock::{self, Shelf, State};
use domain::value::Id;
use domain::value::id::{Location, Network, Variant};
use store::catalogue::Variant as Known;
use store::market::Channel;
use store::{Tx, stock as rows};

use crate::Failure;

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
    /// For goods that wait already: how many of each variant are promised to those who wait longer. Promises to others do not count then.
    pub ahead: Option<BTreeMap<Id<Variant>, i64>>,
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
    shelves: HashMap<Id<Variant>, Vec<Shelf>>,
    claims: HashMap<Id<Variant>, Claims>,
    threshold: i64,
    pinned: bool,
}

impl Picture {
    /// The picture of shelves as somebody imagines them.
    pub fn of_shelves(imagined: impl Iterator<Item = (Id<Variant>, Shelf)>) -> Picture {
        let mut picture = Picture::default();
        imagined.for_each(|(variant, shelf)| picture.shelves.entry(variant).or_default().push(shelf));
        picture
    }

    /// The shelves of a variant within the reach, best location first.
    pub fn shelves(&self, variant: Id<Variant>) -> &[Shelf] {
        self.shelves.get(&variant).map_or(&[], Vec::as_slice)
    }

    /// How many of a variant can be promised.
    pub fn promisable(&self, variant: Id<Variant>) -> i64 {
        let claims = self.claims.get(&variant).copied().unwrap_or_default();
        let (held, sold) =
            if self.pinned { (0, 0) } else { (claims.held, claims.committed + claims.backordered) };
        stock::promisable(self.shelves(variant), held, sold, self.threshold)
    }

    /// What the books say of a variant where the reach sells from.
    pub fn claims(&self, variant: Id<Variant>) -> Claims {
        let free = self.shelves(variant).iter().map(Shelf::free).sum();
        Claims { free, ..self.claims.get(&variant).copied().unwrap_or_default() }
    }
}

/// Takes the picture of several variants: two statements, whatever their number.
///
/// # Errors
/// What the store says.
pub fn picture(tx: &mut Tx<'_>, reach: &Reach, variants: &[Id<Variant>]) -> Result<Picture, Failure> {
    let keys: Vec<[u8; 16]> = variants.iter().map(|variant| variant.bytes()).collect();
    let rank: HashMap<[u8; 16], usize> =
        reach.locations.iter().enumerate().map(|(rank, location)| (location.bytes(), rank)).collect();
    let mut safety = HashMap::new();
    if !reach.pinned {
        for level in rows::kept_back(tx, &keys)? {
            safety.insert((level.variant, level.location), level.out_of_reach());
        }
    }
    let mut picture = Picture { threshold: reach.threshold, pinned: reach.pinned, ..Picture::default() };
    for (variant, account, amount) in rows::promising(tx, &keys)? {
        let state = State::coded(account.state);
        if rank.contains_key(&account.place) {
            let location = Id::from_bytes(account.place);
            let safety = safety.get(&(variant, location)).copied().unwrap_or(0);
            match state {
                Some(State::Available) => {
                    let shelf = Shelf { location, available: amount, safety };
                    picture.shelves.entry(variant).or_default().push(shelf);
                }
                Some(State::Incoming) => picture.claims.entry(variant).or_default().incoming += amount,
                _ => {}
            }
        } else if reach.overlapping.iter().any(|network| network.bytes() == account.place) {
            let claims = picture.claims.entry(variant).or_default();
            // Of those who wait in the same queue only they count who are ahead.
            let in_queue = reach.ahead.is_some() && account.place == reach.network.bytes();
            match state {
                Some(State::PoolHeld) => claims.held += amount,
                Some(State::PoolCommitted) if !in_queue => claims.committed += amount,
                Some(State::Backordered) if !in_queue => claims.backordered += amount,
                Some(State::Preordered) => claims.preordered += amount,
                _ => {}
            }
        }
    }
    for (variant, ahead) in reach.ahead.iter().flatten() {
        picture.claims.entry(*variant).or_default().committed += ahead;
    }
    for shelves in picture.shelves.values_mut() {
        shelves.sort_by_cached_key(|shelf| rank.get(&shelf.location.bytes()).copied());
    }
    Ok(picture)
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
pub fn of_known(tx: &mut Tx<'_>, reach: &Reach, known: &[&Known]) -> Result<Vec<Availability>, Failure> {
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
    let free_at = |variant, location| {
        picture.shelves(variant).iter().find(|shelf| shelf.location == location).map_or(0, Shelf::free)
    };
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
