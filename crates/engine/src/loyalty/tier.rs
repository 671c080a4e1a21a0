//! Tiers of members: judged in the transaction that changes what counts, and by a duty at the instants at which time alone changes it.

use domain::actor::Actor;
use domain::loyalty::household::Tiers;
use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::loyalty::programme::Terms;
use domain::loyalty::tier::{self as rules, Counted, Ladder, Mark, Why};
use domain::value::id::{Book, Customer, Member as MemberKind, Order, Transfer};
use domain::value::{Currency, Id, Instant, Rate, Zone};
use serde_json::json;
use store::Tx;
use store::loyalty::programme::{self, Version};
use store::loyalty::tier as rows;

pub use store::loyalty::tier::{Change, Standing};

use super::member::{self, Member};
use super::programme::PROGRAMMES_MAX;
use crate::event::emit;
use crate::{Failure, World};

/// The most members one run of the duty judges, of each kind.
const BATCH: i64 = 100;
/// The most instants that are judged one after the other for a member nobody looked at for long.
const REVIEWS_MAX: usize = 1000;

/// What an order counts for a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderCounts {
    /// The order.
    pub order: Id<Order>,
    /// The points it earned.
    pub points: i64,
    /// For how much money, in minor units.
    pub minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// Is something of it kept?
    pub is_kept: bool,
    /// Have the last of its goods left? Before that it does not count.
    pub has_left: bool,
}

/// Notes what an order counts, once its goods have left, and judges the member. Idempotent.
///
/// # Errors
/// What the store says.
pub(crate) fn order_counts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
    one: OrderCounts,
) -> Result<(), Failure> {
    let known = rows::find_counted(tx, of, one.order.bytes())?;
    if known.is_none() && !one.has_left {
        return Ok(());
    }
    let counted = Counted {
        at: known.map_or(world.now(), |known| known.at),
        points: one.points,
        minor: one.minor,
        currency: Some(one.currency),
        visits: one.is_kept.into(),
    };
    if known == Some(counted) {
        return Ok(());
    }
    rows::set_counted(tx, of, (one.order.bytes(), None), &counted)?;
    judge_with_household(tx, actor, world, of)
}

/// Notes that points were given or taken otherwise than by an order, and judges the member.
pub(super) fn transfer_counts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
    (book, transfer, points): (Id<Book>, Id<Transfer>, i64),
) -> Result<(), Failure> {
    let counted = Counted { at: world.now(), points, minor: 0, currency: None, visits: 0 };
    rows::set_counted(tx, of, (transfer.bytes(), Some(book)), &counted)?;
    judge_with_household(tx, actor, world, of)
}

/// Judges where a member stands, or who he was merged into, and then the household, if there is one.
pub(super) fn judge_with_household(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
) -> Result<(), Failure> {
    let member = member::find(tx, of)?;
    match (member.state, member.pool) {
        (MemberState::Merged, Some(into)) => judge_with_household(tx, actor, world, into),
        (_, pool) => {
            judge(tx, actor, world, of)?;
            pool.map_or(Ok(()), |household| household_counts(tx, actor, world, household))
        }
    }
}

/// What counts for a household changed: where it stands is judged, if the programme says that all of it counts together, or did.
pub(super) fn household_counts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    household: Id<MemberKind>,
) -> Result<(), Failure> {
    let of = member::find(tx, household)?;
    let version = programme::in_force(tx, of.programme, world.now())?;
    let is_together = version.is_some_and(|version| climbed(Kind::Household, &version.terms).is_some());
    if is_together || rows::find(tx, household)?.is_some() {
        judge(tx, actor, world, household)?;
    }
    Ok(())
}

/// The ladder members climb by what counts for them, and whose clock counts; households climb one only where it counts together.
fn climbed(kind: Kind, terms: &Terms) -> Option<(&Ladder, &Zone)> {
    let is_together = terms.sharing.is_some_and(|sharing| sharing.tiers == Tiers::Together);
    Some((terms.ladder.as_ref().filter(|_| kind == Kind::Person || is_together)?, &terms.zone))
}

