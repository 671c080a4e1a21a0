//! Keeping goods for a change until somebody says yes or no: what it puts in and what goes another way, where they lie; what a pickup
//! location lacks is kept where it would be sent from.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::change::What;
use domain::fulfilment::{Pieces, State as Part};
use domain::value::Id;
use domain::value::id::{Location, Variant};
use store::Tx;

use super::{Change, Ground, after};
use crate::checkout::cancel::cancellable;
use crate::fulfilment::{FulfilmentOrder, inbound, pool};
use crate::stock::availability::{Reach, picture};
use crate::stock::{book_of, hold, in_skus, too_few};
use crate::{Failure, World};

/// The pieces of an order that a change serves anew: whatever is still wholly there.
pub(super) fn served_anew(ground: &Ground, change: &Change) -> Pieces {
    let mut pieces = Pieces::new();
    if !change.served_anew {
        return pieces;
    }
    for line in &ground.lines {
        let gone = change.lines.iter().filter(|one| one.what == What::Remove && one.line == line.id);
        let units = cancellable(line, &ground.parts) - gone.map(|one| one.quantity).sum::<i64>();
        for (variant, each) in line.takes.iter().filter(|_| units > 0) {
            *pieces.entry((line.id, *variant)).or_insert(0) += each * units;
        }
    }
    pieces
}

/// The pieces a change puts in.
pub(super) fn put_in(change: &Change) -> Pieces {
    let mut pieces = Pieces::new();
    for line in change.lines.iter().filter(|line| line.what == What::Add) {
        for (variant, each) in &line.takes {
            *pieces.entry((line.line, *variant)).or_insert(0) += each * line.quantity;
        }
    }
    pieces
}

/// So many of each variant.
type Counted = BTreeMap<Id<Variant>, i64>;

/// So many of a variant at a location.
type Lying = (Id<Location>, Id<Variant>, i64);

/// Keeps what a change needs beyond what its order has within reach already, and notes with it when what is sent is expected.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ground: &Ground,
    change: &mut Change,
) -> Result<Vec<(Id<Variant>, i64)>, Failure> {
    let mut needed = Counted::new();
    let anew = served_anew(ground, change);
    for ((_, variant), quantity) in put_in(change).iter().chain(&anew) {
        *needed.entry(*variant).or_insert(0) += quantity;
    }
    let order = after(&ground.order, change);
    let reach = pool::reach_of(tx, &order, ground.channel.network)?;
    let own = own(tx, ground, &anew)?;
    let here = beyond(needed, &own, &reach);
    let (here, coming) = match inbound::reach_of(tx, &order)? {
        None => (here, None),
        Some((from, days)) => {
            let (there, lacking) = split(tx, &reach, here)?;
            if !lacking.is_empty() {
                change.after.expected_at = Some(inbound::expected_at(world.now(), days));
            }
            (there, Some((beyond(lacking, &own, &from), from)))
        }
    };
    let cause = ("change", change.id.to_string());
    let mut outcome = hold::hold_for(tx, actor, world, &reach, &cause, &here);
    let mut kept: Vec<_> = here.iter().map(|(variant, quantity)| (*variant, *quantity)).collect();
    if let (Ok(()), Some((coming, from))) = (&outcome, &coming) {
        outcome = hold_coming(tx, actor, world, (from, &here), (&cause, coming));
        coming.iter().for_each(|(variant, quantity)| match kept.iter_mut().find(|(own, _)| own == variant) {
            Some((_, sum)) => *sum += quantity,
            None => kept.push((*variant, *quantity)),
        });
    }
    let named: Vec<_> = kept.iter().map(|(variant, _)| *variant).collect();
    in_skus(tx, &named, outcome).map_err(|failure| failure.within("actions"))?;
    Ok(kept)
}

