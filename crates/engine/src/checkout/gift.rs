//! Gift cards that are bought: handed out, with the price on them, as soon as their money is taken; taken back only while nothing was spent.

use domain::actor::{Actor, Permission};
use domain::order::State;
use domain::value::id::{self, GiftCard, OrderLine};
use domain::value::{Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::loyalty::sale::{self as rows, Sold};
use store::{Tx, order as order_rows};

use super::settle;
use crate::event::emit;
use crate::loyalty::gift_card::{self, GiftCard as Card};
use crate::order::{self, Line, Order};
use crate::{Failure, World};

/// Hands out the cards of a placed order whose money is taken; the money is asked for if it was not. Idempotent.
pub(super) fn issue_paid(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    lines: &[Line],
) -> Result<(), Failure> {
    if !matches!(order.state, State::Placed | State::Completed) {
        return Ok(());
    }
    let due = not_issued(tx, lines)?;
    if due.is_empty() {
        return Ok(());
    }
    settle::capture_for_what_left(tx, actor, world, order)?;
    if order::sums(tx, order)?.kept() < settle::due_for_what_left(tx, order)? {
        return Ok(());
    }
    let market = store::market::find_market(tx, order.market)?
        .ok_or_else(|| Refusal::not_found("market", order.market))?;
    let expires_at = rows::validity(tx, market.id)?.and_then(|rule| rule.ends(world.now(), &market.zone));
    for (line, numbers) in due {
        let face = Money::new(line.unit, order.currency).map_err(|error| Refusal::invalid("unit", error))?;
        for number in numbers {
            let card = gift_card::sell(tx, actor, world, face, expires_at, ("order", order.id.to_string()))?;
            let sold = Sold { line: line.id, number, card: card.id, minor: line.unit, taken_back_at: None };
            rows::add_sold(tx, order.id, &sold)?;
            let body = json!({ "line": line.id.to_string(), "gift_card": card.id.to_string(), "amount": line.unit, "currency": order.currency.code() });
            emit(tx, actor, world, order.id, "order.gift_card_handed_out", body);
        }
        order_rows::note_issued(tx, order.id, line.id, line.quantity - line.cancelled)?;
    }
    Ok(())
}

/// The lines that are gift cards, and the numbers of the cards they have not brought yet.
fn not_issued<'a>(
    tx: &mut Tx<'_>,
    lines: &'a [Line],
) -> Result<Vec<(&'a Line, std::ops::Range<i64>)>, Failure> {
    let mut due = Vec::new();
    let open =
        |line: &&Line| line.takes.is_empty() && line.unit > 0 && line.handed < line.quantity - line.cancelled;
    for line in lines.iter().filter(open) {
        if !rows::is_gift_card(tx, line.variant)? {
            continue;
        }
        due.push((line, line.handed..line.quantity - line.cancelled));
    }
    Ok(due)
}

/// Takes cards of a line back: the first that nobody spent of, which are stopped and emptied. For lines that are no gift cards nothing is done.
///
/// # Errors
/// [`Code::WrongState`] when fewer are untouched.
pub(crate) fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    (line, units): (Id<OrderLine>, i64),
) -> Result<(), Failure> {
    let brought: Vec<_> = rows::sold(tx, order.id)?.into_iter().filter(|sold| sold.line == line).collect();
    if brought.is_empty() {
        return Ok(());
    }
    let mut left = units;
    for sold in brought.iter().filter(|sold| sold.taken_back_at.is_none()) {
        if left == 0 {
            break;
        }
        if gift_card::unsell(tx, actor, world, sold.card, sold.minor, ("order", order.id.to_string()))? {
            rows::take_back(tx, order.id, sold, world.now())?;
            left -= 1;
        }
    }
    if left > 0 {
        let message =
            format!("{left} of the gift cards were spent, wholly or in part, and stay with their holder");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(())
}

/// The gift cards an order brought, for who may see the order.
///
/// # Errors
/// [`Code::NotFound`] when there is none, or the asker may not see it.
pub fn cards(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<(Sold, Card)>, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    rows::sold(tx, id)?.into_iter().map(|sold| Ok((sold, gift_card::find(tx, sold.card)?))).collect()
}

/// Shows the code of a card an order brought, once, to who holds the order or gives credit.
///
/// # Errors
/// [`Code::NotFound`] for a card of another order, [`Code::Forbidden`] for colleagues who do not give credit, [`Code::WrongState`] when it was shown before.
pub fn show_code(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, card): (Id<id::Order>, Id<GiftCard>),
) -> Result<String, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    if !order::is_held_by(actor, &order) {
        actor.may(Permission::GiveCredit, order.location)?;
    }
    if !rows::sold(tx, id)?.iter().any(|sold| sold.card == card) {
        return Err(Refusal::not_found("gift card", card).into());
    }
    gift_card::reveal(tx, actor, world, card)
}
