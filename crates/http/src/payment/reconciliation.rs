//! Comparing payment providers' records with the books, over the API: asking for a day, reading what was found, clearing what differs.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::id::ReconciliationLine;
use domain::value::{Currency, Id, LocalDay};
use domain::{Refusal, payment::reconcile::Total};
use engine::payment::reconciliation::{self as command, Found, Reconciliation, Whole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::MoneyShape;

/// The routes of comparisons.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_reconciliations, reconcile_day))
        .routes(routes!(read_reconciliation))
        .routes(routes!(list_reconciliation_lines))
        .routes(routes!(clear_reconciliation_line))
}

/// A day that is to be compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReconciliation, example = json!({"day": "2026-11-27"}))]
struct NewShape {
    /// The day, by universal time; it must be over.
    day: String,
}

/// A comparison of a payment provider's record of a day with our books.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation, example = json!({"id": "rcn_01jd0000000000000000000000", "account": "pac_01jd0000000000000000000000",
    "day": "2026-11-27", "state": "equal", "asked_at": "2026-11-28T03:00:00Z", "compared_at": "2026-11-28T03:00:02Z", "more_differences": 0}))]
struct ReconciliationShape {
    /// Its id.
    id: String,
    /// The account: its id, or `test`.
    account: String,
    /// The day, by universal time.
    day: String,
    /// `asked` (the provider is being asked), `equal` or `differs`.
    state: &'static str,
    /// When the provider was asked last.
    #[schema(format = DateTime)]
    asked_at: String,
    /// When it was compared last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    compared_at: Option<String>,
    /// How many differences were found and not kept, for there were too many.
    more_differences: i64,
}

/// A comparison with its sums.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationReport, example = json!({"id": "rcn_01jd0000000000000000000000", "account": "test", "day": "2026-11-27",
    "state": "equal", "asked_at": "2026-11-28T03:00:00Z", "compared_at": "2026-11-28T03:00:02Z", "more_differences": 0, "open_differences": 0, "totals": []}))]
struct ReportShape {
    /// The comparison.
    #[serde(flatten)]
    reconciliation: ReconciliationShape,
    /// How many of the differences that were kept are not cleared.
    open_differences: i64,
    /// The sums, one for each currency.
    totals: Vec<TotalShape>,
}

/// The sums of one currency, in minor units. What was taken less what was given back and what else moved, there less here, is what is left
/// over there less what is left over here, and what was recorded on another day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationTotal, example = json!({"currency": "GBP", "equal": 41, "captured_there": 180050, "captured_here": 180050,
    "refunded_there": 2000, "refunded_here": 2000, "other_there": 0, "fees": 2710, "paid_out": 150000, "left_there": 0, "left_here": 0, "shifted": 0}))]
struct TotalShape {
    /// ISO 4217.
    currency: &'static str,
    /// How many movements are equal.
    equal: i64,
    /// Taken, by the provider's record.
    captured_there: i64,
    /// Taken, by our books.
    captured_here: i64,
    /// Given back, by the provider's record.
    refunded_there: i64,
    /// Given back, by our books.
    refunded_here: i64,
    /// Everything else in the provider's record but pay-outs, such as disputes.
    other_there: i64,
    /// What the provider kept, as far as it says so.
    fees: i64,
    /// What the provider paid out, as far as it says so.
    paid_out: i64,
    /// Left over in the provider's record.
    left_there: i64,
    /// Left over in our books.
    left_here: i64,
    /// Equal, but recorded here on another day than there: there less here.
    shifted: i64,
}

/// A difference. Amounts are what either side says the provider owes us by it: negative for what was given back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationLine, example = json!({"id": "rcl_01jd0000000000000000000000", "outcome": "missing_here", "side": "captured",
    "reference": "ch_3Nq", "theirs": {"amount": 1999, "currency": "GBP"}, "ours": {"amount": 0, "currency": "GBP"}}))]
