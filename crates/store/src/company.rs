//! The rows of companies, their members, and what was bought for them.

use domain::company::{Limit, Role};
use domain::value::id::{Cart, Company as CompanyKind, Contact, Customer, Order, Person};
use domain::value::{Currency, Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its identity.
    pub id: Id<CompanyKind>,
    /// The person whose key seals what names it.
    pub person: Id<Person>,
    /// Its name and address.
    pub contact: Id<Contact>,
    /// What other systems know it by.
    pub external_id: Option<String>,
    /// Its registration and VAT number, sealed.
    pub numbers: Option<Vec<u8>>,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// When it was erased.
    pub erased_at: Option<Instant>,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn company(row: &mut Row<'_>) -> Result<Company, StoreError> {
    Ok(Company {
        id: row.id()?,
        person: row.id()?,
        contact: row.id()?,
        external_id: row.text_or_null()?,
        numbers: row.bytes_or_null()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        erased_at: row.instant_or_null()?,
        version: row.int()?,
    })
}

/// Adds a company.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Company) -> Result<(), StoreError> {
    tx.execute(
        "insert into company (company_id, person_id, contact_id, external_id, numbers, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            one.id,
            one.person,
            one.contact,
            one.external_id.as_deref(),
            one.numbers.as_ref(),
            one.made_at,
            one.changed_at,
            one.version
        ],
    )?;
    Ok(())
}

/// Writes a company, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Company, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update company set contact_id = $3, external_id = $4, numbers = $5, changed_at = $6, erased_at = $7, version = $8
         where company_id = $1 and version = $2",
        params![
            one.id,
            was,
            one.contact,
            one.external_id.as_deref(),
            one.numbers.as_ref(),
            one.changed_at,
            one.erased_at,
            one.version
        ],
    )?;
    Ok(touched == 1)
}

/// The company of this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<CompanyKind>) -> Result<Option<Company>, StoreError> {
    tx.one(
        "select company_id, person_id, contact_id, external_id, numbers, made_at, changed_at, erased_at, version
         from company where company_id = $1",
        params![id],
        company,
    )
}

/// As [`find`]; until the commit nobody else changes the company or its members.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<CompanyKind>) -> Result<Option<Company>, StoreError> {
    tx.one(
        "select company_id, person_id, contact_id, external_id, numbers, made_at, changed_at, erased_at, version
         from company where company_id = $1 {lock}",
        params![id],
        company,
    )
}

/// The companies after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<CompanyKind>, limit: i64) -> Result<Vec<Company>, StoreError> {
    tx.rows(
        "select company_id, person_id, contact_id, external_id, numbers, made_at, changed_at, erased_at, version
         from company where company_id > $1 order by company_id limit $2",
        params![after, limit],
        company,
    )
}

/// Claims the hash of a VAT number; false when another company has it.
///
/// # Errors
/// What the store says.
pub fn claim_vat(tx: &mut Tx<'_>, hash: &[u8; 32], of: Id<CompanyKind>) -> Result<bool, StoreError> {
    let sql =
        "insert into company_by_vat_number (hash, company_id) values ($1, $2) on conflict (hash) do nothing";
    Ok(tx.execute(sql, params![&hash[..], of])? == 1)
}

/// Forgets the VAT number a company is found by.
///
/// # Errors
/// What the store says.
pub fn forget_vat(tx: &mut Tx<'_>, of: Id<CompanyKind>) -> Result<(), StoreError> {
    tx.execute("delete from company_by_vat_number where company_id = $1", params![of])?;
    Ok(())
}

/// The company with this VAT number.
///
/// # Errors
/// What the store says.
pub fn by_vat(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<CompanyKind>>, StoreError> {
    let sql = "select company_id from company_by_vat_number where hash = $1";
    tx.one(sql, params![&hash[..]], |row| row.id())
}

/// A customer who may buy in a company's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The company.
    pub company: Id<CompanyKind>,
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
pub fn set_member(tx: &mut Tx<'_>, one: &Member) -> Result<(), StoreError> {
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
pub fn remove_member(
    tx: &mut Tx<'_>,
    company: Id<CompanyKind>,
    customer: Id<Customer>,
) -> Result<bool, StoreError> {
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

/// The members of a company that one of these customers is, those who may most first.
///
/// # Errors
/// What the store says.
pub fn memberships(
    tx: &mut Tx<'_>,
    company: Id<CompanyKind>,
    of: &[[u8; 16]],
) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select company_id, customer_id, role, limit_minor, limit_currency, since from company_member
         where company_id = $1 and customer_id in {ids $2} order by role desc, customer_id",
        &[company.into(), Param::Ids(of)],
        member,
    )
}

/// The members of a company, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn members(tx: &mut Tx<'_>, company: Id<CompanyKind>, limit: i64) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select company_id, customer_id, role, limit_minor, limit_currency, since from company_member
         where company_id = $1 order by customer_id limit $2",
        params![company, limit],
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
         where c.customer_id in {ids $1} order by m.company_id, m.role desc limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        member,
    )
}

/// Writes for which company a cart is, if for one.
///
/// # Errors
/// What the store says.
pub fn set_cart(tx: &mut Tx<'_>, cart: Id<Cart>, company: Option<Id<CompanyKind>>) -> Result<(), StoreError> {
    tx.execute("delete from company_of_cart where cart_id = $1", params![cart])?;
    if let Some(company) = company {
        tx.execute(
            "insert into company_of_cart (cart_id, company_id) values ($1, $2)",
            params![cart, company],
        )?;
    }
    Ok(())
}

/// The company a cart is for.
///
/// # Errors
/// What the store says.
pub fn of_cart(tx: &mut Tx<'_>, cart: Id<Cart>) -> Result<Option<Id<CompanyKind>>, StoreError> {
    tx.one("select company_id from company_of_cart where cart_id = $1", params![cart], |row| row.id())
}

/// Notes that an order was bought for a company, and by which member.
///
/// # Errors
/// What the store says.
pub fn add_order(
    tx: &mut Tx<'_>,
    company: Id<CompanyKind>,
    order: Id<Order>,
    by: Id<Customer>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into company_of_order (order_id, company_id, customer_id) values ($1, $2, $3)",
        params![order, company, by],
    )?;
    tx.execute(
        "insert into order_of_company (company_id, order_id) values ($1, $2)",
        params![company, order],
    )?;
    Ok(())
}

/// The orders bought for a company before one, the newest first, with the member who bought, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn orders(
    tx: &mut Tx<'_>,
    company: Id<CompanyKind>,
    before: Id<Order>,
    limit: i64,
) -> Result<Vec<(Id<Order>, Id<Customer>)>, StoreError> {
    tx.rows(
        "select o.order_id, c.customer_id from order_of_company o join company_of_order c on c.order_id = o.order_id
         where o.company_id = $1 and o.order_id < $2 order by o.order_id desc limit $3",
        params![company, before, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}
