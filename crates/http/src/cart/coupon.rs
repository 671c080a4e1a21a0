//! Coupons in carts over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::promotion::price::Gift;
use domain::promotion::rules::Why;
use engine::cart;
use serde::{Deserialize, Serialize};
use store::cart::coupon::Given;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::CartShape;
use super::{answer, named};
use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::problem::{Problem, Problems};

/// The routes of coupons in carts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add_cart_coupon)).routes(routes!(remove_cart_coupon))
}

/// A coupon in a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartCoupon)]
pub(super) struct CartCouponShape {
    /// Its code.
    code: String,
    /// The promotion it opens.
    promotion: String,
    /// Why it lowers nothing, such as `outdone`, `goods` or `budget`; absent when it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unused: Option<&'static str>,
}

impl From<&(Given, Option<Why>)> for CartCouponShape {
    fn from((given, why): &(Given, Option<Why>)) -> CartCouponShape {
        CartCouponShape {
            code: given.code.clone(),
            promotion: given.promotion.to_string(),
            unused: why.map(Why::text),
        }
    }
}

/// What a promotion gives for nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartGift)]
pub(super) struct CartGiftShape {
    /// The promotion.
    promotion: String,
    /// The variant.
    variant: String,
    /// How many more of it are free.
    quantity: i64,
}

impl From<&Gift> for CartGiftShape {
    fn from(gift: &Gift) -> CartGiftShape {
        CartGiftShape {
            promotion: gift.promotion.to_string(),
            variant: gift.variant.to_string(),
            quantity: gift.quantity,
        }
    }
}

/// A coupon to be put into a cart.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCartCoupon, example = json!({"code": "SPRING-10"}))]
struct CodeShape {
    /// The code; capitals and spaces do not matter.
    #[schema(min_length = 4, max_length = 40)]
    code: String,
}

/// Put a coupon into a cart
///
/// At most four. It is used where it helps; the cart says why it does not. The same again changes nothing.
#[utoipa::path(post, path = "/v1/carts/{id}/coupons", operation_id = "add_cart_coupon", tag = "cart", request_body = CodeShape,
    params(("id" = String, Path, description = "the cart's id")),
    responses((status = 200, body = CartShape), Problems))]
async fn add_cart_coupon(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CodeShape>,
) -> Result<Response, Problem> {
    let (id, code) = (named(&id)?, command.body.code);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let cart = cart::coupon::give(tx, actor, world, id, &code)?;
        answer(tx, world, &cart)
    })
    .await
}

/// Take a coupon out of a cart
#[utoipa::path(delete, path = "/v1/carts/{id}/coupons/{code}", operation_id = "remove_cart_coupon", tag = "cart",
    params(("id" = String, Path, description = "the cart's id"), ("code" = String, Path, description = "the coupon's code")),
    responses((status = 204), Problems))]
async fn remove_cart_coupon(
    State(app): State<App>,
    Path((id, code)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let cart = cart::coupon::take_back(tx, actor, world, id, &code)?;
        Reply::versioned(&(), cart.version)
    })
    .await
}