/// Judges where a member stands, at each instant that is due and now.
///
/// # Errors
/// What the store says.
fn judge(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, of: Id<MemberKind>) -> Result<Standing, Failure> {
    let member = member::lock(tx, of)?;
    let now = world.now();
    let mut standing = rows::find(tx, of)?.unwrap_or_else(|| Standing {
        member: of,
        programme: member.programme,
        number: 0,
        tier: None,
        label: None,
        rate: whole(),
        return_days: 0,
        since: now,
        falls_at: None,
        review_at: None,
        judged_at: now,
        changes: 0,
    });
    for _ in 0..REVIEWS_MAX {
        let Some(due) = standing.review_at.filter(|due| *due < now) else { break };
        judge_at(tx, actor, world, (member.kind, &mut standing), due)?;
    }
    judge_at(tx, actor, world, (member.kind, &mut standing), now)?;
    rows::put(tx, &standing)?;
    Ok(standing)
}

fn whole() -> Rate {
    Rate::from_parts_per_million(Rate::WHOLE).unwrap_or(Rate::ZERO)
}

/// Judges where a member stands at an instant, by the version that is in force then.
fn judge_at(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (kind, standing): (Kind, &mut Standing),
    at: Instant,
) -> Result<(), Failure> {
    let (was, before) = (standing.number, standing.tier.take());
    let version = programme::in_force(tx, standing.programme, at)?;
    let (number, terms) = version.map_or((0, None), |version| (version.number, Some(version.terms)));
    (standing.number, standing.judged_at) = (number, at);
    let warned = standing.falls_at.take();
    (standing.review_at, standing.label) = (None, None);
    (standing.rate, standing.return_days) = (whole(), 0);
    let mut place = None;
    if let Some((ladder, zone)) = terms.as_ref().and_then(|terms| climbed(kind, terms)) {
        let counted = rows::counted(tx, standing.member, ladder.since(at, zone))?;
        place = before.as_ref().and_then(|code| ladder.place(code));
        let stands = ladder.judge(&counted, rules::Standing { tier: place, falls_at: warned }, at, zone);
        standing.falls_at = stands.falls_at;
        standing.review_at = ladder.next_review(&counted, stands, at, zone);
        let is_up = stands.tier > place;
        place = is_up.then_some(0);
        if let Some(tier) = stands.tier.map(|tier| &ladder.tiers[tier]) {
            (standing.tier, standing.label) = (Some(tier.code.clone()), tier.group.clone());
            (standing.rate, standing.return_days) = (tier.rate, tier.return_days);
        }
    }
    if standing.tier == before {
        if let Some(falls_at) = standing.falls_at.filter(|_| warned.is_none()) {
            let body = json!({ "tier": before, "falls_at": falls_at.to_string() });
            emit(tx, actor, world, standing.member, "member.tier_at_risk", body);
        }
        return Ok(());
    }
    let why = match place {
        _ if was != number && was != 0 => Why::Rules,
        Some(_) => Why::Reached,
        None => Why::Fell,
    };
    (standing.since, standing.changes) = (at, standing.changes + 1);
    let after = standing.tier.clone();
    let change = Change { place: standing.changes, at, number, before, after, why };
    rows::add_change(tx, standing.member, &change)?;
    let body = json!({ "programme": standing.programme.to_string(), "version": number, "before": change.before, "after": change.after,
        "at": at.to_string(), "why": why.text() });
    emit(tx, actor, world, standing.member, "member.tier_changed", body);
    Ok(())
}

/// Where two members stood before one was merged into the other, and how often the other's tier had changed and when it was judged then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stood {
    /// Who was merged.
    pub theirs: Option<Standing>,
    /// Whom he was merged into.
    pub own: Option<Standing>,
    /// Changes and last judgement of the other after that.
    pub after: Option<(i64, Instant)>,
}

/// What counts for a member counts for another from now on, who keeps the better of both tiers.
pub(super) fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (Id<MemberKind>, Id<MemberKind>),
) -> Result<Stood, Failure> {
    let (theirs, own) = (rows::find(tx, from)?, rows::find(tx, into)?);
    if let Some(better) = &theirs {
        rows::remove(tx, from)?;
        let version = programme::in_force(tx, better.programme, world.now())?;
        let ladder = version.as_ref().and_then(|version| version.terms.ladder.as_ref());
        let place = |one: &Standing| ladder.and_then(|ladder| ladder.place(one.tier.as_ref()?));
        if place(better) > own.as_ref().and_then(place) {
            let changes = own.as_ref().map_or(0, |own| own.changes) + 1;
            let (before, after) = (own.as_ref().and_then(|own| own.tier.clone()), better.tier.clone());
            rows::put(tx, &Standing { member: into, changes, ..better.clone() })?;
            let (at, number) = (world.now(), better.number);
            let body = json!({ "programme": better.programme.to_string(), "version": number, "before": before, "after": after,
                "at": at.to_string(), "why": Why::Merged.text() });
            let change = Change { place: changes, at, number, before, after, why: Why::Merged };
            rows::add_change(tx, into, &change)?;
            emit(tx, actor, world, into, "member.tier_changed", body);
        }
        judge_with_household(tx, actor, world, into)?;
    }
    let after = rows::find(tx, into)?.map(|now| (now.changes, now.judged_at));
    Ok(Stood { theirs, own, after })
}

