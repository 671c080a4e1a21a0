//! The rows of points: lots that expire together, what orders earned, and from which lots payments were made.

use domain::ledger::BookKind;
use domain::loyalty::State as Where;
use domain::loyalty::points::{LotState, MemberState};
use domain::value::id::{Book, LoyaltyProgramme};
use domain::value::id::{Member, Order, OrderLine, Payment, PointLot};
use domain::value::{Id, Instant, Rate, Zone};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// Points that were given together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Whose they are.
    pub member: Id<Member>,
    /// Its identity.
    pub id: Id<PointLot>,
    /// Where they are.
    pub state: LotState,
    /// Who brought them in: in a household, one of its members.
    pub earner: Id<Member>,
    /// The order that earned them.
    pub order: Option<Id<Order>>,
    /// The occasion they were given on.
    pub occasion: Option<String>,
    /// How many were given, less what was taken back.
    pub granted: i64,
    /// How many are left.
    pub rest: i64,
    /// For how much money they were earned, in minor units.
    pub counted: i64,
    /// The version of the programme that gave them.
    pub number: i64,
    /// By whose clock they expire.
    pub zone: Zone,
    /// When they become available, or became.
    pub available_at: Option<Instant>,
    /// When they expire.
    pub expires_at: Option<Instant>,
    /// When they were given.
    pub made_at: Instant,
}

/// What an order earned a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    /// The order.
    pub order: Id<Order>,
    /// Who earned it.
    pub member: Id<Member>,
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// The version of it.
    pub number: i64,
    /// The lot it lies in.
    pub lot: Id<PointLot>,
    /// How many, less what was taken back.
    pub points: i64,
    /// What money of the order earned nothing because of how it was paid, as far as its lines were reckoned with it.
    pub uncounted: i64,
    /// How much of what others earn the member earns by his tier.
    pub rate: Rate,
}

/// What a line of an order earns when all of it is kept; the delivery has a line of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarningLine {
    /// The line.
    pub line: Id<OrderLine>,
    /// For how much money, in minor units.
    pub counted: i64,
    /// How many points.
    pub points: i64,
}

fn lot(row: &mut Row<'_>) -> Result<Lot, StoreError> {
    Ok(Lot {
        member: row.id()?,
        id: row.id()?,
        state: row.word(LotState::coded)?,
        earner: row.id()?,
        order: row.id_or_null()?,
        occasion: row.text_or_null()?,
        granted: row.int()?,
        rest: row.int()?,
        counted: row.int()?,
        number: row.int()?,
        zone: row.value(Zone::parse)?,
        available_at: row.instant_or_null()?,
        expires_at: row.instant_or_null()?,
        made_at: row.instant()?,
    })
}

/// Adds a lot.
///
/// # Errors
/// What the store says.
pub fn add_lot(tx: &mut Tx<'_>, one: &Lot) -> Result<(), StoreError> {
    tx.execute(
        "insert into point_lot (member_id, point_lot_id, state, earner_id, order_id, occasion, granted, rest, counted, number, zone, available_at, expires_at,
             made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            one.member, one.id, one.state.code(), one.earner, one.order, one.occasion.as_deref(), one.granted, one.rest, one.counted, one.number, one.zone.name(),
            one.available_at, one.expires_at, one.made_at
        ],
    )?;
    Ok(())
}

/// Writes where a lot is, how much is left of it, and until when.
///
/// # Errors
/// What the store says.
pub fn update_lot(tx: &mut Tx<'_>, one: &Lot) -> Result<(), StoreError> {
    tx.execute(
        "update point_lot set state = $3, granted = $4, rest = $5, counted = $6, available_at = $7, expires_at = $8
         where member_id = $1 and point_lot_id = $2",
        params![
            one.member,
            one.id,
            one.state.code(),
            one.granted,
            one.rest,
            one.counted,
            one.available_at,
            one.expires_at
        ],
    )?;
    Ok(())
}

/// Ends the time of all lots of a member, also of those with nothing left.
///
/// # Errors
/// What the store says.
pub fn end_lots(tx: &mut Tx<'_>, member: Id<Member>, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "update point_lot set expires_at = $2 where member_id = $1 and (expires_at is null or expires_at > $2)",
        params![member, now],
    )?;
    Ok(())
}

/// Puts points into a lot (positive) or takes them out (negative).
///
/// # Errors
/// What the store says, also when fewer are left.
pub fn change_rest(
    tx: &mut Tx<'_>,
    (member, id): (Id<Member>, Id<PointLot>),
    change: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "update point_lot set rest = rest + $3 where member_id = $1 and point_lot_id = $2",
        params![member, id, change],
    )?;
    Ok(())
}

