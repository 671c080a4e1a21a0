//! The rules of identity: how many identifiers of a kind one person has, which of them gives way, and what is never believed.

use crate::Refusal;
use crate::identity::{Identifier, Kind};
use crate::value::text::bounded;

/// The most identifiers of a kind that a rule may allow.
pub const LIMIT_MAX: i64 = 200;
/// The longest window of a limit, in days.
pub const WINDOW_DAYS_MAX: i64 = 3_660;
/// The most links of one identifier that a rule may let public keys say.
pub const PUBLIC_LINKS_MAX: i64 = 1_000;
/// How many they may say where no rule was written.
const PUBLIC_LINKS_USUAL: i64 = 200;
/// The most values of a kind that are blocked.
pub const BLOCKED_MAX: usize = 200;

/// The rule of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Of which kind.
    pub kind: Kind,
    /// How many of it one person has.
    pub limit: i64,
    /// Within how many days that many were seen first; ever, when there is none.
    pub window_days: Option<i64>,
    /// Whose link is given up first of equally trusted ones when not all fit: the highest number.
    pub priority: i64,
    /// Can it say that two known customers are one?
    pub joins: bool,
    /// Values that stand for nobody.
    pub blocked: Vec<String>,
}

/// The rules of all kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    each: Vec<Rule>,
    public_links: i64,
    card_orders: bool,
}

impl Rules {
    /// The rules of a shop that wrote none.
    pub fn usual() -> Rules {
        let rule = |kind, priority, limit, window_days, joins| Rule {
            kind,
            limit,
            window_days,
            priority,
            joins,
            blocked: Vec::new(),
        };
        let each = vec![
            rule(Kind::Customer, 1, 1, None, true),
            rule(Kind::UserId, 2, 1, None, true),
            rule(Kind::LoyaltyNumber, 3, 2, None, true),
            rule(Kind::External, 4, 20, None, true),
            rule(Kind::CardToken, 5, 10, Some(365), false),
            rule(Kind::Email, 6, 5, Some(365), true),
            rule(Kind::Phone, 7, 5, Some(365), false),
            rule(Kind::DeviceId, 8, 10, Some(365), false),
            rule(Kind::AnonymousId, 9, 5, Some(7), false),
        ];
        Rules { each, public_links: PUBLIC_LINKS_USUAL, card_orders: true }
    }

    /// The usual rules with some of them replaced.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn new(replaced: Vec<Rule>, public_links: Option<i64>) -> Result<Rules, Refusal> {
        let (mut rules, mut refusals) = (Rules::usual(), Vec::new());
        rules.public_links = public_links.unwrap_or(PUBLIC_LINKS_USUAL);
        if !(1..=PUBLIC_LINKS_MAX).contains(&rules.public_links) {
            refusals.push(Refusal::invalid("public_links", format!("give 1 to {PUBLIC_LINKS_MAX}")));
        }
        let mut given: Vec<Kind> = Vec::new();
        for (place, rule) in replaced.into_iter().enumerate() {
            let mut refuse = |field: &str, why: String| {
                refusals.push(Refusal::invalid(format!("rules.{place}.{field}"), why))
            };
            if given.contains(&rule.kind) {
                refuse("kind", format!("there is a rule of {} already", rule.kind.text()));
                continue;
            }
            given.push(rule.kind);
            if rule.kind == Kind::Customer {
                refuse("kind", "customers become one by being merged, their rule cannot be changed".into());
            }
            if !(1..=LIMIT_MAX).contains(&rule.limit) {
                refuse("limit", format!("give 1 to {LIMIT_MAX}"));
            }
            if rule.window_days.is_some_and(|days| !(1..=WINDOW_DAYS_MAX).contains(&days)) {
                refuse("window_days", format!("give 1 to {WINDOW_DAYS_MAX} days"));
            }
            if !(2..=100).contains(&rule.priority) {
                refuse("priority", "give 2 to 100; 1 is the customer's".into());
            }
            match blocked(&rule) {
                Err(refusal) => refusals.push(refusal.within(&format!("rules.{place}"))),
                Ok(blocked) => *rules.at(rule.kind) = Rule { blocked, ..rule },
            }
        }
        Refusal::all(refusals).map_or(Ok(rules), Err)
    }

    /// The rule of a kind.
    pub fn of(&self, kind: Kind) -> &Rule {
        // Every kind has one: a test holds it.
        self.each.iter().find(|rule| rule.kind == kind).unwrap_or(&self.each[0])
    }

    /// All rules, in the order of kinds.
    pub fn each(&self) -> impl Iterator<Item = &Rule> {
        self.each.iter()
    }

    /// How many links of one identifier are kept that public keys said, so that nobody with such a key fills a person with browsers.
    pub const fn public_links(&self) -> i64 {
        self.public_links
    }

    /// Does an identifier stand for nobody here?
    pub fn block(&self, identifier: &Identifier) -> bool {
        self.of(identifier.kind()).blocked.iter().any(|value| value == identifier.value())
    }

    /// The same rules, with or without that an order of nobody is told as the person's whose card paid it.
    #[must_use]
    pub fn with_card_orders(self, told: bool) -> Rules {
        Rules { card_orders: told, ..self }
    }

    /// Is an order that names nobody told as the person's who alone is known by the card that paid it?
    pub const fn card_orders(&self) -> bool {
        self.card_orders
    }

    fn at(&mut self, kind: Kind) -> &mut Rule {
        let place = self.each.iter().position(|rule| rule.kind == kind).unwrap_or(0);
        &mut self.each[place]
    }
}

