//! What routing looks at: facts of the order, the goods wanted, and what is known of every location. Only what the profile asks for is
//! read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::delivery::{Destination, Kind};
use domain::routing::Allocation;
use domain::routing::condition::{Condition, Facts};
use domain::routing::criterion::{Criterion, Measure};
use domain::routing::decision::Decision;
use domain::routing::profile::{Profile, Strategy};
use domain::routing::wanted::{Candidate, Line as WantedLine, Supply, Wanted};
use domain::stock::Shelf;
use domain::value::id::{self, Location as LocationKind, Variant};
use domain::value::zone::LocalDay;
use domain::value::{Country, Id, Instant, OpeningHours, Zone};
use store::location::Location;
use store::location::serving::{self, Clock, Serving};
use store::routing::{Version, capacity, outflow};
use store::{Tx, market};

use super::Taking;
use crate::Failure;
use crate::location::area;
use crate::order::Line;
use crate::stock::availability::{Picture, Reach};

/// Over how many days days of supply are counted.
pub const OUTFLOW_DAYS: i64 = 28;

/// An order as far as routing looks at it: placed, or only imagined.
pub struct Outline<'a> {
    /// In which channel and market.
    pub channel: Id<id::Channel>,
    /// The market.
    pub market: Id<id::Market>,
    /// Who buys, if that is known.
    pub customer: Option<Id<id::Customer>>,
    /// How the goods reach him.
    pub kind: Kind,
    /// When it is placed.
    pub placed_at: Instant,
    /// Where parcels go.
    pub to: WhereTo<'a>,
    /// From where goods may come.
    pub reach: &'a Reach,
    /// How many of each variant.
    pub demand: &'a BTreeMap<Id<Variant>, i64>,
    /// What is sold, and what it is worth.
    pub values: Values,
    /// The locations that have a part of it already.
    pub first: &'a [Id<LocationKind>],
}

/// Where parcels go; looked up only when a profile asks.
#[derive(Clone, Copy)]
pub enum WhereTo<'a> {
    /// Where the cart of an order says.
    Cart(Id<id::Cart>),
    /// There, if anywhere.
    Known(Option<&'a Destination>),
}

/// What an order sells, and what it is worth, in minor units.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// The variants sold.
    pub sold: BTreeSet<Id<Variant>>,
    /// All together.
    pub total_minor: i64,
    /// One piece of each variant that is taken from shelves.
    pub each_minor: BTreeMap<Id<Variant>, i64>,
}

impl Outline<'_> {
    /// What an order that takes goods looks like.
    pub fn of<'a>(taking: &Taking<'a>) -> Outline<'a> {
        let order = taking.of.order;
        let worth = |line: &'a Line| (line.variant, line.gross, line.quantity, line.takes.as_slice());
        Outline {
            channel: order.channel,
            market: order.market,
            customer: order.customer,
            kind: order.kind,
            placed_at: order.placed_at,
            to: WhereTo::Cart(order.cart),
            reach: taking.reach,
            demand: taking.demand,
            values: Values::of(taking.of.lines.iter().map(worth)),
            first: taking.of.first,
        }
    }
}

impl Values {
    /// Of lines: the variant, what the line costs, how many, and what one takes from shelves. What one piece is worth is the mean over the
    /// lines that take it.
    pub fn of<'a>(lines: impl Iterator<Item = (Id<Variant>, i64, i64, &'a [(Id<Variant>, i64)])>) -> Values {
        let mut values = Values::default();
        let mut sums: BTreeMap<Id<Variant>, (i64, i64)> = BTreeMap::new();
        for (variant, gross, quantity, takes) in lines {
            values.sold.insert(variant);
            values.total_minor += gross;
            let pieces: i64 = takes.iter().map(|(_, each)| each * quantity).sum();
            for (variant, each) in takes {
                let sum = sums.entry(*variant).or_default();
                sum.0 += gross / pieces.max(1) * each * quantity;
                sum.1 += each * quantity;
            }
        }
        values.each_minor =
            sums.into_iter().map(|(variant, (sum, units))| (variant, sum / units.max(1))).collect();
        values
    }

    fn one(&self, variant: Id<Variant>) -> i64 {
        self.each_minor.get(&variant).copied().unwrap_or(0)
    }
}

/// An order set out to be routed.
pub(super) struct SetOut {
    pub facts: Facts,
    pub wanted: Wanted,
    pub candidates: Vec<Candidate>,
    /// Locations that prepare only so many a day: the day on their clock, and how many.
    pub rooms: BTreeMap<Id<LocationKind>, (i64, i64)>,
}

