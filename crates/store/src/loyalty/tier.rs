//! The rows of tiers: what counts for members, where they stand, and where they stood before.

use domain::loyalty::State;
use domain::loyalty::points::MemberState;
use domain::loyalty::tier::{COUNTED_MAX, Counted, Downgrade, Ladder, Mark, Measure, Span, Tier, Why};
use domain::value::id::{Book, Customer, LoyaltyProgramme, Member, Order, Transfer};
use domain::value::{Currency, Id, Instant, Rate};
use serde_json::{Value, json};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The member.
    pub member: Id<Member>,
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// The version of it by which it was judged last.
    pub number: i64,
    /// The code of the tier; none yet when `None`.
    pub tier: Option<String>,
    /// The group its members belong to.
    pub label: Option<String>,
    /// How much of what others earn he earns.
    pub rate: Rate,
    /// By how many days the windows of his returns are longer.
    pub return_days: i64,
    /// Since when.
    pub since: Instant,
    /// When the tier is lost, unless enough counts by then.
    pub falls_at: Option<Instant>,
    /// When it is to be judged again though nothing happens.
    pub review_at: Option<Instant>,
    /// When it was judged last.
    pub judged_at: Instant,
    /// How often the tier changed.
    pub changes: i64,
}

/// A change of a member's tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Counts the member's changes, from 1.
    pub place: i64,
    /// When.
    pub at: Instant,
    /// By which version of the programme.
    pub number: i64,
    /// The tier before.
    pub before: Option<String>,
    /// The tier after.
    pub after: Option<String>,
    /// Why.
    pub why: Why,
}

/// A ladder as a document.
pub(super) fn written(ladder: &Ladder) -> Value {
    let mark = |mark: &Mark| {
        let months = match mark.span {
            Span::Year => None,
            Span::Months(months) => Some(months),
        };
        json!([mark.measure.code(), mark.currency.map(|one| one.code()), mark.at_least, months])
    };
    let tier = |one: &Tier| {
        json!([
            one.code,
            one.name,
            mark(&one.entry),
            mark(&one.keep),
            one.rate.parts_per_million(),
            one.group,
            one.return_days
        ])
    };
    json!({
        "tiers": ladder.tiers.iter().map(tier).collect::<Vec<_>>(), "grace_days": ladder.grace_days,
        "downgrade": ladder.downgrade.code(), "floor": ladder.floor,
    })
}

/// The ladder of a document.
pub(super) fn read(from: &Value) -> Option<Ladder> {
    let mark = |value: &Value| {
        Some(Mark {
            measure: Measure::coded(value[0].as_i64()?)?,
            currency: value[1].as_str().map(Currency::parse).transpose().ok()?,
            at_least: value[2].as_i64()?,
            span: value[3].as_i64().map_or(Span::Year, Span::Months),
        })
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let tier = |value: &Value| {
        Some(Tier {
            code: text(&value[0])?,
            name: text(&value[1])?,
            entry: mark(&value[2])?,
            keep: mark(&value[3])?,
            rate: Rate::from_parts_per_million(value[4].as_i64()?).ok()?,
            group: text(&value[5]),
            return_days: value[6].as_i64()?,
        })
    };
    Some(Ladder {
        tiers: from["tiers"].as_array()?.iter().map(tier).collect::<Option<_>>()?,
        grace_days: from["grace_days"].as_i64()?,
        downgrade: Downgrade::coded(from["downgrade"].as_i64()?)?,
        floor: text(&from["floor"]),
    })
}

fn counted_row(row: &mut Row<'_>) -> Result<Counted, StoreError> {
    Ok(Counted {
        at: row.instant()?,
        points: row.int()?,
        minor: row.int()?,
        currency: row.value_or_null(Currency::parse)?,
        visits: row.int()?,
    })
}

/// What something counts for a member: the bytes of an order's id, or of a transfer's in a book.
pub type Source = ([u8; 16], Option<Id<Book>>);

/// Writes what something counts for a member.
///
/// # Errors
/// What the store says.
pub fn set_counted(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    (source, book): Source,
    one: &Counted,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into member_counted (member_id, source_id, book_id, at, points, minor, currency, visits) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (member_id, source_id) do update set points = excluded.points, minor = excluded.minor, visits = excluded.visits",
        params![
            member, source, book, one.at, one.points, one.minor, one.currency.map(Currency::code), one.visits
        ],
    )?;
    Ok(())
}

