//! Points of a member: earned, released, given, taken back and expired. How many there are is a balance of the ledger; when they expire is
//! said by lots, which change with it under the member's lock, the member always locked after the order.

use std::borrow::Cow;

use domain::actor::{Actor, Permission};
use domain::ledger::NewTransfer;
use domain::loyalty::points::{self as rules, LotState, MemberState};
use domain::loyalty::programme::{Occasion, Terms};
use domain::loyalty::{State, account};
use domain::value::id::{Book, Member as MemberKind, PointLot, Transfer};
use domain::value::{Id, Instant, Zone};
use domain::{Code, Refusal};
use store::loyalty::points::{self as rows, Earning, Lot};
use store::loyalty::{member as members, programme};
use store::{StoreError, Tx, ledger as books};

use super::member::{self, Member};
use super::{Cause, notice, tier, too_little};
use crate::ledger::{Told, post};
use crate::{Failure, World};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// The most lots one run of a duty touches.
const BATCH: i64 = 100;
/// The most books points go on through: from a household that ended to who left it last, to whom he was merged into, and into the household
/// that one is in.
const POOLS_MAX: usize = 3;

/// Moves points between accounts of a member's book; nothing when nothing moves.
pub(super) fn moved(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
    (reason, moves): (&'static str, &[(State, i64)]),
    cause: Option<Cause>,
) -> Result<Option<Id<Transfer>>, Failure> {
    let credit = member::credit_of(of);
    let postings = rules::lines(credit.book, moves);
    if postings.is_empty() {
        return Ok(None);
    }
    let into = |state| moves.iter().filter(|(own, _)| *own == state).map(|(_, amount)| amount).sum::<i64>();
    let told = cause.as_ref().map(|(kind, id)| (*kind, id.as_str()));
    let mut notice = notice(&credit, reason, into(State::Balance), told);
    notice.body["pending"] = into(State::Pending).into();
    let cause = cause.map(|(kind, id)| (Cow::Borrowed(kind), id));
    let id = world.id();
    let transfer = NewTransfer { id, book: credit.book, reason, cause, postings };
    post(tx, actor, world, Told { transfer, notice }, too_little(&credit))?;
    Ok(Some(id))
}

/// An order begins to earn a member points, none yet. They stay pending until the goods have left and the return window is over, and
/// expire by the clock of a zone.
///
/// # Errors
/// What the store says.
pub(crate) fn begin(tx: &mut Tx<'_>, world: &World, earning: &Earning, zone: Zone) -> Result<(), Failure> {
    let lot = Lot {
        member: earning.member,
        id: earning.lot,
        state: LotState::Pending,
        earner: earning.member,
        order: Some(earning.order),
        occasion: None,
        granted: 0,
        rest: 0,
        counted: 0,
        number: earning.number,
        zone,
        available_at: None,
        expires_at: None,
        made_at: world.now(),
    };
    rows::add_lot(tx, &lot)?;
    rows::add_earning(tx, earning)?;
    Ok(())
}

/// Brings what an order earned to what it is worth now. What is taken back comes from its own lot first, then from the others, and what is
/// missing is owed.
///
/// # Errors
/// What the store says.
pub(crate) fn bring_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    earning: &Earning,
    (points, counted): (i64, i64),
) -> Result<(), Failure> {
    let of = earning.member;
    member::lock(tx, of)?;
    let mut lot = find_lot(tx, of, earning.lot)?;
    let change = points - earning.points;
    if change == 0 && counted == lot.counted {
        return Ok(());
    }
    let reason = if change > 0 { "earned" } else { "taken_back" };
    let own = change.max(-lot.rest);
    (lot.granted, lot.rest, lot.counted) = (points, lot.rest + own, counted);
    rows::update_lot(tx, &lot)?;
    rows::update_earning(tx, &Earning { points, ..earning.clone() })?;
    let place = if lot.state == LotState::Pending { State::Pending } else { State::Balance };
    let (others, missing) = take(tx, of, own - change)?;
    let moves = [(place, own), (State::Balance, -others), (State::Owed, -missing), (State::Earned, -change)];
    moved(tx, actor, world, of, (reason, &moves), Some(("order", earning.order.to_string())))?;
    settle(tx, actor, world, of)
}

/// Takes points from lots that can be spent from, the first to expire first; answers how many there were, and how many are missing.
pub(super) fn take(tx: &mut Tx<'_>, of: Id<MemberKind>, points: i64) -> Result<(i64, i64), Failure> {
    if points == 0 {
        return Ok((0, 0));
    }
    let lots = rows::spendable(tx, of)?.into_iter().map(|lot| (lot.id, lot.rest));
    let (taken, missing) = rules::taken(lots, points);
    for (lot, part) in taken {
        rows::change_rest(tx, (of, lot), -part)?;
    }
    Ok((points - missing, missing))
}

