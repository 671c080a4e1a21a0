//! Selling rules over the API: what a channel does when nothing of a variant is left.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::stock::selling::{Rule, WhenOut};
use domain::value::id::Variant;
use domain::value::{Id, Instant, Reference};
use engine::stock::selling;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
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

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_selling_rules, set_selling_rule, remove_selling_rule))
}

/// What a channel does when nothing of a variant is left.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SellingRule, example = json!({"variant": "var_01jd0000000000000000000000", "when_out": "back_order", "cap": 50, "lead_days": 14}))]
struct RuleShape {
    /// The variant: id, external id or SKU; absent for all variants of the channel without a rule of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    /// `refuse`: no more is sold; `back_order`: sold up to a cap and served from whatever comes; `pre_order`: sold from goods that are
    /// expected, and served when they have come.
    when_out: String,
    /// The most pieces that are sold and not there; needed for back-orders. Pre-orders are never more than are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    cap: Option<i64>,
    /// For back-orders, in how many days goods are there of which none are expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 730)]
    lead_days: Option<i64>,
    /// For pre-orders, before which instant they do not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    releases_at: Option<String>,
}

impl RuleShape {
    fn of((variant, rule): &(Id<Variant>, Rule)) -> RuleShape {
        RuleShape {
            variant: (*variant != selling::ALL).then(|| variant.to_string()),
            when_out: rule.when_out.text().to_owned(),
            cap: rule.cap,
            lead_days: rule.lead_days,
            releases_at: rule.releases_at.map(|at| at.to_string()),
        }
    }

    fn read(&self) -> Result<Rule, Refusal> {
        let mut fields = Fields::new();
        let when_out = fields.take("when_out", WhenOut::parse(&self.when_out));
        let releases_at = fields.take_if("releases_at", self.releases_at.as_deref(), Instant::parse);
        let (cap, lead_days) = (self.cap, self.lead_days);
        fields.done(when_out.zip(releases_at).map(|(when_out, releases_at)| Rule {
            when_out,
            cap,
            lead_days,
            releases_at,
        }))
    }
}

/// List the selling rules of a channel
///
/// The one for all variants first.
#[utoipa::path(get, path = "/v1/channels/{id}/selling-rules", operation_id = "list_selling_rules", tag = "stock",
    params(("id" = String, Path, description = "the channel's id or external id"), PageQuery),
    responses((status = 200, body = Page<RuleShape>), Problems))]
async fn list_selling_rules(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after()?);
    let after = if after.is_empty() { None } else { Some(page.after_id()?) };
    let channel = Reference::read(&id);
    let rules = app.read(move |tx| selling::list(tx, &actor, &channel, after, limit)).await?;
    let shapes = rules.iter().map(RuleShape::of).collect();
    let key = |rule: &RuleShape| rule.variant.clone().unwrap_or_else(|| selling::ALL.to_string());
    document(&Page::new(shapes, limit, key), None)
}

/// Set a selling rule
///
/// In place of the one the variant has in the channel.
#[utoipa::path(put, path = "/v1/channels/{id}/selling-rules", operation_id = "set_selling_rule", tag = "stock", request_body = RuleShape,
    params(("id" = String, Path, description = "the channel's id or external id")),
    responses((status = 200, body = RuleShape), Problems))]
async fn set_selling_rule(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<RuleShape>,
) -> Result<Response, Problem> {
    let (channel, rule) = (Reference::read(&id), command.body.read()?);
    let variant = command.body.variant.as_deref().map(Reference::read);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (_, variant) = selling::set(tx, actor, world, (&channel, variant.as_ref()), rule)?;
        Reply::json(&RuleShape::of(&(variant, rule)))
    })
    .await
}

/// Which rule is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RuleQuery {
    /// The variant: id, external id or SKU; the rule for all variants when absent.
    variant: Option<String>,
}

/// Remove a selling rule
///
/// The channel's rule for all variants holds then; where there is none, no more is sold than is there.
#[utoipa::path(delete, path = "/v1/channels/{id}/selling-rules", operation_id = "remove_selling_rule", tag = "stock",
    params(("id" = String, Path, description = "the channel's id or external id"), RuleQuery),
    responses((status = 204), Problems))]
async fn remove_selling_rule(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(asked): Asked<RuleQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (channel, variant) = (Reference::read(&id), asked.variant.as_deref().map(Reference::read));
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        selling::remove(tx, actor, world, (&channel, variant.as_ref()))?;
        Reply::json(&())
    })
    .await
}