/// The blocked values in their normal form; what has none, such as `0`, is blocked anyway, and a pattern is none.
fn blocked(rule: &Rule) -> Result<Vec<String>, Refusal> {
    if rule.blocked.len() > BLOCKED_MAX {
        return Err(Refusal::invalid("blocked", format!("block at most {BLOCKED_MAX} values")));
    }
    let system = (rule.kind == Kind::External).then_some("any");
    let mut values = Vec::new();
    for (place, value) in rule.blocked.iter().enumerate() {
        bounded("value", value, 1, super::VALUE_CHARS_MAX)
            .map_err(|error| Refusal::invalid(format!("blocked.{place}"), error))?;
        let value = Identifier::new(rule.kind, system, value)
            .map_err(|why| Refusal::invalid(format!("blocked.{place}"), why))?;
        if !values.iter().any(|known| known == value.value()) {
            values.push(value.value().to_owned());
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_rule_and_the_retailers_replaces_it() {
        for kind in Kind::ALL {
            assert_eq!(Rules::usual().of(*kind).kind, *kind);
        }
        let own = Rule {
            limit: 2,
            blocked: vec!["Shop@example.com".into()],
            ..Rules::usual().of(Kind::Email).clone()
        };
        let rules = Rules::new(vec![own], None).unwrap();
        assert_eq!((rules.of(Kind::Email).limit, rules.of(Kind::Phone).limit), (2, 5));
        assert!(rules.block(&Identifier::new(Kind::Email, None, "SHOP@example.com").unwrap()));
    }

    #[test]
    fn every_bad_field_is_named() {
        let bad =
            Rule { limit: 0, window_days: Some(0), priority: 1, ..Rules::usual().of(Kind::Email).clone() };
        let refusal = Rules::new(vec![bad.clone(), bad, Rules::usual().of(Kind::Customer).clone()], Some(0))
            .unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(
            fields,
            [
                "public_links",
                "rules.0.limit",
                "rules.0.window_days",
                "rules.0.priority",
                "rules.1.kind",
                "rules.2.kind",
                "rules.2.priority"
            ]
        );
        let blocked = Rule { blocked: vec!["x".into()], ..Rules::usual().of(Kind::Email).clone() };
        assert_eq!(Rules::new(vec![blocked], None).unwrap_err().field(), Some("rules.0.blocked.0"));
    }
}
