//! Links by which a subscriber confirms, chooses or answers without signing in. Only the hash of a link's token is kept; the token itself
//! follows from the link's id and the master key, so that it can be written into a message at the instant it is sent.

use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::{Actor, Who};
use domain::consent::{CONFIRM_DAYS, Source, Status};
use domain::value::id::{Subscriber as SubscriberKind, SubscriberLink};
use domain::value::{Id, Instant};
use domain::{Code, Refusal, words};
use sha2::{Digest, Sha256};
use store::Tx;
use store::consent as consents;
use store::consent::subscriber as rows;

pub use store::consent::subscriber::Link;

use super::subscriber::{self, Subscriber};
use super::{Evidence, Said, write};
use crate::{Failure, Keyring, World};

/// How long a link to preferences works, in days: longer than messages are kept in a mailbox, by most.
pub const CHOOSE_DAYS: i64 = 400;
/// Seconds of a day.
const DAY: i64 = 86_400;

words! {
    /// What a link is for.
    Deed {
        /// Confirming what was agreed to.
        Confirm 1 "confirm";
        /// Choosing what one likes to hear of.
        Choose 2 "choose";
        /// Showing that a request about data is one's own.
        Verify 3 "verify";
    }
}

/// Makes a link for a subscriber.
///
/// # Errors
/// What the store says.
pub fn make(
    tx: &mut Tx<'_>,
    world: &mut World,
    subscriber: Id<SubscriberKind>,
    deed: Deed,
    about: Option<[u8; 16]>,
) -> Result<Id<SubscriberLink>, Failure> {
    let id: Id<SubscriberLink> = world.id();
    let days = if deed == Deed::Choose { CHOOSE_DAYS } else { CONFIRM_DAYS };
    let expires_at = world.now().plus_seconds(days * DAY);
    let link = Link { subscriber, id, deed: deed.code(), about, expires_at };
    let hash = hash_of(&token_bytes(world.keyring(), id));
    rows::add_link(tx, &hash, &link, world.now())?;
    Ok(id)
}

/// The token of a link, as it stands in an address.
pub fn token(keyring: &Keyring, id: Id<SubscriberLink>) -> String {
    hexadecimal(&token_bytes(keyring, id))
}

fn token_bytes(keyring: &Keyring, id: Id<SubscriberLink>) -> [u8; 32] {
    keyring.lookup_hash("subscriber link", &id.to_string())
}

fn hash_of(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The link of a token with whom it was given to.
///
/// # Errors
/// [`Code::NotFound`] when it expired or never was.
pub fn read(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<(Link, Deed, Subscriber), Failure> {
    let gone =
        || Refusal::new(Code::NotFound, "this link has expired or was copied in part; ask for a new one");
    let hash = from_hexadecimal(token).map(|token| hash_of(&token)).ok_or_else(gone)?;
    let link = rows::link(tx, &hash, now)?.ok_or_else(gone)?;
    let deed = Deed::coded(link.deed).ok_or_else(gone)?;
    let found =
        subscriber::find(tx, link.subscriber)?.filter(|one| one.erased_at.is_none()).ok_or_else(gone)?;
    Ok((link, deed, found))
}

/// The refusal of a link that leads nowhere.
pub(crate) fn gone() -> Refusal {
    Refusal::new(Code::NotFound, "this link has expired or was copied in part; ask for a new one")
}

/// Who holds a link acts as the customer it was given to, or as a guest.
pub fn holder(one: &Subscriber) -> Actor {
    Actor { who: one.customer.map_or(Who::Guest, Who::Customer), channel: None, grants: Vec::new() }
}

/// Confirms what waits for a link; from then on the link leads to the preferences. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::NotFound`] when the link expired.
pub fn confirm(tx: &mut Tx<'_>, world: &mut World, token: &str, evidence: &Evidence) -> Result<(), Failure> {
    let now = world.now();
    let (link, _, found) = read(tx, token, now)?;
    let one = subscriber::lock(tx, found.id)?;
    if !rows::spend_link(
        tx,
        &hash_of(&token_bytes(world.keyring(), link.id)),
        now.plus_seconds(CHOOSE_DAYS * DAY),
    )? {
        return Ok(());
    }
    let asked = consents::asked_by(tx, one.id, link.id, super::SAID_MAX as i64)?;
    let said: Vec<Said> = asked
        .into_iter()
        .filter(|asked| asked.status == Status::Pending && asked.expires_at.is_none_or(|at| at > now))
        .map(|asked| Said { cell: asked.cell, status: Status::Granted })
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    let evidence = Evidence { source: Source::Link, link: None, ..evidence.clone() };
    write(tx, &holder(&one), world, &one, &said, &evidence).map(drop)
}
