//! Reading a file: its letters, its rows, and from each row what is to be taken; nothing is asked of the books yet.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use domain::Refusal;
use domain::import::cell::Oddity;
use domain::import::source::Precedence;
use domain::import::{Kind, Layout, Mapping, Outcome, ROWS_MAX, encoding};
use sha2::{Digest, Sha256};
use store::Tx;

use super::earlier::Index;
use super::raw::{Raw, json_lines, separated};
use super::row::{CellError, Cells, Oddities, column_of, told};
use super::source::Origin;
use super::{Batch, Taken};
use super::{
    area, balance, consent, coupon, customer, list, listed, location, order, person, price, product,
    promotion, stock,
};
use crate::location::area::{PostalArea, name};
use crate::{Failure, World};
use domain::actor::Actor;

/// A file that was read.
#[derive(Debug)]
pub struct File {
    kind: Kind,
    origin: Option<Origin>,
    hash: [u8; 32],
    layout: Layout,
    rows: Vec<Raw>,
    entries: Vec<Entry>,
    notes: Vec<String>,
    index: OnceLock<Index>,
}

/// One thing to be taken: a row, or the rows that make one order.
#[derive(Debug)]
pub struct Entry {
    first: usize,
    rows: usize,
    /// What is to be taken, or what is wrong with the rows.
    pub read: Result<Input, Vec<CellError>>,
}

/// What a row says.
#[derive(Debug)]
#[expect(private_interfaces, reason = "what is inside concerns only the file of its kind")]
pub enum Input {
    /// A location.
    Location(Box<location::Row>),
    /// A product's variant.
    Product(Box<product::Row>),
    /// A price.
    Price(price::Row),
    /// How many are available.
    Stock(stock::Row),
    /// A customer.
    Customer(Box<customer::Row>),
    /// An order with its lines.
    Order(order::Rows),
    /// Where postal codes lie.
    PostalArea(PostalArea),
    /// A price list.
    PriceList(Box<list::Row>),
    /// A promotion.
    Promotion(Box<promotion::Row>),
    /// A coupon.
    Coupon(coupon::Row),
    /// What somebody has with us.
    Balance(Box<balance::Row>),
    /// What somebody agreed to.
    Consent(Box<consent::Row>),
    /// Somebody on a list.
    Listed(Box<listed::Row>),
}

impl Input {
    /// Takes it.
    pub(super) fn take(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        (batch, entry): (&Batch<'_>, &Entry),
    ) -> Result<Taken, Failure> {
        let mut taken = match (self, &batch.from) {
            (Input::Customer(row), Some(from)) => {
                person::take(tx, actor, world, row, (batch, from, entry.first))?
            }
            _ => self.done(tx, actor, world, (batch, entry))?.into(),
        };
        taken.was_erased = taken.outcome == Outcome::Made
            && match self {
                Input::Customer(row) => customer::was_erased(tx, world, row)?,
                Input::Listed(row) => listed::was_erased(tx, world, row)?,
                _ => false,
            };
        Ok(taken)
    }

    /// Does what a row says whose source does not matter.
    fn done(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        (batch, entry): (&Batch<'_>, &Entry),
    ) -> Result<Outcome, Failure> {
        match self {
            Input::Consent(row) => consent::take(tx, actor, world, row, (batch, batch.file.line(entry))),
            Input::Listed(row) => listed::take(tx, actor, world, row),
            Input::Location(row) => location::take(tx, actor, world, row),
            Input::Product(row) => product::take(tx, actor, world, row),
            Input::Price(row) => price::take(tx, actor, world, row),
            Input::Stock(row) => stock::take(tx, actor, world, row),
            Input::Customer(row) => customer::take(tx, actor, world, row),
            Input::Order(rows) => order::take(tx, actor, world, rows),
            Input::PostalArea(row) => area::take(tx, actor, world, row),
            Input::PriceList(row) => list::take(tx, actor, world, row),
            Input::Promotion(row) => promotion::take(tx, actor, world, row),
            Input::Coupon(row) => coupon::take(tx, actor, world, row),
            Input::Balance(row) => balance::take(tx, actor, world, row),
        }
    }

    /// What it is known by; two rows of a file with the same key are a mistake.
    fn key(&self) -> Option<String> {
        match self {
            Input::Location(row) => Some(row.key()),
            Input::Product(row) => Some(row.sku.clone()),
            Input::Price(row) => Some(row.key()),
            Input::Stock(row) => Some(format!("{}\n{}", row.location, row.sku)),
            Input::Customer(row) => row.key(),
            Input::Order(rows) => Some(rows.external_id.clone()),
            Input::PostalArea(row) => Some(name((row.country, &row.prefix))),
            Input::PriceList(row) => Some(row.code.clone()),
            Input::Promotion(row) => Some(row.external_id.clone()),
            Input::Coupon(row) => Some(row.code.clone()),
            Input::Balance(row) => Some(row.reference.clone()),
            Input::Consent(_) => None,
            Input::Listed(row) => Some(row.key()),
        }
    }
}

impl Entry {
    /// How many rows it is.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.rows).unwrap_or(i64::MAX)
    }
}

impl File {
    /// What it holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it comes from, if that was said.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The line an entry begins on.
    pub(super) fn line(&self, entry: &Entry) -> u64 {
        self.rows[entry.first].line
    }

