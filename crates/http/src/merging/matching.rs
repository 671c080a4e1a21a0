//! Matching over the API: pairs of customers who may be one person, with how the score came about; decided by a colleague; and by which model.

mod comparison;
mod progress;
mod training;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::customer::matching::model::probability_ppm;
use domain::customer::matching::review::{Found, Held, ReviewState};
use domain::value::Id;
use domain::value::id::MatchReview;
use domain::{Code, Refusal};
use engine::merging::review::{self, Learnt, Review, Rule};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of matching.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_matches))
        .routes(routes!(read_match))
        .routes(routes!(accept_match))
        .routes(routes!(reject_match))
        .routes(routes!(read_matching_rule, set_matching_rule))
        .routes(routes!(list_matching_models))
        .merge(comparison::routes())
        .merge(training::routes())
}

/// Two customers who may be one person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Match, example = json!({"id": "mat_01jd0000000000000000000000", "customers": ["cus_01jd0000000000000000000000", "cus_01jd0000000000000000000001"],
    "found_by": "alike", "score": 4200, "probability_ppm": 948414, "band": "review", "model": 0, "steps": [{"reason": "before anything is compared", "weight": -22254},
    {"reason": "email: the same", "weight": 19242}, {"reason": "family_name: the same", "weight": 7212}], "state": "open", "at": "2026-06-01T10:00:00Z",
    "scored_at": "2026-06-01T10:00:00Z"}))]
struct MatchShape {
    /// Its id.
    id: String,
    /// The two; who was there first is the first, and stays if they are merged.
    customers: [String; 2],
    /// `alike`: by the score of their contacts; or `key`: a trusted source says that a key of the one is the other's, and the steps say which.
    found_by: &'static str,
    /// The odds that they are one person, in thousandths of a bit; the sum of the steps.
    score: i32,
    /// The same as a probability in millionths; absent where they were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability_ppm: Option<u32>,
    /// What the model says: `automatic`, `review`, or `none` of a pair that was withdrawn.
    band: &'static str,
    /// The number of the model; 0 for the built-in one.
    model: i64,
    /// How the score came about.
    steps: Vec<StepShape>,
    /// `open`, `accepted`, `rejected`, or `withdrawn`: a contact changed, and they are not alike any more.
    state: &'static str,
    /// Why it was not joined at once, where the retailer lets be enough that the model is sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HeldShape>,
    /// When it was found.
    #[schema(format = DateTime)]
    at: String,
    /// The score is of the contacts as they were then.
    #[schema(format = DateTime)]
    scored_at: String,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// The merge that followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<String>,
}

/// Why a pair was not joined at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchHeld, example = json!({"by": "own_word", "why": "the contact of customer cus_01jd0000000000000000000001 is what the customer wrote; nobody checked it"}))]
struct HeldShape {
    /// `own_word`: the contact of one of them is what the customer wrote of himself, and nobody checked it; or `refused`: they cannot be merged.
    by: &'static str,
    /// The same in words.
    why: String,
}

impl From<&(Held, String)> for HeldShape {
    fn from((by, why): &(Held, String)) -> HeldShape {
        HeldShape { by: by.text(), why: why.clone() }
    }
}

/// One step to a score.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = MatchStep, example = json!({"reason": "email: the same", "weight": 19242}))]
struct StepShape {
    /// What was compared and how well it agrees.
    reason: String,
    /// What it weighs, in thousandths of a bit.
    weight: i32,
}

impl From<&Review> for MatchShape {
    fn from(one: &Review) -> MatchShape {
        let steps: Vec<(String, i32)> = serde_json::from_str(&one.steps).unwrap_or_default();
        MatchShape {
            id: one.id.to_string(),
            customers: [one.one.to_string(), one.other.to_string()],
            found_by: one.found_by.text(),
            score: one.score,
            probability_ppm: (one.found_by == Found::Alike || one.score != 0)
                .then(|| probability_ppm(one.score)),
            band: one.band.word(),
            model: one.model,
            steps: steps.into_iter().map(|(reason, weight)| StepShape { reason, weight }).collect(),
            state: one.state.text(),
            held: one.held.as_ref().map(HeldShape::from),
            at: one.at.to_string(),
            scored_at: one.scored_at.to_string(),
            decided_at: one.decided_at.map(|at| at.to_string()),
            decided_by: one.decided_by.clone(),
            merge: one.merge.map(|id| id.to_string()),
        }
    }
}

fn named(id: &str) -> Result<Id<MatchReview>, Refusal> {
    Id::parse(id).map_err(|error| Refusal::new(Code::NotFound, error.to_string()))
}

/// Which matches are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MatchesQuery {
    /// `open` when not given, `accepted`, `rejected` or `withdrawn`.
    state: Option<String>,
}

