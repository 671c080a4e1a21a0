//! What a promotion may say: every bound, and every field at fault named.

use super::{
    Benefit, Condition, Gives, LANE_MAX, Off, PRIORITY_MAX, Part, Promotion, SET_PIECES_MAX, Selection, Step,
};
use crate::Refusal;
use crate::price::{PRICE_MINOR_MAX, dates};
use crate::value::{Money, Quantity, Rate};

/// The most conditions of one promotion.
pub const CONDITIONS_MAX: usize = 20;
/// The most tags, channels, stores, groups, segments or kinds in one list.
pub const LIST_MAX: usize = 1_000;
/// The most steps of one benefit.
pub const STEPS_MAX: usize = 20;
/// The most parts of one set.
pub const PARTS_MAX: usize = 6;
/// The most often one set or gift may be had in one cart.
pub const TIMES_MAX: i64 = 1_000;
/// The most characters of a name in a list.
const NAME_CHARS_MAX: usize = 60;

/// Checks a promotion.
///
/// # Errors
/// The refusal names every field at fault.
pub fn check(promotion: &Promotion) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    if promotion.lane > LANE_MAX {
        refusals.push(Refusal::invalid("lane", format!("give 0 to {LANE_MAX}")));
    }
    if !(0..=PRIORITY_MAX).contains(&promotion.priority) {
        refusals.push(Refusal::invalid("priority", format!("give 0 to {PRIORITY_MAX}")));
    }
    refusals.extend(dates(promotion.starts_at, promotion.ends_at).err());
    if promotion.conditions.len() > CONDITIONS_MAX {
        refusals.push(Refusal::invalid("conditions", format!("give at most {CONDITIONS_MAX}")));
    }
    for (place, condition) in promotion.conditions.iter().enumerate().take(CONDITIONS_MAX) {
        refusals.extend(
            condition_faults(condition).into_iter().map(|fault| fault.within(&format!("conditions.{place}"))),
        );
    }
    refusals.extend(benefit_faults(&promotion.benefit).into_iter().map(|fault| fault.within("benefit")));
    if promotion.currency.is_none() && needs_currency(promotion) {
        refusals.push(Refusal::invalid("currency", "name the currency of the amounts"));
    }
    Refusal::all(refusals).map_or(Ok(()), Err)
}

/// Does it say anything in minor units?
fn needs_currency(promotion: &Promotion) -> bool {
    let is_amount = |off: &Off| !matches!(off, Off::Rate(_));
    let asks = |condition: &Condition| matches!(condition, Condition::Has { by: super::Measure::Amount, at_least, .. } if *at_least > 0);
    let gives = match &promotion.benefit {
        Benefit::Each { by, steps, .. } => {
            let by_amount = *by == super::Measure::Amount && steps.iter().any(|step| step.from > 0);
            by_amount || steps.iter().any(|step| is_amount(&step.off))
        }
        Benefit::Set { gives: Gives::Off(off), .. } | Benefit::Delivery { off, .. } => is_amount(off),
        Benefit::Whole { steps, minor_max, .. } => {
            minor_max.is_some() || steps.iter().any(|step| step.from > 0 || is_amount(&step.off))
        }
        Benefit::Set { .. } | Benefit::Gift { .. } => false,
    };
    gives || promotion.conditions.iter().any(asks)
}

fn condition_faults(condition: &Condition) -> Vec<Refusal> {
    let names = |field: &str, names: &[String]| {
        let bad = |name: &String| name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX;
        let mut faults = list_faults(field, names.len());
        if names.iter().any(bad) {
            let message = format!("each has 1 to {NAME_CHARS_MAX} characters");
            faults.push(Refusal::invalid(field, message));
        }
        faults
    };
    match condition {
        Condition::Channels(channels) => list_faults("channels", channels.len()),
        Condition::Stores(stores) => list_faults("stores", stores.len()),
        Condition::Groups(groups) => names("groups", groups),
        Condition::Segments(segments) => names("segments", segments),
        Condition::Payments(kinds) => names("payments", kinds),
        Condition::FirstOrder | Condition::Colleague | Condition::Hours(_) => Vec::new(),
        Condition::Has { of, at_least, .. } => {
            let mut faults = selection_faults("of", of);
            if !(1..=Money::MAX).contains(at_least) {
                faults.push(Refusal::invalid("at_least", format!("give 1 to {}", Money::MAX)));
            }
            faults
        }
    }
}

fn list_faults(field: &str, length: usize) -> Vec<Refusal> {
    let is_good = (1..=LIST_MAX).contains(&length);
    if is_good { Vec::new() } else { vec![Refusal::invalid(field, format!("give 1 to {LIST_MAX}"))] }
}

fn selection_faults(field: &str, selection: &Selection) -> Vec<Refusal> {
    if selection.any().len() <= LIST_MAX && selection.except().len() <= LIST_MAX {
        return Vec::new();
    }
    vec![Refusal::invalid(field, format!("name at most {LIST_MAX} each"))]
}

