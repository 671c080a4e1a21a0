//! Parcels that nobody took come back to the location they left: the goods are looked at there, and the customer gets the money back.

use domain::actor::Actor;
use domain::returns::Condition;
use domain::value::Id;
use domain::value::id::{Order, Parcel};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::job::Job;
use store::{Tx, fulfilment::parcel, order as rows};

use super::{Back, BackLine, Wish, take_back};
use crate::event::emit;
use crate::{Failure, World};

/// Why they come back, as it stands in the return.
const REASON: &str = "returned to sender";

/// The job that takes a parcel back which its carrier brought home. What cannot be taken back by itself, because a set is not whole or
/// the location takes nothing back, is told, for a person to decide.
///
/// # Errors
/// What the store says.
pub fn on_returned(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let order: Id<Order> = Id::parse(&job.subject).map_err(|error| Refusal::invalid("subject", error))?;
    let body: Value = serde_json::from_str(&job.body).unwrap_or_default();
    let id: Option<Id<Parcel>> = body["parcel"].as_str().and_then(|text| Id::parse(text).ok());
    let found = parcel::of_order(tx, order)?.into_iter().find(|one| Some(one.id) == id);
    let Some(found) = found else { return Ok(()) };
    let mut lines = Vec::new();
    for line in rows::lines(tx, order)? {
        let pieces = |variant| -> i64 {
            let own = found.lines.iter().filter(|piece| piece.line == line.id && piece.variant == variant);
            own.map(|piece| piece.quantity).sum()
        };
        let units = line.takes.iter().map(|(variant, each)| pieces(*variant) / (*each).max(1)).min();
        if let Some(quantity) = units.filter(|units| *units > 0) {
            lines.push(BackLine { line: line.id, quantity, condition: Condition::Inspect });
        }
    }
    let pieces = lines.len();
    let back = Back {
        order,
        location: found.location,
        reason: REASON.to_owned(),
        lines,
        // Goods that are here again come back, whatever the policy says of those a customer brings.
        wish: Wish { means: None, override_reason: Some(REASON.to_owned()) },
        external_id: None,
    };
    let taken = if pieces > 0 {
        tx.savepoint(|tx| take_back(tx, actor, world, back.clone())).map(Some)
    } else {
        Ok(None)
    };
    match taken {
        Ok(Some(_)) => Ok(()),
        Err(failure) if failure.code().is_none_or(|code| code != Code::WrongState) => Err(failure),
        Ok(None) | Err(_) => {
            let body = json!({ "parcel": found.id.to_string(), "location": found.location.to_string() });
            emit(tx, actor, world, order, "parcel.to_be_decided", body);
            Ok(())
        }
    }
}
