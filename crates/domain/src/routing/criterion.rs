//! Criteria: what is measured of a location, and what the measure does: shut out, put into bands, or rank.

use std::collections::BTreeSet;

use super::wanted::{Asked, Candidate, THOUSAND, Wanted};
use crate::location;
use crate::refusal::Refusal;
use crate::value::Id;
use crate::value::id::Location;

/// The most locations in a list.
pub const LISTED_MAX: usize = 1000;
/// The most edges between bands.
pub const EDGES_MAX: usize = 50;

/// What is measured of a location. For some less is better, for some more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// 0 in the market's countries, 1 elsewhere. Less is better.
    Market,
    /// Its rank in the network. Less is better.
    Rank,
    /// The place of its kind in this list; kinds that are not in it have none.
    Kind(Vec<location::Kind>),
    /// Metres to the destination. Less is better.
    Distance,
    /// For how many days its stock of the wanted goods lasts, the scarcest of them. More is better.
    DaysOfSupply,
    /// Parcels it can still prepare today. More is better; no limit is best.
    CapacityLeft,
    /// What the goods cost to send from here, in minor units, over the parts. Less is better.
    Cost,
    /// Its place in this list; locations that are not in it have none.
    List(Vec<Id<Location>>),
    /// 0 when it already has a part of the order, 1 when not. Less is better.
    FirstPart,
    /// How many parts the order is sent in. Less is better.
    Parts,
    /// Units it keeps back as safety stock are not given.
    SafetyStock,
}

/// What a measure does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Locations with a worse measure than this, or none, are shut out.
    Exclude {
        /// The worst that is still good.
        limit: i64,
    },
    /// Locations between the same edges are equal; those with a better measure come first, those without one last.
    Band {
        /// The edges, in rising order; an edge belongs to the band above it.
        edges: Vec<i64>,
    },
    /// The better the measure, the earlier the location comes; those without one last.
    Rank,
}

/// A measure and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// What is measured.
    pub measure: Measure,
    /// What it does.
    pub effect: Effect,
}

impl Measure {
    /// The name over the API.
    pub const fn text(&self) -> &'static str {
        match self {
            Measure::Market => "market",
            Measure::Rank => "rank",
            Measure::Kind(_) => "kind",
            Measure::Distance => "distance",
            Measure::DaysOfSupply => "days_of_supply",
            Measure::CapacityLeft => "capacity_left",
            Measure::Cost => "cost",
            Measure::List(_) => "list",
            Measure::FirstPart => "first_part",
            Measure::Parts => "parts",
            Measure::SafetyStock => "safety_stock",
        }
    }

    /// Is more better?
    pub const fn likes_more(&self) -> bool {
        matches!(self, Measure::DaysOfSupply | Measure::CapacityLeft)
    }

    /// The measure of a location; none when it is not known, not listed, or one of the whole choice.
    pub(super) fn of(&self, candidate: &Candidate, wanted: &Wanted, asked: &[Asked]) -> Option<i64> {
        let place = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        match self {
            Measure::Market => {
                Some(i64::from(!candidate.country.is_some_and(|country| wanted.countries.contains(&country))))
            }
            Measure::Rank => Some(candidate.rank),
            Measure::Kind(kinds) => kinds.iter().position(|kind| *kind == candidate.kind).map(place),
            Measure::Distance => candidate.distance_m,
            Measure::DaysOfSupply => days_of_supply(candidate, asked),
            Measure::CapacityLeft => Some(candidate.parcels_left.unwrap_or(i64::MAX)),
            Measure::List(list) => {
                list.iter().position(|location| *location == candidate.location).map(place)
            }
            Measure::FirstPart => Some(i64::from(!wanted.first.contains(&candidate.location))),
            Measure::Cost | Measure::Parts | Measure::SafetyStock => None,
        }
    }
}

