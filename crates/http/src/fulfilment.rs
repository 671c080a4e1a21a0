//! Fulfilment over the API: what a location has to get ready.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::value::Reference;
use domain::value::id::Location;
use engine::external;
use engine::fulfilment::{self, FulfilmentOrder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of fulfilment.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_open_fulfilment_orders))
}

/// Goods of an order that leave one location together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FulfilmentOrder)]
pub(crate) struct FulfilmentOrderShape {
    /// Its id.
    pub(crate) id: String,
    /// The order.
    order: String,
    /// The location they leave from.
    location: String,
    /// How: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// Where they are: `open`, `shipped`, `collected` or `cancelled`.
    state: &'static str,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    /// When they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// What.
    lines: Vec<FulfilmentLineShape>,
}

/// Pieces of one variant for one order line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FulfilmentLine)]
struct FulfilmentLineShape {
    /// The order line.
    line: String,
    /// The variant; for a kit, a component.
    variant: String,
    /// How many base units.
    quantity: i64,
}

impl From<&FulfilmentOrder> for FulfilmentOrderShape {
    fn from(one: &FulfilmentOrder) -> FulfilmentOrderShape {
        let line = |line: &engine::fulfilment::Line| FulfilmentLineShape {
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
        };
        FulfilmentOrderShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            location: one.location.to_string(),
            kind: one.kind.text(),
            state: one.state.text(),
            tracking: one.tracking.clone(),
            left_at: one.left_at.map(|at| at.to_string()),
            lines: one.lines.iter().filter(|one| one.quantity > 0).map(line).collect(),
        }
    }
}

/// List what a location has to get ready, the oldest first; lines are read with the order
#[utoipa::path(get, path = "/v1/locations/{id}/fulfilment-orders", operation_id = "list_open_fulfilment_orders", tag = "fulfilment",
    params(("id" = String, Path, description = "The location's id or external id"), PageQuery),
    responses((status = 200, body = Page<FulfilmentOrderShape>), Problems))]
async fn list_open_fulfilment_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let location = Reference::<Location>::read(&location);
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            fulfilment::open_at(tx, &actor, location, after, limit)
        })
        .await?;
    let items = found.iter().map(FulfilmentOrderShape::from).collect();
    document(&Page::new(items, limit, |one: &FulfilmentOrderShape| one.id.clone()), None)
}
