//! What routing is told: the goods that are wanted, and the locations that could give them.

use std::collections::{BTreeMap, BTreeSet};

use crate::location;
use crate::value::Country;
use crate::value::Id;
use crate::value::id::{Location, Variant};

/// Metres in a kilometre, grams in a kilogram, thousandths in one.
pub(super) const THOUSAND: i64 = 1000;

/// The goods of one order that are to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The lines; a kit comes as a line per component. Lines of one variant are placed together.
    pub lines: Vec<Line>,
    /// The countries of the market in which the goods are delivered.
    pub countries: BTreeSet<Country>,
    /// The locations that already have a part of the order.
    pub first: BTreeSet<Id<Location>>,
}

/// So many of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many, in base units.
    pub quantity: i64,
    /// What one unit is worth, in minor units.
    pub value_minor: i64,
    /// What one unit weighs, in grams.
    pub weight_grams: i64,
}

/// A location that could give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The location.
    pub location: Id<Location>,
    /// Its rank in the network; the lowest is asked first.
    pub rank: i64,
    /// What it is.
    pub kind: location::Kind,
    /// Where it is.
    pub country: Option<Country>,
    /// How far it is from the destination, in metres; none when that is not known.
    pub distance_m: Option<i64>,
    /// Does it prepare orders now?
    pub is_open: bool,
    /// How many parcels it can still prepare today; none for no limit.
    pub parcels_left: Option<i64>,
    /// How many units it can still prepare today; none for no limit.
    pub units_left: Option<i64>,
    /// What it costs to send from here.
    pub tariff: Tariff,
    /// What it has of each variant.
    pub supply: BTreeMap<Id<Variant>, Supply>,
}

/// What it costs to send goods from a location, in minor units. Zones are told apart by the price of the parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// A parcel: packing, label, carrier.
    pub parcel_minor: i64,
    /// A unit: picking it.
    pub item_minor: i64,
    /// A kilogram of goods; a begun minor unit per unit of goods counts.
    pub kilogram_minor: i64,
    /// A kilometre of distance; a begun minor unit counts.
    pub kilometre_minor: i64,
}

/// What a location has of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Units promised to nobody.
    pub free: i64,
    /// Units of it that the location would keep.
    pub safety: i64,
    /// Units that leave it per day, in thousandths; 0 when nothing sells.
    pub daily_demand_milli: i64,
    /// What a unit will lose when it is marked down here, in minor units: what is gained by sending it away.
    pub markdown_minor: i64,
    /// Was it looked for here in vain a short while ago?
    pub is_missed: bool,
}

/// What a variant is asked for over all lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) variant: Id<Variant>,
    pub(super) quantity: i64,
    /// The mean of its lines, rounded down.
    pub(super) value_minor: i64,
    /// The mean of its lines, rounded up.
    pub(super) weight_grams: i64,
}

impl Wanted {
    /// What is asked of each variant, in the variants' order. Lines of nothing are left out.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let mut sums: BTreeMap<Id<Variant>, (i128, i128, i128)> = BTreeMap::new();
        for line in self.lines.iter().filter(|line| line.quantity > 0) {
            let (quantity, sum) = (i128::from(line.quantity), sums.entry(line.variant).or_default());
            sum.0 += quantity;
            sum.1 += quantity * i128::from(line.value_minor.max(0));
            sum.2 += quantity * i128::from(line.weight_grams.max(0));
        }
        let whole = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        let asked = |(variant, (quantity, value, weight)): (Id<Variant>, (i128, i128, i128))| Asked {
            variant,
            quantity: whole(quantity),
            value_minor: whole(value / quantity),
            weight_grams: whole((weight + quantity - 1) / quantity),
        };
        sums.into_iter().map(asked).collect()
    }
}

impl Supply {
    /// How many units can be given: none where it was looked for in vain.
    pub(super) fn gives(&self, keeps_safety: bool) -> i64 {
        if self.is_missed {
            return 0;
        }
        (self.free - if keeps_safety { self.safety.max(0) } else { 0 }).max(0)
    }
}

impl Candidate {
    /// How many of a variant it can give.
    pub(super) fn gives(&self, variant: Id<Variant>, keeps_safety: bool) -> i64 {
        self.supply.get(&variant).map_or(0, |supply| supply.gives(keeps_safety))
    }

    /// The most units it can still prepare.
    pub(super) fn units_max(&self) -> i64 {
        self.units_left.unwrap_or(i64::MAX).max(0)
    }

    /// What a parcel costs from here, with its way.
    pub(super) fn open_minor(&self) -> i64 {
        self.tariff.parcel_minor.max(0).saturating_add(self.way_minor())
    }

    /// What the way costs.
    pub(super) fn way_minor(&self) -> i64 {
        per_thousand(self.distance_m.unwrap_or(0), self.tariff.kilometre_minor)
    }

    /// What a unit costs to pick and carry.
    pub(super) fn unit_minor(&self, asked: &Asked) -> i64 {
        let carried = per_thousand(asked.weight_grams, self.tariff.kilogram_minor);
        self.tariff.item_minor.max(0).saturating_add(carried)
    }

    /// What is gained by sending a unit away.
    pub(super) fn markdown_minor(&self, variant: Id<Variant>) -> i64 {
        self.supply.get(&variant).map_or(0, |supply| supply.markdown_minor.max(0))
    }
}

/// So many at a price per thousand, rounded up.
fn per_thousand(many: i64, price_minor: i64) -> i64 {
    if price_minor <= 0 {
        return 0;
    }
    let product = i128::from(many.max(0)) * i128::from(price_minor);
    i64::try_from((product + i128::from(THOUSAND) - 1) / i128::from(THOUSAND)).unwrap_or(i64::MAX)
}
