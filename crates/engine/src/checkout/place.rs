//! Placing an order: the cart's prices are frozen, the stock is taken, the payments begin, all in one transaction or not at all.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission, Who};
use domain::delivery::Kind;
use domain::fulfilment::{Pieces, share_out};
use domain::order::{self as rules, State};
use domain::payment::{Card, Kind as PaymentKind, Timing};
use domain::promotion::price::{Applied, Source};
use domain::routing::decision::Occasion;
use domain::routing::profile::Waits;
use domain::stock;
use domain::value::id::{Cart as CartKind, Location};
use domain::value::{Id, Instant, Money, Rate};
use domain::{Code, Refusal};
use serde_json::json;
use store::market::{Channel, Market};
use store::order::discount::Discount;
use store::{Tx, order as rows};

use super::{Whole, settle, whole};
use crate::cart::{self, Cart, PricedCart};
use crate::event::emit;
use crate::fulfilment;
use crate::fulfilment::inbound::{self, Coming};
use crate::order::{Line, Order};
use crate::payment::NewPayment;
use crate::promotion;
use crate::routing::{Of, Taken, Taking, take_or_wait, take_what_there_is};
use crate::stock::availability::{Reach, pinned, reach};
use crate::stock::selling::{self, Beyond};
use crate::stock::{hold, too_few};
use crate::{Failure, World, company, customer, external, promise};

/// How often a number is drawn before giving up; two in a row are as good as impossible.
const NUMBER_TRIES: usize = 5;

/// How part of an order, or all of it, is paid.
#[derive(Clone, Debug)]
pub struct Tender {
    /// The means.
    pub kind: PaymentKind,
    /// How much in minor units; what is missing when not given.
    pub amount: Option<i64>,
    /// What the provider gave for the card.
    pub provider_token: Option<String>,
    /// What the terminal printed.
    pub card: Option<Card>,
    /// The code of the gift card.
    pub gift_card: Option<String>,
}

/// A cart to be ordered.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The cart.
    pub cart: Id<CartKind>,
    /// The total the customer was shown; another one refuses.
    pub expected_total: Option<Money>,
    /// How it is paid, in order.
    pub tenders: Vec<Tender>,
    /// Where it must be served from; for staff and programs that decide this themselves.
    pub serve_from: Option<Id<Location>>,
    /// When it was sold, for sales made off line: it is priced and taxed as of then. For staff and programs that may edit orders.
    pub placed_at: Option<Instant>,
    /// The retailer's own id for the order.
    pub external_id: Option<String>,
}

/// Places an order.
///
/// # Errors
/// [`Code::CartNotOpen`], [`Code::TotalChanged`], [`Code::NotDeliverable`], [`Code::OutOfStock`], [`Code::NoPrice`], [`Code::PromotionUsedUp`] and what the payments refuse.
/// Nothing of it is kept then.
pub fn place(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Checkout) -> Result<Whole, Failure> {
    let cart = cart::lock(tx, input.cart)?;
    if matches!(actor.who, Who::Customer(own) if cart.customer != Some(own)) {
        return Err(Refusal::not_found("cart", input.cart).into());
    }
    cart::check_open(&cart, world)?;
    stays(tx, &cart)?;
    let buyer = cart.company.map(|company| company::member::buyer(tx, company, cart.customer)).transpose()?;
    let channel = store::market::find_channel(tx, cart.channel)?
        .ok_or_else(|| Refusal::not_found("channel", cart.channel))?;
    let market = store::market::find_market(tx, channel.market)?
        .ok_or_else(|| Refusal::not_found("market", channel.market))?;
    may_place(actor, world, &channel, &input)?;
    let at = input.placed_at.unwrap_or(world.now());
    let priced = cart::priced_for(tx, (at, at < world.now()), &cart, only_kind(&input.tenders))?;
    check(&priced, input.expected_total, &channel)?;
    if let Some(member) = buyer {
        company::member::within_limit(actor, &member, (priced.gross, priced.currency))?;
    }
    let kind = kind_of(&priced, &channel)?;
    let order = begun(tx, world, (&priced, &market, &channel), kind, &input)?;
    cart::mark_ordered(tx, actor, world, &cart, order.id)?;
    let lines = frozen(world, &priced);
    let asked = settle::Asked { order: &order, channel: &channel, missing: order.gross, by_points: 0 };
    let mut means = settle::means(tx, actor, world, &asked, input.tenders)?;
    let gone = kind == Kind::HandOver && pays_at_once(&means, order.gross);
    if gone {
        means.iter_mut().for_each(|(_, one)| one.timing = Timing::AtOnce);
    }
    let (taken, coming, beyond) =
        take_stock(tx, actor, world, (&order, &lines), &channel, (input.serve_from, gone))?;
    keep(tx, &order, &lines, input.external_id.as_deref())?;
    let worked = &priced.worked;
    let asked = (&worked.goods, &worked.occasion, &worked.buyer);
    promotion::redeem::take(tx, order.id, asked, &worked.priced)?;
    store::order::discount::add(tx, order.id, &lowered(&priced, &lines))?;
    tell(tx, actor, world, &order, &lines);
    let (pieces, later) = set_apart(pieces(&lines), &beyond);
    let place = (&order, channel.network);
    let made = if coming.parts.is_empty() {
        fulfilment::open_taken(tx, actor, world, place, pieces, (&taken, gone))?
    } else {
        let (here, _) = share_out(pieces, &taken.allocations);
        inbound::open(tx, actor, world, place, (&here, &coming))?;
        store::fulfilment::of_order(tx, order.id)?
    };
    promise::date::give(tx, &order, &made, world.now())?;
    let made = fulfilment::open_later(tx, actor, world, place, (&beyond, &later))?;
    promise::waiting::give(tx, &made, world.now())?;
    settle::begin(tx, actor, world, &order, means)?;
    let order = settle::go_on(tx, actor, world, order)?;
    whole(tx, order)
}

