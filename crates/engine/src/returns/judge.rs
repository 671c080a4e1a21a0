//! What the policies say of goods that shall come back: the same answer for the quote that is shown and for the command that follows.

use domain::actor::Actor;
use domain::catalogue::Given;
use domain::order::{State as OrderState, share};
use domain::returns::policy::{DeliveryRefund, Facts, Ruling, Terms, rule};
use domain::returns::{Condition, Means, State, Way};
use domain::value::id::{self, Category, Location, OrderLine, ReturnPolicy};
use domain::value::{Id, Instant, Rounding};
use domain::{Code, Refusal};
use store::catalogue::{Variant, category};
use store::returns::policy::{self as policies, Policy};
use store::{Tx, order as order_rows, returns as rows};

use super::{Blind, BlindLine, Line, Return, policy};
use crate::fulfilment::{FulfilmentOrder, open_units};
use crate::loyalty::tier;
use crate::order::{self, Order};
use crate::{Failure, World, price};

/// The most steps up a tree of categories.
const DEPTH_MAX: usize = 32;
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Goods of an order line that shall come back.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The order line.
    pub line: Id<OrderLine>,
    /// How many.
    pub quantity: i64,
    /// In which condition, as far as it is known.
    pub condition: Option<Condition>,
}

/// Goods, and what the policies say of them.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The order line; of goods without an order, one made up for them.
    pub line: order::Line,
    /// How many.
    pub quantity: i64,
    /// In which condition, as far as it is known.
    pub condition: Option<Condition>,
    /// What they are worth.
    pub value: i64,
    /// What of it is tax.
    pub tax: i64,
    /// What the policy says.
    pub ruling: Ruling,
    /// Which policy was asked, in which version; none where none is written.
    pub policy: Option<(Id<ReturnPolicy>, i64)>,
    /// Its terms.
    pub terms: Terms,
}

/// Judges goods of an order. The order is locked by who will act on it.
///
/// # Errors
/// [`Code::WrongState`] when nothing of the order can come back, or less than is asked.
pub fn lines(
    tx: &mut Tx<'_>,
    world: &World,
    order: &Order,
    asked: &[Asked],
    (reason, wished): (&str, Option<Means>),
) -> Result<Vec<Judged>, Failure> {
    let mut lines = order_rows::lines(tx, order.id)?;
    let had = Had::of(tx, order)?;
    let policies = policy::active(tx)?;
    let longer = tier::return_days(tx, order.customer, world.now())?;
    let mut judged: Vec<Judged> = Vec::with_capacity(asked.len());
    for (number, one) in asked.iter().enumerate() {
        let found = lines.iter_mut().find(|line| line.id == one.line);
        let line = found
            .ok_or_else(|| Refusal::not_found("order line", one.line).at(format!("lines.{number}.line")))?;
        let there = had.free(line);
        if one.quantity < 1 || one.quantity > there {
            let refusal = Refusal::new(
                Code::WrongState,
                format!("{there} of sku {} can come back, {} asked", line.sku, one.quantity),
            );
            return Err(refusal.at(format!("lines.{number}.quantity")).into());
        }
        let done = line.cancelled + line.returned;
        let value = share(line.gross, line.quantity, done, one.quantity);
        let tax = share(line.tax, line.quantity, done, one.quantity);
        let (policy, mut terms) =
            terms_of(tx, &policies, (line.variant, order.customer, Some(order.channel)))?;
        terms.window_days = terms.window_days.map(|days| days + longer);
        let chosen = wished.or_else(|| judged.first().map(|first| first.ruling.means));
        let facts = Facts {
            had_at: Some(had.at(order, line)),
            now: world.now(),
            reason,
            condition: one.condition,
            value,
            unit: units(tx, world, order, line, &terms)?,
            attributes: &attributes(tx, line.variant, &terms)?,
            means: chosen,
            before: before(tx, world, order.customer, &terms)?,
        };
        let ruling = rule(&terms, &facts);
        let (condition, quantity) = (one.condition, one.quantity);
        judged.push(Judged { line: line.clone(), quantity, condition, value, tax, ruling, policy, terms });
        line.returned += one.quantity;
    }
    Ok(judged)
}

/// What the customer has of an order, and what of it is spoken for.
pub(super) struct Had {
    parts: Vec<FulfilmentOrder>,
    spoken_for: Vec<(Id<OrderLine>, i64)>,
}

