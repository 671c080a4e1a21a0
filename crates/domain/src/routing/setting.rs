//! An order set out for routing: who may give what, what each criterion measures and what each choice costs; and all of it as the bare
//! numbers that the optimiser weighs.

use std::collections::BTreeMap;

use super::criterion::{Effect, Measure};
use super::decision::{Cost, Exclusion, Weighed};
use super::optimise::problem::{Node, Problem, Weight};
use super::profile::{Objective, Strategy};
use super::wanted::{Asked, Candidate, Wanted};

/// The heaviest that everything together may weigh, so that no sum leaves its number.
const HEAVIEST: Weight = 1 << 100;

/// An order, its strategy and the locations.
pub(super) struct Setting<'a> {
    pub(super) strategy: &'a Strategy,
    pub(super) asked: Vec<Asked>,
    /// Every location once, in the order of their ids.
    pub(super) candidates: Vec<&'a Candidate>,
    /// What is known of each.
    pub(super) weighed: Vec<Weighed>,
    /// What each offers of each line.
    offers: Vec<Vec<Offer>>,
    /// Which of them may give.
    pub(super) eligible: Vec<usize>,
    pub(super) keeps_safety: bool,
}

/// What a place offers of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Offer {
    /// How many units it can give of what is asked.
    units: i64,
    /// What a unit costs from here.
    unit_minor: i64,
    /// What is gained by sending a unit away.
    markdown_minor: i64,
    /// It should have some, but it was looked for there in vain.
    is_missed: bool,
}

/// What is compared, and what one step of it weighs, the most important first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scales(pub(super) Vec<(Stage, Weight)>);

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The value of what is placed, in minor units; a unit counts at least 1.
    Placed,
    /// The cost, in minor units.
    Cost,
    /// The number of parts.
    Parts,
    /// The scores of the criterion at this place, summed over the parts.
    Criterion(usize),
}

