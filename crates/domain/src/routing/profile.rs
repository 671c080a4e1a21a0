//! Profiles: how a retailer wants orders routed, in versions. A draft is written, an active one is used, a retired one is kept so that
//! old decisions can be read.

use super::condition::{Condition, Facts};
use super::costs::{Costs, bounded};
use super::criterion::{Criterion, Effect};
use crate::refusal::{Code, Refusal};
use crate::value::{Instant, Name};

/// The most strategies of a profile, without the fallback.
pub const STRATEGIES_MAX: usize = 100;
/// The most conditions of a strategy.
pub const CONDITIONS_MAX: usize = 20;
/// The most criteria of a strategy,
pub const CRITERIA_MAX: usize = 20;
/// and of them the most that band or rank.
pub const RANKING_MAX: usize = 5;
/// The most parts an order may be sent in.
pub const PARTS_MAX: i64 = 20;
/// The most a limit or penalty may be, in minor units.
pub const MINOR_MAX: i64 = 1_000_000_000;
/// The longest wait before what cannot be placed is cancelled, in days.
pub const CANCEL_DAYS_MAX: i64 = 365;
/// The longest a location may stay closed and still be given orders, in hours: two weeks.
pub const OPENS_WITHIN_HOURS_MAX: i64 = 14 * 24;
/// The longest time between two runs, in minutes.
pub const BATCH_MINUTES_MAX: i64 = 24 * 60;

crate::words! {
    /// Where a version of a profile stands.
    State {
        /// Being written; routes nothing.
        Draft 1 "draft";
        /// Routes orders.
        Active 2 "active";
        /// Routed orders once; is never used again.
        Retired 3 "retired";
    }
}

/// From which state a version may go to which. A version that is active is not changed: a new draft takes its place.
pub const TRANSITIONS: &[(State, State)] =
    &[(State::Draft, State::Active), (State::Draft, State::Retired), (State::Active, State::Retired)];

impl State {
    /// The state after this one.
    ///
    /// # Errors
    /// [`Code::WrongState`] when it may not go there.
    pub fn to(self, next: State) -> Result<State, Refusal> {
        if TRANSITIONS.contains(&(self, next)) {
            return Ok(next);
        }
        let message = format!(
            "the routing profile is {} and cannot become {}; write a new draft",
            self.text(),
            next.text()
        );
        Err(Refusal::new(Code::WrongState, message))
    }
}

/// A version of a profile. It has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    name: Name,
    version: i64,
    costs: Costs,
    opens_within_hours: i64,
    strategies: Vec<Strategy>,
    fallback: Strategy,
}

/// How orders of some sort are routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Its name.
    pub name: Name,
    /// All of these must hold.
    pub conditions: Vec<Condition>,
    /// What shuts locations out and ranks them, the most important first.
    pub criteria: Vec<Criterion>,
    /// How far an order may be split.
    pub limits: Limits,
    /// What is wanted most, after placing as much as can be placed.
    pub objective: Objective,
    /// Where not everything can be placed: does the next strategy whose conditions hold get its turn?
    pub is_all_or_next: bool,
    /// What happens to what cannot be placed.
    pub remainder: Remainder,
    /// Orders wait for the next run, which comes every so many minutes, and are routed together; each at once when there is none.
    pub batch_minutes: Option<i64>,
}

/// How far an order may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most parts, 1 to [`PARTS_MAX`].
    pub parts_max: i64,
    /// The least a part is worth, in minor units; a part that is the whole order may be worth less.
    pub part_value_minor: i64,
    /// What each part after the first costs beside its parcel, in minor units.
    pub split_minor: i64,
}

crate::words! {
    /// What is wanted most, after placing as much as can be placed.
    Objective {
        /// The least cost; the criteria that rank decide among equals, in order.
        Cost 1 "cost";
        /// The criteria that rank, one after the other; the cost decides among equals.
        Criteria 2 "criteria";
    }
}

/// What happens to what cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// It waits for goods, first come first served.
    BackOrder,
    /// It waits for a person to decide.
    Person,
    /// It waits, and is cancelled when it still cannot be placed after so many days.
    Cancel {
        /// How many days after the order was placed.
        after_days: i64,
    },
}

crate::words! {
    /// What goods wait for that are sold and at no location yet.
    Waits {
        /// For goods, first come first served.
        Goods 1 "goods";
        /// For a person, who says from where they go.
        Person 2 "person";
        /// For the run that routes many orders together.
        Run 3 "run";
    }
}

/// What goods wait for, and the instant of the run, or after which they are cancelled.
pub type Waiting = (Waits, Option<Instant>);

impl Strategy {
    /// What orders wait for that are not routed at once: the next run after an instant.
    pub fn next_run(&self, after: Instant) -> Option<Waiting> {
        let every_micros = self.batch_minutes? * 60_000_000;
        let next = (after.micros().div_euclid(every_micros) + 1) * every_micros;
        Some((Waits::Run, Some(Instant::from_micros(next))))
    }
}

