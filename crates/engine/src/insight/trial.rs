//! Trials of loyalty programmes: what a version would have given for the orders of a past period, beside what was in force. Nothing is written.
//!
//! Both are reckoned alike: from what is kept of each order now, with the tiers members would have had, an order counting from when it was
//! placed. So the trial answers what the difference is between two versions, not what the books say.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::loyalty::programme::Terms;
use domain::loyalty::tier::{Counted, Standing};
use domain::value::id::{LoyaltyProgramme, Member, Order as OrderKind};
use domain::value::{Currency, Id, Instant, Rate};
use store::Tx;
use store::insight::trial::{self as rows, Bought};
use store::loyalty::{programme, tier as tiers};

use crate::checkout::points::would_earn;
use crate::{Failure, order};

/// The most orders of a trial.
pub const ORDERS_MAX: i64 = 20_000;
/// The orders of one page.
const PAGE: i64 = 100;
/// The most instants that are judged one after the other between two orders of a member.
const REVIEWS_MAX: usize = 100;

/// What is to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// The version; a draft too.
    pub number: i64,
    /// From when on orders were placed.
    pub from: Instant,
    /// Before when.
    pub until: Instant,
}

/// What one tier has of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Orders that earned.
    pub orders: i64,
    /// The points they earned.
    pub points: i64,
}

/// What a version gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// By the code of the tier the member had; no tier when `None`.
    pub tiers: BTreeMap<Option<String>, Share>,
    /// What the points would pay, by currency, in minor units: each order's by the version that gave them, rounded down.
    pub worth: BTreeMap<String, i64>,
}

impl Given {
    /// All points.
    pub fn points(&self) -> i64 {
        self.tiers.values().map(|share| share.points).sum()
    }
}

/// What a member has in one of the two worlds.
#[derive(Clone, Debug, Default)]
struct State {
    counted: Vec<Counted>,
    standing: Standing,
    /// Up to when it was judged.
    judged_at: Option<Instant>,
}

/// A trial under way, page by page.
#[derive(Clone, Debug)]
pub struct Trial {
    asked: Asked,
    terms: Terms,
    after: (Instant, Id<OrderKind>),
    members: BTreeMap<Id<Member>, [State; 2]>,
    /// How many orders were looked at.
    pub orders: i64,
    /// Are all orders of the period in it?
    pub is_whole: bool,
    /// What the version in force when each order was placed gives.
    pub now: Given,
    /// What the version that is tried gives.
    pub then: Given,
}

/// Begins a trial.
///
/// # Errors
/// [`Code::Forbidden`](domain::Code::Forbidden), [`Code::NotFound`](domain::Code::NotFound), [`Code::Invalid`](domain::Code::Invalid) for a period that
/// is not over.
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, now: Instant, asked: Asked) -> Result<Trial, Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    if asked.until <= asked.from || asked.until > now {
        return Err(Refusal::invalid("until", "give an instant after `from` that is over").into());
    }
    let found = programme::find_version(tx, asked.programme, asked.number)?;
    let version =
        found.ok_or_else(|| Refusal::not_found("version of this loyalty programme", asked.number))?;
    Ok(Trial {
        asked,
        terms: version.terms,
        after: (asked.from, Id::from_bytes([0; 16])),
        members: BTreeMap::new(),
        orders: 0,
        is_whole: false,
        now: Given::default(),
        then: Given::default(),
    })
}

/// Goes on by one page; false when all orders are in it, or as many as a trial has.
///
/// # Errors
/// What the store says.
pub fn go_on(tx: &mut Tx<'_>, trial: &mut Trial) -> Result<bool, Failure> {
    let page = PAGE.min(ORDERS_MAX - trial.orders);
    let found = rows::bought(tx, trial.asked.programme, trial.after, trial.asked.until, page)?;
    for one in &found {
        reckon(tx, trial, one)?;
        trial.after = (one.placed_at, one.order);
    }
    trial.orders += found.len() as i64;
    trial.is_whole = (found.len() as i64) < page;
    Ok(!trial.is_whole && trial.orders < ORDERS_MAX)
}

/// What both versions give for an order.
fn reckon(tx: &mut Tx<'_>, trial: &mut Trial, one: &Bought) -> Result<(), Failure> {
    let order = order::find(tx, one.order)?;
    let lines = store::order::lines(tx, one.order)?;
    let in_force = programme::in_force(tx, trial.asked.programme, one.placed_at)?;
    if !trial.members.contains_key(&one.member) {
        let before = before(tx, trial, in_force.as_ref().map(|version| &version.terms), one)?;
        trial.members.insert(one.member, [before.clone(), before]);
    }
    let Trial { members, terms, now, then, .. } = trial;
    let Some([state_now, state_then]) = members.get_mut(&one.member) else { return Ok(()) };
    let worlds = [
        (in_force.as_ref().map(|version| &version.terms), state_now, now),
        (Some(&*terms), state_then, then),
    ];
    for (terms, state, given) in worlds {
        let Some(terms) = terms else { continue };
        let (tier, rate) = state.stands(terms, one.placed_at);
        let (points, minor) = would_earn(tx, &order, &lines, terms, rate)?;
        let kept = lines.iter().any(|line| line.quantity > line.cancelled + line.returned);
        let currency = Some(order.currency);
        state.counted.push(Counted { at: one.placed_at, points, minor, currency, visits: kept.into() });
        if points > 0 {
            let share = given.tiers.entry(tier).or_default();
            (share.orders, share.points) = (share.orders + 1, share.points + points);
            worth(given, terms, order.currency, points);
        }
    }
    Ok(())
}

fn worth(given: &mut Given, terms: &Terms, currency: Currency, points: i64) {
    if let Some(worth) = terms.worth(currency) {
        *given.worth.entry(currency.code().to_owned()).or_default() += worth.of(points);
    }
}

/// What counted for a member before the period.
fn before(tx: &mut Tx<'_>, trial: &Trial, in_force: Option<&Terms>, one: &Bought) -> Result<State, Failure> {
    let sides = in_force.into_iter().chain([&trial.terms]);
    let ladders = sides.filter_map(|terms| Some(terms.ladder.as_ref()?.since(trial.asked.from, &terms.zone)));
    let Some(since) = ladders.min() else { return Ok(State::default()) };
    let mut counted = tiers::counted(tx, one.member, since)?;
    counted.retain(|own| own.at < trial.asked.from);
    Ok(State { counted, ..State::default() })
}

impl State {
    /// The tier of the member at an instant, and how much of what others earn he earns.
    fn stands(&mut self, terms: &Terms, at: Instant) -> (Option<String>, Rate) {
        let whole = Rate::from_parts_per_million(Rate::WHOLE).unwrap_or(Rate::ZERO);
        let Some(ladder) = &terms.ladder else { return (None, whole) };
        for _ in 0..REVIEWS_MAX {
            let Some(judged) = self.judged_at else { break };
            let next = ladder.next_review(&self.counted, self.standing, judged, &terms.zone);
            let Some(next) = next.filter(|next| *next < at) else { break };
            self.standing = ladder.judge(&self.counted, self.standing, next, &terms.zone);
            self.judged_at = Some(next);
        }
        self.standing = ladder.judge(&self.counted, self.standing, at, &terms.zone);
        self.judged_at = Some(at);
        let tier = self.standing.tier.and_then(|tier| ladder.tiers.get(tier));
        tier.map_or((None, whole), |tier| (Some(tier.code.clone()), tier.rate))
    }
}
