//! The rows of claims: what is wrong with which goods, how it was made good, and what we want of the carrier.

use domain::returns::Means;
use domain::returns::claim::{CarrierState, Found, Kind, Remedy, State, Whereabouts};
use domain::value::id::{self, Customer, Location, Order, OrderLine, Parcel, Return, ReturnPolicy, Variant};
use domain::value::{Currency, Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// What a customer says of goods. Amounts are minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its identity.
    pub id: Id<id::Claim>,
    /// The order.
    pub order: Id<Order>,
    /// Whose it is, if a customer is known.
    pub customer: Option<Id<Customer>>,
    /// Where the goods left from.
    pub location: Id<Location>,
    /// The parcel they were in, if it is known.
    pub parcel: Option<Id<Parcel>>,
    /// What is wrong.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Why: a reason's code, or words.
    pub reason: String,
    /// Where photos and notes are found.
    pub evidence: Option<String>,
    /// How the customer wishes it to be made good.
    pub wished: Option<Remedy>,
    /// Why a colleague allowed what the policy refuses.
    pub override_reason: Option<String>,
    /// Why it was declined.
    pub decline_reason: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// What the goods were sold for.
    pub value: i64,
    /// How it was made good.
    pub remedy: Option<Remedy>,
    /// What was given back for it at once.
    pub refund: i64,
    /// How.
    pub means: Option<Means>,
    /// The return in which the money, or the goods, go back.
    pub taken: Option<Id<Return>>,
    /// What we want of the carrier.
    pub carrier: Option<AtCarrier>,
    /// Where and when its parcel turned up after all.
    pub found: Option<(Found, Instant)>,
    /// What became of the goods that turned up.
    pub whereabouts: Option<Whereabouts>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
    /// When it was made.
    pub at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// What we want of the carrier for lost or damaged goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtCarrier {
    /// Where it stands.
    pub state: CarrierState,
    /// How much.
    pub amount: i64,
    /// How much of it was paid.
    pub paid: i64,
    /// The carrier's own number for it.
    pub reference: Option<String>,
}

/// Goods of an order line that are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The order line.
    pub line: Id<OrderLine>,
    /// What was sold.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// What they were sold for.
    pub value: i64,
    /// What was given back for them at once.
    pub refund: i64,
    /// Which policy was asked, in which version; none where none is written.
    pub policy: Option<(Id<ReturnPolicy>, i64)>,
}

/// Adds a claim with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Claim) -> Result<(), StoreError> {
    tx.execute(
        "insert into claim (claim_id, order_id, customer_id, location_id, parcel_id, kind, state, reason, evidence, wished, override_reason, currency,
            value, refund, carrier_amount, carrier_paid, external_id, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0, $14, $15)",
        params![
            new.id, new.order, new.customer, new.location, new.parcel, new.kind.code(), new.state.code(), &new.reason, new.evidence.as_ref(),
            new.wished.map(Remedy::code), new.override_reason.as_ref(), new.currency.code(), new.value, new.external_id.as_ref(), new.at
        ],
    )?;
    tx.execute(
        "insert into claim_of_order (order_id, claim_id) values ($1, $2)",
        params![new.order, new.id],
    )?;
    for line in &new.lines {
        let (policy, version) = line.policy.unzip();
        tx.execute(
            "insert into claim_line (claim_id, order_line_id, variant_id, quantity, value, refund, policy_id, policy_version)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![new.id, line.line, line.variant, line.quantity, line.value, line.refund, policy, version],
        )?;
    }
    Ok(())
}

/// Writes what of a claim may change, with its lines. Its order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Claim) -> Result<(), StoreError> {
    let carrier = one.carrier.as_ref();
    tx.execute(
        "update claim set state = $2, override_reason = $3, decline_reason = $4, remedy = $5, refund = $6, means = $7, return_id = $8,
            carrier_state = $9, carrier_amount = $10, carrier_paid = $11, carrier_reference = $12, found = $13, found_at = $14, whereabouts = $15,
            ended_at = $16 where claim_id = $1",
        params![
            one.id, one.state.code(), one.override_reason.as_ref(), one.decline_reason.as_ref(), one.remedy.map(Remedy::code), one.refund,
            one.means.map(Means::code), one.taken, carrier.map(|carrier| carrier.state.code()), carrier.map_or(0, |carrier| carrier.amount),
            carrier.map_or(0, |carrier| carrier.paid), carrier.and_then(|carrier| carrier.reference.as_ref()),
            one.found.map(|(found, _)| found.code()), one.found.map(|(_, at)| at), one.whereabouts.map(Whereabouts::code), one.ended_at
        ],
    )?;
    for line in &one.lines {
        tx.execute(
            "update claim_line set value = $3, refund = $4 where claim_id = $1 and order_line_id = $2",
            params![one.id, line.line, line.value, line.refund],
        )?;
    }
    Ok(())
}

