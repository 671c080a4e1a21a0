//! Sessions: signing in, being recognised, signing out. What the browser holds is kept here only as a hash.

use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::{Actor, Who};
use domain::value::id::{Session as SessionKind, Staff as StaffKind};
use domain::value::{Email, Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Tx;
use store::actor::session::Session;
use store::actor::{role as role_rows, session as rows, staff as staff_rows};
use subtle::ConstantTimeEq;

use super::link::itself;
use super::staff::{Member, email_hash, member};
use crate::event::emit;
use crate::{Failure, Keyring, World};

/// After so long without a request a session ends.
pub const IDLE_SECONDS: i64 = 8 * 3600;
/// After so long a session ends in any case.
pub const LIFE_SECONDS: i64 = 7 * 24 * 3600;
/// How exactly it is known when a session was last used; a note for each request would be a commit for each.
const USE_NOTED_SECONDS: i64 = 300;

/// A session that was just opened.
#[derive(Clone)]
pub struct Opened {
    /// Its identity.
    pub id: Id<SessionKind>,
    /// Who signed in.
    pub member: Member,
    /// What the browser keeps, given out only now.
    pub token: String,
}

/// A change of the own password, both as hashes.
#[derive(Clone)]
pub struct NewPassword {
    /// What the current password was checked against.
    pub checked: String,
    /// The hash of the new one.
    pub new: String,
}

/// Somebody who is signed in.
pub struct SignedIn {
    /// Who, and what he may do where.
    pub actor: Actor,
    /// Its use was noted so long ago that it should be noted again (see [`note_use`]).
    pub to_be_noted: bool,
}

/// The member with this e-mail and the hash to check the password against, if the member may sign in.
///
/// # Errors
/// What the store says.
pub fn account(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    email: &Email,
) -> Result<Option<(Id<StaffKind>, String)>, Failure> {
    let found = staff_rows::find_by_email(tx, &email_hash(keyring, email))?;
    Ok(found.filter(|row| row.active).and_then(|row| Some((row.id, row.password_hash?))))
}

/// Signs in a member whose password was found right against `checked`.
///
/// # Errors
/// [`Code::SignInFailed`] when the password was changed or the member deactivated meanwhile.
pub fn sign_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    id: Id<StaffKind>,
    checked: &str,
) -> Result<Opened, Failure> {
    let row = staff_rows::find(tx, id)?;
    if !row.is_some_and(|row| row.active && row.password_hash.as_deref() == Some(checked)) {
        return Err(wrong().into());
    }
    open(tx, world, id)
}

/// Signs in the member with an address that a sign-on of the retailer's vouches for; nobody becomes a member by it.
///
/// # Errors
/// [`Code::SignInFailed`] when no member who may sign in has it.
pub fn sign_in_vouched(tx: &mut Tx<'_>, world: &mut World, email: &Email) -> Result<Opened, Failure> {
    let found = staff_rows::find_by_email(tx, &email_hash(world.keyring(), email))?;
    let row = found.filter(|row| row.active).ok_or_else(|| {
        let why = "no member of staff has the address the sign-on names, or the account is closed";
        Refusal::new(Code::SignInFailed, why)
    })?;
    open(tx, world, row.id)
}

/// What is said to everybody who does not get in, whatever the reason.
pub fn wrong() -> Refusal {
    Refusal::new(Code::SignInFailed, "the e-mail and password do not fit together, or the account is closed")
}

