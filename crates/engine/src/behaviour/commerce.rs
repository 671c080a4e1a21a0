//! What the shop itself knows of people's orders, told as behaviour in the words that trackers use, so that nothing has to be sent twice:
//! "Order Completed" is an order that was placed, at the till as on the web: a customer's, or a guest's who left an e-mail or a phone number.
//! One that was nobody's is told of when a customer takes it over.

mod words;

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::behaviour::Call;
use domain::identity::Kind;
use domain::value::Id;
use domain::value::id::{Order as OrderKind, Profile, Source as SourceKind};
use serde_json::{Value, json};
use store::event::{self as journal, Entry};
use store::{Tx, behaviour as rows, order as orders};

use super::{Event, Incoming, incoming};
use crate::identity::customer::of_customer;
use crate::job::BATCH_MAX;
use crate::{Failure, World, contact, identity};

/// The name under which the journal is read.
const CONSUMER: &str = "behaviour";
/// The source that is Tandem itself.
pub const OURSELVES: Id<SourceKind> = Id::from_bytes([0; 16]);

/// Reads on in the journal and tells what became of customers' orders; true when more waits. Each event is told once.
///
/// # Errors
/// What the store says.
pub fn round(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let cursor = journal::cursor_of(tx, CONSUMER)?;
    let ends = journal::ends(tx)?;
    let behind = |(partition, (from, end)): (i64, (i64, i64))| (from < end).then_some((partition, from, end));
    let mut waiting = (0i64..).zip(cursor.into_iter().zip(ends)).filter_map(behind);
    let Some((partition, from, end)) = waiting.next() else { return Ok(false) };
    let entries = journal::after(tx, partition, from, BATCH_MAX)?;
    for entry in &entries {
        tell(tx, world, entry)?;
    }
    let last = entries.last().map_or(end, |entry| entry.sequence);
    journal::advance(tx, CONSUMER, partition, last)?;
    Ok(last < end || waiting.next().is_some())
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Completed,
    Updated,
    Cancelled,
    Refunded,
    Returned,
}

impl What {
    /// What an event of the journal tells.
    fn of(entry: &Entry) -> Option<What> {
        match entry.kind.as_str() {
            "order.placed" | "order.taken_over" => Some(What::Completed),
            "order.cancelled" => Some(What::Cancelled),
            "order.partly_cancelled" | "order.changed" | "order.substituted" => Some(What::Updated),
            "payment.refunded" => Some(What::Refunded),
            "return.received" => Some(What::Returned),
            _ => None,
        }
    }

    /// What it is called among trackers.
    const fn name(self) -> &'static str {
        match self {
            What::Completed => "Order Completed",
            What::Updated => "Order Updated",
            What::Cancelled => "Order Cancelled",
            What::Refunded => "Order Refunded",
            What::Returned => "Order Returned",
        }
    }

    /// By what it is known: an order is completed once, however it came to be somebody's, and a return is told of when the first of it is here.
    fn message(self, entry: &Entry, order: &orders::Order) -> String {
        match self {
            What::Completed => format!("completed:{}", order.id),
            What::Returned => format!("returned:{}", entry.subject),
            _ => entry.id.to_string(),
        }
    }
}

fn tell(tx: &mut Tx<'_>, world: &mut World, entry: &Entry) -> Result<(), Failure> {
    let Some(what) = What::of(entry) else { return Ok(()) };
    let body: Value = serde_json::from_str(&entry.body).unwrap_or_default();
    let order = body["order"].as_str().unwrap_or(&entry.subject);
    let Ok(id) = Id::<OrderKind>::parse(order) else { return Ok(()) };
    let Some(order) = orders::find(tx, id)? else { return Ok(()) };
    let actor = Actor { channel: Some(order.channel), ..Actor::system() };
    let Some(whose) = whose(tx, &actor, world, &order)? else { return Ok(()) };
    let properties = words::properties(tx, what, &order, (entry.subject.as_str(), &body, entry.at))?;
    let event = Incoming {
        call: Call::Track,
        name: Some(what.name().to_owned()),
        message: Some(what.message(entry, &order)),
        identifiers: match &whose {
            Whose::Known(by) => vec![by.clone()],
            Whose::Card(_) => Vec::new(),
        },
        at: if what == What::Completed { order.placed_at } else { entry.at },
        body: incoming::body(Some(properties), None, Some(context(&order))),
        fault: None,
    };
    if rows::hear(tx, OURSELVES, &[event.hash()], world.now())? != [true] {
        return Ok(());
    }
    let profile = match whose {
        Whose::Card(profile) => profile,
        Whose::Known(_) => {
            let seen = event.seen(domain::identity::Trust::Authenticated);
            let resolved = identity::resolve(tx, &actor, world, &[seen])?;
            super::note_same(tx, &actor, world, resolved.iter().flatten())?;
            let Some(resolution) = resolved.into_iter().flatten().next() else { return Ok(()) };
            resolution.profile
        }
    };
    let kept = Event {
        id: world.id(),
        profile,
        source: OURSELVES,
        call: event.call,
        name: event.name.clone(),
        at: event.at,
        received_at: world.now(),
        dropped: None,
        wrong: None,
        body: event.body.to_string(),
        sealed: None,
    };
    rows::add(tx, &[kept])?;
    Ok(rows::stir(tx, &BTreeSet::from([profile]), world.now())?)
}

/// Whose an order is.
enum Whose {
    /// Who is known by this.
    Known((Kind, Option<String>, String)),
    /// Whose card with this profile paid it.
    Card(Id<Profile>),
}

/// Whose order it is; none when it is nobody's, or of somebody who was erased. One that names nobody is the person's who alone is known by
/// the card that paid it: told as his, but his order it is not until he takes it over.
fn whose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &orders::Order,
) -> Result<Option<Whose>, Failure> {
    if let Some(customer) = order.customer {
        let known = store::customer::find(tx, customer)?;
        if known.is_none_or(|customer| customer.erased_at.is_some()) {
            return Ok(None);
        }
        of_customer(tx, actor, world, customer)?;
        return Ok(Some(Whose::Known((Kind::UserId, None, customer.to_string()))));
    }
    if let Some(contact) = order.contact {
        let sealed = store::contact::find(tx, contact)?;
        if let Some(card) = sealed.and_then(|row| contact::unsealed(world.keyring(), contact, &row)) {
            // One only: that a guest typed both does not prove that they are one person's.
            let email = card.text().email.clone().map(|email| (Kind::Email, None, email));
            let phone = || card.text().phone.clone().map(|phone| (Kind::Phone, None, phone));
            if let Some(known) = email.or_else(phone) {
                return Ok(Some(Whose::Known(known)));
            }
        }
    }
    for card in store::payment::of_order(tx, order.id)?.into_iter().filter_map(|one| one.profile) {
        if identity::is_ones_card(tx, card)? {
            return Ok(Some(Whose::Card(card)));
        }
    }
    Ok(None)
}

fn context(order: &orders::Order) -> Value {
    json!({ "channel": order.channel.to_string(), "location": order.location.map(|id| id.to_string()) })
}
