//! How a location counts, and how right its books turned out to be, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::count::Tolerance;
use domain::value::id::Location;
use domain::value::{Instant, Reference};
use engine::count::review;
use engine::count::rule::{self, Rule};
use engine::external;
use serde::{Deserialize, Serialize};
use store::count::find::Accuracy;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_count_rule, set_count_rule)).routes(routes!(read_count_accuracy))
}

/// How a location counts.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountRule, example = json!({"pieces": 2, "percent": 10, "value": {"amount": 5000, "currency": "GBP"}, "other_colleague": true, "each_day": 20}))]
struct RuleShape {
    /// A line that differs by more pieces is counted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pieces: Option<i64>,
    /// A line that differs by more in a hundred of what the books had is counted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    percent: Option<i64>,
    /// A line whose difference is worth more is counted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<MoneyShape>,
    /// Must another colleague count again?
    #[serde(default)]
    other_colleague: bool,
    /// How many variants are counted each day by their turn: what is worth most and was not counted for the longest time; 0 for none.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 500)]
    each_day: i64,
}

impl From<&Rule> for RuleShape {
    fn from(rule: &Rule) -> RuleShape {
        RuleShape {
            pieces: rule.tolerance.pieces,
            percent: rule.tolerance.percent,
            value: rule.tolerance.value.map(MoneyShape::from),
            other_colleague: rule.other_colleague,
            each_day: rule.each_day,
        }
    }
}

/// Read how a location counts
#[utoipa::path(get, path = "/v1/locations/{id}/count-rule", operation_id = "read_count_rule", tag = "count",
    params(("id" = String, Path, description = "The location's id or external id")),
    responses((status = 200, body = RuleShape), Problems))]
async fn read_count_rule(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            rule::read(tx, &actor, location)
        })
        .await?;
    document(&RuleShape::from(&found), None)
}

/// Set how a location counts
#[utoipa::path(put, path = "/v1/locations/{id}/count-rule", operation_id = "set_count_rule", tag = "count", request_body = RuleShape,
    params(("id" = String, Path, description = "The location's id or external id")),
    responses((status = 200, body = RuleShape), Problems))]
async fn set_count_rule(
    State(app): State<App>,
    Path(location): Path<String>,
    command: Command<RuleShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let location = Reference::<Location>::read(&location);
    let mut fields = Fields::new();
    let value = body.value.as_ref().map_or(Some(None), |value| fields.money("value", value).map(Some));
    let value = fields.done(value)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let rule = Rule {
            location: external::resolve(tx, &location)?,
            tolerance: Tolerance { pieces: body.pieces, percent: body.percent, value },
            other_colleague: body.other_colleague,
            each_day: body.each_day,
            next_at: world.now(),
        };
        Reply::json(&RuleShape::from(&rule::set(tx, actor, world, rule)?))
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// Counts posted from this instant on, RFC 3339.
    #[param(format = DateTime, example = "2026-05-01T00:00:00Z")]
    from: String,
    /// Until before this instant, at most 400 days later.
    #[param(format = DateTime, example = "2026-06-01T00:00:00Z")]
    until: String,
}

/// How right the books of a location turned out to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountAccuracy)]
struct AccuracyShape {
    /// One part for each currency in which the variants are valued; those without a value in one of their own.
    parts: Vec<AccuracyPartShape>,
}

/// How right the books turned out to be for variants valued in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountAccuracyPart)]
struct AccuracyPartShape {
    /// Lines counted.
    lines: i64,
    /// Lines without a difference.
    right: i64,
    /// Those in a hundred thousand of all.
    right_per_100000: i64,
    /// Pieces counted.
    counted: i64,
    /// Pieces more than the books had.
    over: i64,
    /// Pieces fewer.
    under: i64,
    /// What those more are worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    over_value: Option<MoneyShape>,
    /// What those fewer are worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_value: Option<MoneyShape>,
}

impl From<&Accuracy> for AccuracyPartShape {
    fn from(part: &Accuracy) -> AccuracyPartShape {
        let money = |amount| {
            part.currency.map(|currency| MoneyShape { amount, currency: currency.code().to_owned() })
        };
        AccuracyPartShape {
            lines: part.lines,
            right: part.right,
            right_per_100000: part.right * 100_000 / part.lines.max(1),
            counted: part.counted,
            over: part.over,
            under: part.under,
            over_value: money(part.over_minor),
            under_value: money(part.under_minor),
        }
    }
}

/// Read how right the books of a location turned out to be when they were counted
#[utoipa::path(get, path = "/v1/locations/{id}/count-accuracy", operation_id = "read_count_accuracy", tag = "count",
    params(("id" = String, Path, description = "The location's id or external id"), PeriodQuery),
    responses((status = 200, body = AccuracyShape), Problems))]
async fn read_count_accuracy(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(period): Asked<PeriodQuery>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let mut fields = Fields::new();
    let (from, until) =
        (fields.take("from", Instant::parse(&period.from)), fields.instant("until", &period.until));
    let period = fields.done(from.zip(until))?;
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            review::accuracy(tx, &actor, location, period)
        })
        .await?;
    document(&AccuracyShape { parts: found.iter().map(AccuracyPartShape::from).collect() }, None)
}
