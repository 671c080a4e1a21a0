//! The real shop's expected goods: announced, moved, received, cancelled.

use domain::stock::expected::Arrival;
use domain::value::{Instant, Reference};
use engine::promise::expected::{self, ExpectedChange, NewExpected};

use super::real::{Real, Work, quantity};
use crate::model::Command;
use crate::model::later::ExpectedStep;
use crate::shop::OPENING;

const fn instant(seconds: i64) -> Instant {
    OPENING.plus_seconds(seconds)
}

impl Real {
    /// What a command about expected goods does.
    pub fn expected_work(&self, command: Command) -> Work {
        let (variants, places, known) =
            (self.variants.clone(), self.locations.clone(), self.expected.clone());
        Box::new(move |tx, actor, world| {
            match &command {
                Command::Announce { variant, location, quantity: units, due_at } => {
                    let new = NewExpected {
                        variant: variants[*variant],
                        location: places[*location],
                        quantity: quantity(*units)?,
                        due_at: instant(*due_at),
                        reference: None,
                        external_id: None,
                    };
                    return Ok(expected::announce(tx, actor, world, new)?.id.to_string());
                }
                Command::GoOnWithExpected { number, step } => {
                    let named = Reference::Id(known[*number]);
                    match step {
                        ExpectedStep::Move { version, quantity: units, due_at } => {
                            let change = ExpectedChange {
                                quantity: units.map(quantity).transpose()?,
                                due_at: due_at.map(instant),
                                reference: None,
                            };
                            expected::change(tx, actor, world, (&named, Some(*version)), change)?;
                        }
                        ExpectedStep::Receive { available, quality, damaged, last } => {
                            let arrival =
                                Arrival { available: *available, quality: *quality, damaged: *damaged };
                            expected::receive(tx, actor, world, &named, (arrival, *last))?;
                        }
                        ExpectedStep::Cancel => {
                            expected::cancel(tx, actor, world, &named)?;
                        }
                    }
                }
                other => unreachable!("{other:?} is not about expected goods"),
            }
            Ok(String::new())
        })
    }
}
