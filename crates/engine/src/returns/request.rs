//! Returns that are announced: asked for, approved or declined, received wherever they arrive, looked at, and paid when the policy says.

use domain::actor::{Actor, Permission};
use domain::order::share;
use domain::returns::policy::{When, rule};
use domain::returns::{Condition, Discrepancy, State, Way};
use domain::stock;
use domain::value::Id;
use domain::value::id::{self, Location, ReturnLine, Variant};
use domain::{Code, Refusal};
use store::{Tx, order as order_rows, returns as rows};

use super::judge::{self, Asked, Judged};
use super::{Return, Wish, find, keep, money, overdue, restock, settle, take_in_others, takes_back, tell};
use crate::checkout::gift;
use crate::order::{self, Order};
use crate::stock::{Movement, post_movement};
use crate::{Failure, World};

/// How long goods whose money was given before they came may take, in days.
const DUE_DAYS: i64 = 30;

/// Goods the customer wants to bring or send back.
#[derive(Clone, Debug)]
pub struct Request {
    /// The order.
    pub order: Id<id::Order>,
    /// By post or to a store.
    pub way: Way,
    /// Where they go; the order's own location, or the best that takes returns, when not given.
    pub location: Option<Id<Location>>,
    /// Why: a reason's code, or words.
    pub reason: String,
    /// What.
    pub lines: Vec<Asked>,
    /// What is wished beyond the policy's usual ways.
    pub wish: Wish,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// What may come back of an order: nothing is changed.
///
/// # Errors
/// [`Code::NotFound`] for an order the asker may not see, or what [`judge::lines`] says.
pub fn quote(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: &Request,
) -> Result<(Return, Vec<Judged>), Failure> {
    let order = order::find(tx, input.order)?;
    order::may_see(tx, actor, &order)?;
    let judged = judge::lines(tx, world, &order, &input.lines, (&input.reason, input.wish.means))?;
    let location = goes_to(tx, &order, input.location)?;
    let mut one = judge::announced(world, &order, &judged, location, input.reason.clone());
    one.way = input.way;
    judge::sums(tx, &order, &mut one, &judged)?;
    Ok((one, judged))
}

/// Asks to bring or send goods back: approved at once where the policy's rule suffices or a colleague asks, else by [`decide`].
///
/// # Errors
/// [`Code::PolicyRefuses`], [`Code::WrongState`] when less can come back than is asked.
pub fn request(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Request) -> Result<Return, Failure> {
    let order = order::lock(tx, input.order)?;
    let (mut one, judged) = quote(tx, actor, world, &input)?;
    for (number, judged) in judged.iter().enumerate() {
        let allowed = input.wish.allows(actor, judged, one.location);
        allowed.map_err(|refusal| refusal.at(format!("lines.{number}")))?;
    }
    one.override_reason = input.wish.override_reason;
    one.external_id = input.external_id;
    keep(tx, actor, world, &one, "return.requested")?;
    let by_colleague = actor.may(Permission::EditOrders, Some(one.location)).is_ok();
    if by_colleague || judged.iter().all(|judged| judged.terms.by_rule) {
        return approve(tx, actor, world, order, one);
    }
    find(tx, one.id)
}

/// Where goods of an order go that come back: where is named, or the best place that takes returns.
pub(super) fn goes_to(
    tx: &mut Tx<'_>,
    order: &Order,
    named: Option<Id<Location>>,
) -> Result<Id<Location>, Failure> {
    if let Some(location) = named {
        takes_back(tx, location)?;
        return Ok(location);
    }
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let members = store::location::network_members(tx, channel.network)?;
    let best = order.location.into_iter().chain(members.into_iter().map(|(location, _)| location.id));
    for location in best {
        if store::location::find(tx, location)?.is_some_and(|found| found.can_return) {
            return Ok(location);
        }
    }
    Err(Refusal::invalid("location", "no location takes returns by itself; name one").into())
}

/// Goods that were asked for may come back, by post with a label.
pub(super) fn approve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
    mut one: Return,
) -> Result<Return, Failure> {
    one.state = one.state.lead_to(State::Approved)?;
    if one.way == Way::Post {
        one.label = Some(one.id.to_string());
    }
    let first = one.lines.first().map(|line| judge::terms_then(tx, line)).transpose()?;
    let early = first.as_ref().is_some_and(|terms| terms.when == When::BeforeReceipt);
    if early {
        let quantities: Vec<i64> = one.lines.iter().map(|line| line.quantity).collect();
        credited(tx, world, (&mut order, &mut one), &quantities)?;
        one.due_at = Some(world.now().plus_seconds(DUE_DAYS * 86_400));
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "return.approved");
    if early {
        money::pay_out(tx, actor, world, (&order, &one), first.and_then(|terms| terms.cash_minor_max))?;
    }
    find(tx, one.id)
}

