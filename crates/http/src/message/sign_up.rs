//! Agreeing over the API: what a customer says, an address that signs up, and links to the page of preferences.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::actor::Permission;
use domain::consent::{Cell, Medium, Source};
use domain::identity::Part;
use domain::value::id::Customer;
use domain::value::{Email, Language, Reference};
use engine::consent::link::{self, Deed};
use engine::consent::{self, subscriber};
use engine::external;
use engine::identity::reading::{self, Whom};
use engine::message::sign_up::{self, SignUp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::suppression::EmailShape;
use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::consent::{ConsentsShape, EvidenceShape, SaidShape, is_signalled};
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most purposes and topics an address signs up for at once.
const TOPICS_MAX: usize = 20;

/// The routes of agreeing.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(say_consents))
        .routes(routes!(sign_up_address))
        .routes(routes!(find_subscribers))
        .routes(routes!(make_preference_link))
}

/// What a customer says.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewConsents, example = json!({"consents": [{"purpose": "marketing", "medium": "mail", "status": "granted"}],
    "evidence": {"wording": "newsletter-3"}}))]
struct NewConsentsShape {
    /// What is said, at most 100.
    #[schema(min_items = 1, max_items = 100)]
    consents: Vec<SaidShape>,
    /// How it is known.
    evidence: Option<EvidenceShape>,
}

/// Write down what a customer says
///
/// A yes to a purpose that must be confirmed becomes `pending`, and a message asks the customer to confirm it. A no holds in every channel
/// from this answer on, for everybody who has the same address, and messages that rested on the yes are not sent.
#[utoipa::path(post, path = "/v1/customers/{id}/consents", operation_id = "say_consents", tag = "consent", request_body = NewConsentsShape,
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ConsentsShape), Problems))]
async fn say_consents(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    command: Command<NewConsentsShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    if command.body.consents.is_empty() || command.body.consents.len() > consent::SAID_MAX {
        fields.refuse("consents", format!("give 1 to {}", consent::SAID_MAX));
    }
    let said = fields.each("consents", &command.body.consents, |fields, said| said.read(fields));
    let evidence = command.body.evidence.unwrap_or_default();
    let evidence = fields.within("evidence", |fields| evidence.read(fields, Source::Told));
    let (said, evidence) = fields.done(said.zip(evidence))?;
    let (reference, signalled): (Reference<Customer>, bool) = (Reference::read(&id), is_signalled(&headers));
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        sign_up::say(tx, actor, world, id, &said, &evidence)?;
        if signalled {
            let one = subscriber::of_customer(tx, actor, world, id)?;
            consent::heed_signal(tx, actor, world, &one, evidence.agent.clone())?;
        }
        Reply::json(&ConsentsShape::from(&consent::of(tx, id.shared_with(), world.now())?))
    })
    .await
}

/// An address that signs up for messages.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUp, example = json!({"email": "ada@example.com", "purpose": "marketing", "language": "en", "evidence": {"wording": "newsletter-3"}}))]
struct SignUpShape {
    /// The e-mail address.
    #[schema(max_length = 254)]
    email: String,
    /// The code of the purpose.
    purpose: String,
    /// The codes of topics, at most 20; the purpose as a whole when left out.
    #[serde(default)]
    #[schema(max_items = 20)]
    topics: Vec<String>,
    /// The language to be written to in.
    language: Option<String>,
    /// How it is known.
    evidence: Option<EvidenceShape>,
}

/// What follows from signing up.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedUp, example = json!({"status": "taken"}))]
struct SignedUpShape {
    /// Always `taken`: it is not told whether the address was known, or is confirmed already.
    status: &'static str,
}

/// Sign an address up for messages
///
/// Nobody needs to be a customer. Who signs up an address over a storefront key may be anybody: such a yes waits until it is confirmed from the
/// mailbox, whatever the purpose, and lifts no earlier no before that. From the customer, signed in, or with `consents:write` only a purpose
/// that says so must be confirmed. One message asks for it, however often it is signed up for at the same time.
#[utoipa::path(post, path = "/v1/subscriptions", operation_id = "sign_up_address", tag = "consent", request_body = SignUpShape,
    responses((status = 202, body = SignedUpShape), Problems))]
