//! How long which data is kept. A rule is off until the retailer turns it on, and says beforehand how much it would forget.

use domain::actor::{Actor, Permission};
use domain::privacy::{Class, KEEP_DAYS_MAX, days_after, kept_days};
use domain::value::Instant;
use domain::value::id::{Contact, Event};
use domain::{Refusal, value::Id};
use serde_json::json;
use store::Tx;
use store::privacy::retention as rows;

pub use store::privacy::retention::Rule;

use crate::event::emit;
use crate::job::BATCH_MAX;
use crate::{Failure, World, erasure};

/// The most that a preview counts of one class.
pub const COUNTED_MAX: i64 = 10_000;

/// The rule of every class: the retailer's, or what holds until it has one.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Rule>, Failure> {
    let written = rows::list(tx)?;
    let rule = |class: &Class| {
        let own = written.iter().find(|rule| rule.class == *class).copied();
        own.unwrap_or(Rule { class: *class, days: kept_days(*class), active: false })
    };
    Ok(Class::ALL.iter().map(rule).collect())
}

/// Writes a rule.
///
/// # Errors
/// [`domain::Code::Forbidden`]; [`domain::Code::Invalid`] at `days`.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Rule) -> Result<Rule, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    if !(1..=KEEP_DAYS_MAX).contains(&one.days) {
        return Err(Refusal::invalid("days", format!("give 1 to {KEEP_DAYS_MAX}")).into());
    }
    rows::set(tx, one)?;
    let body = json!({ "days": one.days, "active": one.active });
    emit(tx, actor, world, format!("retention:{}", one.class.text()), "retention_rule.written", body);
    Ok(one)
}

/// How much each rule would forget now, whether it is on or not, counted up to [`COUNTED_MAX`]. Nothing is touched.
///
/// # Errors
/// [`domain::Code::Forbidden`].
pub fn preview(tx: &mut Tx<'_>, actor: &Actor, now: Instant) -> Result<Vec<(Rule, i64)>, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    let mut counted = Vec::new();
    for rule in list(tx)? {
        let before = days_after(now, -rule.days);
        let count = match rule.class {
            Class::Messages => rows::count_messages(tx, before, COUNTED_MAX)?,
            Class::Requests => rows::count_requests(tx, before, COUNTED_MAX)?,
            Class::Behaviour => rows::count_behaviour(tx, first_id_at(before), COUNTED_MAX)?,
            Class::Segments => rows::count_steps(tx, first_id_at(before), COUNTED_MAX)?,
            class => contacts(tx, class, before, COUNTED_MAX)?.len() as i64,
        };
        counted.push((rule, count));
    }
    Ok(counted)
}

/// Sorts before every event that was received, and every step that was taken, at the instant or later.
fn first_id_at(instant: Instant) -> Id<Event> {
    Id::new(instant, (0, 0), [0; 8])
}

/// The contacts of a class whose persons are forgotten.
fn contacts(tx: &mut Tx<'_>, class: Class, before: Instant, limit: i64) -> Result<Vec<Id<Contact>>, Failure> {
    Ok(match class {
        Class::Carts => rows::cart_contacts(tx, before, limit)?,
        Class::Guests => rows::guest_contacts(tx, before, limit)?,
        Class::Unconfirmed => rows::unconfirmed_contacts(tx, before, limit)?,
        Class::Messages | Class::Requests | Class::Behaviour | Class::Segments => Vec::new(),
    })
}

/// Forgets what is older than the rules that are on. A round of a duty.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let mut more = false;
    for rule in list(tx)?.into_iter().filter(|rule| rule.active) {
        let before = days_after(world.now(), -rule.days);
        let forgotten = match rule.class {
            Class::Messages => rows::forget_messages(tx, before, BATCH_MAX)?,
            Class::Requests => rows::forget_requests(tx, before, BATCH_MAX)?,
            Class::Behaviour => rows::forget_behaviour(tx, (first_id_at(before), before), BATCH_MAX)?,
            Class::Segments => rows::forget_steps(tx, first_id_at(before), BATCH_MAX)?,
            class => {
                let found = contacts(tx, class, before, BATCH_MAX)?;
                for contact in &found {
                    erasure::let_go(tx, actor, world, *contact)?;
                }
                found.len() as u64
            }
        };
        if forgotten > 0 {
            let body = json!({ "forgotten": forgotten, "days": rule.days });
            emit(
                tx,
                actor,
                world,
                format!("retention:{}", rule.class.text()),
                "retention_rule.followed",
                body,
            );
        }
        more |= forgotten >= BATCH_MAX.unsigned_abs();
    }
    Ok(more)
}
