//! Decisions over the API: from where an order was served, what was known of every location then, and why.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::routing::Short;
use domain::routing::decision::{Cost, Exclusion, Part, Proof, Weighed};
use domain::value::id::{Location, RoutingDecision, Variant};
use domain::value::{Currency, Id, Reference};
use engine::external;
use engine::routing::decision::{self, Kept};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::CriterionShape;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::order::{money, named};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::MoneyShape;

/// The routes of decisions.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_routing_decisions)).routes(routes!(explain_routing_decision))
}

/// From where an order was served, with everything that was known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingDecision)]
struct DecisionShape {
    /// Its id.
    id: String,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// What for: `placed`, `waiting`, `elsewhere` or `batch`.
    occasion: &'static str,
    /// The profile it went by; absent for the plain rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// The version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The strategy that was used; `built-in` for the plain rule.
    strategy: String,
    /// Strategies that had their turn before and could not place everything.
    passed: Vec<String>,
    /// The strategy's criteria; measures and scores stand in their order.
    criteria: Vec<CriterionShape>,
    /// Every location that was looked at.
    candidates: Vec<CandidateShape>,
    /// How many more were looked at and are not named, because others could give more.
    left_out: i64,
    /// What each location sends.
    parts: Vec<PartShape>,
    /// What that costs together.
    cost: CostShape,
    /// What could not be placed.
    unplaced: Vec<UnplacedShape>,
    /// Is it known that no better choice exists? By the plain rule that is not asked.
    proven_best: bool,
}

/// A location that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingCandidate)]
struct CandidateShape {
    /// The location.
    location: String,
    /// What each criterion measures; null when it is not known or belongs to the whole choice.
    measures: Vec<Option<i64>>,
    /// What each criterion scores, 0 for the best.
    scores: Vec<i64>,
    /// Why it was shut out: `closed`, `no_capacity`, `nothing_free`, `missed` or `criterion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<&'static str>,
    /// What it could give of what was wanted.
    could_give: Vec<UnitsShape>,
    /// What it would cost to send all of that from here.
    alone: CostShape,
}

/// So many of a variant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingUnits)]
struct UnitsShape {
    /// The variant.
    variant: String,
    /// How many base units.
    quantity: i64,
}

/// What one location sends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingPart)]
struct PartShape {
    /// The location.
    location: String,
    /// What.
    lines: Vec<UnitsShape>,
    /// What that costs.
    cost: CostShape,
}

/// What of a variant could not be placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingUnplaced)]
struct UnplacedShape {
    /// The variant.
    variant: String,
    /// How many were wanted.
    asked: i64,
    /// How many were placed.
    placed: i64,
}

/// What sending costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingCost)]
struct CostShape {
    /// The parcels.
    parcel: MoneyShape,
    /// Their way.
    way: MoneyShape,
    /// Picking and carrying the units.
    items: MoneyShape,
    /// The penalty for parts after the first.
    split: MoneyShape,
    /// What is gained by sending goods away that would be marked down.
    markdown_saved: MoneyShape,
    /// Everything together.
    total: MoneyShape,
}

impl CostShape {
    fn of(cost: &Cost, currency: Currency) -> CostShape {
        CostShape {
            parcel: money(cost.parcel_minor, currency),
            way: money(cost.way_minor, currency),
            items: money(cost.items_minor, currency),
            split: money(cost.split_minor, currency),
            markdown_saved: money(cost.markdown_minor, currency),
            total: money(cost.total_minor(), currency),
        }
    }
}

fn units(gives: &BTreeMap<Id<Variant>, i64>) -> Vec<UnitsShape> {
    let one = |(variant, quantity): (&Id<Variant>, &i64)| UnitsShape {
        variant: variant.to_string(),
        quantity: *quantity,
    };
    gives.iter().map(one).collect()
}

