//! The stores near a customer: what lies on their shelves, and when everything can be collected there: from the shelf, with what other
//! locations send, or once it has come.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use domain::delivery::Kind;
use domain::promise::{self as rules, When};
use domain::stock::selling::Later;
use domain::stock::{self};
use domain::value::id::{Location as LocationKind, Network, Variant};
use domain::value::{Coordinates, Id, Instant};
use store::delivery::Method;
use store::delivery::sending::{self, Sending};
use store::location::{Location, Site};
use store::{Tx, stock as shelves};

use super::answer::{Ground, STORES_MAX};
use super::date;
use crate::Failure;
use crate::fulfilment::inbound;
use crate::stock::availability::{Picture, draw, pinned, taken_from_shelf};

/// A store, and what lies on its shelves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The store.
    pub location: Location,
    /// How far it is.
    pub distance_m: Option<u32>,
    /// Its door is open.
    pub open: bool,
    /// When it next opens, and closes.
    pub next: (Option<Instant>, Option<Instant>),
    /// How many of each line lie there.
    pub here: Vec<i64>,
    /// When everything asked for can be collected; none when it cannot, or no date is known.
    pub ready: Option<Ready>,
    /// When the first of what is missing is expected there.
    pub expected_at: Option<Instant>,
}

/// When everything can be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// At this instant.
    pub at: Instant,
    /// In a customer's words.
    pub when: When,
    /// From where what the shelf lacks comes.
    pub source: Source,
}

/// From where goods come that are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// All of them lie on the shelf.
    Shelf,
    /// Other locations send what is missing.
    Sent,
    /// What is missing is sold though it is not there.
    Later(Later),
}

impl Source {
    /// The word for it: `shelf`, `sent`, or how what is not there is sold.
    pub const fn text(self) -> &'static str {
        match self {
            Source::Shelf => "shelf",
            Source::Sent => "sent",
            Source::Later(later) => later.text(),
        }
    }
}

/// How far a location is, in metres, when that is known; and the location.
type Near = (Option<u32>, Id<LocationKind>);

/// The stores where goods are collected, the nearest first, with what lies there.
pub(super) fn stores(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    point: Option<Coordinates>,
    sites: Vec<Site>,
) -> Result<Vec<Store>, Failure> {
    let asked = ground.asked;
    let pickups = Pickups::of(tx, ground)?;
    let mut near = nearest(&pickups, (point, sites), asked.store);
    near.truncate(asked.stores.min(STORES_MAX));
    let ids: Vec<_> = near.iter().map(|(_, id)| *id).collect();
    let locations = store::location::among(tx, &ids)?;
    let full = date::full_today(tx, &locations, asked.at)?;
    let there = on_shelves(tx, ground, &ids)?;
    let missing_at = |location: Id<LocationKind>| {
        let lacks = |(variant, wanted): (&Id<Variant>, &i64)| {
            let lacking = wanted - there.get(&(*variant, location)).copied().unwrap_or(0);
            (lacking > 0).then_some((*variant, lacking))
        };
        ground.demand.iter().filter_map(lacks).collect::<BTreeMap<_, _>>()
    };
    let mut stores = Vec::with_capacity(near.len());
    let mut supply = Supply { ground, pickups: &pickups, pictures: HashMap::new() };
    for (distance_m, id) in near {
        let Some(location) = locations.iter().find(|one| one.id == id) else { continue };
        let missing = missing_at(id);
        let place = date::place(location, full.contains(&id));
        let from = if missing.is_empty() {
            Some((asked.at, Source::Shelf))
        } else {
            supply.comes(tx, id, &missing)?
        };
        let ready = from.and_then(|(from, source)| {
            let at = rules::ready_at(&place, from)?;
            Some(Ready { at, when: rules::when(asked.at, at, &location.zone), source })
        });
        let at_hand = |part| there.get(&(part, id)).copied().unwrap_or(0);
        let mut expected = ground.expected.iter();
        let expected = expected.find(|goods| goods.location == id && missing.contains_key(&goods.variant));
        let (hours, zone) = (location.hours.as_ref(), &location.zone);
        stores.push(Store {
            location: location.clone(),
            distance_m,
            open: hours.is_some_and(|hours| hours.is_open(asked.at, zone)),
            next: (
                hours.and_then(|hours| hours.next_opening(asked.at, zone)),
                hours.and_then(|hours| hours.next_closing(asked.at, zone)),
            ),
            here: ground.wishes.iter().map(|wish| stock::kits_possible(&wish.takes, at_hand)).collect(),
            ready,
            expected_at: expected.map(|goods| goods.due_at),
        });
    }
    Ok(stores)
}

/// How many of each variant lie at each location.
type Shelves = HashMap<(Id<Variant>, Id<LocationKind>), i64>;

fn on_shelves(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    locations: &[Id<LocationKind>],
) -> Result<Shelves, Failure> {
    let variants: Vec<_> = ground.demand.keys().map(|variant| variant.bytes()).collect();
    let places: Vec<_> = locations.iter().map(|location| location.bytes()).collect();
    let mut there: Shelves = shelves::on_shelves(tx, &variants, &places)?.into_iter().collect();
    for hold in ground.held {
        if let Some(location) = taken_from_shelf(hold) {
            *there.entry((hold.book.shared_with(), location)).or_insert(0) += hold.amount;
        }
    }
    Ok(there)
}

