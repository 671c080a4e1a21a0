//! The world handed to a command: the instant, ids and chance. A command asks for nothing else from outside, so it can be replayed exactly.

use std::sync::Arc;

use domain::value::{Id, Instant, Kind};
use sha2::{Digest, Sha256};

use crate::Keyring;

/// Where worlds come from: the real clock and real chance in production, simulated ones in tests.
pub trait Source: Send + Sync {
    /// The instant now.
    fn now(&self) -> Instant;
    /// Thirty-two fresh bytes of chance.
    fn seed(&self) -> [u8; 32];
}

/// The world one command sees. Time stands still in it.
pub struct World {
    now: Instant,
    seed: [u8; 32],
    drawn: u64,
    ids: u16,
    keyring: Arc<Keyring>,
}

impl World {
    /// A world at this instant; everything drawn from it follows from `seed`.
    pub fn new(now: Instant, seed: [u8; 32], keyring: Arc<Keyring>) -> World {
        World { now, seed, drawn: 0, ids: 0, keyring }
    }

    /// The instant now.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A new id; ids drawn one after another sort in that order.
    pub fn id<K: Kind>(&mut self) -> Id<K> {
        let chance = self.bytes::<8>();
        self.ids = self.ids.wrapping_add(1);
        Id::new(self.now, self.ids, chance)
    }

    /// Fresh bytes of chance, at most 32: SHA-256 of the seed and a counter.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        self.drawn += 1;
        let block = Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_be_bytes()).finalize();
        let mut bytes = [0; N];
        bytes.copy_from_slice(&block[..N]);
        bytes
    }

    /// The keys that protect personal data.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::value::id::Order;

    #[test]
    fn ids_of_one_command_sort_in_the_order_drawn() {
        let mut world =
            World::new(Instant::from_micros(1_700_000_000_000_000), [3; 32], Arc::new(Keyring::new([1; 32])));
        let drawn: Vec<Id<Order>> = (0..100).map(|_| world.id()).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
