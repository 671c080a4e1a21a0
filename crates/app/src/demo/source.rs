//! The demo retailer's year as the shop would have lived it: invoices in time order, each with its rule, its channel,
//! its location, and for returns the sales they come from.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use super::amount::Exact;
use super::assignment::{Channel, Circumstances, assign};
use super::class::{Class, Treatment};
use super::columns::{self, Packed, Row, Unreadable};
use super::countries::{self, Country};
use super::locations::Locations;
use super::matching::match_returns;
use super::rules::{Entry, Heading, Meaning, classify, meaning};
use super::stock::Stock;

const PACKED: &[u8] = include_bytes!("../../../../demo/online_retail.gz");
const LOCATIONS: &str = include_str!("../../../../demo/locations.csv");

/// The minute from which the packed file counts, on the shop's wall clock (Europe/London).
const EPOCH: DateTime = Date::constant(2010, 12, 1).at(0, 0, 0, 0);

/// What became of an invoice as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An order is placed and handed over or shipped.
    Sale,
    /// Goods or money go back to a customer.
    Return,
    /// Stock is adjusted; nobody pays.
    StockEntry,
    /// Nothing for the shop to do.
    Bookkeeping,
}

/// One invoice.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// As in the source, with its letter.
    pub number: String,
    /// What became of it.
    pub kind: Kind,
    /// The shop's wall clock, Europe/London.
    pub at: DateTime,
    /// None for a guest.
    pub customer: Option<u32>,
    /// Where the customer is.
    pub country: &'static Country,
    /// Through what it reached the shop.
    pub channel: Channel,
    /// Number of the location in [`Source::locations`].
    pub location: usize,
    /// In the order of the source.
    pub lines: Vec<Line>,
}

/// One line of an invoice.
#[derive(Clone, Debug)]
pub struct Line {
    /// Number of the stock code in [`Stock`].
    pub code: usize,
    /// Number of the description among those of the code.
    pub description: usize,
    /// Pieces; negative for what comes back or is taken from stock.
    pub quantity: i64,
    /// As written in the source, perhaps with fractions of a penny.
    pub unit_price: Exact,
    /// Minutes after the invoice began; nought but for a few.
    pub minutes_late: u32,
    /// The rule it falls under.
    pub class: Class,
    /// For returns: the sold lines these pieces come from.
    pub matches: Vec<Match>,
}

/// Pieces of an earlier sale that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Number of the sale in [`Source::invoices`]; always before the return.
    pub invoice: usize,
    /// Number of its line.
    pub line: usize,
    /// Pieces, positive.
    pub quantity: i64,
}

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

/// The retailer's year, or the last months of it.
#[derive(Debug)]
pub struct Source {
    /// Stock codes and SKUs.
    pub stock: Stock,
    /// Web shop, warehouses and stores.
    pub locations: Locations,
    invoices: Vec<Invoice>,
}

/// The figures by which the source is known to the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Totals {
    pub lines: usize,
    pub invoices: usize,
    pub stock_codes: usize,
    pub customers: usize,
    pub countries: usize,
    pub cancelled_lines: usize,
    pub lines_without_customer: usize,
    pub value: Exact,
}

impl Source {
    /// The data the program carries within it; with `months`, only that many of the last calendar months, as if the
    /// shop had opened with them.
    ///
    /// # Errors
    /// `months` is nought, or the data is damaged.
    pub fn open(months: Option<u32>) -> Result<Self, Unreadable> {
        Self::read(PACKED, LOCATIONS, months)
    }

