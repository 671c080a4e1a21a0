//! Learning a model from a crowd without being told who is who: how often two people agree by chance is counted on pairs taken at random;
//! how often the same person agrees with herself is estimated by expectation and maximisation over pairs that share a key; how many pairs are
//! one person, and how many are two of one household, is what agrees best with the probabilities that follow from it.

use std::collections::BTreeMap;

use super::block::{RULES, Rule};
use super::bulk::{Blocks, Effort, Pair, Threads, TooMany, pairs};
use super::crowd::Crowd;
use super::level::{LEVELS, Level, Pattern, pattern, swapped_with};
use super::model::{BIT, Bands, Model, Parts, Share, WHOLE, both};
use super::person::{FIELDS, Field};

/// So many pairs are taken at random, and at most so many for each person.
const RANDOM_PAIRS: u64 = 500_000;
const RANDOM_PAIRS_EACH: u64 = 100;
/// So many pairs of one rule are looked at, at most.
const RULE_PAIRS_MAX: usize = 200_000;
/// The most rounds of an estimate.
const ROUNDS_MAX: usize = 60;
/// A rule that finds fewer persons twice teaches nothing.
const SAME_LEAST: f64 = 30.0;
/// What was never seen still may be: so many pairs are added to each level.
const UNSEEN: f64 = 0.5;
/// Pairs from this score on are looked at for the prior and the bands.
const FLOOR: i32 = -12 * BIT;
/// Wrong ones among those that are joined without a look, in expectation, and left aside without a look.
const WRONG: f64 = 0.000_5;

type Shares = [[f64; LEVELS]; FIELDS];

/// A model for this crowd. What the crowd cannot teach stays as it was in the model that it begins with.
///
/// # Errors
/// When the crowd has more pairs that may be one person than are kept.
pub fn train(crowd: &Crowd, begin: &Model, seed: u64) -> Result<Model, TooMany> {
    if crowd.len() < 2 {
        return Ok(begin.clone());
    }
    let others = by_chance(crowd, begin, seed);
    let same = of_the_same(crowd, begin, &others);
    let mut model = made(begin, &same, &others);
    for _ in 0..2 {
        let settled = settle(crowd, &model)?;
        // What agrees by chance was counted with the few pairs in it that are the same.
        let cleaned = cleaned(&others, &same, ratio(settled.prior));
        let Settled { prior, household, scores } = settled;
        let parts =
            Parts { prior, household, bands: bands(scores), ..made(begin, &same, &cleaned).parts().clone() };
        model = Model::weighed(parts);
    }
    Ok(model)
}

fn made(begin: &Model, same: &Shares, others: &Shares) -> Model {
    let whole = |share: f64| ((share * f64::from(WHOLE)).round() as u32).clamp(1, WHOLE);
    let share = |field: usize, level: usize| Share {
        same: whole(same[field][level]),
        others: whole(others[field][level]),
        ..begin.parts().shares[field][level]
    };
    let shares = std::array::from_fn(|field| std::array::from_fn(|level| share(field, level)));
    Model::weighed(Parts { version: begin.parts().version + 1, shares, ..begin.parts().clone() })
}

/// Counts of levels, made shares; where nothing was seen, what was known before.
fn shares(counts: &Shares, before: &Shares) -> Shares {
    std::array::from_fn(|field| {
        let sum: f64 = counts[field].iter().sum();
        // What was known before counts as one pair.
        let share = |level: usize| {
            (counts[field][level] + before[field][level] * 2.0 * UNSEEN) / (sum + 2.0 * UNSEEN)
        };
        std::array::from_fn(share)
    })
}

fn known(model: &Model, side: fn(Share) -> u32) -> Shares {
    let of = |share: Share| f64::from(side(share)) / f64::from(WHOLE);
    std::array::from_fn(|field| std::array::from_fn(|level| of(model.parts().shares[field][level])))
}

