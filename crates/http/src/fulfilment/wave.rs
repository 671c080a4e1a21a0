//! Pick waves over the API: many fulfilment orders picked in one walk, each piece scanned into its tote.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::delivery::Kind;
use domain::fulfilment::wave::{Stop, Wanted};
use domain::value::id::{Location, PickWave as PickWaveKind, Staff, Variant};
use domain::value::{Id, Instant, Reference};
use engine::fulfilment::wave::{self, NewWave, PARTS, Placed, Whole};
use engine::{catalogue, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::fulfilment::wave::PickWave;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::FulfilmentOrderShape;
use super::{PartPath, step};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};

use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of pick waves, and of scanning.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_pick_wave, list_pick_waves))
        .routes(routes!(read_pick_wave))
        .routes(routes!(start_pick_wave))
        .routes(routes!(scan_in_pick_wave))
        .routes(routes!(short_pick_in_wave))
        .routes(routes!(finish_pick_wave))
        .routes(routes!(scan_piece))
}

/// What is to be picked in one walk.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPickWave, example = json!({"kind": "ship", "made_before": "2026-06-01T14:00:00Z", "most": 30}))]
struct NewShape {
    /// Only goods that leave in this way: `ship` or `pickup`.
    kind: Option<String>,
    /// Only fulfilment orders made before this instant, such as a carrier's cut-off.
    #[schema(format = DateTime)]
    made_before: Option<String>,
    /// At most so many, the oldest first; 50 when not given.
    #[schema(minimum = 1, maximum = 200)]
    most: Option<i64>,
    /// The id of the member of staff who walks.
    colleague: Option<String>,
}

impl NewShape {
    fn read(self) -> Result<NewWave, Refusal> {
        let mut fields = Fields::new();
        let kind = fields.take_if("kind", self.kind, |text| {
            let kind = Kind::named(&text).filter(|kind| *kind != Kind::HandOver);
            kind.ok_or("give ship or pickup")
        });
        let made_before = fields.take_if("made_before", self.made_before, |text| Instant::parse(&text));
        let colleague = fields.take_if("colleague", self.colleague, |text| Id::<Staff>::parse(&text));
        let most = self.most.unwrap_or(PARTS);
        let read = kind.zip(made_before).zip(colleague);
        let new = read.map(|((kind, made_before), colleague)| NewWave { kind, made_before, most, colleague });
        fields.done(new)
    }
}

/// A walk past the shelves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickWave)]
struct WaveShape {
    #[serde(flatten)]
    head: HeadShape,
    /// The fulfilment orders, a tote for each.
    totes: Vec<ToteShape>,
    /// The walk: shelf by shelf as people count them, what has no shelf last.
    stops: Vec<StopShape>,
}

