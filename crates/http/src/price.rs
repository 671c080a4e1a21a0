//! Prices over the API: set one by one or many at once, their history, and what a customer pays in a channel.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::Variant as VariantKind;
use domain::value::{Id, Instant, Quantity, Reference};
use engine::price::{self, ListedPrice, NewPrice, Price, PriceChange};
use engine::{catalogue::variant, storefront};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

mod list;

/// The routes of prices.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(list::routes())
        .routes(routes!(set_price))
        .routes(routes!(set_prices))
        .routes(routes!(list_variant_prices))
        .routes(routes!(list_price_changes))
        .routes(routes!(read_effective_price))
}

/// What a customer pays for one base unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EffectivePrice, example = json!({"amount": 1299, "currency": "GBP", "was_amount": 1599, "price_list": "prl_01jd0000000000000000000000"}))]
pub(crate) struct EffectivePriceShape {
    /// Minor units.
    amount: i64,
    /// ISO 4217.
    currency: &'static str,
    /// The price to compare with, shown struck through.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_amount: Option<i64>,
    /// The list it comes from.
    price_list: String,
}

impl From<&Price> for EffectivePriceShape {
    fn from(price: &Price) -> EffectivePriceShape {
        EffectivePriceShape {
            amount: price.minor,
            currency: price.currency.code(),
            was_amount: price.was_minor,
            price_list: price.list.to_string(),
        }
    }
}

/// A price of a variant in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price, example = json!({"variant": "var_01jd0000000000000000000000", "price_list": "prl_01jd0000000000000000000000",
    "amount": 1299, "minimum_quantity": 1}))]
pub(crate) struct ListedPriceShape {
    /// The variant.
    variant: String,
    /// The list.
    price_list: String,
    /// What one base unit costs, in minor units of the list's currency.
    amount: i64,
    /// The price to compare with, shown struck through.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_amount: Option<i64>,
    /// From how many base units on it holds.
    minimum_quantity: i64,
    /// From when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// Until when it holds, not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ends_at: Option<String>,
}

impl ListedPriceShape {
    pub(crate) fn of(variant: Id<VariantKind>, price: &ListedPrice) -> ListedPriceShape {
        ListedPriceShape {
            variant: variant.to_string(),
            price_list: price.list.to_string(),
            amount: price.minor,
            was_amount: price.was_minor,
            minimum_quantity: price.minimum_quantity,
            starts_at: price.starts_at.map(|at| at.to_string()),
            ends_at: price.ends_at.map(|at| at.to_string()),
        }
    }
}

/// A price to be set. It takes the place of the one with the same variant, list, quantity and start.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPrice, example = json!({"price_list": "uk", "variant": "MUG-RED", "amount": 1299, "was_amount": 1599}))]
struct NewPriceShape {
    /// The list: its id or external id.
    price_list: String,
    /// The variant: its id or external id.
    variant: String,
    /// What one base unit costs, in minor units of the list's currency; `null` takes the price away.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    amount: Option<i64>,
    /// The price to compare with, shown struck through: more than the price itself.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    was_amount: Option<i64>,
    /// From how many base units on it holds; 1 when absent.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    minimum_quantity: Option<i64>,
    /// From when it holds, RFC 3339; always when absent.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// Until when it holds, not included; for ever when absent.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
}

impl NewPriceShape {
    fn read(&self) -> Result<NewPrice, Refusal> {
        let mut fields = Fields::new();
        let starts_at = fields.take_if("starts_at", self.starts_at.as_deref(), Instant::parse);
        let ends_at = fields.take_if("ends_at", self.ends_at.as_deref(), Instant::parse);
        let read = (|| {
            Some(NewPrice {
                list: Reference::read(&self.price_list),
                variant: Reference::read(&self.variant),
                minor: self.amount,
                was_minor: self.was_amount,
                minimum_quantity: self.minimum_quantity.unwrap_or(1),
                starts_at: starts_at?,
                ends_at: ends_at?,
            })
        })();
        fields.done(read)
    }
}

/// What became of a price: as it is set now, or absent when it was taken away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SetPrice)]
struct SetShape {
    /// The price as it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<ListedPriceShape>,
}

fn set_shape(set: &(Id<VariantKind>, Option<ListedPrice>)) -> SetShape {
    SetShape { price: set.1.as_ref().map(|price| ListedPriceShape::of(set.0, price)) }
}

/// Set a price, or take it away
///
/// Every change is kept in the price's history.
#[utoipa::path(post, path = "/v1/prices", operation_id = "set_price", tag = "price", request_body = NewPriceShape,
    responses((status = 200, body = SetShape), Problems))]
async fn set_price(State(app): State<App>, command: Command<NewPriceShape>) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&set_shape(&price::set_price(tx, actor, world, input.clone())?))
    })
    .await
}

/// Set many prices at once
#[utoipa::path(post, path = "/v1/prices/bulk", operation_id = "set_prices", tag = "price", request_body = Bulk<NewPriceShape>,
    responses((status = 200, body = BulkAnswer<SetShape>), Problems))]
async fn set_prices(
    State(app): State<App>,
    command: Command<Bulk<NewPriceShape>>,
) -> Result<Response, Problem> {
    let rows = command.body.read(NewPriceShape::read)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        rows.perform(tx, actor, world, price::set_price, set_shape)
    })
    .await
}

