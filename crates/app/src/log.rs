//! The log: one line for each entry, on standard error, for people or for machines.

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::config::{Config, LogFormat};
use crate::fault::Fault;
use crate::trace::Listener;

/// Whatever is asked for: below this level the PostgreSQL client writes every value of every statement, and a value may be a name.
const NO_VALUES: &str = "tokio_postgres=info";

/// Starts logging.
///
/// # Errors
/// [`Fault::Usage`] when the filter cannot be understood.
pub fn start(config: &Config) -> Result<(), Fault> {
    start_beside(config, None)
}

/// Starts logging beside somebody who listens to more than what is logged.
///
/// # Errors
/// As [`start`].
pub fn start_beside(config: &Config, listener: Option<Listener>) -> Result<(), Fault> {
    let wrong =
        |error: ParseError| Fault::Usage(format!("settings: log_filter \"{}\": {error}", config.log_filter));
    let filter = EnvFilter::builder().parse(&config.log_filter).map_err(wrong)?;
    let filter = filter.add_directive(NO_VALUES.parse().map_err(wrong)?);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    match listener {
        // Alone, the log decides what is noted at all: cheaper than asking who wants it.
        None => registry().with(lines).with(filter).init(),
        Some(listener) => registry().with(vec![lines.with_filter(filter).boxed(), listener]).init(),
    }
    Ok(())
}
