//! What orders feel of transfer orders, over the API: pieces arrive, are missed, never come, or are not sent.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::stock::State as StockState;
use domain::transfer::Shortage;
use domain::value::Reference;
use domain::value::id::Variant;
use engine::fulfilment::inbound;
use engine::transfer::LINES_MAX;
use engine::transfer::receive::Received;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::command::{Command, KeyRequired};
use crate::problem::{Problem, Problems};
use crate::shape::Fields;
use crate::transfer::{TransferLinesShape, TransferOrderShape, answer, named, pieces_of};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_transfer_order))
        .routes(routes!(short_pick_transfer_order))
        .routes(routes!(close_transfer_order))
        .routes(routes!(cancel_transfer_order))
}

/// Pieces that arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferReceipt, example = json!({"lines": [{"variant": "22423", "quantity": 5}, {"variant": "22423", "quantity": 1, "state": "damaged"}]}))]
struct TransferReceiptShape {
    /// Which; more than were sent are found, what was not sent too.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<TransferReceiptLineShape>,
}

/// Pieces of one variant that arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferReceiptLine)]
struct TransferReceiptLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which state: `available` (when not given), `quality` or `damaged`.
    state: Option<String>,
}

type Line = (Reference<Variant>, i64, StockState);

impl TransferReceiptShape {
    fn read(&self) -> Result<Vec<Line>, Refusal> {
        let mut fields = Fields::new();
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            fields.refuse("lines", format!("name 1 to {LINES_MAX} variants"));
        }
        let lines = fields.each("lines", &self.lines, |fields, line| {
            let state = match line.state.as_deref().unwrap_or("available") {
                "available" => Ok(StockState::Available),
                "quality" => Ok(StockState::Quality),
                "damaged" => Ok(StockState::Damaged),
                _ => Err("give available, quality or damaged"),
            };
            let state = fields.take("state", state)?;
            Some((Reference::read(&line.variant), line.quantity, state))
        });
        fields.done(lines)
    }
}

/// Receive pieces of a transfer order
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/receive", operation_id = "receive_transfer_order", tag = "transfer", request_body = TransferReceiptShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn receive_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TransferReceiptShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, lines) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let mut received = Vec::with_capacity(lines.len());
        for (place, (variant, pieces, state)) in lines.iter().enumerate() {
            let field = format!("lines.{place}.variant");
            let variant = engine::catalogue::resolve_variant(tx, &field, variant)?;
            received.push(Received { variant, pieces: *pieces, state: *state });
        }
        answer(&inbound::receive(tx, actor, world, id, &received)?)
    })
    .await
}

/// Say which pieces of a transfer order were not found at the source
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/short-pick", operation_id = "short_pick_transfer_order", tag = "transfer", request_body = TransferLinesShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn short_pick_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TransferLinesShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, lines) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let pieces = pieces_of(tx, &lines)?;
        answer(&inbound::short(tx, actor, world, id, &pieces)?)
    })
    .await
}

/// Why goods never arrived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferClosing, example = json!({"reason": "lost"}))]
struct CloseShape {
    /// Why: `lost`, `destroyed`, or `not_sent` when they are still at the source.
    reason: String,
}

/// Wait no longer for what did not arrive
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/close", operation_id = "close_transfer_order", tag = "transfer", request_body = CloseShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn close_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CloseShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let why = fields.take("reason", Shortage::parse(&command.body.reason));
    let (id, why) = (named(&id)?, fields.done(why)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&inbound::close(tx, actor, world, id, why)?)
    })
    .await
}

/// Send nothing after all
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/cancel", operation_id = "cancel_transfer_order", tag = "transfer",
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn cancel_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&inbound::cancel(tx, actor, world, id)?)
    })
    .await
}
