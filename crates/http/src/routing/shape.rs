//! The JSON shapes of routing profiles: the whole profile is one document.

use std::collections::BTreeSet;

use domain::routing::condition::Condition;
use domain::routing::costs::{Costs, Slow, TariffFor};
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::profile::{Limits, Objective, Profile, Remainder, Strategy};
use domain::routing::wanted::Tariff;
use domain::value::id::Category;
use domain::value::{Country, Currency, Id, Instant, Kind, Name, Reference};
use domain::{delivery, location};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;

use crate::shape::Fields;

/// How a retailer wants orders routed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingProfileContent, example = json!({"name": "Near and cheap", "opens_within_hours": 72,
    "costs": {"currency": "GBP", "otherwise": {"parcel_minor": 395, "item_minor": 40, "kilogram_minor": 20, "kilometre_minor": 0},
        "tariffs": [{"kinds": ["warehouse"], "tariff": {"parcel_minor": 250, "item_minor": 25, "kilogram_minor": 20, "kilometre_minor": 0}}]},
    "strategies": [{"name": "Dear orders whole", "conditions": [{"kind": "value", "from": 20000}],
        "criteria": [{"measure": "distance", "effect": "rank"}], "limits": {"parts_max": 1}, "objective": "criteria", "all_or_next": true,
        "remainder": {"kind": "person"}}],
    "fallback": {"name": "All others", "criteria": [{"measure": "safety_stock", "effect": "exclude", "limit": 0}],
        "limits": {"parts_max": 3, "part_value_minor": 500, "split_minor": 100}, "objective": "cost", "remainder": {"kind": "back_order"}}}))]
pub(super) struct ProfileShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) name: String,
    /// Locations whose door stays closed for longer than so many hours are given no orders; places without opening hours always work.
    #[serde(default = "usual_hours")]
    #[schema(minimum = 1, maximum = 336, default = 72)]
    pub(super) opens_within_hours: i64,
    /// What sending costs.
    pub(super) costs: CostsShape,
    /// Strategies; the first whose conditions all hold routes an order. At most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(super) strategies: Vec<StrategyShape>,
    /// The strategy for all other orders; it has no conditions.
    pub(super) fallback: StrategyShape,
}

const fn usual_hours() -> i64 {
    72
}

/// What sending costs, in minor units of one currency. Orders in another currency are routed by the plain rule.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingCosts)]
pub(super) struct CostsShape {
    /// ISO 4217.
    pub(super) currency: String,
    /// Tariffs for some ways; the first that fits counts. At most 1,000.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(super) tariffs: Vec<TariffForShape>,
    /// The tariff for all other ways.
    pub(super) otherwise: TariffShape,
    /// What slow stock will lose; sending it away saves that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slow: Option<SlowShape>,
}

/// A tariff for parcels from some locations to some countries; what is not named is not asked for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingTariffFor)]
pub(super) struct TariffForShape {
    /// From these locations: ids or external ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(super) locations: Vec<String>,
    /// From locations of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(super) kinds: Vec<String>,
    /// To these countries, ISO 3166-1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(super) countries: Vec<String>,
    /// What it costs.
    pub(super) tariff: TariffShape,
}

/// What it costs to send goods, in minor units.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingTariff)]
pub(super) struct TariffShape {
    /// A parcel: packing, label, carrier.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) parcel_minor: i64,
    /// A unit: picking it.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) item_minor: i64,
    /// A kilogram of goods.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) kilogram_minor: i64,
    /// A kilometre of the way.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) kilometre_minor: i64,
}

/// Stock that lasts too long will be marked down.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingSlowStock)]
pub(super) struct SlowShape {
    /// Stock is slow when it lasts longer than so many days.
    #[schema(minimum = 1, maximum = 3650)]
    pub(super) after_days: i64,
    /// What a unit of it will lose of its value, in thousandths.
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) lost_permille: i64,
}