/// The session behind what the browser sent.
///
/// # Errors
/// [`Code::SignInFailed`] when it ended.
pub fn recognise(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<SignedIn, Failure> {
    let ended = || Refusal::new(Code::SignInFailed, "the session has ended; sign in again");
    let hash = hash_of(token).ok_or_else(ended)?;
    let session = rows::find(tx, &hash)?.ok_or_else(ended)?;
    let ends_at = session.made_at.plus_seconds(LIFE_SECONDS);
    if now >= ends_at || now >= session.used_at.plus_seconds(IDLE_SECONDS) {
        return Err(ended().into());
    }
    let grants = role_rows::grants_of(tx, session.staff)?;
    let actor = Actor { who: Who::Staff(session.staff), channel: None, grants };
    Ok(SignedIn { actor, to_be_noted: now >= session.used_at.plus_seconds(USE_NOTED_SECONDS) })
}

/// Notes that a session is used now.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<(), Failure> {
    hash_of(token).map_or(Ok(()), |hash| Ok(rows::note_use(tx, &hash, now)?))
}

/// Signs out. Signing out twice is the same as once.
///
/// # Errors
/// What the store says.
pub fn sign_out(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, token: &str) -> Result<(), Failure> {
    let Some(hash) = hash_of(token) else { return Ok(()) };
    if let (true, Who::Staff(id)) = (rows::end(tx, &hash)?, actor.who) {
        emit(tx, actor, world, id, "staff.signed_out", json!({}));
    }
    Ok(())
}

/// Who is signed in, with his name.
///
/// # Errors
/// What the store says.
pub fn who(tx: &mut Tx<'_>, keyring: &Keyring, actor: &Actor) -> Result<Option<Member>, Failure> {
    let Who::Staff(id) = actor.who else { return Ok(None) };
    member(tx, keyring, id).map(Some)
}

/// The password hash of who is signed in, to check the current password against.
///
/// # Errors
/// [`Code::Forbidden`] for a program with a key, which has no password.
pub fn own_password(tx: &mut Tx<'_>, actor: &Actor) -> Result<(Id<StaffKind>, Option<String>), Failure> {
    let Who::Staff(id) = actor.who else {
        return Err(
            Refusal::new(Code::Forbidden, "only a member of staff who is signed in has a password").into()
        );
    };
    let row = staff_rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("staff member", id))?;
    Ok((id, row.password_hash))
}

/// Sets the own password after the current one was found right against `change.checked`; other sessions end.
///
/// # Errors
/// [`Code::SignInFailed`] when the password was changed meanwhile.
pub fn change_password(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    change: &NewPassword,
    token: &str,
) -> Result<(), Failure> {
    let (id, _) = own_password(tx, actor)?;
    if !staff_rows::set_password(tx, id, Some(&change.checked), &change.new)? {
        return Err(wrong().into());
    }
    rows::end_others(tx, id, &hash_of(token).unwrap_or_default())?;
    emit(tx, actor, world, id, "staff.password_set", json!({}));
    Ok(())
}

/// The token that a page must send with every change, so that no other site can make the browser ask for it. It follows from what the
/// browser keeps, and that does not follow from it.
pub fn csrf_token(token: &str) -> String {
    hexadecimal(&Sha256::new().chain_update(b"tandem csrf\0").chain_update(token).finalize().into())
}

/// Is this the token that belongs to the session?
pub fn is_csrf_token(token: &str, given: &str) -> bool {
    csrf_token(token).as_bytes().ct_eq(given.as_bytes()).into()
}

/// Opens a session, and forgets old ones of the same member.
pub(super) fn open(tx: &mut Tx<'_>, world: &mut World, staff: Id<StaffKind>) -> Result<Opened, Failure> {
    let now = world.now();
    rows::forget_old(tx, staff, now.plus_seconds(-LIFE_SECONDS), now.plus_seconds(-IDLE_SECONDS))?;
    let token = world.bytes();
    let session = Session { id: world.id(), staff, made_at: now, used_at: now };
    rows::add(tx, &Sha256::digest(token).into(), &session)?;
    emit(tx, &itself(staff), world, staff, "staff.signed_in", json!({ "session": session.id.to_string() }));
    Ok(Opened { id: session.id, member: member(tx, world.keyring(), staff)?, token: hexadecimal(&token) })
}

fn hash_of(token: &str) -> Option<[u8; 32]> {
    from_hexadecimal(token).map(|token| Sha256::digest(token).into())
}
