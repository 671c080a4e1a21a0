//! A desk at which tests ask the API in process, without a connection.

pub mod operation;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use domain::actor::key::KeyKind;
use domain::actor::{Permission, Permissions};
use engine::actor::key;
use futures_util::StreamExt;
use serde_json::Value;
use sim::shop::TestShop;
use tandem_http::App;
use tandem_http::server::{self, Settings};
use tower::ServiceExt;

/// The API of a shop.
pub struct Desk {
    router: Router,
    runtime: tokio::runtime::Runtime,
}

/// What was answered.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when it is none or no JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The problem's code.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Desk {
    /// A desk in front of this shop.
    pub fn of(shop: &TestShop) -> Desk {
        Desk::with(shop, Settings::default())
    }

    /// A desk with other settings.
    pub fn with(shop: &TestShop, settings: Settings) -> Desk {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let router = server::router(App::new(shop.shop.clone()), settings);
        Desk { router, runtime }
    }

    /// Asks with an API key.
    pub fn ask(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(method, path, &[(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))], body)
    }

    /// Asks with these headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let Some(body) = body else { return self.send_raw(method, path, headers, Vec::new()) };
        let json = [headers, &[(header::CONTENT_TYPE.as_str(), "application/json")]].concat();
        self.send_raw(method, path, &json, body.to_string().into_bytes())
    }

    /// Asks with these headers and whatever body.
    pub fn send_raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request =
            Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.into()));
        self.runtime.block_on(async {
            let response: Response<Body> =
                self.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("a body");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let json = serde_json::from_str(&text).unwrap_or_default();
            Answer { status, headers, json, text, bytes: bytes.to_vec() }
        })
    }
}

/// A key that may do these things everywhere.
pub fn key_for(shop: &TestShop, permissions: &[Permission]) -> String {
    let permissions = Permissions::of(permissions);
    shop.run(move |tx, actor, world| {
        let new = key::NewKey {
            name: "test".into(),
            kind: KeyKind::Secret,
            permissions,
            channel: None,
            location: None,
        };
        key::create(tx, actor, world, new)
    })
    .expect("a key")
    .1
}

/// A stream that is followed.
pub struct Stream<'d> {
    desk: &'d Desk,
    body: axum::body::BodyDataStream,
    read: String,
}

impl Desk {
    /// Opens a stream of events.
    pub fn follow(&self, token: &str, path: &str, last_seen: Option<&str>) -> Stream<'_> {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = match last_seen {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let request = request.body(Body::empty()).expect("a request");
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).expect("an answer");
        assert_eq!(response.status(), 200);
        Stream { desk: self, body: response.into_body().into_data_stream(), read: String::new() }
    }
}

impl Stream<'_> {
    /// Insists that the stream ends within ten seconds.
    pub fn ends(mut self) {
        let rest = async {
            tokio::time::timeout(Duration::from_secs(10), async { while self.body.next().await.is_some() {} })
                .await
        };
        self.desk.runtime.block_on(rest).expect("a stream that ends");
    }

    /// The next event with its id, waited for at most ten seconds.
    pub fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id: ").zip(field("data: "));
                self.read = rest.to_owned();
                if let Some((id, data)) = found {
                    return (id, serde_json::from_str(&data).expect("an event"));
                }
                continue;
            }
            let part = async { tokio::time::timeout(Duration::from_secs(10), self.body.next()).await };
            let part =
                self.desk.runtime.block_on(part).expect("an event in time").expect("a stream that goes on");
            self.read += &String::from_utf8_lossy(&part.expect("a stream that is not cut off"));
        }
    }
}
