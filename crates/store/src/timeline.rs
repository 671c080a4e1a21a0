//! What is read for a customer's timeline: what belongs to customers who are one, and what happened to it.

use domain::value::id::{
    Channel, Claim, Event as EventKind, Location, Member, Message, Order, Payment, PrivacyRequest, Return,
    Source, StoreCredit,
};
use domain::value::{Currency, Id, Instant, Kind};

use crate::detail::Whole;
use crate::event::Entry;
use crate::{Param, Row, StoreError, Tx};

/// Something that belongs to a customer: its id in text, and the order it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its id in text, as the journal names it.
    pub name: String,
    /// Its id.
    pub id: [u8; 16],
    /// The order it belongs to.
    pub order: Option<Id<Order>>,
}

fn subject<K: Kind>(row: &mut Row<'_>) -> Result<Subject, StoreError> {
    let id: Id<K> = row.id()?;
    Ok(Subject { name: id.to_string(), id: id.bytes(), order: row.id_or_null()? })
}

/// Everything that belongs to customers who are one and of which the journal tells, the newest of each sort, at most `limit` of it.
///
/// # Errors
/// What the store says.
pub fn subjects(tx: &mut Tx<'_>, of: &Whole, limit: i64) -> Result<Vec<Subject>, StoreError> {
    let with = [Param::Ids(of), Param::Int(limit)];
    let mut all = tx.rows(
        "select order_id, order_id from order_of_customer where customer_id {in ids $1} order by order_id desc limit $2",
        &with,
        subject::<Order>,
    )?;
    all.extend(tx.rows(
        "select p.payment_id, p.order_id from order_of_customer o join order_payment p on p.order_id = o.order_id
         where o.customer_id {in ids $1} order by p.payment_id desc limit $2",
        &with,
        subject::<Payment>,
    )?);
    all.extend(tx.rows(
        "select r.return_id, g.order_id from return_of_customer r join return_of_goods g on g.return_id = r.return_id
         where r.customer_id {in ids $1} order by r.return_id desc limit $2",
        &with,
        subject::<Return>,
    )?);
    all.extend(tx.rows(
        "select c.claim_id, c.order_id from order_of_customer o join claim_of_order c on c.order_id = o.order_id
         where o.customer_id {in ids $1} order by c.claim_id desc limit $2",
        &with,
        subject::<Claim>,
    )?);
    all.extend(tx.rows(
        "select member_id, cast(null as {bytes}) from member_of_customer where customer_id {in ids $1} order by member_id desc limit $2",
        &with,
        subject::<Member>,
    )?);
    all.extend(tx.rows(
        "select store_credit_id, cast(null as {bytes}) from store_credit_of_customer where customer_id {in ids $1} order by store_credit_id desc limit $2",
        &with,
        subject::<StoreCredit>,
    )?);
    all.extend(tx.rows(
        "select message_id, cast(null as {bytes}) from message where subscriber_id {in ids $1} order by message_id desc limit $2",
        &with,
        subject::<Message>,
    )?);
    all.extend(tx.rows(
        "select request_id, cast(null as {bytes}) from privacy_request where subscriber_id {in ids $1} order by request_id desc limit $2",
        &with,
        subject::<PrivacyRequest>,
    )?);
    Ok(all)
}

/// A time in a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The household's id in text.
    pub household: String,
    /// Since when.
    pub since: Instant,
    /// Until when, if it is over.
    pub until: Option<Instant>,
}

/// The times customers who are one were in households, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn stays(tx: &mut Tx<'_>, of: &Whole, limit: i64) -> Result<Vec<Stay>, StoreError> {
    tx.rows(
        "select h.household_id, h.joined_at, h.left_at from member_of_customer o join household_member h on h.member_id = o.member_id
         where o.customer_id {in ids $1} order by h.joined_at desc, h.household_id limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        |row| {
            let household: Id<Member> = row.id()?;
            Ok(Stay { household: household.to_string(), since: row.instant()?, until: row.instant_or_null()? })
        },
    )
}

/// Which entries are asked for: those that happened within a time, before a place, through a channel if one is named.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Not before this.
    pub since: Instant,
    /// Before this place.
    pub before: (Instant, Id<EventKind>),
    /// Through this channel.
    pub channel: Option<Id<Channel>>,
    /// At most so many.
    pub limit: i64,
}

