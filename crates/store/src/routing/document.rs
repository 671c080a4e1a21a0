//! How profiles and decisions lie in the books: compact JSON, lists where names would only repeat.

mod part;

use std::collections::BTreeSet;

use domain::location::Kind;
use domain::routing::Short;
use domain::routing::costs::{Costs, Slow, TariffFor};
use domain::routing::decision::{Cost, Decision, Exclusion, Part, Proof, Stage, Weighed};
use domain::routing::profile::{Limits, Objective, Profile, Strategy};
use domain::value::{Country, Currency, Name};
use serde_json::{Value, json};

use self::part::{
    Read, condition, counts, criterion, each, id, list, number, number_or_null, of_condition, of_counts,
    of_criterion, of_remainder, of_tariff, remainder, tariff, text, texts, word,
};

/// A profile without its name and number.
pub(super) fn of_profile(profile: &Profile) -> String {
    let costs = profile.costs();
    let tariff_for = |one: &TariffFor| {
        json!([
            one.locations.iter().map(ToString::to_string).collect::<Vec<_>>(),
            one.kinds.iter().map(|kind| kind.text()).collect::<Vec<_>>(),
            one.countries.iter().map(|country| country.code()).collect::<Vec<_>>(),
            of_tariff(&one.tariff)
        ])
    };
    json!({
        "currency": costs.currency.code(),
        "tariffs": costs.tariffs.iter().map(tariff_for).collect::<Vec<_>>(),
        "otherwise": of_tariff(&costs.otherwise),
        "slow": costs.slow.map(|slow| [slow.after_days, slow.lost_permille]),
        "opens_within_hours": profile.opens_within_hours(),
        "strategies": profile.strategies().iter().map(of_strategy).collect::<Vec<_>>(),
        "fallback": of_strategy(profile.fallback()),
    })
    .to_string()
}

pub(super) fn profile(written: &str, name: &str, version: i64) -> Read<Profile> {
    let value: Value = serde_json::from_str(written).map_err(|error| error.to_string())?;
    let tariff_for = |value: &Value| {
        let countries = texts(&value[2])?.into_iter().map(|code| Country::parse(code).map_err(sound));
        Ok(TariffFor {
            locations: each(&value[0], id)?.into_iter().collect(),
            kinds: each(&value[1], |kind| word(kind, Kind::named))?.into_iter().collect(),
            countries: countries.collect::<Read<BTreeSet<_>>>()?,
            tariff: tariff(&value[3])?,
        })
    };
    let slow = |value: &Value| -> Read<Slow> {
        Ok(Slow { after_days: number(&value[0])?, lost_permille: number(&value[1])? })
    };
    let costs = Costs {
        currency: Currency::parse(text(&value["currency"])?).map_err(sound)?,
        tariffs: each(&value["tariffs"], tariff_for)?,
        otherwise: tariff(&value["otherwise"])?,
        slow: if value["slow"].is_null() { None } else { Some(slow(&value["slow"])?) },
    };
    let opens_within_hours = number(&value["opens_within_hours"])?;
    let strategies = each(&value["strategies"], strategy)?;
    let name = Name::new("name", name).map_err(sound)?;
    let fallback = strategy(&value["fallback"])?;
    Profile::new((name, version), (costs, opens_within_hours), strategies, fallback).map_err(sound)
}

fn sound(error: impl ToString) -> String {
    error.to_string()
}

fn of_strategy(strategy: &Strategy) -> Value {
    let limits = strategy.limits;
    json!({
        "name": strategy.name.as_str(),
        "conditions": strategy.conditions.iter().map(of_condition).collect::<Vec<_>>(),
        "criteria": strategy.criteria.iter().map(of_criterion).collect::<Vec<_>>(),
        "limits": [limits.parts_max, limits.part_value_minor, limits.split_minor],
        "objective": strategy.objective.text(),
        "next": strategy.is_all_or_next,
        "remainder": of_remainder(strategy.remainder),
        "batch": strategy.batch_minutes,
    })
}

fn strategy(value: &Value) -> Read<Strategy> {
    let limits = &value["limits"];
    Ok(Strategy {
        name: Name::new("name", text(&value["name"])?).map_err(sound)?,
        conditions: each(&value["conditions"], condition)?,
        criteria: each(&value["criteria"], criterion)?,
        limits: Limits {
            parts_max: number(&limits[0])?,
            part_value_minor: number(&limits[1])?,
            split_minor: number(&limits[2])?,
        },
        objective: word(&value["objective"], Objective::named)?,
        is_all_or_next: value["next"].as_bool().unwrap_or(false),
        remainder: remainder(&value["remainder"])?,
        batch_minutes: number_or_null(&value["batch"])?,
    })
}

