//! Checking the books: every number is worked out again from what it is made of, and each difference is named.
//!
//! A check reads one fixed state of the books and changes nothing, so it may run while the shop is open.

mod accounts;
mod changes;
mod companies;
mod consents;
mod credit;
mod identity;
mod journal;
mod merging;
mod orders;
mod points;
mod promises;
mod promotions;
mod receivables;
mod routing;
mod segments;
mod tiers;
mod webhooks;

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use domain::ledger::AccountKey;
use domain::value::Id;
use domain::value::id::{Book, Location};
use store::Tx;

use crate::Failure;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which check found it, such as `balance`.
    pub check: &'static str,
    /// Where.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Difference {
    /// A difference a check found at a place.
    pub fn new(
        check: &'static str,
        place: impl fmt::Display,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Difference {
        Difference {
            check,
            place: place.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}: expected {}, found {}", self.check, self.place, self.expected, self.found)
    }
}

/// A check across capabilities: what one says must agree with what another says.
pub type CrossCheck = fn(&mut Tx<'_>) -> Result<Vec<Difference>, Failure>;

/// Every cross-check, by name.
pub const CROSS_CHECKS: &[(&str, CrossCheck)] = &[
    ("holds", promises::holds),
    ("merged customers", merging::customers),
    ("merged money", merging::money),
    ("source numbers", merging::source_numbers),
    ("external ids", promises::external_ids),
    ("expected goods", promises::expected),
    ("credit", credit::books),
    ("credit payments", credit::payments),
    ("points", points::kept),
    ("opening", credit::opening),
    ("households", points::households),
    ("referrals", points::referrals),
    ("members", points::books),
    ("counted", tiers::counted),
    ("tiers", tiers::standing),
    ("rewards", tiers::rewards),
    ("refunds", credit::refunds),
    ("returned", credit::returned),
    ("carried", credit::carried),
    ("claimed", credit::claimed),
    ("made good", credit::made_good),
    ("commitments", orders::commitments),
    ("parcels", orders::parcels),
    ("order sums", orders::sums),
    ("ended orders", orders::ended),
    ("money", orders::money),
    ("capacity", routing::capacity),
    ("outflow", routing::outflow),
    ("changes", changes::done),
    ("kept for changes", changes::kept),
    ("promotions", promotions::used),
    ("receivables", receivables::payments),
    ("receivable days", receivables::days),
    ("cleared differences", receivables::cleared),
    ("persons", identity::persons),
    ("companies", companies::kept),
    ("webhooks", webhooks::lanes),
    ("consents", consents::now),
    ("messages", consents::messages),
    ("segments", segments::steps),
];

/// The most differences kept of one check; the rest are only counted.
const KEPT_MAX: usize = 100;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is not as it should be, at most 100 of each kind.
    pub differences: Vec<Difference>,
    /// How many differences there are beyond those kept.
    pub more: u64,
    /// Accounts whose balance was worked out again.
    pub accounts: u64,
    /// Postings read.
    pub postings: u64,
    /// Transfers that sum to zero.
    pub transfers: u64,
    /// Entries of the journal read.
    pub entries: u64,
    /// Seals worked out again.
    pub seals: u64,
}

impl Report {
    /// Is everything as it should be?
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.more == 0
    }

    fn add(&mut self, difference: Difference) {
        if self.differences.iter().filter(|known| known.check == difference.check).count() < KEPT_MAX {
            self.differences.push(difference);
        } else {
            self.more += 1;
        }
    }
}

/// Checks all books. `seed` is chance, for the sums in which nobody can hide; `progress` is told how much of how much was read.
///
/// # Errors
/// What the store says.
pub fn check(tx: &mut Tx<'_>, seed: [u8; 32], progress: &mut dyn FnMut(u64, u64)) -> Result<Report, Failure> {
    let (postings, entries) = store::check::work_ahead(tx)?;
    let mut pass = Pass {
        marks: Marks(u64::from_be_bytes(std::array::from_fn(|place| seed[place]))),
        report: Report::default(),
        ahead: (postings + entries).unsigned_abs(),
        progress,
    };
    accounts::check(tx, &mut pass)?;
    journal::check(tx, &mut pass)?;
    for (_, cross_check) in CROSS_CHECKS {
        cross_check(tx)?.into_iter().for_each(|difference| pass.report.add(difference));
    }
    Ok(pass.report)
}

/// One check under way.
struct Pass<'p> {
    marks: Marks,
    report: Report,
    ahead: u64,
    progress: &'p mut dyn FnMut(u64, u64),
}

impl Pass<'_> {
    fn tell_progress(&mut self) {
        (self.progress)(self.report.postings + self.report.entries, self.ahead);
    }
}

/// Gives every value a number nobody can foresee. Two heaps hold the same values if the sums of their marks are equal; that they
/// are equal by accident has a chance of one in 10¹⁹. So heaps are compared in one reading, in any order, without keeping them.
#[derive(Clone, Copy)]
struct Marks(u64);

impl Marks {
    fn of(self, value: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher.write(value);
        hasher.finish()
    }

    fn of_number(self, number: i64) -> u64 {
        self.of(&number.to_be_bytes())
    }

    fn of_keys(self, one: [u8; 16], other: [u8; 16]) -> u64 {
        self.of(&[one, other].concat())
    }
}

/// An account in words.
fn account_name(book: Id<Book>, account: AccountKey) -> String {
    if account.place == AccountKey::WORLD {
        return format!("{book}, the world's side, state {}", account.state);
    }
    let place = Id::<Location>::from_bytes(account.place).to_string();
    format!("{book}, place {}, state {}", place.trim_start_matches("loc_"), account.state)
}
