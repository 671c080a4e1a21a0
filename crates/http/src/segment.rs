//! Segments over the API: written, read, and who belongs to them and why, judged at the instant of the answer.

mod life;
mod list;
mod member;
mod person;
mod traits;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::identity;
use domain::segment::judge::{Part, Why};
use domain::value::text::bounded;
use domain::value::{Id, id};
use engine::segment::document::{expression, leaf_of, of_expression, of_scalar};
use engine::segment::{self, Change, Membership, Named, NewSegment, Segment, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a name.
const NAME_CHARS_MAX: usize = 200;

/// The routes of segments, traits and lists.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_segments, create_segment))
        .routes(routes!(read_segment, update_segment))
        .routes(routes!(list_segment_versions))
        .routes(routes!(read_segment_member))
        .merge(traits::routes())
        .merge(life::routes())
        .merge(list::routes())
        .merge(member::routes())
        .merge(person::routes())
}

/// People who belong together by what is known of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Segment, example = json!({"id": "seg_01jd0000000000000000000000", "code": "lookers", "name": "Looked at shoes, bought none",
    "active": true, "expression": {"all": [{"event": {"name": "Product Viewed", "where": [{"property": "category", "is": ["shoes"]}],
        "within_days": 30, "at_least": 2}}, {"not": {"orders": {"within_days": 30}}}]}, "version": 1,
    "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z"}))]
pub(super) struct SegmentShape {
    /// Its id.
    pub(super) id: String,
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: String,
    /// Is it in use?
    active: bool,
    /// Who belongs to it: see `docs/SEGMENTS.md`.
    #[schema(value_type = Object)]
    expression: Value,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
}

impl From<&Segment> for SegmentShape {
    fn from(one: &Segment) -> SegmentShape {
        SegmentShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            name: one.name.clone(),
            active: one.active,
            expression: of_expression(&one.expression),
            version: one.version,
            made_at: one.made_at.to_string(),
            changed_at: one.changed_at.to_string(),
        }
    }
}

pub(super) fn segment_id(text: &str) -> Result<Id<id::Segment>, Problem> {
    Ok(Id::parse(text).map_err(|_| Refusal::not_found("segment", text))?)
}

/// List segments, in the order they were made
#[utoipa::path(get, path = "/v1/segments", operation_id = "list_segments", tag = "segment", params(PageQuery),
    responses((status = 200, body = Page<SegmentShape>), Problems))]
async fn list_segments(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| segment::list(tx, &actor, after, limit)).await?;
    let shapes = found.iter().map(SegmentShape::from).collect();
    document(&Page::new(shapes, limit, |one: &SegmentShape| one.id.clone()), None)
}

/// A segment to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSegment, example = json!({"code": "lookers", "name": "Looked at shoes", "expression": {"all": [
    {"event": {"name": "Product Viewed", "where": [{"property": "category", "is": ["shoes"]}], "within_days": 30, "at_least": 2}},
    {"not": {"orders": {"within_days": 30}}}]}}))]
struct NewSegmentShape {
    /// The short word it goes by: 1 to 60 lower-case letters, digits, `_` or `-`.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people read: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Who belongs to it: see `docs/SEGMENTS.md`.
    #[schema(value_type = Object)]
    expression: Value,
}

/// Make a segment
///
/// Who belongs to it is judged whenever it is read, so it holds at once for everybody.
#[utoipa::path(post, path = "/v1/segments", operation_id = "create_segment", tag = "segment", request_body = NewSegmentShape,
    responses((status = 201, body = SegmentShape), Problems))]
async fn create_segment(
    State(app): State<App>,
    command: Command<NewSegmentShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&body.code));
    let name = fields.take("name", bounded("name", &body.name, 1, NAME_CHARS_MAX));
    let expression = expression(&body.expression, "expression");
    let read = (|| Some((code?, name?)))();
    let (code, name) = match (fields.done(read), &expression) {
        (Ok(read), _) => read,
        (Err(refusal), Ok(_)) => return Err(refusal.into()),
        (Err(refusal), Err(other)) => {
            return Err(Refusal::all(vec![refusal, other.clone()]).unwrap_or_else(|| other.clone()).into());
        }
    };
    let new = NewSegment { code, name, expression: expression? };
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let made = segment::create(tx, actor, world, new.clone())?;
        Reply::versioned(&SegmentShape::from(&made), made.version)
    })
    .await
}

/// Read a segment
#[utoipa::path(get, path = "/v1/segments/{segment}", operation_id = "read_segment", tag = "segment",
    params(("segment" = String, Path, description = "its id")), responses((status = 200, body = SegmentShape), Problems))]
async fn read_segment(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(segment): Path<String>,
) -> Result<Response, Problem> {
    let id = segment_id(&segment)?;
    let found = app.read(move |tx| segment::read(tx, &actor, id)).await?;
    document(&SegmentShape::from(&found), Some(found.version))
}

/// What of a segment is to be another; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SegmentChange, example = json!({"name": "Looked at shoes twice"}))]
struct ChangeShape {
    /// What people read: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Is it in use?
    active: Option<bool>,
    /// Who belongs to it.
    #[schema(value_type = Option<Object>)]
    expression: Option<Value>,
}

