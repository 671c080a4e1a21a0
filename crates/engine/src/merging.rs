//! Merging: two customers are one person. What the one has is the other's from then on, all at once; and it can be undone, which gives back
//! what went along as far as it is still there. Carts and orders are locked first, then the customers, then what they have.

pub mod bulk;
pub mod review;
pub mod training;

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::merging::{Cause, MOVED_MAX, Part};
use domain::value::Id;
use domain::value::id::{Customer as CustomerKind, Merge as MergeKind};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::{StoreError, Tx, customer as customers, merging as rows};

pub use crate::loyalty::joint::Missing;
pub use store::merging::Merge;

use crate::cart::joint as carts;
use crate::customer::Customer;
use crate::event::emit;
use crate::loyalty::joint;
use crate::{Failure, World, identity, sign_in};

/// Two customers who are to be one.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Who stays.
    pub winner: Id<CustomerKind>,
    /// Whose everything goes to him.
    pub loser: Id<CustomerKind>,
    /// What makes them one.
    pub cause: Cause,
    /// Why, in words.
    pub why: String,
}

/// What a merge would do: nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// How many of each sort would go along.
    pub moved: BTreeMap<Part, i64>,
    /// Why it cannot be.
    pub refused: Option<Refusal>,
}

/// A merge that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The merge.
    pub merge: Merge,
    /// What of the one's had been spent meanwhile, so that it did not come back.
    pub missing: Vec<Missing>,
}

/// Merges one customer into another: carts, orders, returns, claims, points, store credit, groups and what was used of promotions are the
/// other's, all in this transaction. The one's id, external id, e-mail and phone lead to the other from then on.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::WrongState`] when they are one already, one of them was erased, or something cannot go along.
pub fn merge(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, wish: Wish) -> Result<Merge, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let (winner, loser) = lock_both(tx, &wish)?;
    let both = (loser.id, winner.id);
    let one = Merge {
        id: world.id(),
        winner: winner.id,
        loser: loser.id,
        cause: wish.cause,
        why: wish.why,
        actor: actor.who.label(),
        at: world.now(),
        undone_at: None,
        undone_by: None,
    };
    rows::add(tx, &one)?;
    for (cart, before) in carts::join(tx, actor, world, both)? {
        note(tx, &one, (Part::UnitedCart, cart.bytes()), &before)?;
    }
    rows::note_all(tx, one.id, loser.id)?;
    rows::hand_over_uses(tx, one.id, both)?;
    rows::hand_over(tx, one.id, both)?;
    for earlier in customers::merged_with(tx, loser.id)? {
        rows::note(tx, one.id, (Part::Customer, earlier.bytes()), None)?;
        rows::set_merged_into(tx, earlier, Some(winner.id))?;
    }
    join_groups(tx, &one)?;
    rows::set_merged_into(tx, loser.id, Some(winner.id))?;
    for (credit, before) in joint::join_credits(tx, actor, world, both)? {
        note(tx, &one, (Part::StoreCredit, credit.bytes()), &before)?;
    }
    let joined = joint::join_members(tx, actor, world, both)?;
    let noted = joined.members.into_iter().map(|one| (Part::Membership, one));
    for (part, (member, before)) in
        noted.chain(joined.households.into_iter().map(|one| (Part::Household, one)))
    {
        note(tx, &one, (part, member.bytes()), &before)?;
    }
    identity::customer::join_customers(tx, actor, world, winner.id, loser.id)?;
    let body =
        json!({ "merge": one.id.to_string(), "loser": loser.id.to_string(), "cause": one.cause.text() });
    emit(tx, actor, world, winner.id, "customer.merged", body);
    Ok(one)
}

/// What a merge would do, found out by doing it and taking all of it back.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn preview(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, wish: Wish) -> Result<Preview, Failure> {
    let mut moved = None;
    let tried: Result<(), Failure> = tx.savepoint(|tx| {
        let one = merge(tx, actor, world, wish.clone())?;
        moved = Some(rows::counts(tx, one.id)?.into_iter().collect());
        Err(Refusal::new(Code::WrongState, "only tried").into())
    });
    match (tried, moved) {
        (Err(Failure::Refused(_)), Some(moved)) => Ok(Preview { moved, refused: None }),
        (Err(Failure::Refused(refused)), None) if refused.code() == Code::WrongState => {
            Ok(Preview { moved: BTreeMap::new(), refused: Some(refused) })
        }
        (Err(failure), _) => Err(failure),
        (Ok(()), _) => Err(StoreError::Corrupt("a merge that was only tried was kept".into()).into()),
    }
}

