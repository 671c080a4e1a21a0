//! Orders over the API: their shapes, lists and figures.

mod search;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::order::State as OrderState;
use domain::value::id::{self, Channel, Company};
use domain::value::{Currency, Instant, Money, Reference};
use domain::{Code, Refusal};
use engine::order::{self, Discount, Figures, Line, Order};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::MoneyShape;

/// The routes of reading orders.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_orders))
        .routes(routes!(list_company_orders))
        .routes(routes!(list_order_discounts))
        .routes(routes!(get_figures))
        .merge(search::routes())
}

/// An amount of an order: what the store keeps is within bounds.
pub(crate) fn money(minor: i64, currency: Currency) -> MoneyShape {
    Money::new(minor, currency).unwrap_or_else(|_| Money::zero(currency)).into()
}

/// An order as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderHead, example = json!({"id": "ord_01jd0000000000000000000000", "number": "7KQ4-M2XD", "channel": "chn_01jd0000000000000000000000", "state": "placed", "kind": "ship",
    "net": {"amount": 1666, "currency": "GBP"}, "tax": {"amount": 333, "currency": "GBP"}, "gross": {"amount": 1999, "currency": "GBP"}, "cancelled": {"amount": 0, "currency": "GBP"},
    "returned": {"amount": 0, "currency": "GBP"}, "delivery": {"amount": 395, "currency": "GBP"}, "prices_include_tax": true, "placed_at": "2026-11-21T09:30:00Z", "version": 1}))]
pub(crate) struct HeadShape {
    /// Its id.
    pub(crate) id: String,
    /// The number people say.
    number: String,
    /// The retailer's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The channel it came through.
    channel: String,
    /// The customer, if one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// The company in whose name it was bought, if it was in one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    /// The contact it goes to; what is in it is read with permission and noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// Where it is collected, or was handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// Where it stands: `pending_payment`, `placed`, `completed` or `cancelled`.
    state: &'static str,
    /// How it reaches the customer: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// Everything without tax.
    net: MoneyShape,
    /// The tax.
    tax: MoneyShape,
    /// Everything with tax.
    gross: MoneyShape,
    /// Of it, the delivery with tax.
    delivery: MoneyShape,
    /// What was cancelled of the gross.
    cancelled: MoneyShape,
    /// What came back of the gross.
    returned: MoneyShape,
    /// Do unit prices contain the tax?
    prices_include_tax: bool,
    /// When it was placed.
    #[schema(format = DateTime)]
    placed_at: String,
    /// When it expires unless it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    payment_due_at: Option<String>,
    /// The change of it that waits for a yes or no.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_change: Option<String>,
    /// When it was changed last after it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    changed_at: Option<String>,
    /// Rises with every change.
    version: i64,
}

impl From<&Order> for HeadShape {
    fn from(order: &Order) -> HeadShape {
        let money = |minor| money(minor, order.currency);
        HeadShape {
            id: order.id.to_string(),
            number: order.number.clone(),
            external_id: order.external_id.clone(),
            channel: order.channel.to_string(),
            customer: order.customer.map(|customer| customer.to_string()),
            company: order.company.map(|company| company.to_string()),
            contact: order.contact.map(|contact| contact.to_string()),
            location: order.location.map(|location| location.to_string()),
            state: order.state.text(),
            kind: order.kind.text(),
            net: money(order.net),
            tax: money(order.tax),
            gross: money(order.gross),
            delivery: money(order.delivery_gross),
            cancelled: money(order.cancelled),
            returned: money(order.returned),
            prices_include_tax: order.prices_include_tax,
            placed_at: order.placed_at.to_string(),
            payment_due_at: order.payment_due_at.map(|at| at.to_string()),
            open_change: order.open_change.map(|change| change.to_string()),
            changed_at: order.changed_at.map(|at| at.to_string()),
            version: order.version,
        }
    }
}

/// A line of an order, frozen when it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(crate) struct LineShape {
    /// Its id.
    id: String,
    /// What was sold.
    variant: String,
    /// Its SKU then.
    sku: String,
    /// Its title then.
    title: String,
    /// How many base units.
    quantity: i64,
    /// The price of one as it was shown.
    unit_price: MoneyShape,
    /// The line without tax.
    net: MoneyShape,
    /// Its tax.
    tax: MoneyShape,
    /// The line with tax.
    gross: MoneyShape,
    /// Its tax rate in parts per million: 200000 is 20 %.
    tax_rate: i64,
    /// How many were cancelled.
    cancelled: i64,
    /// How many came back.
    returned: i64,
}

impl LineShape {
    pub(crate) fn of(line: &Line, currency: Currency) -> LineShape {
        LineShape {
            id: line.id.to_string(),
            variant: line.variant.to_string(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price: money(line.unit, currency),
            net: money(line.net, currency),
            tax: money(line.tax, currency),
            gross: money(line.gross, currency),
            tax_rate: line.tax_rate.parts_per_million(),
            cancelled: line.cancelled,
            returned: line.returned,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OrdersQuery {
    /// Only the order with this number.
    number: Option<String>,
    /// Only orders of this channel: id or external id.
    channel: Option<String>,
    /// Only orders in this state: `pending_payment`, `placed`, `completed` or `cancelled`.
    state: Option<String>,
}

/// List orders, the newest first
#[utoipa::path(get, path = "/v1/orders", operation_id = "list_orders", tag = "order", params(OrdersQuery, PageQuery),
    responses((status = 200, body = Page<HeadShape>), Problems))]
async fn list_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<OrdersQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let before = page.before_id()?;
    let state = query.state.as_deref().map(|text| {
        OrderState::named(text)
            .ok_or_else(|| Refusal::invalid("state", "give pending_payment, placed, completed or cancelled"))
    });
    let state = state.transpose()?;
    let channel = query.channel.map(|text| Reference::<Channel>::read(&text));
    let orders = app
        .read(move |tx| {
            if let Some(number) = &query.number {
                return match order::by_number(tx, &actor, number) {
                    Err(failure) if failure.code() == Some(Code::NotFound) => Ok(Vec::new()),
                    found => Ok(vec![order::find(tx, found?)?]),
                };
            }
            let channel =
                channel.as_ref().map(|channel| external::resolve_at(tx, "channel", channel)).transpose()?;
            order::list(tx, &actor, before, (channel, state), limit)
        })
        .await?;
    document(
        &Page::new(orders.iter().map(HeadShape::from).collect(), limit, |order: &HeadShape| order.id.clone()),
        None,
    )
}

/// List the orders bought in a company's name, the newest first
///
/// Its approvers and administrators see them too.
#[utoipa::path(get, path = "/v1/companies/{company}/orders", operation_id = "list_company_orders", tag = "order",
    params(("company" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<HeadShape>), Problems))]
