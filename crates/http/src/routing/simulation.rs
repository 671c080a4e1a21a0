//! Simulations over the API: past orders routed again by another version of a profile.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Id;
use domain::value::id::{RoutingProfile, RoutingSimulation};
use engine::routing::simulation::{self, NewSimulation, Simulation, Sums};
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
        .routes(routes!(begin_routing_simulation, list_routing_simulations))
        .routes(routes!(read_routing_simulation))
}

/// What is to be tried. Shelves begin as they were at the period's first instant, and nothing comes in meanwhile; capacity is not counted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRoutingSimulation, example = json!({"profile": "rpf_01jd0000000000000000000000", "version": 2,
    "from": "2026-05-01T00:00:00Z", "until": "2026-06-01T00:00:00Z", "orders_max": 10000, "stock_percent": 100, "late_after_hours": 48}))]
struct NewSimulationShape {
    /// The profile's id.
    profile: String,
    /// The version of it; a draft too.
    #[schema(minimum = 1, maximum = 1000)]
    version: i64,
    /// Orders sent by parcel that were placed from this instant on,
    #[schema(format = DateTime)]
    from: String,
    /// and before this one, which is over.
    #[schema(format = DateTime)]
    until: String,
    /// The most orders.
    #[serde(default = "usual_orders")]
    #[schema(minimum = 1, maximum = 100_000, default = 10_000)]
    orders_max: i64,
    /// How much of the stock there is, in hundredths of what there was.
    #[serde(default = "all_stock")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    stock_percent: i64,
    /// An order is late when a part of it cannot leave for longer than so many hours, or something is not placed.
    #[serde(default = "two_days")]
    #[schema(minimum = 1, maximum = 720, default = 48)]
    late_after_hours: i64,
}

const fn usual_orders() -> i64 {
    10_000
}

const fn all_stock() -> i64 {
    100
}

const fn two_days() -> i64 {
    48
}

/// What comes of routing the orders one way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingSimulationSums)]
struct SumsShape {
    /// Orders.
    orders: i64,
    /// Of them, those of which everything was placed.
    filled: i64,
    /// Units that were wanted.
    units: i64,
    /// Units that were placed.
    placed: i64,
    /// Parts.
    parts: i64,
    /// What they cost, in minor units of the profile's currency.
    cost_minor: i64,
    /// How far they went, in metres, as far as that is known.
    distance_m: i64,
    /// Orders of which something was not placed, or would have left late.
    late: i64,
}

impl From<Sums> for SumsShape {
    fn from(sums: Sums) -> SumsShape {
        let Sums { orders, filled, units, placed, parts, cost_minor, distance_m, late } = sums;
        SumsShape { orders, filled, units, placed, parts, cost_minor, distance_m, late }
    }
}

/// A simulation, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingSimulation)]
struct SimulationShape {
    /// Its id.
    id: String,
    /// The profile that is tried.
    profile: String,
    /// The version of it.
    version: i64,
    /// The first instant of the period.
    #[schema(format = DateTime)]
    from: String,
    /// Its end.
    #[schema(format = DateTime)]
    until: String,
    /// How much of the stock there is, in hundredths.
    stock_percent: i64,
    /// When a part is late, in hours.
    late_after_hours: i64,
    /// Are all orders routed?
    done: bool,
    /// Up to which instant orders are routed.
    #[schema(format = DateTime)]
    routed_until: String,
    /// As orders are routed now: by the profile in force, or the plain rule.
    now: SumsShape,
    /// As they would be routed then.
    then: SumsShape,
}

impl From<&Simulation> for SimulationShape {
    fn from(one: &Simulation) -> SimulationShape {
        SimulationShape {
            id: one.id.to_string(),
            profile: one.profile.0.to_string(),
            version: one.profile.1,
            from: one.from.to_string(),
            until: one.until.to_string(),
            stock_percent: one.stock_percent,
            late_after_hours: one.late_after_hours,
            done: one.is_done,
            routed_until: one.after.0.to_string(),
            now: one.now.into(),
            then: one.then.into(),
        }
    }
}

/// Route a past period's orders again by another version of a profile
///
/// Nothing of the trade is touched. The work goes on in small steps; read the simulation to see how far it is.
#[utoipa::path(post, path = "/v1/routing-simulations", operation_id = "begin_routing_simulation", tag = "routing",
    request_body = NewSimulationShape, responses((status = 201, body = SimulationShape), Problems))]
async fn begin_routing_simulation(
    State(app): State<App>,
    command: Command<NewSimulationShape>,
) -> Result<Response, Problem> {
    let body = &command.body;
    let mut fields = Fields::new();
    let profile = fields.id::<RoutingProfile>("profile", &body.profile);
    let (from, until) = (fields.instant("from", &body.from), fields.instant("until", &body.until));
    let new = (|| {
        Some(NewSimulation {
            profile: (profile?, body.version),
            period: (from?, until?),
            orders_max: body.orders_max,
            stock_percent: body.stock_percent,
            late_after_hours: body.late_after_hours,
        })
    })();
    let new: NewSimulation = fields.done(new)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        Reply::json(&SimulationShape::from(&simulation::begin(tx, actor, world, new)?))
    })
    .await
}

/// List routing simulations, in the order they were asked for
#[utoipa::path(get, path = "/v1/routing-simulations", operation_id = "list_routing_simulations", tag = "routing", params(PageQuery),
    responses((status = 200, body = Page<SimulationShape>), Problems))]
async fn list_routing_simulations(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| simulation::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(SimulationShape::from).collect();
    document(&Page::new(items, limit, |one: &SimulationShape| one.id.clone()), None)
}

/// Read a routing simulation
#[utoipa::path(get, path = "/v1/routing-simulations/{id}", operation_id = "read_routing_simulation", tag = "routing",
    params(("id" = String, Path, description = "The simulation's id.")), responses((status = 200, body = SimulationShape), Problems))]
async fn read_routing_simulation(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let missing = |_| Refusal::not_found("routing simulation", &id);
    let id = Id::<RoutingSimulation>::parse(&id).map_err(missing)?;
    let found = app.read(move |tx| simulation::find(tx, &actor, id)).await?;
    document(&SimulationShape::from(&found), None)
}