async fn sign_up_address(
    State(app): State<App>,
    headers: HeaderMap,
    command: Command<SignUpShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let email = fields.take("email", Email::parse(&body.email));
    let language = fields.take_if("language", body.language.as_deref(), Language::parse);
    if body.topics.len() > TOPICS_MAX {
        fields.refuse("topics", format!("give at most {TOPICS_MAX}"));
    }
    let evidence = body.evidence.unwrap_or_default();
    let evidence = fields.within("evidence", |fields| evidence.read(fields, Source::Form));
    let topics: Vec<Option<&str>> = match body.topics.as_slice() {
        [] => vec![None],
        topics => topics.iter().map(|topic| Some(topic.as_str())).take(TOPICS_MAX).collect(),
    };
    let mut cells = Vec::new();
    for topic in topics {
        match Cell::read(&body.purpose, Some(Medium::Mail.text()), topic) {
            Ok(cell) => cells.push(cell),
            Err(refusal) => {
                let first = refusal.each().next();
                let named = first.and_then(|one| one.field()).unwrap_or("purpose");
                fields.refuse(if named == "topic" { "topics" } else { named }, refusal.message());
            }
        }
    }
    let read = (|| Some((email?, language?, evidence?)))();
    let (email, language, evidence) = fields.done(read)?;
    let (new, signalled) = (SignUp { email, cells, language }, is_signalled(&headers));
    app.perform(command.request, StatusCode::ACCEPTED, move |tx, actor, world| {
        let one = sign_up::sign_up(tx, actor, world, &new, &evidence)?;
        if signalled {
            consent::heed_signal(tx, actor, world, &one, evidence.agent.clone())?;
        }
        Reply::json(&SignedUpShape { status: "taken" })
    })
    .await
}

/// Find who is known by an e-mail address, with what they agreed to
///
/// The customer who has it, and whoever signed up with it without being one. Each reading is noted in the audit trail.
#[utoipa::path(post, path = "/v1/subscribers/find", operation_id = "find_subscribers", tag = "consent", request_body = EmailShape,
    responses((status = 200, body = Page<ConsentsShape>), Problems))]
async fn find_subscribers(State(app): State<App>, command: Command<EmailShape>) -> Result<Response, Problem> {
    let email = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let mut items = Vec::new();
        for one in subscriber::by_email(tx, actor, world, &email)? {
            items.push(ConsentsShape::from(&consent::of(tx, one.id, world.now())?));
            let whom = one.customer.map_or(Whom::Address(one.id), Whom::Customer);
            reading::note(tx, actor, world, whom, Part::Consents)?;
        }
        Reply::json(&Page { items, next_cursor: None })
    })
    .await
}

/// A link to a customer's preferences.
#[derive(Serialize, ToSchema)]
#[schema(as = PreferenceLink, example = json!({"page": "/p/5f2b0c7d5f2b0c7d5f2b0c7d5f2b0c7d5f2b0c7d5f2b0c7d5f2b0c7d5f2b0c7d"}))]
struct PreferenceLinkShape {
    /// The path of the page. Who holds it chooses for the customer.
    page: String,
}

/// Make a link to a customer's preferences
///
/// For a colleague who gives it to the customer: a yes by it need not be confirmed. A customer who is signed in reads and says consents without it.
/// The answer is not kept: it holds a secret.
#[utoipa::path(post, path = "/v1/customers/{id}/preference-links", operation_id = "make_preference_link", tag = "consent",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 201, body = PreferenceLinkShape), Problems))]
async fn make_preference_link(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        actor.may_somewhere(Permission::EditConsents)?;
        let one = subscriber::of_customer(tx, actor, world, id)?;
        let made = link::make(tx, world, one.id, Deed::Choose, None)?;
        Reply::json(&PreferenceLinkShape { page: format!("/p/{}", link::token(world.keyring(), made)) })
    })
    .await
}
