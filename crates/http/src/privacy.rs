//! What a person chooses, confirms and asks about what is kept of them: pages for everybody, and the requests over the API.

mod hold;
mod page;
mod register;
mod retention;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::{Actor, Permission, Who};
use domain::privacy::{Deadline, Kind, Proof, State};
use domain::value::id::{Customer, PrivacyRequest as RequestKind};
use domain::value::text::{self, TextError};
use domain::value::{Country, Email, Id, Reference};
use engine::privacy::{self, Asker, Closing, NewRequest, Request};
use engine::{Failure, World, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 2_000;

/// The routes of privacy.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_privacy_requests, open_privacy_request))
        .routes(routes!(read_privacy_request))
        .routes(routes!(verify_privacy_request))
        .routes(routes!(extend_privacy_request))
        .routes(routes!(finish_privacy_request))
        .routes(routes!(close_privacy_request))
        .routes(routes!(set_deadline_rule))
        .merge(hold::routes())
        .merge(register::routes())
        .merge(retention::routes())
        .merge(page::routes())
}

/// What a person asks about what is kept of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrivacyRequest, example = json!({"id": "pvr_01jd0000000000000000000000", "subscriber": "sub_01jd0000000000000000000000",
    "kind": "access", "state": "received", "country": "DE", "extended": false, "made_at": "2026-06-01T10:00:00Z", "due_at": "2026-06-29T10:00:00Z",
    "version": 1}))]
struct RequestShape {
    /// Its id.
    id: String,
    /// Whom it is about.
    subscriber: String,
    /// `access`, `export`, `correction`, `erasure`, `restriction` or `objection`.
    kind: &'static str,
    /// `received` (nobody has shown who asked), `verified`, `done`, `refused` or `taken_back`.
    state: &'static str,
    /// Whose law gives the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// How it was shown who asked: `link`, `signed_in`, `document` or `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    /// Was its time extended?
    extended: bool,
    /// When it came in.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it is to be answered.
    #[schema(format = DateTime)]
    due_at: String,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// Rises with every change.
    version: i64,
}

impl From<&Request> for RequestShape {
    fn from(one: &Request) -> RequestShape {
        RequestShape {
            id: one.id.to_string(),
            subscriber: one.subscriber.to_string(),
            kind: one.kind.text(),
            state: one.state.text(),
            country: one.country.map(|country| country.code().to_owned()),
            proof: one.proof.map(Proof::text),
            extended: one.extended,
            made_at: one.made_at.to_string(),
            due_at: one.due_at.to_string(),
            closed_at: one.closed_at.map(|at| at.to_string()),
            version: one.version,
        }
    }
}

/// A request with what a colleague noted.
#[derive(Serialize, ToSchema)]
#[schema(as = PrivacyRequestInFull, example = json!({"request": {"id": "pvr_01jd0000000000000000000000", "subscriber": "sub_01jd0000000000000000000000",
    "kind": "access", "state": "received", "extended": false, "made_at": "2026-06-01T10:00:00Z", "due_at": "2026-06-29T10:00:00Z", "version": 1},
    "note": "asked by letter"}))]
struct InFullShape {
    /// The request.
    request: RequestShape,
    /// What was noted; gone with the person's key. Customers read only what they wrote themselves: what colleagues note is for colleagues.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Why it is refused, as who asked was told; gone with the person's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it takes longer, as who asked was told; gone with the person's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_reason: Option<String>,
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RequestsQuery {
    /// Only those that wait for an answer.
    #[serde(default)]
    open: bool,
}

/// List requests about data, the newest first
#[utoipa::path(get, path = "/v1/privacy-requests", operation_id = "list_privacy_requests", tag = "privacy", params(RequestsQuery, PageQuery),
    responses((status = 200, body = Page<RequestShape>), Problems))]
async fn list_privacy_requests(
    Shared(app): Shared<App>,
    Caller(actor): Caller,
    Asked(query): Asked<RequestsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let list = move |tx: &mut Tx<'_>, before, limit| privacy::list(tx, &actor, query.open, (before, limit));
    page.newest(&app, list, |one: &RequestShape| one.id.clone()).await
}

