//! The collector: where pages, apps and programs send what people did. Paths and answers are those of Segment (`/v1/track` and the like),
//! RudderStack (the same, `/sourceConfig`, `/beacon/v1/batch`), Jitsu (`/api/s/…`) and PostHog (under `/posthog`).

use axum::Json;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use domain::behaviour::{BATCH_MAX, Call, SourceKind};
use engine::behaviour::{self, Incoming, Source, source};
use serde_json::{Value, json};

use super::answer::{No, open_to_pages};
use super::wire::{Sent, asked, basic, receive};
use super::{posthog, segment};
use crate::App;
use crate::consent::is_signalled;

/// Beginnings of the collector's paths besides those under `/v1`.
const PREFIXES: [&str; 5] = ["/posthog/", "/api/s/", "/beacon/v1/", "/sourceConfig", "/collect.js"];
/// Our own small library for pages.
const SCRIPT: &str = include_str!("../../pages/collect.js");

/// The collector's routes. Their form is others', so they are not in the description of our API.
pub(crate) fn routes() -> Router<App> {
    let mut routes = Router::new()
        .route("/v1/batch", taking(collect_segment))
        .route("/v1/import", taking(collect_segment))
        .route("/v1/b", taking(collect_segment))
        .route("/beacon/v1/batch", taking(collect_segment))
        .route("/collect.js", showing(read_script))
        .route("/v1/m", taking(drop_figures))
        .route("/v1/projects/{key}/settings", showing(segment_settings))
        .route("/sourceConfig", showing(rudder_settings))
        .route("/sourceConfig/", showing(rudder_settings))
        .route("/api/s/{call}", taking(collect_segment))
        .route("/api/s/s2s/{call}", taking(collect_segment))
        .route("/posthog/array/{token}/config", showing(posthog_settings));
    for call in Call::ALL {
        routes = routes
            .route(&format!("/v1/{}", call.text()), taking(collect_segment))
            .route(&format!("/v1/{}", &call.text()[..1]), taking(collect_segment));
    }
    for path in ["e", "i/v0/e", "capture", "track", "engage", "batch"] {
        routes = routes
            .route(&format!("/posthog/{path}"), taking(collect_posthog))
            .route(&format!("/posthog/{path}/"), taking(collect_posthog));
    }
    for path in ["flags", "decide"] {
        routes = routes
            .route(&format!("/posthog/{path}"), taking(posthog_flags))
            .route(&format!("/posthog/{path}/"), taking(posthog_flags));
    }
    routes.route("/posthog/s/", taking(drop_figures)).layer(from_fn(open_to_pages))
}

/// A route that takes what is sent, and lets browsers ask beforehand whether they may.
fn taking<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    post(handler).options(asked_beforehand)
}

/// A route that shows something, likewise.
fn showing<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    get(handler).options(asked_beforehand)
}

async fn asked_beforehand() -> StatusCode {
    StatusCode::OK
}

/// Is this a path of the collector? It is open to pages of any origin.
pub(crate) fn is_collector(path: &str) -> bool {
    if PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        return true;
    }
    let Some(word) = path.strip_prefix("/v1/") else { return false };
    matches!(word, "batch" | "b" | "import" | "m")
        || segment::call_of(word).is_some()
        || (word.starts_with("projects/") && word.ends_with("/settings"))
}

async fn collect_segment(State(app): State<App>, request: Request) -> Result<Response, No> {
    let sent = receive(request).await?;
    let source = source_of(&app, &sent).await?;
    let word = sent.uri.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let events = segment::events(&sent.body, segment::call_of(word), app.shop.source.now());
    keep(&app, &sent, source, events).await?;
    Ok((StatusCode::OK, Json(json!({ "success": true }))).into_response())
}

