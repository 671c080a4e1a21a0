//! Simulated promotions: what the orders of a past period would have cost with other promotions. Nothing of the trade is touched; the work
//! is done in small steps.
//!
//! Each order is priced twice by the one price engine: with the promotions that were in force when it was placed, and with those that are
//! tried added or left out. The difference is counted onto what the order really cost. What is tried applies at any time and without
//! its coupon, within its limits, which begin unused. Of the others, a promotion with limits is on offer to the orders that used it only,
//! since nobody knows any more whether enough was left for another. Customers are in the groups they are in today, and in
//! the tiers they were in then.

use std::collections::{BTreeMap, BTreeSet};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::customer::COLLEAGUES;
use domain::order::State as OrderState;
use domain::promotion::limit::{Limit, Scope};
use domain::promotion::{self as rules, Charge, Goods, Occasion, Presented, Rules};
use domain::tax::Policy;
use domain::value::id::{Promotion as Kind, PromotionSimulation, Variant as VariantKind};
use domain::value::{Id, Instant, Unit, Zone};
use serde_json::json;
use store::insight::promotion as rows;
use store::job::Job;
use store::order::discount::Discount;
use store::order::{Line, Order};
use store::promotion::Promotion;
use store::{StoreError, Tx};

pub use store::insight::promotion::{Given, Simulation, Sum};

use crate::cart::price::groups_of;
use crate::event::emit;
use crate::promotion::apply::{self, Buyer};
use crate::{Failure, World, job, order, promotion};

/// The most orders of a simulation.
pub const ORDERS_MAX: i64 = 100_000;
/// The most promotions that are added, and that are left out.
pub const PROMOTIONS_MAX: usize = 20;
/// The orders of one step.
const STEP: i64 = 50;
/// The job of one step.
pub const JOB: &str = "promotion.simulate";

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct NewSimulation {
    /// Promotions that are added, as they are written now; drafts too.
    pub added: Vec<Id<Kind>>,
    /// Promotions that are left out.
    pub left_out: Vec<Id<Kind>>,
    /// From when on orders were placed, and before when.
    pub period: (Instant, Instant),
    /// The most orders.
    pub orders_max: i64,
}

/// A simulation with what came of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What is tried, and how far it is.
    pub simulation: Simulation,
    /// What came of it, by currency and channel.
    pub sums: Vec<Sum>,
    /// What each promotion that was added gave.
    pub given: Vec<Given>,
}

/// Begins a simulation; its steps follow.
///
/// # Errors
/// [`domain::Code::NotFound`] for an unknown promotion; [`domain::Code::Invalid`] naming every field at fault; [`domain::Code::Forbidden`].
pub fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewSimulation,
) -> Result<Outcome, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    check(world, &new)?;
    let mut added = Vec::with_capacity(new.added.len());
    for id in &new.added {
        added.push((*id, promotion::read_any(tx, *id)?.version));
    }
    for id in &new.left_out {
        promotion::read_any(tx, *id)?;
    }
    let simulation = Simulation {
        id: world.id(),
        added,
        left_out: new.left_out,
        from: new.period.0,
        until: new.period.1,
        orders_max: new.orders_max,
        is_done: false,
        after: (new.period.0, Id::from_bytes([0; 16])),
        orders: 0,
        unlike: 0,
        made_at: world.now(),
    };
    rows::add(tx, &simulation)?;
    emit(tx, actor, world, simulation.id, "promotion_simulation.begun", json!({}));
    let now = world.now();
    job::enqueue(tx, world, JOB, simulation.id, json!({}), now)?;
    Ok(Outcome { simulation, sums: Vec::new(), given: Vec::new() })
}

fn check(world: &World, new: &NewSimulation) -> Result<(), Failure> {
    let mut refusals = Vec::new();
    if new.added.is_empty() && new.left_out.is_empty() {
        refusals.push(Refusal::invalid("added", "name a promotion that is added, or one that is left out"));
    }
    for (field, ids) in [("added", &new.added), ("left_out", &new.left_out)] {
        let distinct: BTreeSet<_> = ids.iter().collect();
        if ids.len() > PROMOTIONS_MAX || distinct.len() < ids.len() {
            let message = format!("name each promotion once, at most {PROMOTIONS_MAX}");
            refusals.push(Refusal::invalid(field, message));
        }
    }
    let (from, until) = new.period;
    if until <= from || until > world.now() {
        refusals.push(Refusal::invalid("until", "give an instant after `from` that is over"));
    }
    if !(1..=ORDERS_MAX).contains(&new.orders_max) {
        let message = format!("give 1 to {ORDERS_MAX}, not {}", new.orders_max);
        refusals.push(Refusal::invalid("orders_max", message));
    }
    Refusal::all(refusals).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// A simulation.
///
/// # Errors
/// [`domain::Code::NotFound`], [`domain::Code::Forbidden`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: Id<PromotionSimulation>) -> Result<Outcome, Failure> {
    actor.may_somewhere(Permission::EditPromotions)?;
    let simulation = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("promotion simulation", id))?;
    outcome(tx, simulation)
}

