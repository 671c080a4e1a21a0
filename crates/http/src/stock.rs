//! Stock over the API: deliveries, corrections, moves and holds; what can be promised; and why a number is what it is.

mod read;
mod selling;
mod write_off;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::stock::State as StockState;
use domain::value::id::{Location, Variant};
use domain::value::{Currency, Id, Instant, Money, Quantity, Reference};
use engine::stock::hold::{self, SetAside};
use engine::stock::{self, Adjust, AdjustReason, LevelSetting, Move, Receive, Set};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::{Command, KeyRequired};
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, MoneyShape};

/// The most lines of one delivery.
const LINES_MAX: usize = 500;
/// The most characters of a reference.
const REFERENCE_LENGTH_MAX: usize = 200;

/// The routes of stock.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_stock))
        .routes(routes!(adjust_stock))
        .routes(routes!(set_stock))
        .routes(routes!(move_stock))
        .routes(routes!(set_stock_level))
        .routes(routes!(set_stock_value))
        .routes(routes!(hold_stock))
        .routes(routes!(release_stock))
        .merge(read::routes())
        .merge(selling::routes())
        .merge(write_off::routes())
}

/// A variant and a location, as named by whoever asks.
#[derive(Clone)]
struct Spot {
    variant: Reference<Variant>,
    location: Reference<Location>,
}

impl Spot {
    fn read(variant: &str, location: &str) -> Spot {
        Spot { variant: Reference::read(variant), location: Reference::read(location) }
    }

    fn find(&self, tx: &mut Tx<'_>, prefix: &str) -> Result<(Id<Variant>, Id<Location>), Failure> {
        let variant = engine::catalogue::resolve_variant(tx, &format!("{prefix}variant"), &self.variant)?;
        Ok((variant, external::resolve_at(tx, "location", &self.location)?))
    }
}

fn reference(fields: &mut Fields, text: Option<&String>) -> Option<Option<String>> {
    fields.take_if("reference", text, |text| {
        domain::value::text::bounded("reference", text, 1, REFERENCE_LENGTH_MAX)
    })
}

/// What a transfer is called.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockTransfer, example = json!({"transfers": ["trf_01jd0000000000000000000000"]}))]
struct TransferShape {
    /// The transfers that were posted, one for each line.
    transfers: Vec<String>,
}

/// A delivery, or opening stock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockReceipt, example = json!({"location": "leeds", "reference": "DN-4711", "lines": [{"variant": "var_01jd0000000000000000000000", "quantity": 24}]}))]
struct ReceiptShape {
    /// The location that receives: id or external id.
    location: String,
    /// The retailer's paper: delivery note, purchase order.
    reference: Option<String>,
    /// These goods were there when the books were opened; they come from no supplier.
    #[serde(default)]
    opening: bool,
    /// What was received, 1 to 500 lines; all of it is posted, or nothing.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<ReceiptLineShape>,
}

/// A line of a delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockReceiptLine)]
struct ReceiptLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units, 1 to 1,000,000,000.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which state they arrive: `available` (when not given), `quality` or `damaged`.
    state: Option<String>,
}

struct ReceiptLine {
    spot: Spot,
    quantity: Quantity,
    state: StockState,
}

impl ReceiptShape {
    fn read(&self) -> Result<(Vec<ReceiptLine>, Option<String>), Refusal> {
        let mut fields = Fields::new();
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            fields.refuse("lines", format!("give 1 to {LINES_MAX} lines"));
        }
        let reference = reference(&mut fields, self.reference.as_ref());
        let mut lines = Vec::new();
        for (place, line) in self.lines.iter().take(LINES_MAX).enumerate() {
            let read = fields.within(format!("lines.{place}"), |fields| {
                let quantity = fields.take("quantity", Quantity::new(line.quantity));
                let state = state(fields, "state", line.state.as_deref().unwrap_or("available"));
                quantity.zip(state)
            });
            lines.extend(read.map(|(quantity, state)| ReceiptLine {
                spot: Spot::read(&line.variant, &self.location),
                quantity,
                state,
            }));
        }
        fields.done(reference.map(|reference| (lines, reference)))
    }
}

fn state(fields: &mut Fields, field: &str, text: &str) -> Option<StockState> {
    let known = StockState::named(text).filter(|state| !state.is_world());
    fields.take(field, known.ok_or("give a state such as available, quality, damaged, display or missing"))
}

/// Receive a delivery
#[utoipa::path(post, path = "/v1/stock/receipts", operation_id = "receive_stock", tag = "stock", request_body = ReceiptShape,
    params(KeyRequired),
    responses((status = 201, body = TransferShape), Problems))]
