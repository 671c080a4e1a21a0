//! Prices: which of the prices in force a customer pays, and the lowest price a thing had lately.

use std::collections::BTreeMap;

use crate::refusal::{Code, Refusal};
use crate::value::Instant;
use crate::value::id::{Channel, Market, PriceList};
use crate::value::text::bounded;
use crate::value::{Currency, Id, Quantity};

/// The highest priority of a price list.
pub const PRIORITY_MAX: i64 = 1_000;
/// The most a piece may cost in minor units: a thousand million, so that a line of many stays within 64 bits.
pub const PRICE_MINOR_MAX: i64 = 1_000_000_000;
/// The days of which the European Union wants the lowest price told when a price is lowered (directive 98/6/EC, article 6a).
pub const LOWEST_DAYS: i64 = 30;
const DAY_MICROS: i64 = 86_400_000_000;

/// Who a price list is for: everybody of a market or of a channel, or one group of customers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A market, in all its channels.
    Market(Id<Market>),
    /// One channel.
    Channel(Id<Channel>),
}

/// A price list as the rule sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its identity.
    pub id: Id<PriceList>,
    /// Where it holds.
    pub audience: Audience,
    /// The group of customers it is for; everybody when `None`.
    pub customer_group: Option<String>,
    /// The higher goes first among lists that are as specific.
    pub priority: i64,
    /// From when; always when `None`.
    pub starts_at: Option<Instant>,
    /// Until when, not included; for ever when `None`.
    pub ends_at: Option<Instant>,
}

impl List {
    /// How specific the list is: channel and group 4, channel 3, market and group 2, market 1.
    pub fn rank(&self) -> i64 {
        let place = match self.audience {
            Audience::Channel(_) => 3,
            Audience::Market(_) => 1,
        };
        place + i64::from(self.customer_group.is_some())
    }

    fn holds(&self, now: Instant) -> bool {
        within(self.starts_at, self.ends_at, now)
    }
}

/// A price of one variant in one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The list.
    pub list: Id<PriceList>,
    /// From how many base units on it holds.
    pub minimum_quantity: i64,
    /// From when; always when `None`.
    pub starts_at: Option<Instant>,
    /// Until when, not included; for ever when `None`.
    pub ends_at: Option<Instant>,
    /// What one base unit costs, in minor units of the list's currency.
    pub minor: i64,
    /// The price to compare with, shown struck through.
    pub was_minor: Option<i64>,
}

fn within(starts_at: Option<Instant>, ends_at: Option<Instant>, now: Instant) -> bool {
    starts_at.is_none_or(|start| start <= now) && ends_at.is_none_or(|end| now < end)
}

/// Checks the dates of a list or a price.
///
/// # Errors
/// The refusal points at the end.
pub fn dates(starts_at: Option<Instant>, ends_at: Option<Instant>) -> Result<(), Refusal> {
    match (starts_at, ends_at) {
        (Some(start), Some(end)) if start >= end => {
            Err(Refusal::invalid("ends_at", "give an end after the start"))
        }
        _ => Ok(()),
    }
}

/// Checks a list's priority, dates and customer group.
///
/// # Errors
/// The refusal names every field at fault.
pub fn list(list: &List) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    if !(0..=PRIORITY_MAX).contains(&list.priority) {
        refusals.push(Refusal::invalid("priority", format!("give 0 to {PRIORITY_MAX}")));
    }
    if let Some(group) = &list.customer_group
        && let Err(error) = bounded("customer group", group, 1, 60)
    {
        refusals.push(Refusal::invalid("customer_group", error));
    }
    refusals.extend(dates(list.starts_at, list.ends_at).err());
    Refusal::all(refusals).map_or(Ok(()), Err)
}

