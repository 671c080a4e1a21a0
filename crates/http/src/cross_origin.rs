//! Pages of other addresses that ask the shop from a browser (CORS): a browser lets them read an answer only if the shop says so, and the
//! shop says so only of what a storefront key may see, to the origins of its channel. A session is never shared.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::market::origin::Origin;
use engine::market::origin;

use crate::App;
use crate::behaviour::is_collector;
use crate::caller::{key_text, session_token};

/// What a page is told that it may send.
const ASKING: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, idempotency-key, if-match, last-event-id, traceparent, x-request-id",
    ),
    // Ten minutes: a page that is shut out afterwards can ask for no longer than that, and reads nothing even then.
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];
/// Headers of an answer that a page may read besides the plain ones.
const READ: &str = "etag, idempotent-replayed, retry-after, x-request-id";

/// The middleware that answers a browser's question beforehand, and marks answers that a page of another origin may read.
pub(crate) async fn share(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(origin) = header_text(request.headers(), &header::ORIGIN) else {
        return next.run(request).await;
    };
    // The collector answers pages of every origin by itself.
    if is_collector(request.uri().path()) || !may_read(&app, &origin, request.headers()).await {
        return next.run(request).await;
    }
    let asks_beforehand = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_beforehand {
        (StatusCode::NO_CONTENT, ASKING).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    headers.append(header::VARY, HeaderValue::from_name(header::ORIGIN));
    response
}

async fn may_read(app: &App, origin: &str, headers: &HeaderMap) -> bool {
    let key = key_text(headers);
    // Who is signed in is one of us, on a page of ours.
    if key.is_none() && session_token(headers).is_some() {
        return false;
    }
    let Ok(origin) = Origin::parse(origin) else { return false };
    // When the books cannot be read the request itself will say so.
    app.read(move |tx| origin::may_read(tx, &origin, key.as_deref())).await.unwrap_or(false)
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