/// What something counts for a member.
///
/// # Errors
/// What the store says.
pub fn find_counted(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    source: [u8; 16],
) -> Result<Option<Counted>, StoreError> {
    tx.one(
        "select at, points, minor, currency, visits from member_counted where member_id = $1 and source_id = $2",
        params![member, source],
        counted_row,
    )
}

/// What counts for a member since an instant, with those who were merged into him, the newest first, at most [`COUNTED_MAX`]; for a household
/// what counts for those in it since they joined.
///
/// # Errors
/// What the store says.
pub fn counted(tx: &mut Tx<'_>, member: Id<Member>, since: Instant) -> Result<Vec<Counted>, StoreError> {
    tx.rows(
        "select at, points, minor, currency, visits from member_counted where member_id = $1 and at >= $2
         union all
         select c.at, c.points, c.minor, c.currency, c.visits from household_member h
         join member_counted c on c.member_id = h.member_id and c.at >= h.joined_at
         where h.household_id = $1 and h.left_at is null and c.at >= $2
         union all
         select c.at, c.points, c.minor, c.currency, c.visits from member m
         join member_counted c on c.member_id = m.member_id where m.pool_id = $1 and m.state = $4 and c.at >= $2
         union all
         select c.at, c.points, c.minor, c.currency, c.visits from household_member h
         join member m on m.pool_id = h.member_id and m.state = $4
         join member_counted c on c.member_id = m.member_id and c.at >= h.joined_at
         where h.household_id = $1 and h.left_at is null and c.at >= $2
         order by at desc limit $3",
        params![member, since, COUNTED_MAX, MemberState::Merged.code()],
        counted_row,
    )
}

/// Where a member stands, once something counted.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, member: Id<Member>) -> Result<Option<Standing>, StoreError> {
    tx.one(
        "select member_id, loyalty_programme_id, number, tier, label, rate, return_days, since, falls_at, review_at, judged_at, changes
         from member_tier where member_id = $1",
        params![member],
        |row| {
            Ok(Standing {
                member: row.id()?,
                programme: row.id()?,
                number: row.int()?,
                tier: row.text_or_null()?,
                label: row.text_or_null()?,
                rate: row.word(|parts| Rate::from_parts_per_million(parts).ok())?,
                return_days: row.int()?,
                since: row.instant()?,
                falls_at: row.instant_or_null()?,
                review_at: row.instant_or_null()?,
                judged_at: row.instant()?,
                changes: row.int()?,
            })
        },
    )
}

/// Writes where a member stands.
///
/// # Errors
/// What the store says.
pub fn put(tx: &mut Tx<'_>, one: &Standing) -> Result<(), StoreError> {
    tx.execute(
        "insert into member_tier (member_id, loyalty_programme_id, number, tier, label, rate, return_days, since, falls_at, review_at,
             judged_at, changes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (member_id) do update set number = excluded.number, tier = excluded.tier, label = excluded.label, rate = excluded.rate,
             return_days = excluded.return_days, since = excluded.since, falls_at = excluded.falls_at, review_at = excluded.review_at,
             judged_at = excluded.judged_at, changes = excluded.changes",
        params![
            one.member,
            one.programme,
            one.number,
            one.tier.as_deref(),
            one.label.as_deref(),
            one.rate.parts_per_million(),
            one.return_days,
            one.since,
            one.falls_at,
            one.review_at,
            one.judged_at,
            one.changes
        ],
    )?;
    Ok(())
}

