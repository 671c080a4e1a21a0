//! What customers have with us agrees with what was promised to them: every book of money is somebody's.

use domain::value::Id;
use domain::value::id::Book;
use store::{Tx, loyalty as rows};

use super::Difference;
use crate::Failure;

/// Every book of money belongs to a gift card or store credit of its currency, and each of those has its book.
pub fn books(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(book, found): (Id<Book>, String)| {
        Difference::new("credit", book, "a book and its gift card or store credit", found)
    };
    Ok(rows::unowned_books(tx)?.into_iter().map(tell).collect())
}
