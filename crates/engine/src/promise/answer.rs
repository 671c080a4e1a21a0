//! What can be promised to somebody who asks: on which shelves near him the goods lie and when he can collect them there, and by when each
//! delivery method brings them. It is read, not held: the reservation or the checkout judges anew.

use std::collections::{BTreeMap, HashMap};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::delivery::{Destination, Kind, serves};
use domain::promise::queue::{Supply, covered};
use domain::routing::Allocation;
use domain::stock::selling::{Claims, Later, Rule};
use domain::stock::{self, Wish};
use domain::value::id::{Cart, Channel as ChannelKind, DeliveryMethod, Location as LocationKind, Variant};
use domain::value::{Coordinates, Id, Instant, Reference};
use store::delivery::Method;
use store::ledger::{HoldRow, holds_of};
use store::market::Channel;
use store::stock::expected::ExpectedGoods;
use store::{Tx, stock as shelves};

use super::{date, nearby};
use crate::fulfilment::Promised;
use crate::location::area;
use crate::routing::{self, Outline, Values, WhereTo};
use crate::stock::availability::{self, Known, Picture, Reach, reach_among};
use crate::stock::selling;
use crate::{Failure, external, price};

pub use super::nearby::{Ready, Source, Store};

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
    /// Only this store.
    pub store: Option<Id<LocationKind>>,
    /// The cart it is asked for: what it holds already is there for it.
    pub cart: Option<Id<Cart>>,
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
    let sites = store::location::sites(tx, channel.network)?;
    let methods = store::delivery::offered(tx, channel.id)?;
    let reach = reach_among(tx, &channel, &sites)?;
    let held = asked.cart.map(|cart| holds_of(tx, &cart.to_string())).transpose()?.unwrap_or_default();
    let mut known = availability::known(tx, &variants)?;
    known.give_back(&held);
    let picture = availability::draw(&reach, &known);
    let point = match (asked.point, &asked.destination) {
        (Some(point), _) => Some(point),
        (None, Some(to)) => area::coordinates_of(tx, to.country, to.postal_code.as_deref())?,
        (None, None) => None,
    };
    let ground = Ground {
        asked,
        channel: &channel,
        methods: &methods,
        wishes: &wishes,
        demand: &demand,
        reach: &reach,
        known: &known,
        picture: &picture,
        held: &held,
        rules: selling::of(tx, channel.id, &variants)?,
        expected: shelves::expected::to_come_of(tx, &variants, EXPECTED_MAX)?,
    };
    let lines: Vec<Line> = wishes.iter().map(|wish| line(wish, &picture, &ground.rules)).collect();
    let stores = if asked.stores > 0 { nearby::stores(tx, &ground, point, sites)? } else { Vec::new() };
    let can_be_had = lines.iter().all(Line::can_be_had);
    let deliveries = if can_be_had { deliveries(tx, &ground)? } else { Vec::new() };
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

/// What is known of the goods.
pub(super) struct Ground<'a> {
    pub(super) asked: &'a Asked,
    pub(super) channel: &'a Channel,
    /// The delivery methods offered.
    pub(super) methods: &'a [Method],
    pub(super) wishes: &'a [Wish],
    pub(super) demand: &'a BTreeMap<Id<Variant>, i64>,
    pub(super) reach: &'a Reach,
    pub(super) known: &'a Known,
    pub(super) picture: &'a Picture,
    /// What is held for who asks.
    pub(super) held: &'a [HoldRow],
    pub(super) rules: HashMap<Id<Variant>, Rule>,
    pub(super) expected: Vec<ExpectedGoods>,
}

/// When goods are somewhere from where they are sent: where, and from when on.
type Leg = (Id<LocationKind>, Instant);

