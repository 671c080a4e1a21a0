//! Parcels over the API: packing goods into them, and where they are.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::fulfilment::parcel::Tracked;
use domain::value::id::{Carrier, Order, Parcel as ParcelKind, Variant};
use domain::value::{self, Id, Reference};
use engine::fulfilment::parcel::{self, NewParcel, Parcel, Told};
use engine::fulfilment::track;
use engine::{catalogue, external};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PartPath, step};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most lines of one parcel.
const LINES_MAX: usize = 500;
/// The most characters of the name of a service, and of a driver's note.
const WORDS_MAX: usize = 100;

/// The routes of parcels.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pack_parcel))
        .routes(routes!(list_parcels))
        .routes(routes!(read_parcel))
        .routes(routes!(unpack_parcel))
        .routes(routes!(ask_for_label_again))
        .routes(routes!(attempt_delivery))
}

/// The parcel a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ParcelPath {
    /// Id or external id
    order: String,
    /// The parcel's id
    parcel: String,
}

impl ParcelPath {
    /// Which order, and which parcel of it.
    pub(crate) fn read(&self) -> Result<(Reference<Order>, Id<ParcelKind>), Refusal> {
        let parcel = Id::parse(&self.parcel).map_err(|_| Refusal::not_found("parcel", &self.parcel))?;
        Ok((Reference::read(&self.order), parcel))
    }
}

/// A parcel to be packed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewParcel, example = json!({"lines": [{"variant": "22423", "quantity": 1}], "weight_grams": 900, "edges_mm": {"length": 300, "width": 200, "height": 100},
    "carrier": "own-van"}))]
struct NewShape {
    /// What goes into it; everything picked that is in no parcel yet when not given.
    #[schema(min_items = 1, max_items = 500)]
    lines: Option<Vec<PackedShape>>,
    /// What it weighs in grams; what its goods weigh when not given.
    #[schema(minimum = 1, maximum = 1_000_000)]
    weight_grams: Option<i64>,
    /// Its edges.
    edges_mm: Option<EdgesShape>,
    /// Who carries it: id or external id. Without one nobody is asked, and the tracking number is given when it is shipped.
    carrier: Option<String>,
    /// By which service of the carrier; the cheapest when not given.
    service: Option<String>,
}

/// Pieces of one variant in a parcel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewParcelLine)]
struct PackedShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// The edges of a parcel in millimetres.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ParcelEdges, example = json!({"length": 300, "width": 200, "height": 100}))]
struct EdgesShape {
    /// The longest.
    #[schema(minimum = 1, maximum = 10_000)]
    length: i64,
    /// Across.
    #[schema(minimum = 1, maximum = 10_000)]
    width: i64,
    /// Up.
    #[schema(minimum = 1, maximum = 10_000)]
    height: i64,
}

/// A parcel that was asked for, before its things are looked up.
struct Asked {
    goods: Option<Vec<(Reference<Variant>, i64)>>,
    carrier: Option<Reference<Carrier>>,
    new: NewParcel,
}

impl NewShape {
    fn read(self) -> Result<Asked, Refusal> {
        let mut fields = Fields::new();
        if self.lines.as_ref().is_some_and(|lines| lines.is_empty() || lines.len() > LINES_MAX) {
            fields.refuse("lines", format!("name 1 to {LINES_MAX} variants"));
        }
        let service = fields
            .take_if("service", self.service, |text| value::text::bounded("service", &text, 1, WORDS_MAX));
        let service = fields.done(service)?;
        let read = |line: PackedShape| (Reference::read(&line.variant), line.quantity);
        let goods = self.lines.map(|lines| lines.into_iter().map(read).collect());
        let edges_mm = self.edges_mm.map(|edges| (edges.length, edges.width, edges.height));
        let new =
            NewParcel { goods: None, weight_grams: self.weight_grams, edges_mm, carrier: None, service };
        Ok(Asked { goods, carrier: self.carrier.map(|text| Reference::read(&text)), new })
    }
}

