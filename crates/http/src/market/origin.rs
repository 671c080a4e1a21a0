//! The origins of a channel over the API: the web pages of others whose scripts may ask with a storefront key.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::market::origin::{ORIGINS_MAX, Origin};
use domain::value::Reference;
use engine::market::{Channel, origin};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of the origins of a channel.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_channel_origins, set_channel_origins))
}

/// The web pages of others that may ask in a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelOrigins, example = json!({"channel": "chn_01jd0000000000000000000000", "origins": ["https://shop.example"], "version": 2}))]
struct OriginsShape {
    /// The channel.
    channel: String,
    /// Scheme, host and port of each, in order.
    origins: Vec<String>,
    /// The channel's version; rises with every change; given as `ETag`.
    version: i64,
}

impl From<&(Channel, Vec<Origin>)> for OriginsShape {
    fn from((channel, origins): &(Channel, Vec<Origin>)) -> OriginsShape {
        OriginsShape {
            channel: channel.id.to_string(),
            origins: origins.iter().map(ToString::to_string).collect(),
            version: channel.version,
        }
    }
}

/// The web pages of others that shall be able to ask in a channel, in place of those it has.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChannelOrigins, example = json!({"origins": ["https://shop.example", "http://localhost:5173"]}))]
struct NewOriginsShape {
    /// Scheme, host and maybe a port of each, at most 50; none closes the channel to other pages.
    #[schema(max_items = 50)]
    origins: Vec<String>,
}

impl NewOriginsShape {
    fn read(&self) -> Result<Vec<Origin>, Refusal> {
        let mut fields = Fields::new();
        if self.origins.len() > ORIGINS_MAX {
            fields.refuse("origins", format!("give at most {ORIGINS_MAX}"));
            return fields.done(None);
        }
        let mut origins = Vec::with_capacity(self.origins.len());
        for (place, text) in self.origins.iter().enumerate() {
            let read = Origin::parse(text).map_err(|refusal| refusal.message().to_owned());
            origins.extend(fields.take(&format!("origins.{place}"), read));
        }
        fields.done(Some(origins))
    }
}

/// Read which web pages of others may ask in a channel
#[utoipa::path(get, path = "/v1/channels/{id}/origins", operation_id = "read_channel_origins", tag = "market",
    params(("id" = String, Path, description = "the channel's id or external id")),
    responses((status = 200, body = OriginsShape), Problems))]
async fn read_channel_origins(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let found = app.read(move |tx| origin::find(tx, &actor, &reference)).await?;
    document(&OriginsShape::from(&found), Some(found.0.version))
}

/// Set which web pages of others may ask in a channel
///
/// Scripts of these pages may then ask with a storefront key of this channel, or of no channel, and read the answers. What a secret key or
/// a member of staff asks is never shown to other pages.
#[utoipa::path(put, path = "/v1/channels/{id}/origins", operation_id = "set_channel_origins", tag = "market", request_body = NewOriginsShape,
    params(("id" = String, Path, description = "the channel's id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = OriginsShape), Problems))]
async fn set_channel_origins(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewOriginsShape>,
) -> Result<Response, Problem> {
    let (reference, read, origins) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let set = origin::replace(tx, actor, world, (&reference, read), origins.clone())?;
        Reply::versioned(&OriginsShape::from(&set), set.0.version)
    })
    .await
}
