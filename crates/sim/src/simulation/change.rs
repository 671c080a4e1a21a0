//! The real shop's changes of orders: shown, confirmed, declined, and read again as the model has them.

use std::sync::Arc;

use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::value::id::{DeliveryMethod, Location, OrderChange, Variant};
use domain::value::{Id, Money, id};
use engine::change::{self, Asked, Confirm};
use engine::{Failure, World, cart};
use store::{Tx, change as rows, order as orders};

use super::compare::{choice, number};
use super::real::{Real, Work, new_line, pounds, quantity, tender};
use crate::model::change::{Action, Change, ChangeLine, Way};
use crate::model::{Command, seconds};

/// The most changes of an order that are looked at.
const CHANGES_MAX: i64 = 1000;

impl Real {
    /// What a command about a change of an order does.
    pub fn change_work(&self, command: Command) -> Work {
        let (variants, known, codes) = (self.variants.clone(), self.orders.clone(), self.codes.clone());
        let choices = match &command {
            Command::Preview { actions, .. } => actions.iter().map(|action| self.chosen(action)).collect(),
            _ => Vec::new(),
        };
        let choices = Arc::new(choices);
        Box::new(move |tx, actor, world| {
            match &command {
                Command::Preview { order, actions } => {
                    let order = known[*order];
                    let actions = actions.iter().zip(choices.iter());
                    preview(tx, actor, world, order, (&variants, actions))?;
                }
                Command::Confirm { order, change, expected, tenders } => {
                    let which = (known[*order], numbered(tx, known[*order])?[*change].id);
                    let tenders = tenders.iter().map(|one| tender(&codes, one)).collect();
                    let input = Confirm { which, expected_difference: *expected, tenders };
                    change::confirm(tx, actor, world, input)?;
                }
                Command::Decline { order, change } => {
                    let which = (known[*order], numbered(tx, known[*order])?[*change].id);
                    change::decline(tx, actor, world, which)?;
                }
                other => unreachable!("{other:?} is not about a change"),
            }
            Ok(String::new())
        })
    }

    fn chosen(&self, action: &Action) -> Option<cart::Choice> {
        match action {
            Action::Delivery(choice) => Some(self.choice(*choice)),
            _ => None,
        }
    }
}

fn preview<'a>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<id::Order>,
    (variants, actions): (&[Id<Variant>], impl Iterator<Item = (&'a Action, &'a Option<cart::Choice>)>),
) -> Result<(), Failure> {
    let sold = orders::lines(tx, order)?;
    let one = |(action, chosen): (&Action, &Option<cart::Choice>)| {
        Ok::<_, Failure>(match action {
            Action::Add(variant, units) => change::Action::Add(new_line(variants[*variant], *units)?),
            Action::Remove(line, units) => change::Action::Remove(sold[*line].id, quantity(*units)?),
            Action::Swap(line, units, (variant, more)) => {
                let with = new_line(variants[*variant], *more)?;
                change::Action::Swap(sold[*line].id, quantity(*units)?, with)
            }
            Action::CorrectPrice(line, price) => {
                change::Action::CorrectPrice(sold[*line].id, Money::new(*price, pounds()).expect("a price"))
            }
            Action::Address => change::Action::Address(moved()),
            Action::Delivery(_) => change::Action::Delivery(chosen.clone().expect("a choice")),
        })
    };
    let actions = actions.map(one).collect::<Result<Vec<_>, _>>()?;
    let asked = Asked { order, actions, reason: Some("the customer asked".into()) };
    change::preview(tx, actor, world, asked).map(drop)
}

/// Somebody who moved.
fn moved() -> Card {
    let draft = Draft { name: Some("Ada Lovelace".into()), country: Some("GB".into()), ..Draft::default() };
    Card::new(&draft).expect("a contact")
}

/// The changes of an order, the oldest first.
fn numbered(tx: &mut Tx<'_>, order: Id<id::Order>) -> Result<Vec<rows::Change>, Failure> {
    let last: Id<OrderChange> = Id::from_bytes([255; 16]);
    let mut all = rows::of_order(tx, order, last, CHANGES_MAX)?;
    all.reverse();
    Ok(all)
}

/// The lines of an order, the variants and places by their numbers, and the method of goods that are sent to where they are collected.
type Known<'a> = (&'a [orders::Line], &'a [Id<Variant>], &'a [Id<Location>], Id<DeliveryMethod>);

/// The changes of an order as the model has them; whether they name another address is not compared.
pub fn of_order(
    tx: &mut Tx<'_>,
    order: Id<id::Order>,
    (lines, variants, places, sent): Known<'_>,
    readdressed: &[bool],
) -> Result<Vec<Change>, Failure> {
    let line = |one: &rows::Line| ChangeLine {
        what: one.what,
        line: lines.iter().position(|line| line.id == one.line),
        variant: number(variants, one.variant),
        quantity: one.quantity,
        unit: one.unit,
        gross: one.amounts.gross_minor,
    };
    let change = |(place, row): (usize, rows::Change)| {
        let way = &row.after.way;
        Change {
            state: row.state,
            lines: row.lines.iter().map(line).collect(),
            served_anew: row.served_anew,
            readdressed: readdressed.get(place).copied().unwrap_or(false),
            after: Way {
                kind: way.kind,
                choice: choice(sent, places, (way.method, way.location)),
                place: way.location.map(|place| number(places, place)),
                charge: way.charge.gross_minor,
                known: row.after.contact.is_some(),
            },
            difference: row.difference.gross_minor,
            to_pay: row.to_pay,
            to_refund: row.to_refund,
            expires_at: seconds(row.expires_at),
            paid_by: row.paid_by.map(seconds),
        }
    };
    Ok(numbered(tx, order)?.into_iter().enumerate().map(change).collect())
}