/// A colleague decides about a request.
///
/// # Errors
/// [`Code::WrongState`] unless it waits for a decision.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Return>,
    yes: bool,
) -> Result<Return, Failure> {
    let (order, mut one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    if yes {
        return approve(tx, actor, world, order, one);
    }
    one.state = one.state.lead_to(State::Declined)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "return.declined");
    Ok(one)
}

/// Nothing of a return goes on: the customer keeps the goods, or everything is done.
///
/// # Errors
/// [`Code::WrongState`] when goods or money are on their way.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Return>,
) -> Result<Return, Failure> {
    let (order, mut one) = locked(tx, id)?;
    if !one.state.is_announced() || !order::sees(tx, actor, &order)? {
        actor.may(Permission::EditOrders, Some(one.location))?;
    }
    if one.state.is_announced() && one.credited {
        let why = "its money was given back already; wait for the goods, or until it is claimed back";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    one.state = one.state.lead_to(State::Closed)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "return.closed");
    Ok(one)
}

/// The order of a return, and then the return, changed by nobody else until the commit.
pub(super) fn locked(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<(Order, Return), Failure> {
    let order = find(tx, id)?
        .order
        .ok_or_else(|| Refusal::new(Code::WrongState, "goods without an order were done with in one step"))?;
    Ok((order::lock(tx, order)?, find(tx, id)?))
}

/// What arrived of a return.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The return.
    pub id: Id<id::Return>,
    /// Where, whatever was announced.
    pub location: Id<Location>,
    /// How many of which lines, and in which condition if somebody looked already.
    pub lines: Vec<(Id<ReturnLine>, i64, Option<Condition>)>,
    /// What came that was not announced; it waits for inspection.
    pub others: Vec<(Id<Variant>, i64)>,
    /// Does nothing more come?
    pub complete: bool,
}

