//! The rows of consents: everything that was said, and what holds now of each cell of purpose, medium and topic.

pub mod audience;
pub mod purpose;
pub mod refusal;
pub mod subscriber;

use domain::consent::{Cell, Held, Medium, Source, Status};
use domain::value::id::{Channel, Consent as ConsentKind, Message, Subscriber, SubscriberLink};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Its identity.
    pub id: Id<ConsentKind>,
    /// Who said it.
    pub subscriber: Id<Subscriber>,
    /// Of what.
    pub cell: Cell,
    /// What.
    pub status: Status,
    /// How we know.
    pub source: Source,
    /// The wording that was shown.
    pub wording: Option<String>,
    /// Through which channel.
    pub channel: Option<Id<Channel>>,
    /// Who wrote it down: kind and id.
    pub actor: String,
    /// When.
    pub at: Instant,
    /// Until when it holds; for ever when `None`.
    pub expires_at: Option<Instant>,
    /// The link by which it is confirmed, if it must be.
    pub link: Option<Id<SubscriberLink>>,
    /// Address and browser, sealed under the person's key.
    pub evidence: Option<Vec<u8>>,
}

/// A record, named by whose it is and its own id.
pub type Named = (Id<Subscriber>, Id<ConsentKind>);

fn consent(row: &mut Row<'_>) -> Result<Consent, StoreError> {
    Ok(Consent {
        subscriber: row.id()?,
        id: row.id()?,
        cell: Cell { purpose: row.text()?, medium: row.word(Medium::coded)?, topic: row.text()? },
        status: row.word(Status::coded)?,
        source: row.word(Source::coded)?,
        wording: row.text_or_null()?,
        channel: row.id_or_null()?,
        actor: row.text()?,
        at: row.instant()?,
        expires_at: row.instant_or_null()?,
        link: row.id_or_null()?,
        evidence: row.bytes_or_null()?,
    })
}

/// Keeps what was said, after everything the subscriber said before, who is locked.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, said: &Consent) -> Result<(), StoreError> {
    tx.execute(
        "insert into consent (subscriber_id, consent_id, number, purpose, medium, topic, status, source, wording, channel_id, actor, at, expires_at,
             link_id, evidence)
         values ($1, $2, (select coalesce(max(number), 0) + 1 from consent where subscriber_id = $1), $3, $4, $5, $6, $7, $8, $9, $10, $11,
             $12, $13, $14)",
        params![
            said.subscriber,
            said.id,
            &said.cell.purpose,
            said.cell.medium.code(),
            &said.cell.topic,
            said.status.code(),
            said.source.code(),
            said.wording.as_ref(),
            said.channel,
            &said.actor,
            said.at,
            said.expires_at,
            said.link,
            said.evidence.as_ref()
        ],
    )?;
    Ok(())
}

/// What was said from the newest down, before one (from the very newest when there is no such one), at most `limit`.
///
/// # Errors
/// What the store says.
pub fn history(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    before: Id<ConsentKind>,
    limit: i64,
) -> Result<Vec<Consent>, StoreError> {
    tx.rows(
        "select subscriber_id, consent_id, purpose, medium, topic, status, source, wording, channel_id, actor, at, expires_at, link_id, evidence
         from consent where subscriber_id = $1
             and number < coalesce((select number from consent where subscriber_id = $1 and consent_id = $2), 9223372036854775807)
         order by number desc limit $3",
        params![subscriber, before, limit],
        consent,
    )
}

/// What waits to be confirmed by a link, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn asked_by(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    link: Id<SubscriberLink>,
    limit: i64,
) -> Result<Vec<Consent>, StoreError> {
    tx.rows(
        "select subscriber_id, consent_id, purpose, medium, topic, status, source, wording, channel_id, actor, at, expires_at, link_id, evidence
         from consent where subscriber_id = $1 and link_id = $2 order by number limit $3",
        params![subscriber, link, limit],
        consent,
    )
}

/// When a subscriber was last asked to confirm something of a cell; `None` when never.
///
/// # Errors
/// What the store says.
pub fn asked_at(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    cell: &Cell,
) -> Result<Option<Instant>, StoreError> {
    tx.one(
        "select at from consent where subscriber_id = $1 and purpose = $2 and medium = $3 and topic = $4 and status = 2
         order by number desc limit 1",
        params![subscriber, &cell.purpose, cell.medium.code(), &cell.topic],
        |row| row.instant(),
    )
}

/// When something was said.
///
/// # Errors
/// What the store says.
pub fn said_at(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    id: Id<ConsentKind>,
) -> Result<Option<Instant>, StoreError> {
    tx.one(
        "select at from consent where subscriber_id = $1 and consent_id = $2",
        params![subscriber, id],
        |row| row.instant(),
    )
}

