//! Transfer orders over the API: asked for, approved, picked and sent. What orders feel of them is under fulfilment.

mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{Location, TransferOrder as Kind, Variant};
use domain::value::{Id, Reference};
use engine::transfer::{self, NewTransfer, Pieces, Side, TransferOrder, send};
use engine::{Failure, external};
use serde::Deserialize;
use store::Tx;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use shape::{NewTransferShape, ShippingShape};

pub(crate) use shape::{TransferLinesShape, TransferOrderShape};

/// The routes of transfer orders.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_transfer_order))
        .routes(routes!(list_transfer_orders))
        .routes(routes!(read_transfer_order))
        .routes(routes!(set_transfer_order_lines))
        .routes(routes!(request_transfer_order))
        .routes(routes!(approve_transfer_order))
        .routes(routes!(pick_transfer_order))
        .routes(routes!(ship_transfer_order))
}

/// The transfer order a path names.
pub(crate) fn named(text: &str) -> Result<Id<Kind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("transfer order", text))
}

/// A transfer order as it is answered.
pub(crate) fn answer(one: &TransferOrder) -> Result<Reply, Failure> {
    Reply::json(&TransferOrderShape::from(one))
}

/// The pieces that lines name.
pub(crate) fn pieces_of(tx: &mut Tx<'_>, named: &[(Reference<Variant>, i64)]) -> Result<Pieces, Failure> {
    let find = |(place, (variant, pieces)): (usize, &(Reference<Variant>, i64))| {
        let field = format!("lines.{place}.variant");
        Ok((engine::catalogue::resolve_variant(tx, &field, variant)?, *pieces))
    };
    named.iter().enumerate().map(find).collect()
}

/// Put a transfer order together, and ask for it unless it is to stay a draft
#[utoipa::path(post, path = "/v1/transfer-orders", operation_id = "create_transfer_order", tag = "transfer", request_body = NewTransferShape,
    params(KeyRequired),
    responses((status = 201, body = TransferOrderShape), Problems))]
async fn create_transfer_order(
    State(app): State<App>,
    command: Command<NewTransferShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let new = NewTransfer {
            source: external::known_at(tx, "source", &asked.source)?,
            destination: external::known_at(tx, "destination", &asked.destination)?,
            lines: pieces_of(tx, &asked.lines)?,
            reason: asked.reason,
            note: asked.note.clone(),
            expected_at: asked.expected_at,
        };
        let one = transfer::draft(tx, actor, world, new)?;
        answer(&if asked.draft { one } else { transfer::request(tx, actor, world, one.id)? })
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TransfersQuery {
    /// `in` for those the location receives, `out` for those it sends.
    #[param(example = "in")]
    direction: String,
    /// Only those that are still open; all when not given.
    #[serde(default)]
    open: bool,
}

/// List the transfer orders a location sends or receives, the newest first
#[utoipa::path(get, path = "/v1/locations/{id}/transfer-orders", operation_id = "list_transfer_orders", tag = "transfer",
    params(("id" = String, Path, description = "The location's id or external id"), TransfersQuery, PageQuery),
    responses((status = 200, body = Page<TransferOrderShape>), Problems))]
async fn list_transfer_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(query): Asked<TransfersQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let side = match query.direction.as_str() {
        "in" => Side::In,
        "out" => Side::Out,
        _ => return Err(Refusal::invalid("direction", "give in or out").into()),
    };
    let location = Reference::<Location>::read(&location);
    let list = move |tx: &mut Tx<'_>, before, limit| {
        let location = external::resolve(tx, &location)?;
        transfer::list(tx, &actor, (location, side, query.open), before, limit)
    };
    page.newest(&app, list, |one: &TransferOrderShape| one.id.clone()).await
}

/// Read a transfer order
#[utoipa::path(get, path = "/v1/transfer-orders/{transfer}", operation_id = "read_transfer_order", tag = "transfer",
    params(("transfer" = String, Path, description = "The transfer order's id")),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn read_transfer_order(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let found = app.read(move |tx| transfer::read(tx, &actor, id)).await?;
    document(&TransferOrderShape::from(&found), None)
}

/// Replace the lines of a draft
#[utoipa::path(put, path = "/v1/transfer-orders/{transfer}/lines", operation_id = "set_transfer_order_lines", tag = "transfer", request_body = TransferLinesShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn set_transfer_order_lines(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TransferLinesShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, lines) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let pieces = pieces_of(tx, &lines)?;
        answer(&transfer::set_lines(tx, actor, world, id, &pieces)?)
    })
    .await
}

/// Ask for a drafted transfer
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/request", operation_id = "request_transfer_order", tag = "transfer",
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn request_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&transfer::request(tx, actor, world, id)?)
    })
    .await
}

/// Agree to a transfer as a second person
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/approve", operation_id = "approve_transfer_order", tag = "transfer",
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn approve_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&transfer::approve(tx, actor, world, id)?)
    })
    .await
}

/// Say which pieces were taken from the shelf
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/pick", operation_id = "pick_transfer_order", tag = "transfer", request_body = TransferLinesShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn pick_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TransferLinesShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, lines) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let pieces = pieces_of(tx, &lines)?;
        answer(&send::pick(tx, actor, world, id, &pieces)?)
    })
    .await
}

/// Send the goods; what was not picked piece by piece is taken from the shelf at once
#[utoipa::path(post, path = "/v1/transfer-orders/{transfer}/ship", operation_id = "ship_transfer_order", tag = "transfer", request_body = ShippingShape,
    params(("transfer" = String, Path, description = "The transfer order's id"), KeyRequired),
    responses((status = 200, body = TransferOrderShape), Problems))]
async fn ship_transfer_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ShippingShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, shipping) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&send::ship(tx, actor, world, id, shipping.clone())?)
    })
    .await
}
