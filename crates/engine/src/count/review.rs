//! Somebody looks at the differences of a count: has lines counted again, posts them, or lets the count be.

use domain::actor::{Actor, Permission};
use domain::count::{self as rules, LineState, Now, State};
use domain::value::id::{Count as CountKind, Location, Variant};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::count::find::{self, Accuracy};
use store::count::{self as rows, tally};

use super::tally::{look, span_of};
use super::{Count, Line, Whole, begin, go_to, whole};
use crate::event::emit;
use crate::stock::{self, Movement, hold, never_short, post_movement};
use crate::{Failure, World};

/// The longest period one question about accuracy may be about, in seconds.
const PERIOD_MAX: i64 = 400 * 86_400;

/// Has lines counted again. Nobody is told how large the difference was.
pub(super) fn again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    count: &mut Count,
    lines: Vec<Line>,
) -> Result<(), Failure> {
    let variants: Vec<_> = lines.iter().map(|line| line.variant.to_string()).collect();
    for mut line in lines {
        line.state = LineState::Open;
        line.round += 1;
        rows::update_line(tx, count.id, &line)?;
    }
    if !count.state.takes_pieces() || count.counted_at.is_some() {
        go_to(count, State::Recount)?;
    }
    rows::update(tx, count)?;
    emit(tx, actor, world, count.id, "count.recount_asked", json!({ "variants": variants }));
    Ok(())
}

/// Has these variants of a counted count counted again; all that differ when none is named.
///
/// # Errors
/// [`Code::WrongState`] unless the count is in review; [`Code::Invalid`] for a variant that is not in it.
pub fn recount(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
    variants: &[Id<Variant>],
) -> Result<Whole, Failure> {
    let mut count = begin(tx, actor, id, Permission::PostCounts)?;
    if count.state != State::InReview {
        let message =
            format!("count {id} is {}; only what is in review is counted again", count.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let lines = rows::lock_lines(tx, id)?;
    if let Some(place) = variants.iter().position(|named| !lines.iter().any(|line| line.variant == *named)) {
        return Err(Refusal::invalid(format!("variants.{place}"), "this is not in the count").into());
    }
    let differs = |line: &Line| line.counted.is_some_and(|counted| counted.difference != 0);
    let wanted = |line: &Line| variants.contains(&line.variant) || (variants.is_empty() && differs(line));
    let lines: Vec<_> = lines.into_iter().filter(wanted).collect();
    if lines.is_empty() {
        let message = "nothing differs; name the variants that are to be counted again";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    again(tx, actor, world, &mut count, lines)?;
    whole(tx, actor, count)
}

/// Promised pieces that are not there: their promises are still to be freed.
pub type Promised = (Id<Variant>, i64);

/// Posts the differences of a count that was looked at, each against the books of the time in which its line was counted, and answers
/// which promised pieces are lost. What was missing is cleared up, and the location gives the variants to orders again.
///
/// # Errors
/// [`Code::WrongState`] unless the count is in review.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
) -> Result<(Count, Vec<Promised>), Failure> {
    let mut count = begin(tx, actor, id, Permission::PostCounts)?;
    go_to(&mut count, State::Posted)?;
    let tallies = tally::of_count(tx, id)?;
    let (mut promised, mut right, mut over, mut under) = (Vec::new(), 0, 0, 0);
    let mut lines = rows::lock_lines(tx, id)?;
    for line in &mut lines {
        let own: Vec<_> =
            tallies.iter().filter(|one| one.variant == line.variant && one.round == line.round).collect();
        let span = span_of(&own, count.counted_at.unwrap_or_else(|| world.now()));
        let lost = settle_line(tx, actor, world, &count, line, span)?;
        promised.extend((lost > 0).then_some((line.variant, lost)));
        let difference = line.counted.map_or(0, |counted| counted.difference);
        right += i64::from(difference == 0);
        over += difference.max(0);
        under += (-difference).max(0);
        rows::leave_spot(tx, &count, line.variant, count.counted_at)?;
        stock::include(tx, actor, world, (line.variant, count.location))?;
    }
    count.ended_at = Some(world.now());
    rows::update(tx, &count)?;
    let body = json!({
        "location": count.location.to_string(), "lines": lines.len(), "right": right, "over": over, "under": under
    });
    emit(tx, actor, world, id, "count.posted", body);
    Ok((count, promised))
}

/// Posts one line; answers how many promised pieces are lost. The books are looked at again now that nobody else changes the shelf: a
/// sale that was under way at the count's end is told from a loss.
fn settle_line(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    count: &Count,
    line: &mut Line,
    span: (Instant, Instant),
) -> Result<i64, Failure> {
    let spot = (line.variant, count.location);
    let (available, missing) = find::lock_now(tx, spot)?;
    let pieces = line.counted.map_or(0, |counted| counted.finding.counted);
    look(tx, count, line, (pieces, span))?;
    rows::update_line(tx, count.id, line)?;
    let difference = line.counted.map_or(0, |counted| counted.difference);
    let now = Now { missing_then: line.missing, missing, available };
    let mut settlement = rules::settle(difference, now);
    if settlement.promised > 0 {
        let free = hold::let_go(tx, actor, world, spot, settlement.promised)?;
        settlement = rules::settle(difference, Now { available: available + free, ..now });
    }
    let postings = settlement.postings(count.location);
    if !postings.is_empty() {
        let cause = Some(("count", count.id.to_string()));
        let movement = Movement { variant: line.variant, reason: "counted", cause, postings };
        post_movement(tx, actor, world, movement, never_short)?;
    }
    Ok(settlement.promised)
}

/// Lets a count be: what was counted of it changes nothing.
///
/// # Errors
/// [`Code::WrongState`] when it has ended.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
) -> Result<Whole, Failure> {
    let mut count = begin(tx, actor, id, Permission::PostCounts)?;
    go_to(&mut count, State::Cancelled)?;
    for line in rows::lock_lines(tx, id)? {
        rows::leave_spot(tx, &count, line.variant, None)?;
    }
    count.ended_at = Some(world.now());
    rows::update(tx, &count)?;
    emit(tx, actor, world, id, "count.cancelled", json!({ "location": count.location.to_string() }));
    whole(tx, actor, count)
}

/// How right the books of a location turned out to be in counts posted from one instant until before another, for each currency of
/// the values; lines nobody gave a value stand under none.
///
/// # Errors
/// [`Code::Invalid`] for a period that ends before it begins or is too long.
pub fn accuracy(
    tx: &mut Tx<'_>,
    actor: &Actor,
    location: Id<Location>,
    (from, until): (Instant, Instant),
) -> Result<Vec<Accuracy>, Failure> {
    actor.may(Permission::PostCounts, Some(location))?;
    if until <= from || until.micros() - from.micros() > PERIOD_MAX * 1_000_000 {
        return Err(Refusal::invalid("until", "give an instant after from, at most 400 days later").into());
    }
    Ok(find::accuracy(tx, location, (from, until))?)
}
