//! The model's points: earned by what stays of an order, pending until the return window is over, spent from the lots that expire first, and
//! owed when they are taken back after they were spent.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::loyalty::State;
use domain::loyalty::points::LotState;
use domain::order::State as OrderState;
use domain::payment::{Kind, State as PaymentState};
use domain::value::{Instant, LocalDay, Zone};

use super::Model;
use super::order::Order;
use crate::shop::OPENING;

/// What the programme says.
pub const POINTS_EARNED: i64 = 2;
pub const EARNED_PER_MINOR: i64 = 100;
pub const PENDING_DAYS: i64 = 1;
pub const MONTHS: i64 = 1;
/// So many points pay so many minor units.
pub const WORTH_POINTS: i64 = 3;
pub const WORTH_MINOR: i64 = 10;
pub const PAYS_MIN: i64 = 2;
/// The most of an order that points pay.
pub const PAYS_MAX_PERCENT: i64 = 60;
/// Of a day, in seconds.
const DAY_SECONDS: i64 = 86_400;

/// A customer who takes part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// How many points are where; nothing is not noted.
    pub amounts: BTreeMap<State, i64>,
    /// The oldest first.
    pub lots: Vec<Lot>,
    /// Which lots a payment of an order took points from.
    pub used: BTreeMap<(usize, usize), BTreeMap<usize, i64>>,
}

/// Points that were given together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    pub order: Option<usize>,
    pub state: LotState,
    pub granted: i64,
    pub rest: i64,
    pub available_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// Its place among the member's lots, the oldest first; of those made in one instant the shop says which is older.
    pub rank: usize,
}

/// What an order earns a member: each line's part, that of the delivery, and how much of the money points paid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earning {
    pub lines: Vec<i64>,
    pub delivery: i64,
    pub paid_by_points: i64,
}

/// What an order's payments, or a change of the order, mean for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Points of a payment were spent.
    Spent(i64),
    /// Points of a payment are free again, after they were set aside or spent.
    Back(usize, State, i64),
    /// The order was placed, or something of it changed.
    Changed,
}

impl Member {
    pub fn count(&self, state: State) -> i64 {
        self.amounts.get(&state).copied().unwrap_or(0)
    }

    fn shift(&mut self, moves: &[(State, i64)]) {
        assert_eq!(moves.iter().map(|(_, change)| change).sum::<i64>(), 0, "{moves:?}");
        for (state, change) in moves {
            *self.amounts.entry(*state).or_insert(0) += change;
        }
        self.amounts.retain(|_, amount| *amount != 0);
    }

    /// Lots that can be spent from, those that expire first first.
    fn spendable(&self) -> Vec<usize> {
        let can_be = |place: &usize| {
            let lot = &self.lots[*place];
            lot.state == LotState::Available && lot.rest > 0
        };
        let mut lots: Vec<usize> = (0..self.lots.len()).filter(can_be).collect();
        lots.sort_by_key(|place| self.age(*place));
        lots
    }

    fn age(&self, place: usize) -> (Option<i64>, usize) {
        let lot = &self.lots[place];
        (lot.expires_at, lot.rank)
    }

    /// Takes points from some lots, the first first: how many each gave, and how many are missing.
    fn take(&mut self, lots: &[usize], points: i64) -> (Vec<(usize, i64)>, i64) {
        let mut left = points;
        let mut taken = Vec::new();
        for lot in lots {
            let part = self.lots[*lot].rest.min(left);
            if part > 0 {
                self.lots[*lot].rest -= part;
                left -= part;
                taken.push((*lot, part));
            }
        }
        (taken, left)
    }

    /// What is owed is paid by what can be spent.
    fn pay_debt(&mut self) {
        let owed = -self.count(State::Owed);
        if owed > 0 {
            let (_, missing) = self.take(&self.spendable(), owed);
            self.shift(&[(State::Balance, missing - owed), (State::Owed, owed - missing)]);
        }
    }

