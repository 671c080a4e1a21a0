//! What went where: every line of the source under its rule, and what the shop earned by channel and month, so that
//! both can be held against the source to the penny. Shown as a table for people and as JSON for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::amount::{Exact, grouped};
use super::assignment::Channel;
use super::class::Class;
use super::source::{Invoice, Kind, Month, Source};

/// Sums over invoices. Build one of the source and one of what really happened: they must be equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    kinds: BTreeMap<Kind, u64>,
    classes: BTreeMap<Class, ClassSum>,
    trade: BTreeMap<(Month, Channel), Trade>,
}

/// All lines under one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSum {
    /// How many lines.
    pub lines: u64,
    /// Pieces; negative for what comes back or is written off.
    pub pieces: i64,
    /// Quantity × unit price as the source has it.
    pub value: Exact,
    /// What of it goes through the shop, in minor units.
    pub charged_minor: i64,
}

/// What customers bought and brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    /// Invoices that are sales.
    pub orders: u64,
    /// Pieces of goods sold.
    pub pieces_sold: i64,
    /// Goods, services and delivery, in minor units.
    pub sales_minor: i64,
    /// Invoices that are returns or credits.
    pub returns: u64,
    /// Pieces of goods come back.
    pub pieces_returned: i64,
    /// Paid back or credited, in minor units; positive.
    pub refunds_minor: i64,
}

impl Trade {
    /// Sales less refunds, in minor units.
    #[must_use]
    pub const fn revenue_minor(&self) -> i64 {
        self.sales_minor - self.refunds_minor
    }

    /// Adds another sum to this one.
    pub fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.pieces_sold += other.pieces_sold;
        self.sales_minor += other.sales_minor;
        self.returns += other.returns;
        self.pieces_returned += other.pieces_returned;
        self.refunds_minor += other.refunds_minor;
    }
}

impl ClassSum {
    /// What of the value does not go through the shop: bookkeeping, or fractions of a penny rounded away.
    #[must_use]
    pub fn kept_out(&self) -> Exact {
        self.value - Exact::from_minor(self.charged_minor)
    }

    /// Adds another sum to this one.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.pieces += other.pieces;
        self.value += other.value;
        self.charged_minor += other.charged_minor;
    }
}