impl Had {
    /// What the customer has of an order that is locked by who will act on it.
    ///
    /// # Errors
    /// [`Code::WrongState`] when nothing of it was sold.
    pub(super) fn of(tx: &mut Tx<'_>, order: &Order) -> Result<Had, Failure> {
        if !matches!(order.state, OrderState::Placed | OrderState::Completed) {
            let message =
                format!("order {} is {}; nothing of it can come back", order.number, order.state.text());
            return Err(Refusal::new(Code::WrongState, message).into());
        }
        let mut spoken_for = announced_units(tx, order)?;
        spoken_for.extend(rows::claim::live(tx, order.id)?);
        Ok(Had { parts: store::fulfilment::of_order(tx, order.id)?, spoken_for })
    }

    /// How many of a line the customer has that nobody brings back or claims yet.
    pub(super) fn free(&self, line: &order::Line) -> i64 {
        let own = self.spoken_for.iter().filter(|(id, _)| *id == line.id);
        let spoken_for: i64 = own.map(|(_, units)| units).sum();
        line.quantity - line.cancelled - line.returned - open_units(line, &self.parts) - spoken_for
    }

    /// The parts of the order by which goods of a line left, the last first.
    pub(super) fn left_by(&self, line: Id<OrderLine>) -> Vec<&FulfilmentOrder> {
        let has = |one: &&FulfilmentOrder| {
            one.state.has_left() && one.lines.iter().any(|piece| piece.line == line && piece.quantity > 0)
        };
        let mut left: Vec<_> = self.parts.iter().filter(has).collect();
        left.sort_by_key(|one| std::cmp::Reverse(one.left_at));
        left
    }

    /// When the customer got goods of a line: when the last of them left, or the order was placed.
    pub(super) fn at(&self, order: &Order, line: &order::Line) -> Instant {
        self.left_by(line.id).iter().find_map(|one| one.left_at).unwrap_or(order.placed_at)
    }
}

/// How many of each line of an order that was sold the customer can still bring back.
///
/// # Errors
/// [`Code::WrongState`] when nothing of it was sold.
pub(crate) fn free(
    tx: &mut Tx<'_>,
    order: &Order,
    lines: &[order::Line],
) -> Result<Vec<(Id<OrderLine>, i64)>, Failure> {
    let had = Had::of(tx, order)?;
    Ok(lines.iter().filter(|line| !line.takes.is_empty()).map(|line| (line.id, had.free(line))).collect())
}

/// Units that are announced to come back, for which the order owes nothing less yet: nobody else brings the same ones.
fn announced_units(tx: &mut Tx<'_>, order: &Order) -> Result<Vec<(Id<OrderLine>, i64)>, Failure> {
    let mut units = Vec::new();
    for id in rows::of_order(tx, order.id)? {
        let one = super::find(tx, id)?;
        let is_coming = one.state.is_announced() || matches!(one.state, State::Received | State::Inspected);
        if is_coming && !one.credited {
            units.extend(one.lines.iter().filter_map(|line| Some((line.order_line?, line.quantity))));
        }
    }
    Ok(units)
}

/// A policy and its version.
pub(super) type Versioned = (Id<ReturnPolicy>, i64);

/// The policy that holds for goods, and its terms; the open ones where none is written.
pub(super) fn terms_of(
    tx: &mut Tx<'_>,
    policies: &[Policy],
    (variant, customer, channel): (Id<id::Variant>, Option<Id<id::Customer>>, Option<Id<id::Channel>>),
) -> Result<(Option<Versioned>, Terms), Failure> {
    if policies.is_empty() {
        return Ok((None, Terms::open()));
    }
    let by_category = policies.iter().any(|one| one.scope.category.is_some());
    let categories = if by_category { categories_of(tx, variant)? } else { Vec::new() };
    let groups = match customer {
        Some(customer) => store::customer::find(tx, customer)?.map(|one| one.groups).unwrap_or_default(),
        None => Vec::new(),
    };
    let holding = policies.iter().filter(|one| one.scope.holds(&categories, &groups, channel));
    let best = holding.max_by_key(|one| (one.scope.rank(), one.id));
    Ok(best.map_or_else(|| (None, Terms::open()), |one| (Some((one.id, one.version)), one.terms.clone())))
}

/// The categories a variant's product is in, and all above them.
fn categories_of(tx: &mut Tx<'_>, variant: Id<id::Variant>) -> Result<Vec<Id<Category>>, Failure> {
    let Some(known) = store::catalogue::variants(tx, &[variant])?.pop() else { return Ok(Vec::new()) };
    let mut found = category::of_product(tx, known.product)?;
    let mut next = found.clone();
    for _ in 0..DEPTH_MAX {
        next = category::find_all(tx, &next)?.into_iter().filter_map(|one| one.parent).collect();
        next.retain(|one| !found.contains(one));
        if next.is_empty() {
            break;
        }
        found.extend(&next);
    }
    Ok(found)
}

