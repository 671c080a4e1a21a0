//! What libraries are answered: they go by the status alone, and some take nothing but 200 for a yes.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::problem::Problem;

/// Why a request as a whole is not taken. What is wrong with one event is no reason: it is set aside.
pub(super) enum No {
    Unreadable,
    TooLarge,
    TooMany,
    Keyless,
    Disabled,
    Other(Problem),
}

impl From<Problem> for No {
    fn from(problem: Problem) -> No {
        No::Other(problem)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            No::Other(problem) => return problem.into_response(),
            No::Unreadable => {
                (StatusCode::BAD_REQUEST, "unreadable", "the body is not JSON, as it is or packed")
            }
            No::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 4 MiB"),
            No::TooMany => (StatusCode::BAD_REQUEST, "too_many", "send at most 2500 events at once"),
            No::Keyless => (StatusCode::UNAUTHORIZED, "no_key", "give the write key of a source"),
            No::Disabled => (StatusCode::NOT_FOUND, "disabled", "the source is disabled"),
        };
        (status, Json(json!({ "code": code, "message": message }))).into_response()
    }
}

/// Lets any page read the answers: the write key is no secret, and nothing but its own events can be read from an answer.
pub(super) async fn open_to_pages(request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let Some(origin) = asked.get(header::ORIGIN) else { return next.run(request).await };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    allow(headers, &asked);
    response
}

fn allow(headers: &mut HeaderMap, asked: &HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
}
