//! The rows of payments: amounts change by guarded updates only, so no crowd can take or give back more than is open.

pub mod account;
pub mod carry;
pub mod credit;
mod part;
pub mod receivable;
pub mod reconciliation;
pub mod sequence;

use domain::payment::{Amounts, Kind, State, Timing};
use domain::value::id::{Location, Order, Payment as PaymentKind, PaymentAccount, Profile};
use domain::value::{Currency, Id, Instant};

pub use part::{Part, PartEnd, add_capture, add_refund, captures, end_capture, end_refund, refunds};

use crate::{Param, Row, StoreError, Tx, params};

/// Money asked for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its identity.
    pub id: Id<PaymentKind>,
    /// The order it pays.
    pub order: Id<Order>,
    /// How it is paid.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Asked, allowed, taken, given back.
    pub amounts: Amounts,
    /// How many points pay it, for payments by points.
    pub points: Option<i64>,
    /// When authorised money is taken.
    pub timing: Timing,
    /// Where it is taken.
    pub location: Option<Id<Location>>,
    /// The account it is taken by, where the retailer has several.
    pub account: Option<Id<PaymentAccount>>,
    /// What the provider gave the browser for the card, or whatever else pays.
    pub provider_token: Option<String>,
    /// The provider's own id of it.
    pub provider_reference: Option<String>,
    /// With this the customer's browser shows the provider's own question, as long as one waits.
    pub client_secret: Option<String>,
    /// Why the provider said no.
    pub failure: Option<String>,
    /// Last four digits, approval code and terminal's reference of a card record.
    pub card: Option<(String, String, String)>,
    /// The profile of the card, where the terminal calls it by a token.
    pub profile: Option<Id<Profile>>,
    /// When it expires unless it is authorised before.
    pub expires_at: Option<Instant>,
    /// When it was made.
    pub made_at: Instant,
    /// Counts its changes, from 1.
    pub version: i64,
}

fn word<T>(found: Option<T>, what: &str) -> Result<T, StoreError> {
    found.ok_or_else(|| StoreError::Corrupt(format!("a payment has an unknown {what}")))
}

fn payment(row: &mut Row<'_>) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: row.id()?,
        order: row.id()?,
        kind: word(Kind::coded(row.int()?), "kind")?,
        state: word(State::coded(row.int()?), "state")?,
        currency: word(Currency::parse(&row.text()?).ok(), "currency")?,
        amounts: Amounts {
            amount: row.int()?,
            authorised: row.int()?,
            capturing: row.int()?,
            captured: row.int()?,
            refunding: row.int()?,
            refunded: row.int()?,
            carried: row.int()?,
        },
        points: row.int_or_null()?,
        timing: word(Timing::coded(row.int()?), "timing")?,
        location: row.id_or_null()?,
        account: row.id_or_null()?,
        provider_token: row.text_or_null()?,
        provider_reference: row.text_or_null()?,
        client_secret: row.text_or_null()?,
        failure: row.text_or_null()?,
        card: card(row)?,
        profile: row.id_or_null()?,
        expires_at: row.instant_or_null()?,
        made_at: row.instant()?,
        version: row.int()?,
    })
}

fn card(row: &mut Row<'_>) -> Result<Option<(String, String, String)>, StoreError> {
    let (last_four, approval_code, terminal) =
        (row.text_or_null()?, row.text_or_null()?, row.text_or_null()?);
    Ok(last_four
        .zip(approval_code)
        .zip(terminal)
        .map(|((last_four, code), terminal)| (last_four, code, terminal)))
}