/// How often two people agree by chance.
fn by_chance(crowd: &Crowd, begin: &Model, seed: u64) -> Shares {
    let mut counts = [[0.0; LEVELS]; FIELDS];
    let mut dice = Dice(seed);
    for _ in 0..RANDOM_PAIRS.min(RANDOM_PAIRS_EACH * u64::from(crowd.len())) {
        let (one, other) = (dice.below(crowd.len()), dice.below(crowd.len()));
        if one != other {
            count(&mut counts, &pattern(&crowd.one(one), &crowd.one(other)), 1.0);
        }
    }
    shares(&counts, &known(begin, |share| share.others))
}

fn count(counts: &mut Shares, pattern: &Pattern, weight: f64) {
    for (counts, agreement) in counts.iter_mut().zip(pattern) {
        if let Some(agreement) = agreement {
            counts[agreement.level.place()] += weight;
        }
    }
}

/// The shares by chance, without the pairs that were the same person.
fn cleaned(others: &Shares, same: &Shares, odds: f64) -> Shares {
    std::array::from_fn(|field| {
        let clean = |level: usize| {
            let counted = others[field][level];
            ((counted - odds * same[field][level]) / (1.0 - odds)).max(counted / 20.0)
        };
        std::array::from_fn(clean)
    })
}

/// How often the same person agrees with herself: each rule teaches the fields that it does not ask for.
fn of_the_same(crowd: &Crowd, begin: &Model, others: &Shares) -> Shares {
    let blocks = Blocks::of(crowd);
    let before = known(begin, |share| share.same);
    let mut counts = [[0.0; LEVELS]; FIELDS];
    // What a household shares would teach that one person has two names.
    let speaks_of_the_person = |rule: &Rule| {
        rule.fields().any(|field| matches!(field, Field::Birth | Field::Email)) || rule.has_whole_name()
    };
    for (number, rule) in RULES.iter().enumerate().filter(|(_, rule)| speaks_of_the_person(rule)) {
        let mut patterns: BTreeMap<[Option<Level>; FIELDS], f64> = BTreeMap::new();
        blocks.sample(number, RULE_PAIRS_MAX, &mut |one, other| {
            let mut levels =
                pattern(&crowd.one(one), &crowd.one(other)).map(|found| found.map(|found| found.level));
            rule.fields().for_each(|field| levels[field.place()] = None);
            *patterns.entry(levels).or_default() += 1.0;
        });
        let taught = estimate(&patterns, &before, others);
        if taught.iter().flatten().sum::<f64>() > SAME_LEAST {
            for (sum, taught) in counts.iter_mut().flatten().zip(taught.iter().flatten()) {
                *sum += taught;
            }
        }
    }
    shares(&counts, &before)
}

/// Expectation and maximisation over patterns: how many pairs that are the same have which level.
fn estimate(patterns: &BTreeMap<[Option<Level>; FIELDS], f64>, before: &Shares, others: &Shares) -> Shares {
    let all: f64 = patterns.values().sum();
    let (mut same, mut share, mut counts) = (*before, 0.1, [[0.0; LEVELS]; FIELDS]);
    for _ in 0..ROUNDS_MAX {
        counts = [[0.0; LEVELS]; FIELDS];
        let mut sum = 0.0;
        for (levels, times) in patterns {
            let ratio = levels.iter().enumerate().filter_map(|(field, level)| {
                let level = (*level)?;
                let ratio = same[field][level.place()] / others[field][level.place()];
                // A swap is seen in two fields: each counts a half of it.
                let is_half = level == Level::Swapped && swapped_with(Field::ALL[field]).is_some();
                Some(if is_half { ratio.sqrt() } else { ratio })
            });
            let odds = ratio.product::<f64>() * share / (1.0 - share);
            let expected = times * odds.min(1e300) / (1.0 + odds.min(1e300));
            sum += expected;
            for (counts, level) in counts.iter_mut().zip(levels) {
                if let Some(level) = level {
                    counts[level.place()] += expected;
                }
            }
        }
        let now = (sum / all.max(1.0)).clamp(1e-9, 0.999);
        let is_settled = (now - share).abs() < 1e-7;
        share = now;
        same = shares(&counts, before);
        if is_settled {
            break;
        }
    }
    counts
}

