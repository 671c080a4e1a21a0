//! The rows of returns, and of what goes with them: policies, reasons, exchanges.

pub mod claim;
pub mod exchange;
pub mod policy;
pub mod reason;

use domain::returns::{Condition, Discrepancy, Means, State, Way};
use domain::value::id::{
    self, Book, Customer, Location, Order, OrderLine, Payment, ReturnLine, ReturnPolicy, Variant,
};
use domain::value::{Currency, Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// Goods that came back, or are to. Amounts are minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// Its identity.
    pub id: Id<id::Return>,
    /// The order they were bought with, if it is known.
    pub order: Option<Id<Order>>,
    /// Whose they were, if a customer is known.
    pub customer: Option<Id<Customer>>,
    /// Where they came back to, or are to.
    pub location: Id<Location>,
    /// Where it stands.
    pub state: State,
    /// How they come back.
    pub way: Way,
    /// Why: a reason's code, or the retailer's words.
    pub reason: String,
    /// Why a colleague allowed what the policy refuses.
    pub override_reason: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// What is given back for it: the goods and the delivery, less fee and postage.
    pub refund: i64,
    /// What is kept as a fee.
    pub fee: i64,
    /// What is kept for the label.
    pub postage: i64,
    /// What of it is for the delivery.
    pub delivery: i64,
    /// What of it is tax.
    pub tax: i64,
    /// How the money is given back.
    pub means: Means,
    /// Does the order owe less for it already?
    pub credited: bool,
    /// What stands on the label, as text and as QR code.
    pub label: Option<String>,
    /// When the money is claimed back, if it was given before the goods came.
    pub due_at: Option<Instant>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
    /// When it was made.
    pub at: Instant,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Goods of one variant that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identity.
    pub id: Id<ReturnLine>,
    /// The order line they were, if it is known.
    pub order_line: Option<Id<OrderLine>>,
    /// What comes back.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// How many are here.
    pub received: i64,
    /// How many of them were looked at.
    pub graded: i64,
    /// In which condition.
    pub condition: Condition,
    /// What they are worth, before fees.
    pub refund: i64,
    /// Which policy was asked, in which version; none where none is written.
    pub policy: Option<(Id<ReturnPolicy>, i64)>,
}

/// Part of the money, on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// In which way.
    pub means: Means,
    /// How much.
    pub amount: i64,
    /// Of which payment, if of one.
    pub payment: Option<Id<Payment>>,
    /// Onto the book of which gift card or store credit.
    pub book: Option<Id<Book>>,
}

/// Adds a return with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Return) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_of_goods (return_id, order_id, customer_id, location_id, state, way, reason, override_reason, currency, refund, fee, postage,
            delivery, tax, means, credited, label, due_at, external_id, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        params![
            new.id, new.order, new.customer, new.location, new.state.code(), new.way.code(), &new.reason, new.override_reason.as_ref(),
            new.currency.code(), new.refund, new.fee, new.postage, new.delivery, new.tax, new.means.code(), new.credited, new.label.as_ref(),
            new.due_at, new.external_id.as_ref(), new.at
        ],
    )?;
    if let Some(order) = new.order {
        tx.execute(
            "insert into return_of_order (order_id, return_id) values ($1, $2)",
            params![order, new.id],
        )?;
    }
    if let Some(customer) = new.customer {
        tx.execute(
            "insert into return_of_customer (customer_id, return_id) values ($1, $2)",
            params![customer, new.id],
        )?;
    }
    for line in &new.lines {
        let (policy, version) = line.policy.unzip();
        tx.execute(
            "insert into return_line (return_id, return_line_id, order_line_id, variant_id, quantity, received, graded, condition, refund, policy_id, policy_version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            params![
                new.id, line.id, line.order_line, line.variant, line.quantity, line.received, line.graded, line.condition.code(), line.refund,
                policy, version
            ],
        )?;
    }
    Ok(())
}

/// Writes what of a return may change, with its lines. Its order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Return) -> Result<(), StoreError> {
    tx.execute(
        "update return_of_goods set location_id = $2, state = $3, refund = $4, fee = $5, postage = $6, delivery = $7, tax = $8, means = $9,
            credited = $10, label = $11, due_at = $12, override_reason = $13 where return_id = $1",
        params![
            one.id, one.location, one.state.code(), one.refund, one.fee, one.postage, one.delivery, one.tax, one.means.code(), one.credited,
            one.label.as_ref(), one.due_at, one.override_reason.as_ref()
        ],
    )?;
    for line in &one.lines {
        tx.execute(
            "update return_line set received = $3, graded = $4, condition = $5, refund = $6 where return_id = $1 and return_line_id = $2",
            params![one.id, line.id, line.received, line.graded, line.condition.code(), line.refund],
        )?;
    }
    Ok(())
}