/// Takes back where a member stands, for one who is merged into another.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, member: Id<Member>) -> Result<(), StoreError> {
    tx.execute("delete from member_tier where member_id = $1", params![member])?;
    Ok(())
}

/// Takes back the changes of a member's tier after one.
///
/// # Errors
/// What the store says.
pub fn remove_changes(tx: &mut Tx<'_>, member: Id<Member>, after: i64) -> Result<(), StoreError> {
    tx.execute("delete from member_tier_change where member_id = $1 and place > $2", params![member, after])?;
    Ok(())
}

/// Members whose standing is to be judged now, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<Member>>, StoreError> {
    tx.rows(
        "select member_id from member_tier where review_at <= $1 order by review_at limit $2",
        params![now, limit],
        |row| row.id(),
    )
}

/// Members of a programme who were judged by another version than this one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn judged_otherwise(
    tx: &mut Tx<'_>,
    (programme, number): (Id<LoyaltyProgramme>, i64),
    limit: i64,
) -> Result<Vec<Id<Member>>, StoreError> {
    tx.rows(
        "select member_id from member_tier where loyalty_programme_id = $1 and (number < $2 or number > $2) limit $3",
        params![programme, number, limit],
        |row| row.id(),
    )
}

/// Notes a change of a member's tier.
///
/// # Errors
/// What the store says.
pub fn add_change(tx: &mut Tx<'_>, member: Id<Member>, one: &Change) -> Result<(), StoreError> {
    tx.execute(
        "insert into member_tier_change (member_id, place, at, number, before, after, why) values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            member,
            one.place,
            one.at,
            one.number,
            one.before.as_deref(),
            one.after.as_deref(),
            one.why.code()
        ],
    )?;
    Ok(())
}

/// The changes of a member's tier before one, the newest first.
///
/// # Errors
/// What the store says.
pub fn changes(
    tx: &mut Tx<'_>,
    member: Id<Member>,
    before: i64,
    limit: i64,
) -> Result<Vec<Change>, StoreError> {
    tx.rows(
        "select place, at, number, before, after, why from member_tier_change where member_id = $1 and place < $2
         order by place desc limit $3",
        params![member, before, limit],
        |row| {
            Ok(Change {
                place: row.int()?,
                at: row.instant()?,
                number: row.int()?,
                before: row.text_or_null()?,
                after: row.text_or_null()?,
                why: row.word(Why::coded)?,
            })
        },
    )
}

/// The groups a customer belongs to by his tiers, and those of his households, at an instant, and by how many days they lengthen the windows of his returns.
///
/// # Errors
/// What the store says.
pub fn brought(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    at: Instant,
) -> Result<Vec<(Option<String>, i64)>, StoreError> {
    tx.rows(
        "select t.label, t.return_days from member_of_customer o join member m on m.member_id = o.member_id
         join member_tier t on t.member_id in (o.member_id, m.pool_id)
         where o.customer_id = $1 and m.state = $2 and (t.falls_at is null or t.falls_at > $3) order by t.member_id",
        params![customer, MemberState::Active.code(), at],
        |row| Ok((row.text_or_null()?, row.int()?)),
    )
}

/// An order of a member whose goods have left, what its lines say it counts, and what is noted; `None` when nothing is.
pub type Miscounted = (Id<Order>, Id<Member>, [i64; 3], Option<[i64; 3]>);

