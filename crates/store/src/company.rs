//! The rows of companies, and the keyed hashes by which they are found.

pub mod invitation;
pub mod member;

use domain::company::State;
use domain::value::id::{Company as CompanyKind, Contact, Person};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
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
    /// Where it stands with the retailer.
    pub state: State,
    /// The groups the retailer put it into; the first decides on prices.
    pub groups: Vec<String>,
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
        state: row.word(State::coded)?,
        groups: serde_json::from_str(&row.text()?).map_err(corrupt)?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        erased_at: row.instant_or_null()?,
        version: row.int()?,
    })
}

fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Adds a company.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Company) -> Result<(), StoreError> {
    tx.execute(
        "insert into company (company_id, person_id, contact_id, external_id, numbers, state, groups, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            one.id,
            one.person,
            one.contact,
            one.external_id.as_deref(),
            one.numbers.as_ref(),
            one.state.code(),
            &serde_json::to_string(&one.groups).map_err(corrupt)?,
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
        "update company set contact_id = $3, external_id = $4, numbers = $5, changed_at = $6, erased_at = $7, version = $8, state = $9,
             groups = $10
         where company_id = $1 and version = $2",
        params![
            one.id,
            was,
            one.contact,
            one.external_id.as_deref(),
            one.numbers.as_ref(),
            one.changed_at,
            one.erased_at,
            one.version,
            one.state.code(),
            &serde_json::to_string(&one.groups).map_err(corrupt)?
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
        "select company_id, person_id, contact_id, external_id, numbers, state, groups, made_at, changed_at, erased_at, version
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
        "select company_id, person_id, contact_id, external_id, numbers, state, groups, made_at, changed_at, erased_at, version
         from company where company_id = $1 {lock}",
        params![id],
        company,
    )
}

/// As [`find`]; until the commit nobody changes the company or its members. Several may hold it so at once.
///
/// # Errors
/// What the store says.
pub fn stay(tx: &mut Tx<'_>, id: Id<CompanyKind>) -> Result<Option<Company>, StoreError> {
    tx.one(
        "select company_id, person_id, contact_id, external_id, numbers, state, groups, made_at, changed_at, erased_at, version
         from company where company_id = $1 {stay}",
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
        "select company_id, person_id, contact_id, external_id, numbers, state, groups, made_at, changed_at, erased_at, version
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

/// Writes the hashes of the words of a company's name, in place of those it was found by before.
///
/// # Errors
/// What the store says.
pub fn set_words(tx: &mut Tx<'_>, of: Id<CompanyKind>, hashes: &[[u8; 16]]) -> Result<(), StoreError> {
    tx.execute("delete from company_by_word where company_id = $1", params![of])?;
    for hash in hashes {
        tx.execute("insert into company_by_word (hash, company_id) values ($1, $2)", params![&hash[..], of])?;
    }
    Ok(())
}

/// The companies after one whose names have all these words, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn by_words(
    tx: &mut Tx<'_>,
    hashes: &[[u8; 16]],
    after: Id<CompanyKind>,
    limit: i64,
) -> Result<Vec<Id<CompanyKind>>, StoreError> {
    tx.rows(
        "select company_id from company_by_word where hash {in ids $1} and company_id > $2
         group by company_id having count(*) = $3 order by company_id limit $4",
        &[Param::Ids(hashes), after.into(), Param::Int(hashes.len() as i64), Param::Int(limit)],
        |row| row.id(),
    )
}

/// What of companies does not fit together: memberships that are found from one side only, or of somebody who was erased; and orders that are
/// not listed with the company they were bought for, or listed with another. Whose, and what is wrong.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<(Id<CompanyKind>, String)>, StoreError> {
    tx.rows(
        "select m.company_id, 'a member who is not led to it' from company_member m where not exists (select 1 from company_of_customer c
            where c.customer_id = m.customer_id and c.company_id = m.company_id)
         union all
         select c.company_id, 'led to by who is no member' from company_of_customer c where not exists (select 1 from company_member m
            where m.company_id = c.company_id and m.customer_id = c.customer_id)
         union all
         select m.company_id, 'a member who was erased' from company_member m join customer u on u.customer_id = m.customer_id
            where u.erased_at is not null
         union all
         select m.company_id, 'members, though it was erased' from company_member m join company c on c.company_id = m.company_id
            where c.erased_at is not null
         union all
         select h.company_id, 'an order that is not listed' from order_head h where h.company_id is not null and not exists
            (select 1 from order_of_company o where o.company_id = h.company_id and o.order_id = h.order_id)
         union all
         select o.company_id, 'an order listed that was not bought for it' from order_of_company o where not exists
            (select 1 from order_head h where h.order_id = o.order_id and h.company_id = o.company_id)
         limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