fn days_of_supply(candidate: &Candidate, asked: &[Asked]) -> Option<i64> {
    let days = |asked: &Asked| {
        let supply = candidate.supply.get(&asked.variant).filter(|supply| supply.free > 0)?;
        let lasting = i128::from(supply.free) * i128::from(THOUSAND);
        let per_day = i128::from(supply.daily_demand_milli.max(0));
        Some(lasting.checked_div(per_day).and_then(|days| i64::try_from(days).ok()).unwrap_or(i64::MAX))
    };
    asked.iter().filter_map(days).min()
}

impl Criterion {
    /// Is a location with this measure shut out?
    pub(super) fn excludes(&self, measure: Option<i64>) -> bool {
        match (&self.effect, measure) {
            (Effect::Exclude { .. }, None) => self.measure != Measure::SafetyStock,
            (Effect::Exclude { limit }, Some(value)) if self.measure.likes_more() => value < *limit,
            (Effect::Exclude { limit }, Some(value)) => value > *limit,
            (Effect::Band { .. } | Effect::Rank, _) => false,
        }
    }

    /// Does it keep safety stock back?
    pub(super) fn keeps_safety(&self) -> bool {
        self.measure == Measure::SafetyStock
    }

    /// The scores of locations with these measures, 0 for the best; less is better.
    pub(super) fn scores(&self, measures: &[Option<i64>]) -> Vec<i64> {
        let likes_more = self.measure.likes_more();
        let turned = |value: i64| if likes_more { -value } else { value };
        let scored: Vec<Option<i64>> = match &self.effect {
            Effect::Exclude { .. } => return vec![0; measures.len()],
            Effect::Rank => measures.iter().map(|measure| measure.map(turned)).collect(),
            Effect::Band { edges } => {
                let band = |value: i64| edges.iter().filter(|edge| **edge <= value).count() as i64;
                measures.iter().map(|measure| measure.map(|value| turned(band(value)))).collect()
            }
        };
        let known: BTreeSet<i64> = scored.iter().flatten().copied().collect();
        let known: Vec<i64> = known.into_iter().collect();
        let place = |score: i64| known.binary_search(&score).unwrap_or(known.len()) as i64;
        scored.iter().map(|score| score.map_or(known.len() as i64, place)).collect()
    }

    /// Checks that measure and effect go together.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn check(&self) -> Result<(), Refusal> {
        let of_choice = matches!(self.measure, Measure::Cost | Measure::Parts);
        match (&self.measure, &self.effect) {
            (Measure::Kind(kinds), _) if kinds.is_empty() => {
                return Err(Refusal::invalid("kinds", "name at least one kind"));
            }
            (Measure::Kind(kinds), _) if repeats(kinds) => {
                return Err(Refusal::invalid("kinds", "a kind is named twice; name each once"));
            }
            (Measure::List(list), _) if list.is_empty() || list.len() > LISTED_MAX => {
                return Err(Refusal::invalid("list", format!("name 1 to {LISTED_MAX} locations")));
            }
            (Measure::List(list), _) if repeats(list) => {
                return Err(Refusal::invalid("list", "a location is named twice; name each once"));
            }
            (Measure::SafetyStock, Effect::Band { .. } | Effect::Rank) => {
                return Err(Refusal::invalid("effect", "safety stock is kept back; give exclude"));
            }
            (_, Effect::Band { .. } | Effect::Exclude { .. }) if of_choice => {
                let message = "parts and cost belong to the whole choice; give rank";
                return Err(Refusal::invalid("effect", message));
            }
            _ => {}
        }
        match &self.effect {
            Effect::Band { edges } if edges.is_empty() || edges.len() > EDGES_MAX => {
                Err(Refusal::invalid("edges", format!("give 1 to {EDGES_MAX} edges")))
            }
            Effect::Band { edges } if edges.windows(2).any(|pair| pair[0] >= pair[1]) => {
                Err(Refusal::invalid("edges", "give the edges in rising order, each once"))
            }
            Effect::Exclude { limit } if *limit < 0 => Err(Refusal::invalid("limit", "give 0 or more")),
            Effect::Band { .. } | Effect::Exclude { .. } | Effect::Rank => Ok(()),
        }
    }
}

fn repeats<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(place, one)| list[..place].contains(one))
}
