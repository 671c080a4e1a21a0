//! The steps of fulfilment: picking, packing, waiting for the customer, and what goes another way.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{Location, Variant};
use domain::value::{self, Id, Instant, Reference};
use engine::fulfilment::pick::Counted;
use engine::fulfilment::{FulfilmentOrder, hold, leave, pick, pool, visit};
use engine::{Failure, external};
use serde::Deserialize;
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::FulfilmentOrderShape;
use super::{PartPath, step};
use crate::App;
use crate::app::Reply;
use crate::command::{Command, KeyRequired};
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most lines of one request.
const LINES_MAX: usize = 500;

/// The routes of the steps.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start_picking))
        .routes(routes!(pick_pieces))
        .routes(routes!(short_pick))
        .routes(routes!(pack_fulfilment_order))
        .routes(routes!(ready_fulfilment_order))
        .routes(routes!(deliver_fulfilment_order))
        .routes(routes!(reject_fulfilment_order))
        .routes(routes!(hold_fulfilment_order))
        .routes(routes!(release_fulfilment_order))
        .routes(routes!(offer_fulfilment_order))
        .routes(routes!(claim_fulfilment_order))
}

/// Pieces that a colleague found, or did not find.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Pieces, example = json!({"lines": [{"variant": "22423", "quantity": 1}]}))]
struct PiecesShape {
    /// Which.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<PieceShape>,
}

/// Pieces of one variant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Piece)]
struct PieceShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

impl PiecesShape {
    fn read(self) -> Result<Vec<(Reference<Variant>, i64)>, Problem> {
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return Err(Refusal::invalid("lines", format!("name 1 to {LINES_MAX} variants")).into());
        }
        Ok(self.lines.iter().map(|line| (Reference::read(&line.variant), line.quantity)).collect())
    }
}

fn pieces_of(tx: &mut Tx<'_>, named: &[(Reference<Variant>, i64)]) -> Result<Counted, Failure> {
    let find = |(place, (variant, quantity)): (usize, &(Reference<Variant>, i64))| {
        let field = format!("lines.{place}.variant");
        Ok((engine::catalogue::resolve_variant(tx, &field, variant)?, *quantity))
    };
    named.iter().enumerate().map(find).collect()
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilmentReason, example = json!({"reason": "the shop closes early today"}))]
struct ReasonShape {
    /// In the retailer's words, without personal data.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

impl ReasonShape {
    fn read(self) -> Result<String, Problem> {
        let mut fields = Fields::new();
        let reason = fields.take("reason", value::text::bounded("reason", &self.reason, 1, hold::REASON_MAX));
        Ok(fields.done(reason)?)
    }
}

/// To whom a fulfilment order is offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilmentOffer, example = json!({"locations": ["leeds", "york"], "until": "2026-06-01T12:00:00Z"}))]
struct OfferShape {
    /// The locations: ids, external ids or codes.
    #[schema(min_items = 1, max_items = 100)]
    locations: Vec<String>,
    /// Until when it may be claimed; it is routed as any other afterwards.
    #[schema(format = DateTime)]
    until: String,
}

impl OfferShape {
    fn read(self) -> Result<(Vec<Reference<Location>>, Instant), Problem> {
        let mut fields = Fields::new();
        let until = fields.take("until", Instant::parse(&self.until));
        let until = fields.done(until)?;
        Ok((self.locations.iter().map(|location| Reference::read(location)).collect(), until))
    }
}

fn locations_of(tx: &mut Tx<'_>, named: &[Reference<Location>]) -> Result<Vec<Id<Location>>, Failure> {
    let find = |(place, location)| external::resolve_at(tx, &format!("locations.{place}"), location);
    named.iter().enumerate().map(find).collect()
}

/// Who claims.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilmentClaim, example = json!({"location": "leeds"}))]
struct ClaimShape {
    /// The location: id, external id or code.
    location: String,
}

fn every(all: &[FulfilmentOrder]) -> Result<Reply, Failure> {
    Reply::json(&all.iter().map(FulfilmentOrderShape::from).collect::<Vec<_>>())
}

/// Begin to pick
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/start-picking", operation_id = "start_picking", tag = "fulfilment",
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn start_picking(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(&app, path, command.keyed()?.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&pick::start(tx, actor, world, which)?))
    })
    .await
}

