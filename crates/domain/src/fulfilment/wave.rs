//! Pick waves: fulfilment orders that are picked in one walk, shelf by shelf, and sorted into totes on the way.

use std::cmp::Ordering;

use crate::value::Id;
use crate::value::id::Variant;
use crate::words;

words! {
    /// Where a pick wave stands.
    State {
        /// Nobody walks yet.
        Open 1 "open";
        /// A colleague walks.
        Picking 2 "picking";
        /// The walk is over.
        Finished 3 "finished";
    }
}

/// Pieces of a variant that belong into a tote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The shelf, where one is known.
    pub shelf: Option<String>,
    /// The variant.
    pub variant: Id<Variant>,
    /// Its SKU.
    pub sku: String,
    /// Which tote, from 1: one for each fulfilment order.
    pub tote: i64,
    /// How many are still to be taken from the shelf.
    pub open: i64,
    /// How many are in the tote.
    pub picked: i64,
    /// How many lie in the tote and belong back on the shelf, because they were cancelled during the walk.
    pub put_back: i64,
}

/// A stop of the walk: one variant on one shelf, for all totes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The shelf, where one is known.
    pub shelf: Option<String>,
    /// The variant.
    pub variant: Id<Variant>,
    /// Its SKU.
    pub sku: String,
    /// What belongs into which tote, tote by tote.
    pub totes: Vec<Wanted>,
}

impl Stop {
    /// How many are still to be taken from the shelf.
    pub fn open(&self) -> i64 {
        self.totes.iter().map(|tote| tote.open).sum()
    }
}

/// The walk past all shelves: by shelf, then by SKU, both as people count; what has no shelf comes last.
pub fn walk(mut wanted: Vec<Wanted>) -> Vec<Stop> {
    wanted.sort_by(|a, b| {
        let shelf = match (&a.shelf, &b.shelf) {
            (Some(a), Some(b)) => natural(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        shelf.then_with(|| natural(&a.sku, &b.sku)).then_with(|| a.tote.cmp(&b.tote))
    });
    let mut stops: Vec<Stop> = Vec::new();
    for one in wanted {
        match stops.last_mut() {
            Some(stop) if stop.variant == one.variant => match stop.totes.last_mut() {
                // Two lines of one order may want the same variant: the tote is the same.
                Some(tote) if tote.tote == one.tote => {
                    tote.open += one.open;
                    tote.picked += one.picked;
                    tote.put_back += one.put_back;
                }
                _ => stop.totes.push(one),
            },
            _ => stops.push(Stop {
                shelf: one.shelf.clone(),
                variant: one.variant,
                sku: one.sku.clone(),
                totes: vec![one],
            }),
        }
    }
    stops
}

/// The order in which people count: digits by the number they write, so that `A-2` comes before `A-10`; else character by character.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (one, other) = (part(left), part(right));
        if one.is_empty() || other.is_empty() {
            // Equal as people count, such as `A-2` and `A-02`: the texts decide, so that the order is the same each time.
            return one.len().cmp(&other.len()).then_with(|| a.cmp(b));
        }
        let by_number = is_number(one) && is_number(other);
        let order = if by_number { by_value(one, other) } else { one.cmp(other) };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (&left[one.len()..], &right[other.len()..]);
    }
}

/// The digits a text begins with, or its first character.
fn part(text: &str) -> &str {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let first = text.chars().next().map_or(0, char::len_utf8);
    &text[..digits.max(first)]
}

fn is_number(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_digit())
}

fn by_value(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wanted(shelf: Option<&str>, sku: &str, tote: i64, open: i64) -> Wanted {
        let variant = Id::from_bytes([sku.bytes().next().unwrap_or(0); 16]);
        Wanted {
            shelf: shelf.map(str::to_owned),
            variant,
            sku: sku.into(),
            tote,
            open,
            picked: 0,
            put_back: 0,
        }
    }

    #[test]
    fn the_walk_goes_past_the_shelves_as_people_count_them() {
        let stops = walk(vec![
            wanted(Some("A-10"), "TEA", 1, 1),
            wanted(None, "BOOK", 1, 1),
            wanted(Some("A-2"), "MUG", 2, 3),
            wanted(Some("A-2"), "MUG", 1, 1),
            wanted(Some("A-2"), "MUG", 1, 1),
        ]);
        let told: Vec<_> = stops.iter().map(|stop| (stop.sku.as_str(), stop.open())).collect();
        assert_eq!(told, [("MUG", 5), ("TEA", 1), ("BOOK", 1)]);
        let totes: Vec<_> = stops[0].totes.iter().map(|tote| (tote.tote, tote.open)).collect();
        assert_eq!(totes, [(1, 2), (2, 3)]);
    }

    #[test]
    fn numbers_count_by_value() {
        let mut shelves = ["A-10", "A-2", "B", "A-2b", "A", "A-02", "", "Ä-1", "A-99999999999999999999", "7"];
        shelves.sort_by(|a, b| natural(a, b));
        assert_eq!(
            shelves,
            ["", "7", "A", "A-02", "A-2", "A-2b", "A-10", "A-99999999999999999999", "B", "Ä-1"]
        );
    }

    proptest! {
        #[test]
        fn it_is_an_order(a in "[A-B0-2äß-]{0,5}", b in "[A-B0-2äß-]{0,5}", c in "[A-B0-2äß-]{0,5}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