/// Takes what is kept for a change, all of it: a count may have found some of it lost.
pub(super) fn use_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    change: &Change,
) -> Result<(), Failure> {
    let held = hold::use_up_for(tx, actor, world, &change.id.to_string())?;
    let kept = store::change::kept_for(tx, (change.order, change.id))?;
    let held_of = |variant: &Id<Variant>| held.get(variant).copied().unwrap_or(0);
    let Some((variant, asked)) = kept.into_iter().find(|(variant, asked)| held_of(variant) < *asked) else {
        return Ok(());
    };
    in_skus(tx, &[variant], Err(too_few(variant, held_of(&variant), asked).into()))
}

/// Where an order's pieces of these lines lie that are free again once they are taken back: at its locations, and at those that send it
/// some. What is on its way is not: it becomes free when it arrives.
fn own(tx: &mut Tx<'_>, ground: &Ground, anew: &Pieces) -> Result<Vec<Lying>, Failure> {
    let mut own = Vec::new();
    for part in &ground.parts {
        let Some(location) = part.location.filter(|_| part.state.is_open()) else { continue };
        let mut here = Counted::new();
        for piece in part.lines.iter().filter(|piece| anew.contains_key(&(piece.line, piece.variant))) {
            *here.entry(piece.variant).or_insert(0) += piece.quantity;
        }
        if part.state == Part::AwaitingTransfer {
            own.extend(not_sent_yet(tx, part, &mut here)?);
        }
        own.extend(here.into_iter().map(|(variant, pieces)| (location, variant, pieces)));
    }
    Ok(own)
}

/// What others were to send to a fulfilment order and still have; what they send is taken from what would be at its location.
fn not_sent_yet(tx: &mut Tx<'_>, part: &FulfilmentOrder, here: &mut Counted) -> Result<Vec<Lying>, Failure> {
    let mut there = Vec::new();
    for id in store::transfer::for_order(tx, (part.order, part.id))? {
        let one = crate::transfer::find(tx, id)?;
        for line in &one.lines {
            let Some(left) = here.get_mut(&line.variant) else { continue };
            let coming = line.progress.promised.min(*left);
            *left -= coming;
            if one.state.is_at_source() {
                there.push((one.source, line.variant, coming));
            }
        }
    }
    Ok(there)
}

/// What is needed beyond what the order has itself within a reach.
fn beyond(mut needed: Counted, own: &[Lying], reach: &Reach) -> Counted {
    for (location, variant, pieces) in own {
        if let Some(left) = needed.get_mut(variant).filter(|_| reach.locations.contains(location)) {
            *left -= pieces;
        }
    }
    needed.retain(|_, quantity| *quantity > 0);
    needed
}

/// What of the goods can be had within a reach, and what cannot.
fn split(tx: &mut Tx<'_>, reach: &Reach, mut needed: Counted) -> Result<(Counted, Counted), Failure> {
    store::ledger::lock_books(tx, &mut needed.keys().map(|variant| book_of(*variant)).collect())?;
    let picture = picture(tx, reach, &needed.keys().copied().collect::<Vec<_>>())?;
    let mut there = Counted::new();
    for (variant, quantity) in &mut needed {
        let had = picture.promisable(*variant).clamp(0, *quantity);
        there.insert(*variant, had);
        *quantity -= had;
    }
    there.retain(|_, quantity| *quantity > 0);
    needed.retain(|_, quantity| *quantity > 0);
    Ok((there, needed))
}

/// Keeps what is sent from elsewhere; when that is too little, the refusal counts what is there already as well.
fn hold_coming(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, here): (&Reach, &Counted),
    (cause, coming): (&(&'static str, String), &Counted),
) -> Result<(), Failure> {
    let picture = picture(tx, from, &coming.keys().copied().collect::<Vec<_>>())?;
    for (variant, quantity) in coming {
        let (found, own) = (picture.promisable(*variant).max(0), here.get(variant).copied().unwrap_or(0));
        if found < *quantity {
            return Err(too_few(*variant, own + found, own + quantity).into());
        }
    }
    hold::hold_for(tx, actor, world, from, cause, coming)
}
