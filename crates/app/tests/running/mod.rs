//! What runs within a test beside its story, all on loopback: a shop that serves and does its jobs, and whoever it talks to. When the story is
//! over everything stops, and gracefully.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use http::App;
use sim::TestShop;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What runs.
pub struct Running {
    /// On what.
    pub runtime: Runtime,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Nothing yet.
    pub fn new() -> Running {
        Running { runtime: Runtime::new().unwrap(), stop: watch::channel(false).0, tasks: Vec::new() }
    }

    /// A free port to listen on.
    pub fn listen(&self) -> (TcpListener, SocketAddr) {
        let listener = self.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// Ends when the story is over.
    pub fn until_stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopped = self.stop.subscribe();
        async move { drop(stopped.wait_for(|stop| *stop).await) }
    }

    /// Runs one thing more, which ends by itself when [`Running::until_stopped`] does.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(self.runtime.spawn(task));
    }

    /// A shop that serves and does its jobs.
    pub fn serve(&mut self, shop: &TestShop, listener: TcpListener, handlers: connect::Handlers) {
        let settings = http::server::Settings::default();
        self.spawn(http::server::serve(
            App::new(shop.shop.clone()),
            listener,
            settings,
            self.until_stopped(),
        ));
        self.spawn(connect::run(shop.shop.clone(), handlers, self.until_stopped()));
    }

    /// Lets real time pass.
    pub fn rest(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        for task in self.tasks.drain(..) {
            let ended = self.runtime.block_on(task);
            assert!(std::thread::panicking() || ended.is_ok(), "everything stops gracefully");
        }
    }
}
