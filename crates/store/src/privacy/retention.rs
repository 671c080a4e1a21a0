//! How long which data is kept, and what of it is older.

use domain::privacy::Class;
use domain::value::id::{Contact, Customer, Event, Order, Person, Profile};
use domain::value::{Id, Instant};

use crate::{Param, StoreError, Tx, params};

/// How long data of a class is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The class.
    pub class: Class,
    /// For how many days.
    pub days: i64,
    /// Is what is older forgotten?
    pub active: bool,
}

/// Writes a rule.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, one: Rule) -> Result<(), StoreError> {
    tx.execute(
        "insert into retention_rule (class, days, active) values ($1, $2, $3)
         on conflict (class) do update set days = excluded.days, active = excluded.active",
        params![one.class.code(), one.days, one.active],
    )?;
    Ok(())
}

/// The rules the retailer wrote.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Rule>, StoreError> {
    tx.rows("select class, days, active from retention_rule order by class", params![], |row| {
        Ok(Rule { class: row.word(Class::coded)?, days: row.int()?, active: row.yes()? })
    })
}

/// How many messages that do not wait any more are older, counted up to `limit`.
///
/// # Errors
/// What the store says.
pub fn count_messages(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<i64, StoreError> {
    let sql = "select cast(count(*) as {int}) from (select 1 from message where state in (3, 4, 5) and changed_at < $1 limit $2) m";
    Ok(tx.one(sql, params![before, limit], |row| row.int())?.unwrap_or(0))
}

/// Forgets messages that do not wait any more and are older, at most `limit`: how many.
///
/// # Errors
/// What the store says.
pub fn forget_messages(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from message where (subscriber_id, message_id) in
             (select subscriber_id, message_id from message where state in (3, 4, 5) and changed_at < $1 limit $2)",
        params![before, limit],
    )
}

/// How many events of behaviour were received before the first id of an instant, counted up to `limit`.
///
/// # Errors
/// What the store says.
pub fn count_behaviour(tx: &mut Tx<'_>, before: Id<Event>, limit: i64) -> Result<i64, StoreError> {
    let sql = "select cast(count(*) as {int}) from (select 1 from source s
             join behaviour_event e on e.source_id = s.source_id and e.event_id < $1 limit $2) b";
    Ok(tx.one(sql, params![before, limit], |row| row.int())?.unwrap_or(0))
}

/// Forgets events of behaviour that were received before the first id of an instant, at most `limit`, and the visits of the same profiles
/// that had ended by that instant: how many events. Whose they were is noted, so that segments look at them again.
///
/// # Errors
/// What the store says.
pub fn forget_behaviour(
    tx: &mut Tx<'_>,
    (before, instant): (Id<Event>, Instant),
    limit: i64,
) -> Result<u64, StoreError> {
    let old: Vec<(Id<Profile>, Instant, Id<Event>)> = tx.rows(
        "select e.profile_id, e.at, e.event_id from source s
             join behaviour_event e on e.source_id = s.source_id and e.event_id < $1
         limit $2",
        params![before, limit],
        |row| Ok((row.id()?, row.instant()?, row.id()?)),
    )?;
    let mut profiles: Vec<[u8; 16]> = old.iter().map(|(profile, ..)| profile.bytes()).collect();
    profiles.sort_unstable();
    profiles.dedup();
    for (profile, at, id) in &old {
        tx.execute(
            "delete from behaviour_event where profile_id = $1 and at = $2 and event_id = $3",
            params![*profile, *at, *id],
        )?;
    }
    tx.execute(
        "insert into profile_stirred (profile_id, at) select p.profile_id, cast($2 as {int}) from profile p where p.profile_id {in ids $1}
         on conflict (profile_id) do nothing",
        &[Param::Ids(&profiles), instant.into()],
    )?;
    tx.execute(
        "delete from behaviour_session where profile_id {in ids $1} and last_at < $2",
        &[Param::Ids(&profiles), instant.into()],
    )?;
    Ok(old.len() as u64)
}

/// How many steps into segments and out of them were taken before the first id of an instant, counted up to `limit`.
///
/// # Errors
/// What the store says.
pub fn count_steps(tx: &mut Tx<'_>, before: Id<Event>, limit: i64) -> Result<i64, StoreError> {
    let sql = "select cast(count(*) as {int}) from (select 1 from segment s
             join segment_step t on t.segment_id = s.segment_id and t.step_id < $1 limit $2) b";
    Ok(tx.one(sql, params![before, limit], |row| row.int())?.unwrap_or(0))
}

