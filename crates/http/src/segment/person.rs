//! The segments and traits of one person, whichever of the person's ids is given.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::actor::Permission;
use domain::identity::Part;
use domain::segment::Subject;
use domain::segment::judge::Verdict;
use domain::value::{Id, Reference};
use engine::identity::reading::Whom;
use engine::segment::document::of_scalar;
use engine::segment::life::{self, Standing};
use engine::segment::traits::{self, Valued};
use engine::segment::{self, Named, Segment};
use engine::{Failure, external};
use serde::Serialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::problem::{Problem, Problems};

/// The routes of one person.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_customer_segments))
        .routes(routes!(list_customer_traits))
        .routes(routes!(list_profile_segments))
        .routes(routes!(list_profile_traits))
}

/// The segments somebody belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonSegments, example = json!({"subject": "cus_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z",
    "segments": [{"id": "seg_01jd0000000000000000000000", "code": "lookers", "next_change": "2026-06-20T09:12:00Z"}]}))]
struct SegmentsShape {
    /// The person, as known now.
    subject: String,
    /// The instant it is so.
    #[schema(format = DateTime)]
    at: String,
    /// The segments in use, in the order they were made.
    segments: Vec<InShape>,
    /// Where the customer stands; absent for who is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<StandingShape>,
}

/// Where a customer stands beside all others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerStanding, example = json!({"life_cycle": "active", "rfm": "champion", "recency": 5, "frequency": 4, "spend": 5}))]
struct StandingShape {
    /// `prospect`, `new`, `active`, `at_risk`, `lost` or `won_back`.
    life_cycle: &'static str,
    /// `champion`, `loyal`, `promising`, `wavering`, `fading` or `asleep`; this and the scores are absent for who did not buy within a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    rfm: Option<&'static str>,
    /// How recently, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    recency: Option<i64>,
    /// How often, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency: Option<i64>,
    /// For how much, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    spend: Option<i64>,
}

impl From<Standing> for StandingShape {
    fn from((stage, score): Standing) -> StandingShape {
        StandingShape {
            life_cycle: stage.text(),
            rfm: score.map(|score| score.group().text()),
            recency: score.map(|score| score.recency),
            frequency: score.map(|score| score.frequency),
            spend: score.map(|score| score.spend),
        }
    }
}

/// A segment somebody belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonSegment)]
struct InShape {
    /// The segment.
    id: String,
    /// The short word it goes by.
    code: String,
    /// Before this instant time alone does not change it; absent when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_change: Option<String>,
}

impl From<&(Segment, Verdict)> for InShape {
    fn from((one, verdict): &(Segment, Verdict)) -> InShape {
        InShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            next_change: verdict.next_change.map(|at| at.to_string()),
        }
    }
}

/// The traits of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonTraits, example = json!({"subject": "cus_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z",
    "traits": [{"code": "favourite_colour", "version": 1, "values": ["red"]}]}))]
struct TraitsShape {
    /// The person, as known now.
    subject: String,
    /// The instant it is so.
    #[schema(format = DateTime)]
    at: String,
    /// The traits, by code.
    traits: Vec<ValueShape>,
}

/// A trait of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonTrait)]
struct ValueShape {
    /// The short word it goes by.
    code: String,
    /// The version of the trait.
    version: i64,
    /// Its values; none when nothing of the kind was done, several only of what is a list.
    #[schema(value_type = Vec<Object>)]
    values: Vec<Value>,
}

impl From<&Valued> for ValueShape {
    fn from((one, values): &Valued) -> ValueShape {
        ValueShape {
            code: one.code.clone(),
            version: one.version,
            values: values.iter().map(of_scalar).collect(),
        }
    }
}

/// Who is asked about.
#[derive(Clone)]
enum Whose {
    Customer(String),
    Profile(String),
}

impl Whose {
    fn resolved(&self, tx: &mut Tx<'_>) -> Result<Named, Failure> {
        Ok(match self {
            Whose::Customer(text) => Named::Customer(external::resolve(tx, &Reference::read(text))?),
            Whose::Profile(text) => {
                Named::Profile(Id::parse(text).map_err(|_| Refusal::not_found("profile", text))?)
            }
        })
    }
}

/// Whom the audit trail tells of; the subject was looked up just now.
pub(super) fn whom(subject: Subject) -> Whom {
    match subject {
        Subject::Customer(id) => Whom::Standing(id),
        Subject::Profile(id) => Whom::Profile(id),
    }
}

async fn segments_of(app: App, command: Command<()>, whose: Whose) -> Result<Response, Problem> {
    app.show(command.unkeyed().request, Part::Segments, move |tx, actor, world| {
        actor.may_somewhere(Permission::ReadSegments)?;
        let (named, now) = (whose.resolved(tx)?, world.now());
        let (subject, held) = segment::of_subject(tx, actor, (named, now))?;
        let standing = life::standing(tx, actor, (named, now))?;
        let shape = SegmentsShape {
            subject: subject.to_string(),
            at: now.to_string(),
            segments: held.iter().map(InShape::from).collect(),
            standing: standing.map(StandingShape::from),
        };
        Ok((whom(subject), Reply::json(&shape)?))
    })
    .await
}

async fn traits_of(app: App, command: Command<()>, whose: Whose) -> Result<Response, Problem> {
    app.show(command.unkeyed().request, Part::Traits, move |tx, actor, world| {
        actor.may_somewhere(Permission::ReadSegments)?;
        let (named, now) = (whose.resolved(tx)?, world.now());
        let (subject, valued) = traits::of_subject(tx, actor, (named, now))?;
        let traits = valued.iter().map(ValueShape::from).collect();
        let shape = TraitsShape { subject: subject.to_string(), at: now.to_string(), traits };
        Ok((whom(subject), Reply::json(&shape)?))
    })
    .await
}

/// List the segments a customer belongs to
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/segments", operation_id = "list_customer_segments", tag = "segment",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = SegmentsShape), Problems))]
async fn list_customer_segments(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    segments_of(app, command, Whose::Customer(id)).await
}

/// List the traits of a customer
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/traits", operation_id = "list_customer_traits", tag = "segment",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = TraitsShape), Problems))]
async fn list_customer_traits(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    traits_of(app, command, Whose::Customer(id)).await
}

/// List the segments the person of a profile belongs to
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/profiles/{profile}/segments", operation_id = "list_profile_segments", tag = "segment",
    params(("profile" = String, Path, description = "the id of any of the person's profiles")),
    responses((status = 200, body = SegmentsShape), Problems))]
async fn list_profile_segments(
    State(app): State<App>,
    Path(profile): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    segments_of(app, command, Whose::Profile(profile)).await
}

/// List the traits of the person of a profile
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/profiles/{profile}/traits", operation_id = "list_profile_traits", tag = "segment",
    params(("profile" = String, Path, description = "the id of any of the person's profiles")),
    responses((status = 200, body = TraitsShape), Problems))]
async fn list_profile_traits(
    State(app): State<App>,
    Path(profile): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    traits_of(app, command, Whose::Profile(profile)).await
}
