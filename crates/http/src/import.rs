//! Imports over the API: a file is sent and taken in, sent again to go on where it stopped, and asked what could not be taken.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use domain::Refusal;
use domain::import::source::Precedence;
use domain::import::{Kind, Mapping, Mode, State as ImportState};
use domain::value::Id;
use domain::value::id::Import as ImportKind;
use engine::import::{self, File, Import, Origin, RowError};
use serde::{Deserialize, Serialize};
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

mod source;

/// The most bytes of a file that is sent; larger ones are taken in on the command line.
const FILE_BYTES_MAX: usize = 10 << 20;

/// The routes of imports.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_import, list_imports))
        .routes(routes!(read_import))
        .routes(routes!(list_import_errors))
        .merge(source::routes())
        .layer(DefaultBodyLimit::max(FILE_BYTES_MAX))
}

/// A file being taken in, or taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import, example = json!({"id": "imp_01jd0000000000000000000000", "kind": "products", "mode": "rows_that_pass", "state": "done",
    "rows": 1200, "rows_read": 1200, "made": 1150, "changed": 20, "same": 28, "joined": 0, "review": 0, "findings": 0, "refused": 2, "errors": 3,
    "notes": ["the file is read as Windows-1252", "price: decimal commas were read as such, 1170 times"],
    "begun_at": "2026-11-21T09:30:00Z", "changed_at": "2026-11-21T09:30:04Z"}))]
struct ImportShape {
    /// Its id.
    id: String,
    /// What the file holds.
    kind: &'static str,
    /// `dry_run`, `all_or_nothing` or `rows_that_pass`.
    mode: &'static str,
    /// `running`: send the same file under the same key again and it goes on; `done`; or `refused`: all or nothing, and nothing was taken.
    state: &'static str,
    /// The source it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Who is right where the source says something else than is known: `fill_gaps`, `newer`, `trust` or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<&'static str>,
    /// Rows in the file.
    rows: i64,
    /// Rows that were looked at.
    rows_read: i64,
    /// Rows by which something new was made; on a dry run: would be.
    made: i64,
    /// Rows by which something was changed.
    changed: i64,
    /// Rows that said what is so already.
    same: i64,
    /// Rows of somebody who was there, put to what other sources say of the same person.
    joined: i64,
    /// Rows of which a colleague looks whose they are, too: they may be somebody else's.
    review: i64,
    /// What was found out about rows; the first 10,000 are kept.
    findings: i64,
    /// Rows that could not be taken.
    refused: i64,
    /// Errors of these rows; the first 10,000 are kept.
    errors: i64,
    /// How the file was read: its encoding, what was odd, columns that are not taken.
    notes: Vec<String>,
    /// When it began.
    begun_at: String,
    /// When the last rows were looked at.
    changed_at: String,
}

impl From<&Import> for ImportShape {
    fn from(import: &Import) -> ImportShape {
        ImportShape {
            id: import.id.to_string(),
            kind: import.kind.text(),
            mode: import.mode.text(),
            state: import.state.text(),
            source: import.source.clone(),
            precedence: import.precedence.map(Precedence::text),
            rows: import.rows_total,
            rows_read: import.rows_read,
            made: import.made,
            changed: import.changed,
            same: import.same,
            joined: import.joined,
            review: import.review,
            findings: import.findings,
            refused: import.refused,
            errors: import.errors,
            notes: import.notes.lines().map(str::to_owned).collect(),
            begun_at: import.made_at.to_string(),
            changed_at: import.changed_at.to_string(),
        }
    }
}

/// What was told of a row that could not be taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportError, example = json!({"place": 1, "line": 17, "column": "barcodes", "value": "4.00638E+12", "code": "invalid",
    "message": "gtin \"4.00638E+12\" was rounded by a spreadsheet and its digits are lost: format the column as text and export again"}))]
struct ImportErrorShape {
    /// Its place among the errors, from 1.
    place: i64,
    /// The line of the file, from 1; the first line has the names of the columns.
    line: i64,
    /// The column at fault, by our name; absent when the whole row is.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// What stands there, shortened; never of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The code of the refusal.
    code: String,
    /// The words for a person.
    message: String,
}

impl From<RowError> for ImportErrorShape {
    fn from(error: RowError) -> ImportErrorShape {
        let RowError { place, line, column, value, code, message } = error;
        ImportErrorShape { place, line, column, value, code, message }
    }
}

/// What is sent, and what becomes of it when a row cannot be taken.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// What the file holds: `locations`, `products`, `prices`, `stock`, `customers`, `orders`, `postal_areas`, `price_lists`,
    /// `promotions`, `coupons`, `balances`, `consents` or `lists`.
    #[param(example = "stock")]
    kind: String,
    /// `dry_run`: nothing is changed; `all_or_nothing`: at most 50,000 rows; or `rows_that_pass`.
    #[param(example = "dry_run")]
    mode: String,
    /// The source the file comes from: its mapping holds, and customers are found by its numbers.
    #[param(example = "web")]
    source: Option<String>,
    /// Who is right where the source says something else than is known: `fill_gaps`, `newer`, `trust` or `never`; as the source says when
    /// not given.
    precedence: Option<String>,
}