/// What counts for a member counts for nobody else any more. Both stand where they stood, unless something counted for the other since: then
/// he is judged.
pub(super) fn part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    into: Id<MemberKind>,
    stood: &Stood,
) -> Result<(), Failure> {
    let Some(theirs) = &stood.theirs else { return Ok(()) };
    rows::put(tx, theirs)?;
    if rows::find(tx, into)?.map(|now| (now.changes, now.judged_at)) != stood.after {
        return judge_with_household(tx, actor, world, into);
    }
    rows::remove_changes(tx, into, stood.own.as_ref().map_or(0, |own| own.changes))?;
    match &stood.own {
        Some(own) => rows::put(tx, own)?,
        None => rows::remove(tx, into)?,
    }
    match member::find(tx, into)?.pool {
        Some(household) => household_counts(tx, actor, world, household),
        None => Ok(()),
    }
}

/// How much of what others earn a member earns now, by his own tier or his household's.
///
/// # Errors
/// What the store says.
pub(crate) fn rate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, number): (Id<MemberKind>, i64),
) -> Result<Rate, Failure> {
    let mut rates = Vec::new();
    for of in [Some(of), member::find(tx, of)?.pool].into_iter().flatten() {
        let Some(known) = rows::find(tx, of)? else { continue };
        let is_due = known.review_at.is_some_and(|at| at <= world.now()) || known.number != number;
        let standing = if is_due { judge(tx, actor, world, of)? } else { known };
        rates.extend(standing.tier.map(|_| standing.rate));
    }
    Ok(rates.into_iter().max_by_key(|rate| rate.parts_per_million()).unwrap_or_else(whole))
}

/// Does a member stand at a tier, or above it, by himself or with his household?
pub(super) fn is_at_least(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, version): (Id<MemberKind>, Option<&Version>),
    least: &str,
) -> Result<bool, Failure> {
    let Some(ladder) = version.and_then(|version| version.terms.ladder.as_ref()) else { return Ok(false) };
    let Some(least) = ladder.place(least) else { return Ok(false) };
    for of in [Some(of), member::find(tx, of)?.pool].into_iter().flatten() {
        if rows::find(tx, of)?.is_none() {
            continue;
        }
        let standing = judge(tx, actor, world, of)?;
        if standing.tier.and_then(|own| ladder.place(&own)) >= Some(least) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The groups a customer belongs to by his tiers at an instant, beside those the retailer put him into.
///
/// # Errors
/// What the store says.
pub(crate) fn groups(tx: &mut Tx<'_>, customer: Id<Customer>, at: Instant) -> Result<Vec<String>, Failure> {
    Ok(rows::brought(tx, customer, at)?.into_iter().filter_map(|(group, _)| group).collect())
}

/// By how many days a customer's tiers lengthen the windows of his returns at an instant.
///
/// # Errors
/// What the store says.
pub(crate) fn return_days(
    tx: &mut Tx<'_>,
    customer: Option<Id<Customer>>,
    at: Instant,
) -> Result<i64, Failure> {
    let Some(customer) = customer else { return Ok(0) };
    Ok(rows::brought(tx, customer, at)?.into_iter().map(|(_, days)| days).max().unwrap_or(0))
}

/// The duty that judges members whose standing time or a new version changes; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn review_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let now = world.now();
    let mut members = rows::due(tx, now, BATCH)?;
    for one in programme::list(tx, PROGRAMMES_MAX)? {
        if let Some(version) = programme::in_force(tx, one.id, now)? {
            members.extend(rows::judged_otherwise(tx, (one.id, version.number), BATCH)?);
        }
    }
    members.sort_unstable();
    members.dedup();
    member::lock_all(tx, &members)?;
    for of in &members {
        judge(tx, actor, world, *of)?;
    }
    Ok(members.len() as i64 >= BATCH)
}

/// A tier a member has not reached, and how far he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its code.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What is enough to reach it.
    pub entry: Mark,
    /// How much counts now.
    pub measured: i64,
}

