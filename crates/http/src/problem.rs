//! Problems: every refusal and failure as RFC 9457 `application/problem+json`, with a stable code and every bad field named.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::refusal::Class;
use domain::{Code, Refusal};
use engine::Failure;
use serde::Serialize;
use store::StoreError;
use utoipa::{IntoResponses, ToSchema};

/// Why a request was not done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "about:blank", "title": "fewer pieces can be promised than were asked for", "status": 409, "code": "out_of_stock",
    "detail": "2 pieces of sku 84029G can be had, 3 asked", "errors": [{"field": "lines.0.quantity", "code": "out_of_stock", "message": "2 pieces of sku 84029G can be had, 3 asked"}]}))]
pub struct ProblemShape {
    /// Always `about:blank`; the code tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the code means, the same words each time.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: &'static str,
    /// What happened here and what to do.
    detail: String,
    /// Every field at fault.
    errors: Vec<FieldProblem>,
}

impl ProblemShape {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }
}

/// A field at fault.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's path, such as `lines.0.quantity`.
    field: String,
    /// The stable code.
    code: &'static str,
    /// What is wrong with it and what to do.
    message: String,
}

/// The problem responses every operation may give.
#[derive(IntoResponses)]
pub enum Problems {
    /// The request cannot be read: broken JSON, a missing header, a wrong cursor.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] ProblemShape),
    /// Nobody is signed in, or the credential is not valid.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] ProblemShape),
    /// Who asks may not do this.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemShape),
    /// The thing does not exist, or may not be seen.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] ProblemShape),
    /// The path exists, but not with this method.
    #[response(status = 405, content_type = "application/problem+json")]
    WrongMethod(#[to_schema] ProblemShape),
    /// The thing is in a state in which this cannot be done.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] ProblemShape),
    /// It was changed since it was read.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] ProblemShape),
    /// The body is larger than allowed.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemShape),
    /// The body is not JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] ProblemShape),
    /// Values cannot be accepted; each is named.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemShape),
    /// Too many requests; see `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] ProblemShape),
    /// The books cannot be used now; see `Retry-After`. Nothing was done, or repeating with the same idempotency key is safe.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemShape),
}

/// A problem on its way to whoever asked.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    shape: Box<ProblemShape>,
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem of the edge itself, with its own code: unreadable body, too many requests.
    pub fn edge(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        let shape = ProblemShape {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
        };
        Problem { status, shape: Box::new(shape), retry_after: None }
    }

    /// The same problem with a word on when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after = Some(seconds);
        self
    }

    /// A fault in the program, which was logged.
    pub fn fault() -> Problem {
        let detail = "a fault was logged; nothing was changed";
        Problem::edge(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault in the program", detail)
    }

    /// The status it is answered with.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Is it a refusal with this code?
    pub(crate) fn is(&self, code: Code) -> bool {
        self.shape.code == code.text()
    }

    /// Does it name this field?
    pub(crate) fn names(&self, field: &str) -> bool {
        self.shape.errors.iter().any(|one| one.field == field)
    }

    /// What is said of it, without the way it is sent.
    pub fn into_shape(self) -> ProblemShape {
        *self.shape
    }

    /// No room for the request now; it was not begun, or whether it was kept is not known, as `detail` says.
    pub fn busy(detail: &str) -> Problem {
        let title = "the request cannot be answered now";
        Problem::edge(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail).retry_after(1)
    }

    /// A request that cannot be read.
    pub fn unreadable(detail: impl Into<String>) -> Problem {
        Problem::edge(StatusCode::BAD_REQUEST, "unreadable", "the request cannot be read", detail)
    }
}

fn status_of(code: Code) -> StatusCode {
    match code.class() {
        Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Class::Unauthenticated => StatusCode::UNAUTHORIZED,
        Class::Forbidden => StatusCode::FORBIDDEN,
        Class::NotFound => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::Stale => StatusCode::PRECONDITION_FAILED,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let errors = refusal
            .each()
            .filter_map(|one| {
                Some(FieldProblem {
                    field: one.field()?.to_owned(),
                    code: one.code().text(),
                    message: one.message().to_owned(),
                })
            })
            .collect();
        let mut problem = Problem::edge(
            status_of(refusal.code()),
            refusal.code().text(),
            refusal.code().meaning(),
            refusal.message(),
        );
        problem.shape.errors = errors;
        problem
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Store(error) if error.is_passing() => {
                tracing::warn!(%error, "the books could not be used");
                let detail = match error {
                    StoreError::OutcomeUnknown => {
                        "it is not known whether this was kept; repeat it with the same idempotency key"
                    }
                    _ => "the books cannot be used now; nothing was changed, try again",
                };
                Problem::edge(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the books cannot be used now",
                    detail,
                )
                .retry_after(1)
            }
            Failure::Store(error) => {
                tracing::error!(%error, "a command failed in the machinery");
                Problem::fault()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.shape).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
