//! Orders and shelves made up for routing, the same for the same number, from a chain with many stores to facility location.

use std::collections::{BTreeMap, BTreeSet};

use domain::location::Kind;
use domain::routing::profile::{Limits, Objective, Remainder, Strategy};
use domain::routing::wanted::{Candidate, Line, Supply, Tariff, Wanted};
use domain::value::id::{Location, Variant};
use domain::value::{Id, Name};
use tandem::demo::assignment::scattered;

use crate::fault::Fault;

/// The most that a unit costs in facility location, in minor units: its cost is this less its own gain.
pub const DEAREST_UNIT: i64 = 1_000;

/// One order with its shelves.
pub struct Instance {
    /// What sort it is, in words.
    pub sort: &'static str,
    /// What is wanted.
    pub wanted: Wanted,
    /// Who could give.
    pub candidates: Vec<Candidate>,
    /// How it is routed.
    pub strategy: Strategy,
}

/// How orders of a sort are made up.
#[derive(Clone, Copy)]
pub struct Sort {
    /// In words.
    pub name: &'static str,
    /// How many such orders.
    pub many: u64,
    lines: u64,
    locations: u64,
    /// The most pieces of a line.
    quantity_max: u64,
    /// The most pieces on a shelf.
    shelf_max: u64,
    /// In how many of a hundred locations a variant is.
    presence: u64,
    parts_max: i64,
    part_value_minor: i64,
    /// Do places have few units of capacity left?
    is_tight: bool,
    /// Facility location after Bilde and Krarup: the least and the most that opening costs.
    opening: Option<(u64, u64)>,
}

impl Sort {
    /// No larger than ten lines and a hundred locations?
    pub fn is_ordinary(self) -> bool {
        self.lines <= 10 && self.locations <= 100
    }
}

const CHAIN: Sort = Sort {
    name: "",
    many: 40,
    lines: 10,
    locations: 100,
    quantity_max: 1,
    shelf_max: 8,
    presence: 60,
    parts_max: 5,
    part_value_minor: 0,
    is_tight: false,
    opening: None,
};

/// Facility location: every place has everything, opening costs much, and each line its own from each place.
const OPENING: Sort = Sort { quantity_max: 1, shelf_max: 1, presence: 100, parts_max: 20, many: 3, ..CHAIN };

/// Everything that is measured for single orders.
pub const SORTS: [Sort; 12] = [
    Sort { name: "3 lines x 50, up to 3 each", lines: 3, locations: 50, quantity_max: 3, ..CHAIN },
    Sort { name: "10 lines x 100, one each", ..CHAIN },
    Sort { name: "10 lines x 100, up to 6 each", quantity_max: 6, ..CHAIN },
    Sort { name: "10 lines x 100, up to 60 each, scarce", quantity_max: 60, shelf_max: 40, ..CHAIN },
    Sort { name: "10 lines x 100, one each, rare, 3 parts", presence: 12, parts_max: 3, ..CHAIN },
    Sort {
        name: "5 lines x 60, parts of 60.00 and more, tight capacity",
        lines: 5,
        locations: 60,
        quantity_max: 2,
        part_value_minor: 6_000,
        is_tight: true,
        many: 20,
        ..CHAIN
    },
    Sort { name: "10 lines x 1,000, one each", locations: 1_000, many: 10, ..CHAIN },
    Sort { name: "10 lines x 1,000, up to 6 each", locations: 1_000, many: 10, quantity_max: 6, ..CHAIN },
    Sort {
        name: "Bilde-Krarup B, 100 x 50",
        lines: 100,
        locations: 50,
        opening: Some((1_000, 10_000)),
        ..OPENING
    },
    Sort {
        name: "Bilde-Krarup D2, 80 x 30",
        lines: 80,
        locations: 30,
        opening: Some((2_000, 2_000)),
        ..OPENING
    },
    Sort {
        name: "Bilde-Krarup D10, 80 x 30",
        lines: 80,
        locations: 30,
        opening: Some((10_000, 10_000)),
        ..OPENING
    },
    Sort {
        name: "Bilde-Krarup E5, 100 x 50",
        lines: 100,
        locations: 50,
        opening: Some((5_000, 5_000)),
        ..OPENING
    },
];

