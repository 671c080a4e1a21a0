//! Learning a matching model over the API: asked for, watched, stopped; and a model laid beside the one in force, before it is put into its place.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::customer::matching::level::Level;
use domain::customer::matching::person::Field;
use domain::merging::Task;
use engine::merging::review::{self, Known};
use engine::merging::training::{self, Training};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::progress::{Progress, figures_of, named};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of learning.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start_matching_training, list_matching_trainings))
        .routes(routes!(read_matching_training))
        .routes(routes!(stop_matching_training))
        .routes(routes!(read_matching_model))
}

/// A model that is, was or shall be learnt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingTraining, example = json!({"id": "mtr_01jd0000000000000000000000", "seed": 1, "state": "done", "customers": 120000, "model": 1,
    "figures": {"compared": 1843200, "learnt": {"automatic": 812, "review": 97}, "in_force": {"automatic": 640, "review": 310}, "model": 0, "higher": 190, "lower": 231},
    "asked_by": "staff:stf_01jd0000000000000000000000", "made_at": "2026-06-01T10:00:00Z", "began_at": "2026-06-01T10:00:02Z", "ended_at": "2026-06-01T10:01:40Z"}))]
struct TrainingShape {
    #[serde(flatten)]
    progress: Progress,
    /// Where learning begins to take pairs at random.
    seed: i64,
    /// The number of the model that was learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<i64>,
    /// What it says of the same customers as the model that was in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<FiguresShape>,
}

/// Two models, asked of the same customers.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = MatchingFigures, example = json!({"compared": 1843200, "learnt": {"automatic": 812, "review": 97}, "in_force": {"automatic": 640, "review": 310}, "model": 0,
    "higher": 190, "lower": 231}))]
struct FiguresShape {
    /// How many pairs were compared.
    compared: u64,
    /// What the new model says.
    learnt: PairsShape,
    /// What the model says that was in force then.
    in_force: PairsShape,
    /// Its number; 0 for the built-in one.
    model: i64,
    /// Of how many pairs the new one is surer that they are one person: shown where they were not, or sure where they were shown.
    higher: u64,
    /// Of how many it is less sure.
    lower: u64,
}

/// How many pairs a model would show, and is sure of.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = MatchingPairs, example = json!({"automatic": 812, "review": 97}))]
struct PairsShape {
    /// It is sure that they are one person.
    automatic: u64,
    /// A colleague should look.
    review: u64,
}

impl From<&Training> for TrainingShape {
    fn from(one: &Training) -> TrainingShape {
        TrainingShape {
            progress: Progress::from(one),
            seed: one.seed,
            model: one.number,
            figures: figures_of(one),
        }
    }
}

/// A model to be learnt.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMatchingTraining, example = json!({"seed": 1}))]
struct TrainingWish {
    /// Where learning begins to take pairs at random; the same number learns the same again. 1 when not given.
    #[schema(minimum = 0)]
    seed: Option<i64>,
}

/// Learn a matching model of the shop's own customers
///
/// It takes minutes and is done beside everything else; one at a time, and not while all customers are compared. What it learns is in force once the rule names it.
#[utoipa::path(post, path = "/v1/matching/trainings", operation_id = "start_matching_training", tag = "merging", request_body = TrainingWish,
    params(KeyRequired), responses((status = 201, body = TrainingShape), Problems))]
async fn start_matching_training(
    State(app): State<App>,
    command: Command<TrainingWish>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let seed = command.body.seed.unwrap_or(1);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        Reply::json(&TrainingShape::from(&training::start(tx, actor, world, (Task::Learn, seed))?))
    })
    .await
}

/// List the trainings of matching models, the newest first
#[utoipa::path(get, path = "/v1/matching/trainings", operation_id = "list_matching_trainings", tag = "merging", params(PageQuery),
    responses((status = 200, body = Page<TrainingShape>), Problems))]
async fn list_matching_trainings(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let list = move |tx: &mut Tx<'_>, before, limit| training::list(tx, &actor, Task::Learn, (before, limit));
    page.newest(&app, list, |one: &TrainingShape| one.progress.id.clone()).await
}

/// Read how far a training is, and what came of it
#[utoipa::path(get, path = "/v1/matching/trainings/{id}", operation_id = "read_matching_training", tag = "merging",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = TrainingShape), Problems))]
async fn read_matching_training(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    document(
        &TrainingShape::from(&app.read(move |tx| training::read(tx, &actor, (Task::Learn, id))).await?),
        None,
    )
}

