//! The rows of subscribers: whom consents and messages are of, by which address they are found, and the links given to them.

use domain::value::id::{Contact, Customer, Person, Subscriber as SubscriberKind, SubscriberLink};
use domain::value::{Id, Instant, Language};

use crate::{Param, Row, StoreError, Tx, params};

/// A customer, or somebody known by an address only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its identity; a customer's own number when it is one.
    pub id: Id<SubscriberKind>,
    /// The customer it is.
    pub customer: Option<Id<Customer>>,
    /// The person whose key protects what is said of them.
    pub person: Id<Person>,
    /// The contact with the address of who is no customer.
    pub contact: Option<Id<Contact>>,
    /// The language they are written to in.
    pub language: Language,
    /// Nothing that advertises is sent before then.
    pub paused_until: Option<Instant>,
    /// When they became known.
    pub made_at: Instant,
    /// When the person was erased.
    pub erased_at: Option<Instant>,
}

/// A link given to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose it is.
    pub subscriber: Id<SubscriberKind>,
    /// Its identity.
    pub id: Id<SubscriberLink>,
    /// What it is for.
    pub deed: i64,
    /// The thing it is about.
    pub about: Option<[u8; 16]>,
    /// Until when it works.
    pub expires_at: Instant,
}

/// Subscribers and customers who share an address with somebody.
pub type Sharing = (Vec<Id<SubscriberKind>>, Vec<Id<Customer>>);

fn subscriber(row: &mut Row<'_>) -> Result<Subscriber, StoreError> {
    Ok(Subscriber {
        id: row.id()?,
        customer: row.id_or_null()?,
        person: row.id()?,
        contact: row.id_or_null()?,
        language: row.value(Language::parse)?,
        paused_until: row.instant_or_null()?,
        made_at: row.instant()?,
        erased_at: row.instant_or_null()?,
    })
}

/// Adds a subscriber, unless there is one of this id.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Subscriber) -> Result<(), StoreError> {
    tx.execute(
        "insert into subscriber (subscriber_id, customer_id, person_id, contact_id, language, made_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (subscriber_id) do nothing",
        params![one.id, one.customer, one.person, one.contact, &one.language.to_string(), one.made_at],
    )?;
    Ok(())
}

/// The subscriber of this id, whom nobody else changes until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<SubscriberKind>) -> Result<Option<Subscriber>, StoreError> {
    tx.one(
        "select subscriber_id, customer_id, person_id, contact_id, language, paused_until, made_at, erased_at
         from subscriber where subscriber_id = $1 {lock}",
        params![id],
        subscriber,
    )
}

/// The subscriber of this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<SubscriberKind>) -> Result<Option<Subscriber>, StoreError> {
    tx.one(
        "select subscriber_id, customer_id, person_id, contact_id, language, paused_until, made_at, erased_at
         from subscriber where subscriber_id = $1",
        params![id],
        subscriber,
    )
}

/// Claims an address's hash for a subscriber; false when it is another's. Somebody who is just claiming it is waited for.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, hash: &[u8; 32], id: Id<SubscriberKind>) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into subscriber_by_address (hash, subscriber_id) values ($1, $2) on conflict (hash) do nothing",
        params![&hash[..], id],
    )?;
    Ok(made == 1)
}

/// The subscriber with this address.
///
/// # Errors
/// What the store says.
pub fn by_address(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<SubscriberKind>>, StoreError> {
    tx.one("select subscriber_id from subscriber_by_address where hash = $1", params![&hash[..]], |row| {
        row.id()
    })
}

/// Subscribers and customers who have an address that is, or was, this person's too, at most `limit` of each.
///
/// # Errors
/// What the store says.
pub fn sharing_an_address(tx: &mut Tx<'_>, person: Id<Person>, limit: i64) -> Result<Sharing, StoreError> {
    let others = tx.rows(
        "select distinct s.subscriber_id from contact_lookup l join subscriber_by_address s on s.hash = l.hash
         where l.person_id = $1 order by s.subscriber_id limit $2",
        params![person, limit],
        |row| row.id(),
    )?;
    let customers = tx.rows(
        "select distinct c.customer_id from contact_lookup l join customer_by_email c on c.hash = l.hash
         where l.person_id = $1 order by c.customer_id limit $2",
        params![person, limit],
        |row| row.id(),
    )?;
    Ok((others, customers))
}

/// The customers who have, or had, an address of a subscriber who is none, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn customers_at(
    tx: &mut Tx<'_>,
    id: Id<SubscriberKind>,
    limit: i64,
) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select distinct coalesce(u.merged_into, u.customer_id) from subscriber_by_address b
         join contact_lookup l on l.hash = b.hash join customer u on u.person_id = l.person_id
         where b.subscriber_id = $1 order by 1 limit $2",
        params![id, limit],
        |row| row.id(),
    )
}

