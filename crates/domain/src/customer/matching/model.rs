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
    /// Of pairs that are two persons who have nothing to do with each other.
    pub others: u32,
    /// Of pairs that are two persons of one household. What it says of the place counts nothing: who lives together has it in common.
    pub housemates: u32,
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
    /// The odds that two records of one household are of one person, in thousandths of a bit. Where nobody lives together they are high.
    pub household: i32,
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
    /// What the levels weigh between two of one household.
    at_home: [[i32; LEVELS]; FIELDS],
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
                if ![share.same, share.others, share.housemates].iter().all(|part| (1..=WHOLE).contains(part))
                {
                    return Err(ModelError::Share(field, level));
                }
            }
        }
        let is_within = |weight: i32| (-100 * BIT..=100 * BIT).contains(&weight);
        let named = [
            ("prior", parts.prior),
            ("place_max", parts.place_max),
            ("household", parts.household),
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
        let weights =
            Field::ALL.map(|field| weights(field, &parts.shares[field.place()], |share| share.others));
        let at_home = Field::ALL.map(|field| weights_at_home(field, &parts.shares[field.place()]));
        let log = |share: Share| (f64::from(share.same) / f64::from(WHOLE)).log2() * f64::from(BIT);
        let equal = std::array::from_fn(|field| log(parts.shares[field][0]).round() as i32);
        Model { parts, weights, at_home, equal }
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

    /// What an agreement weighs between two of one household: never more than between strangers where chance gives a name to both.
    fn weigh_at_home(&self, field: Field, agreement: Agreement) -> i32 {
        let weight = self.at_home[field.place()][agreement.level.place()];
        if field == Field::Given { weight.min(self.weigh(field, agreement)) } else { weight }
    }

    /// The score of a pattern: the odds that the two are one person and neither strangers nor of one household, in thousandths of a bit.
    pub fn score(&self, pattern: &Pattern) -> i32 {
        let (strangers, housemates) = self.odds(pattern);
        both(strangers, housemates)
    }

    /// The odds that the two are one person and not strangers, and those that they are one and not two of a household.
    pub(super) fn odds(&self, pattern: &Pattern) -> (i32, i32) {
        let (mut person, mut place, mut at_home) = (self.parts.prior, 0, self.parts.household);
        for field in Field::ALL {
            if let Some(agreement) = pattern[field.place()] {
                let weight = self.weigh(field, agreement);
                *(if field.is_of_place() { &mut place } else { &mut person }) += weight;
                at_home += self.weigh_at_home(field, agreement);
            }
        }
        (person + place.min(self.parts.place_max), at_home)
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
        let share = |field: usize, level: usize| {
            let (same, others) = BUILT_IN[field][level];
            Share { same, others, housemates: HOUSEMATES[field].map_or(others, |shares| shares[level]) }
        };
        let shares = std::array::from_fn(|field| std::array::from_fn(|level| share(field, level)));
        Model::weighed(Parts {
            version: 1,
            prior: -22_254,
            shares,
            place_max: 17 * BIT,
            household: BIT,
            bands: Bands { review: 0, automatic: 7 * BIT },
        })
    }
}

/// What both odds say together: the odds against each of two things that exclude each other add up. Never more than either of them.
pub(super) fn both(one: i32, other: i32) -> i32 {
    let apart = f64::from(one.abs_diff(other)) / f64::from(BIT);
    one.min(other) - ((-apart).exp2().ln_1p() / std::f64::consts::LN_2 * f64::from(BIT)).round() as i32
}

/// What the levels of a field weigh between two of one household.
fn weights_at_home(field: Field, shares: &[Share; LEVELS]) -> [i32; LEVELS] {
    if field.is_of_place() { [0; LEVELS] } else { weights(field, shares, |share| share.housemates) }
}

/// What the levels of a field weigh: the worse never more than the better. A level that the field does not know weighs as the next worse.
fn weights(field: Field, shares: &[Share; LEVELS], against: fn(Share) -> u32) -> [i32; LEVELS] {
    let bits = |level: Level| {
        let share = shares[level.place()];
        // A swap is seen in two fields: each counts a half of it.
        let halves = if level == Level::Swapped && swapped_with(field).is_some() { 2.0 } else { 1.0 };
        let bits = (f64::from(share.same) / f64::from(against(share))).log2() / halves;
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

/// Shares among two of one household where they are not those of strangers. Twins have one date of birth, sons their fathers' names.
/// Given and family name, date of birth, e-mail, phone; presumed, as [`BUILT_IN`] is, and not learnt: a training learns how many they are.
const HOUSEMATES: [Option<[u32; LEVELS]>; FIELDS] = [
    Some([9_000_000, 3_000_000, 20_000, 40_000_000, 947_980_000]),
    Some([800_000_000, 40_000_000, 20_000, 30_000_000, 129_980_000]),
    Some([3_000_000, 1_000_000, 12_000, 9_000_000, 986_988_000]),
    None,
    None,
    None,
    None,
    None,
    None,
    Some([40_000_000, 10_000_000, 1_000, 1_000_000, 948_999_000]),
    Some([400_000_000, 20_000_000, 1_000, 10_000_000, 569_999_000]),
];
