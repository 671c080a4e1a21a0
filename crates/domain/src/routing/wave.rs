//! Waves: many orders at once that share stock and capacity, so that what one takes another does not get.
//!
//! First every contested thing gets a price, raised while too many want it: then each order can decide by itself, and the sum of what
//! they find bounds what any wave can cost. The orders are then placed one after the other at these prices, each within what is
//! left, and at last a few that want the same things are taken out and put back another way, again and again.

mod ground;
mod neighbourhood;
mod price;
#[cfg(test)]
mod tests;

use self::ground::{Chosen, Ground, SIXTEENTH};
use super::decision::{Decision, Proof, Stage, told};
use super::optimise::problem::Weight;
use super::profile::Strategy;
use super::wanted::{Candidate, Wanted};

/// An order of a wave. Where candidates of several orders speak of one location, its stock and capacity are shared: the least that any
/// of them says.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// How it is routed; its limits and the criteria that shut out are kept, and the least cost is wanted.
    pub strategy: &'a Strategy,
    /// What is wanted.
    pub wanted: &'a Wanted,
    /// The locations that could give, each once.
    pub candidates: &'a [Candidate],
}

/// How long is searched. The same effort finds the same wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How often prices are changed at most.
    pub price_steps: usize,
    /// How often orders are taken out and put back.
    pub rounds: usize,
    /// Where chance begins.
    pub seed: u64,
}

impl Effort {
    /// Enough for some hundred orders over some fifty locations.
    pub const USUAL: Effort = Effort { price_steps: 120, rounds: 4_000, seed: 1 };
}

/// Where the orders of a wave are served from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// One decision per order, in their order. Each one's proof is [`Proof::Best`] only where no wave is better than this one.
    pub decisions: Vec<Decision>,
    /// What the wave weighs, in minor units: the cost of everything placed, and for every unit left out that its candidates have, its
    /// value and more than sending its order can cost.
    pub burden_minor: i64,
    /// No wave weighs less.
    pub least_minor: i64,
}

/// Routes the orders of a wave.
pub fn route(orders: &[Order<'_>], effort: Effort) -> Wave {
    let ground = Ground::new(orders);
    let (prices, least, mut chosen) = price::settle(&ground, effort.price_steps);
    if ground.burden(&chosen) > least {
        neighbourhood::search(&ground, &prices, effort, least, &mut chosen);
    }
    let burden = ground.burden(&chosen);
    let gap = minor(burden) - minor(least.min(burden));
    let proof = if gap <= 0 { Proof::Best } else { Proof::Open { stage: Stage::Cost, gap } };
    let decision = |(own, found): (ground::Own<'_>, &Chosen)| told(own.setting, found, proof);
    Wave {
        decisions: ground.orders.into_iter().zip(&chosen).map(decision).collect(),
        burden_minor: minor(burden),
        least_minor: minor(least.min(burden)),
    }
}

/// Whole minor units, rounded up: what is bounded is a whole number too.
fn minor(weight: Weight) -> i64 {
    let whole = weight.div_euclid(SIXTEENTH) + Weight::from(weight.rem_euclid(SIXTEENTH) > 0);
    i64::try_from(whole).unwrap_or(i64::MAX)
}