/// Change a segment
///
/// Every version is kept.
#[utoipa::path(patch, path = "/v1/segments/{segment}", operation_id = "update_segment", tag = "segment", request_body = ChangeShape,
    params(("segment" = String, Path, description = "its id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = SegmentShape), Problems))]
async fn update_segment(
    State(app): State<App>,
    Path(segment): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, if_match, body) = (segment_id(&segment)?, Some(command.version()?), command.body);
    let mut fields = Fields::new();
    let name = fields.take_if("name", body.name.as_deref(), |name| bounded("name", name, 1, NAME_CHARS_MAX));
    let name = fields.done(name)?;
    let expression = body.expression.as_ref().map(|given| expression(given, "expression")).transpose()?;
    let change = Change { name, active: body.active, expression, if_match };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let changed = segment::change(tx, actor, world, id, change.clone())?;
        Reply::versioned(&SegmentShape::from(&changed), changed.version)
    })
    .await
}

/// A version of a segment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentVersion, example = json!({"version": 2, "name": "Looked at shoes", "active": true, "expression": {"groups": ["vip"]},
    "by": "staff:stf_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z"}))]
struct VersionShape {
    /// Its number.
    version: i64,
    /// What people read.
    name: String,
    /// Was it in use?
    active: bool,
    /// Who belonged to it.
    #[schema(value_type = Object)]
    expression: Value,
    /// Who wrote it.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Version> for VersionShape {
    fn from(one: &Version) -> VersionShape {
        VersionShape {
            version: one.number,
            name: one.name.clone(),
            active: one.active,
            expression: serde_json::from_str(&one.expression).unwrap_or_default(),
            by: one.actor.clone(),
            at: one.at.to_string(),
        }
    }
}

/// List the versions of a segment, the newest first
#[utoipa::path(get, path = "/v1/segments/{segment}/versions", operation_id = "list_segment_versions", tag = "segment",
    params(("segment" = String, Path, description = "its id"), PageQuery),
    responses((status = 200, body = Page<VersionShape>), Problems))]
async fn list_segment_versions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(segment): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit, cursor) = (segment_id(&segment)?, page.limit()?, page.after()?);
    let misplaced = |_| Problem::unreadable("the cursor belongs to another list; begin without a cursor");
    let before = if cursor.is_empty() { i64::MAX } else { cursor.parse().map_err(misplaced)? };
    let found = app.read(move |tx| segment::versions(tx, &actor, id, (before, limit))).await?;
    let shapes = found.iter().map(VersionShape::from).collect();
    document(&Page::new(shapes, limit, |one: &VersionShape| one.version.to_string()), None)
}

/// Whether somebody belongs to a segment, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentMember, example = json!({"segment": "seg_01jd0000000000000000000000", "version": 1, "subject": "cus_01jd0000000000000000000000",
    "member": true, "at": "2026-06-01T10:00:00Z", "next_change": "2026-06-20T09:12:00Z", "why": {"part": "any", "holds": true, "parts": [
        {"part": {"groups": ["vip"]}, "holds": false, "actual": []},
        {"part": {"event": {"name": "Product Viewed", "within_days": 30, "at_least": 2}}, "holds": true, "actual": [3],
            "until": "2026-06-20T09:12:00Z"}]}}))]
struct MemberShape {
    /// The segment.
    segment: String,
    /// Its version.
    version: i64,
    /// The person, as known now: a customer, or a profile of somebody who is none yet.
    subject: String,
    /// Does the person belong to it?
    member: bool,
    /// The instant it is so.
    #[schema(format = DateTime)]
    at: String,
    /// Before this instant time alone does not change it; absent when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_change: Option<String>,
    /// The expression with what is so of this person.
    why: WhyShape,
}

/// A part of an expression with what is so of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentWhy)]
struct WhyShape {
    /// `all`, `any`, `not`, or what is asked.
    #[schema(value_type = Object)]
    part: Value,
    /// Does it hold?
    holds: bool,
    /// What was found: a count, an amount in minor units, values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    actual: Vec<Value>,
    /// Before this instant time alone does not change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Its parts; of a segment that is named, what that one asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    parts: Vec<WhyShape>,
}

impl From<&Why> for WhyShape {
    fn from(why: &Why) -> WhyShape {
        WhyShape {
            part: match &why.part {
                Part::All => "all".into(),
                Part::Any => "any".into(),
                Part::Not => "not".into(),
                Part::Is(leaf) => leaf_of(leaf),
            },
            holds: why.holds == Some(true),
            actual: why.actual.iter().map(of_scalar).collect(),
            until: why.until.map(|at| at.to_string()),
            parts: why.parts.iter().map(WhyShape::from).collect(),
        }
    }
}

impl From<&Membership> for MemberShape {
    fn from(one: &Membership) -> MemberShape {
        MemberShape {
            segment: one.segment.id.to_string(),
            version: one.segment.version,
            subject: one.subject.to_string(),
            member: one.verdict.is_in == Some(true),
            at: one.at.to_string(),
            next_change: one.verdict.next_change.map(|at| at.to_string()),
            why: WhyShape::from(&one.why),
        }
    }
}

/// Ask whether somebody belongs to a segment, and why
///
/// Judged from what is known at the instant of the answer, stock among it. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/segments/{segment}/members/{subject}", operation_id = "read_segment_member", tag = "segment",
    params(("segment" = String, Path, description = "its id"), ("subject" = String, Path, description = "the id of a customer or profile")),
    responses((status = 200, body = MemberShape), Problems))]
async fn read_segment_member(
    State(app): State<App>,
    Path((segment, subject)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (id, named) = (segment_id(&segment)?, Named::read(&subject)?);
    app.show(command.unkeyed().request, identity::Part::Segments, move |tx, actor, world| {
        let found = segment::membership(tx, actor, id, (named, world.now()))?;
        Ok((person::whom(found.subject), Reply::json(&MemberShape::from(&found))?))
    })
    .await
}
