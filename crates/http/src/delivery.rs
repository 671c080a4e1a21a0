//! Delivery over the API: methods, and what they cost for goods that go somewhere.

mod sending;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::delivery::{Delivery, Destination};
use domain::value::id::Channel;
use domain::value::{Country, Currency, Money, Reference, text};
use engine::{Failure, delivery, market};
use serde::Deserialize;
use store::Tx;
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
use crate::shape::{Fields, MoneyShape};
use shape::{MethodChangeShape, MethodShape, NewMethodShape, OfferShape};

/// The most characters of a postal code.
pub(crate) const POSTAL_CODE_CHARS_MAX: usize = 16;
/// The most that goods can be said to weigh, in grams: a hundred tonnes.
const WEIGHT_GRAMS_MAX: i64 = 100_000_000;

/// The routes of delivery.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_delivery_method, list_delivery_methods))
        .routes(routes!(read_delivery_method, update_delivery_method))
        .routes(routes!(quote_delivery))
        .merge(sending::routes())
}

/// Make a delivery method
#[utoipa::path(post, path = "/v1/delivery-methods", operation_id = "create_delivery_method", tag = "delivery", request_body = NewMethodShape,
    responses((status = 201, body = MethodShape), Problems))]
async fn create_delivery_method(
    State(app): State<App>,
    command: Command<NewMethodShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let method = delivery::create(tx, actor, world, input.clone())?;
        Reply::versioned(&MethodShape::from(&method), method.version)
    })
    .await
}

/// List delivery methods
#[utoipa::path(get, path = "/v1/delivery-methods", operation_id = "list_delivery_methods", tag = "delivery", params(PageQuery),
    responses((status = 200, body = Page<MethodShape>), Problems))]
async fn list_delivery_methods(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let methods = app.read(move |tx| delivery::list(tx, &actor, after, limit)).await?;
    let shapes = methods.iter().map(MethodShape::from).collect();
    document(&Page::new(shapes, limit, |method: &MethodShape| method.id.clone()), None)
}

/// Read a delivery method
#[utoipa::path(get, path = "/v1/delivery-methods/{id}", operation_id = "read_delivery_method", tag = "delivery",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = MethodShape), Problems))]
async fn read_delivery_method(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let method = app.read(move |tx| delivery::find(tx, &actor, &reference)).await?;
    document(&MethodShape::from(&method), Some(method.version))
}

/// Change a delivery method
///
/// Its code, kind and currency stay.
#[utoipa::path(patch, path = "/v1/delivery-methods/{id}", operation_id = "update_delivery_method", tag = "delivery", request_body = MethodChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = MethodShape), Problems))]
async fn update_delivery_method(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<MethodChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let method = delivery::update(tx, actor, world, (&reference, read), change.clone())?;
        Reply::versioned(&MethodShape::from(&method), method.version)
    })
    .await
}

/// Goods to be delivered, about which is asked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryQuestion, example = json!({"channel": "chn_01jd0000000000000000000000", "country": "GB", "postal_code": "LS1 4DY",
    "goods": {"amount": 2599, "currency": "GBP"}, "weight_grams": 1200}))]
struct QuestionShape {
    /// The channel they are sold in: its id or external id.
    channel: String,
    /// Where they go, two letters of ISO 3166-1; without it only what needs no address is offered.
    country: Option<String>,
    /// The postal code, or how it begins.
    #[schema(max_length = 16)]
    postal_code: Option<String>,
    /// What they are worth, in the currency of the channel's market.
    goods: MoneyShape,
    /// What they weigh, in grams.
    #[schema(minimum = 0, maximum = 100_000_000)]
    weight_grams: i64,
}

/// A question as read: the channel, the goods, and the currency of their worth.
#[derive(Clone)]
struct Question {
    channel: Reference<Channel>,
    delivery: Delivery,
    currency: Currency,
}

impl QuestionShape {
    fn read(&self) -> Result<Question, Refusal> {
        let mut fields = Fields::new();
        let country = fields.take_if("country", self.country.as_deref(), Country::parse);
        let postal_code = fields.take_if("postal_code", self.postal_code.as_deref(), |code| {
            text::bounded("postal_code", code, 0, POSTAL_CODE_CHARS_MAX)
        });
        let goods = fields.money("goods", &self.goods);
        if goods.is_some_and(|goods| goods.minor() < 0) {
            fields.refuse("goods", "give 0 or more");
        }
        if !(0..=WEIGHT_GRAMS_MAX).contains(&self.weight_grams) {
            fields.refuse("weight_grams", format!("give 0 to {WEIGHT_GRAMS_MAX} grams"));
        }
        let read = (|| {
            let (postal_code, goods): (_, Money) = (postal_code?, goods?);
            let destination = country?.map(|country| Destination { country, postal_code });
            let delivery =
                Delivery { destination, goods_minor: goods.minor(), weight_grams: self.weight_grams };
            Some(Question { channel: Reference::read(&self.channel), delivery, currency: goods.currency() })
        })();
        fields.done(read)
    }
}

/// Ask what delivery costs
///
/// The methods of a channel that serve these goods, the cheapest first. Nothing is kept.
#[utoipa::path(post, path = "/v1/delivery-quotes", operation_id = "quote_delivery", tag = "delivery", request_body = QuestionShape,
    responses((status = 200, body = Page<OfferShape>), Problems))]
async fn quote_delivery(
    State(app): State<App>,
    command: Command<QuestionShape>,
) -> Result<Response, Problem> {
    let (actor, question) = (command.request.actor, command.body.read()?);
    let items = app
        .read(move |tx| {
            let channel = market::find_channel(tx, &actor, &question.channel)?;
            let sells_in = market::find(tx, &actor, &Reference::Id(channel.market))?.currency;
            if sells_in != question.currency {
                let message =
                    format!("the channel sells in {sells_in}, the goods are given in {}", question.currency);
                return Err(Refusal::new(domain::Code::CurrencyMismatch, message).at("goods").into());
            }
            let offers = delivery::methods_for(tx, &channel, &question.delivery)?;
            offers.iter().map(|offer| with_places(tx, offer)).collect::<Result<Vec<_>, Failure>>()
        })
        .await?;
    document(&Page { items, next_cursor: None }, None)
}

fn with_places(tx: &mut Tx<'_>, offer: &delivery::Offer) -> Result<OfferShape, Failure> {
    Ok(OfferShape::new(offer, &delivery::pickup_locations(tx, &offer.method)?))
}
