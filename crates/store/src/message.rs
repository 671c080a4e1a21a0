//! The rows of messages. One that advertises is made from the consent row it rests on, so without such a row none comes into being.

pub mod suppression;

use domain::consent::{Cell, Medium};
use domain::message::{Failed, Kind, State, Template};
use domain::value::id::{Consent, Contact, Message as MessageKind, Subscriber, SubscriberLink};
use domain::value::{Id, Instant, Language};

use crate::{Row, StoreError, Tx, params};

/// Something sent to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its identity.
    pub id: Id<MessageKind>,
    /// To whom.
    pub subscriber: Id<Subscriber>,
    /// The contact whose address it goes to; the subscriber's own when it leaves, if none is named.
    pub contact: Option<Id<Contact>>,
    /// Over what.
    pub medium: Medium,
    /// Why.
    pub kind: Kind,
    /// For which purpose and on which topic, when it advertises.
    pub cell: Option<Cell>,
    /// The consent it was written with.
    pub consent: Option<Id<Consent>>,
    /// What it says.
    pub template: Template,
    /// Ids and numbers of what it tells, as a JSON object.
    pub parameters: String,
    /// In which language.
    pub language: Language,
    /// The link in it.
    pub link: Option<Id<SubscriberLink>>,
    /// Where it stands.
    pub state: State,
    /// Not before this instant.
    pub due_at: Instant,
    /// How often handing it over was begun.
    pub tries: i64,
    /// When it was written.
    pub made_at: Instant,
    /// When it changed last.
    pub changed_at: Instant,
    /// Why it will not be sent.
    pub failed: Option<Failed>,
}

/// A message, named by to whom it is and its own id.
pub type Named = (Id<Subscriber>, Id<MessageKind>);

fn message(row: &mut Row<'_>) -> Result<Message, StoreError> {
    let (subscriber, id, contact) = (row.id()?, row.id()?, row.id_or_null()?);
    let (medium, kind) = (row.word(Medium::coded)?, row.word(Kind::coded)?);
    let (purpose, topic) = (row.text_or_null()?, row.text_or_null()?);
    let cell = purpose.map(|purpose| Cell { purpose, medium, topic: topic.unwrap_or_default() });
    Ok(Message {
        id,
        subscriber,
        contact,
        medium,
        kind,
        cell,
        consent: row.id_or_null()?,
        template: row.word(Template::coded)?,
        parameters: row.text()?,
        language: row.value(Language::parse)?,
        link: row.id_or_null()?,
        state: row.word(State::coded)?,
        due_at: row.instant()?,
        tries: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        failed: row.word_or_null(Failed::coded)?,
    })
}

/// Adds a message that needs no consent.
///
/// # Errors
/// What the store says.
pub fn add_transactional(tx: &mut Tx<'_>, one: &Message) -> Result<(), StoreError> {
    tx.execute(
        "insert into message (subscriber_id, message_id, medium, kind, template, parameters, language, link_id, state, due_at, tries, made_at,
             changed_at, contact_id)
         values ($1, $2, $3, 1, $4, $5, $6, $7, 1, $8, 0, $9, $9, $10)",
        params![
            one.subscriber,
            one.id,
            one.medium.code(),
            one.template.code(),
            &one.parameters,
            &one.language.to_string(),
            one.link,
            one.due_at,
            one.made_at,
            one.contact
        ],
    )?;
    Ok(())
}

/// Makes a message that advertises out of the yes it rests on: the one to the topic before the one to the whole, and none if anything that
/// covers it is not a yes. Answers the consent; `None` when there is none, and then there is no message.
///
/// # Errors
/// What the store says.
pub fn add_marketing(tx: &mut Tx<'_>, one: &Message, cell: &Cell) -> Result<Option<Id<Consent>>, StoreError> {
    tx.one(
        "insert into message (subscriber_id, message_id, medium, kind, purpose, topic, consent_id, grant_id, grant_status, template, parameters,
             language, link_id, state, due_at, tries, made_at, changed_at, contact_id)
         select g.subscriber_id, $2, $4, 2, g.purpose, $5, g.consent_id, g.consent_id, g.status, $6, $7, $8, $9, 1, $10, 0, $11, $11, $12
         from consent_now g
         where g.subscriber_id = $1 and g.purpose = $3 and g.medium in (1, $4) and g.topic in ('', $5) and g.status = 1
           and (g.expires_at is null or g.expires_at > $11)
           and not exists (select 1 from consent_now d
               where d.subscriber_id = $1 and d.purpose = $3 and d.medium in (1, $4) and d.topic in ('', $5) and d.status <> 1
                 and (d.expires_at is null or d.expires_at > $11))
         order by g.topic desc, g.medium desc limit 1
         returning consent_id",
        params![
            one.subscriber,
            one.id,
            &cell.purpose,
            cell.medium.code(),
            &cell.topic,
            one.template.code(),
            &one.parameters,
            &one.language.to_string(),
            one.link,
            one.due_at,
            one.made_at,
            one.contact
        ],
        |row| row.id(),
    )
}

