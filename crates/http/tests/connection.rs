//! Connections over which nothing comes are closed, however many are opened, and the shop goes on serving others.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sim::shop::TestShop;
use tandem_http::App;
use tandem_http::server::{self, Settings};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: shop\r\n\r\n";

/// A shop that serves two connections at once, each idle for a second at most.
fn open(shop: &TestShop) -> (Runtime, SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let settings = Settings { connections_at_once_max: 2, idle_seconds_max: 1, ..Settings::default() };
    let (stop, stopped) = oneshot::channel();
    let app = App::new(shop.shop.clone());
    let served = runtime.spawn(server::serve(app, listener, settings, async { drop(stopped.await) }));
    (runtime, address, stop, served)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a bound");
    stream
}

/// What comes until the other side closes.
fn all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => text,
        Err(error) => panic!("the connection is not closed: {error}, after {text:?}"),
    }
}

#[test]
fn slow_and_idle_connections_are_closed_and_make_room() {
    let shop = TestShop::on_sqlite(1);
    let (runtime, address, stop, served) = open(&shop);
    let (silent, mut slow) = (connect(address), connect(address));
    slow.write_all(b"GET /health/live HTTP/1.1\r\nhost:").expect("sent");
    let mut third = connect(address);
    third.write_all(LIVE).expect("sent");
    let answered = all(third);
    assert!(answered.starts_with("HTTP/1.1 200"), "it is served once there is room: {answered:?}");
    assert_eq!(all(silent), "");
    assert!(!all(slow).contains("200"));
    stop.send(()).expect("it serves");
    runtime.block_on(served).expect("it stops by itself");
}

#[test]
fn a_closing_shop_finishes_and_waits_for_nobody_who_is_idle() {
    let shop = TestShop::on_sqlite(1);
    let (runtime, address, stop, served) = open(&shop);
    let mut kept = connect(address);
    kept.write_all(LIVE).expect("sent");
    let mut start = [0; 12];
    kept.read_exact(&mut start).expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
    stop.send(()).expect("it serves");
    runtime.block_on(served).expect("it stops by itself");
    assert!(all(kept).contains("live"), "the rest of the answer, then the end");
}
