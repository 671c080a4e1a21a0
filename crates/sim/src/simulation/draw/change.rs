//! Draws changes of orders: shown, confirmed with and without money, declined, too late.

use domain::order::State as OrderState;
use domain::payment::Kind as PaymentKind;

use super::money::tenders;
use super::{choice, few, order, place};
use crate::chance::Chance;
use crate::model::change::Action;
use crate::model::money::Tender;
use crate::model::order::Order;
use crate::model::{Command, Model};

pub fn change(chance: &mut Chance, model: &Model) -> Option<Command> {
    let goes_on = |order: &Order| matches!(order.state, OrderState::PendingPayment | OrderState::Placed);
    let with_open =
        (0..model.orders.len()).rev().take(30).find(|number| model.open_change(*number).is_some());
    let number = match with_open {
        Some(number) if chance.happens(60) => number,
        _ => order(chance, model, goes_on)?,
    };
    let changes = &model.orders[number].changes;
    let change = match model.open_change(number) {
        Some(open) if chance.happens(95) => open,
        None if changes.is_empty() || chance.happens(95) => {
            return Some(Command::Preview { order: number, actions: actions(chance, model, number) });
        }
        _ => place(chance, changes.len()),
    };
    Some(match chance.below(10) {
        0 => Command::Preview { order: number, actions: actions(chance, model, number) },
        1 => Command::Decline { order: number, change },
        _ => {
            let shown = &changes[change];
            let expected = shown.difference + i64::from(chance.happens(4));
            let tenders = match chance.below(4) {
                0 => Vec::new(),
                1 | 2 => vec![Tender::by(PaymentKind::Test, None)],
                _ => tenders(chance, model, shown.to_pay),
            };
            Command::Confirm { order: number, change, expected, tenders }
        }
    })
}

fn actions(chance: &mut Chance, model: &Model, number: usize) -> Vec<Action> {
    let count = if chance.happens(3) { 0 } else { few(chance, 3) };
    (0..count).map(|_| action(chance, model, &model.orders[number])).collect()
}

fn action(chance: &mut Chance, model: &Model, order: &Order) -> Action {
    let variant = place(chance, model.plan.variants.len());
    let line = place(chance, order.lines.len());
    let open = order.untouched_units(line);
    let units = if chance.happens(90) { few(chance, open.max(1).cast_unsigned()) } else { open + 1 };
    match chance.below(12) {
        0..3 => Action::Add(variant, few(chance, 3)),
        3..5 => Action::Remove(line, units),
        5..7 => Action::Swap(line, units, (variant, few(chance, 3))),
        7 => {
            let unit = order.lines[line].unit;
            let price = chance.below(unit.cast_unsigned() + 2).cast_signed() + unit / 3;
            Action::CorrectPrice(line, price)
        }
        8 => Action::Address,
        _ => choice(chance, model).map_or(Action::Address, Action::Delivery),
    }
}
