//! The JSON shapes of fulfilment.

use domain::stock::selling::Later;
use engine::fulfilment::{FulfilmentOrder, Line};
use serde::Serialize;
use utoipa::ToSchema;

/// Goods of an order that leave one location together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FulfilmentOrder)]
pub(crate) struct FulfilmentOrderShape {
    /// Its id.
    pub(crate) id: String,
    /// The order.
    order: String,
    /// The location they leave from; absent while they are sold and at no location yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// How: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// Where they are: `unrouted`, `offered`, `open`, `claimed`, `picking`, `packed`, `ready_for_pickup`, `shipped`, `collected`,
    /// `delivered`, `rejected`, `cancelled`, or `awaiting_transfer` while goods are on their way to the location.
    state: &'static str,
    /// Why nobody may go on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_hold: Option<String>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    /// Since when they wait for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ready_at: Option<String>,
    /// Until when they wait for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    collect_by: Option<String>,
    /// When those on their way to the location are expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// When they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// `back_order` or `pre_order`: they were not there when they were sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    later: Option<&'static str>,
    /// Before this instant they do not leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// From when on the customer was promised to have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    promised_from: Option<String>,
    /// By when the customer was promised to have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    promised_by: Option<String>,
    /// What.
    lines: Vec<FulfilmentLineShape>,
}

/// Pieces of one variant for one order line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FulfilmentLine)]
struct FulfilmentLineShape {
    /// The order line.
    line: String,
    /// The variant; for a kit, a component.
    variant: String,
    /// How many base units.
    quantity: i64,
    /// How many of them were taken from the shelf.
    picked: i64,
}

impl From<&Line> for FulfilmentLineShape {
    fn from(line: &Line) -> FulfilmentLineShape {
        FulfilmentLineShape {
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
            picked: line.picked,
        }
    }
}

impl From<&FulfilmentOrder> for FulfilmentOrderShape {
    fn from(one: &FulfilmentOrder) -> FulfilmentOrderShape {
        FulfilmentOrderShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            location: one.location.map(|location| location.to_string()),
            kind: one.kind.text(),
            state: one.state.text(),
            on_hold: one.on_hold.clone(),
            tracking: one.tracking.clone(),
            ready_at: one.ready_at.map(|at| at.to_string()),
            collect_by: one.collect_by.map(|at| at.to_string()),
            expected_at: one.expected_at.map(|at| at.to_string()),
            left_at: one.left_at.map(|at| at.to_string()),
            later: one.later.map(Later::text),
            not_before: one.not_before.map(|at| at.to_string()),
            promised_from: one.promised.from.map(|at| at.to_string()),
            promised_by: one.promised.by.map(|at| at.to_string()),
            lines: one.lines.iter().filter(|one| one.quantity > 0).map(FulfilmentLineShape::from).collect(),
        }
    }
}
