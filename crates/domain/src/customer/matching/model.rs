//! What agreement is worth: for each field and level, how often the same person and how often two different ones have it.

use std::fmt;

use super::level::{Agreement, LEVELS, Level, Pattern, swapped_with};
use super::person::{FIELDS, Field};

/// Shares are counted in billionths.
pub const WHOLE: u32 = 1_000_000_000;
/// Weights are counted in thousandths of a bit.
pub const BIT: i32 = 1_000;
/// No level is heavier or lighter than so many thousandths of a bit.
pub const WEIGHT_MAX: i32 = 30 * BIT;

/// How often a level is found, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of pairs that are the same person.
    pub same: u32,
    /// Of pairs that are two persons.
    pub others: u32,
}

/// What is done with a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Two persons.
    None,
    /// A colleague looks.
    Review,
    /// One person.
    Automatic,
}

/// From which scores on, in thousandths of a bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// A colleague looks.
    pub review: i32,
    /// One person.
    pub automatic: i32,
}

/// All that a model is made of: whole numbers, to be kept and read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Which it is.
    pub version: u32,
    /// The odds that two persons taken at random are one, in thousandths of a bit.
    pub prior: i32,
    /// The shares of every level of every field.
    pub shares: [[Share; LEVELS]; FIELDS],
    /// The most that living at the same place counts: who shares a house shares all of it.
    pub place_max: i32,
    /// Is a pair of which only the family name and the place agree kept from being one without a look?
    pub keeps_households_apart: bool,
    /// What is done from which score on.
    pub bands: Bands,
}

/// Why parts are no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// A share is zero, or above one.
    Share(Field, Level),
    /// A weight in common is out of bounds.
    Weight(&'static str),
    /// Reviewing begins above what is automatic.
    Bands,
}

impl fmt::Display for ModelError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModelError::Share(field, level) => {
                write!(out, "the shares of {} at {level:?} are not 1 to {WHOLE}", field.word())
            }
            ModelError::Weight(name) => write!(out, "{name} is not within 100 bits"),
            ModelError::Bands => write!(out, "review begins above automatic: give review at most as much"),
        }
    }
}

impl std::error::Error for ModelError {}

/// A model, and the weights that follow from it. Better agreement never weighs less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    parts: Parts,
    weights: [[i32; LEVELS]; FIELDS],
    /// What the same value weighs before its rarity is added.
    equal: [i32; FIELDS],
}

/// Common values still count, rare ones count so much at most.
const RARITY_MAX: i32 = 18 * BIT;

impl Model {
    /// The model of these parts.
    ///
    /// # Errors
    /// What is out of bounds.
    pub fn new(parts: Parts) -> Result<Model, ModelError> {
        for field in Field::ALL {
            for level in Level::ALL {
                let share = parts.shares[field.place()][level.place()];
                if !(1..=WHOLE).contains(&share.same) || !(1..=WHOLE).contains(&share.others) {
                    return Err(ModelError::Share(field, level));
                }
            }
        }
        let is_within = |weight: i32| (-100 * BIT..=100 * BIT).contains(&weight);
        let named = [
            ("prior", parts.prior),
            ("place_max", parts.place_max),
            ("review", parts.bands.review),
            ("automatic", parts.bands.automatic),
        ];
        if let Some((name, _)) = named.into_iter().find(|(_, weight)| !is_within(*weight)) {
            return Err(ModelError::Weight(name));
        }
        if parts.bands.review > parts.bands.automatic {
            return Err(ModelError::Bands);
        }
        Ok(Model::weighed(parts))
    }

    pub(super) fn weighed(parts: Parts) -> Model {
        let weights = Field::ALL.map(|field| weights(field, &parts.shares[field.place()]));
        let log = |share: Share| (f64::from(share.same) / f64::from(WHOLE)).log2() * f64::from(BIT);
        let equal = std::array::from_fn(|field| log(parts.shares[field][0]).round() as i32);
        Model { parts, weights, equal }
    }

    /// What it is made of.
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What a level of a field weighs, in thousandths of a bit.
    pub const fn weight(&self, field: Field, level: Level) -> i32 {
        self.weights[field.place()][level.place()]
    }

    /// What an agreement weighs. The same value weighs more the rarer it is, and never less than one that is only close.
    pub(super) fn weigh(&self, field: Field, agreement: Agreement) -> i32 {
        match agreement {
            Agreement { level: Level::Equal, rarity: Some(rarity) } => {
                let weight = self.equal[field.place()] + rarity.min(RARITY_MAX);
                weight.max(self.weight(field, Level::Close))
            }
            Agreement { level, .. } => self.weight(field, level),
        }
    }

    /// The score of a pattern: the odds that the two are one person, in thousandths of a bit.
    pub fn score(&self, pattern: &Pattern) -> i32 {
        let (mut person, mut place) = (self.parts.prior, 0);
        for field in Field::ALL {
            if let Some(agreement) = pattern[field.place()] {
                let weight = self.weigh(field, agreement);
                *(if field.is_of_place() { &mut place } else { &mut person }) += weight;
            }
        }
        self.held(pattern, person + place.min(self.parts.place_max))
    }

    /// The sum, or less if nothing but the family and the place speaks for one person: a colleague looks when nobody knows better, and
    /// when the name or the date of birth is another, they are two of a household.
    pub(super) fn held(&self, pattern: &Pattern, sum: i32) -> i32 {
        let bands = self.parts.bands;
        if !self.parts.keeps_households_apart || sum < bands.review || speaks_of_the_person(pattern) {
            return sum;
        }
        let differs = |field| has(pattern, field, |level| level == Level::Different);
        let is_two = differs(Field::Given) || differs(Field::Birth);
        sum.min(if is_two { bands.review - 1 } else { bands.automatic - 1 })
    }

