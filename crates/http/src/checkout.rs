//! Checkout over the API: placing an order, and what then happens to it: payment, fulfilment.

mod gift;
mod leave;
pub(crate) mod shape;
mod substitute;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{self, Location};
use domain::value::{Id, Instant, Money, Reference};
use engine::checkout::{self, Checkout, Tender};
use engine::external;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::order::named;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, MoneyShape};
pub(crate) use shape::{OrderShape, TenderShape};
use substitute::{SubstitutionShape, Wanted as Substitution};

/// The most means of payment of one order.
pub(crate) const TENDERS_MAX: usize = 10;

/// The routes of placing orders and of what happens to them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(checkout_cart))
        .routes(routes!(get_order))
        .routes(routes!(pay_order))
        .merge(gift::routes())
        .merge(leave::routes())
        .merge(substitute::routes())
}

/// How a cart is to be ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Checkout, example = json!({"expected_total": {"amount": 1999, "currency": "GBP"}, "payments": [{"kind": "test", "provider_token": "tok_ok"}]}))]
struct CheckoutShape {
    /// The total the customer was shown; if it is another one now, nothing is ordered.
    expected_total: Option<MoneyShape>,
    /// How it is paid, in order; without any the order waits for its payment.
    #[serde(default)]
    #[schema(max_items = 10)]
    payments: Vec<TenderShape>,
    /// What may take the place of what is not there; nothing when it is not said.
    substitution: Option<SubstitutionShape>,
    /// The location that must serve it, id or external id; needs `orders:write`.
    serve_from: Option<String>,
    /// When it was sold, RFC 3339, for sales made off line: prices, promotions and taxes are those of then; needs `orders:write`.
    #[schema(format = DateTime)]
    placed_at: Option<String>,
    /// The retailer's own id for the order.
    external_id: Option<String>,
}

struct Wanted {
    expected_total: Option<Money>,
    tenders: Vec<Tender>,
    substitution: Option<Substitution>,
    serve_from: Option<Reference<Location>>,
    placed_at: Option<Instant>,
    external_id: Option<String>,
}

impl CheckoutShape {
    fn read(self) -> Result<Wanted, Refusal> {
        let mut fields = Fields::new();
        let expected = self.expected_total.as_ref().map(|money| fields.money("expected_total", money));
        if self.payments.len() > TENDERS_MAX {
            fields.refuse("payments", format!("give at most {TENDERS_MAX} means of payment"));
        }
        let tenders = self.payments.iter().take(TENDERS_MAX).enumerate();
        let tenders: Vec<Tender> = tenders
            .filter_map(|(place, tender)| {
                fields.within(format!("payments.{place}"), |fields| tender.read(fields))
            })
            .collect();
        let substitution = self.substitution.as_ref();
        let substitution = substitution
            .and_then(|substitution| fields.within("substitution", |fields| substitution.read(fields)));
        let placed_at = fields.take_if("placed_at", self.placed_at, |text| Instant::parse(&text));
        let external_id = fields.take_if("external_id", self.external_id, |text| {
            domain::value::reference::external_id::<id::Order>(&text)
        });
        let asked = placed_at.zip(external_id).map(|(placed_at, external_id)| Wanted {
            expected_total: expected.flatten(),
            tenders,
            substitution,
            serve_from: self.serve_from.map(|text| Reference::read(&text)),
            placed_at,
            external_id,
        });
        fields.done(asked)
    }
}

/// Order a cart
///
/// The prices are frozen, the stock is taken and the payments begin in one transaction, or nothing happens at all.
#[utoipa::path(post, path = "/v1/carts/{id}/checkout", operation_id = "checkout_cart", tag = "checkout", request_body = CheckoutShape,
    params(("id" = String, Path, description = "The cart's id"), KeyRequired),
    responses((status = 201, body = OrderShape), Problems))]
async fn checkout_cart(
    State(app): State<App>,
    Path(cart): Path<String>,
    command: Command<CheckoutShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let asked = command.body.read()?;
    let cart: Id<id::Cart> = Id::parse(&cart).map_err(|_| Refusal::not_found("cart", &cart))?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let input = Checkout {
            cart,
            expected_total: asked.expected_total,
            tenders: asked.tenders.clone(),
            serve_from: asked
                .serve_from
                .as_ref()
                .map(|location| external::resolve_at(tx, "serve_from", location))
                .transpose()?,
            placed_at: asked.placed_at,
            external_id: asked.external_id.clone(),
        };
        let whole = checkout::place(tx, actor, world, input)?;
        if let Some(substitution) = &asked.substitution {
            let consents = substitution.find(tx)?;
            engine::fulfilment::substitute::allow(tx, actor, world, whole.order.id, &consents)?;
        }
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}

/// Read an order
#[utoipa::path(get, path = "/v1/orders/{order}", operation_id = "get_order", tag = "checkout",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = OrderShape), Problems))]
async fn get_order(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order = named(&order);
    let whole = app
        .read(move |tx| {
            let id = external::resolve(tx, &order)?;
            checkout::read(tx, &actor, id)
        })
        .await?;
    document(&OrderShape::from(&whole), Some(whole.order.version))
}

/// Pay what is open on an order
#[utoipa::path(post, path = "/v1/orders/{order}/payments", operation_id = "pay_order", tag = "checkout", request_body = TenderShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 201, body = OrderShape), Problems))]
async fn pay_order(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<TenderShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let tender = command.body.read(&mut fields);
    let tender = fields.done(tender)?;
    let order = named(&order);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &order)?;
        let whole = checkout::pay(tx, actor, world, id, tender.clone())?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}
