//! The money of goods that came back: the way it came, onto store credit or a gift card, or in cash; never more than was paid.

use domain::actor::Actor;
use domain::market::PaymentKind;
use domain::returns::Means;
use domain::value::Id;
use domain::value::id::Book;
use domain::{Code, Refusal};
use store::{Tx, returns as rows};

use super::{Paid, Return};
use crate::checkout::settle::give_back_too_much;
use crate::loyalty::{self, Credit, gift_card, store_credit};
use crate::order::{self, Order};
use crate::{Failure, World, payment};

/// Sends the money of a return on its way, as far as we have more of the order's than it owes. `cash_max` is the most in cash.
pub(super) fn pay_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, taken): (&Order, &Return),
    cash_max: Option<i64>,
) -> Result<(), Failure> {
    let amount = order::sums(tx, order)?.to_refund().min(taken.refund);
    if amount > 0 {
        let trusted = actor.trusted();
        match taken.means {
            Means::Original | Means::Exchange => {
                the_way_it_came(tx, &trusted, world, (order, taken), amount, cash_max)?
            }
            Means::Cash => {
                let amount = all_but_points(tx, &trusted, world, (order, taken), amount)?;
                bounded(cash_max, amount)?;
                elsewhere(tx, &trusted, world, (order, taken), amount, None)?;
            }
            Means::StoreCredit | Means::GiftCard => {
                let amount = all_but_points(tx, &trusted, world, (order, taken), amount)?;
                if amount == 0 {
                    return give_back_too_much(tx, actor, world, order);
                }
                let credit = credit_for(tx, &trusted, world, taken)?;
                elsewhere(tx, &trusted, world, (order, taken), amount, Some(&credit))?;
                let cause = ("return", taken.id.to_string());
                loyalty::refund_onto(tx, &trusted, world, &credit, amount, cause)?;
            }
        }
    }
    give_back_too_much(tx, actor, world, order)
}

/// Gives back the money of goods whose order is not known: no payment is touched.
pub(super) fn pay_out_unreceipted(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taken: &Return,
    cash_max: Option<i64>,
) -> Result<(), Failure> {
    if taken.refund == 0 {
        return Ok(());
    }
    let mut paid = Paid { means: taken.means, amount: taken.refund, payment: None, book: None };
    match taken.means {
        Means::StoreCredit | Means::GiftCard => {
            let trusted = actor.trusted();
            let credit = credit_for(tx, &trusted, world, taken)?;
            paid.book = Some(credit.book);
            let cause = ("return", taken.id.to_string());
            loyalty::refund_onto(tx, &trusted, world, &credit, taken.refund, cause)?;
        }
        _ => bounded(cash_max, taken.refund)?,
    }
    Ok(rows::add_paid(tx, taken.id, 0, &paid)?)
}

fn bounded(cash_max: Option<i64>, amount: i64) -> Result<(), Refusal> {
    match cash_max.filter(|most| amount > *most) {
        None => Ok(()),
        Some(most) => {
            let message = format!(
                "at most {most} minor units are paid out in cash, {amount} asked; give store credit or a gift card instead"
            );
            Err(Refusal::new(Code::AmountExceeded, message).at("means"))
        }
    }
}

/// The book the money goes onto: the customer's store credit, or a new gift card.
fn credit_for(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, taken: &Return) -> Result<Credit, Failure> {
    if taken.means == Means::GiftCard {
        return Ok(gift_card::credit(&gift_card::make(tx, actor, world, taken.currency, None)?));
    }
    let Some(customer) = taken.customer else {
        let why = "store credit is a customer's, and none is known; give a gift card instead";
        return Err(Refusal::invalid("means", why).into());
    };
    Ok(store_credit::credit(&store_credit::of(tx, actor, world, customer, taken.currency)?))
}

fn the_way_it_came(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, taken): (&Order, &Return),
    amount: i64,
    cash_max: Option<i64>,
) -> Result<(), Failure> {
    let (mut left, mut place) = (amount, rows::paid(tx, taken.id)?.len() as i64);
    for one in order::to_refund(tx, order)? {
        let part = one.amounts.open_to_refund().min(left);
        if part < 1 {
            continue;
        }
        if one.kind == PaymentKind::Cash {
            bounded(cash_max, part)?;
        }
        payment::refund(tx, actor, world, one.id, Some(part))?;
        let paid = Paid { means: Means::Original, amount: part, payment: Some(one.id), book: None };
        rows::add_paid(tx, taken.id, place, &paid)?;
        place += 1;
        left -= part;
    }
    Ok(())
}

/// Points come back as points, never as money: gives back those among the first payments that make up an amount, and answers what of it
/// is left for another way.
fn all_but_points(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, taken): (&Order, &Return),
    amount: i64,
) -> Result<i64, Failure> {
    let (mut left, mut other, mut place) = (amount, amount, rows::paid(tx, taken.id)?.len() as i64);
    for one in order::to_refund(tx, order)? {
        let part = one.amounts.open_to_refund().min(left);
        left -= part;
        if part > 0 && one.kind == PaymentKind::Points {
            payment::refund(tx, actor, world, one.id, Some(part))?;
            let paid = Paid { means: Means::Original, amount: part, payment: Some(one.id), book: None };
            rows::add_paid(tx, taken.id, place, &paid)?;
            place += 1;
            other -= part;
        }
    }
    Ok(other)
}

fn elsewhere(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, taken): (&Order, &Return),
    amount: i64,
    onto: Option<&Credit>,
) -> Result<(), Failure> {
    let (mut left, mut place) = (amount, rows::paid(tx, taken.id)?.len() as i64);
    let book: Option<Id<Book>> = onto.map(|credit| credit.book);
    let named = onto.map_or_else(|| "cash".to_owned(), |credit| credit.subject.clone());
    let payments = order::to_refund(tx, order)?;
    for one in payments.iter().filter(|one| one.kind != PaymentKind::Points) {
        let part = one.amounts.open_to_refund().min(left);
        if part > 0 {
            payment::refund_elsewhere(tx, actor, world, one.id, (part, &named))?;
            let paid = Paid { means: taken.means, amount: part, payment: Some(one.id), book };
            rows::add_paid(tx, taken.id, place, &paid)?;
            place += 1;
            left -= part;
        }
    }
    if left == 0 {
        return Ok(());
    }
    // The sums said that there is more; another counter gave it back meanwhile.
    Err(tx.begin_anew().into())
}
