//! The JSON shapes of an order's status.

use domain::fulfilment::State;
use domain::fulfilment::parcel::{Tracked, follow_at};
use domain::returns::claim::Remedy;
use domain::status::{Deed, Stage, words_for};
use domain::value::{Currency, Language};
use engine::change::Change;
use engine::fulfilment::carrier::Carrier;
use engine::fulfilment::parcel::Parcel;
use engine::order::Line;
use engine::payment::Payment;
use engine::returns::Return;
use engine::returns::claim::Claim;
use engine::returns::exchange::Exchange;
use engine::status::{PartStatus, Status};
use serde::Serialize;
use store::fulfilment::visit::Visit;
use store::location::Location;
use utoipa::ToSchema;

use crate::location::PlaceAddressShape;
use crate::order::money;
use crate::shape::MoneyShape;

/// An order as its customer sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderStatus, example = json!({"order": "ord_01jd0000000000000000000000", "number": "7KQ4-M2XD", "stage": {"code": "ready_for_pickup", "words": "Ready for you to collect"},
    "language": "en-GB", "kind": "pickup", "placed_at": "2026-11-21T09:30:00Z", "lines": [{"line": "oln_01jd0000000000000000000000", "sku": "84029G", "title": "Mug", "quantity": 2,
    "cancelled": 0, "returned": 0, "gross": {"amount": 1000, "currency": "GBP"}}], "parts": [{"id": "ful_01jd0000000000000000000000", "kind": "pickup",
    "stage": {"code": "ready_for_pickup", "words": "Ready for you to collect"}, "place": {"id": "loc_01jd0000000000000000000000", "name": "Leeds, Briggate", "time_zone": "Europe/London",
    "opening_hours": "mo-sa 09:00-18:00"}, "pickup": {"code": "481516", "state": "booked", "collect_by": "2026-11-28T09:30:00Z"}, "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 2}]}],
    "parcels": [], "returns": [], "claims": [], "exchanges": [], "refunds": [], "changes": [], "total": {"amount": 1000, "currency": "GBP"}, "paid": {"amount": 1000, "currency": "GBP"}, "refunded": {"amount": 0, "currency": "GBP"},
    "missing": {"amount": 0, "currency": "GBP"}, "can": [{"code": "arrive", "words": "I have arrived"}]}))]
pub(super) struct StatusShape {
    /// The order.
    order: String,
    /// The number people say.
    number: String,
    /// How far the whole is.
    stage: WordsShape,
    /// The language of the words.
    language: String,
    /// How it reaches the customer: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// When it was placed.
    #[schema(format = DateTime)]
    placed_at: String,
    /// When it expires unless it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    payment_due_at: Option<String>,
    /// What was ordered.
    lines: Vec<StatusLineShape>,
    /// What is under way or has left, each from one place.
    parts: Vec<PartShape>,
    /// Its parcels, in the order they were packed.
    parcels: Vec<StatusParcelShape>,
    /// What came back, or is to.
    returns: Vec<StatusReturnShape>,
    /// What was said to be lost, damaged or wrong.
    claims: Vec<StatusClaimShape>,
    /// Goods that came back against other goods, in which the order had a part.
    exchanges: Vec<StatusExchangeShape>,
    /// What of each payment was given back, or is on its way.
    refunds: Vec<StatusRefundShape>,
    /// Its newest changes, the newest first: at most 20.
    changes: Vec<StatusChangeShape>,
    /// What the order costs, less what was cancelled and came back.
    total: MoneyShape,
    /// What was taken.
    paid: MoneyShape,
    /// What was given back.
    refunded: MoneyShape,
    /// What is neither taken nor promised yet.
    missing: MoneyShape,
    /// What the customer can do now.
    can: Vec<WordsShape>,
}

/// A stage, or something to do, with what it is called in the customer's language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusWords)]
struct WordsShape {
    /// Of stages: `awaiting_payment`, `waiting`, `accepted`, `picking`, `packed`, `held`, `ready_for_pickup`, `partly_on_its_way`, `shipped`,
    /// `delivered`, `collected` or `cancelled`. Of what can be done: `pay`, `arrive`, `return`, `cancel` or `change`. Of parcels, returns
    /// and changes: their state.
    code: &'static str,
    /// What to show.
    words: &'static str,
}

impl WordsShape {
    fn of(code: &'static str, language: Language) -> WordsShape {
        WordsShape { code, words: words_for(code, language) }
    }

    fn stage(stage: Stage, language: Language) -> WordsShape {
        WordsShape::of(stage.text(), language)
    }
}

/// A line of an order, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusLine)]
struct StatusLineShape {
    /// The order line.
    line: String,
    /// Its SKU when it was sold.
    sku: String,
    /// Its title when it was sold.
    title: String,
    /// How many base units were ordered.
    quantity: i64,
    /// How many were cancelled.
    cancelled: i64,
    /// How many came back.
    returned: i64,
    /// The line with tax.
    gross: MoneyShape,
}

