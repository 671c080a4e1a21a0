//! Traces: where a request spent its time, told to a collector outside, if the settings name one.

#[cfg(feature = "otlp")]
mod otlp;

use tokio::runtime::Handle;
use tracing::Span;
use tracing_subscriber::{Layer, Registry};

use crate::config::Config;
use crate::fault::Fault;

/// Something that takes in what the program notes while it works.
pub type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// The sending of traces, while the shop serves. The default sends none.
#[derive(Default)]
pub struct Traces {
    /// Takes the spans in.
    pub listener: Option<Listener>,
    /// Puts a request under the trace its caller names in `traceparent`.
    pub join: Option<fn(&Span, &str)>,
    /// Sends what is left.
    pub finish: Option<Box<dyn FnOnce()>>,
}

/// Begins to send traces, by the program's own threads, if the settings name a collector.
///
/// # Errors
/// [`Fault::Usage`] when the address cannot be one, or the program was built without traces.
pub fn start(config: &Config, threads: &Handle) -> Result<Traces, Fault> {
    match config.otlp_endpoint.trim_end_matches('/') {
        "" => Ok(Traces::default()),
        endpoint => send_to(endpoint, threads),
    }
}

#[cfg(feature = "otlp")]
fn send_to(endpoint: &str, threads: &Handle) -> Result<Traces, Fault> {
    otlp::start(endpoint, threads.clone())
}

#[cfg(not(feature = "otlp"))]
fn send_to(endpoint: &str, _: &Handle) -> Result<Traces, Fault> {
    Err(Fault::Usage(format!(
        "settings: otlp_endpoint is \"{endpoint}\", but this program was built without traces; \
         build it with the feature otlp, or leave the setting empty"
    )))
}