impl CandidateShape {
    fn of(one: &Weighed, currency: Currency) -> CandidateShape {
        CandidateShape {
            location: one.location.to_string(),
            measures: one.measures.iter().map(|measure| measure.filter(|value| *value < i64::MAX)).collect(),
            scores: one.scores.clone(),
            excluded: one.excluded.map(|excluded| match excluded {
                Exclusion::Closed => "closed",
                Exclusion::NoCapacity => "no_capacity",
                Exclusion::Criterion(_) => "criterion",
                Exclusion::NothingFree => "nothing_free",
                Exclusion::Missed => "missed",
            }),
            could_give: units(&one.gives),
            alone: CostShape::of(&one.alone, currency),
        }
    }
}

impl From<&Kept> for DecisionShape {
    fn from(kept: &Kept) -> DecisionShape {
        let (decision, currency) = (&kept.decision, kept.currency);
        let part = |part: &Part| PartShape {
            location: part.location.to_string(),
            lines: units(&part.gives),
            cost: CostShape::of(&part.cost, currency),
        };
        let unplaced = |short: &Short| UnplacedShape {
            variant: short.variant.to_string(),
            asked: short.asked,
            placed: short.found,
        };
        DecisionShape {
            id: kept.id.to_string(),
            made_at: kept.made_at.to_string(),
            occasion: kept.occasion.text(),
            profile: kept.profile.map(|(profile, _)| profile.to_string()),
            version: kept.profile.map(|(_, version)| version),
            strategy: decision.strategy.as_str().to_owned(),
            passed: decision.passed.iter().map(|name| name.as_str().to_owned()).collect(),
            criteria: decision.criteria.iter().map(CriterionShape::from).collect(),
            candidates: decision.weighed.iter().map(|one| CandidateShape::of(one, currency)).collect(),
            left_out: kept.left_out,
            parts: decision.parts.iter().map(part).collect(),
            cost: CostShape::of(&decision.cost, currency),
            unplaced: decision.unplaced.iter().map(unplaced).collect(),
            proven_best: decision.proof == Proof::Best,
        }
    }
}

/// Of which location the reasons are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhyQuery {
    /// The location's id or external id; the whole decision in words when absent.
    location: Option<String>,
}

/// Reasons in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingReasons, example = json!({"reasons": ["Leeds sends 1 of MUG for GBP 4.35: parcel GBP 3.95, units GBP 0.40", "no better choice exists"]}))]
struct ReasonsShape {
    /// A few sentences, one per reason.
    reasons: Vec<String>,
}

/// List the routing decisions of an order, in the order they were made
#[utoipa::path(get, path = "/v1/orders/{order}/routing-decisions", operation_id = "list_routing_decisions", tag = "routing",
    params(("order" = String, Path, description = "The order's id or external id."), PageQuery),
    responses((status = 200, body = Page<DecisionShape>), Problems))]
async fn list_routing_decisions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app
        .read(move |tx| {
            let order = external::resolve(tx, &named(&order))?;
            decision::of_order(tx, &actor, order, after, limit)
        })
        .await?;
    let items = found.iter().map(DecisionShape::from).collect();
    document(&Page::new(items, limit, |one: &DecisionShape| one.id.clone()), None)
}

/// Say why a location sends what it sends, or nothing
#[utoipa::path(get, path = "/v1/orders/{order}/routing-decisions/{decision}/reasons", operation_id = "explain_routing_decision", tag = "routing",
    params(("order" = String, Path, description = "The order's id or external id."), ("decision" = String, Path, description = "The decision's id."), WhyQuery),
    responses((status = 200, body = ReasonsShape), Problems))]
async fn explain_routing_decision(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((order, id)): Path<(String, String)>,
    Asked(asked): Asked<WhyQuery>,
) -> Result<Response, Problem> {
    let location = asked.location.as_deref().map(Reference::<Location>::read);
    let reasons = app
        .read(move |tx| {
            let missing = |_| Refusal::not_found("routing decision", &id);
            let (order, id) =
                (external::resolve(tx, &named(&order))?, Id::<RoutingDecision>::parse(&id).map_err(missing)?);
            let location = location.as_ref().map(|location| external::resolve(tx, location)).transpose()?;
            decision::why(tx, &actor, (order, id), location)
        })
        .await?;
    document(&ReasonsShape { reasons }, None)
}