    /// The same from any packed file and table of locations.
    ///
    /// # Errors
    /// `months` is nought, the data is damaged, or a line is of a kind for which there is no rule.
    pub fn read(packed: impl Read, locations: &str, months: Option<u32>) -> Result<Self, Unreadable> {
        let Packed { countries, codes, rows } = columns::read(packed)?;
        let locations = Locations::read(locations)?;
        let stock = Stock::of(codes);
        let countries = countries
            .iter()
            .map(|name| {
                countries::named(name)
                    .ok_or_else(|| Unreadable(format!("country {name:?} is not in countries.rs; add it")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let first = first_month(&rows, months)?;
        let mut invoices = Vec::with_capacity(rows.len());
        for row in rows.iter().filter(|row| Month::of(moment(row.minute)) >= first) {
            let country = countries
                .get(row.country)
                .ok_or_else(|| Unreadable(format!("there is no country {}", row.country)))?;
            invoices.push(judge(row, country, &stock, &locations)?);
        }
        match_returns(&mut invoices, &stock);
        Ok(Self { stock, locations, invoices })
    }

    /// All invoices, in time order.
    #[must_use]
    pub fn invoices(&self) -> &[Invoice] {
        &self.invoices
    }

    /// What is known of the data as a whole, counted from the invoices.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { invoices: self.invoices.len(), ..Totals::default() };
        let (mut codes, mut customers, mut countries) = (HashSet::new(), HashSet::new(), HashSet::new());
        for invoice in &self.invoices {
            totals.lines += invoice.lines.len();
            totals.cancelled_lines += if invoice.number.starts_with('C') { invoice.lines.len() } else { 0 };
            totals.lines_without_customer += if invoice.customer.is_none() { invoice.lines.len() } else { 0 };
            totals.value += invoice.lines.iter().map(Line::value).sum();
            codes.extend(invoice.lines.iter().map(|line| line.code));
            customers.extend(invoice.customer);
            countries.insert(invoice.country.written);
        }
        Totals { stock_codes: codes.len(), customers: customers.len(), countries: countries.len(), ..totals }
    }

    /// The months there are invoices of, first to last.
    #[must_use]
    pub fn months(&self) -> Vec<Month> {
        let mut months: Vec<_> = self.invoices.iter().map(Invoice::month).collect();
        months.dedup();
        months
    }
}

impl Invoice {
    /// The month it counts to.
    #[must_use]
    pub fn month(&self) -> Month {
        Month::of(self.at)
    }

    /// What the shop charges (or, negative, pays back), in minor units.
    #[must_use]
    pub fn charged_minor(&self) -> i64 {
        self.lines.iter().map(Line::charged_minor).sum()
    }
}

impl Line {
    /// Exactly what the source says: quantity × unit price.
    #[must_use]
    pub fn value(&self) -> Exact {
        self.unit_price.times(self.quantity)
    }

    /// The unit price as the shop can charge it, in minor units.
    #[must_use]
    pub fn unit_price_minor(&self) -> i64 {
        self.unit_price.to_minor_half_up()
    }

    /// What goes through the shop for this line, in minor units; nought where nothing does.
    #[must_use]
    pub fn charged_minor(&self) -> i64 {
        match self.class.treatment() {
            Treatment::StockEntry | Treatment::NotSent => 0,
            _ => self.unit_price_minor() * self.quantity,
        }
    }

    /// Pieces put on (positive) or taken from (negative) the shelves of the invoice's location.
    #[must_use]
    pub fn shelf_change(&self) -> i64 {
        match self.class.treatment() {
            Treatment::OrderLine | Treatment::Return | Treatment::ReturnWithoutOrder => -self.quantity,
            Treatment::StockEntry => self.quantity,
            _ => 0,
        }
    }

    /// Of a return: pieces whose sale is known.
    #[must_use]
    pub fn matched(&self) -> i64 {
        self.matches.iter().map(|found| found.quantity).sum()
    }
}

impl Month {
    fn of(at: DateTime) -> Self {
        Self { year: at.year(), month: at.month() }
    }

    /// Months since the year nought, for counting.
    fn index(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }
}

/// `2011-11`.
impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

fn moment(minute: u32) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_mins(i64::from(minute)))
}

fn first_month(rows: &[Row], months: Option<u32>) -> Result<Month, Unreadable> {
    let last = rows.last().ok_or_else(|| Unreadable("there are no invoices".to_owned()))?;
    let index = match months {
        None => 0,
        Some(0) => {
            return Err(Unreadable("months is 0; ask for 1 or more, or leave it out for all".to_owned()));
        }
        Some(months) => {
            Month::of(moment(last.minute)).index().saturating_add(1).saturating_sub_unsigned(months).max(0)
        }
    };
    // Both fit: a year of the calendar has four digits, a month is below twelve.
    Ok(Month { year: (index / 12) as i16, month: (index % 12 + 1) as i8 })
}

/// Everything about an invoice but its matches.
fn judge(
    row: &Row,
    country: &'static Country,
    stock: &Stock,
    locations: &Locations,
) -> Result<Invoice, Unreadable> {
    let number = format!("{}{}", row.letter.map(String::from).unwrap_or_default(), row.number);
    let heading = Heading {
        letter: row.letter,
        guest: row.customer.is_none(),
        priced: row.lines.iter().any(|line| line.unit_price != Exact::default()),
    };
    let mut lines = Vec::with_capacity(row.lines.len());
    for line in &row.lines {
        let code = &stock.codes()[line.code];
        let entry = Entry {
            meaning: meaning(&code.stock_code),
            remark: &code.descriptions[line.description],
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        let class = classify(heading, entry).map_err(|refused| {
            Unreadable(format!("invoice {number}, stock code {}: {refused}", code.stock_code))
        })?;
        lines.push(Line {
            code: line.code,
            description: line.description,
            quantity: line.quantity,
            unit_price: line.unit_price,
            minutes_late: line.minutes_late,
            class,
            matches: Vec::new(),
        });
    }
    let kind = kind(row.letter, &lines);
    if kind == Kind::Sale && !lines.iter().any(|line| is_ordered(line.class)) {
        for line in lines.iter_mut().filter(|line| line.class == Class::DeliveryCharged) {
            line.class = Class::DeliveryAlone;
        }
    }
    let (channel, location) = assign(&circumstances(&number, kind, row, country, stock), locations);
    Ok(Invoice {
        number,
        kind,
        at: moment(row.minute),
        customer: row.customer,
        country,
        channel,
        location,
        lines,
    })
}

fn is_ordered(class: Class) -> bool {
    matches!(class.treatment(), Treatment::OrderLine | Treatment::ServiceLine)
}

fn kind(letter: Option<char>, lines: &[Line]) -> Kind {
    let any = |treatment| lines.iter().any(|line| line.class.treatment() == treatment);
    if any(Treatment::StockEntry) {
        Kind::StockEntry
    } else if lines.iter().all(|line| line.class.treatment() == Treatment::NotSent) {
        Kind::Bookkeeping
    } else if letter.is_some() {
        Kind::Return
    } else {
        Kind::Sale
    }
}

fn circumstances<'a>(
    invoice: &'a str,
    kind: Kind,
    row: &Row,
    country: &Country,
    stock: &Stock,
) -> Circumstances<'a> {
    let code = |line: &columns::RowLine| stock.codes()[line.code].stock_code.as_str();
    Circumstances {
        invoice,
        customer: row.customer,
        at_home: country.is_home(),
        with_customer: matches!(kind, Kind::Sale | Kind::Return),
        web_postage: row.lines.iter().any(|line| code(line) == "DOT"),
        delivered: row.lines.iter().any(|line| meaning(code(line)) == Meaning::Delivery),
        pieces: row.lines.iter().map(|line| line.quantity.unsigned_abs()).sum(),
    }
}
