//! Comparing what a payment provider says of a day with what our books say it owes us. What differs is named and never put right silently:
//! a person clears it, with a reason, and the ledger has it.

use domain::actor::{Actor, Permission};
use domain::payment::Kind;
use domain::payment::receivable::{State as Owing, TEST_ACCOUNT, day as day_of, span};
use domain::payment::reconcile::{Line, Ours, Outcome, Report, Theirs, Total, compare, since_cleared};
use domain::value::id::{PaymentAccount, ReconciliationLine};
use domain::value::{Currency, Id, Instant, LocalDay, Reference, text};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::payment::receivable;
use store::payment::reconciliation as rows;
use store::{StoreError, Tx};

pub use store::payment::reconciliation::{Day, Found, Reconciliation, State};

use super::account::{self, ACCOUNTS_MAX, Account};
use super::receivable::{Movement, book, today};
use crate::job::{self, Job};
use crate::ledger::Notice;
use crate::{Failure, World, external};

/// How long after a day it is compared: late answers are in by then.
const SETTLED_SECONDS: i64 = 3 * 60 * 60;
/// How many days back the duty looks for days that were not compared.
const DAYS_BACK: i64 = 3;
/// How much before a day, and after it, the provider is asked for: it acts before we record, and its clock is not ours.
const MARGIN_SECONDS: (i64, i64) = (2 * 60 * 60, 10 * 60);
/// The most differences kept of one day; the rest are only counted. A day with more has one cause, not a thousand.
pub const LINES_MAX: usize = 1000;
/// How many movements are read at once.
const PAGE: i64 = 1000;
/// The most characters of a reason.
pub const REASON_LENGTH_MAX: usize = 200;
/// The name under which the test provider's account is asked for.
pub const TEST: &str = "test";

/// A question to a provider: everything that moved in a time.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose day.
    pub day: Day,
    /// The account, where the retailer made it.
    pub account: Option<Account>,
    /// From when, and until when, everything is asked for.
    pub window: (Instant, Instant),
    /// What our books say of the day.
    pub ours: Vec<Ours>,
}

/// A comparison with its sums, and how many of its differences are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The comparison.
    pub reconciliation: Reconciliation,
    /// The sums, by currency.
    pub totals: Vec<(Currency, Total)>,
    /// Differences that are not cleared.
    pub open: i64,
}

/// The kind of the jobs that ask the provider of a kind of payments.
pub const fn jobs(kind: Kind) -> &'static [&'static str; 1] {
    match kind {
        Kind::Stripe => &["payment.stripe.reconcile"],
        _ => &["payment.reconcile"],
    }
}

/// The account a text names: an id, an external id, or [`TEST`].
///
/// # Errors
/// [`Code::NotFound`].
pub fn account_named(tx: &mut Tx<'_>, text: &str) -> Result<Id<PaymentAccount>, Failure> {
    if text == TEST { Ok(TEST_ACCOUNT) } else { external::resolve(tx, &Reference::read(text)) }
}

/// The duty that has each day compared when it is over: days on which something moved, and those after a day that was compared.
///
/// # Errors
/// What the store says.
pub fn propose(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let settled = world.now().plus_seconds(-SETTLED_SECONDS);
    let accounts = store::payment::account::list(tx, Id::from_bytes([0; 16]), ACCOUNTS_MAX)?;
    let own = accounts.into_iter().map(|account| (account.id, account.kind.takes()));
    for (account, kind) in own.chain([(TEST_ACCOUNT, Kind::Test)]) {
        for back in (1..=DAYS_BACK).rev() {
            let day = calendar(day_of(settled.plus_seconds(-back * 24 * 60 * 60)))?;
            let follows = kind != Kind::Test
                && day
                    .previous()
                    .map(|before| rows::find(tx, (account, before)))
                    .transpose()?
                    .flatten()
                    .is_some();
            if rows::find(tx, (account, day))?.is_none()
                && (follows || receivable::has_moved(tx, (account, day))?)
            {
                ask_soon(tx, world, (account, day), kind)?;
            }
        }
    }
    Ok(false)
}

/// Has a day compared, or compared again.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::Invalid`] for a day that is not over.
pub fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (account, day): Day,
) -> Result<Reconciliation, Failure> {
    actor.may(Permission::Reconcile, None)?;
    let kind = kind_of(tx, account)?;
    is_over(world, day)?;
    ask_soon(tx, world, (account, day), kind)
}

/// Notes that a day is compared now, by the caller.
///
/// # Errors
/// As [`ask`].
pub fn begin(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, day: Day) -> Result<Reconciliation, Failure> {
    actor.may(Permission::Reconcile, None)?;
    kind_of(tx, day.0)?;
    is_over(world, day.1)?;
    note_asked(tx, world, day)
}

