//! The stages of a customer's life with the shop, from the times of his orders.

use super::goods::Order;
use super::window::{DAY, DAYS_MAX};
use crate::Refusal;
use crate::value::Instant;

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Never ordered.
    Prospect,
    /// Ordered for the first time lately.
    New,
    /// Orders.
    Active,
    /// Has not ordered for a while.
    AtRisk,
    /// Has not ordered for long.
    Lost,
    /// Was lost, and ordered again lately.
    WonBack,
}

impl Stage {
    /// Every one.
    pub const ALL: &'static [Stage] =
        &[Stage::Prospect, Stage::New, Stage::Active, Stage::AtRisk, Stage::Lost, Stage::WonBack];

    /// The word for it.
    pub const fn text(self) -> &'static str {
        match self {
            Stage::Prospect => "prospect",
            Stage::New => "new",
            Stage::Active => "active",
            Stage::AtRisk => "at_risk",
            Stage::Lost => "lost",
            Stage::WonBack => "won_back",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Names the words there are.
    pub fn parse(text: &str) -> Result<Stage, String> {
        let known = Stage::ALL.iter().copied().find(|one| one.text() == text);
        known.ok_or_else(|| "give prospect, new, active, at_risk, lost or won_back".to_owned())
    }
}

/// After how many days a stage begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    new: i64,
    at_risk: i64,
    lost: i64,
}

impl Life {
    /// What holds for a retailer who says nothing: new for 30 days, at risk after 120, lost after 365.
    pub const USUAL: Life = Life { new: 30, at_risk: 120, lost: 365 };

    /// New for so many days after the first order; at risk, and lost, so many days after the last.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn new(new: i64, at_risk: i64, lost: i64) -> Result<Life, Refusal> {
        let fits = |days: i64| (1..=DAYS_MAX).contains(&days);
        for (field, days) in [("new_days", new), ("at_risk_after_days", at_risk), ("lost_after_days", lost)] {
            if !fits(days) {
                return Err(Refusal::invalid(field, format!("give 1 to {DAYS_MAX}")));
            }
        }
        if new > at_risk || at_risk >= lost {
            let why = "give new_days ≤ at_risk_after_days < lost_after_days";
            return Err(Refusal::invalid("lost_after_days", why));
        }
        Ok(Life { new, at_risk, lost })
    }

    /// The days: new, at risk after, lost after.
    pub const fn days(self) -> (i64, i64, i64) {
        (self.new, self.at_risk, self.lost)
    }

    /// The stage of somebody with these orders, the oldest first, seen from `now`.
    pub fn stage(self, orders: &[Order], now: Instant) -> Stage {
        let mut times = orders.iter().map(|order| order.at.micros()).filter(|at| *at <= now.micros());
        let Some(first) = times.next() else { return Stage::Prospect };
        let (mut before, mut last) = (None, first);
        for at in times {
            (before, last) = (Some(last), at);
        }
        let since = now.micros() - last;
        if since >= self.lost * DAY {
            return Stage::Lost;
        }
        if since >= self.at_risk * DAY {
            return Stage::AtRisk;
        }
        if before.is_some_and(|before| last - before >= self.lost * DAY) {
            return Stage::WonBack;
        }
        if now.micros() - first < self.new * DAY { Stage::New } else { Stage::Active }
    }

    /// When time alone may change it.
    pub fn moments(self, orders: &[Order]) -> Vec<Instant> {
        let later = |at: Instant, days: i64| Instant::from_micros(at.micros() + days * DAY);
        let all = orders.iter().map(|order| order.at);
        all.flat_map(|at| [at, later(at, self.new), later(at, self.at_risk), later(at, self.lost)]).collect()
    }
}
