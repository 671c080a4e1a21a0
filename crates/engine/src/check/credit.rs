//! What customers have with us agrees with what was promised to them: every book of money is somebody's, and everything that goes back
//! for goods stands in a return.

use std::collections::BTreeMap;

use domain::loyalty::points::part;
use domain::value::Id;
use domain::value::id::{Book, Claim, Order, OrderLine, Payment};
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

/// What gift cards, store credit and points have set aside and spent for payments is what those payments say.
pub fn payments(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<String, [(i64, i64); 2]> = BTreeMap::new();
    let said = paid::said(tx)?.into_iter().map(|said| (said.payment.to_string(), standing(&said)));
    let said: Vec<_> = said.map(|(payment, (aside, spent))| (payment, aside, spent)).collect();
    for (side, standings) in [said, paid::booked(tx)?].into_iter().enumerate() {
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

/// What a payment has set aside and spent, in minor units or points.
fn standing(said: &paid::Said) -> (i64, i64) {
    let until = |minor: i64| match said.points {
        Some(points) => part(points, said.amount, minor.clamp(0, said.amount)),
        None => minor,
    };
    let (allowed, spent, back) = (until(said.allowed), until(said.spent), until(said.back));
    (allowed - spent, spent - back)
}

/// What came into books from the system before is what was taken in under the numbers it had there.
pub fn opening(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(book, said, found): (Id<Book>, i64, i64)| {
        Difference::new("opening", book, format!("{said} taken in from the system before"), found)
    };
    Ok(rows::opening::unequal(tx)?.into_iter().map(tell).collect())
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

/// No more of a line is claimed than its customer may have.
pub fn claimed(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(line, most, found): (Id<OrderLine>, i64, i64)| {
        Difference::new("claimed", line, format!("at most {most} claimed"), found)
    };
    Ok(store::returns::claim::overclaimed(tx)?.into_iter().map(tell).collect())
}

/// What a claim says was given back for it is what its return says.
pub fn made_good(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(claim, said, found): (Id<Claim>, i64, i64)| {
        Difference::new("made good", claim, format!("{said} given back by its return"), found)
    };
    Ok(store::returns::claim::unequal_refunds(tx)?.into_iter().map(tell).collect())
}
