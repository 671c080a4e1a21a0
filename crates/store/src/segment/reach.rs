//! Whom segments can reach: the people of whom something is known, each as the customer or the profile that stands for the person now.

use std::collections::HashMap;

use domain::detail::Kind;
use domain::segment::Subject;
use domain::value::id::{Customer, CustomerList, LoyaltyProgramme, Profile};
use domain::value::{Id, Instant};

use super::facts::Key;
use crate::{Param, Row, StoreError, Tx, params};

fn customer(row: &mut Row<'_>) -> Result<Subject, StoreError> {
    Ok(Subject::Customer(row.id()?))
}

/// Who stands for whom: of all profiles that were joined, all that are a customer's, and all customers who were merged. Read in one go it costs less
/// than asking for each; it takes memory with their number.
struct Standing {
    /// The root of each profile that was joined to another.
    roots: HashMap<Key, Key>,
    /// The customer each profile is of.
    customers: HashMap<Key, Key>,
    /// Whom customers were merged into.
    merged: HashMap<Key, Key>,
}

impl Standing {
    fn read(tx: &mut Tx<'_>) -> Result<Standing, StoreError> {
        let mut pairs = |sql: &'static str| -> Result<HashMap<Key, Key>, StoreError> {
            Ok(tx.rows(sql, &[], |row| Ok((row.key()?, row.key()?)))?.into_iter().collect())
        };
        Ok(Standing {
            roots: pairs("select profile_id, root_id from profile where root_id <> profile_id")?,
            customers: pairs("select profile_id, customer_id from profile where customer_id is not null")?,
            merged: pairs("select customer_id, merged_into from customer where merged_into is not null")?,
        })
    }

    /// The customer or profile that stands for the person whose profile it is.
    fn of_profile(&self, profile: Key) -> Subject {
        let root = *self.roots.get(&profile).unwrap_or(&profile);
        match self.customers.get(&root) {
            Some(customer) => {
                Subject::Customer(Id::from_bytes(*self.merged.get(customer).unwrap_or(customer)))
            }
            None => Subject::Profile(Id::from_bytes(root)),
        }
    }
}

/// Who did something of this name after an instant so often, by all profiles of a person together.
///
/// # Errors
/// What the store says.
pub fn did(tx: &mut Tx<'_>, name: &str, after: Instant, at_least: i64) -> Result<Vec<Subject>, StoreError> {
    let standing = Standing::read(tx)?;
    let mut counts: HashMap<Subject, i64> = HashMap::new();
    let events = "select profile_id from behaviour_event where name = $1 and at > $2";
    for profile in tx.rows(events, params![name, after], |row| row.key())? {
        *counts.entry(standing.of_profile(profile)).or_default() += 1;
    }
    Ok(counts.into_iter().filter(|(_, count)| *count >= at_least).map(|(one, _)| one).collect())
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
        "select coalesce(c.merged_into, c.customer_id) from consent_now n
         join customer c on c.customer_id = n.subscriber_id where n.purpose = $1 and n.status = 1",
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
        "select distinct customer_id from customer_group where label {in texts $1} order by customer_id",
        &[Param::Texts(groups)],
        customer,
    )
}

/// Who may be written to in one of these languages, with any country or the one that is named.
///
/// # Errors
/// What the store says.
pub fn speaking(tx: &mut Tx<'_>, languages: &[String]) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select customer_id from subscriber where customer_id is not null and (language {in texts $1} or substr(language, 1, 2) {in texts $1})
         union select coalesce(c.merged_into, c.customer_id) from customer_preference p join customer c on c.customer_id = p.customer_id
            where p.kind = $2 and (p.value {in texts $1} or substr(p.value, 1, 2) {in texts $1})",
        &[Param::Texts(languages), Kind::Language.code().into()],
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
             where customer_id {in ids $1} and merged_into is null and erased_at is null order by customer_id",
            &[Param::Ids(keys)],
            customer,
        );
    }
    tx.rows(
        "select profile_id from profile where profile_id {in ids $1} and root_id = profile_id and customer_id is null order by profile_id",
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
