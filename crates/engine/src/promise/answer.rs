//! What can be promised to somebody who asks: on which shelves near him the goods lie and when he can collect them there, and by when each
//! delivery method brings them. It is read, not held: the reservation or the checkout judges anew.

use std::collections::{BTreeMap, HashMap};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::delivery::{Destination, Kind, serves};
use domain::promise::queue::{Supply, covered};
use domain::promise::{self as rules, When};
use domain::routing::{self, Candidate};
use domain::stock::selling::{Later, Rule};
use domain::stock::{self, Wish};
use domain::value::id::{Channel as ChannelKind, DeliveryMethod, Location as LocationKind, Variant};
use domain::value::{Coordinates, Id, Instant, Reference};
use store::delivery::Method;
use store::location::{Location, Site};
use store::market::Channel;
use store::stock::expected::ExpectedGoods;
use store::{Tx, stock as shelves};

use super::date;
use crate::fulfilment::Promised;
use crate::location::area;
use crate::stock::availability::{Picture, Reach, picture, reach};
use crate::stock::selling;
use crate::{Failure, external};

/// The most lines that are asked about at once.
pub const LINES_MAX: usize = 100;
/// The most stores that are answered.
pub const STORES_MAX: usize = 50;
/// The most announced deliveries that are looked at.
const EXPECTED_MAX: i64 = 1000;
const DAY_SECONDS: i64 = 24 * 3600;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The channel it would be bought in.
    pub channel: Reference<ChannelKind>,
    /// Which variants, and how many of each.
    pub lines: Vec<(Id<Variant>, i64)>,
    /// Where parcels go.
    pub destination: Option<Destination>,
    /// Where the customer is; about where parcels go, when nothing is said.
    pub point: Option<Coordinates>,
    /// At most so many stores.
    pub stores: usize,
    /// As of when.
    pub at: Instant,
}

/// What can be promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// As of when.
    pub at: Instant,
    /// From where distances are measured.
    pub point: Option<Coordinates>,
    /// Each line.
    pub lines: Vec<Line>,
    /// The stores where goods are collected, the nearest first.
    pub stores: Vec<Store>,
    /// The ways parcels go.
    pub deliveries: Vec<Delivery>,
}

/// How many of a variant can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many were asked for.
    pub asked: i64,
    /// How many the channel can promise from what is there.
    pub there: i64,
    /// How many it may sell beyond that, and how these are served.
    pub beyond: Option<(Later, i64)>,
}

impl Line {
    fn can_be_had(&self) -> bool {
        self.asked <= self.there + self.beyond.map_or(0, |(_, quantity)| quantity)
    }
}

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
    /// When everything asked for can be collected; none when not all of it is there.
    pub ready: Option<(Instant, When)>,
    /// When the first of what is missing is expected there.
    pub expected_at: Option<Instant>,
}

/// A way parcels go, and when they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The delivery method.
    pub method: Id<DeliveryMethod>,
    /// The short word it goes by.
    pub code: String,
    /// From when on and by when the goods are there; nothing when they cannot all be had.
    pub promised: Promised,
    /// How many locations send a parcel.
    pub parcels: usize,
    /// Part of it is not there yet.
    pub later: bool,
}

/// What can be promised now.
///
/// # Errors
/// [`domain::Code::Invalid`] naming the line of an unknown variant; [`domain::Code::NotFound`] for the channel.
pub fn answer(tx: &mut Tx<'_>, actor: &Actor, asked: &Asked) -> Result<Answer, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let channel = external::resolve(tx, &asked.channel)?;
    let channel =
        store::market::find_channel(tx, channel)?.ok_or_else(|| Refusal::not_found("channel", channel))?;
    let wishes = wishes(tx, &asked.lines)?;
    let demand = stock::demand(&wishes);
    let variants: Vec<Id<Variant>> = demand.keys().copied().collect();
    let reach = reach(tx, &channel)?;
    let picture = picture(tx, &reach, &variants)?;
    let rules = selling::of(tx, channel.id, &variants)?;
    let lines: Vec<Line> = wishes.iter().map(|wish| line(wish, &picture, &rules)).collect();
    let point = match (asked.point, &asked.destination) {
        (Some(point), _) => Some(point),
        (None, Some(to)) => area::coordinates_of(tx, to.country, to.postal_code.as_deref())?,
        (None, None) => None,
    };
    let expected = shelves::expected::to_come_of(tx, &variants, EXPECTED_MAX)?;
    let stores = stores(tx, asked, (&channel, point), &wishes, &expected)?;
    let ground = Ground { asked, reach: &reach, picture: &picture, rules: &rules, expected: &expected };
    let deliveries = if lines.iter().all(Line::can_be_had) {
        deliveries(tx, &channel, &ground, &demand)?
    } else {
        Vec::new()
    };
    Ok(Answer { at: asked.at, point, lines, stores, deliveries })
}

