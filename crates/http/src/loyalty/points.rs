//! Points over the API: customers join, leave, are given points, and see what they have.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::id::{self, Customer};
use domain::value::{self, Id, Instant, Reference};
use engine::loyalty::member::{self, Member};
use engine::loyalty::{self, points, programme};
use engine::{Failure, World, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::ledger::HistoryLine;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NOTE_LENGTH_MAX, named, point};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a programme's or an occasion's code that is looked for.
const CODE_LENGTH_MAX: usize = 64;

/// The routes of members and their points.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_customer_points, enrol_member))
        .routes(routes!(adjust_points))
        .routes(routes!(give_points))
        .routes(routes!(leave_programme))
        .routes(routes!(list_point_movements))
}

/// Points that expire together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointsExpiring)]
struct ExpiringShape {
    /// How many.
    points: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// A customer's part in a loyalty programme, and what he has of points.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member, example = json!({"id": "mem_01jd0000000000000000000000", "programme": "lpr_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "state": "active", "balance": 120, "pending": 15, "held": 0, "owed": 0, "expires_next": {"points": 20, "at": "2027-12-01T00:00:00Z"}, "enrolled_at": "2026-11-21T09:30:00Z"}))]
struct MemberShape {
    /// Its id.
    id: String,
    /// The programme.
    programme: String,
    /// The customer.
    customer: String,
    /// Whether he takes part: `active`, `left`, or `ended` when the customer was erased.
    state: &'static str,
    /// Points that can be spent; below zero where the programme shows what is owed so.
    balance: i64,
    /// Points that wait for the return window to end.
    pending: i64,
    /// Points held for orders.
    held: i64,
    /// Points that were taken back after they were spent: new points pay them first. 0 where the balance shows them.
    owed: i64,
    /// What expires next.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_next: Option<ExpiringShape>,
    /// Since when he takes part.
    #[schema(format = DateTime)]
    enrolled_at: String,
    /// When he left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
}

impl MemberShape {
    fn of(tx: &mut Tx<'_>, one: &Member, now: Instant) -> Result<MemberShape, Failure> {
        let balance = points::balance(tx, one, now)?;
        let expiring = |(at, points): (Instant, i64)| ExpiringShape { points, at: at.to_string() };
        Ok(MemberShape {
            id: one.id.to_string(),
            programme: one.programme.to_string(),
            customer: one.customer.to_string(),
            state: one.state.text(),
            balance: balance.free,
            pending: balance.pending,
            held: balance.held,
            owed: balance.owed,
            expires_next: balance.next_expiry.map(expiring),
            enrolled_at: one.enrolled_at.to_string(),
            left_at: one.left_at.map(|at| at.to_string()),
        })
    }
}

/// The programme a customer joins.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Enrolment, example = json!({"programme": "club"}))]
struct EnrolShape {
    /// The programme's id or code.
    #[schema(max_length = 64)]
    programme: String,
    /// Since when he takes part, when he joined elsewhere; since now when absent. Only who gives points may say it.
    #[serde(default)]
    #[schema(format = DateTime)]
    enrolled_at: Option<String>,
}

/// Let a customer take part in a loyalty programme
///
/// Doing it twice is the same as once; who had left takes part again with what he had.
#[utoipa::path(post, path = "/v1/customers/{id}/points", operation_id = "enrol_member", tag = "loyalty", request_body = EnrolShape,
    params(("id" = String, Path, description = "The customer's id or external id.")), responses((status = 201, body = MemberShape), Problems))]
async fn enrol_member(
    State(app): State<App>,
    Path(customer): Path<String>,
    command: Command<EnrolShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let asked = value::text::bounded("programme", &command.body.programme, 1, CODE_LENGTH_MAX);
    let asked = fields.take("programme", asked);
    let since = fields.take_if("enrolled_at", command.body.enrolled_at.as_deref(), Instant::parse);
    let (asked, since) = fields.done(asked.zip(since))?;
    let customer = Reference::<Customer>::read(&customer);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let customer = external::resolve(tx, &customer)?;
        let found = programme::joined(tx, &asked)?;
        let found =
            found.ok_or_else(|| Refusal::invalid("programme", "no loyalty programme has this id or code"))?;
        let one = member::enrol_since(tx, actor, world, (found.id, customer), since)?;
        Reply::json(&MemberShape::of(tx, &one, world.now())?)
    })
    .await
}

/// List what a customer takes part in, and what he has of points
#[utoipa::path(get, path = "/v1/customers/{id}/points", operation_id = "list_customer_points", tag = "loyalty",
    params(("id" = String, Path, description = "The customer's id or external id.")), responses((status = 200, body = Page<MemberShape>), Problems))]
async fn list_customer_points(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(customer): Path<String>,
) -> Result<Response, Problem> {
    let customer = Reference::<Customer>::read(&customer);
    let now = app.shop.source.now();
    let read = move |tx: &mut Tx<'_>| {
        let customer = external::resolve(tx, &customer)?;
        let found = member::of_customer(tx, &actor, customer)?;
        found.iter().map(|one| MemberShape::of(tx, one, now)).collect::<Result<Vec<_>, _>>()
    };
    document(&Page { items: app.read(read).await?, next_cursor: None }, None)
}

/// The member a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct MemberPath {
    /// The customer's id or external id.
    id: String,
    /// The member's id.
    member: String,
}

/// A member of a customer that is still to be found.
struct Named(Reference<Customer>, Id<id::Member>);