async fn list_company_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(company): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let reference: Reference<Company> = Reference::read(&company);
    let (limit, before) = (page.limit()?, page.before_id()?);
    let orders = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            order::of_company(tx, &actor, id, (before, limit))
        })
        .await?;
    let shapes = orders.iter().map(HeadShape::from).collect();
    document(&Page::new(shapes, limit, |order: &HeadShape| order.id.clone()), None)
}

/// What a promotion lowered a line of an order, or its delivery, by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDiscount, example = json!({"line": "lin_01jd0000000000000000000000", "promotion": "pro_01jd0000000000000000000000", "quantity": 3,
    "amount": {"amount": 500, "currency": "GBP"}}))]
struct DiscountShape {
    /// The line; the delivery when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    /// The promotion.
    promotion: String,
    /// The coupon that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<String>,
    /// On so many base units; those that open a set count too.
    quantity: i64,
    /// By so much.
    amount: MoneyShape,
}

impl DiscountShape {
    fn of(discount: &Discount, currency: Currency) -> DiscountShape {
        DiscountShape {
            line: discount.line.map(|line| line.to_string()),
            promotion: discount.promotion.to_string(),
            coupon: discount.coupon.map(|coupon| coupon.to_string()),
            quantity: discount.quantity,
            amount: money(discount.minor, currency),
        }
    }
}

/// What lowered an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDiscounts)]
struct DiscountsShape {
    /// In the order of the lines.
    items: Vec<DiscountShape>,
}

/// List what promotions lowered an order by
///
/// Frozen when it was placed: a line's unit price times its quantity, less this, is what the line came to.
#[utoipa::path(get, path = "/v1/orders/{order}/discounts", operation_id = "list_order_discounts", tag = "order",
    params(("order" = String, Path, description = "The order's id or external id.")), responses((status = 200, body = DiscountsShape), Problems))]
async fn list_order_discounts(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let named = named(&order);
    let shape = app
        .read(move |tx| {
            let id = external::resolve(tx, &named)?;
            let currency = order::find(tx, id)?.currency;
            let found = order::discounts(tx, &actor, id)?;
            let items = found.iter().map(|discount| DiscountShape::of(discount, currency)).collect();
            Ok::<_, Failure>(DiscountsShape { items })
        })
        .await?;
    document(&shape, None)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SpanQuery {
    /// From this instant on, RFC 3339.
    #[param(format = DateTime)]
    from: String,
    /// Until this instant, not included, RFC 3339.
    #[param(format = DateTime)]
    to: String,
}

/// What the orders placed in a span of time come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figures, example = json!({"items": [{"channel": "chn_01jd0000000000000000000000", "orders": 12, "units": 40, "gross": {"amount": 19990, "currency": "GBP"},
    "cancelled": {"amount": 0, "currency": "GBP"}, "returned": {"amount": 1999, "currency": "GBP"}}]}))]
struct FiguresShape {
    /// One for each channel and currency.
    items: Vec<FigureShape>,
}

/// What the orders of one channel come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelFigures)]
struct FigureShape {
    /// The channel.
    channel: String,
    /// How many orders.
    orders: i64,
    /// How many base units were ordered.
    units: i64,
    /// Their gross.
    gross: MoneyShape,
    /// What was cancelled of it.
    cancelled: MoneyShape,
    /// What came back of it.
    returned: MoneyShape,
}

impl TryFrom<&Figures> for FigureShape {
    type Error = Failure;

    fn try_from(figures: &Figures) -> Result<FigureShape, Failure> {
        let money = |amount| MoneyShape { amount, currency: figures.currency.clone() };
        Ok(FigureShape {
            channel: figures.channel.to_string(),
            orders: figures.orders,
            units: figures.units,
            gross: money(figures.gross),
            cancelled: money(figures.cancelled),
            returned: money(figures.returned),
        })
    }
}

/// Read what the orders placed in a span of time come to, per channel
#[utoipa::path(get, path = "/v1/figures", operation_id = "get_figures", tag = "order", params(SpanQuery),
    responses((status = 200, body = FiguresShape), Problems))]
async fn get_figures(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<SpanQuery>,
) -> Result<Response, Problem> {
    let mut fields = crate::shape::Fields::new();
    let span = fields.instant("from", &query.from).zip(fields.instant("to", &query.to));
    let (from, to): (Instant, Instant) = fields.done(span)?;
    let items = app
        .read(move |tx| order::figures(tx, &actor, from, to)?.iter().map(FigureShape::try_from).collect())
        .await?;
    document(&FiguresShape { items }, None)
}

/// The order a path names.
pub(crate) fn named(text: &str) -> Reference<id::Order> {
    Reference::read(text)
}