/// What is asked for, by what it takes from shelves.
fn wishes(tx: &mut Tx<'_>, lines: &[(Id<Variant>, i64)]) -> Result<Vec<Wish>, Failure> {
    let ids: Vec<_> = lines.iter().map(|(variant, _)| *variant).collect();
    let known: HashMap<_, _> =
        store::catalogue::variants(tx, &ids)?.into_iter().map(|variant| (variant.id, variant)).collect();
    let mut wishes = Vec::with_capacity(lines.len());
    for (place, (variant, quantity)) in lines.iter().enumerate() {
        let missing =
            || Refusal::invalid(format!("lines.{place}.variant"), format!("no variant \"{variant}\""));
        let takes = known.get(variant).ok_or_else(missing)?.takes();
        wishes.push(Wish { variant: *variant, quantity: *quantity, takes });
    }
    Ok(wishes)
}

fn line(wish: &Wish, picture: &Picture, rules: &HashMap<Id<Variant>, Rule>) -> Line {
    let there = stock::kits_possible(&wish.takes, |part| picture.promisable(part));
    let rule_of = |variant: &Id<Variant>| rules.get(variant);
    let beyond_of = |part: Id<Variant>| {
        let beyond = rule_of(&part).map_or(0, |rule| rule.beyond(&picture.claims(part)));
        picture.promisable(part) + beyond
    };
    let altogether = stock::kits_possible(&wish.takes, beyond_of);
    let later = wish.takes.iter().find_map(|(part, _)| rule_of(part)?.later());
    let beyond = later.map(|later| (later, altogether - there)).filter(|(_, quantity)| *quantity > 0);
    Line { variant: wish.variant, asked: wish.quantity, there, beyond }
}

/// The stores where goods are collected, the nearest first, with what lies there.
fn stores(
    tx: &mut Tx<'_>,
    asked: &Asked,
    (channel, point): (&Channel, Option<Coordinates>),
    wishes: &[Wish],
    expected: &[ExpectedGoods],
) -> Result<Vec<Store>, Failure> {
    let near = nearest(tx, (channel, point), asked.stores)?;
    let ids: Vec<_> = near.iter().map(|(_, id)| *id).collect();
    let locations = store::location::among(tx, &ids)?;
    let full = date::full_today(tx, &locations, asked.at)?;
    let mut takes: Vec<_> =
        wishes.iter().flat_map(|wish| &wish.takes).map(|(part, _)| part.bytes()).collect();
    takes.sort_unstable();
    takes.dedup();
    let places: Vec<[u8; 16]> = ids.iter().map(|id| id.bytes()).collect();
    let there: HashMap<_, _> = shelves::on_shelves(tx, &takes, &places)?.into_iter().collect();
    let of = |(distance_m, id): &(Option<u32>, Id<LocationKind>)| {
        let location = locations.iter().find(|one| one.id == *id)?;
        let at_hand = |part| there.get(&(part, *id)).copied().unwrap_or(0);
        let here: Vec<i64> = wishes.iter().map(|wish| stock::kits_possible(&wish.takes, at_hand)).collect();
        let is_complete = wishes.iter().zip(&here).all(|(wish, here)| wish.quantity <= *here);
        let place = date::place(location, full.contains(id));
        let ready_at = is_complete.then(|| rules::ready_at(&place, asked.at)).flatten();
        let missing = |goods: &&ExpectedGoods| {
            goods.location == *id
                && wishes.iter().any(|wish| wish.takes.iter().any(|(part, _)| *part == goods.variant))
        };
        let expected_at = expected.iter().find(missing).map(|goods| goods.due_at).filter(|_| !is_complete);
        let (hours, zone) = (location.hours.as_ref(), &location.zone);
        Some(Store {
            location: location.clone(),
            distance_m: *distance_m,
            open: hours.is_some_and(|hours| hours.is_open(asked.at, zone)),
            next: (
                hours.and_then(|hours| hours.next_opening(asked.at, zone)),
                hours.and_then(|hours| hours.next_closing(asked.at, zone)),
            ),
            here,
            ready: ready_at.map(|at| (at, rules::when(asked.at, at, zone))),
            expected_at,
        })
    };
    Ok(near.iter().filter_map(of).collect())
}

/// How far a location is, in metres, when that is known; and the location.
type Near = (Option<u32>, Id<LocationKind>);

/// The nearest places where a channel's goods can be collected: of its own network, and of those its pickup methods name.
fn nearest(
    tx: &mut Tx<'_>,
    (channel, point): (&Channel, Option<Coordinates>),
    limit: usize,
) -> Result<Vec<Near>, Failure> {
    let mut sites: Vec<Site> = store::location::sites(tx, channel.network)?;
    for method in store::delivery::offered(tx, channel.id)? {
        if let Some(network) = method.pickup_network.filter(|network| *network != channel.network) {
            sites.extend(store::location::sites(tx, network)?);
        }
    }
    let mut seen = std::collections::HashSet::with_capacity(sites.len());
    sites.retain(|site| site.can_pick_up && seen.insert(site.id));
    let distance = |site: &Site| point.zip(site.coordinates).map(|(one, other)| one.distance_m(other));
    let mut near: Vec<_> = sites.iter().map(|site| (distance(site), site.id)).collect();
    // Those on the map first; a stable order keeps the network's rank where nothing is known of distances.
    near.sort_by_key(|(metres, _)| (metres.is_none(), *metres));
    near.truncate(limit.min(STORES_MAX));
    Ok(near)
}

