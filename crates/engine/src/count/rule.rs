//! How a location counts: when a line is counted again, by whom, and how many variants have their turn each day.

use domain::actor::{Actor, Permission};
use domain::count::{Origin, urgency};
use domain::value::Id;
use domain::value::id::{Location, Variant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::count::{self as rows, find};

pub use store::count::Rule;

use super::{Asked, LINES_MAX, ask};
use crate::event::emit;
use crate::stock::must_be_there;
use crate::{Failure, World};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// A variant that was never counted counts as long as this, in days.
const NEVER_DAYS: i64 = 365;
/// How many shelves are read at once.
const PAGE: i64 = 2_000;

/// Sets how a location counts.
///
/// # Errors
/// [`Code::Invalid`] for negative bounds, or more variants a day than one count takes.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, mut rule: Rule) -> Result<Rule, Failure> {
    actor.may(Permission::EditPlaces, Some(rule.location))?;
    must_be_there(tx, rule.location)?;
    let tolerance = rule.tolerance;
    let bounds = [
        ("pieces", tolerance.pieces),
        ("percent", tolerance.percent),
        ("value", tolerance.value.map(|value| value.minor())),
    ];
    let bad = bounds.into_iter().filter(|(_, bound)| bound.is_some_and(|bound| bound < 0));
    let mut refusals: Vec<_> = bad.map(|(field, _)| Refusal::invalid(field, "give 0 or more")).collect();
    if !(0..=LINES_MAX as i64).contains(&rule.each_day) {
        refusals.push(Refusal::invalid("each_day", format!("give 0 to {LINES_MAX}")));
    }
    if let Some(refusal) = Refusal::all(refusals) {
        return Err(refusal.into());
    }
    rule.next_at = rows::rule(tx, rule.location)?.map_or_else(|| world.now(), |known| known.next_at);
    rows::set_rule(tx, &rule)?;
    let body = json!({
        "pieces": tolerance.pieces, "percent": tolerance.percent, "value": tolerance.value.map(|value| value.minor()),
        "other_colleague": rule.other_colleague, "each_day": rule.each_day
    });
    emit(tx, actor, world, rule.location, "count.rule_set", body);
    Ok(rule)
}

/// How a location counts.
///
/// # Errors
/// [`Code::NotFound`] when nobody said so.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, location: Id<Location>) -> Result<Rule, Failure> {
    super::may_see(actor, location)?;
    let none = || Refusal::new(Code::NotFound, "no rule of counting was set for this location");
    rows::rule(tx, location)?.ok_or_else(|| none().into())
}

/// One location's daily count is proposed, if a location's turn has come; true when another's may have.
///
/// # Errors
/// What the store says.
pub fn propose(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let Some(rule) = rows::rule_due(tx, world.now())? else { return Ok(false) };
    let variants = most_urgent(tx, world, &rule)?;
    let asked =
        Asked { location: rule.location, origin: Origin::Cycle, blind: true, note: None, cause: None };
    if !variants.is_empty() {
        ask(tx, actor, world, &asked, &variants)?;
    }
    rows::set_rule(tx, &Rule { next_at: world.now().plus_seconds(DAY), ..rule })?;
    Ok(true)
}

/// What is counted next at a location: what is worth most and was not counted for the longest time, both multiplied.
fn most_urgent(tx: &mut Tx<'_>, world: &World, rule: &Rule) -> Result<Vec<Id<Variant>>, Failure> {
    let most = usize::try_from(rule.each_day).unwrap_or(0);
    let days_since = |at: domain::value::Instant| (world.now().micros() - at.micros()) / (DAY * 1_000_000);
    let mut urgent: Vec<(i64, Id<Variant>)> = Vec::new();
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = find::lying(tx, rule.location, after, PAGE)?;
        for lying in &page {
            let worth = lying.available.max(0).saturating_mul(lying.value_minor.unwrap_or(1));
            let days = lying.counted_at.map_or(NEVER_DAYS, days_since);
            if days > 0 {
                urgent.push((urgency(worth, days), lying.variant));
            }
        }
        urgent.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        urgent.truncate(most);
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => after = last.variant,
            _ => break,
        }
    }
    let mut variants: Vec<_> = urgent.into_iter().map(|(_, variant)| variant).collect();
    variants.sort();
    Ok(variants)
}