/// How orders of some sort are routed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingStrategy)]
pub(super) struct StrategyShape {
    /// Its name, once in a profile.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) name: String,
    /// All of these must hold. At most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) conditions: Vec<ConditionShape>,
    /// What shuts locations out, bands and ranks them, the most important first. At most 20, and 5 that band or rank.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) criteria: Vec<CriterionShape>,
    /// How far an order may be split.
    pub(super) limits: LimitsShape,
    /// What is wanted most after placing as much as can be placed: `cost` or `criteria`.
    pub(super) objective: String,
    /// Where not everything can be placed, the next strategy whose conditions hold gets its turn.
    #[serde(default)]
    pub(super) all_or_next: bool,
    /// What happens to what cannot be placed.
    pub(super) remainder: RemainderShape,
    /// New orders wait for a run every so many minutes that routes them together; each is routed at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1440)]
    pub(super) batch_minutes: Option<i64>,
}

/// How far an order may be split.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingLimits)]
pub(super) struct LimitsShape {
    /// The most parts.
    #[schema(minimum = 1, maximum = 20)]
    pub(super) parts_max: i64,
    /// The least a part is worth, in minor units; a part that is the whole order may be worth less.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) part_value_minor: i64,
    /// What each part after the first costs beside its parcel, in minor units.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(super) split_minor: i64,
}

/// What happens to what cannot be placed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingRemainder)]
pub(super) struct RemainderShape {
    /// `back_order`: it waits for goods; `person`: it waits for a person to place it; `cancel`: it waits and is cancelled.
    pub(super) kind: String,
    /// Cancelled so many days after the order was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 365)]
    pub(super) after_days: Option<i64>,
}

/// Something that must be so. Give the fields that belong to its kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingCondition)]
pub(super) struct ConditionShape {
    /// `value`, `channel`, `market`, `group`, `category`, `variant`, `delivery` or `period`.
    pub(super) kind: String,
    /// value: the goods are worth at least so much, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<i64>,
    /// value: and less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) below: Option<i64>,
    /// channel, market, category, variant: ids (external ids and SKUs too); group: labels; delivery: `ship`, `pickup`, `hand_over`. At
    /// most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(super) any_of: Vec<String>,
    /// period: placed from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(super) starts_at: Option<String>,
    /// period: and before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(super) ends_at: Option<String>,
}

/// A measure of a location and what it does.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingCriterion)]
pub(super) struct CriterionShape {
    /// `market`, `rank`, `kind`, `distance`, `days_of_supply`, `capacity_left`, `cost`, `list`, `first_part`, `parts` or `safety_stock`.
    pub(super) measure: String,
    /// `exclude` with `limit`, `band` with `edges`, or `rank`.
    pub(super) effect: String,
    /// exclude: the worst that is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<i64>,
    /// band: the edges in rising order, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub(super) edges: Vec<i64>,
    /// kind: `store`, `warehouse`, `supplier`, `virtual`, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4)]
    pub(super) kinds: Vec<String>,
    /// list: locations, the best first, at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub(super) list: Vec<String>,
}

/// Reads what a body says within a command, where external ids can be looked up.
struct Reader<'r, 't> {
    tx: &'r mut Tx<'t>,
    fields: Fields,
    failure: Option<Failure>,
}

impl Reader<'_, '_> {
    fn ids<K: Kind>(&mut self, field: &str, texts: &[String]) -> Vec<Id<K>> {
        let mut ids = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let field = format!("{field}.{place}");
            let found = external::resolve_at(self.tx, &field, &Reference::<K>::read(text));
            ids.extend(self.found(found));
        }
        ids
    }

    /// The value; a refusal is remembered with its field, a failure of the store ends it all.
    fn found<T>(&mut self, found: Result<T, Failure>) -> Option<T> {
        match found {
            Ok(value) => return Some(value),
            Err(Failure::Refused(refusal)) => {
                self.fields.refuse(refusal.field().unwrap_or_default(), refusal.message());
            }
            Err(failure) => self.failure = Some(failure),
        }
        None
    }

    fn words<T: Ord>(
        &mut self,
        field: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let read =
            |(place, text): (usize, &String)| self.fields.take(&format!("{field}.{place}"), parse(text));
        texts.iter().enumerate().filter_map(read).collect()
    }
}

