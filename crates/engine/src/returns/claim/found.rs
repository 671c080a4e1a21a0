//! Lost parcels: given up, claimed from their carrier, and sometimes found after all, with the customer or with who sent them.

use domain::actor::{Actor, Permission};
use domain::fulfilment::parcel::State as ParcelState;
use domain::returns::claim::{CarrierState, Found, Kind, State, Whereabouts};
use domain::stock;
use domain::value::Id;
use domain::value::id::{self, Location, Order};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::fulfilment::parcel::{self as parcels, Which};
use store::job::Job;
use store::returns::claim as rows;
use store::{Tx, order as order_rows};

use super::{Claim, all_of, locked, tell};
use crate::event::emit;
use crate::returns::to_sender;
use crate::stock::{Movement, never_short, post_movement};
use crate::{Failure, World, order};

/// A parcel that is still on its way is given up: whatever is heard of it now goes to a person.
pub(super) fn give_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, parcel): Which,
) -> Result<(), Failure> {
    let found = parcels::of_order(tx, order)?.into_iter().find(|one| one.id == parcel);
    let Some(mut found) = found.filter(|one| one.state == ParcelState::Shipped && one.lost_at.is_none())
    else {
        return Ok(());
    };
    found.lost_at = Some(world.now());
    parcels::update(tx, &found)?;
    emit(tx, actor, world, order, "parcel.lost", json!({ "parcel": parcel.to_string() }));
    Ok(())
}

/// A parcel is waited for again once nobody says any more that it is lost.
pub(super) fn wait_again(tx: &mut Tx<'_>, (order, parcel): Which) -> Result<(), Failure> {
    if all_of(tx, order)?.iter().any(|one| says_lost(one, parcel)) {
        return Ok(());
    }
    let found = parcels::of_order(tx, order)?.into_iter().find(|one| one.id == parcel);
    if let Some(mut found) = found.filter(|one| one.lost_at.is_some()) {
        found.lost_at = None;
        parcels::update(tx, &found)?;
    }
    Ok(())
}

/// Does a claim count that says that a parcel was lost?
fn says_lost(one: &Claim, parcel: Id<id::Parcel>) -> bool {
    let counts = matches!(one.state, State::Approved | State::Resolved);
    counts && one.kind == Kind::Lost && one.parcel == Some(parcel)
}

/// The job that tells claims that their parcel was found after all, for a person to decide. A parcel that came back and that nobody gives
/// up any more is taken back as any other.
///
/// # Errors
/// What the store says.
pub fn on_found(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let order: Id<Order> = Id::parse(&job.subject).map_err(|error| Refusal::invalid("subject", error))?;
    let order = order::lock(tx, order)?;
    let body: Value = serde_json::from_str(&job.body).unwrap_or_default();
    let id: Option<Id<id::Parcel>> = body["parcel"].as_str().and_then(|text| Id::parse(text).ok());
    let parcel = parcels::of_order(tx, order.id)?.into_iter().find(|one| Some(one.id) == id);
    let Some(parcel) = parcel else { return Ok(()) };
    let found = match parcel.state {
        ParcelState::Delivered => Found::Delivered,
        ParcelState::Returned => Found::Returned,
        _ => return Ok(()),
    };
    let claims: Vec<Claim> =
        all_of(tx, order.id)?.into_iter().filter(|one| says_lost(one, parcel.id)).collect();
    if claims.is_empty() && found == Found::Returned {
        return to_sender::on_returned(tx, actor, world, job);
    }
    for mut one in claims.into_iter().filter(|one| one.found.is_none()) {
        one.found = Some((found, world.now()));
        rows::update(tx, &one)?;
        let body = json!({
            "order": order.id.to_string(), "parcel": parcel.id.to_string(), "found": found.text(), "state": one.state.text(),
            "carrier": one.carrier.as_ref().map(|carrier| carrier.state.text())
        });
        emit(tx, actor, world, one.id, "claim.parcel_found", body);
    }
    Ok(())
}

