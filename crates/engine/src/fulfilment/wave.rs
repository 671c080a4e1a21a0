//! Pick waves: a colleague picks many fulfilment orders in one walk past the shelves, scanning each piece into its tote.
//!
//! A fulfilment order is in one wave at most. The wave is locked first, then its orders, in their order.

use domain::actor::{Actor, Permission};
use domain::catalogue::label::Weighed;
use domain::delivery::Kind;
use domain::fulfilment::State as Part;
use domain::fulfilment::wave::{State, Stop, Wanted, walk};
use domain::order::State as OrderState;
use domain::value::gtin::variable::Measure;
use domain::value::id::{Location, PickWave as PickWaveKind, Staff, Variant};
use domain::value::quantity::Unit;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::fulfilment::wave::{self as rows, PickWave, Piece};
use store::{Tx, fulfilment as parts};

use super::pick::{self, Which};
use super::{FulfilmentOrder, go_to, tell};
use crate::event::emit;
use crate::{Failure, World, catalogue, order};

/// How many fulfilment orders a wave has when nothing is said.
pub const PARTS: i64 = 50;
/// The most fulfilment orders of a wave.
pub const PARTS_MAX: i64 = 200;

/// What is to be picked in one walk.
#[derive(Clone, Debug)]
pub struct NewWave {
    /// Only goods that leave in this way.
    pub kind: Option<Kind>,
    /// Only fulfilment orders made before this instant.
    pub made_before: Option<Instant>,
    /// At most so many, the oldest first.
    pub most: i64,
    /// Who walks.
    pub colleague: Option<Id<Staff>>,
}

/// A wave with its walk.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The wave.
    pub wave: PickWave,
    /// Its fulfilment orders and their totes.
    pub parts: Vec<(Which, i64)>,
    /// The walk.
    pub stops: Vec<Stop>,
}

/// Where scanned pieces belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Into which tote.
    pub tote: i64,
    /// For which fulfilment order.
    pub which: Which,
    /// How many.
    pub quantity: i64,
}

/// Collects what waits at a location to be picked, the oldest first.
///
/// # Errors
/// [`Code::WrongState`] when nothing waits; [`Code::Invalid`] for a number of orders that is out of bounds or a colleague nobody knows.
pub fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    location: Id<Location>,
    new: &NewWave,
) -> Result<Whole, Failure> {
    actor.may(Permission::EditOrders, Some(location))?;
    if !(1..=PARTS_MAX).contains(&new.most) {
        return Err(Refusal::invalid("most", format!("give 1 to {PARTS_MAX}")).into());
    }
    if let Some(colleague) = new.colleague {
        store::actor::staff::find(tx, colleague)?
            .ok_or_else(|| Refusal::not_found("staff member", colleague).at("colleague"))?;
    }
    let wave = PickWave {
        id: world.id(),
        location,
        kind: new.kind,
        colleague: new.colleague,
        state: State::Open,
        made_at: world.now(),
        started_at: None,
        ended_at: None,
    };
    // Made at this very instant is made before the wave.
    let before = new.made_before.unwrap_or(Instant::from_micros(world.now().micros() + 1));
    let mut waiting = rows::waiting(tx, location, (new.kind.map_or(0, Kind::code), before), new.most)?;
    waiting.sort_unstable();
    let mut tote = 0;
    for which in waiting {
        let order = order::lock(tx, which.0)?;
        let one = part_of(tx, which)?;
        let waits = matches!(one.state, Part::Open | Part::Claimed) && one.location == Some(location);
        if order.state != OrderState::Placed || !waits || one.on_hold.is_some() {
            continue;
        }
        if rows::take_in(tx, wave.id, which, tote + 1)? {
            tote += 1;
        }
    }
    if tote == 0 {
        return Err(Refusal::new(Code::WrongState, "nothing waits here to be picked").into());
    }
    rows::add(tx, &wave)?;
    let colleague = wave.colleague.map(|id| id.to_string());
    let body =
        json!({ "location": wave.location.to_string(), "colleague": colleague, "fulfilment_orders": tote });
    emit(tx, actor, world, wave.id, "pick_wave.made", body);
    whole(tx, wave)
}

