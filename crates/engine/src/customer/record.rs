//! Records: what sources of files say of a customer, each under the number the source knows the customer by; sealed as contacts are.

use domain::actor::{Actor, Permission};
use domain::contact::Card;
use domain::value::id::Customer as CustomerKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::customer::record as rows;
use store::{StoreError, Tx};

pub use store::customer::record::Record;

use super::Customer;
use crate::contact::{email_hash, phone_hash};
use crate::{Failure, Keyring, World, contact, external};

/// The most records of one customer: where more rows share a key, it speaks of nobody.
pub const RECORDS_MAX: i64 = 200;

/// What a source says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How the person is called and reached.
    pub card: Card,
    /// The groups.
    pub groups: Vec<String>,
}

/// A record to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// The source's code.
    pub source: &'a str,
    /// What it is found by.
    pub key: [u8; 32],
    /// The number the source knows the person by.
    pub external_id: Option<&'a str>,
    /// What it says.
    pub said: &'a Said,
    /// When.
    pub at: Instant,
}

/// A source's number as it is known beside those of other sources: behind the source's code.
pub fn number(source: &str, external_id: &str) -> String {
    format!("{source}:{external_id}")
}

/// What a record is found by: a hash of the number the source knows the person by, or of the e-mail address.
pub(crate) fn key(keyring: &Keyring, source: &str, name: &str) -> [u8; 32] {
    keyring.lookup_hash("record", &number(source, name))
}

/// What the same is known by when it is said again.
pub(crate) fn hash_of(keyring: &Keyring, said: &Said) -> [u8; 32] {
    keyring.lookup_hash("said", &written(said))
}

fn written(said: &Said) -> String {
    json!({ "card": contact::written(&said.card), "groups": said.groups }).to_string()
}

/// Keeps what a source says of a customer, in place of what it said before. The customer is found by the source's number from then on.
///
/// # Errors
/// [`Code::PolicyRefuses`] when there are [`RECORDS_MAX`] of the customer already, [`Code::AlreadyExists`] when another has the number.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    world: &mut World,
    customer: &Customer,
    new: NewRecord<'_>,
    is_new: bool,
) -> Result<(), Failure> {
    if is_new && rows::of_customer(tx, customer.id, RECORDS_MAX)?.len() as i64 >= RECORDS_MAX {
        let why = format!(
            "{RECORDS_MAX} rows are of customer {} already; is the e-mail address or phone one that stands in for none?",
            customer.id
        );
        return Err(Refusal::new(Code::PolicyRefuses, why).into());
    }
    if is_new && let Some(text) = new.external_id {
        external::give(tx, customer.id, Some(&number(new.source, text)))?;
    }
    let context: [u8; 16] = std::array::from_fn(|place| new.key[place]);
    let sealed = contact::seal(tx, world, customer.person, written(new.said).as_bytes(), &context)?;
    let hash = |found: Option<[u8; 32]>| found.map(|hash| hash.to_vec());
    rows::put(
        tx,
        &Record {
            source: new.source.to_owned(),
            key: new.key,
            customer: customer.id,
            external_id: new.external_id.map(str::to_owned),
            person: customer.person,
            sealed: Some(sealed),
            said_hash: Some(hash_of(world.keyring(), new.said).to_vec()),
            said_at: new.at,
            email_hash: hash(email_hash(world.keyring(), &new.said.card)),
            phone_hash: hash(phone_hash(world.keyring(), &new.said.card)),
        },
    )?;
    Ok(())
}

/// What a record says; nothing of whoever was erased.
///
/// # Errors
/// What the store says.
pub(crate) fn said(tx: &mut Tx<'_>, world: &World, record: &Record) -> Result<Option<Said>, Failure> {
    let Some(sealed) = &record.sealed else { return Ok(None) };
    let context: [u8; 16] = std::array::from_fn(|place| record.key[place]);
    let Some(text) = contact::unseal(tx, world, record.person, sealed, &context)? else { return Ok(None) };
    let lost = |_| StoreError::Corrupt(format!("a record of {} cannot be read", record.customer));
    let read: Value = serde_json::from_slice(&text).map_err(lost)?;
    let groups = read["groups"].as_array().into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Some(Said { card: contact::card(&read["card"]), groups }))
}

/// Which sources know a customer, or whoever was merged into him, and under which numbers.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor, id: Id<CustomerKind>) -> Result<Vec<Record>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    super::load(tx, id)?;
    Ok(rows::of_customer(tx, id, RECORDS_MAX)?)
}

/// Forgets what sources say of a customer who is erased, and the numbers they know him by.
///
/// # Errors
/// What the store says.
pub(super) fn forget(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<(), Failure> {
    for record in rows::of_customer(tx, id, RECORDS_MAX)?.iter().filter(|record| record.customer == id) {
        if let Some(text) = &record.external_id {
            store::external::remove::<CustomerKind>(tx, &number(&record.source, text))?;
        }
    }
    Ok(rows::forget(tx, id)?)
}
