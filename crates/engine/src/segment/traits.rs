//! Computed traits: written in versions, and worked out from what a person did whenever they are read.

use domain::actor::{Actor, Permission};
use domain::segment::Subject;
use domain::segment::needs::Needs;
use domain::segment::occurrence::Scalar;
use domain::segment::traits::Trait as Definition;
use domain::value::Instant;
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, segment as rows};

use super::{Named, build, document, facts, ground, subject};
use crate::event::emit;
use crate::{Failure, World};

/// The most traits.
pub const TRAITS_MAX: i64 = 500;

/// A computed trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trait {
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub name: String,
    /// How it is worked out.
    pub definition: Definition,
    /// Its version.
    pub version: i64,
    /// When it was written.
    pub at: Instant,
}

/// Writes a trait; one with the same code gets another version.
///
/// # Errors
/// [`Code::Stale`] when it does not stand at the version that was read; [`Code::WrongState`] when there are too many.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (code, name, definition): (&str, &str, Definition),
    read: Option<i64>,
) -> Result<Trait, Failure> {
    actor.may(Permission::EditSegments, None)?;
    let known = rows::traits(tx, &[code.to_owned()])?.pop();
    let version = known.as_ref().map_or(0, |known| known.version);
    let stale = || {
        let why = format!(
            "the trait \"{code}\" stands at version {version}; read it again and give that as If-Match"
        );
        Failure::from(Refusal::new(Code::Stale, why))
    };
    if read.map_or(version != 0, |read| read != version) {
        return Err(stale());
    }
    if version == 0 && rows::list_traits(tx, "", TRAITS_MAX)?.len() as i64 >= TRAITS_MAX {
        let why = format!("there are {TRAITS_MAX} traits; give one of them another definition");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let row = rows::Trait {
        code: code.to_owned(),
        version: version + 1,
        name: name.to_owned(),
        definition: document::of_trait(&definition).to_string(),
        at: world.now(),
    };
    if !rows::add_trait(tx, &row, &actor.who.label())? {
        return Err(stale());
    }
    if version > 0 {
        build::rebuild_where(tx, |_, ground| ground.traits.contains_key(code))?;
    }
    let body = json!({ "version": row.version });
    emit(tx, actor, world, format!("trait:{code}"), "trait.written", body);
    Ok(Trait { code: row.code, name: row.name, definition, version: row.version, at: row.at })
}

/// The trait of this code.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, code: &str) -> Result<Trait, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    let found = rows::traits(tx, &[code.to_owned()])?.pop();
    of_row(found.ok_or_else(|| Refusal::not_found("trait", code))?)
}

/// The traits after a code.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: &str, limit: i64) -> Result<Vec<Trait>, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    rows::list_traits(tx, after, limit)?.into_iter().map(of_row).collect()
}

fn of_row(row: rows::Trait) -> Result<Trait, Failure> {
    let definition = ground::trait_of(&row)?;
    Ok(Trait { code: row.code, name: row.name, definition, version: row.version, at: row.at })
}

/// A trait of a person with its values.
pub type Valued = (Trait, Vec<Scalar>);

/// All traits of a person at this instant, by code.
///
/// # Errors
/// [`Code::NotFound`] when there is no such person.
pub fn of_subject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (named, now): (Named, Instant),
) -> Result<(Subject, Vec<Valued>), Failure> {
    let all = list(tx, actor, "", TRAITS_MAX)?;
    let subject = subject::of(tx, named)?;
    let mut needs = Needs::default();
    all.iter().for_each(|one| needs.add_trait(&one.definition));
    let facts = facts::gather(tx, &[subject], &needs, now)?;
    let known = facts.into_iter().next().unwrap_or_default();
    let values = |one: &Definition| if known.erased { Vec::new() } else { one.values(&known.events, now) };
    Ok((
        subject,
        all.into_iter().map(|one| (values(&one.definition), one)).map(|(v, one)| (one, v)).collect(),
    ))
}
