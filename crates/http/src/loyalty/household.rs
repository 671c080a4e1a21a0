//! Households over the API: founded, joined by invitation, left, and what they have.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Actor;
use domain::loyalty::household::{Leaving, Sharing, Spends, Tiers};
use domain::value::{Instant, text};
use engine::loyalty::household::{self, Household, Part};
use engine::loyalty::member::{self, Member};
use engine::{Failure, World, loyalty};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::points::{MemberPath, Named, PointMovementShape};
use super::{named, point};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of an invitation's code as it is typed.
const CODE_LENGTH_MAX: usize = 64;

/// The routes of households.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_household, found_household))
        .routes(routes!(list_household_movements))
        .routes(routes!(invite_to_household))
        .routes(routes!(end_household_invitations))
        .routes(routes!(join_household))
        .routes(routes!(leave_household))
        .routes(routes!(change_household_member))
        .routes(routes!(remove_household_member))
}

/// How members of a loyalty programme share a balance.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HouseholdTerms, example = json!({"members_max": 5, "spends": "chosen", "leaving": "own", "tiers": "together", "rejoin_days": 30}))]
pub(super) struct SharingShape {
    /// The most members of one household.
    #[schema(minimum = 2, maximum = 20)]
    members_max: i64,
    /// Who may spend what it has: `anyone`, `head`, or `chosen` (the head and whom he lets).
    spends: String,
    /// What becomes of points when a member leaves in whose place others stay: `stay` (with the household) or `own` (what is left of those he brought in
    /// goes with him).
    leaving: String,
    /// Whose purchases count for tiers: each member's `own`, or those of all `together` since they joined.
    #[serde(default = "own")]
    tiers: String,
    /// How many days after leaving one a member may be in a household again; at once when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    rejoin_days: i64,
}

fn own() -> String {
    Tiers::Own.text().to_owned()
}

impl From<&Sharing> for SharingShape {
    fn from(one: &Sharing) -> SharingShape {
        SharingShape {
            members_max: one.members_max,
            spends: one.spends.text().to_owned(),
            leaving: one.leaving.text().to_owned(),
            tiers: one.tiers.text().to_owned(),
            rejoin_days: one.rejoin_days,
        }
    }
}

impl SharingShape {
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Sharing> {
        let spends = fields.take("spends", Spends::parse(&self.spends));
        let leaving = fields.take("leaving", Leaving::parse(&self.leaving));
        let tiers = fields.take("tiers", Tiers::parse(&self.tiers));
        Some(Sharing {
            members_max: self.members_max,
            spends: spends?,
            leaving: leaving?,
            tiers: tiers?,
            rejoin_days: self.rejoin_days,
        })
    }
}

/// A member in a household.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HouseholdMember)]
struct PartShape {
    /// The member's id.
    member: String,
    /// Does he speak for the household?
    head: bool,
    /// May he spend where the programme lets the head choose?
    may_spend: bool,
    /// Since when he is in it.
    #[schema(format = DateTime)]
    joined_at: String,
}

impl From<&Part> for PartShape {
    fn from(one: &Part) -> PartShape {
        PartShape {
            member: one.member.to_string(),
            head: one.is_head,
            may_spend: one.may_spend,
            joined_at: one.joined_at.to_string(),
        }
    }
}

/// Members of a loyalty programme who share a balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Household, example = json!({"id": "mem_01jd0000000000000000000001", "programme": "lpr_01jd0000000000000000000000",
    "members": [{"member": "mem_01jd0000000000000000000000", "head": true, "may_spend": true, "joined_at": "2026-11-21T09:30:00Z"}],
    "balance": 120, "held": 0, "owed": 0, "invitations": 1, "founded_at": "2026-11-21T09:30:00Z"}))]
