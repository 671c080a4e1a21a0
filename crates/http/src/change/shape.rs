//! The shapes of changes of orders: what is asked, what is shown.

use domain::Refusal;
use domain::change::{ACTIONS_MAX, NOTHING, beyond, by_rate};
use domain::tax::Taxed;
use domain::value::id::OrderLine;
use domain::value::text;
use domain::value::{Currency, Id, Money, Quantity};
use engine::change::{Action, Change, Line, Way};
use engine::checkout::Tender;
use engine::order::Order;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::cart::{ChoiceShape, NewLineShape};
use crate::checkout::{TENDERS_MAX, TenderShape};
use crate::contact::ContactShape;
use crate::order::money;
use crate::shape::{Fields, MoneyShape};

/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 500;

/// A change of an order to be shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderChange, example = json!({"reason": "the customer called", "actions": [
    {"swap": {"line": "oln_01jd0000000000000000000000", "quantity": 1, "with": {"sku": "84029G", "quantity": 1}}}]}))]
pub(super) struct NewChangeShape {
    /// What is to change, in order: 1 to 100 actions.
    #[schema(min_items = 1, max_items = 100)]
    actions: Vec<ActionShape>,
    /// Why, at most 200 characters; needed when a price is corrected. Nothing about a person.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// One thing to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderChangeAction)]
enum ActionShape {
    /// Put a line in.
    Add(NewLineShape),
    /// Take units of a line out that have not left.
    Remove(RemoveShape),
    /// Take units out and put a line in instead.
    Swap(SwapShape),
    /// Give a line another price of one; needs the permission `prices:override`.
    CorrectPrice(CorrectShape),
    /// Send it to somebody or somewhere else.
    Address(Box<ContactShape>),
    /// Deliver it in another way, or have it collected at another place.
    Delivery(ChoiceShape),
    /// Another note for the colleagues who prepare it, at most 500 characters; null for none. Nothing about a person.
    Note(Option<String>),
}

/// Units of a line to be taken out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChangeRemove)]
struct RemoveShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// Units of a line to be taken out, and a line to be put in instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChangeSwap)]
struct SwapShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// What is put in.
    with: NewLineShape,
}

/// Another price of a line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderChangeCorrectPrice)]
struct CorrectShape {
    /// The order line's id.
    line: String,
    /// The price of one base unit.
    unit_price: MoneyShape,
}

impl NewChangeShape {
    pub(super) fn read(self) -> Result<(Vec<Action>, Option<String>), Refusal> {
        let mut fields = Fields::new();
        if self.actions.is_empty() || self.actions.len() > ACTIONS_MAX {
            fields.refuse("actions", format!("give 1 to {ACTIONS_MAX} actions"));
            return fields.done(None);
        }
        let mut actions = Vec::with_capacity(self.actions.len());
        for (place, shape) in self.actions.into_iter().enumerate() {
            actions.extend(fields.within(format!("actions.{place}"), |fields| shape.read(fields)));
        }
        fields.done(Some((actions, self.reason)))
    }
}

impl ActionShape {
    fn read(self, fields: &mut Fields) -> Option<Action> {
        match self {
            ActionShape::Add(line) => fields.within("add", |fields| line.taken(fields)).map(Action::Add),
            ActionShape::Remove(shape) => {
                let units = fields.within("remove", |fields| units(fields, &shape.line, shape.quantity));
                units.map(|(line, quantity)| Action::Remove(line, quantity))
            }
            ActionShape::Swap(shape) => fields.within("swap", |fields| {
                let units = units(fields, &shape.line, shape.quantity);
                let with = fields.within("with", |fields| shape.with.taken(fields));
                units.zip(with).map(|((line, quantity), with)| Action::Swap(line, quantity, with))
            }),
            ActionShape::CorrectPrice(shape) => fields.within("correct_price", |fields| {
                let (line, price) =
                    (fields.id("line", &shape.line), fields.money("unit_price", &shape.unit_price));
                line.zip(price).map(|(line, price)| Action::CorrectPrice(line, price))
            }),
            ActionShape::Address(contact) => contact.read(fields, "address").map(Action::Address),
            ActionShape::Delivery(choice) => Some(Action::Delivery((&choice).into())),
            ActionShape::Note(note) => fields
                .take("note", note.map(|note| text::bounded("note", &note, 1, NOTE_CHARS_MAX)).transpose())
                .map(Action::Note),
        }
    }
}

fn units(fields: &mut Fields, line: &str, quantity: i64) -> Option<(Id<OrderLine>, Quantity)> {
    let quantity = fields.take("quantity", Quantity::new(quantity));
    fields.id("line", line).zip(quantity)
}

/// A yes to a change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmOrderChange, example = json!({"expected_difference": {"amount": 200, "currency": "GBP"}, "payments": [{"kind": "test", "provider_token": "tok_ok"}]}))]
pub(super) struct ConfirmShape {
    /// The difference that was shown, negative when something is given back; another one refuses.
    expected_difference: MoneyShape,
    /// How what is more is paid, in order: at most 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    payments: Vec<TenderShape>,
}

impl ConfirmShape {
    pub(super) fn read(self) -> Result<(Money, Vec<Tender>), Refusal> {
        let mut fields = Fields::new();
        let expected = fields.money("expected_difference", &self.expected_difference);
        if self.payments.len() > TENDERS_MAX {
            fields.refuse("payments", format!("give at most {TENDERS_MAX}"));
            return fields.done(None);
        }
        let tenders = fields.each("payments", &self.payments, |fields, tender| tender.read(fields));
        fields.done(expected.zip(tenders))
    }
}

/// What a change adds to amounts; less than nothing where it takes away.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChangeAmounts)]
struct AmountsShape {
    /// Without tax.
    net: MoneyShape,
    /// The tax.
    tax: MoneyShape,
    /// With tax.
    gross: MoneyShape,
}

