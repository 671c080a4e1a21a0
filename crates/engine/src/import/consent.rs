//! Consents from files: what people said to another system, kept with when they said it. What was said later stays, and of one instant the
//! stricter holds. Whoever left an address only is found by it.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, Permission};
use domain::consent::{Cell, Medium, Source, Status, wording};
use domain::import::Outcome;
use domain::value::id::{Customer, Subscriber as SubscriberKind};
use domain::value::{Email, Id, Instant, Reference, text};
use domain::{Code, Refusal};
use store::customer::record as records;
use store::{Tx, consent as rows, customer as customers};

use super::Batch;
use super::export::{Read, or_empty};
use super::row::{CellError, Cells};
use crate::consent::subscriber::{self, Subscriber};
use crate::consent::{self, Evidence, Said};
use crate::message::suppression;
use crate::{Failure, World, contact, external};

/// The most characters of what a row names a customer by.
const CUSTOMER_CHARS_MAX: usize = 200;
/// The most that is given out of one subscriber, the newest.
const SAID_MAX: i64 = 10_000;
/// The most customers of whom sources say the same address, and who are told of a no.
const SHARING_MAX: i64 = 20;

/// A row of a file of consents.
#[derive(Clone, Debug)]
pub(super) struct Row {
    whose: Whose,
    said: Said,
    at: Instant,
    wording: Option<String>,
}

/// Whose it is.
#[derive(Clone, Debug)]
enum Whose {
    Customer(String),
    Address(Email),
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let status = row.need("status", status);
    let at = match row.instant("said_at") {
        Some(None) => row.need("said_at", |_| Err::<Instant, _>("is empty")),
        other => other.flatten(),
    };
    let wording = row.may("wording", wording);
    let (medium, topic) = (row.text("medium"), row.text("topic"));
    let medium = medium.map(|medium| medium.to_lowercase());
    let cell = Cell::read(row.said("purpose"), medium.as_deref(), topic.as_deref());
    let cell = cell.map_err(|refusal| {
        refusal.each().for_each(|one| row.refuse(one.field().unwrap_or("purpose"), one.message()));
    });
    let customer = row.may("customer", |said| text::bounded("customer", said, 1, CUSTOMER_CHARS_MAX));
    let email = row.may("email", Email::parse);
    let whose = match (customer, email) {
        (Some(Some(customer)), Some(_)) => Some(Whose::Customer(customer)),
        (Some(None), Some(Some(email))) => Some(Whose::Address(email)),
        (Some(None), Some(None)) => {
            row.refuse("customer", "is empty; name a customer, or give an e-mail address");
            None
        }
        _ => None,
    };
    let read = (|| {
        let said = Said { cell: cell.ok()?, status: status? };
        Some(Row { whose: whose?, said, at: at?, wording: wording? })
    })();
    row.done(read)
}

/// What was said, also as other systems write it.
fn status(said: &str) -> Result<Status, String> {
    match said.to_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(Status::Granted),
        "no" | "false" | "0" => Ok(Status::Denied),
        "pending" => Err("a yes that was never confirmed is none; leave it out".into()),
        other => Status::parse(other),
    }
}

/// Keeps what was said, unless it is known.
pub(super) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    (batch, line): (&Batch<'_>, u64),
) -> Result<Outcome, Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    if row.at > world.now() {
        return Err(Refusal::invalid("said_at", "lies in the future").into());
    }
    if !row.said.status.refuses() {
        must_be_newer(tx, world, row)?;
    }
    let from = batch.from.as_ref().map(|from| format!("source {}, ", from.source.code));
    let evidence = Evidence {
        wording: row.wording.clone(),
        agent: Some(format!("{}line {line} of a file", from.unwrap_or_default())),
        at: Some(row.at),
        ..Evidence::of(Source::Import)
    };
    let mut outcome = Outcome::Same;
    for one in subscribers(tx, actor, world, row)? {
        if rows::is_said(tx, one.id, &row.said.cell, (row.said.status, row.at))? {
            continue;
        }
        consent::write(tx, actor, world, &one, std::slice::from_ref(&row.said), &evidence)?;
        outcome = Outcome::Made;
    }
    Ok(outcome)
}

