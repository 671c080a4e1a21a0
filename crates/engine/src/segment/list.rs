//! Lists: people somebody put together by name. Who was merged is on every list that either was on.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::segment::Subject;
use domain::value::id::CustomerList;
use domain::value::{Id, Instant};
use serde_json::json;
use store::Tx;
use store::segment::list as rows;

pub use store::segment::list::List;

use super::subject::{self, atoms};
use super::{Named, facts::few};
use crate::edit::{code_taken, stale, unchanged};
use crate::event::emit;
use crate::{Failure, World};

/// The most people put on a list or taken off it at once.
pub const PUT_MAX: usize = 500;

/// Makes a list.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] at `code`.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (code, name): (&str, &str),
) -> Result<List, Failure> {
    actor.may(Permission::EditSegments, None)?;
    let one = List {
        id: world.id(),
        code: code.to_owned(),
        name: name.to_owned(),
        made_at: world.now(),
        version: 1,
    };
    if !rows::add(tx, &one)? {
        return Err(code_taken::<CustomerList>(code).into());
    }
    emit(tx, actor, world, one.id, "list.created", json!({ "code": code }));
    Ok(one)
}

/// Gives a list another name.
///
/// # Errors
/// [`domain::Code::NotFound`], [`domain::Code::Stale`].
pub fn rename(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, name): (Id<CustomerList>, &str),
    read: Option<i64>,
) -> Result<List, Failure> {
    actor.may(Permission::EditSegments, None)?;
    let mut one = load(tx, id)?;
    unchanged(id, one.version, read)?;
    name.clone_into(&mut one.name);
    one.version += 1;
    if !rows::update(tx, &one)? {
        return Err(stale(id).into());
    }
    emit(tx, actor, world, id, "list.changed", json!({ "version": one.version }));
    Ok(one)
}

/// The list with this id.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CustomerList>) -> Result<List, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    load(tx, id)
}

/// The lists after one, in the order they were made.
///
/// # Errors
/// [`domain::Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<CustomerList>,
    limit: i64,
) -> Result<Vec<List>, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    Ok(rows::list(tx, after, limit)?)
}

fn load(tx: &mut Tx<'_>, id: Id<CustomerList>) -> Result<List, Failure> {
    let found = rows::find(tx, &[id.bytes()])?.pop();
    found.ok_or_else(|| Refusal::not_found("list", id).into())
}

/// Puts people on a list; answers how many were not on it before.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no such list, [`domain::Code::Invalid`] at each person who is not there or was erased.
pub fn put(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerList>,
    people: &[Named],
) -> Result<i64, Failure> {
    actor.may(Permission::EditSegments, None)?;
    load(tx, id)?;
    let mut put = 0;
    for subject in each(tx, people)? {
        let keys = keys_of(tx, subject)?;
        let on = store::segment::facts::lists(tx, &keys)?;
        if on.iter().all(|(_, list)| *list != id) && rows::put(tx, id, subject, world.now())? {
            put += 1;
            emit(tx, actor, world, subject, "list.put", json!({ "list": id.to_string() }));
        }
    }
    Ok(put)
}

/// Takes people off a list; answers how many were on it.
///
/// # Errors
/// As [`put`].
pub fn take_off(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerList>,
    people: &[Named],
) -> Result<i64, Failure> {
    actor.may(Permission::EditSegments, None)?;
    load(tx, id)?;
    let mut taken = 0;
    for subject in each(tx, people)? {
        let keys = keys_of(tx, subject)?;
        if rows::take_off(tx, id, &keys)? {
            taken += 1;
            emit(tx, actor, world, subject, "list.taken_off", json!({ "list": id.to_string() }));
        }
    }
    Ok(taken)
}

/// Every id somebody is known by.
fn keys_of(tx: &mut Tx<'_>, subject: Subject) -> Result<Vec<[u8; 16]>, Failure> {
    let atoms = atoms(tx, &[subject])?;
    let customers = atoms.customers.iter().map(|one| one.0);
    Ok(customers.chain(atoms.profiles.iter().map(|one| one.0)).collect())
}

/// Who these are now, each once, in one order.
fn each(tx: &mut Tx<'_>, people: &[Named]) -> Result<Vec<Subject>, Failure> {
    few("people", people.len(), PUT_MAX)?;
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for (place, named) in people.iter().enumerate() {
        let path = format!("people.{place}");
        match subject::find(tx, *named)? {
            Some(Subject::Customer(id))
                if store::customer::find(tx, id)?.is_some_and(|one| one.erased_at.is_some()) =>
            {
                wrong.push(Refusal::invalid(path, format!("customer {id} was erased; leave it out")));
            }
            Some(subject) => found.push(subject),
            None => wrong.push(Refusal::invalid(path, "nobody has this id")),
        }
    }
    if let Some(refusal) = Refusal::all(wrong) {
        return Err(refusal.into());
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Who is on a list, as known now, after one, each with when it was put there. Of people who became one each entry is shown as that one.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn entries(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CustomerList>,
    (after, limit): ([u8; 16], i64),
) -> Result<Vec<([u8; 16], Subject, Instant)>, Failure> {
    read(tx, actor, id)?;
    let mut found = Vec::new();
    for (entry, at) in rows::entries(tx, id, after, limit)? {
        let now = subject::find(tx, Named::from(entry))?.unwrap_or(entry);
        found.push((entry.bytes(), now, at));
    }
    Ok(found)
}

/// People on lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnLists {
    /// How many people were looked at.
    pub people: usize,
    /// The last of them.
    pub last: Option<[u8; 16]>,
    /// Each, as known now, with the code and name of each list once.
    pub each: Vec<(Subject, String, String)>,
}

/// Who is on which lists, after somebody, at most so many people.
///
/// # Errors
/// [`domain::Code::Forbidden`].
pub fn of_people(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (after, limit): ([u8; 16], i64),
) -> Result<OnLists, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    let all = rows::of_people(tx, after, limit)?;
    let people: BTreeSet<[u8; 16]> = all.iter().map(|(subject, ..)| subject.bytes()).collect();
    let mut each = Vec::new();
    for (entry, code, name) in all {
        if let Some(subject) = subject::find(tx, Named::from(entry))? {
            each.push((subject, code, name));
        }
    }
    each.dedup();
    Ok(OnLists { people: people.len(), last: people.last().copied(), each })
}