/// Orders that left and count otherwise than their lines say: points, money, visits.
///
/// # Errors
/// What the store says.
pub fn miscounted(tx: &mut Tx<'_>) -> Result<Vec<Miscounted>, StoreError> {
    tx.rows(
        "select e.order_id, e.member_id, s.points, s.minor, s.visits, f.points, f.minor, f.visits
         from (
             select k.order_id, k.member_id,
                 cast(sum(k.line_points) + case when sum(k.stays) > 0 then sum(k.delivery_points) else 0 end as {int}) as points,
                 cast(sum(k.line_minor) + case when sum(k.stays) > 0 then sum(k.delivery_minor) else 0 end as {int}) as minor,
                 cast(case when sum(k.stays) > 0 then 1 else 0 end as {int}) as visits
             from (
                 select w.order_id, w.member_id,
                     case when l.line_id is null then 0
                         else (2 * w.points * (l.quantity - l.cancelled - l.returned) + l.quantity) / (2 * l.quantity) end as line_points,
                     case when l.line_id is null then 0
                         else (2 * w.counted * (l.quantity - l.cancelled - l.returned) + l.quantity) / (2 * l.quantity) end as line_minor,
                     case when l.line_id is null then w.points else 0 end as delivery_points,
                     case when l.line_id is null then w.counted else 0 end as delivery_minor,
                     case when l.line_id is null then 0 else l.quantity - l.cancelled - l.returned end as stays
                 from point_earning_line w left join order_line l on l.order_id = w.order_id and l.line_id = w.order_line_id
             ) k group by k.order_id, k.member_id
         ) s
         join point_earning e on e.order_id = s.order_id and e.member_id = s.member_id
         join point_lot p on p.member_id = e.member_id and p.point_lot_id = e.point_lot_id
         left join member_counted f on f.member_id = e.member_id and f.source_id = e.order_id
         where p.available_at is not null
             and (f.source_id is null or f.points <> s.points or f.minor <> s.minor or f.visits <> s.visits)
         limit $1",
        params![FINDINGS_MAX],
        |row| {
            let (order, member) = (row.id()?, row.id()?);
            let says = [row.int()?, row.int()?, row.int()?];
            let noted = [row.int_or_null()?, row.int_or_null()?, row.int_or_null()?];
            let noted = noted[0].zip(noted[1]).zip(noted[2]).map(|((points, minor), visits)| [points, minor, visits]);
            Ok((order, member, says, noted))
        },
    )
}

/// A transfer that gave points or took them by hand and counts otherwise for the member it was for, or does not at all.
///
/// # Errors
/// What the store says.
pub fn transfers_miscounted(tx: &mut Tx<'_>) -> Result<Vec<(Id<Transfer>, i64, i64)>, StoreError> {
    tx.rows(
        "select p.transfer_id, -p.amount, coalesce(f.points, 0)
         from posting p join book b on b.book_id = p.book_id
         left join (select book_id, source_id, cast(sum(points) as {int}) as points from member_counted where book_id is not null
             group by book_id, source_id) f on f.book_id = p.book_id and f.source_id = p.transfer_id
         where b.kind = $1 and p.state in ($2, $3) and (f.points is null or f.points <> -p.amount)
         union all
         select f.source_id, cast(0 as {int}), f.points from member_counted f
         where f.book_id is not null and f.points <> 0 and not exists (select 1 from posting p
             where p.book_id = f.book_id and p.transfer_id = f.source_id and p.state in ($2, $3))
         limit $4",
        params![
            domain::ledger::BookKind::Points.code(),
            State::Issued.code(),
            State::Adjusted.code(),
            FINDINGS_MAX
        ],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// A member, the tier his last change led to, and the one he has.
pub type Untold = (Id<Member>, Option<String>, Option<String>);

/// Members whose tier is not the one their last change led to.
///
/// # Errors
/// What the store says.
pub fn untold(tx: &mut Tx<'_>) -> Result<Vec<Untold>, StoreError> {
    tx.rows(
        "select t.member_id, c.after, t.tier from member_tier t
         left join member_tier_change c on c.member_id = t.member_id and c.place = t.changes
         where coalesce(c.after, '') <> coalesce(t.tier, '') limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.text_or_null()?, row.text_or_null()?)),
    )
}

/// Where members stand, after one, in the order of their ids.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<Member>, limit: i64) -> Result<Vec<Id<Member>>, StoreError> {
    tx.rows(
        "select member_id from member_tier where member_id > $1 order by member_id limit $2",
        params![after, limit],
        |row| row.id(),
    )
}
