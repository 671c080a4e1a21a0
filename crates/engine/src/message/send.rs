//! Handing messages over: one transaction says that a message leaves now, if everything it needs still holds; then it is handed over; another
//! one notes what became of it. Whoever is killed in between cannot know whether it was taken, so it is not handed over again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::actor::Actor;
use domain::actor::key::hexadecimal;
use domain::consent::Status;
use domain::message::words::{self, Written};
use domain::message::{Failed, Kind, State, Suppressed, Template, again_at};
use domain::value::id::{
    CompanyInvitation, Contact, Message as MessageKind, Person, Product, SignInCode,
    Subscriber as SubscriberKind,
};
use domain::value::{Id, Instant, Language};
use serde_json::{Value, json};
use store::contact::Sealed;
use store::job::Job;
use store::message::{self as rows, suppression as listed};
use store::{StoreError, Tx, catalogue, consent as consents};

use super::{Message, queue, suppression};
use crate::consent::{self, purpose, subscriber};
use crate::event::emit;
use crate::{Failure, Keyring, World, contact, job};

/// The job that hands a mail over to who carries it.
pub const MAIL: &str = "message.mail";
/// How many characters of an instant are its day.
const DAY_CHARS: usize = 10;

/// A message on its way to who carries it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The message.
    pub message: Message,
    /// The contact with the address.
    pub contact: Id<Contact>,
    /// The contact, sealed.
    pub sealed: Sealed,
    /// The contact of whom it tells, sealed, if it tells of somebody.
    pub about: Option<(Id<Contact>, Sealed)>,
    /// Words to the person that it brings, sealed.
    pub words: Option<Sealed>,
    /// Its words; `{link}` stands for the address of its link.
    pub written: Written,
    /// Was it begun before? Then nobody knows whether it was taken.
    pub begun_before: bool,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was not taken now, but may be later.
    Later,
    /// It was refused for good.
    Refused,
    /// Its address was refused for good.
    NoSuchAddress,
    /// Nobody knows.
    Interrupted,
}

/// Lets a message that is due leave, or says why it will not. Done inside, as the job [`super::SEND`].
///
/// # Errors
/// What the store says.
pub fn leave(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let (to, id) = named(job)?;
    let Some(to) = consents::subscriber::lock(tx, to)? else { return Ok(()) };
    let Some(mut one) = rows::find(tx, to.id, id)?.filter(|one| one.state == State::Queued) else {
        return Ok(());
    };
    let now = world.now();
    let paused = to.paused_until.filter(|until| one.kind == Kind::Marketing && *until > now);
    let due_at = paused.unwrap_or(one.due_at).max(one.due_at);
    if due_at > now {
        one.due_at = due_at;
        return queue(tx, world, &one);
    }
    let was = (one.state, one.tries);
    one.changed_at = now;
    match hindered(tx, actor, world, &to, &one)? {
        Some(hindrance) => (one.state, one.failed) = hindrance,
        None => (one.state, one.tries) = (State::Sending, one.tries + 1),
    }
    if !rows::step(tx, &one, was)? {
        return Ok(());
    }
    if one.state == State::Sending {
        let body = json!({ "subscriber": to.id.to_string() });
        return job::enqueue(tx, world, MAIL, id, body, now);
    }
    tell(tx, actor, world, &one);
    Ok(())
}

/// Why a message does not leave, looked at under the lock of its subscriber.
fn hindered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    to: &subscriber::Subscriber,
    one: &Message,
) -> Result<Option<(State, Option<Failed>)>, Failure> {
    if let Some(cell) = &one.cell {
        let standing = consent::of(tx, to.id, world.now())?.to(cell);
        let is_asked_for = purpose::find(tx, &cell.purpose)?.is_some_and(|purpose| purpose.active);
        if standing != Some(Status::Granted) || !is_asked_for {
            return Ok(Some((State::Withdrawn, None)));
        }
    }
    let gone = Some((State::Failed, Some(Failed::NoAddress)));
    let Some(contact) = addressed(tx, to, one)?.filter(|_| to.erased_at.is_none()) else {
        return Ok(gone);
    };
    let card = match contact::open(tx, actor, world, contact) {
        Ok(card) => card,
        Err(Failure::Refused(_)) => return Ok(gone),
        Err(failure) => return Err(failure),
    };
    let Some(hash) = contact::email_hash(world.keyring(), &card) else { return Ok(gone) };
    let listed = listed::find(tx, &hash)?.filter(|(reason, _)| reason.holds_for(one.kind));
    Ok(listed.map(|_| (State::Failed, Some(Failed::Suppressed))))
}

/// The contact whose address a message goes to: the one it names, or else its subscriber's own.
fn addressed(
    tx: &mut Tx<'_>,
    to: &subscriber::Subscriber,
    one: &Message,
) -> Result<Option<Id<Contact>>, Failure> {
    one.contact.map_or_else(|| subscriber::contact_of(tx, to), |contact| Ok(Some(contact)))
}

