//! Roles over the API: named sets of permissions.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::{Permission, Permissions};
use domain::value::id::Role as RoleKind;
use domain::value::{Id, text};
use engine::actor::role;
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

/// The most characters of a role's code.
const CODE_LENGTH_MAX: usize = 60;

/// The routes of roles.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_role, list_roles)).routes(routes!(read_role, replace_role))
}

/// A named set of permissions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role, example = json!({"id": "rol_01jd0000000000000000000000", "code": "picker", "name": "Picker",
    "permissions": ["catalogue:read", "places:read", "stock:read", "orders:read", "orders:write"], "version": 1}))]
struct RoleShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// What it allows.
    permissions: Vec<&'static str>,
    /// Counts its changes, from 1.
    version: i64,
}

impl From<&role::Role> for RoleShape {
    fn from(role: &role::Role) -> RoleShape {
        RoleShape {
            id: role.id.to_string(),
            code: role.code.clone(),
            name: role.name.clone(),
            permissions: role.permissions.each().map(Permission::text).collect(),
            version: role.version,
        }
    }
}

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRole, example = json!({"code": "stock_clerk", "name": "Stock clerk", "permissions": ["stock:read", "stock:write"]}))]
struct NewRoleShape {
    /// The short word it goes by: 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What it allows; see `GET /v1/permissions`.
    #[schema(min_items = 1, max_items = 64)]
    permissions: Vec<String>,
}

/// What a role shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplacedRole, example = json!({"name": "Stock clerk", "permissions": ["stock:read", "stock:write", "places:read"]}))]
struct ReplacedRoleShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What it allows; see `GET /v1/permissions`.
    #[schema(min_items = 1, max_items = 64)]
    permissions: Vec<String>,
}

/// Reads name and permissions, which a new role and a changed one have in common.
fn read_content(fields: &mut Fields, name: &str, names: &[String]) -> Option<(String, Permissions)> {
    let name = fields.take("name", text::bounded("name", name, 1, text::NAME_CHARS_MAX));
    let permissions = match Permissions::read(names) {
        Ok(permissions) => Some(permissions),
        Err(refusal) => {
            fields.refuse(refusal.field().unwrap_or("permissions"), refusal.message());
            None
        }
    };
    name.zip(permissions)
}

/// Make a role
#[utoipa::path(post, path = "/v1/roles", operation_id = "create_role", tag = "access", request_body = NewRoleShape,
    responses((status = 201, body = RoleShape), Problems))]
async fn create_role(State(app): State<App>, command: Command<NewRoleShape>) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let code = fields.take("code", text::bounded("code", &command.body.code, 1, CODE_LENGTH_MAX));
    let content = read_content(&mut fields, &command.body.name, &command.body.permissions);
    let input =
        code.zip(content).map(|(code, (name, permissions))| role::NewRole { code, name, permissions });
    let input = fields.done(input)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let made = role::create(tx, actor, world, input.clone())?;
        Reply::versioned(&RoleShape::from(&made), made.version)
    })
    .await
}

/// List roles
#[utoipa::path(get, path = "/v1/roles", operation_id = "list_roles", tag = "access", params(PageQuery),
    responses((status = 200, body = Page<RoleShape>), Problems))]
async fn list_roles(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let roles = app.read(move |tx| role::list(tx, &actor, after, limit)).await?;
    document(&Page::new(roles.iter().map(RoleShape::from).collect(), limit, |role| role.id.clone()), None)
}

/// Read a role
#[utoipa::path(get, path = "/v1/roles/{id}", operation_id = "read_role", tag = "access",
    params(("id" = String, Path, description = "The role's id.")), responses((status = 200, body = RoleShape), Problems))]
async fn read_role(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| role::find(tx, &actor, known(&id)?)).await?;
    document(&RoleShape::from(&found), Some(found.version))
}

/// Change a role
///
/// For everybody who holds it, from the next request on. The owner's role cannot be changed.
#[utoipa::path(put, path = "/v1/roles/{id}", operation_id = "replace_role", tag = "access", request_body = ReplacedRoleShape,
    params(("id" = String, Path, description = "The role's id."), ("If-Match" = String, Header, description = "The ETag of the role as it was read.")),
    responses((status = 200, body = RoleShape), Problems))]
async fn replace_role(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ReplacedRoleShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let content = read_content(&mut fields, &command.body.name, &command.body.permissions);
    let (content, version) = (fields.done(content)?, command.version()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let changed = role::change(tx, actor, world, (known(&id)?, version), content.clone())?;
        Reply::versioned(&RoleShape::from(&changed), changed.version)
    })
    .await
}

fn known(text: &str) -> Result<Id<RoleKind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("role", text))
}
