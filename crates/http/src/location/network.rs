//! Networks over the API: the locations that together serve a channel.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::location::MEMBERS_MAX;
use domain::value::{Reference, id, reference, text};
use engine::location::{self, Network, NetworkChange, NewNetwork};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::CODE_CHARS_MAX;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of networks.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_network, list_networks))
        .routes(routes!(read_network, update_network))
}

/// A location of a network.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = NetworkMember, example = json!({"location": "loc_01jd0000000000000000000000", "rank": 1}))]
struct MemberShape {
    /// The location's id.
    location: String,
    /// The lowest rank is asked first.
    rank: i64,
}

/// Locations that together serve a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Network, example = json!({"id": "net_01jd0000000000000000000000", "code": "uk", "name": "United Kingdom",
    "members": [{"location": "loc_01jd0000000000000000000000", "rank": 1}], "version": 1}))]
struct NetworkShape {
    /// Its id.
    id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: String,
    /// Its locations, the lowest rank first.
    members: Vec<MemberShape>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Network> for NetworkShape {
    fn from(network: &Network) -> NetworkShape {
        let member = |(location, rank): &domain::location::Member| MemberShape {
            location: location.to_string(),
            rank: *rank,
        };
        NetworkShape {
            id: network.id.to_string(),
            code: network.code.clone(),
            name: network.name.clone(),
            members: network.members.iter().map(member).collect(),
            version: network.version,
        }
    }
}

/// A location to belong to a network.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNetworkMember, example = json!({"location": "loc_01jd0000000000000000000000", "rank": 1}))]
struct NewMemberShape {
    /// The location's id or external id.
    location: String,
    /// The lowest rank is asked first: 0 to 1,000; the place in the list, from 1, when absent.
    #[schema(minimum = 0, maximum = 1000)]
    rank: Option<i64>,
}

/// The members meant, each with its rank.
fn read_members(
    fields: &mut Fields,
    members: &[NewMemberShape],
) -> Option<Vec<(Reference<id::Location>, i64)>> {
    if members.len() > MEMBERS_MAX {
        fields.refuse("members", format!("give at most {MEMBERS_MAX} locations"));
        return None;
    }
    let member = |(place, member): (i64, &NewMemberShape)| {
        (Reference::read(&member.location), member.rank.unwrap_or(place))
    };
    Some((1..).zip(members).map(member).collect())
}

/// A network to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNetwork, example = json!({"code": "uk", "name": "United Kingdom", "members": [{"location": "loc_01jd0000000000000000000000"}]}))]
struct NewNetworkShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// Its locations, at most 1,000.
    #[schema(max_items = 1000)]
    members: Vec<NewMemberShape>,
}

impl NewNetworkShape {
    fn read(&self) -> Result<NewNetwork, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, CODE_CHARS_MAX));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let external_id =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<id::Network>);
        let members = read_members(&mut fields, &self.members);
        let read =
            (|| Some(NewNetwork { code: code?, name: name?, external_id: external_id?, members: members? }))(
            );
        fields.done(read)
    }
}

/// What of a network is to change; what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NetworkChange, example = json!({"members": [{"location": "loc_01jd0000000000000000000000", "rank": 1}]}))]
struct NetworkChangeShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// Its locations, in place of those it has; at most 1,000.
    #[schema(max_items = 1000)]
    members: Option<Vec<NewMemberShape>>,
}

impl NetworkChangeShape {
    fn read(&self) -> Result<NetworkChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_deref(), |name| {
            text::bounded("name", name, 1, text::NAME_CHARS_MAX)
        });
        let members = self.members.as_deref().and_then(|members| read_members(&mut fields, members));
        fields.done(name.map(|name| NetworkChange { name, members }))
    }
}

/// Make a network
#[utoipa::path(post, path = "/v1/networks", operation_id = "create_network", tag = "location", request_body = NewNetworkShape,
    responses((status = 201, body = NetworkShape), Problems))]
async fn create_network(
    State(app): State<App>,
    command: Command<NewNetworkShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let network = location::create_network(tx, actor, world, input.clone())?;
        Reply::versioned(&NetworkShape::from(&network), network.version)
    })
    .await
}

/// List networks
#[utoipa::path(get, path = "/v1/networks", operation_id = "list_networks", tag = "location", params(PageQuery),
    responses((status = 200, body = Page<NetworkShape>), Problems))]
async fn list_networks(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let networks = app.read(move |tx| location::list_networks(tx, &actor, after, limit)).await?;
    let shapes = networks.iter().map(NetworkShape::from).collect();
    document(&Page::new(shapes, limit, |network: &NetworkShape| network.id.clone()), None)
}

/// Read a network
#[utoipa::path(get, path = "/v1/networks/{id}", operation_id = "read_network", tag = "location",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = NetworkShape), Problems))]
async fn read_network(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let network = app.read(move |tx| location::find_network(tx, &actor, &reference)).await?;
    document(&NetworkShape::from(&network), Some(network.version))
}

/// Change a network
#[utoipa::path(patch, path = "/v1/networks/{id}", operation_id = "update_network", tag = "location", request_body = NetworkChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = NetworkShape), Problems))]
async fn update_network(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NetworkChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let network = location::update_network(tx, actor, world, (&reference, read), change.clone())?;
        Reply::versioned(&NetworkShape::from(&network), network.version)
    })
    .await
}
