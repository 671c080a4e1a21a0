//! The rows of those who may buy in a company's name.

use domain::company::{Limit, Role};
use domain::value::id::{Company, Customer};
use domain::value::{Currency, Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A customer who may buy in a company's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The company.
    pub company: Id<Company>,
    /// The customer.
    pub customer: Id<Customer>,
    /// What the member does.
    pub role: Role,
    /// What the member may spend on one order.
    pub limit: Option<Limit>,
    /// Since when.
    pub since: Instant,
}

fn member(row: &mut Row<'_>) -> Result<Member, StoreError> {
    let (company, customer, role) = (row.id()?, row.id()?, row.word(Role::coded)?);
    let (minor, currency) = (row.int_or_null()?, row.value_or_null(Currency::parse)?);
    let limit = minor.zip(currency).map(|(minor, currency)| Limit { minor, currency });
    Ok(Member { company, customer, role, limit, since: row.instant()? })
}

/// Writes a member; what the same customer was before is replaced.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, one: &Member) -> Result<(), StoreError> {
    tx.execute(
        "insert into company_member (company_id, customer_id, role, limit_minor, limit_currency, since) values ($1, $2, $3, $4, $5, $6)
         on conflict (company_id, customer_id) do update set role = excluded.role, limit_minor = excluded.limit_minor,
             limit_currency = excluded.limit_currency",
        params![
            one.company,
            one.customer,
            one.role.code(),
            one.limit.map(|limit| limit.minor),
            one.limit.map(|limit| limit.currency.code()),
            one.since
        ],
    )?;
    tx.execute(
        "insert into company_of_customer (customer_id, company_id) values ($1, $2) on conflict (customer_id, company_id) do nothing",
        params![one.customer, one.company],
    )?;
    Ok(())
}

/// Ends a membership; false when there was none.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, company: Id<Company>, customer: Id<Customer>) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "delete from company_member where company_id = $1 and customer_id = $2",
        params![company, customer],
    )?;
    tx.execute(
        "delete from company_of_customer where customer_id = $1 and company_id = $2",
        params![customer, company],
    )?;
    Ok(touched == 1)
}

/// The memberships of customers who are one in a company, the one that allows most first.
///
/// # Errors
/// What the store says.
pub fn of(tx: &mut Tx<'_>, company: Id<Company>, of: &[[u8; 16]]) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select company_id, customer_id, role, limit_minor, limit_currency, since from company_member
         where company_id = $1 and customer_id {in ids $2} order by role desc, coalesce(limit_minor, $3) desc, customer_id",
        &[company.into(), Param::Ids(of), Param::Int(i64::MAX)],
        member,
    )
}

/// The members of a company after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    company: Id<Company>,
    after: Id<Customer>,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select company_id, customer_id, role, limit_minor, limit_currency, since from company_member
         where company_id = $1 and customer_id > $2 order by customer_id limit $3",
        params![company, after, limit],
        member,
    )
}

/// The memberships of customers who are one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customers(tx: &mut Tx<'_>, of: &[[u8; 16]], limit: i64) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select m.company_id, m.customer_id, m.role, m.limit_minor, m.limit_currency, m.since
         from company_of_customer c join company_member m on m.company_id = c.company_id and m.customer_id = c.customer_id
         where c.customer_id {in ids $1} order by m.company_id, m.role desc, coalesce(m.limit_minor, $3) desc limit $2",
        &[Param::Ids(of), Param::Int(limit), Param::Int(i64::MAX)],
        member,
    )
}