/// Checks one price to be set: amounts from 0 to [`PRICE_MINOR_MAX`], a price to compare with above the price, dates in order.
///
/// # Errors
/// The refusal names every field at fault.
pub fn row(row: &Row) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    let amounts = 0..=PRICE_MINOR_MAX;
    if !amounts.contains(&row.minor) {
        refusals.push(Refusal::invalid("amount", format!("give 0 to {PRICE_MINOR_MAX} minor units")));
    }
    if row.was_minor.is_some_and(|was| was <= row.minor || !amounts.contains(&was)) {
        refusals.push(Refusal::invalid("was_amount", "give more than the price itself, or leave it out"));
    }
    if let Err(error) = Quantity::new(row.minimum_quantity) {
        refusals.push(Refusal::invalid("minimum_quantity", error));
    }
    refusals.extend(dates(row.starts_at, row.ends_at).err());
    Refusal::all(refusals).map_or(Ok(()), Err)
}

/// Checks that a list's currency is that of its market.
///
/// # Errors
/// [`Code::CurrencyMismatch`].
pub fn currency(list: Currency, market: Currency) -> Result<(), Refusal> {
    if list == market {
        return Ok(());
    }
    let message = format!("the market is priced in {market}, the list in {list}; make the list in {market}");
    Err(Refusal::new(Code::CurrencyMismatch, message).at("currency"))
}

/// The price a customer pays for this many: of the lists that hold now, the most specific with a price, then the highest
/// priority, then the lowest price; the list made first among equals.
///
/// In one list, of the prices from the same quantity on, the one that started last is in force (a sale over the standing price);
/// of the prices from different quantities on, the lowest is taken.
pub fn effective(lists: &[List], rows: &[Row], quantity: i64, now: Instant) -> Option<Row> {
    let in_force = |list: &List| {
        let mut tiers: BTreeMap<i64, &Row> = BTreeMap::new();
        let rows = rows.iter().filter(|row| row.list == list.id && row.minimum_quantity <= quantity);
        for row in rows.filter(|row| within(row.starts_at, row.ends_at, now)) {
            let tier = tiers.entry(row.minimum_quantity).or_insert(row);
            if row.starts_at > tier.starts_at {
                *tier = row;
            }
        }
        tiers.into_values().min_by_key(|row| (row.minor, row.minimum_quantity)).copied()
    };
    lists
        .iter()
        .filter(|list| list.holds(now))
        .filter_map(|list| Some((list, in_force(list)?)))
        .min_by_key(|(list, row)| (-list.rank(), -list.priority, row.minor, list.id))
        .map(|(_, row)| row)
}

/// That a price was set, or taken away (`row` is `None`), at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Instant,
    /// The list.
    pub list: Id<PriceList>,
    /// From how many base units on.
    pub minimum_quantity: i64,
    /// From when the price holds; with list and quantity this says which price was changed.
    pub starts_at: Option<Instant>,
    /// What it became.
    pub row: Option<Row>,
}

/// That a price list was made or changed, at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChange {
    /// When.
    pub at: Instant,
    /// What it became.
    pub list: List,
    /// Was it in use from then on?
    pub active: bool,
}

/// The lowest price one piece had in the [`LOWEST_DAYS`] days before an instant, replayed from the history of lists and of prices, which
/// must be in order of time; `None` when it had no price.
pub fn lowest_before(lists: &[ListChange], changes: &[Change], before: Instant) -> Option<Row> {
    let from = Instant::from_micros(before.micros() - LOWEST_DAYS * DAY_MICROS);
    let edges = changes.iter().flat_map(|change| {
        let end = change.row.and_then(|row| row.ends_at);
        [Some(change.at), change.starts_at, end]
    });
    let list_edges =
        lists.iter().flat_map(|change| [Some(change.at), change.list.starts_at, change.list.ends_at]);
    let mut instants: Vec<Instant> =
        edges.chain(list_edges).flatten().filter(|at| from < *at && *at < before).collect();
    instants.push(from);
    instants.sort_unstable();
    instants.dedup();
    instants
        .into_iter()
        .filter_map(|at| effective(&lists_at(lists, at), &rows_at(changes, at), 1, at))
        .min_by_key(|row| (row.minor, row.list))
}

