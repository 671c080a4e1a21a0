//! Why two persons are one, or are not: from the odds before anything was compared, weight by weight to the decision.

use super::level::{Level, Pattern};
use super::model::{Band, Model, probability_ppm};
use super::person::Field;

/// One step from the odds to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The odds that two persons taken at random are one.
    Prior,
    /// A field was compared.
    Compared {
        /// The field.
        field: Field,
        /// How well it agrees.
        level: Level,
        /// How rare the value is, in thousandths of a bit, if the two have the same and it is known.
        rarity: Option<i32>,
    },
    /// All that agrees of the place counts less than its sum.
    PlaceCountsOnce,
    /// They may be two of one household.
    Household,
}

impl Step {
    /// Why, in words.
    pub fn reason(&self) -> String {
        match self {
            Step::Prior => "before anything is compared".to_owned(),
            Step::Compared { field, level: Level::Equal, rarity: Some(rarity) } => {
                let share = (f64::from(*rarity) / 1000.0).exp2().round();
                format!("{}: the same, as one in {share} has it", field.word())
            }
            Step::Compared { field, level, .. } => format!("{}: {}", field.word(), level.reason(*field)),
            Step::PlaceCountsOnce => "who shares a house shares all of its address".to_owned(),
            Step::Household => "two of one household may agree as much".to_owned(),
        }
    }
}

/// A decision and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The version of the model.
    pub version: u32,
    /// Each step with its weight in thousandths of a bit. They sum to the score.
    pub steps: Vec<(Step, i32)>,
    /// The sum.
    pub score: i32,
    /// How probable it is that the two are one, in millionths.
    pub probability_ppm: u32,
    /// What is done.
    pub band: Band,
}

/// Explains what a model says of a pattern.
pub fn explain(model: &Model, pattern: &Pattern) -> Explanation {
    let mut steps = vec![(Step::Prior, model.parts().prior)];
    let mut place = 0;
    for field in Field::ALL {
        if let Some(agreement) = pattern[field.place()] {
            let weight = model.weigh(field, agreement);
            place += if field.is_of_place() { weight } else { 0 };
            let compared = Step::Compared { field, level: agreement.level, rarity: agreement.rarity };
            steps.push((compared, weight));
        }
    }
    if place > model.parts().place_max {
        steps.push((Step::PlaceCountsOnce, model.parts().place_max - place));
    }
    let sum: i32 = steps.iter().map(|(_, weight)| weight).sum();
    let score = model.score(pattern);
    if score != sum {
        steps.push((Step::Household, score - sum));
    }
    Explanation {
        version: model.parts().version,
        steps,
        score,
        probability_ppm: probability_ppm(score),
        band: model.band(score),
    }
}
