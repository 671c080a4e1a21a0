//! The world handed to a command: the instant, ids and chance. A command asks for nothing else from outside, so it can be replayed exactly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::value::{Id, Instant, Kind};
use sha2::{Digest, Sha256};

use crate::Keyring;

/// Where worlds come from: the real clock and real chance in production, simulated ones in tests.
pub trait Source: Send + Sync {
    /// The instant now.
    fn now(&self) -> Instant;
    /// Thirty-two fresh bytes of chance.
    fn seed(&self) -> [u8; 32];
    /// The turns of the commands that see this source's instants.
    fn turns(&self) -> &Turns;
}

/// Counts the commands within one millisecond, so that the ids of commands that follow one another sort in that order. Who waits is served by
/// the order of ids.
#[derive(Debug, Default)]
pub struct Turns(AtomicU64);

impl Turns {
    /// Nobody had a turn yet.
    pub const fn new() -> Turns {
        Turns(AtomicU64::new(0))
    }

    /// Which command of its millisecond the next one is; 12 bits.
    pub fn next(&self, now: Instant) -> u16 {
        let millis = now.micros().max(0).cast_unsigned() / 1000;
        let after = |last: u64| {
            if last >> 12 == millis { (millis << 12) | ((last + 1) & 0x0fff) } else { millis << 12 }
        };
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        let last = last.unwrap_or_else(|same| same);
        u16::try_from(after(last) & 0x0fff).unwrap_or(0)
    }
}

/// The world one command sees. Time stands still in it.
pub struct World {
    now: Instant,
    turn: u16,
    seed: [u8; 32],
    drawn: u64,
    ids: u16,
    keyring: Arc<Keyring>,
}

impl World {
    /// A world at this instant, in its turn within the instant's millisecond; everything drawn from it follows from `seed`.
    pub fn new((now, turn): (Instant, u16), seed: [u8; 32], keyring: Arc<Keyring>) -> World {
        World { now, turn, seed, drawn: 0, ids: 0, keyring }
    }

    /// The instant now.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A new id; ids drawn one after another sort in that order, and after those of commands whose turn was before.
    pub fn id<K: Kind>(&mut self) -> Id<K> {
        let chance = self.bytes::<8>();
        self.ids = self.ids.wrapping_add(1);
        Id::new(self.now, (self.turn, self.ids), chance)
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
    fn ids_sort_in_the_order_drawn_within_and_over_commands() {
        let (now, turns) = (Instant::from_micros(1_700_000_000_000_000), Turns::new());
        let keyring = Arc::new(Keyring::new([1; 32]));
        let mut drawn: Vec<Id<Order>> = Vec::new();
        for command in 0..50 {
            let mut world = World::new((now, turns.next(now)), [command; 32], keyring.clone());
            drawn.extend((0..100).map(|_| world.id::<Order>()));
        }
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(turns.next(now), 50);
        assert_eq!(turns.next(now.plus_seconds(1)), 0);
    }
}
