//! The points of members agree with what gave and took them: lots, orders and payments.

use std::collections::BTreeMap;

use domain::loyalty::State;
use domain::value::Id;
use domain::value::id::Book;
use store::Tx;
use store::loyalty::{household, points as rows, referral};

use super::Difference;
use crate::Failure;

/// What must agree, by name, and the accounts whose sum it is.
type Kept = (State, &'static str, &'static [(State, i64)]);

/// Everything that must agree.
const KEPT: &[Kept] = &[
    (State::Pending, "pending in lots", &[(State::Pending, 1)]),
    (State::Balance, "free in lots", &[(State::Balance, 1)]),
    (State::Earned, "earned by orders", &[(State::Earned, -1)]),
    (State::Spent, "taken by payments", &[(State::Held, 1), (State::Spent, 1)]),
];

/// What lots have pending and free, orders earned, and payments hold and spent, is what the accounts of the member say.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<(Id<Book>, State), [i64; 2]> = BTreeMap::new();
    for (book, state, points) in rows::said(tx)? {
        sides.entry((book, state)).or_default()[0] += points;
    }
    for (book, state, points) in rows::booked(tx)? {
        for (into, _, accounts) in KEPT {
            let signs = accounts.iter().filter(|(account, _)| *account == state);
            let part: i64 = signs.map(|(_, sign)| sign * points).sum();
            if part != 0 {
                sides.entry((book, *into)).or_default()[1] += part;
            }
        }
    }
    let word = |state| KEPT.iter().find(|(own, ..)| *own == state).map_or("", |(_, word, _)| *word);
    let differ = sides.into_iter().filter(|(_, [said, booked])| said != booked);
    let tell = |((book, state), [said, booked]): ((Id<Book>, State), [i64; 2])| {
        Difference::new("points", book, format!("{said} {}", word(state)), booked)
    };
    Ok(differ.map(tell).collect())
}

/// Every book of points is a member's, and each member has one.
pub fn books(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(book, found): (Id<Book>, String)| {
        Difference::new("members", book, "a book of points and its member", found)
    };
    Ok(rows::unowned_books(tx)?.into_iter().map(tell).collect())
}

/// Everybody's points go into the household he is in, each has one head, and no points were lost on the way from book to book.
pub fn households(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let expected = "a member of the household his points go into";
    let mut found: Vec<_> = household::unequal(tx)?
        .into_iter()
        .map(|(of, wrong)| Difference::new("households", of, expected, wrong))
        .collect();
    for (programme, points) in household::lost(tx)? {
        found.push(Difference::new("households", programme, "as many points in as out of books", points));
    }
    Ok(found)
}

/// What both have of a referral is what the ledger gave them for it.
pub fn referrals(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<String, [i64; 2]> = BTreeMap::new();
    for (side, all) in [referral::said(tx)?, referral::booked(tx)?].into_iter().enumerate() {
        for (friend, points) in all {
            sides.entry(friend).or_default()[side] += points;
        }
    }
    let differ = sides.into_iter().filter(|(_, [said, booked])| said != booked);
    let tell = |(friend, [said, booked]): (String, [i64; 2])| {
        Difference::new("referrals", friend, format!("{said} given for a friend"), booked)
    };
    Ok(differ.map(tell).collect())
}
