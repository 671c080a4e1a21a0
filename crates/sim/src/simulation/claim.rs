//! The real shop's parcels and claims: packed, sent, handed over; said to be lost or damaged, and made good. Read again as the model has
//! them.

use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::value::id::{Channel, Location, Order, Variant};
use domain::value::{Id, id};
use engine::checkout;
use engine::fulfilment::parcel::{self, NewParcel};
use engine::fulfilment::track;
use engine::returns::claim::resolve::{self, Resolve};
use engine::returns::claim::{self, Request, found};
use engine::returns::{self, Wish};
use engine::{Failure, World};
use store::{Tx, fulfilment as parts, order as orders};

use super::compare::number;
use super::real::{Real, Work};
use crate::model::Command;
use crate::model::claim::{Claim, ClaimLine, ClaimStep, Claimed};
use crate::model::parcel::{Parcel, ParcelStep};

/// What every parcel weighs, in grams.
const WEIGHT_GRAMS: i64 = 500;

impl Real {
    /// What a command about parcels or claims of an order does.
    pub fn claim_work(&self, command: Command) -> Work {
        let (variants, places, known) = (self.variants.clone(), self.locations.clone(), self.orders.clone());
        let van = self.van;
        Box::new(move |tx, actor, world| {
            match &command {
                Command::Parcel { order, step } => {
                    go_on_with_parcels(tx, actor, world, known[*order], (step, &variants, van))?;
                }
                Command::ClaimGoods { order, asked } => ask(tx, actor, world, known[*order], asked)?,
                Command::GoOnWithClaim { order, number, step } => {
                    let id = claim::of_order(tx, actor, known[*order])?[*number].id;
                    go_on_with_claim(tx, actor, world, (known[*order], id), (step, &places))?;
                }
                other => unreachable!("{other:?} is not about parcels or claims"),
            }
            Ok(String::new())
        })
    }
}

fn go_on_with_parcels(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<Order>,
    (step, variants, van): (&ParcelStep, &[Id<Variant>], Id<id::Carrier>),
) -> Result<(), Failure> {
    let of = |tx: &mut Tx<'_>, place: usize| -> Result<parcel::Which, Failure> {
        Ok((order, parcel::list(tx, actor, order)?[place].id))
    };
    match step {
        ParcelStep::Pack { part, goods, by_van } => {
            let which = (order, parts::of_order(tx, order)?[*part].id);
            let named = |goods: &Vec<(usize, i64)>| {
                goods.iter().map(|(variant, pieces)| (variants[*variant], *pieces)).collect()
            };
            let new = NewParcel {
                goods: goods.as_ref().map(named),
                weight_grams: Some(WEIGHT_GRAMS),
                carrier: by_van.then_some(van),
                ..NewParcel::default()
            };
            parcel::pack(tx, actor, world, which, &new).map(drop)
        }
        ParcelStep::Unpack(place) => {
            let which = of(tx, *place)?;
            parcel::unpack(tx, actor, world, which).map(drop)
        }
        ParcelStep::Ship(place) => {
            let which = of(tx, *place)?;
            checkout::ship_parcel(tx, actor, world, which, None).map(drop)
        }
        ParcelStep::Attempt { parcel, delivered } => {
            let which = of(tx, *parcel)?;
            track::attempt(tx, actor, world, which, (*delivered, None)).map(drop)
        }
    }
}

/// Somebody who shops in a channel and holds his order's id.
fn customer(channel: Id<Channel>) -> Actor {
    let grant = Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) };
    Actor { who: Who::Guest, channel: Some(channel), grants: vec![grant] }
}

fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<Order>,
    asked: &Claimed,
) -> Result<(), Failure> {
    let row = orders::find(tx, order)?.expect("the order is there");
    let sold = orders::lines(tx, order)?;
    let parcel = match asked.parcel {
        Some(place) => Some(parcel::list(tx, actor, order)?[place].id),
        None => None,
    };
    let request = Request {
        order,
        kind: asked.kind,
        parcel,
        reason: "not as it should be".into(),
        evidence: None,
        lines: asked.lines.iter().map(|(line, units)| (sold[*line].id, *units)).collect(),
        wished: asked.wished,
        override_reason: None,
        external_id: None,
    };
    let who = if asked.by_customer { customer(row.channel) } else { actor.clone() };
    claim::request(tx, &who, world, request).map(drop)
}