/// The simulations after one, in the order they were asked for.
///
/// # Errors
/// [`domain::Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<PromotionSimulation>,
    limit: i64,
) -> Result<Vec<Outcome>, Failure> {
    actor.may_somewhere(Permission::EditPromotions)?;
    let found = rows::list(tx, after, limit)?;
    found.into_iter().map(|simulation| outcome(tx, simulation)).collect()
}

fn outcome(tx: &mut Tx<'_>, simulation: Simulation) -> Result<Outcome, Failure> {
    let (sums, given) = (rows::sums(tx, simulation.id)?, rows::given(tx, simulation.id)?);
    Ok(Outcome { simulation, sums, given })
}

/// One step: some orders are priced both ways; the next step follows until all are.
///
/// # Errors
/// What the store says.
pub fn step(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<PromotionSimulation>::parse(&job.subject) else { return Ok(()) };
    let Some(mut one) = rows::find(tx, id)?.filter(|one| !one.is_done) else { return Ok(()) };
    let many = STEP.min(one.orders_max - one.orders);
    let mut orders = Vec::new();
    for id in rows::orders(tx, one.after, one.until, many)? {
        orders.push(order::find(tx, id)?);
    }
    if let (Some(first), Some(last)) = (orders.first(), orders.last()) {
        let past = store::promotion::in_force(tx, first.placed_at, last.placed_at)?;
        let tried = tried(tx, &one)?;
        one.after = (last.placed_at, last.id);
        for order in orders.iter().filter(|order| order.state != OrderState::Cancelled) {
            price_both_ways(tx, &mut one, order, (&past, &tried))?;
        }
    }
    one.is_done = (orders.len() as i64) < STEP || one.orders + orders.len() as i64 >= one.orders_max;
    one.orders += orders.len() as i64;
    rows::update(tx, &one)?;
    if one.is_done {
        rows::clear_used(tx, one.id)?;
        emit(tx, actor, world, one.id, "promotion_simulation.done", json!({ "orders": one.orders }));
        return Ok(());
    }
    let now = world.now();
    job::enqueue(tx, world, JOB, one.id, json!({}), now)
}

/// A promotion that is tried, with its limits.
struct Tried {
    rule: rules::Promotion,
    limits: Vec<Limit>,
}

/// What is added: at any time, and as though everybody had a coupon of his own.
fn tried(tx: &mut Tx<'_>, one: &Simulation) -> Result<Vec<Tried>, Failure> {
    let mut tried = Vec::with_capacity(one.added.len());
    for version in &one.added {
        let kept = rows::version(tx, *version)?
            .ok_or_else(|| StoreError::Corrupt(format!("promotion {} lost a version", version.0)))?;
        let rule = rules::Promotion {
            needs_coupon: false,
            starts_at: None,
            ends_at: None,
            ..promotion::rule(&kept)?
        };
        let mut limits = store::promotion::limits(tx, version.0)?;
        limits.retain(|limit| limit.scope != Scope::Coupon);
        tried.push(Tried { rule, limits });
    }
    Ok(tried)
}

type Past = (Promotion, Option<Instant>);

fn price_both_ways(
    tx: &mut Tx<'_>,
    one: &mut Simulation,
    order: &Order,
    (past, tried): (&[Past], &[Tried]),
) -> Result<(), Failure> {
    let Some(market) = store::market::find_market(tx, order.market)? else { return Ok(()) };
    let lines = store::order::lines(tx, order.id)?;
    let discounts = store::order::discount::of_order(tx, order.id)?;
    let goods = goods(tx, order, &lines, &discounts)?;
    let occasion = occasion(tx, order)?;
    let policy = Policy {
        prices_include_tax: order.prices_include_tax,
        level: market.rounding_level,
        rounding: market.rounding,
    };
    let then = offered(tx, order, past, &discounts)?;
    let again = rules::price(&goods, &Rules::new(then.clone(), &BTreeMap::new()), &occasion, policy);
    let buyer = Buyer { customer: order.customer, ..Buyer::default() };
    let is_other = |own: &rules::Promotion| {
        !one.left_out.contains(&own.id) && tried.iter().all(|tried| tried.rule.id != own.id)
    };
    let mut other: Vec<_> = then.into_iter().filter(is_other).collect();
    for own in tried {
        other.push(with_what_is_left(tx, one.id, own, (&goods, &occasion, &buyer))?);
    }
    let priced = rules::price(&goods, &Rules::new(other, &BTreeMap::new()), &occasion, policy);
    let given = priced.given();
    for own in tried {
        if let Some(minor) = given.get(&own.rule.id) {
            let one_given =
                Given { promotion: own.rule.id, currency: order.currency, orders: 1, minor: *minor };
            rows::give(tx, one.id, &one_given)?;
            for limit in &own.limits {
                if let Some(counter) = apply::counter(own.rule.id, limit, &goods, &occasion, &buyer) {
                    rows::take(tx, one.id, &counter, *minor)?;
                }
            }
        }
    }
    let was = lines.iter().map(|line| line.gross).sum::<i64>() + order.delivery_gross;
    let difference = priced.total.gross_minor - again.total.gross_minor;
    one.unlike += i64::from(again.total.gross_minor != was);
    let sum = Sum {
        channel: order.channel,
        currency: order.currency,
        orders: 1,
        touched: i64::from(difference != 0),
        was,
        becomes: was + difference,
    };
    Ok(rows::count(tx, one.id, &sum)?)
}

