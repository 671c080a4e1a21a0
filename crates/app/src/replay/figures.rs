//! How the chain of a replay lived, counted from the journal: who served orders, what that cost, how right the shelves were.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

/// How the chain lived.
#[derive(Debug, Default)]
pub struct Chain {
    /// Orders of which goods left by parcel, and in how many parts.
    sent: BTreeMap<String, u64>,
    /// Orders that were collected.
    collected: BTreeSet<String>,
    /// Orders that waited for goods another place sent.
    sent_for: BTreeSet<String>,
    /// Orders that the place first chosen did not serve wholly.
    moved: BTreeSet<String>,
    /// The shop's own ids of stores.
    stores: HashSet<String>,
    /// Parts sent from a store.
    from_stores: u64,
    /// Pieces that left.
    left: i64,
    /// Parts that another place claimed, and parts that were packed.
    claimed: u64,
    packed: u64,
    /// Pieces at all locations, and those of them that nobody finds.
    on_hand: i64,
    missing: i64,
    /// Lines of shelves that were counted, and those of them that were right.
    counted: i64,
    right: i64,
    /// Pieces that places sent each other, and those of them that never arrived or arrived damaged.
    transferred: i64,
    harmed: i64,
    /// Returns by the way they came and pieces by condition.
    returned: BTreeMap<String, BTreeSet<String>>,
    /// What exchanges gave back and sold, in minor units.
    exchanged: (i64, i64),
}

/// The states in which pieces lie at a location.
const ON_HAND: [&str; 8] =
    ["available", "held", "committed", "picked", "damaged", "quality", "display", "missing"];
/// What a parcel costs in a carrier's hands, in minor units; an assumption, as are the next.
const PARCEL_MINOR: i64 = 320;
/// What taking one piece from a shelf and packing it costs.
const PIECE_MINOR: i64 = 12;
/// What handing an order over at a counter costs.
const COUNTER_MINOR: i64 = 90;

/// What happened how often, by the events that tell it, in the order of reports.
const HAPPENED: [(&str, &[&str]); 19] = [
    ("fulfilment orders refused", &["fulfilment.rejected"]),
    ("short picks", &["fulfilment.short"]),
    ("offered to others", &["fulfilment.offered"]),
    ("sent for to a pickup store", &["fulfilment.awaiting_transfer"]),
    ("handed over at a counter", &["pickup.handed_over"]),
    ("routed by the profile", &["routing.decided"]),
    ("orders changed", &["order.changed"]),
    ("transfers asked for", &["transfer.requested"]),
    ("transfers approved by a second person", &["transfer.approved"]),
    ("transfers sent", &["transfer.sent"]),
    ("receipts of transfers", &["transfer.received"]),
    ("transfers with pieces not found", &["transfer.short"]),
    ("transfers closed short", &["transfer.closed_short"]),
    ("transfers called off", &["transfer.cancelled"]),
    ("counts posted", &["count.posted"]),
    ("counted again", &["count.recount_asked"]),
    ("returns announced", &["return.approved"]),
    ("returns looked at", &["return.inspected"]),
    ("exchanges", &["exchange.made"]),
];

impl Chain {
    /// Nothing happened yet in a chain with these stores.
    pub fn new(stores: HashSet<String>) -> Chain {
        Chain { stores, ..Chain::default() }
    }

    /// Counts an event of the journal. What goes over a till's counter was sent by nobody: of it only the stock counts.
    pub fn count(&mut self, kind: &str, subject: &str, data: &Value, at_a_till: bool) {
        match kind {
            "stock.moved" => self.count_stock(data),
            "count.posted" => {
                self.counted += whole(data, "lines");
                self.right += whole(data, "right");
            }
            "transfer.sent" => self.transferred += pieces(data, "shipped"),
            "transfer.closed_short" => self.harmed += pieces(data, "lost") + pieces(data, "damaged"),
            "transfer.received" if data["state"] == "received" => self.harmed += pieces(data, "damaged"),
            "return.received" | "return.inspected" => self.count_return(subject, data),
            "exchange.made" => {
                self.exchanged.0 += whole(data, "returned");
                self.exchanged.1 += whole(data, "gross");
            }
            _ if !at_a_till => self.count_order(kind, subject, data),
            _ => {}
        }
    }

    fn count_stock(&mut self, data: &Value) {
        for line in data["lines"].as_array().into_iter().flatten() {
            let (state, amount) = (line["state"].as_str().unwrap_or_default(), whole(line, "amount"));
            self.on_hand += if ON_HAND.contains(&state) { amount } else { 0 };
            self.missing += if state == "missing" { amount } else { 0 };
        }
    }

    fn count_return(&mut self, subject: &str, data: &Value) {
        for line in data["lines"].as_array().into_iter().flatten() {
            let condition = line["condition"].as_str().unwrap_or_default();
            if condition != "inspect" {
                self.returned.entry(condition.to_owned()).or_default().insert(subject.to_owned());
            }
        }
    }

