//! Sealing: chains the journal's entries, and the transfers they tell of, by hash, so that a change made behind the books' back shows.
//!
//! Each partition has its own chain. A seal's hash is SHA-256 over the hash before it and over the canonical bytes of what it seals:
//! every number as eight bytes, every text with its length before it, what is absent as a byte 0, what is there after a byte 1.

use domain::actor::Actor;
use sha2::{Digest, Sha256};
use store::Tx;
use store::seal::{self as rows, Seal, Told, ToldTransfer};

use crate::{Failure, World};

/// The most entries under one seal: few, so that commands that wait for the writer wait only for milliseconds.
const BATCH_MAX: i64 = 200;
/// What the first seal of a partition chains to.
pub const ROOT: [u8; 32] = [0; 32];

/// One round of the duty that seals: the partition with the most entries unsealed; false when all is sealed.
///
/// # Errors
/// What the store says.
pub fn round(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let Some(partition) = rows::most_unsealed(tx)? else { return Ok(false) };
    seal_partition(tx, world, partition)?;
    Ok(true)
}

/// Seals the next entries of a partition; true when more may wait, so that it is done again at once.
///
/// # Errors
/// What the store says.
pub fn seal_partition(tx: &mut Tx<'_>, world: &World, partition: i64) -> Result<bool, Failure> {
    let last = rows::last(tx, partition)?;
    let (end, before) = last.map_or((0, ROOT.to_vec()), |seal| (seal.last, seal.hash));
    let told = rows::told(tx, partition, end, BATCH_MAX)?;
    let (Some(first), Some(last)) = (told.first(), told.last()) else { return Ok(false) };
    let mut chain = Chain::after(&before);
    let (first, last) = (first.entry.sequence, last.entry.sequence);
    for told in &told {
        chain.add(told);
    }
    rows::add(tx, &Seal { partition, first, last, at: world.now(), hash: chain.hash().to_vec() })?;
    Ok(told.len() as i64 == BATCH_MAX)
}

/// The hash of a seal while it is made.
pub struct Chain(Sha256);

impl Chain {
    /// A seal that chains to the one with this hash.
    pub fn after(hash: &[u8]) -> Chain {
        Chain(Sha256::new_with_prefix(hash))
    }

    /// Adds an entry and the transfer it tells of.
    pub fn add(&mut self, told: &Told) {
        let entry = &told.entry;
        self.number(entry.sequence);
        self.0.update(entry.id.bytes());
        self.text(&entry.subject);
        self.text(&entry.kind);
        self.number(entry.at.micros());
        self.text(&entry.actor);
        self.maybe(entry.channel.map(|channel| channel.bytes()));
        self.maybe(entry.transfer.map(|(book, _)| book.bytes()));
        self.maybe(entry.transfer.map(|(_, transfer)| transfer.bytes()));
        self.text(&entry.body);
        match &told.transfer {
            Some(transfer) => self.transfer(transfer),
            None => self.0.update([0]),
        }
    }

    /// The hash, when everything was added.
    pub fn hash(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn transfer(&mut self, transfer: &ToldTransfer) {
        self.0.update([1]);
        self.number(transfer.stamp.at.micros());
        self.text(&transfer.stamp.actor);
        self.maybe(transfer.stamp.channel.map(|channel| channel.bytes()));
        self.text(&transfer.reason);
        let (kind, id) = transfer.cause.as_ref().map_or(("", ""), |(kind, id)| (kind, id));
        self.text(kind);
        self.text(id);
        self.number(transfer.lines.len() as i64);
        for line in &transfer.lines {
            self.0.update(line.account.place);
            self.number(line.account.state);
            self.number(line.at.micros());
            self.number(line.amount);
            self.number(line.balance);
        }
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.update(text);
    }

    fn maybe(&mut self, key: Option<[u8; 16]>) {
        match key {
            Some(key) => {
                self.0.update([1]);
                self.0.update(key);
            }
            None => self.0.update([0]),
        }
    }
}
