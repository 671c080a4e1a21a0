//! Imports: files of other systems are taken in row by row. What a file may hold, how its cells are read, and what is told of a row
//! that cannot be taken.

use crate::words;

pub mod cell;
pub mod columns;
pub mod encoding;
pub mod mapping;
pub mod source;

pub use columns::Column;
pub use mapping::{Layout, Mapping};

/// The most rows that are taken in by one transaction, unless all of them go in or none.
pub const ROWS_AT_ONCE: usize = 500;
/// The most rows of a file that goes in as a whole or not at all: nobody else can write meanwhile.
pub const ROWS_IN_ONE_MAX: usize = 50_000;
/// The most rows of a file.
pub const ROWS_MAX: usize = 5_000_000;
/// The most bytes of a file.
pub const FILE_BYTES_MAX: usize = 1 << 30;
/// The most errors of an import that are kept, and the most findings; more are only counted.
pub const ERRORS_KEPT_MAX: i64 = 10_000;
/// The most lines that make one order.
pub const ORDER_LINES_MAX: usize = 2_000;
/// The most characters of a cell that are repeated in an error.
const VALUE_CHARS_MAX: usize = 60;

words! {
    /// What a file holds.
    Kind {
        /// Stores, warehouses, suppliers and virtual places.
        Locations 1 "locations";
        /// Products with their variants and barcodes, one variant a row.
        Products 2 "products";
        /// Prices of variants in price lists.
        Prices 3 "prices";
        /// How many are available where.
        Stock 4 "stock";
        /// Customers: names and how they are reached.
        Customers 5 "customers";
        /// Orders of the past, one line of an order a row.
        Orders 6 "orders";
        /// Where the postal codes lie that begin alike.
        PostalAreas 7 "postal_areas";
        /// Price lists, without their prices.
        PriceLists 11 "price_lists";
        /// Promotions with their limits.
        Promotions 12 "promotions";
        /// Coupons: codes that open promotions.
        Coupons 13 "coupons";
        /// What customers have with us: points, store credit, gift cards.
        Balances 14 "balances";
        /// What people agreed to, one thing a row.
        Consents 15 "consents";
        /// Who is on which list of people, one of them a row.
        Lists 16 "lists";
    }
}

words! {
    /// What becomes of the file when a row cannot be taken.
    Mode {
        /// Everything is tried and nothing is changed.
        DryRun 1 "dry_run";
        /// Nothing is taken unless every row can be.
        AllOrNothing 2 "all_or_nothing";
        /// The rows that can be taken are taken.
        RowsThatPass 3 "rows_that_pass";
    }
}

words! {
    /// How far an import is.
    State {
        /// Rows are still to be taken; it goes on where it stopped.
        Running 1 "running";
        /// Every row was looked at.
        Done 2 "done";
        /// All or nothing, and a row could not be taken: nothing was changed.
        Refused 3 "refused";
    }
}

/// What became of a row that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something new was made.
    Made,
    /// Something that was there was changed.
    Changed,
    /// It was there already, just so.
    Same,
    /// Of somebody who was there: put to what other sources say of the same person.
    Joined,
}

impl Kind {
    /// Does a file of this kind speak of people? Then no value of it is ever repeated.
    pub const fn is_personal(self) -> bool {
        matches!(self, Kind::Customers | Kind::Consents | Kind::Lists)
    }
}

/// A cell as it is repeated in an error: one line, shortened, nothing invisible.
pub fn shortened(value: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut short: String = value.chars().map(plain).take(VALUE_CHARS_MAX).collect();
    if value.chars().nth(VALUE_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shortened("a\nb"), "a b");
        assert_eq!(shortened(&"é".repeat(61)).chars().count(), 61);
        assert_eq!(shortened(&"é".repeat(60)), "é".repeat(60));
    }
}
