//! Which tables and columns a database has, and a row of any of them as a line of text and back.

use serde_json::Value as Json;

use super::hexadecimal;
use crate::{Param, Row, StoreError, Tx, dialect};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers.
    Int,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

impl Holds {
    const ALL: [Holds; 3] = [Holds::Int, Holds::Text, Holds::Bytes];

    const fn name(self) -> &'static str {
        match self {
            Holds::Int => "int",
            Holds::Text => "text",
            Holds::Bytes => "bytes",
        }
    }

    fn named(name: &str) -> Option<Holds> {
        Holds::ALL.into_iter().find(|holds| holds.name() == name)
    }

    /// What an engine's type holds.
    fn of_type(name: &str) -> Option<Holds> {
        match name.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Some(Holds::Int),
            "text" => Some(Holds::Text),
            "blob" | "bytea" => Some(Holds::Bytes),
            _ => None,
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// Its place in the primary key, from 1; 0 when it is no part of it.
    pub key: i64,
}

/// One table with its columns in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Null.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The value as it goes into a statement.
    pub fn param(&self) -> Param<'_> {
        match self {
            Value::Null => Param::Null,
            Value::Int(number) => Param::Int(*number),
            Value::Text(text) => Param::Text(text),
            Value::Bytes(bytes) => Param::Bytes(bytes),
        }
    }
}

/// The tables of the database, by name.
pub fn tables(tx: &mut Tx<'_>) -> Result<Vec<Table>, StoreError> {
    let columns = tx.rows(dialect::columns_of_all_tables(tx.engine()), &[], |row| {
        let (table, name, kind, key) = (row.text()?, row.text()?, row.text()?, row.int()?);
        let holds = Holds::of_type(&kind).ok_or_else(|| {
            StoreError::Corrupt(format!("column {name} of table {table} is {kind}, which no backup can hold"))
        })?;
        Ok((table, Column { name, holds, key }))
    })?;
    let group = |columns: &[(String, Column)]| Table {
        name: columns[0].0.clone(),
        columns: columns.iter().map(|(_, column)| column.clone()).collect(),
    };
    Ok(columns.chunk_by(|a, b| a.0 == b.0).map(group).collect())
}

/// A statement made at run time. Its text is kept until the program ends: there are a few for each table, and only during a backup.
pub fn statement(text: String) -> &'static str {
    text.leak()
}

impl Table {
    /// The line that begins the table in a backup.
    pub fn heading(&self) -> String {
        let columns: Vec<[&str; 2]> =
            self.columns.iter().map(|column| [column.name.as_str(), column.holds.name()]).collect();
        serde_json::json!({"table": self.name, "columns": columns}).to_string()
    }

    /// The table a heading tells of.
    pub fn of_heading(line: &Json) -> Option<Table> {
        let column = |column: &Json| {
            let (name, holds) = (column.get(0)?.as_str()?, Holds::named(column.get(1)?.as_str()?)?);
            Some(Column { name: name.to_owned(), holds, key: 0 })
        };
        let columns: Option<Vec<Column>> = line.get("columns")?.as_array()?.iter().map(column).collect();
        Some(Table { name: line.get("table")?.as_str()?.to_owned(), columns: columns? })
    }

    /// The statement that reads a page in the order of the key, from the start or after a key.
    pub fn select(&self, after: bool) -> String {
        let key: Vec<String> = self.key().iter().map(|column| quoted(&column.name)).collect();
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let key_list = key.join(", ");
        let places: Vec<String> = (1..=key.len()).map(|place| format!("${place}")).collect();
        let condition =
            if after { format!("where ({key_list}) > ({}) ", places.join(", ")) } else { String::new() };
        let limit = if after { key.len() + 1 } else { 1 };
        format!(
            "select {} from {} {condition}order by {key_list} limit ${limit}",
            names.join(", "),
            quoted(&self.name)
        )
    }

    /// The statement that asks for any row.
    pub fn select_any(&self) -> String {
        format!("select cast(1 as {{int}}) from {} limit 1", quoted(&self.name))
    }

    /// The statement that adds so many rows.
    pub fn insert(&self, rows: usize) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        let width = names.len();
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|place| format!("${}", row * width + place)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("insert into {} ({}) values {}", quoted(&self.name), names.join(", "), rows.join(", "))
    }

    /// Reads a row.
    pub fn read(&self, row: &mut Row<'_>) -> Result<Vec<Value>, StoreError> {
        let value = |column: &Column| {
            Ok(match column.holds {
                Holds::Int => row.int_or_null()?.map_or(Value::Null, Value::Int),
                Holds::Text => row.text_or_null()?.map_or(Value::Null, Value::Text),
                Holds::Bytes => row.bytes_or_null()?.map_or(Value::Null, Value::Bytes),
            })
        };
        self.columns.iter().map(value).collect()
    }

    /// The key of a row.
    pub fn key_of(&self, row: &[Value]) -> Vec<Value> {
        let place = |column: &&Column| self.columns.iter().position(|known| known.name == column.name);
        self.key().iter().filter_map(|column| Some(row[place(column)?].clone())).collect()
    }

    /// The row a line tells of.
    pub fn row_of(&self, line: &Json) -> Option<Vec<Value>> {
        let values = line.as_array().filter(|values| values.len() == self.columns.len())?;
        self.columns.iter().zip(values).map(|(column, value)| value_of(column.holds, value)).collect()
    }

    fn key(&self) -> Vec<&Column> {
        let mut key: Vec<&Column> = self.columns.iter().filter(|column| column.key > 0).collect();
        key.sort_by_key(|column| column.key);
        key
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A row as a line.
pub fn as_line(row: &[Value]) -> String {
    let values = row.iter().map(|value| match value {
        Value::Null => Json::Null,
        Value::Int(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) => Json::from(hexadecimal(bytes)),
    });
    Json::from_iter(values).to_string()
}

fn value_of(holds: Holds, value: &Json) -> Option<Value> {
    match (holds, value) {
        (_, Json::Null) => Some(Value::Null),
        (Holds::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
        (Holds::Text, Json::String(text)) => Some(Value::Text(text.clone())),
        (Holds::Bytes, Json::String(text)) => bytes_of(text).map(Value::Bytes),
        _ => None,
    }
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_from_its_line() {
        let column = |name: &str, holds, key| Column { name: name.into(), holds, key };
        let columns =
            vec![column("a", Holds::Bytes, 2), column("b", Holds::Int, 1), column("c", Holds::Text, 0)];
        let table = Table { name: "t".into(), columns };
        let row = vec![Value::Bytes(vec![0, 255]), Value::Int(i64::MIN), Value::Text("é\n\"".into())];
        let line = as_line(&row);
        assert_eq!(line, r#"["00ff",-9223372036854775808,"é\n\""]"#);
        assert_eq!(table.row_of(&serde_json::from_str(&line).unwrap()), Some(row.clone()));
        assert_eq!(table.key_of(&row), [Value::Int(i64::MIN), Value::Bytes(vec![0, 255])]);
        assert_eq!(table.row_of(&serde_json::json!(["0", 1, "x"])), None);
        assert_eq!(
            table.select(true),
            r#"select "a", "b", "c" from "t" where ("b", "a") > ($1, $2) order by "b", "a" limit $3"#
        );
        assert_eq!(table.insert(2), r#"insert into "t" ("a", "b", "c") values ($1, $2, $3), ($4, $5, $6)"#);
    }
}
