//! The rows of members: customers who take part in a loyalty programme, and households they form.

use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::value::id::{Customer, LoyaltyProgramme, Member as MemberKind};
use domain::value::{Id, Instant};

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
    /// The member into whose book points go on as soon as they can be spent: the household, or of a household that ended, who left it last.
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