async fn receive_stock(State(app): State<App>, command: Command<ReceiptShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (lines, reference) = command.body.read()?;
    let from = if command.body.opening { StockState::Opening } else { StockState::Supplier };
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let mut transfers = Vec::with_capacity(lines.len());
        for (place, line) in lines.iter().enumerate() {
            let (variant, location) = line.spot.find(tx, &format!("lines.{place}."))?;
            let input = Receive {
                variant,
                location,
                quantity: line.quantity,
                state: line.state,
                from,
                reference: reference.clone(),
            };
            transfers.push(stock::receive(tx, actor, world, input)?.to_string());
        }
        Reply::json(&TransferShape { transfers })
    })
    .await
}

/// A correction of what is available.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockAdjustment, example = json!({"variant": "var_01jd0000000000000000000000", "location": "leeds", "change": -2, "reason": "lost"}))]
struct AdjustShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// The location: id or external id.
    location: String,
    /// How many more, or fewer when negative; not 0.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    change: i64,
    /// Why: `found`, `lost`, `stolen`, `scrapped`, `correction` or `own_use`.
    reason: String,
    /// The retailer's paper.
    reference: Option<String>,
}

/// Adjust what is available
#[utoipa::path(post, path = "/v1/stock/adjustments", operation_id = "adjust_stock", tag = "stock", request_body = AdjustShape,
    params(KeyRequired),
    responses((status = 201, body = TransferShape), Problems))]
async fn adjust_stock(State(app): State<App>, command: Command<AdjustShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let reason = fields.take(
        "reason",
        AdjustReason::named(&body.reason).ok_or("give found, lost, stolen, scrapped, correction or own_use"),
    );
    let reference = reference(&mut fields, body.reference.as_ref());
    let (reason, reference) = fields.done(reason.zip(reference))?;
    let spot = Spot::read(&body.variant, &body.location);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        let input = Adjust { variant, location, change: body.change, reason, reference: reference.clone() };
        let transfer = stock::adjust(tx, actor, world, input)?;
        Reply::json(&TransferShape { transfers: vec![transfer.to_string()] })
    })
    .await
}

/// What is to be available.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockQuantity, example = json!({"quantity": 12, "expected": 14}))]
struct SetShape {
    /// How many are to be available, 0 to 1,000,000,000.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    quantity: i64,
    /// How many you believe are available now; if it is another number, nothing is set. Leave it out to set whatever is there.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    expected: Option<i64>,
}

/// By how much it changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockChange, example = json!({"change": -2}))]
struct ChangeShape {
    /// How many more, or fewer when negative.
    change: i64,
}

/// Set what is available, by compare-and-set
#[utoipa::path(put, path = "/v1/stock/{variant}/{location}", operation_id = "set_stock", tag = "stock", request_body = SetShape,
    params(("variant" = String, Path, description = "Id, external id or SKU"), ("location" = String, Path, description = "Id or external id"),
        KeyRequired),
    responses((status = 200, body = ChangeShape), Problems))]
async fn set_stock(
    State(app): State<App>,
    Path((variant, location)): Path<(String, String)>,
    command: Command<SetShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (spot, body) = (Spot::read(&variant, &location), command.body);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        let change = stock::set(
            tx,
            actor,
            world,
            Set { variant, location, quantity: body.quantity, expected: body.expected },
        )?;
        Reply::json(&ChangeShape { change })
    })
    .await
}

/// Goods moved by hand between two states.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockMove, example = json!({"variant": "var_01jd0000000000000000000000", "location": "leeds", "from": "available", "to": "display", "quantity": 1}))]
struct MoveShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// The location: id or external id.
    location: String,
    /// From: `available`, `damaged`, `quality`, `display` or `missing`.
    from: String,
    /// To: one of the same, another one.
    to: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// Move goods between states at a location
#[utoipa::path(post, path = "/v1/stock/moves", operation_id = "move_stock", tag = "stock", request_body = MoveShape,
    params(KeyRequired),
    responses((status = 201, body = TransferShape), Problems))]
async fn move_stock(State(app): State<App>, command: Command<MoveShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let (from, to) = (state(&mut fields, "from", &body.from), state(&mut fields, "to", &body.to));
    let quantity = fields.take("quantity", Quantity::new(body.quantity));
    let ((from, to), quantity) = fields.done(from.zip(to).zip(quantity))?;
    let spot = Spot::read(&body.variant, &body.location);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        let transfer = stock::move_state(tx, actor, world, Move { variant, location, from, to, quantity })?;
        Reply::json(&TransferShape { transfers: vec![transfer.to_string()] })
    })
    .await
}

