//! The log: one line for each entry, on standard error, for people or for machines.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Config, LogFormat};
use crate::fault::Fault;

/// Starts logging.
///
/// # Errors
/// [`Fault::Usage`] when the filter cannot be understood.
pub fn start(config: &Config) -> Result<(), Fault> {
    let wrong =
        |error: ParseError| Fault::Usage(format!("settings: log_filter \"{}\": {error}", config.log_filter));
    let filter = EnvFilter::builder().parse(&config.log_filter).map_err(wrong)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