fn benefit_faults(benefit: &Benefit) -> Vec<Refusal> {
    match benefit {
        Benefit::Each { of, steps, .. } => {
            let mut faults = selection_faults("of", of);
            faults.extend(step_faults(steps, true));
            faults
        }
        Benefit::Whole { of, steps, minor_max } => {
            let mut faults = selection_faults("of", of);
            faults.extend(step_faults(steps, false));
            if minor_max.is_some_and(|most| !(1..=Money::MAX).contains(&most)) {
                faults.push(Refusal::invalid("amount_max", format!("give 1 to {}", Money::MAX)));
            }
            faults
        }
        Benefit::Set { parts, gives, times_max } => set_faults(parts, *gives, *times_max),
        Benefit::Delivery { methods, off } => {
            let mut faults = Vec::new();
            if methods.len() > LIST_MAX {
                faults.push(Refusal::invalid("methods", format!("name at most {LIST_MAX}")));
            }
            faults.extend(off_fault("off", *off, true));
            faults
        }
        Benefit::Gift { pieces, .. } => times_fault("pieces", *pieces).into_iter().collect(),
    }
}

fn times_fault(field: &str, times: i64) -> Option<Refusal> {
    (!(1..=TIMES_MAX).contains(&times)).then(|| Refusal::invalid(field, format!("give 1 to {TIMES_MAX}")))
}

fn step_faults(steps: &[Step], may_set_price: bool) -> Vec<Refusal> {
    let mut faults = Vec::new();
    if !(1..=STEPS_MAX).contains(&steps.len()) {
        faults.push(Refusal::invalid("steps", format!("give 1 to {STEPS_MAX} steps")));
    }
    for (place, step) in steps.iter().enumerate().take(STEPS_MAX) {
        let is_after = place == 0 || steps[place - 1].from < step.from;
        if !is_after || !(0..=Money::MAX.max(Quantity::MAX)).contains(&step.from) {
            faults.push(Refusal::invalid(format!("steps.{place}.from"), "each step begins after the last"));
        }
        faults.extend(off_fault(&format!("steps.{place}.off"), step.off, may_set_price));
    }
    faults
}

fn off_fault(field: &str, off: Off, may_set_price: bool) -> Option<Refusal> {
    let message = match off {
        Off::Rate(rate) => return rate_fault(field, rate),
        Off::Amount(minor) if !(1..=PRICE_MINOR_MAX).contains(&minor) => {
            format!("give 1 to {PRICE_MINOR_MAX} minor units")
        }
        Off::Price(_) if !may_set_price => "a whole has no price of its own: give a rate or an amount".into(),
        Off::Price(minor) if !(0..=PRICE_MINOR_MAX).contains(&minor) => {
            format!("give 0 to {PRICE_MINOR_MAX} minor units")
        }
        _ => return None,
    };
    Some(Refusal::invalid(field, message))
}

fn rate_fault(field: &str, rate: Rate) -> Option<Refusal> {
    let is_good = (1..=Rate::WHOLE).contains(&rate.parts_per_million());
    (!is_good).then(|| Refusal::invalid(field, "give a rate above 0 and up to 100 %"))
}

fn set_faults(parts: &[Part], gives: Gives, times_max: Option<i64>) -> Vec<Refusal> {
    let mut faults = Vec::new();
    if !(1..=PARTS_MAX).contains(&parts.len()) {
        faults.push(Refusal::invalid("parts", format!("give 1 to {PARTS_MAX} parts")));
    }
    for (place, part) in parts.iter().enumerate().take(PARTS_MAX) {
        faults.extend(selection_faults(&format!("parts.{place}.of"), &part.of));
        if part.pieces < 1 {
            faults.push(Refusal::invalid(format!("parts.{place}.pieces"), "give 1 or more"));
        }
    }
    let pieces = parts.iter().fold(0i64, |sum, part| sum.saturating_add(part.pieces));
    if pieces > SET_PIECES_MAX {
        faults.push(Refusal::invalid("parts", format!("a set has at most {SET_PIECES_MAX} pieces")));
    }
    match gives {
        Gives::Off(off) => faults.extend(off_fault("gives", off, true)),
        Gives::Cheapest { pieces: cheapest, rate } => {
            if !(1..=pieces).contains(&cheapest) {
                faults
                    .push(Refusal::invalid("gives.pieces", "give 1 or more, as many as the set has at most"));
            }
            faults.extend(rate_fault("gives.rate", rate));
        }
        Gives::Part { part, rate } => {
            if part >= parts.len() {
                faults.push(Refusal::invalid("gives.part", "name a part of the set, counted from 0"));
            }
            faults.extend(rate_fault("gives.rate", rate));
        }
    }
    faults.extend(times_max.and_then(|times| times_fault("times_max", times)));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promotion::{Measure, Stacking};
    use crate::value::Id;

    #[test]
    fn every_bad_field_is_named() {
        let set = Benefit::Set {
            parts: vec![Part { of: Selection::all(), pieces: 0 }, Part { of: Selection::all(), pieces: 25 }],
            gives: Gives::Part { part: 2, rate: Rate::ZERO },
            times_max: Some(0),
        };
        let bad = Promotion {
            id: Id::from_bytes([1; 16]),
            lane: 10,
            priority: -1,
            stacking: Stacking::WithOthers,
            needs_coupon: false,
            currency: None,
            starts_at: None,
            ends_at: None,
            conditions: vec![
                Condition::Groups(Vec::new()),
                Condition::Has { of: Selection::all(), by: Measure::Amount, at_least: 1 },
            ],
            benefit: set,
            left_minor: None,
        };
        let refusal = check(&bad).unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(
            fields,
            [
                "lane",
                "priority",
                "conditions.0.groups",
                "benefit.parts.0.pieces",
                "benefit.parts",
                "benefit.gives.part",
                "benefit.gives.rate",
                "benefit.times_max",
                "currency",
            ]
        );
    }
}
