//! Colleagues count: each adds what was counted at a place, several at once, until one says that it is all.

use domain::actor::{Actor, Permission};
use domain::count::{Finding, LineState, ROUNDS_MAX, State};
use domain::value::id::{Count as CountKind, Variant};
use domain::value::{Id, Instant, Quantity};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::count::tally::{self as rows, Tally};
use store::count::{Counted, find};

use super::{Count, Line, Whole, begin, go_to, review, whole};
use crate::event::emit;
use crate::stock::must_be_stocked;
use crate::{Failure, World};

/// The longest name of a place, in characters.
pub const PLACE_MAX: usize = 40;

/// Pieces counted of a variant at a place.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many: 0 when somebody looked and there are none, negative to take back what was counted by mistake.
    pub pieces: i64,
    /// Where at the location: on the shelf, in the back room. Empty when nobody said.
    pub place: String,
    /// When, for a scanner that sends later; now when not given.
    pub at: Option<Instant>,
}

/// Adds pieces that a colleague counted. Adding commutes: several colleagues count the same lines at once, and all is summed up. What
/// was not asked for and lies there is counted too.
///
/// # Errors
/// [`Code::WrongState`] when the count or the line is not being counted now.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
    pieces: &[Piece],
) -> Result<Whole, Failure> {
    let mut count = super::rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("count", id))?;
    actor.may(Permission::CountStock, Some(count.location))?;
    if count.state == State::Requested {
        count = begin(tx, actor, id, Permission::CountStock)?;
        start(tx, actor, world, &mut count)?;
    }
    if !count.state.takes_pieces() {
        let message = format!("count {id} is {}; nothing is counted any more", count.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|place| pieces[*place].variant);
    for place in order {
        let added = add_one(tx, actor, world, &count, &pieces[place]);
        added.map_err(|failure| failure.within(&format!("lines.{place}")))?;
    }
    let lines: Vec<_> = pieces
        .iter()
        .map(|piece| json!({ "variant": piece.variant.to_string(), "pieces": piece.pieces }))
        .collect();
    emit(tx, actor, world, id, "count.tallied", json!({ "lines": lines }));
    whole(tx, actor, count)
}

/// The first piece is counted.
fn start(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, count: &mut Count) -> Result<(), Failure> {
    if count.state != State::Requested {
        return Ok(());
    }
    go_to(count, State::Counting)?;
    count.begun_at = Some(world.now());
    super::rows::update(tx, count)?;
    emit(tx, actor, world, count.id, "count.begun", json!({ "location": count.location.to_string() }));
    Ok(())
}

fn add_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    count: &Count,
    piece: &Piece,
) -> Result<(), Failure> {
    if piece.pieces.checked_abs().is_none_or(|size| size > Quantity::MAX) {
        let message = format!("give a whole number from 0 to {}, or a negative one", Quantity::MAX);
        return Err(Refusal::invalid("pieces", message).into());
    }
    if piece.place.chars().count() > PLACE_MAX {
        return Err(Refusal::invalid("place", format!("give at most {PLACE_MAX} characters")).into());
    }
    let at = piece.at.unwrap_or_else(|| world.now());
    if at < count.asked_at || at > world.now() {
        return Err(Refusal::invalid("at", "give an instant after the count was asked for, until now").into());
    }
    let round = match rows::open_round(tx, count.id, piece.variant)? {
        Some(round) => round,
        None => unasked(tx, count, piece.variant)?,
    };
    let counted_by = actor.who.label();
    if round > 1 {
        must_be_another(tx, count, (piece.variant, round), &counted_by)?;
    }
    let tally = Tally {
        variant: piece.variant,
        round,
        place: piece.place.clone(),
        counted_by,
        pieces: piece.pieces,
        first_at: at,
        last_at: at,
    };
    if rows::add(tx, count.id, &tally)? {
        return Ok(());
    }
    let message = "you counted fewer there than you take back";
    Err(Refusal::new(Code::WrongState, message).at("pieces").into())
}

/// A variant that nobody asked to count lies there: it becomes a line.
fn unasked(tx: &mut Tx<'_>, count: &Count, variant: Id<Variant>) -> Result<i64, Failure> {
    let count = super::rows::lock(tx, count.id)?.ok_or_else(|| Refusal::not_found("count", count.id))?;
    let lines = super::rows::lines(tx, count.id)?;
    let refused = |message: String| Failure::from(Refusal::new(Code::WrongState, message).at("variant"));
    if lines.iter().any(|line| line.variant == variant) {
        return Err(refused("this is counted; it is counted again only when somebody asks for it".into()));
    }
    if count.state != State::Counting {
        return Err(refused(format!("count {} is {}", count.id, count.state.text())));
    }
    if lines.len() >= super::LINES_MAX {
        return Err(refused(format!("a count has at most {} variants", super::LINES_MAX)));
    }
    must_be_stocked(tx, variant)?;
    match super::rows::add_line(tx, &count, variant)? {
        None => Ok(Line::new(variant).round),
        Some(other) => Err(refused(format!("this is counted by count {other}"))),
    }
}

