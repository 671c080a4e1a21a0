//! A database that another build made is refused with words when it is opened, not in the middle of the day; nothing in it is changed.

use sim::TestShop;
use store::{Settings, StoreError, migration};

/// Does this to a database of ours, and opens it again.
fn reopened(open: fn(u64) -> TestShop, sql: &'static str) -> Result<(), StoreError> {
    let shop = open(1);
    shop.shop.db.write(move |tx| tx.execute(sql, &[])).expect("the statement runs");
    let file = || Some(shop.directory()?.join("shop.db").display().to_string());
    let address = shop.server_address().or_else(file).expect("the books have an address");
    migration::migrate(&Settings::new(address))
}

#[test]
fn what_another_build_made_is_refused() {
    for open in [TestShop::on_sqlite as fn(u64) -> TestShop, TestShop::on_postgres] {
        assert_eq!(reopened(open, "update migration set name = name"), Ok(()));
        let differs = "update migration set fingerprint = (select m.fingerprint from migration m where m.number = 1) where number = 15";
        let told = |sql| match reopened(open, sql) {
            Err(StoreError::OtherBuild(why)) => why,
            other => panic!("{sql}: {other:?}"),
        };
        let why = told(differs);
        assert!(
            why.starts_with(
                "its tables of migration 15 (0015_fulfilment) differ from ours; nothing was changed"
            ),
            "{why}"
        );
        let why = told("alter table migration drop column fingerprint");
        assert!(why.starts_with("it was made before builds left their fingerprint"), "{why}");
        let why = told(
            "insert into migration (number, name, fingerprint) select 999, '0999_moon', fingerprint from migration where number = 1",
        );
        assert!(why.contains("migration 999 (0999_moon), which this program does not know"), "{why}");
    }
}
