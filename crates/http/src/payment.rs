//! Payments over the API: looking at them, taking, letting go, giving back, recording receipts, and hearing from providers.

mod account;
mod reconciliation;
mod sequence;
mod webhook;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Actor;
use domain::value::id::Payment as PaymentKind;
use domain::value::{Id, Kind as IdKind, Reference};
use engine::payment::{self, Part, Whole};
use engine::{Failure, World, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::MoneyShape;

/// The routes of payments.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_payment))
        .routes(routes!(list_order_payments))
        .routes(routes!(capture_payment))
        .routes(routes!(void_payment))
        .routes(routes!(refund_payment))
        .routes(routes!(record_payment_receipt))
        .merge(account::routes())
        .merge(reconciliation::routes())
        .merge(sequence::routes())
        .merge(webhook::routes())
}

/// Money asked for an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment, example = json!({"id": "pay_01jd0000000000000000000000", "order": "ord_01jd0000000000000000000000", "kind": "test",
    "state": "captured", "amount": {"amount": 5995, "currency": "GBP"}, "authorised": {"amount": 5995, "currency": "GBP"},
    "captured": {"amount": 5995, "currency": "GBP"}, "refunded": {"amount": 0, "currency": "GBP"}, "capture": "at_once",
    "made_at": "2026-11-21T09:30:00Z", "version": 3, "refunds": [],
    "captures": [{"id": "cap_01jd0000000000000000000000", "state": "done", "amount": {"amount": 5995, "currency": "GBP"}, "at": "2026-11-21T09:30:01Z"}]}))]
pub struct PaymentShape {
    /// Its id.
    id: String,
    /// The order it pays.
    order: String,
    /// How it is paid: `cash`, `manual` (bank transfer or invoice), `card_record` (approved at a terminal), `stripe` (a card, by Stripe) or `test` (the test provider).
    kind: &'static str,
    /// Where it stands: `created`, `authorised`, `captured`, `refunded`, `voided`, `failed` or `expired`.
    state: &'static str,
    /// Asked for.
    amount: MoneyShape,
    /// How many points it is, for payments by points.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<i64>,
    /// Allowed.
    authorised: MoneyShape,
    /// Taken.
    captured: MoneyShape,
    /// Given back.
    refunded: MoneyShape,
    /// When authorised money is taken: `at_once` or `when_asked`.
    capture: &'static str,
    /// The location where it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// What the terminal printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardShape>,
    /// The account it is taken by.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The provider's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    /// Why the provider said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it expires unless it is authorised before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Counts its changes, from 1.
    version: i64,
    /// Its captures, in the order they were asked for.
    captures: Vec<PartShape>,
    /// Its refunds, in the order they were asked for.
    refunds: Vec<PartShape>,
}

/// One capture or refund of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentPart, example = json!({"id": "cap_01jd0000000000000000000000", "state": "done",
    "amount": {"amount": 5995, "currency": "GBP"}, "at": "2026-11-21T09:30:01Z"}))]
pub struct PartShape {
    /// Its id.
    id: String,
    /// Where it stands: `pending` (the provider is being asked), `done` or `failed`.
    state: &'static str,
    /// How much.
    amount: MoneyShape,
    /// When it was asked for.
    at: String,
    /// The provider's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    /// Why the provider said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// A card payment as the terminal printed it, masked.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CardRecord, example = json!({"last_four": "4242", "approval_code": "A1B2C3", "terminal": "T1/000123"}))]
pub struct CardShape {
    /// The last four digits of the card's number; more must never be sent.
    pub(crate) last_four: String,
    /// The code under which the card's issuer approved: 1 to 12 letters and digits.
    pub(crate) approval_code: String,
    /// Which terminal, and its own number of the payment: 1 to 200 characters.
    pub(crate) terminal: String,
    /// What the terminal calls the card whenever it pays, never its number: 1 to 200 characters. Who is known to have paid with it is known
    /// by it; only a keyed hash is kept, and it is never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) token: Option<String>,
}

impl From<&Whole> for PaymentShape {
    fn from(whole: &Whole) -> PaymentShape {
        let payment = &whole.payment;
        let currency = payment.currency.code();
        let money = |minor: i64| MoneyShape { amount: minor, currency: currency.to_owned() };
        PaymentShape {
            id: payment.id.to_string(),
            order: payment.order.to_string(),
            kind: payment.kind.text(),
            state: payment.state.text(),
            amount: money(payment.amounts.amount),
            points: payment.points,
            authorised: money(payment.amounts.authorised),
            captured: money(payment.amounts.captured),
            refunded: money(payment.amounts.refunded),
            capture: payment.timing.text(),
            location: payment.location.map(|id| id.to_string()),
            card: payment.card.clone().map(|(last_four, approval_code, terminal)| CardShape {
                last_four,
                approval_code,
                terminal,
                token: None,
            }),
            account: payment.account.map(|account| account.to_string()),
            provider_reference: payment.provider_reference.clone(),
            failure: payment.failure.clone(),
            expires_at: payment.expires_at.map(|at| at.to_string()),
            made_at: payment.made_at.to_string(),
            version: payment.version,
            captures: whole.captures.iter().map(|part| PartShape::of(part, currency)).collect(),
            refunds: whole.refunds.iter().map(|part| PartShape::of(part, currency)).collect(),
        }
    }
}

impl PartShape {
    fn of<K: IdKind>(part: &Part<K>, currency: &str) -> PartShape {
        PartShape {
            id: part.id.to_string(),
            state: part.state.text(),
            amount: MoneyShape { amount: part.amount, currency: currency.to_owned() },
            at: part.at.to_string(),
            provider_reference: part.provider_reference.clone(),
            failure: part.failure.clone(),
        }
    }
}

/// How much of a payment.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentAmount, example = json!({"amount": 2500}))]
struct AmountShape {
    /// Minor units of the payment's currency; everything that is open when not given.
    #[schema(minimum = 1)]
    amount: Option<i64>,
}

/// Show a payment
#[utoipa::path(get, path = "/v1/payments/{payment}", operation_id = "read_payment", tag = "payment",
    params(("payment" = String, Path, description = "Its id or external id.")),
    responses((status = 200, body = PaymentShape), Problems))]