/// What leaves a location in one piece.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Parcel)]
pub(crate) struct ParcelShape {
    /// Its id.
    pub(crate) id: String,
    /// The order.
    order: String,
    /// The fulfilment order its goods belong to. What leaves in several parcels at several times becomes a fulfilment order of its own
    /// with each of them.
    fulfilment_order: String,
    /// Where it leaves from.
    location: String,
    /// Where it stands: `packed`, `shipped`, `delivered`, `returned_to_sender` or `void`.
    state: &'static str,
    /// What it weighs.
    weight_grams: i64,
    /// Its edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    edges_mm: Option<EdgesShape>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// By which service.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Where its label stands: `none`, `asked`, `ready`, `failed` or `void`.
    label: &'static str,
    /// The tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    /// Why the carrier refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// The day on which the carrier takes it along.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    collected_on: Option<String>,
    /// Where it is, as far as was told: `accepted`, `in_transit`, `out_for_delivery`, `attempt_failed`, `delivered` or `returned_to_sender`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracked: Option<&'static str>,
    /// How often nobody took it.
    attempts: i64,
    /// The list it was handed to the carrier with.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    /// When it left the location.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// When it was delivered or came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// What is in it.
    lines: Vec<LineShape>,
}

/// Pieces in a parcel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParcelLine)]
struct LineShape {
    /// The order line.
    line: String,
    /// The variant; for a kit, a component.
    variant: String,
    /// How many base units.
    quantity: i64,
}

impl From<&Parcel> for ParcelShape {
    fn from(one: &Parcel) -> ParcelShape {
        let line = |line: &parcel::Line| LineShape {
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
        };
        ParcelShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            fulfilment_order: one.fulfilment_order.to_string(),
            location: one.location.to_string(),
            state: one.state.text(),
            weight_grams: one.size.weight_grams,
            edges_mm: one.size.edges_mm.map(|(length, width, height)| EdgesShape { length, width, height }),
            carrier: one.carrier.map(|id| id.to_string()),
            service: one.service.clone(),
            label: one.label.text(),
            tracking: one.tracking.clone(),
            failure: one.failure.clone(),
            collected_on: one.collected_on.map(|day| day.to_string()),
            tracked: one.tracked.map(Tracked::text),
            attempts: one.attempts,
            manifest: one.manifest.map(|id| id.to_string()),
            left_at: one.left_at.map(|at| at.to_string()),
            ended_at: one.ended_at.map(|at| at.to_string()),
            lines: one.lines.iter().map(line).collect(),
        }
    }
}

/// A parcel with everything that was told of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FollowedParcel)]
struct FollowedShape {
    #[serde(flatten)]
    parcel: ParcelShape,
    /// What was told of it on its way, in the order in which it happened.
    told: Vec<ToldShape>,
}

/// What was told of a parcel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParcelTold)]
struct ToldShape {
    /// What.
    tracked: &'static str,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// In the carrier's or driver's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&Told> for ToldShape {
    fn from(told: &Told) -> ToldShape {
        ToldShape { tracked: told.tracked.text(), at: told.at.to_string(), note: told.note.clone() }
    }
}

/// Pack picked goods into a parcel
///
/// A carrier is asked for its label at once; until the label is there, the parcel cannot leave.
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/parcels", operation_id = "pack_parcel", tag = "fulfilment", request_body = NewShape,
    params(PartPath, KeyRequired), responses((status = 200, body = ParcelShape), Problems))]
async fn pack_parcel(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let asked = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        let mut new = asked.new.clone();
        if let Some(carrier) = &asked.carrier {
            new.carrier = Some(external::resolve_at(tx, "carrier", carrier)?);
        }
        if let Some(named) = &asked.goods {
            let mut goods = Vec::with_capacity(named.len());
            for (place, (variant, quantity)) in named.iter().enumerate() {
                let field = format!("lines.{place}.variant");
                goods.push((catalogue::resolve_variant(tx, &field, variant)?, *quantity));
            }
            new.goods = Some(goods);
        }
        Reply::json(&ParcelShape::from(&parcel::pack(tx, actor, world, which, &new)?))
    })
    .await
}

