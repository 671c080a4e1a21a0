//! Routing over the API: profiles in versions, who goes by which, and why an order is served from where it is.

mod decision;
mod shape;
mod simulation;
mod told;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::RoutingProfile;
use domain::value::{Id, Instant, Reference, id};
use engine::routing::profile::{self, Place, Version, Which};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::ProfileShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of routing.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_routing_profile, list_routing_profiles))
        .routes(routes!(list_routing_profile_versions, draft_routing_profile_version))
        .routes(routes!(read_routing_profile_version, rewrite_routing_profile_version))
        .routes(routes!(activate_routing_profile_version))
        .routes(routes!(retire_routing_profile_version))
        .routes(routes!(read_routing_profile_of_channel, name_routing_profile_of_channel))
        .routes(routes!(read_routing_profile_of_network, name_routing_profile_of_network))
        .merge(decision::routes())
        .merge(simulation::routes())
}

/// A version of a routing profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoutingProfileVersion)]
struct VersionShape {
    /// The profile's id.
    id: String,
    /// The number of the version, from 1.
    version: i64,
    /// Where it stands: `draft`, `active` or `retired`.
    state: &'static str,
    /// From when on it routes orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    active_from: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// What it says.
    profile: ProfileShape,
    /// Rises with every change; given as `ETag`.
    revision: i64,
}

impl From<&Version> for VersionShape {
    fn from(version: &Version) -> VersionShape {
        VersionShape {
            id: version.id.to_string(),
            version: version.profile.version(),
            state: version.state.text(),
            active_from: version.active_from.map(|at| at.to_string()),
            made_at: version.made_at.to_string(),
            profile: (&version.profile).into(),
            revision: version.revision,
        }
    }
}

/// From which version the next one begins.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRoutingProfileVersion, example = json!({"from_version": 1}))]
struct DraftShape {
    /// The version whose content the draft begins with.
    #[schema(minimum = 1, maximum = 1000)]
    from_version: i64,
}

/// From when on a version routes orders.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingProfileActivation, example = json!({"active_from": "2030-06-01T06:00:00Z"}))]
struct ActivationShape {
    /// The instant; now when absent.
    #[schema(format = DateTime)]
    active_from: Option<String>,
}

/// The profile that routes the orders of a channel or network.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingProfileInUse, example = json!({"profile": "rpf_01jd0000000000000000000000"}))]
struct UseShape {
    /// The profile's id; absent for none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

fn profile_of(text: &str) -> Result<Id<RoutingProfile>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("routing profile", text))
}

fn version_of((profile, number): &(String, String)) -> Result<Which, Refusal> {
    let number = number.parse().map_err(|_| Refusal::not_found("version", number))?;
    Ok((profile_of(profile)?, number))
}

/// Make a routing profile
///
/// Its first version is a draft: nothing is routed by it before it is activated and a channel or network names the profile.
#[utoipa::path(post, path = "/v1/routing-profiles", operation_id = "create_routing_profile", tag = "routing",
    request_body = ProfileShape, responses((status = 201, body = VersionShape), Problems))]
async fn create_routing_profile(
    State(app): State<App>,
    command: Command<ProfileShape>,
) -> Result<Response, Problem> {
    let shape = command.body;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let content = shape.read(tx, 1)?;
        answer(&profile::create(tx, actor, world, content)?)
    })
    .await
}

fn answer(version: &Version) -> Result<Reply, Failure> {
    Reply::versioned(&VersionShape::from(version), version.revision)
}

/// List routing profiles, each in its newest version
#[utoipa::path(get, path = "/v1/routing-profiles", operation_id = "list_routing_profiles", tag = "routing", params(PageQuery),
    responses((status = 200, body = Page<VersionShape>), Problems))]
async fn list_routing_profiles(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| profile::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(VersionShape::from).collect();
    document(&Page::new(items, limit, |one: &VersionShape| one.id.clone()), None)
}

/// List the versions of a routing profile, the newest first
#[utoipa::path(get, path = "/v1/routing-profiles/{id}/versions", operation_id = "list_routing_profile_versions", tag = "routing",
    params(("id" = String, Path, description = "The profile's id.")), responses((status = 200, body = Page<VersionShape>), Problems))]
async fn list_routing_profile_versions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| profile::versions(tx, &actor, profile_of(&id)?)).await?;
    let items = found.iter().map(VersionShape::from).collect();
    document(&Page { items, next_cursor: None }, None)
}

/// Begin the next version of a routing profile, as a draft
#[utoipa::path(post, path = "/v1/routing-profiles/{id}/versions", operation_id = "draft_routing_profile_version", tag = "routing",
    request_body = DraftShape, params(("id" = String, Path, description = "The profile's id.")),
    responses((status = 201, body = VersionShape), Problems))]
async fn draft_routing_profile_version(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<DraftShape>,
) -> Result<Response, Problem> {
    let from = command.body.from_version;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        answer(&profile::draft(tx, actor, world, (profile_of(&id)?, from))?)
    })
    .await
}

