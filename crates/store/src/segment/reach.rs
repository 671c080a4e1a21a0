//! Whom segments can reach: the people of whom something is known, each as the customer or the profile that stands for the person now.

use std::collections::{HashMap, HashSet};

use domain::segment::Subject;
use domain::value::id::{Customer, CustomerList, LoyaltyProgramme, Profile};
use domain::value::{Id, Instant};

use super::facts::Key;
use crate::{Param, Row, StoreError, Tx, params};

/// So many are looked up together.
const LOOKED_UP_MAX: usize = 10_000;

fn customer(row: &mut Row<'_>) -> Result<Subject, StoreError> {
    Ok(Subject::Customer(row.id()?))
}

/// The customer or profile that stands for a person: the root, and the customer it is of.
fn subject(row: &mut Row<'_>) -> Result<Subject, StoreError> {
    let (root, customer) = (row.id::<Profile>()?, row.id_or_null::<Customer>()?);
    Ok(customer.map_or(Subject::Profile(root), Subject::Customer))
}

/// Who did something of this name after an instant so often, by all profiles of a person together; and of customers who were merged whoever did it
/// at all.
///
/// # Errors
/// What the store says.
pub fn did(tx: &mut Tx<'_>, name: &str, after: Instant, at_least: i64) -> Result<Vec<Subject>, StoreError> {
    let joined = "select profile_id, root_id from profile where root_id <> profile_id";
    let roots: HashMap<Key, Key> =
        tx.rows(joined, &[], |row| Ok((row.key()?, row.key()?)))?.into_iter().collect();
    let merged: HashSet<Key> = tx
        .rows(
            "select p.root_id from customer c join profile p on p.customer_id = c.customer_id where c.merged_into is not null
             union
             select p.root_id from customer c join profile p on p.customer_id = c.merged_into where c.merged_into is not null",
            &[],
            |row| row.key(),
        )?
        .into_iter()
        .collect();
    let mut counts: HashMap<Key, i64> = HashMap::new();
    let events = "select profile_id from behaviour_event where name = $1 and at > $2";
    for profile in tx.rows(events, params![name, after], |row| row.key())? {
        *counts.entry(*roots.get(&profile).unwrap_or(&profile)).or_default() += 1;
    }
    counts.retain(|root, count| *count >= at_least || merged.contains(root));
    let mut kept: Vec<Key> = counts.into_keys().collect();
    kept.sort_unstable();
    let mut found = Vec::with_capacity(kept.len());
    for part in kept.chunks(LOOKED_UP_MAX) {
        found.extend(tx.rows(
            "select r.profile_id, coalesce(c.merged_into, c.customer_id)
             from profile r left join customer c on c.customer_id = r.customer_id where r.profile_id in {ids $1}",
            &[Param::Ids(part)],
            subject,
        )?);
    }
    Ok(found)
}

/// Who placed orders after an instant, so often, by all customers of the person together.
///
/// # Errors
/// What the store says.
pub fn ordered(tx: &mut Tx<'_>, after: Instant, at_least: i64) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select coalesce(c.merged_into, c.customer_id) as found from order_head h
         join customer c on c.customer_id = h.customer_id
         where h.placed_at > $1 group by found having count(*) >= $2 order by found",
        params![after, at_least],
        customer,
    )
}

/// Who takes part in a loyalty programme.
///
/// # Errors
/// What the store says.
pub fn takes(tx: &mut Tx<'_>, programme: Id<LoyaltyProgramme>) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) as found from member_of_customer o
         join customer c on c.customer_id = o.customer_id where o.loyalty_programme_id = $1 order by found",
        params![programme],
        customer,
    )
}

/// Which customers said yes to a purpose, over some medium, on some topic.
///
/// # Errors
/// What the store says.
pub fn agreed(tx: &mut Tx<'_>, purpose: &str) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) as found from consent_now n
         join customer c on c.customer_id = n.subscriber_id where n.purpose = $1 and n.status = 1 order by found",
        params![purpose],
        customer,
    )
}

/// Who is in one of these customer groups.
///
/// # Errors
/// What the store says.
pub fn grouped(tx: &mut Tx<'_>, groups: &[String]) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select distinct customer_id from customer_group where label in {texts $1} order by customer_id",
        &[Param::Texts(groups)],
        customer,
    )
}

/// Who is written to in one of these languages.
///
/// # Errors
/// What the store says.
pub fn speaking(tx: &mut Tx<'_>, languages: &[String]) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select customer_id from subscriber where customer_id is not null and language in {texts $1} order by customer_id",
        &[Param::Texts(languages)],
        customer,
    )
}

/// Who is on a list, as it was put there: a customer, or any of a person's profiles.
///
/// # Errors
/// What the store says.
pub fn listed(tx: &mut Tx<'_>, list: Id<CustomerList>) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select coalesce(c.merged_into, c.customer_id), r.profile_id
         from customer_list_entry e left join profile p on p.profile_id = e.subject_id and e.is_customer = 0
         left join profile r on r.profile_id = p.root_id
         left join customer c on c.customer_id = case when e.is_customer = 1 then e.subject_id else r.customer_id end
         where e.customer_list_id = $1",
        params![list],
        |row| {
            let (customer, root) = (row.id_or_null::<Customer>()?, row.id_or_null::<Profile>()?);
            Ok(customer.map(Subject::Customer).or(root.map(Subject::Profile)))
        },
    )
    .map(|found| found.into_iter().flatten().collect())
}

/// Which of these customers, or profiles, stand for a person still.
///
/// # Errors
/// What the store says.
pub fn standing(tx: &mut Tx<'_>, customers: bool, keys: &[Key]) -> Result<Vec<Subject>, StoreError> {
    if customers {
        return tx.rows(
            "select customer_id from customer
             where customer_id in {ids $1} and merged_into is null and erased_at is null order by customer_id",
            &[Param::Ids(keys)],
            customer,
        );
    }
    tx.rows(
        "select profile_id from profile where profile_id in {ids $1} and root_id = profile_id and customer_id is null order by profile_id",
        &[Param::Ids(keys)],
        |row| Ok(Subject::Profile(row.id()?)),
    )
}

/// Are there at most so many people?
///
/// # Errors
/// What the store says.
pub fn few(tx: &mut Tx<'_>, most: i64) -> Result<bool, StoreError> {
    let found = tx.one(
        "select (select count(*) from (select 1 as one from profile limit $1) p)
             + (select count(*) from (select 1 as one from customer limit $1) c)",
        params![most + 1],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0) <= most)
}

/// How many people there are: customers who were not merged, and profiles of who is no customer.
///
/// # Errors
/// What the store says.
pub fn people(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let found = tx.one(
        "select (select count(*) from customer where merged_into is null and erased_at is null)
             + (select count(*) from profile where root_id = profile_id and customer_id is null)",
        &[],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}
