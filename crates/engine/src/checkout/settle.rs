//! Money and orders: an order becomes placed when it is paid, money is taken for what leaves, and given back for what does not.

use domain::actor::{Actor, Permission, Who};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{Sums, share};
use domain::payment::Timing;
use domain::value::id::{self};
use domain::value::{Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::market::Channel;
use store::{Tx, order as rows};

use super::{Tender, Whole, gift, points, whole};
use crate::event::emit;
use crate::fulfilment::open_units;
use crate::identity::customer::paid_by;
use crate::loyalty::{self, Credit, gift_card, purse, store_credit};
use crate::order::{self, Order};
use crate::payment::{self, NewPayment, account};
use crate::{Failure, World, job};

/// An order that is to be paid.
pub(super) struct Asked<'a> {
    /// The order.
    pub order: &'a Order,
    /// Where it is bought.
    pub channel: &'a Channel,
    /// What nobody pays yet.
    pub missing: i64,
    /// What points pay of it already.
    pub by_points: i64,
}

/// The payments that tenders begin, each with the place of its tender.
pub(super) type Means = Vec<(usize, NewPayment)>;

/// The payments that tenders begin, in their order, of what is missing.
///
/// # Errors
/// [`Code::AmountExceeded`] for more than is missing, and what the channel or the means refuse, each with the field.
pub(super) fn means(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    asked: &Asked<'_>,
    tenders: Vec<Tender>,
) -> Result<Means, Failure> {
    let (mut missing, mut by_points) = (asked.missing, asked.by_points);
    let mut all = Vec::with_capacity(tenders.len());
    for (place, tender) in tenders.into_iter().enumerate() {
        let asked = Asked { missing, by_points, ..*asked };
        let within = |failure: Failure| failure.within(&format!("payments.{place}"));
        if let Some(new) = one(tx, actor, world, &asked, tender).map_err(within)? {
            missing -= new.amount.minor();
            by_points += if new.kind == PaymentKind::Points { new.amount.minor() } else { 0 };
            all.push((place, new));
        }
    }
    Ok(all)
}

/// Begins payments of an order.
///
/// # Errors
/// What they refuse.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    means: Means,
) -> Result<(), Failure> {
    wait_for(tx, world, order, &means)?;
    for (place, new) in means {
        let within = |failure: Failure| failure.within(&format!("payments.{place}"));
        create(tx, actor, world, order, new).map_err(within)?;
    }
    Ok(())
}

/// Begins a payment; the order's customer is known by the card from then on.
fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    new: NewPayment,
) -> Result<(), Failure> {
    let made = payment::create(tx, actor, world, new)?;
    if let (Some(customer), Some(card)) = (order.customer, made.profile) {
        paid_by(tx, actor, world, (customer, card))?;
    }
    Ok(())
}

/// Locks what payments are made with in the one order: cards and credit, then points.
fn wait_for(tx: &mut Tx<'_>, world: &World, order: &Order, means: &Means) -> Result<(), Failure> {
    let with = means.iter().filter_map(|(place, one)| Some((place, one.points, one.credit.as_ref()?.book)));
    let (by_points, by_money): (Vec<_>, Vec<_>) = with.partition(|(_, points, _)| points.is_some());
    let mut books = by_money.into_iter().map(|(.., book)| book).collect();
    store::ledger::lock_books(tx, &mut books)?;
    let (Some(customer), Some((place, _, book))) = (order.customer, by_points.first()) else { return Ok(()) };
    let locked = purse::lock_spender(tx, world, customer, book.shared_with());
    locked.map_err(|failure| failure.within(&format!("payments.{place}")))
}

