//! What a channel allows of changes of its orders, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::change::{AddedAt, Rule};
use domain::value::{Rate, Reference, id};
use engine::{change, external};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of what channels allow.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_change_rule, set_change_rule))
}

/// What a channel allows of changes of its orders.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChangeRule, example = json!({"customers": true, "delivery_anew": false, "added_at": "today", "preview_minutes": 15, "correction_most": 500_000}))]
struct RuleShape {
    /// Customers may change their orders themselves until picking begins.
    customers: bool,
    /// The delivery is charged anew although its method stays.
    delivery_anew: bool,
    /// The price of more of what the order has already: `today` or `original`.
    added_at: String,
    /// How long a preview stands, in minutes.
    #[schema(minimum = 1, maximum = 1440)]
    preview_minutes: i64,
    /// The most a price may be corrected by, in parts per million of it: 500000 is half.
    #[schema(minimum = 0, maximum = 10_000_000)]
    correction_most: i64,
    /// The most a price of one may be corrected by, in minor units of the order's currency, whatever part of it that is; no such bound when
    /// not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    correction_most_minor: Option<i64>,
}

impl From<&Rule> for RuleShape {
    fn from(rule: &Rule) -> RuleShape {
        RuleShape {
            customers: rule.customers,
            delivery_anew: rule.delivery_anew,
            added_at: rule.added_at.text().to_owned(),
            preview_minutes: rule.preview_minutes,
            correction_most: rule.correction_most.parts_per_million(),
            correction_most_minor: rule.correction_most_minor,
        }
    }
}

impl RuleShape {
    fn read(&self) -> Result<Rule, Refusal> {
        let mut fields = Fields::new();
        let added_at = fields.take("added_at", AddedAt::parse(&self.added_at));
        let most = fields.take("correction_most", Rate::from_parts_per_million(self.correction_most));
        let rule = added_at.zip(most).map(|(added_at, correction_most)| Rule {
            customers: self.customers,
            delivery_anew: self.delivery_anew,
            added_at,
            preview_minutes: self.preview_minutes,
            correction_most,
            correction_most_minor: self.correction_most_minor,
        });
        fields.done(rule)
    }
}

/// Read what a channel allows of changes of its orders
#[utoipa::path(get, path = "/v1/channels/{id}/change-rule", operation_id = "read_change_rule", tag = "change",
    params(("id" = String, Path, description = "the channel's id or external id")),
    responses((status = 200, body = RuleShape), Problems))]
async fn read_change_rule(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let channel = Reference::<id::Channel>::read(&id);
    let rule = app
        .read(move |tx| {
            let channel = external::resolve(tx, &channel)?;
            change::rule::read(tx, &actor, channel)
        })
        .await?;
    document(&RuleShape::from(&rule), None)
}

/// Set what a channel allows of changes of its orders
#[utoipa::path(put, path = "/v1/channels/{id}/change-rule", operation_id = "set_change_rule", tag = "change", request_body = RuleShape,
    params(("id" = String, Path, description = "the channel's id or external id")),
    responses((status = 200, body = RuleShape), Problems))]
async fn set_change_rule(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<RuleShape>,
) -> Result<Response, Problem> {
    let (channel, rule) = (Reference::<id::Channel>::read(&id), command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let channel = external::resolve(tx, &channel)?;
        let set = change::rule::set(tx, actor, world, (channel, rule))?;
        Reply::json(&RuleShape::from(&set))
    })
    .await
}