/// A walk, without its stops.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickWaveHead)]
struct HeadShape {
    /// Its id.
    id: String,
    /// Where.
    location: String,
    /// The only way its goods leave, when one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// Who walks.
    #[serde(skip_serializing_if = "Option::is_none")]
    colleague: Option<String>,
    /// Where it stands: `open`, `picking` or `finished`.
    state: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When the walk began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// A tote of a walk.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickWaveTote)]
struct ToteShape {
    /// Its number, from 1.
    tote: i64,
    /// The order.
    order: String,
    /// Its fulfilment order.
    fulfilment_order: String,
}

/// A stop of the walk: one variant on one shelf.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickWaveStop)]
struct StopShape {
    /// The shelf, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    shelf: Option<String>,
    /// The variant.
    variant: String,
    /// Its SKU.
    sku: String,
    /// How many are still to be taken from the shelf, for all totes.
    open: i64,
    /// What belongs into which tote.
    totes: Vec<StopToteShape>,
}

/// Pieces of a stop that belong into one tote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickWaveStopTote)]
struct StopToteShape {
    /// The tote.
    tote: i64,
    /// How many are still to be taken from the shelf.
    open: i64,
    /// How many are in the tote.
    picked: i64,
    /// How many lie in the tote and belong back on the shelf, because they were cancelled during the walk.
    put_back: i64,
}

impl From<&PickWave> for HeadShape {
    fn from(wave: &PickWave) -> HeadShape {
        HeadShape {
            id: wave.id.to_string(),
            location: wave.location.to_string(),
            kind: wave.kind.map(Kind::text),
            colleague: wave.colleague.map(|id| id.to_string()),
            state: wave.state.text(),
            made_at: wave.made_at.to_string(),
            started_at: wave.started_at.map(|at| at.to_string()),
            ended_at: wave.ended_at.map(|at| at.to_string()),
        }
    }
}

impl From<&Stop> for StopShape {
    fn from(stop: &Stop) -> StopShape {
        let tote = |one: &Wanted| StopToteShape {
            tote: one.tote,
            open: one.open,
            picked: one.picked,
            put_back: one.put_back,
        };
        StopShape {
            shelf: stop.shelf.clone(),
            variant: stop.variant.to_string(),
            sku: stop.sku.clone(),
            open: stop.open(),
            totes: stop.totes.iter().map(tote).collect(),
        }
    }
}

impl From<&Whole> for WaveShape {
    fn from(whole: &Whole) -> WaveShape {
        let tote = |((order, part), tote): &((Id<_>, Id<_>), i64)| ToteShape {
            tote: *tote,
            order: Id::<domain::value::id::Order>::to_string(order),
            fulfilment_order: Id::<domain::value::id::FulfilmentOrder>::to_string(part),
        };
        WaveShape {
            head: HeadShape::from(&whole.wave),
            totes: whole.parts.iter().map(tote).collect(),
            stops: whole.stops.iter().map(StopShape::from).collect(),
        }
    }
}

/// Collect what waits to be picked into one walk, the oldest first
#[utoipa::path(post, path = "/v1/locations/{id}/pick-waves", operation_id = "create_pick_wave", tag = "fulfilment", request_body = NewShape,
    params(("id" = String, Path, description = "The location's id or external id"), KeyRequired),
    responses((status = 201, body = WaveShape), Problems))]
async fn create_pick_wave(
    State(app): State<App>,
    Path(location): Path<String>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let location = Reference::<Location>::read(&location);
    let new = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let location = external::resolve(tx, &location)?;
        Reply::json(&WaveShape::from(&wave::make(tx, actor, world, location, &new)?))
    })
    .await
}

/// List the walks of a location, the newest first
#[utoipa::path(get, path = "/v1/locations/{id}/pick-waves", operation_id = "list_pick_waves", tag = "fulfilment",
    params(("id" = String, Path, description = "The location's id or external id"), PageQuery),
    responses((status = 200, body = Page<HeadShape>), Problems))]
async fn list_pick_waves(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let list = move |tx: &mut Tx<'_>, before, limit| {
        let location = external::resolve(tx, &location)?;
        wave::list(tx, &actor, location, before, limit)
    };
    page.newest(&app, list, |wave: &HeadShape| wave.id.clone()).await
}

/// The wave a path names.
fn named(text: &str) -> Result<Id<PickWaveKind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("pick wave", text))
}

/// Read a walk: what is to be picked at which shelf, and what is to be put back
#[utoipa::path(get, path = "/v1/pick-waves/{id}", operation_id = "read_pick_wave", tag = "fulfilment",
    params(("id" = String, Path, description = "The wave's id")), responses((status = 200, body = WaveShape), Problems))]
async fn read_pick_wave(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let found = app.read(move |tx| wave::read(tx, &actor, id)).await?;
    document(&WaveShape::from(&found), None)
}

/// Begin the walk
#[utoipa::path(post, path = "/v1/pick-waves/{id}/start", operation_id = "start_pick_wave", tag = "fulfilment",
    params(("id" = String, Path, description = "The wave's id"), KeyRequired), responses((status = 200, body = WaveShape), Problems))]