/// The cart's customer is neither merged nor erased while the order is placed.
fn stays(tx: &mut Tx<'_>, cart: &Cart) -> Result<(), Failure> {
    let Some(id) = cart.customer else { return Ok(()) };
    let customer = customer::stay(tx, id)?;
    if customer.erased_at.is_some() {
        let why = "the customer was erased; begin with a new cart";
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    if customer.id == id { Ok(()) } else { Err(tx.begin_anew().into()) }
}

/// The kind of payment, when all of it is paid alike.
fn only_kind(tenders: &[Tender]) -> Option<&'static str> {
    let kind = tenders.first()?.kind;
    tenders.iter().all(|tender| tender.kind == kind).then(|| kind.text())
}

/// What promotions lowered the lines and the delivery by.
fn lowered(priced: &PricedCart, lines: &[Line]) -> Vec<Discount> {
    let of_lines = lines.iter().zip(&priced.lines).map(|(line, own)| (Some(line.id), &own.discounts));
    let of_delivery = priced.delivery.iter().map(|delivery| (None, &delivery.discounts));
    let discount = |line, applied: &Applied| match applied.source {
        Source::Promotion(promotion, coupon) => {
            Some(Discount { line, promotion, coupon, quantity: applied.quantity, minor: applied.minor })
        }
        Source::Line | Source::Whole => None,
    };
    of_lines
        .chain(of_delivery)
        .flat_map(|(line, all)| all.iter().filter_map(move |applied| discount(line, applied)))
        .collect()
}

fn may_place(actor: &Actor, world: &World, channel: &Channel, input: &Checkout) -> Result<(), Failure> {
    actor.may(Permission::Shop, channel.location)?;
    if actor.channel.is_some_and(|bound| bound != channel.id) {
        return Err(Refusal::new(Code::Forbidden, "this key belongs to another channel than the cart").into());
    }
    if input.serve_from.is_some() || input.placed_at.is_some() {
        actor.may(Permission::EditOrders, channel.location)?;
    }
    if input.placed_at.is_some_and(|at| at > world.now()) {
        return Err(Refusal::invalid("placed_at", "an order cannot be placed in the future").into());
    }
    Ok(())
}

fn check(priced: &PricedCart, expected: Option<Money>, channel: &Channel) -> Result<(), Failure> {
    if priced.lines.is_empty() {
        return Err(Refusal::new(Code::CartNotOpen, "the cart is empty; add something first")
            .at("lines")
            .into());
    }
    let Some(expected) = expected else { return Ok(()) };
    if expected.currency() != priced.currency {
        return Err(Refusal::new(
            Code::CurrencyMismatch,
            format!("channel \"{}\" sells in {}", channel.code, priced.currency),
        )
        .at("expected_total")
        .into());
    }
    if expected.minor() != priced.gross {
        return Err(Refusal::new(
            Code::TotalChanged,
            format!("the total is {} minor units now, {} was shown", priced.gross, expected.minor()),
        )
        .at("expected_total")
        .into());
    }
    Ok(())
}

/// How the goods reach the customer: as the delivery chosen says, else over the counter where there is one, and what takes nothing from shelves
/// at once.
fn kind_of(priced: &PricedCart, channel: &Channel) -> Result<Kind, Failure> {
    match &priced.delivery {
        Some(delivery) => Ok(delivery.kind),
        None if channel.location.is_some() || priced.lines.iter().all(|line| line.takes.is_empty()) => {
            Ok(Kind::HandOver)
        }
        None => {
            Err(Refusal::new(Code::NotDeliverable, "choose a delivery method first").at("delivery").into())
        }
    }
}

