//! A desk at which tests ask the API in process, without a connection.
#![allow(dead_code, reason = "each story looks at its own part of an answer")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use domain::actor::key::KeyKind;
use domain::actor::{Permission, Permissions};
use engine::actor::key;
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
        let mut request =
            Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        self.runtime.block_on(async {
            let response: Response<Body> =
                self.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
            let (status, headers) = (response.status(), response.headers().clone());
            let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("a body");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Answer { status, headers, json: serde_json::from_str(&text).unwrap_or_default(), text }
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
