//! Households of two members who are one person. The one takes the other's place in his household; or, when both are in one, the two households
//! become one; and apart again, whoever is still there.

use domain::actor::Actor;
use domain::loyalty::points::MemberState;
use domain::value::id::Member as MemberKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::Tx;
use store::loyalty::household::{self as rows, Part};
use store::loyalty::{member as members, points as lots, programme};

use super::{Joined, Missing, Read, bring_back, part_member, restore, unreadable};
use crate::event::emit;
use crate::loyalty::member::{self, Member};
use crate::loyalty::{points, tier};
use crate::{Failure, World};

/// What is written of a member in a household, and when he left it.
type Place = (Part, Option<Instant>);

/// A household, everybody in it and who was merged into it, to be locked.
pub(super) fn of(tx: &mut Tx<'_>, household: Option<Id<MemberKind>>) -> Result<Vec<Id<MemberKind>>, Failure> {
    let Some(household) = household else { return Ok(Vec::new()) };
    let mut all = members::merged_with(tx, household)?;
    all.extend(rows::parts(tx, household)?.iter().map(|part| part.member));
    all.push(household);
    Ok(all)
}

/// A member takes another's place in his household, or has both; and the household becomes one with the one he is in. Everybody is locked. Answers
/// both members as they are then, and what is to be known to part them.
///
/// # Errors
/// [`Code::WrongState`] when more would be in the household than may be.
pub(super) fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (theirs, own): (Member, Member),
    home: Id<MemberKind>,
) -> Result<((Member, Member), Value), Failure> {
    let into = own.pool.unwrap_or(home);
    let parts = rows::parts(tx, home)?;
    let others: Vec<Part> =
        parts.iter().copied().filter(|part| ![theirs.id, own.id].contains(&part.member)).collect();
    if into != home {
        let there = rows::parts(tx, into)?.len();
        must_fit(tx, world, &own, others.len() + there)?;
    }
    let place = rows::place(tx, home, theirs.id)?.ok_or_else(unreadable)?;
    let was = rows::place(tx, into, own.id)?;
    let rests = |lots: Vec<lots::Lot>| {
        lots.iter().map(|lot| json!([lot.id.to_string(), lot.rest])).collect::<Vec<_>>()
    };
    let mut before = json!({ "home": home.to_string(), "into": into.to_string(), "own": own.id.to_string(), "was_in": own.pool.is_some(),
        "place": written(Some(place)), "was": written(was), "lots": rests(lots::spendable(tx, own.id)?) });
    rows::put_back(tx, (home, theirs.id), None)?;
    let now = was.filter(|(_, left_at)| left_at.is_none()).map(|(part, _)| part);
    let is_head = now.is_some_and(|now| now.is_head) || (place.0.is_head && into == home);
    let may_spend = now.is_some_and(|now| now.may_spend) || place.0.may_spend;
    let joined_at = now.map_or(place.0.joined_at, |now| now.joined_at.min(place.0.joined_at));
    let part = Part { member: own.id, is_head, may_spend, joined_at };
    rows::put_back(tx, (into, own.id), Some((part, None)))?;
    let (theirs, own) = (Member { pool: None, ..theirs }, Member { pool: Some(into), ..own });
    members::update(tx, &theirs)?;
    members::update(tx, &own)?;
    if into != home {
        before["others"] = unite(tx, others, (home, into))?;
        let (from, to) = (member::find(tx, home)?, member::find(tx, into)?);
        let flat = members::merged_with(tx, home)?;
        before["house"] = super::join(tx, actor, world, (from, to), (&flat, false))?;
        let mut earners = Vec::new();
        for part in parts {
            earners.push(part.member);
            earners.extend(members::merged_with(tx, part.member)?);
        }
        before["house"]["earners"] = earners.iter().map(ToString::to_string).collect();
        emit(tx, actor, world, into, "household.merged", json!({ "household": home.to_string() }));
    }
    points::settle(tx, actor, world, own.id)?;
    tier::household_counts(tx, actor, world, into)?;
    Ok(((theirs, own), before))
}