/// What is owed is paid by what can be spent; what is left of either goes on into the book where the member shares it.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
) -> Result<(), Failure> {
    pay_debt(tx, actor, world, of)?;
    let mut from = of;
    for _ in 0..POOLS_MAX {
        let Some(into) = member::find(tx, from)?.pool else { break };
        pour(tx, actor, world, (from, into), None)?;
        from = into;
    }
    Ok(())
}

/// Moves what can be spent from one book to another, with the expiry it has: what one member brought in, or all, and then also what is owed.
/// Answers how many points moved.
pub(super) fn pour(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (Id<MemberKind>, Id<MemberKind>),
    earner: Option<Id<MemberKind>>,
) -> Result<i64, Failure> {
    let (now, to) = (world.now(), member::lock(tx, into)?);
    let mut lots = rows::spendable(tx, from)?;
    lots.retain(|lot| earner.is_none_or(|earner| lot.earner == earner));
    for lot in &lots {
        rows::change_rest(tx, (from, lot.id), -lot.rest)?;
        let expires_at = if to.state == MemberState::Ended { Some(now) } else { lot.expires_at };
        let (member, id, order, occasion) = (into, world.id(), None, None);
        let (granted, counted, made_at) = (lot.rest, 0, now);
        let moved = Lot { member, id, order, occasion, granted, counted, expires_at, made_at, ..lot.clone() };
        rows::add_lot(tx, &moved)?;
    }
    let points: i64 = lots.iter().map(|lot| lot.rest).sum();
    let owed = match earner {
        Some(_) => 0,
        None => -books::balance(tx, from.shared_with(), account(from.shared_with(), State::Owed))?,
    };
    let out = [(State::Balance, -points), (State::Owed, owed), (State::Moved, points - owed)];
    moved(tx, actor, world, from, ("moved", &out), Some(("member", into.to_string())))?;
    let back = [(State::Balance, points), (State::Owed, -owed), (State::Moved, owed - points)];
    moved(tx, actor, world, into, ("moved", &back), Some(("member", from.to_string())))?;
    pay_debt(tx, actor, world, into)?;
    Ok(points)
}

/// What is owed is paid by what can be spent.
fn pay_debt(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, of: Id<MemberKind>) -> Result<(), Failure> {
    let owed = -books::balance(tx, of.shared_with(), account(of.shared_with(), State::Owed))?;
    if owed < 1 {
        return Ok(());
    }
    let (paid, _) = take(tx, of, owed)?;
    moved(tx, actor, world, of, ("debt_paid", &[(State::Balance, -paid), (State::Owed, paid)]), None)
        .map(drop)
}

pub(super) fn find_lot(tx: &mut Tx<'_>, of: Id<MemberKind>, id: Id<PointLot>) -> Result<Lot, Failure> {
    let lost = || StoreError::Corrupt(format!("member {of} has no lot {id}"));
    Ok(rows::find_lot(tx, of, id)?.ok_or_else(lost)?)
}

/// The last goods of an order left: its points become available when the return window is over, at once when there is none.
///
/// # Errors
/// What the store says.
pub(crate) fn left(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    earning: &Earning,
    pending_days: i64,
) -> Result<(), Failure> {
    member::lock(tx, earning.member)?;
    let mut lot = find_lot(tx, earning.member, earning.lot)?;
    if lot.state != LotState::Pending || lot.available_at.is_some() {
        return Ok(());
    }
    lot.available_at = Some(world.now().plus_seconds(pending_days * DAY_SECONDS));
    rows::update_lot(tx, &lot)?;
    if pending_days == 0 { release(tx, actor, world, lot) } else { Ok(()) }
}

/// Makes points available; what is owed is paid by them first.
fn release(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, mut lot: Lot) -> Result<(), Failure> {
    let member = member::find(tx, lot.member)?;
    let terms = super::programme::find_version(tx, member.programme, lot.number)?.terms;
    lot.state = LotState::Available;
    lot.expires_at = match member.state {
        MemberState::Ended => Some(world.now()),
        _ => terms.expires_at(lot.available_at.unwrap_or_else(|| world.now()), &lot.zone),
    };
    rows::update_lot(tx, &lot)?;
    let moves = [(State::Pending, -lot.rest), (State::Balance, lot.rest)];
    let cause = lot.order.map(|order| ("order", order.to_string()));
    moved(tx, actor, world, lot.member, ("released", &moves), cause)?;
    settle(tx, actor, world, lot.member)
}

