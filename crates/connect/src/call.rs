//! Calling another program over HTTP: with a time-out, a bound on the answer, and words about what went wrong.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Makes calls and keeps connections open between them. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    wait_max: Duration,
}

/// A call that was not answered: it may or may not have had its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered(pub String);

impl Caller {
    /// A caller that waits this long for a whole answer.
    pub fn new(wait_max: Duration) -> Caller {
        Caller { client: Client::builder(TokioExecutor::new()).build_http(), wait_max }
    }

    /// Posts a JSON body and reads the answer.
    ///
    /// # Errors
    /// [`Unanswered`] when there is no connection, the time is over, or the answer is too long.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        self.send(Method::POST, url, headers, body.into_bytes()).await
    }

    /// Gets what stands at an address.
    ///
    /// # Errors
    /// As [`Caller::post`].
    pub async fn get(&self, url: &str) -> Result<(StatusCode, Bytes), Unanswered> {
        self.send(Method::GET, url, &[], Vec::new()).await
    }

    /// Gets what stands at an address, with headers.
    ///
    /// # Errors
    /// As [`Caller::post`].
    pub async fn get_with(
        &self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        self.send(Method::GET, url, headers, Vec::new()).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        let unanswered = |why: String| Unanswered(format!("{url}: {why}"));
        let mut request = Request::builder().method(method).uri(url);
        if !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE.as_str()) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).map_err(|error| unanswered(error.to_string()))?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| unanswered(error.to_string()))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((status, body.map_err(|error| unanswered(error.to_string()))?.to_bytes()))
        };
        let late = || unanswered(format!("no answer within {} ms", self.wait_max.as_millis()));
        tokio::time::timeout(self.wait_max, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}