fn must_fit(tx: &mut Tx<'_>, world: &World, own: &Member, many: usize) -> Result<(), Failure> {
    let sharing =
        programme::in_force(tx, own.programme, world.now())?.and_then(|version| version.terms.sharing);
    let Some(most) = sharing.map(|sharing| sharing.members_max).filter(|most| many as i64 > *most) else {
        return Ok(());
    };
    let why = format!(
        "the two households would have {many} members, and {most} may be; let somebody leave one of them first"
    );
    Err(Refusal::new(Code::WrongState, why).into())
}

/// Everybody else of a household goes into another. Answers what was written of each in both.
fn unite(
    tx: &mut Tx<'_>,
    others: Vec<Part>,
    (home, into): (Id<MemberKind>, Id<MemberKind>),
) -> Result<Value, Failure> {
    let mut noted = Vec::new();
    for part in others {
        let was = rows::place(tx, into, part.member)?;
        noted.push(json!({ "part": written(Some((part, None))), "was": written(was) }));
        rows::put_back(tx, (home, part.member), None)?;
        rows::put_back(tx, (into, part.member), Some((Part { is_head: false, ..part }, None)))?;
        let one = member::find(tx, part.member)?;
        members::update(tx, &Member { pool: Some(into), ..one })?;
    }
    Ok(noted.into())
}

/// Locks everybody whose household is parted, before anybody's membership is.
///
/// # Errors
/// What the store says.
pub(crate) fn lock(tx: &mut Tx<'_>, (theirs, before): &Joined<MemberKind>) -> Result<(), Failure> {
    let read = Read(before);
    let (own, home, into) = (read.id("own")?, read.id("home")?, read.id("into")?);
    let mut all = members::merged_with(tx, *theirs)?;
    all.extend([*theirs, own]);
    for household in [home, into] {
        all.extend(of(tx, Some(household))?);
    }
    all.extend(others(before)?.iter().map(|(part, _)| part.0.member));
    member::lock_all(tx, &all)
}

/// A member is in his own household again, and whoever came along with it; with what they brought in and is still there. Where the other left it
/// since, both have. The memberships are parted already. Answers what is missing.
///
/// # Errors
/// What the store says.
pub(crate) fn part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ((theirs, before), since): (&Joined<MemberKind>, Instant),
) -> Result<Option<Missing>, Failure> {
    let read = Read(before);
    let (home, into): (Id<MemberKind>, Id<MemberKind>) = (read.id("home")?, read.id("into")?);
    let own: Id<MemberKind> = read.id("own")?;
    let mut lacks = None;
    let back = match home == into {
        true => Vec::new(),
        false => move_back(tx, before, (home, into))?,
    };
    let found = members::find(tx, own)?.filter(|one| one.pool == Some(into));
    let is_there = found.is_some();
    if let Some(one) = found {
        put_apart(tx, before, (*theirs, &one))?;
    }
    if home != into {
        let house = (home, before["house"].clone());
        lacks = part_member(tx, actor, world, (&house, since))?;
        for earner in back {
            points::pour(tx, actor, world, (into, home), Some(earner))?;
        }
        emit(tx, actor, world, into, "household.parted", json!({ "household": home.to_string() }));
    }
    if is_there && !read.is("was_in") {
        take_out(tx, actor, world, (own, into), (before, since))?;
        if read.is("new") {
            member::remove_unused(tx, actor, world, own)?;
        }
    }
    for household in [home, into] {
        stands(tx, (household, own), world.now())?;
        points::settle(tx, actor, world, household)?;
        tier::household_counts(tx, actor, world, household)?;
    }
    points::settle(tx, actor, world, *theirs)?;
    Ok(lacks)
}

/// Everybody who came along and is still there goes back into the household. Answers who.
fn move_back(
    tx: &mut Tx<'_>,
    before: &Value,
    (home, into): (Id<MemberKind>, Id<MemberKind>),
) -> Result<Vec<Id<MemberKind>>, Failure> {
    let mut back = Vec::new();
    for ((part, _), was) in others(before)? {
        let one = member::find(tx, part.member)?;
        if one.pool != Some(into) {
            continue;
        }
        let may_spend = rows::place(tx, into, one.id)?.map_or(part.may_spend, |(now, _)| now.may_spend);
        rows::put_back(tx, (into, one.id), was)?;
        rows::put_back(tx, (home, one.id), Some((Part { may_spend, ..part }, None)))?;
        back.push(one.id);
        members::update(tx, &Member { pool: Some(home), ..one })?;
    }
    Ok(back)
}