struct LineShape {
    /// Its id.
    id: String,
    /// `missing_here`, `missing_there`, `different_amount`, or `cleared_in_vain` (it was cleared, and is no difference any more).
    outcome: &'static str,
    /// What it is: `captured`, `refunded` or `other`.
    side: &'static str,
    /// The provider's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The key we asked for it with: the id of a capture or refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// What the provider says.
    theirs: MoneyShape,
    /// What our books say.
    ours: MoneyShape,
    /// When, by whom and why it was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared: Option<ClearedShape>,
}

/// That a difference was cleared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReconciliationCleared, example = json!({"at": "2026-11-28T10:00:00Z", "by": "staff:stf_01jd0000000000000000000000",
    "reason": "taken at the old till by mistake, paid back by bank"}))]
struct ClearedShape {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// By whom.
    by: String,
    /// Why.
    reason: String,
}

/// Why a difference is cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReconciliationClearing, example = json!({"reason": "taken at the old till by mistake, paid back by bank"}))]
struct ClearShape {
    /// Why; names no person.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

impl From<&Reconciliation> for ReconciliationShape {
    fn from(one: &Reconciliation) -> ReconciliationShape {
        ReconciliationShape {
            id: one.id.to_string(),
            account: command::name_of(one.account),
            day: one.day.to_string(),
            state: one.state.text(),
            asked_at: one.asked_at.to_string(),
            compared_at: one.at.map(|at| at.to_string()),
            more_differences: one.more,
        }
    }
}

impl From<&(Currency, Total)> for TotalShape {
    fn from((currency, total): &(Currency, Total)) -> TotalShape {
        TotalShape {
            currency: currency.code(),
            equal: total.equal,
            captured_there: total.captured_there,
            captured_here: total.captured_here,
            refunded_there: total.refunded_there,
            refunded_here: total.refunded_here,
            other_there: total.other_there,
            fees: total.fees,
            paid_out: total.paid_out,
            left_there: total.left_there,
            left_here: total.left_here,
            shifted: total.shifted,
        }
    }
}

impl From<&Whole> for ReportShape {
    fn from(whole: &Whole) -> ReportShape {
        ReportShape {
            reconciliation: ReconciliationShape::from(&whole.reconciliation),
            open_differences: whole.open,
            totals: whole.totals.iter().map(TotalShape::from).collect(),
        }
    }
}

impl From<&Found> for LineShape {
    fn from(found: &Found) -> LineShape {
        let line = &found.line;
        let money = |amount| MoneyShape { amount, currency: line.currency.code().to_owned() };
        let cleared = found.cleared.as_ref().map(|(at, by, reason)| ClearedShape {
            at: at.to_string(),
            by: by.clone(),
            reason: reason.clone(),
        });
        LineShape {
            id: found.id.to_string(),
            outcome: line.outcome.text(),
            side: line.side.text(),
            reference: line.reference.clone(),
            key: line.key.clone(),
            payment: line.payment.map(|payment| payment.to_string()),
            theirs: money(line.theirs),
            ours: money(line.ours),
            cleared,
        }
    }
}

fn day(text: &str) -> Result<LocalDay, Refusal> {
    LocalDay::parse(text).map_err(|error| Refusal::invalid("day", error))
}

/// List the days of a payment account that were compared
///
/// The newest first.
#[utoipa::path(get, path = "/v1/payment-accounts/{id}/reconciliations", operation_id = "list_reconciliations", tag = "payment",
    params(("id" = String, Path, description = "Id or external id of the account, or `test`"), PageQuery),
    responses((status = 200, body = Page<ReconciliationShape>), Problems))]
async fn list_reconciliations(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, mut before) = (page.limit()?, page.after()?);
    if before.is_empty() {
        // After every day there is.
        "~".clone_into(&mut before);
    }
    let found = app
        .read(move |tx| {
            let account = command::account_named(tx, &id)?;
            command::list(tx, &actor, account, &before, limit)
        })
        .await?;
    let items = found.iter().map(ReconciliationShape::from).collect();
    document(&Page::new(items, limit, |one: &ReconciliationShape| one.day.clone()), None)
}