/// What one was sold for and what the list says now, if the terms ask.
fn units(
    tx: &mut Tx<'_>,
    world: &World,
    order: &Order,
    line: &order::Line,
    terms: &Terms,
) -> Result<Option<(i64, i64)>, Failure> {
    if terms.final_below_list.is_none() {
        return Ok(None);
    }
    let Some(channel) = store::market::find_channel(tx, order.channel)? else { return Ok(None) };
    let now = price::prices(tx, &channel, None, &[(line.variant, 1)], world.now())?.pop().flatten();
    Ok(now.map(|price| (line.unit, price.was_minor.unwrap_or(price.minor))))
}

/// A variant's and its product's attributes as texts, if the terms ask.
fn attributes(
    tx: &mut Tx<'_>,
    variant: Id<id::Variant>,
    terms: &Terms,
) -> Result<Vec<(String, String)>, Failure> {
    if terms.final_attribute.is_none() {
        return Ok(Vec::new());
    }
    let Some(known) = store::catalogue::variants(tx, &[variant])?.pop() else { return Ok(Vec::new()) };
    let product = store::catalogue::find_product(tx, known.product)?;
    let text = |(code, given): (String, Given)| match given {
        Given::Text(text) => (code, text),
        Given::Whole(number) => (code, number.to_string()),
        Given::Yes(yes) => (code, if yes { "yes" } else { "no" }.to_owned()),
    };
    let own = product.map(|product| product.attributes).unwrap_or_default();
    Ok(known.attributes.into_iter().chain(own).map(text).collect())
}

/// What a customer brought back in the period the limits name.
fn before(
    tx: &mut Tx<'_>,
    world: &World,
    customer: Option<Id<id::Customer>>,
    terms: &Terms,
) -> Result<(i64, i64, i64), Failure> {
    let Some(customer) = customer.filter(|_| terms.limits.days > 0) else { return Ok((0, 0, 0)) };
    let since = world.now().plus_seconds(-terms.limits.days * DAY_SECONDS);
    Ok(rows::brought_back(tx, customer, since)?)
}

/// Judges goods whose order is not known. They are worth no more than the lowest price of the last thirty days, where the channel is known.
pub(super) fn unreceipted(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    (input, line): (&Blind, &BlindLine),
    variant: &Variant,
) -> Result<Judged, Failure> {
    let policies = policy::active(tx)?;
    let (policy, terms) = terms_of(tx, &policies, (line.variant, input.customer, actor.channel))?;
    let facts = Facts {
        had_at: None,
        now: world.now(),
        reason: &input.reason,
        condition: Some(line.condition),
        value: line.refund,
        unit: None,
        attributes: &attributes(tx, line.variant, &terms)?,
        means: input.wish.means,
        before: before(tx, world, input.customer, &terms)?,
    };
    let mut ruling = rule(&terms, &facts);
    if policy.is_some()
        && let Some(lowest) = lowest(tx, actor, world, line.variant)?
        && line.refund > lowest.saturating_mul(line.quantity)
    {
        let words = format!("without a receipt {} is worth {lowest} minor units each", variant.sku);
        ruling.objections.push((domain::returns::policy::Objection::TooMuch, words));
    }
    let made_up = order::Line {
        id: Id::from_bytes([0; 16]),
        position: 0,
        variant: variant.id,
        sku: variant.sku.clone(),
        title: variant.title.clone(),
        quantity: line.quantity,
        unit: 0,
        net: line.refund,
        tax: 0,
        gross: line.refund,
        tax_rate: domain::value::Rate::ZERO,
        cancelled: 0,
        returned: 0,
        handed: 0,
        takes: variant.takes(),
    };
    let (condition, quantity, value) = (Some(line.condition), line.quantity, line.refund);
    Ok(Judged { line: made_up, quantity, condition, value, tax: 0, ruling, policy, terms })
}

fn lowest(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    variant: Id<id::Variant>,
) -> Result<Option<i64>, Failure> {
    let Some(channel) = actor.channel else { return Ok(None) };
    let Some(channel) = store::market::find_channel(tx, channel)? else { return Ok(None) };
    Ok(price::lowest_before(tx, &channel, variant, world.now())?.map(|price| price.minor))
}

