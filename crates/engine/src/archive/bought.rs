//! Of an archive: what the person bought, brought back, claimed, and has.

use domain::actor::Actor;
use domain::value::id::{Claim, Order, Return};
use domain::value::{Id, Kind, Reference};
use serde_json::{Value, json};
use store::fulfilment::parcel;
use store::loyalty::sale;
use store::timeline::subjects;
use store::{Tx, change, order as rows, payment, returns};

use super::{LAST, MANY_MAX, Whole, happened};
use crate::loyalty::{self, store_credit};
use crate::{Failure, cart};

pub(super) fn orders(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for order in whole.orders(tx)?.into_iter().rev() {
        let Some(head) = rows::find(tx, order)? else { continue };
        let lines: Vec<Value> = rows::lines(tx, order)?
            .iter()
            .map(|line| json!({ "sku": line.sku, "title": line.title, "quantity": line.quantity, "gross": line.gross }))
            .collect();
        all.push(json!({ "id": order.to_string(), "number": head.number, "state": head.state.text(),
            "currency": head.currency.code(), "gross": head.gross, "placed_at": head.placed_at.to_string(), "note": head.note,
            "lines": lines, "changes": changes(tx, whole, order)?, "payments": payments(tx, order)?, "parcels": parcels(tx, order)?,
            "what_happened": happened(tx, whole, &order.to_string())? }));
    }
    Ok(Value::Array(all))
}

fn changes(tx: &mut Tx<'_>, whole: &Whole, order: Id<Order>) -> Result<Value, Failure> {
    let shape = |one: &change::Change| {
        let units = |line: &change::Line| json!({ "what": line.what.text(), "sku": line.sku, "quantity": line.quantity });
        let lines: Vec<Value> = one.lines.iter().map(units).collect();
        json!({ "state": one.state.text(), "at": one.made_at.to_string(), "note": one.after.note, "gross": one.difference.gross_minor, "reason": one.reason, "lines": lines })
    };
    Ok(whole.all(change::of_order(tx, order, Id::from_bytes(LAST), MANY_MAX)?).iter().map(shape).collect())
}

fn payments(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Value, Failure> {
    let shape = |one: &payment::Payment| {
        json!({ "kind": one.kind.text(), "state": one.state.text(), "amount": one.amounts.amount, "refunded": one.amounts.refunded,
            "points": one.points, "card": one.card.as_ref().map(|(last_four, ..)| last_four), "reference": one.provider_reference,
            "at": one.made_at.to_string() })
    };
    Ok(payment::of_order(tx, order)?.iter().map(shape).collect())
}

fn parcels(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in parcel::of_order(tx, order)? {
        let told = parcel::told(tx, (order, one.id))?;
        let told: Vec<Value> = told
            .iter()
            .map(|told| json!({ "where": told.tracked.text(), "at": told.at.to_string(), "note": told.note }))
            .collect();
        all.push(json!({ "state": one.state.text(), "tracking": one.tracking, "left_at": one.left_at.map(|at| at.to_string()), "told": told }));
    }
    Ok(Value::Array(all))
}

pub(super) fn carts(tx: &mut Tx<'_>, actor: &Actor, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        let first = Id::from_bytes([0; 16]);
        for cart in whole.all(cart::list_of_customer(tx, actor, &Reference::Id(*id), first, MANY_MAX)?) {
            let line = |line: &store::cart::Line| json!({ "variant": line.variant.to_string(), "quantity": line.quantity });
            let lines: Vec<Value> = store::cart::lines(tx, cart.id)?.iter().map(line).collect();
            all.push(json!({ "id": cart.id.to_string(), "state": cart.state.text(), "made_at": cart.made_at.to_string(),
                "note": cart.note, "lines": lines }));
        }
    }
    Ok(Value::Array(all))
}

/// The things of one kind that belong to the person.
fn own<K: Kind>(tx: &mut Tx<'_>, whole: &Whole) -> Result<Vec<Id<K>>, Failure> {
    let found = whole.all(subjects(tx, &whole.ids(), MANY_MAX)?);
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
    for order in whole.orders(tx)? {
        for sold in sale::sold(tx, order)? {
            all.push(json!({ "id": sold.card.to_string(), "order": order.to_string(), "worth": sold.minor,
                    "taken_back_at": sold.taken_back_at.map(|at| at.to_string()) }));
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
                "what_happened": happened(tx, whole, &one.id.to_string())? }));
        }
    }
    Ok(Value::Array(all))
}