/// The price a customer paid for this many at an instant that is past, replayed from the history of lists and of prices, which must be in order
/// of time. A list or price that was noted first after the instant counts as it was noted first: nothing is known of what was before.
pub fn then(lists: &[ListChange], changes: &[Change], quantity: i64, at: Instant) -> Option<Row> {
    let mut known = BTreeMap::new();
    for change in lists {
        let state = known.entry(change.list.id).or_insert(change);
        if change.at <= at {
            *state = change;
        }
    }
    let lists: Vec<List> =
        known.into_values().filter(|state| state.active).map(|state| state.list.clone()).collect();
    let mut known = BTreeMap::new();
    for change in changes {
        let row = known.entry((change.list, change.minimum_quantity, change.starts_at)).or_insert(change.row);
        if change.at <= at {
            *row = change.row;
        }
    }
    let rows: Vec<Row> = known.into_values().flatten().collect();
    effective(&lists, &rows, quantity, at)
}

/// The lists in use as they stood at the end of an instant.
fn lists_at(changes: &[ListChange], at: Instant) -> Vec<List> {
    let mut lists = BTreeMap::new();
    for change in changes.iter().take_while(|change| change.at <= at) {
        lists.insert(change.list.id, change.active.then(|| change.list.clone()));
    }
    lists.into_values().flatten().collect()
}