fn begun(
    tx: &mut Tx<'_>,
    world: &mut World,
    (priced, market, channel): (&PricedCart, &Market, &Channel),
    kind: Kind,
    input: &Checkout,
) -> Result<Order, Failure> {
    let cart = &priced.cart;
    if kind == Kind::Ship && cart.contact.is_none() {
        return Err(Refusal::new(Code::NotDeliverable, "give the address it is delivered to")
            .at("contact")
            .into());
    }
    let number = free_number(tx, world)?;
    let now = world.now();
    let delivery = priced.delivery.as_ref();
    Ok(Order {
        id: world.id(),
        number,
        channel: channel.id,
        market: market.id,
        cart: cart.id,
        customer: cart.customer,
        company: cart.company,
        contact: cart.contact,
        billing_contact: cart.billing_contact,
        location: cart.pickup_location.or(channel.location),
        state: State::PendingPayment,
        kind,
        currency: priced.currency,
        prices_include_tax: priced.prices_include_tax,
        net: priced.net,
        tax: priced.tax,
        gross: priced.gross,
        delivery_method: delivery.map(|delivery| delivery.method),
        delivery_net: delivery.map_or(0, |delivery| delivery.net_minor),
        delivery_tax: delivery.map_or(0, |delivery| delivery.tax_minor),
        delivery_gross: delivery.map_or(0, |delivery| delivery.gross_minor),
        delivery_rate: delivery.map_or(Rate::ZERO, |delivery| delivery.tax_rate),
        units: priced.lines.iter().map(|line| line.quantity).sum(),
        cancelled: 0,
        returned: 0,
        note: cart.note.clone(),
        external_id: input.external_id.clone(),
        placed_at: input.placed_at.unwrap_or(now),
        payment_due_at: Some(now.plus_seconds(channel.payment_minutes.saturating_mul(60))),
        open_change: None,
        changed_at: None,
        version: 1,
    })
}

fn free_number(tx: &mut Tx<'_>, world: &mut World) -> Result<String, Failure> {
    for _ in 0..NUMBER_TRIES {
        let number = rules::number(world.bytes());
        if rows::by_number(tx, &number)?.is_none() {
            return Ok(number);
        }
    }
    Err(store::StoreError::Conflict.into())
}

fn frozen(world: &mut World, priced: &PricedCart) -> Vec<Line> {
    let freeze = |(position, line): (i64, &cart::PricedLine)| Line {
        id: world.id(),
        position,
        variant: line.variant,
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit: line.unit_minor,
        net: line.net_minor,
        tax: line.tax_minor,
        gross: line.gross_minor,
        tax_rate: line.tax_rate,
        cancelled: 0,
        returned: 0,
        handed: 0,
        takes: line.takes.clone(),
    };
    (0i64..).zip(&priced.lines).map(freeze).collect()
}

/// Takes the goods: handed over at once they are the customer's, else they are committed to be fulfilled. What is not there is sold as far
/// as the channel's rules allow, unless the customer takes it along or somebody said which location serves it.
fn take_stock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, lines): (&Order, &[Line]),
    channel: &Channel,
    (serve_from, gone): (Option<Id<Location>>, bool),
) -> Result<(Taken, Coming, Vec<Beyond>), Failure> {
    let mut demand = BTreeMap::new();
    for ((_, variant), quantity) in pieces(lines) {
        *demand.entry(variant).or_insert(0) += quantity;
    }
    if demand.is_empty() {
        let nothing = Taken { allocations: Vec::new(), waiting: (Waits::Goods, None) };
        return Ok((nothing, Coming::default(), Vec::new()));
    }
    let reach: Reach = match (serve_from, order.kind) {
        (Some(location), _) => pinned(channel, location),
        (None, Kind::Pickup | Kind::HandOver) => {
            let location = order.location.ok_or_else(|| {
                Refusal::new(Code::NotDeliverable, "choose where it is collected").at("delivery")
            })?;
            pinned(channel, location)
        }
        (None, Kind::Ship) => reach(tx, channel)?,
    };
    let is_sent = serve_from.is_none() && inbound::reach_of(tx, order)?.is_some();
    let may_wait = serve_from.is_none() && !is_sent && order.kind != Kind::HandOver;
    let beyond = match may_wait {
        true => selling::beyond(tx, actor, world, (channel, &reach), (order.cart, &demand))?,
        false => Vec::new(),
    };
    for one in &beyond {
        demand.entry(one.variant).and_modify(|asked| *asked -= one.quantity);
    }
    demand.retain(|_, asked| *asked > 0);
    let taking = Taking {
        of: Of { order, lines, occasion: Occasion::Placed, first: &[] },
        reach: &reach,
        cart: Some(order.cart),
        cause: ("order", order.id.to_string()),
        demand: &demand,
        to: if gone { stock::State::Customer } else { stock::State::Committed },
    };
    if is_sent {
        let (taken, coming) = take_or_have_sent(tx, actor, world, &taking)?;
        return Ok((taken, coming, Vec::new()));
    }
    let taken = take_or_wait(tx, actor, world, &taking).map_err(|failure| named(failure, lines))?;
    Ok((taken, Coming::default(), beyond))
}

