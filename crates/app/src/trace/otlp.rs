//! Sends traces by OTLP, the language of OpenTelemetry collectors, as JSON over HTTP. Only what is listed in `KNOWN` leaves the
//! shop: routes, times and numbers, never what was asked or by whom.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use connect::call::Caller;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks};
use tokio::runtime::Handle;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;

use super::Traces;
use crate::fault::Fault;

/// How long the collector may take to answer, and the last sending at a stop.
const COLLECTOR_WAIT_MAX: Duration = Duration::from_secs(5);
/// How often a collector that takes nothing is worth a warning.
const WARNING_EVERY: Duration = Duration::from_secs(60);
/// Where the spans come from that are sent: the edge of the shop, and what it waits for.
const SENT_TARGET: &str = "tandem_http";
/// What a span may say, under our name and under the one that OpenTelemetry gave it.
const KNOWN: [(&str, &str); 4] = [
    ("id", "tandem.request.id"),
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
];

/// Begins to send traces to the collector at `endpoint`.
///
/// # Errors
/// [`Fault::Usage`] when the address cannot be a collector's.
pub fn start(endpoint: &str, threads: Handle) -> Result<Traces, Fault> {
    let wrong = |why: &str| {
        Fault::Usage(format!(
            "settings: otlp_endpoint \"{endpoint}\": {why}; give an address such as http://127.0.0.1:4318"
        ))
    };
    if !endpoint.starts_with("http://") {
        return Err(wrong("a collector is reached by http, on this machine or in a private network"));
    }
    let post = Post { caller: Caller::new(COLLECTOR_WAIT_MAX), threads, warned: Mutex::new(None) };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(post)
        .with_protocol(Protocol::HttpJson)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(COLLECTOR_WAIT_MAX)
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(|error| wrong(&error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name("tandem")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider =
        SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(Outward(exporter)).build();
    let spans_of_the_edge =
        filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with(SENT_TARGET))
            .with_max_level_hint(LevelFilter::DEBUG);
    let listener = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tandem"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(spans_of_the_edge)
        .boxed();
    Ok(Traces {
        listener: Some(listener),
        join: Some(join),
        finish: Some(Box::new(move || finish(&provider))),
    })
}

/// Puts a request's span under the trace its caller named; a name that cannot be read is passed over.
fn join(span: &Span, traceparent: &str) {
    let named = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // It fails where the span is not followed, and then there is nothing to put anywhere.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&named));
}

fn finish(provider: &SdkTracerProvider) {
    if let Err(error) = provider.shutdown_with_timeout(COLLECTOR_WAIT_MAX) {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// Hands spans on, with nothing in them but what may leave the shop.
#[derive(Debug)]
struct Outward(opentelemetry_otlp::SpanExporter);

impl SpanExporter for Outward {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        self.0.export(spans.into_iter().map(outward).collect()).await
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// The span as it leaves the shop: a request is named by its method and route.
fn outward(mut span: SpanData) -> SpanData {
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
    span.attributes.retain_mut(|attribute| {
        let known = KNOWN.iter().find(|(ours, _)| attribute.key.as_str() == *ours);
        known.map(|(_, theirs)| attribute.key = Key::from_static_str(theirs)).is_some()
    });
    let said = |name: &str| span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    if let (Some(method), Some(route)) = (said("http.request.method"), said("http.route")) {
        let failed =
            said("http.response.status_code").is_some_and(|status| matches!(status.value, Value::I64(500..)));
        span.name = format!("{} {}", method.value.as_str(), route.value.as_str()).into();
        span.span_kind = SpanKind::Server;
        span.status = if failed { Status::error("") } else { Status::Unset };
    }
    span
}

/// The way to the collector. A collector that takes nothing is told to people, but not again and again.
struct Post {
    caller: Caller,
    threads: Handle,
    warned: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Post")
    }
}

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let caller = self.caller.clone();
        // Spans are gathered by a thread that knows nothing of sockets, so the call is made by those that do.
        let call = self.threads.spawn(async move {
            let (head, body) = request.into_parts();
            let named = head.headers.iter().filter(|(name, _)| name.as_str() != "content-type");
            let headers: Vec<(&str, &str)> =
                named.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
            let body = String::from_utf8_lossy(&body).into_owned();
            caller.post(&head.uri.to_string(), &headers, body).await.map_err(|unanswered| unanswered.0)
        });
        let (status, body) = match call.await.map_err(|stopped| stopped.to_string()).flatten() {
            Ok(answer) => answer,
            Err(why) => {
                self.warn(&why);
                return Err(why.into());
            }
        };
        if !status.is_success() {
            self.warn(&format!("the collector answers {status}"));
        }
        Ok(Response::builder().status(status).body(body)?)
    }
}

impl Post {
    #[expect(clippy::disallowed_methods, reason = "how often to warn is no matter of the books")]
    fn warn(&self, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.is_none_or(|last| last.elapsed() >= WARNING_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(why, "traces cannot be sent and are dropped; the shop goes on");
        }
    }
}
