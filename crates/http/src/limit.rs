//! How often one may ask: per key or session, per network address, and per account at sign-in.
//!
//! The generic cell rate algorithm of `governor`, on the shop's own clock.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::StatusCode;
use domain::actor::Who;
use engine::Source;
use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::edge::Settings;
use crate::problem::Problem;

/// After so many requests those who were quiet are forgotten, so that no more askers than this are remembered for long.
const COUNTED_UNTIL_TIDY: u32 = 65_536;

/// How often something may happen. 0 a minute means that it is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often in a minute, in the long run.
    pub per_minute: u32,
    /// How often at once after a quiet time.
    pub at_once: u32,
}

/// The limits of one running shop.
pub(crate) struct Limits {
    credentials: Limit<[u8; 17]>,
    addresses: Limit<IpAddr>,
    accounts: Limit<[u8; 32]>,
    sign_in_addresses: Limit<IpAddr>,
}

impl Limits {
    pub(crate) fn new(settings: &Settings, source: Arc<dyn Source>) -> Limits {
        Limits {
            credentials: Limit::new(settings.per_credential, &source),
            addresses: Limit::new(settings.per_address, &source),
            accounts: Limit::new(settings.sign_ins, &source),
            sign_in_addresses: Limit::new(settings.sign_ins.times(10), &source),
        }
    }

    /// Counts a request of a key or session.
    pub(crate) fn count_credential(&self, who: Who) -> Result<(), Problem> {
        match who {
            Who::Key(id) => self.credentials.count(&keyed(0, id.bytes())),
            Who::Staff(id) => self.credentials.count(&keyed(1, id.bytes())),
            Who::Customer(id) => self.credentials.count(&keyed(2, id.bytes())),
            Who::System | Who::Guest => Ok(()),
        }
    }

    /// Counts a request from an address.
    pub(crate) fn count_address(&self, address: IpAddr) -> Result<(), Problem> {
        self.addresses.count(&network_of(address))
    }

    /// Counts an attempt to sign in to an account, whether it exists or not.
    pub(crate) fn count_sign_in(&self, account: [u8; 32], address: Option<IpAddr>) -> Result<(), Problem> {
        self.accounts.count(&account)?;
        address.map_or(Ok(()), |address| self.sign_in_addresses.count(&network_of(address)))
    }
}

fn keyed(kind: u8, id: [u8; 16]) -> [u8; 17] {
    let mut key = [kind; 17];
    key[1..].copy_from_slice(&id);
    key
}

/// The network one asker has: one address of IPv4, a /64 of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6((six.to_bits() >> 64 << 64).into()),
        },
    }
}

impl Rate {
    fn times(self, factor: u32) -> Rate {
        Rate {
            per_minute: self.per_minute.saturating_mul(factor),
            at_once: self.at_once.saturating_mul(factor),
        }
    }
}

/// The shop's clock, as `governor` reads it.
#[derive(Clone)]
struct ShopClock(Arc<dyn Source>);

impl Clock for ShopClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.now().micros().max(0).cast_unsigned().saturating_mul(1000))
    }
}

struct Limit<K: Hash + Eq + Clone> {
    limiter: Option<RateLimiter<K, DashMapStateStore<K>, ShopClock, NoOpMiddleware<Nanos>>>,
    clock: ShopClock,
    counted: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate, source: &Arc<dyn Source>) -> Limit<K> {
        let clock = ShopClock(source.clone());
        let per_minute = NonZeroU32::new(rate.per_minute);
        let at_once = NonZeroU32::new(rate.at_once).unwrap_or(NonZeroU32::MIN);
        let quota = per_minute.map(|per_minute| Quota::per_minute(per_minute).allow_burst(at_once));
        let limiter = quota.map(|quota| RateLimiter::dashmap_with_clock(quota, clock.clone()));
        Limit { limiter, clock, counted: AtomicU32::new(1) }
    }

    fn count(&self, key: &K) -> Result<(), Problem> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(COUNTED_UNTIL_TIDY) {
            limiter.retain_recent();
        }
        limiter.check_key(key).map_err(|until| {
            let now = self.clock.now();
            let wait_seconds = until.earliest_possible().duration_since(now).as_u64().div_ceil(1_000_000_000);
            too_many(u32::try_from(wait_seconds).unwrap_or(u32::MAX).max(1))
        })
    }
}

fn too_many(wait_seconds: u32) -> Problem {
    let detail = format!("try again in {wait_seconds} seconds");
    Problem::edge(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests", detail)
        .retry_after(wait_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asker_has_one_network() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