/// The orders of customers who are one that were placed in a channel, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn orders_in(
    tx: &mut Tx<'_>,
    of: &Whole,
    channel: Id<Channel>,
    limit: i64,
) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select o.order_id from order_of_customer o join order_head h on h.order_id = o.order_id
         where o.customer_id {in ids $1} and h.channel_id = $2 order by o.order_id desc limit $3",
        &[Param::Ids(of), channel.into(), Param::Int(limit)],
        |row| row.id(),
    )
}

/// What the journal tells of these things, of these kinds, the newest first. Where a channel is asked for, what happened to the things in
/// `through` by nobody's channel belongs to it too.
///
/// # Errors
/// What the store says.
pub fn told(
    tx: &mut Tx<'_>,
    (subjects, through): (&[String], &[String]),
    kinds: &[String],
    within: Bounds,
) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        "select partition, sequence, event_id, subject, kind, at, actor, channel_id, book_id, transfer_id, body
         from event where subject {in texts $1} and kind {in texts $2} and at >= $3 and at <= $4 and (at < $4 or event_id < $5)
             and ($6 = 0 or channel_id = $7 or (channel_id is null and subject {in texts $9}))
         order by at desc, event_id desc limit $8",
        &[
            Param::Texts(subjects),
            Param::Texts(kinds),
            within.since.into(),
            within.before.0.into(),
            within.before.1.into(),
            within.channel.is_some().into(),
            within.channel.unwrap_or(Id::from_bytes([0; 16])).into(),
            within.limit.into(),
            Param::Texts(through),
        ],
        crate::event::entry,
    )
}

/// What somebody did on a page or in an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its identity.
    pub id: Id<EventKind>,
    /// When.
    pub at: Instant,
    /// The source that told of it.
    pub source: Id<Source>,
    /// What its tracker calls it.
    pub name: Option<String>,
    /// What sort of call it came by.
    pub call: i64,
    /// The channel of the source.
    pub channel: Option<Id<Channel>>,
}

/// What was done under these profiles, told by any source but one, the newest first.
///
/// # Errors
/// What the store says.
pub fn done(
    tx: &mut Tx<'_>,
    profiles: &[[u8; 16]],
    but: Id<Source>,
    within: Bounds,
) -> Result<Vec<Done>, StoreError> {
    tx.rows(
        "select b.event_id, b.at, b.source_id, b.name, b.call, s.channel_id
         from behaviour_event b left join source s on s.source_id = b.source_id
         where b.profile_id {in ids $1} and b.source_id <> $2 and b.at >= $3 and b.at <= $4 and (b.at < $4 or b.event_id < $5)
             and ($6 = 0 or s.channel_id = $7)
         order by b.at desc, b.event_id desc limit $8",
        &[
            Param::Ids(profiles),
            but.into(),
            within.since.into(),
            within.before.0.into(),
            within.before.1.into(),
            within.channel.is_some().into(),
            within.channel.unwrap_or(Id::from_bytes([0; 16])).into(),
            within.limit.into(),
        ],
        |row| {
            Ok(Done {
                id: row.id()?,
                at: row.instant()?,
                source: row.id()?,
                name: row.text_or_null()?,
                call: row.int()?,
                channel: row.id_or_null()?,
            })
        },
    )
}

/// What is worth saying of an order beside what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The order.
    pub order: Id<Order>,
    /// The channel it was placed in.
    pub channel: Id<Channel>,
    /// Its number.
    pub number: String,
    /// Its currency.
    pub currency: Currency,
    /// Where it was sold.
    pub location: Option<Id<Location>>,
}

/// The headings of orders.
///
/// # Errors
/// What the store says.
pub fn headings(tx: &mut Tx<'_>, orders: &[[u8; 16]]) -> Result<Vec<Heading>, StoreError> {
    tx.rows(
        "select order_id, channel_id, number, currency, location_id from order_head where order_id {in ids $1} order by order_id",
        &[Param::Ids(orders)],
        |row| {
            Ok(Heading {
                order: row.id()?,
                channel: row.id()?,
                number: row.text()?,
                currency: row.value(Currency::parse)?,
                location: row.id_or_null()?,
            })
        },
    )
}