/// Each of the two has his own place again.
fn put_apart(
    tx: &mut Tx<'_>,
    before: &Value,
    (theirs, own): (Id<MemberKind>, &Member),
) -> Result<(), Failure> {
    let read = Read(before);
    let (home, into) = (read.id("home")?, read.id("into")?);
    let mut place = read_place(&before["place"])?.ok_or_else(unreadable)?;
    let was = read_place(&before["was"])?;
    if home == into {
        let now = rows::place(tx, into, own.id)?.map(|(now, _)| now);
        place.0.is_head = now.is_some_and(|now| now.is_head) && !was.is_some_and(|(was, _)| was.is_head);
    }
    rows::put_back(tx, (into, own.id), was)?;
    rows::put_back(tx, (home, theirs), Some(place))?;
    if !read.is("was_in") {
        members::update(tx, &Member { pool: None, ..own.clone() })?;
    }
    let one = member::find(tx, theirs)?;
    members::update(tx, &Member { pool: Some(home), ..one })?;
    Ok(())
}

/// What a member brought into a household he was in only through another is his again.
fn take_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (own, home): (Id<MemberKind>, Id<MemberKind>),
    (before, since): (&Value, Instant),
) -> Result<(), Failure> {
    let mut earners = members::merged_with(tx, own)?;
    earners.push(own);
    let from = member::find(tx, home)?;
    let brought: i64 = lots::spendable(tx, home)?
        .iter()
        .filter(|lot| earners.contains(&lot.earner))
        .map(|lot| lot.rest)
        .sum();
    let back = bring_back(tx, actor, world, (&from, own), (&earners, brought))?;
    restore(tx, world, (own, false), &back, Read(before).rests("lots")?)?;
    for earner in earners {
        lots::remove_empty(tx, (home, earner), since)?;
    }
    Ok(())
}

/// A household with people has a head; one without ends, and what it has is whose it was last.
fn stands(
    tx: &mut Tx<'_>,
    (household, last): (Id<MemberKind>, Id<MemberKind>),
    now: Instant,
) -> Result<(), Failure> {
    let parts = rows::parts(tx, household)?;
    let Some(first) = parts.first() else {
        let one = member::find(tx, household)?;
        if one.state != MemberState::Active {
            return Ok(());
        }
        members::update(
            tx,
            &Member { state: MemberState::Left, left_at: Some(now), pool: Some(last), ..one },
        )?;
        return Ok(());
    };
    if !parts.iter().any(|part| part.is_head) {
        rows::update(tx, household, &Part { is_head: true, may_spend: true, ..*first })?;
    }
    Ok(())
}

/// Whoever came along: what was written of each in the household they were in, and in the other.
fn others(before: &Value) -> Result<Vec<(Place, Option<Place>)>, Failure> {
    let all = before["others"].as_array().into_iter().flatten();
    all.map(|one| Ok((read_place(&one["part"])?.ok_or_else(unreadable)?, read_place(&one["was"])?))).collect()
}

fn written(place: Option<Place>) -> Value {
    place.map_or(Value::Null, |(part, left_at)| {
        json!({ "member": part.member.to_string(), "is_head": part.is_head, "may_spend": part.may_spend,
            "joined_at": part.joined_at.micros(), "left_at": left_at.map(Instant::micros) })
    })
}

fn read_place(place: &Value) -> Result<Option<Place>, Failure> {
    if place.is_null() {
        return Ok(None);
    }
    let read = Read(place);
    let part = Part {
        member: read.id("member")?,
        is_head: read.is("is_head"),
        may_spend: read.is("may_spend"),
        joined_at: Instant::from_micros(read.int("joined_at")?),
    };
    Ok(Some((part, place["left_at"].as_i64().map(Instant::from_micros))))
}
