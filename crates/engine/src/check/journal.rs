//! The journal has no gaps, its seals hold, and it tells of every transfer once; every transfer sums to zero.

use std::vec::IntoIter;

use domain::value::Id;
use store::check as rows;
use store::seal::{self, Seal, Told};
use store::{Tx, event};

use super::{Difference, Marks, Pass};
use crate::Failure;
use crate::seal::{Chain, ROOT};

/// How many entries are read at once.
const PAGE: i64 = 1_000;
/// How many keys of transfers are read at once.
const KEYS_PAGE: i64 = 10_000;

/// Reads the journal partition by partition, then asks whether it told of every transfer.
pub fn check(tx: &mut Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    let mut told = Heap::default();
    let mut lines = 0;
    for (partition, end) in (0i64..).zip(event::ends(tx)?) {
        let mut seals = Seals::new(tx, partition)?;
        let mut last = 0;
        loop {
            let page = seal::told(tx, partition, last, PAGE)?;
            for one in &page {
                no_gap(pass, partition, last + 1, one.entry.sequence);
                last = one.entry.sequence;
                lines += balanced(pass, one, &mut told);
                seals.add(tx, pass, one)?;
            }
            pass.report.entries += page.len() as u64;
            pass.tell_progress();
            if (page.len() as i64) < PAGE {
                break;
            }
        }
        no_gap(pass, partition, last + 1, end + 1);
        seals.end(pass);
    }
    if told != stored(tx, pass.marks)? {
        name_untold(tx, pass)?;
    }
    if lines != pass.report.postings {
        for (book, transfer) in rows::loose_postings(tx)? {
            pass.report.add(Difference::new(
                "posting",
                book,
                format!("transfer {transfer}"),
                "postings without it",
            ));
        }
    }
    Ok(())
}

fn no_gap(pass: &mut Pass<'_>, partition: i64, expected: i64, found: i64) {
    if expected != found {
        let place = format!("partition {partition}");
        pass.report.add(Difference::new(
            "journal",
            place,
            format!("sequence {expected}"),
            format!("sequence {found} next"),
        ));
    }
}

/// A heap of transfers: how many, and the sum of their marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heap {
    count: u64,
    marks: u64,
}

impl Heap {
    fn add(&mut self, mark: u64) {
        self.count += 1;
        self.marks = self.marks.wrapping_add(mark);
    }
}

/// Looks at the transfer an entry tells of; answers how many lines it has.
fn balanced(pass: &mut Pass<'_>, one: &Told, told: &mut Heap) -> u64 {
    let Some((book, id)) = one.entry.transfer else { return 0 };
    told.add(pass.marks.of_keys(book.bytes(), id.bytes()));
    let Some(transfer) = &one.transfer else {
        pass.report.add(Difference::new(
            "event",
            one.entry.id,
            format!("transfer {id} in {book}"),
            "no such transfer",
        ));
        return 0;
    };
    pass.report.transfers += 1;
    let sum: i128 = transfer.lines.iter().map(|line| i128::from(line.amount)).sum();
    if sum != 0 {
        pass.report.add(Difference::new("transfer", format!("{id} in {book}"), "lines that sum to 0", sum));
    }
    if transfer.lines.iter().any(|line| line.at != transfer.stamp.at) {
        let expected = format!("lines of {} µs", transfer.stamp.at.micros());
        pass.report.add(Difference::new(
            "transfer",
            format!("{id} in {book}"),
            expected,
            "lines of another instant",
        ));
    }
    transfer.lines.len() as u64
}

/// The heap of all transfers the ledger has.
fn stored(tx: &mut Tx<'_>, marks: Marks) -> Result<Heap, Failure> {
    let mut heap = Heap::default();
    let mut last = (Id::from_bytes([0; 16]), Id::from_bytes([0; 16]));
    loop {
        let page = rows::transfers(tx, last, KEYS_PAGE)?;
        for (book, transfer) in &page {
            heap.add(marks.of_keys(book.bytes(), transfer.bytes()));
        }
        match page.last() {
            Some(end) if page.len() as i64 == KEYS_PAGE => last = *end,
            _ => return Ok(heap),
        }
    }
}

/// The heaps differ: asks the books which transfers it is.
fn name_untold(tx: &mut Tx<'_>, pass: &mut Pass<'_>) -> Result<(), Failure> {
    for (book, transfer) in rows::untold(tx)? {
        pass.report.add(Difference::new(
            "transfer",
            format!("{transfer} in {book}"),
            "one event that tells of it",
            "none",
        ));
    }
    for ((book, transfer), events) in rows::told_twice(tx)? {
        pass.report.add(Difference::new(
            "transfer",
            format!("{transfer} in {book}"),
            "one event that tells of it",
            events,
        ));
    }
    Ok(())
}

/// The seals of one partition, worked out again while its entries pass by.
struct Seals {
    partition: i64,
    page: IntoIter<Seal>,
    next: Option<Seal>,
    chain: Chain,
    first: i64,
}

impl Seals {
    fn new(tx: &mut Tx<'_>, partition: i64) -> Result<Seals, Failure> {
        let mut seals = Seals {
            partition,
            page: Vec::new().into_iter(),
            next: None,
            chain: Chain::after(&ROOT),
            first: 1,
        };
        seals.load(tx, 0)?;
        Ok(seals)
    }

    fn load(&mut self, tx: &mut Tx<'_>, after: i64) -> Result<(), Failure> {
        if self.page.len() == 0 {
            self.page = seal::after(tx, self.partition, after, PAGE)?.into_iter();
        }
        self.next = self.page.next();
        Ok(())
    }

    fn add(&mut self, tx: &mut Tx<'_>, pass: &mut Pass<'_>, one: &Told) -> Result<(), Failure> {
        let Some(seal) = &self.next else { return Ok(()) };
        self.chain.add(one);
        if one.entry.sequence < seal.last {
            return Ok(());
        }
        let (last, first) = (seal.last, seal.first);
        let worked_out = std::mem::replace(&mut self.chain, Chain::after(&seal.hash)).hash();
        pass.report.seals += 1;
        let place = format!("partition {}, sequences {first} to {last}", self.partition);
        if first != self.first || last != one.entry.sequence {
            pass.report.add(Difference::new(
                "seal",
                place,
                format!("a seal from sequence {}", self.first),
                "another extent",
            ));
        } else if worked_out.as_slice() != seal.hash.as_slice() {
            pass.report.add(Difference::new(
                "seal",
                place,
                hexadecimal(&worked_out),
                hexadecimal(&seal.hash),
            ));
        }
        self.first = last + 1;
        self.load(tx, last)
    }

    /// Names the seals over entries that are not there.
    fn end(self, pass: &mut Pass<'_>) {
        for seal in self.next.into_iter().chain(self.page) {
            let place = format!("partition {}, sequences {} to {}", self.partition, seal.first, seal.last);
            pass.report.add(Difference::new("seal", place, "the sealed entries", "no such entries"));
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