async fn collect_posthog(State(app): State<App>, request: Request) -> Result<Response, No> {
    let sent = receive(request).await?;
    let source = source_of(&app, &sent).await?;
    let asked = sent.asked("_").and_then(|millis| millis.parse::<i64>().ok().map(Value::from));
    let asked = asked.as_ref().and_then(super::wire::instant_of);
    let events = posthog::events(&sent.body, asked, app.shop.source.now());
    keep(&app, &sent, source, events).await?;
    Ok((StatusCode::OK, Json(json!({ "status": 1 }))).into_response())
}

/// Keeps the events, all in one command; answered only when they are durably kept. What a browser says of selling and sharing is kept with
/// them; a program of the retailer is no browser, and passes it on within the event.
async fn keep(app: &App, sent: &Sent, source: Source, mut events: Vec<Incoming>) -> Result<(), No> {
    if events.len() > BATCH_MAX {
        return Err(No::TooMany);
    }
    if source.kind != SourceKind::Server && is_signalled(&sent.headers) {
        events.iter_mut().for_each(Incoming::note_signal);
    }
    app.write(move |tx, world| behaviour::collect(tx, world, &source, &events)).await?;
    Ok(())
}

async fn source_of(app: &App, sent: &Sent) -> Result<Source, No> {
    known(app, sent.key().ok_or(No::Keyless)?).await
}

async fn known(app: &App, key: String) -> Result<Source, No> {
    let found = app.read(move |tx| Ok(source::recognise(tx, &key)?)).await?;
    let source = found.ok_or(No::Keyless)?;
    if source.enabled { Ok(source) } else { Err(No::Disabled) }
}

/// Pages keep it for an hour.
async fn read_script() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, SCRIPT).into_response()
}

/// Figures of the libraries about themselves, and recordings of screens: nobody here wants them.
async fn drop_figures() -> Response {
    (StatusCode::OK, Json(json!({ "success": true, "status": 1 }))).into_response()
}

/// The library takes its write key from here, and sends where it was told.
async fn segment_settings(State(app): State<App>, Path(key): Path<String>) -> Result<Response, No> {
    let asked = key.clone();
    match known(&app, key).await {
        Err(No::Keyless) => Err(No::Disabled),
        Err(other) => Err(other),
        Ok(_) => Ok(Json(json!({ "integrations": { "Segment.io": { "apiKey": asked } },
            "plan": { "track": { "__default": { "enabled": true, "integrations": {} } } }, "metrics": { "sampleRate": 0 } }))
        .into_response()),
    }
}

async fn rudder_settings(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, No> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = header.and_then(basic).or_else(|| asked(&uri, "writeKey")).ok_or(No::Keyless)?;
    let source = known(&app, key.clone()).await?;
    let quiet = json!({ "enabled": false });
    Ok(Json(json!({ "source": { "id": source.id.to_string(), "name": source.name, "writeKey": key, "enabled": true, "workspaceId": "tandem",
        "config": { "statsCollection": { "errors": quiet, "metrics": quiet } }, "sourceDefinition": { "name": "Javascript" },
        "destinations": [], "connections": [], "dataplanes": {} } }))
    .into_response())
}

async fn posthog_settings() -> Response {
    Json(json!({ "supportedCompression": ["gzip", "gzip-js"], "hasFeatureFlags": false, "sessionRecording": false, "surveys": false,
        "heatmaps": false, "capturePerformance": false, "autocaptureExceptions": false, "siteApps": [], "toolbarParams": {} }))
    .into_response()
}

async fn posthog_flags() -> Response {
    Json(json!({ "flags": {}, "featureFlags": {}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": false,
        "supportedCompression": ["gzip", "gzip-js"], "sessionRecording": false, "config": {}, "siteApps": [] }))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collectors_paths_are_no_others() {
        for path in
            ["/v1/track", "/v1/t", "/v1/batch", "/v1/projects/k/settings", "/posthog/e/", "/api/s/page"]
        {
            assert!(is_collector(path), "{path}");
        }
        for path in ["/v1/tills", "/v1/products", "/v1/projects", "/posthog", "/v1/"] {
            assert!(!is_collector(path), "{path}");
        }
    }
}
