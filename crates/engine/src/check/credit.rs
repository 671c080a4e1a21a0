//! What customers have with us agrees with what was promised to them: every book of money is somebody's, and everything that goes back
//! for goods stands in a return.

use std::collections::BTreeMap;

use domain::value::Id;
use domain::value::id::{Book, Order, Payment};
use store::payment::credit as paid;
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

/// What returns put onto a gift card or store credit is what came onto it.
pub fn refunds(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(book, said, found): (Id<Book>, i64, i64)| {
        Difference::new("refunds", book, format!("{said} put on it by returns"), found)
    };
    Ok(store::returns::unequal_refunds(tx)?.into_iter().map(tell).collect())
}

/// What gift cards and store credit have set aside and spent for payments is what those payments say.
pub fn payments(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<String, [(i64, i64); 2]> = BTreeMap::new();
    for (side, standings) in [paid::said(tx)?, paid::booked(tx)?].into_iter().enumerate() {
        for (payment, aside, spent) in standings {
            let sums = &mut sides.entry(payment).or_default()[side];
            *sums = (sums.0 + aside, sums.1 + spent);
        }
    }
    let words = |(aside, spent): (i64, i64)| format!("{aside} set aside and {spent} spent");
    let differ = sides.into_iter().filter(|(_, [said, booked])| said != booked);
    let tell = |(payment, [said, booked]): (String, [(i64, i64); 2])| {
        Difference::new("credit payments", payment, words(said), words(booked))
    };
    Ok(differ.map(tell).collect())
}

/// What an order owes less for goods that came back is what its returns say.
pub fn returned(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(order, said, found): (Id<Order>, i64, i64)| {
        Difference::new("returned", order, format!("{said} by its returns"), found)
    };
    Ok(store::returns::unequal_credits(tx)?.into_iter().map(tell).collect())
}

/// What was carried over from a payment to exchanges is what those payments say.
pub fn carried(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(payment, said, found): (Id<Payment>, i64, i64)| {
        Difference::new("carried", payment, format!("{said} by exchanges"), found)
    };
    Ok(store::payment::carry::unequal_carries(tx)?.into_iter().map(tell).collect())
}