/// How goods can be collected: the methods, what is sent for them, and the locations of networks that they name.
struct Pickups<'a> {
    methods: Vec<(&'a Method, Option<Sending>)>,
    sites: HashMap<Id<Network>, Vec<Site>>,
}

impl<'a> Pickups<'a> {
    fn of(tx: &mut Tx<'_>, ground: &Ground<'a>) -> Result<Pickups<'a>, Failure> {
        let methods: Vec<_> = ground.methods.iter().filter(|method| method.kind == Kind::Pickup).collect();
        let ids: Vec<_> = methods.iter().map(|method| method.id).collect();
        let sent: HashMap<_, _> =
            if ids.is_empty() { HashMap::new() } else { sending::among(tx, &ids)?.into_iter().collect() };
        let mut sites = HashMap::new();
        for network in methods.iter().filter_map(|method| method.pickup_network) {
            if let Entry::Vacant(unknown) = sites.entry(network) {
                unknown.insert(store::location::sites(tx, network)?);
            }
        }
        let methods = methods.into_iter().map(|method| (method, sent.get(&method.id).copied())).collect();
        Ok(Pickups { methods, sites })
    }

    /// Are goods collected at a location by a method?
    fn serves(&self, method: &Method, location: Id<LocationKind>) -> bool {
        let named = method.pickup_network.and_then(|network| self.sites.get(&network));
        named.is_some_and(|sites| sites.iter().any(|site| site.id == location))
            || method.pickup_locations.contains(&location)
    }
}

/// The nearest places where a channel's goods can be collected: of its own network, and of those its pickup methods name.
fn nearest(
    pickups: &Pickups<'_>,
    (point, mut sites): (Option<Coordinates>, Vec<Site>),
    only: Option<Id<LocationKind>>,
) -> Vec<Near> {
    sites.extend(pickups.sites.values().flatten());
    let mut seen = HashSet::with_capacity(sites.len());
    let meant = |site: &Site| only.is_none_or(|only| only == site.id);
    sites.retain(|site| site.can_pick_up && meant(site) && seen.insert(site.id));
    let distance = |site: &Site| point.zip(site.coordinates).map(|(one, other)| one.distance_m(other));
    let mut near: Vec<Near> = sites.iter().map(|site| (distance(site), site.id)).collect();
    // Those on the map first; a stable order keeps the network's rank where nothing is known of distances.
    near.sort_by_key(|(metres, _)| (metres.is_none(), *metres));
    near
}

/// From where a store gets what it lacks. What the senders have is looked up once, however many stores lack something.
struct Supply<'a> {
    ground: &'a Ground<'a>,
    pickups: &'a Pickups<'a>,
    pictures: HashMap<Id<Network>, Picture>,
}

impl Supply<'_> {
    /// From when on what a store lacks is there, by the method that has it first; none when it cannot be had there, or no date is known.
    fn comes(
        &mut self,
        tx: &mut Tx<'_>,
        store: Id<LocationKind>,
        missing: &BTreeMap<Id<Variant>, i64>,
    ) -> Result<Option<(Instant, Source)>, Failure> {
        let mut first: Option<(Instant, Source)> = None;
        for (method, sending) in &self.pickups.methods {
            if !self.pickups.serves(method, store) {
                continue;
            }
            let comes = match sending {
                Some(sending) => self.sent(tx, *sending, store, missing)?,
                None => self.sold_later(store, missing),
            };
            if let Some((at, _)) = comes
                && first.is_none_or(|(earlier, _)| at < earlier)
            {
                first = comes;
            }
        }
        Ok(first)
    }

    fn sent(
        &mut self,
        tx: &mut Tx<'_>,
        sending: Sending,
        store: Id<LocationKind>,
        missing: &BTreeMap<Id<Variant>, i64>,
    ) -> Result<Option<(Instant, Source)>, Failure> {
        let network = sending.network;
        let picture = match self.pictures.entry(network) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(draw(&inbound::senders(tx, network)?, self.ground.known))
            }
        };
        let has = |(variant, lacking): (&Id<Variant>, &i64)| {
            picture.promisable_without(*variant, store) >= *lacking
        };
        let at = self.ground.asked.at.plus_seconds(sending.days * inbound::DAY);
        Ok(missing.iter().all(has).then_some((at, Source::Sent)))
    }

    /// As the checkout judges it: a store sells what it lacks by the channel's rules.
    fn sold_later(
        &self,
        store: Id<LocationKind>,
        missing: &BTreeMap<Id<Variant>, i64>,
    ) -> Option<(Instant, Source)> {
        let ground = self.ground;
        if missing.keys().any(|variant| !ground.rules.contains_key(variant)) {
            return None;
        }
        let own = draw(&pinned(ground.channel, store), ground.known);
        let mut last = None;
        for (variant, lacking) in missing {
            let rule = &ground.rules[variant];
            let claims = own.claims(*variant);
            let later = rule.later().filter(|_| *lacking <= rule.beyond(&claims))?;
            let (_, at) = ground.comes_for(&claims, (*variant, *lacking), Some(store))?;
            if last.is_none_or(|(latest, _)| at > latest) {
                last = Some((at, Source::Later(later)));
            }
        }
        last
    }
}
