//! The shapes of an order with everything that belongs to it, and of a means of payment offered for it.

use domain::payment::{Card, Kind};
use engine::checkout::{Tender, Whole};
use engine::payment::Payment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fulfilment::FulfilmentOrderShape;
use crate::order::{HeadShape, LineShape, money};
use crate::payment::CardShape;
use crate::shape::{Fields, MoneyShape};

/// A means of payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tender, example = json!({"kind": "card_record", "amount": 1999, "card": {"last_four": "4242", "approval_code": "A12345", "terminal": "till-3"}}))]
pub(crate) struct TenderShape {
    /// The means: `cash`, `manual`, `card_record`, `gift_card`, `store_credit`, `points` or `test`.
    kind: String,
    /// How much, in minor units of the order's currency; when not given what is open, or as much of it as the gift card, store credit or points can pay.
    #[schema(minimum = 1, maximum = 10_000_000_000_000i64)]
    amount: Option<i64>,
    /// What the payment provider gave for the card.
    #[schema(max_length = 200)]
    provider_token: Option<String>,
    /// What the terminal printed, for `card_record`.
    card: Option<CardShape>,
    /// The code of the gift card, however it was typed, for `gift_card`.
    #[schema(max_length = 64)]
    gift_card: Option<String>,
}

impl TenderShape {
    pub(crate) fn read(&self, fields: &mut Fields) -> Option<Tender> {
        let kind = Kind::named(&self.kind).filter(|kind| kind.is_offered());
        let kind = fields.take(
            "kind",
            kind.ok_or("give cash, manual, card_record, gift_card, store_credit, points or test"),
        );
        let token =
            fields.take_if("provider_token", self.provider_token.as_deref(), domain::payment::reference);
        let card = self.card.as_ref().map(|card| {
            let made = Card::new(&card.last_four, &card.approval_code, &card.terminal);
            let token = card.token.as_deref();
            match made.and_then(|made| token.map_or(Ok(made.clone()), |token| made.called(token))) {
                Ok(card) => Some(card),
                Err(refusal) => {
                    fields.refuse("card", refusal.message());
                    None
                }
            }
        });
        if self.amount.is_some_and(|amount| !(1..=domain::value::Money::MAX).contains(&amount)) {
            fields.refuse("amount", "give at least 1 minor unit");
        }
        if matches!(card, Some(None)) {
            return None;
        }
        let gift_card = self.gift_card.clone();
        Some(Tender {
            kind: kind?,
            amount: self.amount,
            provider_token: token?,
            card: card.flatten(),
            gift_card,
        })
    }
}

/// An order with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderShape {
    #[serde(flatten)]
    head: HeadShape,
    /// How far the money is: `nothing_due`, `unpaid`, `partly_paid`, `authorised`, `paid`, `partly_refunded` or `refunded`.
    payment_status: &'static str,
    /// How far the goods are: `unfulfilled`, `partly_fulfilled`, `fulfilled` or `cancelled`.
    fulfilment_status: &'static str,
    /// What is neither taken nor promised yet.
    missing: MoneyShape,
    /// What was taken.
    captured: MoneyShape,
    /// What was given back.
    refunded: MoneyShape,
    /// Its lines.
    lines: Vec<LineShape>,
    /// What leaves from where.
    fulfilment_orders: Vec<FulfilmentOrderShape>,
    /// How it is paid.
    payments: Vec<OrderPaymentShape>,
}

impl From<&Whole> for OrderShape {
    fn from(whole: &Whole) -> OrderShape {
        let currency = whole.order.currency;
        OrderShape {
            head: HeadShape::from(&whole.order),
            payment_status: whole.payment_status().text(),
            fulfilment_status: whole.fulfilment_status().text(),
            missing: money(whole.sums.missing(), currency),
            captured: money(whole.sums.captured, currency),
            refunded: money(whole.sums.refunded, currency),
            lines: whole.lines.iter().map(|line| LineShape::of(line, currency)).collect(),
            fulfilment_orders: whole.fulfilment_orders.iter().map(FulfilmentOrderShape::from).collect(),
            payments: whole.payments.iter().map(OrderPaymentShape::from).collect(),
        }
    }
}

/// A payment of an order in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPayment)]
struct OrderPaymentShape {
    /// Its id.
    id: String,
    /// The means.
    kind: &'static str,
    /// Where it stands.
    state: &'static str,
    /// How much was asked for.
    amount: MoneyShape,
    /// How much was taken.
    captured: MoneyShape,
    /// How much was given back.
    refunded: MoneyShape,
    /// As long as the provider asks the customer something: what the browser shows the question with, such as Stripe's `handleNextAction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl From<&Payment> for OrderPaymentShape {
    fn from(payment: &Payment) -> OrderPaymentShape {
        let money = |minor| money(minor, payment.currency);
        OrderPaymentShape {
            id: payment.id.to_string(),
            kind: payment.kind.text(),
            state: payment.state.text(),
            amount: money(payment.amounts.amount),
            captured: money(payment.amounts.captured),
            refunded: money(payment.amounts.refunded),
            client_secret: payment.client_secret.clone(),
        }
    }
}
