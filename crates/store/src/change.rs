//! The rows of changes of orders: what they put in, take out and correct, what is kept for them, and what channels allow.

use domain::change::{AddedAt, Rule, State, What};
use domain::delivery::Kind;
use domain::ledger::HoldState;
use domain::tax::Taxed;
use domain::value::id::{
    self, Channel, Contact, DeliveryMethod, Location, Order, OrderChange, OrderLine, Variant,
};
use domain::value::{Country, Id, Instant, Rate};

use crate::cart::Destination;
use crate::order::{taken, takes};
use crate::{Row, StoreError, Tx, params};

/// Which change of which order.
pub type Which = (Id<Order>, Id<OrderChange>);

/// A change of an order. Amounts are minor units of the order's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The order.
    pub order: Id<Order>,
    /// Its identity.
    pub id: Id<OrderChange>,
    /// Where it stands.
    pub state: State,
    /// Why, in the words of who asked.
    pub reason: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// The order's other goods are served anew, since they go another way or to another place.
    pub served_anew: bool,
    /// How the order was delivered before it.
    pub before: Way,
    /// How the order is after it.
    pub after: After,
    /// What it adds to what the order owes, without tax, of tax, and with it; less than nothing when it takes away.
    pub difference: Taxed,
    /// What was missing of the order's money when it was shown, if it were done: to be paid with the yes, in minor units.
    pub to_pay: i64,
    /// What would have been given back, in minor units.
    pub to_refund: i64,
    /// When it was shown.
    pub made_at: Instant,
    /// Until when it can be confirmed.
    pub expires_at: Instant,
    /// When it was confirmed, declined or expired.
    pub ended_at: Option<Instant>,
    /// Until when money for it is waited for; its goods are not prepared before.
    pub paid_by: Option<Instant>,
    /// What it puts in, takes out and corrects.
    pub lines: Vec<Line>,
}

/// How an order is delivered, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// How it reaches the customer.
    pub kind: Kind,
    /// Where it is collected, or was sold.
    pub location: Option<Id<Location>>,
    /// The way of delivery.
    pub method: Option<Id<DeliveryMethod>>,
    /// The delivery charge.
    pub charge: Taxed,
    /// The charge's tax rate.
    pub charge_rate: Rate,
}

/// How and where an order goes after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// How it is delivered.
    pub way: Way,
    /// When what other locations send to where it is collected would be expected there, if it were done when it was shown.
    pub expected_at: Option<Instant>,
    /// To whom it goes.
    pub contact: Option<Id<Contact>>,
    /// Of the address, what taxes and delivery charges depend on.
    pub destination: Option<Destination>,
    /// A word for the colleagues who prepare it.
    pub note: Option<String>,
}

/// One thing a change does to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it does.
    pub what: What,
    /// The order line; for one put in, the one it becomes.
    pub line: Id<OrderLine>,
    /// The variant.
    pub variant: Id<Variant>,
    /// Its SKU.
    pub sku: String,
    /// Its title.
    pub title: String,
    /// How many units.
    pub quantity: i64,
    /// The price of one: for a corrected line the new one.
    pub unit: i64,
    /// What it adds to what the order owes; less than nothing when it takes away.
    pub amounts: Taxed,
    /// The tax rate.
    pub tax_rate: Rate,
    /// What one unit takes from shelves.
    pub takes: Vec<(Id<Variant>, i64)>,
}

