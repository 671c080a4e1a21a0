//! Draws how orders are paid: by which means, what providers answer, and what happens to gift cards and store credit.

use domain::loyalty::State as Account;
use domain::order::State as OrderState;
use domain::payment::{Kind as PaymentKind, PartState, State as PaymentState};

use super::{few, order, place};
use crate::chance::Chance;
use crate::model::money::{Operation, Payment, Tender, Verdict};
use crate::model::order::Order;
use crate::model::{Command, Model};

/// So many gift cards and store credits there are soon.
const CREDITS_MIN: usize = 8;

/// A means of payment: among them gift cards, mostly such as can be spent, and store credit.
fn means(chance: &mut Chance, model: &Model, amount: Option<i64>) -> Tender {
    if chance.happens(75) {
        let kinds = [
            PaymentKind::Cash,
            PaymentKind::Manual,
            PaymentKind::CardRecord,
            PaymentKind::Test,
            PaymentKind::Test,
            PaymentKind::Test,
            PaymentKind::Test,
        ];
        return Tender::by(*chance.one_of(&kinds), amount);
    }
    let cards = (0..model.credits.len()).filter(|one| model.credits[*one].customer.is_none());
    let cards: Vec<usize> = cards.collect();
    if chance.happens(40) {
        return Tender::by(PaymentKind::Points, amount);
    }
    if cards.is_empty() || chance.happens(45) {
        return Tender::by(PaymentKind::StoreCredit, amount);
    }
    let filled = |one: &&usize| model.credits[**one].count(Account::Balance) > 0;
    let full: Vec<usize> = cards.iter().filter(filled).copied().collect();
    let usual = !full.is_empty() && chance.happens(90);
    let card = Some(*chance.one_of(if usual { &full } else { &cards }));
    Tender { kind: PaymentKind::GiftCard, amount, card: card.filter(|_| chance.happens(98)) }
}

pub fn tenders(chance: &mut Chance, model: &Model, total: i64) -> Vec<Tender> {
    match chance.below(15) {
        0 => Vec::new(),
        1..4 => {
            let first = chance.below(total.max(1).cast_unsigned() + 1).cast_signed();
            vec![means(chance, model, Some(first)), means(chance, model, None)]
        }
        4 => vec![means(chance, model, Some(total + 1))],
        5 => vec![means(chance, model, Some(total))],
        _ => {
            let one = means(chance, model, None);
            let rest = one.kind.has_book() && chance.happens(70);
            let rest = rest.then(|| means(chance, model, None));
            std::iter::once(one).chain(rest).collect()
        }
    }
}

/// A gift card is sold, or stopped, or what is on one or on store credit is corrected.
pub fn credit(chance: &mut Chance, model: &Model) -> Command {
    let credit = place(chance, model.credits.len());
    if chance.happens(35) {
        let member = place(chance, model.members.len());
        let there = model.members[member].count(Account::Balance);
        let change = match chance.below(8) {
            0 => 0,
            1 => -there - 1,
            2 | 3 => -(there / 3),
            _ => few(chance, 400),
        };
        return Command::AdjustPoints { member, change };
    }
    if model.credits.len() < CREDITS_MIN || chance.happens(35) {
        let days = chance.happens(50).then(|| chance.below(40).cast_signed());
        return Command::IssueCard { amount: few(chance, 4_000) - i64::from(chance.happens(2)), days };
    }
    if model.credits[credit].customer.is_none() && chance.happens(30) {
        return Command::BlockCard { card: credit, blocked: chance.happens(50) };
    }
    let there = model.credits[credit].count(Account::Balance);
    let change = match chance.below(8) {
        0 => 0,
        1 => -there - 1,
        2 => -(there / 2),
        _ => few(chance, 3_000),
    };
    Command::AdjustCredit { credit, change }
}

/// All of it, or part, or a little more than there is.
fn amount(chance: &mut Chance, open: i64) -> Option<i64> {
    match chance.below(4) {
        0 | 1 => None,
        2 => Some(chance.below(open.max(1).cast_unsigned() + 1).cast_signed()),
        _ => Some(open + i64::from(chance.happens(30))),
    }
}

pub fn money(chance: &mut Chance, model: &Model) -> Option<Command> {
    let number = order(chance, model, |order| order.state == OrderState::PendingPayment)?;
    let order = &model.orders[number];
    if order.payments.is_empty() || chance.happens(20) {
        let amount = amount(chance, order.open_to_pay());
        return Some(Command::Pay { order: number, tender: means(chance, model, amount) });
    }
    let payment = place(chance, order.payments.len());
    let amounts = order.payments[payment].amounts;
    Some(match chance.below(8) {
        0..5 if order.payments[payment].kind == PaymentKind::Manual => {
            let amount = amount(chance, amounts.open_to_receive());
            Command::RecordReceipt { order: number, payment, amount }
        }
        0..3 => {
            Command::Capture { order: number, payment, amount: amount(chance, amounts.open_to_capture()) }
        }
        3 => Command::Void { order: number, payment },
        4 => Command::Refund { order: number, payment, amount: amount(chance, amounts.open_to_refund()) },
        _ => return None,
    })
}

/// The provider answers a question, an old question again, or one nobody asked.
pub fn provider(chance: &mut Chance, model: &Model) -> Option<Command> {
    let waits = |parts: &[(i64, PartState)]| parts.iter().any(|part| part.1 == PartState::Pending);
    let asks = |one: &Payment| {
        one.kind == PaymentKind::Test
            && (one.state == PaymentState::Created || waits(&one.captures) || waits(&one.refunds))
    };
    let number = self::order(chance, model, |order| order.payments.iter().any(asks))?;
    let order = &model.orders[number];
    let asked = |payment: &usize| order.payments[*payment].kind == PaymentKind::Test || order.lines.len() > 3;
    let payment = (0..order.payments.len()).rev().find(asked)?;
    let operation = operation(chance, order, payment);
    let verdict = match chance.below(12) {
        0 => Verdict::Declined,
        1 => Verdict::Pending,
        _ => Verdict::Done,
    };
    Some(Command::Answer { order: number, payment, operation, verdict })
}

fn operation(chance: &mut Chance, order: &Order, payment: usize) -> Operation {
    let payment = &order.payments[payment];
    let pending = |parts: &[(i64, PartState)]| parts.iter().position(|part| part.1 == PartState::Pending);
    if chance.happens(20) {
        let number = place(chance, 3);
        return *chance.one_of(&[
            Operation::Authorise,
            Operation::Capture(number),
            Operation::Refund(number),
        ]);
    }
    let capture = pending(&payment.captures).map(Operation::Capture);
    capture.or_else(|| pending(&payment.refunds).map(Operation::Refund)).unwrap_or(Operation::Authorise)
}