impl<'a> Setting<'a> {
    /// Looks at every location. Each should be given once; of two with one id the first counts.
    pub(super) fn new(strategy: &'a Strategy, wanted: &Wanted, candidates: &'a [Candidate]) -> Setting<'a> {
        let asked = wanted.asked();
        let mut candidates: Vec<&Candidate> = candidates.iter().collect();
        candidates.sort_by_key(|candidate| candidate.location);
        candidates.dedup_by_key(|candidate| candidate.location);
        let keeps_safety = strategy.criteria.iter().any(super::criterion::Criterion::keeps_safety);
        let offers: Vec<Vec<Offer>> =
            candidates.iter().map(|candidate| offers(candidate, &asked, keeps_safety)).collect();
        let weigh = |(candidate, offers): (&&Candidate, &Vec<Offer>)| {
            weighed(strategy, (wanted, &asked), candidate, offers)
        };
        let mut weighed: Vec<Weighed> = candidates.iter().zip(&offers).map(weigh).collect();
        let eligible: Vec<usize> =
            (0..weighed.len()).filter(|place| weighed[*place].excluded.is_none()).collect();
        for (at, criterion) in strategy.criteria.iter().enumerate() {
            let measures: Vec<_> = eligible.iter().map(|place| weighed[*place].measures[at]).collect();
            for (place, score) in eligible.iter().zip(criterion.scores(&measures)) {
                weighed[*place].scores[at] = score;
            }
        }
        Setting { strategy, asked, candidates, weighed, offers, eligible, keeps_safety }
    }

    /// The least worth of a part, and how many there may be.
    pub(super) fn parts_max(&self) -> usize {
        usize::try_from(self.strategy.limits.parts_max).unwrap_or(0)
    }

    /// The order as bare numbers, and what they mean. The nodes are the eligible locations.
    pub(super) fn problem(&self) -> (Problem, Scales) {
        let mut demand: Vec<i64> = vec![0; self.asked.len()];
        for place in &self.eligible {
            for (sum, offer) in demand.iter_mut().zip(&self.offers[*place]) {
                *sum = sum.saturating_add(offer.units);
            }
        }
        demand.iter_mut().zip(&self.asked).for_each(|(sum, asked)| *sum = asked.quantity.min(*sum));
        let scales = self.scales(&demand);
        let missing = self.asked.iter().map(|asked| scales.of(Stage::Placed) * worth(asked)).collect();
        let cost = scales.of(Stage::Cost);
        let node = |place: &usize| Node {
            open: self.open(*place, &scales),
            unit: self.offers[*place].iter().map(|offer| cost * offer.net_minor()).collect(),
            stock: self.offers[*place]
                .iter()
                .zip(&demand)
                .map(|(offer, wanted)| offer.units.min(*wanted))
                .collect(),
            units_max: self.candidates[*place].units_max(),
        };
        let problem = Problem {
            is_whole: self.asked.iter().zip(&demand).all(|(asked, demand)| asked.quantity == *demand),
            missing,
            value: self.asked.iter().map(|asked| asked.value_minor).collect(),
            part_value: self.strategy.limits.part_value_minor,
            parts_max: self.parts_max(),
            nodes: self.eligible.iter().map(node).collect(),
            demand,
        };
        (problem, scales)
    }

    /// What a unit costs from a place after what is gained by sending it away, in minor units.
    pub(super) fn unit_minor(&self, place: usize, line: usize) -> Weight {
        self.offers[place][line].net_minor()
    }

    /// What a part costs from a place before its units, in minor units, the split's penalty included.
    pub(super) fn open_minor(&self, place: usize) -> Weight {
        Weight::from(self.candidates[place].open_minor()) + Weight::from(self.strategy.limits.split_minor)
    }

    /// What opening a place weighs.
    fn open(&self, place: usize, scales: &Scales) -> Weight {
        let of = |(stage, scale): &(Stage, Weight)| match stage {
            Stage::Placed => 0,
            Stage::Cost => scale * self.open_minor(place),
            Stage::Parts => *scale,
            Stage::Criterion(at) => scale * Weight::from(self.weighed[place].scores[*at]),
        };
        scales.0.iter().map(of).sum()
    }

    /// What is compared, in order: what is placed, then cost and criteria as the objective says.
    fn stages(&self) -> Vec<Stage> {
        let criteria = self.strategy.criteria.iter().enumerate();
        let ranking = criteria.filter(|(_, criterion)| !matches!(criterion.effect, Effect::Exclude { .. }));
        let stage = |(at, criterion): (usize, &super::criterion::Criterion)| match criterion.measure {
            Measure::Cost => Stage::Cost,
            Measure::Parts => Stage::Parts,
            _ => Stage::Criterion(at),
        };
        let mut stages = vec![Stage::Placed];
        if self.strategy.objective == Objective::Cost {
            stages.push(Stage::Cost);
        }
        stages.extend(ranking.map(stage));
        stages.push(Stage::Cost);
        let mut seen: Vec<Stage> = Vec::new();
        stages.retain(|stage| {
            let is_new = !seen.contains(stage);
            seen.push(*stage);
            is_new
        });
        stages
    }

    /// One step of a stage weighs more than everything that the lesser stages can. Lesser stages that are too many for one number
    /// are left out.
    fn scales(&self, demand: &[i64]) -> Scales {
        let units: Weight = demand.iter().map(|units| Weight::from(*units)).sum();
        let parts = (self.parts_max() as Weight).min(self.eligible.len() as Weight).min(units).max(1);
        let most = |of: &dyn Fn(usize) -> Weight| {
            self.eligible.iter().map(|place| of(*place)).max().unwrap_or(0).max(0)
        };
        let range = |stage: Stage| match stage {
            Stage::Placed => {
                demand.iter().zip(&self.asked).map(|(d, asked)| Weight::from(*d) * worth(asked)).sum()
            }
            Stage::Parts => parts,
            Stage::Criterion(at) => parts * most(&|place| Weight::from(self.weighed[place].scores[at])),
            Stage::Cost => {
                let spread = |(line, demand): (usize, &i64)| {
                    let costs = self.eligible.iter().map(|place| self.unit_minor(*place, line));
                    let (cheap, dear) =
                        costs.fold((0, 0), |(least, most), cost| (cost.min(least), cost.max(most)));
                    Weight::from(*demand) * (dear - cheap)
                };
                parts * most(&|place| self.open_minor(place))
                    + demand.iter().enumerate().map(spread).sum::<Weight>()
            }
        };
        let mut kept: Vec<(Stage, Weight)> = Vec::new();
        let mut product: Weight = 1;
        for stage in self.stages() {
            let range = range(stage).clamp(0, HEAVIEST);
            match product.checked_mul(range + 1).filter(|product| *product < HEAVIEST) {
                Some(larger) => product = larger,
                None if kept.len() < 2 => {}
                None => break,
            }
            kept.push((stage, range));
        }
        let mut scale: Weight = 1;
        for (at, (_, range)) in kept.iter_mut().enumerate().rev() {
            let own = if at == 0 { scale.min(HEAVIEST / (*range + 1)).max(1) } else { scale };
            scale = scale.saturating_mul(*range + 1).min(HEAVIEST);
            *range = own;
        }
        Scales(kept)
    }
}