/// Where the rule says so, a line is counted again by somebody who did not count it before.
fn must_be_another(
    tx: &mut Tx<'_>,
    count: &Count,
    (variant, round): (Id<Variant>, i64),
    who: &str,
) -> Result<(), Failure> {
    let rule = super::rows::rule(tx, count.location)?;
    if !rule.is_some_and(|rule| rule.other_colleague) {
        return Ok(());
    }
    let before = rows::of_count(tx, count.id)?;
    let own =
        before.iter().any(|tally| tally.variant == variant && tally.round < round && tally.counted_by == who);
    if own {
        let message = "you counted this before; another colleague counts it again";
        return Err(Refusal::new(Code::WrongState, message).at("variant").into());
    }
    Ok(())
}

/// All is counted. What differs beyond the location's tolerance is counted again; the rest waits for somebody to look at it. A line of
/// which nothing was counted has none there when `rest_is_none`, else it is still to be counted.
///
/// # Errors
/// [`Code::WrongState`] when lines are still to be counted, or the count is not being counted.
pub fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
    rest_is_none: bool,
) -> Result<Whole, Failure> {
    let mut count = begin(tx, actor, id, Permission::CountStock)?;
    if rest_is_none {
        start(tx, actor, world, &mut count)?;
    }
    if !count.state.takes_pieces() || count.state == State::Requested {
        let message = format!("count {id} is {}; nothing is being counted", count.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let tallies = rows::of_count(tx, id)?;
    let rule = super::rows::rule(tx, count.location)?;
    let tolerance = rule.map(|rule| rule.tolerance).unwrap_or_default();
    let mut lines = super::rows::lock_lines(tx, id)?;
    let keys: Vec<_> = lines.iter().map(|line| line.variant.bytes()).collect();
    let values = store::stock::values(tx, &keys)?;
    let mut again = Vec::new();
    for line in lines.iter_mut().filter(|line| line.state == LineState::Open) {
        let own: Vec<&Tally> = tallies
            .iter()
            .filter(|tally| tally.variant == line.variant && tally.round == line.round)
            .collect();
        if own.is_empty() && !rest_is_none {
            let message = format!("{} is still to be counted; say 0 when there are none", line.variant);
            return Err(Refusal::new(Code::WrongState, message).into());
        }
        let span = span_of(&own, world.now());
        let counted: i64 = own.iter().map(|tally| tally.pieces).sum();
        if counted > Quantity::MAX {
            let message = format!("{counted} of {} were counted; at most {}", line.variant, Quantity::MAX);
            return Err(Refusal::new(Code::WrongState, message).into());
        }
        line.value = values.iter().find(|(variant, _)| *variant == line.variant).map(|(_, value)| *value);
        look(tx, &count, line, (counted, span))?;
        line.state = LineState::Counted;
        super::rows::update_line(tx, id, line)?;
        let beyond = line.counted.is_some_and(|one| tolerance.is_exceeded(&one.finding, line.value));
        if beyond && line.round < ROUNDS_MAX {
            again.push(line.clone());
        }
    }
    count.counted_at = Some(world.now());
    let body = json!({ "location": count.location.to_string(), "lines": lines.len() });
    emit(tx, actor, world, id, "count.counted", body);
    if again.is_empty() {
        go_to(&mut count, State::InReview)?;
        super::rows::update(tx, &count)?;
    } else {
        review::again(tx, actor, world, &mut count, again)?;
    }
    whole(tx, actor, count)
}

/// From the first piece of a line to the last.
pub(super) fn span_of(tallies: &[&Tally], now: Instant) -> (Instant, Instant) {
    let first = tallies.iter().map(|tally| tally.first_at).min().unwrap_or(now);
    (first, tallies.iter().map(|tally| tally.last_at).max().unwrap_or(now))
}

/// Looks up what the books had while a line was counted.
pub(super) fn look(
    tx: &mut Tx<'_>,
    count: &Count,
    line: &mut Line,
    (counted, (first, last)): (i64, (Instant, Instant)),
) -> Result<(), Failure> {
    let spot = (line.variant, count.location);
    let (mut booked, _) = find::as_of(tx, spot, first)?;
    let (mut least, mut most) = (booked, booked);
    for change in find::shelf_changes(tx, spot, (first, last))? {
        booked += change;
        (least, most) = (least.min(booked), most.max(booked));
    }
    let finding = Finding { counted, booked_least: least, booked_most: most };
    line.missing = find::as_of(tx, spot, last)?.1;
    line.counted = Some(Counted { finding, difference: finding.difference() });
    Ok(())
}
