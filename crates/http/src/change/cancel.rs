//! Cancelling an order over the API, wholly or in part.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::order::CancelReason;
use engine::checkout::Cancel;
use engine::{change, external};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::checkout::OrderShape;
use crate::command::{Command, KeyRequired};
use crate::order::named;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The route of cancelling.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(cancel_order))
}

/// What of an order is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelOrder, example = json!({"reason": "customer", "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1}]}))]
struct CancelShape {
    /// Why: `customer`, `unpaid`, `stock`, `fraud` or `mistake`.
    reason: String,
    /// How many of which lines; everything that has not left when not given.
    #[schema(max_items = 2000)]
    lines: Option<Vec<CancelLineShape>>,
}

/// How many of a line are cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelLine)]
struct CancelLineShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// Cancel an order or part of it that has not left
///
/// Its customer may, with a storefront key of its channel, as far as the channel lets customers change orders, until picking begins; the reason
/// is then `customer`.
#[utoipa::path(post, path = "/v1/orders/{order}/cancel", operation_id = "cancel_order", tag = "change", request_body = CancelShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 200, body = OrderShape), Problems))]
async fn cancel_order(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<CancelShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let reason = fields.take(
        "reason",
        CancelReason::named(&body.reason).ok_or("give customer, unpaid, stock, fraud or mistake"),
    );
    let lines = body.lines.map(|lines| {
        let read = |(place, line): (usize, CancelLineShape)| {
            fields.within(format!("lines.{place}"), |fields| {
                Some((fields.id("line", &line.line)?, line.quantity))
            })
        };
        lines.into_iter().enumerate().filter_map(read).collect::<Vec<_>>()
    });
    let reason = fields.done(reason)?;
    let order = named(&order);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &order)?;
        let whole =
            change::cancel(tx, actor, world, Cancel { order: id, lines: lines.clone(), part: None, reason })?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}
