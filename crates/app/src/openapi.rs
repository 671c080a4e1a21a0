//! `tandem openapi`: the description of the whole API, for generators and people.

use clap::Args;

use crate::fault::Fault;
use crate::screen::Screen;

/// Show the description of the whole API (OpenAPI 3.1, JSON)
///
/// The same document the running program serves. Nothing is opened and nothing is changed.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  tandem openapi > openapi.json")]
pub struct Arguments {}

/// Runs it.
///
/// # Errors
/// When the description cannot be written as JSON, which is a mistake in the program.
pub fn run(_arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let description = http::router::routes().into_openapi();
    let text = description
        .to_pretty_json()
        .map_err(|error| Fault::Failed(format!("the description cannot be written: {error}")))?;
    screen.print(&(text + "\n"));
    Ok(())
}