/// Sets an order out.
pub(super) fn set_out(
    tx: &mut Tx<'_>,
    now: Instant,
    version: &Version,
    outline: &Outline<'_>,
    picture: &Picture,
) -> Result<SetOut, Failure> {
    let profile = &version.profile;
    let facts = facts(tx, profile, outline)?;
    let wanted = wanted(tx, profile, outline)?;
    let (mut serving, clocks) = serving::of_network(tx, outline.reach.network)?;
    let reached: HashSet<_> = outline.reach.locations.iter().copied().collect();
    serving.retain(|one| reached.contains(&one.id));
    let clocks = clocks.iter().map(|clock| Shown::by(clock, now, profile.opens_within_hours())).collect();
    let look = look(tx, profile, outline, (&serving, clocks))?;
    let supply = |(variant, shelf): (Id<Variant>, &Shelf)| {
        (variant, look.supply(profile, (variant, outline.values.one(variant)), shelf))
    };
    let candidate = |(location, shelves): (&Serving, Vec<(Id<Variant>, &Shelf)>)| Candidate {
        location: location.id,
        rank: location.rank,
        kind: location.kind,
        country: location.country,
        distance_m: look.point.zip(location.coordinates).map(|(to, from)| i64::from(from.distance_m(to))),
        is_open: look.clocks[location.clock].is_open,
        parcels_left: look.left(location.id),
        units_left: None,
        tariff: profile.costs().tariff(location.id, location.kind, look.country),
        supply: shelves.into_iter().map(supply).collect(),
    };
    let places: Vec<_> = serving.iter().map(|one| one.id).collect();
    let shelves = picture.shelves_at(&places, outline.demand.keys().copied());
    let candidates = serving.iter().zip(shelves).map(candidate).collect();
    Ok(SetOut { facts, wanted, candidates, rooms: look.rooms })
}

/// What a clock shows now, and whether doors are open by it or soon will be.
struct Shown {
    day: i64,
    is_open: bool,
}

impl Shown {
    fn by(clock: &Clock, now: Instant, hours: i64) -> Shown {
        let opening = clock.hours.as_ref();
        Shown { day: day_of(now, &clock.zone), is_open: opens_within((opening, &clock.zone), now, hours) }
    }
}

/// Everything about places that is the same for all locations.
struct Look {
    clocks: Vec<Shown>,
    country: Option<Country>,
    point: Option<domain::value::Coordinates>,
    rooms: BTreeMap<Id<LocationKind>, (i64, i64)>,
    given: BTreeMap<Id<LocationKind>, i64>,
    outflow: HashMap<(Id<Variant>, Id<LocationKind>), i64>,
}

fn look(
    tx: &mut Tx<'_>,
    profile: &Profile,
    outline: &Outline<'_>,
    (serving, clocks): (&[Serving], Vec<Shown>),
) -> Result<Look, Failure> {
    let costs = profile.costs();
    let by_distance = costs.asks_for_distance() || measures(profile, |measure| *measure == Measure::Distance);
    let by_country = costs.tariffs.iter().any(|one| !one.countries.is_empty());
    let destination = match outline.to {
        WhereTo::Cart(cart) if by_distance || by_country => {
            let goes_to = store::cart::find(tx, cart)?.and_then(|cart| cart.destination);
            goes_to.map(|to| Destination { country: to.country, postal_code: to.postal_area })
        }
        WhereTo::Cart(_) => None,
        WhereTo::Known(destination) => destination.cloned(),
    };
    let point = match &destination {
        Some(to) if by_distance => area::coordinates_of(tx, to.country, to.postal_code.as_deref())?,
        _ => None,
    };
    let room = |one: &Serving| Some((one.id, (clocks[one.clock].day, one.capacity?)));
    let rooms: BTreeMap<_, _> = serving.iter().filter_map(room).collect();
    let by_supply = costs.slow.is_some() || measures(profile, |measure| *measure == Measure::DaysOfSupply);
    let outflow = if by_supply {
        let keys: Vec<_> = outline.demand.keys().map(|variant| variant.bytes()).collect();
        outflow::of(tx, &keys)?.into_iter().map(|(variant, at, units)| ((variant, at), units)).collect()
    } else {
        HashMap::new()
    };
    let given = given(tx, &rooms)?;
    Ok(Look { clocks, country: destination.map(|to| to.country), point, rooms, given, outflow })
}

/// What these locations were given today on their own clocks.
fn given(
    tx: &mut Tx<'_>,
    rooms: &BTreeMap<Id<LocationKind>, (i64, i64)>,
) -> Result<BTreeMap<Id<LocationKind>, i64>, Failure> {
    let days = rooms.values().map(|(day, _)| *day);
    let Some(span) = days.clone().min().zip(days.max()) else { return Ok(BTreeMap::new()) };
    let keys: Vec<_> = rooms.keys().map(|location| location.bytes()).collect();
    let rows = capacity::given(tx, &keys, span)?.into_iter();
    let today = rows.filter(|(location, day, _)| rooms.get(location).is_some_and(|(own, _)| own == day));
    Ok(today.map(|(location, _, given)| (location, given)).collect())
}

impl Look {
    fn left(&self, location: Id<LocationKind>) -> Option<i64> {
        let (_, capacity) = self.rooms.get(&location)?;
        Some(capacity - self.given.get(&location).copied().unwrap_or(0))
    }