    /// What is done with a pair of this score.
    pub const fn band(&self, score: i32) -> Band {
        if score >= self.parts.bands.automatic {
            Band::Automatic
        } else if score >= self.parts.bands.review {
            Band::Review
        } else {
            Band::None
        }
    }

    /// The same model for a crowd of so many, of whom one in ten is known twice.
    #[must_use]
    pub fn among(&self, persons: u32) -> Model {
        let odds = 0.2 / f64::from(persons.max(2));
        let prior = (odds.log2() * f64::from(BIT)).round() as i32;
        Model { parts: Parts { prior, ..self.parts.clone() }, ..self.clone() }
    }

    /// A model for those who never trained one, among a million persons.
    pub fn built_in() -> Model {
        let shares = BUILT_IN.map(|levels| levels.map(|(same, others)| Share { same, others }));
        Model::weighed(Parts {
            version: 1,
            prior: -22_254,
            shares,
            place_max: 17 * BIT,
            keeps_households_apart: true,
            bands: Bands { review: 0, automatic: 7 * BIT },
        })
    }
}

/// What the levels of a field weigh: the worse never more than the better. A level that the field does not know weighs as the next worse.
fn weights(field: Field, shares: &[Share; LEVELS]) -> [i32; LEVELS] {
    let bits = |level: Level| {
        let share = shares[level.place()];
        // A swap is seen in two fields: each counts a half of it.
        let halves = if level == Level::Swapped && swapped_with(field).is_some() { 2.0 } else { 1.0 };
        let bits = (f64::from(share.same) / f64::from(share.others)).log2() / halves;
        ((bits * f64::from(BIT)).round() as i32).clamp(-WEIGHT_MAX, WEIGHT_MAX)
    };
    let mut weights = [bits(Level::Different); LEVELS];
    for place in (0..LEVELS - 1).rev() {
        let (level, worse) = (Level::ALL[place], weights[place + 1]);
        let weight = match level {
            _ if !level.is_of(field) => worse,
            Level::Swapped => bits(level).min(bits(Level::Close)),
            _ => bits(level),
        };
        weights[place] = weight.max(worse);
    }
    weights
}

/// Does anything agree that a household does not share?
fn speaks_of_the_person(pattern: &Pattern) -> bool {
    let agrees = |field| has(pattern, field, |level| level <= Level::Swapped);
    agrees(Field::Given) || agrees(Field::Birth) || agrees(Field::Email)
}

fn has(pattern: &Pattern, field: Field, is_so: impl Fn(Level) -> bool) -> bool {
    pattern[field.place()].is_some_and(|agreement| is_so(agreement.level))
}

/// The probability of a score, in millionths: for people, decisions are made by scores.
pub fn probability_ppm(score: i32) -> u32 {
    let odds = (f64::from(score) / f64::from(BIT)).exp2();
    (odds / (1.0 + odds) * 1e6).round() as u32
}

/// Shares in billionths for equal, close, swapped, alike and different.
const BUILT_IN: [[(u32, u32); LEVELS]; FIELDS] = [
    // Given name: moves between short forms and initials, seldom changes.
    [
        (820_000_000, 6_000_000),
        (55_000_000, 2_500_000),
        (8_000_000, 20_000),
        (67_000_000, 40_000_000),
        (50_000_000, 951_480_000),
    ],
    // Family name: changes with marriage.
    [
        (830_000_000, 1_500_000),
        (52_000_000, 1_500_000),
        (8_000_000, 20_000),
        (30_000_000, 25_000_000),
        (80_000_000, 971_980_000),
    ],
    // Date of birth: hardly ever wrong in more than a digit.
    [
        (945_000_000, 45_000),
        (25_000_000, 900_000),
        (8_000_000, 12_000),
        (12_000_000, 8_000_000),
        (10_000_000, 991_043_000),
    ],
    // Street: people move.
    [
        (640_000_000, 500_000),
        (85_000_000, 2_000_000),
        (5_000_000, 20_000),
        (20_000_000, 15_000_000),
        (250_000_000, 982_480_000),
    ],
    // Premises.
    [
        (550_000_000, 2_000_000),
        (100_000_000, 6_000_000),
        (5_000_000, 20_000),
        (45_000_000, 20_000_000),
        (300_000_000, 971_980_000),
    ],
    // Number of the house.
    [
        (680_000_000, 14_000_000),
        (45_000_000, 90_000_000),
        (1_000_000, 1_000_000),
        (1_000_000, 1_000_000),
        (273_000_000, 894_000_000),
    ],
    // Postal code.
    [
        (690_000_000, 400_000),
        (45_000_000, 3_000_000),
        (1_000_000, 1_000_000),
        (44_000_000, 20_000_000),
        (220_000_000, 975_600_000),
    ],
    // Town.
    [
        (750_000_000, 8_000_000),
        (50_000_000, 2_000_000),
        (1_000_000, 1_000_000),
        (19_000_000, 15_000_000),
        (180_000_000, 974_000_000),
    ],
    // Region.
    [
        (930_000_000, 130_000_000),
        (9_000_000, 9_000_000),
        (1_000_000, 1_000_000),
        (1_000_000, 1_000_000),
        (59_000_000, 859_000_000),
    ],
    // E-mail: most people have several.
    [
        (620_000_000, 1_000),
        (24_000_000, 3_000),
        (1_000_000, 1_000),
        (55_000_000, 40_000),
        (300_000_000, 999_955_000),
    ],
    // Telephone: shared by a household at times.
    [
        (640_000_000, 2_000),
        (24_000_000, 4_000),
        (1_000_000, 1_000),
        (10_000_000, 1_000),
        (325_000_000, 999_992_000),
    ],
];