/// Forgets steps into segments and out of them that were taken before the first id of an instant, at most `limit`: how many.
///
/// # Errors
/// What the store says.
pub fn forget_steps(tx: &mut Tx<'_>, before: Id<Event>, limit: i64) -> Result<u64, StoreError> {
    let old: Vec<([u8; 16], Id<Event>)> = tx.rows(
        "select t.segment_id, t.step_id from segment s join segment_step t on t.segment_id = s.segment_id and t.step_id < $1 limit $2",
        params![before, limit],
        |row| Ok((row.key()?, row.id()?)),
    )?;
    for (segment, step) in &old {
        tx.execute(
            "delete from segment_step where segment_id = $1 and step_id = $2",
            params![*segment, *step],
        )?;
    }
    Ok(old.len() as u64)
}

/// How many requests that were closed are older, counted up to `limit`.
///
/// # Errors
/// What the store says.
pub fn count_requests(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<i64, StoreError> {
    let sql =
        "select cast(count(*) as {int}) from (select 1 from privacy_request where closed_at < $1 limit $2) r";
    Ok(tx.one(sql, params![before, limit], |row| row.int())?.unwrap_or(0))
}

/// Forgets requests that were closed and are older, at most `limit`: how many.
///
/// # Errors
/// What the store says.
pub fn forget_requests(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from privacy_request where request_id in (select request_id from privacy_request where closed_at < $1 limit $2)",
        params![before, limit],
    )
}

/// Contacts of carts that expired before an instant and of whom nothing else is known than the cart, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn cart_contacts(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<Vec<Id<Contact>>, StoreError> {
    tx.rows(
        "select distinct c.contact_id from cart t join contact c on c.person_id = t.person_id
             join person p on p.person_id = c.person_id
         where t.state = 6 and t.changed_at < $1 and t.customer_id is null and p.erased_at is null
           and not exists (select 1 from customer u where u.person_id = c.person_id)
           and not exists (select 1 from subscriber s where s.person_id = c.person_id)
           and not exists (select 1 from order_head o where o.contact_id = c.contact_id)
         order by c.contact_id limit $2",
        params![before, limit],
        |row| row.id(),
    )
}

/// Contacts of guests whose order was placed before an instant and is done, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn guest_contacts(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<Vec<Id<Contact>>, StoreError> {
    tx.rows(
        "select distinct c.contact_id from order_head o join contact c on c.contact_id = o.contact_id
             join person p on p.person_id = c.person_id
         where o.placed_at < $1 and o.state in (3, 4) and o.customer_id is null and p.erased_at is null
           and not exists (select 1 from customer u where u.person_id = c.person_id)
         order by c.contact_id limit $2",
        params![before, limit],
        |row| row.id(),
    )
}

/// Contacts of those who signed up before an instant, are no customers, and never confirmed anything, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn unconfirmed_contacts(
    tx: &mut Tx<'_>,
    before: Instant,
    limit: i64,
) -> Result<Vec<Id<Contact>>, StoreError> {
    tx.rows(
        "select s.contact_id from subscriber s
         where s.made_at < $1 and s.customer_id is null and s.erased_at is null and s.contact_id is not null
           and not exists (select 1 from consent c where c.subscriber_id = s.subscriber_id and (c.status <> 2 or c.at >= $1))
           and not exists (select 1 from privacy_request r where r.subscriber_id = s.subscriber_id)
         order by s.contact_id limit $2",
        params![before, limit],
        |row| row.id(),
    )
}

/// The contacts of a person, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn contacts_of(tx: &mut Tx<'_>, person: Id<Person>, limit: i64) -> Result<Vec<Id<Contact>>, StoreError> {
    tx.rows(
        "select contact_id from contact where person_id = $1 order by contact_id desc limit $2",
        params![person, limit],
        |row| row.id(),
    )
}

/// The orders of a customer, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn orders_of(tx: &mut Tx<'_>, customer: Id<Customer>, limit: i64) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select order_id from order_of_customer where customer_id = $1 order by order_id desc limit $2",
        params![customer, limit],
        |row| row.id(),
    )
}
