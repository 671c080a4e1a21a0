//! The rows of referral: codes of members, and the friends that came by them.

use domain::ledger::BookKind;
use domain::loyalty::State as Place;
use domain::loyalty::referral::{State, Terms, Why};
use domain::promotion::limit::Period;
use domain::value::id::{Customer, Member, Order, Person};
use domain::value::{Currency, Id, Instant};
use serde_json::{Value, json};

use crate::{Row, StoreError, Tx, params};

/// A friend that a member brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// The friend.
    pub friend: Id<Member>,
    /// Who brought him.
    pub member: Id<Member>,
    /// The version of the programme under which he came.
    pub number: i64,
    /// What became of it.
    pub state: State,
    /// Why nothing is given, or it was taken back.
    pub why: Option<Why>,
    /// The friend's first order.
    pub order: Option<Id<Order>>,
    /// When its last goods left.
    pub left_at: Option<Instant>,
    /// When it is to be judged.
    pub review_at: Option<Instant>,
    /// What who brought him has of it.
    pub points: i64,
    /// What the friend has of it.
    pub friend_points: i64,
    /// When he came.
    pub made_at: Instant,
    /// When both were given.
    pub rewarded_at: Option<Instant>,
}

fn referral(row: &mut Row<'_>) -> Result<Referral, StoreError> {
    Ok(Referral {
        friend: row.id()?,
        member: row.id()?,
        number: row.int()?,
        state: row.word(State::coded)?,
        why: row.int_or_null()?.and_then(Why::coded),
        order: row.id_or_null()?,
        left_at: row.instant_or_null()?,
        review_at: row.instant_or_null()?,
        points: row.int()?,
        friend_points: row.int()?,
        made_at: row.instant()?,
        rewarded_at: row.instant_or_null()?,
    })
}

/// What a programme says of referral, as a document.
pub(super) fn written(terms: &Terms) -> Value {
    let minimums: Vec<_> =
        terms.minimums.iter().map(|(currency, minor)| json!([currency.code(), minor])).collect();
    json!([
        terms.points,
        terms.friend_points,
        minimums,
        terms.wait_days,
        terms.within_days,
        terms.member_max,
        terms.period.code()
    ])
}

/// What a document says of referral.
pub(super) fn read(from: &Value) -> Option<Terms> {
    let minimum = |one: &Value| Some((Currency::parse(one[0].as_str()?).ok()?, one[1].as_i64()?));
    Some(Terms {
        points: from[0].as_i64()?,
        friend_points: from[1].as_i64()?,
        minimums: from[2].as_array()?.iter().map(minimum).collect::<Option<_>>()?,
        wait_days: from[3].as_i64()?,
        within_days: from[4].as_i64(),
        member_max: from[5].as_i64(),
        period: Period::coded(from[6].as_i64()?)?,
    })
}

/// Keeps a member's code; false when another member has it.
///
/// # Errors
/// What the store says.
pub fn add_code(tx: &mut Tx<'_>, member: Id<Member>, code: &str, now: Instant) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into referral_by_code (code, member_id) values ($1, $2) on conflict (code) do nothing",
        params![code, member],
    )?;
    if made == 1 {
        tx.execute(
            "insert into referral_code (member_id, code, made_at) values ($1, $2, $3)",
            params![member, code, now],
        )?;
    }
    Ok(made == 1)
}

/// The code of a member.
///
/// # Errors
/// What the store says.
pub fn code_of(tx: &mut Tx<'_>, member: Id<Member>) -> Result<Option<String>, StoreError> {
    tx.one("select code from referral_code where member_id = $1", params![member], |row| row.text())
}

/// Whose code it is.
///
/// # Errors
/// What the store says.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<Member>>, StoreError> {
    tx.one("select member_id from referral_by_code where code = $1", params![code], |row| row.id())
}

/// Notes that a friend came; false when he came by somebody before.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Referral) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into referral (friend_id, member_id, number, state, review_at, points, friend_points, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (friend_id) do nothing",
        params![one.friend, one.member, one.number, one.state.code(), one.review_at, one.points, one.friend_points, one.made_at],
    )?;
    if made == 1 {
        tx.execute(
            "insert into referral_of_member (member_id, friend_id) values ($1, $2)",
            params![one.member, one.friend],
        )?;
    }
    Ok(made == 1)
}