/// Takes in what arrived, in part or wholly, with every discrepancy noted. The money follows when the policy says.
///
/// # Errors
/// [`Code::WrongState`] unless the return is on its way and so much is still to come, or when its money was given back for what had come.
pub fn receive(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Arrival) -> Result<Return, Failure> {
    actor.may(Permission::EditOrders, Some(input.location))?;
    takes_back(tx, input.location)?;
    let (order, mut one) = locked(tx, input.id)?;
    if one.credited && one.due_at.is_none() {
        let why =
            "its money was given back for what was here; take what comes later back as a return of its own";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    if one.state != State::Received {
        one.state = one.state.lead_to(State::Received)?;
    }
    one.location = input.location;
    let lines = order_rows::lines(tx, order.id)?;
    for (number, (id, quantity, condition)) in input.lines.iter().enumerate() {
        let at = |refusal: Refusal, field: &str| refusal.at(format!("lines.{number}.{field}"));
        let line = one.lines.iter_mut().find(|line| line.id == *id);
        let line = line.ok_or_else(|| at(Refusal::not_found("return line", id), "line"))?;
        let open = line.quantity - line.received;
        if *quantity < 1 || *quantity > open {
            let message = format!("{open} are still to come, {quantity} arrived; name the rest among others");
            return Err(at(Refusal::new(Code::WrongState, message), "quantity").into());
        }
        if *condition == Some(Condition::Kept) {
            return Err(at(Refusal::invalid("condition", "what arrived is not kept"), "condition").into());
        }
        let grade = condition.filter(|condition| *condition != Condition::Inspect);
        if let Some(of) = line.order_line {
            gift::take_back(tx, actor, world, &order, (of, *quantity))
                .map_err(|failure| failure.at(format!("lines.{number}.quantity")))?;
        }
        let takes = lines.iter().find(|known| Some(known.id) == line.order_line).map(|known| &known.takes);
        for (variant, each) in takes.into_iter().flatten() {
            let place = (input.location, grade.unwrap_or(Condition::Inspect));
            restock(tx, actor, world, (*variant, each * quantity), place, &order.id.to_string())?;
        }
        line.received += quantity;
        if let Some(grade) = grade {
            line.graded += quantity;
            if line.condition != Condition::Inspect && line.condition != grade {
                let found = (Discrepancy::OtherCondition, line.variant, *quantity);
                rows::add_discrepancy(tx, one.id, found, world.now())?;
            }
            line.condition = grade;
        }
    }
    take_in_others(tx, actor, world, &input, &order)?;
    if input.complete {
        for line in one.lines.iter().filter(|line| line.received < line.quantity) {
            let missing = (Discrepancy::Short, line.variant, line.quantity - line.received);
            rows::add_discrepancy(tx, one.id, missing, world.now())?;
        }
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "return.received");
    advance(tx, actor, world, (order, one), input.complete)
}

/// A return's line, how many of it are graded, and how they are.
pub type Graded = (Id<ReturnLine>, i64, Condition);

/// Grades goods that waited for inspection: each goes where its condition says, at the location that received it.
///
/// # Errors
/// [`Code::WrongState`] when fewer wait; [`Code::PolicyRefuses`] for a condition the policy does not take, unless a colleague who may
/// overrides it.
pub fn inspect(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, lines): (Id<id::Return>, Vec<Graded>),
    override_reason: Option<String>,
) -> Result<Return, Failure> {
    let (order, mut one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    if !matches!(one.state, State::Received | State::Refunded) {
        let message = format!("the return is {}; only received goods are looked at", one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let order_lines = order_rows::lines(tx, order.id)?;
    for (number, (line_id, quantity, condition)) in lines.into_iter().enumerate() {
        let at = |refusal: Refusal, field: &str| refusal.at(format!("lines.{number}.{field}"));
        let line = one.lines.iter_mut().find(|line| line.id == line_id);
        let line = line.ok_or_else(|| at(Refusal::not_found("return line", line_id), "line"))?;
        let open = line.received - line.graded;
        if quantity < 1 || quantity > open {
            let message = format!("{open} wait for inspection, {quantity} named");
            return Err(at(Refusal::new(Code::WrongState, message), "quantity").into());
        }
        let to = condition.state().filter(|_| condition != Condition::Inspect);
        let to = to.ok_or_else(|| {
            at(Refusal::invalid("condition", "give resellable, damaged or scrap"), "condition")
        })?;
        if !one.credited {
            may_be_taken(tx, actor, line, condition, (one.location, override_reason.as_deref())).map_err(
                |failure| match failure {
                    Failure::Refused(refusal) => at(refusal, "condition").into(),
                    store => store,
                },
            )?;
        }
        let takes = order_lines.iter().find(|known| Some(known.id) == line.order_line);
        for (variant, each) in takes.into_iter().flat_map(|known| &known.takes) {
            graded(tx, actor, world, (*variant, each * quantity), (one.location, to), &order)?;
        }
        line.graded += quantity;
        line.condition = condition;
    }
    if override_reason.is_some() {
        one.override_reason = override_reason;
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "return.inspected");
    advance(tx, actor, world, (order, one), false)
}

fn may_be_taken(
    tx: &mut Tx<'_>,
    actor: &Actor,
    line: &super::Line,
    condition: Condition,
    (location, override_reason): (Id<Location>, Option<&str>),
) -> Result<(), Failure> {
    if judge::terms_then(tx, line)?.conditions.contains(&condition) {
        return Ok(());
    }
    if override_reason.is_some() {
        return Ok(actor.may(Permission::OverridePolicies, Some(location))?);
    }
    let message = format!("goods that are {} are not taken", condition.text());
    Err(Refusal::new(Code::PolicyRefuses, message).into())
}

fn graded(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, quantity): (Id<Variant>, i64),
    (location, to): (Id<Location>, stock::State),
    order: &Order,
) -> Result<(), Failure> {
    let from = stock::at(location, stock::State::Quality);
    let to = if to.is_world() { stock::world(to) } else { stock::at(location, to) };
    let postings = stock::moving(from, to, quantity, 0).into();
    let cause = Some(("order", order.id.to_string()));
    let movement = Movement { variant, reason: "inspected", cause, postings };
    post_movement(tx, actor, world, movement, |short| {
        Refusal::new(Code::WrongState, format!("{} wait for inspection at the location", short.amount))
    })?;
    Ok(())
}

/// Looks what follows from what is here: it is inspected when all was looked at, and its money goes back when the policy says.
fn advance(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (mut order, mut one): (Order, Return),
    complete: bool,
) -> Result<Return, Failure> {
    let all_here = complete || one.lines.iter().all(|line| line.received == line.quantity);
    let all_graded = one.lines.iter().all(|line| line.graded == line.received);
    if all_here && all_graded && one.state == State::Received {
        one.state = State::Inspected;
        rows::update(tx, &one)?;
    }
    if one.credited {
        if complete && one.due_at.is_some() {
            overdue::give_up(tx, actor, world, (&mut order, &mut one))?;
        }
        settle(tx, actor, world, &order)?;
        return find(tx, one.id);
    }
    let first = one.lines.first().map(|line| judge::terms_then(tx, line)).transpose()?;
    let soon = first.is_some_and(|terms| terms.when != When::AfterInspection);
    if all_here && (soon || all_graded) {
        return pay(tx, actor, world, (order, one));
    }
    find(tx, one.id)
}

/// Gives the money back for what is here of a return, without waiting for the rest.
///
/// # Errors
/// [`Code::WrongState`] when nothing is here, something still waits for inspection, or the money was given back before.
pub fn refund(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Return>,
) -> Result<Return, Failure> {
    let (order, one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    if one.credited || !matches!(one.state, State::Received | State::Inspected) {
        let message = format!("the return is {}; there is nothing to give back for", one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    if one.lines.iter().any(|line| line.graded < line.received) {
        return Err(
            Refusal::new(Code::WrongState, "some goods wait for inspection; look at them first").into()
        );
    }
    pay(tx, actor, world, (order, one))
}

fn pay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (mut order, mut one): (Order, Return),
) -> Result<Return, Failure> {
    let here: Vec<i64> = one.lines.iter().map(|line| line.received).collect();
    let cash_max = credited(tx, world, (&mut order, &mut one), &here)?;
    rows::update(tx, &one)?;
    money::pay_out(tx, actor, world, (&order, &one), cash_max)?;
    settle(tx, actor, world, &order)?;
    find(tx, one.id)
}

/// The order owes less for so many of each line, at what they are worth now. Answers the most that may be paid out in cash.
fn credited(
    tx: &mut Tx<'_>,
    world: &World,
    (order, one): (&mut Order, &mut Return),
    quantities: &[i64],
) -> Result<Option<i64>, Failure> {
    let mut lines = order_rows::lines(tx, order.id)?;
    let mut judged = Vec::new();
    for (line, quantity) in one.lines.iter_mut().zip(quantities) {
        let known = lines.iter_mut().find(|known| Some(known.id) == line.order_line);
        let Some(known) = known else { continue };
        let done = known.cancelled + known.returned;
        // A service that was cancelled meanwhile was paid back with that.
        let quantity = (*quantity).min(known.quantity - done);
        let value = share(known.gross, known.quantity, done, quantity);
        let tax = share(known.tax, known.quantity, done, quantity);
        line.refund = value;
        let terms = judge::terms_then(tx, line)?;
        let facts = domain::returns::policy::Facts {
            had_at: Some(one.at),
            now: world.now(),
            reason: &one.reason,
            condition: Some(line.condition),
            value,
            unit: None,
            attributes: &[],
            means: Some(one.means),
            before: (0, 0, 0),
        };
        let ruling = rule(&terms, &facts);
        let (condition, policy) = (Some(line.condition), line.policy);
        judged.push(Judged { line: known.clone(), quantity, condition, value, tax, ruling, policy, terms });
        known.returned += quantity;
    }
    let cash_max = judged.first().and_then(|one| one.terms.cash_minor_max);
    judge::credit(tx, order, one, &judged)?;
    Ok(cash_max)
}
