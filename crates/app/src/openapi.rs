//! `tandem openapi`: the description of the whole API, for generators and people.

use clap::Args;

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
pub fn run(_arguments: &Arguments, screen: &Screen) {
    screen.print(&http::router::description());
}
