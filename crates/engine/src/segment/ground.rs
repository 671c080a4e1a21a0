//! What is the same for everybody: the traits and segments an expression names, purposes, where locations lie, the stages of life.

use std::collections::{BTreeMap, BTreeSet};

use domain::segment::facts::{Facts, Ground, Shelves};
use domain::segment::life::Life;
use domain::segment::needs::Needs;
use domain::segment::rfm::Fifths;
use domain::segment::{Expression, Leaf, NESTED_MAX};
use domain::stock::kits_possible;
use domain::value::id::{Location, Variant as VariantKind};
use domain::value::{Currency, Id, Instant};
use serde_json::{Value, json};
use store::catalogue::Variant;
use store::segment::{self as rows, facts as known};
use store::{StoreError, Tx};

use super::document;
use crate::Failure;

/// The name of the setting of the stages of life.
pub(super) const LIFE: &str = "life_cycle";
/// The name of the setting of the fifths of recency, frequency and spend.
pub(super) const FIFTHS: &str = "rfm";

/// What these expressions are judged on, without shelves, and what they need to know of a person.
///
/// # Errors
/// What the store says.
pub fn of(tx: &mut Tx<'_>, expressions: &[&Expression]) -> Result<(Ground, Needs), Failure> {
    let mut ground = Ground::default();
    named(tx, expressions, &mut ground)?;
    let all: Vec<&Expression> = expressions.iter().copied().chain(ground.segments.values()).collect();
    let traits: BTreeSet<String> = all.iter().flat_map(|one| one.leaves()).filter_map(code).collect();
    for one in rows::traits(tx, &traits.into_iter().collect::<Vec<_>>())? {
        ground.traits.insert(one.code.clone(), trait_of(&one)?);
    }
    let needs = Needs::of(expressions.iter().copied(), &ground);
    if needs.consents {
        let purposes = store::consent::purpose::list(tx, i64::MAX)?;
        let active = purposes.into_iter().filter(|purpose| purpose.active);
        ground.purposes = active.map(|purpose| (purpose.code, purpose.basis)).collect();
    }
    if needs.place {
        let all = store::location::Filter { kind: None, active: Some(true) };
        ground.locations = store::location::points(tx, all)?.into_iter().collect();
    }
    if needs.orders {
        ground.life = life(tx)?.0;
    }
    if needs.rfm {
        ground.fifths = fifths(tx)?;
    }
    Ok((ground, needs))
}

/// What lies on shelves now of all goods these people are judged by; of a kit, as many as its components there make.
///
/// # Errors
/// What the store says.
pub fn shelves(
    tx: &mut Tx<'_>,
    needs: &Needs,
    facts: &[Facts],
    now: Instant,
) -> Result<Option<Shelves>, Failure> {
    let Some(named) = &needs.stock else { return Ok(None) };
    let variants: BTreeSet<_> =
        named.iter().copied().chain(facts.iter().filter_map(|one| one.last_viewed)).collect();
    let variants = store::catalogue::variants(tx, &variants.into_iter().collect::<Vec<_>>())?;
    let parts: BTreeSet<known::Key> =
        variants.iter().flat_map(Variant::takes).map(|(part, _)| part.bytes()).collect();
    let mut free: BTreeMap<Id<Location>, BTreeMap<Id<VariantKind>, i64>> = BTreeMap::new();
    for (part, location, pieces) in known::shelves(tx, &parts.into_iter().collect::<Vec<_>>(), now)? {
        free.entry(location).or_default().insert(part, pieces);
    }
    let mut shelves = Shelves::new();
    for variant in variants.iter().filter(|variant| !variant.takes().is_empty()) {
        let of = |here: &BTreeMap<Id<VariantKind>, i64>| {
            kits_possible(&variant.takes(), |part| here.get(&part).copied().unwrap_or(0))
        };
        let here = free.iter().map(|(location, here)| (*location, of(here))).filter(|(_, free)| *free > 0);
        shelves.insert(variant.id, here.collect());
    }
    Ok(Some(shelves))
}

fn code(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Trait { code, .. } => Some(code.clone()),
        _ => None,
    }
}

/// Reads the segments that expressions name, and those that these name.
fn named(tx: &mut Tx<'_>, expressions: &[&Expression], ground: &mut Ground) -> Result<(), Failure> {
    let mut wanted: Vec<known::Key> =
        expressions.iter().flat_map(|one| one.segments()).map(|id| id.bytes()).collect();
    for _ in 0..=NESTED_MAX {
        wanted.retain(|key| !ground.segments.keys().any(|id| id.bytes() == *key));
        if wanted.is_empty() {
            break;
        }
        let found = rows::find(tx, &wanted)?;
        wanted.clear();
        for one in found {
            let expression = expression_of(&one)?;
            wanted.extend(expression.segments().iter().map(|id| id.bytes()));
            ground.segments.insert(one.id, expression);
        }
    }
    Ok(())
}

/// The expression of a segment that was kept.
pub(super) fn expression_of(one: &rows::Segment) -> Result<Expression, StoreError> {
    let read = serde_json::from_str(&one.expression).ok();
    let read = read.and_then(|value: Value| document::expression(&value, "expression").ok());
    read.ok_or_else(|| StoreError::Corrupt(format!("segment {} version {}", one.id, one.version)))
}

/// The definition of a trait that was kept.
pub(super) fn trait_of(one: &rows::Trait) -> Result<domain::segment::traits::Trait, StoreError> {
    let read = serde_json::from_str(&one.definition).ok();
    let read = read.and_then(|value: Value| document::trait_of(&value, "trait").ok());
    read.ok_or_else(|| StoreError::Corrupt(format!("trait {} version {}", one.code, one.version)))
}

/// The stages of life in force, and their version: 0 when nobody wrote any.
pub(super) fn life(tx: &mut Tx<'_>) -> Result<(Life, i64), Failure> {
    let Some((text, version, _)) = rows::setting(tx, LIFE)? else { return Ok((Life::USUAL, 0)) };
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let day = |name: &str| value[name].as_i64().unwrap_or(0);
    let life = Life::new(day("new_days"), day("at_risk_after_days"), day("lost_after_days"));
    Ok((life.map_err(|_| StoreError::Corrupt("the stages of life".into()))?, version))
}

/// The stages of life as a document.
pub(super) fn of_life(life: Life) -> Value {
    let (new, at_risk, lost) = life.days();
    json!({ "new_days": new, "at_risk_after_days": at_risk, "lost_after_days": lost })
}

/// The fifths in force.
pub(super) fn fifths(tx: &mut Tx<'_>) -> Result<Option<Fifths>, Failure> {
    let Some((text, _, _)) = rows::setting(tx, FIFTHS)? else { return Ok(None) };
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let edges = |name: &str| -> Option<[i64; 4]> {
        let all: Option<Vec<i64>> = value[name].as_array()?.iter().map(Value::as_i64).collect();
        all?.try_into().ok()
    };
    let read = || {
        Some(Fifths {
            currency: Currency::parse(value["currency"].as_str()?).ok()?,
            recency: edges("recency")?,
            frequency: edges("frequency")?,
            spend: edges("spend")?,
        })
    };
    Ok(Some(read().ok_or_else(|| StoreError::Corrupt("the fifths of all customers".into()))?))
}

/// The fifths as a document.
pub(super) fn of_fifths(fifths: &Fifths) -> Value {
    json!({ "currency": fifths.currency.code(), "recency": fifths.recency, "frequency": fifths.frequency, "spend": fifths.spend })
}
