//! The JSON shapes of transfer orders.

use domain::Refusal;
use domain::transfer::Reason;
use domain::value::id::{Location, Variant};
use domain::value::{Instant, Reference, text};
use engine::transfer::send::Shipping;
use engine::transfer::{LINES_MAX, Line, TEXT_MAX, TransferOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shape::Fields;

/// Goods to be moved to another location.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTransferOrder, example = json!({"source": "york", "destination": "leeds", "reason": "replenish", "lines": [{"variant": "22423", "quantity": 6}]}))]
pub(super) struct NewTransferShape {
    /// From where: id, external id or code.
    source: String,
    /// To where.
    destination: String,
    /// Why: `replenish`, `balance`, `back` or `other`.
    reason: String,
    /// In the retailer's words, without personal data.
    #[schema(min_length = 1, max_length = 200)]
    note: Option<String>,
    /// When they are expected.
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// Only put it together; nothing is promised until it is requested.
    #[serde(default)]
    draft: bool,
    /// What.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<TransferLineShape>,
}

/// Goods to be moved, read.
pub(super) struct NewTransferAsked {
    pub(super) source: Reference<Location>,
    pub(super) destination: Reference<Location>,
    pub(super) reason: Reason,
    pub(super) note: Option<String>,
    pub(super) expected_at: Option<Instant>,
    pub(super) draft: bool,
    pub(super) lines: Vec<(Reference<Variant>, i64)>,
}

impl NewTransferShape {
    pub(super) fn read(&self) -> Result<NewTransferAsked, Refusal> {
        let mut fields = Fields::new();
        let reason = Reason::named(&self.reason).filter(|reason| *reason != Reason::Order);
        let reason = fields.take("reason", reason.ok_or("give replenish, balance, back or other"));
        let note =
            fields.take_if("note", self.note.as_ref(), |note| text::bounded("note", note, 1, TEXT_MAX));
        let expected_at = fields.take_if("expected_at", self.expected_at.as_ref(), |at| Instant::parse(at));
        let lines =
            fields.take("lines", read_lines(&self.lines).map_err(|refusal| refusal.message().to_owned()));
        let read =
            reason.zip(note).zip(expected_at).zip(lines).map(|(((reason, note), expected_at), lines)| {
                NewTransferAsked {
                    source: Reference::read(&self.source),
                    destination: Reference::read(&self.destination),
                    reason,
                    note,
                    expected_at,
                    draft: self.draft,
                    lines,
                }
            });
        fields.done(read)
    }
}

fn read_lines(lines: &[TransferLineShape]) -> Result<Vec<(Reference<Variant>, i64)>, Refusal> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("name 1 to {LINES_MAX} variants")));
    }
    Ok(lines.iter().map(|line| (Reference::read(&line.variant), line.quantity)).collect())
}

/// Pieces of variants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferPieces, example = json!({"lines": [{"variant": "22423", "quantity": 2}]}))]
pub(crate) struct TransferLinesShape {
    /// Which.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<TransferLineShape>,
}

impl TransferLinesShape {
    pub(crate) fn read(&self) -> Result<Vec<(Reference<Variant>, i64)>, Refusal> {
        read_lines(&self.lines)
    }
}

/// Pieces of one variant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferPiece)]
struct TransferLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// Parcels that leave.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferShipping, example = json!({"reference": "003400000000000018", "expected_at": "2026-06-03T12:00:00Z"}))]
pub(super) struct ShippingShape {
    /// The carrier's number, or the SSCC of parcels or pallets.
    #[schema(max_length = 200)]
    reference: Option<String>,
    /// When they are expected, if another instant than before.
    #[schema(format = DateTime)]
    expected_at: Option<String>,
}

impl ShippingShape {
    pub(super) fn read(&self) -> Result<Shipping, Refusal> {
        let mut fields = Fields::new();
        let reference = fields.take_if("reference", self.reference.as_ref(), |reference| {
            text::bounded("reference", reference, 0, TEXT_MAX)
        });
        let expected_at = fields.take_if("expected_at", self.expected_at.as_ref(), |at| Instant::parse(at));
        let read = reference.zip(expected_at);
        fields.done(read.map(|(reference, expected_at)| Shipping { reference, expected_at }))
    }
}

/// Goods on their way from one location to another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransferOrder)]
pub(crate) struct TransferOrderShape {
    /// Its id.
    pub(crate) id: String,
    /// From where.
    source: String,
    /// To where.
    destination: String,
    /// Where it stands: `draft`, `requested`, `picking`, `in_transit`, `partly_received`, `received`, `closed_short` or `cancelled`.
    state: &'static str,
    /// Why: `replenish`, `balance`, `order`, `back` or `other`.
    reason: &'static str,
    /// In the retailer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The order whose customer collects the goods at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// The fulfilment order that waits for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    fulfilment_order: Option<String>,
    /// Who asked for it.
    asked_by: String,
    /// Does it wait for a second person's approval?
    waits_for_approval: bool,
    /// When they are expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// The carrier's number, or the SSCC of parcels or pallets.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// When they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    shipped_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// What.
    lines: Vec<TransferOrderLineShape>,
}

/// How far the pieces of one variant are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransferOrderLine)]
struct TransferOrderLineShape {
    /// The variant.
    variant: String,
    /// How many base units are part of it.
    quantity: i64,
    /// How many were taken from the shelf.
    picked: i64,
    /// How many left.
    shipped: i64,
    /// How many arrived, damaged ones among them.
    arrived: i64,
    /// How many of those were damaged.
    damaged: i64,
    /// How many arrived that nobody sent, by the books.
    over: i64,
    /// How many never arrived.
    lost: i64,
    /// How many of those still to come are promised to the order.
    promised: i64,
}

impl From<&Line> for TransferOrderLineShape {
    fn from(line: &Line) -> TransferOrderLineShape {
        let progress = line.progress;
        TransferOrderLineShape {
            variant: line.variant.to_string(),
            quantity: progress.quantity,
            picked: progress.picked,
            shipped: progress.shipped,
            arrived: progress.arrived,
            damaged: progress.damaged,
            over: progress.over,
            lost: progress.lost,
            promised: progress.promised,
        }
    }
}

impl From<&TransferOrder> for TransferOrderShape {
    fn from(one: &TransferOrder) -> TransferOrderShape {
        let at = |at: Option<Instant>| at.map(|at| at.to_string());
        TransferOrderShape {
            id: one.id.to_string(),
            source: one.source.to_string(),
            destination: one.destination.to_string(),
            state: one.state.text(),
            reason: one.reason.text(),
            note: one.note.clone(),
            order: one.waiting.map(|(order, _)| order.to_string()),
            fulfilment_order: one.waiting.map(|(_, part)| part.to_string()),
            asked_by: one.asked_by.clone(),
            waits_for_approval: one.needs_approval && one.approved_at.is_none() && one.state.is_at_source(),
            expected_at: at(one.expected_at),
            reference: one.reference.clone(),
            shipped_at: at(one.shipped_at),
            ended_at: at(one.ended_at),
            lines: one.lines.iter().map(TransferOrderLineShape::from).collect(),
        }
    }
}