impl ProfileShape {
    /// The profile meant, with every bad field named; external ids are looked up.
    pub(super) fn read(&self, tx: &mut Tx<'_>, version: i64) -> Result<Profile, Failure> {
        let mut reader = Reader { tx, fields: Fields::new(), failure: None };
        let name = reader.fields.take("name", Name::new("name", &self.name));
        let costs = self.costs.read(&mut reader);
        let strategies: Vec<_> = self.strategies.iter().enumerate().collect();
        let strategies: Vec<_> = strategies
            .into_iter()
            .filter_map(|(place, one)| one.read(&mut reader, &format!("strategies.{place}")))
            .collect();
        let fallback = self.fallback.read(&mut reader, "fallback");
        if let Some(failure) = reader.failure {
            return Err(failure);
        }
        let whole = (strategies.len() == self.strategies.len()).then_some(strategies);
        let read = (|| Some((name?, costs?, whole?, fallback?)))();
        let (name, costs, strategies, fallback) = reader.fields.done(read)?;
        Ok(Profile::new((name, version), (costs, self.opens_within_hours), strategies, fallback)?)
    }
}

impl CostsShape {
    fn read(&self, reader: &mut Reader<'_, '_>) -> Option<Costs> {
        let currency = reader.fields.take("costs.currency", Currency::parse(&self.currency));
        let mut tariffs = Vec::new();
        for (place, one) in self.tariffs.iter().enumerate() {
            let path = format!("costs.tariffs.{place}");
            let locations = reader.ids(&format!("{path}.locations"), &one.locations);
            let kinds = reader.words(&format!("{path}.kinds"), &one.kinds, location::Kind::parse);
            let country = |code: &str| Country::parse(code).map_err(|error| error.to_string());
            let countries = reader.words(&format!("{path}.countries"), &one.countries, country);
            tariffs.push(TariffFor {
                locations: locations.into_iter().collect(),
                kinds: kinds.into_iter().collect(),
                countries: countries.into_iter().collect(),
                tariff: one.tariff.read(),
            });
        }
        let slow =
            self.slow.map(|slow| Slow { after_days: slow.after_days, lost_permille: slow.lost_permille });
        Some(Costs { currency: currency?, tariffs, otherwise: self.otherwise.read(), slow })
    }
}

impl TariffShape {
    const fn read(self) -> Tariff {
        Tariff {
            parcel_minor: self.parcel_minor,
            item_minor: self.item_minor,
            kilogram_minor: self.kilogram_minor,
            kilometre_minor: self.kilometre_minor,
        }
    }
}

impl From<Tariff> for TariffShape {
    fn from(tariff: Tariff) -> TariffShape {
        TariffShape {
            parcel_minor: tariff.parcel_minor,
            item_minor: tariff.item_minor,
            kilogram_minor: tariff.kilogram_minor,
            kilometre_minor: tariff.kilometre_minor,
        }
    }
}

impl StrategyShape {
    fn read(&self, reader: &mut Reader<'_, '_>, path: &str) -> Option<Strategy> {
        let name = reader.fields.take(&format!("{path}.name"), Name::new("name", &self.name));
        let mut conditions = Vec::new();
        for (place, one) in self.conditions.iter().enumerate() {
            conditions.extend(one.read(reader, &format!("{path}.conditions.{place}")));
        }
        let mut criteria = Vec::new();
        for (place, one) in self.criteria.iter().enumerate() {
            criteria.extend(one.read(reader, &format!("{path}.criteria.{place}")));
        }
        let objective = reader.fields.take(&format!("{path}.objective"), Objective::parse(&self.objective));
        let remainder = self.remainder.read(reader, &format!("{path}.remainder"));
        Some(Strategy {
            name: name?,
            conditions,
            criteria,
            limits: Limits {
                parts_max: self.limits.parts_max,
                part_value_minor: self.limits.part_value_minor,
                split_minor: self.limits.split_minor,
            },
            objective: objective?,
            is_all_or_next: self.all_or_next,
            remainder: remainder?,
            batch_minutes: self.batch_minutes,
        })
    }
}

