//! Programs' keys over the API, and the permissions they can carry.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Permission;
use domain::actor::key::KeyKind;
use domain::value::{Id, Instant, Reference, text};
use engine::actor::key;
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

/// The routes of keys.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_api_key, list_api_keys))
        .routes(routes!(read_api_key))
        .routes(routes!(revoke_api_key))
        .routes(routes!(list_permissions))
}

/// A program's key to the API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey, example = json!({"id": "key_01jd0000000000000000000000", "name": "Web shop", "kind": "storefront",
    "permissions": ["catalogue:read", "places:read", "carts:write"], "made_at": "2026-11-21T09:30:00Z", "last_used_on": "2026-11-22"}))]
struct ApiKeyShape {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// `secret`, to be kept secret; or `storefront`, which anybody may read.
    kind: &'static str,
    /// What it may do.
    permissions: Vec<&'static str>,
    /// The sales channel all its requests come through.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Where it may do it; everywhere when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it stopped being valid; absent while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// The last day it was used, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_on: Option<String>,
}

impl From<&key::ApiKey> for ApiKeyShape {
    fn from(key: &key::ApiKey) -> ApiKeyShape {
        ApiKeyShape {
            id: key.id.to_string(),
            name: key.name.clone(),
            kind: key.kind.text(),
            permissions: key.permissions.each().map(Permission::text).collect(),
            channel: key.channel.map(|id| id.to_string()),
            location: key.location.map(|id| id.to_string()),
            made_at: key.made_at.to_string(),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            last_used_on: key::last_used(key).map(day),
        }
    }
}

/// The date of an instant in UTC, such as `2026-11-21`.
fn day(at: Instant) -> String {
    at.to_string().chars().take(10).collect()
}

/// A key that was just made, with the text a program sends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeApiKey, example = json!({"id": "key_01jd0000000000000000000000", "name": "Web shop", "kind": "storefront",
    "permissions": ["carts:write"], "made_at": "2026-11-21T09:30:00Z",
    "token": "key_01jd0000000000000000000000_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}))]
struct MadeApiKeyShape {
    /// The key.
    #[serde(flatten)]
    key: ApiKeyShape,
    /// What the program sends as `Authorization: Bearer …`. Shown only now: only its hash is kept.
    token: String,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey, example = json!({"name": "Web shop", "kind": "storefront", "permissions": ["catalogue:read", "places:read", "carts:write"]}))]
struct NewApiKeyShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// `secret` for programs on your own machines; `storefront` for pages and apps that anybody can look into.
    kind: String,
    /// What it may do, at most 64 permissions; see `GET /v1/permissions`.
    #[schema(max_items = 64)]
    permissions: Vec<String>,
    /// The sales channel all its requests come through: its id or external id.
    channel: Option<String>,
    /// Where it may do it: a location's id or external id; everywhere when absent.
    location: Option<String>,
}

impl NewApiKeyShape {
    fn read(&self) -> Result<key::NewKey, domain::Refusal> {
        let mut fields = Fields::new();
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let kind = fields.take("kind", KeyKind::named(&self.kind).ok_or("give \"secret\" or \"storefront\""));
        let kind_or_secret = kind.unwrap_or(KeyKind::Secret);
        let permissions = domain::actor::key::permissions(kind_or_secret, &self.permissions);
        let permissions = permissions
            .map_err(|refusal| fields.refuse(refusal.field().unwrap_or("permissions"), refusal.message()))
            .ok();
        let channel = self.channel.as_deref().map(Reference::read);
        let location = self.location.as_deref().map(Reference::read);
        let read = name.zip(kind).zip(permissions);
        fields.done(read.map(|((name, kind), permissions)| key::NewKey {
            name,
            kind,
            permissions,
            channel,
            location,
        }))
    }
}

/// Make a key
///
/// The answer shows the key's token once. It is not kept for repetition: an `Idempotency-Key` is ignored here, so that no secret is stored.
#[utoipa::path(post, path = "/v1/api-keys", operation_id = "create_api_key", tag = "access", request_body = NewApiKeyShape,
    responses((status = 201, body = MadeApiKeyShape), Problems))]
async fn create_api_key(
    State(app): State<App>,
    command: Command<NewApiKeyShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let (key, token) = key::create(tx, actor, world, input.clone())?;
        Reply::json(&MadeApiKeyShape { key: ApiKeyShape::from(&key), token })
    })
    .await
}

/// List keys
#[utoipa::path(get, path = "/v1/api-keys", operation_id = "list_api_keys", tag = "access", params(PageQuery),
    responses((status = 200, body = Page<ApiKeyShape>), Problems))]
async fn list_api_keys(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let keys = app.read(move |tx| key::list(tx, &actor, after, limit)).await?;
    document(&Page::new(keys.iter().map(ApiKeyShape::from).collect(), limit, |key| key.id.clone()), None)
}

/// Read a key
#[utoipa::path(get, path = "/v1/api-keys/{id}", operation_id = "read_api_key", tag = "access",
    params(("id" = String, Path, description = "The key's id.")), responses((status = 200, body = ApiKeyShape), Problems))]
async fn read_api_key(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| key::find(tx, &actor, known(&id)?)).await?;
    document(&ApiKeyShape::from(&found), None)
}

/// Revoke a key
///
/// It is not valid any more from the next request on. Revoking it again changes nothing.
#[utoipa::path(post, path = "/v1/api-keys/{id}/revoke", operation_id = "revoke_api_key", tag = "access",
    params(("id" = String, Path, description = "The key's id.")), responses((status = 200, body = ApiKeyShape), Problems))]
async fn revoke_api_key(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ApiKeyShape::from(&key::revoke(tx, actor, world, known(&id)?)?))
    })
    .await
}

fn known(text: &str) -> Result<Id<domain::value::id::ApiKey>, domain::Refusal> {
    Id::parse(text).map_err(|_| domain::Refusal::not_found("API key", text))
}

/// Something that may be allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Permission, example = json!({"name": "catalogue:read", "meaning": "see products, categories, prices and what can be had"}))]
struct PermissionShape {
    /// Its name in keys and roles.
    name: &'static str,
    /// What it allows.
    meaning: &'static str,
}

/// List permissions
#[utoipa::path(get, path = "/v1/permissions", operation_id = "list_permissions", tag = "access",
    responses((status = 200, body = Page<PermissionShape>), Problems))]
async fn list_permissions(_: Caller) -> Result<Response, Problem> {
    let shape =
        |permission: &Permission| PermissionShape { name: permission.text(), meaning: permission.meaning() };
    document(&Page { items: Permission::ALL.iter().map(shape).collect::<Vec<_>>(), next_cursor: None }, None)
}
