//! Whom a segment can reach, found by what is known of them and not one by one.

use domain::segment::reach::{Known, Reach, reach};
use domain::segment::window::Window;
use domain::segment::{Expression, Subject};
use domain::value::{Instant, Language};
use store::Tx;
use store::segment::{facts as known, reach as rows};

use super::ground;
use crate::Failure;

/// So few are judged faster than narrowed further.
const FEW: usize = 2_000;

/// Whom an expression can reach, in order, or more than those; `None` when it is anybody.
///
/// # Errors
/// What the store says.
pub fn of(tx: &mut Tx<'_>, expression: &Expression, now: Instant) -> Result<Option<Vec<Subject>>, Failure> {
    let (ground, _) = ground::of(tx, &[expression])?;
    find(tx, &reach(expression, &ground), now)
}

/// Everybody there is, in order.
///
/// # Errors
/// What the store says.
pub fn everybody(tx: &mut Tx<'_>) -> Result<Vec<Subject>, Failure> {
    let mut all = Vec::new();
    for customers in [true, false] {
        let keys = known::everybody(tx, customers, [0; 16], i64::MAX)?;
        all.extend(keys.into_iter().map(|key| Subject::of(key, customers)));
    }
    Ok(all)
}

/// Those of these people who still are who they were, in order: not made part of another meanwhile, not erased.
///
/// # Errors
/// What the store says.
pub fn standing(tx: &mut Tx<'_>, subjects: &[Subject]) -> Result<Vec<Subject>, Failure> {
    let mut found = Vec::new();
    for customers in [true, false] {
        let of_kind = subjects.iter().filter(|one| one.is_customer() == customers);
        let keys: Vec<known::Key> = of_kind.map(|one| one.bytes()).collect();
        if !keys.is_empty() {
            found.extend(rows::standing(tx, customers, &keys)?);
        }
    }
    Ok(found)
}

fn find(tx: &mut Tx<'_>, reach: &Reach, now: Instant) -> Result<Option<Vec<Subject>>, Failure> {
    match reach {
        Reach::Everybody => Ok(None),
        Reach::Known(known) => of_known(tx, known, now).map(Some),
        Reach::Either(parts) => {
            let mut all = Vec::new();
            for part in parts {
                let Some(found) = find(tx, part, now)? else { return Ok(None) };
                all.extend(found);
            }
            Ok(Some(in_order(all)))
        }
        Reach::Each(parts) => {
            let mut parts: Vec<&Reach> = parts.iter().collect();
            parts.sort_by_key(|part| cost(part));
            let mut narrowed: Option<Vec<Subject>> = None;
            for part in parts {
                if narrowed.as_ref().is_some_and(|narrowed| narrowed.len() <= FEW) {
                    break;
                }
                let Some(found) = find(tx, part, now)? else { continue };
                narrowed = Some(match narrowed {
                    None => found,
                    Some(mut narrowed) => {
                        narrowed.retain(|one| found.binary_search(one).is_ok());
                        narrowed
                    }
                });
            }
            Ok(narrowed)
        }
    }
}

/// What is found soonest comes first.
fn cost(reach: &Reach) -> u8 {
    match reach {
        Reach::Known(Known::List(_)) => 0,
        Reach::Known(Known::Groups(_)) => 1,
        Reach::Known(Known::Takes(_)) => 2,
        Reach::Known(Known::Agreed(_)) => 3,
        Reach::Known(Known::Languages(_)) => 4,
        Reach::Known(Known::Orders { .. }) => 5,
        Reach::Known(Known::Events { .. }) => 6,
        Reach::Each(parts) => parts.iter().map(cost).min().unwrap_or(7),
        Reach::Either(parts) => parts.iter().map(cost).max().unwrap_or(0),
        Reach::Everybody => 8,
    }
}

fn of_known(tx: &mut Tx<'_>, known: &Known, now: Instant) -> Result<Vec<Subject>, Failure> {
    let since = |within_days: Option<i64>| {
        let window = Window { within_days, older_days: None };
        window.begins(now).unwrap_or(Instant::from_micros(i64::MIN))
    };
    let found = match known {
        Known::Events { name, within_days, at_least } => rows::did(tx, name, since(*within_days), *at_least)?,
        Known::Orders { within_days, at_least } => rows::ordered(tx, since(*within_days), *at_least)?,
        Known::Takes(programme) => rows::takes(tx, *programme)?,
        Known::Agreed(purpose) => rows::agreed(tx, purpose)?,
        Known::Groups(groups) => rows::grouped(tx, groups)?,
        Known::Languages(languages) => {
            let codes: Vec<String> = languages.iter().map(Language::to_string).collect();
            rows::speaking(tx, &codes)?
        }
        Known::List(list) => rows::listed(tx, *list)?,
    };
    Ok(in_order(found))
}

fn in_order(mut all: Vec<Subject>) -> Vec<Subject> {
    all.sort_unstable();
    all.dedup();
    all
}
