//! Simulated promotions over the API: what a past period's orders would have cost.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Id;
use domain::value::id::{Promotion, PromotionSimulation};
use engine::insight::promotion::{self as simulation, Given, NewSimulation, Outcome, PROMOTIONS_MAX, Sum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of simulations.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin_promotion_simulation, list_promotion_simulations))
        .routes(routes!(read_promotion_simulation))
}

/// What is to be tried.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPromotionSimulation, example = json!({"added": ["pro_01jd0000000000000000000000"],
    "from": "2026-05-01T00:00:00Z", "until": "2026-06-01T00:00:00Z"}))]
struct NewSimulationShape {
    /// Promotions that are added, as they are written now; drafts too. They apply at any time and without a coupon, within their limits.
    #[serde(default)]
    #[schema(max_items = 20)]
    added: Vec<String>,
    /// Promotions that are left out.
    #[serde(default)]
    #[schema(max_items = 20)]
    left_out: Vec<String>,
    /// Orders that were placed from this instant on,
    #[schema(format = DateTime)]
    from: String,
    /// and before this one, which is over.
    #[schema(format = DateTime)]
    until: String,
    /// The most orders.
    #[serde(default = "usual_orders")]
    #[schema(minimum = 1, maximum = 100_000, default = 10_000)]
    orders_max: i64,
}

const fn usual_orders() -> i64 {
    10_000
}

/// What came of the orders of a channel in a currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromotionSimulationSum)]
struct SumShape {
    /// The channel's id.
    channel: String,
    /// What the amounts are in.
    currency: String,
    /// Orders that were priced: those that were not cancelled.
    orders: i64,
    /// Of them, those that would have cost something else.
    touched: i64,
    /// What they cost, with tax.
    was: i64,
    /// What they would have cost.
    becomes: i64,
}

impl From<&Sum> for SumShape {
    fn from(sum: &Sum) -> SumShape {
        SumShape {
            channel: sum.channel.to_string(),
            currency: sum.currency.code().to_owned(),
            orders: sum.orders,
            touched: sum.touched,
            was: sum.was,
            becomes: sum.becomes,
        }
    }
}

/// What a promotion that was added gave.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromotionSimulationGiven)]
struct GivenShape {
    /// The promotion's id.
    promotion: String,
    /// What the amount is in.
    currency: String,
    /// How many orders used it.
    orders: i64,
    /// By how much it lowered them, before tax was worked out.
    amount: i64,
}

impl From<&Given> for GivenShape {
    fn from(given: &Given) -> GivenShape {
        GivenShape {
            promotion: given.promotion.to_string(),
            currency: given.currency.code().to_owned(),
            orders: given.orders,
            amount: given.minor,
        }
    }
}

/// A version of a promotion that is added.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromotionSimulationAdded)]
struct AddedShape {
    /// The promotion's id.
    promotion: String,
    /// Its version when the simulation was asked for.
    version: i64,
}

/// A simulation, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromotionSimulation)]
struct SimulationShape {
    /// Its id.
    id: String,
    /// The promotions that are added.
    added: Vec<AddedShape>,
    /// The promotions that are left out.
    left_out: Vec<String>,
    /// The first instant of the period.
    #[schema(format = DateTime)]
    from: String,
    /// Its end.
    #[schema(format = DateTime)]
    until: String,
    /// Were all orders looked at?
    done: bool,
    /// Up to which instant orders were looked at.
    #[schema(format = DateTime)]
    priced_until: String,
    /// How many orders were looked at, cancelled ones too.
    orders: i64,
    /// For how many the price engine finds another total than they had, even with the promotions of then: they were changed afterwards, or
    /// what is sold is in other categories today. The difference between both ways is counted for them all the same.
    unlike: i64,
    /// What came of it, by currency and channel.
    sums: Vec<SumShape>,
    /// What each promotion that was added gave.
    given: Vec<GivenShape>,
}

impl From<&Outcome> for SimulationShape {
    fn from(outcome: &Outcome) -> SimulationShape {
        let one = &outcome.simulation;
        let added = |(id, version): &(Id<Promotion>, i64)| AddedShape {
            promotion: id.to_string(),
            version: *version,
        };
        SimulationShape {
            id: one.id.to_string(),
            added: one.added.iter().map(added).collect(),
            left_out: one.left_out.iter().map(ToString::to_string).collect(),
            from: one.from.to_string(),
            until: one.until.to_string(),
            done: one.is_done,
            priced_until: one.after.0.to_string(),
            orders: one.orders,
            unlike: one.unlike,
            sums: outcome.sums.iter().map(SumShape::from).collect(),
            given: outcome.given.iter().map(GivenShape::from).collect(),
        }
    }
}

/// Price a past period's orders again with other promotions
///
/// Nothing of the trade is touched. The work goes on in small steps; read the simulation to see how far it is.
#[utoipa::path(post, path = "/v1/promotion-simulations", operation_id = "begin_promotion_simulation", tag = "promotion",
    request_body = NewSimulationShape, responses((status = 201, body = SimulationShape), Problems))]
async fn begin_promotion_simulation(
    State(app): State<App>,
    command: Command<NewSimulationShape>,
) -> Result<Response, Problem> {
    let body = &command.body;
    let mut fields = Fields::new();
    let mut ids = |field: &str, ids: &[String]| {
        let each = ids.iter().take(PROMOTIONS_MAX + 1).enumerate();
        each.map(|(place, id)| fields.id::<Promotion>(&format!("{field}.{place}"), id))
            .collect::<Option<Vec<_>>>()
    };
    let (added, left_out) = (ids("added", &body.added), ids("left_out", &body.left_out));
    let (from, until) = (fields.instant("from", &body.from), fields.instant("until", &body.until));
    let new = (|| {
        let period = (from?, until?);
        Some(NewSimulation { added: added?, left_out: left_out?, period, orders_max: body.orders_max })
    })();
    let new: NewSimulation = fields.done(new)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        Reply::json(&SimulationShape::from(&simulation::begin(tx, actor, world, new.clone())?))
    })
    .await
}

/// List simulated promotions, in the order they were asked for
#[utoipa::path(get, path = "/v1/promotion-simulations", operation_id = "list_promotion_simulations", tag = "promotion", params(PageQuery),
    responses((status = 200, body = Page<SimulationShape>), Problems))]
async fn list_promotion_simulations(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| simulation::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(SimulationShape::from).collect();
    document(&Page::new(items, limit, |one: &SimulationShape| one.id.clone()), None)
}

/// Read a simulation of promotions
#[utoipa::path(get, path = "/v1/promotion-simulations/{id}", operation_id = "read_promotion_simulation", tag = "promotion",
    params(("id" = String, Path, description = "The simulation's id.")), responses((status = 200, body = SimulationShape), Problems))]
async fn read_promotion_simulation(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let missing = |_| Refusal::not_found("promotion simulation", &id);
    let id = Id::<PromotionSimulation>::parse(&id).map_err(missing)?;
    let found = app.read(move |tx| simulation::find(tx, &actor, id)).await?;
    document(&SimulationShape::from(&found), None)
}
