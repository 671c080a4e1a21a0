//! Decisions: from where an order is served, with everything that was known of every location, so that it can be asked why.

use std::collections::BTreeMap;

use super::condition::Facts;
use super::criterion::{Criterion, Effect, Measure};
use super::optimise::problem::{Found, Problem, Weight};
use super::optimise::{Solved, solve};
use super::profile::{Profile, Remainder, Strategy};
use super::setting::{Scales, Setting};
use super::wanted::{Asked, Candidate, Wanted};
use super::{Allocation, Short};
use crate::value::id::{Location, Variant};
use crate::value::{Id, Name};

pub use super::setting::Stage;

/// What the strategy of the plain rule is called.
pub const PLAIN: &str = "built-in";

/// From where an order is served, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The strategy that was used.
    pub strategy: Name,
    /// Strategies that had their turn before and could not place everything.
    pub passed: Vec<Name>,
    /// The strategy's criteria; measures and scores stand in their order.
    pub criteria: Vec<Criterion>,
    /// Everything that was wanted, by variant.
    pub asked: BTreeMap<Id<Variant>, i64>,
    /// Every location that was looked at, in the order of their ids.
    pub weighed: Vec<Weighed>,
    /// The parts, in the order of their locations' ids.
    pub parts: Vec<Part>,
    /// What they cost together.
    pub cost: Cost,
    /// What could not be placed, by variant.
    pub unplaced: Vec<Short>,
    /// What happens to it; none when everything was placed.
    pub remainder: Option<Remainder>,
    /// Whether a better choice exists.
    pub proof: Proof,
}

crate::words! {
    /// What a decision was made for.
    Occasion {
        /// The order was placed.
        Placed 1 "placed";
        /// Goods that waited were routed.
        Waiting 2 "waiting";
        /// A location did not serve its part: it refused, missed pieces, closed, or can prepare no more.
        Elsewhere 3 "elsewhere";
        /// A run routed many orders together.
        Batch 4 "batch";
    }
}

/// What one location sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The location.
    pub location: Id<Location>,
    /// How many of each variant.
    pub gives: BTreeMap<Id<Variant>, i64>,
    /// What that costs.
    pub cost: Cost,
}

/// A location that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The location.
    pub location: Id<Location>,
    /// What each criterion measures; none when it is not known, or belongs to the whole choice.
    pub measures: Vec<Option<i64>>,
    /// What each criterion scores, 0 for the best; all 0 for locations that are shut out.
    pub scores: Vec<i64>,
    /// Why it is shut out, if it is.
    pub excluded: Option<Exclusion>,
    /// How many of each variant it could give of what is wanted.
    pub gives: BTreeMap<Id<Variant>, i64>,
    /// What it would cost to send all of that from here.
    pub alone: Cost,
    /// Wanted variants that were looked for here in vain a short while ago, so that none is given.
    pub missed: Vec<Id<Variant>>,
}

/// Why a location gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// It prepares no orders now.
    Closed,
    /// It can prepare no more today.
    NoCapacity,
    /// The criterion at this place of the strategy shuts it out.
    Criterion(usize),
    /// It has nothing of what is wanted.
    NothingFree,
    /// It should have some, but it was looked for there in vain.
    Missed,
}

/// What sending costs, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The parcels.
    pub parcel_minor: i64,
    /// Their way.
    pub way_minor: i64,
    /// Picking and carrying the units.
    pub items_minor: i64,
    /// The penalty for parts after the first.
    pub split_minor: i64,
    /// What is gained by sending goods away that would be marked down.
    pub markdown_minor: i64,
}

/// Whether a better choice exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// None does.
    Best,
    /// It was not asked for: by the plain rule, one location with everything, the first by rank; else as few as need be.
    Plain,
    /// It is not known; if so, it is better by no more than this.
    Open {
        /// In which comparison.
        stage: Stage,
        /// By how much at most, in that comparison's unit.
        gap: i64,
    },
}

/// Routes an order by the first strategy whose conditions hold; by the next ones where that one says so and cannot place everything.
///
/// The choice places as much value as can be placed, a unit counting at least 1; then it is the best by the strategy's objective.
/// It does not depend on the order of the candidates; each location should be given once.
pub fn decide(profile: &Profile, facts: &Facts, wanted: &Wanted, candidates: &[Candidate]) -> Decision {
    let mut passed = Vec::new();
    let mut turns = profile.strategies_for(facts).peekable();
    loop {
        let strategy = turns.next().unwrap_or(profile.fallback());
        let decision = place(strategy, wanted, candidates);
        if decision.unplaced.is_empty() || !strategy.is_all_or_next || turns.peek().is_none() {
            return Decision { passed, ..decision };
        }
        passed.push(strategy.name.clone());
    }
}

/// Routes an order by one strategy, whatever its conditions are.
pub fn place(strategy: &Strategy, wanted: &Wanted, candidates: &[Candidate]) -> Decision {
    let setting = Setting::new(strategy, wanted, candidates);
    let (problem, scales) = setting.problem();
    let solved = solve(&problem);
    let proof = proof(&problem, &scales, &solved);
    told(setting, &solved.found, proof)
}

