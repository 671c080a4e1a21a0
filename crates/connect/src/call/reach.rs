//! How far a call may go. Whoever may write an address into the books must not get the shop to ask machines of its own house.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use domain::value::target::is_public;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// Which machines may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All.
    Anywhere,
    /// Those of the public network: not this machine, not the house's, not the provider's own.
    Public,
}

impl Reach {
    /// May this address be called?
    pub fn allows(self, address: IpAddr) -> bool {
        self == Reach::Anywhere || is_public(address)
    }
}

/// Finds the addresses of a name and keeps those that may be called. The connection is made to just these, so a name that leads elsewhere
/// the next time it is looked up changes nothing.
#[derive(Clone)]
pub(super) struct Resolver(pub(super) Reach);

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<IntoIter<SocketAddr>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| reach.allows(found.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::other(BEYOND));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// Why an address is not called.
pub(super) const BEYOND: &str = "it leads into a private network, which the operator does not allow";