/// A request to be noted.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPrivacyRequest, example = json!({"email": "ada@example.com", "kind": "access", "country": "DE", "note": "asked by letter"}))]
struct NewRequestShape {
    /// The customer who asks: its id or external id. Give this or the address.
    customer: Option<String>,
    /// The e-mail address of who asks.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// `access`, `export`, `correction`, `erasure`, `restriction` or `objection`.
    kind: String,
    /// Whose law gives the time: two letters of ISO 3166-1.
    country: Option<String>,
    /// What a colleague notes, or the customer who asks, at most 2000 characters. Kept sealed under the person's key.
    #[schema(max_length = 2000)]
    note: Option<String>,
}

/// Note a request about data
///
/// Unless the customer has signed in, a link is sent to the address we know; who follows it has shown who asked.
#[utoipa::path(post, path = "/v1/privacy-requests", operation_id = "open_privacy_request", tag = "privacy", request_body = NewRequestShape,
    responses((status = 201, body = RequestShape), Problems))]
async fn open_privacy_request(
    Shared(app): Shared<App>,
    command: Command<NewRequestShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let email = fields.take_if("email", body.email.as_deref(), Email::parse);
    let kind = fields.take("kind", Kind::parse(&body.kind));
    let country = fields.take_if("country", body.country.as_deref(), Country::parse);
    let note = fields.take_if("note", body.note.as_deref(), |note| words("note", note));
    if body.email.is_some() == body.customer.is_some() {
        fields.refuse("customer", "give either a customer or an e-mail address");
    }
    let read = (|| Some((email?, kind?, country?, note?)))();
    let (email, kind, country, note) = fields.done(read)?;
    let customer = body.customer.as_deref().map(Reference::read);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let asker = match (&customer, &email) {
            (Some(customer), _) => Asker::Customer(asking(tx, actor, customer)?),
            (None, Some(email)) => Asker::Email(email.clone()),
            (None, None) => return Err(Refusal::invalid("email", "give an e-mail address").into()),
        };
        let new = NewRequest { asker, kind, country, note: note.clone() };
        Reply::json(&RequestShape::from(&privacy::open(tx, actor, world, new)?))
    })
    .await
}

/// Reads what colleagues or customers write with a request.
fn words(field: &'static str, given: &str) -> Result<String, TextError> {
    text::bounded(field, given, 1, NOTE_CHARS_MAX)
}

/// Reads the id of a request in a path.
pub(crate) fn named(id: &str) -> Result<Id<RequestKind>, Problem> {
    Id::parse(id).map_err(|_| Refusal::not_found("privacy request", id).into())
}

/// The customer named; a customer who asks names nobody else, and is not told who there is.
fn asking(tx: &mut Tx<'_>, actor: &Actor, named: &Reference<Customer>) -> Result<Id<Customer>, Failure> {
    if let Who::Customer(own) = actor.who {
        if matches!(named, Reference::Id(id) if *id == own) {
            return Ok(own);
        }
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    external::resolve_at(tx, "customer", named)
}

/// Read a request with what was noted
#[utoipa::path(get, path = "/v1/privacy-requests/{request}", operation_id = "read_privacy_request", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = InFullShape), Problems))]
async fn read_privacy_request(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let request = privacy::read(tx, actor, id)?;
        let note = privacy::note_for(tx, actor, world, &request)?;
        let (reason, extension_reason) = privacy::reason::told(tx, world, &request)?;
        let request = RequestShape::from(&request);
        Reply::json(&InFullShape { request, note, reason, extension_reason })
    })
    .await
}

/// Does something with a request and answers it.
async fn changed<T: Clone + Send + 'static>(
    app: &App,
    (id, command): (String, Command<T>),
    change: impl Fn(&mut Tx<'_>, &Actor, &mut World, Id<RequestKind>) -> Result<Request, Failure> + Send + 'static,
) -> Result<Response, Problem> {
    let (id, command) = (named(&id)?, command.keyed()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&RequestShape::from(&change(tx, actor, world, id)?))
    })
    .await
}

/// How it was shown who asked.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrivacyProof, example = json!({"proof": "document"}))]
struct ProofShape {
    /// `document` (a colleague looked at one) or `call` (a colleague called back).
    proof: String,
}

/// Note that a colleague has seen who asked
#[utoipa::path(post, path = "/v1/privacy-requests/{request}/verify", operation_id = "verify_privacy_request", tag = "privacy",
    request_body = ProofShape, params(("request" = String, Path, description = "its id")),
    responses((status = 200, body = RequestShape), Problems))]
async fn verify_privacy_request(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    command: Command<ProofShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let proof = fields.take("proof", Proof::parse(&command.body.proof));
    if matches!(proof, Some(Proof::Link | Proof::SignedIn)) {
        fields.refuse("proof", "give document or call; the others are noted by the shop itself");
    }
    let proof = fields.done(proof)?;
    changed(&app, (id, command), move |tx, actor, world, id| privacy::verify(tx, actor, world, id, proof))
        .await
}