/// Adds a payment.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, payment: &Payment) -> Result<(), StoreError> {
    let card = payment.card.as_ref();
    let amounts = &payment.amounts;
    tx.execute(
        "insert into payment (payment_id, order_id, kind, state, currency, amount, authorised, capturing, captured, refunding, refunded,
             points, timing, location_id, provider_token, card_last_four, card_approval_code, card_terminal, expires_at, made_at, version,
             account_id, profile_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
        params![
            payment.id,
            payment.order,
            payment.kind.code(),
            payment.state.code(),
            payment.currency.code(),
            amounts.amount,
            amounts.authorised,
            amounts.capturing,
            amounts.captured,
            amounts.refunding,
            amounts.refunded,
            payment.points,
            payment.timing.code(),
            payment.location,
            payment.provider_token.as_ref(),
            card.map(|card| &card.0),
            card.map(|card| &card.1),
            card.map(|card| &card.2),
            payment.expires_at,
            payment.made_at,
            payment.version,
            payment.account,
            payment.profile,
        ],
    )?;
    tx.execute(
        "insert into order_payment (order_id, payment_id) values ($1, $2)",
        params![payment.order, payment.id],
    )?;
    if let Some((last_four, _, _)) = card {
        tx.execute(
            "insert into payment_by_card (last_four, order_id) values ($1, $2) on conflict (last_four, order_id) do nothing",
            params![last_four, payment.order],
        )?;
    }
    Ok(())
}

/// A payment.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<PaymentKind>) -> Result<Option<Payment>, StoreError> {
    tx.one(
        "select payment_id, order_id, kind, state, currency, amount, authorised, capturing, captured, refunding, refunded, carried, points, timing,
             location_id, account_id, provider_token, provider_reference, client_secret, failure, card_last_four, card_approval_code, card_terminal, profile_id,
             expires_at, made_at, version
         from payment where payment_id = $1",
        params![id],
        payment,
    )
}

/// The payments of an order, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Payment>, StoreError> {
    let ids: Vec<[u8; 16]> = tx.rows(
        "select payment_id from order_payment where order_id = $1 order by payment_id",
        params![order],
        |row| row.key(),
    )?;
    tx.rows(
        "select payment_id, order_id, kind, state, currency, amount, authorised, capturing, captured, refunding, refunded, carried, points, timing,
             location_id, account_id, provider_token, provider_reference, client_secret, failure, card_last_four, card_approval_code, card_terminal, profile_id,
             expires_at, made_at, version
         from payment where payment_id {in ids $1} order by payment_id",
        &[Param::Ids(&ids)],
        payment,
    )
}

/// Created payments whose time has run out, the longest waiting first.
///
/// # Errors
/// What the store says.
pub fn overdue(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<PaymentKind>>, StoreError> {
    tx.rows(
        "select payment_id from payment where state = $1 and expires_at <= $2 order by expires_at limit $3",
        params![State::Created.code(), now, limit],
        |row| row.id(),
    )
}

/// Moves a payment from one state to another in which nothing was taken; false when it was not in the first any more, or money is being taken.
///
/// # Errors
/// What the store says.
pub fn end(
    tx: &mut Tx<'_>,
    id: Id<PaymentKind>,
    from: State,
    to: State,
    failure: Option<&str>,
) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set state = $3, failure = $4, client_secret = null, version = version + 1
         where payment_id = $1 and state = $2 and captured = 0 and capturing = 0",
        params![id, from.code(), to.code(), failure],
    )?;
    Ok(moved == 1)
}

/// Notes the provider's own id of a payment that is still waited for.
///
/// # Errors
/// What the store says.
pub fn note_reference(tx: &mut Tx<'_>, id: Id<PaymentKind>, reference: &str) -> Result<(), StoreError> {
    tx.execute(
        "update payment set provider_reference = $3, version = version + 1
         where payment_id = $1 and state = $2 and (provider_reference is null or provider_reference <> $3)",
        params![id, State::Created.code(), reference],
    )?;
    Ok(())
}

/// Notes that the provider asks the customer something, and with which secret the browser shows it.
///
/// # Errors
/// What the store says.
pub fn note_question(
    tx: &mut Tx<'_>,
    id: Id<PaymentKind>,
    reference: &str,
    client_secret: &str,
) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update payment set provider_reference = $3, client_secret = $4, version = version + 1
         where payment_id = $1 and state = $2 and (client_secret is null or client_secret <> $4)",
        params![id, State::Created.code(), reference, client_secret],
    )?;
    Ok(noted == 1)
}

