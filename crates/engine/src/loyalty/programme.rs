//! Writing loyalty programmes: each change is a new version, tried as a draft, in force from an instant, retired in the end. What was
//! earned under a version stays as it was.

use domain::actor::{Actor, Permission};
use domain::loyalty::programme::{State, Terms};
use domain::value::id::LoyaltyProgramme;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::loyalty::programme as rows;

pub use store::loyalty::programme::{Programme, Version};

use crate::event::emit;
use crate::{Failure, World, edit};

/// The most programmes a retailer has.
pub const PROGRAMMES_MAX: i64 = 20;
/// The most versions of one programme.
pub const VERSIONS_MAX: i64 = 1000;

/// Makes a programme; its first version is a draft.
///
/// # Errors
/// [`Code::AlreadyExists`] for a code that is taken, [`Code::Invalid`] naming every bad term.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (code, name): (String, String),
    terms: Terms,
) -> Result<(Programme, Version), Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    let known = rows::list(tx, PROGRAMMES_MAX)?;
    if known.iter().any(|one| one.code == code) {
        return Err(edit::code_taken::<LoyaltyProgramme>(&code).into());
    }
    if known.len() as i64 >= PROGRAMMES_MAX {
        let why = format!("there are {PROGRAMMES_MAX} loyalty programmes; write a version of one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let one = Programme { id: world.id(), code, name, made_at: world.now() };
    rows::add(tx, &one)?;
    let version = added(tx, actor, world, (one.id, 1), terms)?;
    Ok((one, version))
}

/// Writes the next version of a programme, as a draft.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Invalid`] naming every bad term.
pub fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<LoyaltyProgramme>,
    terms: Terms,
) -> Result<Version, Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    lock(tx, id)?;
    let newest = rows::versions(tx, id, 1)?.first().map_or(0, |version| version.number);
    if newest >= VERSIONS_MAX {
        let why = format!("there are {VERSIONS_MAX} versions; make another programme");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    added(tx, actor, world, (id, newest + 1), terms)
}

fn added(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (programme, number): (Id<LoyaltyProgramme>, i64),
    terms: Terms,
) -> Result<Version, Failure> {
    let terms = terms.checked().map_err(|refusal| refusal.within("terms"))?;
    let now = world.now();
    let one = Version { programme, number, state: State::Draft, active_from: None, terms, made_at: now };
    rows::add_version(tx, &one)?;
    emit(tx, actor, world, programme, "loyalty_programme.written", json!({ "number": number }));
    Ok(one)
}

/// Puts a draft in force, from an instant on; from now on when none is given. The first version may have begun in the past, for a programme
/// that was run elsewhere before.
///
/// # Errors
/// [`Code::WrongState`] unless it is a draft; [`Code::Invalid`] for an instant that has passed, when a version was in force before.
pub fn activate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, number): (Id<LoyaltyProgramme>, i64),
    from: Option<Instant>,
) -> Result<Version, Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    lock(tx, id)?;
    let now = world.now();
    if from.is_some_and(|at| at < now) {
        let known = rows::versions(tx, id, VERSIONS_MAX)?;
        if known.iter().any(|version| version.state != State::Draft) {
            let why = "give an instant that is still to come; only a programme's first version may have begun before";
            return Err(Refusal::invalid("from", why).into());
        }
    }
    let from = from.unwrap_or(now);
    go(tx, (id, number), (State::Draft, State::Active), Some(from))?;
    let body = json!({ "number": number, "from": from.to_string() });
    emit(tx, actor, world, id, "loyalty_programme.activated", body);
    find_version(tx, id, number)
}

/// Takes a version out of force for good; the one before it, if there is one, is in force again.
///
/// # Errors
/// [`Code::WrongState`] unless it is active.
pub fn retire(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, number): (Id<LoyaltyProgramme>, i64),
) -> Result<Version, Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    lock(tx, id)?;
    let from = find_version(tx, id, number)?.active_from;
    go(tx, (id, number), (State::Active, State::Retired), from)?;
    emit(tx, actor, world, id, "loyalty_programme.retired", json!({ "number": number }));
    find_version(tx, id, number)
}

fn go(
    tx: &mut Tx<'_>,
    (id, number): (Id<LoyaltyProgramme>, i64),
    (from, to): (State, State),
    active_from: Option<Instant>,
) -> Result<(), Failure> {
    let state = find_version(tx, id, number)?.state;
    if state != from || !rows::set_state(tx, (id, number), (from, to), active_from)? {
        let message = format!("version {number} is {}; it must be {} for this", state.text(), from.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(())
}

fn lock(tx: &mut Tx<'_>, id: Id<LoyaltyProgramme>) -> Result<Programme, Failure> {
    rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("loyalty programme", id).into())
}

/// A version of a programme.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn find_version(
    tx: &mut Tx<'_>,
    id: Id<LoyaltyProgramme>,
    number: i64,
) -> Result<Version, Failure> {
    let missing = || Refusal::not_found("version of this loyalty programme", number);
    rows::find_version(tx, id, number)?.ok_or_else(|| missing().into())
}

/// The programme with an id or a code, for who writes programmes or gives points.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn named(tx: &mut Tx<'_>, actor: &Actor, name: &str) -> Result<Programme, Failure> {
    actor.may(Permission::EditLoyalty, None).or_else(|_| actor.may_somewhere(Permission::GivePoints))?;
    joined(tx, name)?.ok_or_else(|| Refusal::not_found("loyalty programme", name).into())
}

/// The programme with an id or a code, for whoever may join it.
///
/// # Errors
/// What the store says.
pub fn joined(tx: &mut Tx<'_>, name: &str) -> Result<Option<Programme>, Failure> {
    let all = rows::list(tx, PROGRAMMES_MAX)?;
    Ok(all.into_iter().find(|one| one.code == name || one.id.to_string() == name))
}

/// All programmes, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Programme>, Failure> {
    actor.may(Permission::EditLoyalty, None).or_else(|_| actor.may_somewhere(Permission::GivePoints))?;
    Ok(rows::list(tx, PROGRAMMES_MAX)?)
}

/// The versions of a programme, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn versions(tx: &mut Tx<'_>, actor: &Actor, id: Id<LoyaltyProgramme>) -> Result<Vec<Version>, Failure> {
    actor.may(Permission::EditLoyalty, None).or_else(|_| actor.may_somewhere(Permission::GivePoints))?;
    Ok(rows::versions(tx, id, VERSIONS_MAX)?)
}
