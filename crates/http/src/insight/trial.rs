//! Trials over the API: what a version of a loyalty programme would have given.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::{Currency, Instant};
use engine::Failure;
use engine::insight::trial::{self, Asked as TrialAsked, Given, Share, Trial};
use engine::loyalty::programme;
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The routes of figures.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(try_loyalty_version))
}

/// The period of a trial.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// From when on orders were placed.
    #[param(format = DateTime)]
    from: String,
    /// Before when; an instant that has passed.
    #[param(format = DateTime)]
    until: String,
}

/// What the members of a tier get.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialShare)]
struct ShareShape {
    /// The code of the tier they would have had; absent for who has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<String>,
    /// Orders that earn.
    orders: i64,
    /// The points they earn.
    points: i64,
}

/// What a version gives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialSums)]
struct GivenShape {
    /// All points.
    points: i64,
    /// What they would pay, by currency: each order's by the version that gives them, rounded down.
    worth: Vec<MoneyShape>,
    /// By the tier of the member.
    tiers: Vec<ShareShape>,
}

impl From<&Given> for GivenShape {
    fn from(given: &Given) -> GivenShape {
        let money = |(code, minor): (&String, &i64)| {
            let currency = Currency::parse(code).ok()?;
            domain::value::Money::new(*minor, currency).ok().map(MoneyShape::from)
        };
        let share = |(tier, share): (&Option<String>, &Share)| ShareShape {
            tier: tier.clone(),
            orders: share.orders,
            points: share.points,
        };
        let tiers: &BTreeMap<Option<String>, Share> = &given.tiers;
        GivenShape {
            points: given.points(),
            worth: given.worth.iter().filter_map(money).collect(),
            tiers: tiers.iter().map(share).collect(),
        }
    }
}

/// What a version of a loyalty programme would have given for the orders of a past period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoyaltyTrial, example = json!({"orders": 1250, "is_whole": true, "in_force": {"points": 41200, "worth": [{"amount": 20600, "currency": "GBP"}],
    "tiers": [{"orders": 1250, "points": 41200}]}, "tried": {"points": 52900, "worth": [{"amount": 26450, "currency": "GBP"}],
    "tiers": [{"orders": 900, "points": 30000}, {"tier": "gold", "orders": 350, "points": 22900}]}}))]
struct TrialShape {
    /// How many orders of members were looked at.
    orders: i64,
    /// Are all orders of the period in it? A trial has at most 20000, the earliest first.
    is_whole: bool,
    /// What the version in force when each order was placed gives.
    in_force: GivenShape,
    /// What the version that is tried gives.
    tried: GivenShape,
}

/// Try a version of a loyalty programme on past orders
///
/// Reads only. Both versions are reckoned alike, from what is kept of each order now and with the tiers members would have had, an order counting from
/// when it was placed.
#[utoipa::path(get, path = "/v1/loyalty-programmes/{programme}/versions/{number}/trial", operation_id = "try_loyalty_version", tag = "loyalty",
    params(("programme" = String, Path, description = "Its id or code."), ("number" = String, Path, description = "The version's number; a draft too."), PeriodQuery),
    responses((status = 200, body = TrialShape), Problems))]
async fn try_loyalty_version(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((name, number)): Path<(String, String)>,
    Asked(period): Asked<PeriodQuery>,
) -> Result<Response, Problem> {
    let number: i64 =
        number.parse().map_err(|_| Refusal::not_found("version of this loyalty programme", &number))?;
    let mut fields = Fields::new();
    let from = fields.instant("from", &period.from);
    let until = fields.instant("until", &period.until);
    let period = fields.done(from.zip(until))?;
    let now = app.shop.source.now();
    let begin = move |tx: &mut Tx<'_>| begin(tx, &actor, now, (&name, number), period);
    let mut trial = app.read(begin).await?;
    let mut goes_on = true;
    while goes_on {
        let mut next = trial.clone();
        (trial, goes_on) = app
            .read(move |tx| {
                let goes_on = trial::go_on(tx, &mut next)?;
                Ok((next.clone(), goes_on))
            })
            .await?;
    }
    let shape = TrialShape {
        orders: trial.orders,
        is_whole: trial.is_whole,
        in_force: GivenShape::from(&trial.now),
        tried: GivenShape::from(&trial.then),
    };
    document(&shape, None)
}

fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Instant,
    (name, number): (&str, i64),
    (from, until): (Instant, Instant),
) -> Result<Trial, Failure> {
    let programme = programme::named(tx, actor, name)?.id;
    trial::begin(tx, actor, now, TrialAsked { programme, number, from, until })
}