/// A message.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    id: Id<MessageKind>,
) -> Result<Option<Message>, StoreError> {
    tx.one(
        "select subscriber_id, message_id, contact_id, medium, kind, purpose, topic, consent_id, template, parameters, language, link_id, state, due_at,
             tries, made_at, changed_at, failed
         from message where subscriber_id = $1 and message_id = $2",
        params![subscriber, id],
        message,
    )
}

/// The messages to a subscriber from the newest down, before one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    before: Id<MessageKind>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    tx.rows(
        "select subscriber_id, message_id, contact_id, medium, kind, purpose, topic, consent_id, template, parameters, language, link_id, state, due_at,
             tries, made_at, changed_at, failed
         from message where subscriber_id = $1 and message_id < $2 order by message_id desc limit $3",
        params![subscriber, before, limit],
        message,
    )
}

/// Moves a message on from a state in which it still is, at an attempt; false when it was moved meanwhile. A message that does not wait any
/// more rests on no yes.
///
/// # Errors
/// What the store says.
pub fn step(tx: &mut Tx<'_>, one: &Message, was: (State, i64)) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update message set state = $3, tries = $4, due_at = $5, changed_at = $6, failed = $7,
             grant_id = null, grant_status = null
         where subscriber_id = $1 and message_id = $2 and state = $8 and tries = $9",
        params![
            one.subscriber,
            one.id,
            one.state.code(),
            one.tries,
            one.due_at,
            one.changed_at,
            one.failed.map(Failed::code),
            was.0.code(),
            was.1
        ],
    )?;
    Ok(moved == 1)
}

/// Puts a message that was not taken back into the queue, if the yes it rested on still holds: the same guard as when it was written. False
/// when it does not.
///
/// # Errors
/// What the store says.
pub fn queue_again(tx: &mut Tx<'_>, one: &Message, now: Instant) -> Result<bool, StoreError> {
    let Some(cell) = &one.cell else {
        let queued = tx.execute(
            "update message set state = 1, due_at = $3, changed_at = $4, failed = null
             where subscriber_id = $1 and message_id = $2 and kind = 1 and state in (2, 4)",
            params![one.subscriber, one.id, one.due_at, now],
        )?;
        return Ok(queued == 1);
    };
    let queued = tx.execute(
        "update message set state = 1, due_at = $3, changed_at = $4, failed = null, grant_status = 1, grant_id = (select g.consent_id
             from consent_now g
             where g.subscriber_id = $1 and g.purpose = $5 and g.medium in (1, $6) and g.topic in ('', $7) and g.status = 1
               and (g.expires_at is null or g.expires_at > $4) order by g.topic desc, g.medium desc limit 1)
         where subscriber_id = $1 and message_id = $2 and state in (2, 4)
           and exists (select 1 from consent_now g
               where g.subscriber_id = $1 and g.purpose = $5 and g.medium in (1, $6) and g.topic in ('', $7) and g.status = 1
                 and (g.expires_at is null or g.expires_at > $4))
           and not exists (select 1 from consent_now d
               where d.subscriber_id = $1 and d.purpose = $5 and d.medium in (1, $6) and d.topic in ('', $7) and d.status <> 1
                 and (d.expires_at is null or d.expires_at > $4))",
        params![
            one.subscriber,
            one.id,
            one.due_at,
            now,
            &cell.purpose,
            cell.medium.code(),
            &cell.topic
        ],
    )?;
    Ok(queued == 1)
}

/// How many messages wait although they are due, and how many failed, counted up to `limit`.
///
/// # Errors
/// What the store says.
pub fn waiting(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<i64, StoreError> {
    let sql = "select cast(count(*) as {int}) from (select 1 from message where state = 1 and due_at <= $1 limit $2) w";
    Ok(tx.one(sql, params![now, limit], |row| row.int())?.unwrap_or(0))
}

/// Messages that wait and advertise although what covers them is not a yes alone, or that were written with a consent nobody gave.
///
/// # Errors
/// What the store says.
pub fn without_consent(tx: &mut Tx<'_>) -> Result<Vec<Named>, StoreError> {
    tx.rows(
        "select m.subscriber_id, m.message_id from message m
         where m.kind = 2 and (not exists (select 1 from consent c
               where c.subscriber_id = m.subscriber_id and c.consent_id = m.consent_id and c.status = 1 and c.purpose = m.purpose)
           or (m.state = 1 and exists (select 1 from consent_now d
               where d.subscriber_id = m.subscriber_id and d.purpose = m.purpose and d.medium in (1, m.medium)
                 and d.topic in ('', m.topic) and d.status in (3, 4))))
         order by m.subscriber_id, m.message_id",
        params![],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Takes back everything that waits to be sent to somebody; answers which.
///
/// # Errors
/// What the store says.
pub fn take_back(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    now: Instant,
) -> Result<Vec<Id<MessageKind>>, StoreError> {
    tx.rows(
        "update message set state = 5, grant_id = null, grant_status = null, changed_at = $2 where subscriber_id = $1 and state = 1
         returning message_id",
        params![subscriber, now],
        |row| row.id(),
    )
}