/// Sets apart the pieces that are sold though they are not there: the last lines wait.
fn set_apart(mut pieces: Pieces, beyond: &[Beyond]) -> (Pieces, Pieces) {
    let mut later = Pieces::new();
    for one in beyond {
        let mut left = one.quantity;
        for ((line, variant), quantity) in pieces.iter_mut().rev().filter(|((_, own), _)| *own == one.variant)
        {
            let part = left.min(*quantity);
            *quantity -= part;
            left -= part;
            if part > 0 {
                later.insert((*line, *variant), part);
            }
        }
    }
    pieces.retain(|_, quantity| *quantity > 0);
    (pieces, later)
}

/// Takes what the pickup location has; other locations send it the rest.
fn take_or_have_sent(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
) -> Result<(Taken, Coming), Failure> {
    let Of { order, lines, .. } = taking.of;
    hold::use_up(tx, actor, world, order.cart)?;
    let taken = take_what_there_is(tx, actor, world, taking)?;
    let (_, rest) = share_out(pieces(lines), &taken.allocations);
    let (coming, rest) = inbound::take(tx, actor, world, (order, lines, None), rest)?;
    if let Some(((_, variant), missing)) = rest.into_iter().next() {
        let asked = taking.demand.get(&variant).copied().unwrap_or(0);
        return Err(named(too_few(variant, asked - missing, asked).into(), lines));
    }
    Ok((taken, coming))
}

/// What the lines take from shelves.
fn pieces(lines: &[Line]) -> Pieces {
    let mut pieces = Pieces::new();
    for line in lines {
        for (variant, each) in &line.takes {
            *pieces.entry((line.id, *variant)).or_insert(0) += each * line.quantity;
        }
    }
    pieces
}

/// The same refusal in the customer's words: the SKU instead of the id, and the line at fault.
fn named(failure: Failure, lines: &[Line]) -> Failure {
    let Failure::Refused(refusal) = &failure else { return failure };
    let culprit = lines
        .iter()
        .find(|line| line.takes.iter().any(|(variant, _)| refusal.message().contains(&variant.to_string())));
    let Some(line) = culprit.filter(|_| refusal.code() == Code::OutOfStock) else { return failure };
    let taken = line
        .takes
        .iter()
        .find(|(variant, _)| refusal.message().contains(&variant.to_string()))
        .map(|(variant, _)| variant.to_string());
    let words = refusal.message().replace(&taken.unwrap_or_default(), &format!("sku {}", line.sku));
    Refusal::new(Code::OutOfStock, words).at(format!("lines.{}.quantity", line.position)).into()
}

fn keep(tx: &mut Tx<'_>, order: &Order, lines: &[Line], external_id: Option<&str>) -> Result<(), Failure> {
    if !rows::add(tx, order)? {
        return Err(store::StoreError::Conflict.into());
    }
    for line in lines {
        rows::add_line(tx, order.id, line)?;
    }
    external::give(tx, order.id, external_id)
}

/// Is the money for the whole amount in hand with these payments?
fn pays_at_once(means: &[(usize, NewPayment)], gross: i64) -> bool {
    means.iter().all(|(_, one)| one.kind.is_taken_at_once() || one.kind.has_book())
        && means.iter().map(|(_, one)| one.amount.minor()).sum::<i64>() == gross
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, order: &Order, lines: &[Line]) {
    let sold: Vec<_> = lines
        .iter()
        .map(|line| json!({ "line": line.id.to_string(), "variant": line.variant.to_string(), "sku": line.sku, "quantity": line.quantity, "gross": line.gross }))
        .collect();
    let body = json!({
        "number": order.number, "channel": order.channel.to_string(), "cart": order.cart.to_string(), "kind": order.kind.text(),
        "company": order.company.map(|company| company.to_string()),
        "currency": order.currency.code(), "net": order.net, "tax": order.tax, "gross": order.gross, "lines": sold
    });
    emit(tx, actor, world, order.id, "order.created", body);
}