/// List every price of a variant
///
/// In all lists, past and future ones too.
#[utoipa::path(get, path = "/v1/variants/{id}/prices", operation_id = "list_variant_prices", tag = "price",
    params(("id" = String, Path, description = "the variant's id or external id")),
    responses((status = 200, body = [ListedPriceShape]), Problems))]
async fn list_variant_prices(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let prices = app
        .read(move |tx| {
            let variant = variant::read_variant(tx, &actor, &reference)?;
            price::prices_of(tx, &actor, &[variant.id])
        })
        .await?;
    let shapes: Vec<_> =
        prices.iter().map(|(variant, price)| ListedPriceShape::of(*variant, price)).collect();
    document(&shapes, None)
}

/// One line of a price's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceChange, example = json!({"id": "prc_01jd0000000000000000000000", "variant": "var_01jd0000000000000000000000",
    "price_list": "prl_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z", "actor": "staff:stf_01jd0000000000000000000000",
    "minimum_quantity": 1, "old_amount": 1599, "new_amount": 1299}))]
struct ChangeShape {
    /// Its id.
    id: String,
    /// The variant.
    variant: String,
    /// The list.
    price_list: String,
    /// When it was changed.
    at: String,
    /// Who changed it.
    actor: String,
    /// From how many base units on.
    minimum_quantity: i64,
    /// From when the price holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// Until when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// The price before; absent when it was new.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_amount: Option<i64>,
    /// The price after; absent when it was taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_amount: Option<i64>,
}

impl From<&PriceChange> for ChangeShape {
    fn from(change: &PriceChange) -> ChangeShape {
        ChangeShape {
            id: change.id.to_string(),
            variant: change.variant.to_string(),
            price_list: change.list.to_string(),
            at: change.at.to_string(),
            actor: change.actor.clone(),
            minimum_quantity: change.minimum_quantity,
            starts_at: change.starts_at.map(|at| at.to_string()),
            ends_at: change.ends_at.map(|at| at.to_string()),
            old_amount: change.old_minor,
            new_amount: change.new_minor,
        }
    }
}

/// List the history of a variant's prices, oldest first
#[utoipa::path(get, path = "/v1/variants/{id}/price-changes", operation_id = "list_price_changes", tag = "price",
    params(("id" = String, Path, description = "the variant's id or external id"), PageQuery),
    responses((status = 200, body = Page<ChangeShape>), Problems))]
async fn list_price_changes(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (reference, limit, after) = (Reference::read(&id), page.limit()?, page.after_id()?);
    let changes = app.read(move |tx| price::history(tx, &actor, &reference, after, limit)).await?;
    let shapes = changes.iter().map(ChangeShape::from).collect();
    document(&Page::new(shapes, limit, |change: &ChangeShape| change.id.clone()), None)
}

/// Whose price is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EffectiveQuery {
    /// The channel it is bought in: its id or external id.
    channel: String,
    /// How many base units are bought; 1 when absent.
    #[param(minimum = 1)]
    quantity: Option<i64>,
    /// The group of customers whose prices count besides everybody's.
    customer_group: Option<String>,
    /// At which instant, RFC 3339; now when absent.
    #[param(format = DateTime)]
    at: Option<String>,
}

/// What a variant costs in a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VariantPrice)]
struct VariantPriceShape {
    /// What one base unit costs; absent when it has no price there.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<EffectivePriceShape>,
    /// The lowest price one had there in the 30 days before, as European law wants it told with a lowered price (98/6/EC, article 6a).
    #[serde(skip_serializing_if = "Option::is_none")]
    lowest_in_30_days: Option<EffectivePriceShape>,
}

/// Read what a variant costs in a channel
///
/// The most specific list that has a price counts (channel and group, channel, market and group, market), then the highest
/// priority, then the lowest price.
#[utoipa::path(get, path = "/v1/variants/{id}/price", operation_id = "read_effective_price", tag = "price",
    params(("id" = String, Path, description = "the variant's id or external id"), EffectiveQuery),
    responses((status = 200, body = VariantPriceShape), Problems))]
async fn read_effective_price(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(query): Asked<EffectiveQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let quantity = fields.take("quantity", Quantity::new(query.quantity.unwrap_or(1)));
    let at = fields.take_if("at", query.at.as_deref(), Instant::parse);
    let (quantity, at) = fields.done(quantity.zip(at))?;
    let (reference, channel) = (Reference::read(&id), Reference::read(&query.channel));
    let at = at.unwrap_or_else(|| app.shop.source.now());
    let (now, lowest) = app
        .read(move |tx| {
            let variant = variant::read_variant(tx, &actor, &reference)?.id;
            let (channel, _) = storefront::channel(tx, &channel)?;
            let asked = [(variant, quantity.units())];
            let now = price::prices(tx, &channel, query.customer_group.as_deref(), &asked, at)?;
            Ok((now.into_iter().next().flatten(), price::lowest_before(tx, &channel, variant, at)?))
        })
        .await?;
    let (price, lowest) = (now.as_ref().map(Into::into), lowest.as_ref().map(Into::into));
    document(&VariantPriceShape { price, lowest_in_30_days: lowest }, None)
}
