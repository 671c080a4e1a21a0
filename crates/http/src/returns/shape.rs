//! The shapes of a return, and of what is wished with it.

use domain::returns::{Discrepancy, Means};
use domain::value::id::{Book, GiftCard, StoreCredit, Variant};
use domain::value::{Id, text};
use engine::Failure;
use engine::returns::{Line, Paid, Return, Wish};
use serde::Serialize;
use store::Tx;
use utoipa::ToSchema;

use crate::order::money;
use crate::shape::{Fields, MoneyShape};

/// The most characters of why a policy is overridden.
const OVERRIDE_LENGTH_MAX: usize = 200;

/// What is wished beyond the policy's usual ways.
pub(super) fn read_wish(fields: &mut Fields, means: Option<&str>, why: Option<&str>) -> Option<Wish> {
    let means = fields.take_if("means", means, |word| {
        let means = Means::named(word).filter(|means| *means != Means::Exchange);
        means.ok_or("give original, store_credit, gift_card or cash")
    });
    let why = fields
        .take_if("override_reason", why, |why| text::bounded("override_reason", why, 1, OVERRIDE_LENGTH_MAX));
    Some(Wish { means: means?, override_reason: why? })
}

/// A return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Return, example = json!({"id": "ret_01jd0000000000000000000000", "order": "ord_01jd0000000000000000000000", "location": "loc_01jd0000000000000000000000", "state": "refunded",
    "way": "counter", "reason": "too_small", "refund": {"amount": 1999, "currency": "GBP"}, "fee": {"amount": 0, "currency": "GBP"}, "postage": {"amount": 0, "currency": "GBP"},
    "delivery": {"amount": 0, "currency": "GBP"}, "tax": {"amount": 333, "currency": "GBP"}, "means": "original", "at": "2026-11-21T09:30:00Z", "lines": [], "refunds": [], "discrepancies": []}))]
pub(super) struct ReturnShape {
    /// Its id.
    pub id: String,
    /// The order, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// Whose they were, if a customer is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// Where the goods came back to, or are to.
    location: String,
    /// Where it stands: `requested`, `approved`, `declined`, `received`, `inspected`, `refunded` or `closed`.
    state: &'static str,
    /// How they come back: `counter`, `post` or `store`.
    way: &'static str,
    /// Why: a reason's code, or words.
    reason: String,
    /// Why a colleague allowed what the policy refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    override_reason: Option<String>,
    /// What is given back: the goods and the delivery, less fee and postage.
    refund: MoneyShape,
    /// What is kept as a fee.
    fee: MoneyShape,
    /// What is kept for the label.
    postage: MoneyShape,
    /// What of the refund is for the delivery.
    delivery: MoneyShape,
    /// What of the refund is tax.
    tax: MoneyShape,
    /// How the money is given back: `original`, `store_credit`, `gift_card` or `cash`.
    means: &'static str,
    /// What stands on the label, as text and as QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// When the money is claimed back, if it was given before the goods came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// The retailer's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// When it was made.
    at: String,
    /// What comes back; empty in lists.
    lines: Vec<ReturnLineShape>,
    /// How the money went back; empty in lists.
    refunds: Vec<PaidShape>,
    /// What was not as announced; empty in lists.
    discrepancies: Vec<DiscrepancyShape>,
}

/// Goods that come back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnLine)]
struct ReturnLineShape {
    /// Its id.
    id: String,
    /// The order line, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    /// What.
    variant: String,
    /// How many base units.
    quantity: i64,
    /// How many are here.
    received: i64,
    /// How many of them were looked at.
    graded: i64,
    /// In which condition.
    condition: &'static str,
    /// What they are worth, before fees.
    refund: MoneyShape,
    /// Which policy was asked, and in which version.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// The policy's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_version: Option<i64>,
}

/// A part of the money that went back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnRefund)]
struct PaidShape {
    /// In which way; `exchange` when it pays for other goods.
    means: &'static str,
    /// How much.
    amount: MoneyShape,
    /// Of which payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// Onto which gift card or store credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    onto: Option<String>,
}

/// Something that was not as announced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnDiscrepancy)]
struct DiscrepancyShape {
    /// `short`, `wrong_goods` or `other_condition`.
    kind: &'static str,
    /// Of which variant.
    variant: String,
    /// How many base units.
    quantity: i64,
}

impl ReturnShape {
    /// A return with how its money went back and what was not as announced.
    pub(super) fn whole(tx: &mut Tx<'_>, one: &Return) -> Result<ReturnShape, Failure> {
        let paid = |paid: &Paid| PaidShape {
            means: paid.means.text(),
            amount: money(paid.amount, one.currency),
            payment: paid.payment.map(|payment| payment.to_string()),
            onto: paid.book.map(|book| onto(paid.means, book)),
        };
        let discrepancy = |(kind, variant, quantity): (Discrepancy, Id<Variant>, i64)| DiscrepancyShape {
            kind: kind.text(),
            variant: variant.to_string(),
            quantity,
        };
        let refunds = store::returns::paid(tx, one.id)?.iter().map(paid).collect();
        let discrepancies = store::returns::discrepancies(tx, one.id)?.into_iter().map(discrepancy).collect();
        Ok(ReturnShape { refunds, discrepancies, ..ReturnShape::from(one) })
    }
}

/// The id of the gift card or store credit whose book it is.
fn onto(means: Means, book: Id<Book>) -> String {
    match means {
        Means::GiftCard => book.shared_with::<GiftCard>().to_string(),
        _ => book.shared_with::<StoreCredit>().to_string(),
    }
}

impl From<&Return> for ReturnShape {
    fn from(one: &Return) -> ReturnShape {
        let line = |line: &Line| ReturnLineShape {
            id: line.id.to_string(),
            line: line.order_line.map(|line| line.to_string()),
            variant: line.variant.to_string(),
            quantity: line.quantity,
            received: line.received,
            graded: line.graded,
            condition: line.condition.text(),
            refund: money(line.refund, one.currency),
            policy: line.policy.map(|(policy, _)| policy.to_string()),
            policy_version: line.policy.map(|(_, version)| version),
        };
        ReturnShape {
            id: one.id.to_string(),
            order: one.order.map(|order| order.to_string()),
            customer: one.customer.map(|customer| customer.to_string()),
            location: one.location.to_string(),
            state: one.state.text(),
            way: one.way.text(),
            reason: one.reason.clone(),
            override_reason: one.override_reason.clone(),
            refund: money(one.refund, one.currency),
            fee: money(one.fee, one.currency),
            postage: money(one.postage, one.currency),
            delivery: money(one.delivery, one.currency),
            tax: money(one.tax, one.currency),
            means: one.means.text(),
            label: one.label.clone(),
            due_at: one.due_at.map(|at| at.to_string()),
            external_id: one.external_id.clone(),
            at: one.at.to_string(),
            lines: one.lines.iter().map(line).collect(),
            refunds: Vec::new(),
            discrepancies: Vec::new(),
        }
    }
}
