//! Opening the shop: its directory, its books, its master key. The first opening makes what is missing; later ones refuse a wrong key.

use std::fs;
use std::sync::Arc;

use engine::consent::purpose;
use engine::returns::reason;
use engine::{Keyring, Shop, keyring};
use store::dialect::Engine;
use store::{Db, StoreError};

use crate::config::Config;
use crate::fault::Fault;
use crate::key;
use crate::world::RealWorld;

/// What opening the shop found or made.
pub struct Opened {
    /// The shop.
    pub shop: Shop,
    /// The books were new.
    pub first: bool,
    /// A master key was made.
    pub key_made: bool,
}

/// Opens the shop and makes what is missing: the data directory, the database file, the tables, the master key.
///
/// # Errors
/// [`Fault::Environment`] when something cannot be made or reached, or the master key is missing or another than the books were made with.
pub fn open_or_make(config: &Config) -> Result<Opened, Fault> {
    let data = config.data();
    fs::create_dir_all(data)
        .map_err(|error| Fault::environment(format!("making the directory {}", data.display()), error))?;
    let db = Db::open(&config.store())?;
    let first = db.read(keyring::noted)?.is_none();
    let found = key::find(config)?;
    let key_made = found.is_none();
    let key = match found {
        Some(key) => key,
        None if first => key::make(config)?,
        None => return Err(Fault::Environment(key_missing(config))),
    };
    let keyring = Arc::new(Keyring::new(key));
    let ours = keyring.clone();
    if !db.write(move |tx| -> Result<bool, StoreError> { keyring::same_or_note(tx, &ours) })? {
        return Err(Fault::Environment(
            "these books were made with another master key: find the right one, nothing can be read with this".into(),
        ));
    }
    if first {
        db.write(reason::lay).map_err(|failure| Fault::environment("writing the first reasons", failure))?;
        db.write(purpose::lay)
            .map_err(|failure| Fault::environment("writing the first purposes", failure))?;
    }
    Ok(Opened { shop: Shop { db, source: Arc::new(RealWorld), keyring }, first, key_made })
}

fn key_missing(config: &Config) -> String {
    let file = config.master_key_file();
    format!("the master key of these books is missing: put it into {} or TANDEM_MASTER_KEY", file.display())
}

/// Refuses a database file that is not there, before opening would make it.
///
/// # Errors
/// [`Fault::Environment`] that names the file.
pub fn must_exist(config: &Config) -> Result<(), Fault> {
    let database = config.database();
    if config.store().engine() == Engine::Postgres || fs::exists(&database).unwrap_or(false) {
        return Ok(());
    }
    Err(Fault::Environment(format!(
        "there is no database {database}; name the right --data or --database, or make one: tandem init"
    )))
}
