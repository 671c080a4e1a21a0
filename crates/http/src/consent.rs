//! Consents over the API: what a customer agreed to, everything ever said, and who agreed to something.

mod audience;
pub(crate) mod purpose;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::consent::{Cell, Source, Status, wording};
use domain::identity::Part;
use domain::value::{Reference, id, text};
use engine::consent::{self, Consent, Evidence, Said, Standing};
use engine::external;
use engine::identity::reading::Whom;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a network address.
const ADDRESS_CHARS_MAX: usize = 45;

/// The routes of consents.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_consents))
        .routes(routes!(list_consent_history))
        .merge(purpose::routes())
        .merge(audience::routes())
}

/// What holds of one purpose, medium and topic.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldConsent, example = json!({"purpose": "marketing", "medium": "mail", "topic": "shoes", "status": "granted",
    "consent": "cst_01jd0000000000000000000000", "holds": true}))]
pub(crate) struct HeldShape {
    /// The code of the purpose.
    purpose: String,
    /// The medium; `every` stands for all of them.
    medium: &'static str,
    /// The code of the topic; absent for the purpose as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// What was said last: `granted`, `pending`, `denied` or `withdrawn`.
    status: &'static str,
    /// The record of it.
    consent: String,
    /// Until when it holds; absent for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// May it be followed now? The strictest of what was said of the whole, of the medium and of the topic decides.
    holds: bool,
}

/// What somebody agreed to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consents, example = json!({"subscriber": "sub_01jd0000000000000000000000", "language": "en", "items": [
    {"purpose": "marketing", "medium": "mail", "status": "granted", "consent": "cst_01jd0000000000000000000000", "holds": true}]}))]
pub(crate) struct ConsentsShape {
    /// Whom it is of; absent as long as nothing was ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber: Option<String>,
    /// The customer, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// The language messages are written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Nothing that advertises is sent before then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    paused_until: Option<String>,
    /// What holds, by purpose, medium and topic.
    items: Vec<HeldShape>,
}

impl From<&Standing> for ConsentsShape {
    fn from(standing: &Standing) -> ConsentsShape {
        let held = |(held, consent): &(domain::consent::Held, domain::value::Id<id::Consent>)| HeldShape {
            purpose: held.cell.purpose.clone(),
            medium: held.cell.medium.text(),
            topic: given(&held.cell.topic),
            status: held.status.text(),
            consent: consent.to_string(),
            expires_at: held.expires_at.map(|at| at.to_string()),
            holds: standing.to(&held.cell) == Some(Status::Granted),
        };
        let of = standing.subscriber.as_ref();
        ConsentsShape {
            subscriber: of.map(|of| of.id.to_string()),
            customer: of.and_then(|of| of.customer).map(|customer| customer.to_string()),
            language: of.map(|of| of.language.to_string()),
            paused_until: of
                .and_then(|of| of.paused_until)
                .filter(|at| *at > standing.at)
                .map(|at| at.to_string()),
            items: standing.held.iter().map(held).collect(),
        }
    }
}

pub(crate) fn given(topic: &str) -> Option<String> {
    (!topic.is_empty()).then(|| topic.to_owned())
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consent, example = json!({"id": "cst_01jd0000000000000000000000", "purpose": "marketing", "medium": "mail", "status": "granted",
    "source": "link", "wording": "newsletter-3", "by": "guest", "at": "2026-06-01T10:00:00Z"}))]
pub(crate) struct ConsentShape {
    /// Its id.
    id: String,
    /// The code of the purpose.
    purpose: String,
    /// The medium; `every` stands for all of them.
    medium: &'static str,
    /// The code of the topic; absent for the purpose as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// `granted`, `pending`, `denied` or `withdrawn`.
    status: &'static str,
    /// How we know: `told`, `form`, `link`, `preferences`, `signal`, `import`, `request`, `merging` or `reported` (who carries the mail says that the person complained).
    source: &'static str,
    /// The wording that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    wording: Option<String>,
    /// Through which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Who wrote it down.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Until when it holds; absent for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl From<&Consent> for ConsentShape {
    fn from(one: &Consent) -> ConsentShape {
        ConsentShape {
            id: one.id.to_string(),
            purpose: one.cell.purpose.clone(),
            medium: one.cell.medium.text(),
            topic: given(&one.cell.topic),
            status: one.status.text(),
            source: one.source.text(),
            wording: one.wording.clone(),
            channel: one.channel.map(|channel| channel.to_string()),
            by: one.actor.clone(),
            at: one.at.to_string(),
            expires_at: one.expires_at.map(|at| at.to_string()),
        }
    }
}

