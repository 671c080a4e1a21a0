//! `tandem init`: makes the data directory, the database and the master key.

use clap::Args;
use serde_json::json;

use crate::config::{Config, DEFAULTS};
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;

/// Make the data directory, the database and the master key
///
/// What is there already stays as it is, so it may be run twice. `tandem serve` does the same at its first start; use this to
/// prepare a machine, to keep the master key elsewhere, or to bring the tables into a PostgreSQL database.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem init --print-config > tandem.toml
  tandem init --database postgres://tandem@127.0.0.1/tandem --master-key-file /etc/tandem/master.key")]
pub struct Arguments {
    /// Only show every setting with its default, as a file to start from.
    #[arg(long)]
    print_config: bool,
}

/// Runs it.
///
/// # Errors
/// When something cannot be made.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    if arguments.print_config {
        screen.print(DEFAULTS);
        return Ok(());
    }
    let opened = shop::open_or_make(config)?;
    let (database, key_file) =
        (screen_name(&config.database()), config.master_key_file().display().to_string());
    let mut text = format!("database {database} is {}", if opened.first { "ready" } else { "there already" });
    if opened.key_made {
        text +=
            &format!("\nmaster key written to {key_file}: keep a copy in a safe place, no backup holds it");
    }
    text += "\nstart the shop with: tandem serve";
    screen.tell(&text, &json!({"database": database, "first": opened.first, "key_made": opened.key_made, "master_key_file": key_file}));
    Ok(())
}

/// A database's name without the password an address may hold.
pub fn screen_name(database: &str) -> String {
    let Some((scheme, rest)) = database.split_once("://") else { return database.to_owned() };
    match rest.rsplit_once('@') {
        Some((credentials, place)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => database.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(screen_name("postgres://ada:secret@db:5432/shop"), "postgres://ada@db:5432/shop");
        assert_eq!(screen_name("postgres://ada@db/shop"), "postgres://ada@db/shop");
        assert_eq!(screen_name("data/tandem.db"), "data/tandem.db");
    }
}