/// Undoes a merge: what went along goes back to the customer who was merged, as far as it is still there; what was made since stays, but for what
/// somebody signs in by ([`sign_in`]).
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::WrongState`] when it was undone before, the customer was erased, or who stayed was merged
/// into another since.
pub fn undo(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<MergeKind>) -> Result<Undone, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let one = find(tx, id)?;
    for (_, before) in noted(tx, id, Part::UnitedCart)? {
        carts::lock_target(tx, &before)?;
    }
    rows::lock_moved(tx, id)?;
    customers::lock(tx, &[one.winner, one.loser])?;
    may_be_two(tx, &one)?;
    if !rows::end(tx, id, world.now(), &actor.who.label())? {
        return Err(Refusal::new(Code::WrongState, format!("merge {id} was undone before")).into());
    }
    let back = (one.winner, one.loser);
    rows::hand_over_uses(tx, id, back)?;
    rows::hand_over(tx, id, back)?;
    for (cart, before) in noted(tx, id, Part::UnitedCart)? {
        carts::part(tx, actor, world, (Id::from_bytes(cart), &before))?;
    }
    rows::set_merged_into(tx, one.loser, None)?;
    for (earlier, _) in rows::moved(tx, id, Part::Customer)? {
        rows::set_merged_into(tx, Id::from_bytes(earlier), Some(one.loser))?;
    }
    part_groups(tx, &one)?;
    let mut missing = Vec::new();
    for (credit, before) in noted(tx, id, Part::StoreCredit)? {
        missing.extend(joint::part_credit(tx, actor, world, &(Id::from_bytes(credit), before))?);
    }
    let households: Vec<_> = noted(tx, id, Part::Household)?
        .into_iter()
        .map(|(id, before)| (Id::from_bytes(id), before))
        .collect();
    for place in &households {
        joint::lock_households(tx, place)?;
    }
    for (member, before) in noted(tx, id, Part::Membership)? {
        missing.extend(joint::part_member(tx, actor, world, (&(Id::from_bytes(member), before), one.at))?);
    }
    for place in &households {
        missing.extend(joint::part_household(tx, actor, world, (place, one.at))?);
    }
    identity::customer::part_customers(tx, actor, world, one.winner, one.loser)?;
    sign_in::part(tx, actor, world, back, (id, one.at))?;
    let lacks: Vec<Value> = missing
        .iter()
        .map(|one| json!({ "of": one.of, "currency": one.currency, "amount": one.amount }))
        .collect();
    let body = json!({ "merge": id.to_string(), "loser": one.loser.to_string(), "missing": lacks });
    emit(tx, actor, world, one.winner, "customer.unmerged", body);
    Ok(Undone { merge: find(tx, id)?, missing })
}

/// A merge, for who may merge.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<MergeKind>,
) -> Result<(Merge, BTreeMap<Part, i64>), Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok((find(tx, id)?, rows::counts(tx, id)?.into_iter().collect()))
}

/// The merges before one, of a customer if one is named, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    of: Option<Id<CustomerKind>>,
    (before, limit): (Id<MergeKind>, i64),
) -> Result<Vec<Merge>, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok(match of {
        Some(customer) => rows::of_customer(tx, customer, before, limit)?,
        None => rows::list(tx, before, limit)?,
    })
}

fn find(tx: &mut Tx<'_>, id: Id<MergeKind>) -> Result<Merge, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("merge", id).into())
}

fn note(tx: &mut Tx<'_>, one: &Merge, (part, key): (Part, [u8; 16]), before: &Value) -> Result<(), Failure> {
    Ok(rows::note(tx, one.id, (part, key), Some(&before.to_string()))?)
}

/// What of one sort went along, with what was written down of it.
fn noted(tx: &mut Tx<'_>, id: Id<MergeKind>, part: Part) -> Result<Vec<([u8; 16], Value)>, Failure> {
    let lost = || StoreError::Corrupt(format!("what {id} moved cannot be read"));
    let read = |(key, before): rows::Moved| {
        let before = before.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(lost)?;
        Ok((key, before))
    };
    rows::moved(tx, id, part)?.into_iter().map(read).collect()
}

/// Locks all that is to be locked of two customers, and insists that they may be one. Who was merged before is whom he was merged into.
fn lock_both(tx: &mut Tx<'_>, wish: &Wish) -> Result<(Customer, Customer), Failure> {
    let now = |tx: &mut Tx<'_>, id| Ok::<_, Failure>(customers::merged_into(tx, id)?.unwrap_or(id));
    let (winner, loser) = (now(tx, wish.winner)?, now(tx, wish.loser)?);
    let locked = rows::lock(tx, (winner, loser))?;
    customers::lock(tx, &[winner, loser])?;
    if rows::lock(tx, (winner, loser))? != locked {
        return Err(tx.begin_anew().into());
    }
    let of = |tx: &mut Tx<'_>, id, field: &str| {
        let found = customers::find(tx, id)?;
        found.ok_or_else(|| Failure::from(Refusal::not_found("customer", id).at(field)))
    };
    let (winner, loser) = (of(tx, winner, "into")?, of(tx, loser, "customer")?);
    if winner.merged_into.is_some() || loser.merged_into.is_some() {
        return Err(tx.begin_anew().into());
    }
    let refuse = |why: String| Err(Refusal::new(Code::WrongState, why).at("customer").into());
    if winner.id == loser.id {
        return refuse(format!("customer {} and {} are one already", wish.winner, wish.loser));
    }
    if let Some(erased) = [&winner, &loser].into_iter().find(|one| one.erased_at.is_some()) {
        return refuse(format!("customer {} was erased and cannot be merged", erased.id));
    }
    let many = rows::extent(tx, loser.id)?;
    if many > MOVED_MAX {
        let why = format!(
            "customer {} has {many} carts, orders and returns, more than {MOVED_MAX}; merge the other way round",
            loser.id
        );
        return refuse(why);
    }
    Ok((winner, loser))
}

/// A merge can be undone while both are as it left them: the one with the other, nobody erased.
fn may_be_two(tx: &mut Tx<'_>, one: &Merge) -> Result<(), Failure> {
    let now = find(tx, one.id)?;
    let refuse = |why: String| Err(Refusal::new(Code::WrongState, why).into());
    if now.undone_at.is_some() {
        return refuse(format!("merge {} was undone before", one.id));
    }
    let loser = customers::find(tx, one.loser)?.ok_or_else(|| Refusal::not_found("customer", one.loser))?;
    match loser.merged_into {
        _ if loser.erased_at.is_some() => {
            refuse(format!("customer {} was erased; nobody can be told apart any more", one.winner))
        }
        Some(into) if into == one.winner => Ok(()),
        _ => refuse(format!("customer {} was merged into another since; undo that merge first", one.winner)),
    }
}

/// The one's groups come to those of the other, after them, as many as there may be.
fn join_groups(tx: &mut Tx<'_>, one: &Merge) -> Result<(), Failure> {
    let mut groups = Vec::new();
    let mut before = Vec::new();
    for id in [one.winner, one.loser] {
        let found = customers::find(tx, id)?.map(|customer| customer.groups).unwrap_or_default();
        if id == one.winner {
            before = found.clone();
        }
        groups.extend(found.into_iter().filter(|label| !groups.contains(label)).collect::<Vec<_>>());
    }
    groups.truncate(domain::customer::GROUPS_MAX);
    if groups == before {
        return Ok(());
    }
    note(tx, one, (Part::Groups, one.winner.bytes()), &json!({ "before": before, "after": groups }))?;
    Ok(rows::set_groups(tx, one.winner, &groups)?)
}

/// The groups that came go again, unless somebody wrote others since.
fn part_groups(tx: &mut Tx<'_>, one: &Merge) -> Result<(), Failure> {
    for (_, was) in noted(tx, one.id, Part::Groups)? {
        let labels = |field: &str| -> Vec<String> {
            let all = was[field].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let now = customers::find(tx, one.winner)?.map(|customer| customer.groups).unwrap_or_default();
        if now == labels("after") {
            rows::set_groups(tx, one.winner, &labels("before"))?;
        }
    }
    Ok(())
}
