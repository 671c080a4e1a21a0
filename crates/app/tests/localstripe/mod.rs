//! Stripe, played on this machine by localstripe, and a line to it that loses answers.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use connect::call::Caller;
use serde_json::Value;
use tokio::runtime::Runtime;

const KEY: (&str, &str) = ("authorization", "Bearer sk_test_12345");

/// localstripe, as a program of its own.
pub struct LocalStripe {
    program: Child,
    /// Where it is.
    pub url: String,
}

impl LocalStripe {
    /// Starts it on a free port.
    pub fn start(runtime: &Runtime) -> LocalStripe {
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
        assert!(
            python.exists(),
            "localstripe is missing; run scripts/install-test-needs, which fetches it from PyPI"
        );
        let port = std::net::TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port();
        let program = Command::new(python)
            .args(["-m", "localstripe", "--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = LocalStripe { program, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..500 {
            if runtime.block_on(started.get("/v1/refunds")).is_some() {
                return started;
            }
            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
        panic!("localstripe does not answer; run scripts/install-test-needs, which fetches it from PyPI");
    }

    /// Reads from it.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let caller = Caller::new(Duration::from_secs(5));
        let (status, body) = caller.get_with(&format!("{}{path}", self.url), &[KEY]).await.ok()?;
        assert_eq!(status, 200, "{path}: {body:?}");
        serde_json::from_slice(&body).ok()
    }

    /// Asks it for something.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let caller = Caller::new(Duration::from_secs(5));
        let (status, body) =
            caller.post(&format!("{}{path}", self.url), &[KEY], body.to_string()).await.unwrap();
        assert_eq!(status, 200, "{path}: {body:?}");
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Stands before localstripe: passes everything on, and loses the answers to as many posts as it is told to.
#[derive(Clone)]
pub struct Line {
    /// Where localstripe is.
    pub to: String,
    /// How many answers it loses yet.
    pub loses: Arc<AtomicUsize>,
}

/// Passes a request on, without what localstripe does not know: from when until when is asked.
pub async fn pass_on(
    Shared(line): Shared<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = [("authorization", text("authorization")), ("content-type", text("content-type"))];
    let known = uri.query().unwrap_or_default().split('&').filter(|part| !part.starts_with("created"));
    let query = known.collect::<Vec<_>>().join("&");
    let (url, caller) = (format!("{}{}?{query}", line.to, uri.path()), Caller::new(Duration::from_secs(5)));
    if method == Method::GET {
        return caller.get_with(&url, &given).await.unwrap();
    }
    assert!(!text("idempotency-key").is_empty(), "whatever moves money has a key");
    let answer = caller.post(&url, &given, String::from_utf8(body.to_vec()).unwrap()).await.unwrap();
    let lost =
        line.loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    if lost { (StatusCode::BAD_GATEWAY, Bytes::from_static(b"lost")) } else { answer }
}