/// Refuses a yes that was given before the person with this address was erased. A customer who was known then is somebody else.
fn must_be_newer(tx: &mut Tx<'_>, world: &World, row: &Row) -> Result<(), Failure> {
    let (column, customer, addresses) = match &row.whose {
        Whose::Customer(text) => {
            let id: Id<Customer> = external::resolve_at(tx, "customer", &Reference::read(text))?;
            ("customer", Some(id), addresses(tx, id, row.said.cell.medium)?)
        }
        Whose::Address(email) => {
            let hash = subscriber::hash_of(world, email);
            ("email", customers::by_email(tx, &hash)?, vec![hash.to_vec()])
        }
    };
    let Some(erased_at) = suppression::erased_at(tx, &addresses)?.filter(|at| row.at <= *at) else {
        return Ok(());
    };
    let customer = customer.map(|id| customers::find(tx, id)).transpose()?.flatten();
    if customer.is_some_and(|customer| customer.made_at < erased_at) {
        return Ok(());
    }
    let why = format!(
        "the person with this address was erased at {erased_at}; what was agreed to before does not come back: take the row out, and \
         ask the person again"
    );
    Err(Refusal::new(Code::PolicyRefuses, why).at(column).into())
}

/// The addresses of a customer that a medium goes to.
fn addresses(tx: &mut Tx<'_>, id: Id<Customer>, medium: Medium) -> Result<Vec<Vec<u8>>, Failure> {
    let customers::Lookups { emails, phones } = customers::lookups(tx, id)?;
    let is_by_phone = matches!(medium, Medium::Sms | Medium::Whatsapp | Medium::Phone);
    Ok(if is_by_phone || emails.is_empty() { phones } else { emails })
}

/// Whose it is; a no also those of whom sources say the same address, a yes only whoever gave it.
fn subscribers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
) -> Result<Vec<Subscriber>, Failure> {
    let email = match &row.whose {
        Whose::Customer(text) => {
            let id: Id<Customer> = external::resolve_at(tx, "customer", &Reference::read(text))?;
            let one = subscriber::of_customer(tx, actor, world, id).map_err(|failure| match failure {
                Failure::Refused(refusal) if refusal.code() == Code::NotFound => {
                    Refusal::invalid("customer", "nobody is known by this").into()
                }
                other => other,
            })?;
            return Ok(vec![one]);
        }
        Whose::Address(email) => email,
    };
    let mut all = vec![subscriber::of_email(tx, actor, world, email, None)?.0];
    if row.said.status.refuses() {
        let mut known: BTreeSet<Id<SubscriberKind>> = all.iter().map(|one| one.id).collect();
        for id in records::by_email(tx, &subscriber::hash_of(world, email), SHARING_MAX)? {
            if known.insert(id.shared_with()) {
                all.push(subscriber::of_customer(tx, actor, world, id)?);
            }
        }
    }
    Ok(all)
}

/// What people said, subscriber by subscriber; a customer goes by an external id, who is none by the address.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (after, limit): (Id<SubscriberKind>, i64),
) -> Result<Read, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let all = rows::subscribers(tx, after, limit)?;
    let mut given = Vec::new();
    for id in &all {
        let Some(one) = subscriber::find(tx, *id)?.filter(|one| one.erased_at.is_none()) else { continue };
        let (mut customer, mut email) = (None, None);
        match (one.customer, one.contact) {
            (Some(id), _) => {
                let external = store::import::external_ids::<Customer>(tx, &[id.bytes()])?.pop();
                customer = Some(external.map_or_else(|| id.to_string(), |(_, external)| external));
            }
            (None, Some(contact)) => {
                email = contact::open(tx, actor, world, contact)?.text().email.clone();
            }
            (None, None) => continue,
        }
        let mut said = rows::history(tx, *id, Id::from_bytes([255; 16]), SAID_MAX)?;
        said.retain(|said| said.status != Status::Pending);
        given.extend(said.iter().rev().map(|said| {
            BTreeMap::from([
                ("purpose", said.cell.purpose.clone()),
                ("medium", said.cell.medium.text().to_owned()),
                ("topic", said.cell.topic.clone()),
                ("status", said.status.text().to_owned()),
                ("said_at", said.at.to_string()),
                ("wording", or_empty(said.wording.as_ref())),
                ("customer", or_empty(customer.as_ref())),
                ("email", or_empty(email.as_ref())),
            ])
        }));
    }
    Ok((all.len(), given, all.last().map(|id| id.bytes())))
}