/// List customers who may be one person, the newest first
#[utoipa::path(get, path = "/v1/matches", operation_id = "list_matches", tag = "merging", params(MatchesQuery, PageQuery),
    responses((status = 200, body = Page<MatchShape>), Problems))]
async fn list_matches(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<MatchesQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let state = fields.take_if("state", query.state.as_deref(), ReviewState::parse);
    let state = fields.done(state)?.unwrap_or(ReviewState::Open);
    let list = move |tx: &mut Tx<'_>, before, limit| review::list(tx, &actor, state, (before, limit));
    page.newest(&app, list, |one: &MatchShape| one.id.clone()).await
}

/// Read a match
#[utoipa::path(get, path = "/v1/matches/{id}", operation_id = "read_match", tag = "merging",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = MatchShape), Problems))]
async fn read_match(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    document(&MatchShape::from(&app.read(move |tx| review::read(tx, &actor, id)).await?), None)
}

/// Say that the two of a match are one person
///
/// They are merged: who was there first stays. The merge can be undone.
#[utoipa::path(post, path = "/v1/matches/{id}/accept", operation_id = "accept_match", tag = "merging",
    params(("id" = String, Path, description = "its id"), KeyRequired), responses((status = 200, body = MatchShape), Problems))]
async fn accept_match(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&MatchShape::from(&review::accept(tx, actor, world, id)?))
    })
    .await
}

/// Say that the two of a match are two persons
///
/// Nobody is asked again.
#[utoipa::path(post, path = "/v1/matches/{id}/reject", operation_id = "reject_match", tag = "merging",
    params(("id" = String, Path, description = "its id"), KeyRequired), responses((status = 200, body = MatchShape), Problems))]
async fn reject_match(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&MatchShape::from(&review::reject(tx, actor, world, id)?))
    })
    .await
}

/// What the retailer says of matching.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingRule, example = json!({"model": 1, "before": 0, "automatic": false, "version": 1}))]
struct RuleShape {
    /// The number of the model in force; the built-in one when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<i64>,
    /// The number of the one that was in force before, to go back to; 0 for the built-in one.
    before: i64,
    /// Is what the model is sure of merged without a look? Not at first: one in a hundred of such pairs is wrong among people made up to be hard. Whose
    /// contact is what he wrote of himself is looked at all the same.
    automatic: bool,
    /// Counts the changes.
    version: i64,
}

impl From<&Rule> for RuleShape {
    fn from(rule: &Rule) -> RuleShape {
        RuleShape { model: rule.model, before: rule.before, automatic: rule.automatic, version: rule.version }
    }
}

/// Read by which model customers are matched
#[utoipa::path(get, path = "/v1/matching/rule", operation_id = "read_matching_rule", tag = "merging",
    responses((status = 200, body = RuleShape), Problems))]
async fn read_matching_rule(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    document(&RuleShape::from(&app.read(move |tx| review::rule(tx, &actor)).await?), None)
}

/// By which model customers are to be matched.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatchingRuleWish, example = json!({"automatic": false}))]
struct RuleWish {
    /// The number of a model that was learnt; the built-in one when not given, or 0.
    model: Option<i64>,
    /// Merge without a look what the model is sure of? What customers wrote of themselves and nobody checked is looked at all the same.
    automatic: bool,
}

/// Say by which model customers are matched
#[utoipa::path(put, path = "/v1/matching/rule", operation_id = "set_matching_rule", tag = "merging", request_body = RuleWish,
    params(KeyRequired), responses((status = 200, body = RuleShape), Problems))]
async fn set_matching_rule(State(app): State<App>, command: Command<RuleWish>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let wish = (command.body.model, command.body.automatic);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&RuleShape::from(&review::set_rule(tx, actor, world, wish)?))
    })
    .await
}

/// A model that was learnt of the shop's own customers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingModel, example = json!({"number": 1, "customers": 120000, "made_at": "2026-06-01T10:00:00Z"}))]
struct ModelShape {
    /// Its number.
    number: i64,
    /// Of how many customers it was learnt.
    customers: i64,
    /// When.
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&Learnt> for ModelShape {
    fn from(one: &Learnt) -> ModelShape {
        ModelShape { number: one.number, customers: one.customers, made_at: one.made_at.to_string() }
    }
}

/// The most models that are listed.
const MODELS_MAX: i64 = 200;

/// List the models that were learnt, the newest first
///
/// At most 200. They are learnt by `POST /v1/matching/trainings` or `tandem match --train`.
#[utoipa::path(get, path = "/v1/matching/models", operation_id = "list_matching_models", tag = "merging",
    responses((status = 200, body = Page<ModelShape>), Problems))]
async fn list_matching_models(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let models = app.read(move |tx| review::models(tx, &actor, i64::MAX, MODELS_MAX)).await?;
    document(&Page { items: models.iter().map(ModelShape::from).collect(), next_cursor: None }, None)
}