fn part_of(tx: &mut Tx<'_>, (order, id): Which) -> Result<FulfilmentOrder, Failure> {
    let found = parts::of_order(tx, order)?.into_iter().find(|one| one.id == id);
    found.ok_or_else(|| Refusal::not_found("fulfilment order", id).into())
}

/// A wave with its walk, as it is now.
fn whole(tx: &mut Tx<'_>, wave: PickWave) -> Result<Whole, Failure> {
    let pieces = rows::pieces(tx, &wave)?;
    let stops = walk(pieces.iter().map(|piece| wanted(&wave, piece)).collect());
    Ok(Whole { parts: rows::parts(tx, wave.id)?, stops, wave })
}

/// What of a line is to be picked or put back. What lies at the location no more, because it was cancelled, refused or moved, is put back
/// as far as the walk has picked it; what has left, has left with its picked pieces.
fn wanted(wave: &PickWave, piece: &Piece) -> Wanted {
    let is_here = piece.state.is_at_location() && piece.location == Some(wave.location);
    let kept = if is_here || piece.state.has_left() { piece.picked } else { 0 };
    Wanted {
        shelf: piece.shelf.clone(),
        variant: piece.variant,
        sku: piece.sku.clone(),
        tote: piece.tote,
        open: if is_here { piece.quantity - piece.picked } else { 0 },
        picked: kept,
        put_back: (piece.walked - kept).max(0),
    }
}

/// A wave with its walk.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<PickWaveKind>) -> Result<Whole, Failure> {
    let wave = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("pick wave", id))?;
    actor.may(Permission::ReadOrders, Some(wave.location))?;
    whole(tx, wave)
}

/// The waves of a location before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    location: Id<Location>,
    before: Id<PickWaveKind>,
    limit: i64,
) -> Result<Vec<PickWave>, Failure> {
    actor.may(Permission::ReadOrders, Some(location))?;
    Ok(rows::list(tx, location, before, limit)?)
}