fn go_on_with_claim(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): (Id<Order>, Id<id::Claim>),
    (step, places): (&ClaimStep, &[Id<Location>]),
) -> Result<(), Failure> {
    match step {
        ClaimStep::Approve => claim::decide(tx, actor, world, (id, None)),
        ClaimStep::Decline => claim::decide(tx, actor, world, (id, Some("not agreed".into()))),
        ClaimStep::Withdraw => claim::withdraw(tx, actor, world, id),
        ClaimStep::MakeGood { remedy, amounts, location } => {
            let sold = orders::lines(tx, order)?;
            let how = Resolve {
                remedy: *remedy,
                amounts: amounts.iter().map(|(line, amount)| (sold[*line].id, *amount)).collect(),
                wish: Wish::default(),
                location: location.map(|location| places[location]),
            };
            resolve::resolve(tx, actor, world, (id, how))
        }
        ClaimStep::CarrierSaid { state, paid } => {
            let said = found::Said { state: *state, reference: None, paid: *paid };
            found::carrier_said(tx, actor, world, id, said)
        }
        ClaimStep::Settle { whereabouts, location } => {
            let location = location.map(|location| places[location]);
            found::settle(tx, actor, world, id, (*whereabouts, location))
        }
    }
    .map(drop)
}

/// The lines, variants and places of an order by their numbers.
type Known<'a> = (&'a [orders::Line], &'a [Id<Variant>], &'a [Id<Location>]);

/// The parcels of an order as the model has them.
pub fn parcels(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    (lines, variants, places): Known<'_>,
) -> Result<Vec<Parcel>, Failure> {
    let known = parts::of_order(tx, order)?;
    let line = |id| lines.iter().position(|line| line.id == id).expect("a line of the order");
    let parcel = |row: parcel::Parcel| Parcel {
        part: known.iter().position(|part| part.id == row.fulfilment_order).expect("a part of the order"),
        location: number(places, row.location),
        state: row.state,
        by_van: row.carrier.is_some(),
        attempts: row.attempts,
        lost: row.lost_at.is_some(),
        pieces: row
            .lines
            .iter()
            .map(|one| (line(one.line), number(variants, one.variant), one.quantity))
            .collect(),
    };
    Ok(parcel::list(tx, &Actor::system(), order)?.into_iter().map(parcel).collect())
}

/// The claims of an order as the model has them.
pub fn claims(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    (lines, places): (&[orders::Line], &[Id<Location>]),
) -> Result<Vec<Claim>, Failure> {
    let system = Actor::system();
    let parcels = parcel::list(tx, &system, order)?;
    let returns = returns::of_order(tx, &system, order)?;
    let line = |one: &claim::Line| ClaimLine {
        line: lines.iter().position(|line| line.id == one.line).expect("a line of the order"),
        quantity: one.quantity,
        value: one.value,
        refund: one.refund,
    };
    let claim = |row: claim::Claim| Claim {
        location: number(places, row.location),
        parcel: row
            .parcel
            .map(|id| parcels.iter().position(|one| one.id == id).expect("a parcel of the order")),
        kind: row.kind,
        state: row.state,
        value: row.value,
        remedy: row.remedy,
        refund: row.refund,
        taken: row
            .taken
            .map(|id| returns.iter().position(|one| one.id == id).expect("a return of the order")),
        carrier: row.carrier.as_ref().map(|carrier| (carrier.state, carrier.amount, carrier.paid)),
        found: row.found.map(|(found, _)| found),
        whereabouts: row.whereabouts,
        lines: row.lines.iter().map(line).collect(),
    };
    Ok(claim::of_order(tx, &system, order)?.into_iter().map(claim).collect())
}
