//! From where pickup locations are sent what they lack, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Reference;
use domain::value::id::{DeliveryMethod, Network};
use engine::delivery::sending::{self, Sending};
use engine::external;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_sending, set_sending, remove_sending))
}

/// From where a pickup location is sent what it lacks.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliverySending, example = json!({"network": "all", "days": 2}))]
struct SendingShape {
    /// The network whose locations send: id, external id or code.
    network: String,
    /// How many days it takes: what the customer is told.
    #[schema(minimum = 0, maximum = 365)]
    days: i64,
}

impl From<&Sending> for SendingShape {
    fn from(sending: &Sending) -> SendingShape {
        SendingShape { network: sending.network.to_string(), days: sending.days }
    }
}

/// Read from where the pickup locations of a method are sent what they lack
#[utoipa::path(get, path = "/v1/delivery-methods/{id}/sending", operation_id = "read_sending", tag = "delivery",
    params(("id" = String, Path, description = "The method's id or external id")),
    responses((status = 200, body = SendingShape), Problems))]
async fn read_sending(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(method): Path<String>,
) -> Result<Response, Problem> {
    let method = Reference::<DeliveryMethod>::read(&method);
    let found = app
        .read(move |tx| {
            let method = external::resolve(tx, &method)?;
            sending::read(tx, &actor, method)?
                .ok_or_else(|| Refusal::not_found("network that sends to pickups of method", method).into())
        })
        .await?;
    document(&SendingShape::from(&found), None)
}

/// Say from where the pickup locations of a method are sent what they lack
#[utoipa::path(put, path = "/v1/delivery-methods/{id}/sending", operation_id = "set_sending", tag = "delivery", request_body = SendingShape,
    params(("id" = String, Path, description = "The method's id or external id")),
    responses((status = 200, body = SendingShape), Problems))]
async fn set_sending(
    State(app): State<App>,
    Path(method): Path<String>,
    command: Command<SendingShape>,
) -> Result<Response, Problem> {
    let method = Reference::<DeliveryMethod>::read(&method);
    let (network, days) = (Reference::<Network>::read(&command.body.network), command.body.days);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let method = external::resolve(tx, &method)?;
        let sending = Sending { network: external::known_at(tx, "network", &network)?, days };
        sending::set(tx, actor, world, method, Some(sending))?;
        Reply::json(&SendingShape::from(&sending))
    })
    .await
}

/// Let the pickup locations of a method sell only what they have
#[utoipa::path(delete, path = "/v1/delivery-methods/{id}/sending", operation_id = "remove_sending", tag = "delivery",
    params(("id" = String, Path, description = "The method's id or external id")),
    responses((status = 204, description = "Nothing is sent to them."), Problems))]
async fn remove_sending(
    State(app): State<App>,
    Path(method): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let method = Reference::<DeliveryMethod>::read(&method);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let method = external::resolve(tx, &method)?;
        sending::set(tx, actor, world, method, None)?;
        Reply::json(&())
    })
    .await
}
