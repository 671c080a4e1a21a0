//! A row that is read cell by cell: every bad cell is remembered with its line, and what was odd is counted.

use std::collections::BTreeMap;
use std::fmt::Display;

use domain::import::cell::{self, Decimal, Habits, Oddity};
use domain::import::{Kind, Layout, shortened};
use domain::value::{Currency, Instant};
use domain::{Code, Refusal};
use store::import::RowError;

/// What is wrong with a row, or with one cell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    /// The line of the file, from 1.
    pub line: u64,
    /// Our name of the column; none when the whole row is at fault.
    pub column: Option<&'static str>,
    /// What stands there, shortened; none in columns that speak of people.
    pub value: Option<String>,
    /// The code of the refusal.
    pub code: Code,
    /// The words for a person.
    pub message: String,
}

impl CellError {
    /// An error of a whole row.
    pub(super) fn of_row(line: u64, message: impl Into<String>) -> CellError {
        CellError { line, column: None, value: None, code: Code::Invalid, message: message.into() }
    }

    /// The error as it is kept.
    pub(super) fn kept(&self, place: i64) -> RowError {
        RowError {
            place,
            line: i64::try_from(self.line).unwrap_or(i64::MAX),
            column: self.column.map(str::to_owned),
            value: self.value.clone(),
            code: self.code.text().to_owned(),
            message: self.message.clone(),
        }
    }
}

/// How often what was odd in which column.
pub(super) type Oddities = BTreeMap<(&'static str, Oddity), u64>;

/// The cells of one row, by our names.
pub(super) struct Cells<'a> {
    pub kind: Kind,
    pub layout: &'a Layout,
    pub habits: &'a Habits,
    pub line: u64,
    pub cells: &'a [String],
    pub oddities: &'a mut Oddities,
    pub errors: Vec<CellError>,
}

impl<'a> Cells<'a> {
    /// What the row says; empty when it says nothing.
    pub fn said(&self, name: &str) -> &'a str {
        self.layout.value(name, self.cells)
    }

    /// What the row says, if it says something.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(self.said(name)).filter(|said| !said.is_empty()).map(str::to_owned)
    }

    /// What the row says where the file has the column: `Some(None)` where it is empty.
    pub fn change(&self, name: &str) -> Option<Option<String>> {
        self.layout.has(name).then(|| self.text(name))
    }

    /// Remembers that a cell cannot be taken.
    pub fn refuse(&mut self, name: &str, message: impl Display) {
        let said = self.said(name);
        self.errors.push(told(self.kind, self.line, (name, said), Code::Invalid, &message.to_string()));
    }

    /// The value of a cell that must say something; none with the refusal remembered.
    pub fn need<T, E: Display>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.may(name, read)?.or_else(|| {
            let meaning = self.kind.column(name).map_or("a value", |column| column.meaning);
            self.refuse(name, format!("is empty; give {meaning}"));
            None
        })
    }

    /// The value of a cell that may be empty; the outer none with the refusal remembered.
    pub fn may<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let said = self.said(name);
        if said.is_empty() {
            return Some(None);
        }
        read(said).map(Some).map_err(|error| self.refuse(name, error)).ok()
    }

    /// As [`Cells::may`] for what may be odd and is read all the same.
    pub fn odd<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, &Habits) -> Result<(T, Vec<Oddity>), String>,
    ) -> Option<Option<T>> {
        let habits = self.habits;
        let (value, oddities) = match self.may(name, |said| read(said, habits))? {
            Some(read) => read,
            None => return Some(None),
        };
        for oddity in oddities {
            *self.oddities.entry((name, oddity)).or_default() += 1;
        }
        Some(Some(value))
    }

    /// A whole number.
    pub fn whole(&mut self, name: &'static str) -> Option<Option<i64>> {
        self.odd(name, cell::whole)
    }

    /// An instant.
    pub fn instant(&mut self, name: &'static str) -> Option<Option<Instant>> {
        self.odd(name, cell::instant)
    }

    /// A currency.
    pub fn currency(&mut self) -> Option<Option<Currency>> {
        self.may("currency", |said| Currency::parse(&said.to_uppercase()))
    }

    /// An amount, written with decimals in one column or in minor units in another.
    pub fn amount(&mut self, name: &'static str, name_minor: &'static str) -> Option<Option<Amount>> {
        let (decimal, minor) = (self.odd(name, cell::decimal)?, self.whole(name_minor)?);
        match (decimal, minor) {
            (Some(_), Some(_)) => {
                self.refuse(name_minor, format!("give either {name} or {name_minor}, not both"));
                None
            }
            (Some(decimal), None) => Some(Some(Amount::Decimal(decimal))),
            (None, Some(minor)) => Some(Some(Amount::Minor(minor))),
            (None, None) => Some(None),
        }
    }

    /// The value read, or every error of the row.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Vec<CellError>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ if self.errors.is_empty() => {
                Err(vec![CellError::of_row(self.line, "the cells do not fit together")])
            }
            _ => Err(self.errors),
        }
    }
}

/// An amount of money whose currency is known later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Decimal(Decimal),
    Minor(i64),
}

impl Amount {
    /// Minor units of a currency.
    pub fn minor(self, name: &str, currency: Currency) -> Result<i64, Refusal> {
        match self {
            Amount::Minor(minor) => Ok(minor),
            Amount::Decimal(decimal) => {
                decimal.minor(currency.exponent()).map_err(|error| Refusal::invalid(name, error))
            }
        }
    }
}

/// Refuses a currency named in a file that is not the one of where the amount goes.
pub(super) fn same_currency(given: Option<Currency>, currency: Currency, whose: &str) -> Result<(), Refusal> {
    match given {
        Some(given) if given != currency => {
            let message = format!("{whose} is in {currency}");
            Err(Refusal::new(Code::CurrencyMismatch, message).at("currency"))
        }
        _ => Ok(()),
    }
}

/// What is told of a cell. Of people nothing is repeated: neither the value nor words that may contain it.
pub(super) fn told(
    kind: Kind,
    line: u64,
    (name, said): (&str, &str),
    code: Code,
    message: &str,
) -> CellError {
    let column = kind.column(name);
    let personal = column.map_or(kind.is_personal(), |column| column.personal);
    let message = match column {
        Some(column) if personal && code == Code::Invalid => {
            format!("cannot be taken; give {}", column.meaning)
        }
        None if personal && code == Code::Invalid => {
            "cannot be taken; look at the line in the file".to_owned()
        }
        _ => message.to_owned(),
    };
    let value = Some(said).filter(|said| !personal && !said.is_empty()).map(shortened);
    CellError { line, column: column.map(|column| column.name), value, code, message }
}

/// The column that a field of a refusal means, and the place of the line of an order.
pub(super) fn column_of(kind: Kind, field: &str) -> (Option<&'static str>, usize) {
    const OTHER_NAMES: [(&str, &str); 7] = [
        ("title", "name"),
        ("hours", "opening_hours"),
        ("zone", "time_zone"),
        ("variant", "sku"),
        ("options", "option1_value"),
        ("method", "delivery_method"),
        ("payments", "payment"),
    ];
    let parts: Vec<&str> = field.split('.').collect();
    let place = match parts[..] {
        ["lines", place, ..] => place.parse().unwrap_or(0),
        _ => 0,
    };
    let known = |part: &&str| {
        let ours = OTHER_NAMES.iter().find(|(theirs, _)| theirs == part).map_or(*part, |(_, ours)| ours);
        kind.column(ours).map(|column| column.name)
    };
    (parts.iter().rev().find_map(known), place)
}
