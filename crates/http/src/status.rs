//! The status of an order over the API, for the customer: read once, followed as it changes, and by a link that was mailed.

mod page;
mod shape;
mod stream;
mod take_over;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::{Id, Instant, Language, id};
use engine::status::{self, Status};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::order::named;
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;
use shape::StatusShape;

pub(crate) use stream::Teller;

/// How many days a link works when nothing is said.
const LINK_DAYS: i64 = 90;

/// The routes of order status.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_order_status))
        .routes(routes!(get_order_status_by_link))
        .routes(routes!(create_status_link, withdraw_status_links))
        .merge(stream::routes())
        .merge(page::routes())
        .merge(take_over::routes())
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatusQuery {
    /// The language of the words, such as `de`; the market's when not given, and English where we have no words in it.
    #[param(max_length = 10)]
    language: Option<String>,
}

impl StatusQuery {
    fn read(&self) -> Result<Option<Language>, Problem> {
        let mut fields = Fields::new();
        let language = self.language.as_deref().map(|text| fields.take("language", Language::parse(text)));
        Ok(fields.done(Some(language.flatten()))?)
    }
}

/// Who asks for which order's status.
#[derive(Clone)]
enum Seen {
    /// Somebody with a credential.
    By(domain::actor::Actor, domain::value::Reference<id::Order>),
    /// Whoever holds a link.
    Link(String),
}

impl Seen {
    /// Reads the status anew: a link that was withdrawn meanwhile shows nothing any more.
    fn look(
        &self,
        tx: &mut Tx<'_>,
        now: Instant,
        language: Option<Language>,
    ) -> Result<(Id<id::Order>, StatusShape), Failure> {
        let found: Status = match self {
            Seen::By(actor, order) => {
                let id = external::resolve(tx, order)?;
                status::read(tx, actor, id, language)?
            }
            Seen::Link(token) => status::by_link(tx, token, now, language)?,
        };
        Ok((found.order.id, StatusShape::from(&found)))
    }
}

async fn shown(app: &App, seen: Seen, query: &StatusQuery) -> Result<Response, Problem> {
    let (language, now) = (query.read()?, app.shop.source.now());
    let (_, shape) = app.read(move |tx| seen.look(tx, now, language)).await?;
    document(&shape, None)
}

/// Read the status of an order
///
/// What its customer's page shows: how far each part is and where, the code and the bay for what waits, parcels, returns, money, and what
/// the customer can do now. It names nobody.
#[utoipa::path(get, path = "/v1/orders/{order}/status", operation_id = "get_order_status", tag = "status",
    params(("order" = String, Path, description = "The order's id or external id"), StatusQuery),
    responses((status = 200, body = StatusShape), Problems))]
async fn get_order_status(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
    Asked(query): Asked<StatusQuery>,
) -> Result<Response, Problem> {
    shown(&app, Seen::By(actor, named(&order)), &query).await
}

/// Read the status of an order by a link
///
/// As for who knows the order, without a key. An expired or withdrawn link is not found.
#[utoipa::path(get, path = "/v1/order-status/{token}", operation_id = "get_order_status_by_link", tag = "status",
    params(("token" = String, Path, description = "The link's token", max_length = 64), StatusQuery),
    responses((status = 200, body = StatusShape), Problems))]
async fn get_order_status_by_link(
    State(app): State<App>,
    Path(token): Path<String>,
    Asked(query): Asked<StatusQuery>,
) -> Result<Response, Problem> {
    shown(&app, Seen::Link(token), &query).await
}

/// For how long a link works.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStatusLink, example = json!({"days": 30}))]
struct NewLinkShape {
    /// Days, 1 to 365; 90 when not given.
    #[schema(minimum = 1, maximum = 365)]
    days: Option<i64>,
}

/// A link to an order's status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusLink, example = json!({"token": "5f2c4d1e0b9a8877665544332211ffeeddccbbaa99887766554433221100ffee",
    "path": "/v1/order-status/5f2c4d1e0b9a8877665544332211ffeeddccbbaa99887766554433221100ffee",
    "page": "/o/5f2c4d1e0b9a8877665544332211ffeeddccbbaa99887766554433221100ffee", "expires_at": "2026-11-21T09:30:00Z"}))]
struct LinkShape {
    /// The token; it is shown this once.
    token: String,
    /// Where the status is read by it.
    path: String,
    /// Where its page is, for the customer's browser.
    page: String,
    /// Until when it works.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Make a link to an order's status
///
/// To be mailed to the customer. Whoever holds it sees the status until it expires or the links are withdrawn. The answer is not kept under
/// an idempotency key, because it holds a secret.
#[utoipa::path(post, path = "/v1/orders/{order}/status-links", operation_id = "create_status_link", tag = "status", request_body = Option<NewLinkShape>,
    params(("order" = String, Path, description = "The order's id or external id")),
    responses((status = 201, body = LinkShape), Problems))]
async fn create_status_link(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<Option<NewLinkShape>>,
) -> Result<Response, Problem> {
    let mut command = command.unkeyed();
    let days = command.body.take().unwrap_or_default().days.unwrap_or(LINK_DAYS);
    let order = named(&order);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        let (token, expires_at) = status::make_link(tx, actor, world, order, days)?;
        let path = format!("/v1/order-status/{token}");
        let page = format!("/o/{token}");
        Reply::json(&LinkShape { token, path, page, expires_at: expires_at.to_string() })
    })
    .await
}

/// Withdraw every link to an order's status
#[utoipa::path(delete, path = "/v1/orders/{order}/status-links", operation_id = "withdraw_status_links", tag = "status",
    params(("order" = String, Path, description = "The order's id or external id")),
    responses((status = 204), Problems))]
async fn withdraw_status_links(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let order = named(&order);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        status::withdraw_links(tx, actor, world, order)?;
        Reply::json(&())
    })
    .await
}