impl MemberPath {
    fn read(&self) -> Result<Named, Problem> {
        Ok(Named(Reference::read(&self.id), named(&self.member)?))
    }
}

impl Named {
    fn find(&self, tx: &mut Tx<'_>, actor: &Actor) -> Result<Member, Failure> {
        let customer = external::resolve(tx, &self.0)?;
        member::read(tx, actor, customer, self.1)
    }
}

/// The code of a programme or an occasion that is looked for.
fn code(field: &'static str, said: &str) -> Result<String, Refusal> {
    value::text::bounded(field, said, 1, CODE_LENGTH_MAX).map_err(|error| Refusal::invalid(field, error))
}

/// Does something to a member's points, and answers what he has.
async fn changed<T: Send + 'static>(
    app: App,
    of: MemberPath,
    command: Command<T>,
    change: impl Fn(&mut Tx<'_>, &Actor, &mut World, &Member) -> Result<(), Failure> + Send + Sync + 'static,
) -> Result<Response, Problem> {
    let of = of.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let one = of.find(tx, actor)?;
        change(tx, actor, world, &one)?;
        let one = of.find(tx, actor)?;
        Reply::json(&MemberShape::of(tx, &one, world.now())?)
    })
    .await
}

/// A correction of points by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsAdjustment, example = json!({"change": 50, "note": "goodwill"}))]
struct PointsShape {
    /// More (positive) or fewer (negative).
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    change: i64,
    /// Why, without personal data: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

/// Correct a member's points
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/adjust", operation_id = "adjust_points", tag = "loyalty", request_body = PointsShape,
    params(MemberPath, KeyRequired),
    responses((status = 200, body = MemberShape), Problems))]
async fn adjust_points(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<PointsShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (mut fields, asked) = (Fields::new(), &command.body);
    if asked.change == 0 {
        fields.refuse("change", "give more or less than 0");
    }
    let note = fields.take("note", value::text::bounded("note", &asked.note, 1, NOTE_LENGTH_MAX));
    let change = asked.change;
    let note = fields.done(note)?;
    changed(app, of, command, move |tx, actor, world, one| {
        points::adjust(tx, actor, world, one, (change, note.clone()))
    })
    .await
}

/// The occasion points are given on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsOccasion, example = json!({"occasion": "birthday"}))]
struct GiveShape {
    /// Its code in the programme.
    #[schema(max_length = 64)]
    occasion: String,
}

/// Give a member the points of an occasion
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/give", operation_id = "give_points", tag = "loyalty", request_body = GiveShape,
    params(MemberPath, KeyRequired),
    responses((status = 200, body = MemberShape), Problems))]
async fn give_points(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<GiveShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let code = code("occasion", &command.body.occasion)?;
    changed(app, of, command, move |tx, actor, world, one| points::give(tx, actor, world, one, &code)).await
}

/// Let a member leave
///
/// Nothing is earned any more; what he has he may still spend. Doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/leave", operation_id = "leave_programme", tag = "loyalty",
    params(MemberPath),
    responses((status = 200, body = MemberShape), Problems))]
async fn leave_programme(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    changed(app, of, command, |tx, actor, world, one| member::leave(tx, actor, world, one.id).map(drop)).await
}

/// Points that came to a member's balance, or went from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PointMovement, example = json!({"transfer": "trf_01jd0000000000000000000000", "at": "2026-11-21T09:30:00Z", "points": 20, "balance": 140,
    "reason": "issued", "actor": "staff:stf_01jd0000000000000000000000"}))]
struct PointMovementShape {
    /// The transfer.
    transfer: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// How many came (positive) or went (negative).
    points: i64,
    /// What could be spent right after.
    balance: i64,
    /// Why: `released`, `issued`, `adjusted`, `taken_back`, `debt_paid`, `expired`, `held`, `hold_released` or `unspent`.
    reason: String,
    /// The kind of thing that caused it, such as `order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause_kind: Option<String>,
    /// Its id in text.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Who did it.
    actor: String,
    /// Where the next page begins.
    #[serde(skip)]
    key: String,
}

impl From<&HistoryLine> for PointMovementShape {
    fn from(line: &HistoryLine) -> PointMovementShape {
        PointMovementShape {
            transfer: line.transfer.to_string(),
            at: line.at.to_string(),
            points: line.amount,
            balance: line.balance,
            reason: line.reason.clone(),
            cause_kind: line.cause_kind.clone(),
            cause: line.cause_id.clone(),
            actor: line.actor.clone(),
            key: format!("{} {}", line.at.micros(), line.transfer),
        }
    }
}

/// List what came to a member's points and went from them, the newest first
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/movements", operation_id = "list_point_movements", tag = "loyalty",
    params(MemberPath, PageQuery),
    responses((status = 200, body = Page<PointMovementShape>), Problems))]
async fn list_point_movements(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(of): Path<MemberPath>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    let (limit, before) = (page.limit()?, point(&page.after()?)?);
    let read = move |tx: &mut Tx<'_>| {
        let one = of.find(tx, &actor)?;
        let lines = loyalty::statement(tx, &actor, &member::credit(&one), before, limit)?;
        Ok(lines.iter().map(PointMovementShape::from).collect::<Vec<_>>())
    };
    let lines = app.read(read).await?;
    document(&Page::new(lines, limit, |line: &PointMovementShape| line.key.clone()), None)
}
