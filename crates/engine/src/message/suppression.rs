//! Addresses that are not written to: what came back, who complained, and whom a colleague named. Only keyed hashes are kept.

use domain::actor::{Actor, Permission};
use domain::consent::{Basis, Cell, Medium, Source, Status};
use domain::message::Suppressed;
use domain::value::{Email, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::message::suppression as rows;

use crate::consent::purpose;
use crate::consent::subscriber::{self, hash_of};
use crate::consent::{self, Evidence, Said};
use crate::event::emit;
use crate::{Failure, World};

/// Puts an address on the list. Who complained has also taken back every consent to mail, with all that waits.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    email: &Email,
    reason: Suppressed,
) -> Result<(), Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    let hash = hash_of(world, email);
    note(tx, actor, world, &hash, reason)?;
    if reason != Suppressed::Complained {
        return Ok(());
    }
    let said: Vec<Said> = purpose::list(tx)?
        .into_iter()
        .filter(|purpose| purpose.basis != Basis::Contract)
        .map(|purpose| Cell { purpose: purpose.code, medium: Medium::Mail, topic: String::new() })
        .map(|cell| Said { cell, status: Status::Withdrawn })
        .collect();
    for one in subscriber::known_by(tx, &hash)? {
        if one.erased_at.is_none() && !said.is_empty() {
            consent::write(tx, actor, world, &one, &said, &Evidence::of(Source::Reported))?;
        }
    }
    Ok(())
}

/// Puts an address on the list by its hash.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    hash: &[u8; 32],
    reason: Suppressed,
) -> Result<(), Failure> {
    rows::add(tx, hash, reason, world.now())?;
    emit(tx, actor, world, "suppressions", "address.suppressed", json!({ "reason": reason.text() }));
    Ok(())
}

/// When whoever had one of these addresses was erased last; `None` when nobody was.
///
/// # Errors
/// What the store says.
pub(crate) fn erased_at<H: AsRef<[u8]>>(tx: &mut Tx<'_>, hashes: &[H]) -> Result<Option<Instant>, Failure> {
    let mut last = None;
    for hash in hashes {
        last = last.max(rows::erased_at(tx, hash.as_ref())?);
    }
    Ok(last)
}

/// Why an address is not written to, and since when.
///
/// # Errors
/// [`Code::Forbidden`] without the permission; [`Code::NotFound`] when it is written to.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    email: &Email,
) -> Result<(Suppressed, Instant), Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    Ok(rows::find(tx, &hash_of(world, email))?.ok_or_else(unlisted)?)
}

/// Takes an address off the list.
///
/// # Errors
/// As [`find`].
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, email: &Email) -> Result<(), Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    if !rows::remove(tx, &hash_of(world, email))? {
        return Err(unlisted().into());
    }
    emit(tx, actor, world, "suppressions", "address.released", json!({}));
    Ok(())
}

fn unlisted() -> Refusal {
    Refusal::new(Code::NotFound, "this address is not on the list: it is written to")
}
