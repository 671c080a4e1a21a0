//! Sources of files over the API, and what imports of their files found out: whom rows are of, and whom they may be of.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::import::source::Precedence;
use domain::import::{Kind, Mapping};
use engine::Failure;
use engine::import::source::{self, Finding, NewSource, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{after_place, id_of};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of sources and findings.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_import_sources))
        .routes(routes!(read_import_source, set_import_source))
        .routes(routes!(list_import_findings))
}

/// Which columns of a file are ours, and how it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportMapping, example = json!({"columns": {"external_id": "Kundennr.", "email": "E-Mail"}, "constants": {"country": "DE"}, "decimal": ","}))]
struct MappingShape {
    /// Our column and theirs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, String>,
    /// Our column and what stands in every row of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    constants: BTreeMap<String, String>,
    /// Our column and what stands where it is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    defaults: BTreeMap<String, String>,
    /// What stands between cells; recognised when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    /// What stands before decimals: `.` or `,`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decimal: Option<String>,
    /// `day_first` or `month_first`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dates: Option<String>,
    /// Where times without a zone were read: a name of the iana database.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
}

/// A system whose files are taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportSource, example = json!({"code": "web", "name": "Web shop", "trust": 50, "precedence": "trust",
    "mappings": {"customers": {"columns": {"external_id": "Kundennr.", "email": "E-Mail"}}}, "changed_at": "2026-11-21T09:30:00Z"}))]
struct SourceShape {
    /// The short word it goes by; its numbers are named behind it: `web:1017`.
    code: String,
    /// What people call it.
    name: String,
    /// How far it is trusted, from 1 to 100.
    trust: i64,
    /// Who is right where it says something else than is known: `fill_gaps`, `newer`, `trust` or `never`.
    precedence: &'static str,
    /// How its files are mapped, by kind.
    mappings: BTreeMap<String, MappingShape>,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
}

impl SourceShape {
    fn of(one: &Source) -> Result<SourceShape, Failure> {
        let shape = |mapping: &Mapping| serde_json::from_value(source::written(mapping)).unwrap_or_default();
        let mappings = source::mappings(one)?;
        Ok(SourceShape {
            code: one.code.clone(),
            name: one.name.clone(),
            trust: one.trust,
            precedence: one.precedence.text(),
            mappings: mappings
                .iter()
                .map(|(kind, mapping)| (kind.text().to_owned(), shape(mapping)))
                .collect(),
            changed_at: one.changed_at.to_string(),
        })
    }
}

/// List the sources of files, by code
#[utoipa::path(get, path = "/v1/import-sources", operation_id = "list_import_sources", tag = "import",
    responses((status = 200, body = Page<SourceShape>), Problems))]
async fn list_import_sources(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let found = app.read(move |tx| source::list(tx, &actor)).await?;
    let items = found.iter().map(SourceShape::of).collect::<Result<Vec<_>, _>>()?;
    document(&Page { items, next_cursor: None }, None)
}

/// Read a source of files
#[utoipa::path(get, path = "/v1/import-sources/{code}", operation_id = "read_import_source", tag = "import",
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = SourceShape), Problems))]
async fn read_import_source(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| source::read(tx, &actor, &code)).await?;
    document(&SourceShape::of(&found)?, None)
}

/// A source as it shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportSourceChange, example = json!({"name": "Web shop", "trust": 50, "precedence": "trust",
    "mappings": {"customers": {"columns": {"external_id": "Kundennr.", "email": "E-Mail"}}}}))]
struct SetSourceShape {
    /// What people call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// How far it is trusted, from 1 to 100; of two sources the higher wins.
    #[schema(minimum = 1, maximum = 100)]
    trust: i64,
    /// Who is right where it says something else than is known, unless an import says so: `fill_gaps` when left out, `newer`, `trust` or
    /// `never`.
    precedence: Option<String>,
    /// How its files are mapped, by kind of file.
    #[serde(default)]
    mappings: BTreeMap<String, MappingShape>,
}

