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
    for (profile, person, wrapped) in rows::persons(tx, &ids)? {
        let key = match (person, wrapped) {
            (Some(person), Some(wrapped)) => contact::unwrap(world.keyring(), &wrapped, person)?,
            (Some(_), None) => continue,
            (None, _) => {
                let (person, key) = contact::new_person(tx, world)?;
                if !rows::give_person(tx, profile, person)? {
                    return Err(tx.begin_anew().into());
                }
                key
            }
        };
        keys.insert(profile, key);
    }
    Ok(keys)
}
