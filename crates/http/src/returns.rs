//! Returns over the API: goods come back, with their order or without it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::returns::Condition;
use domain::value;
use domain::value::id::{self, Location, OrderLine, Variant};
use domain::value::{Currency, Id, Money, Quantity, Reference};
use engine::external;
use engine::returns::{self, Back, BackLine, Blind, BlindLine, LINES_MAX, Return};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::order::{money, named};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The most characters of a reason.
const REASON_LENGTH_MAX: usize = 200;

/// The routes of returns.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(return_order, list_order_returns))
        .routes(routes!(return_goods, list_returns))
        .routes(routes!(get_return))
}

/// A return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Return, example = json!({"id": "ret_01jd0000000000000000000000", "order": "ord_01jd0000000000000000000000", "location": "loc_01jd0000000000000000000000", "state": "refunded",
    "reason": "too small", "refund": {"amount": 1999, "currency": "GBP"}, "at": "2026-11-21T09:30:00Z", "lines": []}))]
struct ReturnShape {
    /// Its id.
    id: String,
    /// The order, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// Where the goods came back to.
    location: String,
    /// Where it stands: `received` or `refunded`.
    state: &'static str,
    /// Why, in the retailer's words.
    reason: String,
    /// What is given back.
    refund: MoneyShape,
    /// The retailer's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// When.
    at: String,
    /// What came back; empty in lists.
    lines: Vec<ReturnLineShape>,
}

/// Goods that came back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnLine)]
struct ReturnLineShape {
    /// Its id.
    id: String,
    /// The order line, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    /// What.
    variant: String,
    /// How many base units.
    quantity: i64,
    /// In which condition.
    condition: &'static str,
    /// What is given back for them.
    refund: MoneyShape,
}

impl From<&Return> for ReturnShape {
    fn from(one: &Return) -> ReturnShape {
        let line = |line: &returns::Line| ReturnLineShape {
            id: line.id.to_string(),
            line: line.order_line.map(|line| line.to_string()),
            variant: line.variant.to_string(),
            quantity: line.quantity,
            condition: line.condition.text(),
            refund: money(line.refund, one.currency),
        };
        ReturnShape {
            id: one.id.to_string(),
            order: one.order.map(|order| order.to_string()),
            location: one.location.to_string(),
            state: one.state.text(),
            reason: one.reason.clone(),
            refund: money(one.refund, one.currency),
            external_id: one.external_id.clone(),
            at: one.at.to_string(),
            lines: one.lines.iter().map(line).collect(),
        }
    }
}

/// Goods of an order that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderReturn, example = json!({"location": "leeds", "reason": "too small", "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1, "condition": "resellable"}]}))]
struct NewReturnShape {
    /// Where they come back to: id or external id.
    location: String,
    /// Why, in the retailer's words.
    reason: String,
    /// What comes back, 1 to 2,000 lines.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewReturnLineShape>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

/// Goods of an order line that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderReturnLine)]
struct NewReturnLineShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition: `resellable`, `inspect`, `damaged`, `scrap`, or `kept` when the customer keeps them.
    condition: String,
}

fn condition(fields: &mut Fields, text: &str) -> Option<Condition> {
    fields.take("condition", Condition::named(text).ok_or("give resellable, inspect, damaged, scrap or kept"))
}

fn reason(fields: &mut Fields, text: &str) -> Option<String> {
    fields.take("reason", value::text::bounded("reason", text, 1, REASON_LENGTH_MAX))
}

fn external(fields: &mut Fields, text: Option<String>) -> Option<Option<String>> {
    fields.take_if("external_id", text, |text| value::reference::external_id::<id::Return>(&text))
}

fn bounded(fields: &mut Fields, lines: usize) {
    if lines == 0 || lines > LINES_MAX {
        fields.refuse("lines", format!("give 1 to {LINES_MAX} lines"));
    }
}

/// Take goods of an order back, at any location that takes returns
#[utoipa::path(post, path = "/v1/orders/{order}/returns", operation_id = "return_order", tag = "returns", request_body = NewReturnShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 201, body = ReturnShape), Problems))]
async fn return_order(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<NewReturnShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    bounded(&mut fields, body.lines.len());
    let why = reason(&mut fields, &body.reason);
    let external_id = external(&mut fields, body.external_id);
    let read = |(place, line): (usize, &NewReturnLineShape)| {
        fields.within(format!("lines.{place}"), |fields| {
            let (id, condition): (Option<Id<OrderLine>>, _) =
                (fields.id("line", &line.line), condition(fields, &line.condition));
            Some(BackLine { line: id?, quantity: line.quantity, condition: condition? })
        })
    };
    let lines: Vec<BackLine> = body.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
    let (reason, external_id) = fields.done(why.zip(external_id))?;
    let (order, location) = (named(&order), Reference::<Location>::read(&body.location));
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let input = Back {
            order: external::resolve(tx, &order)?,
            location: external::resolve_at(tx, "location", &location)?,
            reason: reason.clone(),
            lines: lines.clone(),
            external_id: external_id.clone(),
        };
        Reply::json(&ReturnShape::from(&returns::take_back(tx, actor, world, input)?))
    })
    .await
}

