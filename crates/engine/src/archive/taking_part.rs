//! Of an archive: what the person takes part in, and into which groups and customers they were put.

use domain::actor::Actor;
use domain::value::Id;
use domain::value::id::Redemption;
use serde_json::{Value, json};
use store::loyalty::referral as referrals_of;
use store::segment::{self, facts, list, member as segments};
use store::{Tx, merging};

use super::{LAST, MANY_MAX, Whole, happened};
use crate::loyalty::member::{self, Member};
use crate::loyalty::{household, points, referral, reward, tier};
use crate::{Failure, World};

/// The most segments that are looked through.
const SEGMENTS_MAX: i64 = 1_000;

pub(super) fn memberships(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    whole: &Whole,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        for one in member::of_customer(tx, actor, *id)? {
            let balance = points::balance(tx, &one, world.now())?;
            all.push(json!({ "id": one.id.to_string(), "programme": one.programme.to_string(),
                "enrolled_at": one.enrolled_at.to_string(), "left_at": one.left_at.map(|at| at.to_string()), "points": balance.free,
                "pending": balance.pending, "tier": tiers(tx, whole, &one)?, "rewards": rewards(tx, whole, &one)?,
                "household": household_of(tx, world, &one)?, "referral": referrals(tx, whole, &one)?,
                "what_happened": happened(tx, whole, &one.id.to_string())? }));
        }
    }
    Ok(Value::Array(all))
}

fn tiers(tx: &mut Tx<'_>, whole: &Whole, one: &Member) -> Result<Value, Failure> {
    let shape =
        |change: &store::loyalty::tier::Change| json!({ "tier": change.after, "at": change.at.to_string() });
    Ok(whole.all(tier::history(tx, one, i64::MAX, MANY_MAX)?).iter().map(shape).collect())
}

fn rewards(tx: &mut Tx<'_>, whole: &Whole, one: &Member) -> Result<Value, Failure> {
    let found = whole.all(reward::redemptions(tx, one, Id::<Redemption>::from_bytes(LAST), MANY_MAX)?);
    let shape = |(one, code): &(reward::Redemption, Option<String>)| {
        json!({ "reward": one.reward.to_string(), "points": one.points, "state": one.state.text(), "at": one.made_at.to_string(),
            "code": code })
    };
    Ok(found.iter().map(shape).collect())
}

/// The member's own part: the others have not asked.
fn household_of(tx: &mut Tx<'_>, world: &World, one: &Member) -> Result<Value, Failure> {
    if one.pool.is_none() {
        return Ok(Value::Null);
    }
    let parts = household::read(tx, one, world.now())?.parts;
    let own = parts.iter().find(|part| part.member == one.id);
    Ok(own.map_or(Value::Null, |own| {
        json!({ "is_head": own.is_head, "may_spend": own.may_spend, "joined_at": own.joined_at.to_string(), "members": parts.len() })
    }))
}

/// The member's code, and what became of who came by it, by no name.
fn referrals(tx: &mut Tx<'_>, whole: &Whole, one: &Member) -> Result<Value, Failure> {
    let code = referrals_of::code_of(tx, one.id)?;
    let came = referral::came_by(tx, one)?;
    let friends = whole.all(referral::friends(tx, one, Id::from_bytes(LAST), MANY_MAX)?);
    let shape = |one: &referral::Referral| json!({ "state": one.state.text(), "points": one.points, "at": one.made_at.to_string() });
    let friends: Vec<Value> = friends.iter().map(shape).collect();
    Ok(
        json!({ "code": code, "came": came.map(|one| json!({ "state": one.state.text(), "points": one.friend_points,
        "at": one.made_at.to_string() })), "friends": friends }),
    )
}

/// The segments the person is or was in, and the lists the person stands on.
pub(super) fn segments(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let (keys, mut all) = (whole.ids(), Vec::new());
    let now = segments::of_subjects(tx, &keys)?;
    for one in segment::list(tx, Id::from_bytes([0; 16]), SEGMENTS_MAX)? {
        let mut steps = Vec::new();
        for key in &keys {
            let found = whole.all(segments::steps(tx, one.id, Some(*key), (Id::from_bytes(LAST), MANY_MAX))?);
            steps.extend(found.iter().map(|step| json!({ "came": step.entered, "at": step.at.to_string() })));
        }
        let since = now.iter().filter(|member| member.segment == one.id).find_map(|member| member.entered_at);
        if since.is_some() || !steps.is_empty() {
            all.push(json!({ "in": one.code, "name": one.name, "since": since.map(|at| at.to_string()), "steps": steps }));
        }
    }
    let lists: Vec<[u8; 16]> = facts::lists(tx, &keys)?.iter().map(|(_, list)| list.bytes()).collect();
    let shape = |one: &list::List| json!({ "in": one.code, "name": one.name, "list": true });
    all.extend(list::find(tx, &lists)?.iter().map(shape));
    Ok(Value::Array(all))
}

/// Which customers were made one, and made two again.
pub(super) fn merges(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        for one in whole.all(merging::of_customer(tx, *id, Id::from_bytes(LAST), MANY_MAX)?) {
            all.push(json!({ "id": one.id.to_string(), "stays": one.winner.to_string(), "merged": one.loser.to_string(),
                "cause": one.cause.text(), "at": one.at.to_string(), "undone_at": one.undone_at.map(|at| at.to_string()) }));
        }
    }
    all.sort_by_key(|one| one["id"].to_string());
    all.dedup();
    Ok(Value::Array(all))
}
