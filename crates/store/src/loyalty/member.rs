//! The rows of members: customers who take part in a loyalty programme, and households they form.

use domain::loyalty::State;
use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::value::id::{Customer, LoyaltyProgramme, Member as MemberKind};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// A customer who takes part in a loyalty programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its identity, which the book of points shares.
    pub id: Id<MemberKind>,
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// Who it is; of a household, who founded it.
    pub customer: Id<Customer>,
    /// Whether it is a customer or a household.
    pub kind: Kind,
    /// The member into whose book points go on as soon as they can be spent: the household; of a household that ended, who left it last; of
    /// who was merged into another customer, that customer.
    pub pool: Option<Id<MemberKind>>,
    /// Whether he takes part.
    pub state: MemberState,
    /// Since when.
    pub enrolled_at: Instant,
    /// When he left.
    pub left_at: Option<Instant>,
}

fn member(row: &mut Row<'_>) -> Result<Member, StoreError> {
    Ok(Member {
        id: row.id()?,
        programme: row.id()?,
        customer: row.id()?,
        kind: row.word(Kind::coded)?,
        pool: row.id_or_null()?,
        state: row.word(MemberState::coded)?,
        enrolled_at: row.instant()?,
        left_at: row.instant_or_null()?,
    })
}

/// Adds a member; false when the customer is one already.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Member) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into member_of_customer (customer_id, loyalty_programme_id, member_id) values ($1, $2, $3)
         on conflict (customer_id, loyalty_programme_id) do nothing",
        params![one.customer, one.programme, one.id],
    )?;
    if made == 1 {
        add_row(tx, one)?;
    }
    Ok(made == 1)
}

/// Adds a household: a member that no customer is by himself.
///
/// # Errors
/// What the store says.
pub fn add_household(tx: &mut Tx<'_>, one: &Member) -> Result<(), StoreError> {
    add_row(tx, one)
}

fn add_row(tx: &mut Tx<'_>, one: &Member) -> Result<(), StoreError> {
    tx.execute(
            "insert into member (member_id, loyalty_programme_id, customer_id, kind, pool_id, state, enrolled_at, left_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![one.id, one.programme, one.customer, one.kind.code(), one.pool, one.state.code(), one.enrolled_at, one.left_at],
    )?;
    Ok(())
}

/// Writes whether a member takes part, and where his points go.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Member) -> Result<(), StoreError> {
    tx.execute(
        "update member set state = $2, enrolled_at = $3, left_at = $4, pool_id = $5 where member_id = $1",
        params![one.id, one.state.code(), one.enrolled_at, one.left_at, one.pool],
    )?;
    Ok(())
}

/// A member, locked until the commit, so that lots and accounts change together.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<Option<Member>, StoreError> {
    tx.one(
        "select member_id, loyalty_programme_id, customer_id, kind, pool_id, state, enrolled_at, left_at from member where member_id = $1 {lock}",
        params![id],
        member,
    )
}

/// A member.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<Option<Member>, StoreError> {
    tx.one(
        "select member_id, loyalty_programme_id, customer_id, kind, pool_id, state, enrolled_at, left_at from member where member_id = $1",
        params![id],
        member,
    )
}

/// What a customer is a member of, the first first.
///
/// # Errors
/// What the store says.
pub fn of_customer(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select m.member_id, m.loyalty_programme_id, m.customer_id, m.kind, m.pool_id, m.state, m.enrolled_at, m.left_at from member_of_customer o
         join member m on m.member_id = o.member_id where o.customer_id = $1 order by m.member_id",
        params![customer],
        member,
    )
}

/// The members who were merged into one, the first first.
///
/// # Errors
/// What the store says.
pub fn merged_with(tx: &mut Tx<'_>, into: Id<MemberKind>) -> Result<Vec<Id<MemberKind>>, StoreError> {
    tx.rows(
        "select member_id from member where pool_id = $1 and state = $2 order by member_id",
        params![into, MemberState::Merged.code()],
        |row| row.id(),
    )
}

/// Takes a member away who had nothing but what a merge brought, and the book if nothing was ever booked; false when there was more.
///
/// # Errors
/// What the store says.
pub fn remove_unused(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<bool, StoreError> {
    let gone = tx.execute(
        "delete from member where member_id = $1 and pool_id is null
            and not exists (select 1 from transfer t where t.book_id = $1 and t.reason <> 'moved')
            and not exists (select 1 from hold h where h.book_id = $1)
            and not exists (select 1 from point_lot l where l.member_id = $1)
            and not exists (select 1 from point_use u where u.member_id = $1)
            and not exists (select 1 from member_counted c where c.member_id = $1)
            and not exists (select 1 from redemption r where r.member_id = $1)
            and not exists (select 1 from referral_code r where r.member_id = $1)
            and not exists (select 1 from referral r where r.friend_id = $1)
            and not exists (select 1 from household_left h where h.member_id = $1)",
        params![id],
    )?;
    if gone == 1 {
        tx.execute("delete from member_of_customer where member_id = $1", params![id])?;
        tx.execute(
            "delete from account where book_id = $1 and not exists (select 1 from transfer t where t.book_id = $1)",
            params![id],
        )?;
        tx.execute(
            "delete from book where book_id = $1 and not exists (select 1 from transfer t where t.book_id = $1)",
            params![id],
        )?;
        tx.execute("delete from member_tier_change where member_id = $1", params![id])?;
        tx.execute("delete from member_tier where member_id = $1", params![id])?;
    }
    Ok(gone == 1)
}

/// Merged members whose points go nowhere, or to somebody who is merged himself or of another programme, or who can spend something
/// themselves: who, and what is wrong.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<(Id<MemberKind>, String)>, StoreError> {
    tx.rows(
        "select m.member_id, 'points that go to no member of the programme' from member m where m.state = $1
            and not exists (select 1 from member o where o.member_id = m.pool_id and o.state <> $1
                and o.loyalty_programme_id = m.loyalty_programme_id)
         union all
         select m.member_id, 'points of his own' from member m join account a on a.book_id = m.member_id and a.state = $2
            where m.state = $1 and a.amount <> 0
         limit $3",
        params![MemberState::Merged.code(), State::Balance.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
