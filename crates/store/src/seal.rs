//! Seals: hashes that chain the journal's entries and the transfers they tell of, batch by batch, so that a later change shows.

use domain::ledger::AccountKey;
use domain::value::id::{Book, Transfer};
use domain::value::{Id, Instant};

use crate::event::{self, Entry};
use crate::ledger::Stamp;
use crate::{Row, StoreError, Tx, params};

/// A seal over the entries of one partition from a sequence to a sequence, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The partition.
    pub partition: i64,
    /// The first sequence sealed.
    pub first: i64,
    /// The last sequence sealed.
    pub last: i64,
    /// When it was sealed.
    pub at: Instant,
    /// The hash over the seal before and everything sealed here.
    pub hash: Vec<u8>,
}

fn seal(row: &mut Row<'_>) -> Result<Seal, StoreError> {
    Ok(Seal {
        partition: row.int()?,
        first: row.int()?,
        last: row.int()?,
        at: row.instant()?,
        hash: row.bytes()?,
    })
}

/// Adds a seal; false when another node sealed these entries meanwhile.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, seal: &Seal) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into seal (partition, first_sequence, last_sequence, at, hash) values ($1, $2, $3, $4, $5) on conflict do nothing",
        params![seal.partition, seal.first, seal.last, seal.at, &seal.hash],
    )?;
    Ok(made == 1)
}

/// The partition with the most entries after its last seal; `None` when all is sealed.
///
/// # Errors
/// What the store says.
pub fn most_unsealed(tx: &mut Tx<'_>) -> Result<Option<i64>, StoreError> {
    let found = tx.one(
        "select j.partition, j.next_sequence - 1 - coalesce((select max(s.last_sequence) from seal s where s.partition = j.partition), 0)
         from journal j order by 2 desc, 1 limit 1",
        &[],
        |row| Ok((row.int()?, row.int()?)),
    )?;
    Ok(found.filter(|(_, unsealed)| *unsealed > 0).map(|(partition, _)| partition))
}

/// The last seal of a partition.
///
/// # Errors
/// What the store says.
pub fn last(tx: &mut Tx<'_>, partition: i64) -> Result<Option<Seal>, StoreError> {
    tx.one(
        "select partition, first_sequence, last_sequence, at, hash from seal where partition = $1 order by last_sequence desc limit 1",
        params![partition],
        seal,
    )
}

/// The seals of a partition after a sequence, in order, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn after(tx: &mut Tx<'_>, partition: i64, sequence: i64, limit: i64) -> Result<Vec<Seal>, StoreError> {
    tx.rows(
        "select partition, first_sequence, last_sequence, at, hash from seal
         where partition = $1 and last_sequence > $2 order by last_sequence limit $3",
        params![partition, sequence, limit],
        seal,
    )
}

/// An entry of the journal with the transfer it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The entry.
    pub entry: Entry,
    /// The transfer, if it tells of one and the ledger has it.
    pub transfer: Option<ToldTransfer>,
}

/// A transfer as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldTransfer {
    /// The book.
    pub book: Id<Book>,
    /// Its identity.
    pub id: Id<Transfer>,
    /// Who, when, through which channel.
    pub stamp: Stamp,
    /// Why.
    pub reason: String,
    /// The kind and id of what caused it.
    pub cause: Option<(String, String)>,
    /// Its lines in the order of accounts.
    pub lines: Vec<ToldLine>,
}

/// One line of a transfer as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldLine {
    /// The account.
    pub account: AccountKey,
    /// When.
    pub at: Instant,
    /// How much.
    pub amount: i64,
    /// The balance right after.
    pub balance: i64,
}

/// The entries of a partition after a sequence, in order, at most `limit`, each with its transfer.
///
/// # Errors
/// What the store says.
pub fn told(tx: &mut Tx<'_>, partition: i64, sequence: i64, limit: i64) -> Result<Vec<Told>, StoreError> {
    let entries = event::after(tx, partition, sequence, limit)?;
    let Some(end) = entries.last().map(|entry| entry.sequence) else { return Ok(Vec::new()) };
    let mut transfers = transfers(tx, partition, sequence, end)?.into_iter().peekable();
    let mut lines = lines(tx, partition, sequence, end)?.into_iter().peekable();
    let told = entries.into_iter().map(|entry| {
        let mut transfer =
            transfers.next_if(|(sequence, _)| *sequence == entry.sequence).map(|(_, transfer)| transfer);
        while let Some((_, line)) = lines.next_if(|(sequence, _)| *sequence == entry.sequence) {
            if let Some(transfer) = &mut transfer {
                transfer.lines.push(line);
            }
        }
        Told { entry, transfer }
    });
    Ok(told.collect())
}

fn transfers(
    tx: &mut Tx<'_>,
    partition: i64,
    after: i64,
    end: i64,
) -> Result<Vec<(i64, ToldTransfer)>, StoreError> {
    tx.rows(
        "select e.sequence, t.book_id, t.transfer_id, t.at, t.actor, t.channel_id, t.reason, t.cause_kind, t.cause_id
         from event e join transfer t on t.book_id = e.book_id and t.transfer_id = e.transfer_id
         where e.partition = $1 and e.sequence > $2 and e.sequence <= $3 order by e.sequence",
        params![partition, after, end],
        |row| {
            let (sequence, book, id) = (row.int()?, row.id()?, row.id()?);
            let stamp = Stamp { at: row.instant()?, actor: row.text()?, channel: row.id_or_null()? };
            let reason = row.text()?;
            let cause = row.text_or_null()?.zip(row.text_or_null()?);
            Ok((sequence, ToldTransfer { book, id, stamp, reason, cause, lines: Vec::new() }))
        },
    )
}

fn lines(tx: &mut Tx<'_>, partition: i64, after: i64, end: i64) -> Result<Vec<(i64, ToldLine)>, StoreError> {
    tx.rows(
        "select e.sequence, p.place, p.state, p.at, p.amount, p.balance
         from event e join posting p {by posting_by_transfer} on p.book_id = e.book_id and p.transfer_id = e.transfer_id
         where e.partition = $1 and e.sequence > $2 and e.sequence <= $3 order by e.sequence, p.place, p.state",
        params![partition, after, end],
        |row| {
            let (sequence, account) = (row.int()?, AccountKey { place: row.key()?, state: row.int()? });
            Ok((sequence, ToldLine { account, at: row.instant()?, amount: row.int()?, balance: row.int()? }))
        },
    )
}
