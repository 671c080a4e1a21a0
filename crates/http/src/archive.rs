//! What is kept of a person, as one document for programs, as a page for people, and as both in one file to take along.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::value::Id;
use domain::value::id::PrivacyRequest;
use engine::archive;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::privacy::named;
use crate::problem::{Problem, Problems};
use crate::{asset, zip};

/// The routes of archives.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_archive))
        .routes(routes!(print_archive))
        .routes(routes!(download_archive))
}

/// Everything that is kept of who made a request
///
/// For a request for access or export that is verified. Each making is noted in the journal; the answer is kept nowhere.
#[utoipa::path(get, path = "/v1/privacy-requests/{request}/archive", operation_id = "read_archive", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = Value), Problems))]
async fn read_archive(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&archive::of_request(tx, actor, world, id)?)
    })
    .await
}

/// Everything that is kept of who made a request, as a page
///
/// The same, to be read and printed by people; it holds the document for programs as well.
#[utoipa::path(get, path = "/v1/privacy-requests/{request}/archive.html", operation_id = "print_archive", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = String, content_type = "text/html"), Problems))]
async fn print_archive(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (html, _) = made(&app, &id, command).await?;
    let mut page = asset::shown(html);
    page.headers_mut().insert(header::CACHE_CONTROL, PRIVATE);
    Ok(page)
}

/// Everything that is kept of who made a request, in one file
///
/// A zip with the page for people and the document for programs.
#[utoipa::path(get, path = "/v1/privacy-requests/{request}/archive.zip", operation_id = "download_archive", tag = "privacy",
    params(("request" = String, Path, description = "its id")),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), Problems))]
async fn download_archive(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (html, document) = made(&app, &id, command).await?;
    let style = asset::style("order.css").unwrap_or_default();
    // Opened from a disk, the page finds its style beside it.
    let html = html.replace("/assets/order.css", "order.css");
    let files = [
        ("archive.html", html.as_bytes()),
        ("archive.json", document.as_bytes()),
        ("order.css", style.as_slice()),
    ];
    let file = zip::packed(&files).map_err(|error| {
        tracing::error!(%error, "an archive could not be packed");
        Problem::fault()
    })?;
    let name = header::HeaderValue::from_str(&format!("attachment; filename=\"{id}.zip\""));
    let mut answer = file.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_DISPOSITION, name.map_err(|_| Problem::fault())?);
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    Ok(answer)
}

/// What is kept of a person is kept by nobody on the way.
const PRIVATE: header::HeaderValue = header::HeaderValue::from_static("private, no-store");

/// The page and the document.
async fn made(app: &App, id: &str, command: Command<()>) -> Result<(String, String), Problem> {
    let id: Id<PrivacyRequest> = named(id)?;
    let actor = command.actor().clone();
    let kept = app.write(move |tx, world| archive::of_request(tx, &actor, world, id)).await?;
    let document = serde_json::to_string_pretty(&kept).unwrap_or_default();
    let view = json!({ "request": id.to_string(), "sections": sections(&kept), "document": document });
    Ok((asset::html("archive.html", view)?, document))
}

/// The parts of an archive, each with rows of names and values.
fn sections(kept: &Value) -> Value {
    let rows = |thing: &Value| -> Value {
        let fields = thing.as_object().into_iter().flatten();
        fields
            .filter(|(_, value)| !value.is_null() && **value != json!([]))
            .map(|(name, value)| json!({ "name": name.replace('_', " "), "value": readable(value) }))
            .collect()
    };
    let section = |(name, part): (&String, &Value)| {
        let things: Vec<Value> = match part {
            Value::Array(things) => things.iter().map(rows).collect(),
            Value::Object(_) => vec![rows(part)],
            other => vec![json!([{ "name": "", "value": readable(other) }])],
        };
        json!({ "name": name.replace('_', " "), "things": things })
    };
    kept.as_object().into_iter().flatten().map(section).collect()
}

/// A value in words.
fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(readable).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(_, value)| !value.is_null());
            told.map(|(name, value)| format!("{} {}", name.replace('_', " "), readable(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
}