/// By when each method that goes there brings the goods.
fn deliveries(tx: &mut Tx<'_>, ground: &Ground<'_>) -> Result<Vec<Delivery>, Failure> {
    let Some(destination) = &ground.asked.destination else { return Ok(Vec::new()) };
    let mut methods = ground.methods.to_vec();
    methods.retain(|method| method.kind == Kind::Ship && serves(&method.zone, destination));
    if methods.is_empty() {
        return Ok(Vec::new());
    }
    let (legs, later) = ground.legs(tx)?;
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
    fn legs(&self, tx: &mut Tx<'_>) -> Result<(Vec<Leg>, bool), Failure> {
        let mut now = self.demand.clone();
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
        if !now.is_empty() {
            let parts = self.parts(tx, &now)?;
            let mut from: Vec<_> = parts.iter().map(|part| part.location).collect();
            if parts.iter().map(|part| part.quantity).sum::<i64>() < now.values().sum() {
                // What would wait to be routed is promised as from the place that would be asked first.
                from.extend(self.reach.locations.first());
            }
            from.sort_unstable();
            from.dedup();
            legs.extend(from.into_iter().map(|location| (location, self.asked.at)));
        }
        Ok((legs, later))
    }

    /// From where goods would be taken that are there, as the channel's routing profile or the plain rule says.
    fn parts(
        &self,
        tx: &mut Tx<'_>,
        demand: &BTreeMap<Id<Variant>, i64>,
    ) -> Result<Vec<Allocation>, Failure> {
        let (at, channel) = (self.asked.at, self.channel);
        let market = store::market::find_market(tx, channel.market)?;
        let market = market.ok_or_else(|| Refusal::not_found("market", channel.market))?;
        let of = (channel.id, market.currency);
        let version = routing::profile::of_order(tx, at, of, self.reach)?;
        let values = if version.is_some() { self.values(tx)? } else { Values::default() };
        let outline = Outline {
            channel: channel.id,
            market: market.id,
            customer: None,
            kind: Kind::Ship,
            placed_at: at,
            to: WhereTo::Known(self.asked.destination.as_ref()),
            reach: self.reach,
            demand,
            values,
            first: &[],
        };
        routing::imagine(tx, at, version.as_ref(), &outline, self.picture)
    }

    /// What is asked for is worth what it costs everybody, without promotions.
    fn values(&self, tx: &mut Tx<'_>) -> Result<Values, Failure> {
        let pieces: Vec<_> = self.wishes.iter().map(|wish| (wish.variant, wish.quantity)).collect();
        let prices = price::prices(tx, self.channel, None, &pieces, self.asked.at)?;
        let worth = |(wish, price): (&'_ Wish, &Option<price::Price>)| {
            let gross = price.as_ref().map_or(0, |price| price.minor.saturating_mul(wish.quantity));
            (wish.variant, gross, wish.quantity)
        };
        let all: Vec<_> = self.wishes.iter().zip(&prices).map(worth).collect();
        let lines = all.iter().zip(self.wishes);
        Ok(Values::of(
            lines.map(|((variant, gross, quantity), wish)| {
                (*variant, *gross, *quantity, wish.takes.as_slice())
            }),
        ))
    }

    /// Where and when so many of a variant come that are not there, behind all who wait for it already.
    fn comes(&self, variant: Id<Variant>, missing: i64) -> Option<Leg> {
        self.comes_for(&self.picture.claims(variant), (variant, missing), None)
            .and_then(|(location, at)| Some((location.or(self.reach.locations.first().copied())?, at)))
    }

    /// The same behind these claims, at one location only, if one is named; no location when the channel's lead time says when.
    pub(super) fn comes_for(
        &self,
        claims: &Claims,
        (variant, missing): (Id<Variant>, i64),
        only: Option<Id<LocationKind>>,
    ) -> Option<(Option<Id<LocationKind>>, Instant)> {
        let rule = self.rules.get(&variant)?;
        let counts = |goods: &&ExpectedGoods| {
            goods.variant == variant && only.is_none_or(|location| location == goods.location)
        };
        let own: Vec<&ExpectedGoods> = self.expected.iter().filter(counts).collect();
        let supplies: Vec<Supply> = own
            .iter()
            .map(|goods| Supply { at: goods.due_at.max(self.asked.at), quantity: goods.to_come() })
            .collect();
        let ahead = claims.unserved() + claims.preordered;
        let release = rule.releases_at.unwrap_or(self.asked.at);
        match covered(&supplies, ahead, &[missing]).pop().flatten() {
            Some(place) => Some((Some(own[place].location), supplies[place].at.max(release))),
            None => Some((None, self.asked.at.plus_seconds(rule.lead_days? * DAY_SECONDS))),
        }
    }
}