/// The payment a tender begins, by the channel's rules: of what is missing, or as much of it as is on the card, when no amount is named;
/// none when nothing is missing.
fn one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    asked: &Asked<'_>,
    tender: Tender,
) -> Result<Option<NewPayment>, Failure> {
    let Asked { order, channel, missing, .. } = *asked;
    let (kind, credit) = (tender.kind, credit(tx, actor, world, order, &tender)?);
    let purse = points::purse(tx, actor, world, (asked, kind))?;
    let most = match (&credit, &purse) {
        (Some(credit), _) => missing.min(loyalty::balance(tx, credit)?.0),
        (None, Some((purse, may_pay))) => missing.min(purse.most(*may_pay)),
        (None, None) => missing,
    };
    let amount = tender.amount.unwrap_or(most);
    if amount > missing {
        let message = format!("{missing} minor units are open, {amount} offered");
        return Err(Refusal::new(Code::AmountExceeded, message).at("amount").into());
    }
    if amount == 0 && missing == 0 {
        return Ok(None);
    }
    if amount == 0 && kind.has_book() {
        let message = "nothing is left on it; choose another means of payment";
        return Err(Refusal::new(Code::AmountExceeded, message).into());
    }
    if kind.is_offered() && !channel.payment_kinds.contains(&kind) {
        let allowed: Vec<_> = channel.payment_kinds.iter().map(|kind| kind.text()).collect();
        let message = format!("channel \"{}\" takes {}", channel.code, allowed.join(", "));
        return Err(Refusal::invalid("kind", message).into());
    }
    let points = purse.as_ref().map(|(purse, may_pay)| purse.points_for(amount, *may_pay)).transpose()?;
    let account = match kind {
        PaymentKind::Stripe => Some(account::takes(tx, account::Kind::Stripe, (channel.id, order.currency))?),
        _ => None,
    };
    let timing = match channel.capture_policy {
        CapturePolicy::AtOrder => Timing::AtOnce,
        CapturePolicy::AtFulfilment => Timing::WhenAsked,
    };
    Ok(Some(NewPayment {
        order: order.id,
        kind,
        amount: Money::new(amount, order.currency).map_err(|error| Refusal::invalid("amount", error))?,
        timing,
        account,
        provider_token: tender.provider_token,
        card: tender.card,
        credit: credit.or(purse.map(|(purse, _)| purse.credit)),
        points,
        location: order.location.filter(|_| kind.is_taken_at_once()),
        expires_at: order.payment_due_at,
        external_id: None,
    }))
}

/// The gift card or store credit a tender means. Whoever knows a card's code may spend it; store credit is spent by the customer who is signed in,
/// or by who takes payments.
fn credit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    order: &Order,
    tender: &Tender,
) -> Result<Option<Credit>, Failure> {
    match (tender.kind, &tender.gift_card) {
        (PaymentKind::GiftCard, Some(code)) => {
            let found = gift_card::to_spend(tx, actor, world, code, order.currency);
            Ok(Some(found.map_err(|failure| failure.at("gift_card"))?))
        }
        (PaymentKind::GiftCard, None) => {
            Err(Refusal::invalid("gift_card", "give the gift card's code").into())
        }
        (_, Some(_)) => Err(Refusal::invalid("gift_card", "only a payment by gift card has a code").into()),
        (PaymentKind::StoreCredit, None) => {
            let customer = whose(actor, order, "store credit is a customer's")?;
            Ok(Some(store_credit::to_spend(tx, customer, order.currency)?))
        }
        _ => Ok(None),
    }
}

/// The customer whose own means pay an order: spent by himself when he is signed in, or by who takes payments.
pub(super) fn whose(actor: &Actor, order: &Order, what: &str) -> Result<Id<id::Customer>, Refusal> {
    let missing = || format!("{what}, and the order names none; choose another means of payment");
    let customer = order.customer.ok_or_else(|| Refusal::invalid("kind", missing()))?;
    if !matches!(actor.who, Who::Customer(own) if own == customer) {
        actor.may(Permission::TakePayments, order.location)?;
    }
    Ok(customer)
}

/// Begins another payment of an order that is not paid yet.
///
/// # Errors
/// [`Code::WrongState`] when the order does not wait for money, [`Code::AmountExceeded`] when less is missing.
pub fn pay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
    tender: Tender,
) -> Result<Whole, Failure> {
    let order = order::lock(tx, id)?;
    order::may_see(tx, actor, &order)?;
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    actor.may(Permission::Shop, channel.location)?;
    let missing = open_amount(tx, &order)?;
    if missing == 0 || order.state == domain::order::State::Cancelled {
        return Err(Refusal::new(
            Code::WrongState,
            format!("order {} is {} and waits for no money", order.number, order.state.text()),
        )
        .into());
    }
    let by_points = points::paying(tx, &order)?;
    let asked = Asked { order: &order, channel: &channel, missing, by_points };
    if let Some(new) = one(tx, actor, world, &asked, tender)? {
        let means = vec![(0, new)];
        wait_for(tx, world, &order, &means)?;
        for (_, new) in means {
            create(tx, actor, world, &order, new)?;
        }
    }
    if order.state == domain::order::State::Placed {
        // Goods that a change put in may wait for this money.
        let now = world.now();
        job::enqueue(tx, world, "order.payment_changed", order.id, json!({}), now)?;
    }
    let order = go_on(tx, actor, world, order)?;
    whole(tx, order)
}

/// The order's total was changed: what is missing is asked for by these means, what is too much is given back, and the order goes on.
///
/// # Errors
/// What the payments refuse.
pub fn total_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, channel): (Order, &Channel),
    tenders: Vec<Tender>,
) -> Result<Order, Failure> {
    let missing = open_amount(tx, &order)?;
    let asked = Asked { order: &order, channel, missing, by_points: points::paying(tx, &order)? };
    let means = means(tx, actor, world, &asked, tenders)?;
    begin(tx, actor, world, &order, means)?;
    give_back_too_much(tx, actor, world, &order)?;
    go_on(tx, actor, world, order)
}

