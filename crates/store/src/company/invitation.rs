//! The rows of invitations to be a member of a company.

use domain::company::{Limit, Role};
use domain::value::id::{Company, CompanyInvitation, Customer};
use domain::value::{Currency, Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Somebody is asked to be a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Of which company.
    pub company: Id<Company>,
    /// Its identity.
    pub id: Id<CompanyInvitation>,
    /// What the member will do.
    pub role: Role,
    /// What the member may spend on one order.
    pub limit: Option<Limit>,
    /// When it was made.
    pub made_at: Instant,
    /// Until when it can be accepted.
    pub expires_at: Instant,
    /// Who accepted it.
    pub customer: Option<Id<Customer>>,
}

fn invitation(row: &mut Row<'_>) -> Result<Invitation, StoreError> {
    let (company, id, role) = (row.id()?, row.id()?, row.word(Role::coded)?);
    let (minor, currency) = (row.int_or_null()?, row.value_or_null(Currency::parse)?);
    let limit = minor.zip(currency).map(|(minor, currency)| Limit { minor, currency });
    let (made_at, expires_at) = (row.instant()?, row.instant()?);
    Ok(Invitation { company, id, role, limit, made_at, expires_at, customer: row.id_or_null()? })
}

/// Adds an invitation, found by the hash of its code.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Invitation, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(
        "insert into company_invitation (company_id, invitation_id, role, limit_minor, limit_currency, made_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            one.company,
            one.id,
            one.role.code(),
            one.limit.map(|limit| limit.minor),
            one.limit.map(|limit| limit.currency.code()),
            one.made_at,
            one.expires_at
        ],
    )?;
    tx.execute(
        "insert into company_by_invitation (hash, company_id, invitation_id) values ($1, $2, $3)",
        params![&hash[..], one.company, one.id],
    )?;
    Ok(())
}

/// An invitation, named by its company and its own id.
pub type Named = (Id<Company>, Id<CompanyInvitation>);

/// The invitation whose code has this hash.
///
/// # Errors
/// What the store says.
pub fn by_code(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Named>, StoreError> {
    tx.one(
        "select company_id, invitation_id from company_by_invitation where hash = $1",
        params![&hash[..]],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// An invitation.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    company: Id<Company>,
    id: Id<CompanyInvitation>,
) -> Result<Option<Invitation>, StoreError> {
    tx.one(
        "select company_id, invitation_id, role, limit_minor, limit_currency, made_at, expires_at, customer_id from company_invitation
         where company_id = $1 and invitation_id = $2",
        params![company, id],
        invitation,
    )
}

/// The invitations of a company that can be accepted, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn open(
    tx: &mut Tx<'_>,
    company: Id<Company>,
    now: Instant,
    limit: i64,
) -> Result<Vec<Invitation>, StoreError> {
    tx.rows(
        "select company_id, invitation_id, role, limit_minor, limit_currency, made_at, expires_at, customer_id from company_invitation
         where company_id = $1 and customer_id is null and expires_at > $2 order by invitation_id limit $3",
        params![company, now, limit],
        invitation,
    )
}

/// Uses an invitation, unless it was used or its time is over; false then.
///
/// # Errors
/// What the store says.
pub fn accept(tx: &mut Tx<'_>, one: &Invitation, by: Id<Customer>, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update company_invitation set customer_id = $3 where company_id = $1 and invitation_id = $2 and customer_id is null and expires_at > $4",
        params![one.company, one.id, by, now],
    )?;
    Ok(touched == 1)
}

/// Ends the time of an invitation; false when it was used or is over.
///
/// # Errors
/// What the store says.
pub fn end(
    tx: &mut Tx<'_>,
    company: Id<Company>,
    id: Id<CompanyInvitation>,
    now: Instant,
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update company_invitation set expires_at = $3 where company_id = $1 and invitation_id = $2 and customer_id is null and expires_at > $3",
        params![company, id, now],
    )?;
    Ok(touched == 1)
}
