//! Prices for what is contested in a wave, and with them a bound that no wave can beat.

use super::ground::{Chosen, Ground, Shared};
use crate::routing::optimise::Solved;
use crate::routing::optimise::problem::Weight;

/// Steps without a better bound after which they become smaller.
const PATIENCE: usize = 5;
/// The first length of a step, and the parts it is counted in.
const PACE: Weight = 256;
/// So often the orders are placed at the prices of the moment.
const PASS_EVERY: usize = 8;

/// The best prices found, the least that any wave weighs, and the best wave placed one after the other.
pub(super) fn settle(ground: &Ground<'_>, steps: usize) -> (Shared<Weight>, Weight, Vec<Chosen>) {
    let mut prices = ground.free();
    let mut turns: Vec<usize> = (0..ground.orders.len()).collect();
    turns.sort_by_key(|order| (ground.orders[*order].problem.nodes.len(), *order));
    let mut chosen = ground.in_turn(&turns, &prices);
    let (mut best_prices, mut least) = (prices.clone(), Weight::MIN);
    let (mut pace, mut waited) = (PACE, 0);
    let mut alone: Vec<Solved> = Vec::new();
    let mut moved = vec![true; ground.orders.len()];
    for step in 0..steps {
        if step == 0 {
            alone =
                (0..ground.orders.len()).map(|order| ground.solve(order, &prices, &ground.limits)).collect();
        }
        for order in (0..ground.orders.len()).filter(|order| step > 0 && moved[*order]) {
            alone[order] = ground.solve(order, &prices, &ground.limits);
        }
        let bound = alone.iter().map(|solved| solved.least).sum::<Weight>() - worth(ground, &prices);
        waited += 1;
        if bound > least {
            (best_prices, least, waited) = (prices.clone(), bound, 0);
        }
        if step % PASS_EVERY == PASS_EVERY - 1 {
            // First those who lose most when they do not get what they want.
            turns.sort_by_key(|order| (-alone[*order].least, *order));
            let trial = ground.in_turn(&turns, &prices);
            if ground.burden(&trial) < ground.burden(&chosen) {
                chosen = trial;
            }
        }
        let before = prices.clone();
        if waited > PATIENCE {
            (pace, waited) = (pace * 2 / 3, 0);
        }
        let gap = ground.burden(&chosen) - least;
        if gap <= 0
            || pace == 0
            || !raise(ground, &alone, &mut prices, gap.clamp(64, (bound.abs() / 16).max(64)) * pace / PACE)
        {
            break;
        }
        moved = touched(ground, &before, &prices);
    }
    (best_prices, least, chosen)
}

/// What the prices pay for all there is.
fn worth(ground: &Ground<'_>, prices: &Shared<Weight>) -> Weight {
    let of = |prices: &[Weight], limits: &[i64]| -> Weight {
        let priced = prices.iter().zip(limits).filter(|(price, _)| **price > 0);
        priced.map(|(price, limit)| price * Weight::from(*limit)).sum()
    };
    of(&prices.stock, &ground.limits.stock)
        + of(&prices.parcels, &ground.limits.parcels)
        + of(&prices.units, &ground.limits.units)
}

/// Raises the price of what too many want, lowers that of what too few do; false when all are content.
fn raise(ground: &Ground<'_>, alone: &[Solved], prices: &mut Shared<Weight>, length: Weight) -> bool {
    let mut left = ground.limits.clone();
    for (order, solved) in alone.iter().enumerate() {
        ground.take(order, &solved.found, 1, &mut left);
    }
    let kinds = [
        (&mut prices.stock, &left.stock),
        (&mut prices.parcels, &left.parcels),
        (&mut prices.units, &left.units),
    ];
    let counts = |price: Weight, left: i64| left < 0 || left > 0 && price > 0;
    let square: Weight = kinds
        .iter()
        .flat_map(|(prices, left)| prices.iter().zip(left.iter()))
        .filter(|(price, left)| counts(**price, **left))
        .map(|(_, left)| Weight::from(*left) * Weight::from(*left))
        .sum();
    if square == 0 {
        return false;
    }
    for (prices, left) in kinds {
        for (price, left) in prices.iter_mut().zip(left) {
            if counts(*price, *left) {
                *price = (*price - length * Weight::from(*left) / square).max(0);
            }
        }
    }
    true
}

/// Which orders meet a price that has changed.
fn touched(ground: &Ground<'_>, before: &Shared<Weight>, now: &Shared<Weight>) -> Vec<bool> {
    let order = |own: &super::ground::Own<'_>| {
        own.location.iter().zip(&own.stock).any(|(at, stock)| {
            before.parcels[*at] != now.parcels[*at]
                || before.units[*at] != now.units[*at]
                || stock.iter().any(|shelf| before.stock[*shelf] != now.stock[*shelf])
        })
    };
    ground.orders.iter().map(order).collect()
}
