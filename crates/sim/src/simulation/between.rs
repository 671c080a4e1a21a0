//! The real shop's goods between places: transfer orders, counts, and returns that were announced.

use domain::actor::Actor;
use domain::returns::Way;
use domain::transfer::Reason;
use domain::value::Id;
use domain::value::id::{self, Location, Variant};
use engine::count::{self, NewCount, Scope, review, tally};
use engine::fulfilment::{counted, inbound};
use engine::returns::judge::Asked;
use engine::returns::request::{self, Arrival, Request};
use engine::returns::{self, Wish};
use engine::transfer::receive::Received;
use engine::transfer::{self, NewTransfer, send};
use engine::{Failure, World};
use store::transfer::{self as transfers, Side};
use store::{Tx, count as counts, order as orders};

use super::compare::part_that_waits;
use super::real::{Real, Work, nobody};
use crate::model::count::CountStep;
use crate::model::returns::{Brought, ReturnStep};
use crate::model::transfer::TransferStep;
use crate::model::{Command, Step};

/// How many transfer orders are made for orders at most at a location by one command, or while time passes.
const TRANSFERS_OF_A_COMMAND: i64 = 200;
/// How many counts one command asks for at most at a location.
const COUNTS_OF_A_COMMAND: i64 = 10;

impl Real {
    /// What a command about goods between places does.
    pub fn between_work(&self, command: Command) -> Work {
        let (variants, places) = (self.variants.clone(), self.locations.clone());
        let (known, transfers, counts) = (self.orders.clone(), self.transfers.clone(), self.counts.clone());
        Box::new(move |tx, actor, world| {
            let named = |lines: &[(usize, i64)]| -> transfer::Pieces {
                lines.iter().map(|(variant, pieces)| (variants[*variant], *pieces)).collect()
            };
            match &command {
                Command::DraftTransfer { source, destination, lines } => {
                    let new = NewTransfer {
                        source: places[*source],
                        destination: places[*destination],
                        lines: named(lines),
                        reason: Reason::Balance,
                        note: None,
                        expected_at: None,
                    };
                    return Ok(transfer::draft(tx, actor, world, new)?.id.to_string());
                }
                Command::GoOnWithTransfer { number, step } => {
                    go_on_with_transfer(tx, actor, world, transfers[*number], (step, &variants))?;
                }
                Command::AskForCount { location, variants: asked } => {
                    let new = NewCount {
                        location: places[*location],
                        scope: Scope::Variants(asked.iter().map(|variant| variants[*variant]).collect()),
                        blind: false,
                        note: None,
                    };
                    count::request(tx, actor, world, new)?;
                }
                Command::GoOnWithCount { number, step } => {
                    go_on_with_count(tx, actor, world, counts[*number], (step, &variants))?;
                }
                Command::AskBack { order, location, lines } => {
                    let location = location.map(|location| places[location]);
                    ask_back(tx, actor, world, known[*order], (location, lines))?;
                }
                Command::GoOnWithReturn { order, number, step } => {
                    let place = (known[*order], *number);
                    go_on_with_return(tx, actor, world, place, (step, &variants, &places))?;
                }
                other => unreachable!("{other:?} is not about goods between places"),
            }
            Ok(String::new())
        })
    }

    /// Notes the transfer orders that were made for orders, the oldest first; of those made at the same instant, in the order in which the model
    /// made them, by the part they are for and where they come from.
    pub fn note_transfers(&mut self, made: &[(Option<(usize, usize)>, usize)]) -> Result<(), Failure> {
        let last = self.transfers.last().copied();
        let mut new = Vec::new();
        for (source, location) in self.locations.iter().copied().enumerate() {
            let before = Id::from_bytes([255; 16]);
            let newest = self.shop.read(move |tx| {
                let which = (location, Side::Out, false);
                Ok::<_, Failure>(transfers::list(tx, which, before, TRANSFERS_OF_A_COMMAND)?)
            })?;
            for one in newest.into_iter().filter(|one| last.is_none_or(|last| one.id > last)) {
                let waiting = one.waiting.filter(|(order, _)| self.orders.contains(order));
                let waiting = waiting.map(|waiting| part_that_waits(self, waiting)).transpose()?;
                new.push((one.made_at, made.iter().position(|known| *known == (waiting, source)), one.id));
            }
        }
        new.sort_unstable();
        self.transfers.extend(new.into_iter().map(|(.., id)| id));
        Ok(())
    }