/// Stop a training
///
/// Nothing of it is kept.
#[utoipa::path(post, path = "/v1/matching/trainings/{id}/stop", operation_id = "stop_matching_training", tag = "merging",
    params(("id" = String, Path, description = "its id"), KeyRequired), responses((status = 200, body = TrainingShape), Problems))]
async fn stop_matching_training(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&TrainingShape::from(&training::stop(tx, actor, world, (Task::Learn, id))?))
    })
    .await
}

/// A model, laid beside the one in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingModelRead, example = json!({"number": 1, "customers": 120000, "made_at": "2026-06-01T10:00:00Z", "prior": -22254, "household": 1000, "review": 1200, "automatic": 9800,
    "in_force": {"number": 0, "prior": -23000, "household": 1000, "review": 0, "automatic": 10000},
    "weights": [{"field": "email", "level": "the same", "weight": 19242, "in_force": 18100}]}))]
struct ModelRead {
    /// Its number; 0 for the built-in one.
    number: i64,
    /// Of how many customers it was learnt; absent for the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    customers: Option<i64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    made_at: Option<String>,
    /// The odds that two people taken at random are one, in thousandths of a bit.
    prior: i32,
    /// The odds that two of one household are one person before they are compared, in thousandths of a bit.
    household: i32,
    /// From this score on a colleague looks.
    review: i32,
    /// From this score on they are one person.
    automatic: i32,
    /// The same of the model in force.
    in_force: BesideShape,
    /// What each agreement weighs, in thousandths of a bit, in both.
    weights: Vec<WeightShape>,
}

/// The model in force, beside another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingModelInForce, example = json!({"number": 0, "prior": -23000, "household": 1000, "review": 0, "automatic": 10000}))]
struct BesideShape {
    /// Its number; 0 for the built-in one.
    number: i64,
    /// The odds that two people taken at random are one, in thousandths of a bit.
    prior: i32,
    /// The odds that two of one household are one person before they are compared, in thousandths of a bit.
    household: i32,
    /// From this score on a colleague looks.
    review: i32,
    /// From this score on they are one person.
    automatic: i32,
}

/// What an agreement weighs in two models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingWeight, example = json!({"field": "email", "level": "the same", "weight": 19242, "in_force": 18100}))]
struct WeightShape {
    /// What is compared.
    field: &'static str,
    /// How well it agrees.
    level: &'static str,
    /// What it weighs, in thousandths of a bit.
    weight: i32,
    /// What it weighs in the model in force.
    in_force: i32,
}

impl From<&Known> for ModelRead {
    fn from(one: &Known) -> ModelRead {
        let (own, now) = (one.model.parts(), one.in_force.model.parts());
        let levels = |field: Field| Level::ALL.into_iter().filter(move |level| level.is_of(field));
        let weight = |field: Field, level: Level| WeightShape {
            field: field.word(),
            level: level.reason(field),
            weight: one.model.weight(field, level),
            in_force: one.in_force.model.weight(field, level),
        };
        ModelRead {
            number: one.learnt.as_ref().map_or(0, |learnt| learnt.number),
            customers: one.learnt.as_ref().map(|learnt| learnt.customers),
            made_at: one.learnt.as_ref().map(|learnt| learnt.made_at.to_string()),
            prior: own.prior,
            household: own.household,
            review: own.bands.review,
            automatic: own.bands.automatic,
            in_force: BesideShape {
                number: one.in_force.number,
                prior: now.prior,
                household: now.household,
                review: now.bands.review,
                automatic: now.bands.automatic,
            },
            weights: Field::ALL
                .into_iter()
                .flat_map(|field| levels(field).map(move |level| weight(field, level)))
                .collect(),
        }
    }
}

/// Read a matching model, laid beside the one in force
#[utoipa::path(get, path = "/v1/matching/models/{number}", operation_id = "read_matching_model", tag = "merging",
    params(("number" = i64, Path, description = "its number; 0 for the built-in one", example = 1)), responses((status = 200, body = ModelRead), Problems))]
async fn read_matching_model(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let number: i64 = number.parse().map_err(|_| Refusal::not_found("model", &number))?;
    document(&ModelRead::from(&app.read(move |tx| review::model(tx, &actor, number)).await?), None)
}