/// What no payment covers or is being asked for.
fn open_amount(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    let asked: i64 = store::payment::of_order(tx, order.id)?
        .iter()
        .filter(|payment| !payment.state.has_ended() && payment.amounts.authorised == 0)
        .map(|payment| payment.amounts.amount)
        .sum();
    Ok((order::sums(tx, order)?.missing() - asked).max(0))
}

/// A payment of the order changed: the order may be placed now, or what is too much is given back. Idempotent.
///
/// # Errors
/// What the store says.
pub fn payment_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
) -> Result<(), Failure> {
    let order = order::lock(tx, id)?;
    let order = go_on(tx, actor, world, order)?;
    give_back_too_much(tx, actor, world, &order)
}

/// Places an order that waited for its payment and has it.
pub(super) fn place_if_paid(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
) -> Result<Order, Failure> {
    if order.state != domain::order::State::PendingPayment || order::sums(tx, &order)?.missing() > 0 {
        return Ok(order);
    }
    order::go_to(&mut order, domain::order::State::Placed)?;
    order.payment_due_at = None;
    rows::update(tx, &mut order)?;
    let body = json!({ "number": order.number, "channel": order.channel.to_string(), "currency": order.currency.code(), "gross": order.gross });
    emit(tx, actor, world, order.id, "order.placed", body);
    points::placed(tx, actor, world, &order)?;
    Ok(order)
}

/// An order goes on as far as its money allows: it is placed, its gift cards are handed out, and it is complete when nothing is open.
pub(super) fn go_on(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Order,
) -> Result<Order, Failure> {
    let order = place_if_paid(tx, actor, world, order)?;
    let lines = rows::lines(tx, order.id)?;
    gift::issue_paid(tx, actor, world, &order, &lines)?;
    super::complete_if_done(tx, actor, world, order)
}

/// What the goods that have left and did not come back cost, the delivery with the first of them; everything owed with the last.
pub(super) fn due_for_what_left(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    let all = store::fulfilment::of_order(tx, order.id)?;
    let mut due = order.delivery_gross;
    for line in rows::lines(tx, order.id)? {
        let left = line.quantity - line.cancelled - open_units(&line, &all);
        due += share(line.gross, line.quantity, line.cancelled, left);
    }
    let sums = order::sums(tx, order)?;
    Ok((due - sums.returned).min(sums.owed()))
}

/// Takes authorised money for what has left.
pub(super) fn capture_for_what_left(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let due = due_for_what_left(tx, order)?;
    let mut missing = due - order::sums(tx, order)?.kept() - capturing(tx, order)?;
    for one in order::to_capture(tx, order)? {
        let part = one.amounts.open_to_capture().min(missing);
        if part > 0 && !one.state.has_ended() {
            payment::capture(tx, &actor.trusted(), world, one.id, Some(part))?;
            missing -= part;
        }
    }
    Ok(())
}

fn capturing(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    Ok(store::payment::of_order(tx, order.id)?.iter().map(|payment| payment.amounts.capturing).sum())
}

/// Gives back what we have beyond what is owed, in the sequence of the market. What was only promised is let go when nothing is owed;
/// what is set aside on gift cards, store credit and points, as soon as it is more than will be asked for. Points are earned by what stays.
///
/// # Errors
/// What the payments say.
pub fn give_back_too_much(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let sums: Sums = order::sums(tx, order)?;
    let mut left = sums.to_refund();
    for one in order::to_refund(tx, order)? {
        let part = one.amounts.open_to_refund().min(left);
        if part > 0 {
            payment::refund(tx, &actor.trusted(), world, one.id, Some(part))?;
            left -= part;
        } else if sums.owed() <= sums.kept() && domain::payment::may_void(one.state, &one.amounts).is_ok() {
            payment::void(tx, &actor.trusted(), world, one.id)?;
        }
    }
    free_too_much(tx, actor, world, order)?;
    points::recount(tx, actor, world, order)
}

/// What is not asked for any more is what would be taken last. What a provider reserved of it is let go when the rest was taken.
fn free_too_much(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, order: &Order) -> Result<(), Failure> {
    let sums = order::sums(tx, order)?;
    let mut left = sums.kept() + sums.authorised - sums.owed().max(0);
    for one in order::to_capture(tx, order)?.into_iter().rev() {
        let (open, trusted) = (one.amounts.open_to_capture(), actor.trusted());
        let part = if one.state.has_ended() { 0 } else { open.min(left) };
        if part < 1 {
            continue;
        }
        left -= part;
        if !one.kind.has_book() {
            continue;
        }
        if part == one.amounts.authorised {
            payment::void(tx, &trusted, world, one.id)?;
        } else {
            payment::reduce(tx, &trusted, world, one.id, part)?;
        }
    }
    Ok(())
}