impl RemainderShape {
    fn read(&self, reader: &mut Reader<'_, '_>, path: &str) -> Option<Remainder> {
        match (self.kind.as_str(), self.after_days) {
            ("back_order", None) => Some(Remainder::BackOrder),
            ("person", None) => Some(Remainder::Person),
            ("cancel", Some(after_days)) => Some(Remainder::Cancel { after_days }),
            ("cancel", None) => refuse(reader, &format!("{path}.after_days"), "say after how many days"),
            ("back_order" | "person", Some(_)) => {
                refuse(reader, &format!("{path}.after_days"), "only what is cancelled has it; leave it out")
            }
            _ => refuse(reader, &format!("{path}.kind"), "give one of back_order, person, cancel"),
        }
    }
}

fn refuse<T>(reader: &mut Reader<'_, '_>, field: &str, message: &str) -> Option<T> {
    reader.fields.refuse(field, message);
    None
}

impl ConditionShape {
    fn read(&self, reader: &mut Reader<'_, '_>, path: &str) -> Option<Condition> {
        let named = format!("{path}.any_of");
        Some(match self.kind.as_str() {
            "value" => Condition::Value { from: self.from.unwrap_or(0), below: self.below },
            "channel" => Condition::Channel(set(reader.ids(&named, &self.any_of))),
            "market" => Condition::Market(set(reader.ids(&named, &self.any_of))),
            "group" => Condition::Group(self.any_of.iter().cloned().collect()),
            "category" => {
                let id = |text: &str| Id::<Category>::parse(text).map_err(|error| error.to_string());
                Condition::Category(set(reader.words(&named, &self.any_of, id)))
            }
            "variant" => {
                let mut variants = BTreeSet::new();
                for (place, text) in self.any_of.iter().enumerate() {
                    let (field, reference) = (format!("{named}.{place}"), Reference::read(text));
                    let found = engine::catalogue::resolve_variant(reader.tx, &field, &reference);
                    variants.extend(reader.found(found));
                }
                Condition::Variant(variants)
            }
            "delivery" => Condition::Delivery(set(reader.words(&named, &self.any_of, delivery::Kind::parse))),
            "period" => {
                let (starts, ends) = (&self.starts_at, &self.ends_at);
                let (Some(starts), Some(ends)) = (starts, ends) else {
                    return refuse(reader, path, "a period needs starts_at and ends_at");
                };
                let from = reader.fields.take(&format!("{path}.starts_at"), Instant::parse(starts));
                let until = reader.fields.take(&format!("{path}.ends_at"), Instant::parse(ends));
                Condition::Period { from: from?, until: until? }
            }
            _ => {
                let kinds = "give one of value, channel, market, group, category, variant, delivery, period";
                return refuse(reader, &format!("{path}.kind"), kinds);
            }
        })
    }
}

fn set<T: Ord>(list: Vec<T>) -> BTreeSet<T> {
    list.into_iter().collect()
}

impl CriterionShape {
    fn read(&self, reader: &mut Reader<'_, '_>, path: &str) -> Option<Criterion> {
        let measure = match self.measure.as_str() {
            "market" => Measure::Market,
            "rank" => Measure::Rank,
            "kind" => {
                Measure::Kind(reader.words(&format!("{path}.kinds"), &self.kinds, location::Kind::parse))
            }
            "distance" => Measure::Distance,
            "days_of_supply" => Measure::DaysOfSupply,
            "capacity_left" => Measure::CapacityLeft,
            "cost" => Measure::Cost,
            "list" => Measure::List(reader.ids(&format!("{path}.list"), &self.list)),
            "first_part" => Measure::FirstPart,
            "parts" => Measure::Parts,
            "safety_stock" => Measure::SafetyStock,
            _ => {
                let measures = "give one of market, rank, kind, distance, days_of_supply, capacity_left, cost, list, first_part, parts, safety_stock";
                return refuse(reader, &format!("{path}.measure"), measures);
            }
        };
        let effect = match self.effect.as_str() {
            "rank" => Effect::Rank,
            "band" => Effect::Band { edges: self.edges.clone() },
            "exclude" if measure == Measure::SafetyStock => Effect::Exclude { limit: 0 },
            "exclude" => match self.limit {
                Some(limit) => Effect::Exclude { limit },
                None => {
                    return refuse(
                        reader,
                        &format!("{path}.limit"),
                        "say what is the worst that is still good",
                    );
                }
            },
            _ => return refuse(reader, &format!("{path}.effect"), "give one of exclude, band, rank"),
        };
        Some(Criterion { measure, effect })
    }
}
