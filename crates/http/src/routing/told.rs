//! Routing profiles as they are answered: the same document that was given.

use domain::routing::condition::Condition;
use domain::routing::costs::TariffFor;
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::profile::{Profile, Remainder, Strategy};

use super::shape::{
    ConditionShape, CostsShape, CriterionShape, LimitsShape, ProfileShape, RemainderShape, SlowShape,
    StrategyShape, TariffForShape,
};

impl From<&Profile> for ProfileShape {
    fn from(profile: &Profile) -> ProfileShape {
        let costs = profile.costs();
        ProfileShape {
            name: profile.name().as_str().to_owned(),
            opens_within_hours: profile.opens_within_hours(),
            costs: CostsShape {
                currency: costs.currency.code().to_owned(),
                tariffs: costs.tariffs.iter().map(TariffForShape::from).collect(),
                otherwise: costs.otherwise.into(),
                slow: costs
                    .slow
                    .map(|slow| SlowShape { after_days: slow.after_days, lost_permille: slow.lost_permille }),
            },
            strategies: profile.strategies().iter().map(StrategyShape::from).collect(),
            fallback: profile.fallback().into(),
        }
    }
}

impl From<&TariffFor> for TariffForShape {
    fn from(one: &TariffFor) -> TariffForShape {
        TariffForShape {
            locations: texts(&one.locations),
            kinds: one.kinds.iter().map(|kind| kind.text().to_owned()).collect(),
            countries: one.countries.iter().map(|country| country.code().to_owned()).collect(),
            tariff: one.tariff.into(),
        }
    }
}

impl From<&Strategy> for StrategyShape {
    fn from(strategy: &Strategy) -> StrategyShape {
        let (kind, after_days) = match strategy.remainder {
            Remainder::BackOrder => ("back_order", None),
            Remainder::Person => ("person", None),
            Remainder::Cancel { after_days } => ("cancel", Some(after_days)),
        };
        StrategyShape {
            name: strategy.name.as_str().to_owned(),
            conditions: strategy.conditions.iter().map(ConditionShape::from).collect(),
            criteria: strategy.criteria.iter().map(CriterionShape::from).collect(),
            limits: LimitsShape {
                parts_max: strategy.limits.parts_max,
                part_value_minor: strategy.limits.part_value_minor,
                split_minor: strategy.limits.split_minor,
            },
            objective: strategy.objective.text().to_owned(),
            all_or_next: strategy.is_all_or_next,
            remainder: RemainderShape { kind: kind.to_owned(), after_days },
            batch_minutes: strategy.batch_minutes,
        }
    }
}

impl From<&Condition> for ConditionShape {
    fn from(condition: &Condition) -> ConditionShape {
        let named = |kind: &str, any_of| ConditionShape {
            kind: kind.to_owned(),
            any_of,
            ..ConditionShape::default()
        };
        match condition {
            Condition::Value { from, below } => {
                ConditionShape { from: Some(*from), below: *below, ..named("value", Vec::new()) }
            }
            Condition::Channel(ids) => named("channel", texts(ids)),
            Condition::Market(ids) => named("market", texts(ids)),
            Condition::Group(labels) => named("group", labels.iter().cloned().collect()),
            Condition::Category(ids) => named("category", texts(ids)),
            Condition::Variant(ids) => named("variant", texts(ids)),
            Condition::Delivery(kinds) => {
                named("delivery", kinds.iter().map(|kind| kind.text().to_owned()).collect())
            }
            Condition::Period { from, until } => ConditionShape {
                starts_at: Some(from.to_string()),
                ends_at: Some(until.to_string()),
                ..named("period", Vec::new())
            },
        }
    }
}

impl From<&Criterion> for CriterionShape {
    fn from(criterion: &Criterion) -> CriterionShape {
        let (effect, limit, edges) = match &criterion.effect {
            Effect::Rank => ("rank", None, Vec::new()),
            Effect::Band { edges } => ("band", None, edges.clone()),
            Effect::Exclude { limit } => ("exclude", Some(*limit), Vec::new()),
        };
        CriterionShape {
            measure: criterion.measure.text().to_owned(),
            effect: effect.to_owned(),
            limit,
            edges,
            kinds: match &criterion.measure {
                Measure::Kind(kinds) => kinds.iter().map(|kind| kind.text().to_owned()).collect(),
                _ => Vec::new(),
            },
            list: match &criterion.measure {
                Measure::List(locations) => texts(locations),
                _ => Vec::new(),
            },
        }
    }
}

fn texts<T: ToString>(things: impl IntoIterator<Item = T>) -> Vec<String> {
    things.into_iter().map(|one| one.to_string()).collect()
}