fn claim(row: &mut Row<'_>) -> Result<Claim, StoreError> {
    let unknown = |what: &str| StoreError::Corrupt(format!("a claim has an unknown {what}"));
    Ok(Claim {
        id: row.id()?,
        order: row.id()?,
        customer: row.id_or_null()?,
        location: row.id()?,
        parcel: row.id_or_null()?,
        kind: row.word(Kind::coded)?,
        state: row.word(State::coded)?,
        reason: row.text()?,
        evidence: row.text_or_null()?,
        wished: row.word_or_null(Remedy::coded)?,
        override_reason: row.text_or_null()?,
        decline_reason: row.text_or_null()?,
        currency: Currency::parse(&row.text()?).map_err(|_| unknown("currency"))?,
        value: row.int()?,
        remedy: row.word_or_null(Remedy::coded)?,
        refund: row.int()?,
        means: row.word_or_null(Means::coded)?,
        taken: row.id_or_null()?,
        carrier: at_carrier(row)?,
        found: row.word_or_null(Found::coded)?.zip(row.instant_or_null()?),
        whereabouts: row.word_or_null(Whereabouts::coded)?,
        external_id: row.text_or_null()?,
        at: row.instant()?,
        ended_at: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

fn at_carrier(row: &mut Row<'_>) -> Result<Option<AtCarrier>, StoreError> {
    let state = row.word_or_null(CarrierState::coded)?;
    let (amount, paid, reference) = (row.int()?, row.int()?, row.text_or_null()?);
    Ok(state.map(|state| AtCarrier { state, amount, paid, reference }))
}

/// A claim with its lines.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Claim>) -> Result<Option<Claim>, StoreError> {
    let found = tx.one(
        "select claim_id, order_id, customer_id, location_id, parcel_id, kind, state, reason, evidence, wished, override_reason, decline_reason,
            currency, value, remedy, refund, means, return_id, carrier_state, carrier_amount, carrier_paid, carrier_reference, found, found_at,
            whereabouts, external_id, at, ended_at from claim where claim_id = $1",
        params![id],
        claim,
    )?;
    let Some(mut found) = found else { return Ok(None) };
    found.lines = tx.rows(
        "select order_line_id, variant_id, quantity, value, refund, policy_id, policy_version from claim_line where claim_id = $1 order by order_line_id",
        params![id],
        |row| {
            Ok(Line {
                line: row.id()?,
                variant: row.id()?,
                quantity: row.int()?,
                value: row.int()?,
                refund: row.int()?,
                policy: row.id_or_null()?.zip(row.int_or_null()?),
            })
        },
    )?;
    Ok(Some(found))
}

/// The claims of an order, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Id<id::Claim>>, StoreError> {
    tx.rows(
        "select claim_id from claim_of_order where order_id = $1 order by claim_id",
        params![order],
        |row| row.id(),
    )
}

/// Which claims are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Those that stand so; any when `None`.
    pub state: Option<State>,
    /// Only those whose parcel turned up and of which nobody said what became of the goods.
    pub turned_up: bool,
}

/// Claims before one, the newest first, at most `limit`, without their lines.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    before: Id<id::Claim>,
    wanted: Wanted,
    limit: i64,
) -> Result<Vec<Claim>, StoreError> {
    tx.rows(
        "select claim_id, order_id, customer_id, location_id, parcel_id, kind, state, reason, evidence, wished, override_reason, decline_reason,
            currency, value, remedy, refund, means, return_id, carrier_state, carrier_amount, carrier_paid, carrier_reference, found, found_at,
            whereabouts, external_id, at, ended_at from claim
         where claim_id < $1 and ($2 = 0 or state = $2) and ($3 = 0 or (found is not null and whereabouts is null))
         order by claim_id desc limit $4",
        params![before, wanted.state.map_or(0, State::code), i64::from(wanted.turned_up), limit],
        claim,
    )
}

/// How many of which lines of an order are claimed and nothing was decided of them, or they were not made good yet.
///
/// # Errors
/// What the store says.
pub fn live(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<(Id<OrderLine>, i64)>, StoreError> {
    tx.rows(
        "select l.order_line_id, l.quantity from claim_of_order o join claim c on c.claim_id = o.claim_id join claim_line l on l.claim_id = o.claim_id
         where o.order_id = $1 and c.state in ($2, $3)",
        params![order, State::Requested.code(), State::Approved.code()],
        |row| Ok((row.id()?, row.int()?)),
    )
}

/// Order lines of which more is claimed, and not made good yet, than was not cancelled and did not come back: how many could be, how many are.
/// A service may be cancelled while it is claimed; it is not made good then.
///
/// # Errors
/// What the store says.
pub fn overclaimed(tx: &mut Tx<'_>) -> Result<Vec<(Id<OrderLine>, i64, i64)>, StoreError> {
    tx.rows(
        "select l.line_id, max(l.quantity - l.cancelled - l.returned), cast(sum(k.quantity) as {int})
         from claim c join claim_line k on k.claim_id = c.claim_id join order_line l on l.order_id = c.order_id and l.line_id = k.order_line_id
         where c.state in ($1, $2)
            and exists (select 1 from fulfilment_line f where f.order_id = l.order_id and f.line_id = l.line_id)
         group by l.order_id, l.line_id
         having sum(k.quantity) > max(l.quantity - l.cancelled - l.returned) order by l.line_id limit $3",
        params![State::Requested.code(), State::Approved.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Claims that were made good with money of which their lines, or their return, say something else: what they say, what the others say.
///
/// # Errors
/// What the store says.
pub fn unequal_refunds(tx: &mut Tx<'_>) -> Result<Vec<(Id<id::Claim>, i64, i64)>, StoreError> {
    tx.rows(
        "select c.claim_id, c.refund, case when r.refund is null then -1 when r.credited = 0 then 0 else r.refund end
         from claim c left join return_of_goods r on r.return_id = c.return_id
         join (select claim_id, cast(sum(refund) as {int}) as refund from claim_line group by claim_id) l on l.claim_id = c.claim_id
         where c.state = $1 and c.remedy = $2 and (r.refund is null or r.credited = 0 or c.refund <> r.refund or l.refund > c.refund)
         order by c.claim_id limit $3",
        params![State::Resolved.code(), Remedy::Refund.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
