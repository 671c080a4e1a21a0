//! Connections: taken one by one up to a bound, closed when nothing comes over them, and let finish when the shop closes.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

/// How long taking connections pauses when the system has none left to give, in milliseconds.
const PAUSE_MS: u64 = 200;

/// How connections are bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Connections at once; more wait at the door.
    pub at_once_max: usize,
    /// How long a connection may wait for the whole head of its next request.
    pub idle_max: Duration,
}

/// Takes connections until `closing` becomes true, then waits until those that are open have finished.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    bounds: Bounds,
    mut closing: watch::Receiver<bool>,
) {
    let at_once = u32::try_from(bounds.at_once_max.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
    let room = Arc::new(Semaphore::new(at_once as usize));
    loop {
        let next = async {
            let place = room.clone().acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, (stream, address)) = tokio::select! {
            next = next => next,
            () = closed(&mut closing) => break,
        };
        let (routes, closing) = (routes.clone(), closing.clone());
        tokio::spawn(async move {
            serve_one(stream, address, routes, bounds.idle_max, closing).await;
            drop(place);
        });
    }
    drop(listener);
    drop(room.acquire_many(at_once).await);
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // The one who says it lives as long as the shop; were he gone, the shop would be closed too.
    drop(closing.wait_for(|closing| *closing).await);
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    routes: Router,
    idle_max: Duration,
    mut closing: watch::Receiver<bool>,
) {
    // An answer in several parts is not to wait for the other side to confirm the first.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        routes.clone().oneshot(request)
    });
    // The clock runs from the end of one answer to the end of the next head, so it bounds a slow head and an idle connection alike.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(idle_max);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the customer's affair: it is cut off, it says nothing, it says nonsense.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