/// What a job is about: whom to, and the message.
fn named(job: &Job) -> Result<(Id<SubscriberKind>, Id<MessageKind>), Failure> {
    let body: Option<Value> = serde_json::from_str(&job.body).ok();
    let to = body.as_ref().and_then(|body| body["subscriber"].as_str()).and_then(|text| Id::parse(text).ok());
    let both = to.zip(Id::parse(&job.subject).ok());
    both.ok_or_else(|| StoreError::Corrupt(format!("job {} names no message", job.id)).into())
}

/// The letter a job is to hand over; `None` when it does not leave any more.
///
/// # Errors
/// What the store says.
pub fn letter(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Letter>, Failure> {
    let (to, id) = named(job)?;
    let found = rows::find(tx, to, id)?.filter(|one| one.state == State::Sending);
    let (Some(message), Some(to)) = (found, subscriber::find(tx, to)?) else { return Ok(None) };
    let Some(contact) = addressed(tx, &to, &message)? else { return Ok(None) };
    let Some(sealed) = store::contact::find(tx, contact)? else { return Ok(None) };
    let words = words_to(tx, &message, to.person)?;
    let (written, about) = (written(tx, &message)?, about(tx, &message)?);
    Ok(Some(Letter { message, contact, sealed, about, words, written, begun_before: job.attempts > 1 }))
}

/// The contact a message tells of, sealed.
fn about(tx: &mut Tx<'_>, one: &Message) -> Result<Option<(Id<Contact>, Sealed)>, Failure> {
    let parameters: Value = serde_json::from_str(&one.parameters).unwrap_or(Value::Null);
    let Some(id) = parameters["contact"].as_str().and_then(|text| Id::parse(text).ok()) else {
        return Ok(None);
    };
    Ok(store::contact::find(tx, id)?.map(|sealed| (id, sealed)))
}

/// Words to the person that a message brings, sealed: they are in no row in clear.
fn words_to(tx: &mut Tx<'_>, one: &Message, person: Id<Person>) -> Result<Option<Sealed>, Failure> {
    let parameters: Value = serde_json::from_str(&one.parameters).unwrap_or(Value::Null);
    let Some(sealed) = parameters["sealed"].as_str().and_then(|text| BASE64.decode(text).ok()) else {
        return Ok(None);
    };
    Ok(Some(Sealed { person, sealed, wrapped_key: store::contact::key(tx, person)? }))
}

/// What words to a person are sealed with: the message they come with, and what it is about.
pub(crate) fn context(template: Template, about: &str) -> Vec<u8> {
    format!("{} {about}", template.text()).into_bytes()
}

/// The parameter with words to the person, sealed with [`context`] under the person's key.
pub(crate) fn sealed(words: &[u8]) -> String {
    BASE64.encode(words)
}

/// The words of a message, from what it tells of as it is now.
fn written(tx: &mut Tx<'_>, one: &Message) -> Result<Written, Failure> {
    let parameters: Value = serde_json::from_str(&one.parameters).unwrap_or(Value::Null);
    let text = |name: &str| parameters[name].as_str().unwrap_or_default().to_owned();
    let fills: Vec<(&str, String)> = match one.template {
        Template::Confirm => {
            let days = domain::consent::CONFIRM_DAYS.to_string();
            vec![("purpose", purposes(tx, &parameters["purposes"], one.language)?), ("days", days)]
        }
        Template::Product => vec![("product", product(tx, &text("product"), one.language)?)],
        Template::PrivacyCheck | Template::AddressChanged => Vec::new(),
        Template::PrivacyDone | Template::PrivacyRefused => vec![("request", text("request"))],
        Template::PrivacyExtended => {
            vec![("request", text("request")), ("day", text("due_at").chars().take(DAY_CHARS).collect())]
        }
        Template::SignInCode => {
            vec![("minutes", parameters["minutes"].as_i64().unwrap_or_default().to_string())]
        }
        Template::CompanyInvitation => {
            vec![("days", parameters["days"].as_i64().unwrap_or_default().to_string())]
        }
    };
    let fills: Vec<(&str, &str)> = fills.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Ok(words::written(one.template, one.language, &fills))
}

impl Letter {
    /// Its words with what is opened only now: the code it brings, which follows from an id and is written down nowhere before, the name of the
    /// company it tells of, or the reason it gives.
    pub fn in_full(&self, keyring: &Keyring) -> Written {
        let parameters: Value = serde_json::from_str(&self.message.parameters).unwrap_or(Value::Null);
        let text = |name: &str| parameters[name].as_str().unwrap_or_default();
        let fills = match self.message.template {
            Template::SignInCode => {
                let id = Id::<SignInCode>::parse(text("code")).ok();
                id.map(|id| vec![("{code}", format!("{:06}", keyring.one_time_code(&id.bytes())))])
            }
            Template::CompanyInvitation => {
                let card =
                    self.about.as_ref().and_then(|(id, sealed)| contact::unsealed(keyring, *id, sealed));
                let name = card.and_then(|card| card.text().company.clone()).unwrap_or_default();
                self.invitation_code(keyring).map(|code| vec![("{code}", code), ("{company}", name)])
            }
            Template::PrivacyRefused | Template::PrivacyExtended => {
                Some(vec![("{reason}", self.words_of(keyring, text("request")).unwrap_or_default())])
            }
            Template::Confirm
            | Template::Product
            | Template::PrivacyCheck
            | Template::PrivacyDone
            | Template::AddressChanged => None,
        };
        let fills = fills.unwrap_or_default();
        let filled = |words: &String| {
            fills.iter().fold(words.clone(), |words, (name, value)| words.replace(name, value))
        };
        Written {
            subject: filled(&self.written.subject),
            paragraphs: self.written.paragraphs.iter().map(filled).collect(),
        }
    }

    fn words_of(&self, keyring: &Keyring, about: &str) -> Option<String> {
        let words = self.words.as_ref()?;
        let key = keyring.unwrap_data_key(words.wrapped_key.as_ref()?, &words.person.bytes())?;
        String::from_utf8(key.open(&words.sealed, &context(self.message.template, about))?).ok()
    }

    /// The code of the invitation to be a member of a company that it brings, if it brings one.
    pub fn invitation_code(&self, keyring: &Keyring) -> Option<String> {
        let parameters: Value = serde_json::from_str(&self.message.parameters).ok()?;
        let id = Id::parse(parameters["invitation"].as_str()?).ok()?;
        Some(invitation_code(keyring, id))
    }
}

/// The code of an invitation to be a member of a company: sixteen letters and digits.
pub(crate) fn invitation_code(keyring: &Keyring, id: Id<CompanyInvitation>) -> String {
    hexadecimal(&keyring.lookup_hash("company invitation", &id.to_string()))[..16].to_owned()
}

fn purposes(tx: &mut Tx<'_>, codes: &Value, language: Language) -> Result<String, Failure> {
    let mut names: Vec<String> = Vec::new();
    for code in codes.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let name = purpose::find(tx, code)?.map(|purpose| purpose.wording.in_language(language).to_owned());
        names.extend(name.filter(|name| !names.contains(name)));
    }
    Ok(names.join(", "))
}

