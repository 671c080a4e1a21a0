//! Whom a customer may be the same person as. Each customer's keys are kept, keyed so that they tell nothing, in the commit that keeps the
//! contact; whoever shares one is opened, compared, and scored by the model.

mod common;

use std::collections::BTreeSet;

use domain::actor::{Actor, Who};
use domain::contact::Card;
use domain::customer::matching::model::{Bands, Parts, Share};
use domain::customer::matching::person::Place;
use domain::customer::matching::{self as rules, Band, Explanation, Facts, Key, Model, Person, bulk};
use domain::value::Id;
use domain::value::id::Customer as CustomerKind;
use serde_json::{Value, json};
use store::customer::matching as rows;
use store::{StoreError, Tx};

pub use common::Common;
pub(crate) use common::Counted;

use crate::{Failure, Keyring, World, contact, job};

/// The job that looks whom a customer may be the same person as.
pub const JOB: &str = "customer.match";
/// Who shares a key.
type Sharing = (Key, Vec<Id<CustomerKind>>);
/// The most keys that are kept of a customer.
const KEPT_MAX: usize = 200;

/// The model in force, its number (0 for the built-in one), and whether what it is sure of is merged without a look.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The number.
    pub number: i64,
    /// The model.
    pub model: Model,
    /// What is frequent among those it was learnt of.
    pub common: Common,
    /// Is what it is sure of merged without a look?
    pub automatic: bool,
}

impl InForce {
    /// The model for a crowd of so many: a model that was learnt knows how many are known twice.
    #[must_use]
    pub fn among(&self, persons: u32) -> Model {
        if self.number == 0 { self.model.among(persons) } else { self.model.clone() }
    }
}

/// Keeps the keys of a customer who is new or whose contact changed, and whether it is what he wrote of himself.
pub(crate) fn keep_keys(
    tx: &mut Tx<'_>,
    (actor, world): (&Actor, &World),
    id: Id<CustomerKind>,
    card: &Card,
) -> Result<(), Failure> {
    rows::put_own_word(tx, id, matches!(actor.who, Who::Customer(_) | Who::Guest))?;
    let person = person_of(card);
    let own = rules::keys(&person);
    let finer = own.iter().flat_map(|key| rules::finer(&person, *key));
    let all: BTreeSet<Key> = own.iter().copied().chain(finer).take(KEPT_MAX).collect();
    let kept: Vec<i64> = all.into_iter().map(|key| kept(world.keyring(), key)).collect();
    Ok(rows::put_keys(tx, id, &kept)?)
}

/// Asks that it is looked, right after the commit, whom a customer may be the same person as.
pub(crate) fn look_later(tx: &mut Tx<'_>, world: &mut World, id: Id<CustomerKind>) -> Result<(), Failure> {
    job::enqueue(tx, world, JOB, id, json!({}), world.now())
}

/// A key as it is kept: without the master key it is a number like any other.
fn kept(keyring: &Keyring, key: Key) -> i64 {
    let hash = keyring.lookup_hash("match", &key.number().to_string());
    i64::from_be_bytes(std::array::from_fn(|place| hash[place]))
}

/// A card as persons are compared.
pub fn person_of(card: &Card) -> Person {
    let text = card.text();
    let address = Place {
        street: text.street.clone(),
        postal_code: text.postal_code.clone(),
        city: text.city.clone(),
        region: text.region.clone(),
    };
    Person::new(&Facts {
        names: text.name.iter().cloned().collect(),
        addresses: vec![address],
        emails: text.email.iter().cloned().collect(),
        phones: text.phone.iter().cloned().collect(),
        ..Facts::default()
    })
}

/// The model in force.
///
/// # Errors
/// What the store says.
pub fn in_force(tx: &mut Tx<'_>) -> Result<InForce, Failure> {
    let rule = rows::rule(tx)?;
    let automatic = rule.as_ref().is_some_and(|rule| rule.automatic);
    let Some(number) = rule.and_then(|rule| rule.model) else {
        return Ok(InForce { number: 0, model: Model::built_in(), common: Common::default(), automatic });
    };
    let found = rows::models(tx, number.saturating_add(1), 1)?.into_iter().find(|one| one.number == number);
    let lost = || StoreError::Corrupt(format!("matching model {number} cannot be read"));
    let (model, common) = found.and_then(|one| read(&one.parts)).ok_or_else(lost)?;
    Ok(InForce { number, model, common, automatic })
}

/// The customers who may be the same person as one, by what is in force, the most probable first.
///
/// # Errors
/// What the store says.
pub fn alike(
    tx: &mut Tx<'_>,
    world: &World,
    rule: &InForce,
    id: Id<CustomerKind>,
) -> Result<Vec<(Id<CustomerKind>, Explanation)>, Failure> {
    let mut alike = compared(tx, world, rule, (id, &[]))?;
    alike.retain(|(_, explained)| explained.band != Band::None);
    Ok(alike)
}

