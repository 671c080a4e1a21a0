//! Finding orders when the receipt is lost: by number, card, or the customer's e-mail address or phone number.

use std::collections::BTreeSet;

use domain::actor::{Actor, Permission};
use domain::value::Id;
use domain::value::id::{self, Customer};
use serde_json::json;
use store::{Tx, contact as contacts, customer as customers, order as rows, payment as payments};

use super::Order;
use crate::contact::Sought;
use crate::event::emit;
use crate::{Failure, World};

/// The most orders one search answers: who has more says more.
pub const FOUND_MAX: i64 = 50;

/// What is known of an order.
#[derive(Clone)]
pub enum Clue {
    /// Its number.
    Number(String),
    /// The last four digits of a card that paid it.
    Card(String),
    /// The customer's e-mail address or phone number.
    Person(Sought),
}

/// The orders a clue leads to, the newest first. Looking for a person's orders is noted in the journal.
///
/// # Errors
/// [`domain::Code::Forbidden`]; a person's orders are found only by who may also see contacts.
pub fn search(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, clue: &Clue) -> Result<Vec<Order>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    let mut found: BTreeSet<Id<id::Order>> = BTreeSet::new();
    match clue {
        Clue::Number(number) => found.extend(rows::by_number(tx, number)?),
        Clue::Card(last_four) => found.extend(payments::orders_by_card(tx, last_four, FOUND_MAX)?),
        Clue::Person(sought) => {
            actor.may_somewhere(Permission::ReadContacts)?;
            found.extend(of_person(tx, world, sought)?);
            let way = if matches!(sought, Sought::Email(_)) { "email" } else { "phone" };
            let ids: Vec<String> = found.iter().map(ToString::to_string).collect();
            emit(tx, actor, world, actor.who.label(), "orders.searched", json!({ "by": way, "found": ids }));
        }
    }
    let mut orders = Vec::new();
    for id in found.into_iter().rev() {
        let order = super::find(tx, id)?;
        if actor.may(Permission::ReadOrders, order.location).is_ok() && (orders.len() as i64) < FOUND_MAX {
            orders.push(order);
        }
    }
    Ok(orders)
}

/// The orders of everybody who is found by this: of customers, and of guests by the contact each of them gave.
fn of_person(tx: &mut Tx<'_>, world: &World, sought: &Sought) -> Result<Vec<Id<id::Order>>, Failure> {
    let hash = sought.hash(world.keyring());
    let known: Vec<Id<Customer>> = match sought {
        Sought::Email(_) => customers::by_email(tx, &hash)?.into_iter().collect(),
        Sought::Phone(_) => customers::by_phone(tx, &hash, FOUND_MAX)?,
    };
    let mut orders = Vec::new();
    for customer in known {
        orders.extend(rows::owner::of_customer(tx, customer, Id::from_bytes([255; 16]), FOUND_MAX)?);
    }
    for person in contacts::find_people(tx, &hash, Id::from_bytes([0; 16]), FOUND_MAX)? {
        orders.extend(rows::owner::of_contact(tx, person.contact, FOUND_MAX)?);
    }
    Ok(orders)
}