async fn read_payment(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(payment): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&payment);
    let whole = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            payment::read(tx, &actor, id)
        })
        .await?;
    document(&PaymentShape::from(&whole), Some(whole.payment.version))
}

/// List the payments of an order
#[utoipa::path(get, path = "/v1/orders/{order}/payments", operation_id = "list_order_payments", tag = "payment",
    params(("order" = String, Path, description = "The order's id or external id.")),
    responses((status = 200, body = Page<PaymentShape>), Problems))]
async fn list_order_payments(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&order);
    let payments = app
        .read(move |tx| {
            let order = external::resolve(tx, &reference)?;
            payment::list(tx, &actor, order)
        })
        .await?;
    document(&Page { items: payments.iter().map(PaymentShape::from).collect(), next_cursor: None }, None)
}

/// Does something with a payment named in the path and answers the payment as it stands afterwards.
async fn change(
    app: App,
    request: engine::Request,
    payment: &str,
    mut change: impl FnMut(&mut Tx<'_>, &Actor, &mut World, Id<PaymentKind>) -> Result<(), Failure>
    + Send
    + 'static,
) -> Result<Response, Problem> {
    let reference = Reference::read(payment);
    app.perform(request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        change(tx, actor, world, id)?;
        let whole = payment::changed(tx, id)?;
        Reply::versioned(&PaymentShape::from(&whole), whole.payment.version)
    })
    .await
}

/// Take authorised money
///
/// Wholly or in part. The provider is asked after the answer: the capture is `pending` until it confirms.
#[utoipa::path(post, path = "/v1/payments/{payment}/capture", operation_id = "capture_payment", tag = "payment",
    params(("payment" = String, Path, description = "Its id or external id."), KeyRequired), request_body = AmountShape,
    responses((status = 200, body = PaymentShape), Problems))]
async fn capture_payment(
    State(app): State<App>,
    Path(payment): Path<String>,
    command: Command<AmountShape>,
) -> Result<Response, Problem> {
    let Command { body, request, .. } = command.keyed()?;
    change(app, request, &payment, move |tx, actor, world, id| {
        payment::capture(tx, actor, world, id, body.amount).map(drop)
    })
    .await
}

/// Let go of a payment before anything was taken
#[utoipa::path(post, path = "/v1/payments/{payment}/void", operation_id = "void_payment", tag = "payment",
    params(("payment" = String, Path, description = "Its id or external id."), KeyRequired),
    responses((status = 200, body = PaymentShape), Problems))]
async fn void_payment(
    State(app): State<App>,
    Path(payment): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let Command { request, .. } = command.keyed()?;
    change(app, request, &payment, payment::void).await
}

/// Give money back
///
/// Wholly or in part. Where a provider is asked, the refund is `pending` until it confirms.
#[utoipa::path(post, path = "/v1/payments/{payment}/refund", operation_id = "refund_payment", tag = "payment",
    params(("payment" = String, Path, description = "Its id or external id."), KeyRequired), request_body = AmountShape,
    responses((status = 200, body = PaymentShape), Problems))]
async fn refund_payment(
    State(app): State<App>,
    Path(payment): Path<String>,
    command: Command<AmountShape>,
) -> Result<Response, Problem> {
    let Command { body, request, .. } = command.keyed()?;
    change(app, request, &payment, move |tx, actor, world, id| {
        payment::refund(tx, actor, world, id, body.amount).map(drop)
    })
    .await
}

/// Record money that arrived by bank transfer
#[utoipa::path(post, path = "/v1/payments/{payment}/receipt", operation_id = "record_payment_receipt", tag = "payment",
    params(("payment" = String, Path, description = "Its id or external id."), KeyRequired), request_body = AmountShape,
    responses((status = 200, body = PaymentShape), Problems))]
async fn record_payment_receipt(
    State(app): State<App>,
    Path(payment): Path<String>,
    command: Command<AmountShape>,
) -> Result<Response, Problem> {
    let Command { body, request, .. } = command.keyed()?;
    change(app, request, &payment, move |tx, actor, world, id| {
        payment::record_receipt(tx, actor, world, id, body.amount).map(drop)
    })
    .await
}
