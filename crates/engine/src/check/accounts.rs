//! Every balance is the sum of its postings, and the balances written beside the postings lead from zero to it.

use std::vec::IntoIter;

use domain::ledger::AccountKey;
use domain::value::Id;
use domain::value::id::Book;
use store::Tx;
use store::check::{self as rows, AccountRow, PostingRow};

use super::{Difference, Pass, account_name};
use crate::Failure;

/// How many rows are read at once.
const PAGE: i64 = 10_000;

/// Reads postings and accounts once, side by side in the order of accounts.
pub fn check(tx: &mut Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    let mut accounts = Accounts { page: Vec::new().into_iter(), last: None, over: false };
    let mut current = accounts.next(tx)?;
    let mut run: Option<Run> = None;
    let mut last: Option<PostingRow> = None;
    loop {
        let page = rows::postings(tx, last.as_ref(), PAGE)?;
        let full = page.len() as i64 == PAGE;
        for posting in &page {
            if run.as_ref().is_none_or(|run| run.key != (posting.book, posting.account)) {
                end(tx, pass, run.take(), &mut accounts, &mut current)?;
            }
            let run = run.get_or_insert_with(|| Run::new((posting.book, posting.account)));
            run.add(posting, pass);
        }
        pass.report.postings += page.len() as u64;
        pass.tell_progress();
        last = page.last().copied();
        if !full {
            break;
        }
    }
    end(tx, pass, run, &mut accounts, &mut current)?;
    while let Some(account) = current {
        judge(pass, &account, None);
        current = accounts.next(tx)?;
    }
    Ok(())
}

/// The postings of one account, summed up.
struct Run {
    key: (Id<Book>, AccountKey),
    sum: i128,
    /// The marks of all balances before a posting, less those of all balances after one.
    steps: u64,
}

impl Run {
    fn new(key: (Id<Book>, AccountKey)) -> Run {
        Run { key, sum: 0, steps: 0 }
    }

    fn add(&mut self, posting: &PostingRow, pass: &Pass<'_>) {
        self.sum += i128::from(posting.amount);
        let before = posting.balance.wrapping_sub(posting.amount);
        let step = pass.marks.of_number(before).wrapping_sub(pass.marks.of_number(posting.balance));
        self.steps = self.steps.wrapping_add(step);
    }
}

/// Judges the accounts up to and with the one whose postings were just read.
fn end(
    tx: &mut Tx<'_>,
    pass: &mut Pass<'_>,
    run: Option<Run>,
    accounts: &mut Accounts,
    current: &mut Option<AccountRow>,
) -> Result<(), Failure> {
    let Some(run) = run else { return Ok(()) };
    while let Some(account) = current.filter(|account| (account.book, account.account) < run.key) {
        judge(pass, &account, None);
        *current = accounts.next(tx)?;
    }
    match current.filter(|account| (account.book, account.account) == run.key) {
        Some(account) => {
            judge(pass, &account, Some(&run));
            *current = accounts.next(tx)?;
        }
        None => {
            let place = account_name(run.key.0, run.key.1);
            pass.report.add(Difference::new(
                "balance",
                place,
                format!("{} by its postings", run.sum),
                "no such account",
            ));
        }
    }
    Ok(())
}

fn judge(pass: &mut Pass<'_>, account: &AccountRow, run: Option<&Run>) {
    pass.report.accounts += 1;
    let place = || account_name(account.book, account.account);
    let sum = run.map_or(0, |run| run.sum);
    if sum != i128::from(account.amount) {
        pass.report.add(Difference::new(
            "balance",
            place(),
            format!("{sum} by its postings"),
            account.amount,
        ));
    }
    let path = pass.marks.of_number(0).wrapping_sub(pass.marks.of_number(account.amount));
    if sum == i128::from(account.amount) && run.map_or(0, |run| run.steps) != path {
        let expected = format!("balances that lead from 0 to {}", account.amount);
        pass.report.add(Difference::new("running balance", place(), expected, "balances that do not join"));
    }
    if let Some(floor) = account.floor.filter(|floor| account.amount < *floor) {
        pass.report.add(Difference::new("floor", place(), format!("at least {floor}"), account.amount));
    }
}

/// All accounts in the order of their key, page by page.
struct Accounts {
    page: IntoIter<AccountRow>,
    last: Option<AccountRow>,
    over: bool,
}

impl Accounts {
    fn next(&mut self, tx: &mut Tx<'_>) -> Result<Option<AccountRow>, Failure> {
        if self.page.len() == 0 && !self.over {
            let page = rows::accounts(tx, self.last.as_ref(), PAGE)?;
            self.over = (page.len() as i64) < PAGE;
            self.last = page.last().copied();
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}
