//! Serving the API: all routes with what is around them, over a listener, until the shop is asked to close.

use std::any::Any;
use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::App;
use crate::connection::{self, Bounds};
use crate::cross_origin::share;
use crate::observe::observe;
use crate::problem::Problem;

pub use crate::edge::Settings;
pub use crate::limit::Rate;

/// How often what was measured is put together while nobody asks for it, in seconds.
const UPKEEP_SECONDS: u64 = 5;

/// Serves until `shutdown` ends; then takes no new requests, finishes those under way and ends the streams.
pub async fn serve(
    app: App,
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let wait_max = Duration::from_secs(settings.stop_seconds_max);
    let app = App::with(app.shop, settings);
    let edge = app.edge.clone();
    let bounds = Bounds {
        at_once_max: edge.settings.connections_at_once_max,
        idle_max: Duration::from_secs(edge.settings.idle_seconds_max),
    };
    let serving = connection::serve(listener, routed(app), bounds, edge.closing.subscribe());
    let mut closed = edge.closing.subscribe();
    let asked_to_close = async {
        shutdown.await;
        edge.closing.send_replace(true);
        std::future::pending::<()>().await;
    };
    let too_long = async {
        let _ = closed.wait_for(|closing| *closing).await;
        tokio::time::sleep(wait_max).await;
    };
    let upkeep = async {
        loop {
            tokio::time::sleep(Duration::from_secs(UPKEEP_SECONDS)).await;
            edge.counted.run_upkeep();
        }
    };
    tokio::select! {
        () = serving => {}
        () = too_long => {
            tracing::warn!(seconds = wait_max.as_secs(), "requests were still under way and are dropped");
        }
        () = asked_to_close => {}
        () = upkeep => {}
    }
}

/// The whole API with what is around it, ready to be asked in process.
pub fn router(app: App, settings: Settings) -> Router {
    routed(App::with(app.shop, settings))
}

fn routed(app: App) -> Router {
    let (routes, _) = crate::router::routes()
        .merge(crate::asset::routes())
        .merge(crate::start::routes())
        .merge(crate::reference::routes())
        .split_for_parts();
    routes
        .merge(crate::behaviour::collector_routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(app.edge.settings.body_bytes_max))
        .layer(from_fn_with_state(app.clone(), share))
        .layer(from_fn_with_state(app.clone(), observe))
        // Around everything, since what is made of an error reads the error's own text.
        .layer(CompressionLayer::new())
        .with_state(app)
}

async fn unknown_route(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}; see /v1/openapi.json", uri.path());
    Problem::edge(StatusCode::NOT_FOUND, "not_found", domain::Code::NotFound.meaning(), detail)
}

async fn wrong_method() -> Problem {
    let detail = "use one of the methods in Allow; see /v1/openapi.json";
    Problem::edge(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "the path exists, but not with this method",
        detail,
    )
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    tracing::error!(panic = words.unwrap_or("no words"), "a handler failed an assertion");
    Problem::fault().into_response()
}