/// A colleague says what became of goods that were made good and turned up after all: the loss is taken back in the books.
///
/// # Errors
/// [`Code::WrongState`] unless the claim was made good, its parcel was found and nobody said so before; [`Code::Invalid`] without a
/// location for goods that are back.
pub fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Claim>,
    (whereabouts, location): (Whereabouts, Option<Id<Location>>),
) -> Result<Claim, Failure> {
    let (_, mut one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(location.unwrap_or(one.location)))?;
    if one.state != State::Resolved || one.found.is_none() || one.whereabouts.is_some() {
        let message = "only goods that were made good and turned up after all are settled, and once";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let (to, reason) = match (whereabouts, location) {
        (Whereabouts::Kept, None) => (stock::world(stock::State::Customer), "arrived_late"),
        (Whereabouts::Restocked, Some(location)) => {
            super::super::takes_back(tx, location)?;
            (stock::at(location, stock::State::Quality), "came_back_late")
        }
        (Whereabouts::Kept, Some(_)) => {
            return Err(Refusal::invalid("location", "what the customer keeps is at no location").into());
        }
        (Whereabouts::Restocked, None) => {
            return Err(Refusal::invalid("location", "say where the goods are back").into());
        }
    };
    post(tx, actor, world, &one, (stock::world(stock::State::Shrinkage), to), reason)?;
    one.whereabouts = Some(whereabouts);
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "claim.settled");
    Ok(one)
}

/// Moves all pieces of a claim from one account to another.
pub(super) fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Claim,
    (from, to): (domain::ledger::AccountKey, domain::ledger::AccountKey),
    reason: &'static str,
) -> Result<(), Failure> {
    let known = order_rows::lines(tx, one.order)?;
    let mut pieces = std::collections::BTreeMap::new();
    for line in &one.lines {
        let takes = known.iter().find(|known| known.id == line.line).map(|known| &known.takes);
        for (variant, each) in takes.into_iter().flatten() {
            *pieces.entry(*variant).or_insert(0) += each * line.quantity;
        }
    }
    for (variant, quantity) in pieces {
        let postings = stock::moving(from, to, quantity, 0).into();
        let cause = Some(("claim", one.id.to_string()));
        post_movement(tx, actor, world, Movement { variant, reason, cause, postings }, never_short)?;
    }
    Ok(())
}

/// What a carrier said to what we want of it.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where it stands now.
    pub state: CarrierState,
    /// The carrier's own number for it; as before when not given.
    pub reference: Option<String>,
    /// How much it paid, in minor units, if it paid; all of it when not given.
    pub paid: Option<i64>,
}

/// Notes where what we want of the carrier stands.
///
/// # Errors
/// [`Code::WrongState`] when nothing is wanted of a carrier or this cannot follow; [`Code::AmountExceeded`] for more than was wanted.
pub fn carrier_said(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Claim>,
    said: Said,
) -> Result<Claim, Failure> {
    let (_, mut one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    let Some(carrier) = one.carrier.as_mut() else {
        let message = "nothing is wanted of a carrier: the claim is not approved, or names no parcel";
        return Err(Refusal::new(Code::WrongState, message).into());
    };
    if !carrier.state.leads_to(said.state) {
        let message = format!(
            "what is wanted of the carrier is {} and cannot become {}",
            carrier.state.text(),
            said.state.text()
        );
        return Err(Refusal::new(Code::WrongState, message).at("state").into());
    }
    match (said.state, said.paid) {
        (CarrierState::Paid, Some(paid)) if paid < 1 || paid > carrier.amount => {
            let message = format!("{} minor units are wanted of the carrier, {paid} paid", carrier.amount);
            return Err(Refusal::new(Code::AmountExceeded, message).at("paid").into());
        }
        (CarrierState::Paid, paid) => carrier.paid = paid.unwrap_or(carrier.amount),
        (_, Some(_)) => return Err(Refusal::invalid("paid", "give it when the carrier paid").into()),
        (_, None) => {}
    }
    carrier.state = said.state;
    carrier.reference = said.reference.or(carrier.reference.take());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "claim.carrier_said");
    Ok(one)
}