async fn start_pick_wave(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (id, command) = (named(&id)?, command.keyed()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&WaveShape::from(&wave::start(tx, actor, world, id)?))
    })
    .await
}

/// What a scanner read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickScan, example = json!({"code": "5012345678900"}))]
struct ScanShape {
    /// A barcode, the label of one of the shop's scales, or a SKU.
    #[schema(min_length = 1, max_length = 100)]
    code: String,
    /// How many base units; one, or what the scale's label says, when not given.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: Option<i64>,
}

/// Where the scanned pieces belong, and the walk as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickScanned)]
struct ScannedShape {
    /// Into which totes.
    placed: Vec<PlacedShape>,
    /// The walk.
    wave: WaveShape,
}

/// Pieces that belong into a tote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PickPlaced)]
struct PlacedShape {
    /// The tote.
    tote: i64,
    /// Its fulfilment order.
    fulfilment_order: String,
    /// How many.
    quantity: i64,
}

impl From<&Placed> for PlacedShape {
    fn from(placed: &Placed) -> PlacedShape {
        PlacedShape {
            tote: placed.tote,
            fulfilment_order: placed.which.1.to_string(),
            quantity: placed.quantity,
        }
    }
}

/// Scan a piece at the shelf, and learn into which tote it belongs
#[utoipa::path(post, path = "/v1/pick-waves/{id}/scan", operation_id = "scan_in_pick_wave", tag = "fulfilment", request_body = ScanShape,
    params(("id" = String, Path, description = "The wave's id"), KeyRequired), responses((status = 200, body = ScannedShape), Problems))]
async fn scan_in_pick_wave(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ScanShape>,
) -> Result<Response, Problem> {
    let (id, command) = (named(&id)?, command.keyed()?);
    let ScanShape { code, quantity } = command.body;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (whole, placed) = wave::scan(tx, actor, world, id, (&code, quantity))?;
        let placed = placed.iter().map(PlacedShape::from).collect();
        Reply::json(&ScannedShape { placed, wave: WaveShape::from(&whole) })
    })
    .await
}

/// Pieces of a variant that were not found in the walk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PickWaveShort, example = json!({"variant": "22423", "quantity": 2}))]
struct ShortShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// Say which pieces were not found in the walk: the youngest orders get theirs from elsewhere
#[utoipa::path(post, path = "/v1/pick-waves/{id}/short-pick", operation_id = "short_pick_in_wave", tag = "fulfilment", request_body = ShortShape,
    params(("id" = String, Path, description = "The wave's id"), KeyRequired), responses((status = 200, body = WaveShape), Problems))]
async fn short_pick_in_wave(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ShortShape>,
) -> Result<Response, Problem> {
    let (id, command) = (named(&id)?, command.keyed()?);
    let (variant, quantity) = (Reference::<Variant>::read(&command.body.variant), command.body.quantity);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variant = catalogue::resolve_variant(tx, "variant", &variant)?;
        Reply::json(&WaveShape::from(&wave::short(tx, actor, world, id, (variant, quantity))?))
    })
    .await
}

/// End the walk; what was not begun waits for another one
#[utoipa::path(post, path = "/v1/pick-waves/{id}/finish", operation_id = "finish_pick_wave", tag = "fulfilment",
    params(("id" = String, Path, description = "The wave's id"), KeyRequired), responses((status = 200, body = WaveShape), Problems))]
async fn finish_pick_wave(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (id, command) = (named(&id)?, command.keyed()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&WaveShape::from(&wave::finish(tx, actor, world, id)?))
    })
    .await
}

/// Scan a piece of a fulfilment order that is picked by itself
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/scan", operation_id = "scan_piece", tag = "fulfilment", request_body = ScanShape,
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn scan_piece(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ScanShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let ScanShape { code, quantity } = command.body;
    step(&app, path, command.request, move |tx, actor, world, which| {
        let one = wave::scan_alone(tx, actor, world, which, (&code, quantity))?;
        Reply::json(&FulfilmentOrderShape::from(&one))
    })
    .await
}