/// Compare a day with the provider's record
///
/// Each day is compared by itself when it is over; this has it compared now, or again. What was cleared stays cleared.
#[utoipa::path(post, path = "/v1/payment-accounts/{id}/reconciliations", operation_id = "reconcile_day", tag = "payment", request_body = NewShape,
    params(("id" = String, Path, description = "Id or external id of the account, or `test`")),
    responses((status = 202, body = ReconciliationShape), Problems))]
async fn reconcile_day(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let day = day(&command.body.day)?;
    app.perform(command.request, StatusCode::ACCEPTED, move |tx, actor, world| {
        let account = command::account_named(tx, &id)?;
        Reply::json(&ReconciliationShape::from(&command::ask(tx, actor, world, (account, day))?))
    })
    .await
}

/// Read how a day compares with the provider's record
#[utoipa::path(get, path = "/v1/payment-accounts/{id}/reconciliations/{day}", operation_id = "read_reconciliation", tag = "payment",
    params(("id" = String, Path, description = "Id or external id of the account, or `test`"), ("day" = String, Path, description = "The day, such as `2026-11-27`")),
    responses((status = 200, body = ReportShape), Problems))]
async fn read_reconciliation(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((id, on)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let day = day(&on)?;
    let read = move |tx: &mut store::Tx<'_>| {
        let account = command::account_named(tx, &id)?;
        command::read(tx, &actor, (account, day))
    };
    document(&ReportShape::from(&app.read(read).await?), None)
}

/// List what differs on a day
///
/// With the differences that were cleared.
#[utoipa::path(get, path = "/v1/payment-accounts/{id}/reconciliations/{day}/lines", operation_id = "list_reconciliation_lines", tag = "payment",
    params(("id" = String, Path, description = "Id or external id of the account, or `test`"), ("day" = String, Path, description = "The day, such as `2026-11-27`"), PageQuery),
    responses((status = 200, body = Page<LineShape>), Problems))]
async fn list_reconciliation_lines(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((id, on)): Path<(String, String)>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (day, limit, after) = (day(&on)?, page.limit()?, page.after_id()?);
    let read = move |tx: &mut store::Tx<'_>| {
        let account = command::account_named(tx, &id)?;
        command::lines(tx, &actor, (account, day), after, limit)
    };
    let items = app.read(read).await?.iter().map(LineShape::from).collect();
    document(&Page::new(items, limit, |one: &LineShape| one.id.clone()), None)
}

/// Clear a difference
///
/// The books take over what the provider says: a transfer in the ledger with the reason. Nothing is cleared by itself.
#[utoipa::path(post, path = "/v1/payment-accounts/{id}/reconciliations/{day}/lines/{line}/clear", operation_id = "clear_reconciliation_line",
    tag = "payment", request_body = ClearShape,
    params(("id" = String, Path, description = "Id or external id of the account, or `test`"), ("day" = String, Path, description = "The day, such as `2026-11-27`"),
        ("line" = String, Path, description = "The difference's id"), KeyRequired),
    responses((status = 200, body = LineShape), Problems))]
async fn clear_reconciliation_line(
    State(app): State<App>,
    Path((id, on, line)): Path<(String, String, String)>,
    command: Command<ClearShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let day = day(&on)?;
    let unknown = |_| Refusal::not_found("reconciliation line", &line);
    let (line, reason): (Id<ReconciliationLine>, _) =
        (Id::parse(&line).map_err(unknown)?, command.body.reason);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let account = command::account_named(tx, &id)?;
        let found = command::clear(tx, actor, world, ((account, day), line), &reason)?;
        Reply::json(&LineShape::from(&found))
    })
    .await
}
