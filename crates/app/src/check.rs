//! `tandem check`: works every number out again and names what differs.

use clap::Args;
use engine::check::{Difference, Report, check};
use engine::{Failure, Source};
use serde_json::{Value, json};
use store::Db;

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;
use crate::world::RealWorld;

/// Work every number out again and name what differs
///
/// Recomputes every balance from its postings and every seal from what it seals; looks whether every transfer sums to zero and is
/// told by one event, the journal has no gaps, live holds lie in their accounts, and external ids lead somewhere. Reads one fixed
/// state and changes nothing: run it while the shop is open, as often as you like. Ends with 1 when anything differs.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem check
  tandem check --json --database postgres://tandem@127.0.0.1/tandem")]
pub struct Arguments {}

/// Runs it.
///
/// # Errors
/// [`Fault::Failed`] when anything differs.
pub fn run(config: &Config, _arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let db = Db::open(&config.store())?;
    let report = look(&db, screen)?;
    screen.tell(&in_words(&report), &in_json(&report));
    judge(&report)
}

/// Checks books, with a bar that shows how far it is.
///
/// # Errors
/// When the books cannot be read.
pub fn look(db: &Db, screen: &Screen) -> Result<Report, Fault> {
    let bar = screen.bar("checking", "rows");
    let shown = bar.clone();
    let report = db.read(move |tx| -> Result<Report, Failure> {
        check(tx, RealWorld.seed(), &mut |done, all| {
            shown.set_length(all);
            shown.set_position(done);
        })
    });
    bar.finish_and_clear();
    Ok(report?)
}

/// Fails when anything differs.
///
/// # Errors
/// [`Fault::Failed`] then.
pub fn judge(report: &Report) -> Result<(), Fault> {
    if report.is_clean() {
        return Ok(());
    }
    let count = report.differences.len() as u64 + report.more;
    Err(Fault::Failed(format!("the books are not clean: {count} differences")))
}

/// The report for people.
pub fn in_words(report: &Report) -> String {
    let mut lines: Vec<String> = report.differences.iter().map(Difference::to_string).collect();
    if report.more > 0 {
        lines.push(format!("and {} more of the same kinds", report.more));
    }
    lines.push(format!(
        "{} accounts, {} postings, {} transfers, {} journal entries and {} seals checked: {}",
        report.accounts,
        report.postings,
        report.transfers,
        report.entries,
        report.seals,
        if report.is_clean() { "clean" } else { "NOT clean" }
    ));
    lines.join("\n")
}

/// The report for programs.
pub fn in_json(report: &Report) -> Value {
    let difference = |one: &Difference| json!({"check": one.check, "place": one.place, "expected": one.expected, "found": one.found});
    json!({
        "clean": report.is_clean(),
        "differences": report.differences.iter().map(difference).collect::<Vec<_>>(),
        "more_differences": report.more,
        "accounts": report.accounts,
        "postings": report.postings,
        "transfers": report.transfers,
        "journal_entries": report.entries,
        "seals": report.seals,
    })
}