    fn count_order(&mut self, kind: &str, order: &str, data: &Value) {
        match kind {
            "fulfilment.shipped" => {
                *self.sent.entry(order.to_owned()).or_insert(0) += 1;
                self.from_stores +=
                    u64::from(data["location"].as_str().is_some_and(|id| self.stores.contains(id)));
                self.left += pieces(data, "quantity");
            }
            "fulfilment.collected" => {
                self.collected.insert(order.to_owned());
                self.left += pieces(data, "quantity");
            }
            "fulfilment.packed" => self.packed += 1,
            "fulfilment.claimed" => self.claimed += 1,
            "fulfilment.awaiting_transfer" => {
                self.sent_for.insert(order.to_owned());
            }
            "fulfilment.rejected" | "fulfilment.short" | "fulfilment.offered" => {
                self.moved.insert(order.to_owned());
            }
            _ => {}
        }
    }

    fn orders(&self) -> i64 {
        (self.sent.len() + self.collected.len()) as i64
    }

    fn splits(&self) -> i64 {
        self.sent.values().filter(|parts| **parts > 1).count() as i64
    }

    fn parcels(&self) -> i64 {
        self.sent.values().sum::<u64>().cast_signed()
    }

    fn cost_minor(&self) -> i64 {
        self.parcels() * PARCEL_MINOR + self.left * PIECE_MINOR + self.collected.len() as i64 * COUNTER_MINOR
    }

    /// Shares in hundredths of a per cent, costs in minor units; `daily` is how many pieces are sold in a day, over all channels.
    fn figures(&self, daily: i64) -> Vec<(&'static str, i64, &'static str)> {
        let share = |part: i64, whole: i64| part * 10_000 / whole.max(1);
        let back = |condition: &str| self.returned.get(condition).map_or(0, BTreeSet::len) as i64;
        vec![
            ("orders sent or collected", self.orders(), ""),
            ("collected in a store", self.collected.len() as i64, ""),
            ("of them sent for from elsewhere", self.sent_for.len() as i64, ""),
            ("parcels from a store", self.from_stores.cast_signed(), ""),
            ("parts picked piece by piece", self.packed.cast_signed(), ""),
            ("parts claimed by another place", self.claimed.cast_signed(), ""),
            ("fill rate", share(self.orders() - self.moved.len() as i64, self.orders()), "%"),
            ("orders in more than one parcel", share(self.splits(), self.orders()), "%"),
            ("cost per order", self.cost_minor() / self.orders().max(1), "£"),
            ("pieces sent between places", self.transferred, ""),
            ("of them lost or damaged", share(self.harmed, self.transferred), "%"),
            ("returns put back on the shelf", back("resellable"), ""),
            ("returns with damaged goods", back("damaged"), ""),
            ("returns thrown away", back("scrap"), ""),
            ("given back for exchanges", self.exchanged.0, "£"),
            ("sold for exchanges", self.exchanged.1, "£"),
            ("days of stock", self.on_hand / daily.max(1), ""),
            ("pieces that nobody finds", self.missing, ""),
            ("shelf accuracy", share(self.right, self.counted), "%"),
        ]
    }

    /// For people.
    pub fn text(&self, daily: i64, events: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
        let written = |amount: i64, unit: &str| match unit {
            "%" => format!("{}.{:02} %", amount / 100, amount % 100),
            "£" => format!("£{}.{:02}", amount / 100, amount % 100),
            _ => amount.to_string(),
        };
        let mut rows = vec![["the living chain", ""].map(str::to_owned).to_vec()];
        rows.extend(happened(events).map(|(name, count)| vec![name.to_owned(), count.to_string()]));
        rows.extend(
            self.figures(daily)
                .iter()
                .map(|(name, amount, unit)| vec![(*name).to_owned(), written(*amount, unit)]),
        );
        rows
    }

    /// For programs: shares in hundredths of a per cent, costs in pence.
    pub fn json(&self, daily: i64, events: &BTreeMap<String, u64>) -> Value {
        let happened = happened(events).map(|(name, count)| (name.to_owned(), json!(count)));
        let figures = self.figures(daily);
        let figures = figures.iter().map(|(name, amount, _)| ((*name).to_owned(), json!(amount)));
        happened.chain(figures).collect::<serde_json::Map<_, _>>().into()
    }
}

/// What happened how often.
fn happened(events: &BTreeMap<String, u64>) -> impl Iterator<Item = (&'static str, u64)> {
    HAPPENED.iter().map(|(name, kinds)| (*name, kinds.iter().filter_map(|kind| events.get(*kind)).sum()))
}

fn whole(data: &Value, name: &str) -> i64 {
    data[name].as_i64().unwrap_or(0)
}

fn pieces(data: &Value, name: &str) -> i64 {
    data["lines"].as_array().into_iter().flatten().map(|line| whole(line, name)).sum()
}
