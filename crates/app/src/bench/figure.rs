//! What was measured: a figure, how much it was taken from, the goal, and whether it was reached.

use serde_json::{Value, json};
use tandem::demo::report::{aligned, signed};

/// An amount in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// A time, in microseconds.
    Micros(u64),
    /// How often in a second.
    PerSecond(u64),
    /// Memory, in kilobytes of 1,024 bytes.
    Kilobytes(u64),
    /// How many.
    Count(u64),
}

impl Amount {
    fn number(self) -> u64 {
        match self {
            Amount::Micros(number)
            | Amount::PerSecond(number)
            | Amount::Kilobytes(number)
            | Amount::Count(number) => number,
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Amount::Micros(_) => "microseconds",
            Amount::PerSecond(_) => "per_second",
            Amount::Kilobytes(_) => "kilobytes",
            Amount::Count(_) => "count",
        }
    }

    fn text(self) -> String {
        match self {
            Amount::Micros(micros) if micros >= 10_000_000 => {
                format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000)
            }
            Amount::Micros(micros) => format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10),
            Amount::PerSecond(often) => format!("{}/s", signed(often.cast_signed())),
            Amount::Kilobytes(kilobytes) => format!("{} MB", kilobytes.div_ceil(1024)),
            Amount::Count(count) => signed(count.cast_signed()),
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Under(Amount),
    Over(Amount),
    Exactly(Amount),
}

impl Goal {
    fn text(self) -> String {
        match self {
            Goal::Under(most) => format!("< {}", most.text()),
            Goal::Over(least) => format!("> {}", least.text()),
            Goal::Exactly(wanted) => wanted.text(),
        }
    }

    fn is_reached_by(self, amount: Amount) -> bool {
        match self {
            Goal::Under(most) => amount < most,
            Goal::Over(least) => amount > least,
            Goal::Exactly(wanted) => amount == wanted,
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    what: String,
    amount: Amount,
    of: String,
    goal: Option<Goal>,
}

impl Figure {
    /// What was measured, and how much it was taken from, such as `5,120 checkouts`.
    pub fn new(what: impl Into<String>, amount: Amount, of: impl Into<String>) -> Figure {
        Figure { what: what.into(), amount, of: of.into(), goal: None }
    }

    /// It should be less.
    #[must_use]
    pub fn under(self, most: Amount) -> Figure {
        Figure { goal: Some(Goal::Under(most)), ..self }
    }

    /// It should be more.
    #[must_use]
    pub fn over(self, least: Amount) -> Figure {
        Figure { goal: Some(Goal::Over(least)), ..self }
    }

    /// It should be this.
    #[must_use]
    pub fn exactly(self, wanted: Amount) -> Figure {
        Figure { goal: Some(Goal::Exactly(wanted)), ..self }
    }

    fn reached(&self) -> Option<bool> {
        self.goal.map(|goal| goal.is_reached_by(self.amount))
    }

    fn row(&self) -> Vec<String> {
        let reached = match self.reached() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let goal = self.goal.map(Goal::text).unwrap_or_default();
        vec![self.what.clone(), self.amount.text(), goal, reached.into(), self.of.clone()]
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "what": self.what,
            "figure": self.amount.number(),
            "unit": self.amount.unit(),
            "goal": self.goal.map(Goal::text),
            "reached": self.reached(),
            "measured_from": self.of,
        })
    }
}

/// The table for people.
pub fn table(figures: &[Figure]) -> String {
    let heads = ["what", "figure", "goal", "reached", "measured from"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(heads).chain(figures.iter().map(Figure::row)).collect();
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_or_not_and_no_goal_is_neither() {
        let figure = Figure::new("checkout", Amount::Micros(4_321), "12 checkouts");
        assert_eq!(figure.reached(), None);
        assert_eq!(figure.clone().under(Amount::Micros(4_322)).reached(), Some(true));
        assert_eq!(figure.clone().under(Amount::Micros(4_321)).reached(), Some(false));
        assert_eq!(figure.row()[1..3], ["4.32 ms", ""]);
        let sold = Figure::new("sold", Amount::Count(501), "").exactly(Amount::Count(500));
        assert_eq!(sold.row(), ["sold", "501", "500", "NO", ""]);
        assert_eq!(Amount::Micros(12_340_000).text(), "12.3 s");
        assert_eq!(Amount::PerSecond(12_340).text(), "12,340/s");
    }
}
