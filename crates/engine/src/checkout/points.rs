//! Points and orders: what an order earns follows from what stays of it, and is brought there each time something of it changes; and what
//! points may pay of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Actor;
use domain::loyalty::points::{Bought, MemberState, Purchase, earned};
use domain::loyalty::programme::{Earning as Rule, Goods, Terms};
use domain::market::PaymentKind;
use domain::order::{State, share};
use domain::payment::State as Paid;
use domain::promotion::Tag;
use domain::value::id::{OrderLine, Variant};
use domain::value::{Id, Rate, Rounding, Zone};
use store::loyalty::member::{self, Member};
use store::loyalty::points::{self as rows, Earning, EarningLine};
use store::loyalty::programme;
use store::{Tx, order as order_rows};

use super::settle::{Asked, whose};
use crate::loyalty::points;
use crate::loyalty::purse::{self, Purse};
use crate::loyalty::referral;
use crate::loyalty::tier::{self, OrderCounts};
use crate::order::{Line, Order};
use crate::promotion::apply;
use crate::{Failure, World};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The delivery's place among the lines that earn.
const DELIVERY: Id<OrderLine> = Id::from_bytes([0; 16]);

/// The points of the customer who buys, for a payment by points, and how much of the order points may still pay.
pub(super) fn purse(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    (asked, kind): (&Asked<'_>, PaymentKind),
) -> Result<Option<(Purse, i64)>, Failure> {
    if kind != PaymentKind::Points {
        return Ok(None);
    }
    let customer = whose(actor, asked.order, "points are a customer's")?;
    let purse = purse::to_spend(tx, customer, asked.order.currency, world.now())?;
    let most = purse.terms.pays_max.of(asked.order.gross, Rounding::HalfUp);
    Ok(Some((purse, (most - asked.by_points).max(0))))
}

/// How much of an order points pay.
pub(super) fn paying(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    uncounted(tx, order, &[PaymentKind::Points])
}

/// What payments of these kinds pay of an order.
fn uncounted(tx: &mut Tx<'_>, order: &Order, kinds: &[PaymentKind]) -> Result<i64, Failure> {
    let over = |state| matches!(state, Paid::Voided | Paid::Failed | Paid::Expired);
    let payments = store::payment::of_order(tx, order.id)?;
    let counts = payments.iter().filter(|one| kinds.contains(&one.kind) && !over(one.state));
    Ok(counts.map(|one| one.amounts.amount).sum())
}

/// An order was placed: its customer earns points in each programme he takes part in, under the version in force then.
pub(super) fn placed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let taking_part = |member: &Member, _: &Terms| member.enrolled_at <= order.placed_at;
    begin(tx, actor, world, order, &taking_part)
}

/// An order became a customer's by its receipt: he earns what he would have earned, where the programme lets receipts be brought so late.
pub(crate) fn brought(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let now = world.now();
    let in_time = |_: &Member, terms: &Terms| now <= order.placed_at.plus_seconds(terms.receipt_days * DAY);
    begin(tx, actor, world, order, &in_time)
}

fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    earns: &dyn Fn(&Member, &Terms) -> bool,
) -> Result<(), Failure> {
    let Some(customer) = order.customer else { return Ok(()) };
    for member in member::of_customer(tx, customer)? {
        if member.state != MemberState::Active {
            continue;
        }
        let Some(version) = programme::in_force(tx, member.programme, order.placed_at)? else { continue };
        if !earns(&member, &version.terms) || version.terms.earning(order.currency, order.channel).is_none() {
            continue;
        }
        let earning = Earning {
            order: order.id,
            member: member.id,
            programme: member.programme,
            number: version.number,
            lot: world.id(),
            points: 0,
            uncounted: 0,
            rate: tier::rate(tx, actor, world, (member.id, version.number))?,
        };
        let zone = zone_of(tx, order, &version.terms)?;
        points::begin(tx, world, &earning, zone)?;
        bring(tx, actor, world, (order, earning), &version.terms)?;
    }
    Ok(())
}

/// By whose clock the points of an order expire: its market's.
fn zone_of(tx: &mut Tx<'_>, order: &Order, terms: &Terms) -> Result<Zone, Failure> {
    let market = store::market::find_market(tx, order.market)?;
    Ok(market.map_or_else(|| terms.zone.clone(), |market| market.zone))
}

/// Something of an order changed: it earns what stays of it. Idempotent.
pub(crate) fn recount(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    if order.customer.is_none() {
        return Ok(());
    }
    for earning in rows::earnings(tx, order.id)? {
        let found = programme::find_version(tx, earning.programme, earning.number)?;
        let lost = || store::StoreError::Corrupt(format!("order {} earned by no version", order.id));
        let terms = found.ok_or_else(lost)?.terms;
        bring(tx, actor, world, (order, earning), &terms)?;
    }
    Ok(())
}

/// Brings what an order earned to what stays of it; once the last goods have left, the wait for the points begins.
fn bring(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, mut earning): (&Order, Earning),
    terms: &Terms,
) -> Result<(), Failure> {
    let lines = order_rows::lines(tx, order.id)?;
    let known = with_new(tx, order, &mut earning, (&lines, terms))?;
    let ((points, counted), is_kept) = kept_of(&lines, &known);
    points::bring_to(tx, actor, world, &earning, (points, counted))?;
    let has_left = order.state == State::Completed;
    referral::order_changed(tx, world, earning.member, (order.id, has_left))?;
    if has_left {
        points::left(tx, actor, world, &earning, terms.pending_days)?;
    }
    let (order, currency) = (order.id, order.currency);
    let counts = OrderCounts { order, points, minor: counted, currency, is_kept, has_left };
    tier::order_counts(tx, actor, world, earning.member, counts)
}