/// What must stay at a location, and when it is low there.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StockLevel, example = json!({"variant": "var_01jd0000000000000000000000", "location": "leeds", "safety": 2, "low_below": 5}))]
struct LevelShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// The location: id or external id.
    location: String,
    /// So many stay out of reach of channels that sell from the network.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    safety: i64,
    /// Fewer than this is low: an event tells.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    low_below: i64,
    /// The shelf it lies on, in the location's own words; pick lists are sorted by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 40)]
    shelf: Option<String>,
}

/// Set safety stock and low-stock threshold
#[utoipa::path(put, path = "/v1/stock/levels", operation_id = "set_stock_level", tag = "stock", request_body = LevelShape,
    responses((status = 200, body = LevelShape), Problems))]
async fn set_stock_level(State(app): State<App>, command: Command<LevelShape>) -> Result<Response, Problem> {
    let body = command.body;
    let spot = Spot::read(&body.variant, &body.location);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        stock::set_level(
            tx,
            actor,
            world,
            LevelSetting {
                safety: body.safety,
                low_below: body.low_below,
                shelf: body.shelf.clone(),
                ..LevelSetting::unset(variant, location)
            },
        )?;
        Reply::json(&LevelShape {
            variant: variant.to_string(),
            location: location.to_string(),
            ..body.clone()
        })
    })
    .await
}

/// Say what a piece of a variant is worth in the books
#[utoipa::path(put, path = "/v1/stock/values/{variant}", operation_id = "set_stock_value", tag = "stock", request_body = MoneyShape,
    params(("variant" = String, Path, description = "Id, external id or SKU")),
    responses((status = 200, body = MoneyShape), Problems))]
async fn set_stock_value(
    State(app): State<App>,
    Path(variant): Path<String>,
    command: Command<MoneyShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let value = fields.take(
        "amount",
        Currency::parse(&body.currency).and_then(|currency| Money::new(body.amount, currency)),
    );
    let value = fields.done(value)?;
    let variant = Reference::<Variant>::read(&variant);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variant = read::found(engine::catalogue::resolve_variant(tx, "variant", &variant))?;
        stock::set_value(tx, actor, world, variant, value)?;
        Reply::json(&MoneyShape::from(value))
    })
    .await
}

/// Goods to be set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStockHold, example = json!({"variant": "var_01jd0000000000000000000000", "location": "leeds", "quantity": 1, "expires_at": "2026-12-01T18:00:00Z", "reference": "counter 3"}))]
struct HoldShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// The location: id or external id.
    location: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// Until when, RFC 3339.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The retailer's word for what it is for; no personal data.
    reference: String,
}

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockHold, example = json!({"id": "hold_01jd0000000000000000000000", "variant": "var_01jd0000000000000000000000"}))]
struct HeldShape {
    /// Its id.
    id: String,
    /// The variant held.
    variant: String,
}

/// Set goods aside at a location
#[utoipa::path(post, path = "/v1/stock/holds", operation_id = "hold_stock", tag = "stock", request_body = HoldShape,
    params(KeyRequired),
    responses((status = 201, body = HeldShape), Problems))]
async fn hold_stock(State(app): State<App>, command: Command<HoldShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let quantity = fields.take("quantity", Quantity::new(body.quantity));
    let until: Option<Instant> = fields.instant("expires_at", &body.expires_at);
    let reference = reference(&mut fields, Some(&body.reference)).flatten();
    let ((quantity, expires_at), reference) = fields.done(quantity.zip(until).zip(reference))?;
    let spot = Spot::read(&body.variant, &body.location);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let (variant, location) = spot.find(tx, "")?;
        let id = hold::set_aside(
            tx,
            actor,
            world,
            SetAside { variant, location, quantity, expires_at, reference: reference.clone() },
        )?;
        Reply::json(&HeldShape { id: id.to_string(), variant: variant.to_string() })
    })
    .await
}

/// Give back goods that were set aside
#[utoipa::path(post, path = "/v1/stock/holds/{variant}/{hold}/release", operation_id = "release_stock", tag = "stock",
    params(("variant" = String, Path, description = "Id, external id or SKU"), ("hold" = String, Path, description = "The hold's id"),
        KeyRequired),
    responses((status = 200, body = HeldShape), Problems))]
async fn release_stock(
    State(app): State<App>,
    Path((variant, id)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let variant = Reference::<Variant>::read(&variant);
    let id = Id::parse(&id).map_err(|_| Refusal::not_found("hold", &id))?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variant = engine::catalogue::resolve_variant(tx, "variant", &variant)?;
        hold::release(tx, actor, world, variant, id)?;
        Reply::json(&HeldShape { id: id.to_string(), variant: variant.to_string() })
    })
    .await
}