/// What placing a unit counts: its value, at least 1.
pub(super) fn worth(asked: &Asked) -> Weight {
    Weight::from(asked.value_minor.max(1))
}

impl Scales {
    /// What one step of a stage weighs; nothing when it was left out.
    pub(super) fn of(&self, stage: Stage) -> Weight {
        self.0.iter().find(|(one, _)| *one == stage).map_or(0, |(_, scale)| *scale)
    }
}

impl Offer {
    /// What a unit costs after what is gained by sending it away, in minor units.
    fn net_minor(&self) -> Weight {
        Weight::from(self.unit_minor) - Weight::from(self.markdown_minor)
    }
}

/// What a place offers of each line. Lines and supplies both stand in the order of variants.
fn offers(candidate: &Candidate, asked: &[Asked], keeps_safety: bool) -> Vec<Offer> {
    let mut supplies = candidate.supply.iter().peekable();
    let of = |asked: &Asked| {
        while supplies.next_if(|(variant, _)| **variant < asked.variant).is_some() {}
        let supply = supplies.next_if(|(variant, _)| **variant == asked.variant).map(|(_, supply)| supply);
        Offer {
            units: supply.map_or(0, |supply| supply.gives(keeps_safety)).min(asked.quantity),
            unit_minor: candidate.unit_minor(asked),
            markdown_minor: supply.map_or(0, |supply| supply.markdown_minor.max(0)),
            is_missed: supply.is_some_and(|supply| supply.is_missed && supply.free > 0),
        }
    };
    asked.iter().map(of).collect()
}

/// What is known of a location: what it measures, whether it is shut out, what it could give and what that would cost.
fn weighed(
    strategy: &Strategy,
    (wanted, asked): (&Wanted, &[Asked]),
    candidate: &Candidate,
    offers: &[Offer],
) -> Weighed {
    let measures: Vec<Option<i64>> =
        strategy.criteria.iter().map(|criterion| criterion.measure.of(candidate, wanted, asked)).collect();
    let shut = |(at, measure): (usize, &Option<i64>)| strategy.criteria[at].excludes(*measure).then_some(at);
    let lines = || asked.iter().zip(offers);
    let gives: BTreeMap<_, _> = lines()
        .filter(|(_, offer)| offer.units > 0)
        .map(|(asked, offer)| (asked.variant, offer.units))
        .collect();
    let missed: Vec<_> =
        lines().filter(|(_, offer)| offer.is_missed).map(|(asked, _)| asked.variant).collect();
    let excluded = if !candidate.is_open {
        Some(Exclusion::Closed)
    } else if candidate.parcels_left.is_some_and(|left| left <= 0) || candidate.units_max() == 0 {
        Some(Exclusion::NoCapacity)
    } else if let Some(at) = measures.iter().enumerate().find_map(shut) {
        Some(Exclusion::Criterion(at))
    } else if gives.is_empty() {
        Some(if missed.is_empty() { Exclusion::NothingFree } else { Exclusion::Missed })
    } else {
        None
    };
    Weighed {
        location: candidate.location,
        scores: vec![0; measures.len()],
        measures,
        excluded,
        alone: Cost::of_units(
            candidate,
            offers.iter().map(|offer| (offer.units, offer.unit_minor, offer.markdown_minor)),
        ),
        gives,
        missed,
    }
}