/// Adds a change with its lines and what is kept for it; false when another change of the order is open.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Change, kept: &[(Id<Variant>, i64)]) -> Result<bool, StoreError> {
    let (before, after, to) = (&new.before, &new.after, new.after.destination.as_ref());
    let way = &after.way;
    let added = tx.execute(
        "insert into order_change (order_id, change_id, state, reason, actor, served_anew, kind, location_id, delivery_method_id,
             delivery_net, delivery_tax, delivery_gross, delivery_rate, kind_before, location_before_id, delivery_method_before_id,
             delivery_net_before, delivery_tax_before, delivery_gross_before, delivery_rate_before, contact_id, country, region, postal_area,
             note, sent_by, net, tax, gross, to_pay, to_refund, made_at, expires_at, ended_at, paid_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
             $28, $29, $30, $31, $32, $33, $34, $35)
         on conflict do nothing",
        params![
            new.order,
            new.id,
            new.state.code(),
            new.reason.as_ref(),
            &new.actor,
            new.served_anew,
            way.kind.code(),
            way.location,
            way.method,
            way.charge.net_minor,
            way.charge.tax_minor,
            way.charge.gross_minor,
            way.charge_rate.parts_per_million(),
            before.kind.code(),
            before.location,
            before.method,
            before.charge.net_minor,
            before.charge.tax_minor,
            before.charge.gross_minor,
            before.charge_rate.parts_per_million(),
            after.contact,
            to.map(|to| to.country.code()),
            to.and_then(|to| to.region.as_ref()),
            to.and_then(|to| to.postal_area.as_ref()),
            after.note.as_ref(),
            after.expected_at,
            new.difference.net_minor,
            new.difference.tax_minor,
            new.difference.gross_minor,
            new.to_pay,
            new.to_refund,
            new.made_at,
            new.expires_at,
            new.ended_at,
            new.paid_by
        ],
    )?;
    if added == 0 {
        return Ok(false);
    }
    for (position, line) in (0i64..).zip(&new.lines) {
        add_line(tx, (new.order, new.id), position, line)?;
    }
    for (variant, quantity) in kept {
        tx.execute(
            "insert into order_change_hold (order_id, change_id, variant_id, quantity) values ($1, $2, $3, $4)",
            params![new.order, new.id, *variant, *quantity],
        )?;
    }
    Ok(true)
}

fn add_line(tx: &mut Tx<'_>, of: Which, position: i64, line: &Line) -> Result<(), StoreError> {
    let takes = taken(&line.takes)?;
    tx.execute(
        "insert into order_change_line (order_id, change_id, position, what, line_id, variant_id, sku, title, quantity, unit, net, tax,
             gross, tax_rate, takes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        params![
            of.0,
            of.1,
            position,
            line.what.code(),
            line.line,
            line.variant,
            &line.sku,
            &line.title,
            line.quantity,
            line.unit,
            line.amounts.net_minor,
            line.amounts.tax_minor,
            line.amounts.gross_minor,
            line.tax_rate.parts_per_million(),
            &takes
        ],
    )?;
    Ok(())
}

fn amounts(row: &mut Row<'_>) -> Result<Taxed, StoreError> {
    Ok(Taxed { net_minor: row.int()?, tax_minor: row.int()?, gross_minor: row.int()? })
}

fn rate(row: &mut Row<'_>) -> Result<Rate, StoreError> {
    row.word(|parts| Rate::from_parts_per_million(parts).ok())
}

fn way(row: &mut Row<'_>) -> Result<Way, StoreError> {
    Ok(Way {
        kind: row.word(Kind::coded)?,
        location: row.id_or_null()?,
        method: row.id_or_null()?,
        charge: amounts(row)?,
        charge_rate: rate(row)?,
    })
}