/// What is known of the goods.
struct Ground<'a> {
    asked: &'a Asked,
    reach: &'a Reach,
    picture: &'a Picture,
    rules: &'a HashMap<Id<Variant>, Rule>,
    expected: &'a [ExpectedGoods],
}

/// When goods are somewhere from where they are sent: where, and from when on.
type Leg = (Id<LocationKind>, Instant);

/// By when each method that goes there brings the goods.
fn deliveries(
    tx: &mut Tx<'_>,
    channel: &Channel,
    ground: &Ground<'_>,
    demand: &BTreeMap<Id<Variant>, i64>,
) -> Result<Vec<Delivery>, Failure> {
    let Some(destination) = &ground.asked.destination else { return Ok(Vec::new()) };
    let mut methods = store::delivery::offered(tx, channel.id)?;
    methods.retain(|method| method.kind == Kind::Ship && serves(&method.zone, destination));
    if methods.is_empty() {
        return Ok(Vec::new());
    }
    let (legs, later) = ground.legs(demand);
    let ids: Vec<_> = legs.iter().map(|(location, _)| *location).collect();
    let locations = store::location::among(tx, &ids)?;
    let full = date::full_today(tx, &locations, ground.asked.at)?;
    let of = |method: &Method| {
        let dates: Vec<Promised> = legs
            .iter()
            .filter_map(|(id, from)| {
                let location = locations.iter().find(|one| one.id == *id)?;
                Some(date::of(Kind::Ship, (location, full.contains(id)), Some(method), *from))
            })
            .collect();
        let known = !dates.is_empty() && dates.iter().all(|date| date.by.is_some());
        let promised = Promised {
            from: dates.iter().filter_map(|date| date.from).max().filter(|_| known),
            by: dates.iter().filter_map(|date| date.by).max().filter(|_| known),
        };
        Delivery { method: method.id, code: method.code.clone(), promised, parcels: legs.len(), later }
    };
    Ok(methods.iter().map(of).collect())
}

impl Ground<'_> {
    /// From where the demand is sent, and whether part of it is not there yet.
    fn legs(&self, demand: &BTreeMap<Id<Variant>, i64>) -> (Vec<Leg>, bool) {
        let mut now = demand.clone();
        let mut legs: Vec<Leg> = Vec::new();
        let mut later = false;
        for (variant, asked) in &mut now {
            let missing = *asked - self.picture.promisable(*variant);
            if missing > 0 {
                *asked -= missing;
                later = true;
                legs.extend(self.comes(*variant, missing));
            }
        }
        now.retain(|_, asked| *asked > 0);
        if let Ok(allocations) = routing::route(&now, &self.candidates(&now)) {
            let mut from: Vec<_> = allocations.iter().map(|part| (part.location, self.asked.at)).collect();
            from.sort_unstable();
            from.dedup();
            legs.extend(from);
        }
        (legs, later)
    }

    fn candidates(&self, demand: &BTreeMap<Id<Variant>, i64>) -> Vec<Candidate> {
        let mut free: HashMap<Id<LocationKind>, BTreeMap<Id<Variant>, i64>> = HashMap::new();
        for variant in demand.keys() {
            for shelf in self.picture.shelves(*variant).iter().filter(|shelf| shelf.free() > 0) {
                free.entry(shelf.location).or_default().insert(*variant, shelf.free());
            }
        }
        let ranked = self.reach.locations.iter();
        ranked
            .filter_map(|location| Some(Candidate { location: *location, free: free.remove(location)? }))
            .collect()
    }

    /// Where and when so many of a variant come that are not there, behind all who wait for it already.
    fn comes(&self, variant: Id<Variant>, missing: i64) -> Option<Leg> {
        let rule = self.rules.get(&variant)?;
        let claims = self.picture.claims(variant);
        let own: Vec<&ExpectedGoods> =
            self.expected.iter().filter(|goods| goods.variant == variant).collect();
        let supplies: Vec<Supply> = own
            .iter()
            .map(|goods| Supply { at: goods.due_at.max(self.asked.at), quantity: goods.to_come() })
            .collect();
        let ahead = claims.unserved() + claims.preordered;
        let release = rule.releases_at.unwrap_or(self.asked.at);
        match covered(&supplies, ahead, &[missing]).pop().flatten() {
            Some(place) => Some((own[place].location, supplies[place].at.max(release))),
            None => {
                let at = self.asked.at.plus_seconds(rule.lead_days? * DAY_SECONDS);
                Some((*self.reach.locations.first()?, at))
            }
        }
    }
}
