//! Write-offs over the API, and what one person may do alone.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::stock::WriteOffReason;
use domain::value::id::{Location, WriteOff as Kind};
use domain::value::{Currency, Id, Quantity, Reference};
use engine::external;
use engine::stock::rule::{self, Rule};
use engine::stock::write_off::{self, NewWriteOff, WriteOff};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Spot, reference, state};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(write_off_stock))
        .routes(routes!(list_write_offs))
        .routes(routes!(approve_write_off))
        .routes(routes!(decline_write_off))
        .routes(routes!(read_stock_rule, set_stock_rule))
}

/// Goods to be written off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWriteOff, example = json!({"variant": "22423", "location": "leeds", "quantity": 1, "from": "damaged", "reason": "scrapped"}))]
struct NewWriteOffShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// The location: id, external id or code.
    location: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which state they are: `available` (when not given), `damaged`, `quality`, `display` or `missing`.
    from: Option<String>,
    /// Why: `lost`, `stolen`, `scrapped` or `own_use`.
    reason: String,
    /// The retailer's paper.
    #[schema(min_length = 1, max_length = 200)]
    reference: Option<String>,
}

/// Goods written off, or to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WriteOff)]
struct WriteOffShape {
    /// Its id.
    id: String,
    /// Where.
    location: String,
    /// The variant.
    variant: String,
    /// In which state the goods were.
    from: &'static str,
    /// How many base units.
    quantity: i64,
    /// Why.
    reason: &'static str,
    /// The retailer's paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Where it stands: `asked` while a second person must agree, `posted` or `declined`.
    state: &'static str,
    /// Who asked for it.
    asked_by: String,
    /// When.
    #[schema(format = DateTime)]
    asked_at: String,
    /// Who posted, agreed or did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<&WriteOff> for WriteOffShape {
    fn from(one: &WriteOff) -> WriteOffShape {
        WriteOffShape {
            id: one.id.to_string(),
            location: one.location.to_string(),
            variant: one.variant.to_string(),
            from: one.from.text(),
            quantity: one.quantity,
            reason: one.reason.text(),
            reference: one.reference.clone(),
            state: one.state.text(),
            asked_by: one.asked_by.clone(),
            asked_at: one.asked_at.to_string(),
            ended_by: one.ended_by.clone(),
            ended_at: one.ended_at.map(|at| at.to_string()),
        }
    }
}

/// Write goods off, or ask a second person when they are worth more than one may write off alone
#[utoipa::path(post, path = "/v1/stock/write-offs", operation_id = "write_off_stock", tag = "stock", request_body = NewWriteOffShape,
    params(KeyRequired),
    responses((status = 201, body = WriteOffShape), Problems))]
async fn write_off_stock(
    State(app): State<App>,
    command: Command<NewWriteOffShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let quantity = fields.take("quantity", Quantity::new(body.quantity));
    let from = state(&mut fields, "from", body.from.as_deref().unwrap_or("available"));
    let reason = fields.take("reason", WriteOffReason::parse(&body.reason));
    let reference = reference(&mut fields, body.reference.as_ref());
    let read = quantity.zip(from).zip(reason).zip(reference);
    let (((quantity, from), reason), reference) = fields.done(read)?;
    let spot = Spot::read(&body.variant, &body.location);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        let new = NewWriteOff { variant, location, from, quantity, reason, reference: reference.clone() };
        Reply::json(&WriteOffShape::from(&write_off::ask(tx, actor, world, new)?))
    })
    .await
}

fn named(text: &str) -> Result<Id<Kind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("write-off", text))
}

/// Agree to a write-off as a second person
#[utoipa::path(post, path = "/v1/stock/write-offs/{id}/approve", operation_id = "approve_write_off", tag = "stock",
    params(("id" = String, Path, description = "The write-off's id"), KeyRequired),
    responses((status = 200, body = WriteOffShape), Problems))]
async fn approve_write_off(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&WriteOffShape::from(&write_off::approve(tx, actor, world, id)?))
    })
    .await
}

/// Do not agree to a write-off
#[utoipa::path(post, path = "/v1/stock/write-offs/{id}/decline", operation_id = "decline_write_off", tag = "stock",
    params(("id" = String, Path, description = "The write-off's id"), KeyRequired),
    responses((status = 200, body = WriteOffShape), Problems))]
async fn decline_write_off(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&WriteOffShape::from(&write_off::decline(tx, actor, world, id)?))
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WriteOffsQuery {
    /// Only those that wait for a second person; all when not given.
    #[serde(default)]
    waiting: bool,
}

/// List the write-offs of a location, the newest first
#[utoipa::path(get, path = "/v1/locations/{id}/write-offs", operation_id = "list_write_offs", tag = "stock",
    params(("id" = String, Path, description = "The location's id or external id"), WriteOffsQuery, PageQuery),
    responses((status = 200, body = Page<WriteOffShape>), Problems))]
async fn list_write_offs(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(query): Asked<WriteOffsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let list = move |tx: &mut Tx<'_>, before, limit| {
        let location = external::resolve(tx, &location)?;
        write_off::list(tx, &actor, (location, query.waiting), before, limit)
    };
    page.newest(&app, list, |one: &WriteOffShape| one.id.clone()).await
}

/// What one person may do alone at a location.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockRule, example = json!({"currency": "GBP", "write_off": 5000, "transfer": 100000}))]
struct StockRuleShape {
    /// The currency of the bounds.
    currency: String,
    /// The most in minor units that one may write off alone; no bound when absent. What nobody gave a value needs a second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    write_off: Option<i64>,
    /// The most in minor units that one may send to another location alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    transfer: Option<i64>,
}

impl From<&Rule> for StockRuleShape {
    fn from(rule: &Rule) -> StockRuleShape {
        StockRuleShape {
            currency: rule.currency.code().to_owned(),
            write_off: rule.write_off_minor,
            transfer: rule.transfer_minor,
        }
    }
}

/// Read what one person may do alone at a location
#[utoipa::path(get, path = "/v1/locations/{id}/stock-rule", operation_id = "read_stock_rule", tag = "stock",
    params(("id" = String, Path, description = "The location's id or external id")),
    responses((status = 200, body = StockRuleShape), Problems))]
async fn read_stock_rule(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            rule::read(tx, &actor, location)
        })
        .await?;
    document(&StockRuleShape::from(&found), None)
}

/// Set what one person may do alone at a location
#[utoipa::path(put, path = "/v1/locations/{id}/stock-rule", operation_id = "set_stock_rule", tag = "stock", request_body = StockRuleShape,
    params(("id" = String, Path, description = "The location's id or external id")),
    responses((status = 200, body = StockRuleShape), Problems))]
async fn set_stock_rule(
    State(app): State<App>,
    Path(location): Path<String>,
    command: Command<StockRuleShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let location = Reference::<Location>::read(&location);
    let mut fields = Fields::new();
    let currency = fields.take("currency", Currency::parse(&body.currency));
    let currency = fields.done(currency)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let rule = Rule {
            location: external::resolve(tx, &location)?,
            currency,
            write_off_minor: body.write_off,
            transfer_minor: body.transfer,
        };
        Reply::json(&StockRuleShape::from(&rule::set(tx, actor, world, rule)?))
    })
    .await
}
