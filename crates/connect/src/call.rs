//! Calling another program over HTTP, encrypted where its address says so: with a time-out, a bound on the answer, and words about what
//! went wrong. No redirection is followed: whoever is called is who was named.

mod reach;
mod trust;

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use domain::webhook::Answer;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use reach::{BEYOND, Resolver};

pub use reach::Reach;
pub use trust::Trust;

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The most bytes that are read of an answer of which only the status counts.
const SAID_BYTES_MAX: usize = 4 * domain::webhook::SAID_CHARS_MAX;

/// Makes calls and keeps connections open between them. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    reach: Reach,
    wait_max: Duration,
}

/// A call that was not answered: it may or may not have had its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered(pub String);

impl Caller {
    /// A caller that waits this long for a whole answer, calls whomever it is told to, and believes the authorities of the public network.
    pub fn new(wait_max: Duration) -> Caller {
        Caller::with(wait_max, &Trust::built_in(), Reach::Anywhere)
    }

    /// As [`Caller::new`], with other authorities, or less far.
    pub fn with(wait_max: Duration, trust: &Trust, reach: Reach) -> Caller {
        let mut plain = HttpConnector::new_with_resolver(Resolver(reach));
        plain.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust.encryption())
            .https_or_http()
            .enable_http1()
            .wrap_connector(plain);
        Caller { client: Client::builder(TokioExecutor::new()).build(connector), reach, wait_max }
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

    /// Posts a JSON body to somebody who only says whether it was taken. The status decides, also when the rest of the answer is long or
    /// does not end.
    pub async fn tell(&self, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let mut answer = Answer::default();
        let exchange = async {
            let response = self.exchange(Method::POST, url, headers, body).await?;
            answer.status = Some(i64::from(response.status().as_u16()));
            answer.wait_seconds = wait_asked(response.headers());
            let mut body = response.into_body();
            let mut said = Vec::new();
            while said.len() < SAID_BYTES_MAX
                && let Some(Ok(frame)) = body.frame().await
            {
                said.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                said.truncate(SAID_BYTES_MAX);
                answer.said = String::from_utf8_lossy(&said).into_owned();
            }
            Ok(())
        };
        let outcome = tokio::time::timeout(self.wait_max, exchange).await;
        if answer.status.is_none() {
            answer.said = match outcome {
                Ok(Err(why)) => why,
                _ => self.late(),
            };
        }
        answer
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Unanswered> {
        let exchange = async {
            let answer = self.exchange(method, url, headers, body.into()).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
        };
        let outcome = tokio::time::timeout(self.wait_max, exchange).await;
        outcome.unwrap_or_else(|_| Err(self.late())).map_err(|why| Unanswered(format!("{url}: {why}")))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Incoming>, String> {
        let uri: Uri = url.parse().map_err(|_| "this is no address".to_owned())?;
        let literal = uri.host().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        if literal.is_some_and(|address| !self.reach.allows(address)) {
            return Err(BEYOND.to_owned());
        }
        let mut request = Request::builder().method(method).uri(uri);
        if !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE.as_str()) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        self.client.request(request).await.map_err(|error| chain(&error))
    }

    fn late(&self) -> String {
        format!("no answer within {} ms", self.wait_max.as_millis())
    }
}

/// An error with everything that led to it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

/// How many seconds the answer asks to be left alone: `Retry-After` in its form of a number.
fn wait_asked(headers: &HeaderMap) -> Option<i64> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
    Some(i64::from(seconds))
}