    fn supply(&self, profile: &Profile, (variant, value_minor): (Id<Variant>, i64), shelf: &Shelf) -> Supply {
        let is_missed = shelf.safety == i64::MAX;
        let units = self.outflow.get(&(variant, shelf.location)).copied().unwrap_or(0);
        let daily_demand_milli = units.saturating_mul(1000) / OUTFLOW_DAYS;
        Supply {
            free: shelf.available,
            safety: if is_missed { 0 } else { shelf.safety },
            daily_demand_milli,
            markdown_minor: profile.costs().markdown_minor(value_minor, shelf.available, daily_demand_milli),
            is_missed,
        }
    }
}

/// The day on the clock of a location that prepares only so many a day, and how many.
pub fn room(location: &Location, now: Instant) -> Option<(i64, i64)> {
    Some((day_of(now, &location.zone), location.capacity?))
}

/// The day on a clock, as `yyyymmdd`.
pub fn day_of(at: Instant, zone: &Zone) -> i64 {
    let day = LocalDay::of(at, zone);
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

/// Is a door with these opening hours open by a clock, or will it be within so many hours? A place without a door always works.
pub fn opens_within((opening, zone): (Option<&OpeningHours>, &Zone), now: Instant, hours: i64) -> bool {
    opening.is_none_or(|opening| {
        let until = now.plus_seconds(hours * 3600);
        opening.is_open(now, zone) || opening.next_opening(now, zone).is_some_and(|opens| opens <= until)
    })
}

fn measures(profile: &Profile, is_it: impl Fn(&Measure) -> bool) -> bool {
    profile.asks_for(|strategy| strategy.criteria.iter().any(|criterion| is_it(&criterion.measure)))
}

fn conditions(profile: &Profile, is_it: impl Fn(&Condition) -> bool) -> bool {
    profile.asks_for(|strategy| strategy.conditions.iter().any(&is_it))
}

fn facts(tx: &mut Tx<'_>, profile: &Profile, outline: &Outline<'_>) -> Result<Facts, Failure> {
    let by_group = conditions(profile, |condition| matches!(condition, Condition::Group(_)));
    let groups = match outline.customer.filter(|_| by_group) {
        Some(customer) => store::customer::find(tx, customer)?.map(|customer| customer.groups),
        None => None,
    };
    let categories = if conditions(profile, |condition| matches!(condition, Condition::Category(_))) {
        let sold: Vec<_> = outline.values.sold.iter().copied().collect();
        let products: Vec<_> =
            store::catalogue::variants(tx, &sold)?.into_iter().map(|variant| variant.product).collect();
        store::catalogue::category::above_products(tx, &products)?
    } else {
        Vec::new()
    };
    Ok(Facts {
        value_minor: outline.values.total_minor,
        channel: outline.channel,
        market: outline.market,
        groups: groups.into_iter().flatten().collect(),
        categories: categories.into_iter().collect(),
        variants: outline.values.sold.clone(),
        delivery: outline.kind,
        placed_at: outline.placed_at,
    })
}

fn wanted(tx: &mut Tx<'_>, profile: &Profile, outline: &Outline<'_>) -> Result<Wanted, Failure> {
    let costs = profile.costs();
    let by_weight =
        costs.otherwise.kilogram_minor > 0 || costs.tariffs.iter().any(|one| one.tariff.kilogram_minor > 0);
    let variants: Vec<_> = outline.demand.keys().copied().collect();
    let weights: BTreeMap<_, _> = if by_weight {
        let known = store::catalogue::variants(tx, &variants)?.into_iter();
        known.map(|variant| (variant.id, variant.weight_grams.unwrap_or(0))).collect()
    } else {
        BTreeMap::new()
    };
    let line = |(variant, quantity): (&Id<Variant>, &i64)| WantedLine {
        variant: *variant,
        quantity: *quantity,
        value_minor: outline.values.one(*variant),
        weight_grams: weights.get(variant).copied().unwrap_or(0),
    };
    let countries = if measures(profile, |measure| *measure == Measure::Market) {
        market::find_market(tx, outline.market)?.map(|market| market.countries)
    } else {
        None
    };
    Ok(Wanted {
        lines: outline.demand.iter().map(line).collect(),
        countries: countries.into_iter().flatten().collect(),
        first: outline.first.iter().copied().collect(),
    })
}

/// Makes sure that every location that sends a part can still prepare it, until the commit.
pub(super) fn keep_room(tx: &mut Tx<'_>, set_out: &SetOut, decision: &Decision) -> Result<(), Failure> {
    for part in &decision.parts {
        let Some((day, most)) = set_out.rooms.get(&part.location) else { continue };
        if !capacity::keep_room(tx, (part.location, *day), *most - 1)? {
            // Somebody was given the last place between our look and our taking: look again.
            return Err(tx.begin_anew().into());
        }
    }
    Ok(())
}

/// What is taken, variant by variant, as accounts are touched in sorted order.
pub(super) fn in_order(decision: &Decision) -> Vec<Allocation> {
    let mut allocations: Vec<_> = decision.allocations().collect();
    allocations.sort_by_key(|one| (one.variant, one.location));
    allocations
}

/// Does a strategy keep safety stock back?
pub(super) fn keeps_safety(strategy: &Strategy) -> bool {
    strategy.criteria.iter().any(|criterion: &Criterion| criterion.measure == Measure::SafetyStock)
}
