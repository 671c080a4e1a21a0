//! What a cart would cost: as this customer, in this store, at that time, with promotions that are still being written; and why. Nothing
//! is kept.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::cart::{self as rules, State};
use domain::promotion::goods::check_coupons;
use domain::promotion::rules::Why;
use domain::value::id::{Cart as CartKind, CartLine, Channel, Customer, Promotion};
use domain::value::{Id, Instant, Reference};
use domain::{Code, Refusal};
use store::Tx;
use store::cart::coupon::Given;

use super::price::{PricedCart, Under, market_of, priced_under};
use super::{Cart, Choice, Destination, Line, NewLine, details, sold};
use crate::promotion::{self, coupon};
use crate::{Failure, external};

/// The most promotions that are tried or asked about.
pub const PROMOTIONS_MAX: usize = 20;

/// A cart, and under what it is to be priced.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Through which channel it is bought.
    pub channel: Reference<Channel>,
    /// What is in it.
    pub lines: Vec<NewLine>,
    /// Who buys.
    pub customer: Option<Reference<Customer>>,
    /// The groups of whoever buys, in place of the customer's own.
    pub groups: Option<Vec<String>>,
    /// Where it goes.
    pub destination: Option<Destination>,
    /// How it is delivered.
    pub delivery: Option<Choice>,
    /// The codes of coupons.
    pub coupons: Vec<String>,
    /// How it is paid: the word of a kind of payment.
    pub payment: Option<&'static str>,
    /// When it is bought; prices, taxes and promotions are asked for this instant.
    pub at: Instant,
    /// Is that past? Prices and promotions then count as they stood at that time.
    pub past: bool,
    /// Promotions that are asked about: drafts are tried as though they were in force.
    pub promotions: Vec<Id<Promotion>>,
}

/// What became of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The promotion.
    pub promotion: Id<Promotion>,
    /// How many minor units it gives.
    pub minor: i64,
    /// Why it gives nothing.
    pub why: Option<Why>,
}

/// Prices a cart, and says of every promotion that came near what became of it.
///
/// # Errors
/// [`Code::Invalid`] naming what is not known, [`Code::NoPrice`] naming the line without price at that time, [`Code::NotDeliverable`],
/// [`Code::Forbidden`] without the permission to write promotions, or to read the customer that is named.
pub fn preview(
    tx: &mut Tx<'_>,
    actor: &Actor,
    asked: &Preview,
) -> Result<(PricedCart, Vec<Looked>), Failure> {
    actor.may_somewhere(Permission::EditPromotions)?;
    let cart = assembled(tx, actor, asked)?;
    let mut tried = Vec::with_capacity(asked.promotions.len());
    for (place, id) in asked.promotions.iter().enumerate() {
        let found =
            promotion::read_any(tx, *id).map_err(|failure| at(failure, format!("promotions.{place}")))?;
        tried.push(found);
    }
    let given = given(tx, &asked.coupons)?;
    let under = Under {
        at: asked.at,
        past: asked.past,
        payment: asked.payment,
        given,
        groups: asked.groups.clone(),
        tried,
    };
    let priced = priced_under(tx, &cart, under)?;
    let of = &priced.worked.priced;
    let mut looked: BTreeMap<_, _> = of.unused.iter().map(|(id, why)| (*id, (0, Some(*why)))).collect();
    looked.extend(of.given().into_iter().map(|(id, minor)| (id, (minor, None))));
    let looked =
        looked.into_iter().map(|(promotion, (minor, why))| Looked { promotion, minor, why }).collect();
    Ok((priced, looked))
}

fn at(failure: Failure, field: String) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code() == Code::NotFound => {
            Refusal::invalid(field, refusal.message()).into()
        }
        other => other,
    }
}

fn given(tx: &mut Tx<'_>, codes: &[String]) -> Result<Vec<Given>, Failure> {
    check_coupons(codes.len())?;
    let mut given: Vec<Given> = Vec::with_capacity(codes.len());
    for (place, code) in codes.iter().enumerate() {
        let coupon = coupon::given(tx, code).map_err(|failure| failure.at(format!("coupons.{place}")))?;
        if given.iter().all(|known| known.coupon != coupon.id) {
            given.push(Given { code: coupon.code, coupon: coupon.id, promotion: coupon.promotion });
        }
    }
    Ok(given)
}

/// A cart that is written down nowhere.
fn assembled(tx: &mut Tx<'_>, actor: &Actor, asked: &Preview) -> Result<Cart, Failure> {
    let channel = external::resolve_at(tx, "channel", &asked.channel)?;
    let channel = store::market::find_channel(tx, channel)?
        .ok_or_else(|| Refusal::invalid("channel", format!("no channel \"{channel}\"")))?;
    let customer = match &asked.customer {
        Some(customer) => {
            actor.may_somewhere(Permission::ReadContacts)?;
            Some(external::resolve_at(tx, "customer", customer)?)
        }
        None => None,
    };
    if let Some(id) = customer
        && store::customer::find(tx, id)?.is_none()
    {
        return Err(Refusal::invalid("customer", format!("no customer \"{id}\"")).into());
    }
    let mut cart = Cart {
        id: Id::<CartKind>::from_bytes([0; 16]),
        channel: channel.id,
        currency: market_of(tx, &channel)?.currency,
        customer,
        company: None,
        person: None,
        contact: None,
        billing_contact: None,
        destination: asked.destination.clone(),
        method: None,
        pickup_location: None,
        note: None,
        state: State::Active,
        order: None,
        merged_into: None,
        made_at: asked.at,
        changed_at: asked.at,
        expires_at: asked.at,
        version: 1,
        lines: Vec::with_capacity(asked.lines.len()),
    };
    rules::check_lines(asked.lines.len())?;
    let variants = sold(tx, &asked.lines, |place, field| format!("lines.{place}.{field}"))?;
    for (position, (line, variant)) in (1..).zip(asked.lines.iter().zip(variants)) {
        cart.lines.push(Line {
            id: Id::<CartLine>::from_bytes([0; 16]),
            position,
            variant,
            quantity: line.quantity.units(),
            agreed: None,
        });
    }
    if let Some(choice) = &asked.delivery {
        details::choose(tx, &mut cart, choice)?;
    }
    Ok(cart)
}
