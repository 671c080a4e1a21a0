//! Orders of the past from files: placed at the prices that were agreed then, paid, and fulfilled where the goods have left. Their goods are
//! taken from stock like those of any order, so stock goes in first.

use domain::actor::{Actor, Permission};
use domain::fulfilment;
use domain::import::{Kind, Layout, ORDER_LINES_MAX, Outcome, cell};
use domain::market::PaymentKind;
use domain::value::id::{Channel, DeliveryMethod, Location, Order};
use domain::value::{Currency, Id, Instant, Money, Quantity, Reference, reference};
use domain::{Code, Refusal};
use store::Tx;

use super::row::{Amount, CellError, Cells, same_currency, told};
use super::stock::location_of;
use crate::cart::{self, Choice, Details, Named, NewCart, NewLine};
use crate::checkout::{self, Checkout, Tender};
use crate::{Failure, World, delivery, payment};

/// The rows of an order.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub external_id: String,
    head: Head,
    lines: Vec<Line>,
}

/// What every line of an order says alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    placed_at: Instant,
    channel: String,
    currency: Option<Currency>,
    customer: Option<String>,
    location: Option<String>,
    delivery_method: Option<String>,
    payment: PaymentKind,
    fulfilled: bool,
}

/// A line of an order.
#[derive(Clone, Debug)]
struct Line {
    number: u64,
    sku: String,
    quantity: Quantity,
    unit_price: Option<Amount>,
}

/// How many of these rows make one order: those of the same number that stand one below another.
pub(super) fn together<'a>(rows: impl Iterator<Item = Option<&'a [String]>>, layout: &'a Layout) -> usize {
    let number = |cells: &'a [String]| layout.value("external_id", cells);
    let mut numbers = rows.map(|cells| cells.map(number).filter(|said| !said.is_empty()));
    let Some(first) = numbers.next().flatten() else { return 1 };
    1 + numbers.take(ORDER_LINES_MAX - 1).take_while(|next| *next == Some(first)).count()
}

/// Reads a row: an order of one line.
pub(super) fn read(mut row: Cells<'_>) -> Result<Rows, Vec<CellError>> {
    let own = |said: &str| Ok::<_, String>(said.to_owned());
    let external_id = row.need("external_id", reference::external_id::<Order>);
    let placed_at = match row.instant("placed_at") {
        Some(None) => row.need("placed_at", Instant::parse),
        read => read.flatten(),
    };
    let channel = row.need("channel", own);
    let sku = row.need("sku", own);
    let quantity = match row.whole("quantity") {
        Some(None) => row.need("quantity", |_| Quantity::new(0)),
        Some(Some(units)) => Quantity::new(units).map_err(|error| row.refuse("quantity", error)).ok(),
        None => None,
    };
    let (unit_price, currency) = (row.amount("unit_price", "unit_price_minor"), row.currency());
    let payment = row.may("payment", |said| match said.to_lowercase().as_str() {
        "cash" => Ok(PaymentKind::Cash),
        "manual" => Ok(PaymentKind::Manual),
        _ => Err("give cash, or manual for every other way"),
    });
    let fulfilled = row.may("fulfilled", cell::yes);
    let [customer, location, delivery_method] =
        ["customer", "location", "delivery_method"].map(|name| row.text(name));
    let number = row.line;
    let read = (|| {
        let head = Head {
            placed_at: placed_at?,
            channel: channel?,
            currency: currency?,
            customer,
            location,
            delivery_method,
            payment: payment?.unwrap_or(PaymentKind::Manual),
            fulfilled: fulfilled?.unwrap_or(true),
        };
        let line = Line { number, sku: sku?, quantity: quantity?, unit_price: unit_price? };
        Some(Rows { external_id: external_id?, head, lines: vec![line] })
    })();
    row.done(read)
}

impl Rows {
    /// Adds the lines of the same order.
    pub fn append(&mut self, mut more: Rows) -> Result<(), CellError> {
        let line = more.lines.first().map_or(0, |line| line.number);
        let differs = [
            ("placed_at", self.head.placed_at != more.head.placed_at),
            ("channel", self.head.channel != more.head.channel),
            ("currency", self.head.currency != more.head.currency),
            ("customer", self.head.customer != more.head.customer),
            ("location", self.head.location != more.head.location),
            ("delivery_method", self.head.delivery_method != more.head.delivery_method),
            ("payment", self.head.payment != more.head.payment),
            ("fulfilled", self.head.fulfilled != more.head.fulfilled),
        ];
        if let Some((name, _)) = differs.iter().find(|(_, differs)| *differs) {
            let message = "is another than on the order's first line; every line of an order says the same";
            return Err(told(Kind::Orders, line, (name, ""), Code::Invalid, message));
        }
        self.lines.append(&mut more.lines);
        Ok(())
    }
}

