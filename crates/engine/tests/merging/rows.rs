//! Everything the books hold, row by row, so that two instants can be compared.

use std::collections::{BTreeMap, BTreeSet};

use domain::value::Id;
use serde_json::Value;
use sim::TestShop;
use store::backup::{BackupError, write};

/// What is only ever added to: the journal, the ledger's history, and the record of merges.
const ONLY_ADDED_TO: [&str; 9] = [
    "book",
    "event",
    "merge_moved",
    "merge_of_customer",
    "merge_record",
    "posting",
    "seal",
    "transfer",
    "journal",
];

/// A table with its columns, each with what it holds, and its rows.
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, String)>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// What stands in a column of a row; nothing where there is no such column.
    pub fn cell<'a>(&self, row: &'a [Value], name: &str) -> Option<&'a Value> {
        self.columns.iter().position(|(own, _)| own == name).map(|place| &row[place])
    }
}

/// Every table of the books as they are.
pub fn tables(shop: &TestShop) -> Vec<Table> {
    let now = shop.shop.source.now();
    let file = shop.shop.db.read(move |tx| -> Result<_, BackupError> {
        let mut file = Vec::new();
        write(tx, now, &mut file, &mut |_| ())?;
        Ok(file)
    });
    let file = String::from_utf8(file.expect("a backup")).expect("text");
    let mut all: Vec<Table> = Vec::new();
    for line in file.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(name) = line["table"].as_str() {
            let text = |cell: &Value| cell.as_str().expect("a text").to_owned();
            let named = line["columns"].as_array().expect("columns").iter();
            let columns = named.map(|column| (text(&column[0]), text(&column[1]))).collect();
            all.push(Table { name: name.to_owned(), columns, rows: Vec::new() });
        }
        if let (Some(cells), Some(table)) = (line.as_array(), all.last_mut()) {
            table.rows.push(cells.clone());
        }
    }
    all
}

/// Every row of every table that is not only added to, with versions left out: they count the changes. Accounts with nothing in them are
/// left out, as if they had never been opened.
pub fn all(shop: &TestShop) -> BTreeMap<String, BTreeSet<String>> {
    have_profiles(shop);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in tables(shop).iter().filter(|table| !ONLY_ADDED_TO.contains(&table.name.as_str())) {
        for row in &table.rows {
            if table.name == "account" && table.cell(row, "amount") == Some(&Value::from(0)) {
                continue;
            }
            let kept = table.columns.iter().zip(row).filter(|((name, _), _)| !name.ends_with("version"));
            let row: Vec<String> = kept.map(|((name, _), cell)| format!("{name}={cell}")).collect();
            all.entry(table.name.clone()).or_default().insert(row.join(" "));
        }
    }
    all
}

/// Customers are given a profile when somebody asks for it first; so that this is no difference, all have theirs.
fn have_profiles(shop: &TestShop) {
    let made = shop.run(|tx, actor, world| {
        for customer in store::customer::list(tx, Id::from_bytes([0; 16]), 100)? {
            if customer.erased_at.is_none() {
                engine::identity::customer::of_customer(tx, actor, world, customer.id)?;
            }
        }
        Ok::<_, engine::Failure>(())
    });
    made.expect("profiles");
}

/// Insists that both instants have the same rows.
pub fn must_be_equal(
    before: &BTreeMap<String, BTreeSet<String>>,
    after: &BTreeMap<String, BTreeSet<String>>,
) {
    let none = BTreeSet::new();
    let tables: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut differ = Vec::new();
    for table in tables {
        let (was, is) = (before.get(table).unwrap_or(&none), after.get(table).unwrap_or(&none));
        differ.extend(was.difference(is).map(|row| format!("- {table}: {row}")));
        differ.extend(is.difference(was).map(|row| format!("+ {table}: {row}")));
    }
    assert!(differ.is_empty(), "not restored row for row:\n{}", differ.join("\n"));
}
