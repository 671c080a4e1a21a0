//! A cart as a page shows it: what everything costs now, and where and when all of it can be had.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use engine::cart;
use engine::storefront::promise;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::promise::NearQuery;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::cart::{CartShape, named};
use crate::problem::{Problem, Problems};
use crate::promise::PromiseShape;
use crate::query::Asked;

/// The route of reading carts.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_cart))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IncludeQuery {
    /// `promise`: where and when everything in it can be had together.
    #[param(example = "promise")]
    include: Option<String>,
}

impl IncludeQuery {
    fn promise(&self) -> Result<bool, Refusal> {
        match self.include.as_deref() {
            None => Ok(false),
            Some("promise") => Ok(true),
            Some(_) => Err(Refusal::invalid("include", "give promise or nothing")),
        }
    }
}

/// A cart with what was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadCart)]
struct ReadShape {
    /// The cart.
    #[serde(flatten)]
    cart: CartShape,
    /// With `include=promise`: where and when everything in it can be had together, as of now, counting what it holds. Absent for an empty
    /// cart and for one that has ended. It holds nothing: the checkout judges anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    promise: Option<PromiseShape>,
}

/// Read a cart
///
/// With what everything costs now. A cart that has ended shows its lines without prices; its order has them.
#[utoipa::path(get, path = "/v1/carts/{id}", operation_id = "read_cart", tag = "cart",
    params(("id" = String, Path, description = "its id"), IncludeQuery, NearQuery),
    responses((status = 200, body = ReadShape), Problems))]
async fn read_cart(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(include): Asked<IncludeQuery>,
    Asked(near): Asked<NearQuery>,
) -> Result<Response, Problem> {
    let (id, now) = (named(&id)?, app.shop.source.now());
    let near = near.read()?;
    let near = include.promise()?.then_some(near);
    let (shape, version) = app
        .read(move |tx| {
            let cart = cart::read(tx, &actor, id)?;
            if cart::standing(&cart, now).has_ended() {
                let shape = ReadShape { cart: CartShape::ended(&cart, now), promise: None };
                return Ok((shape, cart.version));
            }
            let priced = CartShape::priced(&cart::priced(tx, now, &cart)?, now);
            let answer = match &near {
                Some(near) => promise::of_cart(tx, &actor, &cart, near, now)?,
                None => None,
            };
            let promise = answer.as_ref().map(PromiseShape::from);
            Ok((ReadShape { cart: priced, promise }, cart.version))
        })
        .await?;
    document(&shape, Some(version))
}