fn unknown(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a return has an unknown {what}"))
}

fn return_of_goods(row: &mut Row<'_>) -> Result<Return, StoreError> {
    Ok(Return {
        id: row.id()?,
        order: row.id_or_null()?,
        customer: row.id_or_null()?,
        location: row.id()?,
        state: State::coded(row.int()?).ok_or_else(|| unknown("state"))?,
        way: Way::coded(row.int()?).ok_or_else(|| unknown("way"))?,
        reason: row.text()?,
        override_reason: row.text_or_null()?,
        currency: Currency::parse(&row.text()?).map_err(|_| unknown("currency"))?,
        refund: row.int()?,
        fee: row.int()?,
        postage: row.int()?,
        delivery: row.int()?,
        tax: row.int()?,
        means: Means::coded(row.int()?).ok_or_else(|| unknown("means"))?,
        credited: row.yes()?,
        label: row.text_or_null()?,
        due_at: row.instant_or_null()?,
        external_id: row.text_or_null()?,
        at: row.instant()?,
        lines: Vec::new(),
    })
}

/// A return with its lines.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<Option<Return>, StoreError> {
    let found = tx.one(
        "select return_id, order_id, customer_id, location_id, state, way, reason, override_reason, currency, refund, fee, postage, delivery, tax,
            means, credited, label, due_at, external_id, at from return_of_goods where return_id = $1",
        params![id],
        return_of_goods,
    )?;
    let Some(mut found) = found else { return Ok(None) };
    found.lines = tx.rows(
        "select return_line_id, order_line_id, variant_id, quantity, received, graded, condition, refund, policy_id, policy_version
         from return_line where return_id = $1 order by return_line_id",
        params![id],
        |row| {
            Ok(Line {
                id: row.id()?,
                order_line: row.id_or_null()?,
                variant: row.id()?,
                quantity: row.int()?,
                received: row.int()?,
                graded: row.int()?,
                condition: Condition::coded(row.int()?).ok_or_else(|| unknown("condition"))?,
                refund: row.int()?,
                policy: row.id_or_null()?.zip(row.int_or_null()?),
            })
        },
    )?;
    Ok(Some(found))
}

/// Notes a part of the money that goes back.
///
/// # Errors
/// What the store says.
pub fn add_paid(tx: &mut Tx<'_>, id: Id<id::Return>, place: i64, paid: &Paid) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_refund (return_id, place, means, amount, payment_id, book_id) values ($1, $2, $3, $4, $5, $6)",
        params![id, place, paid.means.code(), paid.amount, paid.payment, paid.book],
    )?;
    Ok(())
}

/// How the money of a return went back, in order.
///
/// # Errors
/// What the store says.
pub fn paid(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<Vec<Paid>, StoreError> {
    tx.rows(
        "select means, amount, payment_id, book_id from return_refund where return_id = $1 order by place",
        params![id],
        |row| {
            Ok(Paid {
                means: Means::coded(row.int()?).ok_or_else(|| unknown("means"))?,
                amount: row.int()?,
                payment: row.id_or_null()?,
                book: row.id_or_null()?,
            })
        },
    )
}

/// The latest return of an order, made until an instant, of which so much was given back to this payment.
///
/// # Errors
/// What the store says.
pub fn refunded_by(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    (payment, amount): (Id<Payment>, i64),
    until: Instant,
) -> Result<Option<Id<id::Return>>, StoreError> {
    tx.one(
        "select g.return_id from return_of_order o join return_of_goods g on g.return_id = o.return_id
         join return_refund r on r.return_id = o.return_id
         where o.order_id = $1 and r.payment_id = $2 and r.amount = $3 and g.at <= $4 order by g.return_id desc limit 1",
        params![order, payment, amount, until],
        |row| row.id(),
    )
}

/// Notes something that was not as announced.
///
/// # Errors
/// What the store says.
pub fn add_discrepancy(
    tx: &mut Tx<'_>,
    id: Id<id::Return>,
    (kind, variant, quantity): (Discrepancy, Id<Variant>, i64),
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_discrepancy (return_id, place, kind, variant_id, quantity, at)
         values ($1, (select cast(count(*) as {int}) from return_discrepancy where return_id = $1), $2, $3, $4, $5)",
        params![id, kind.code(), variant, quantity, now],
    )?;
    Ok(())
}

