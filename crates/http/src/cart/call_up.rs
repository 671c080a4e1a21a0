//! Carts that go on in another channel, and the code by which a till finds them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::Reference;
use engine::cart::{self, call_up};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::CartShape;
use super::{answer, named};
use crate::App;
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::qr;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(call_up_cart))
        .routes(routes!(draw_cart_code))
        .routes(routes!(draw_cart_code_as_png))
}

/// Where a cart goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartCallUp, example = json!({"channel": "till-leeds"}))]
struct CallUpShape {
    /// The channel's id or external id.
    #[schema(min_length = 1, max_length = 255)]
    channel: String,
}

/// Call up a cart in another channel
///
/// Such as one that was begun in the app, at the till, by its code, or found by the customer's phone number or e-mail. Lines, coupons and whose it is
/// stay; prices and stock are the new channel's; how it is delivered is chosen anew. Calling it up where it is already changes nothing. With
/// `If-Match` only if it is still as it was read.
#[utoipa::path(post, path = "/v1/carts/{id}/call-up", operation_id = "call_up_cart", tag = "cart", request_body = CallUpShape,
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, body = CartShape), Problems))]
async fn call_up_cart(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CallUpShape>,
) -> Result<Response, Problem> {
    let (which, channel) = ((named(&id)?, command.if_match), Reference::read(&command.body.channel));
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = call_up::call_up(tx, actor, world, which, &channel)?;
        answer(tx, world, &cart)
    })
    .await
}

/// Draw the code of a cart as a QR code, to be shown at a till
///
/// Whoever scans it has the key to the cart.
#[utoipa::path(get, path = "/v1/carts/{id}/code.svg", operation_id = "draw_cart_code", tag = "cart",
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, content_type = "image/svg+xml", body = String), Problems))]
async fn draw_cart_code(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    qr::svg(&code(&app, caller, &id).await?)
}

/// Draw the code of a cart as a QR code in pixels
#[utoipa::path(get, path = "/v1/carts/{id}/code.png", operation_id = "draw_cart_code_as_png", tag = "cart",
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, content_type = "image/png", body = Vec<u8>), Problems))]
async fn draw_cart_code_as_png(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    qr::png(&code(&app, caller, &id).await?)
}

/// What the code says: the cart's id, for whoever may see the cart.
async fn code(app: &App, Caller(actor): Caller, id: &str) -> Result<String, Problem> {
    let id = named(id)?;
    let cart = app.read(move |tx| cart::read(tx, &actor, id)).await?;
    Ok(cart.id.to_string())
}