fn product(tx: &mut Tx<'_>, id: &str, language: Language) -> Result<String, Failure> {
    let Ok(id) = Id::<Product>::parse(id) else { return Ok(String::new()) };
    let found = catalogue::find_product(tx, id)?;
    Ok(found.map(|product| product.title.in_language(language).to_owned()).unwrap_or_default())
}

/// Notes what became of a letter. One that was not taken waits again, as long as the consent it rests on holds.
///
/// # Errors
/// What the store says.
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    letter: &Letter,
    outcome: Outcome,
) -> Result<(), Failure> {
    let mut one = letter.message.clone();
    let (was, now) = ((one.state, one.tries), world.now());
    if consents::subscriber::lock(tx, one.subscriber)?.is_none() {
        return Ok(());
    }
    one.changed_at = now;
    let again = again_at(now, one.tries);
    (one.state, one.failed) = match (outcome, again) {
        (Outcome::Taken, _) => (State::Sent, None),
        (Outcome::Later, Some(at)) => return wait(tx, actor, world, one, at),
        (Outcome::Later, None) => (State::Failed, Some(Failed::Unreachable)),
        (Outcome::Refused | Outcome::NoSuchAddress, _) => (State::Failed, Some(Failed::Refused)),
        (Outcome::Interrupted, _) => (State::Failed, Some(Failed::Interrupted)),
    };
    if !rows::step(tx, &one, was)? {
        return Ok(());
    }
    if outcome == Outcome::NoSuchAddress
        && let Some(card) = contact::unsealed(world.keyring(), letter.contact, &letter.sealed)
        && let Some(hash) = contact::email_hash(world.keyring(), &card)
    {
        suppression::note(tx, actor, world, &hash, Suppressed::Bounced)?;
    }
    tell(tx, actor, world, &one);
    Ok(())
}

fn wait(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut one: Message,
    at: Instant,
) -> Result<(), Failure> {
    let was = (one.state, one.tries);
    one.due_at = at;
    if rows::queue_again(tx, &one, world.now())? {
        return queue(tx, world, &one);
    }
    (one.state, one.failed) = (State::Withdrawn, None);
    if rows::step(tx, &one, was)? {
        tell(tx, actor, world, &one);
    }
    Ok(())
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Message) {
    let kind = match one.state {
        State::Sent => "message.sent",
        State::Withdrawn => "message.withdrawn",
        State::Queued | State::Sending | State::Failed => "message.failed",
    };
    let body = json!({ "subscriber": one.subscriber.to_string(), "tries": one.tries, "why": one.failed.map(Failed::text) });
    emit(tx, actor, world, one.id, kind, body);
}