/// A member's tier, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Code and name of the tier; none yet when `None`.
    pub tier: Option<(String, String)>,
    /// Since when.
    pub since: Option<Instant>,
    /// When it is lost, unless enough counts by then.
    pub falls_at: Option<Instant>,
    /// The tier after it.
    pub next: Option<Next>,
}

/// A member's tier, by himself or with his household, and what is missing for the next one.
///
/// # Errors
/// What the store says.
pub fn reached(tx: &mut Tx<'_>, of: &Member, now: Instant) -> Result<Reached, Failure> {
    let version = programme::in_force(tx, of.programme, now)?;
    let Some((ladder, zone)) = version.as_ref().and_then(|one| climbed(Kind::Person, &one.terms)) else {
        return Ok(Reached { tier: None, since: None, falls_at: None, next: None });
    };
    let is_together = version.as_ref().is_some_and(|one| climbed(Kind::Household, &one.terms).is_some());
    let place_of =
        |standing: &Option<Standing>| standing.as_ref().and_then(|own| ladder.place(own.tier.as_ref()?));
    let (mut whose, mut standing) = (of.id, rows::find(tx, of.id)?);
    if let Some(household) = of.pool.filter(|_| is_together) {
        let shared = rows::find(tx, household)?;
        if place_of(&shared) >= place_of(&standing) {
            (whose, standing) = (household, shared);
        }
    }
    let place = place_of(&standing);
    let counted = rows::counted(tx, whose, ladder.since(now, zone))?;
    let next = ladder.missing(&counted, place, now, zone).map(|(tier, measured)| Next {
        code: tier.code.clone(),
        name: tier.name.clone(),
        entry: tier.entry,
        measured,
    });
    let named = |place: usize| (ladder.tiers[place].code.clone(), ladder.tiers[place].name.clone());
    let own = standing.filter(|_| place.is_some());
    Ok(Reached {
        tier: place.map(named),
        since: own.as_ref().map(|own| own.since),
        falls_at: own.and_then(|own| own.falls_at),
        next,
    })
}

/// The changes of a member's tier before one, the newest first. Who may see them was asked when the member was [read](member::read).
///
/// # Errors
/// What the store says.
pub fn history(tx: &mut Tx<'_>, of: &Member, before: i64, limit: i64) -> Result<Vec<Change>, Failure> {
    Ok(rows::changes(tx, of.id, before, limit)?)
}

/// What is wrong with where a member stands, by what counted when it was judged last.
///
/// # Errors
/// What the store says.
pub(crate) fn misjudged(tx: &mut Tx<'_>, standing: &Standing) -> Result<Option<String>, Failure> {
    let version = programme::find_version(tx, standing.programme, standing.number)?;
    // That a standing's member is there is another check's question.
    let kind = store::loyalty::member::find(tx, standing.member)?.map_or(Kind::Person, |own| own.kind);
    let Some((ladder, zone)) = version.as_ref().and_then(|one| climbed(kind, &one.terms)) else {
        return Ok(standing.tier.is_some().then(|| "no tier".to_owned()));
    };
    let (at, counted) =
        (standing.judged_at, rows::counted(tx, standing.member, ladder.since(standing.judged_at, zone))?);
    let place = standing.tier.as_ref().and_then(|code| ladder.place(code));
    let named = |ladder: &Ladder, place: usize| ladder.tiers[place].code.clone();
    if let Some(earned) = ladder.earned(&counted, at, zone).filter(|earned| Some(*earned) > place) {
        return Ok(Some(format!("{}, which was earned", named(ladder, earned))));
    }
    let is_floor = place.is_some() && ladder.floor == standing.tier;
    let is_kept = place.is_none_or(|place| is_floor || ladder.keeps(place, &counted, at, zone));
    let is_graced = standing.falls_at.is_some_and(|falls_at| falls_at > at);
    Ok((!is_kept && !is_graced).then(|| "a lower tier, as this one is not kept".to_owned()))
}