    /// The person that a row of a file of customers is about, with the row's line.
    pub(super) fn person(&self, place: usize) -> Option<(u64, &customer::Row)> {
        match self.entries.get(place)?.read.as_ref().ok()? {
            Input::Customer(row) => Some((self.rows[place].line, row)),
            _ => None,
        }
    }

    /// Where in the file people are that share something; made when it is asked for first.
    pub(super) fn index(&self) -> &Index {
        let people = || (0..self.entries.len()).filter_map(|place| Some((place, self.person(place)?.1)));
        self.index.get_or_init(|| Index::of(people()))
    }

    /// What its bytes, its kind, its mapping and its origin hash to.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// How many rows it has.
    pub fn rows_total(&self) -> usize {
        self.rows.len()
    }

    /// How it was read: its encoding, what was odd, which columns are left out.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The entries after so many rows that have together at most `rows_max` rows, but one at least.
    pub(super) fn entries_from(&self, row: usize, rows_max: usize) -> &[Entry] {
        let from = self.entries.partition_point(|entry| entry.first < row);
        let end = row.saturating_add(rows_max);
        let to = self.entries.partition_point(|entry| entry.first + entry.rows <= end);
        &self.entries[from..to.max((from + 1).min(self.entries.len()))]
    }

    /// What a refusal of an entry means for its cells.
    pub(super) fn explain(&self, entry: &Entry, refusal: &Refusal) -> Vec<CellError> {
        let one = |refusal: &Refusal| {
            let (column, place) = column_of(self.kind, refusal.field().unwrap_or_default());
            let raw = &self.rows[entry.first + place.min(entry.rows - 1)];
            let cells = raw.cells.as_deref().unwrap_or_default();
            let name = column.unwrap_or_default();
            told(
                self.kind,
                raw.line,
                (name, self.layout.value(name, cells)),
                refusal.code(),
                refusal.message(),
            )
        };
        refusal.each().map(one).collect()
    }
}

/// Reads a file: comma-, semicolon- or tab-separated values, or JSON Lines.
///
/// # Errors
/// When it is no text, has no rows or too many, or its columns do not fit.
pub fn read(kind: Kind, mapping: &Mapping, bytes: &[u8]) -> Result<File, Refusal> {
    read_from(kind, mapping, None, bytes)
}

/// As [`read`], of a file that comes from a source.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    kind: Kind,
    mapping: &Mapping,
    origin: Option<Origin>,
    bytes: &[u8],
) -> Result<File, Refusal> {
    let bad = |message: String| Refusal::invalid("file", message);
    let hash = Sha256::new()
        .chain_update(kind.text())
        .chain_update([0])
        .chain_update(mapping.canonical())
        .chain_update(origin.as_ref().map_or(String::new(), |origin| {
            let precedence = origin.precedence.map_or("", Precedence::text);
            format!("\n{} {precedence}", origin.source)
        }))
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into();
    let (text, encoding) = encoding::decode(bytes).map_err(bad)?;
    let mut notes = vec![format!("the file is read as {}", encoding.text())];
    let (header, rows) = if text.trim_start().starts_with('{') {
        json_lines(&text)
    } else {
        separated(&text, mapping.delimiter, &mut notes).map_err(bad)?
    };
    if rows.is_empty() {
        return Err(bad("the file has no rows".into()));
    }
    if rows.len() > ROWS_MAX {
        return Err(bad(format!("the file has {} rows; give at most {ROWS_MAX} at once", rows.len())));
    }
    let layout = Layout::new(kind, &header, mapping)?;
    if kind == Kind::Customers && origin.is_none() {
        let bad = ["customer", "changed_at"].into_iter().filter(|name| layout.has(name));
        let why = "is a column of files from a source; say which source the file comes from";
        if let Some(refusal) = Refusal::all(bad.map(|name| Refusal::invalid(name, why)).collect()) {
            return Err(refusal);
        }
    }
    if !layout.left_out.is_empty() {
        notes.push(format!("columns that are not taken: {}", layout.left_out.join(", ")));
    }
    let mut oddities = Oddities::new();
    let mut entries = entries(kind, &layout, mapping, &rows, &mut oddities);
    refuse_repeated(&mut entries, kind, &layout, &rows);
    notes.extend(oddities.iter().map(|((column, oddity), count)| told_oddity(column, *oddity, *count)));
    notes.extend(balance::sums(&entries));
    Ok(File { kind, origin, hash, layout, rows, entries, notes, index: OnceLock::new() })
}

