//! Reasons: why a location sends what it sends, and why another does not, in words.

use std::collections::BTreeMap;

use super::criterion::{Effect, Measure};
use super::decision::{Cost, Decision, Exclusion, Part, Proof, Stage, Weighed};
use crate::value::id::{Location, Variant};
use crate::value::{Currency, Id, Money};

/// How things are called.
pub struct Names<'a> {
    /// The currency of all costs.
    pub currency: Currency,
    /// What a location is called.
    pub location: &'a dyn Fn(Id<Location>) -> String,
    /// What a variant is called.
    pub variant: &'a dyn Fn(Id<Variant>) -> String,
}

/// Why a location gives what it gives in a decision, or gives nothing: a few sentences in lower case, one per reason.
pub fn why(decision: &Decision, location: Id<Location>, names: &Names<'_>) -> Vec<String> {
    let name = (names.location)(location);
    let Some(weighed) = decision.weighed.iter().find(|weighed| weighed.location == location) else {
        return vec![format!("{name} was not looked at: it does not serve this order's channel")];
    };
    let mut reasons = match decision.parts.iter().find(|part| part.location == location) {
        Some(part) => sends(decision, part, &name, names),
        None => sends_nothing(decision, weighed, &name, names),
    };
    for variant in &weighed.missed {
        let variant = (names.variant)(*variant);
        reasons.push(format!("{variant} was looked for at {name} in vain a short while ago, so none counts"));
    }
    reasons
}

/// What was decided, in words: who sends what, what is left, and how sure it is.
pub fn summary(decision: &Decision, names: &Names<'_>) -> Vec<String> {
    let part = |part: &Part| {
        let name = (names.location)(part.location);
        format!("{name} sends {} for {}", goods(&part.gives, names), money(&part.cost, names))
    };
    let mut told: Vec<String> = decision.parts.iter().map(part).collect();
    for short in &decision.unplaced {
        let variant = (names.variant)(short.variant);
        told.push(format!("of {variant} {} of {} can be placed", short.found, short.asked));
    }
    for passed in &decision.passed {
        told.push(format!("the strategy \"{}\" could not place everything", passed.as_str()));
    }
    told.push(sure(decision, names));
    told
}

fn sends(decision: &Decision, part: &Part, name: &str, names: &Names<'_>) -> Vec<String> {
    let mut costs = vec![format!("parcel {}", amount(part.cost.parcel_minor, names))];
    for (what, minor) in [
        ("way", part.cost.way_minor),
        ("units", part.cost.items_minor),
        ("split", part.cost.split_minor),
        ("markdown saved", -part.cost.markdown_minor),
    ] {
        if minor != 0 {
            costs.push(format!("{what} {}", amount(minor, names)));
        }
    }
    let mut reasons = vec![format!(
        "{name} sends {} for {}: {}",
        goods(&part.gives, names),
        money(&part.cost, names),
        costs.join(", ")
    )];
    if let Some(weighed) = decision.weighed.iter().find(|weighed| weighed.location == part.location) {
        reasons.extend(measured(decision, weighed, name));
    }
    reasons.push(sure(decision, names));
    reasons
}

fn sends_nothing(decision: &Decision, weighed: &Weighed, name: &str, names: &Names<'_>) -> Vec<String> {
    if let Some(excluded) = weighed.excluded {
        return vec![shut_out(decision, weighed, excluded, name)];
    }
    let could: i64 = weighed.gives.values().sum();
    let wanted: i64 = decision.asked.values().sum();
    let chosen: Vec<String> = decision.parts.iter().map(|part| (names.location)(part.location)).collect();
    let chosen = if chosen.is_empty() { "nobody".to_owned() } else { chosen.join(" and ") };
    let mut reasons = Vec::new();
    if could < wanted {
        reasons
            .push(format!("{name} has {could} of the {wanted} units wanted; the rest would be another part"));
    } else {
        let (alone, all) = (weighed.alone.total_minor(), decision.cost.total_minor());
        let than = match alone.cmp(&all) {
            std::cmp::Ordering::Greater => format!("{} more than", amount(alone - all, names)),
            std::cmp::Ordering::Less => format!("{} less than", amount(all - alone, names)),
            std::cmp::Ordering::Equal => "as much as".to_owned(),
        };
        reasons.push(format!(
            "{name} could send everything for {}, {than} {chosen}",
            money(&weighed.alone, names)
        ));
    }
    reasons.extend(measured(decision, weighed, name));
    reasons.push(format!("by the strategy \"{}\" {chosen} came out better", decision.strategy.as_str()));
    reasons
}

