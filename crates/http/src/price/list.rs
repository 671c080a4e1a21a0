//! Price lists over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::price::Audience;
use domain::value::id::PriceList as ListKind;
use domain::value::{Currency, Instant, Reference, reference, text};
use engine::price::{self, ListChange, NewAudience, NewList, PriceList};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

/// The routes of price lists.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_price_list, list_price_lists))
        .routes(routes!(read_price_list, update_price_list))
}

/// Prices for a market or a channel, or for one group of customers there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceList, example = json!({"id": "prl_01jd0000000000000000000000", "code": "uk", "name": "Britain", "currency": "GBP",
    "market": "mkt_01jd0000000000000000000000", "priority": 0, "active": true, "version": 1}))]
struct ListShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// What its prices are in, ISO 4217.
    currency: &'static str,
    /// The market it is for, in all its channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    market: Option<String>,
    /// The channel it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The group of customers it is for; everybody when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_group: Option<String>,
    /// The higher goes first among lists that are as specific.
    priority: i64,
    /// From when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// Until when it holds, not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// Is it in use?
    active: bool,
    /// What the retailer's other systems call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&PriceList> for ListShape {
    fn from(list: &PriceList) -> ListShape {
        let (market, channel) = match list.rule.audience {
            Audience::Market(market) => (Some(market.to_string()), None),
            Audience::Channel(channel) => (None, Some(channel.to_string())),
        };
        ListShape {
            id: list.rule.id.to_string(),
            code: list.code.clone(),
            name: list.name.clone(),
            currency: list.currency.code(),
            market,
            channel,
            customer_group: list.rule.customer_group.clone(),
            priority: list.rule.priority,
            starts_at: list.rule.starts_at.map(|at| at.to_string()),
            ends_at: list.rule.ends_at.map(|at| at.to_string()),
            active: list.active,
            external_id: list.external_id.clone(),
            version: list.version,
        }
    }
}

/// A price list to be made: for a market or for a channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPriceList, example = json!({"code": "uk", "name": "Britain", "currency": "GBP", "market": "mkt_01jd0000000000000000000000"}))]
struct NewListShape {
    /// The short word it goes by: 1 to 60 lower-case letters, digits, `_` or `-`.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What its prices are in: the currency of the market, ISO 4217.
    currency: String,
    /// The market it is for, in all its channels: its id or external id.
    market: Option<String>,
    /// The channel it is for: its id or external id.
    channel: Option<String>,
    /// The group of customers it is for; everybody when absent.
    #[schema(min_length = 1, max_length = 60)]
    customer_group: Option<String>,
    /// The higher goes first among lists that are as specific; 0 when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000)]
    priority: i64,
    /// From when it holds, RFC 3339; always when absent.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// Until when it holds, not included; for ever when absent.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// What your other systems call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
}

impl NewListShape {
    fn read(&self) -> Result<NewList, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", short_code(&self.code));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let currency = fields.take("currency", Currency::parse(&self.currency));
        let starts_at = fields.take_if("starts_at", self.starts_at.as_deref(), Instant::parse);
        let ends_at = fields.take_if("ends_at", self.ends_at.as_deref(), Instant::parse);
        let external =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<ListKind>);
        let audience = match (&self.market, &self.channel) {
            (Some(market), None) => Some(NewAudience::Market(Reference::read(market))),
            (None, Some(channel)) => Some(NewAudience::Channel(Reference::read(channel))),
            _ => {
                fields.refuse("market", "give a market or a channel, one of the two");
                None
            }
        };
        let read = (|| {
            Some(NewList {
                code: code?,
                name: name?,
                currency: currency?,
                audience: audience?,
                customer_group: self.customer_group.clone(),
                priority: self.priority,
                starts_at: starts_at?,
                ends_at: ends_at?,
                external_id: external?,
            })
        })();
        fields.done(read)
    }
}

/// What of a price list is to change. What is left out stays; `null` takes a date away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceListChange, example = json!({"ends_at": "2026-12-27T00:00:00Z", "priority": 10}))]
struct ListChangeShape {
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The higher goes first among lists that are as specific.
    #[schema(minimum = 0, maximum = 1000)]
    priority: Option<i64>,
    /// From when it holds.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    starts_at: Option<Option<String>>,
    /// Until when it holds, not included.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    ends_at: Option<Option<String>>,
    /// Is it in use?
    active: Option<bool>,
}

impl ListChangeShape {
    fn read(&self) -> Result<ListChange, Refusal> {
        let mut fields = Fields::new();
        let bounded = |name: &str| text::bounded("name", name, 1, text::NAME_CHARS_MAX);
        let instant = |at: &Option<String>| at.as_deref().map(Instant::parse).transpose();
        let name = fields.take_if("name", self.name.as_deref(), bounded);
        let starts_at = fields.take_if("starts_at", self.starts_at.as_ref(), instant);
        let ends_at = fields.take_if("ends_at", self.ends_at.as_ref(), instant);
        let (priority, active) = (self.priority, self.active);
        let read = (|| {
            Some(ListChange { name: name?, priority, starts_at: starts_at?, ends_at: ends_at?, active })
        })();
        fields.done(read)
    }
}

/// Make a price list
#[utoipa::path(post, path = "/v1/price-lists", operation_id = "create_price_list", tag = "price", request_body = NewListShape,
    responses((status = 201, body = ListShape), Problems))]
async fn create_price_list(
    State(app): State<App>,
    command: Command<NewListShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let list = price::create_list(tx, actor, world, input.clone())?;
        Reply::versioned(&ListShape::from(&list), list.version)
    })
    .await
}

/// List price lists
#[utoipa::path(get, path = "/v1/price-lists", operation_id = "list_price_lists", tag = "price", params(PageQuery),
    responses((status = 200, body = Page<ListShape>), Problems))]
async fn list_price_lists(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let lists = app.read(move |tx| price::list_lists(tx, &actor, after, limit)).await?;
    let shapes = lists.iter().map(ListShape::from).collect();
    document(&Page::new(shapes, limit, |list: &ListShape| list.id.clone()), None)
}

/// Read a price list
#[utoipa::path(get, path = "/v1/price-lists/{id}", operation_id = "read_price_list", tag = "price",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ListShape), Problems))]
async fn read_price_list(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let list = app.read(move |tx| price::read_list(tx, &actor, &reference)).await?;
    document(&ListShape::from(&list), Some(list.version))
}

/// Change a price list
#[utoipa::path(patch, path = "/v1/price-lists/{id}", operation_id = "update_price_list", tag = "price", request_body = ListChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ListShape), Problems))]
async fn update_price_list(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ListChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let list = price::change_list(tx, actor, world, (reference.clone(), read), change.clone())?;
        Reply::versioned(&ListShape::from(&list), list.version)
    })
    .await
}