/// The order of this sort with this number.
///
/// # Errors
/// Never with the sorts there are.
pub fn make(sort: &Sort, number: u64) -> Result<Instance, Fault> {
    let dice =
        |what: String, below: u64| scattered(&format!("{} {number} {what}", sort.name), "routing") % below;
    let line = |at: u64| Line {
        variant: id(at),
        quantity: 1 + dice(format!("quantity {at}"), sort.quantity_max).cast_signed(),
        value_minor: 500 + dice(format!("value {at}"), 6_000).cast_signed(),
        weight_grams: 0,
    };
    let candidate = |place: u64| {
        let pieces = |at: u64| {
            if dice(format!("presence {place} {at}"), 100) < sort.presence {
                1 + dice(format!("shelf {place} {at}"), sort.shelf_max).cast_signed()
            } else {
                0
            }
        };
        let gain = |at: u64| match sort.opening {
            Some(_) => dice(format!("unit {place} {at}"), 1 + DEAREST_UNIT.cast_unsigned()).cast_signed(),
            None if dice(format!("slow {place} {at}"), 10) == 0 => {
                dice(format!("loss {place} {at}"), 120).cast_signed()
            }
            None => 0,
        };
        let parcel = match sort.opening {
            Some((least, most)) => least + dice(format!("opening {place}"), most - least + 1),
            None => 280 + dice(format!("parcel {place}"), 250),
        };
        let item = if sort.opening.is_some() {
            DEAREST_UNIT
        } else {
            20 + dice(format!("item {place}"), 60).cast_signed()
        };
        let far = if sort.opening.is_some() { 0 } else { dice(format!("far {place}"), 600_000) };
        let units_left = sort.is_tight.then(|| 2 + dice(format!("left {place}"), 4).cast_signed());
        let supply = (0..sort.lines).map(|at| (id(at), supply(pieces(at), gain(at)))).collect();
        shelf_of(place, parcel.cast_signed(), (item, far.cast_signed()), units_left, supply)
    };
    Ok(Instance {
        sort: sort.name,
        wanted: wanted((0..sort.lines).map(line).collect()),
        candidates: (0..sort.locations).map(candidate).collect(),
        strategy: strategy(sort.parts_max, sort.part_value_minor)?,
    })
}

/// A wave: so many orders of one to four lines over so many locations, with a third more stock and capacity than is wanted.
///
/// # Errors
/// Never.
pub fn make_wave(orders: u64, locations: u64, number: u64) -> Result<Vec<Instance>, Fault> {
    let dice = |what: String, below: u64| scattered(&format!("wave {number} {what}"), "routing") % below;
    let variants = orders / 5;
    let line = |order: u64, at: u64| Line {
        // The product of two dice: some variants are wanted much more often.
        variant: id(dice(format!("which {order} {at}"), variants)
            * dice(format!("often {order} {at}"), variants)
            / variants),
        quantity: 1 + dice(format!("quantity {order} {at}"), 2).cast_signed(),
        value_minor: 500 + dice(format!("value {order} {at}"), 6_000).cast_signed(),
        weight_grams: 0,
    };
    let lines: Vec<Vec<Line>> = (0..orders)
        .map(|order| (0..1 + dice(format!("lines {order}"), 4)).map(|at| line(order, at)).collect())
        .collect();
    let mut demand: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    for line in lines.iter().flatten() {
        *demand.entry(line.variant).or_default() += line.quantity;
    }
    let mut shelves: Vec<BTreeMap<Id<Variant>, Supply>> = vec![BTreeMap::new(); locations as usize];
    for (which, (variant, wanted)) in demand.iter().enumerate() {
        for piece in 0..(wanted * 4 / 3 + 1) {
            let place = dice(format!("piece {which} {piece}"), locations) as usize;
            shelves[place].entry(*variant).or_insert(supply(0, 0)).free += 1;
        }
    }
    let parcels = (orders * 2).div_ceil(locations).cast_signed();
    let candidates = |order: u64| -> Vec<Candidate> {
        (0..locations)
            .map(|place| {
                let far = dice(format!("far {order} {place}"), 600_000).cast_signed();
                let parcel = 280 + dice(format!("parcel {place}"), 250).cast_signed();
                let item = 20 + dice(format!("item {place}"), 60).cast_signed();
                let of = shelf_of(place, parcel, (item, far), None, shelves[place as usize].clone());
                Candidate { parcels_left: Some(parcels), ..of }
            })
            .collect()
    };
    let instance = |(order, lines): (u64, Vec<Line>)| {
        let strategy = strategy(6, 0)?;
        Ok(Instance { sort: "wave", wanted: wanted(lines), candidates: candidates(order), strategy })
    };
    (0..).zip(lines).map(instance).collect()
}

fn id<K: domain::value::Kind>(number: u64) -> Id<K> {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Id::from_bytes(bytes)
}

fn supply(free: i64, markdown_minor: i64) -> Supply {
    Supply { free, safety: 0, daily_demand_milli: 0, markdown_minor, is_missed: false }
}

fn shelf_of(
    place: u64,
    parcel_minor: i64,
    (item_minor, distance_m): (i64, i64),
    units_left: Option<i64>,
    supply: BTreeMap<Id<Variant>, Supply>,
) -> Candidate {
    Candidate {
        location: id::<Location>(place),
        rank: 0,
        kind: Kind::Store,
        country: None,
        distance_m: Some(distance_m),
        is_open: true,
        parcels_left: None,
        units_left,
        tariff: Tariff { parcel_minor, item_minor, kilogram_minor: 0, kilometre_minor: 1 },
        supply,
    }
}

fn wanted(lines: Vec<Line>) -> Wanted {
    Wanted { lines, countries: BTreeSet::new(), first: BTreeSet::new() }
}

fn strategy(parts_max: i64, part_value_minor: i64) -> Result<Strategy, Fault> {
    Ok(Strategy {
        name: Name::new("name", "least cost").map_err(|error| Fault::Failed(error.to_string()))?,
        conditions: Vec::new(),
        criteria: Vec::new(),
        limits: Limits { parts_max, part_value_minor, split_minor: 0 },
        objective: Objective::Cost,
        is_all_or_next: false,
        batch_minutes: None,
        remainder: Remainder::Person,
    })
}
