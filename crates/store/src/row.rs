//! What goes into a statement and what comes out of a row: null, whole numbers, text, bytes and ids, the same on every engine.

use std::fmt::Display;

use domain::value::{Id, Instant, Kind};

use crate::StoreError;

/// One value given to a statement.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    /// Null.
    Null,
    /// A whole number: money, quantities, instants, codes.
    Int(i64),
    /// Text, or a JSON document.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An id or another 16 bytes.
    Id([u8; 16]),
    /// A list of ids, for `{in ids $n}`.
    Ids(&'a [[u8; 16]]),
    /// A list of texts, for `{in texts $n}`.
    Texts(&'a [String]),
}

impl<K: Kind> From<Id<K>> for Param<'_> {
    fn from(id: Id<K>) -> Self {
        Param::Id(id.bytes())
    }
}
impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Param::Int(number)
    }
}
impl From<bool> for Param<'_> {
    fn from(yes: bool) -> Self {
        Param::Int(i64::from(yes))
    }
}
impl From<Instant> for Param<'_> {
    fn from(at: Instant) -> Self {
        Param::Int(at.micros())
    }
}
impl From<[u8; 16]> for Param<'_> {
    fn from(bytes: [u8; 16]) -> Self {
        Param::Id(bytes)
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Param::Text(text)
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Param::Text(text)
    }
}
impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Param::Bytes(bytes)
    }
}
impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Param::Bytes(bytes)
    }
}
impl<'a> From<&'a [[u8; 16]]> for Param<'a> {
    fn from(ids: &'a [[u8; 16]]) -> Self {
        Param::Ids(ids)
    }
}
impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// The parameters of a statement, in the order of `$1, $2, …`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Param::from($value)),*][..] };
}

/// Where a row's columns come from.
pub(crate) enum Columns<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// One row, read column by column from left to right in the order of the `select` list.
pub struct Row<'r> {
    columns: Columns<'r>,
    next: usize,
}

macro_rules! read {
    ($self:ident, $expected:literal, $type:ty) => {{
        let column = $self.next;
        $self.next += 1;
        match &$self.columns {
            Columns::Sqlite(row) => row.get::<_, $type>(column).map_err(|error| {
                StoreError::Corrupt(format!("column {column}: expected {}: {error}", $expected))
            }),
            Columns::Postgres(row) => row.try_get::<_, $type>(column).map_err(|error| {
                StoreError::Corrupt(format!("column {column}: expected {}: {error}", $expected))
            }),
        }
    }};
}

impl<'r> Row<'r> {
    pub(crate) fn new(columns: Columns<'r>) -> Row<'r> {
        Row { columns, next: 0 }
    }

    /// The next column as a whole number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is something else; so for all of these.
    pub fn int(&mut self) -> Result<i64, StoreError> {
        read!(self, "a number", i64)
    }

    /// The next column as a whole number or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn int_or_null(&mut self) -> Result<Option<i64>, StoreError> {
        read!(self, "a number or null", Option<i64>)
    }

    /// The next column as yes (not 0) or no (0).
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn yes(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    /// The next column as an instant.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn instant(&mut self) -> Result<Instant, StoreError> {
        Ok(Instant::from_micros(self.int()?))
    }

    /// The next column as an instant or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn instant_or_null(&mut self) -> Result<Option<Instant>, StoreError> {
        Ok(self.int_or_null()?.map(Instant::from_micros))
    }

    /// The next column as text.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn text(&mut self) -> Result<String, StoreError> {
        read!(self, "text", String)
    }

    /// The next column as text or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn text_or_null(&mut self) -> Result<Option<String>, StoreError> {
        read!(self, "text or null", Option<String>)
    }

    /// The next column as the word of a closed list stored as this number, such as `Kind::coded`.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn word<T>(&mut self, coded: impl FnOnce(i64) -> Option<T>) -> Result<T, StoreError> {
        let column = self.next;
        let code = self.int()?;
        coded(code)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column}: {code} is no word of its list")))
    }

    /// The next column as a word of a closed list, or null.
    ///
    /// # Errors
    /// As [`Row::word`].
    pub fn word_or_null<T>(&mut self, coded: impl FnOnce(i64) -> Option<T>) -> Result<Option<T>, StoreError> {
        let column = self.next;
        let Some(code) = self.int_or_null()? else { return Ok(None) };
        let word = coded(code);
        word.map(Some)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column}: {code} is no word of its list")))
    }

    /// The next column as a value that is stored as its text, such as `Zone::parse`.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn value<T, E: Display>(&mut self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, StoreError> {
        let column = self.next;
        read(&self.text()?).map_err(|error| StoreError::Corrupt(format!("column {column}: {error}")))
    }

    /// The next column as a value that is stored as its text, or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn value_or_null<T, E: Display>(
        &mut self,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        let column = self.next;
        let corrupt = |error: E| StoreError::Corrupt(format!("column {column}: {error}"));
        self.text_or_null()?.map(|text| read(&text).map_err(corrupt)).transpose()
    }

    /// The next column as bytes.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        read!(self, "bytes", Vec<u8>)
    }

    /// The next column as bytes or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn bytes_or_null(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        read!(self, "bytes or null", Option<Vec<u8>>)
    }

    /// The next column as 16 bytes.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn key(&mut self) -> Result<[u8; 16], StoreError> {
        let column = self.next;
        self.next += 1;
        let key = match &self.columns {
            Columns::Sqlite(row) => row.get::<_, [u8; 16]>(column).ok(),
            Columns::Postgres(row) => {
                row.try_get::<_, &[u8]>(column).ok().and_then(|bytes| bytes.try_into().ok())
            }
        };
        key.ok_or_else(|| StoreError::Corrupt(format!("column {column}: expected 16 bytes")))
    }

    /// The next column as an id.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn id<K: Kind>(&mut self) -> Result<Id<K>, StoreError> {
        self.key().map(Id::from_bytes)
    }

    /// The next column as an id or null.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn id_or_null<K: Kind>(&mut self) -> Result<Option<Id<K>>, StoreError> {
        let column = self.next;
        let Some(bytes) = self.bytes_or_null()? else { return Ok(None) };
        bytes
            .try_into()
            .map(|bytes| Some(Id::from_bytes(bytes)))
            .map_err(|_| StoreError::Corrupt(format!("column {column}: expected 16 bytes")))
    }
}