/// What the lines of an order earn, those that came to it since among them: they are reckoned once, and stay as they were.
fn with_new(
    tx: &mut Tx<'_>,
    order: &Order,
    earning: &mut Earning,
    (lines, terms): (&[Line], &Terms),
) -> Result<Vec<EarningLine>, Failure> {
    let of = (order.id, earning.member);
    let mut known = rows::earning_lines(tx, of)?;
    let is_first = known.is_empty();
    let new: Vec<&Line> = lines.iter().filter(|line| known.iter().all(|own| own.line != line.id)).collect();
    let Some(rule) = terms.earning(order.currency, order.channel).filter(|_| !new.is_empty()) else {
        return Ok(known);
    };
    let reckoned = reckon(tx, (order, terms, rule), &new, (is_first, earning.uncounted, earning.rate))?;
    for own in reckoned.lines {
        rows::add_earning_line(tx, of, &own)?;
        known.push(own);
    }
    earning.uncounted = earning.uncounted.max(reckoned.uncounted);
    rows::update_earning(tx, earning)?;
    Ok(known)
}

/// What lines earn, and how much money of the order earns nothing because of how it is paid.
struct Reckoned {
    lines: Vec<EarningLine>,
    uncounted: i64,
}

/// What lines that came to an order together earn; with the first ones, the delivery.
fn reckon(
    tx: &mut Tx<'_>,
    (order, terms, rule): (&Order, &Terms, &Rule),
    new: &[&Line],
    (is_first, before, rate): (bool, i64, Rate),
) -> Result<Reckoned, Failure> {
    let goods = goods(tx, terms, new)?;
    let mut all: Vec<Id<OrderLine>> = new.iter().map(|line| line.id).collect();
    let minor = |net, gross| if terms.counts_tax { gross } else { net };
    let bought = |line: &&Line| Bought {
        minor: minor(line.net, line.gross),
        goods: goods.get(&line.variant).cloned().unwrap_or_default(),
    };
    let mut bought: Vec<Bought> = new.iter().map(bought).collect();
    let mut gross: i64 = new.iter().map(|line| line.gross).sum();
    if is_first {
        gross = gross.max(order.gross);
        if terms.counts_delivery && order.delivery_gross > 0 {
            all.push(DELIVERY);
            let minor = minor(order.delivery_net, order.delivery_gross);
            bought.push(Bought { minor, goods: Vec::new() });
        }
    }
    let mut kinds = terms.uncounted.clone();
    kinds.push(PaymentKind::Points);
    let paid = uncounted(tx, order, &kinds)?;
    let uncounted = ((paid - before).max(0), gross);
    let purchase = Purchase { bought: &bought, uncounted, at: order.placed_at, rate };
    let earned = all.into_iter().zip(earned(terms, rule, &purchase));
    let lines = earned.map(|(line, (counted, points))| EarningLine { line, counted, points }).collect();
    Ok(Reckoned { lines, uncounted: paid })
}

/// What is kept of an order would earn under some terms: points, and for how much money.
pub(crate) fn would_earn(
    tx: &mut Tx<'_>,
    order: &Order,
    lines: &[Line],
    terms: &Terms,
    rate: Rate,
) -> Result<(i64, i64), Failure> {
    let Some(rule) = terms.earning(order.currency, order.channel) else { return Ok((0, 0)) };
    let all: Vec<&Line> = lines.iter().collect();
    let reckoned = reckon(tx, (order, terms, rule), &all, (true, 0, rate))?;
    Ok(kept_of(lines, &reckoned.lines).0)
}

/// What is kept of an order earns of what all of it earns: points, and for how much money; and whether anything is kept.
fn kept_of(lines: &[Line], known: &[EarningLine]) -> ((i64, i64), bool) {
    let stays = |line: &Line| line.quantity - line.cancelled - line.returned;
    let (mut points, mut counted) = (0, 0);
    for line in lines {
        let Some(own) = known.iter().find(|own| own.line == line.id) else { continue };
        points += share(own.points, line.quantity, 0, stays(line));
        counted += share(own.counted, line.quantity, 0, stays(line));
    }
    let is_kept = lines.iter().any(|line| stays(line) > 0);
    if let Some(delivery) = known.iter().find(|own| own.line == DELIVERY).filter(|_| is_kept) {
        (points, counted) = (points + delivery.points, counted + delivery.counted);
    }
    ((points, counted), is_kept)
}

/// What the goods of lines belong to, if the programme tells goods apart.
fn goods(
    tx: &mut Tx<'_>,
    terms: &Terms,
    lines: &[&Line],
) -> Result<BTreeMap<Id<Variant>, Vec<Goods>>, Failure> {
    if terms.factors.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<Id<Variant>> = lines.iter().map(|line| line.variant).collect();
    let variants = store::catalogue::variants(tx, &ids)?;
    let products: BTreeSet<_> = variants.iter().map(|variant| variant.product).collect();
    let tags = apply::tags(tx, &products)?;
    let named = |tag: &Tag| match tag {
        Tag::Product(product) => Some(Goods::Product(*product)),
        Tag::Category(category) => Some(Goods::Category(*category)),
        _ => None,
    };
    let of = |product| tags.get(product).map(|tags| tags.iter().filter_map(named).collect());
    Ok(variants.iter().map(|variant| (variant.id, of(&variant.product).unwrap_or_default())).collect())
}
