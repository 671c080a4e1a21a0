//! Goods of an order leave, over the API: by parcel, or into somebody's hands.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::delivery::Kind;
use domain::value::id::{self, OrderLine};
use domain::value::{self, Id};
use domain::{Refusal, value::id::Contact};
use engine::checkout::{self, Leaving};
use engine::fulfilment::visit::{self, Proof};
use engine::{external, fulfilment};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::OrderShape;
use crate::App;
use crate::app::Reply;
use crate::command::{Command, KeyRequired};
use crate::fulfilment::{ParcelPath, PartPath, step};
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most characters of how a colleague made sure who came.
const SEEN_LENGTH_MAX: usize = 100;
/// The most characters of a tracking number.
const TRACKING_LENGTH_MAX: usize = 100;
/// The most lines of one request.
const LINES_MAX: usize = 500;

/// The routes by which goods leave.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ship_fulfilment_order))
        .routes(routes!(ship_parcel))
        .routes(routes!(hand_over_fulfilment_order))
}

/// How a parcel can be followed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ShipFulfilmentOrder, example = json!({"tracking": "JD0002 1234 5678"}))]
struct ShipShape {
    /// The carrier's tracking number.
    tracking: Option<String>,
}

impl ShipShape {
    fn read(self) -> Result<Option<String>, Refusal> {
        let mut fields = Fields::new();
        let tracking = fields.take_if("tracking", self.tracking, |text| {
            value::text::bounded("tracking", &text, 1, TRACKING_LENGTH_MAX)
        });
        fields.done(tracking)
    }
}

/// Ship a fulfilment order
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/ship", operation_id = "ship_fulfilment_order", tag = "checkout", request_body = ShipShape,
    params(PartPath, KeyRequired), responses((status = 200, body = OrderShape), Problems))]
async fn ship_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ShipShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let leaving = Leaving { tracking: command.body.read()?, ..Leaving::default() };
    step(&app, path, command.request, move |tx, actor, world, (order, part)| {
        fulfilment::leaves_by(tx, order, part, &[Kind::Ship])?;
        let whole = checkout::fulfil(tx, actor, world, order, part, leaving.clone())?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}

/// Ship one parcel; what is not in it stays open
///
/// What left becomes a fulfilment order of its own, and its part of the payment is taken.
#[utoipa::path(post, path = "/v1/orders/{order}/parcels/{parcel}/ship", operation_id = "ship_parcel", tag = "checkout", request_body = ShipShape,
    params(ParcelPath, KeyRequired), responses((status = 200, body = OrderShape), Problems))]
async fn ship_parcel(
    State(app): State<App>,
    Path(path): Path<ParcelPath>,
    command: Command<ShipShape>,
) -> Result<Response, Problem> {
    let ((order, parcel), command) = (path.read()?, command.keyed()?);
    let tracking = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        let whole = checkout::ship_parcel(tx, actor, world, (order, parcel), tracking.clone())?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}

/// Into whose hands goods go that were ready for pickup, and how that was made sure.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HandOver, example = json!({"code": "481516"}))]
struct HandOverShape {
    /// The customer's pickup code, typed, or what its QR code holds. After five wrong ones a colleague makes sure in another way.
    code: Option<String>,
    /// How else a colleague made sure, such as `passport`; instead of the code.
    seen: Option<String>,
    /// The contact of the person who came, when it is not the customer. With the code, only the one the customer named.
    collector: Option<String>,
    /// What is taken, when it is not all: the rest goes back to its shelf, and its money to the customer.
    #[schema(min_items = 1, max_items = 500)]
    lines: Option<Vec<TakenShape>>,
}

/// How many of a line are taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TakenLine)]
struct TakenShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

impl HandOverShape {
    fn read(self) -> Result<Leaving, Problem> {
        let mut fields = Fields::new();
        let collector = fields.take_if("collector", self.collector, |text| {
            Id::<Contact>::parse(&text).map_err(|_| Refusal::invalid("collector", "give the id of a contact"))
        });
        let seen =
            fields.take_if("seen", self.seen, |text| value::text::bounded("seen", &text, 1, SEEN_LENGTH_MAX));
        let lines = self.lines.unwrap_or_default();
        if lines.len() > LINES_MAX {
            fields.refuse("lines", format!("name at most {LINES_MAX} lines"));
        }
        let is_part = !lines.is_empty();
        let taken = fields.each("lines", &lines, |fields, line| {
            Some((fields.id::<OrderLine>("line", &line.line)?, line.quantity))
        });
        let ((collector, seen), taken) = fields.done(collector.zip(seen).zip(taken))?;
        let proof = (self.code.map(Proof::Code).or(seen.map(Proof::Seen)), collector);
        Ok(Leaving { tracking: None, proof, taken: is_part.then_some(taken) })
    }
}

/// Hand a fulfilment order over to the customer
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/hand-over", operation_id = "hand_over_fulfilment_order", tag = "checkout", request_body = Option<HandOverShape>,
    params(PartPath, KeyRequired), responses((status = 200, body = OrderShape), Problems))]
async fn hand_over_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<Option<HandOverShape>>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let leaving = command.body.unwrap_or_default().read()?;
    if let (Some(Proof::Code(code)), _) = &leaving.proof {
        let ((order, part), actor, code) = (path.read()?, command.request.actor.clone(), code.clone());
        app.write(move |tx, world| {
            let order: Id<id::Order> = external::resolve(tx, &order)?;
            visit::count_wrong_code(tx, &actor, world, (order, part), &code)
        })
        .await?;
    }
    step(&app, path, command.request, move |tx, actor, world, (order, part)| {
        fulfilment::leaves_by(tx, order, part, &[Kind::Pickup, Kind::HandOver])?;
        let whole = checkout::fulfil(tx, actor, world, order, part, leaving.clone())?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}
