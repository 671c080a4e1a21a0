//! The rows of orders and their lines.

pub mod check;
pub mod discount;
pub mod owner;

use domain::delivery::Kind;
use domain::order::State;
use domain::value::id::{
    self, Cart, Channel, Company, Contact, Customer, DeliveryMethod, Location, Market, OrderChange,
    OrderLine, Variant,
};
use domain::value::{Currency, Id, Instant, Rate};

use crate::{Row, StoreError, Tx, params};

/// An order. Amounts are minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identity.
    pub id: Id<id::Order>,
    /// The number people say.
    pub number: String,
    /// Through which channel it came.
    pub channel: Id<Channel>,
    /// In which market.
    pub market: Id<Market>,
    /// The cart it was.
    pub cart: Id<Cart>,
    /// Whose it is, if a customer is known.
    pub customer: Option<Id<Customer>>,
    /// In whose name it was bought, if that is a company.
    pub company: Option<Id<Company>>,
    /// To whom it goes.
    pub contact: Option<Id<Contact>>,
    /// Who pays, if somebody else.
    pub billing_contact: Option<Id<Contact>>,
    /// Where it is collected or was handed over.
    pub location: Option<Id<Location>>,
    /// Where it stands.
    pub state: State,
    /// How it reaches the customer.
    pub kind: Kind,
    /// Its currency.
    pub currency: Currency,
    /// Did the prices shown contain the tax?
    pub prices_include_tax: bool,
    /// Everything without tax.
    pub net: i64,
    /// The tax.
    pub tax: i64,
    /// Everything with tax.
    pub gross: i64,
    /// The way of delivery chosen.
    pub delivery_method: Option<Id<DeliveryMethod>>,
    /// The delivery's price without tax.
    pub delivery_net: i64,
    /// The delivery's tax.
    pub delivery_tax: i64,
    /// The delivery's price with tax.
    pub delivery_gross: i64,
    /// The delivery's tax rate.
    pub delivery_rate: Rate,
    /// How many base units were ordered, over all lines.
    pub units: i64,
    /// What was cancelled of the gross.
    pub cancelled: i64,
    /// What came back of the gross.
    pub returned: i64,
    /// A word of the customer's.
    pub note: Option<String>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
    /// When it was placed.
    pub placed_at: Instant,
    /// When it expires unpaid.
    pub payment_due_at: Option<Instant>,
    /// The change of it that waits for a yes or no.
    pub open_change: Option<Id<OrderChange>>,
    /// When it was changed last.
    pub changed_at: Option<Instant>,
    /// Rises with every change.
    pub version: i64,
}

/// A line of an order, frozen when it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identity.
    pub id: Id<OrderLine>,
    /// Its place, from 0.
    pub position: i64,
    /// What was sold.
    pub variant: Id<Variant>,
    /// Its SKU then.
    pub sku: String,
    /// Its title then.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// The price of one as it was shown.
    pub unit: i64,
    /// The line without tax.
    pub net: i64,
    /// The line's tax.
    pub tax: i64,
    /// The line with tax.
    pub gross: i64,
    /// The tax rate.
    pub tax_rate: Rate,
    /// How many were cancelled.
    pub cancelled: i64,
    /// How many came back.
    pub returned: i64,
    /// How many gift cards of it were handed out.
    pub handed: i64,
    /// What one of it took from shelves then: itself, a kit's components, nothing for a service.
    pub takes: Vec<(Id<Variant>, i64)>,
}

/// Adds an order with its look-ups; false when its number is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, order: &Order) -> Result<bool, StoreError> {
    let numbered = tx.execute(
        "insert into order_number (number, order_id) values ($1, $2) on conflict (number) do nothing",
        params![&order.number, order.id],
    )?;
    if numbered == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into order_head (order_id, number, channel_id, market_id, cart_id, customer_id, company_id, contact_id, billing_contact_id, location_id,
            state, kind, currency, prices_include_tax, net, tax, gross, delivery_method_id, delivery_net, delivery_tax, delivery_gross,
            delivery_rate, units, cancelled, returned, note, external_id, placed_at, payment_due_at, open_change_id, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)",
        params![
            order.id, &order.number, order.channel, order.market, order.cart, order.customer, order.company, order.contact, order.billing_contact, order.location,
            order.state.code(), order.kind.code(), order.currency.code(), order.prices_include_tax, order.net, order.tax, order.gross,
            order.delivery_method, order.delivery_net, order.delivery_tax, order.delivery_gross, order.delivery_rate.parts_per_million(), order.units,
            order.cancelled, order.returned, order.note.as_ref(), order.external_id.as_ref(), order.placed_at, order.payment_due_at, order.open_change, order.changed_at, order.version
        ],
    )?;
    owner::add(tx, order)?;
    Ok(true)
}

/// Adds a line.
///
/// # Errors
/// What the store says.
pub fn add_line(tx: &mut Tx<'_>, order: Id<id::Order>, line: &Line) -> Result<(), StoreError> {
    let takes = taken(&line.takes)?;
    tx.execute(
        "insert into order_line (order_id, line_id, position, variant_id, sku, title, quantity, unit, net, tax, gross, tax_rate, cancelled, returned, handed, takes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            order, line.id, line.position, line.variant, &line.sku, &line.title, line.quantity, line.unit, line.net, line.tax, line.gross,
            line.tax_rate.parts_per_million(), line.cancelled, line.returned, line.handed, &takes
        ],
    )?;
    Ok(())
}