/// Read a version of a routing profile
#[utoipa::path(get, path = "/v1/routing-profiles/{id}/versions/{version}", operation_id = "read_routing_profile_version", tag = "routing",
    params(("id" = String, Path, description = "The profile's id."), ("version" = String, Path, description = "The version's number.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn read_routing_profile_version(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(which): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| profile::find(tx, &actor, version_of(&which)?)).await?;
    document(&VersionShape::from(&found), Some(found.revision))
}

/// Write a draft anew
#[utoipa::path(put, path = "/v1/routing-profiles/{id}/versions/{version}", operation_id = "rewrite_routing_profile_version", tag = "routing",
    request_body = ProfileShape,
    params(("id" = String, Path, description = "The profile's id."), ("version" = String, Path, description = "The version's number."),
        ("If-Match" = String, Header, description = "The ETag of the version as it was read.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn rewrite_routing_profile_version(
    State(app): State<App>,
    Path(which): Path<(String, String)>,
    command: Command<ProfileShape>,
) -> Result<Response, Problem> {
    let revision = command.version()?;
    let shape = command.body;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let which = version_of(&which)?;
        let content = shape.read(tx, which.1)?;
        answer(&profile::rewrite(tx, actor, world, (which, revision), content)?)
    })
    .await
}

/// Let a draft route orders
///
/// From an instant on, or now. The version before it is retired as soon as this one is in force.
#[utoipa::path(post, path = "/v1/routing-profiles/{id}/versions/{version}/activate", operation_id = "activate_routing_profile_version",
    tag = "routing", request_body = ActivationShape,
    params(("id" = String, Path, description = "The profile's id."), ("version" = String, Path, description = "The version's number.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn activate_routing_profile_version(
    State(app): State<App>,
    Path(which): Path<(String, String)>,
    command: Command<ActivationShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let from = fields.take_if("active_from", command.body.active_from.as_deref(), Instant::parse);
    let from = fields.done(from)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&profile::activate(tx, actor, world, version_of(&which)?, from)?)
    })
    .await
}

/// End a version of a routing profile
///
/// Without an active version, the plain rule routes those who go by the profile.
#[utoipa::path(post, path = "/v1/routing-profiles/{id}/versions/{version}/retire", operation_id = "retire_routing_profile_version",
    tag = "routing",
    params(("id" = String, Path, description = "The profile's id."), ("version" = String, Path, description = "The version's number.")),
    responses((status = 200, body = VersionShape), Problems))]
async fn retire_routing_profile_version(
    State(app): State<App>,
    Path(which): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&profile::retire(tx, actor, world, version_of(&which)?)?)
    })
    .await
}

fn channel(tx: &mut Tx<'_>, text: &str) -> Result<Place, Failure> {
    external::resolve(tx, &Reference::<id::Channel>::read(text)).map(Place::Channel)
}

fn network(tx: &mut Tx<'_>, text: &str) -> Result<Place, Failure> {
    external::resolve(tx, &Reference::<id::Network>::read(text)).map(Place::Network)
}

/// Read which routing profile a channel names
#[utoipa::path(get, path = "/v1/channels/{id}/routing-profile", operation_id = "read_routing_profile_of_channel", tag = "routing",
    params(("id" = String, Path, description = "The channel's id or external id.")), responses((status = 200, body = UseShape), Problems))]
async fn read_routing_profile_of_channel(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app
        .read(move |tx| {
            let place = channel(tx, &id)?;
            profile::named_by(tx, &actor, place)
        })
        .await?;
    document(&UseShape { profile: found.map(|profile| profile.to_string()) }, None)
}

/// Read which routing profile a network names
#[utoipa::path(get, path = "/v1/networks/{id}/routing-profile", operation_id = "read_routing_profile_of_network", tag = "routing",
    params(("id" = String, Path, description = "The network's id or external id.")), responses((status = 200, body = UseShape), Problems))]
async fn read_routing_profile_of_network(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app
        .read(move |tx| {
            let place = network(tx, &id)?;
            profile::named_by(tx, &actor, place)
        })
        .await?;
    document(&UseShape { profile: found.map(|profile| profile.to_string()) }, None)
}

/// Let a profile route the orders of a channel
///
/// It goes before the profile of the channel's network.
#[utoipa::path(put, path = "/v1/channels/{id}/routing-profile", operation_id = "name_routing_profile_of_channel", tag = "routing",
    request_body = UseShape, params(("id" = String, Path, description = "The channel's id or external id.")),
    responses((status = 200, body = UseShape), Problems))]
async fn name_routing_profile_of_channel(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<UseShape>,
) -> Result<Response, Problem> {
    name_by(app, command, move |tx| channel(tx, &id)).await
}

/// Let a profile route the orders of all channels that sell from a network and name none
#[utoipa::path(put, path = "/v1/networks/{id}/routing-profile", operation_id = "name_routing_profile_of_network", tag = "routing",
    request_body = UseShape, params(("id" = String, Path, description = "The network's id or external id.")),
    responses((status = 200, body = UseShape), Problems))]
async fn name_routing_profile_of_network(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<UseShape>,
) -> Result<Response, Problem> {
    name_by(app, command, move |tx| network(tx, &id)).await
}

async fn name_by(
    app: App,
    command: Command<UseShape>,
    place: impl Fn(&mut Tx<'_>) -> Result<Place, Failure> + Send + 'static,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let id = |text: &str| Id::<RoutingProfile>::parse(text);
    let named = fields.take_if("profile", command.body.profile.as_deref(), id);
    let named = fields.done(named)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let place = place(tx)?;
        profile::name(tx, actor, world, place, named)?;
        Reply::json(&UseShape { profile: named.map(|profile| profile.to_string()) })
    })
    .await
}
