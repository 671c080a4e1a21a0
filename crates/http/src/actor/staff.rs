//! Staff over the API: who works here, with which roles where.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::Staff as StaffKind;
use domain::value::{Email, Id, Reference, text};
use engine::actor::staff;
use serde::{Deserialize, Serialize};
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

/// The most roles one member holds.
const ROLES_MAX: usize = 100;
/// The most characters of a member's name.
const NAME_LENGTH_MAX: usize = 100;

/// The routes of staff.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_staff, list_staff))
        .routes(routes!(read_staff))
        .routes(routes!(set_staff_roles))
        .routes(routes!(activate_staff))
        .routes(routes!(deactivate_staff))
        .routes(routes!(invite_staff))
}

/// A role held at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldRole, example = json!({"role": "rol_01jd0000000000000000000000", "location": "loc_01jd0000000000000000000000"}))]
struct HeldShape {
    /// The role's id.
    role: String,
    /// Where; everywhere when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// A member of staff.
#[derive(Serialize, ToSchema)]
#[schema(as = Staff, example = json!({"id": "stf_01jd0000000000000000000000", "name": "Ada Byron", "email": "ada@example.com",
    "roles": [{"role": "rol_01jd0000000000000000000000"}], "active": true, "has_password": true, "made_at": "2026-11-21T09:30:00Z", "version": 1}))]
struct StaffShape {
    /// The id.
    id: String,
    /// What colleagues call the member.
    name: String,
    /// The e-mail to sign in with.
    email: String,
    /// The roles held.
    roles: Vec<HeldShape>,
    /// May the member sign in?
    active: bool,
    /// Has the member set a password?
    has_password: bool,
    /// Since when.
    #[schema(format = DateTime)]
    made_at: String,
    /// Counts the changes, from 1.
    version: i64,
}

impl From<&staff::Member> for StaffShape {
    fn from(member: &staff::Member) -> StaffShape {
        let held = |held: &engine::actor::role::Held| HeldShape {
            role: held.role.to_string(),
            location: held.location.map(|id| id.to_string()),
        };
        StaffShape {
            id: member.id.to_string(),
            name: member.name.name.clone(),
            email: member.name.email.as_str().to_owned(),
            roles: member.roles.iter().map(held).collect(),
            active: member.active,
            has_password: member.has_password,
            made_at: member.made_at.to_string(),
            version: member.version,
        }
    }
}

/// A role to be held at a place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewHeldRole, example = json!({"role": "cashier", "location": "STORE-7"}))]
struct NewHeldShape {
    /// The role: its id or code.
    role: String,
    /// Where: a location's id or external id; everywhere when absent.
    location: Option<String>,
}

/// A member to be taken on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStaff, example = json!({"name": "Ada Byron", "email": "ada@example.com", "roles": [{"role": "picker"}]}))]
struct NewStaffShape {
    /// What colleagues call the member: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The e-mail to sign in with.
    #[schema(max_length = 254)]
    email: String,
    /// The roles to be held, at most 100.
    #[schema(max_items = 100)]
    roles: Vec<NewHeldShape>,
}

/// The roles a member shall hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStaffRoles, example = json!({"roles": [{"role": "manager"}]}))]
struct NewRolesShape {
    /// All of them, at most 100; those not named are taken away.
    #[schema(max_items = 100)]
    roles: Vec<NewHeldShape>,
}

/// A member with the token by which a password is set.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitedStaff, example = json!({"staff": {"id": "stf_01jd0000000000000000000000", "name": "Ada Byron", "email": "ada@example.com", "roles": [],
    "active": true, "has_password": false, "made_at": "2026-11-21T09:30:00Z", "version": 1}, "invitation": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}))]
struct InvitedShape {
    /// The member.
    staff: StaffShape,
    /// Give this to the member: with it a password is set once within a day, by `POST /v1/invitations`. Shown only now.
    invitation: String,
}

/// Reads a member's name and e-mail.
pub(super) fn read_name(fields: &mut Fields, name: &str, email: &str) -> Option<staff::Name> {
    let name = fields.take("name", text::bounded("name", name, 1, NAME_LENGTH_MAX));
    let email = fields.take("email", Email::parse(email));
    name.zip(email).map(|(name, email)| staff::Name { name, email })
}

fn read_roles(fields: &mut Fields, roles: &[NewHeldShape]) -> Vec<staff::NewHeld> {
    if roles.len() > ROLES_MAX {
        fields.refuse("roles", format!("give at most {ROLES_MAX}"));
    }
    let held = |new: &NewHeldShape| staff::NewHeld {
        role: Reference::read(&new.role),
        location: new.location.as_deref().map(Reference::read),
    };
    roles.iter().take(ROLES_MAX).map(held).collect()
}