/// A decision that names these of the locations it looked at.
pub(super) fn of_decision(decision: &Decision, named: &[Weighed]) -> String {
    let part = |part: &Part| json!([part.location.to_string(), of_counts(&part.gives), of_cost(&part.cost)]);
    let short = |short: &Short| json!([short.variant.to_string(), short.found, short.asked]);
    json!({
        "strategy": decision.strategy.as_str(),
        "passed": decision.passed.iter().map(Name::as_str).collect::<Vec<_>>(),
        "criteria": decision.criteria.iter().map(of_criterion).collect::<Vec<_>>(),
        "asked": of_counts(&decision.asked),
        "weighed": named.iter().map(of_weighed).collect::<Vec<_>>(),
        "parts": decision.parts.iter().map(part).collect::<Vec<_>>(),
        "cost": of_cost(&decision.cost),
        "unplaced": decision.unplaced.iter().map(short).collect::<Vec<_>>(),
        "remainder": decision.remainder.map(of_remainder),
        "proof": of_proof(decision.proof),
    })
    .to_string()
}

pub(super) fn decision(written: &str) -> Read<Decision> {
    let value: Value = serde_json::from_str(written).map_err(|error| error.to_string())?;
    let part = |value: &Value| {
        Ok(Part { location: id(&value[0])?, gives: counts(&value[1])?, cost: cost(&value[2])? })
    };
    let short = |value: &Value| {
        Ok(Short { variant: id(&value[0])?, found: number(&value[1])?, asked: number(&value[2])? })
    };
    let name = |value: &Value| Name::new("strategy", text(value)?).map_err(sound);
    Ok(Decision {
        strategy: name(&value["strategy"])?,
        passed: each(&value["passed"], name)?,
        criteria: each(&value["criteria"], criterion)?,
        asked: counts(&value["asked"])?,
        weighed: each(&value["weighed"], weighed)?,
        parts: each(&value["parts"], part)?,
        cost: cost(&value["cost"])?,
        unplaced: each(&value["unplaced"], short)?,
        remainder: if value["remainder"].is_null() { None } else { Some(remainder(&value["remainder"])?) },
        proof: proof(&value["proof"])?,
    })
}

/// `[location, measures, scores, excluded, gives, alone, missed]`; excluded is a word, or the place of a criterion.
fn of_weighed(one: &Weighed) -> Value {
    let excluded = one.excluded.map(|excluded| match excluded {
        Exclusion::Closed => json!("closed"),
        Exclusion::NoCapacity => json!("no_capacity"),
        Exclusion::NothingFree => json!("nothing_free"),
        Exclusion::Missed => json!("missed"),
        Exclusion::Criterion(at) => json!(at),
    });
    let missed: Vec<_> = one.missed.iter().map(ToString::to_string).collect();
    json!([
        one.location.to_string(),
        one.measures,
        one.scores,
        excluded,
        of_counts(&one.gives),
        of_cost(&one.alone),
        missed
    ])
}

fn weighed(value: &Value) -> Read<Weighed> {
    let excluded = match (&value[3], value[3].as_str()) {
        (Value::Null, _) => None,
        (_, Some("closed")) => Some(Exclusion::Closed),
        (_, Some("no_capacity")) => Some(Exclusion::NoCapacity),
        (_, Some("nothing_free")) => Some(Exclusion::NothingFree),
        (_, Some("missed")) => Some(Exclusion::Missed),
        (at, _) => Some(Exclusion::Criterion(usize::try_from(number(at)?).map_err(sound)?)),
    };
    Ok(Weighed {
        location: id(&value[0])?,
        measures: list(&value[1])?.iter().map(number_or_null).collect::<Read<_>>()?,
        scores: each(&value[2], number)?,
        excluded,
        gives: counts(&value[4])?,
        alone: cost(&value[5])?,
        missed: each(&value[6], id)?,
    })
}

/// Nothing for nothing; else parcel, way, items, split, markdown.
fn of_cost(cost: &Cost) -> Value {
    if *cost == Cost::default() {
        return Value::Null;
    }
    json!([cost.parcel_minor, cost.way_minor, cost.items_minor, cost.split_minor, cost.markdown_minor])
}

fn cost(value: &Value) -> Read<Cost> {
    if value.is_null() {
        return Ok(Cost::default());
    }
    Ok(Cost {
        parcel_minor: number(&value[0])?,
        way_minor: number(&value[1])?,
        items_minor: number(&value[2])?,
        split_minor: number(&value[3])?,
        markdown_minor: number(&value[4])?,
    })
}

fn of_proof(proof: Proof) -> Value {
    match proof {
        Proof::Best => json!("best"),
        Proof::Plain => json!("plain"),
        Proof::Open { stage, gap } => {
            let stage = match stage {
                Stage::Placed => json!("placed"),
                Stage::Cost => json!("cost"),
                Stage::Parts => json!("parts"),
                Stage::Criterion(at) => json!(at),
            };
            json!([stage, gap])
        }
    }
}

fn proof(value: &Value) -> Read<Proof> {
    match value.as_str() {
        Some("best") => return Ok(Proof::Best),
        Some(_) => return Ok(Proof::Plain),
        None => {}
    }
    let stage = match value[0].as_str() {
        Some("placed") => Stage::Placed,
        Some("cost") => Stage::Cost,
        Some(_) => Stage::Parts,
        None => Stage::Criterion(usize::try_from(number(&value[0])?).map_err(sound)?),
    };
    Ok(Proof::Open { stage, gap: number(&value[1])? })
}
