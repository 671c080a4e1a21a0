//! The keys under which what is personal in the events of a profile is sealed; destroyed when the person is erased.

use std::collections::BTreeMap;

use domain::value::Id;
use domain::value::id::Profile;
use store::{Tx, identity as rows};

use crate::keyring::DataKey;
use crate::{Failure, World, contact};

/// The keys of these profiles; one that has none yet gets one. Whoever was erased has none any more.
///
/// # Errors
/// What the store says.
pub(crate) fn keys_of(
    tx: &mut Tx<'_>,
    world: &mut World,
    profiles: &[Id<Profile>],
) -> Result<BTreeMap<Id<Profile>, DataKey>, Failure> {
    let mut keys = BTreeMap::new();
    let mut wanted = profiles.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(keys);
    }
    let ids: Vec<[u8; 16]> = wanted.iter().map(|id| id.bytes()).collect();
    let mut without = Vec::new();
    for (profile, person, wrapped) in rows::persons(tx, &ids)? {
        match (person, wrapped) {
            (Some(person), Some(wrapped)) => {
                keys.insert(profile, contact::unwrap(world.keyring(), &wrapped, person)?);
            }
            (Some(_), None) => {}
            (None, _) => without.push(profile),
        }
    }
    keys.extend(give(tx, world, &without)?);
    Ok(keys)
}

/// Gives a person, and so a key, to profiles that have none.
fn give(
    tx: &mut Tx<'_>,
    world: &mut World,
    profiles: &[Id<Profile>],
) -> Result<Vec<(Id<Profile>, DataKey)>, Failure> {
    let people = contact::new_persons(tx, world, profiles.len())?;
    let given: Vec<_> = profiles.iter().copied().zip(people.iter().map(|(person, _)| *person)).collect();
    if !rows::give_persons(tx, &given)? {
        return Err(tx.begin_anew().into());
    }
    Ok(profiles.iter().copied().zip(people.into_iter().map(|(_, key)| key)).collect())
}
