//! Promotions over the API: drafted, put in force, changed and ended; their limits and their coupons.

mod coupon;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::promotion::limit::{Limit, Period, Scope};
use domain::promotion::{self as rules};
use domain::value::{Id, Kind, Name};
use engine::promotion::{self, Change, Limited, NewPromotion};
use engine::{Failure, World};
use pricing::promotion::PromotionShape as TermsShape;
use serde::{Deserialize, Serialize};
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
use crate::shape::Fields;

/// The most limits that are read.
const LIMITS_MAX: usize = rules::limit::LIMITS_MAX;

/// The routes of promotions and coupons.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_promotion, list_promotions))
        .routes(routes!(read_promotion, update_promotion))
        .routes(routes!(activate_promotion))
        .routes(routes!(end_promotion))
        .merge(coupon::routes())
}

/// A promotion or coupon is named by its id only.
fn named<K: Kind>(id: &str) -> Result<Id<K>, Problem> {
    Id::parse(id).map_err(|_| Refusal::not_found(K::NAME, id).into())
}

/// How often a promotion may be used, or how much it may give: one of the two at least.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionLimit, example = json!({"scope": "customer", "period": "month", "uses_max": 1}))]
struct LimitShape {
    /// Whose uses count together: `everybody`, `coupon`, `customer` or `store`.
    #[schema(max_length = 20)]
    scope: String,
    /// In what time, by the store's clock: `ever`, `day`, `week`, `month` or `year`.
    #[serde(default = "ever")]
    #[schema(max_length = 20)]
    period: String,
    /// How many orders may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    uses_max: Option<i64>,
    /// How many minor units it may give, in the promotion's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    amount_max: Option<i64>,
}

fn ever() -> String {
    Period::Ever.text().to_owned()
}

impl LimitShape {
    fn taken(&self, fields: &mut Fields) -> Option<Limit> {
        let scope = fields.take("scope", Scope::parse(&self.scope));
        let period = fields.take("period", Period::parse(&self.period));
        Some(Limit { scope: scope?, period: period?, uses_max: self.uses_max, minor_max: self.amount_max })
    }
}

impl From<&Limit> for LimitShape {
    fn from(limit: &Limit) -> LimitShape {
        LimitShape {
            scope: limit.scope.text().to_owned(),
            period: limit.period.text().to_owned(),
            uses_max: limit.uses_max,
            amount_max: limit.minor_max,
        }
    }
}

/// A promotion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Promotion)]
struct PromotionShape {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// Where it stands: `draft`, `active` or `ended`.
    state: &'static str,
    /// What it says.
    terms: TermsShape,
    /// Its limits.
    limits: Vec<LimitShape>,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
}

impl PromotionShape {
    fn of(own: &Limited) -> Result<PromotionShape, Failure> {
        let promotion = &own.promotion;
        Ok(PromotionShape {
            id: promotion.id.to_string(),
            name: promotion.name.clone(),
            state: promotion.state.text(),
            terms: promotion::shape(promotion)?,
            limits: own.limits.iter().map(LimitShape::from).collect(),
            version: promotion.version,
            made_at: promotion.made_at.to_string(),
            changed_at: promotion.changed_at.to_string(),
        })
    }
}

fn answer(own: &Limited) -> Result<Reply, Failure> {
    Reply::versioned(&PromotionShape::of(own)?, own.promotion.version)
}

/// A promotion to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPromotion, example = json!({"name": "Three for two",
    "terms": {"benefit": {"set": {"parts": [{"pieces": 3}], "gives": {"cheapest": {"pieces": 1, "rate": 1_000_000}}}}},
    "limits": [{"scope": "everybody", "uses_max": 1000}]}))]
struct NewPromotionShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What it says.
    terms: TermsShape,
    /// Its limits, at most eight.
    #[serde(default)]
    #[schema(max_items = 8)]
    limits: Vec<LimitShape>,
}

fn limits(fields: &mut Fields, shapes: &[LimitShape]) -> Option<Vec<Limit>> {
    if shapes.len() > LIMITS_MAX {
        fields.refuse("limits", format!("give at most {LIMITS_MAX} limits"));
        return None;
    }
    fields.each("limits", shapes, |fields, shape| shape.taken(fields))
}