/// What the plain rule chose of its candidates, told as a decision.
pub fn plain(
    asked: &BTreeMap<Id<Variant>, i64>,
    candidates: &[super::Candidate],
    allocations: &[Allocation],
) -> Decision {
    let weighed = |(rank, candidate): (i64, &super::Candidate)| {
        let gives = asked.iter().map(|(variant, units)| (*variant, candidate.has(*variant).min(*units)));
        let gives: BTreeMap<_, _> = gives.filter(|(_, units)| *units > 0).collect();
        Weighed {
            location: candidate.location,
            measures: vec![Some(rank)],
            scores: vec![rank],
            excluded: gives.is_empty().then_some(Exclusion::NothingFree),
            gives,
            alone: Cost::default(),
            missed: Vec::new(),
        }
    };
    let mut weighed: Vec<Weighed> = (0..).zip(candidates).map(weighed).collect();
    weighed.sort_by_key(|one| one.location);
    let mut parts: BTreeMap<Id<Location>, BTreeMap<Id<Variant>, i64>> = BTreeMap::new();
    for one in allocations {
        *parts.entry(one.location).or_default().entry(one.variant).or_insert(0) += one.quantity;
    }
    Decision {
        strategy: Name::new("strategy", PLAIN).expect("a fixed name is sound"),
        passed: Vec::new(),
        criteria: vec![Criterion { measure: Measure::Rank, effect: Effect::Rank }],
        asked: asked.clone(),
        weighed,
        parts: parts
            .into_iter()
            .map(|(location, gives)| Part { location, gives, cost: Cost::default() })
            .collect(),
        cost: Cost::default(),
        unplaced: Vec::new(),
        remainder: None,
        proof: Proof::Plain,
    }
}

impl Decision {
    /// What is taken from where, in the order of the locations' ids.
    pub fn allocations(&self) -> impl Iterator<Item = Allocation> {
        self.parts.iter().flat_map(|part| {
            let one = |(variant, quantity): (&Id<Variant>, &i64)| Allocation {
                location: part.location,
                variant: *variant,
                quantity: *quantity,
            };
            part.gives.iter().map(one)
        })
    }
}

impl Cost {
    /// Everything together, in minor units.
    pub const fn total_minor(&self) -> i64 {
        self.parcel_minor
            .saturating_add(self.way_minor)
            .saturating_add(self.items_minor)
            .saturating_add(self.split_minor)
            .saturating_sub(self.markdown_minor)
    }

    /// What a part costs, without a penalty for splitting.
    pub(super) fn of_part(
        candidate: &Candidate,
        asked: &[Asked],
        gives: &BTreeMap<Id<Variant>, i64>,
    ) -> Cost {
        let of = |asked: &Asked| {
            let units = gives.get(&asked.variant).copied().unwrap_or(0);
            (units, candidate.unit_minor(asked), candidate.markdown_minor(asked.variant))
        };
        Cost::of_units(candidate, asked.iter().map(of))
    }

    /// The same of units of each line, what one costs, and what is gained by sending it away.
    pub(super) fn of_units(candidate: &Candidate, lines: impl Iterator<Item = (i64, i64, i64)>) -> Cost {
        let mut cost = Cost {
            parcel_minor: candidate.tariff.parcel_minor.max(0),
            way_minor: candidate.way_minor(),
            ..Cost::default()
        };
        for (units, unit_minor, markdown_minor) in lines {
            cost.items_minor = cost.items_minor.saturating_add(units.saturating_mul(unit_minor));
            cost.markdown_minor = cost.markdown_minor.saturating_add(units.saturating_mul(markdown_minor));
        }
        cost
    }

    fn plus(self, other: Cost) -> Cost {
        Cost {
            parcel_minor: self.parcel_minor.saturating_add(other.parcel_minor),
            way_minor: self.way_minor.saturating_add(other.way_minor),
            items_minor: self.items_minor.saturating_add(other.items_minor),
            split_minor: self.split_minor.saturating_add(other.split_minor),
            markdown_minor: self.markdown_minor.saturating_add(other.markdown_minor),
        }
    }
}

/// In which comparison a better choice is not ruled out.
fn proof(problem: &Problem, scales: &Scales, solved: &Solved) -> Proof {
    let gap = solved.found.weight - solved.least;
    if gap <= 0 {
        return Proof::Best;
    }
    let placed: i64 = solved.found.gives.iter().flat_map(|(_, given)| given).sum();
    let is_complete = placed == problem.demand.iter().sum::<i64>();
    let open = |(stage, scale): &&(Stage, Weight)| gap >= *scale && !(is_complete && *stage == Stage::Placed);
    match scales.0.iter().find(open) {
        Some((stage, scale)) => {
            Proof::Open { stage: *stage, gap: i64::try_from(gap / (*scale).max(1)).unwrap_or(i64::MAX) }
        }
        None => Proof::Best,
    }
}

/// The choice in words of the trade.
pub(super) fn told(setting: Setting<'_>, found: &Found, proof: Proof) -> Decision {
    let mut parts = Vec::new();
    let mut cost = Cost::default();
    for (node, given) in &found.gives {
        let place = setting.eligible[*node];
        let gives = setting.asked.iter().zip(given).filter(|(_, units)| **units > 0);
        let gives: BTreeMap<_, _> = gives.map(|(asked, units)| (asked.variant, *units)).collect();
        let mut own = Cost::of_part(setting.candidates[place], &setting.asked, &gives);
        if !parts.is_empty() {
            own.split_minor = setting.strategy.limits.split_minor;
        }
        cost = cost.plus(own);
        parts.push(Part { location: setting.candidates[place].location, gives, cost: own });
    }
    let short = |asked: &Asked| {
        let found = parts.iter().filter_map(|part| part.gives.get(&asked.variant)).sum();
        (found < asked.quantity).then_some(Short { variant: asked.variant, found, asked: asked.quantity })
    };
    let unplaced: Vec<Short> = setting.asked.iter().filter_map(short).collect();
    Decision {
        strategy: setting.strategy.name.clone(),
        passed: Vec::new(),
        criteria: setting.strategy.criteria.clone(),
        asked: setting.asked.iter().map(|asked| (asked.variant, asked.quantity)).collect(),
        weighed: setting.weighed,
        remainder: (!unplaced.is_empty()).then_some(setting.strategy.remainder),
        parts,
        cost,
        unplaced,
        proof,
    }
}