/// The prices as they stood at the end of an instant.
fn rows_at(changes: &[Change], at: Instant) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    for change in changes.iter().take_while(|change| change.at <= at) {
        rows.insert((change.list, change.minimum_quantity, change.starts_at), change.row);
    }
    rows.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(day: i64) -> Instant {
        Instant::from_micros(day * DAY_MICROS)
    }

    fn list(number: u8, channel: bool, group: bool, priority: i64) -> List {
        let audience = match channel {
            true => Audience::Channel(Id::from_bytes([1; 16])),
            false => Audience::Market(Id::from_bytes([1; 16])),
        };
        let customer_group = group.then(|| "trade".to_owned());
        let id = Id::from_bytes([number; 16]);
        List { id, audience, customer_group, priority, starts_at: None, ends_at: None }
    }

    fn price(number: u8, minimum_quantity: i64, minor: i64) -> Row {
        let list = Id::from_bytes([number; 16]);
        Row { list, minimum_quantity, starts_at: None, ends_at: None, minor, was_minor: None }
    }

    fn pays(lists: &[List], rows: &[Row], quantity: i64, day: i64) -> Option<i64> {
        effective(lists, rows, quantity, at(day)).map(|row| row.minor)
    }

    #[test]
    fn the_most_specific_list_then_priority_then_the_lowest() {
        let all = [
            list(1, false, false, 9),
            list(2, false, true, 9),
            list(3, true, false, 0),
            list(4, true, true, 0),
        ];
        let rows = [price(1, 1, 100), price(2, 1, 200), price(3, 1, 300), price(4, 1, 400)];
        for most in (1..=4).rev() {
            assert_eq!(pays(&all[..most], &rows, 1, 0), Some(100 * most as i64));
        }
        let same = [list(1, false, false, 1), list(2, false, false, 1), list(3, false, false, 0)];
        assert_eq!(pays(&same, &[price(1, 1, 30), price(2, 1, 20), price(3, 1, 10)], 1, 0), Some(20));
        assert_eq!(
            pays(&all, &[price(1, 1, 100)], 1, 0),
            Some(100),
            "a list without a price does not hide others"
        );
        assert_eq!(pays(&all, &[], 1, 0), None);
    }

    #[test]
    fn quantities_dates_and_the_sale_over_the_standing_price() {
        let one = [list(1, false, false, 0)];
        let sale =
            Row { starts_at: Some(at(10)), ends_at: Some(at(20)), was_minor: Some(100), ..price(1, 1, 70) };
        let raised = Row { starts_at: Some(at(30)), ..price(1, 1, 120) };
        let rows = [price(1, 1, 100), price(1, 10, 90), sale, raised];
        let days =
            [(1, 9, 100), (10, 9, 90), (1, 10, 70), (10, 10, 70), (1, 20, 100), (1, 30, 120), (10, 30, 90)];
        for (quantity, day, minor) in days {
            assert_eq!(pays(&one, &rows, quantity, day), Some(minor), "{quantity} on day {day}");
        }
        let later = [List { starts_at: Some(at(5)), ends_at: Some(at(6)), ..list(1, false, false, 0) }];
        assert_eq!([4, 5, 6].map(|day| pays(&later, &rows, 1, day)), [None, Some(100), None]);
    }

    #[test]
    fn the_lowest_price_of_thirty_days_is_replayed() {
        let one = [list(1, false, false, 0)];
        let change = |day, row: Option<Row>, starts_at| Change {
            at: at(day),
            list: one[0].id,
            minimum_quantity: 1,
            starts_at,
            row,
        };
        let sale = Row { starts_at: Some(at(50)), ends_at: Some(at(55)), ..price(1, 1, 60) };
        let changes = [
            change(0, Some(price(1, 1, 80)), None),
            change(40, Some(price(1, 1, 100)), None),
            change(45, Some(sale), Some(at(50))),
            change(90, None, None),
        ];
        let made = [ListChange { at: at(-1), list: one[0].clone(), active: true }];
        let lowest = |day| lowest_before(&made, &changes, at(day)).map(|row| row.minor);
        assert_eq!(lowest(0), None, "it had no price yet");
        assert_eq!([1, 49, 51, 84, 86, 119].map(lowest), [80, 80, 60, 60, 100, 100].map(Some));
        assert_eq!(lowest(121), None, "it was taken away long ago");
    }

    #[test]
    fn a_list_counts_as_it_was_on_the_day() {
        let (standing, sale) = (list(1, false, false, 0), list(2, true, false, 0));
        let price_of = |number, minor| Change {
            at: at(0),
            list: Id::from_bytes([number; 16]),
            minimum_quantity: 1,
            starts_at: None,
            row: Some(price(number, 1, minor)),
        };
        let prices = [price_of(1, 100), price_of(2, 60)];
        let over = List { ends_at: Some(at(20)), ..sale.clone() };
        let lists = [
            ListChange { at: at(0), list: standing, active: true },
            ListChange { at: at(10), list: sale.clone(), active: true },
            ListChange { at: at(12), list: sale.clone(), active: false },
            ListChange { at: at(15), list: over, active: true },
            ListChange { at: at(16), list: List { starts_at: Some(at(90)), ..sale }, active: true },
        ];
        let lowest = |day| lowest_before(&lists, &prices, at(day)).map(|row| row.minor);
        assert_eq!([10, 11, 45, 46].map(lowest), [100, 60, 60, 100].map(Some));
        assert_eq!(lowest(91), Some(60), "it began again");
    }

    #[test]
    fn every_bad_field_of_a_price_is_named() {
        let bad = Row { was_minor: Some(5), ends_at: Some(at(1)), starts_at: Some(at(2)), ..price(1, 0, -1) };
        let refusal = row(&bad).unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["amount", "minimum_quantity", "ends_at"]);
        assert!(row(&Row { was_minor: Some(10), ..price(1, 1, 10) }).is_err());
    }

    proptest! {
        #[test]
        fn the_order_in_which_prices_are_kept_does_not_matter(
            rows in proptest::collection::vec((1u8..5, 1i64..4, 0i64..5, 1i64..9), 0..12),
            quantity in 1i64..5,
        ) {
            let lists = [list(1, false, false, 1), list(2, false, true, 1), list(3, true, false, 0), list(4, true, false, 0)];
            let mut tiers = BTreeMap::new();
            for (number, minimum, day, minor) in rows {
                let row = Row { starts_at: (day > 0).then(|| at(day)), ..price(number, minimum, minor) };
                tiers.insert((number, minimum, day), row);
            }
            let rows: Vec<Row> = tiers.into_values().collect();
            let (turned, other): (Vec<Row>, Vec<List>) = (rows.iter().rev().copied().collect(), lists.iter().rev().cloned().collect());
            prop_assert_eq!(effective(&lists, &rows, quantity, at(3)), effective(&other, &turned, quantity, at(3)));
        }
    }
}
