//! Coupons over the API: codes of the retailer's own, and codes drawn together.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::promotion::coupon::{self, Coupon, NewBatch, NewCoupon};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of coupons.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_coupon, list_coupons)).routes(routes!(create_coupon_batch))
}

/// A coupon to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCoupon, example = json!({"code": "SPRING-10", "uses_max": 500}))]
struct NewCouponShape {
    /// The code: 4 to 40 letters, digits and hyphens; capitals do not matter.
    #[schema(min_length = 4, max_length = 40)]
    code: String,
    /// How many orders may use it; any number when absent.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    uses_max: Option<i64>,
}

/// Coupons to be made together, with drawn codes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCouponBatch, example = json!({"prefix": "SPRING", "count": 100, "uses_max": 1}))]
struct NewBatchShape {
    /// What all codes begin with: at most 20 letters, digits and hyphens.
    #[serde(default)]
    #[schema(max_length = 20)]
    prefix: String,
    /// How many.
    #[schema(minimum = 1, maximum = 10_000)]
    count: i64,
    /// How many orders may use each; any number when absent.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    uses_max: Option<i64>,
}

/// A coupon.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Coupon)]
struct CouponShape {
    /// Its id.
    id: String,
    /// Its code.
    code: String,
}

/// Coupons that were made together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CouponBatch)]
struct BatchShape {
    /// Its id.
    id: String,
    /// The coupons.
    coupons: Vec<CouponShape>,
}

impl From<&Coupon> for CouponShape {
    fn from(coupon: &Coupon) -> CouponShape {
        CouponShape { id: coupon.id.to_string(), code: coupon.code.clone() }
    }
}

/// Make a coupon
#[utoipa::path(post, path = "/v1/promotions/{id}/coupons", operation_id = "create_coupon", tag = "promotion", request_body = NewCouponShape,
    params(("id" = String, Path, description = "the promotion's id")),
    responses((status = 201, body = CouponShape), Problems))]
async fn create_coupon(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewCouponShape>,
) -> Result<Response, Problem> {
    let (id, body) = (named(&id)?, command.body);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let new = NewCoupon { code: body.code.clone(), uses_max: body.uses_max };
        Reply::json(&CouponShape::from(&coupon::create(tx, actor, world, id, new)?))
    })
    .await
}

/// Make many coupons
///
/// With codes that nobody guesses. Keep the answer, or list the promotion's coupons.
#[utoipa::path(post, path = "/v1/promotions/{id}/coupon-batches", operation_id = "create_coupon_batch", tag = "promotion", request_body = NewBatchShape,
    params(("id" = String, Path, description = "the promotion's id")),
    responses((status = 201, body = BatchShape), Problems))]
async fn create_coupon_batch(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewBatchShape>,
) -> Result<Response, Problem> {
    let (id, body) = (named(&id)?, command.body);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let new = NewBatch { prefix: body.prefix.clone(), count: body.count, uses_max: body.uses_max };
        let (batch, coupons) = coupon::create_batch(tx, actor, world, id, new)?;
        let coupons = coupons.iter().map(CouponShape::from).collect();
        Reply::json(&BatchShape { id: batch.to_string(), coupons })
    })
    .await
}

/// List a promotion's coupons
#[utoipa::path(get, path = "/v1/promotions/{id}/coupons", operation_id = "list_coupons", tag = "promotion",
    params(("id" = String, Path, description = "the promotion's id"), PageQuery),
    responses((status = 200, body = Page<CouponShape>), Problems))]
async fn list_coupons(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit, after) = (named(&id)?, page.limit()?, page.after_id()?);
    let found = app.read(move |tx| coupon::list(tx, &actor, id, after, limit)).await?;
    let shapes = found.into_iter().map(|(id, code)| CouponShape { id: id.to_string(), code }).collect();
    document(&Page::new(shapes, limit, |own: &CouponShape| own.id.clone()), None)
}