fn unknown(what: &str) -> StoreError {
    StoreError::Corrupt(format!("an order has an unknown {what}"))
}

fn rate(parts: i64) -> Result<Rate, StoreError> {
    Rate::from_parts_per_million(parts).map_err(|_| unknown("tax rate"))
}

fn order(row: &mut Row<'_>) -> Result<Order, StoreError> {
    Ok(Order {
        id: row.id()?,
        number: row.text()?,
        channel: row.id()?,
        market: row.id()?,
        cart: row.id()?,
        customer: row.id_or_null()?,
        company: row.id_or_null()?,
        contact: row.id_or_null()?,
        billing_contact: row.id_or_null()?,
        location: row.id_or_null()?,
        state: State::coded(row.int()?).ok_or_else(|| unknown("state"))?,
        kind: Kind::coded(row.int()?).ok_or_else(|| unknown("kind"))?,
        currency: Currency::parse(&row.text()?).map_err(|_| unknown("currency"))?,
        prices_include_tax: row.yes()?,
        net: row.int()?,
        tax: row.int()?,
        gross: row.int()?,
        delivery_method: row.id_or_null()?,
        delivery_net: row.int()?,
        delivery_tax: row.int()?,
        delivery_gross: row.int()?,
        delivery_rate: rate(row.int()?)?,
        units: row.int()?,
        cancelled: row.int()?,
        returned: row.int()?,
        note: row.text_or_null()?,
        external_id: row.text_or_null()?,
        placed_at: row.instant()?,
        payment_due_at: row.instant_or_null()?,
        open_change: row.id_or_null()?,
        changed_at: row.instant_or_null()?,
        version: row.int()?,
    })
}

/// An order.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Order>) -> Result<Option<Order>, StoreError> {
    tx.one(
        "select order_id, number, channel_id, market_id, cart_id, customer_id, company_id, contact_id, billing_contact_id, location_id,
            state, kind, currency, prices_include_tax, net, tax, gross, delivery_method_id, delivery_net, delivery_tax, delivery_gross,
            delivery_rate, units, cancelled, returned, note, external_id, placed_at, payment_due_at, open_change_id, changed_at, version
         from order_head where order_id = $1",
        params![id],
        order,
    )
}

/// An order that nobody else changes until the commit. Every change of an order begins here.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<id::Order>) -> Result<Option<Order>, StoreError> {
    tx.one("select version from order_head where order_id = $1 {lock}", params![id], |row| row.int())?;
    find(tx, id)
}

/// The order with a number.
///
/// # Errors
/// What the store says.
pub fn by_number(tx: &mut Tx<'_>, number: &str) -> Result<Option<Id<id::Order>>, StoreError> {
    tx.one("select order_id from order_number where number = $1", params![number], |row| row.id())
}

/// Orders before one, the newest first, at most `limit`; of one channel and in one state if named (0 for any state).
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    before: Id<id::Order>,
    channel: Option<Id<Channel>>,
    state: i64,
    limit: i64,
) -> Result<Vec<Order>, StoreError> {
    tx.rows(
        "select order_id, number, channel_id, market_id, cart_id, customer_id, company_id, contact_id, billing_contact_id, location_id,
            state, kind, currency, prices_include_tax, net, tax, gross, delivery_method_id, delivery_net, delivery_tax, delivery_gross,
            delivery_rate, units, cancelled, returned, note, external_id, placed_at, payment_due_at, open_change_id, changed_at, version
         from order_head where order_id < $1 and (cast($2 as {bytes}) is null or channel_id = $2) and ($3 = 0 or state = $3)
         order by order_id desc limit $4",
        params![before, channel, state, limit],
        order,
    )
}

/// The lines of an order, in order.
///
/// # Errors
/// What the store says.
pub fn lines(tx: &mut Tx<'_>, order: Id<id::Order>) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select line_id, position, variant_id, sku, title, quantity, unit, net, tax, gross, tax_rate, cancelled, returned, handed, takes
         from order_line where order_id = $1 order by position",
        params![order],
        |row| {
            Ok(Line {
                id: row.id()?,
                position: row.int()?,
                variant: row.id()?,
                sku: row.text()?,
                title: row.text()?,
                quantity: row.int()?,
                unit: row.int()?,
                net: row.int()?,
                tax: row.int()?,
                gross: row.int()?,
                tax_rate: rate(row.int()?)?,
                cancelled: row.int()?,
                returned: row.int()?,
                handed: row.int()?,
                takes: takes(&row.text()?)?,
            })
        },
    )
}

