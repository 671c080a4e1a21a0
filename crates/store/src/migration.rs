//! Migrations: numbered steps that bring any older database up to date. Each may be run twice without harm.

use std::path::Path;

use crate::dialect::{Engine, translate};
use crate::postgres::PostgresConnection;
use crate::sqlite::SqliteConnection;
use crate::tx::Connection;
use crate::{Param, Settings, StoreError, Tx};

macro_rules! steps {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!("../migrations/", $name, ".sql")))),*] };
}

/// Every migration in order: its name, which begins with its number, and its text.
pub const MIGRATIONS: &[(&str, &str)] = steps! {
    "0001_journal"
    "0002_ledger"
    "0003_tax"
    "0004_actor"
    "0005_contact"
    "0006_location"
    "0007_market"
    "0008_catalogue"
    "0009_stock"
    "0010_price"
    "0011_delivery"
    "0012_cart"
    "0013_payment"
    "0014_order"
    "0015_fulfilment"
    "0016_returns"
    "0017_import"
    "0020_origin"
    "0021_price_list_change"
    "0022_postal_area"
    "0023_selling"
    "0033_loyalty"
    "0060_keyring"
};

/// Brings the database up to date.
///
/// # Errors
/// [`StoreError::Corrupt`] when a newer version of the program wrote the database; else what the engine says.
pub fn migrate(settings: &Settings) -> Result<(), StoreError> {
    match settings.engine() {
        Engine::Sqlite => {
            let connection = SqliteConnection::open(Path::new(&settings.database), true)?;
            connection.batch("begin immediate")?;
            let outcome = run(settings.engine(), &mut |sql| connection.batch(sql))
                .and_then(|()| note(&mut Tx::new(Connection::Sqlite(&connection))));
            finish(outcome, &mut |sql| connection.batch(sql))
        }
        Engine::Postgres => {
            let mut connection = PostgresConnection::new(&settings.database);
            // One node migrates at a time; the number is the lock's name and means nothing else.
            connection.batch(
                "begin; select pg_advisory_xact_lock(7264001); set local client_min_messages = warning",
            )?;
            let outcome = run(settings.engine(), &mut |sql| connection.batch(sql))
                .and_then(|()| note(&mut Tx::new(Connection::Postgres(&mut connection))));
            finish(outcome, &mut |sql| connection.batch(sql))
        }
    }
}

fn run(engine: Engine, batch: &mut dyn FnMut(&str) -> Result<(), StoreError>) -> Result<(), StoreError> {
    for (_, text) in MIGRATIONS {
        batch(&translate(engine, text))?;
    }
    Ok(())
}

fn finish(
    outcome: Result<(), StoreError>,
    batch: &mut dyn FnMut(&str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => batch("commit"),
        Err(error) => {
            batch("rollback")?;
            Err(error)
        }
    }
}

/// Notes which migrations the database has, and refuses one that has more than we know.
fn note(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let known = MIGRATIONS.last().map_or(0, |(name, _)| number_of(name));
    let newest = tx.one("select coalesce(max(number), 0) from migration", &[], |row| row.int())?.unwrap_or(0);
    if newest > known {
        return Err(StoreError::Corrupt(format!(
            "the database has migration {newest}, this program knows {known}: start the newer version"
        )));
    }
    for (name, _) in MIGRATIONS {
        tx.execute(
            "insert into migration (number, name) values ($1, $2) on conflict (number) do nothing",
            &[Param::Int(number_of(name)), Param::Text(name)],
        )?;
    }
    Ok(())
}

/// The number a migration's name begins with.
fn number_of(name: &str) -> i64 {
    name.split('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise() {
        let numbers: Vec<i64> = MIGRATIONS.iter().map(|(name, _)| number_of(name)).collect();
        assert!(numbers[0] == 1 && numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    }
}