fn shut_out(decision: &Decision, weighed: &Weighed, excluded: Exclusion, name: &str) -> String {
    match excluded {
        Exclusion::Closed => format!("{name} prepares no orders now"),
        Exclusion::NoCapacity => format!("{name} can prepare no more today"),
        Exclusion::NothingFree => format!("{name} has nothing free of what is wanted"),
        Exclusion::Missed => format!("{name} has nothing that could be found of what is wanted"),
        Exclusion::Criterion(at) => {
            let measure = decision.criteria[at].measure.text();
            let limit = match &decision.criteria[at].effect {
                Effect::Exclude { limit } => *limit,
                Effect::Band { .. } | Effect::Rank => 0,
            };
            let bound = if decision.criteria[at].measure.likes_more() { "least" } else { "most" };
            match weighed.measures[at] {
                Some(value) => {
                    format!("{name} is shut out: {measure} is {value}, at {bound} {limit} is asked for")
                }
                None => format!("{name} is shut out: its {measure} is not known or not in the list"),
            }
        }
    }
}

/// One sentence per criterion that bands or ranks this location.
fn measured(decision: &Decision, weighed: &Weighed, name: &str) -> Vec<String> {
    let one = |(at, criterion): (usize, &super::criterion::Criterion)| {
        let of_choice = matches!(criterion.measure, Measure::Cost | Measure::Parts);
        if matches!(criterion.effect, Effect::Exclude { .. }) || of_choice {
            return None;
        }
        let value = match weighed.measures[at] {
            Some(i64::MAX) => "without limit".to_owned(),
            Some(value) => value.to_string(),
            None => "not known".to_owned(),
        };
        let place = weighed.scores[at] + 1;
        Some(format!("by {} {name} stands in place {place}: {value}", criterion.measure.text()))
    };
    decision.criteria.iter().enumerate().filter_map(one).collect()
}

fn sure(decision: &Decision, names: &Names<'_>) -> String {
    match decision.proof {
        Proof::Best => "no better choice exists".to_owned(),
        Proof::Plain => {
            "by the plain rule: one location with everything, the first by rank, else as few as need be"
                .to_owned()
        }
        Proof::Open { stage: Stage::Cost, gap } => {
            format!("no choice is cheaper by more than {}", amount(gap, names))
        }
        Proof::Open { stage: Stage::Placed, gap } => {
            format!("no choice places goods worth more than {} beside these", amount(gap, names))
        }
        Proof::Open { stage: Stage::Parts, gap } => format!("no choice has more than {gap} parts fewer"),
        Proof::Open { stage: Stage::Criterion(at), gap } => {
            format!(
                "no choice is better by more than {gap} places in {}",
                decision.criteria[at].measure.text()
            )
        }
    }
}

fn goods(gives: &BTreeMap<Id<Variant>, i64>, names: &Names<'_>) -> String {
    let one = |(variant, units): (&Id<Variant>, &i64)| format!("{units} of {}", (names.variant)(*variant));
    gives.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn money(cost: &Cost, names: &Names<'_>) -> String {
    amount(cost.total_minor(), names)
}

fn amount(minor: i64, names: &Names<'_>) -> String {
    let minor = minor.clamp(-Money::MAX, Money::MAX);
    Money::new(minor, names.currency).map_or_else(|_| minor.to_string(), |money| money.to_string())
}