fn kind_of(tx: &mut Tx<'_>, id: Id<PaymentAccount>) -> Result<Kind, Failure> {
    if id == TEST_ACCOUNT { Ok(Kind::Test) } else { Ok(account::load(tx, id)?.kind.takes()) }
}

fn is_over(world: &World, day: LocalDay) -> Result<(), Failure> {
    if calendar(span(day))?.1 > world.now() {
        return Err(Refusal::invalid(
            "day",
            format!("{day} is not over by universal time; give an earlier day"),
        )
        .into());
    }
    Ok(())
}

fn calendar<T>(found: Result<T, domain::value::zone::ZoneError>) -> Result<T, Failure> {
    Ok(found.map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

fn note_asked(tx: &mut Tx<'_>, world: &mut World, (account, day): Day) -> Result<Reconciliation, Failure> {
    let now = world.now();
    let new = Reconciliation {
        id: world.id(),
        account,
        day,
        state: State::Asked,
        asked_at: now,
        at: None,
        more: 0,
    };
    if rows::add(tx, &new)? {
        return Ok(new);
    }
    rows::ask_again(tx, (account, day), now)?;
    find(tx, (account, day))
}

fn ask_soon(
    tx: &mut Tx<'_>,
    world: &mut World,
    (account, day): Day,
    kind: Kind,
) -> Result<Reconciliation, Failure> {
    let one = note_asked(tx, world, (account, day))?;
    let body = json!({ "account": account.to_string(), "day": day.to_string() });
    let now = world.now();
    job::enqueue(tx, world, jobs(kind)[0], one.id, body, now)?;
    Ok(one)
}

fn find(tx: &mut Tx<'_>, day: Day) -> Result<Reconciliation, Failure> {
    let missing = || Refusal::not_found("reconciliation", day.1);
    Ok(rows::find(tx, day)?.ok_or_else(missing)?)
}

/// The question a job stands for, with what our books say of the day.
///
/// # Errors
/// What the store says, or when the job names no day of an account.
pub fn question(tx: &mut Tx<'_>, job: &Job) -> Result<Asked, Failure> {
    let unreadable = || StoreError::Corrupt(format!("job {} does not name an account and a day", job.id));
    let body: Value = serde_json::from_str(&job.body).map_err(|_| unreadable())?;
    let word = |name: &str| body[name].as_str().ok_or_else(unreadable);
    let account = Id::parse(word("account")?).map_err(|_| unreadable())?;
    let day = LocalDay::parse(word("day")?).map_err(|_| unreadable())?;
    asked(tx, (account, day))
}

/// What a provider is asked about a day, with what our books say of it.
///
/// # Errors
/// What the store says.
pub fn asked(tx: &mut Tx<'_>, (id, day): Day) -> Result<Asked, Failure> {
    let account = if id == TEST_ACCOUNT { None } else { Some(account::load(tx, id)?) };
    let (begins, ends) = calendar(span(day))?;
    let window = (begins.plus_seconds(-MARGIN_SECONDS.0), ends.plus_seconds(MARGIN_SECONDS.1));
    let mut ours = Vec::new();
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = receivable::of_day(tx, (id, day), after, PAGE)?;
        let full = page.len() as i64 == PAGE;
        after = page.last().map_or(after, |(transfer, _)| *transfer);
        ours.extend(page.into_iter().map(|(_, one)| one));
        if !full {
            return Ok(Asked { day: (id, day), account, window, ours });
        }
    }
}

/// Compares what the provider answered with our books, and keeps what it found in the place of what was found before. What was cleared stays
/// cleared.
///
/// # Errors
/// What the store says.
pub fn answered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    asked: &Asked,
    theirs: &[Theirs],
) -> Result<Whole, Failure> {
    let day = asked.day;
    rows::lock(tx, day)?.ok_or_else(|| Refusal::not_found("reconciliation", day.1))?;
    let report = compared(tx, asked, theirs)?;
    let totals = report.totals.clone();
    let cleared: Vec<Line> = rows::cleared(tx, day, i64::MAX)?.into_iter().map(|found| found.line).collect();
    let mut lines = since_cleared(report, &cleared);
    let more = lines.len().saturating_sub(LINES_MAX) as i64;
    lines.truncate(LINES_MAX);
    let found: Vec<Found> =
        lines.into_iter().map(|line| Found { id: world.id(), line, cleared: None }).collect();
    rows::set_totals(tx, day, &totals)?;
    rows::set_open(tx, day, &found)?;
    let state = if found.is_empty() { State::Equal } else { State::Differs };
    rows::end(tx, day, (state, more), world.now())?;
    let whole = whole(tx, day)?;
    let body = json!({
        "account": day.0.to_string(),
        "day": day.1.to_string(),
        "differences": whole.open + more,
        "left_over": totals.iter().map(|(currency, total)| {
            json!({ "currency": currency, "there": total.left_there, "here": total.left_here })
        }).collect::<Vec<_>>(),
    });
    let kind = if state == State::Equal { "reconciliation.equal" } else { "reconciliation.differs" };
    crate::event::emit(tx, actor, world, whole.reconciliation.id, kind, body);
    Ok(whole)
}