/// The duty that makes points available whose return window is over; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn release_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::due(tx, world.now(), BATCH)?;
    member::lock_all(tx, &due.iter().map(|(of, _)| *of).collect::<Vec<_>>())?;
    for (of, id) in &due {
        let lot = find_lot(tx, *of, *id)?;
        let is_due = lot.available_at.is_some_and(|at| at <= world.now());
        if lot.state == LotState::Pending && is_due {
            release(tx, actor, world, lot)?;
        }
    }
    Ok(due.len() as i64 == BATCH)
}

/// The duty that lets points expire; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let over = rows::over(tx, world.now(), BATCH)?;
    member::lock_all(tx, &over.iter().map(|(of, _)| *of).collect::<Vec<_>>())?;
    for (of, id) in &over {
        let lot = find_lot(tx, *of, *id)?;
        lapse(tx, actor, world, &lot)?;
    }
    Ok(over.len() as i64 == BATCH)
}

/// What is left of points that could be spent lapses.
fn lapse(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, lot: &Lot) -> Result<(), Failure> {
    rows::change_rest(tx, (lot.member, lot.id), -lot.rest)?;
    let moves = [(State::Balance, -lot.rest), (State::Expired, lot.rest)];
    moved(tx, actor, world, lot.member, ("expired", &moves), Some(("lot", lot.id.to_string()))).map(drop)
}

/// All points of a member whose lock is held lapse, and those that come back to their lots will.
pub(super) fn lapse_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
) -> Result<(), Failure> {
    for lot in rows::spendable(tx, of)? {
        lapse(tx, actor, world, &lot)?;
    }
    Ok(rows::end_lots(tx, of, world.now())?)
}

/// Gives a member points on an occasion of the programme, such as a birthday; they can be spent at once.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`] for an occasion the programme does not know, [`Code::WrongState`] when the member has left or had
/// it as often as may be.
pub fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
    code: &str,
) -> Result<(), Failure> {
    actor.may_somewhere(Permission::GivePoints)?;
    let member = member::lock(tx, of.id)?;
    member_takes_part(&member)?;
    let (number, terms) = in_force(tx, &member, world.now())?;
    let Some(Occasion { code, points, times_max }) = terms.occasions.iter().find(|one| one.code == code)
    else {
        return Err(
            Refusal::invalid("occasion", format!("the programme knows no occasion \"{code}\"")).into()
        );
    };
    if let Some(most) = *times_max
        && rows::given_on(tx, of.id, code)? >= most
    {
        let message = format!("the member had \"{code}\" {most} times, as often as it is given");
        return Err(Refusal::new(Code::WrongState, message).at("occasion").into());
    }
    let lot = available(world, of.id, (*points, number), &terms);
    rows::add_lot(tx, &Lot { occasion: Some(code.clone()), ..lot })?;
    let moves = [(State::Issued, -points), (State::Balance, *points)];
    let given = moved(tx, actor, world, of.id, ("issued", &moves), Some(("occasion", code.clone())))?;
    counts(tx, actor, world, of.id, (of.id, given, *points))?;
    settle(tx, actor, world, of.id)
}

fn member_takes_part(member: &Member) -> Result<(), Refusal> {
    if member.left_at.is_none() {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongState, "the member has left; enrol the customer again first"))
}

/// Points that can be spent at once.
pub(super) fn available(
    world: &mut World,
    of: Id<MemberKind>,
    (points, number): (i64, i64),
    terms: &Terms,
) -> Lot {
    let now = world.now();
    Lot {
        member: of,
        id: world.id(),
        state: LotState::Available,
        earner: of,
        order: None,
        occasion: None,
        granted: points,
        rest: points,
        counted: 0,
        number,
        zone: terms.zone.clone(),
        available_at: Some(now),
        expires_at: terms.expires_at(now, &terms.zone),
        made_at: now,
    }
}

pub(super) fn in_force(tx: &mut Tx<'_>, member: &Member, at: Instant) -> Result<(i64, Terms), Failure> {
    let found = programme::in_force(tx, member.programme, at)?;
    let none = || Refusal::new(Code::WrongState, "the loyalty programme is not in force");
    let version = found.ok_or_else(none)?;
    Ok((version.number, version.terms))
}

