//! `tandem restore`: takes a backup into a new database, on either engine, and checks the books there.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use store::backup::{self, BackupError, Contents};
use store::{Db, Settings};

use crate::backup::{open, verify};
use crate::check;
use crate::config::Config;
use crate::fault::Fault;
use crate::init::screen_name;
use crate::screen::Screen;

/// Take a backup into a new database, on either engine, and check the books there
///
/// The whole file is read first: one that is cut off or was changed is refused before anything is written. A database that holds
/// anything is refused too. Everything is taken in, or nothing; then the books are checked as by `tandem check`. Start the shop on
/// the new database with the master key the backup was made under.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem restore shop.tandem.gz --into restored.db
  tandem restore shop.tandem.gz --into postgres://tandem@127.0.0.1/tandem")]
pub struct Arguments {
    /// The file written by `tandem backup`.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The database to take it into: a file's path, or an address that begins with postgres://.
    #[arg(long, value_name = "DATABASE")]
    into: String,
}

/// Runs it.
///
/// # Errors
/// When the file is unfit, the database is not empty or cannot be written, or the books differ after it.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    verify(&arguments.file, screen)?;
    let db = Db::open(&Settings { database: arguments.into.clone(), ..config.store() })?;
    let contents = take_in(&db, arguments.file.clone(), screen)?;
    let report = check::look(&db, screen)?;
    let into = screen_name(&arguments.into);
    let text = format!(
        "{} rows of {} tables are in {into}\n{}",
        contents.rows,
        contents.tables,
        check::in_words(&report)
    );
    let document = json!({"database": into, "rows": contents.rows, "tables": contents.tables, "check": check::in_json(&report)});
    screen.tell(&text, &document);
    check::judge(&report)
}

fn take_in(db: &Db, file: PathBuf, screen: &Screen) -> Result<Contents, Fault> {
    let counter = screen.counter("restoring", "rows");
    let shown = counter.clone();
    let restored = db.write(move |tx| -> Result<Contents, BackupError> {
        backup::restore(tx, &mut open(&file)?, &mut |rows| shown.set_position(rows))
    });
    counter.finish_and_clear();
    Ok(restored?)
}