/// What of a return was not as announced, in order.
///
/// # Errors
/// What the store says.
pub fn discrepancies(
    tx: &mut Tx<'_>,
    id: Id<id::Return>,
) -> Result<Vec<(Discrepancy, Id<Variant>, i64)>, StoreError> {
    tx.rows(
        "select kind, variant_id, quantity from return_discrepancy where return_id = $1 order by place",
        params![id],
        |row| {
            let kind = Discrepancy::coded(row.int()?).ok_or_else(|| unknown("discrepancy"))?;
            Ok((kind, row.id()?, row.int()?))
        },
    )
}

/// What a customer brought back since an instant: how many returns, their value, and the value without receipt. Declined ones do not count.
///
/// # Errors
/// What the store says.
pub fn brought_back(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    since: Instant,
) -> Result<(i64, i64, i64), StoreError> {
    let found = tx.one(
        "select cast(count(*) as {int}), cast(coalesce(sum(r.refund), 0) as {int}),
            cast(coalesce(sum(case when r.order_id is null then r.refund else 0 end), 0) as {int})
         from return_of_customer c join return_of_goods r on r.return_id = c.return_id
         where c.customer_id = $1 and r.at >= $2 and r.state <> $3",
        params![customer, since, State::Declined.code()],
        |row| Ok((row.int()?, row.int()?, row.int()?)),
    )?;
    Ok(found.unwrap_or_default())
}

/// Returns whose money was given before the goods came, and which are late at `now`, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn overdue(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<id::Return>>, StoreError> {
    tx.rows(
        "select return_id from return_of_goods where credited = 1 and state in ($1, $2, $3) and due_at <= $4 order by due_at limit $5",
        params![State::Approved.code(), State::Received.code(), State::Inspected.code(), now, limit],
        |row| row.id(),
    )
}

/// Books of gift cards and store credit that have not got what returns say was put on them: the book, what they say, and what it got.
///
/// # Errors
/// What the store says.
pub fn unequal_refunds(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, i64, i64)>, StoreError> {
    tx.rows(
        "select b.book_id, coalesce(r.amount, 0), coalesce(-a.amount, 0) from book b
         left join (select book_id, cast(sum(amount) as {int}) as amount from return_refund where book_id is not null group by book_id) r on r.book_id = b.book_id
         left join account a on a.book_id = b.book_id and a.state = $1
         where b.kind in ($2, $3) and coalesce(r.amount, 0) <> coalesce(-a.amount, 0) order by b.book_id limit $4",
        params![
            domain::loyalty::State::Refunded.code(),
            domain::ledger::BookKind::GiftCard.code(),
            domain::ledger::BookKind::StoreCredit.code(),
            FINDINGS_MAX
        ],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Orders that owe less for goods that came back than their returns say, or more: the order, what its returns say, and what it has.
///
/// # Errors
/// What the store says.
pub fn unequal_credits(tx: &mut Tx<'_>) -> Result<Vec<(Id<Order>, i64, i64)>, StoreError> {
    tx.rows(
        "select o.order_id, coalesce(r.refund, 0), o.returned from order_head o
         left join (select order_id, cast(sum(refund) as {int}) as refund from return_of_goods
            where credited = 1 and order_id is not null group by order_id) r on r.order_id = o.order_id
         where o.returned <> coalesce(r.refund, 0) order by o.order_id limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// The returns of an order, in the order they came.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Id<id::Return>>, StoreError> {
    tx.rows(
        "select return_id from return_of_order where order_id = $1 order by return_id",
        params![order],
        |row| row.id(),
    )
}

/// Returns before one, the newest first, at most `limit`, without their lines.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, before: Id<id::Return>, limit: i64) -> Result<Vec<Return>, StoreError> {
    tx.rows(
        "select return_id, order_id, customer_id, location_id, state, way, reason, override_reason, currency, refund, fee, postage, delivery, tax,
            means, credited, label, due_at, external_id, at from return_of_goods
         where return_id < $1 order by return_id desc limit $2",
        params![before, limit],
        return_of_goods,
    )
}

/// Notes that the money of a return was given back.
///
/// # Errors
/// What the store says.
pub fn refunded(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<(), StoreError> {
    tx.execute(
        "update return_of_goods set state = $2 where return_id = $1",
        params![id, State::Refunded.code()],
    )?;
    Ok(())
}
