//! Store credit over the API: given to a customer, corrected, and what is on it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Actor;
use domain::value::id::{self, Customer};
use domain::value::{Id, Money, Reference};
use domain::{Code, Refusal};
use engine::loyalty::store_credit::{self, StoreCredit};
use engine::{Failure, World, external, loyalty};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AdjustShape, MovementShape, money, movements, named};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The routes of store credit.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue_store_credit, list_store_credits))
        .routes(routes!(read_store_credit))
        .routes(routes!(adjust_store_credit))
        .routes(routes!(list_store_credit_movements))
}

/// A store credit: what we owe one customer in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoreCredit, example = json!({"id": "scr_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000", "balance": {"amount": 1500, "currency": "GBP"},
    "held": {"amount": 0, "currency": "GBP"}, "made_at": "2026-11-21T09:30:00Z"}))]
struct CreditShape {
    /// Its id.
    id: String,
    /// Whose it is.
    customer: String,
    /// What is free to be spent.
    balance: MoneyShape,
    /// What is held for orders that are not placed yet.
    held: MoneyShape,
    /// When it was opened.
    #[schema(format = DateTime)]
    made_at: String,
}

impl CreditShape {
    fn of(tx: &mut Tx<'_>, one: &StoreCredit) -> Result<CreditShape, Failure> {
        let credit = store_credit::credit(one);
        let (free, held) = loyalty::balance(tx, &credit)?;
        Ok(CreditShape {
            id: one.id.to_string(),
            customer: one.customer.to_string(),
            balance: money(free, one.currency),
            held: money(held, one.currency),
            made_at: one.made_at.to_string(),
        })
    }
}

/// Store credit to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStoreCredit, example = json!({"customer": "CRM-1001", "amount": {"amount": 1500, "currency": "GBP"}}))]
struct NewCreditShape {
    /// To whom: the customer's id or external id.
    customer: String,
    /// How much.
    amount: MoneyShape,
}

/// Give a customer store credit
#[utoipa::path(post, path = "/v1/store-credits", operation_id = "issue_store_credit", tag = "loyalty", request_body = NewCreditShape,
    params(KeyRequired), responses((status = 201, body = CreditShape), Problems))]
async fn issue_store_credit(
    State(app): State<App>,
    command: Command<NewCreditShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let amount = fields.money("amount", &command.body.amount);
    let amount = fields.done(amount)?;
    let customer = Reference::<Customer>::read(&command.body.customer);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let one = issued(tx, actor, world, &customer, amount)?;
        Reply::json(&CreditShape::of(tx, &one)?)
    })
    .await
}

fn issued(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: &Reference<Customer>,
    amount: Money,
) -> Result<StoreCredit, Failure> {
    let customer = external::resolve_at(tx, "customer", customer)?;
    store_credit::issue(tx, actor, world, customer, amount).map_err(|failure| match failure {
        Failure::Refused(refusal) if refusal.code() == Code::NotFound => {
            Refusal::invalid("customer", refusal.message()).into()
        }
        other => other,
    })
}

/// Whose store credits are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CreditsQuery {
    /// The customer: its id or external id.
    customer: String,
}

/// List a customer's store credits, one for each currency
#[utoipa::path(get, path = "/v1/store-credits", operation_id = "list_store_credits", tag = "loyalty", params(CreditsQuery),
    responses((status = 200, body = Page<CreditShape>), Problems))]
async fn list_store_credits(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<CreditsQuery>,
) -> Result<Response, Problem> {
    let customer = Reference::<Customer>::read(&query.customer);
    let read = move |tx: &mut Tx<'_>| {
        let customer = external::resolve_at(tx, "customer", &customer)?;
        let found = store_credit::of_customer(tx, &actor, customer)?;
        found.iter().map(|one| CreditShape::of(tx, one)).collect::<Result<Vec<_>, _>>()
    };
    document(&Page { items: app.read(read).await?, next_cursor: None }, None)
}

/// Read a store credit
#[utoipa::path(get, path = "/v1/store-credits/{credit}", operation_id = "read_store_credit", tag = "loyalty",
    params(("credit" = String, Path, description = "Its id.")), responses((status = 200, body = CreditShape), Problems))]
async fn read_store_credit(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(credit): Path<String>,
) -> Result<Response, Problem> {
    let id: Id<id::StoreCredit> = named(&credit)?;
    let read = move |tx: &mut Tx<'_>| {
        let one = store_credit::read(tx, &actor, id)?;
        CreditShape::of(tx, &one)
    };
    document(&app.read(read).await?, None)
}

/// Correct what is on a store credit
#[utoipa::path(post, path = "/v1/store-credits/{credit}/adjust", operation_id = "adjust_store_credit", tag = "loyalty", request_body = AdjustShape,
    params(("credit" = String, Path, description = "Its id."), KeyRequired), responses((status = 200, body = CreditShape), Problems))]
async fn adjust_store_credit(
    State(app): State<App>,
    Path(credit): Path<String>,
    command: Command<AdjustShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, adjustment) = (named(&credit)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let one = store_credit::read(tx, actor, id)?;
        loyalty::adjust(tx, actor, world, &store_credit::credit(&one), adjustment.clone())?;
        Reply::json(&CreditShape::of(tx, &one)?)
    })
    .await
}

/// List what came onto a store credit and went from it, the newest first
#[utoipa::path(get, path = "/v1/store-credits/{credit}/movements", operation_id = "list_store_credit_movements", tag = "loyalty",
    params(("credit" = String, Path, description = "Its id."), PageQuery), responses((status = 200, body = Page<MovementShape>), Problems))]
async fn list_store_credit_movements(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(credit): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let id = named(&credit)?;
    let find = move |tx: &mut Tx<'_>, actor: &Actor| {
        store_credit::read(tx, actor, id).map(|one| (store_credit::credit(&one), one.currency))
    };
    movements(app, actor, page, find).await
}