/// Who is known by an address only that is, or was, this person's too, and that no customer but these has now: one for each address at most.
///
/// # Errors
/// What the store says.
pub fn by_addresses_of(
    tx: &mut Tx<'_>,
    person: Id<Person>,
    customers: &[[u8; 16]],
) -> Result<Vec<Subscriber>, StoreError> {
    tx.rows(
        "select subscriber_id, customer_id, person_id, contact_id, language, paused_until, made_at, erased_at
         from subscriber where customer_id is null and subscriber_id in
             (select s.subscriber_id from contact_lookup l join subscriber_by_address s on s.hash = l.hash
              left join customer_by_email e on e.hash = l.hash
              where l.person_id = $1 and (e.customer_id is null or e.customer_id {in ids $2}))
         order by subscriber_id",
        &[person.into(), Param::Ids(customers)],
        subscriber,
    )
}

/// Writes until when a subscriber is paused.
///
/// # Errors
/// What the store says.
pub fn pause(tx: &mut Tx<'_>, id: Id<SubscriberKind>, until: Option<Instant>) -> Result<(), StoreError> {
    tx.execute("update subscriber set paused_until = $2 where subscriber_id = $1", params![id, until])?;
    Ok(())
}

/// Writes the language a subscriber is written to in.
///
/// # Errors
/// What the store says.
pub fn speak(tx: &mut Tx<'_>, id: Id<SubscriberKind>, language: Language) -> Result<(), StoreError> {
    tx.execute(
        "update subscriber set language = $2 where subscriber_id = $1",
        params![id, &language.to_string()],
    )?;
    Ok(())
}

/// The subscribers that are of a person.
///
/// # Errors
/// What the store says.
pub fn of_person(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Vec<Id<SubscriberKind>>, StoreError> {
    tx.rows(
        "select subscriber_id from subscriber where person_id = $1 order by subscriber_id limit 100",
        params![person],
        |row| row.id(),
    )
}

/// Forgets by what a subscriber is found, and every link given to them; answers the hashes of the addresses.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, id: Id<SubscriberKind>, now: Instant) -> Result<(), StoreError> {
    tx.execute("delete from subscriber_by_address where subscriber_id = $1", params![id])?;
    tx.execute("delete from subscriber_link where subscriber_id = $1", params![id])?;
    tx.execute("update consent set evidence = null where subscriber_id = $1", params![id])?;
    tx.execute(
        "update subscriber set erased_at = $2 where subscriber_id = $1 and erased_at is null",
        params![id, now],
    )?;
    Ok(())
}

/// Adds a link. What expired is forgotten.
///
/// # Errors
/// What the store says.
pub fn add_link(tx: &mut Tx<'_>, token_hash: &[u8; 32], link: &Link, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "delete from subscriber_link where subscriber_id = $1 and expires_at <= $2",
        params![link.subscriber, now],
    )?;
    tx.execute(
        "insert into subscriber_link (token_hash, subscriber_id, link_id, deed, about, made_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![token_hash.as_slice(), link.subscriber, link.id, link.deed, link.about, now, link.expires_at],
    )?;
    Ok(())
}

/// The link of a token, as long as it works.
///
/// # Errors
/// What the store says.
pub fn link(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Instant) -> Result<Option<Link>, StoreError> {
    tx.one(
        "select subscriber_id, link_id, deed, about, expires_at from subscriber_link where token_hash = $1 and expires_at > $2",
        params![token_hash.as_slice(), now],
        read_link,
    )
}

/// The links of a subscriber that were given out and kept, each with when it was made, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn links_of(
    tx: &mut Tx<'_>,
    id: Id<SubscriberKind>,
    limit: i64,
) -> Result<Vec<(Link, Instant)>, StoreError> {
    tx.rows(
        "select subscriber_id, link_id, deed, about, expires_at, made_at from subscriber_link where subscriber_id = $1
         order by expires_at desc, link_id desc limit $2",
        params![id, limit],
        |row| Ok((read_link(row)?, row.instant()?)),
    )
}

fn read_link(row: &mut Row<'_>) -> Result<Link, StoreError> {
    let (subscriber, id, deed) = (row.id()?, row.id()?, row.int()?);
    let about = row.id_or_null::<SubscriberLink>()?.map(Id::bytes);
    Ok(Link { subscriber, id, deed, about, expires_at: row.instant()? })
}

/// Makes a link that confirms one that leads to the preferences; false when that was done before.
///
/// # Errors
/// What the store says.
pub fn spend_link(tx: &mut Tx<'_>, token_hash: &[u8; 32], expires_at: Instant) -> Result<bool, StoreError> {
    let spent = tx.execute(
        "update subscriber_link set deed = 2, expires_at = $2 where token_hash = $1 and deed = 1",
        params![token_hash.as_slice(), expires_at],
    )?;
    Ok(spent == 1)
}