/// Take on a member of staff
///
/// The answer shows a token once, by which the member sets a password. It is not kept for repetition: an `Idempotency-Key` is ignored here.
#[utoipa::path(post, path = "/v1/staff", operation_id = "create_staff", tag = "access", request_body = NewStaffShape,
    responses((status = 201, body = InvitedShape), Problems))]
async fn create_staff(State(app): State<App>, command: Command<NewStaffShape>) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let name = read_name(&mut fields, &command.body.name, &command.body.email);
    let roles = read_roles(&mut fields, &command.body.roles);
    let name = fields.done(name)?;
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let (made, invitation) = staff::create(tx, actor, world, name.clone(), &roles)?;
        Reply::versioned(&InvitedShape { staff: StaffShape::from(&made), invitation }, made.version)
    })
    .await
}

/// List staff
#[utoipa::path(get, path = "/v1/staff", operation_id = "list_staff", tag = "access", params(PageQuery),
    responses((status = 200, body = Page<StaffShape>), Problems))]
async fn list_staff(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after, keyring) = (page.limit()?, page.after_id()?, app.shop.keyring.clone());
    let found = app.read(move |tx| staff::list(tx, &actor, &keyring, after, limit)).await?;
    document(
        &Page::new(found.iter().map(StaffShape::from).collect(), limit, |member| member.id.clone()),
        None,
    )
}

/// Read a member of staff
#[utoipa::path(get, path = "/v1/staff/{id}", operation_id = "read_staff", tag = "access",
    params(("id" = String, Path, description = "The member's id.")), responses((status = 200, body = StaffShape), Problems))]
async fn read_staff(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let keyring = app.shop.keyring.clone();
    let found = app.read(move |tx| staff::find(tx, &actor, &keyring, known(&id)?)).await?;
    document(&StaffShape::from(&found), Some(found.version))
}

/// Set a member's roles
///
/// Nobody gives what he may not do himself, nor changes somebody who may do more. The last owner stays one.
#[utoipa::path(put, path = "/v1/staff/{id}/roles", operation_id = "set_staff_roles", tag = "access", request_body = NewRolesShape,
    params(("id" = String, Path, description = "The member's id."), ("If-Match" = String, Header, description = "The ETag of the member as it was read.")),
    responses((status = 200, body = StaffShape), Problems))]
async fn set_staff_roles(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewRolesShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let roles = read_roles(&mut fields, &command.body.roles);
    let (roles, version) = (fields.done(Some(roles))?, command.version()?);
    // Unrecorded, as everything that answers with a name: the record would keep it in clear.
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        answered(&staff::set_roles(tx, actor, world, (known(&id)?, version), &roles)?)
    })
    .await
}

/// Let a member sign in again
#[utoipa::path(post, path = "/v1/staff/{id}/activate", operation_id = "activate_staff", tag = "access",
    params(("id" = String, Path, description = "The member's id.")), responses((status = 200, body = StaffShape), Problems))]
async fn activate_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    set_active(&app, id, command, true).await
}

/// Let a member sign in no more
///
/// Every session of the member ends at once. The last owner stays.
#[utoipa::path(post, path = "/v1/staff/{id}/deactivate", operation_id = "deactivate_staff", tag = "access",
    params(("id" = String, Path, description = "The member's id.")), responses((status = 200, body = StaffShape), Problems))]
async fn deactivate_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    set_active(&app, id, command, false).await
}

async fn set_active(app: &App, id: String, command: Command<()>, active: bool) -> Result<Response, Problem> {
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        answered(&staff::set_active(tx, actor, world, known(&id)?, active)?)
    })
    .await
}

/// A token by which a password is set.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation, example = json!({"invitation": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}))]
struct InvitationShape {
    /// Give this to the member: with it a password is set once within a day, by `POST /v1/invitations`. Shown only now.
    invitation: String,
}

/// Invite a member to set a password
///
/// For somebody who forgot it or let the first invitation grow old. Invitations given before no longer work.
#[utoipa::path(post, path = "/v1/staff/{id}/invite", operation_id = "invite_staff", tag = "access",
    params(("id" = String, Path, description = "The member's id.")), responses((status = 200, body = InvitationShape), Problems))]
async fn invite_staff(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&InvitationShape { invitation: staff::invite(tx, actor, world, known(&id)?)? })
    })
    .await
}

fn answered(member: &staff::Member) -> Result<Reply, engine::Failure> {
    Reply::versioned(&StaffShape::from(member), member.version)
}

fn known(text: &str) -> Result<Id<StaffKind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("staff member", text))
}