/// Writes what became of a referral.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Referral) -> Result<(), StoreError> {
    tx.execute(
        "update referral set state = $2, why = $3, order_id = $4, left_at = $5, review_at = $6, points = $7, friend_points = $8, rewarded_at = $9
         where friend_id = $1",
        params![
            one.friend,
            one.state.code(),
            one.why.map(Why::code),
            one.order,
            one.left_at,
            one.review_at,
            one.points,
            one.friend_points,
            one.rewarded_at
        ],
    )?;
    tx.execute(
        "update referral_of_member set rewarded_at = $3 where member_id = $1 and friend_id = $2",
        params![one.member, one.friend, one.rewarded_at],
    )?;
    Ok(())
}

/// By whom a friend came.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, friend: Id<Member>) -> Result<Option<Referral>, StoreError> {
    tx.one(
        "select friend_id, member_id, number, state, why, order_id, left_at, review_at, points, friend_points, made_at, rewarded_at
         from referral where friend_id = $1",
        params![friend],
        referral,
    )
}

/// The friends a member brought before one, the latest enrolled first.
///
/// # Errors
/// What the store says.
pub fn of_member(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    before: Id<Member>,
    limit: i64,
) -> Result<Vec<Referral>, StoreError> {
    tx.rows(
        "select r.friend_id, r.member_id, r.number, r.state, r.why, r.order_id, r.left_at, r.review_at, r.points, r.friend_points, r.made_at,
             r.rewarded_at
         from referral_of_member o join referral r on r.friend_id = o.friend_id
         where o.member_id = $1 and o.friend_id < $2 order by o.friend_id desc limit $3",
        params![member, before, limit],
        referral,
    )
}

/// How often a member was given points for friends since an instant, and kept them.
///
/// # Errors
/// What the store says.
pub fn rewarded_since(tx: &mut Tx<'_>, member: Id<Member>, since: Instant) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from referral_of_member where member_id = $1 and rewarded_at >= $2",
        params![member, since],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// A friend, and who brought him.
pub type Both = (Id<Member>, Id<Member>);

/// Friends whose referral is to be judged now, with who brought them, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Both>, StoreError> {
    tx.rows(
        "select friend_id, member_id from referral where review_at <= $1 order by review_at limit $2",
        params![now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Are two people reached the same way: by one mail address or phone?
///
/// # Errors
/// What the store says.
pub fn reached_alike(tx: &mut Tx<'_>, one: Id<Person>, other: Id<Person>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select count(*) from contact_lookup a join contact_lookup b on b.hash = a.hash where a.person_id = $1 and b.person_id = $2",
        params![one, other],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0) > 0)
}

/// Was an order paid with what a customer paid an order with?
///
/// # Errors
/// What the store says.
pub fn paid_alike(tx: &mut Tx<'_>, order: Id<Order>, customer: Id<Customer>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select count(*) from order_payment o join payment p on p.payment_id = o.payment_id
         where o.order_id = $1 and p.provider_token is not null and exists (
             select 1 from order_of_customer c join order_payment q on q.order_id = c.order_id
             join payment s on s.payment_id = q.payment_id where c.customer_id = $2 and s.provider_token = p.provider_token)",
        params![order, customer],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0) > 0)
}

/// Points that were given for friends, by the friend's id in text: what referrals say.
///
/// # Errors
/// What the store says.
pub fn said(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows(
        "select friend_id, points + friend_points from referral where points + friend_points <> 0",
        params![],
        |row| {
            let friend: Id<Member> = row.id()?;
            Ok((friend.to_string(), row.int()?))
        },
    )
}

/// Points that were given for friends, by the friend's id in text: what the ledger says.
///
/// # Errors
/// What the store says.
pub fn booked(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows(
        "select t.cause_id, cast(sum(-p.amount) as {int}) from transfer t
         join posting p on p.book_id = t.book_id and p.transfer_id = t.transfer_id join book b on b.book_id = t.book_id
         where b.kind = $1 and t.cause_kind = 'referral' and p.state = $2 group by t.cause_id having sum(p.amount) <> 0",
        params![BookKind::Points.code(), Place::Issued.code()],
        |row| Ok((row.text()?, row.int()?)),
    )
}
