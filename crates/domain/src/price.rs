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

/// The lowest price one piece had in the [`LOWEST_DAYS`] days before an instant, replayed from the history of changes, which must be
/// in order of time; `None` when it had no price.
///
/// The lists' dates are taken as they are now.
pub fn lowest_before(lists: &[List], changes: &[Change], before: Instant) -> Option<Row> {
    let from = Instant::from_micros(before.micros() - LOWEST_DAYS * DAY_MICROS);
    let edges = changes.iter().flat_map(|change| {
        let end = change.row.and_then(|row| row.ends_at);
        [Some(change.at), change.starts_at, end]
    });
    let list_edges = lists.iter().flat_map(|list| [list.starts_at, list.ends_at]);
    let mut instants: Vec<Instant> =
        edges.chain(list_edges).flatten().filter(|at| from < *at && *at < before).collect();
    instants.push(from);
    instants.sort_unstable();
    instants.dedup();
    instants
        .into_iter()
        .filter_map(|at| effective(lists, &rows_at(changes, at), 1, at))
        .min_by_key(|row| (row.minor, row.list))
}

/// The prices as they stood at the end of an instant.
fn rows_at(changes: &[Change], at: Instant) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    for change in changes.iter().take_while(|change| change.at <= at) {
        rows.insert((change.list, change.minimum_quantity, change.starts_at), change.row);
    }
    rows.into_values().flatten().collect()
}
