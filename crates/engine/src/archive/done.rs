//! Of an archive: when the person signed in, by what they are recognised, what they did on pages, and everything that happened in one line.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::Actor;
use domain::value::Id;
use domain::value::id::Profile;
use domain::value::{Instant, Language};
use serde_json::{Value, json};
use store::{Tx, behaviour as rows, identity as identities, sign_in};

use super::{MANY_MAX, Whole};
use crate::sign_in::passkey;
use crate::timeline::{self, Asked, NEWEST};
use crate::{Failure, World, contact};

pub(super) fn sign_ins(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let found = whole.all(sign_in::sessions_of(tx, &whole.ids(), MANY_MAX)?);
    let shape = |one: &sign_in::Session| {
        json!({ "id": one.id.to_string(), "channel": one.channel.to_string(), "at": one.made_at.to_string(),
            "used_at": one.used_at.to_string() })
    };
    Ok(found.iter().map(shape).collect())
}

/// The passkeys: how they are called, when they were made and last used. The keys themselves open nothing here.
pub(super) fn passkeys(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    whole: &Whole,
) -> Result<Value, Failure> {
    let shape = |one: &passkey::Passkey| {
        json!({ "id": one.id.to_string(), "name": one.name, "domain": one.domain, "is_copied": one.is_copied,
            "made_at": one.made_at.to_string(), "used_at": one.used_at.map(|at| at.to_string()) })
    };
    Ok(passkey::list(tx, actor, world, whole.customers[0])?.iter().map(shape).collect())
}

/// The sign-ons that say who the person is, and since when.
pub(super) fn sign_ons(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let found = whole.all(sign_in::sign_on::of_customers(tx, &whole.ids(), MANY_MAX)?);
    Ok(found
        .iter()
        .map(
            |(id, code, since)| json!({ "id": id.to_string(), "provider": code, "since": since.to_string() }),
        )
        .collect())
}

/// By what the person is recognised: of which kind, since when. The values themselves are kept as hashes only.
pub(super) fn known_by(whole: &Whole) -> Value {
    let shape = |one: &identities::Known| {
        json!({ "kind": one.kind.text(), "told_by": one.trust.text(), "first_seen": one.first_seen.to_string(),
            "last_seen": one.last_seen.to_string() })
    };
    whole.known.iter().map(shape).collect()
}

/// The profiles of a person.
fn profiles_of(whole: &Whole) -> Vec<[u8; 16]> {
    whole.known.iter().map(|known| known.profile.bytes()).collect()
}

/// When the person was there in one go, and how much was done.
pub(super) fn visits(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let profiles = profiles_of(whole);
    let shape = |one: &domain::behaviour::Session| json!({ "began_at": one.began_at.to_string(), "last_at": one.last_at.to_string(), "events": one.events });
    let found = whole.all(rows::visits(tx, &profiles, Instant::from_micros(i64::MAX), MANY_MAX)?);
    Ok(found.iter().map(shape).collect())
}

/// What the person did on pages and in apps, with what was sealed of it.
pub(super) fn behaviour(tx: &mut Tx<'_>, world: &World, whole: &Whole) -> Result<Value, Failure> {
    let profiles = profiles_of(whole);
    let mut keys: BTreeMap<Id<Profile>, _> = BTreeMap::new();
    for (profile, person, wrapped) in identities::persons(tx, &profiles)? {
        if let (Some(person), Some(wrapped)) = (person, wrapped) {
            keys.insert(profile, contact::unwrap(world.keyring(), &wrapped, person)?);
        }
    }
    let before = (Instant::from_micros(i64::MAX), Id::from_bytes([255; 16]));
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let shape = |one: rows::Event| {
        let personal = one.sealed.as_ref().zip(keys.get(&one.profile));
        let personal = personal.and_then(|(sealed, key)| key.open(sealed, &one.id.bytes()));
        json!({ "at": one.at.to_string(), "call": one.call.text(), "name": one.name, "told": read(one.body.as_bytes()),
            "personal": personal.and_then(|text| read(&text)) })
    };
    Ok(whole.all(rows::of_profiles(tx, &profiles, before, MANY_MAX)?).into_iter().map(shape).collect())
}

pub(super) fn timeline(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let language = Language::parse("en").map_err(|why| Refusal::invalid("language", why))?;
    let asked = Asked { kinds: Vec::new(), channel: None, since: None, until: None, language };
    let found = whole.all(timeline::page(tx, (whole.customers[0], &asked), (NEWEST, MANY_MAX))?);
    Ok(found
        .iter()
        .map(|one| json!({ "at": one.at.to_string(), "what": one.words, "about": one.about }))
        .collect())
}
