//! Migrations: numbered steps that bring any older database up to date. Each may be run twice without harm.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::dialect::{self, Engine, translate};
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
    "0023_count"
    "0024_transfer"
    "0025_routing"
    "0026_selling"
    "0027_pick_wave"
    "0028_carrier"
    "0029_substitution"
    "0030_change"
    "0033_loyalty"
    "0036_status_link"
    "0040_promotion"
    "0041_webhook"
    "0042_gift_card_sale"
    "0050_loyalty_programme"
    "0060_keyring"
    "0066_claim"
    "0072_payment_account"
    "0073_reconciliation"
    "0074_payment_sequence"
    "0080_tier"
    "0081_reward"
    "0082_opening"
    "0083_household"
    "0084_referral"
    "0090_promotion_simulation"
    "0100_identity"
    "0101_behaviour"
    "0110_consent"
    "0111_message"
    "0112_privacy"
    "0120_merging"
    "0121_matching"
    "0130_sign_in"
    "0131_passkey"
    "0132_sign_on"
    "0140_segment"
    "0141_segment_member"
    "0142_customer_segment"
    "0150_detail"
    "0151_company"
    "0152_company_invitation"
    "0155_match_training"
    "0160_import_source"
};

/// Brings the database up to date.
///
/// # Errors
/// [`StoreError::OtherBuild`] when a newer version of the program wrote the database, or one whose tables differ; else what the engine says.
pub fn migrate(settings: &Settings) -> Result<(), StoreError> {
    match settings.engine() {
        Engine::Sqlite => {
            let connection = SqliteConnection::open(Path::new(&settings.database), true)?;
            connection.batch("begin immediate")?;
            let outcome = must_be_ours(&mut Tx::new(Connection::Sqlite(&connection)))
                .and_then(|()| run(settings.engine(), &mut |sql| connection.batch(sql)))
                .and_then(|()| note(&mut Tx::new(Connection::Sqlite(&connection))));
            finish(outcome, &mut |sql| connection.batch(sql))
        }
        Engine::Postgres => {
            let mut connection = PostgresConnection::new(&settings.database, &[]);
            // One node migrates at a time; the number is the lock's name and means nothing else.
            connection.batch(
                "begin; select pg_advisory_xact_lock(7264001); set local client_min_messages = warning",
            )?;
            let outcome = must_be_ours(&mut Tx::new(Connection::Postgres(&mut connection)))
                .and_then(|()| run(settings.engine(), &mut |sql| connection.batch(sql)))
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

/// Refuses a database that has more migrations than we know, or one whose text was another when the database was made: its tables would
/// lack columns, and whatever needs them would fail later, in the middle of the day.
fn must_be_ours(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let columns =
        tx.rows(dialect::columns_of_all_tables(tx.engine()), &[], |row| Ok((row.text()?, row.text()?)))?;
    let mut known = columns.iter().filter(|(table, _)| table == "migration").peekable();
    if known.peek().is_none() {
        return Ok(());
    }
    if !known.any(|(_, column)| column == "fingerprint") {
        return Err(made_by_another("it was made before builds left their fingerprint"));
    }
    let sql = "select number, name, fingerprint from migration order by number";
    for (number, name, found) in tx.rows(sql, &[], |row| Ok((row.int()?, row.text()?, row.bytes()?)))? {
        let Some((_, text)) = MIGRATIONS.iter().find(|(known, _)| number_of(known) == number) else {
            return Err(StoreError::OtherBuild(format!(
                "it has migration {number} ({name}), which this program does not know: start the newer version"
            )));
        };
        if found != fingerprint(text) {
            return Err(made_by_another(&format!(
                "its tables of migration {number} ({name}) differ from ours"
            )));
        }
    }
    Ok(())
}

fn made_by_another(how: &str) -> StoreError {
    StoreError::OtherBuild(format!(
        "{how}; nothing was changed: open it with the build that made it, or begin with an empty database"
    ))
}

/// The fingerprint of a migration's text. Comments and the way it is broken into lines do not count.
fn fingerprint(text: &str) -> [u8; 32] {
    let words = text.lines().filter_map(|line| line.split("--").next()).flat_map(str::split_whitespace);
    let mut hash = Sha256::new();
    words.for_each(|word| hash.update(format!("{word} ")));
    hash.finalize().into()
}

/// Notes which migrations the database has.
fn note(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (name, text) in MIGRATIONS {
        tx.execute(
            "insert into migration (number, name, fingerprint) values ($1, $2, $3) on conflict (number) do nothing",
            &[Param::Int(number_of(name)), Param::Text(name), Param::Bytes(&fingerprint(text))],
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
    #[test]
    fn a_fingerprint_is_of_the_words() {
        let one = fingerprint("create table a (b text); -- what b is\n");
        assert_eq!(one, fingerprint("-- more\ncreate table a\n    (b text);"));
        assert_ne!(one, fingerprint("create table a (b text, c text);"));
    }
}