/// The wave, walked by nobody else until the commit, and in this state.
fn lock(tx: &mut Tx<'_>, actor: &Actor, id: Id<PickWaveKind>, state: State) -> Result<PickWave, Failure> {
    let wave = rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("pick wave", id))?;
    actor.may(Permission::EditOrders, Some(wave.location))?;
    if wave.state != state {
        let message = format!("pick wave {id} is {}", wave.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(wave)
}

/// The walk begins.
///
/// # Errors
/// [`Code::WrongState`] unless nobody walks yet.
pub fn start(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PickWaveKind>,
) -> Result<Whole, Failure> {
    let mut wave = lock(tx, actor, id, State::Open)?;
    for (which, _) in rows::parts(tx, id)? {
        order::lock(tx, which.0)?;
        let mut one = part_of(tx, which)?;
        // What was cancelled, held or picked meanwhile stays as it is; the walk shows it.
        if matches!(one.state, Part::Open | Part::Claimed) && go_to(&mut one, Part::Picking).is_ok() {
            parts::update(tx, &one)?;
            tell(tx, actor, world, &one, "fulfilment.picking");
        }
    }
    wave.state = State::Picking;
    wave.started_at = Some(world.now());
    rows::update(tx, &wave)?;
    emit(tx, actor, world, id, "pick_wave.started", json!({ "location": wave.location.to_string() }));
    whole(tx, wave)
}

/// A piece was scanned at the shelf: it belongs into the first tote that wants it. A label of a scale counts what it says.
///
/// # Errors
/// [`Code::Invalid`] for something the walk does not want, saying what it is and what comes next; [`Code::WrongState`] when enough of
/// it is picked.
pub fn scan(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PickWaveKind>,
    (code, quantity): (&str, Option<i64>),
) -> Result<(Whole, Vec<Placed>), Failure> {
    let wave = lock(tx, actor, id, State::Picking)?;
    let (variant, quantity) = scanned(tx, actor, code, quantity)?;
    let before = whole(tx, wave.clone())?;
    let stop = before.stops.iter().find(|stop| stop.variant == variant.id);
    let stop = stop.ok_or_else(|| not_wanted(&variant.sku, &before.stops))?;
    let mut left = quantity;
    let mut placed = Vec::new();
    for tote in &stop.totes {
        let which = before.parts.iter().find(|(_, number)| *number == tote.tote).map(|(which, _)| *which);
        let Some(which) = which.filter(|_| left > 0) else { continue };
        let part = take(tx, actor, world, id, (which, variant.id, left))?;
        if part > 0 {
            placed.push(Placed { tote: tote.tote, which, quantity: part });
            left -= part;
        }
    }
    if left > 0 {
        let message =
            format!("{} of \"{}\" are still to be picked, {quantity} scanned", quantity - left, variant.sku);
        return Err(Refusal::new(Code::WrongState, message).at("quantity").into());
    }
    Ok((whole(tx, wave)?, placed))
}

/// The variant of a scanned code, and how much of it.
fn scanned(
    tx: &mut Tx<'_>,
    actor: &Actor,
    code: &str,
    quantity: Option<i64>,
) -> Result<(catalogue::Variant, i64), Failure> {
    let (variant, weighed) = catalogue::variant_by_code(tx, actor, code)?;
    let grams = |weighed: &Weighed| {
        let by_weight = variant.unit == Unit::Gram && weighed.measured.measure == Measure::Weight;
        by_weight.then_some(i64::from(weighed.measured.value))
    };
    let quantity = quantity.or_else(|| weighed.as_ref().and_then(grams)).unwrap_or(1);
    if quantity < 1 {
        return Err(Refusal::invalid("quantity", "give at least 1").into());
    }
    Ok((variant, quantity))
}

fn not_wanted(sku: &str, stops: &[Stop]) -> Refusal {
    let next = stops.iter().find(|stop| stop.open() > 0).map(|stop| {
        let shelf = stop.shelf.as_ref().map_or_else(String::new, |shelf| format!(" on shelf \"{shelf}\""));
        format!("next are {} of \"{}\"{shelf}", stop.open(), stop.sku)
    });
    let next = next.unwrap_or_else(|| "everything is picked".into());
    Refusal::invalid("code", format!("this is \"{sku}\", which is not wanted here; {next}"))
}

/// Takes what a fulfilment order still wants of a variant, at most so many, from the shelf into its tote; how many those were.
fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    wave: Id<PickWaveKind>,
    (which, variant, most): (Which, Id<Variant>, i64),
) -> Result<i64, Failure> {
    let part = still_open(tx, which, variant)?.min(most);
    if part < 1 {
        return Ok(0);
    }
    let before = part_of(tx, which)?;
    let after = pick::pick(tx, actor, world, which, &vec![(variant, part)])?;
    for (line, was) in after.lines.iter().zip(&before.lines) {
        if line.picked > was.picked {
            rows::put_into_tote(tx, wave, which.1, (line.line, line.variant, line.picked - was.picked))?;
        }
    }
    Ok(part)
}

/// How many of a variant a fulfilment order still wants from the shelf. Its order is locked by this.
fn still_open(tx: &mut Tx<'_>, which: Which, variant: Id<Variant>) -> Result<i64, Failure> {
    order::lock(tx, which.0)?;
    let one = part_of(tx, which)?;
    if one.state != Part::Picking || one.on_hold.is_some() {
        return Ok(0);
    }
    let lines = one.lines.iter().filter(|line| line.variant == variant);
    Ok(lines.map(|line| line.quantity - line.picked).sum())
}

