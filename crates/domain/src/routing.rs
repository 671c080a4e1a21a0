//! Routing: from which locations an order is served.
//!
//! The rule of the trunk is plain and never leaves an order unserved: one location that has everything, the first by rank; else
//! each line from the locations in rank order, as few as need be: [`route`].
//!
//! A retailer who wants more writes a [`profile`]: strategies with conditions and criteria. [`decision::decide`] then weighs every
//! location and finds the best choice, [`wave`] does so for many orders that share stock and capacity, and [`reason`] tells why.

pub mod condition;
pub mod costs;
pub mod criterion;
pub mod decision;
mod optimise;
pub mod profile;
pub mod reason;
mod setting;
pub mod wanted;
pub mod wave;

use std::collections::BTreeMap;

use crate::value::Id;
use crate::value::id::{Location, Variant};

/// What a location can give of each variant asked, best location first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The location.
    pub location: Id<Location>,
    /// How many of each variant it can give.
    pub free: BTreeMap<Id<Variant>, i64>,
}

impl Candidate {
    fn has(&self, variant: Id<Variant>) -> i64 {
        self.free.get(&variant).copied().unwrap_or(0)
    }
}

/// So many of a variant from a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The location.
    pub location: Id<Location>,
    /// The variant.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
}

/// A variant of which there is too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many can be had.
    pub found: i64,
    /// How many were asked.
    pub asked: i64,
}

/// Where the demand is served from; candidates come in the order of preference.
///
/// # Errors
/// The first variant, in order, of which all candidates together have too little.
pub fn route(
    demand: &BTreeMap<Id<Variant>, i64>,
    candidates: &[Candidate],
) -> Result<Vec<Allocation>, Short> {
    for (variant, asked) in demand {
        let found = candidates.iter().map(|candidate| candidate.has(*variant)).sum();
        if found < *asked {
            return Err(Short { variant: *variant, found, asked: *asked });
        }
    }
    let has_all =
        |candidate: &&Candidate| demand.iter().all(|(variant, asked)| candidate.has(*variant) >= *asked);
    if let Some(one) = candidates.iter().find(has_all) {
        let whole = |(variant, quantity): (&Id<Variant>, &i64)| Allocation {
            location: one.location,
            variant: *variant,
            quantity: *quantity,
        };
        return Ok(demand.iter().map(whole).collect());
    }
    Ok(demand.iter().flat_map(|(variant, asked)| spread(*variant, *asked, candidates)).collect())
}

/// One variant over the candidates in order: the first that has all of it, else as much as each has.
fn spread(variant: Id<Variant>, asked: i64, candidates: &[Candidate]) -> Vec<Allocation> {
    if let Some(one) = candidates.iter().find(|candidate| candidate.has(variant) >= asked) {
        return vec![Allocation { location: one.location, variant, quantity: asked }];
    }
    let mut left = asked;
    let mut parts = Vec::new();
    for candidate in candidates {
        let quantity = candidate.has(variant).min(left);
        if quantity > 0 {
            parts.push(Allocation { location: candidate.location, variant, quantity });
            left -= quantity;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id<K: crate::value::Kind>(number: u8) -> Id<K> {
        Id::from_bytes([number; 16])
    }

    fn candidate(place: u8, free: &[(u8, i64)]) -> Candidate {
        Candidate {
            location: id(place),
            free: free.iter().map(|(variant, have)| (id(*variant), *have)).collect(),
        }
    }

    #[test]
    fn one_location_with_everything_is_preferred_to_a_better_ranked_part() {
        let demand = BTreeMap::from([(id(1), 2), (id(2), 1)]);
        let candidates = [candidate(7, &[(1, 2)]), candidate(8, &[(1, 2), (2, 1)])];
        let served = route(&demand, &candidates).unwrap();
        assert!(served.iter().all(|part| part.location == id(8)));
    }

    #[test]
    fn too_little_everywhere_names_the_variant() {
        let demand = BTreeMap::from([(id(1), 5)]);
        let candidates = [candidate(7, &[(1, 2)]), candidate(8, &[(1, 2)])];
        assert_eq!(route(&demand, &candidates), Err(Short { variant: id(1), found: 4, asked: 5 }));
    }

    proptest! {
        #[test]
        fn what_is_routed_is_what_was_asked_and_nobody_gives_more_than_he_has(
            stock in prop::collection::vec(prop::collection::vec(0i64..6, 3), 1..6), asked in prop::collection::vec(1i64..8, 3)
        ) {
            let candidates: Vec<Candidate> = (1u8..).zip(&stock)
                .map(|(place, have)| candidate(place, &[(1, have[0]), (2, have[1]), (3, have[2])])).collect();
            let demand: BTreeMap<Id<Variant>, i64> = (1u8..).zip(&asked).map(|(variant, asked)| (id(variant), *asked)).collect();
            let enough = demand.iter().all(|(variant, asked)| candidates.iter().map(|c| c.has(*variant)).sum::<i64>() >= *asked);
            match route(&demand, &candidates) {
                Err(_) => prop_assert!(!enough),
                Ok(parts) => {
                    for (variant, asked) in &demand {
                        prop_assert_eq!(parts.iter().filter(|p| p.variant == *variant).map(|p| p.quantity).sum::<i64>(), *asked);
                    }
                    for part in &parts {
                        let giver = candidates.iter().find(|c| c.location == part.location).unwrap();
                        prop_assert!(part.quantity > 0 && part.quantity <= giver.has(part.variant));
                    }
                }
            }
        }
    }
}
