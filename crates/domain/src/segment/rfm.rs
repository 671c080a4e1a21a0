//! How recently, how often and for how much somebody buys, each from 1 to 5 beside everybody else, and what such customers are called.

use super::goods::Order;
use super::window::DAY;
use crate::value::{Currency, Instant};

/// How far back orders count, in days.
pub const LOOKS_BACK_DAYS: i64 = 365;

/// What customers with such scores are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Bought lately, often and for much.
    Champion,
    /// Buys often.
    Loyal,
    /// Bought lately, not often yet.
    Promising,
    /// Neither lately nor long ago, not often.
    Wavering,
    /// Bought often, and not for long.
    Fading,
    /// Bought seldom, and not for long.
    Asleep,
}

impl Group {
    /// Every one.
    pub const ALL: &'static [Group] =
        &[Group::Champion, Group::Loyal, Group::Promising, Group::Wavering, Group::Fading, Group::Asleep];

    /// The word for it.
    pub const fn text(self) -> &'static str {
        match self {
            Group::Champion => "champion",
            Group::Loyal => "loyal",
            Group::Promising => "promising",
            Group::Wavering => "wavering",
            Group::Fading => "fading",
            Group::Asleep => "asleep",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Names the words there are.
    pub fn parse(text: &str) -> Result<Group, String> {
        let known = Group::ALL.iter().copied().find(|one| one.text() == text);
        known.ok_or_else(|| "give champion, loyal, promising, wavering, fading or asleep".to_owned())
    }
}

/// Where the fifths of all customers who bought lie. They are drawn anew now and then; between, everybody is held against the same ones, so
/// that nobody's group changes because a stranger bought something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fifths {
    /// The currency that spend is counted in.
    pub currency: Currency,
    /// Microseconds since the last order: below the first is 5, below the second 4, and so on.
    pub recency: [i64; 4],
    /// Orders: above the first is 2, above the second 3, and so on.
    pub frequency: [i64; 4],
    /// Minor units: as frequency.
    pub spend: [i64; 4],
}

/// The scores of one customer, 1 to 5 each, 5 the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// How recently.
    pub recency: i64,
    /// How often.
    pub frequency: i64,
    /// For how much.
    pub spend: i64,
}

/// What is measured of one customer: microseconds since the last order, orders, spend.
pub type Measured = (i64, i64, i64);

/// What is measured of somebody with these orders, seen from `now`; `None` for who did not order within the time that counts.
pub fn measured(orders: &[Order], currency: Currency, now: Instant) -> Option<Measured> {
    let counts = |order: &&Order| order.at <= now && now.micros() - order.at.micros() < LOOKS_BACK_DAYS * DAY;
    let last = orders.iter().filter(counts).map(|order| order.at).max()?;
    let spend = orders.iter().filter(counts).filter(|order| order.currency == currency);
    let spend = spend.map(|order| order.worth).fold(0, i64::saturating_add);
    Some((now.micros() - last.micros(), orders.iter().filter(counts).count() as i64, spend))
}

impl Fifths {
    /// The fifths of everybody who was measured; `None` when there is nobody.
    pub fn draw(currency: Currency, all: &[Measured]) -> Option<Fifths> {
        if all.is_empty() {
            return None;
        }
        let edges = |of: fn(&Measured) -> i64| {
            let mut values: Vec<i64> = all.iter().map(of).collect();
            values.sort_unstable();
            [1, 2, 3, 4].map(|fifth| values[(values.len() * fifth / 5).min(values.len() - 1)])
        };
        Some(Fifths {
            currency,
            recency: edges(|one| one.0),
            frequency: edges(|one| one.1),
            spend: edges(|one| one.2),
        })
    }

    /// The scores of somebody with these orders, seen from `now`; `None` for who did not order within the time that counts.
    pub fn score(&self, orders: &[Order], now: Instant) -> Option<Score> {
        let (since, often, spend) = measured(orders, self.currency, now)?;
        let above =
            |edges: [i64; 4], value: i64| 1 + edges.iter().filter(|edge| value > **edge).count() as i64;
        let passed = self.recency.iter().filter(|edge| since >= **edge).count() as i64;
        Some(Score {
            recency: 5 - passed,
            frequency: above(self.frequency, often),
            spend: above(self.spend, spend),
        })
    }

    /// When time alone may change it.
    pub fn moments(&self, orders: &[Order]) -> Vec<Instant> {
        let later = |at: Instant, micros: i64| Instant::from_micros(at.micros().saturating_add(micros));
        let mut moments = Vec::new();
        for order in orders {
            moments.extend(self.recency.map(|edge| later(order.at, edge)));
            moments.extend([order.at, later(order.at, LOOKS_BACK_DAYS * DAY)]);
        }
        moments
    }
}

impl Score {
    /// What such customers are called.
    pub const fn group(self) -> Group {
        match (self.recency, self.frequency, self.spend) {
            (4.., 4.., 4..) => Group::Champion,
            (3.., 4.., _) | (4.., 3, _) => Group::Loyal,
            (4.., _, _) => Group::Promising,
            (3, _, _) => Group::Wavering,
            (_, 3.., _) => Group::Fading,
            _ => Group::Asleep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifths_part_everybody_into_five() {
        let pounds = Currency::parse("GBP").unwrap();
        let all: Vec<Measured> = (0..100).map(|one| (one * DAY, one, one * 100)).collect();
        let fifths = Fifths::draw(pounds, &all).unwrap();
        assert_eq!(fifths.recency.map(|edge| edge / DAY), [20, 40, 60, 80]);
        let order = |days: i64| Order {
            at: Instant::from_micros(-days * DAY),
            channel: crate::value::Id::from_bytes([1; 16]),
            currency: pounds,
            worth: 9_000,
            lines: Vec::new(),
        };
        let score = |days: i64| fifths.score(&[order(days)], Instant::EPOCH);
        assert_eq!(score(0).map(|one| (one.recency, one.frequency, one.spend)), Some((5, 1, 5)));
        assert_eq!(score(20).map(|one| one.recency), Some(4));
        assert_eq!(score(364).map(|one| one.group()), Some(Group::Asleep));
        assert_eq!(score(365), None);
        assert_eq!(Fifths::draw(pounds, &[]), None);
    }
}