impl Remainder {
    /// What the goods wait for that could not be placed, of an order that was placed then.
    pub const fn waits(self, placed_at: Instant) -> Waiting {
        match self {
            Remainder::Person => (Waits::Person, None),
            Remainder::BackOrder | Remainder::Cancel { .. } => (Waits::Goods, self.cancels_at(placed_at)),
        }
    }

    /// When the order was placed then: from when on what is left is cancelled.
    pub const fn cancels_at(self, placed_at: Instant) -> Option<Instant> {
        match self {
            Remainder::BackOrder | Remainder::Person => None,
            Remainder::Cancel { after_days } => Some(placed_at.plus_seconds(after_days * 24 * 60 * 60)),
        }
    }
}

impl Profile {
    /// A profile that was checked: its version, its strategies in order, and the one for all other orders.
    ///
    /// # Errors
    /// The refusal names every field at fault, such as `strategies.0.limits.parts_max`.
    pub fn new(
        (name, version): (Name, i64),
        (costs, opens_within_hours): (Costs, i64),
        strategies: Vec<Strategy>,
        fallback: Strategy,
    ) -> Result<Profile, Refusal> {
        let mut refusals = Vec::new();
        if version < 1 {
            refusals.push(Refusal::invalid("version", "give 1 or more"));
        }
        refusals.extend(costs.check().into_iter().map(|refusal| refusal.within("costs")));
        refusals.extend(bounded("opens_within_hours", opens_within_hours, 1, OPENS_WITHIN_HOURS_MAX));
        if strategies.len() > STRATEGIES_MAX {
            let message = format!("a profile has at most {STRATEGIES_MAX} strategies");
            refusals.push(Refusal::invalid("strategies", message));
        }
        for (place, strategy) in strategies.iter().enumerate() {
            let path = format!("strategies.{place}");
            if strategy.conditions.is_empty() {
                let message =
                    "without a condition no later strategy has a turn; give one, or make it the fallback";
                refusals.push(Refusal::invalid(format!("{path}.conditions"), message));
            }
            if strategies[..place].iter().any(|earlier| earlier.name == strategy.name) {
                let message = "another strategy has this name; name each once";
                refusals.push(Refusal::invalid(format!("{path}.name"), message));
            }
            refusals.extend(strategy.check().into_iter().map(|refusal| refusal.within(&path)));
        }
        if !fallback.conditions.is_empty() {
            let message = "the fallback is for all orders; remove its conditions";
            refusals.push(Refusal::invalid("fallback.conditions", message));
        }
        refusals.extend(fallback.check().into_iter().map(|refusal| refusal.within("fallback")));
        match Refusal::all(refusals) {
            Some(refusal) => Err(refusal),
            None => Ok(Profile { name, version, costs, opens_within_hours, strategies, fallback }),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// Which version of it this is, from 1.
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The same profile under another number.
    #[must_use]
    pub fn numbered(&self, version: i64) -> Profile {
        assert!(version >= 1, "versions are counted from 1");
        Profile { version, ..self.clone() }
    }

    /// What sending costs.
    pub const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Locations that stay closed for longer than so many hours are given no orders.
    pub const fn opens_within_hours(&self) -> i64 {
        self.opens_within_hours
    }

    /// The criteria and conditions of all its strategies ask for this.
    pub fn asks_for(&self, asks: impl Fn(&Strategy) -> bool) -> bool {
        self.strategies.iter().chain(std::iter::once(&self.fallback)).any(asks)
    }

    /// Its strategies in order, without the fallback.
    pub fn strategies(&self) -> &[Strategy] {
        &self.strategies
    }

    /// The strategy for all other orders.
    pub const fn fallback(&self) -> &Strategy {
        &self.fallback
    }

    /// The strategy of this name; the fallback when there is none.
    pub fn strategy(&self, name: &Name) -> &Strategy {
        self.strategies.iter().find(|strategy| strategy.name == *name).unwrap_or(&self.fallback)
    }

    /// The strategies that have a turn for an order, in order; the last is the fallback.
    pub fn strategies_for(&self, facts: &Facts) -> impl Iterator<Item = &Strategy> {
        let holds = |strategy: &&Strategy| strategy.conditions.iter().all(|condition| condition.holds(facts));
        self.strategies.iter().filter(holds).chain(std::iter::once(&self.fallback))
    }
}

impl Strategy {
    /// Everything that is wrong with it.
    fn check(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        refusals.extend(bounded("limits.parts_max", self.limits.parts_max, 1, PARTS_MAX));
        refusals.extend(bounded("limits.part_value_minor", self.limits.part_value_minor, 0, MINOR_MAX));
        refusals.extend(bounded("limits.split_minor", self.limits.split_minor, 0, MINOR_MAX));
        if let Remainder::Cancel { after_days } = self.remainder {
            refusals.extend(bounded("remainder.after_days", after_days, 1, CANCEL_DAYS_MAX));
        }
        if let Some(minutes) = self.batch_minutes {
            refusals.extend(bounded("batch_minutes", minutes, 1, BATCH_MINUTES_MAX));
        }
        if self.conditions.len() > CONDITIONS_MAX {
            let message = format!("a strategy has at most {CONDITIONS_MAX} conditions");
            refusals.push(Refusal::invalid("conditions", message));
        }
        if self.criteria.len() > CRITERIA_MAX {
            let message = format!("a strategy has at most {CRITERIA_MAX} criteria");
            refusals.push(Refusal::invalid("criteria", message));
        }
        let ranks = |criterion: &&Criterion| !matches!(criterion.effect, Effect::Exclude { .. });
        let ranking = self.criteria.iter().filter(ranks).count();
        if ranking > RANKING_MAX {
            let message = format!("at most {RANKING_MAX} criteria band or rank, not {ranking}");
            refusals.push(Refusal::invalid("criteria", message));
        }
        if self.objective == Objective::Criteria && ranking == 0 {
            let message = "no criterion bands or ranks, so there is nothing to go by; give one, or cost";
            refusals.push(Refusal::invalid("objective", message));
        }
        for (place, condition) in self.conditions.iter().enumerate() {
            let path = format!("conditions.{place}");
            refusals.extend(condition.check().err().map(|refusal| refusal.within(&path)));
        }
        for (place, criterion) in self.criteria.iter().enumerate() {
            let path = format!("criteria.{place}");
            let repeated = self.criteria[..place].contains(criterion);
            let again = repeated.then(|| Refusal::invalid("measure", "it is given twice; give it once"));
            refusals.extend(again.or(criterion.check().err()).map(|refusal| refusal.within(&path)));
        }
        refusals
    }
}

#[cfg(test)]
mod tests {
    use super::super::criterion::Measure;
    use super::super::wanted::Tariff;
    use super::*;
    use crate::value::Currency;

    fn strategy(name: &str) -> Strategy {
        Strategy {
            name: Name::new("name", name).unwrap(),
            conditions: Vec::new(),
            criteria: Vec::new(),
            limits: Limits { parts_max: 3, part_value_minor: 0, split_minor: 0 },
            objective: Objective::Cost,
            is_all_or_next: false,
            remainder: Remainder::BackOrder,
            batch_minutes: None,
        }
    }

    fn costs() -> Costs {
        let otherwise = Tariff { parcel_minor: 400, item_minor: 0, kilogram_minor: 0, kilometre_minor: 0 };
        Costs { currency: Currency::parse("GBP").unwrap(), tariffs: Vec::new(), otherwise, slow: None }
    }

    fn fields(strategies: Vec<Strategy>, fallback: Strategy) -> Vec<String> {
        let refusal = Profile::new((Name::new("name", "p").unwrap(), 1), (costs(), 0), strategies, fallback)
            .unwrap_err();
        refusal.each().filter_map(Refusal::field).map(str::to_owned).collect()
    }

    #[test]
    fn nonsense_is_refused_by_its_field() {
        let mut odd = strategy("odd");
        odd.limits = Limits { parts_max: 0, part_value_minor: -1, split_minor: 0 };
        odd.conditions = vec![Condition::Value { from: 10, below: Some(10) }];
        odd.objective = Objective::Criteria;
        odd.remainder = Remainder::Cancel { after_days: 0 };
        odd.batch_minutes = Some(0);
        let distance = Criterion { measure: Measure::Distance, effect: Effect::Band { edges: vec![9, 9] } };
        let safety = Criterion { measure: Measure::SafetyStock, effect: Effect::Rank };
        let mut fallback = strategy("fallback");
        fallback.criteria = vec![distance, safety];
        fallback.conditions = vec![Condition::Value { from: 0, below: None }];
        assert_eq!(
            fields(vec![odd], fallback),
            [
                "opens_within_hours",
                "strategies.0.limits.parts_max",
                "strategies.0.limits.part_value_minor",
                "strategies.0.remainder.after_days",
                "strategies.0.batch_minutes",
                "strategies.0.objective",
                "strategies.0.conditions.0.below",
                "fallback.conditions",
                "fallback.criteria.0.edges",
                "fallback.criteria.1.effect",
            ]
        );
        assert_eq!(
            fields(vec![strategy("a")], strategy("b")),
            ["opens_within_hours", "strategies.0.conditions"]
        );
    }

    #[test]
    fn a_retired_version_is_never_used_again() {
        assert_eq!(State::Draft.to(State::Active), Ok(State::Active));
        assert_eq!(State::Retired.to(State::Active).unwrap_err().code(), Code::WrongState);
        assert_eq!(State::Active.to(State::Draft).unwrap_err().code(), Code::WrongState);
    }
}
