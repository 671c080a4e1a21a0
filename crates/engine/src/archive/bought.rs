//! Of an archive: what the person bought, brought back, claimed, and has.

use domain::actor::Actor;
use domain::value::id::{Claim, Return};
use domain::value::{Id, Kind, Reference};
use serde_json::{Value, json};
use store::loyalty::sale;
use store::privacy::retention::orders_of;
use store::timeline::subjects;
use store::{Tx, order as rows, returns};

use super::{MANY_MAX, Whole, happened};
use crate::loyalty::{self, member, points, store_credit};
use crate::{Failure, World, cart};

pub(super) fn orders(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for customer in &whole.customers {
        for order in orders_of(tx, *customer, MANY_MAX)? {
            let Some(head) = rows::find(tx, order)? else { continue };
            let lines: Vec<Value> = rows::lines(tx, order)?
                .iter()
                .map(|line| json!({ "sku": line.sku, "title": line.title, "quantity": line.quantity, "gross": line.gross }))
                .collect();
            all.push(json!({ "id": order.to_string(), "number": head.number, "state": head.state.text(),
                "currency": head.currency.code(), "gross": head.gross, "placed_at": head.placed_at.to_string(), "note": head.note,
                "lines": lines, "what_happened": happened(tx, &order.to_string())? }));
        }
    }
    Ok(Value::Array(all))
}

pub(super) fn carts(tx: &mut Tx<'_>, actor: &Actor, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        let first = Id::from_bytes([0; 16]);
        for cart in cart::list_of_customer(tx, actor, &Reference::Id(*id), first, MANY_MAX)? {
            all.push(json!({ "id": cart.id.to_string(), "state": cart.state.text(), "made_at": cart.made_at.to_string() }));
        }
    }
    Ok(Value::Array(all))
}

/// The things of one kind that belong to the person.
fn own<K: Kind>(tx: &mut Tx<'_>, whole: &Whole) -> Result<Vec<Id<K>>, Failure> {
    let found = subjects(tx, &whole.ids(), MANY_MAX)?;
    Ok(found.iter().filter_map(|one| Id::parse(&one.name).ok()).collect())
}

pub(super) fn returns(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in own::<Return>(tx, whole)? {
        let Some(one) = returns::find(tx, id)? else { continue };
        let lines: Vec<Value> = one
            .lines
            .iter()
            .map(|line| json!({ "variant": line.variant.to_string(), "quantity": line.quantity, "received": line.received,
                "condition": line.condition.text(), "refund": line.refund }))
            .collect();
        all.push(json!({ "id": id.to_string(), "order": one.order.map(|order| order.to_string()), "state": one.state.text(),
            "reason": one.reason, "currency": one.currency.code(), "refund": one.refund, "fee": one.fee, "means": one.means.text(),
            "at": one.at.to_string(), "lines": lines }));
    }
    Ok(Value::Array(all))
}

pub(super) fn claims(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in own::<Claim>(tx, whole)? {
        let Some(one) = returns::claim::find(tx, id)? else { continue };
        all.push(json!({ "id": id.to_string(), "order": one.order.to_string(), "kind": one.kind.text(), "state": one.state.text(),
            "reason": one.reason, "evidence": one.evidence, "decline_reason": one.decline_reason, "currency": one.currency.code(),
            "value": one.value, "refund": one.refund }));
    }
    Ok(Value::Array(all))
}

/// The gift cards that the person's orders brought. Their codes are whoever's who holds them.
pub(super) fn gift_cards(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for customer in &whole.customers {
        for order in orders_of(tx, *customer, MANY_MAX)? {
            for sold in sale::sold(tx, order)? {
                all.push(
                    json!({ "id": sold.card.to_string(), "order": order.to_string(), "worth": sold.minor,
                    "taken_back_at": sold.taken_back_at.map(|at| at.to_string()) }),
                );
            }
        }
    }
    Ok(Value::Array(all))
}

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
                "pending": balance.pending, "what_happened": happened(tx, &one.id.to_string())? }));
        }
    }
    Ok(Value::Array(all))
}

pub(super) fn credits(tx: &mut Tx<'_>, actor: &Actor, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        for one in store_credit::of_customer(tx, actor, *id)? {
            let balance = loyalty::balance(tx, &store_credit::credit(&one))?.0;
            all.push(json!({ "id": one.id.to_string(), "currency": one.currency.code(), "balance": balance,
                "what_happened": happened(tx, &one.id.to_string())? }));
        }
    }
    Ok(Value::Array(all))
}
