//! The rows of households: who is in one, and who may join it.

use domain::loyalty::State;
use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::value::id::{LoyaltyProgramme, Member};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// A member in a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The member.
    pub member: Id<Member>,
    /// Does he speak for it?
    pub is_head: bool,
    /// May he spend where the head says who may?
    pub may_spend: bool,
    /// Since when he is in it.
    pub joined_at: Instant,
}

fn part(row: &mut Row<'_>) -> Result<Part, StoreError> {
    Ok(Part {
        member: row.id()?,
        is_head: row.int()? != 0,
        may_spend: row.int()? != 0,
        joined_at: row.instant()?,
    })
}

/// Puts a member into a household.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, household: Id<Member>, one: &Part) -> Result<(), StoreError> {
    tx.execute(
        "insert into household_member (household_id, member_id, is_head, may_spend, joined_at) values ($1, $2, $3, $4, $5)
         on conflict (household_id, member_id) do update set is_head = excluded.is_head, may_spend = excluded.may_spend,
             joined_at = excluded.joined_at, left_at = null",
        params![household, one.member, one.is_head, one.may_spend, one.joined_at],
    )?;
    Ok(())
}

/// What is written of a member in a household, and when he left it; `None` when he never was in it.
///
/// # Errors
/// What the store says.
pub fn place(
    tx: &mut Tx<'_>,
    household: Id<Member>,
    of: Id<Member>,
) -> Result<Option<(Part, Option<Instant>)>, StoreError> {
    tx.one(
        "select member_id, is_head, may_spend, joined_at, left_at from household_member where household_id = $1 and member_id = $2",
        params![household, of],
        |row| Ok((part(row)?, row.instant_or_null()?)),
    )
}

/// Writes what was written of a member in a household before; nothing when nothing was.
///
/// # Errors
/// What the store says.
pub fn put_back(
    tx: &mut Tx<'_>,
    (household, of): (Id<Member>, Id<Member>),
    was: Option<(Part, Option<Instant>)>,
) -> Result<(), StoreError> {
    tx.execute(
        "delete from household_member where household_id = $1 and member_id = $2",
        params![household, of],
    )?;
    let Some((one, left_at)) = was else { return Ok(()) };
    tx.execute(
        "insert into household_member (household_id, member_id, is_head, may_spend, joined_at, left_at) values ($1, $2, $3, $4, $5, $6)",
        params![household, of, one.is_head, one.may_spend, one.joined_at, left_at],
    )?;
    Ok(())
}

/// Writes who speaks for a household, and who may spend.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, household: Id<Member>, one: &Part) -> Result<(), StoreError> {
    tx.execute(
        "update household_member set is_head = $3, may_spend = $4 where household_id = $1 and member_id = $2",
        params![household, one.member, one.is_head, one.may_spend],
    )?;
    Ok(())
}

/// Notes that a member left a household.
///
/// # Errors
/// What the store says.
pub fn leave(
    tx: &mut Tx<'_>,
    (household, member): (Id<Member>, Id<Member>),
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "update household_member set left_at = $3 where household_id = $1 and member_id = $2",
        params![household, member, now],
    )?;
    tx.execute(
        "insert into household_left (member_id, left_at) values ($1, $2)
         on conflict (member_id) do update set left_at = excluded.left_at",
        params![member, now],
    )?;
    Ok(())
}

/// When a member last left a household.
///
/// # Errors
/// What the store says.
pub fn left_at(tx: &mut Tx<'_>, member: Id<Member>) -> Result<Option<Instant>, StoreError> {
    tx.one("select left_at from household_left where member_id = $1", params![member], |row| row.instant())
}

/// Who is in a household, the first to join first.
///
/// # Errors
/// What the store says.
pub fn parts(tx: &mut Tx<'_>, household: Id<Member>) -> Result<Vec<Part>, StoreError> {
    tx.rows(
        "select member_id, is_head, may_spend, joined_at from household_member
         where household_id = $1 and left_at is null order by joined_at, member_id",
        params![household],
        part,
    )
}

/// Adds an invitation, found by the hash of its code.
///
/// # Errors
/// What the store says.
pub fn add_invitation(
    tx: &mut Tx<'_>,
    (household, hash): (Id<Member>, &[u8; 32]),
    expires_at: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into household_invitation (household_id, hash, expires_at) values ($1, $2, $3)",
        params![household, &hash[..], expires_at],
    )?;
    tx.execute(
        "insert into household_by_invitation (hash, household_id) values ($1, $2)",
        params![&hash[..], household],
    )?;
    Ok(())
}

/// The household an invitation is to.
///
/// # Errors
/// What the store says.
pub fn invited_to(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<Member>>, StoreError> {
    tx.one("select household_id from household_by_invitation where hash = $1", params![&hash[..]], |row| {
        row.id()
    })
}

/// How many invitations of a household can be accepted.
///
/// # Errors
/// What the store says.
pub fn invitations(tx: &mut Tx<'_>, household: Id<Member>, now: Instant) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from household_invitation where household_id = $1 and member_id is null and expires_at > $2",
        params![household, now],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Uses an invitation, unless it was used or its time is over; false then.
///
/// # Errors
/// What the store says.
pub fn accept(
    tx: &mut Tx<'_>,
    (household, hash): (Id<Member>, &[u8; 32]),
    member: Id<Member>,
    now: Instant,
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update household_invitation set member_id = $3 where household_id = $1 and hash = $2 and member_id is null and expires_at > $4",
        params![household, &hash[..], member, now],
    )?;
    Ok(touched == 1)
}

/// Ends the time of all invitations of a household.
///
/// # Errors
/// What the store says.
pub fn end_invitations(tx: &mut Tx<'_>, household: Id<Member>, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "update household_invitation set expires_at = $2 where household_id = $1 and member_id is null and expires_at > $2",
        params![household, now],
    )?;
    Ok(())
}

/// Members whose points go elsewhere than into the household they are in, and households that have people but not one head: whose, and
/// what is wrong.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<(Id<Member>, String)>, StoreError> {
    tx.rows(
        "select m.member_id, 'points that go into a household he is not in' from member m where m.kind = $1 and m.pool_id is not null
            and m.state <> $3 and not exists (select 1 from household_member h
                where h.household_id = m.pool_id and h.member_id = m.member_id and h.left_at is null)
         union all
         select h.member_id, 'points that do not go into his household' from household_member h where h.left_at is null
            and not exists (select 1 from member m where m.member_id = h.member_id and m.pool_id = h.household_id)
         union all
         select h.household_id, 'no head, or several' from household_member h where h.left_at is null
            group by h.household_id having sum(h.is_head) <> 1
         limit $2",
        params![Kind::Person.code(), FINDINGS_MAX, MemberState::Merged.code()],
        |row| Ok((row.id()?, row.text()?)),
    )
}

/// Programmes in which not as many points came into books as left others: by how many.
///
/// # Errors
/// What the store says.
pub fn lost(tx: &mut Tx<'_>) -> Result<Vec<(Id<LoyaltyProgramme>, i64)>, StoreError> {
    tx.rows(
        "select m.loyalty_programme_id, cast(sum(a.amount) as {int}) from account a join member m on m.member_id = a.book_id
         where a.state = $1 group by m.loyalty_programme_id having sum(a.amount) <> 0 limit $2",
        params![State::Moved.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?)),
    )
}