    /// Notes the counts that a command asked for, the oldest first.
    pub fn note_counts(&mut self, command: &Command) -> Result<(), Failure> {
        let asks = matches!(
            command,
            Command::AskForCount { .. }
                | Command::GoOn { step: Step::Miss(_), .. }
                | Command::Substitute { .. }
                | Command::GoOnWithTransfer { step: TransferStep::Miss(_), .. }
        );
        if !asks {
            return Ok(());
        }
        let last = self.counts.last().copied();
        let mut new = Vec::new();
        for location in self.locations.iter().copied() {
            let before = Id::from_bytes([255; 16]);
            let newest = self.shop.read(move |tx| {
                Ok::<_, Failure>(counts::list(tx, location, false, before, COUNTS_OF_A_COMMAND)?)
            })?;
            new.extend(
                newest.into_iter().map(|count| count.id).filter(|id| last.is_none_or(|last| *id > last)),
            );
        }
        new.sort_unstable();
        self.counts.extend(new);
        Ok(())
    }
}

fn go_on_with_transfer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::TransferOrder>,
    (step, variants): (&TransferStep, &[Id<Variant>]),
) -> Result<(), Failure> {
    let named = |lines: &[(usize, i64)]| -> transfer::Pieces {
        lines.iter().map(|(variant, pieces)| (variants[*variant], *pieces)).collect()
    };
    match step {
        TransferStep::SetLines(lines) => transfer::set_lines(tx, actor, world, id, &named(lines)),
        TransferStep::Request => transfer::request(tx, actor, world, id),
        TransferStep::Pick(found) => send::pick(tx, actor, world, id, &named(found)),
        TransferStep::Miss(missing) => inbound::short(tx, actor, world, id, &named(missing)),
        TransferStep::Ship => send::ship(tx, actor, world, id, send::Shipping::default()),
        TransferStep::Arrive(arrived) => {
            let received = arrived.iter().map(|(variant, pieces, state)| Received {
                variant: variants[*variant],
                pieces: *pieces,
                state: *state,
            });
            inbound::receive(tx, actor, world, id, &received.collect::<Vec<_>>())
        }
        TransferStep::CloseShort(why) => inbound::close(tx, actor, world, id, *why),
        TransferStep::Cancel => inbound::cancel(tx, actor, world, id),
    }
    .map(drop)
}

fn go_on_with_count(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Count>,
    (step, variants): (&CountStep, &[Id<Variant>]),
) -> Result<(), Failure> {
    match step {
        CountStep::Tally(pieces) => {
            let now = world.now();
            let piece = |(variant, pieces, ago): &(usize, i64, i64)| tally::Piece {
                variant: variants[*variant],
                pieces: *pieces,
                place: String::new(),
                at: (*ago != 0).then(|| now.plus_seconds(-ago)),
            };
            let pieces: Vec<_> = pieces.iter().map(piece).collect();
            tally::add(tx, actor, world, id, &pieces)
        }
        CountStep::Finish { rest_is_none } => tally::finish(tx, actor, world, id, *rest_is_none),
        CountStep::Recount(asked) => {
            let asked: Vec<_> = asked.iter().map(|variant| variants[*variant]).collect();
            review::recount(tx, actor, world, id, &asked)
        }
        CountStep::Post => counted::post(tx, actor, world, id),
        CountStep::Cancel => review::cancel(tx, actor, world, id),
    }
    .map(drop)
}

fn ask_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<id::Order>,
    (location, lines): (Option<Id<Location>>, &[Brought]),
) -> Result<(), Failure> {
    let sold = orders::lines(tx, order)?;
    let asked = |(line, quantity, condition): &Brought| Asked {
        line: sold[*line].id,
        quantity: *quantity,
        condition: Some(*condition),
    };
    let input = Request {
        order,
        way: Way::Post,
        location,
        reason: "too small".into(),
        lines: lines.iter().map(asked).collect(),
        wish: Wish::default(),
        external_id: None,
    };
    request::request(tx, actor, world, input).map(drop)
}

fn go_on_with_return(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, number): (Id<id::Order>, usize),
    (step, variants, places): (&ReturnStep, &[Id<Variant>], &[Id<Location>]),
) -> Result<(), Failure> {
    let all = returns::of_order(tx, actor, order)?;
    let one = &all[number];
    let id = one.id;
    let line = |place: usize| one.lines.get(place).map_or(nobody(), |line| line.id);
    match step {
        ReturnStep::Receive { location, lines, others, complete } => {
            let arrival = Arrival {
                id,
                location: places[*location],
                lines: lines.iter().map(|(place, pieces, seen)| (line(*place), *pieces, *seen)).collect(),
                others: others.iter().map(|(variant, pieces)| (variants[*variant], *pieces)).collect(),
                complete: *complete,
            };
            request::receive(tx, actor, world, arrival)
        }
        ReturnStep::Inspect(lines) => {
            let graded = lines.iter().map(|(place, pieces, condition)| (line(*place), *pieces, *condition));
            request::inspect(tx, actor, world, (id, graded.collect()), None)
        }
        ReturnStep::Refund => request::refund(tx, actor, world, id),
        ReturnStep::Close => request::close(tx, actor, world, id),
        ReturnStep::Approve => request::decide(tx, actor, world, id, true),
        ReturnStep::Decline => request::decide(tx, actor, world, id, false),
    }
    .map(drop)
}
