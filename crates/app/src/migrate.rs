//! `tandem migrate`: brings the tables of an older database up to date.

use clap::Args;
use serde_json::json;

use crate::config::Config;
use crate::fault::Fault;
use crate::init::screen_name;
use crate::screen::Screen;
use crate::shop;

/// Bring the tables of an older database up to date
///
/// `tandem serve` does the same when it starts. Use this to do it before, in a quiet hour. It may be run twice without harm;
/// a database written by a newer version is refused and stays as it is.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  tandem backup before.tandem && tandem migrate")]
pub struct Arguments {}

/// Runs it.
///
/// # Errors
/// When the database cannot be reached, or is newer than this program.
pub fn run(config: &Config, _arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let settings = config.store();
    store::migration::migrate(&settings)?;
    let newest = store::migration::MIGRATIONS.last().map_or("none", |(name, _)| name);
    let database = screen_name(&settings.database);
    screen.tell(
        &format!("database {database} is up to date: {newest}"),
        &json!({"database": database, "newest": newest}),
    );
    Ok(())
}