/// Pieces were not found in the walk: the youngest orders lose theirs, and get them from elsewhere.
///
/// # Errors
/// [`Code::WrongState`] when more are named than are still to be picked.
pub fn short(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PickWaveKind>,
    (variant, quantity): (Id<Variant>, i64),
) -> Result<Whole, Failure> {
    let wave = lock(tx, actor, id, State::Picking)?;
    let mut open = Vec::new();
    for (which, _) in rows::parts(tx, id)? {
        open.push((which, still_open(tx, which, variant)?));
    }
    let all: i64 = open.iter().map(|(_, part)| part).sum();
    if quantity < 1 || quantity > all {
        let message = format!("{all} of {variant} are still to be picked, {quantity} named");
        return Err(Refusal::new(Code::WrongState, message).at("quantity").into());
    }
    let mut left = quantity;
    for (which, part) in open.into_iter().rev() {
        let part = part.min(left);
        if part > 0 {
            pick::short(tx, actor, world, which, &vec![(variant, part)])?;
            left -= part;
        }
    }
    whole(tx, wave)
}

/// The walk is over. What was not begun waits for another one; what was begun is finished by itself.
///
/// # Errors
/// [`Code::WrongState`] when it is over already.
pub fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PickWaveKind>,
) -> Result<Whole, Failure> {
    let mut wave = rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("pick wave", id))?;
    actor.may(Permission::EditOrders, Some(wave.location))?;
    if wave.state == State::Finished {
        return Err(Refusal::new(Code::WrongState, format!("pick wave {id} is finished")).into());
    }
    for (which, _) in rows::parts(tx, id)? {
        order::lock(tx, which.0)?;
        let mut one = part_of(tx, which)?;
        let untouched = one.lines.iter().all(|line| line.picked == 0);
        if one.state == Part::Picking && untouched {
            // Also what is on hold: nobody goes on with it, it only waits again.
            one.state = Part::Open;
            parts::update(tx, &one)?;
            tell(tx, actor, world, &one, "fulfilment.opened");
        }
        rows::let_go(tx, id, which)?;
    }
    wave.state = State::Finished;
    wave.ended_at = Some(world.now());
    rows::update(tx, &wave)?;
    emit(tx, actor, world, id, "pick_wave.finished", json!({ "location": wave.location.to_string() }));
    whole(tx, wave)
}

/// A piece of a fulfilment order that is picked by itself was scanned at the shelf.
///
/// # Errors
/// As [`scan`].
pub fn scan_alone(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    (code, quantity): (&str, Option<i64>),
) -> Result<FulfilmentOrder, Failure> {
    let order = order::lock(tx, which.0)?;
    let one = super::find(tx, actor, &order, which.1)?;
    let (variant, quantity) = scanned(tx, actor, code, quantity)?;
    let of = |line: &&super::Line| line.variant == variant.id && line.quantity > 0;
    if !one.lines.iter().any(|line| of(&line)) {
        let next = one.lines.iter().find(|line| line.quantity > line.picked);
        let next = next.map(|line| (line.variant, line.quantity - line.picked));
        return Err(not_wanted(&variant.sku, &stops_of(tx, next)?).into());
    }
    let open: i64 = one.lines.iter().filter(of).map(|line| line.quantity - line.picked).sum();
    if quantity > open {
        let message = format!("{open} of \"{}\" are still to be picked, {quantity} scanned", variant.sku);
        return Err(Refusal::new(Code::WrongState, message).at("quantity").into());
    }
    pick::pick(tx, actor, world, which, &vec![(variant.id, quantity)])
}

/// What a fulfilment order that is picked by itself wants next, as a stop.
fn stops_of(tx: &mut Tx<'_>, next: Option<(Id<Variant>, i64)>) -> Result<Vec<Stop>, Failure> {
    let Some((variant, open)) = next else { return Ok(Vec::new()) };
    let found = store::catalogue::variants(tx, &[variant])?.pop();
    let sku = found.map_or_else(|| variant.to_string(), |variant| variant.sku);
    let wanted = Wanted { shelf: None, variant, sku, tote: 1, open, picked: 0, put_back: 0 };
    Ok(walk(vec![wanted]))
}