/// Why a request takes longer.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtendPrivacyRequest, example = json!({"reason": "your orders of eleven years are in three archives"}))]
struct ExtendShape {
    /// In words for who asked, to whom it is sent, at most 2000 characters. Kept sealed under the person's key.
    #[schema(max_length = 2000)]
    reason: String,
}

/// Extend the time of a request, once
///
/// Who asked is written to: until when it takes, and why.
#[utoipa::path(post, path = "/v1/privacy-requests/{request}/extend", operation_id = "extend_privacy_request", tag = "privacy",
    request_body = ExtendShape, params(("request" = String, Path, description = "its id")), responses((status = 200, body = RequestShape), Problems))]
async fn extend_privacy_request(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    command: Command<ExtendShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let reason = fields.take("reason", words("reason", &command.body.reason));
    let reason = fields.done(reason)?;
    let extend = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id| {
        privacy::extend(tx, actor, world, (id, &reason))
    };
    changed(&app, (id, command), extend).await
}

/// Close a request as done
///
/// Erasing forgets the person; an objection or a restriction takes back every purpose that is no part of what was bought. Everything else
/// was done by a colleague.
#[utoipa::path(post, path = "/v1/privacy-requests/{request}/finish", operation_id = "finish_privacy_request", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = RequestShape), Problems))]
async fn finish_privacy_request(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    changed(&app, (id, command), privacy::finish).await
}

/// Why a request is closed without being done.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClosePrivacyRequest, example = json!({"state": "refused", "note": "asked for the data of her neighbour", "reason": "we tell everybody only what we keep of them"}))]
struct CloseShape {
    /// `refused` or `taken_back`.
    state: String,
    /// What a colleague notes, at most 2000 characters. Kept sealed under the person's key.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// Why it is refused, in words for who asked, to whom it is sent, at most 2000 characters; needed when it is refused. Kept sealed likewise.
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// Close a request that is refused or was taken back
///
/// Who is refused is written to with the reason.
#[utoipa::path(post, path = "/v1/privacy-requests/{request}/close", operation_id = "close_privacy_request", tag = "privacy",
    request_body = CloseShape, params(("request" = String, Path, description = "its id")),
    responses((status = 200, body = RequestShape), Problems))]
async fn close_privacy_request(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    command: Command<CloseShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let state = fields.take("state", State::parse(&command.body.state));
    if state.is_some_and(|state| !matches!(state, State::Refused | State::TakenBack)) {
        fields.refuse("state", "give refused or taken_back");
    }
    let note = fields.take_if("note", command.body.note.as_deref(), |note| words("note", note));
    let reason = fields.take_if("reason", command.body.reason.as_deref(), |reason| words("reason", reason));
    let read = (|| Some(Closing { state: state?, note: note?, reason: reason? }))();
    let closing = fields.done(read)?;
    let close = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id| {
        privacy::close(tx, actor, world, id, closing.clone())
    };
    changed(&app, (id, command), close).await
}

/// How long requests of a country may take.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadlineRule, example = json!({"days": 28, "extension_days": 59}))]
struct DeadlineShape {
    /// Days to answer, 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    days: i64,
    /// Days it may be extended by, once, 0 to 365.
    #[schema(minimum = 0, maximum = 365)]
    extension_days: i64,
}

/// Write how long requests of a country may take
///
/// Until it is written, the law's: 28 days and 59 more in Europe and wherever nothing else is known, 45 and 45 in the United States.
#[utoipa::path(put, path = "/v1/privacy-deadlines/{country}", operation_id = "set_deadline_rule", tag = "privacy", request_body = DeadlineShape,
    params(("country" = String, Path, description = "two letters of ISO 3166-1", example = "DE")),
    responses((status = 200, body = DeadlineShape), Problems))]
async fn set_deadline_rule(
    Shared(app): Shared<App>,
    Path(country): Path<String>,
    command: Command<DeadlineShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let country = fields.take("country", Country::parse(&country));
    let country = fields.done(country)?;
    let one = Deadline { days: command.body.days, extension_days: command.body.extension_days };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let kept = privacy::set_time(tx, actor, world, (country, one))?;
        Reply::json(&DeadlineShape { days: kept.days, extension_days: kept.extension_days })
    })
    .await
}
