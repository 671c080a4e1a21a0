//! Members, sizes, history and previews of segments over the API.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::value::{Id, id};
use engine::segment::Named;
use engine::segment::document::expression;
use engine::segment::member::{self, Member, Preview, Size, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::segment_id;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of members.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview_segment))
        .routes(routes!(read_segment_size))
        .routes(routes!(list_segment_members))
        .routes(routes!(list_segment_history))
}

/// An expression that is only tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SegmentTrial, example = json!({"expression": {"orders": {"within_days": 30, "at_least": 2}}}))]
struct TrialShape {
    /// Who would belong to it: see `docs/SEGMENTS.md`.
    #[schema(value_type = Object)]
    expression: Value,
}

/// How many would belong to a segment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentPreview, example = json!({"members": 1240, "found": 1240, "looked_at": 8200, "exact": true, "people": 918200}))]
struct PreviewShape {
    /// How many; where it is not exact, reckoned from those who were looked at.
    members: i64,
    /// How many of those who were looked at.
    found: i64,
    /// How many were looked at: all of whom something is known that decides, up to 20,000; beyond so many spread over all of them.
    looked_at: i64,
    /// Was everybody looked at who can belong to it?
    exact: bool,
    /// How many people there are.
    people: i64,
}

impl From<Preview> for PreviewShape {
    fn from(one: Preview) -> PreviewShape {
        let Preview { members, found, looked_at, exact, people } = one;
        PreviewShape { members, found, looked_at, exact, people }
    }
}

/// Show how many would belong to a segment
///
/// Nothing is kept.
#[utoipa::path(post, path = "/v1/segments/preview", operation_id = "preview_segment", tag = "segment", request_body = TrialShape,
    responses((status = 200, body = PreviewShape), Problems))]
async fn preview_segment(State(app): State<App>, command: Command<TrialShape>) -> Result<Response, Problem> {
    let expression = expression(&command.body.expression, "expression")?;
    let (actor, now) = (command.request.actor, app.shop.source.now());
    let found = app.read(move |tx| member::preview(tx, &actor, &expression, now)).await?;
    document(&PreviewShape::from(found), None)
}

/// How many belong to a segment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentSize, example = json!({"members": 1240, "exact": true, "live": false, "built": true, "whole": true}))]
struct SizeShape {
    /// How many.
    members: i64,
    /// Were all of them judged? Of a segment that looks at shelves the first 20,000 are, and beyond it is worked out from them.
    exact: bool,
    /// Does it look at shelves?
    live: bool,
    /// Was everybody gone through since the segment was made or changed? Until then there are more.
    built: bool,
    /// Was everything that changed until now looked at? If not, ask again.
    whole: bool,
}

impl From<Size> for SizeShape {
    fn from(one: Size) -> SizeShape {
        let Size { members, exact, live, built, whole } = one;
        SizeShape { members, exact, live, built, whole }
    }
}

/// Read how many belong to a segment
///
/// What changed until now is looked at first.
#[utoipa::path(get, path = "/v1/segments/{segment}/size", operation_id = "read_segment_size", tag = "segment",
    params(("segment" = String, Path, description = "its id")), responses((status = 200, body = SizeShape), Problems))]
async fn read_segment_size(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(segment): Path<String>,
) -> Result<Response, Problem> {
    let id = segment_id(&segment)?;
    let found = app.write(move |tx, world| member::size(tx, &actor, world, id)).await?;
    document(&SizeShape::from(found), None)
}

/// Somebody who belongs to a segment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentMemberRow, example = json!({"subject": "cus_01jd0000000000000000000000", "entered_at": "2026-06-01T10:00:00Z",
    "next_change": "2026-06-20T09:12:00Z"}))]
struct RowShape {
    /// A customer, or a profile of somebody who is none yet.
    subject: String,
    /// Since when; of who was in it when it was made, when that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    entered_at: Option<String>,
    /// Before this instant time alone does not change it; absent when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_change: Option<String>,
}

impl From<&Member> for RowShape {
    fn from(one: &Member) -> RowShape {
        RowShape {
            subject: one.subject.to_string(),
            entered_at: one.entered_at.map(|at| at.to_string()),
            next_change: one.next_change.map(|at| at.to_string()),
        }
    }
}

/// List who belongs to a segment
///
/// What changed until now is looked at first, and each one shown is judged at the instant of the answer, stock among it; a page may therefore
/// have fewer than asked for.
#[utoipa::path(get, path = "/v1/segments/{segment}/members", operation_id = "list_segment_members", tag = "segment",
    params(("segment" = String, Path, description = "its id"), PageQuery),
    responses((status = 200, body = Page<RowShape>), Problems))]
async fn list_segment_members(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(segment): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit) = (segment_id(&segment)?, page.limit()?);
    let after = page.after_id::<id::Customer>()?.bytes();
    let (members, next) =
        app.write(move |tx, world| member::list(tx, &actor, world, id, (after, limit))).await?;
    let items = members.iter().map(RowShape::from).collect();
    let next = next.map(|key| Id::<id::Customer>::from_bytes(key).to_string());
    document(&Page::until(items, next), None)
}

/// Whose history is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Only this person's: the id of a customer or profile.
    subject: Option<String>,
}

/// Somebody came into a segment or fell out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SegmentStep, example = json!({"id": "evt_01jd0000000000000000000000", "subject": "cus_01jd0000000000000000000000", "entered": true,
    "at": "2026-06-01T10:00:00Z", "version": 1}))]
struct StepShape {
    /// Its id.
    id: String,
    /// Who.
    subject: String,
    /// Came in, or fell out.
    entered: bool,
    /// When it was seen, within a second of when it happened.
    #[schema(format = DateTime)]
    at: String,
    /// By which version of the segment.
    version: i64,
}

impl From<&Step> for StepShape {
    fn from(one: &Step) -> StepShape {
        StepShape {
            id: one.id.to_string(),
            subject: one.subject.to_string(),
            entered: one.entered,
            at: one.at.to_string(),
            version: one.version,
        }
    }
}

/// List who came into a segment and fell out, the newest first
///
/// Who was in it when it was made is not told of.
#[utoipa::path(get, path = "/v1/segments/{segment}/history", operation_id = "list_segment_history", tag = "segment",
    params(("segment" = String, Path, description = "its id"), HistoryQuery, PageQuery),
    responses((status = 200, body = Page<StepShape>), Problems))]
async fn list_segment_history(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(segment): Path<String>,
    Asked(query): Asked<HistoryQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit, before) = (segment_id(&segment)?, page.limit()?, page.before_id()?);
    let of = query.subject.as_deref().map(Named::read).transpose()?;
    let found =
        app.write(move |tx, world| member::history(tx, &actor, world, (id, of), (before, limit))).await?;
    let shapes = found.iter().map(StepShape::from).collect();
    document(&Page::new(shapes, limit, |one: &StepShape| one.id.clone()), None)
}