/// A lot.
///
/// # Errors
/// What the store says.
pub fn find_lot(tx: &mut Tx<'_>, member: Id<Member>, id: Id<PointLot>) -> Result<Option<Lot>, StoreError> {
    tx.one(
        "select member_id, point_lot_id, state, earner_id, order_id, occasion, granted, rest, counted, number, zone, available_at, expires_at, made_at
         from point_lot where member_id = $1 and point_lot_id = $2",
        params![member, id],
        lot,
    )
}

/// The lots of a member that can be spent from, the first to expire first; those that never do last.
///
/// # Errors
/// What the store says.
pub fn spendable(tx: &mut Tx<'_>, member: Id<Member>) -> Result<Vec<Lot>, StoreError> {
    tx.rows(
        "select member_id, point_lot_id, state, earner_id, order_id, occasion, granted, rest, counted, number, zone, available_at, expires_at, made_at
         from point_lot where member_id = $1 and state = $2 and rest > 0
         order by case when expires_at is null then 1 else 0 end, expires_at, point_lot_id",
        params![member, LotState::Available.code()],
        lot,
    )
}

/// A lot, by whose it is.
pub type LotKey = (Id<Member>, Id<PointLot>);

/// Pending lots that become available now, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<LotKey>, StoreError> {
    tx.rows(
        "select member_id, point_lot_id from point_lot where state = $1 and available_at <= $2 order by available_at limit $3",
        params![LotState::Pending.code(), now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Lots whose time is over though something is left of them, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn over(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<LotKey>, StoreError> {
    tx.rows(
        "select member_id, point_lot_id from point_lot where expires_at <= $1 and rest > 0 and state = $2 order by expires_at limit $3",
        params![now, LotState::Available.code(), limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// How many lots a member was given on an occasion, with those who were merged into him.
///
/// # Errors
/// What the store says.
pub fn given_on(tx: &mut Tx<'_>, member: Id<Member>, occasion: &str) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from point_lot where occasion = $2
             and member_id in (select cast($1 as {bytes}) union all select m.member_id from member m where m.pool_id = $1 and m.state = $3)",
        params![member, occasion, MemberState::Merged.code()],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Notes what an order earned.
///
/// # Errors
/// What the store says.
pub fn add_earning(tx: &mut Tx<'_>, one: &Earning) -> Result<(), StoreError> {
    tx.execute(
        "insert into point_earning (order_id, member_id, loyalty_programme_id, number, point_lot_id, points, uncounted, rate)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![one.order, one.member, one.programme, one.number, one.lot, one.points, one.uncounted, one.rate.parts_per_million()],
    )?;
    Ok(())
}

/// Writes how many points of an order are left, and what money of it earned nothing.
///
/// # Errors
/// What the store says.
pub fn update_earning(tx: &mut Tx<'_>, one: &Earning) -> Result<(), StoreError> {
    tx.execute(
        "update point_earning set points = $3, uncounted = $4 where order_id = $1 and member_id = $2",
        params![one.order, one.member, one.points, one.uncounted],
    )?;
    Ok(())
}

/// What an order earned, by member.
///
/// # Errors
/// What the store says.
pub fn earnings(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Earning>, StoreError> {
    tx.rows(
        "select order_id, member_id, loyalty_programme_id, number, point_lot_id, points, uncounted, rate from point_earning
         where order_id = $1 order by member_id",
        params![order],
        |row| {
            Ok(Earning {
                order: row.id()?,
                member: row.id()?,
                programme: row.id()?,
                number: row.int()?,
                lot: row.id()?,
                points: row.int()?,
                uncounted: row.int()?,
                rate: row.word(|parts| Rate::from_parts_per_million(parts).ok())?,
            })
        },
    )
}

/// Notes what a line of an order earns.
///
/// # Errors
/// What the store says.
pub fn add_earning_line(
    tx: &mut Tx<'_>,
    (order, member): (Id<Order>, Id<Member>),
    one: &EarningLine,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into point_earning_line (order_id, member_id, order_line_id, counted, points) values ($1, $2, $3, $4, $5)",
        params![order, member, one.line, one.counted, one.points],
    )?;
    Ok(())
}

/// What the lines of an order earn.
///
/// # Errors
/// What the store says.
pub fn earning_lines(
    tx: &mut Tx<'_>,
    (order, member): (Id<Order>, Id<Member>),
) -> Result<Vec<EarningLine>, StoreError> {
    tx.rows(
        "select order_line_id, counted, points from point_earning_line where order_id = $1 and member_id = $2 order by order_line_id",
        params![order, member],
        |row| Ok(EarningLine { line: row.id()?, counted: row.int()?, points: row.int()? }),
    )
}

/// Notes that a payment takes points from a lot.
///
/// # Errors
/// What the store says.
pub fn use_lot(
    tx: &mut Tx<'_>,
    (member, payment, lot): (Id<Member>, Id<Payment>, Id<PointLot>),
    points: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into point_use (member_id, payment_id, point_lot_id, points) values ($1, $2, $3, $4)
         on conflict (member_id, payment_id, point_lot_id) do update set points = point_use.points + excluded.points",
        params![member, payment, lot, points],
    )?;
    Ok(())
}

/// From which lots a payment took points, the last to expire first, and how many.
///
/// # Errors
/// What the store says.
pub fn used(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    payment: Id<Payment>,
) -> Result<Vec<(Id<PointLot>, i64)>, StoreError> {
    tx.rows(
        "select u.point_lot_id, u.points from point_use u
         join point_lot l on l.member_id = u.member_id and l.point_lot_id = u.point_lot_id
         where u.member_id = $1 and u.payment_id = $2 and u.points > 0
         order by case when l.expires_at is null then 0 else 1 end, l.expires_at desc, l.point_lot_id desc",
        params![member, payment],
        |row| Ok((row.id()?, row.int()?)),
    )
}

/// Gives points of a payment back to a lot.
///
/// # Errors
/// What the store says.
pub fn unuse_lot(
    tx: &mut Tx<'_>,
    (member, payment, lot): (Id<Member>, Id<Payment>, Id<PointLot>),
    points: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "update point_use set points = points - $4 where member_id = $1 and payment_id = $2 and point_lot_id = $3",
        params![member, payment, lot, points],
    )?;
    change_rest(tx, (member, lot), points)
}

/// Takes away lots that a merge brought into a book and of which nothing is left or was used.
///
/// # Errors
/// What the store says.
pub fn remove_empty(
    tx: &mut Tx<'_>,
    (member, earner): (Id<Member>, Id<Member>),
    since: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "delete from point_lot where member_id = $1 and earner_id = $2 and rest = 0 and state = $3 and order_id is null and occasion is null
            and made_at >= $4 and not exists (select 1 from point_use u where u.member_id = point_lot.member_id
                and u.point_lot_id = point_lot.point_lot_id)",
        params![member, earner, LotState::Available.code(), since],
    )?;
    Ok(())
}

/// Points of a member by where they are.
pub type Kept = (Id<Book>, Where, i64);

/// What the lots, earnings and payments of members say of their points: pending, free, earned, and held or spent for payments.
///
/// # Errors
/// What the store says.
pub fn said(tx: &mut Tx<'_>) -> Result<Vec<Kept>, StoreError> {
    tx.rows(
        "select member_id, cast($1 as {int}), cast(sum(rest) as {int}) from point_lot where state = $3 group by member_id
         union all
         select member_id, cast($2 as {int}), cast(sum(rest) as {int}) from point_lot where state = $4 group by member_id
         union all
         select member_id, cast($5 as {int}), cast(sum(points) as {int}) from point_earning group by member_id
         union all
         select member_id, cast($6 as {int}), cast(sum(points) as {int}) from point_use group by member_id",
        params![
            Where::Pending.code(),
            Where::Balance.code(),
            LotState::Pending.code(),
            LotState::Available.code(),
            Where::Earned.code(),
            Where::Spent.code()
        ],
        |row| Ok((row.id()?, row.word(Where::coded)?, row.int()?)),
    )
}

/// What the ledger says of the points of members.
///
/// # Errors
/// What the store says.
pub fn booked(tx: &mut Tx<'_>) -> Result<Vec<Kept>, StoreError> {
    tx.rows(
        "select a.book_id, a.state, a.amount from account a join book b on b.book_id = a.book_id where b.kind = $1",
        params![BookKind::Points.code()],
        |row| Ok((row.id()?, row.word(Where::coded)?, row.int()?)),
    )
}

/// Books of points that are nobody's, and members without a book: the book and what is wrong.
///
/// # Errors
/// What the store says.
pub fn unowned_books(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, String)>, StoreError> {
    tx.rows(
        "select b.book_id, 'no member' from book b where b.kind = $1
            and not exists (select 1 from member m where m.member_id = b.book_id)
            and (exists (select 1 from account a where a.book_id = b.book_id and a.amount <> 0)
                or not exists (select 1 from transfer t where t.book_id = b.book_id))
         union all
         select m.member_id, 'no book' from member m
            where not exists (select 1 from book b where b.book_id = m.member_id and b.kind = $1)
         limit $2",
        params![BookKind::Points.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
