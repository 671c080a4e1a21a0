//! The gift cards an order brought, and their codes, for who holds the order.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::Money;
use engine::checkout::gift;
use serde::Serialize;
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::loyalty::{ShownCodeShape, named};
use crate::problem::{Problem, Problems};
use crate::shape::MoneyShape;

/// The routes of gift cards that were bought.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_order_gift_cards)).routes(routes!(show_order_gift_card_code))
}

/// A gift card an order brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderGiftCard, example = json!({"id": "gft_01jd0000000000000000000000", "line": "lin_01jd0000000000000000000000", "amount": {"amount": 2500, "currency": "GBP"},
    "last_four": "C1R8", "code_shown": false}))]
struct SoldShape {
    /// The card's id.
    id: String,
    /// The order's line.
    line: String,
    /// What was on it when it was sold.
    amount: MoneyShape,
    /// The last four letters and digits of its code.
    last_four: String,
    /// Was its code shown? It is shown once.
    code_shown: bool,
    /// From when on it cannot be spent any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    taken_back_at: Option<String>,
}

/// The gift cards an order brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderGiftCards)]
struct CardsShape {
    /// Line by line.
    items: Vec<SoldShape>,
}

/// List the gift cards an order brought
///
/// They are there as soon as their money is taken.
#[utoipa::path(get, path = "/v1/orders/{order}/gift-cards", operation_id = "list_order_gift_cards", tag = "checkout",
    params(("order" = String, Path, description = "The order's id.")), responses((status = 200, body = CardsShape), Problems))]
async fn list_order_gift_cards(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&order)?;
    let found = app.read(move |tx: &mut Tx<'_>| gift::cards(tx, &actor, id)).await?;
    let shape =
        |(sold, card): &(store::loyalty::sale::Sold, engine::loyalty::gift_card::GiftCard)| SoldShape {
            id: card.id.to_string(),
            line: sold.line.to_string(),
            amount: Money::new(sold.minor, card.currency)
                .unwrap_or_else(|_| Money::zero(card.currency))
                .into(),
            last_four: card.last_four.clone(),
            code_shown: card.code_shown_at.is_some(),
            expires_at: card.expires_at.map(|at| at.to_string()),
            taken_back_at: sold.taken_back_at.map(|at| at.to_string()),
        };
    document(&CardsShape { items: found.iter().map(shape).collect() }, None)
}

/// Show the code of a gift card an order brought, once
///
/// Not kept for repetition: an `Idempotency-Key` is ignored here, so that no code is stored. Who lost the answer asks the shop for another card.
#[utoipa::path(post, path = "/v1/orders/{order}/gift-cards/{card}/code", operation_id = "show_order_gift_card_code", tag = "checkout",
    params(("order" = String, Path, description = "The order's id."), ("card" = String, Path, description = "The card's id.")),
    responses((status = 200, body = ShownCodeShape), Problems))]
async fn show_order_gift_card_code(
    State(app): State<App>,
    Path((order, card)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let which = (named(&order)?, named(&card)?);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ShownCodeShape { code: gift::show_code(tx, actor, world, which)? })
    })
    .await
}
