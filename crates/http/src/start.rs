//! The start page: what is going on in the shop, live, and where to go from here. Its figures are public only where the settings say so.

mod figures;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::asset::page;
use crate::event::commits;
use crate::problem::Problem;

pub(crate) use figures::Kept;

/// How often a quiet stream shows that it is alive.
const HEARTBEAT_SECONDS: u64 = 15;
/// How long a stream lives; the page then connects again.
const STREAM_SECONDS_MAX: i64 = 3600;

/// The start page and its figures. They are pages, not part of the API, and so not in its description.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/", get(read_start))
        .route("/setup", get(read_setup))
        .route("/start/figures", get(read_figures))
        .route("/start/stream", get(stream_figures))
}

async fn read_start(State(app): State<App>) -> Result<Response, Problem> {
    let shown = json!({ "live": app.edge.settings.public_figures, "version": env!("CARGO_PKG_VERSION") });
    page("start.html", shown)
}

/// Where the one-time link leads by which the first owner is made.
async fn read_setup() -> Result<Response, Problem> {
    page("setup.html", json!({ "version": env!("CARGO_PKG_VERSION") }))
}

async fn read_figures(State(app): State<App>) -> Result<Response, Problem> {
    allowed(&app)?;
    let text = figures::current(&app).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response())
}

/// Server-sent events: each `data` is all figures, sent at once and then whenever they changed.
async fn stream_figures(State(app): State<App>) -> Result<Response, Problem> {
    allowed(&app)?;
    let Ok(permit) = app.edge.streams.clone().try_acquire_owned() else {
        return Err(Problem::busy("as many streams are open as may be; try again in a while"));
    };
    let watcher = Watcher {
        commits: commits(&app),
        closing: app.edge.closing.subscribe(),
        ends_at: app.shop.source.now().plus_seconds(STREAM_SECONDS_MAX),
        sent: String::new(),
        _permit: permit,
        app,
    };
    let changes = stream::unfold(watcher, |mut watcher| async move {
        let text = watcher.next().await?;
        Some((Ok::<_, Infallible>(sse::Event::default().data(text)), watcher))
    });
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT_SECONDS)).text("alive");
    Ok(Sse::new(changes).keep_alive(heartbeat).into_response())
}

fn allowed(app: &App) -> Result<(), Problem> {
    if app.edge.settings.public_figures {
        return Ok(());
    }
    let detail = "this shop does not show its figures to everybody; allow it by the setting public_figures";
    Err(Problem::edge(StatusCode::NOT_FOUND, "not_found", domain::Code::NotFound.meaning(), detail))
}

/// A page that is looked at.
struct Watcher {
    app: App,
    commits: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    ends_at: domain::value::Instant,
    sent: String,
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    /// The figures once they differ from those sent last; `None` when the stream ends.
    async fn next(&mut self) -> Option<String> {
        loop {
            if *self.closing.borrow() || self.app.shop.source.now() >= self.ends_at {
                return None;
            }
            self.commits.mark_unchanged();
            // A failure was logged by the reading; the page keeps what it shows until the next commit.
            if let Ok(text) = figures::current(&self.app).await
                && *text != self.sent
            {
                self.sent = text.to_string();
                return Some(self.sent.clone());
            }
            tokio::select! {
                changed = self.commits.changed() => changed.ok()?,
                _ = self.closing.changed() => return None,
            }
            // What changed is counted once the figures kept are old enough.
            tokio::time::sleep(figures::FRESH).await;
        }
    }
}