/// As [`alike`], with those who are not alike, and whoever is named besides.
pub(crate) fn compared(
    tx: &mut Tx<'_>,
    world: &World,
    rule: &InForce,
    (id, besides): (Id<CustomerKind>, &[Id<CustomerKind>]),
) -> Result<Vec<(Id<CustomerKind>, Explanation)>, Failure> {
    let own = opened(world.keyring(), rows::contacts(tx, &[id])?).into_iter().next();
    let Some((_, person)) = own else { return Ok(Vec::new()) };
    let found = sharing(tx, world.keyring(), &person)?;
    let person = rule.common.counted(tx, (world.keyring(), rule.number), person)?;
    let mut others: BTreeSet<_> =
        rules::candidates(&found).into_iter().chain(besides.iter().copied()).collect();
    others.remove(&id);
    let others: Vec<_> = others.into_iter().collect();
    let others = opened(world.keyring(), rows::contacts(tx, &others)?);
    let score = |(other, known): &(_, Person)| (*other, rules::compare(&rule.model, &person, known));
    let mut scored: Vec<_> = others.iter().map(score).collect();
    scored.sort_by_key(|(other, explained)| (std::cmp::Reverse(explained.score), *other));
    Ok(scored)
}

/// Who shares a person's keys; a key that too many share is replaced by finer ones.
fn sharing(tx: &mut Tx<'_>, keyring: &Keyring, person: &Person) -> Result<Vec<Sharing>, Failure> {
    let most = bulk::BLOCK_MAX as i64;
    let mut found = Vec::new();
    for key in rules::keys(person) {
        let who = rows::with_key(tx, kept(keyring, key), most + 1)?;
        if who.len() as i64 <= most {
            found.push((key, who));
            continue;
        }
        for key in rules::finer(person, key) {
            let who = rows::with_key(tx, kept(keyring, key), most + 1)?;
            if who.len() as i64 <= most {
                found.push((key, who));
            }
        }
    }
    Ok(found)
}

/// Customers as persons, their contacts opened with their keys.
pub fn opened(keyring: &Keyring, sealed: Vec<rows::SealedCustomer>) -> Vec<(Id<CustomerKind>, Person)> {
    let open = |(id, contact, row): rows::SealedCustomer| {
        Some((id, person_of(&contact::unsealed(keyring, contact, &row)?)))
    };
    sealed.into_iter().filter_map(open).collect()
}

/// How a score came about, as it is kept: each step with its reason and weight. Nothing of it is personal.
pub fn steps(explained: &Explanation) -> String {
    let steps = explained.steps.iter().map(|(step, weight)| json!([step.reason(), weight]));
    Value::from_iter(steps).to_string()
}

/// A model as it is kept, with what is frequent among those it was learnt of.
pub fn written(model: &Model, common: &Common) -> String {
    let parts = model.parts();
    let shares = parts.shares.map(|levels| levels.map(|share| [share.same, share.others, share.housemates]));
    json!({
        "version": parts.version, "prior": parts.prior, "shares": shares, "place_max": parts.place_max,
        "household": parts.household, "review": parts.bands.review, "automatic": parts.bands.automatic, "common": common.written(),
    })
    .to_string()
}

/// The model that was kept, and what is frequent.
pub(crate) fn read(text: &str) -> Option<(Model, Common)> {
    let from: Value = serde_json::from_str(text).ok()?;
    let whole = |value: &Value| i32::try_from(value.as_i64()?).ok();
    let mut shares = Model::built_in().parts().shares;
    for (field, levels) in shares.iter_mut().enumerate() {
        for (level, share) in levels.iter_mut().enumerate() {
            let kept = &from["shares"][field][level];
            let part = |side: usize| u32::try_from(kept[side].as_u64()?).ok();
            *share = Share { same: part(0)?, others: part(1)?, housemates: part(2)? };
        }
    }
    let model = Model::new(Parts {
        version: u32::try_from(from["version"].as_u64()?).ok()?,
        prior: whole(&from["prior"])?,
        shares,
        place_max: whole(&from["place_max"])?,
        household: whole(&from["household"])?,
        bands: Bands { review: whole(&from["review"])?, automatic: whole(&from["automatic"])? },
    });
    Some((model.ok()?, Common::read(&from["common"])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_was_written() {
        let model = Model::built_in().among(20_000);
        let common = Common::default();
        let (known, frequent) = read(&written(&model, &common)).expect("a model");
        assert_eq!((known.parts(), frequent), (model.parts(), common));
        assert!(read("{}").is_none());
    }
}
