//! The register of what is kept of persons, with the rules the retailer wrote: who asks about data is told it, and who answers reads it.

use domain::actor::{Actor, Permission};
use domain::privacy::register::{Entry, Kept, REGISTER, Told};
use serde_json::{Value, json};
use store::Tx;

use super::retention::{self, Rule};
use crate::Failure;

/// An entry, and the rules by which it is forgotten sooner than the person.
#[derive(Clone, Debug)]
pub struct Governed {
    /// The entry.
    pub entry: &'static Entry,
    /// The rules of its classes.
    pub rules: Vec<Rule>,
}

/// The whole register.
///
/// # Errors
/// [`Code::Forbidden`](domain::Code::Forbidden).
pub fn read(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Governed>, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    all(tx)
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<Governed>, Failure> {
    let rules = retention::list(tx)?;
    let governed = |entry: &'static Entry| {
        let own = |rule: &&Rule| matches!(entry.kept, Kept::Person(classes) if classes.contains(&rule.class));
        Governed { entry, rules: rules.iter().filter(own).copied().collect() }
    };
    Ok(REGISTER.iter().map(governed).collect())
}

/// The register as it stands in an archive: what is kept, where the archive tells it or why not, how long, and what is left after erasing.
///
/// # Errors
/// What the store says.
pub(crate) fn shown(tx: &mut Tx<'_>) -> Result<Value, Failure> {
    let shape = |one: &Governed| {
        let days = one.rules.iter().filter(|rule| rule.active);
        let days: Vec<Value> =
            days.map(|rule| json!({ "rule": rule.class.text(), "days": rule.days })).collect();
        let section = match one.entry.told {
            Told::In(section, _) => Some(section.text()),
            Told::Not(_) => None,
        };
        json!({ "what": one.entry.what, "section": section, "told": one.entry.told.words(), "kept": one.entry.kept.words(),
            "rules": days, "left_after_erasing": one.entry.left.words() })
    };
    Ok(all(tx)?.iter().map(shape).collect())
}