    /// How many points are free and have not expired.
    pub fn free(&self, now: i64) -> i64 {
        let over = self.spendable().into_iter().map(|place| &self.lots[place]);
        let over = over.filter(|lot| lot.expires_at.is_some_and(|at| at <= now));
        self.count(State::Balance) - over.map(|lot| lot.rest).sum::<i64>()
    }

    /// Brings what an order earned to so many points.
    fn bring_to(&mut self, lot: usize, points: i64) {
        let own_lot = &mut self.lots[lot];
        let change = points - own_lot.granted;
        if change == 0 {
            return;
        }
        let own = change.max(-own_lot.rest);
        (own_lot.granted, own_lot.rest) = (points, own_lot.rest + own);
        let place = if own_lot.state == LotState::Pending { State::Pending } else { State::Balance };
        let others = own - change;
        let (_, missing) = self.take(&self.spendable(), others);
        self.shift(&[
            (place, own),
            (State::Balance, missing - others),
            (State::Owed, -missing),
            (State::Earned, -change),
        ]);
        self.pay_debt();
    }

    fn release(&mut self, lot: usize) {
        let one = &mut self.lots[lot];
        let rest = one.rest;
        (one.state, one.expires_at) = (LotState::Available, one.available_at.map(expiry));
        self.shift(&[(State::Pending, -rest), (State::Balance, rest)]);
        self.pay_debt();
    }

    /// Points of a payment go back into the lots they came from, those that expire last first.
    fn put_back(&mut self, payment: (usize, usize), points: i64) {
        let used = self.used.get(&payment).cloned().unwrap_or_default();
        let mut lots: Vec<usize> = used.keys().copied().collect();
        lots.sort_by_key(|place| std::cmp::Reverse(self.age(*place)));
        let mut left = points;
        for lot in lots {
            let part = used[&lot].min(left);
            left -= part;
            self.lots[lot].rest += part;
            *self.used.entry(payment).or_default().entry(lot).or_insert(0) -= part;
        }
        assert_eq!(left, 0, "no more comes back than was taken");
        self.pay_debt();
    }
}

/// The end of the day a month after points became available, in the shop's zone.
fn expiry(available_at: i64) -> i64 {
    let zone = Zone::parse("Europe/London").expect("a zone");
    let at = Instant::from_micros(OPENING.micros() + available_at * 1_000_000);
    let day = LocalDay::of(at, &zone).plus_months(MONTHS).and_then(LocalDay::next).expect("a day");
    super::seconds(day.first_instant(&zone))
}

/// How much money so many points pay.
pub const fn worth(points: i64) -> i64 {
    points * WORTH_MINOR / WORTH_POINTS
}

/// How many points pay so much money, no more of an order than the programme allows.
pub(super) fn points_for(minor: i64, may_pay: i64) -> Result<i64, Code> {
    if minor > may_pay {
        return Err(Code::AmountExceeded);
    }
    if needed(minor) < PAYS_MIN { Err(Code::Invalid) } else { Ok(needed(minor)) }
}

/// The points that so much money needs.
const fn needed(minor: i64) -> i64 {
    (minor * WORTH_POINTS + WORTH_MINOR - 1) / WORTH_MINOR
}

/// So much of a whole that so many of all units get, rounded half up.
const fn share(whole: i64, of: i64, units: i64) -> i64 {
    (2 * whole * units + of) / (2 * of)
}

impl Order {
    /// How much of it points pay.
    pub fn paid_by_points(&self) -> i64 {
        let over = [PaymentState::Voided, PaymentState::Failed, PaymentState::Expired];
        let points =
            self.payments.iter().filter(|one| one.kind == Kind::Points && !over.contains(&one.state));
        points.map(|one| one.amounts.amount).sum()
    }

    /// How much money points may pay of it beside what they pay already.
    pub fn points_may_pay(&self, already: i64) -> i64 {
        ((2 * self.gross() * PAYS_MAX_PERCENT + 100) / 200 - already).max(0)
    }

