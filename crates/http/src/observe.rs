//! Around every request: bounds before it, and after it a name, a log entry, a count and the headers that protect a browser.
//!
//! Log entries and counts name the route, never the address asked, because a query may hold personal data.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::Source;
use tracing::Instrument;

use crate::App;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The most bytes of an edge's own error text that are read to make a problem of it.
const ERROR_BYTES_MAX: usize = 4096;

/// What browsers are told about every answer, unless a page says otherwise itself.
const PROTECTION: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The middleware around all routes.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let source = app.shop.source.clone();
    let started = source.now();
    let id = request_id(request.headers(), source.as_ref());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = method_name(request.method());
    let span = tracing::info_span!("request", id, method, route, status = tracing::field::Empty);
    let named = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    if let (Some(join), Some(traceparent)) = (app.edge.settings.join_trace, named) {
        join(&span, traceparent);
    }
    let response = bounded(&app, request, next).instrument(span.clone()).await;
    let mut response = as_problem(response).await;
    protect(response.headers_mut(), app.edge.settings.https);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let micros = source.now().micros().saturating_sub(started.micros());
    span.in_scope(|| tracing::info!(status, micros, "answered"));
    // Signed, as the only whole numbers that traces know.
    span.record("status", i64::from(status));
    count(&app, method, route, status, micros);
    response
}

/// Lets the request through if there is room for it, and not for longer than allowed.
async fn bounded(app: &App, request: Request, next: Next) -> Response {
    let settings = &app.edge.settings;
    if let Some(address) = address_of(request.extensions(), request.headers(), settings.behind_proxy)
        && let Err(problem) = app.edge.limits.count_address(address)
    {
        return problem.into_response();
    }
    let address = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    if address.contains("%00") {
        let detail = "the address holds the character U+0000 as %00, leave it out";
        return Problem::unreadable(detail).into_response();
    }
    let Ok(_permit) = app.edge.requests.try_acquire() else {
        return Problem::busy("too many requests are worked on; try again in a moment").into_response();
    };
    let time_out = Duration::from_secs(settings.request_seconds_max);
    tokio::time::timeout(time_out, next.run(request)).await.unwrap_or_else(|_| {
        let detail = "the answer took too long; it is not known whether this was kept: repeat it with the same idempotency key";
        Problem::busy(detail).into_response()
    })
}

/// The address that asks. Behind a proxy it is the last one the proxy named.
pub(crate) fn address_of(extensions: &Extensions, headers: &HeaderMap, behind_proxy: bool) -> Option<IpAddr> {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| behind_proxy);
    let named = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    named.or_else(|| extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
}

/// The name of a request: the one it came with if that is plain, or a new one.
fn request_id(headers: &HeaderMap, source: &dyn Source) -> String {
    let is_plain = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(is_plain);
    given.map_or_else(|| domain::actor::key::hexadecimal(&source.seed())[..32].to_owned(), str::to_owned)
}

/// The method, or one word for those nobody knows, so that a stranger cannot make us count without end.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| method.as_str() == *known).unwrap_or("OTHER")
}

/// Makes a problem of an error that was answered as plain text by the framework, such as a query that cannot be read.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_plain = kind.is_none_or(|kind| kind.starts_with("text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_plain {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = axum::body::to_bytes(Body::new(body), ERROR_BYTES_MAX).await.unwrap_or_default();
    let problem = if status.is_server_error() {
        Problem::fault()
    } else {
        Problem::edge(status, "unreadable", "the request cannot be read", String::from_utf8_lossy(&text))
    };
    let mut made = problem.into_response();
    made.headers_mut().extend(parts.headers.into_iter().filter(|(name, _)| {
        name.as_ref().is_some_and(|name| *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH)
    }));
    made
}

fn protect(headers: &mut HeaderMap, https: bool) {
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        let a_year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
}

fn count(app: &App, method: &'static str, route: String, status: u16, micros: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a request never takes so long that it matters")]
    let seconds = micros.max(0) as f64 / 1e6;
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
    metrics::with_local_recorder(&app.edge.recorder, || {
        metrics::counter!("tandem_requests_total", &labels).increment(1);
        metrics::histogram!("tandem_request_seconds", &labels).record(seconds);
    });
}