impl Report {
    /// The report a flawless replay ends with.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let mut report = Self::default();
        for invoice in source.invoices() {
            report.record(invoice);
        }
        report
    }

    /// A report of sums that were counted elsewhere: invoices by kind, lines by rule, trade by month and channel.
    #[must_use]
    pub fn counted(
        kinds: BTreeMap<Kind, u64>,
        classes: BTreeMap<Class, ClassSum>,
        trade: BTreeMap<(Month, Channel), Trade>,
    ) -> Self {
        Self { kinds, classes, trade }
    }

    /// Each sum that is not the same in another report, in words; nothing when they are equal.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut all = Vec::new();
        for kind in [Kind::Sale, Kind::Return, Kind::StockEntry, Kind::Bookkeeping] {
            let (ours, theirs) = (self.invoices(kind), found.invoices(kind));
            if ours != theirs {
                all.push(format!("invoices of kind {kind:?}: {ours} in the source, {theirs} in the shop"));
            }
        }
        for class in Class::ALL {
            let (ours, theirs) = (self.class(class), found.class(class));
            if ours != theirs {
                all.push(format!(
                    "rule \"{}\": {ours:?} in the source, {theirs:?} in the shop",
                    class.name()
                ));
            }
        }
        for (month, channel) in self.trade.keys().chain(found.trade.keys()).collect::<BTreeSet<_>>() {
            let of = |report: &Self| report.trade(|at, through| (at, through) == (*month, *channel));
            if of(self) != of(found) {
                let name = channel.name();
                all.push(format!(
                    "{name} in {month}: {:?} in the source, {:?} in the shop",
                    of(self),
                    of(found)
                ));
            }
        }
        all
    }

    /// Counts one more invoice.
    pub fn record(&mut self, invoice: &Invoice) {
        *self.kinds.entry(invoice.kind).or_insert(0) += 1;
        for line in &invoice.lines {
            self.classes.entry(line.class).or_default().add(&ClassSum {
                lines: 1,
                pieces: line.quantity,
                value: line.value(),
                charged_minor: line.charged_minor(),
            });
        }
        let pieces = invoice.lines.iter().map(|line| line.shelf_change()).sum::<i64>();
        let charged = invoice.charged_minor();
        let trade = match invoice.kind {
            Kind::Sale => Trade { orders: 1, pieces_sold: -pieces, sales_minor: charged, ..Trade::default() },
            Kind::Return => {
                Trade { returns: 1, pieces_returned: pieces, refunds_minor: -charged, ..Trade::default() }
            }
            Kind::StockEntry | Kind::Bookkeeping => return,
        };
        self.trade.entry((invoice.month(), invoice.channel)).or_default().add(&trade);
    }

    /// The sum under one rule; all nought if no line is.
    #[must_use]
    pub fn class(&self, class: Class) -> ClassSum {
        self.classes.get(&class).copied().unwrap_or_default()
    }

    /// The sum over all rules.
    #[must_use]
    pub fn all_classes(&self) -> ClassSum {
        let mut all = ClassSum::default();
        self.classes.values().for_each(|sum| all.add(sum));
        all
    }

    /// How many invoices are of a kind.
    #[must_use]
    pub fn invoices(&self, kind: Kind) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Trade of the months and channels that are asked for.
    #[must_use]
    pub fn trade(&self, wanted: impl Fn(Month, Channel) -> bool) -> Trade {
        let mut sum = Trade::default();
        self.trade
            .iter()
            .filter(|((month, channel), _)| wanted(*month, *channel))
            .for_each(|(_, trade)| sum.add(trade));
        sum
    }

    fn months(&self) -> Vec<Month> {
        let mut months: Vec<_> = self.trade.keys().map(|(month, _)| *month).collect();
        months.dedup();
        months
    }

    /// Three aligned tables for people: rules, channels, months.
    #[must_use]
    pub fn text(&self) -> String {
        let mut rules = vec![
            ["rule", "lines", "pieces", "source £", "through the shop £", "kept out £"]
                .map(str::to_owned)
                .to_vec(),
        ];
        let sums = Class::ALL.iter().map(|class| (class.name(), self.class(*class)));
        for (name, sum) in sums.chain([("all", self.all_classes())]) {
            let charged = Exact::from_minor(sum.charged_minor);
            let amounts = [sum.value, charged, sum.kept_out()].map(|amount| amount.to_string());
            rules.push(
                [vec![name.to_owned(), grouped(sum.lines), signed(sum.pieces)], amounts.to_vec()].concat(),
            );
        }
        let channels = Channel::ALL.iter().filter(|channel| **channel != Channel::BackOffice);
        let by_channel =
            channels.map(|channel| (channel.name().to_owned(), self.trade(|_, at| at == *channel)));
        let by_month =
            self.months().into_iter().map(|month| (month.to_string(), self.trade(|at, _| at == month)));
        let all = || [("all".to_owned(), self.trade(|_, _| true))];
        [
            aligned(&rules),
            trade_table("channel", by_channel.chain(all())),
            trade_table("month", by_month.chain(all())),
        ]
        .join("\n")
    }

    /// The same for programs; amounts in minor units, exact ones in ten-thousandths of a pound.
    #[must_use]
    pub fn json(&self) -> Value {
        let class = |class: &Class| {
            let sum = self.class(*class);
            json!({
                "rule": class,
                "treatment": class.treatment(),
                "lines": sum.lines,
                "pieces": sum.pieces,
                "value_ten_thousandths": sum.value,
                "charged_minor": sum.charged_minor,
                "kept_out_ten_thousandths": sum.kept_out(),
            })
        };
        let trade = |((month, channel), trade): (&(Month, Channel), &Trade)| {
            json!({
                "month": month.to_string(),
                "channel": channel,
                "orders": trade.orders,
                "pieces_sold": trade.pieces_sold,
                "sales_minor": trade.sales_minor,
                "returns": trade.returns,
                "pieces_returned": trade.pieces_returned,
                "refunds_minor": trade.refunds_minor,
                "revenue_minor": trade.revenue_minor(),
            })
        };
        json!({
            "invoices": self.kinds.iter().map(|(kind, count)| json!({ "kind": kind, "count": count })).collect::<Vec<_>>(),
            "rules": Class::ALL.iter().map(class).collect::<Vec<_>>(),
            "value_ten_thousandths": self.all_classes().value,
            "trade": self.trade.iter().map(trade).collect::<Vec<_>>(),
        })
    }
}

fn trade_table(first: &str, sums: impl Iterator<Item = (String, Trade)>) -> String {
    let heads = [first, "orders", "pieces", "sales £", "returns", "pieces back", "refunds £", "revenue £"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (name, trade) in sums {
        rows.push(vec![
            name,
            grouped(trade.orders),
            signed(trade.pieces_sold),
            Exact::from_minor(trade.sales_minor).to_string(),
            grouped(trade.returns),
            signed(trade.pieces_returned),
            Exact::from_minor(trade.refunds_minor).to_string(),
            Exact::from_minor(trade.revenue_minor()).to_string(),
        ]);
    }
    aligned(&rows)
}

/// A whole number with its sign and its thousands apart.
#[must_use]
pub fn signed(number: i64) -> String {
    format!("{}{}", if number < 0 { "-" } else { "" }, grouped(number.unsigned_abs()))
}

/// A table: names to the left, numbers to the right, a rule under the heads.
#[must_use]
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let _ = write!(text, "{:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
        if at == 0 {
            text.push_str(&"-".repeat(widths.iter().sum::<usize>() + 2 * (columns - 1)));
            text.push('\n');
        }
    }
    text
}
