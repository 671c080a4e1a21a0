//! Changes of orders over the API: shown with what they cost, then confirmed or declined; and what a channel allows.

mod cancel;
mod rule;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::Id;
use domain::value::id::OrderChange;
use domain::{Code, Refusal};
use engine::change::{self, Asked, Confirm, Which};
use engine::{Failure, external};
use store::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::order::named;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked as AskedQuery;
use shape::{ChangeShape, ConfirmShape, NewChangeShape};

/// The routes of changes of orders.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview_change, list_changes))
        .routes(routes!(get_change))
        .routes(routes!(confirm_change))
        .routes(routes!(decline_change))
        .merge(cancel::routes())
        .merge(rule::routes())
}

fn change_of(text: &str) -> Result<Id<OrderChange>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("order change", text))
}

fn which(tx: &mut Tx<'_>, order: &str, change: Id<OrderChange>) -> Result<Which, Failure> {
    Ok((external::resolve(tx, &named(order))?, change))
}

/// Preview a change of an order
///
/// Shows what it would do and cost, and keeps what it puts in until it is confirmed, declined or expires. One change of an order is open
/// at a time. A customer may change an order with a storefront key of its channel until picking begins, as far as the channel allows.
#[utoipa::path(post, path = "/v1/orders/{order}/changes", operation_id = "preview_order_change", tag = "change", request_body = NewChangeShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 201, body = ChangeShape), Problems))]
async fn preview_change(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<NewChangeShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (actions, reason) = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let order = external::resolve(tx, &named(&order))?;
        let asked = Asked { order, actions: actions.clone(), reason: reason.clone() };
        let shown = change::preview(tx, actor, world, asked)?;
        let order = engine::order::find(tx, order)?;
        Reply::json(&ChangeShape::of(&order, &shown))
    })
    .await
}

/// List the changes of an order, the newest first
#[utoipa::path(get, path = "/v1/orders/{order}/changes", operation_id = "list_order_changes", tag = "change",
    params(("order" = String, Path, description = "Id or external id"), PageQuery),
    responses((status = 200, body = Page<ChangeShape>), Problems))]
async fn list_changes(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
    AskedQuery(page): AskedQuery<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, before) = (page.limit()?, page.before_id()?);
    let (order, changes) = app
        .read(move |tx| {
            let order = external::resolve(tx, &named(&order))?;
            change::of_order(tx, &actor, order, before, limit)
        })
        .await?;
    let shapes = changes.iter().map(|change| ChangeShape::of(&order, change)).collect();
    document(&Page::new(shapes, limit, |change: &ChangeShape| change.id.clone()), None)
}

/// Read a change of an order
#[utoipa::path(get, path = "/v1/orders/{order}/changes/{change}", operation_id = "get_order_change", tag = "change",
    params(("order" = String, Path, description = "Id or external id"), ("change" = String, Path, description = "The change's id")),
    responses((status = 200, body = ChangeShape), Problems))]
async fn get_change(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((order, change)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let change = change_of(&change)?;
    let (order, found) = app
        .read(move |tx| {
            let which = which(tx, &order, change)?;
            change::read(tx, &actor, which)
        })
        .await?;
    document(&ChangeShape::of(&order, &found), None)
}

/// Confirm a change of an order
///
/// It is done exactly as it was shown, in one transaction, or refused. What is more is paid by the payments given; what the change puts in
/// is not prepared before it is paid. What is less is given back to the first means of payment.
#[utoipa::path(post, path = "/v1/orders/{order}/changes/{change}/confirm", operation_id = "confirm_order_change", tag = "change", request_body = ConfirmShape,
    params(("order" = String, Path, description = "Id or external id"), ("change" = String, Path, description = "The change's id"), KeyRequired),
    responses((status = 200, body = ChangeShape), Problems))]
async fn confirm_change(
    State(app): State<App>,
    Path((order, change)): Path<(String, String)>,
    command: Command<ConfirmShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let change = change_of(&change)?;
    let (expected, tenders) = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let which = which(tx, &order, change)?;
        let currency = engine::order::find(tx, which.0)?.currency;
        if expected.currency() != currency {
            let refusal = Refusal::new(Code::CurrencyMismatch, format!("the order is in {currency}"));
            return Err(refusal.at("expected_difference").into());
        }
        let input = Confirm { which, expected_difference: expected.minor(), tenders: tenders.clone() };
        let (whole, done) = change::confirm(tx, actor, world, input)?;
        Reply::json(&ChangeShape::of(&whole.order, &done))
    })
    .await
}

/// Decline a change of an order
///
/// What was kept for it is free again. Declining twice is the same as once.
#[utoipa::path(post, path = "/v1/orders/{order}/changes/{change}/decline", operation_id = "decline_order_change", tag = "change",
    params(("order" = String, Path, description = "Id or external id"), ("change" = String, Path, description = "The change's id"), KeyRequired),
    responses((status = 200, body = ChangeShape), Problems))]
async fn decline_change(
    State(app): State<App>,
    Path((order, change)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let change = change_of(&change)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let which = which(tx, &order, change)?;
        let declined = change::decline(tx, actor, world, which)?;
        let order = engine::order::find(tx, which.0)?;
        Reply::json(&ChangeShape::of(&order, &declined))
    })
    .await
}
