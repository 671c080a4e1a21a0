//! The register of what is kept of persons, over the API: the record a shop has to be able to show.

use axum::extract::State;
use axum::response::Response;
use domain::privacy::register::Told;
use engine::privacy::register::{self, Governed};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::retention::RuleShape;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::Page;
use crate::problem::{Problem, Problems};

/// The route of the register.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_privacy_register))
}

/// Tables that are treated alike, with what is in them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptData, example = json!({"what": "what was sent", "tables": ["message"], "section": "messages", "told": "in the archive's messages: template",
    "left_after_erasing": "the row: which template was sent when, and words whose key is destroyed: it names nobody", "kept": "until the person is erased, sooner by the rule for messages",
    "rules": [{"class": "messages", "days": 730, "active": false}]}))]
struct KeptShape {
    /// What is in them.
    what: &'static str,
    /// The tables.
    tables: &'static [&'static str],
    /// The section of the archive that tells it; none when it is not told.
    section: Option<&'static str>,
    /// How a person is told of it, or why not.
    told: String,
    /// What is left of it after the person is erased.
    left_after_erasing: String,
    /// How long it is kept.
    kept: String,
    /// The retention rules that shorten it, those you wrote and those that wait to be turned on.
    rules: Vec<RuleShape>,
}

impl KeptShape {
    fn of(one: &Governed) -> KeptShape {
        let section = match one.entry.told {
            Told::In(section, _) => Some(section.text()),
            Told::Not(_) => None,
        };
        KeptShape {
            what: one.entry.what,
            tables: one.entry.tables,
            section,
            told: one.entry.told.words(),
            left_after_erasing: one.entry.left.words(),
            kept: one.entry.kept.words(),
            rules: one.rules.iter().map(|rule| RuleShape::of(rule, None)).collect(),
        }
    }
}

/// Read what is kept of persons, table by table
///
/// How each is told to whoever asks, what is left of it after erasing, and how long it is kept: by itself, and by your rules.
#[utoipa::path(get, path = "/v1/privacy-register", operation_id = "read_privacy_register", tag = "privacy",
    responses((status = 200, body = Page<KeptShape>), Problems))]
async fn read_privacy_register(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let found = app.read(move |tx| register::read(tx, &actor)).await?;
    document(&Page { items: found.iter().map(KeptShape::of).collect(), next_cursor: None }, None)
}
