//! Exchanges over the API: goods come back and others go in their place, in one step.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::id::{self, Cart};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use engine::returns::exchange::{self, Exchange, Swap};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::NewReturnShape;
use super::shape::ReturnShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::checkout::shape::TenderShape;
use crate::command::{Command, KeyRequired};
use crate::order::{money, named};
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, MoneyShape};

/// The most means of payment of one exchange.
const TENDERS_MAX: usize = 20;

/// The routes of exchanges.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(exchange_goods))
        .routes(routes!(read_exchange))
        .routes(routes!(list_order_exchanges))
}

/// Goods that come back against other goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewExchange, example = json!({"order": "ord_01jd0000000000000000000000", "cart": "cart_01jd0000000000000000000000", "payments": [{"kind": "cash"}],
    "back": {"location": "leeds", "reason": "too_small", "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1, "condition": "resellable"}]}}))]
struct NewExchangeShape {
    /// The order of the old goods: id or external id.
    order: String,
    /// What comes back, where and why. Whatever the new goods do not take of its money goes back as it says.
    back: NewReturnShape,
    /// The cart with the new goods.
    cart: String,
    /// The total of the new goods the customer was shown; another one refuses.
    expected_total: Option<MoneyShape>,
    /// How the rest is paid if the new goods cost more, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    payments: Vec<TenderShape>,
}

/// An exchange: one document that ties a return and a new order together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Exchange, example = json!({"id": "exg_01jd0000000000000000000000", "order": "ord_01jd0000000000000000000000", "return": "ret_01jd0000000000000000000000",
    "new_order": "ord_01jd0000000000000000000001", "location": "loc_01jd0000000000000000000000", "carried": {"amount": 1999, "currency": "GBP"}, "at": "2026-11-21T09:30:00Z"}))]
struct ExchangeShape {
    /// Its id.
    id: String,
    /// The order the old goods were bought with.
    order: String,
    /// Their return.
    r#return: String,
    /// The order of the new goods.
    new_order: String,
    /// Where it was done.
    location: String,
    /// How much of what was paid for the old goods pays for the new ones.
    carried: MoneyShape,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

impl ExchangeShape {
    fn of(tx: &mut Tx<'_>, one: &Exchange) -> Result<ExchangeShape, Failure> {
        let currency = engine::order::find(tx, one.order)?.currency;
        Ok(ExchangeShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            r#return: one.taken.to_string(),
            new_order: one.new_order.to_string(),
            location: one.location.to_string(),
            carried: money(one.carried, currency),
            at: one.at.to_string(),
        })
    }
}

/// An exchange that was just made, with its return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeExchange)]
struct MadeShape {
    /// The exchange.
    exchange: ExchangeShape,
    /// The return of the old goods, with how the rest of its money went back.
    r#return: ReturnShape,
}

/// Exchange goods: take some back and sell others in their place, in one step
///
/// What was paid for the old goods pays for the new ones. If they cost more the rest is paid by `payments`; if less, it goes back.
#[utoipa::path(post, path = "/v1/exchanges", operation_id = "exchange_goods", tag = "returns", request_body = NewExchangeShape,
    params(KeyRequired), responses((status = 201, body = MadeShape), Problems))]
async fn exchange_goods(
    State(app): State<App>,
    command: Command<NewExchangeShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let cart: Option<Id<Cart>> = fields.id("cart", &body.cart);
    let total = body.expected_total.as_ref().map(|total| fields.money("expected_total", total));
    if body.payments.len() > TENDERS_MAX {
        fields.refuse("payments", format!("give at most {TENDERS_MAX}"));
    }
    let tenders = fields.each("payments", &body.payments, |fields, tender| tender.read(fields));
    let back = fields.within("back", |fields| body.back.read(fields));
    let read = match total {
        Some(None) => None,
        total => cart.zip(tenders).zip(back).map(|read| (read, total.flatten())),
    };
    let (((cart, tenders), back), expected_total) = fields.done(read)?;
    let order = named(&body.order);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let back = back.of(tx, &order)?;
        let input = Swap { back, cart, expected_total, tenders: tenders.clone() };
        let (one, taken) = exchange::exchange(tx, actor, world, input)?;
        let made =
            MadeShape { exchange: ExchangeShape::of(tx, &one)?, r#return: ReturnShape::whole(tx, &taken)? };
        Reply::json(&made)
    })
    .await
}

/// Read an exchange
#[utoipa::path(get, path = "/v1/exchanges/{exchange}", operation_id = "read_exchange", tag = "returns",
    params(("exchange" = String, Path, description = "Its id.")), responses((status = 200, body = ExchangeShape), Problems))]
async fn read_exchange(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let missing = |_| Refusal::new(Code::NotFound, format!("no exchange \"{one}\""));
    let id: Id<id::Exchange> = Id::parse(&one).map_err(missing)?;
    let read = move |tx: &mut Tx<'_>| {
        let found = exchange::read(tx, &actor, id)?;
        ExchangeShape::of(tx, &found)
    };
    document(&app.read(read).await?, None)
}

/// List the exchanges an order had a part in
#[utoipa::path(get, path = "/v1/orders/{order}/exchanges", operation_id = "list_order_exchanges", tag = "returns",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = Page<ExchangeShape>), Problems))]
async fn list_order_exchanges(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order: Reference<id::Order> = named(&order);
    let read = move |tx: &mut Tx<'_>| {
        let id = external::resolve(tx, &order)?;
        let found = exchange::of_order(tx, &actor, id)?;
        found.iter().map(|one| ExchangeShape::of(tx, one)).collect::<Result<Vec<_>, _>>()
    };
    document(&Page { items: app.read(read).await?, next_cursor: None }, None)
}
