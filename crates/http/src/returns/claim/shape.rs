//! How claims look over the API.

use domain::returns::Means;
use domain::returns::claim::{Remedy, Whereabouts};
use engine::returns::claim::{AtCarrier, Claim, Line};
use serde::Serialize;
use utoipa::ToSchema;

use crate::order::money;
use crate::shape::MoneyShape;

/// A claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Claim, example = json!({"id": "clm_01jd0000000000000000000000", "order": "ord_01jd0000000000000000000000", "location": "loc_01jd0000000000000000000000",
    "kind": "damaged", "state": "approved", "reason": "damaged", "evidence": "photos 4711 and 4712", "value": {"amount": 1999, "currency": "GBP"},
    "refund": {"amount": 0, "currency": "GBP"}, "at": "2026-11-21T09:30:00Z", "lines": [{"line": "oln_01jd0000000000000000000000",
    "variant": "var_01jd0000000000000000000000", "quantity": 1, "value": {"amount": 1999, "currency": "GBP"}, "refund": {"amount": 0, "currency": "GBP"}}]}))]
pub(super) struct ClaimShape {
    /// Its id.
    pub(super) id: String,
    /// The order.
    order: String,
    /// Whose it is, if a customer is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// Where the goods left from.
    location: String,
    /// The parcel they were in, if it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    parcel: Option<String>,
    /// What is wrong: `lost`, `damaged`, `wrong_goods`, `missing_pieces` or `faulty`.
    kind: &'static str,
    /// Where it stands: `requested`, `approved`, `declined`, `resolved` or `withdrawn`.
    state: &'static str,
    /// Why: a reason's code, or words.
    reason: String,
    /// Where photos and notes are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
    /// How the customer wishes it to be made good.
    #[serde(skip_serializing_if = "Option::is_none")]
    wished: Option<&'static str>,
    /// Why a colleague allowed what the policy refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    override_reason: Option<String>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_reason: Option<String>,
    /// What the goods were sold for.
    value: MoneyShape,
    /// How it was made good: `refund`, `replacement` or `send_back`.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    /// What was given back for it at once, with the delivery if that went back too.
    refund: MoneyShape,
    /// How the money goes back: `original`, `store_credit`, `gift_card` or `cash`.
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<&'static str>,
    /// The return in which the money, or the goods, go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#return: Option<String>,
    /// What we want of the carrier for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<CarrierClaimShape>,
    /// Where its lost parcel turned up after all: `delivered` or `returned_to_sender`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'static str>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    found_at: Option<String>,
    /// What became of the goods that turned up: `kept` or `restocked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    whereabouts: Option<&'static str>,
    /// The retailer's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Its lines; empty in lists of all claims.
    lines: Vec<ClaimLineShape>,
}

/// Goods of an order line that are claimed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimLine)]
struct ClaimLineShape {
    /// The order line.
    line: String,
    /// What was sold.
    variant: String,
    /// How many base units.
    quantity: i64,
    /// What they were sold for.
    value: MoneyShape,
    /// What was given back for them at once.
    refund: MoneyShape,
}

/// What we want of the carrier for lost or damaged goods.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CarrierClaim)]
struct CarrierClaimShape {
    /// Where it stands: `open`, `filed`, `paid`, `refused` or `withdrawn`.
    state: &'static str,
    /// How much is wanted.
    amount: MoneyShape,
    /// How much was paid.
    paid: MoneyShape,
    /// The carrier's own number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl From<&Claim> for ClaimShape {
    fn from(one: &Claim) -> ClaimShape {
        let money = |minor| money(minor, one.currency);
        let line = |line: &Line| ClaimLineShape {
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
            value: money(line.value),
            refund: money(line.refund),
        };
        let carrier = |carrier: &AtCarrier| CarrierClaimShape {
            state: carrier.state.text(),
            amount: money(carrier.amount),
            paid: money(carrier.paid),
            reference: carrier.reference.clone(),
        };
        ClaimShape {
            id: one.id.to_string(),
            order: one.order.to_string(),
            customer: one.customer.map(|customer| customer.to_string()),
            location: one.location.to_string(),
            parcel: one.parcel.map(|parcel| parcel.to_string()),
            kind: one.kind.text(),
            state: one.state.text(),
            reason: one.reason.clone(),
            evidence: one.evidence.clone(),
            wished: one.wished.map(Remedy::text),
            override_reason: one.override_reason.clone(),
            decline_reason: one.decline_reason.clone(),
            value: money(one.value),
            remedy: one.remedy.map(Remedy::text),
            refund: money(one.refund),
            means: one.means.map(Means::text),
            r#return: one.taken.map(|taken| taken.to_string()),
            carrier: one.carrier.as_ref().map(carrier),
            found: one.found.map(|(found, _)| found.text()),
            found_at: one.found.map(|(_, at)| at.to_string()),
            whereabouts: one.whereabouts.map(Whereabouts::text),
            external_id: one.external_id.clone(),
            at: one.at.to_string(),
            ended_at: one.ended_at.map(|at| at.to_string()),
            lines: one.lines.iter().map(line).collect(),
        }
    }
}