/// Places the order, unless it is there.
pub(super) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rows: &Rows,
) -> Result<Outcome, Failure> {
    actor.may(Permission::EditOrders, None)?;
    // Our own exports name an order without an external id by its number.
    let known = store::external::find::<Order>(tx, &rows.external_id)?;
    if known.is_some() || store::order::by_number(tx, &rows.external_id)?.is_some() {
        return Ok(Outcome::Same);
    }
    let head = &rows.head;
    let (channel, currency) = channel_of(tx, &head.channel)?;
    same_currency(head.currency, currency, "the channel")?;
    let (way, serve_from) = way_of(tx, actor, head)?;
    let new = NewCart {
        channel: Reference::Id(channel),
        currency: None,
        lines: lines(rows, currency)?,
        details: Details {
            customer: head.customer.as_deref().map(Reference::read),
            delivery: way.map(Some),
            ..Details::default()
        },
    };
    let cart = cart::create(tx, actor, world, new)?;
    let tender =
        Tender { kind: head.payment, amount: None, provider_token: None, card: None, gift_card: None };
    let input = Checkout {
        cart: cart.id,
        expected_total: None,
        tenders: vec![tender],
        serve_from,
        placed_at: Some(head.placed_at),
        external_id: Some(rows.external_id.clone()),
    };
    let placed = checkout::place(tx, actor, world, input)?;
    let order = placed.order.id;
    for one in placed.payments.iter().filter(|one| one.kind == PaymentKind::Manual) {
        payment::record_receipt(tx, actor, world, one.id, None)?;
        checkout::payment_changed(tx, actor, world, order)?;
    }
    if head.fulfilled {
        let open = placed.fulfilment_orders.iter().filter(|part| part.state == fulfilment::State::Open);
        for part in open {
            checkout::fulfil(tx, actor, world, order, part.id, checkout::Leaving::default())?;
        }
    }
    Ok(Outcome::Made)
}

fn lines(rows: &Rows, currency: Currency) -> Result<Vec<NewLine>, Refusal> {
    let mut lines = Vec::with_capacity(rows.lines.len());
    for (place, line) in rows.lines.iter().enumerate() {
        let field = format!("lines.{place}.unit_price");
        let money = |amount: Amount| {
            let minor = amount.minor(&field, currency)?;
            Money::new(minor, currency).map_err(|error| Refusal::invalid(&field, error))
        };
        lines.push(NewLine {
            variant: Named::Sku(line.sku.clone()),
            quantity: line.quantity,
            unit_price: line.unit_price.map(money).transpose()?,
        });
    }
    Ok(lines)
}

/// How the goods get to the customer, and where they are taken from when that is said. What is collected is where it is collected.
fn way_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    head: &Head,
) -> Result<(Option<Choice>, Option<Id<Location>>), Failure> {
    let place = head.location.as_deref().map(|named| location_of(tx, named)).transpose()?;
    let Some(named) = head.delivery_method.as_deref() else { return Ok((None, place)) };
    let coded = store::import::delivery_method_coded(tx, named)?;
    let method = coded.map_or_else(|| Reference::<DeliveryMethod>::read(named), Reference::Id);
    if delivery::find(tx, actor, &method)?.kind == domain::delivery::Kind::Pickup {
        return Ok((Some(Choice { method, location: place.map(Reference::Id) }), None));
    }
    Ok((Some(Choice { method, location: None }), place))
}

/// The channel of a code or external id, and the currency it sells in.
fn channel_of(tx: &mut Tx<'_>, named: &str) -> Result<(Id<Channel>, Currency), Failure> {
    let unknown = || Refusal::invalid("channel", "no channel has this code or external id; make it first");
    let coded = store::import::channel_coded(tx, named)?;
    let found = match (coded, Reference::<Channel>::read(named)) {
        (Some(id), _) | (None, Reference::Id(id)) => Some(id),
        (None, Reference::External(text)) => store::external::find(tx, &text)?,
    };
    let id = found.ok_or_else(unknown)?;
    let channel = store::market::find_channel(tx, id)?.ok_or_else(unknown)?;
    let market = store::market::find_market(tx, channel.market)?;
    Ok((id, market.ok_or_else(unknown)?.currency))
}