/// Goods of an order that come from one place together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusPart)]
struct PartShape {
    /// The fulfilment order.
    id: String,
    /// How: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// How far they are.
    stage: WordsShape,
    /// Where they are, or come from; absent while the place is being found.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceShape>,
    /// For goods that wait or waited for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup: Option<PickupShape>,
    /// From when on the customer has them, as was promised last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    promised_from: Option<String>,
    /// By when the customer has them, as was promised last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    promised_by: Option<String>,
    /// For goods on their way to where they are collected: when they are expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    /// When they left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// What.
    lines: Vec<StatusPartLineShape>,
}

/// A place, as customers need it to find it open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusPlace)]
struct PlaceShape {
    /// The location.
    id: String,
    /// What people call it.
    name: String,
    /// Its time zone in the IANA database.
    time_zone: String,
    /// When its door is open; absent for a place without a door.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<PlaceAddressShape>,
}

/// The customer's visit for goods that wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusPickup)]
struct PickupShape {
    /// What to say or show at the counter; absent when the visit is over, and for who neither holds the order nor hands it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Where the visit stands: `booked`, `on_the_way`, `arrived`, `handed_over` or `no_show`.
    state: &'static str,
    /// Where the customer waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    bay: Option<String>,
    /// Until when the goods wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    collect_by: Option<String>,
}

/// Pieces for one order line; for a set, its components.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusPartLine)]
struct StatusPartLineShape {
    /// The order line.
    line: String,
    /// The variant; for a set, a component.
    variant: String,
    /// How many base units.
    quantity: i64,
}