impl SetSourceShape {
    fn read(self, code: &str) -> Result<NewSource, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", short_code(code));
        let precedence = self.precedence.as_deref().map_or(Ok(Precedence::FillGaps), Precedence::parse);
        let precedence = fields.take("precedence", precedence);
        let mut mappings = BTreeMap::new();
        for (kind, shape) in &self.mappings {
            let field = format!("mappings.{kind}");
            let read = serde_json::to_value(shape).map_err(|_| Refusal::invalid("", "cannot be read"));
            let mapping = fields.part(&field, read.and_then(|value| source::read_mapping(&value)));
            if let (Some(kind), Some(mapping)) = (fields.take(&field, Kind::parse(kind)), mapping) {
                mappings.insert(kind, mapping);
            }
        }
        let (name, trust) = (self.name, self.trust);
        let read = (|| Some(NewSource { code: code?, name, trust, precedence: precedence?, mappings }))();
        fields.done(read)
    }
}

/// Write a source of files; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/import-sources/{code}", operation_id = "set_import_source", tag = "import", request_body = SetSourceShape,
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = SourceShape), Problems))]
async fn set_import_source(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetSourceShape>,
) -> Result<Response, Problem> {
    let new = command.body.read(&code)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&SourceShape::of(&source::set(tx, actor, world, &new)?)?)
    })
    .await
}

/// What an import found out about a row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportFinding, example = json!({"place": 1, "line": 17, "is_joined": false, "same_by": "alike", "customer": "cus_01jd0000000000000000000000",
    "score": 4200, "steps": [{"reason": "before anything is compared", "weight": -22254}, {"reason": "email: the same", "weight": 26454}]}))]
struct FindingShape {
    /// Its place among the findings, from 1.
    place: i64,
    /// The line of the file.
    line: i64,
    /// Is the row put to whom it was found to be? Else a colleague looks: `GET /v1/matches`.
    is_joined: bool,
    /// `customer`, `email` or `phone`: the key that is the same; or `alike`.
    same_by: &'static str,
    /// The customer it is, or may be; absent where that is somebody further up in a file that was only tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// The line further up that it is the same as, or may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_line: Option<i64>,
    /// The odds that they are one person, in thousandths of a bit; 0 where a key is the same.
    score: i32,
    /// How the score came about.
    steps: Vec<StepShape>,
}

/// One step to a score.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportFindingStep, example = json!({"reason": "email: the same", "weight": 26454}))]
struct StepShape {
    /// What was compared and how well it agrees.
    reason: String,
    /// What it weighs, in thousandths of a bit.
    weight: i32,
}

impl From<(i64, Finding)> for FindingShape {
    fn from((place, one): (i64, Finding)) -> FindingShape {
        let steps: Vec<(String, i32)> = serde_json::from_str(&one.steps).unwrap_or_default();
        FindingShape {
            place,
            line: one.line,
            is_joined: one.is_joined,
            same_by: one.same_by.text(),
            customer: one.customer.filter(|_| one.other_line.is_none()).map(|id| id.to_string()),
            other_line: one.other_line,
            score: one.score,
            steps: steps.into_iter().map(|(reason, weight)| StepShape { reason, weight }).collect(),
        }
    }
}

/// List what was found out about rows
///
/// Of files of customers from a source: whom a row is the same as, and by which key; and whom it may be, with the score. In the order of the
/// file.
#[utoipa::path(get, path = "/v1/imports/{id}/findings", operation_id = "list_import_findings", tag = "import",
    params(("id" = String, Path, description = "the import's id"), PageQuery),
    responses((status = 200, body = Page<FindingShape>), Problems))]
async fn list_import_findings(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit, after) = (id_of(&id)?, page.limit()?, after_place(&page)?);
    let found = app.read(move |tx| source::findings(tx, &actor, id, after, limit)).await?;
    let shapes = found.into_iter().map(FindingShape::from).collect();
    document(&Page::new(shapes, limit, |one: &FindingShape| one.place.to_string()), None)
}