/// A return of goods as they were judged, not credited yet.
pub(super) fn announced(
    world: &mut World,
    order: &Order,
    judged: &[Judged],
    location: Id<Location>,
    reason: String,
) -> Return {
    let line = |one: &Judged| Line {
        id: world.id(),
        order_line: Some(one.line.id),
        variant: one.line.variant,
        quantity: one.quantity,
        received: 0,
        graded: 0,
        condition: one.condition.unwrap_or(Condition::Inspect),
        refund: one.value,
        policy: one.policy,
    };
    let lines: Vec<Line> = judged.iter().map(line).collect();
    Return {
        id: world.id(),
        order: Some(order.id),
        customer: order.customer,
        location,
        state: State::Requested,
        way: Way::Counter,
        reason,
        override_reason: None,
        currency: order.currency,
        refund: 0,
        fee: 0,
        postage: 0,
        delivery: 0,
        tax: 0,
        means: judged.first().map_or(Means::Original, |one| one.ruling.means),
        credited: false,
        label: None,
        due_at: None,
        external_id: None,
        at: world.now(),
        lines,
    }
}

/// What is given back for goods as they were judged, written into their return: the goods and the delivery, less fee and postage.
pub(super) fn sums(
    tx: &mut Tx<'_>,
    order: &Order,
    taken: &mut Return,
    judged: &[Judged],
) -> Result<(), Failure> {
    let value: i64 = judged.iter().map(|one| one.value).sum();
    let tax: i64 = judged.iter().map(|one| one.tax).sum();
    let first = judged.first();
    taken.fee = judged.iter().map(|one| one.ruling.fee).sum();
    let postage = first.map_or(0, |one| one.terms.postage_minor);
    taken.postage = if taken.way == Way::Post { postage.min(value - taken.fee) } else { 0 };
    let when = first.map_or(DeliveryRefund::Never, |one| one.terms.delivery);
    taken.delivery = if delivery_is_due(tx, order, judged, when)? { order.delivery_gross } else { 0 };
    let kept = taken.fee + taken.postage;
    let kept_tax = if value == 0 {
        0
    } else {
        Rounding::HalfUp.divide(i128::from(kept) * i128::from(tax), i128::from(value))
    };
    let delivery_tax = if taken.delivery > 0 { order.delivery_tax } else { 0 };
    taken.tax = tax - i64::try_from(kept_tax).unwrap_or(0) + delivery_tax;
    taken.refund = value - kept + taken.delivery;
    Ok(())
}

/// Is the delivery charge given back with these goods? Once for an order.
fn delivery_is_due(
    tx: &mut Tx<'_>,
    order: &Order,
    judged: &[Judged],
    when: DeliveryRefund,
) -> Result<bool, Failure> {
    if when == DeliveryRefund::Never || order.delivery_gross == 0 {
        return Ok(false);
    }
    for id in rows::of_order(tx, order.id)? {
        let one = super::find(tx, id)?;
        if one.credited && one.delivery > 0 {
            return Ok(false);
        }
    }
    if when == DeliveryRefund::First {
        return Ok(true);
    }
    let back = |line: &order::Line| -> i64 {
        judged.iter().filter(|one| one.line.id == line.id).map(|one| one.quantity).sum()
    };
    let lines = order_rows::lines(tx, order.id)?;
    Ok(lines.iter().all(|line| line.cancelled + line.returned + back(line) == line.quantity))
}

/// The order owes less from now on for goods that come back.
pub(super) fn credit(
    tx: &mut Tx<'_>,
    order: &mut Order,
    taken: &mut Return,
    judged: &[Judged],
) -> Result<(), Failure> {
    sums(tx, order, taken, judged)?;
    let mut lines = order_rows::lines(tx, order.id)?;
    for one in judged {
        if let Some(line) = lines.iter_mut().find(|line| line.id == one.line.id) {
            line.returned += one.quantity;
            order_rows::update_line(tx, order.id, line)?;
        }
    }
    taken.credited = true;
    order.returned += taken.refund;
    order_rows::update(tx, order)?;
    Ok(())
}

/// The terms under which a line was judged, as they stood then.
pub(super) fn terms_then(tx: &mut Tx<'_>, line: &Line) -> Result<Terms, Failure> {
    terms_at(tx, line.policy)
}

/// The terms of a policy as they stood in a version; the open ones where none was written.
pub(super) fn terms_at(tx: &mut Tx<'_>, policy: Option<Versioned>) -> Result<Terms, Failure> {
    let found = match policy {
        Some((policy, version)) => policies::terms_at(tx, policy, version)?,
        None => None,
    };
    Ok(found.unwrap_or_else(Terms::open))
}