/// Corrects a member's points by hand: more (positive) or less (negative), which his household has if he is in one. `note` is the retailer's word for it.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] for 0 or out of bounds, [`Code::AmountExceeded`] when there are fewer.
pub fn adjust(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
    (change, note): (i64, String),
) -> Result<(), Failure> {
    actor.may_somewhere(Permission::GivePoints)?;
    super::rules::amount(change.saturating_abs())
        .map_err(|_| Refusal::invalid("change", "give a number of points that is not 0"))?;
    let member = member::lock(tx, of.id)?;
    let from = member.pool.filter(|_| change < 0).unwrap_or(of.id);
    if change > 0 {
        let (number, terms) = in_force(tx, &member, world.now())?;
        let lot = available(world, of.id, (change, number), &terms);
        rows::add_lot(tx, &lot)?;
    } else {
        member::lock(tx, from)?;
        let (found, missing) = take(tx, from, -change)?;
        if missing > 0 {
            let message = format!("{found} points can be taken; take fewer");
            return Err(Refusal::new(Code::AmountExceeded, message).at("change").into());
        }
    }
    let moves = [(State::Balance, change), (State::Adjusted, -change)];
    let given = moved(tx, actor, world, from, ("adjusted", &moves), Some(("note", note)))?;
    counts(tx, actor, world, of.id, (from, given, change))?;
    settle(tx, actor, world, of.id)
}

/// Gives a member points for a friend, or for being one, or takes them back; what is missing then is owed. The version of the programme that
/// gives them says when they expire.
pub(super) fn give_or_take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, number, terms): (Id<MemberKind>, i64, &Terms),
    (change, cause): (i64, Option<Cause>),
) -> Result<(), Failure> {
    let member = member::lock(tx, of)?;
    let from = member.pool.filter(|_| change < 0).unwrap_or(of);
    let (mut balance, mut owed) = (change, 0);
    if change > 0 {
        rows::add_lot(tx, &available(world, of, (change, number), terms))?;
    } else {
        member::lock(tx, from)?;
        let (found, missing) = take(tx, from, -change)?;
        (balance, owed) = (-found, -missing);
    }
    let reason = if change > 0 { "issued" } else { "taken_back" };
    let moves = [(State::Balance, balance), (State::Owed, owed), (State::Issued, -change)];
    let given = moved(tx, actor, world, from, (reason, &moves), cause)?;
    counts(tx, actor, world, of, (from, given, change))?;
    settle(tx, actor, world, of)
}

/// Points given or taken by a transfer count for the member's tier.
fn counts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
    (book, given, points): (Id<MemberKind>, Option<Id<Transfer>>, i64),
) -> Result<(), Failure> {
    let Some(transfer) = given else { return Ok(()) };
    tier::transfer_counts(tx, actor, world, of, (book.shared_with(), transfer, points))
}

/// What a member has; what can be spent, is held or owed is his household's if he is in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Can be spent; less than zero where the programme shows what is owed so.
    pub free: i64,
    /// Waits for the return window to end.
    pub pending: i64,
    /// Held for orders.
    pub held: i64,
    /// Was taken back after it was spent, and is paid by new points first; 0 where the balance shows it.
    pub owed: i64,
    /// When the next points expire, and how many.
    pub next_expiry: Option<(Instant, i64)>,
}

/// What a member has.
///
/// # Errors
/// What the store says.
pub fn balance(tx: &mut Tx<'_>, of: &Member, now: Instant) -> Result<Balance, Failure> {
    let shared = of.pool.unwrap_or(of.id);
    let mut in_book = |book: Id<Book>, state| books::balance(tx, book, account(book, state));
    let mut pending = in_book(of.id.shared_with(), State::Pending)?;
    for merged in members::merged_with(tx, of.id)? {
        pending += books::balance(tx, merged.shared_with(), account(merged.shared_with(), State::Pending))?;
    }
    let mut in_book = |book: Id<Book>, state| books::balance(tx, book, account(book, state));
    let mut of_state = |state| in_book(shared.shared_with(), state);
    let (free, held, owed) = (of_state(State::Balance)?, of_state(State::Held)?, -of_state(State::Owed)?);
    let terms = programme::in_force(tx, of.programme, now)?.map(|version| version.terms);
    let below_zero = terms.is_some_and(|terms| terms.below_zero);
    let lots = rows::spendable(tx, shared)?;
    let next = lots.iter().filter_map(|lot| lot.expires_at).min();
    let expiring = |at| lots.iter().filter(|lot| lot.expires_at == Some(at)).map(|lot| lot.rest).sum();
    Ok(Balance {
        free: if below_zero { free - owed } else { free },
        pending,
        held,
        owed: if below_zero { 0 } else { owed },
        next_expiry: next.map(|at| (at, expiring(at))),
    })
}
