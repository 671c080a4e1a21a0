//! The real shop's goods of orders: each step of their way, as the model takes it.

use domain::actor::Actor;
use domain::order::CancelReason;
use domain::value::id::{self, Location, Variant};
use domain::value::{Id, Money};
use engine::checkout::{self, Cancel, Leaving};
use engine::fulfilment::pick::Counted;
use engine::fulfilment::visit::{self, Proof};
use engine::fulfilment::{hold, leave, pick, pool, substitute};
use engine::returns::exchange::{self, Swap};
use engine::returns::{self, Back, BackLine, Blind, BlindLine, Wish};
use engine::{Failure, World};
use store::fulfilment::Which;
use store::fulfilment::substitute::Consent;
use store::{Tx, fulfilment as parts, order as orders};

use super::real::{Real, Work, pounds, tender};
use crate::model::returns::Brought;
use crate::model::{Command, Step};

impl Real {
    /// What a command about the goods of orders does.
    pub fn goods_work(&self, command: Command) -> Work {
        let (variants, places, known) = (self.variants.clone(), self.locations.clone(), self.orders.clone());
        let (carts, codes) = (self.carts.clone(), self.codes.clone());
        Box::new(move |tx, actor, world| {
            match &command {
                Command::Fulfil { order, part } => {
                    let part = parts::of_order(tx, known[*order])?[*part].id;
                    checkout::fulfil(tx, actor, world, known[*order], part, leaving())?;
                }
                Command::GoOn { order, part, step } => {
                    let part = parts::of_order(tx, known[*order])?[*part].id;
                    go_on(tx, actor, world, (known[*order], part), step, (&variants, &places))?;
                }
                Command::Cancel { order, lines } => {
                    let sold = orders::lines(tx, known[*order])?;
                    let lines = lines
                        .as_ref()
                        .map(|lines| lines.iter().map(|(line, units)| (sold[*line].id, *units)).collect());
                    let input =
                        Cancel { order: known[*order], lines, part: None, reason: CancelReason::Customer };
                    checkout::cancel(tx, actor, world, input)?;
                }
                Command::TakeBack { order, location, lines } => {
                    let input = back(tx, known[*order], places[*location], lines)?;
                    returns::take_back(tx, actor, world, input)?;
                }
                Command::Allow { order, allowed, named } => {
                    let named = named.iter().map(|variant| variants[*variant]).collect();
                    let consent = Consent { variant: None, allowed: *allowed, named };
                    substitute::allow(tx, actor, world, known[*order], &[consent])?;
                }
                Command::Substitute { order, part, replaced } => {
                    let which = (known[*order], parts::of_order(tx, known[*order])?[*part].id);
                    let swap = substitute::Swap {
                        line: orders::lines(tx, known[*order])?[replaced.line].id,
                        by: variants[replaced.by],
                        quantity: replaced.quantity,
                        missing: replaced.missing,
                    };
                    checkout::substitute::substitute(tx, actor, world, which, &swap)?;
                }
                Command::Exchange { order, location, lines, cart, expected, tenders } => {
                    let input = Swap {
                        back: back(tx, known[*order], places[*location], lines)?,
                        cart: carts[*cart],
                        expected_total: expected.map(|minor| Money::new(minor, pounds()).expect("an amount")),
                        tenders: tenders.iter().map(|one| tender(&codes, one)).collect(),
                    };
                    return Ok(exchange::exchange(tx, actor, world, input)?.0.new_order.to_string());
                }
                Command::TakeBackBlind { variant, location, quantity, condition } => {
                    let variant = variants[*variant];
                    let line = BlindLine { variant, quantity: *quantity, condition: *condition, refund: 100 };
                    let input = Blind {
                        location: places[*location],
                        reason: "no receipt".into(),
                        currency: pounds(),
                        lines: vec![line],
                        customer: None,
                        wish: Wish::default(),
                        external_id: None,
                    };
                    returns::take_back_blind(tx, actor, world, input)?;
                }
                other => unreachable!("{other:?} is not about goods of orders"),
            }
            Ok(String::new())
        })
    }
}

/// What is brought back of an order.
fn back(
    tx: &mut Tx<'_>,
    order: Id<id::Order>,
    location: Id<Location>,
    lines: &[Brought],
) -> Result<Back, Failure> {
    let sold = orders::lines(tx, order)?;
    let line = |(line, quantity, condition): &Brought| BackLine {
        line: sold[*line].id,
        quantity: *quantity,
        condition: *condition,
    };
    Ok(Back {
        order,
        location,
        reason: "too big".into(),
        lines: lines.iter().map(line).collect(),
        wish: Wish::default(),
        external_id: None,
    })
}

/// Whoever takes goods is known to the colleague who hands them over.
fn leaving() -> Leaving {
    Leaving { proof: (Some(Proof::Seen("known here".into())), None), ..Leaving::default() }
}

fn go_on(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    step: &Step,
    (variants, places): (&[Id<Variant>], &[Id<Location>]),
) -> Result<(), Failure> {
    let counted = |found: &[(usize, i64)]| -> Counted {
        found.iter().map(|(variant, quantity)| (variants[*variant], *quantity)).collect()
    };
    match step {
        Step::StartPicking => pick::start(tx, actor, world, which).map(drop),
        Step::Pick(found) => pick::pick(tx, actor, world, which, &counted(found)).map(drop),
        Step::Miss(missing) => pick::short(tx, actor, world, which, &counted(missing)).map(drop),
        Step::Pack => pick::pack(tx, actor, world, which).map(drop),
        Step::MakeReady => visit::ready(tx, actor, world, which).map(drop),
        Step::Deliver => leave::delivered(tx, actor, world, which).map(drop),
        Step::Hold => hold::put(tx, actor, world, which, "a question").map(drop),
        Step::Release => hold::release(tx, actor, world, which).map(drop),
        Step::Reject => pool::reject(tx, actor, world, which, "no hands").map(drop),
        Step::Offer { locations, seconds } => {
            let locations: Vec<_> = locations.iter().map(|location| places[*location]).collect();
            let until = world.now().plus_seconds(*seconds);
            pool::offer(tx, actor, world, which, (&locations, until)).map(drop)
        }
        Step::Claim { location } => pool::claim(tx, actor, world, which, places[*location]).map(drop),
    }
}
