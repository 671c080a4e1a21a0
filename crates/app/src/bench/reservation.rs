//! One variant that everybody wants: holds on it, without the network in between, each with its event and its journal entry.

use std::sync::mpsc;

use domain::actor::Actor;
use domain::value::{Id, Instant, Quantity, Reference};
use engine::perform::{Answer, Request, perform};
use engine::stock::hold::{SetAside, set_aside};
use engine::{Failure, Shop, external};
use tandem::demo::report::signed;

use super::crowd::{micros_now, per_second};
use super::figure::Figure;
use crate::fault::Fault;

/// Commands under way at once.
const AT_ONCE: usize = 64;
/// A hold lasts longer than the measurement.
const HELD_MICROS: i64 = 3_600_000_000;

/// Holds one piece of one variant at one location again and again for a time, both by id.
///
/// # Errors
/// What the shop refuses.
pub fn measure(shop: &Shop, (variant, location): (&str, &str), seconds: u64) -> Result<Vec<Figure>, Fault> {
    let (variant, location) = (Reference::read(variant), Reference::read(location));
    let (variant, location) = shop.db.read(move |tx| -> Result<_, Failure> {
        Ok((external::resolve(tx, &variant)?, external::resolve(tx, &location)?))
    })?;
    let quantity = Quantity::new(1).map_err(|error| Fault::Failed(error.to_string()))?;
    let (teller, heard) = mpsc::channel();
    let ask = || {
        let teller = teller.clone();
        let request = Request { actor: Actor::system(), key: None };
        let command = move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
            let input = SetAside {
                variant,
                location,
                quantity,
                expires_at: Instant::from_micros(world.now().micros() + HELD_MICROS),
                reference: "bench".into(),
            };
            let hold: Id<_> = set_aside(tx, actor, world, input)?;
            Ok(Answer { status: 201, body: hold.to_string(), version: None, repeated: false })
        };
        perform(shop, request, command, move |outcome| drop(teller.send(outcome.map(drop))));
    };
    let began = micros_now();
    let until = began + seconds * 1_000_000;
    let (mut held, mut under_way) = (0i64, AT_ONCE);
    (0..AT_ONCE).for_each(|_| ask());
    while under_way > 0 {
        let outcome = heard.recv().map_err(|_| Fault::Failed("the books closed meanwhile".into()))?;
        outcome?;
        held += 1;
        if micros_now() < until {
            ask();
        } else {
            under_way -= 1;
        }
    }
    let micros = micros_now() - began;
    let of = format!("{} holds in process, {AT_ONCE} under way at once", signed(held));
    Ok(vec![Figure::new("holds on one variant at one store", per_second(held.unsigned_abs(), micros), of)])
}