/// Something said of a purpose, a medium and a topic.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SaidConsent, example = json!({"purpose": "marketing", "medium": "mail", "status": "granted"}))]
pub(crate) struct SaidShape {
    /// The code of the purpose.
    purpose: String,
    /// `mail`, `sms`, `whatsapp`, `push`, `phone`, `post`, `web` or, when left out, `every`.
    medium: Option<String>,
    /// The code of the topic; the purpose as a whole when left out.
    topic: Option<String>,
    /// `granted`, `denied` or `withdrawn`.
    status: String,
}

impl SaidShape {
    pub(crate) fn read(&self, fields: &mut Fields) -> Option<Said> {
        let cell = match Cell::read(&self.purpose, self.medium.as_deref(), self.topic.as_deref()) {
            Ok(cell) => Some(cell),
            Err(refusal) => {
                for one in refusal.each() {
                    fields.refuse(one.field().unwrap_or("purpose"), one.message());
                }
                None
            }
        };
        let status = fields.take("status", Status::parse(&self.status))?;
        if status == Status::Pending {
            fields.refuse(
                "status",
                "give granted, denied or withdrawn; what must be confirmed waits by itself",
            );
            return None;
        }
        Some(Said { cell: cell?, status })
    }
}

/// How it is known.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsentEvidence, example = json!({"wording": "newsletter-3", "address": "203.0.113.7", "agent": "Mozilla/5.0"}))]
pub(crate) struct EvidenceShape {
    /// The wording that was shown: its version or first words, at most 100 characters.
    #[schema(max_length = 100)]
    wording: Option<String>,
    /// The network address it came from. Kept sealed.
    #[schema(max_length = 45)]
    address: Option<String>,
    /// The browser or program it came from. Kept sealed.
    #[schema(max_length = 300)]
    agent: Option<String>,
}

impl EvidenceShape {
    pub(crate) fn read(&self, fields: &mut Fields, source: Source) -> Option<Evidence> {
        let said = self.wording.as_deref().map(|text| wording(text).map_err(|why| why.message().to_owned()));
        let wording = said.map_or(Some(None), |said| fields.take("wording", said).map(Some));
        let address = fields.take_if("address", self.address.as_deref(), |said| {
            text::bounded("address", said, 1, ADDRESS_CHARS_MAX)
        });
        let agent = fields.take_if("agent", self.agent.as_deref(), |said| {
            text::bounded("agent", said, 1, domain::consent::AGENT_CHARS_MAX)
        });
        Some(Evidence { source, wording: wording?, address: address?, agent: agent?, link: None, at: None })
    }
}

/// Does the browser say that data is not to be sold or shared?
pub(crate) fn is_signalled(headers: &axum::http::HeaderMap) -> bool {
    headers.get("sec-gpc").is_some_and(|value| value.as_bytes() == b"1")
}

/// What a customer agreed to
///
/// Each reading by somebody else is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/consents", operation_id = "read_consents", tag = "consent",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ConsentsShape), Problems))]
async fn read_consents(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    app.show(command.unkeyed().request, Part::Consents, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let standing = consent::read(tx, actor, id, world.now())?;
        Ok((Whom::Customer(id), Reply::json(&ConsentsShape::from(&standing))?))
    })
    .await
}

/// Everything a customer ever said, the newest first
///
/// Each reading by somebody else is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/consents/history", operation_id = "list_consent_history", tag = "consent",
    params(("id" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<ConsentShape>), Problems))]
async fn list_consent_history(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let (limit, before) = (page.limit()?, page.before_id()?);
    app.show(command.unkeyed().request, Part::Consents, move |tx, actor, _| {
        let id = external::resolve(tx, &reference)?;
        let found = consent::history(tx, actor, id, (before, limit))?;
        let shapes = found.iter().map(ConsentShape::from).collect();
        Ok((Whom::Customer(id), Reply::json(&Page::new(shapes, limit, |one: &ConsentShape| one.id.clone()))?))
    })
    .await
}
