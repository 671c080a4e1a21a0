//! `tandem reconcile`: asks a payment provider what moved on a day, and names what our books say otherwise.

use clap::Args;
use connect::call::{Caller, Reach};
use connect::payment::Provider;
use connect::stripe::StripeClient;
use connect::test_provider::TestClient;
use domain::actor::Actor;
use domain::payment::reconcile::{Line, Theirs, Total};
use domain::value::{Currency, Id, LocalDay};
use engine::payment::reconciliation::{self, Asked, Day, Found, Whole, name_of};
use engine::{Failure, Shop};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::{serve, shop};

/// The most differences that are shown.
const SHOWN_MAX: i64 = 200;

/// Hold a payment provider's record of a day against the books
///
/// Asks the provider for everything it took, gave back and paid out on a day, and compares it with what our books say it owes us. What differs
/// is named, with what is left over on either side; nothing is put right by itself: clear a difference with a reason by the API
/// (POST /v1/payment-accounts/{id}/reconciliations/{day}/lines/{line}/clear). The shop compares each day by itself when it is over. Ends with 1
/// when anything differs.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem reconcile --account stripe-gb
  tandem reconcile --account pac_01jd0000000000000000000000 --day 2026-11-27 --json
  tandem reconcile --account test --day 2026-11-27")]
pub struct Arguments {
    /// The payment account: its id, external id, or "test" for the test provider.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,

    /// The day, by universal time [default: yesterday].
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
}

/// Runs it.
///
/// # Errors
/// [`Fault::Failed`] when anything differs, or the provider does not answer.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let shop = shop::open_or_make(config)?.shop;
    let day = arguments.day.as_deref().map(LocalDay::parse).transpose();
    let day = day.map_err(|error| Fault::Usage(format!("--day: {error}")))?;
    let asked = begin(&shop, &arguments.account, day)?;
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    let theirs = runtime.block_on(movements(config, &shop, &asked))?;
    let of = asked.day;
    let world_of = shop.clone();
    let whole = shop.db.write(move |tx| -> Result<Whole, Failure> {
        reconciliation::answered(tx, &Actor::system(), &mut world_of.world(), &asked, &theirs)
    })?;
    let first = Id::from_bytes([0; 16]);
    let lines = shop.db.read(move |tx| reconciliation::lines(tx, &Actor::system(), of, first, SHOWN_MAX))?;
    let open: Vec<&Found> = lines.iter().filter(|found| found.cleared.is_none()).collect();
    screen.tell(&in_words(&whole, &open), &in_json(&whole, &open));
    judge(&whole)
}

fn begin(shop: &Shop, account: &str, day: Option<LocalDay>) -> Result<Asked, Fault> {
    let (world_of, account) = (shop.clone(), account.to_owned());
    Ok(shop.db.write(move |tx| -> Result<Asked, Failure> {
        let mut world = world_of.world();
        let day = day.map_or_else(|| reconciliation::yesterday(&world), Ok)?;
        let of: Day = (reconciliation::account_named(tx, &account)?, day);
        reconciliation::begin(tx, &Actor::system(), &mut world, of)?;
        reconciliation::asked(tx, of)
    })?)
}

async fn movements(config: &Config, shop: &Shop, asked: &Asked) -> Result<Vec<Theirs>, Fault> {
    let answer = if asked.account.is_some() {
        let client = StripeClient::new(serve::account_caller(config)?, shop.keyring.clone());
        client.movements(asked).await
    } else {
        let url = config.test_provider.as_str();
        if url.is_empty() || url == "here" {
            let why = "the test provider is not a program of its own: set test_provider to its address";
            return Err(Fault::Environment(why.into()));
        }
        let caller = Caller::with(serve::PROVIDER_WAIT_MAX, &serve::trust(config)?, Reach::Anywhere);
        TestClient::new(url, caller).movements(asked).await
    };
    answer.map_err(|unanswered| Fault::environment("asking the provider", unanswered.0))
}

fn judge(whole: &Whole) -> Result<(), Fault> {
    let count = whole.open + whole.reconciliation.more;
    if count == 0 {
        return Ok(());
    }
    Err(Fault::Failed(format!("the provider's record and the books are not equal: {count} differences")))
}

fn in_words(whole: &Whole, open: &[&Found]) -> String {
    let mut lines: Vec<String> = open.iter().map(|found| line_in_words(found)).collect();
    let hidden = whole.open + whole.reconciliation.more - open.len() as i64;
    if hidden > 0 {
        lines.push(format!("and {hidden} more"));
    }
    lines.extend(whole.totals.iter().map(|(currency, total)| total_in_words(*currency, total)));
    let of = &whole.reconciliation;
    let verdict = if whole.open + of.more == 0 { "equal" } else { "NOT equal" };
    lines.push(format!("{} on {}: {verdict}", name_of(of.account), of.day));
    lines.join("\n")
}

fn line_in_words(found: &Found) -> String {
    let Line { outcome, side, reference, key, currency, theirs, ours, .. } = &found.line;
    let named = reference.as_ref().or(key.as_ref()).map_or("?", String::as_str);
    let (outcome, side, code) = (outcome.text().replace('_', " "), side.text(), currency.code());
    format!("{}: {outcome}: {side} {named}: {theirs} {code} there, {ours} {code} here", found.id)
}

fn total_in_words(currency: Currency, total: &Total) -> String {
    format!(
        "{}: taken {} there, {} here; given back {} there, {} here; other {}; fees {}; paid out {}; left over {} there, {} here; on another day {}",
        currency.code(),
        total.captured_there,
        total.captured_here,
        total.refunded_there,
        total.refunded_here,
        total.other_there,
        total.fees,
        total.paid_out,
        total.left_there,
        total.left_here,
        total.shifted
    )
}

fn in_json(whole: &Whole, open: &[&Found]) -> Value {
    let of = &whole.reconciliation;
    let line = |found: &&Found| {
        let one = &found.line;
        json!({ "id": found.id.to_string(), "outcome": one.outcome.text(), "side": one.side.text(), "reference": one.reference,
            "key": one.key, "payment": one.payment.map(|payment| payment.to_string()), "currency": one.currency.code(),
            "theirs": one.theirs, "ours": one.ours })
    };
    let total = |(currency, total): &(Currency, Total)| {
        json!({ "currency": currency.code(), "equal": total.equal, "captured_there": total.captured_there,
            "captured_here": total.captured_here, "refunded_there": total.refunded_there, "refunded_here": total.refunded_here,
            "other_there": total.other_there, "fees": total.fees, "paid_out": total.paid_out, "left_there": total.left_there,
            "left_here": total.left_here, "shifted": total.shifted })
    };
    json!({
        "account": name_of(of.account),
        "day": of.day.to_string(),
        "equal": whole.open + of.more == 0,
        "differences": open.iter().map(line).collect::<Vec<_>>(),
        "open_differences": whole.open,
        "more_differences": of.more,
        "totals": whole.totals.iter().map(total).collect::<Vec<_>>(),
    })
}