    /// It was placed, or something of it changed, so that it may earn something else.
    pub(super) fn points_change(&mut self) {
        if self.customer.is_some() {
            self.points_told.push(Told::Changed);
        }
    }

    pub(super) fn points_spent(&mut self, payment: usize, (from, to): (i64, i64)) {
        let points = self.points_between(payment, from, to);
        self.points_told.extend((points > 0).then_some(Told::Spent(points)));
    }

    pub(super) fn points_back(&mut self, payment: usize, account: State, (from, to): (i64, i64)) {
        let points = self.points_between(payment, from, to);
        self.points_told.extend((points > 0).then_some(Told::Back(payment, account, points)));
    }

    /// Which part of the points of a payment lies between two amounts of its money.
    fn points_between(&self, payment: usize, from: i64, to: i64) -> i64 {
        let one = &self.payments[payment];
        one.points.map_or(0, |points| {
            share(points, one.amounts.amount, to) - share(points, one.amounts.amount, from)
        })
    }

    /// What its lines earn, those that came to it since among them: each is reckoned once.
    fn reckon(&self, earning: &mut Earning) {
        let known = earning.lines.len();
        if known == self.lines.len() {
            return;
        }
        let mut bought: Vec<i64> = self.lines[known..].iter().map(|line| line.unit * line.quantity).collect();
        let all = if known == 0 { self.gross() } else { bought.iter().sum() };
        if known == 0 && self.delivery > 0 {
            bought.push(self.delivery);
        }
        let paid = self.paid_by_points();
        let earns = (all - (paid - earning.paid_by_points).max(0)).clamp(0, all);
        let (mut sum, mut given) = (0, 0);
        let mut parts: Vec<i64> = Vec::new();
        for minor in bought {
            sum += minor;
            let counted = if all < 1 { sum } else { sum * earns / all };
            let points = counted * POINTS_EARNED / EARNED_PER_MINOR - given;
            given += points;
            parts.push(points);
        }
        let lines = self.lines.len() - known;
        earning.delivery += parts.get(lines).copied().unwrap_or(0);
        earning.lines.extend(&parts[..lines]);
        earning.paid_by_points = earning.paid_by_points.max(paid);
    }

    /// What is kept of it earns so much.
    fn earned(&self, earning: &Earning) -> i64 {
        let stays = |line: usize| {
            let sold = &self.lines[line];
            sold.quantity - sold.cancelled - sold.returned
        };
        let lines = 0..self.lines.len();
        let points: i64 = lines
            .clone()
            .map(|line| share(earning.lines[line], self.lines[line].quantity, stays(line)))
            .sum();
        let is_kept = lines.into_iter().any(|line| stays(line) > 0);
        points + if is_kept { earning.delivery } else { 0 }
    }
}

impl Model {
    fn member_mut(&mut self, member: usize) -> &mut Member {
        self.touched.members.insert(member);
        Rc::make_mut(&mut self.members[member])
    }

    /// How many points of the customer who buys can pay; none for other means.
    pub(super) fn purse(&self, order: &Order, kind: Kind) -> Result<Option<i64>, Code> {
        if kind != Kind::Points {
            return Ok(None);
        }
        let customer = order.customer.ok_or(Code::Invalid)?;
        let member = self.members.get(customer).ok_or(Code::AmountExceeded)?;
        Ok(Some(member.free(self.now)))
    }

    /// Points are set aside for the newest payment of an order.
    pub(super) fn set_points_aside(
        &mut self,
        (order, payment): (usize, usize),
        points: i64,
    ) -> Result<(), Code> {
        let now = self.now;
        let member = self.orders[order].customer.expect("points are a customer's");
        let one = self.member_mut(member);
        if one.count(State::Balance) < points {
            return Err(Code::AmountExceeded);
        }
        let mut lots = one.spendable();
        lots.retain(|lot| one.lots[*lot].expires_at.is_none_or(|at| at > now));
        let (taken, missing) = one.take(&lots, points);
        if missing > 0 {
            return Err(Code::AmountExceeded);
        }
        one.shift(&[(State::Balance, -points), (State::Held, points)]);
        one.used.insert((order, payment), taken.into_iter().collect());
        Ok(())
    }