struct HouseholdShape {
    /// Its id: a member of the programme that no customer is by himself.
    id: String,
    /// The programme.
    programme: String,
    /// Who is in it, the first to join first.
    members: Vec<PartShape>,
    /// Points that can be spent; below zero where the programme shows what is owed so.
    balance: i64,
    /// Points held for orders.
    held: i64,
    /// Points that were taken back after they were spent.
    owed: i64,
    /// How many invitations can still be accepted.
    invitations: i64,
    /// When it was founded.
    #[schema(format = DateTime)]
    founded_at: String,
}

impl HouseholdShape {
    fn of(tx: &mut Tx<'_>, one: &Household, now: Instant) -> Result<HouseholdShape, Failure> {
        let has = loyalty::points::balance(tx, &one.member, now)?;
        Ok(HouseholdShape {
            id: one.member.id.to_string(),
            programme: one.member.programme.to_string(),
            members: one.parts.iter().map(PartShape::from).collect(),
            balance: has.free,
            held: has.held,
            owed: has.owed,
            invitations: one.invitations,
            founded_at: one.member.enrolled_at.to_string(),
        })
    }
}

/// A member of a household of the member a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PartPath {
    /// The customer's id or external id.
    id: String,
    /// The member's id.
    member: String,
    /// The id of the other member.
    other: String,
}

/// Does something with a household, and answers what it is.
async fn changed<T: Send + 'static>(
    app: App,
    of: Named,
    (command, status): (Command<T>, StatusCode),
    change: impl Fn(&mut Tx<'_>, &Actor, &mut World, &Member) -> Result<Household, Failure>
    + Send
    + Sync
    + 'static,
) -> Result<Response, Problem> {
    app.perform(command.request, status, move |tx, actor, world| {
        let of = of.find(tx, actor)?;
        let one = change(tx, actor, world, &of)?;
        Reply::json(&HouseholdShape::of(tx, &one, world.now())?)
    })
    .await
}

/// Found a household
///
/// The member is its head. What he can spend goes into it, and what he earns as soon as it can be spent.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household", operation_id = "found_household", tag = "loyalty",
    params(MemberPath, KeyRequired), responses((status = 201, body = HouseholdShape), Problems))]
async fn found_household(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (command, of) = (command.keyed()?, of.read()?);
    changed(app, of, (command, StatusCode::CREATED), household::found).await
}

/// Read the household a member is in
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/household", operation_id = "read_household", tag = "loyalty",
    params(MemberPath), responses((status = 200, body = HouseholdShape), Problems))]
async fn read_household(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(of): Path<MemberPath>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    let now = app.shop.source.now();
    let read = move |tx: &mut Tx<'_>| {
        let of = of.find(tx, &actor)?;
        let one = household::read(tx, &of, now)?;
        HouseholdShape::of(tx, &one, now)
    };
    document(&app.read(read).await?, None)
}

/// List what came to the points of a member's household and went from them, the newest first
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/household/movements", operation_id = "list_household_movements", tag = "loyalty",
    params(MemberPath, PageQuery), responses((status = 200, body = Page<PointMovementShape>), Problems))]
async fn list_household_movements(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(of): Path<MemberPath>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    let (limit, before) = (page.limit()?, point(&page.after()?)?);
    let read = move |tx: &mut Tx<'_>| {
        let shared = household::id_of(&of.find(tx, &actor)?)?;
        let lines = loyalty::statement(tx, &actor, &member::credit_of(shared), before, limit)?;
        Ok(lines.iter().map(PointMovementShape::from).collect::<Vec<_>>())
    };
    let lines = app.read(read).await?;
    document(&Page::new(lines, limit, |line: &PointMovementShape| line.key.clone()), None)
}

/// An invitation to a household.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HouseholdInvitation, example = json!({"code": "H-8KQ4-M2XD-77PT", "expires_at": "2026-12-05T09:30:00Z"}))]
struct InvitationShape {
    /// Its code, shown only here: whoever of the programme has it may join, once.
    code: String,
    /// Until when.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Invite somebody to a household
///
/// For its head. The code is given to whom he wants in it, and is kept nowhere.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household/invitations", operation_id = "invite_to_household", tag = "loyalty",
    params(MemberPath, KeyRequired), responses((status = 201, body = InvitationShape), Problems))]
