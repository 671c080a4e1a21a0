//! The customer's visit for goods that wait, over the API: on the way, there, who else may come, and the code as a QR code.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::contact::{Card, Draft};
use engine::external;
use engine::fulfilment::visit::{self, Shown};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PartPath, step};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::contact::ContactShape;
use crate::problem::{Problem, Problems};
use crate::qr;

/// The routes of pickup visits.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_pickup_visit))
        .routes(routes!(come_for_pickup))
        .routes(routes!(arrive_for_pickup))
        .routes(routes!(name_collector))
        .routes(routes!(draw_pickup_code))
        .routes(routes!(draw_pickup_code_as_png))
}

/// The customer's visit for goods that wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickupVisit, example = json!({"state": "arrived", "code": "481516", "bay": "2", "arrived_at": "2026-06-01T10:00:00Z"}))]
struct VisitShape {
    /// Where it stands: `booked`, `on_the_way`, `arrived`, `handed_over` or `no_show`.
    state: &'static str,
    /// What the customer says or shows at the counter; only for whoever holds the order, and who hands the goods over.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// When the customer said to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// Where the customer waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    bay: Option<String>,
    /// The contact of the person who may come instead, named by the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<String>,
    /// The contact of the person who came, when it was not the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    collector: Option<String>,
    /// When the customer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    arrived_at: Option<String>,
    /// When the visit ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<&Shown> for VisitShape {
    fn from(shown: &Shown) -> VisitShape {
        let visit = &shown.visit;
        VisitShape {
            state: visit.state.text(),
            code: shown.code.clone(),
            expected_at: visit.expected_at.map(|at| at.to_string()),
            bay: visit.bay.clone(),
            named: visit.named.map(|id| id.to_string()),
            collector: visit.collector.map(|id| id.to_string()),
            arrived_at: visit.arrived_at.map(|at| at.to_string()),
            ended_at: visit.ended_at.map(|at| at.to_string()),
        }
    }
}

/// Read the customer's visit for goods that wait
#[utoipa::path(get, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit", operation_id = "read_pickup_visit", tag = "fulfilment",
    params(PartPath), responses((status = 200, body = VisitShape), Problems))]
async fn read_pickup_visit(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<PartPath>,
) -> Result<Response, Problem> {
    let (order, part) = path.read()?;
    let found = app
        .read(move |tx| {
            let order = external::resolve(tx, &order)?;
            visit::read(tx, &actor, (order, part))
        })
        .await?;
    document(&VisitShape::from(&found), None)
}

/// How soon the customer will be there.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OnTheWay, example = json!({"minutes": 15}))]
struct ComeShape {
    /// In how many minutes, when that is known.
    #[schema(minimum = 1, maximum = 1440)]
    minutes: Option<i64>,
}

/// Say that the customer is on the way
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/on-the-way", operation_id = "come_for_pickup", tag = "fulfilment", request_body = Option<ComeShape>,
    params(PartPath, KeyRequired), responses((status = 200, body = VisitShape), Problems))]
async fn come_for_pickup(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<Option<ComeShape>>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let minutes = command.body.unwrap_or_default().minutes;
    step(&app, path, command.request, move |tx, actor, world, which| {
        Reply::json(&VisitShape::from(&visit::come(tx, actor, world, which, minutes)?))
    })
    .await
}

/// Where the customer is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Arrival, example = json!({"bay": "2"}))]
struct ArriveShape {
    /// The bay, when there are bays.
    #[schema(min_length = 1, max_length = 40)]
    bay: Option<String>,
}

/// Say that the customer is there, at a bay when there are bays
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/arrive", operation_id = "arrive_for_pickup", tag = "fulfilment", request_body = ArriveShape,
    params(PartPath, KeyRequired), responses((status = 200, body = VisitShape), Problems))]
async fn arrive_for_pickup(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ArriveShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let bay = command.body.bay;
    step(&app, path, command.request, move |tx, actor, world, which| {
        Reply::json(&VisitShape::from(&visit::arrive(tx, actor, world, which, bay.clone())?))
    })
    .await
}

/// Name somebody else who may come for the goods
///
/// Who comes is kept as a contact of their own; the counter sees its id, and what is in it with permission.
#[utoipa::path(put, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/collector", operation_id = "name_collector", tag = "fulfilment", request_body = ContactShape,
    params(PartPath, KeyRequired), responses((status = 200, body = VisitShape), Problems))]
async fn name_collector(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ContactShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let card = Card::new(&Draft::from(command.body))?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        Reply::json(&VisitShape::from(&visit::name_collector(tx, actor, world, which, card.clone())?))
    })
    .await
}

/// Draw the pickup code as a QR code, to be shown at the counter
#[utoipa::path(get, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/code.svg", operation_id = "draw_pickup_code", tag = "fulfilment",
    params(PartPath), responses((status = 200, content_type = "image/svg+xml", body = String), Problems))]
async fn draw_pickup_code(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<PartPath>,
) -> Result<Response, Problem> {
    qr::svg(&text(&app, caller, path).await?)
}

/// Draw the pickup code as a QR code in pixels, for mails
#[utoipa::path(get, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/code.png", operation_id = "draw_pickup_code_as_png", tag = "fulfilment",
    params(PartPath), responses((status = 200, content_type = "image/png", body = Vec<u8>), Problems))]
async fn draw_pickup_code_as_png(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<PartPath>,
) -> Result<Response, Problem> {
    qr::png(&text(&app, caller, path).await?)
}

/// What the code says.
async fn text(app: &App, Caller(actor): Caller, path: PartPath) -> Result<String, Problem> {
    let (order, part) = path.read()?;
    app.read(move |tx| {
        let order = external::resolve(tx, &order)?;
        visit::qr(tx, &actor, (order, part))
    })
    .await
}
