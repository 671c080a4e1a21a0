//! Signing up for messages: what must be confirmed is asked for by a message with a link, once, however often and at the same time it is asked.

use domain::actor::{Actor, Permission};
use domain::consent::{Cell, Medium, Source, Status};
use domain::message::{Kind, Template};
use domain::value::id::{Contact, Customer};
use domain::value::{Email, Id, Language};
use serde_json::json;
use store::Tx;
use store::consent as rows;
use store::message::suppression;

use super::{NewMessage, write};
use crate::consent::link::{self, Deed};
use crate::consent::subscriber::{self, Subscriber};
use crate::consent::{self, Consent, Evidence, Said, purpose};
use crate::{Failure, World};

/// How long nobody is asked again to confirm the same, in seconds.
const ASKED_AGAIN_SECONDS: i64 = 15 * 60;

/// An address that signs up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The address.
    pub email: Email,
    /// For what; the medium is mail.
    pub cells: Vec<Cell>,
    /// The language to be written to in.
    pub language: Option<Language>,
}

/// Signs an address up. It is not told whether the address was known, so that nobody learns who is a customer. Whoever knows an address can
/// say it: unless it is a colleague, a trusted program or the customer, every yes waits until it is confirmed from the mailbox.
///
/// # Errors
/// [`domain::Code::Invalid`] names a purpose or topic there is not.
pub fn sign_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: &SignUp,
    evidence: &Evidence,
) -> Result<Subscriber, Failure> {
    if actor.may_somewhere(Permission::EditConsents).is_err() {
        actor.may_somewhere(Permission::Shop)?;
    }
    let said: Vec<Said> = new
        .cells
        .iter()
        .map(|cell| Said { cell: Cell { medium: Medium::Mail, ..cell.clone() }, status: Status::Granted })
        .collect();
    consent::check(tx, &said)?;
    let (one, contact) = subscriber::of_email(tx, actor, world, &new.email, new.language)?;
    rows::subscriber::lock(tx, one.id)?;
    if let (Some(language), None) = (new.language, one.customer) {
        rows::subscriber::speak(tx, one.id, language)?;
    }
    // Whoever asks for news again after a complaint must be let in by a colleague.
    let listed = suppression::find(tx, &subscriber::hash_of(world, &new.email))?;
    let is_listed = listed.is_some_and(|(reason, _)| reason.holds_for(Kind::Marketing));
    if !is_listed {
        let evidence = Evidence { source: Source::Form, ..evidence.clone() };
        let may_say = |own| consent::may_say(actor, own);
        let is_theirs =
            one.customer.map_or_else(|| actor.may_somewhere(Permission::EditConsents), may_say).is_ok();
        let said = Yes { said, contact, language: new.language, is_theirs };
        agree(tx, actor, world, &one, said, &evidence)?;
    }
    Ok(one)
}

/// Writes down what a customer says, as [`consent::say`]; a yes that must be confirmed is asked for by a message.
///
/// # Errors
/// As [`consent::say`].
pub fn say(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    said: &[Said],
    evidence: &Evidence,
) -> Result<Vec<Consent>, Failure> {
    let (yes, no): (Vec<Said>, Vec<Said>) =
        said.iter().cloned().partition(|one| one.status == Status::Granted);
    let mut written = Vec::new();
    consent::check(tx, said)?;
    if !no.is_empty() {
        written.extend(consent::say(tx, actor, world, id, &no, evidence)?);
    }
    if !yes.is_empty() {
        consent::may_say(actor, id)?;
        let one = subscriber::of_customer(tx, actor, world, id)?;
        rows::subscriber::lock(tx, one.id)?;
        let yes = Yes { said: yes, contact: None, language: None, is_theirs: true };
        written.extend(agree(tx, actor, world, &one, yes, evidence)?);
    }
    Ok(written)
}

/// What somebody says yes to.
struct Yes {
    said: Vec<Said>,
    /// The contact with the address that was typed, at which it is confirmed; the subscriber's own if none was.
    contact: Option<Id<Contact>>,
    /// The language it was said in.
    language: Option<Language>,
    /// Has it been shown that the person says it? Otherwise all of it must be confirmed, whatever the purpose.
    is_theirs: bool,
}

/// Writes each yes down: at once, or as one that waits for its confirmation. What holds already, or was asked for a moment ago, is left as
/// it is. Who typed an address is asked at that very address, whoever it leads to.
fn agree(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Subscriber,
    Yes { said, contact, language, is_theirs }: Yes,
    evidence: &Evidence,
) -> Result<Vec<Consent>, Failure> {
    let standing = consent::of(tx, one.id, world.now())?;
    let (mut at_once, mut to_confirm) = (Vec::new(), Vec::new());
    for said in said {
        let by_mail = matches!(said.cell.medium, Medium::Mail | Medium::Every);
        let needs = !is_theirs || (by_mail && purpose::load(tx, &said.cell.purpose)?.double_opt_in);
        if standing.to(&said.cell) == Some(Status::Granted) && needs {
            continue;
        }
        if !needs {
            at_once.push(said);
            continue;
        }
        let asked_at = rows::asked_at(tx, one.id, &said.cell)?;
        if asked_at.is_none_or(|at| at.plus_seconds(ASKED_AGAIN_SECONDS) <= world.now()) {
            to_confirm.push(Said { status: Status::Pending, ..said });
        }
    }
    let mut written = Vec::new();
    if !at_once.is_empty() {
        written.extend(consent::write(tx, actor, world, one, &at_once, evidence)?);
    }
    if !to_confirm.is_empty() {
        let link = link::make(tx, world, one.id, Deed::Confirm, None)?;
        let evidence = Evidence { link: Some(link), ..evidence.clone() };
        written.extend(consent::write(tx, actor, world, one, &to_confirm, &evidence)?);
        let purposes: Vec<&str> = to_confirm.iter().map(|said| said.cell.purpose.as_str()).collect();
        let parameters = json!({ "purposes": purposes });
        let to = one.id;
        write(
            tx,
            actor,
            world,
            NewMessage {
                to,
                contact,
                template: Template::Confirm,
                parameters,
                cell: None,
                link: Some(link),
                due_at: None,
                language,
            },
        )?;
    }
    Ok(written)
}