async fn invite_to_household(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (command, of) = (command.keyed()?, of.read()?);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let of = of.find(tx, actor)?;
        let (code, expires_at) = household::invite(tx, actor, world, &of)?;
        Reply::json(&InvitationShape { code, expires_at: expires_at.to_string() })
    })
    .await
}

/// End the invitations to a household that were not accepted
///
/// For its head. Doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household/invitations/end", operation_id = "end_household_invitations", tag = "loyalty",
    params(MemberPath), responses((status = 200, body = HouseholdShape), Problems))]
async fn end_household_invitations(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    changed(app, of, (command, StatusCode::OK), household::end_invitations).await
}

/// The invitation a member accepts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HouseholdAcceptance, example = json!({"code": "H-8KQ4-M2XD-77PT"}))]
struct AcceptShape {
    /// Its code, however it is typed.
    #[schema(max_length = 64)]
    code: String,
}

/// Join a household by invitation
///
/// What the member can spend goes into it, and what he earns as soon as it can be spent.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household/join", operation_id = "join_household", tag = "loyalty", request_body = AcceptShape,
    params(MemberPath, KeyRequired), responses((status = 200, body = HouseholdShape), Problems))]
async fn join_household(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<AcceptShape>,
) -> Result<Response, Problem> {
    let (command, of) = (command.keyed()?, of.read()?);
    let mut fields = Fields::new();
    let code = fields.take("code", text::bounded("code", &command.body.code, 1, CODE_LENGTH_MAX));
    let code = fields.done(code)?;
    changed(app, of, (command, StatusCode::OK), move |tx, actor, world, of| {
        household::join(tx, actor, world, of, &code)
    })
    .await
}

/// Leave a household
///
/// What becomes of the points is said by the programme; who leaves last takes all of them. Answers the household as it is without him.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household/leave", operation_id = "leave_household", tag = "loyalty",
    params(MemberPath, KeyRequired), responses((status = 200, body = HouseholdShape), Problems))]
async fn leave_household(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (command, of) = (command.keyed()?, of.read()?);
    changed(app, of, (command, StatusCode::OK), household::leave).await
}

/// What a member of a household may do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HouseholdMemberChange, example = json!({"may_spend": true}))]
struct PartChangeShape {
    /// May he spend where the programme lets the head choose?
    may_spend: bool,
}

/// Say whether a member of a household may spend
///
/// For its head, where the programme lets him choose. Doing it twice is the same as once.
#[utoipa::path(put, path = "/v1/customers/{id}/points/{member}/household/members/{other}", operation_id = "change_household_member", tag = "loyalty",
    request_body = PartChangeShape, params(PartPath), responses((status = 200, body = HouseholdShape), Problems))]
async fn change_household_member(
    State(app): State<App>,
    Path(of): Path<PartPath>,
    command: Command<PartChangeShape>,
) -> Result<Response, Problem> {
    let (other, may_spend) = (named(&of.other)?, command.body.may_spend);
    let of = Named::of(&of.id, &of.member)?;
    changed(app, of, (command, StatusCode::OK), move |tx, actor, world, of| {
        household::let_spend(tx, actor, world, (of, other), may_spend)
    })
    .await
}

/// Put a member out of a household
///
/// For its head; as if the member left.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/household/members/{other}/remove", operation_id = "remove_household_member", tag = "loyalty",
    params(PartPath, KeyRequired), responses((status = 200, body = HouseholdShape), Problems))]
async fn remove_household_member(
    State(app): State<App>,
    Path(of): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (command, other) = (command.keyed()?, named(&of.other)?);
    let of = Named::of(&of.id, &of.member)?;
    changed(app, of, (command, StatusCode::OK), move |tx, actor, world, of| {
        household::remove(tx, actor, world, (of, other))
    })
    .await
}