fn change(row: &mut Row<'_>) -> Result<Change, StoreError> {
    let (order, id) = (row.id()?, row.id()?);
    let (state, reason, actor, served_anew) =
        (row.word(State::coded)?, row.text_or_null()?, row.text()?, row.yes()?);
    let (after, before) = (way(row)?, way(row)?);
    Ok(Change {
        order,
        id,
        state,
        reason,
        actor,
        served_anew,
        before,
        after: After {
            way: after,
            contact: row.id_or_null()?,
            destination: destination(row)?,
            note: row.text_or_null()?,
            expected_at: row.instant_or_null()?,
        },
        difference: amounts(row)?,
        to_pay: row.int()?,
        to_refund: row.int()?,
        made_at: row.instant()?,
        expires_at: row.instant()?,
        ended_at: row.instant_or_null()?,
        paid_by: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

fn destination(row: &mut Row<'_>) -> Result<Option<Destination>, StoreError> {
    let country = row.value_or_null(Country::parse)?;
    let (region, postal_area) = (row.text_or_null()?, row.text_or_null()?);
    Ok(country.map(|country| Destination { country, region, postal_area }))
}

/// A change with its lines.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, which: Which) -> Result<Option<Change>, StoreError> {
    let found = tx.one(
        "select order_id, change_id, state, reason, actor, served_anew, kind, location_id, delivery_method_id, delivery_net,
             delivery_tax, delivery_gross, delivery_rate, kind_before, location_before_id, delivery_method_before_id, delivery_net_before,
             delivery_tax_before, delivery_gross_before, delivery_rate_before, contact_id, country, region, postal_area, note, sent_by, net, tax,
             gross, to_pay, to_refund, made_at, expires_at, ended_at, paid_by
         from order_change where order_id = $1 and change_id = $2",
        params![which.0, which.1],
        change,
    )?;
    found.map(|change| with_lines(tx, change)).transpose()
}

/// The changes of an order before one, the newest first, at most `limit`, with their lines.
///
/// # Errors
/// What the store says.
pub fn of_order(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    before: Id<OrderChange>,
    limit: i64,
) -> Result<Vec<Change>, StoreError> {
    let found = tx.rows(
        "select order_id, change_id, state, reason, actor, served_anew, kind, location_id, delivery_method_id, delivery_net,
             delivery_tax, delivery_gross, delivery_rate, kind_before, location_before_id, delivery_method_before_id, delivery_net_before,
             delivery_tax_before, delivery_gross_before, delivery_rate_before, contact_id, country, region, postal_area, note, sent_by, net, tax,
             gross, to_pay, to_refund, made_at, expires_at, ended_at, paid_by
         from order_change where order_id = $1 and change_id < $2 order by change_id desc limit $3",
        params![order, before, limit],
        change,
    )?;
    found.into_iter().map(|change| with_lines(tx, change)).collect()
}

fn with_lines(tx: &mut Tx<'_>, mut change: Change) -> Result<Change, StoreError> {
    change.lines = tx.rows(
        "select what, line_id, variant_id, sku, title, quantity, unit, net, tax, gross, tax_rate, takes
         from order_change_line where order_id = $1 and change_id = $2 order by position",
        params![change.order, change.id],
        |row| {
            Ok(Line {
                what: row.word(What::coded)?,
                line: row.id()?,
                variant: row.id()?,
                sku: row.text()?,
                title: row.text()?,
                quantity: row.int()?,
                unit: row.int()?,
                amounts: amounts(row)?,
                tax_rate: rate(row)?,
                takes: takes(&row.text()?)?,
            })
        },
    )?;
    Ok(change)
}

/// Writes where a change stands, when it ended and until when its money is waited for. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, change: &Change) -> Result<(), StoreError> {
    tx.execute(
        "update order_change set state = $3, ended_at = $4, paid_by = $5 where order_id = $1 and change_id = $2",
        params![change.order, change.id, change.state.code(), change.ended_at, change.paid_by],
    )?;
    Ok(())
}

/// Previews whose time ran out at `now`, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select order_id, change_id from order_change where state = 1 and expires_at <= $1 order by expires_at limit $2",
        params![now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Changes whose money was waited for until `now` or longer, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn unpaid(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select order_id, change_id from order_change where paid_by is not null and paid_by <= $1 order by paid_by limit $2",
        params![now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// The changes of an order whose money is waited for.
///
/// # Errors
/// What the store says.
pub fn waiting(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Id<OrderChange>>, StoreError> {
    tx.rows(
        "select change_id from order_change where order_id = $1 and paid_by is not null order by change_id",
        params![order],
        |row| row.id(),
    )
}

/// What a channel allows, if it says so.
///
/// # Errors
/// What the store says.
pub fn rule(tx: &mut Tx<'_>, channel: Id<Channel>) -> Result<Option<Rule>, StoreError> {
    tx.one(
        "select customers, delivery_anew, added_at, preview_minutes, correction_most, correction_most_minor from change_rule where channel_id = $1",
        params![channel],
        |row| {
            Ok(Rule {
                customers: row.yes()?,
                delivery_anew: row.yes()?,
                added_at: row.word(AddedAt::coded)?,
                preview_minutes: row.int()?,
                correction_most: rate(row)?,
                correction_most_minor: row.int_or_null()?,
            })
        },
    )
}

/// Writes what a channel allows.
///
/// # Errors
/// What the store says.
pub fn set_rule(tx: &mut Tx<'_>, channel: Id<Channel>, rule: &Rule) -> Result<(), StoreError> {
    tx.execute(
        "insert into change_rule (channel_id, customers, delivery_anew, added_at, preview_minutes, correction_most, correction_most_minor)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (channel_id) do update set customers = excluded.customers, delivery_anew = excluded.delivery_anew,
             added_at = excluded.added_at, preview_minutes = excluded.preview_minutes, correction_most = excluded.correction_most,
             correction_most_minor = excluded.correction_most_minor",
        params![
            channel,
            rule.customers,
            rule.delivery_anew,
            rule.added_at.code(),
            rule.preview_minutes,
            rule.correction_most.parts_per_million(),
            rule.correction_most_minor
        ],
    )?;
    Ok(())
}

/// So many of a variant that are kept for a change, named in text as holds name it.
pub type Kept = (String, Id<Variant>, i64);

/// What is kept for open changes.
///
/// # Errors
/// What the store says.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<Kept>, StoreError> {
    tx.rows(
        "select h.change_id, h.variant_id, h.quantity from order_change_hold h
         join order_change c on c.order_id = h.order_id and c.change_id = h.change_id where c.state = 1",
        &[],
        |row| Ok((row.id::<id::OrderChange>()?.to_string(), row.id()?, row.int()?)),
    )
}

/// What was kept for one change when it was shown.
///
/// # Errors
/// What the store says.
pub fn kept_for(tx: &mut Tx<'_>, which: Which) -> Result<Vec<(Id<Variant>, i64)>, StoreError> {
    tx.rows(
        "select variant_id, quantity from order_change_hold where order_id = $1 and change_id = $2",
        params![which.0, which.1],
        |row| Ok((row.id()?, row.int()?)),
    )
}

/// What holds keep for changes, or gave back before their changes ended.
///
/// # Errors
/// What the store says.
pub fn held(tx: &mut Tx<'_>) -> Result<Vec<(Kept, HoldState)>, StoreError> {
    tx.rows(
        "select cause_id, book_id, amount, state from hold where state in (1, 3) and cause_kind = 'change'",
        &[],
        |row| Ok(((row.text()?, row.id()?, row.int()?), row.word(HoldState::coded)?)),
    )
}

/// So many units of a line of an order.
pub type Units = (Id<Order>, Id<OrderLine>, i64);

/// Lines of confirmed changes that their orders do not show: put in and not there as such, or taken out and not cancelled.
///
/// # Errors
/// What the store says.
pub fn undone(tx: &mut Tx<'_>) -> Result<Vec<Units>, StoreError> {
    tx.rows(
        "select order_id, line_id, units from (
             select l.order_id as order_id, l.line_id as line_id, l.quantity as units from order_change_line l
             join order_change c on c.order_id = l.order_id and c.change_id = l.change_id
             where c.state = 2 and l.what = 1 and not exists (
                 select 1 from order_line o where o.order_id = l.order_id and o.line_id = l.line_id and o.quantity = l.quantity)
             union all
             select o.order_id, o.line_id, cast(sum(l.quantity) as {int}) from order_change_line l
             join order_change c on c.order_id = l.order_id and c.change_id = l.change_id
             join order_line o on o.order_id = l.order_id and o.line_id = l.line_id
             where c.state = 2 and l.what = 2 group by o.order_id, o.line_id, o.cancelled having sum(l.quantity) > o.cancelled
         ) both_sides order by order_id, line_id limit 100",
        &[],
        |row| Ok((row.id()?, row.id()?, row.int()?)),
    )
}

/// Orders whose open change is not the one they name, or that name one that is not open.
///
/// # Errors
/// What the store says.
pub fn lost(tx: &mut Tx<'_>) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select order_id from (
             select c.order_id as order_id from order_change c join order_head o on o.order_id = c.order_id
             where c.state = 1 and (o.open_change_id is null or o.open_change_id <> c.change_id)
             union
             select o.order_id from order_head o where o.open_change_id is not null and not exists (
                 select 1 from order_change c where c.order_id = o.order_id and c.change_id = o.open_change_id and c.state = 1)
         ) both_sides order by order_id limit 100",
        &[],
        |row| row.id(),
    )
}