/// Goods that come back without a known order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturn, example = json!({"location": "leeds", "reason": "gift", "currency": "GBP", "lines": [{"variant": "84029G", "quantity": 1, "condition": "resellable", "refund": 399}]}))]
struct NewBlindShape {
    /// Where they come back to: id or external id.
    location: String,
    /// Why, in the retailer's words.
    reason: String,
    /// ISO 4217.
    currency: String,
    /// What comes back, 1 to 2,000 lines.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewBlindLineShape>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

/// Goods of one variant that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturnLine)]
struct NewBlindLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition: `resellable`, `inspect`, `damaged`, `scrap` or `kept`.
    condition: String,
    /// What is given back for all of them by hand, in minor units.
    #[schema(minimum = 0, maximum = 10_000_000_000_000i64)]
    refund: i64,
}

/// A line that was read, its variant still by name.
#[derive(Clone)]
struct Named {
    variant: Reference<Variant>,
    quantity: Quantity,
    condition: Condition,
    refund: i64,
}

/// Take goods back whose order is not known
#[utoipa::path(post, path = "/v1/returns", operation_id = "return_goods", tag = "returns", request_body = NewBlindShape,
    params(KeyRequired),
    responses((status = 201, body = ReturnShape), Problems))]
async fn return_goods(State(app): State<App>, command: Command<NewBlindShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    bounded(&mut fields, body.lines.len());
    let why = reason(&mut fields, &body.reason);
    let currency = fields.take("currency", Currency::parse(&body.currency));
    let external_id = external(&mut fields, body.external_id);
    let read = |(place, line): (usize, &NewBlindLineShape)| {
        fields.within(format!("lines.{place}"), |fields| {
            let (quantity, condition) =
                (fields.take("quantity", Quantity::new(line.quantity)), condition(fields, &line.condition));
            if !(0..=Money::MAX).contains(&line.refund) {
                fields.refuse("refund", "give 0 or more minor units");
            }
            Some(Named {
                variant: Reference::read(&line.variant),
                quantity: quantity?,
                condition: condition?,
                refund: line.refund,
            })
        })
    };
    let lines: Vec<Named> = body.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
    let ((reason, currency), external_id) = fields.done(why.zip(currency).zip(external_id))?;
    let location = Reference::<Location>::read(&body.location);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let found = lines.iter().enumerate().map(|(place, line)| {
            let variant =
                engine::catalogue::resolve_variant(tx, &format!("lines.{place}.variant"), &line.variant)?;
            Ok::<_, engine::Failure>(BlindLine {
                variant,
                quantity: line.quantity.units(),
                condition: line.condition,
                refund: line.refund,
            })
        });
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let location = external::resolve_at(tx, "location", &location)?;
        let input = Blind {
            location,
            reason: reason.clone(),
            currency,
            lines: found,
            external_id: external_id.clone(),
        };
        Reply::json(&ReturnShape::from(&returns::take_back_blind(tx, actor, world, input)?))
    })
    .await
}

/// Read a return
#[utoipa::path(get, path = "/v1/returns/{return}", operation_id = "get_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id")), responses((status = 200, body = ReturnShape), Problems))]
async fn get_return(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let one = Reference::<id::Return>::read(&one);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &one)?;
            returns::read(tx, &actor, id)
        })
        .await?;
    document(&ReturnShape::from(&found), None)
}

/// The returns of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderReturns)]
struct ReturnsShape {
    /// Each, in the order they came.
    items: Vec<ReturnShape>,
}

/// List the returns of an order
#[utoipa::path(get, path = "/v1/orders/{order}/returns", operation_id = "list_order_returns", tag = "returns",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = ReturnsShape), Problems))]
async fn list_order_returns(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order = named(&order);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &order)?;
            returns::of_order(tx, &actor, id)
        })
        .await?;
    document(&ReturnsShape { items: found.iter().map(ReturnShape::from).collect() }, None)
}

/// List returns, the newest first
#[utoipa::path(get, path = "/v1/returns", operation_id = "list_returns", tag = "returns", params(PageQuery),
    responses((status = 200, body = Page<ReturnShape>), Problems))]
async fn list_returns(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, before) = (page.limit()?, page.before_id()?);
    let found = app.read(move |tx| returns::list(tx, &actor, before, limit)).await?;
    document(
        &Page::new(found.iter().map(ReturnShape::from).collect(), limit, |one: &ReturnShape| one.id.clone()),
        None,
    )
}