/// What one of a line takes, as it is stored.
pub(crate) fn taken(takes: &[(Id<Variant>, i64)]) -> Result<String, StoreError> {
    let takes: Vec<(String, i64)> =
        takes.iter().map(|(variant, each)| (variant.to_string(), *each)).collect();
    serde_json::to_string(&takes).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// What one of a line takes, as it was stored by [`taken`].
pub(crate) fn takes(text: &str) -> Result<Vec<(Id<Variant>, i64)>, StoreError> {
    let pairs: Vec<(String, i64)> = serde_json::from_str(text).map_err(|_| unknown("variant it takes"))?;
    pairs
        .into_iter()
        .map(|(id, each)| Ok((Id::parse(&id).map_err(|_| unknown("variant it takes"))?, each)))
        .collect()
}

/// Writes what of an order may change: its state, what was cancelled and came back, and when it expires. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, order: &mut Order) -> Result<(), StoreError> {
    tx.execute(
        "update order_head set state = $2, cancelled = $3, returned = $4, payment_due_at = $5, version = version + 1 where order_id = $1",
        params![order.id, order.state.code(), order.cancelled, order.returned, order.payment_due_at],
    )?;
    order.version += 1;
    Ok(())
}

/// Writes what a change of an order gives it: how and where it goes, what it costs, and whether a change waits. The order is locked.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, order: &mut Order) -> Result<(), StoreError> {
    tx.execute(
        "update order_head set kind = $2, location_id = $3, contact_id = $4, note = $5, net = $6, tax = $7, gross = $8, units = $9,
             delivery_method_id = $10, delivery_net = $11, delivery_tax = $12, delivery_gross = $13, delivery_rate = $14,
             open_change_id = $15, changed_at = $16, cancelled = $17, version = version + 1
         where order_id = $1",
        params![
            order.id, order.kind.code(), order.location, order.contact, order.note.as_ref(), order.net, order.tax, order.gross, order.units,
            order.delivery_method, order.delivery_net, order.delivery_tax, order.delivery_gross, order.delivery_rate.parts_per_million(),
            order.open_change, order.changed_at, order.cancelled
        ],
    )?;
    order.version += 1;
    Ok(())
}

/// Writes another price of a line. The order is locked.
///
/// # Errors
/// What the store says.
pub fn correct_line(tx: &mut Tx<'_>, order: Id<id::Order>, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "update order_line set unit = $3, net = $4, tax = $5, gross = $6 where order_id = $1 and line_id = $2",
        params![order, line.id, line.unit, line.net, line.tax, line.gross],
    )?;
    Ok(())
}

/// A line was added to an order: its amounts are the order's too. The order is locked.
///
/// # Errors
/// What the store says.
pub fn grow(tx: &mut Tx<'_>, order: &mut Order, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "update order_head set net = net + $2, tax = tax + $3, gross = gross + $4, units = units + $5 where order_id = $1",
        params![order.id, line.net, line.tax, line.gross, line.quantity],
    )?;
    order.net += line.net;
    order.tax += line.tax;
    order.gross += line.gross;
    order.units += line.quantity;
    Ok(())
}

/// Writes how many of a line were cancelled and came back. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update_line(tx: &mut Tx<'_>, order: Id<id::Order>, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "update order_line set cancelled = $3, returned = $4 where order_id = $1 and line_id = $2",
        params![order, line.id, line.cancelled, line.returned],
    )?;
    Ok(())
}

/// Notes how many gift cards of a line were handed out.
///
/// # Errors
/// What the store says.
pub fn note_issued(
    tx: &mut Tx<'_>,
    order: Id<id::Order>,
    line: Id<OrderLine>,
    units: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "update order_line set handed = $3 where order_id = $1 and line_id = $2",
        params![order, line, units],
    )?;
    Ok(())
}

/// Orders that are still unpaid at `now` past their time, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn unpaid_due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<id::Order>>, StoreError> {
    tx.rows("select order_id from order_head where state = 1 and payment_due_at <= $1 order by payment_due_at limit $2", params![now, limit], |row| row.id())
}

/// Figures of all orders of a channel: how many, their gross, what was cancelled and what came back of it, by currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The channel.
    pub channel: Id<Channel>,
    /// The currency.
    pub currency: String,
    /// How many orders.
    pub orders: i64,
    /// How many base units were ordered.
    pub units: i64,
    /// Their gross.
    pub gross: i64,
    /// What was cancelled of it.
    pub cancelled: i64,
    /// What came back of it.
    pub returned: i64,
}

/// The figures of each channel over orders placed in a span of time.
///
/// # Errors
/// What the store says.
pub fn figures(tx: &mut Tx<'_>, from: Instant, until: Instant) -> Result<Vec<Figures>, StoreError> {
    tx.rows(
        "select o.channel_id, o.currency, cast(count(*) as {int}), cast(sum(o.units) as {int}), cast(sum(o.gross) as {int}),
            cast(sum(o.cancelled) as {int}), cast(sum(o.returned) as {int})
         from order_head o where o.placed_at >= $1 and o.placed_at < $2 group by o.channel_id, o.currency order by o.channel_id, o.currency",
        params![from, until],
        |row| {
            Ok(Figures {
                channel: row.id()?,
                currency: row.text()?,
                orders: row.int()?,
                units: row.int()?,
                gross: row.int()?,
                cancelled: row.int()?,
                returned: row.int()?,
            })
        },
    )
}
