//! Traces go where the settings say: a collector on this machine hears of a request under its caller's trace, and nothing of whom it is about.
#![cfg(feature = "otlp")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use sim::server::{Launch, Server};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn launch(collector: &str) -> Launch {
    Launch::program(env!("CARGO_BIN_EXE_tandem"), "/health/ready")
        .argument("serve")
        .argument("--listen")
        .argument("127.0.0.1:{port}")
        .argument("--data")
        .argument("{data}")
        .environment("TANDEM_OTLP_ENDPOINT", collector)
}

/// A collector that keeps every document it gets.
struct Collector {
    _threads: Runtime,
    address: String,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    fn start() -> Collector {
        let threads = Runtime::new().unwrap();
        let listener = threads.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = heard.clone();
        let hear = move |Json(document): Json<Value>| async move {
            ears.lock().unwrap().push(document);
            Json(json!({}))
        };
        let routes = Router::new().route("/v1/traces", post(hear));
        threads.spawn(async move { axum::serve(listener, routes).await });
        Collector { _threads: threads, address, heard }
    }

    fn documents(&self) -> Vec<Value> {
        self.heard.lock().unwrap().clone()
    }

    /// All spans of a trace.
    fn spans(&self, trace: &str) -> Vec<Value> {
        let mut spans = Vec::new();
        for document in self.documents() {
            for resource in document["resourceSpans"].as_array().unwrap() {
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().clone());
                }
            }
        }
        spans.retain(|span| span["traceId"] == trace);
        spans
    }
}

fn attribute<'a>(thing: &'a Value, name: &str) -> &'a Value {
    let found = thing["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == name);
    &found.unwrap_or_else(|| panic!("{thing:#} has no {name}"))["value"]
}

#[test]
fn a_request_is_told_to_the_collector_under_its_callers_trace_and_nothing_personal() {
    let collector = Collector::start();
    let mut server = Server::start(launch(&collector.address)).unwrap();
    let log = server.log();
    let token = log.split_once("/setup?token=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let password = "seven bridges of koenigsberg";
    let owner =
        json!({"token": token, "name": "Quince Owner", "email": "quince@example.com", "password": password});
    let client = server
        .client()
        .with_header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .with_header("x-request-id", "first-owner");
    let reply = client.post("/v1/setup?told_by=quince@example.com", &owner).unwrap();
    assert_eq!(server.terminate().unwrap().code(), Some(0), "{}", server.log());

    let spans = collector.spans(TRACE);
    let named = |name: &str| {
        let found = spans.iter().find(|span| span["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
    };
    let request = named("POST /v1/setup");
    assert_eq!((&request["parentSpanId"], &request["kind"]), (&json!(CALLER), &json!(2)));
    assert_eq!(attribute(request, "http.request.method")["stringValue"], "POST");
    assert_eq!(attribute(request, "http.route")["stringValue"], "/v1/setup");
    assert_eq!(attribute(request, "tandem.request.id")["stringValue"], "first-owner");
    let status = attribute(request, "http.response.status_code");
    assert_eq!(status["intValue"], reply.status.to_string(), "{status}");
    assert_eq!(request["attributes"].as_array().unwrap().len(), 4, "{request:#}");
    assert_eq!(named("perform")["parentSpanId"], request["spanId"]);

    let documents = collector.documents();
    assert_eq!(
        attribute(&documents[0]["resourceSpans"][0]["resource"], "service.name")["stringValue"],
        "tandem"
    );
    let all = serde_json::to_string(&documents).unwrap();
    for personal in ["Quince", "quince", "example.com", "told_by", password, token.as_str()] {
        assert!(!all.contains(personal), "{personal} was told: {all}");
    }
}

#[test]
fn a_collector_that_cannot_be_reached_costs_one_warning() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let launch = launch(&format!("http://{nobody}")).environment("OTEL_BSP_SCHEDULE_DELAY", "10");
    let mut server = Server::start(launch).unwrap();
    let warnings = |server: &Server| server.log().matches("traces cannot be sent").count();
    let waits = (0..1_000).take_while(|_| warnings(&server) == 0);
    waits.for_each(|_| wait());
    for _ in 0..5 {
        assert_eq!(server.client().get("/health/ready").unwrap().status, 200);
        (0..5).for_each(|_| wait());
    }
    assert_eq!(server.terminate().unwrap().code(), Some(0), "{}", server.log());
    assert_eq!(warnings(&server), 1, "{}", server.log());
}

#[test]
fn an_address_that_cannot_be_a_collectors_is_refused_at_the_start() {
    let refused = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data", "/nowhere"])
        .env("TANDEM_OTLP_ENDPOINT", "collector.example:4318")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("otlp_endpoint \"collector.example:4318\""), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "waits in real time for a real process")]
fn wait() {
    std::thread::sleep(Duration::from_millis(10));
}