/// Was this said of a cell, of this instant, before?
///
/// # Errors
/// What the store says.
pub fn is_said(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    cell: &Cell,
    (status, at): (Status, Instant),
) -> Result<bool, StoreError> {
    let found = tx.one(
        "select consent_id from consent where subscriber_id = $1 and purpose = $2 and medium = $3 and topic = $4 and status = $5 and at = $6 limit 1",
        params![
            subscriber,
            &cell.purpose,
            cell.medium.code(),
            &cell.topic,
            status.code(),
            at
        ],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}

/// What holds now, by purpose, medium and topic. One subscriber has at most as many as the retailer has purposes, media and topics.
///
/// # Errors
/// What the store says.
pub fn now(tx: &mut Tx<'_>, subscriber: Id<Subscriber>) -> Result<Vec<(Held, Id<ConsentKind>)>, StoreError> {
    tx.rows(
        "select purpose, medium, topic, status, expires_at, consent_id from consent_now where subscriber_id = $1
         order by purpose, medium, topic",
        params![subscriber],
        |row| {
            let cell = Cell { purpose: row.text()?, medium: row.word(Medium::coded)?, topic: row.text()? };
            let held = Held { cell, status: row.word(Status::coded)?, expires_at: row.instant_or_null()? };
            Ok((held, row.id()?))
        },
    )
}

/// What holds now of the customers who were merged into one, who is the same person.
///
/// # Errors
/// What the store says.
pub fn of_merged(tx: &mut Tx<'_>, subscriber: Id<Subscriber>) -> Result<Vec<Held>, StoreError> {
    tx.rows(
        "select n.purpose, n.medium, n.topic, n.status, n.expires_at
         from customer c join consent_now n on n.subscriber_id = c.customer_id
         where c.merged_into = $1 order by n.subscriber_id, n.purpose, n.medium, n.topic",
        params![subscriber],
        |row| {
            let cell = Cell { purpose: row.text()?, medium: row.word(Medium::coded)?, topic: row.text()? };
            Ok(Held { cell, status: row.word(Status::coded)?, expires_at: row.instant_or_null()? })
        },
    )
}

/// The customer whose address it is, and what was said no to from it.
pub type Inherited = ([u8; 16], Held);

/// What these customers, and those merged into them, must let stand of what was said no to by who was known only by an address that is, or was,
/// theirs too: all that they did not say yes to later themselves.
///
/// # Errors
/// What the store says.
pub fn of_addresses(tx: &mut Tx<'_>, customers: &[[u8; 16]]) -> Result<Vec<Inherited>, StoreError> {
    tx.rows(
        "select coalesce(u.merged_into, u.customer_id), n.purpose, n.medium, n.topic, n.status, n.expires_at
         from customer u join contact_lookup l on l.person_id = u.person_id
         join subscriber_by_address b on b.hash = l.hash
         join consent_now n on n.subscriber_id = b.subscriber_id and n.status in (3, 4)
         join consent c on c.subscriber_id = n.subscriber_id and c.consent_id = n.consent_id
         where (u.customer_id {in ids $1} or u.merged_into {in ids $1})
           and not exists (select 1 from consent_now y
               join consent o on o.subscriber_id = y.subscriber_id and o.consent_id = y.consent_id
               where y.subscriber_id = u.customer_id and y.purpose = n.purpose and y.medium = n.medium and y.topic = n.topic
                 and y.status = 1 and o.at > c.at)
         order by n.subscriber_id, n.purpose, n.medium, n.topic",
        &[Param::Ids(customers)],
        |row| {
            let customer = row.key()?;
            let cell = Cell { purpose: row.text()?, medium: row.word(Medium::coded)?, topic: row.text()? };
            Ok((customer, Held { cell, status: row.word(Status::coded)?, expires_at: row.instant_or_null()? }))
        },
    )
}

/// What holds of a cell from now on.
///
/// # Errors
/// What the store says: it refuses as long as a queued message rests on a yes that is to end.
pub fn set_now(tx: &mut Tx<'_>, said: &Consent) -> Result<(), StoreError> {
    tx.execute(
        "insert into consent_now (subscriber_id, purpose, medium, topic, consent_id, status, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (subscriber_id, purpose, medium, topic)
         do update set consent_id = excluded.consent_id, status = excluded.status, expires_at = excluded.expires_at",
        params![
            said.subscriber,
            &said.cell.purpose,
            said.cell.medium.code(),
            &said.cell.topic,
            said.id,
            said.status.code(),
            said.expires_at
        ],
    )?;
    Ok(())
}

/// Takes back the messages that wait and rest on what a cell covers; answers which.
///
/// # Errors
/// What the store says.
pub fn withdraw_messages(
    tx: &mut Tx<'_>,
    subscriber: Id<Subscriber>,
    cell: &Cell,
    now: Instant,
) -> Result<Vec<Id<Message>>, StoreError> {
    tx.rows(
        "update message set state = 5, grant_id = null, grant_status = null, changed_at = $5
         where subscriber_id = $1 and kind = 2 and state = 1 and purpose = $2 and (medium = $3 or $3 = 1) and (topic = $4 or $4 = '')
         returning message_id",
        params![subscriber, &cell.purpose, cell.medium.code(), &cell.topic, now],
        |row| row.id(),
    )
}

/// Who once said something, after a subscriber, at most `limit`: for the check that goes over all of them.
///
/// # Errors
/// What the store says.
pub fn subscribers(
    tx: &mut Tx<'_>,
    after: Id<Subscriber>,
    limit: i64,
) -> Result<Vec<Id<Subscriber>>, StoreError> {
    tx.rows(
        "select distinct subscriber_id from consent where subscriber_id > $1 order by subscriber_id limit $2",
        params![after, limit],
        |row| row.id(),
    )
}

/// What holds although nobody ever said it.
///
/// # Errors
/// What the store says.
pub fn unsaid(tx: &mut Tx<'_>) -> Result<Vec<Named>, StoreError> {
    tx.rows(
        "select n.subscriber_id, n.consent_id from consent_now n
         left join consent c on c.subscriber_id = n.subscriber_id and c.consent_id = n.consent_id
         where c.consent_id is null order by n.subscriber_id, n.consent_id",
        params![],
        |row| Ok((row.id()?, row.id()?)),
    )
}