fn with_what_is_left(
    tx: &mut Tx<'_>,
    simulation: Id<PromotionSimulation>,
    own: &Tried,
    (goods, occasion, buyer): (&Goods, &Occasion, &Buyer),
) -> Result<rules::Promotion, Failure> {
    let mut rule = own.rule.clone();
    for limit in &own.limits {
        let left = match apply::counter(rule.id, limit, goods, occasion, buyer) {
            Some(counter) => limit.left(rows::used(tx, simulation, &counter)?),
            None => Some(0),
        };
        apply::lessen(&mut rule, left);
    }
    Ok(rule)
}

/// The promotions that this order could have: those in force when it was placed, and those it used.
fn offered(
    tx: &mut Tx<'_>,
    order: &Order,
    past: &[Past],
    discounts: &[Discount],
) -> Result<Vec<rules::Promotion>, Failure> {
    let used: BTreeSet<_> = discounts.iter().map(|discount| discount.promotion).collect();
    let held = |(own, ended): &&Past| {
        own.changed_at <= order.placed_at && ended.is_none_or(|ended| ended > order.placed_at)
    };
    let mut offered = Vec::new();
    for (own, _) in past.iter().filter(held) {
        if used.contains(&own.id) || store::promotion::limits(tx, own.id)?.is_empty() {
            offered.push(promotion::rule(own)?);
        }
    }
    for id in used {
        if offered.iter().all(|own| own.id != id) {
            offered.push(promotion::rule(&promotion::read_any(tx, id)?)?);
        }
    }
    Ok(offered)
}

/// What was ordered, as the price engine wants it.
fn goods(tx: &mut Tx<'_>, order: &Order, lines: &[Line], discounts: &[Discount]) -> Result<Goods, Failure> {
    let ids: BTreeSet<_> = lines.iter().map(|line| line.variant).collect();
    let ids: Vec<Id<VariantKind>> = ids.into_iter().collect();
    let variants: BTreeMap<_, _> =
        store::catalogue::variants(tx, &ids)?.into_iter().map(|variant| (variant.id, variant)).collect();
    let tags = apply::tags(tx, &variants.values().map(|variant| variant.product).collect())?;
    let agreed: BTreeSet<_> = store::cart::lines(tx, order.cart)?
        .into_iter()
        .filter_map(|line| Some((line.variant, line.agreed?)))
        .collect();
    let line = |own: &Line| {
        let variant = variants.get(&own.variant);
        rules::Line {
            variant: own.variant,
            tags: variant.and_then(|variant| tags.get(&variant.product)).cloned().unwrap_or_default(),
            quantity: own.quantity,
            unit: variant.map_or(Unit::Piece, |variant| variant.unit),
            unit_minor: own.unit,
            rate: own.tax_rate,
            agreed: agreed.contains(&(own.variant, own.unit)),
            discount: None,
        }
    };
    let lowered: i64 =
        discounts.iter().filter(|discount| discount.line.is_none()).map(|discount| discount.minor).sum();
    let charged = if order.prices_include_tax { order.delivery_gross } else { order.delivery_net };
    let charge = |method| Charge { method, minor: charged + lowered, rate: order.delivery_rate };
    let coupons: BTreeSet<_> =
        discounts.iter().filter_map(|discount| Some((discount.promotion, discount.coupon?))).collect();
    let presented = |(promotion, coupon)| Presented { coupon, promotion };
    Ok(Goods {
        lines: lines.iter().map(line).collect(),
        delivery: order.delivery_method.map(charge),
        coupons: coupons.into_iter().map(presented).collect(),
        discount: None,
    })
}

/// Who bought, where and when.
fn occasion(tx: &mut Tx<'_>, order: &Order) -> Result<Occasion, Failure> {
    let place = match order.location {
        Some(location) => store::location::find(tx, location)?,
        None => None,
    };
    let zone = match place {
        Some(place) => place.zone,
        None => Zone::parse("UTC").map_err(|error| Refusal::invalid("time_zone", error))?,
    };
    let groups = groups_of(tx, (order.customer, order.company), order.placed_at)?;
    let first_order = match order.customer {
        Some(id) => !store::customer::had_ordered(tx, id, order.placed_at)?,
        None => false,
    };
    let payments = store::payment::of_order(tx, order.id)?;
    let kind = payments.first().map(|payment| payment.kind);
    Ok(Occasion {
        channel: order.channel,
        store: order.location,
        zone,
        at: order.placed_at,
        currency: order.currency,
        payment: kind
            .filter(|kind| payments.iter().all(|payment| payment.kind == *kind))
            .map(|kind| kind.text().to_owned()),
        customer: rules::Customer {
            colleague: groups.iter().any(|group| group == COLLEAGUES),
            groups,
            segments: Vec::new(),
            first_order,
        },
    })
}
