//! The shop's public API as any program outside sees it: JSON over HTTP with a key, on connections that are kept open. Whatever is
//! asked may be asked again when the answer is lost, because every change carries its idempotency key.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::fault::Fault;

/// How often a question is asked when the shop is busy or the connection breaks.
const TRIES: u32 = 8;
/// How long is waited before it is asked again, when the shop does not say.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest wait for one answer.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// The largest page of a list.
const PAGE: usize = 200;

/// Asks one shop with one key. Clones share connections.
#[derive(Clone)]
pub struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    key: String,
}

/// What came back, whether it pleases or not.
pub struct Answer {
    /// The status, such as 201.
    pub status: u16,
    body: Bytes,
}

impl Answer {
    /// The document in it; null when there is none.
    pub fn document(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How long the document is.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// Why one try was no answer.
enum Miss {
    /// It may be asked again, after a while.
    Passing(String, Duration),
    /// The shop said no, or cannot be understood.
    Final(Fault),
}

impl Api {
    /// The shop at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str, key: String, connections: usize) -> Api {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(connections)
            .build(HttpConnector::new());
        Api { client, base: base.trim_end_matches('/').to_owned(), key }
    }

    /// The same shop for somebody else.
    pub fn with_key(&self, key: String) -> Api {
        Api { key, ..self.clone() }
    }

    /// Reads.
    ///
    /// # Errors
    /// What the shop refuses, in its words.
    pub async fn get(&self, path: &str) -> Result<Value, Fault> {
        self.ask(Method::GET, path, None).await
    }

    /// Makes something, once however often it is asked: `once` is the idempotency key.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post(&self, path: &str, once: &str, body: &Value) -> Result<Value, Fault> {
        self.ask(Method::POST, path, Some((once, body))).await
    }

    /// Sets something, once.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn put(&self, path: &str, once: &str, body: &Value) -> Result<Value, Fault> {
        self.ask(Method::PUT, path, Some((once, body))).await
    }

    /// Makes many things at once, all or nothing; answers them in their order.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn bulk(&self, path: &str, once: &str, items: &[Value]) -> Result<Vec<Value>, Fault> {
        let answer = self.post(path, once, &json!({ "on_error": "all_or_nothing", "items": items })).await?;
        let results = answer["results"].as_array().into_iter().flatten();
        Ok(results.map(|result| result["item"].clone()).collect())
    }

    /// Asks once and answers whatever came, refusals too: for measuring.
    ///
    /// # Errors
    /// When nothing came.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        change: Option<(&str, &Value)>,
    ) -> Result<Answer, Fault> {
        let asked = tokio::time::timeout(ANSWER_WAIT, self.exchange(&method, path, change)).await;
        let broken = |why: String| Fault::Environment(format!("{method} {}{path}: {why}", self.base));
        match asked {
            Ok(Ok(answer)) => Ok(Answer { status: answer.status().as_u16(), body: answer.into_body() }),
            Ok(Err(Miss::Final(fault))) => Err(fault),
            Ok(Err(Miss::Passing(why, _))) => Err(broken(why)),
            Err(_) => Err(broken(format!("no answer within {} seconds", ANSWER_WAIT.as_secs()))),
        }
    }

    /// Reads a list page by page to its end and gives each item to `each`.
    ///
    /// # Errors
    /// As [`Api::get`], and what `each` says.
    pub async fn every(
        &self,
        path: &str,
        mut each: impl FnMut(&Value) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}limit={PAGE}{cursor}")).await?;
            for item in page["items"].as_array().into_iter().flatten() {
                each(item)?;
            }
            // Lists end without a next cursor; the journal says whether there is more.
            match page["next_cursor"].as_str() {
                Some(next) if page["more"] != false => cursor = format!("&cursor={next}"),
                _ => return Ok(()),
            }
        }
    }

    /// Reads an answer that has no end, such as a live stream, and gives each piece of it to `each` as it comes; an empty one when it begins.
    ///
    /// # Errors
    /// When nothing came, or it was refused.
    pub async fn follow(&self, path: &str, mut each: impl FnMut(&[u8])) -> Result<(), Fault> {
        let broken = |why: String| Fault::Environment(format!("GET {}{path}: {why}", self.base));
        let request = Request::get(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.key))
            .body(Full::default())
            .map_err(|error| broken(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| broken(told(&error)))?;
        if answer.status() != StatusCode::OK {
            return Err(broken(format!("answered {}", answer.status())));
        }
        each(&[]);
        let mut body = answer.into_body();
        while let Some(piece) = body.frame().await {
            let piece = piece.map_err(|error| broken(told(&error)))?;
            piece.data_ref().into_iter().for_each(|data| each(data));
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, change: Option<(&str, &Value)>) -> Result<Value, Fault> {
        let mut why = String::new();
        for _ in 0..TRIES {
            let tried = tokio::time::timeout(ANSWER_WAIT, self.try_once(&method, path, change)).await;
            match tried {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Miss::Final(fault))) => return Err(fault),
                Ok(Err(Miss::Passing(cause, pause))) => {
                    why = cause;
                    tokio::time::sleep(pause).await;
                }
                Err(_) => why = format!("no answer within {} seconds", ANSWER_WAIT.as_secs()),
            }
        }
        Err(Fault::Environment(format!("{method} {}{path}: {why}", self.base)))
    }

    async fn exchange(
        &self,
        method: &Method,
        path: &str,
        change: Option<(&str, &Value)>,
    ) -> Result<Response<Bytes>, Miss> {
        let passing = |cause: String| Miss::Passing(cause, PAUSE);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.key));
        let mut body = Bytes::new();
        if let Some((once, document)) = change {
            request = request.header(CONTENT_TYPE, "application/json").header("idempotency-key", once);
            body = document.to_string().into();
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Miss::Final(Fault::Usage(format!("{method} {}{path}: {error}", self.base))))?;
        let (head, body) =
            self.client.request(request).await.map_err(|error| passing(told(&error)))?.into_parts();
        let body = body.collect().await.map_err(|error| passing(told(&error)))?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    async fn try_once(
        &self,
        method: &Method,
        path: &str,
        change: Option<(&str, &Value)>,
    ) -> Result<Value, Miss> {
        let answer = self.exchange(method, path, change).await?;
        let status = answer.status();
        let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.into_body();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return Err(Miss::Passing(refusal(status, &body), wait.map_or(PAUSE, Duration::from_secs)));
        }
        if !status.is_success() {
            let fault = format!("{method} {path}: {}", refusal(status, &body));
            return Err(Miss::Final(Fault::Failed(fault)));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body)
            .map_err(|error| Miss::Final(Fault::Failed(format!("{method} {path}: no JSON: {error}"))))
    }
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}

/// The shop's own words for why not.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let fields: Vec<String> = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| format!("{}: {}", error["field"].as_str().unwrap_or("?"), error["message"]))
        .collect();
    format!("{} {}: {} {}", status.as_u16(), word("code"), word("detail"), fields.join("; "))
}