/// Say which pieces were taken from the shelf
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/pick", operation_id = "pick_pieces", tag = "fulfilment", request_body = PiecesShape,
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn pick_pieces(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<PiecesShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let pieces = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        let pieces = pieces_of(tx, &pieces)?;
        Reply::json(&FulfilmentOrderShape::from(&pick::pick(tx, actor, world, which, &pieces)?))
    })
    .await
}

/// Say which pieces were not found: another place serves them in the same instant, or they wait for one
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/short-pick", operation_id = "short_pick", tag = "fulfilment", request_body = PiecesShape,
    params(PartPath, KeyRequired), responses((status = 200, body = [FulfilmentOrderShape]), Problems))]
async fn short_pick(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<PiecesShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let pieces = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        let pieces = pieces_of(tx, &pieces)?;
        every(&pick::short(tx, actor, world, which, &pieces)?)
    })
    .await
}

/// Say that everything picked is packed
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/pack", operation_id = "pack_fulfilment_order", tag = "fulfilment",
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn pack_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(&app, path, command.keyed()?.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&pick::pack(tx, actor, world, which)?))
    })
    .await
}

/// Say that the goods wait for their customer, who gets a pickup code
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/ready", operation_id = "ready_fulfilment_order", tag = "fulfilment",
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn ready_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(&app, path, command.keyed()?.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&visit::ready(tx, actor, world, which)?))
    })
    .await
}

/// Say that the carrier handed the parcel over
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/deliver", operation_id = "deliver_fulfilment_order", tag = "fulfilment",
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn deliver_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(&app, path, command.keyed()?.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&leave::delivered(tx, actor, world, which)?))
    })
    .await
}

/// Do not serve it here: its goods go back to the shelf, and another place serves it, or it waits for one
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/reject", operation_id = "reject_fulfilment_order", tag = "fulfilment", request_body = ReasonShape,
    params(PartPath, KeyRequired), responses((status = 200, body = [FulfilmentOrderShape]), Problems))]
async fn reject_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ReasonShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let reason = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        every(&pool::reject(tx, actor, world, which, &reason)?)
    })
    .await
}

/// Put it on hold, so that nobody goes on with it
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/hold", operation_id = "hold_fulfilment_order", tag = "fulfilment", request_body = ReasonShape,
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn hold_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ReasonShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let reason = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&hold::put(tx, actor, world, which, &reason)?))
    })
    .await
}

/// Let it go on
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/release", operation_id = "release_fulfilment_order", tag = "fulfilment",
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn release_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    step(&app, path, command.keyed()?.request, move |tx, actor, world, which| {
        Reply::json(&FulfilmentOrderShape::from(&hold::release(tx, actor, world, which)?))
    })
    .await
}

/// Offer it to several locations; the first to claim it serves it
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/offer", operation_id = "offer_fulfilment_order", tag = "fulfilment", request_body = OfferShape,
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn offer_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<OfferShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (locations, until) = command.body.read()?;
    step(&app, path, command.request, move |tx, actor, world, which| {
        let locations = locations_of(tx, &locations)?;
        Reply::json(&FulfilmentOrderShape::from(&pool::offer(tx, actor, world, which, (&locations, until))?))
    })
    .await
}

/// Claim what was offered to a location
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/claim", operation_id = "claim_fulfilment_order", tag = "fulfilment", request_body = ClaimShape,
    params(PartPath, KeyRequired), responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn claim_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<ClaimShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let location = Reference::<Location>::read(&command.body.location);
    step(&app, path, command.request, move |tx, actor, world, which| {
        let location = external::resolve_at(tx, "location", &location)?;
        Reply::json(&FulfilmentOrderShape::from(&pool::claim(tx, actor, world, which, location)?))
    })
    .await
}
