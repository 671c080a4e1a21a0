//! Following what changes: whoever something happened to, or for whom time ran on, is judged again, within a second and before any list is shown.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::segment::Subject;
use domain::value::Id;
use domain::value::id::{Customer, Member, Order, Profile, Subscriber};
use serde_json::Value;
use store::consent::subscriber as subscribers;
use store::event::{self as journal, Entry};
use store::segment::member as rows;
use store::{Tx, behaviour, order as orders};

use super::build::{self, rebuild_where};
use super::member::look_again;
use crate::identity::reading;
use crate::{Failure, World};

/// The most people whose behaviour or time a round looks at, and the most entries of the journal it reads.
const FOLLOWED_MAX: i64 = 256;
/// The duty that follows.
pub(crate) const DUTY: &str = "segment.follow";
/// The name under which the journal is read.
const CONSUMER: &str = "segment";

/// One round: what changed, and a part of what is being built; true when more waits.
///
/// # Errors
/// What the store says.
pub fn round(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let actor = Actor::system();
    let more = changes(tx, &actor, world)?;
    Ok(build::round(tx, &actor, world)? || more)
}

/// What the journal tells, whose behaviour was told of, and whose time has come; true when more waits.
pub(super) fn changes(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    rows::hold_turn(tx, world.now())?;
    if nobody_waits(tx)? {
        return Ok(false);
    }
    let mut named = BTreeSet::new();
    let mut more = read_on(tx, &mut named)?;
    let stirred = behaviour::take_stirred(tx, FOLLOWED_MAX)?;
    more |= stirred.len() as i64 >= FOLLOWED_MAX;
    named.extend(stirred.into_iter().map(Subject::Profile));
    let due = rows::due(tx, world.now(), FOLLOWED_MAX)?;
    more |= due.len() as i64 >= FOLLOWED_MAX;
    named.extend(due);
    look_again(tx, actor, world, &named)?;
    Ok(more)
}

/// Without a segment in use nothing is kept, and what happened before one is made is found when it is built.
fn nobody_waits(tx: &mut Tx<'_>) -> Result<bool, Failure> {
    if store::segment::build::any(tx)? {
        return Ok(false);
    }
    behaviour::forget_stirred(tx)?;
    let (cursor, ends) = (journal::cursor_of(tx, CONSUMER)?, journal::ends(tx)?);
    for (partition, (from, end)) in (0i64..).zip(cursor.into_iter().zip(ends)) {
        if from < end {
            journal::advance(tx, CONSUMER, partition, end)?;
        }
    }
    // One that was made meanwhile waits already for what was just passed over.
    if store::segment::build::any(tx)? {
        return Err(tx.begin_anew().into());
    }
    Ok(true)
}

/// Reads on in the journal and finds whom it tells of; true when more waits.
fn read_on(tx: &mut Tx<'_>, named: &mut BTreeSet<Subject>) -> Result<bool, Failure> {
    let cursor = journal::cursor_of(tx, CONSUMER)?;
    let ends = journal::ends(tx)?;
    let behind = |(partition, (from, end)): (i64, (i64, i64))| (from < end).then_some((partition, from, end));
    let mut waiting = (0i64..).zip(cursor.into_iter().zip(ends)).filter_map(behind);
    let Some((partition, from, end)) = waiting.next() else { return Ok(false) };
    let entries = journal::after(tx, partition, from, FOLLOWED_MAX)?;
    for entry in &entries {
        if let Some(needs) = ground_of(&entry.kind) {
            rebuild_where(tx, |own, _| needs(own))?;
        }
        if !OURS.iter().any(|own| entry.kind.starts_with(own)) {
            whom(tx, entry, named)?;
        }
    }
    let last = entries.last().map_or(end, |entry| entry.sequence);
    journal::advance(tx, CONSUMER, partition, last)?;
    Ok(last < end || waiting.next().is_some())
}

/// What is told of by who follows or looks; it changes nothing that anybody is judged by.
const OURS: &[&str] = &["segment.", "trait.", "cart.", "price.", "stock.", "message.", reading::READ];

/// What is not of one person and changes what people are judged by: whoever needs it is looked at anew.
fn ground_of(kind: &str) -> Option<fn(&domain::segment::needs::Needs) -> bool> {
    match kind {
        "purpose.written" => Some(|needs| needs.consents),
        "location.created" | "location.changed" | "postal_area.set" | "postal_area.removed" => {
            Some(|needs| needs.place)
        }
        "product.created" | "product.changed" | "category.changed" => Some(|needs| needs.categories),
        "rfm.drawn" => Some(|needs| needs.rfm),
        "life_cycle.set" => Some(|needs| needs.orders),
        _ => None,
    }
}

/// Everybody an event names: by its subject, or anywhere in its body.
fn whom(tx: &mut Tx<'_>, entry: &Entry, named: &mut BTreeSet<Subject>) -> Result<(), Failure> {
    let body: Value = serde_json::from_str(&entry.body).unwrap_or_default();
    let mut texts = vec![entry.subject.as_str()];
    collect(&body, &mut texts);
    for text in texts {
        if let Ok(customer) = Id::<Customer>::parse(text) {
            named.insert(Subject::Customer(customer));
        } else if let Ok(profile) = Id::<Profile>::parse(text) {
            named.insert(Subject::Profile(profile));
        } else if let Ok(order) = Id::<Order>::parse(text) {
            let order = orders::find(tx, order)?;
            named.extend(order.and_then(|order| order.customer).map(Subject::Customer));
        } else if let Ok(member) = Id::<Member>::parse(text) {
            of_member(tx, member, named)?;
        } else if let Ok(subscriber) = Id::<Subscriber>::parse(text) {
            of_subscriber(tx, subscriber, named)?;
        }
    }
    Ok(())
}

/// A member is a customer; of a household, or of points that were pooled, everybody who shares them.
fn of_member(tx: &mut Tx<'_>, member: Id<Member>, named: &mut BTreeSet<Subject>) -> Result<(), Failure> {
    for customer in store::segment::facts::sharing(tx, member)? {
        named.insert(Subject::Customer(customer));
    }
    Ok(())
}

/// What somebody said from an address counts for the customers who have, or had, it too.
fn of_subscriber(tx: &mut Tx<'_>, id: Id<Subscriber>, named: &mut BTreeSet<Subject>) -> Result<(), Failure> {
    let known = subscribers::find(tx, id)?.and_then(|known| known.customer);
    named.extend(known.map(Subject::Customer));
    if known.is_none() {
        named.extend(subscribers::customers_at(tx, id, FOLLOWED_MAX)?.into_iter().map(Subject::Customer));
    }
    Ok(())
}

fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(each) => each.iter().for_each(|one| collect(one, texts)),
        Value::Object(parts) => parts.values().for_each(|one| collect(one, texts)),
        _ => {}
    }
}
