//! How long which data is kept, over the API: tried before it is turned on.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::privacy::Class;
use engine::privacy::retention::{self, Rule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of retention.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_retention_rules)).routes(routes!(set_retention_rule))
}

/// How long data of a class is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetentionRule, example = json!({"class": "messages", "days": 730, "active": false, "would_forget": 12}))]
pub(super) struct RuleShape {
    /// `messages` (that were sent), `carts` (contacts of carts that expired), `guests` (contacts of guests whose orders are done), `requests` (about
    /// data, that were closed), `unconfirmed` (addresses that signed up and never confirmed) or `behaviour` (what people did, and their visits).
    class: &'static str,
    /// For how many days.
    days: i64,
    /// Is what is older forgotten? Not until it is turned on.
    active: bool,
    /// How much it would forget now, counted up to 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_forget: Option<i64>,
}

impl RuleShape {
    pub(super) fn of(one: &Rule, would_forget: Option<i64>) -> RuleShape {
        RuleShape { class: one.class.text(), days: one.days, active: one.active, would_forget }
    }
}

/// List how long data is kept, with how much each rule would forget now
///
/// A look before it is turned on: nothing is touched.
#[utoipa::path(get, path = "/v1/retention-rules", operation_id = "list_retention_rules", tag = "privacy",
    responses((status = 200, body = Page<RuleShape>), Problems))]
async fn list_retention_rules(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let now = app.shop.source.now();
    let found = app.read(move |tx| retention::preview(tx, &actor, now)).await?;
    let items = found.iter().map(|(rule, count)| RuleShape::of(rule, Some(*count))).collect();
    document(&Page { items, next_cursor: None }, None)
}

/// How long data of a class shall be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetentionChange, example = json!({"days": 730, "active": false}))]
struct SetRuleShape {
    /// For how many days, 1 to 36500.
    #[schema(minimum = 1, maximum = 36500)]
    days: i64,
    /// Is what is older forgotten?
    active: bool,
}

/// Write how long data of a class is kept
#[utoipa::path(put, path = "/v1/retention-rules/{class}", operation_id = "set_retention_rule", tag = "privacy", request_body = SetRuleShape,
    params(("class" = String, Path, description = "messages, carts, guests, requests, unconfirmed or behaviour", example = "messages")),
    responses((status = 200, body = RuleShape), Problems))]
async fn set_retention_rule(
    State(app): State<App>,
    Path(class): Path<String>,
    command: Command<SetRuleShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let class = fields.take("class", Class::parse(&class));
    let class = fields.done(class)?;
    let one = Rule { class, days: command.body.days, active: command.body.active };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&RuleShape::of(&retention::set(tx, actor, world, one)?, None))
    })
    .await
}
