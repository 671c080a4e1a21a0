//! Carts over the API: a whole guest checkout is two calls, this one with lines, contact and delivery, then placing the order.

mod call_up;
mod cost;
mod coupon;
mod preview;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::{Id, Kind, Quantity, Reference, id};
use engine::cart::{self, Cart};
use engine::{Failure, World};
use serde::Deserialize;
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::shape::{CartShape, ChoiceShape, NewLineShape};

use self::shape::{CartContactsShape, CartSummaryShape, DetailsShape, NewCartShape, QuantityShape};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of carts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_cart, list_carts))
        .routes(routes!(update_cart))
        .routes(routes!(add_cart_line))
        .routes(routes!(set_cart_line, remove_cart_line))
        .routes(routes!(merge_cart))
        .routes(routes!(read_cart_contacts))
        .merge(call_up::routes())
        .merge(coupon::routes())
        .merge(preview::routes())
}

/// Whose carts are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CartsQuery {
    /// The customer: its id or external id.
    customer: String,
}

/// Which cart is merged into this one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartMerge, example = json!({"from": "cart_01jd0000000000000000000000"}))]
struct MergeShape {
    /// The id of the cart that ends.
    from: String,
}

impl MergeShape {
    fn read(&self) -> Result<Id<id::Cart>, Refusal> {
        Id::parse(&self.from).map_err(|error| Refusal::invalid("from", error))
    }
}

/// A cart is named by its id only.
pub(crate) fn named<K: Kind>(id: &str) -> Result<Id<K>, Problem> {
    Id::parse(id).map_err(|_| Refusal::not_found(K::NAME, id).into())
}

/// The priced cart as an answer to a change.
fn answer(tx: &mut Tx<'_>, world: &World, cart: &Cart) -> Result<Reply, Failure> {
    let priced = cart::priced(tx, world.now(), cart)?;
    Reply::versioned(&CartShape::priced(&priced, world.now()), cart.version)
}

/// Make a cart
///
/// With everything that is known already: a guest's whole basket, address and choice of delivery fit into this one call.
#[utoipa::path(post, path = "/v1/carts", operation_id = "create_cart", tag = "cart", request_body = NewCartShape,
    responses((status = 201, body = CartShape), Problems))]
async fn create_cart(State(app): State<App>, command: Command<NewCartShape>) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let cart = cart::create(tx, actor, world, input.clone())?;
        answer(tx, world, &cart)
    })
    .await
}

/// List a customer's carts
#[utoipa::path(get, path = "/v1/carts", operation_id = "list_carts", tag = "cart", params(CartsQuery, PageQuery),
    responses((status = 200, body = Page<CartSummaryShape>), Problems))]
async fn list_carts(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<CartsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let (customer, now) = (Reference::read(&query.customer), app.shop.source.now());
    let carts = app.read(move |tx| cart::list_of_customer(tx, &actor, &customer, after, limit)).await?;
    let shapes = carts.iter().map(|cart| CartSummaryShape::new(cart, now)).collect();
    document(&Page::new(shapes, limit, |cart: &CartSummaryShape| cart.id.clone()), None)
}

/// Change a cart's customer, contacts, delivery or note
///
/// With `If-Match` only if it is still at that version.
#[utoipa::path(patch, path = "/v1/carts/{id}", operation_id = "update_cart", tag = "cart", request_body = DetailsShape,
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = CartShape), Problems))]
async fn update_cart(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<DetailsShape>,
) -> Result<Response, Problem> {
    let (id, version, details) = (named(&id)?, command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = cart::change(tx, actor, world, (id, version), details.clone())?;
        answer(tx, world, &cart)
    })
    .await
}

/// Add to a cart
///
/// Adding the same variant adds to its line. Adds made at the same time all count, so no `If-Match` is needed.
#[utoipa::path(post, path = "/v1/carts/{id}/lines", operation_id = "add_cart_line", tag = "cart", request_body = NewLineShape,
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, body = CartShape), Problems))]
async fn add_cart_line(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewLineShape>,
) -> Result<Response, Problem> {
    let (id, line) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = cart::add_line(tx, actor, world, id, line.clone())?;
        answer(tx, world, &cart)
    })
    .await
}

/// Set how many of a line
#[utoipa::path(put, path = "/v1/carts/{id}/lines/{line}", operation_id = "set_cart_line", tag = "cart", request_body = QuantityShape,
    params(("id" = String, Path, description = "the cart's id"), ("line" = String, Path, description = "the line's id"),
        ("If-Match" = Option<String>, Header, description = "the cart's `ETag`")),
    responses((status = 200, body = CartShape), Problems))]
async fn set_cart_line(
    State(app): State<App>,
    Path((id, line)): Path<(String, String)>,
    command: Command<QuantityShape>,
) -> Result<Response, Problem> {
    let named = (named(&id)?, named::<id::CartLine>(&line)?, command.if_match);
    let quantity: Quantity = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = cart::set_quantity(tx, actor, world, named, quantity)?;
        answer(tx, world, &cart)
    })
    .await
}

/// Take a line out of a cart
#[utoipa::path(delete, path = "/v1/carts/{id}/lines/{line}", operation_id = "remove_cart_line", tag = "cart",
    params(("id" = String, Path, description = "the cart's id"), ("line" = String, Path, description = "the line's id"),
        ("If-Match" = Option<String>, Header, description = "the cart's `ETag`")),
    responses((status = 204), Problems))]
async fn remove_cart_line(
    State(app): State<App>,
    Path((id, line)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let named = (named(&id)?, named::<id::CartLine>(&line)?, command.if_match);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let cart = cart::remove_line(tx, actor, world, named)?;
        Reply::versioned(&(), cart.version)
    })
    .await
}

/// Merge another cart into this one
///
/// Such as the guest's into the customer's own after signing in. Nothing is lost, and doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/carts/{id}/merge", operation_id = "merge_cart", tag = "cart", request_body = MergeShape,
    params(("id" = String, Path, description = "the id of the cart that stays")),
    responses((status = 200, body = CartShape), Problems))]
async fn merge_cart(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<MergeShape>,
) -> Result<Response, Problem> {
    let (into, from) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = cart::merge(tx, actor, world, from, into)?;
        answer(tx, world, &cart)
    })
    .await
}

/// Read the contacts of a cart
///
/// As long as the cart has not ended. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/carts/{id}/contacts", operation_id = "read_cart_contacts", tag = "cart",
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, body = CartContactsShape), Problems))]
async fn read_cart_contacts(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let contacts = cart::read_contacts(tx, actor, world, id)?;
        Reply::json(&CartContactsShape::from(&contacts))
    })
    .await
}