/// List the parcels of an order
#[utoipa::path(get, path = "/v1/orders/{order}/parcels", operation_id = "list_parcels", tag = "fulfilment",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = [ParcelShape]), Problems))]
async fn list_parcels(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order = Reference::<Order>::read(&order);
    let found = app
        .read(move |tx| {
            let order = external::resolve(tx, &order)?;
            parcel::list(tx, &actor, order)
        })
        .await?;
    document(&found.iter().map(ParcelShape::from).collect::<Vec<_>>(), None)
}

/// Read a parcel and where it was
#[utoipa::path(get, path = "/v1/orders/{order}/parcels/{parcel}", operation_id = "read_parcel", tag = "fulfilment",
    params(ParcelPath), responses((status = 200, body = FollowedShape), Problems))]
async fn read_parcel(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<ParcelPath>,
) -> Result<Response, Problem> {
    let (order, id) = path.read()?;
    let (parcel, told) = app
        .read(move |tx| {
            let order = external::resolve(tx, &order)?;
            parcel::read(tx, &actor, (order, id))
        })
        .await?;
    let told = told.iter().map(ToldShape::from).collect();
    document(&FollowedShape { parcel: ParcelShape::from(&parcel), told }, None)
}

/// Unpack a parcel that has not left, and give its label back
#[utoipa::path(post, path = "/v1/orders/{order}/parcels/{parcel}/unpack", operation_id = "unpack_parcel", tag = "fulfilment",
    params(ParcelPath, KeyRequired), responses((status = 200, body = ParcelShape), Problems))]
async fn unpack_parcel(
    State(app): State<App>,
    Path(path): Path<ParcelPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let ((order, id), command) = (path.read()?, command.keyed()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        Reply::json(&ParcelShape::from(&parcel::unpack(tx, actor, world, (order, id))?))
    })
    .await
}

/// Ask the carrier again for a label that it refused
#[utoipa::path(post, path = "/v1/orders/{order}/parcels/{parcel}/label", operation_id = "ask_for_label_again", tag = "fulfilment",
    params(ParcelPath, KeyRequired), responses((status = 200, body = ParcelShape), Problems))]
async fn ask_for_label_again(
    State(app): State<App>,
    Path(path): Path<ParcelPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let ((order, id), command) = (path.read()?, command.keyed()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        Reply::json(&ParcelShape::from(&parcel::ask_again(tx, actor, world, (order, id))?))
    })
    .await
}

/// How a driver fared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeliveryAttempt, example = json!({"outcome": "not_at_home", "note": "the bell was not answered"}))]
struct AttemptShape {
    /// `delivered` or `not_at_home`.
    outcome: String,
    /// In the driver's words, without personal data.
    note: Option<String>,
}

/// Say how a driver of our own van fared with a parcel; after the last attempt it goes back
#[utoipa::path(post, path = "/v1/orders/{order}/parcels/{parcel}/attempt", operation_id = "attempt_delivery", tag = "fulfilment", request_body = AttemptShape,
    params(ParcelPath, KeyRequired), responses((status = 200, body = ParcelShape), Problems))]
async fn attempt_delivery(
    State(app): State<App>,
    Path(path): Path<ParcelPath>,
    command: Command<AttemptShape>,
) -> Result<Response, Problem> {
    let ((order, id), command) = (path.read()?, command.keyed()?);
    let mut fields = Fields::new();
    let outcome = match command.body.outcome.as_str() {
        "delivered" => Ok(true),
        "not_at_home" => Ok(false),
        _ => Err("give delivered or not_at_home"),
    };
    let outcome = fields.take("outcome", outcome);
    let note =
        fields.take_if("note", command.body.note, |text| value::text::bounded("note", &text, 1, WORDS_MAX));
    let (outcome, note) = fields.done(outcome.zip(note))?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        let parcel = track::attempt(tx, actor, world, (order, id), (outcome, note.clone()))?;
        Reply::json(&ParcelShape::from(&parcel))
    })
    .await
}
