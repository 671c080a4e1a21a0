//! What every handler has at hand: the open shop, and the two ways into it, performing a command and reading.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::identity::Part;
use engine::identity::reading::{self, Whom};
use engine::{Answer, Failure, Request, Shop, World, perform};
use serde::Serialize;
use store::{StoreError, Tx};
use tokio::sync::oneshot;
use tracing::{Instrument, debug_span};

use crate::edge::{Edge, Settings};
use crate::problem::Problem;

/// The state shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The open shop.
    pub shop: Shop,
    /// What bounds and watches the requests.
    pub(crate) edge: Arc<Edge>,
}

/// What a command answers at the edge.
pub struct Reply {
    body: String,
    version: Option<i64>,
}

impl Reply {
    /// A JSON document.
    ///
    /// # Errors
    /// When the shape cannot be written as JSON, which is a mistake in the program.
    pub fn json(shape: &impl Serialize) -> Result<Reply, Failure> {
        let body = serde_json::to_string(shape)
            .map_err(|error| StoreError::Corrupt(format!("the answer cannot be written: {error}")))?;
        Ok(Reply { body, version: None })
    }

    /// A JSON document of a thing that has a version, given as `ETag`.
    ///
    /// # Errors
    /// As [`Reply::json`].
    pub fn versioned(shape: &impl Serialize, version: i64) -> Result<Reply, Failure> {
        Ok(Reply { version: Some(version), ..Reply::json(shape)? })
    }

    /// The document's text, for a stream that sends it.
    pub(crate) fn into_text(self) -> String {
        self.body
    }
}

impl App {
    /// Handlers over an open shop, with the usual settings until it is served with others.
    pub fn new(shop: Shop) -> App {
        App::with(shop, Settings::default())
    }

    pub(crate) fn with(shop: Shop, settings: Settings) -> App {
        let edge = Arc::new(Edge::new(settings, shop.source.clone()));
        App { shop, edge }
    }

    /// Performs a command through the one door and answers with `status` once it is durably kept.
    ///
    /// # Errors
    /// The [`Problem`] of a refusal or of the machinery.
    pub async fn perform(
        &self,
        request: Request,
        status: StatusCode,
        command: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<Reply, Failure> + Send + 'static,
    ) -> Result<Response, Problem> {
        Ok(respond(self.answered(request, status, command).await?))
    }

    /// Shows somebody a part of what is known of a person, and notes in the audit trail that it did, unless it is the person who asks.
    ///
    /// # Errors
    /// As [`App::perform`].
    pub(crate) async fn show(
        &self,
        request: Request,
        part: Part,
        mut look: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<(Whom, Reply), Failure> + Send + 'static,
    ) -> Result<Response, Problem> {
        let show = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World| {
            let (whom, reply) = look(tx, actor, world)?;
            reading::note(tx, actor, world, whom, part)?;
            Ok(reply)
        };
        self.perform(request, StatusCode::OK, show).await
    }

    /// As [`App::perform`], for a handler that has more to do before it answers.
    ///
    /// # Errors
    /// As [`App::perform`].
    pub(crate) async fn answered(
        &self,
        request: Request,
        status: StatusCode,
        mut command: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<Reply, Failure> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let (teller, outcome) = oneshot::channel();
        let waiting = debug_span!("perform");
        let waited_for = waiting.clone();
        let run = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World| {
            let command = || command(tx, actor, world);
            debug_span!(parent: &waited_for, "command").in_scope(command).map(|reply| Answer {
                status: status.as_u16(),
                body: reply.body,
                version: reply.version,
                repeated: false,
            })
        };
        perform(&self.shop, request, run, move |result| drop(teller.send(result)));
        Ok(outcome.instrument(waiting).await.unwrap_or(Err(Failure::Store(StoreError::Closed)))?)
    }

    /// How many seconds a request may go on with work that can be gone on with later: half of what a request may take.
    pub(crate) fn seconds_for_long_work(&self) -> i64 {
        i64::try_from(self.edge.settings.request_seconds_max / 2).unwrap_or(0)
    }

    /// Performs commands without a record under an idempotency key: for answers with a secret, and notes that nobody asked for.
    ///
    /// # Errors
    /// The [`Problem`] of a refusal or of the machinery.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Tx<'_>, &mut World) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let (teller, outcome) = oneshot::channel();
        let shop = self.shop.clone();
        let work = move |tx: &mut Tx<'_>| command(tx, &mut shop.world());
        self.shop.db.write_then(work, move |result| drop(teller.send(result)));
        let kept = outcome.instrument(debug_span!("perform")).await;
        Ok(kept.unwrap_or(Err(Failure::Store(StoreError::Closed)))?)
    }

    /// Reads against one fixed state of the books.
    ///
    /// # Errors
    /// The [`Problem`] of a refusal or of the machinery.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let (teller, outcome) = oneshot::channel();
        self.shop.db.read_then(query, move |result| drop(teller.send(result)));
        let found = outcome.instrument(debug_span!("read")).await;
        Ok(found.unwrap_or(Err(Failure::Store(StoreError::Closed)))?)
    }
}

/// A document that was read, with its version as `ETag` if it has one.
///
/// # Errors
/// When the shape cannot be written as JSON.
pub fn document(shape: &impl Serialize, version: Option<i64>) -> Result<Response, Problem> {
    let reply = Reply::json(shape)?;
    Ok(respond(Answer { status: 200, body: reply.body, version, repeated: false }))
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let body = if status == StatusCode::NO_CONTENT { String::new() } else { answer.body };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(tag) =
        answer.version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok())
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if answer.repeated {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}
