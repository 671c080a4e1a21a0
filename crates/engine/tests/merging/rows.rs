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

/// Every row of every table that is not only added to, with versions left out: they count the changes. Accounts with nothing in them are
/// left out, as if they had never been opened.
pub fn all(shop: &TestShop) -> BTreeMap<String, BTreeSet<String>> {
    have_profiles(shop);
    let now = shop.shop.source.now();
    let file = shop.shop.db.read(move |tx| -> Result<_, BackupError> {
        let mut file = Vec::new();
        write(tx, now, &mut file, &mut |_| ())?;
        Ok(file)
    });
    let file = String::from_utf8(file.expect("a backup")).expect("text");
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut table, mut columns) = (String::new(), Vec::new());
    for line in file.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(name) = line["table"].as_str() {
            table = name.to_owned();
            let named = line["columns"].as_array().expect("columns").iter();
            columns = named.map(|column| column[0].as_str().expect("a name").to_owned()).collect();
        }
        let Some(cells) = line.as_array() else { continue };
        if ONLY_ADDED_TO.contains(&table.as_str()) {
            continue;
        }
        let cell = |name: &str| columns.iter().position(|own| own == name).map(|place| &cells[place]);
        if table == "account" && cell("amount") == Some(&Value::from(0)) {
            continue;
        }
        let kept = columns.iter().zip(cells).filter(|(name, _)| !name.ends_with("version"));
        let row: Vec<String> = kept.map(|(name, cell)| format!("{name}={cell}")).collect();
        all.entry(table.clone()).or_default().insert(row.join(" "));
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