/// Take in a file
///
/// Comma-, semicolon- or tab-separated values with the names of our columns in the first line, or JSON Lines; any usual encoding. At most
/// 10 MB; the command line takes larger files and other names of columns. Work on a large file may stop before its end: send the same
/// file under the same key again until its state is no longer `running`. Rows taken once are never taken twice.
#[utoipa::path(post, path = "/v1/imports", operation_id = "create_import", tag = "import", params(ImportQuery, KeyRequired),
    request_body(content = String, content_type = "text/csv", description = "the file"),
    responses((status = 200, body = ImportShape), Problems))]
async fn create_import(
    State(app): State<App>,
    Asked(query): Asked<ImportQuery>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let command = Command::<Bytes>::of_file(request, &app).await?;
    let mut fields = Fields::new();
    let (kind, mode) =
        (fields.take("kind", Kind::parse(&query.kind)), fields.take("mode", Mode::parse(&query.mode)));
    let precedence = fields.take_if("precedence", query.precedence.as_deref(), Precedence::parse);
    if query.source.is_none() && query.precedence.is_some() {
        fields.refuse("precedence", "is for files from a source; say which");
    }
    let (kind, mode) = fields.done(kind.zip(mode))?;
    let actor = command.actor().clone();
    let origin = query.source.map(|source| Origin { source, precedence: precedence.flatten() });
    let mapping = match origin.clone() {
        Some(Origin { source, .. }) => {
            let actor = actor.clone();
            app.read(move |tx| import::source::mapping(tx, &actor, &source, kind)).await?
        }
        None => Mapping::default(),
    };
    let file = read(kind, (mapping, origin), command.body).await?;
    let begun = file.clone();
    let begin = move |tx: &mut store::Tx<'_>, actor: &_, world: &mut _| {
        Reply::json(&ImportShape::from(&import::begin(tx, actor, world, &begun, mode)?))
    };
    let answer = app.answered(command.request, StatusCode::OK, begin).await?;
    let id = begun_id(&answer.body)?;
    let until = app.shop.source.now().plus_seconds(app.seconds_for_long_work());
    loop {
        let (file, actor) = (file.clone(), actor.clone());
        let import = app.write(move |tx, world| import::go_on(tx, &actor, world, id, &file)).await?;
        if import.state != ImportState::Running || app.shop.source.now() >= until {
            return document(&ImportShape::from(&import), None);
        }
    }
}

/// Reads a file where it keeps nobody waiting.
async fn read(
    kind: Kind,
    (mapping, origin): (Mapping, Option<Origin>),
    bytes: Bytes,
) -> Result<Arc<File>, Problem> {
    let read = tokio::task::spawn_blocking(move || import::read_from(kind, &mapping, origin, &bytes));
    let file = read.await.map_err(|_| Problem::fault())??;
    Ok(Arc::new(file))
}

/// The id in the answer that was given when the import began.
fn begun_id(body: &str) -> Result<Id<ImportKind>, Problem> {
    #[derive(Deserialize)]
    struct Begun {
        id: String,
    }
    let begun: Begun = serde_json::from_str(body).map_err(|_| Problem::fault())?;
    Id::parse(&begun.id).map_err(|_| Problem::fault())
}

/// List imports
///
/// The newest first.
#[utoipa::path(get, path = "/v1/imports", operation_id = "list_imports", tag = "import", params(PageQuery),
    responses((status = 200, body = Page<ImportShape>), Problems))]
async fn list_imports(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id::<ImportKind>()?);
    let before = if after.bytes() == [0; 16] { Id::from_bytes([0xff; 16]) } else { after };
    let imports = app.read(move |tx| import::list(tx, &actor, before, limit)).await?;
    let shapes = imports.iter().map(ImportShape::from).collect();
    document(&Page::new(shapes, limit, |import: &ImportShape| import.id.clone()), None)
}

/// Read an import
#[utoipa::path(get, path = "/v1/imports/{id}", operation_id = "read_import", tag = "import",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = ImportShape), Problems))]
async fn read_import(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let import = app.read(move |tx| import::find(tx, &actor, id)).await?;
    document(&ImportShape::from(&import), None)
}

/// List what was told of rows
///
/// In the order of the file.
#[utoipa::path(get, path = "/v1/imports/{id}/errors", operation_id = "list_import_errors", tag = "import",
    params(("id" = String, Path, description = "the import's id"), PageQuery),
    responses((status = 200, body = Page<ImportErrorShape>), Problems))]
async fn list_import_errors(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit, after) = (id_of(&id)?, page.limit()?, after_place(&page)?);
    let errors = app.read(move |tx| import::errors(tx, &actor, id, after, limit)).await?;
    let shapes = errors.into_iter().map(ImportErrorShape::from).collect();
    document(&Page::new(shapes, limit, |error: &ImportErrorShape| error.place.to_string()), None)
}

/// The place after which a page of errors or findings begins.
fn after_place(page: &PageQuery) -> Result<i64, Problem> {
    let after = page.after()?;
    let after = if after.is_empty() { Ok(0) } else { after.parse() };
    after.map_err(|_| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
}

fn id_of(text: &str) -> Result<Id<ImportKind>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("import", text).into())
}