impl NewPromotionShape {
    fn read(self) -> Result<NewPromotion, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take("name", Name::new("name", &self.name));
        let limits = limits(&mut fields, &self.limits);
        let read = (|| Some(NewPromotion { name: name?, terms: self.terms, limits: limits? }))();
        fields.done(read)
    }
}

/// What of a promotion is to change. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromotionChange, example = json!({"limits": [{"scope": "everybody", "uses_max": 2000}]}))]
struct ChangeShape {
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// All that it says.
    terms: Option<TermsShape>,
    /// All its limits.
    #[schema(max_items = 8)]
    limits: Option<Vec<LimitShape>>,
}

impl ChangeShape {
    fn read(self) -> Result<Change, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_deref(), |name| Name::new("name", name));
        let limits = match &self.limits {
            Some(shapes) => limits(&mut fields, shapes).map(Some),
            None => Some(None),
        };
        let read = (|| Some(Change { name: name?, terms: self.terms, limits: limits? }))();
        fields.done(read)
    }
}

/// Make a promotion
///
/// As a draft, which lowers nothing yet.
#[utoipa::path(post, path = "/v1/promotions", operation_id = "create_promotion", tag = "promotion", request_body = NewPromotionShape,
    responses((status = 201, body = PromotionShape), Problems))]
async fn create_promotion(
    State(app): State<App>,
    command: Command<NewPromotionShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        answer(&promotion::create(tx, actor, world, input.clone())?)
    })
    .await
}

/// List promotions
#[utoipa::path(get, path = "/v1/promotions", operation_id = "list_promotions", tag = "promotion", params(PageQuery),
    responses((status = 200, body = Page<PromotionShape>), Problems))]
async fn list_promotions(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let shapes = app
        .read(move |tx| {
            let found = promotion::list(tx, &actor, after, limit)?;
            found.iter().map(PromotionShape::of).collect::<Result<Vec<_>, Failure>>()
        })
        .await?;
    document(&Page::new(shapes, limit, |own: &PromotionShape| own.id.clone()), None)
}

/// Read a promotion
#[utoipa::path(get, path = "/v1/promotions/{id}", operation_id = "read_promotion", tag = "promotion",
    params(("id" = String, Path, description = "its id")),
    responses((status = 200, body = PromotionShape), Problems))]
async fn read_promotion(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let shape = app.read(move |tx| PromotionShape::of(&promotion::read(tx, &actor, id)?)).await?;
    let version = shape.version;
    document(&shape, Some(version))
}

/// Change a promotion
///
/// One in force goes on with what it says now. With `If-Match` only if it is still at that version.
#[utoipa::path(patch, path = "/v1/promotions/{id}", operation_id = "update_promotion", tag = "promotion", request_body = ChangeShape,
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = PromotionShape), Problems))]
async fn update_promotion(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, version, change) = (named(&id)?, command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&promotion::change(tx, actor, world, (id, version), change.clone())?)
    })
    .await
}

/// Put a promotion in force
///
/// Within its dates. Doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/promotions/{id}/activate", operation_id = "activate_promotion", tag = "promotion",
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = PromotionShape), Problems))]
async fn activate_promotion(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(app, &id, command, rules::State::Active).await
}

/// End a promotion
///
/// For good; orders it lowered stay as they are. Doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/promotions/{id}/end", operation_id = "end_promotion", tag = "promotion",
    params(("id" = String, Path, description = "its id"), ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = PromotionShape), Problems))]
async fn end_promotion(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(app, &id, command, rules::State::Ended).await
}

async fn step(app: App, id: &str, command: Command<()>, to: rules::State) -> Result<Response, Problem> {
    let (id, version) = (named(id)?, command.if_match);
    app.perform(command.request, StatusCode::OK, move |tx: &mut Tx<'_>, actor, world: &mut World| {
        answer(&promotion::step(tx, actor, world, (id, version), to)?)
    })
    .await
}
