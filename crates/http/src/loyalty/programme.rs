//! Loyalty programmes over the API: written in versions, put in force, retired.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::value::{Instant, text};
use engine::loyalty::programme::{self, Programme, Version};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::terms::{TermsShape, known};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most characters of a name.
pub(super) const NAME_LENGTH_MAX: usize = 120;

/// The routes of loyalty programmes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_loyalty_programmes, create_loyalty_programme))
        .routes(routes!(list_loyalty_versions, write_loyalty_version))
        .routes(routes!(activate_loyalty_version))
        .routes(routes!(retire_loyalty_version))
}

/// A loyalty programme.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoyaltyProgramme, example = json!({"id": "lpr_01jd0000000000000000000000", "code": "club", "name": "The club", "made_at": "2026-11-21T09:30:00Z"}))]
struct ProgrammeShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&Programme> for ProgrammeShape {
    fn from(one: &Programme) -> ProgrammeShape {
        ProgrammeShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            name: one.name.clone(),
            made_at: one.made_at.to_string(),
        }
    }
}

/// A version of what a loyalty programme says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoyaltyVersion)]
struct VersionShape {
    /// Counts the versions, from 1.
    number: i64,
    /// Where it stands: `draft`, `active` (in force from its instant until another's) or `retired`.
    state: &'static str,
    /// From when on it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    active_from: Option<String>,
    /// What it says.
    terms: TermsShape,
    /// When it was written.
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&Version> for VersionShape {
    fn from(one: &Version) -> VersionShape {
        VersionShape {
            number: one.number,
            state: one.state.text(),
            active_from: one.active_from.map(|at| at.to_string()),
            terms: TermsShape::from(&one.terms),
            made_at: one.made_at.to_string(),
        }
    }
}

/// A loyalty programme to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLoyaltyProgramme, example = json!({"code": "club", "name": "The club", "terms": {"earnings": [{"points": 1, "per": {"amount": 100, "currency": "GBP"}}]}}))]
struct NewProgrammeShape {
    /// The short word it goes by; it cannot be changed later.
    code: String,
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// What its first version says, as a draft.
    terms: TermsShape,
}

/// What the next version says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLoyaltyVersion)]
struct NewVersionShape {
    /// What it says.
    terms: TermsShape,
}

/// When a version comes in force.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltyActivation, example = json!({"from": "2027-01-01T00:00:00Z"}))]
struct FromShape {
    /// From when on; from now on when absent. Only the first version of a programme that was run elsewhere may have begun before.
    #[schema(format = DateTime)]
    from: Option<String>,
}

/// Make a loyalty programme
///
/// Its first version is a draft: nothing is earned before it is put in force.
#[utoipa::path(post, path = "/v1/loyalty-programmes", operation_id = "create_loyalty_programme", tag = "loyalty", request_body = NewProgrammeShape,
    responses((status = 201, body = ProgrammeShape), Problems))]
async fn create_loyalty_programme(
    State(app): State<App>,
    command: Command<NewProgrammeShape>,
) -> Result<Response, Problem> {
    let asked = &command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&asked.code));
    let name = fields.take("name", text::bounded("name", &asked.name, 1, NAME_LENGTH_MAX));
    let terms = fields.within("terms", |fields| asked.terms.read(fields));
    let (named, read) = fields.done(code.zip(name).zip(terms))?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let terms = known(tx, &read)?;
        let (one, _) = programme::create(tx, actor, world, named.clone(), terms)?;
        Reply::json(&ProgrammeShape::from(&one))
    })
    .await
}

/// List the loyalty programmes, in the order they were made
#[utoipa::path(get, path = "/v1/loyalty-programmes", operation_id = "list_loyalty_programmes", tag = "loyalty",
    responses((status = 200, body = Page<ProgrammeShape>), Problems))]
async fn list_loyalty_programmes(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let found = app.read(move |tx| programme::list(tx, &actor)).await?;
    document(&Page { items: found.iter().map(ProgrammeShape::from).collect(), next_cursor: None }, None)
}

/// Write the next version of a loyalty programme, as a draft
#[utoipa::path(post, path = "/v1/loyalty-programmes/{programme}/versions", operation_id = "write_loyalty_version", tag = "loyalty", request_body = NewVersionShape,
    params(("programme" = String, Path, description = "Its id or code.")), responses((status = 201, body = VersionShape), Problems))]
async fn write_loyalty_version(
    State(app): State<App>,
    Path(name): Path<String>,
    command: Command<NewVersionShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let read = fields.within("terms", |fields| command.body.terms.read(fields));
    let read = fields.done(read)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let id = programme::named(tx, actor, &name)?.id;
        let terms = known(tx, &read)?;
        Reply::json(&VersionShape::from(&programme::write(tx, actor, world, id, terms)?))
    })
    .await
}

/// List the versions of a loyalty programme, the newest first
#[utoipa::path(get, path = "/v1/loyalty-programmes/{programme}/versions", operation_id = "list_loyalty_versions", tag = "loyalty",
    params(("programme" = String, Path, description = "Its id or code.")), responses((status = 200, body = Page<VersionShape>), Problems))]
async fn list_loyalty_versions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let read = move |tx: &mut Tx<'_>| {
        let id = programme::named(tx, &actor, &name)?.id;
        programme::versions(tx, &actor, id)
    };
    let found = app.read(read).await?;
    document(&Page { items: found.iter().map(VersionShape::from).collect(), next_cursor: None }, None)
}

fn numbered(number: &str) -> Result<i64, Problem> {
    number.parse().map_err(|_| Refusal::not_found("version of this loyalty programme", number).into())
}

/// Put a version of a loyalty programme in force
#[utoipa::path(post, path = "/v1/loyalty-programmes/{programme}/versions/{number}/activate", operation_id = "activate_loyalty_version", tag = "loyalty",
    request_body = FromShape, params(("programme" = String, Path, description = "Its id or code."), ("number" = String, Path, description = "The version's number.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn activate_loyalty_version(
    State(app): State<App>,
    Path((name, number)): Path<(String, String)>,
    command: Command<FromShape>,
) -> Result<Response, Problem> {
    let number = numbered(&number)?;
    let mut fields = Fields::new();
    let from = fields.take_if("from", command.body.from.as_deref(), Instant::parse);
    let from = fields.done(from)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = programme::named(tx, actor, &name)?.id;
        Reply::json(&VersionShape::from(&programme::activate(tx, actor, world, (id, number), from)?))
    })
    .await
}

/// Take a version of a loyalty programme out of force for good
///
/// The version before it, if there is one, is in force again. What was earned stays as it was.
#[utoipa::path(post, path = "/v1/loyalty-programmes/{programme}/versions/{number}/retire", operation_id = "retire_loyalty_version", tag = "loyalty",
    params(("programme" = String, Path, description = "Its id or code."), ("number" = String, Path, description = "The version's number.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn retire_loyalty_version(
    State(app): State<App>,
    Path((name, number)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let number = numbered(&number)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = programme::named(tx, actor, &name)?.id;
        Reply::json(&VersionShape::from(&programme::retire(tx, actor, world, (id, number))?))
    })
    .await
}