/// Odds that agree with what follows from them, and the scores of all pairs by them.
struct Settled {
    prior: i32,
    household: i32,
    scores: Vec<i32>,
}

/// Finds how many pairs are one person and how many are two of one household: expectation and maximisation over all pairs that are no strangers
/// beyond doubt.
fn settle(crowd: &Crowd, model: &Model) -> Result<Settled, TooMany> {
    let (begin, begin_at_home) = (model.parts().prior, model.parts().household);
    // Housemates are looked at too, so nobody is left out for being one.
    let alone = Model::weighed(Parts { household: 100 * BIT, ..model.parts().clone() });
    let found = pairs(crowd, &alone, Effort { threads: Threads::Two, floor: FLOOR })?.pairs;
    let odds_of = |pair: &Pair| model.odds(&pattern(&crowd.one(pair.one), &crowd.one(pair.other)));
    let odds: Vec<(i32, i32)> = found.iter().map(odds_of).collect();
    let persons = f64::from(crowd.len());
    let all = persons * (persons - 1.0) / 2.0;
    let (mut prior, mut household) = (begin, begin_at_home);
    for _ in 0..ROUNDS_MAX {
        // What was known before counts as one pair.
        let (mut same, mut housemates) = (1.0, ratio(-begin_at_home));
        for (strangers, at_home) in &odds {
            let at_home = at_home + household - begin_at_home;
            let probable = probability(both(strangers + prior - begin, at_home));
            same += probable;
            housemates += probable * ratio(-at_home);
        }
        let share = (same / all).min(0.5);
        let now = (bits(share / (1.0 - share)), bits(same / housemates).clamp(-20 * BIT, 20 * BIT));
        if now == (prior, household) {
            break;
        }
        (prior, household) = now;
    }
    let score = |(strangers, at_home): &(i32, i32)| {
        both(strangers + prior - begin, at_home + household - begin_at_home)
    };
    Ok(Settled { prior, household, scores: odds.iter().map(score).collect() })
}

/// Thousandths of a bit as a ratio, and a ratio as thousandths of a bit.
fn ratio(weight: i32) -> f64 {
    (f64::from(weight) / f64::from(BIT)).exp2()
}

fn bits(ratio: f64) -> i32 {
    (ratio.log2() * f64::from(BIT)).round() as i32
}

fn probability(score: i32) -> f64 {
    let odds = ratio(score);
    odds / (1.0 + odds)
}

/// From which scores on, so that of what is joined without a look, and of what is left aside, hardly any is wrong, as far as the model knows.
fn bands(mut scores: Vec<i32>) -> Bands {
    scores.sort_unstable();
    let expected: f64 = scores.iter().copied().map(probability).sum();
    let (mut wrong, mut automatic) = (0.0, i32::MAX);
    for (many, score) in scores.iter().rev().enumerate() {
        wrong += 1.0 - probability(*score);
        if *score < 0 || wrong > WRONG * (many as f64 + 1.0).max(expected / 2.0) {
            break;
        }
        automatic = *score;
    }
    let (mut missed, mut review) = (0.0, 0);
    for score in &scores {
        missed += probability(*score);
        review = *score;
        if missed > WRONG * expected || *score >= 0 {
            break;
        }
    }
    let automatic = if automatic == i32::MAX { 10 * BIT } else { automatic.clamp(0, 20 * BIT) };
    Bands { review: review.clamp(-10 * BIT, 0), automatic }
}

/// Chance from a seed: the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    /// Any number (SplitMix64).
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below the bound, which is not zero.
    pub const fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * bound as u64) >> 32) as u32
    }
}
