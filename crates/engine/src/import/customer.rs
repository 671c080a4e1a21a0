//! Customers from files: made, or changed where the external id, or else the e-mail address, is known.

use domain::Refusal;
use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::import::Outcome;
use domain::value::id::Customer as CustomerKind;
use domain::value::{Id, Instant, reference, text};
use store::Tx;

use super::row::{CellError, Cells};
use crate::contact::{Sought, email_hash, phone_hash};
use crate::customer::{self, Change, NewCustomer};
use crate::message::suppression;
use crate::{Failure, World};

/// The most characters of what a row names a customer by.
const CUSTOMER_CHARS_MAX: usize = 200;

/// A row of a file of customers. What the file has no column for stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) external_id: Option<String>,
    said: Draft,
    pub(super) has: Has,
    /// What was said, checked by itself.
    pub(super) card: Card,
    pub(super) groups: Option<Vec<String>>,
    /// Whom the row names, of a source's file.
    pub(super) customer: Option<String>,
    /// When the source changed it last.
    pub(super) changed_at: Option<Instant>,
}

/// Which parts of a contact the file has columns for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Has {
    pub(super) name: bool,
    pub(super) company: bool,
    pub(super) street: bool,
    pub(super) city: bool,
    pub(super) region: bool,
    pub(super) postal_code: bool,
    pub(super) country: bool,
    pub(super) email: bool,
    pub(super) phone: bool,
}

impl Row {
    pub fn key(&self) -> Option<String> {
        self.external_id.clone().or_else(|| self.card.email_lookup())
    }
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let external_id = row.may("external_id", reference::external_id::<CustomerKind>);
    let name = row.text("name").or_else(|| {
        let parts: Vec<String> =
            ["given_name", "family_name"].into_iter().filter_map(|part| row.text(part)).collect();
        Some(parts.join(" ")).filter(|name| !name.is_empty())
    });
    let street =
        row.said("street").split('|').map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
    let said = Draft {
        name,
        company: row.text("company"),
        street: street.collect(),
        city: row.text("city"),
        region: row.text("region"),
        postal_code: row.text("postal_code"),
        country: row.text("country"),
        email: row.text("email"),
        phone: row.text("phone"),
        note: None,
    };
    let card = Card::new(&said).map_err(|refusal| refuse_each(&mut row, &refusal)).ok();
    if row.said("external_id").is_empty() && said.email.is_none() {
        row.refuse("external_id", "is empty; give an external id or an e-mail address, so that taking the file in again makes nobody twice");
    }
    let labels: Vec<String> = row
        .said("groups")
        .split('|')
        .map(str::trim)
        .filter(|label| !label.is_empty())
        .map(str::to_owned)
        .collect();
    let groups =
        domain::customer::groups(&labels).map_err(|refusal| row.refuse("groups", refusal.message())).ok();
    let customer = row.may("customer", |said| text::bounded("customer", said, 1, CUSTOMER_CHARS_MAX));
    let changed_at = row.instant("changed_at");
    let layout = row.layout;
    let has = Has {
        name: ["name", "given_name", "family_name"].iter().any(|name| layout.has(name)),
        company: layout.has("company"),
        street: layout.has("street"),
        city: layout.has("city"),
        region: layout.has("region"),
        postal_code: layout.has("postal_code"),
        country: layout.has("country"),
        email: layout.has("email"),
        phone: layout.has("phone"),
    };
    let has_groups = layout.has("groups");
    let read = (|| {
        let groups = groups?;
        Some(Row {
            external_id: external_id?,
            said,
            has,
            card: card?,
            groups: has_groups.then_some(groups),
            customer: customer?,
            changed_at: changed_at?,
        })
    })();
    row.done(read)
}

fn refuse_each(row: &mut Cells<'_>, refusal: &Refusal) {
    let named: Vec<&str> = refusal.each().filter_map(Refusal::field).collect();
    for field in named {
        let column = if field == "name" && !row.layout.has("name") { "given_name" } else { field };
        row.refuse(column, "cannot be taken");
    }
}

/// Makes or changes the customer.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let Some(id) = known(tx, actor, world, row)? else {
        let new = NewCustomer {
            external_id: row.external_id.clone(),
            card: row.card.clone(),
            groups: row.groups.clone().unwrap_or_default(),
        };
        customer::create(tx, actor, world, new)?;
        return Ok(Outcome::Made);
    };
    let before = customer::load(tx, id)?;
    let card = customer::read_contact(tx, actor, world, id)?;
    let merged = Card::new(&merged(card.text(), row))?;
    let change = Change {
        card: Some(merged).filter(|merged| *merged != card),
        groups: row.groups.clone().filter(|groups| *groups != before.groups),
        if_match: Some(before.version),
        shown: None,
    };
    if change.card.is_none() && change.groups.is_none() {
        return Ok(Outcome::Same);
    }
    customer::fill(tx, actor, world, id, (&row.card, change))?;
    Ok(Outcome::Changed)
}

/// Does the row name an address of somebody who was erased?
pub(super) fn was_erased(tx: &mut Tx<'_>, world: &World, row: &Row) -> Result<bool, Failure> {
    let keyring = world.keyring();
    let hashes = [email_hash(keyring, &row.card), phone_hash(keyring, &row.card)];
    let hashes: Vec<[u8; 32]> = hashes.into_iter().flatten().collect();
    Ok(suppression::erased_at(tx, &hashes)?.is_some())
}

/// The customer the row is about: by the external id, or without one by the e-mail address.
fn known(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    row: &Row,
) -> Result<Option<Id<CustomerKind>>, Failure> {
    if let Some(external_id) = &row.external_id {
        return Ok(store::external::find(tx, external_id)?);
    }
    let Some(email) = row.card.email_lookup() else { return Ok(None) };
    let found = customer::find(tx, actor, world, &Sought::Email(email))?;
    Ok(found.first().map(|customer| customer.id))
}

/// What is known of a contact, with what the row says in its place.
pub(super) fn merged(known: &Draft, row: &Row) -> Draft {
    let (said, has) = (row.said.clone(), row.has);
    let pick =
        |has: bool, said: Option<String>, known: &Option<String>| if has { said } else { known.clone() };
    Draft {
        name: pick(has.name, said.name, &known.name),
        company: pick(has.company, said.company, &known.company),
        street: if has.street { said.street } else { known.street.clone() },
        city: pick(has.city, said.city, &known.city),
        region: pick(has.region, said.region, &known.region),
        postal_code: pick(has.postal_code, said.postal_code, &known.postal_code),
        country: pick(has.country, said.country, &known.country),
        email: pick(has.email, said.email, &known.email),
        phone: pick(has.phone, said.phone, &known.phone),
        note: known.note.clone(),
    }
}