/// The provider allowed the whole amount; false when the payment is no longer waited for.
///
/// # Errors
/// What the store says.
pub fn authorise(tx: &mut Tx<'_>, id: Id<PaymentKind>, reference: &str) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set state = $3, authorised = amount, provider_reference = $4, client_secret = null, version = version + 1
         where payment_id = $1 and state = $2",
        params![id, State::Created.code(), State::Authorised.code(), reference],
    )?;
    Ok(moved == 1)
}

/// Money arrived without a provider: allowed and taken in one; false when more arrived than is open.
///
/// # Errors
/// What the store says.
pub fn receive(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set authorised = authorised + $2, captured = captured + $2, state = $3, version = version + 1
         where payment_id = $1 and state in ($3, $4) and authorised + $2 <= amount",
        params![id, amount, State::Captured.code(), State::Created.code()],
    )?;
    Ok(moved == 1)
}

/// Sets an authorised amount aside while the provider is asked to take it; false when less is open.
///
/// # Errors
/// What the store says.
pub fn begin_capture(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set capturing = capturing + $2, version = version + 1
         where payment_id = $1 and state in ($3, $4) and captured + capturing + $2 <= authorised",
        params![id, amount, State::Authorised.code(), State::Captured.code()],
    )?;
    Ok(moved == 1)
}

/// What was set aside is taken.
///
/// # Errors
/// What the store says.
pub fn finish_capture(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<(), StoreError> {
    tx.execute(
        "update payment set capturing = capturing - $2, captured = captured + $2, state = $3, version = version + 1 where payment_id = $1",
        params![id, amount, State::Captured.code()],
    )?;
    Ok(())
}

/// What was set aside could not be taken.
///
/// # Errors
/// What the store says.
pub fn fail_capture(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<(), StoreError> {
    tx.execute(
        "update payment set capturing = capturing - $2, version = version + 1 where payment_id = $1",
        params![id, amount],
    )?;
    Ok(())
}

/// Sets a taken amount aside while the provider is asked to give it back; false when less is open.
///
/// # Errors
/// What the store says.
pub fn begin_refund(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set refunding = refunding + $2, version = version + 1
         where payment_id = $1 and refunded + refunding + carried + $2 <= captured",
        params![id, amount],
    )?;
    Ok(moved == 1)
}

/// Lets go of part of an authorised amount that nobody takes any more; false when less is open.
///
/// # Errors
/// What the store says.
pub fn reduce(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set authorised = authorised - $2, version = version + 1
         where payment_id = $1 and state in ($3, $4) and captured + capturing + $2 <= authorised and authorised > $2",
        params![id, amount, State::Authorised.code(), State::Captured.code()],
    )?;
    Ok(moved == 1)
}

/// The orders paid with a card that ends in these digits, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn orders_by_card(tx: &mut Tx<'_>, last_four: &str, limit: i64) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select order_id from payment_by_card where last_four = $1 order by order_id desc limit $2",
        params![last_four, limit],
        |row| row.id(),
    )
}

/// What was set aside is given back.
///
/// # Errors
/// What the store says.
pub fn finish_refund(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<(), StoreError> {
    tx.execute(
        "update payment set refunding = refunding - $2, refunded = refunded + $2,
             state = case when refunded + $2 = captured and captured = authorised then cast($3 as {int}) else state end, version = version + 1
         where payment_id = $1",
        params![id, amount, State::Refunded.code()],
    )?;
    Ok(())
}

/// What was set aside could not be given back.
///
/// # Errors
/// What the store says.
pub fn fail_refund(tx: &mut Tx<'_>, id: Id<PaymentKind>, amount: i64) -> Result<(), StoreError> {
    tx.execute(
        "update payment set refunding = refunding - $2, version = version + 1 where payment_id = $1",
        params![id, amount],
    )?;
    Ok(())
}