/// A parcel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusParcel)]
struct StatusParcelShape {
    /// The parcel.
    id: String,
    /// The part whose goods are in it.
    part: String,
    /// Where it stands: `packed`, `shipped`, `delivered` or `returned_to_sender`.
    state: WordsShape,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// The carrier's tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking: Option<String>,
    /// Where the customer can follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<String>,
    /// What the carrier told last: `accepted`, `in_transit`, `out_for_delivery`, `attempt_failed`, `delivered` or `returned_to_sender`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracked: Option<&'static str>,
    /// How often nobody took it.
    attempts: i64,
    /// When it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// When it was delivered or came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// Goods that came back against other goods.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusExchange)]
struct StatusExchangeShape {
    /// The exchange.
    id: String,
    /// The order of the old goods.
    order: String,
    /// The order of the new ones.
    new_order: String,
    /// What was carried over.
    carried: MoneyShape,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// What of a payment was given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusRefund)]
struct StatusRefundShape {
    /// The means of the payment, such as `card`.
    means: &'static str,
    /// Given back.
    refunded: MoneyShape,
    /// On its way back.
    pending: MoneyShape,
}

/// A change of the order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusChange)]
struct StatusChangeShape {
    /// The change.
    id: String,
    /// Where it stands: `previewed`, `confirmed`, `declined` or `expired`.
    state: WordsShape,
    /// What it adds to what the order owes, with tax; less than nothing when it takes away.
    difference: MoneyShape,
    /// When it was shown.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it can be confirmed.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Until when its money is waited for; what it puts in is not prepared before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    paid_by: Option<String>,
}

/// Goods that came back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusReturn)]
struct StatusReturnShape {
    /// The return.
    id: String,
    /// Where it stands: `requested`, `approved`, `declined`, `received`, `inspected`, `refunded` or `closed`.
    state: WordsShape,
    /// What is given back for it.
    refund: MoneyShape,
    /// When it came.
    #[schema(format = DateTime)]
    at: String,
}

/// What was said to be lost, damaged or wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusClaim)]
struct StatusClaimShape {
    /// The claim.
    id: String,
    /// What is wrong.
    kind: &'static str,
    /// Where it stands.
    state: &'static str,
    /// How it was made good.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    /// What was given back for it at once.
    refund: MoneyShape,
    /// When it was made.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Status> for StatusShape {
    fn from(status: &Status) -> StatusShape {
        let (order, sums, language) = (&status.order, &status.sums, status.language);
        let money = |minor| money(minor, order.currency);
        let line = |line: &Line| StatusLineShape {
            line: line.id.to_string(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            cancelled: line.cancelled,
            returned: line.returned,
            gross: money(line.gross),
        };
        let back = |one: &Return| StatusReturnShape {
            id: one.id.to_string(),
            state: WordsShape::of(one.state.text(), language),
            refund: money(one.refund),
            at: one.at.to_string(),
        };
        let exchange = |one: &Exchange| StatusExchangeShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            new_order: one.new_order.to_string(),
            carried: money(one.carried),
            at: one.at.to_string(),
        };
        let refund = |one: &Payment| {
            let amounts = one.amounts;
            (amounts.refunded + amounts.refunding > 0).then(|| StatusRefundShape {
                means: one.kind.text(),
                refunded: money(amounts.refunded),
                pending: money(amounts.refunding),
            })
        };
        let change = |one: &Change| StatusChangeShape {
            id: one.id.to_string(),
            state: WordsShape::of(one.state.text(), language),
            difference: money(one.difference.gross_minor),
            made_at: one.made_at.to_string(),
            expires_at: one.expires_at.to_string(),
            paid_by: one.paid_by.map(|at| at.to_string()),
        };
        StatusShape {
            order: order.id.to_string(),
            number: order.number.clone(),
            stage: WordsShape::stage(status.stage, language),
            language: language.to_string(),
            kind: order.kind.text(),
            placed_at: order.placed_at.to_string(),
            payment_due_at: order.payment_due_at.map(|at| at.to_string()),
            lines: status.lines.iter().map(line).collect(),
            parts: status.parts.iter().map(|part| PartShape::of(part, language)).collect(),
            parcels: status.parcels.iter().map(|parcel| StatusParcelShape::of(parcel, language)).collect(),
            returns: status.returns.iter().map(back).collect(),
            claims: status.claims.iter().map(|one| StatusClaimShape::of(one, order.currency)).collect(),
            exchanges: status.exchanges.iter().map(exchange).collect(),
            refunds: status.payments.iter().filter_map(refund).collect(),
            changes: status.changes.iter().map(change).collect(),
            total: money(order.gross - order.cancelled - order.returned),
            paid: money(sums.captured),
            refunded: money(sums.refunded),
            missing: money(sums.missing()),
            can: status.deeds.iter().map(|deed: &Deed| WordsShape::of(deed.text(), language)).collect(),
        }
    }
}

impl StatusClaimShape {
    fn of(one: &Claim, currency: Currency) -> StatusClaimShape {
        StatusClaimShape {
            id: one.id.to_string(),
            kind: one.kind.text(),
            state: one.state.text(),
            remedy: one.remedy.map(Remedy::text),
            refund: money(one.refund, currency),
            at: one.at.to_string(),
        }
    }
}

/// Where the carrier shows its customer's way, if it does.
pub(super) fn followed_at(parcel: &Parcel, carrier: Option<&Carrier>) -> Option<String> {
    Some(follow_at(carrier?.tracking_url.as_ref()?, parcel.tracking.as_ref()?))
}

impl StatusParcelShape {
    fn of((parcel, carrier): &(Parcel, Option<Carrier>), language: Language) -> StatusParcelShape {
        StatusParcelShape {
            id: parcel.id.to_string(),
            part: parcel.fulfilment_order.to_string(),
            state: WordsShape::of(parcel.state.text(), language),
            carrier: carrier.as_ref().map(|carrier| carrier.name.clone()),
            tracking_url: followed_at(parcel, carrier.as_ref()),
            tracking: parcel.tracking.clone(),
            tracked: parcel.tracked.map(Tracked::text),
            attempts: parcel.attempts,
            left_at: parcel.left_at.map(|at| at.to_string()),
            ended_at: parcel.ended_at.map(|at| at.to_string()),
        }
    }
}

impl PartShape {
    fn of(status: &PartStatus, language: Language) -> PartShape {
        let part = &status.part;
        let pickup = |visit: &Visit| PickupShape {
            code: status.code.clone(),
            state: visit.state.text(),
            bay: visit.bay.clone(),
            collect_by: part.collect_by.map(|at| at.to_string()),
        };
        let lines = part.lines.iter().filter(|line| line.quantity > 0).map(|line| StatusPartLineShape {
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
        });
        PartShape {
            id: part.id.to_string(),
            kind: part.kind.text(),
            stage: WordsShape::stage(status.stage, language),
            place: status.location.as_ref().map(PlaceShape::from),
            pickup: status.visit.as_ref().map(pickup),
            promised_from: part.promised.from.map(|at| at.to_string()),
            promised_by: part.promised.by.map(|at| at.to_string()),
            expected_at: part
                .expected_at
                .filter(|_| part.state == State::AwaitingTransfer)
                .map(|at| at.to_string()),
            tracking: part.tracking.clone(),
            left_at: part.left_at.map(|at| at.to_string()),
            lines: lines.collect(),
        }
    }
}

impl From<&Location> for PlaceShape {
    fn from(location: &Location) -> PlaceShape {
        PlaceShape {
            id: location.id.to_string(),
            name: location.name.clone(),
            time_zone: location.zone.to_string(),
            opening_hours: location.hours.as_ref().map(ToString::to_string),
            address: location.address.as_ref().map(PlaceAddressShape::from),
        }
    }
}