impl AmountsShape {
    fn of(amounts: Taxed, currency: Currency) -> AmountsShape {
        AmountsShape {
            net: money(amounts.net_minor, currency),
            tax: money(amounts.tax_minor, currency),
            gross: money(amounts.gross_minor, currency),
        }
    }
}

/// A change of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChange)]
pub(super) struct ChangeShape {
    /// Its id.
    pub(super) id: String,
    /// The order's id.
    order: String,
    /// Where it stands: `previewed`, `confirmed`, `declined` or `expired`.
    state: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it adds to what the order owes: to be paid when more than nothing, given back when less.
    difference: AmountsShape,
    /// The difference at each tax rate, the lowest first.
    taxes: Vec<ChangeTaxShape>,
    /// What is to be paid with the yes: the difference, less what was paid or promised already beyond what is owed.
    to_pay: MoneyShape,
    /// What is given back after the yes.
    to_refund: MoneyShape,
    /// What it does to lines.
    lines: Vec<ChangeLineShape>,
    /// How the order is delivered before it and after it.
    delivery: ChangeDeliveryShape,
    /// The contact the order goes to after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// The note after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When it was shown.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it can be confirmed.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was confirmed or declined, or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Until when its money is waited for; what it puts in is not prepared before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    paid_by: Option<String>,
}

/// What a change does to a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChangeLine)]
struct ChangeLineShape {
    /// What it does: `add`, `remove` or `correct_price`.
    what: &'static str,
    /// The order line; for one put in, the one it becomes.
    line: String,
    /// The variant.
    variant: String,
    /// Its SKU.
    sku: String,
    /// Its title.
    title: String,
    /// How many base units.
    quantity: i64,
    /// The price of one; for a corrected line the new one.
    unit_price: MoneyShape,
    /// The tax rate in parts per million: 200000 is 20 %.
    tax_rate: i64,
    /// What it adds to what the order owes.
    difference: AmountsShape,
}

impl ChangeLineShape {
    fn of(line: &Line, currency: Currency) -> ChangeLineShape {
        ChangeLineShape {
            what: line.what.text(),
            line: line.line.to_string(),
            variant: line.variant.to_string(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price: money(line.unit, currency),
            tax_rate: line.tax_rate.parts_per_million(),
            difference: AmountsShape::of(line.amounts, currency),
        }
    }
}

/// What a change adds at a tax rate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChangeTax)]
struct ChangeTaxShape {
    /// The rate in parts per million: 200000 is 20 %.
    rate: i64,
    /// What lines and delivery add at it.
    #[serde(flatten)]
    amounts: AmountsShape,
}

/// How an order is delivered before a change and after it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChangeDelivery)]
struct ChangeDeliveryShape {
    /// Before it.
    before: ChangeWayShape,
    /// After it.
    after: ChangeWayShape,
    /// What the delivery adds to what the order owes.
    difference: AmountsShape,
    /// The order's other goods are served anew: what was picked of them goes back first, and labels are given back.
    served_anew: bool,
    /// When what other locations send to where it is collected is expected there; absent when all of it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
}

/// How an order is delivered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderChangeWay)]
struct ChangeWayShape {
    /// How it reaches the customer: `ship`, `pickup` or `hand_over`.
    kind: &'static str,
    /// The delivery method.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// Where it is collected, or was sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The whole delivery charge with tax.
    charge: MoneyShape,
}

impl ChangeWayShape {
    fn of(way: &Way, currency: Currency) -> ChangeWayShape {
        ChangeWayShape {
            kind: way.kind.text(),
            method: way.method.map(|method| method.to_string()),
            location: way.location.map(|location| location.to_string()),
            charge: money(way.charge.gross_minor, currency),
        }
    }
}

/// What a change adds at each tax rate: by its lines, and by a delivery that is charged otherwise than before.
fn taxes(change: &Change, currency: Currency) -> Vec<ChangeTaxShape> {
    let (before, after) = (&change.before, &change.after.way);
    let delivery = [(before.charge_rate, beyond(NOTHING, before.charge)), (after.charge_rate, after.charge)];
    let lines = change.lines.iter().map(|line| (line.tax_rate, line.amounts));
    by_rate(lines.chain(delivery))
        .into_iter()
        .map(|(rate, amounts)| ChangeTaxShape {
            rate: rate.parts_per_million(),
            amounts: AmountsShape::of(amounts, currency),
        })
        .collect()
}

impl ChangeShape {
    pub(super) fn of(order: &Order, change: &Change) -> ChangeShape {
        let (currency, before, after) = (order.currency, &change.before, &change.after.way);
        ChangeShape {
            id: change.id.to_string(),
            order: change.order.to_string(),
            state: change.state.text(),
            reason: change.reason.clone(),
            difference: AmountsShape::of(change.difference, currency),
            taxes: taxes(change, currency),
            to_pay: money(change.to_pay, currency),
            to_refund: money(change.to_refund, currency),
            lines: change.lines.iter().map(|line| ChangeLineShape::of(line, currency)).collect(),
            delivery: ChangeDeliveryShape {
                before: ChangeWayShape::of(before, currency),
                after: ChangeWayShape::of(after, currency),
                difference: AmountsShape::of(beyond(after.charge, before.charge), currency),
                served_anew: change.served_anew,
                expected_at: change.after.expected_at.map(|at| at.to_string()),
            },
            contact: change.after.contact.map(|contact| contact.to_string()),
            note: change.after.note.clone(),
            made_at: change.made_at.to_string(),
            expires_at: change.expires_at.to_string(),
            ended_at: change.ended_at.map(|at| at.to_string()),
            paid_by: change.paid_by.map(|at| at.to_string()),
        }
    }
}
