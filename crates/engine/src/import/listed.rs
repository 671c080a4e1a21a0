//! Lists of people from files: each row puts somebody on a list. Nobody is taken off by a file.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::catalogue::short_code;
use domain::import::Outcome;
use domain::segment::Subject;
use domain::value::id::{Customer, Profile};
use domain::value::{Email, Id, Name, Reference, text};
use domain::{Code, Refusal};
use store::Tx;
use store::segment::list as rows;

use super::export::Read;
use super::row::{CellError, Cells};
use crate::consent::subscriber;
use crate::message::suppression;
use crate::segment::Named;
use crate::segment::list::{self, OnLists};
use crate::{Failure, World, external};

/// The most characters of what a row names a person by.
const PERSON_CHARS_MAX: usize = 200;

/// A row of a file of lists.
#[derive(Clone, Debug)]
pub(super) struct Row {
    list: String,
    name: Option<Name>,
    whose: Whose,
}

/// Who is on the list.
#[derive(Clone, Debug)]
enum Whose {
    Person(String),
    Address(Email),
}

impl Row {
    /// A file says once that somebody is on a list.
    pub(super) fn key(&self) -> String {
        let whose = match &self.whose {
            Whose::Person(text) => text.as_str(),
            Whose::Address(email) => email.as_str(),
        };
        format!("{}\n{whose}", self.list)
    }
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let list = row.need("list", short_code);
    let name = row.may("name", |said| Name::new("name", said));
    let person = row.may("person", |said| text::bounded("person", said, 1, PERSON_CHARS_MAX));
    let email = row.may("email", Email::parse);
    let whose = match (person, email) {
        (Some(Some(person)), Some(_)) => Some(Whose::Person(person)),
        (Some(None), Some(Some(email))) => Some(Whose::Address(email)),
        (Some(None), Some(None)) => {
            row.refuse("person", "is empty; name a person, or give a customer's e-mail address");
            None
        }
        _ => None,
    };
    let read = (|| Some(Row { list: list?, name: name?, whose: whose? }))();
    row.done(read)
}

/// Puts somebody on a list, which is made when it is not there.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    actor.may(Permission::EditSegments, None)?;
    let id = match rows::by_code(tx, &row.list)? {
        Some(known) => known.id,
        None => {
            let name = row.name.as_ref().map_or(row.list.as_str(), Name::as_str);
            list::create(tx, actor, world, (&row.list, name))?.id
        }
    };
    let (field, person) = person(tx, world, &row.whose)?;
    let put = list::put(tx, actor, world, id, &[person]).map_err(|failure| match failure {
        Failure::Refused(refusal) if refusal.code() == Code::Invalid => refusal.at(field).into(),
        other => other,
    })?;
    Ok(if put == 0 { Outcome::Same } else { Outcome::Made })
}

/// Does the row name an address of somebody who was erased, other than a customer who was known then?
pub(super) fn was_erased(tx: &mut Tx<'_>, world: &World, row: &Row) -> Result<bool, Failure> {
    let Whose::Address(email) = &row.whose else { return Ok(false) };
    let hash = subscriber::hash_of(world, email);
    let Some(erased_at) = suppression::erased_at(tx, &[hash])? else { return Ok(false) };
    let id = store::customer::by_email(tx, &hash)?;
    let customer = id.map(|id| store::customer::find(tx, id)).transpose()?.flatten();
    Ok(customer.is_some_and(|customer| customer.made_at >= erased_at))
}

/// Whom a row names, and by which column.
fn person(tx: &mut Tx<'_>, world: &World, whose: &Whose) -> Result<(&'static str, Named), Failure> {
    match whose {
        Whose::Person(text) => match Id::<Profile>::parse(text) {
            Ok(profile) => Ok(("person", Named::Profile(profile))),
            Err(_) => {
                let id: Id<Customer> = external::resolve_at(tx, "person", &Reference::read(text))?;
                Ok(("person", Named::Customer(id)))
            }
        },
        Whose::Address(email) => {
            let found = store::customer::by_email(tx, &subscriber::hash_of(world, email))?;
            let why = "no customer has this address; take in the customers first";
            let id = found.ok_or_else(|| Refusal::invalid("email", why))?;
            Ok(("email", Named::Customer(id)))
        }
    }
}

/// Who is on which lists, person by person; a customer goes by an external id.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: [u8; 16],
    limit: i64,
) -> Result<Read, Failure> {
    let OnLists { people, last, each } = list::of_people(tx, actor, (after, limit))?;
    let mut given = Vec::new();
    for (subject, code, name) in each {
        let person = match subject {
            Subject::Customer(id) => {
                let external = store::import::external_ids::<Customer>(tx, &[id.bytes()])?.pop();
                external.map_or_else(|| id.to_string(), |(_, external)| external)
            }
            Subject::Profile(id) => id.to_string(),
        };
        given.push(BTreeMap::from([("list", code), ("name", name), ("person", person)]));
    }
    Ok((people, given, last))
}