    /// What orders told of their points is done, in the order it was told.
    pub(super) fn move_points(&mut self) {
        for number in 0..self.orders.len() {
            if self.orders[number].points_told.is_empty() {
                continue;
            }
            let told = std::mem::take(&mut self.order_mut(number).points_told);
            let member = self.orders[number].customer.filter(|customer| *customer < self.members.len());
            let Some(member) = member else { continue };
            for one in told {
                match one {
                    Told::Spent(points) => {
                        self.member_mut(member).shift(&[(State::Held, -points), (State::Spent, points)]);
                    }
                    Told::Back(payment, from, points) => {
                        let own = self.member_mut(member);
                        own.shift(&[(from, -points), (State::Balance, points)]);
                        own.put_back((number, payment), points);
                    }
                    Told::Changed => self.earn(number, member),
                }
            }
        }
    }

    /// Brings what an order earned to what stays of it; once its last goods have left, the wait for its points begins.
    fn earn(&mut self, number: usize, member: usize) {
        let now = self.now;
        let order = self.orders[number].clone();
        if order.earning.is_none() && !matches!(order.state, OrderState::Placed | OrderState::Completed) {
            return;
        }
        let mut earning = order.earning.clone().unwrap_or_default();
        order.reckon(&mut earning);
        let points = order.earned(&earning);
        self.order_mut(number).earning = Some(earning);
        let one = self.member_mut(member);
        let known = one.lots.iter().position(|lot| lot.order == Some(number));
        let lot = known.unwrap_or_else(|| {
            let (state, rank) = (LotState::Pending, one.lots.len());
            let (granted, rest, available_at, expires_at) = (0, 0, None, None);
            let order = Some(number);
            one.lots.push(Lot { order, state, granted, rest, available_at, expires_at, rank });
            one.lots.len() - 1
        });
        one.bring_to(lot, points);
        let own = &mut one.lots[lot];
        if order.state == OrderState::Completed
            && own.state == LotState::Pending
            && own.available_at.is_none()
        {
            own.available_at = Some(now + PENDING_DAYS * DAY_SECONDS);
        }
    }

    /// Points whose time is over expire; those whose return window is over can be spent.
    pub(super) fn age_points(&mut self) {
        let now = self.now;
        for member in 0..self.members.len() {
            let is_over = |lot: &Lot| lot.rest > 0 && lot.expires_at.is_some_and(|at| at <= now);
            let is_due =
                |lot: &Lot| lot.state == LotState::Pending && lot.available_at.is_some_and(|at| at <= now);
            for place in 0..self.members[member].lots.len() {
                let rest = self.members[member].lots[place].rest;
                if is_over(&self.members[member].lots[place]) {
                    let one = self.member_mut(member);
                    one.lots[place].rest = 0;
                    one.shift(&[(State::Balance, -rest), (State::Expired, rest)]);
                }
            }
            for place in 0..self.members[member].lots.len() {
                if is_due(&self.members[member].lots[place]) {
                    self.member_mut(member).release(place);
                }
            }
        }
    }

    /// Corrects a member's points by hand.
    pub(super) fn adjust_points(&mut self, member: usize, change: i64) -> Result<(), Code> {
        let now = self.now;
        if change == 0 {
            return Err(Code::Invalid);
        }
        let one = self.member_mut(member);
        if change > 0 {
            let (state, rank) = (LotState::Available, one.lots.len());
            let (available_at, expires_at) = (Some(now), Some(expiry(now)));
            let (order, granted, rest) = (None, change, change);
            one.lots.push(Lot { order, state, granted, rest, available_at, expires_at, rank });
        } else {
            let (_, missing) = one.take(&one.spendable(), -change);
            if missing > 0 {
                return Err(Code::AmountExceeded);
            }
        }
        one.shift(&[(State::Balance, change), (State::Adjusted, -change)]);
        one.pay_debt();
        Ok(())
    }
}