fn told_oddity(column: &str, oddity: Oddity, count: u64) -> String {
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    format!("{column}: {}, {times}", oddity.text())
}

/// Reads every row; those of one order together.
fn entries(
    kind: Kind,
    layout: &Layout,
    mapping: &Mapping,
    rows: &[Raw],
    oddities: &mut Oddities,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut first = 0;
    while first < rows.len() {
        let together = if kind == Kind::Orders {
            order::together(rows[first..].iter().map(|raw| raw.cells.as_deref().ok()), layout)
        } else {
            1
        };
        let group = &rows[first..first + together];
        let mut errors: Vec<CellError> = Vec::new();
        let mut inputs = Vec::new();
        for raw in group {
            let cells = match &raw.cells {
                Ok(cells) => cells,
                Err(why) => {
                    errors.push(CellError::of_row(raw.line, why.clone()));
                    continue;
                }
            };
            let row = Cells {
                kind,
                layout,
                habits: &mapping.habits,
                line: raw.line,
                cells,
                oddities,
                errors: Vec::new(),
            };
            match read_row(row) {
                Ok(input) => inputs.push(input),
                Err(mut more) => errors.append(&mut more),
            }
        }
        let line = group.first().map_or(0, |raw| raw.line);
        let read = if errors.is_empty() { join(inputs, line) } else { Err(errors) };
        entries.push(Entry { first, rows: together, read });
        first += together;
    }
    entries
}

fn read_row(row: Cells<'_>) -> Result<Input, Vec<CellError>> {
    match row.kind {
        Kind::Locations => location::read(row).map(|row| Input::Location(Box::new(row))),
        Kind::Products => product::read(row).map(|row| Input::Product(Box::new(row))),
        Kind::Prices => price::read(row).map(Input::Price),
        Kind::Stock => stock::read(row).map(Input::Stock),
        Kind::Customers => customer::read(row).map(|row| Input::Customer(Box::new(row))),
        Kind::Orders => order::read(row).map(Input::Order),
        Kind::PostalAreas => area::read(row).map(Input::PostalArea),
        Kind::PriceLists => list::read(row).map(|row| Input::PriceList(Box::new(row))),
        Kind::Promotions => promotion::read(row).map(|row| Input::Promotion(Box::new(row))),
        Kind::Coupons => coupon::read(row).map(Input::Coupon),
        Kind::Balances => balance::read(row).map(|row| Input::Balance(Box::new(row))),
        Kind::Consents => consent::read(row).map(|row| Input::Consent(Box::new(row))),
        Kind::Lists => listed::read(row).map(|row| Input::Listed(Box::new(row))),
    }
}

/// The one thing that some rows are.
fn join(inputs: Vec<Input>, line: u64) -> Result<Input, Vec<CellError>> {
    let mut inputs = inputs.into_iter();
    let mut whole = inputs.next().ok_or_else(|| vec![CellError::of_row(line, "is empty")])?;
    for input in inputs {
        if let (Input::Order(order), Input::Order(more)) = (&mut whole, input) {
            order.append(more).map_err(|error| vec![error])?;
        }
    }
    Ok(whole)
}

/// Refuses what stands in the file a second time.
fn refuse_repeated(entries: &mut [Entry], kind: Kind, layout: &Layout, rows: &[Raw]) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for entry in entries {
        let Some(key) = entry.read.as_ref().ok().and_then(Input::key) else { continue };
        let raw = &rows[entry.first];
        let Some(earlier) = seen.get(&key) else {
            seen.insert(key, raw.line);
            continue;
        };
        let message = if kind == Kind::Orders {
            format!("the order began at line {earlier} already; keep its lines one below another")
        } else {
            format!("is the same as line {earlier}; remove one of them")
        };
        let name = columns_of_key(kind);
        let said = layout.value(name, raw.cells.as_deref().unwrap_or_default());
        entry.read = Err(vec![told(kind, raw.line, (name, said), domain::Code::AlreadyExists, &message)]);
    }
}

/// The column by which things of a kind are known first.
fn columns_of_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Products | Kind::Prices | Kind::Stock => "sku",
        Kind::Locations | Kind::Customers | Kind::Orders | Kind::Promotions => "external_id",
        Kind::PostalAreas => "prefix",
        Kind::PriceLists | Kind::Coupons => "code",
        Kind::Balances => "reference",
        Kind::Consents => "purpose",
        Kind::Lists => "list",
    }
}