/// Compares; what seems to be missing here is looked for on the payment's other days first.
fn compared(tx: &mut Tx<'_>, asked: &Asked, theirs: &[Theirs]) -> Result<Report, Failure> {
    let span = calendar(span(asked.day.1))?;
    let first = compare(span, theirs, &asked.ours);
    let missing = first.lines.iter().filter(|line| line.outcome == Outcome::MissingHere);
    let mut payments: Vec<_> = missing.filter_map(|line| line.payment).collect();
    payments.sort_unstable();
    payments.dedup();
    let mut ours = asked.ours.clone();
    for payment in payments.into_iter().take(LINES_MAX) {
        for (_, one) in receivable::of_payment(tx, asked.day.0, payment)? {
            if ours.iter().all(|known| known.key != one.key) {
                ours.push(one);
            }
        }
    }
    Ok(if ours.len() == asked.ours.len() { first } else { compare(span, theirs, &ours) })
}

fn whole(tx: &mut Tx<'_>, day: Day) -> Result<Whole, Failure> {
    Ok(Whole {
        reconciliation: find(tx, day)?,
        totals: rows::totals(tx, day)?,
        open: rows::open_count(tx, day)?,
    })
}

/// The comparisons of an account before a day, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    account: Id<PaymentAccount>,
    before: &str,
    limit: i64,
) -> Result<Vec<Reconciliation>, Failure> {
    actor.may(Permission::Reconcile, None)?;
    Ok(rows::list(tx, account, before, limit)?)
}

/// A comparison with its sums.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, day: Day) -> Result<Whole, Failure> {
    actor.may(Permission::Reconcile, None)?;
    whole(tx, day)
}

/// The differences of a comparison after one, with those that were cleared.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn lines(
    tx: &mut Tx<'_>,
    actor: &Actor,
    day: Day,
    after: Id<ReconciliationLine>,
    limit: i64,
) -> Result<Vec<Found>, Failure> {
    actor.may(Permission::Reconcile, None)?;
    find(tx, day)?;
    Ok(rows::lines(tx, day, after, limit)?)
}

/// Clears a difference: the books take over what the provider says, by a transfer that carries the reason.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::Invalid`] for no reason, [`Code::WrongState`] when it was cleared before.
pub fn clear(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (day, id): (Day, Id<ReconciliationLine>),
    reason: &str,
) -> Result<Found, Failure> {
    actor.may(Permission::Reconcile, None)?;
    let reason = text::bounded("reason", reason, 1, REASON_LENGTH_MAX)
        .map_err(|error| Refusal::invalid("reason", error))?;
    let of = rows::lock(tx, day)?.ok_or_else(|| Refusal::not_found("reconciliation", day.1))?;
    let line = rows::line(tx, day, id)?.ok_or_else(|| Refusal::not_found("reconciliation line", id))?.line;
    if !rows::clear(tx, day, id, (world.now(), &actor.who.label(), &reason))? {
        let message = "the difference was cleared before; compare the day again if something is still wrong";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let (change, currency) = (line.lacks(), line.currency);
    let body = json!({ "account": day.0.to_string(), "day": day.1.to_string(), "line": id.to_string(), "amount": change, "currency": currency.code() });
    let notice = Notice { subject: of.id.to_string(), kind: "reconciliation.cleared", body };
    let movement = Movement {
        account: day.0,
        book: id.shared_with(),
        currency,
        reason: "cleared",
        cause: ("note", reason),
        other: Owing::Cleared,
        change,
    };
    book(tx, actor, world, movement, notice)?;
    if of.more == 0 && of.state == State::Differs && rows::open_count(tx, day)? == 0 {
        rows::end(tx, day, (State::Equal, 0), world.now())?;
    }
    Ok(rows::line(tx, day, id)?.ok_or_else(|| Refusal::not_found("reconciliation line", id))?)
}

/// The day before today, which is compared when nothing else is said.
///
/// # Errors
/// What the store says.
pub fn yesterday(world: &World) -> Result<LocalDay, Failure> {
    let none = || StoreError::Corrupt("there is no day before the calendar begins".into());
    Ok(today(world)?.previous().ok_or_else(none)?)
}

/// What an account is called over the API.
pub fn name_of(account: Id<PaymentAccount>) -> String {
    if account == TEST_ACCOUNT { TEST.to_owned() } else { account.to_string() }
}
