//! The disk is full, another program locks the file, the database server dies: the error says what is wrong, nothing that was answered
//! is lost, and as soon as the cause is gone the same open books go on by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use domain::ledger::BookKind;
use domain::value::{Id, Instant};
use sim::postgres::{Durability, Private};
use sim::scratch::Scratch;
use store::{Db, Settings, StoreError, event, ledger};

/// Opens a book with a number, with a unit of so many letters; answers when it is durably kept.
fn keep(db: &Db, number: u64, letters: usize) -> Result<(), StoreError> {
    db.write(move |tx| {
        tx.emit(event::Event {
            id: id(number),
            subject: format!("book {number}"),
            kind: "book.opened",
            at: Instant::EPOCH,
            actor: "system".into(),
            channel: None,
            transfer: None,
            body: "{}".into(),
        });
        ledger::open_book(tx, id(number), BookKind::Stock, &"m".repeat(letters), Instant::EPOCH)
    })
}

fn id<K: domain::value::Kind>(number: u64) -> Id<K> {
    Id::from_bytes(u128::from(number).to_be_bytes())
}

/// The numbers of the books that are kept, each with its event.
fn kept(db: &Db) -> Result<BTreeSet<u64>, StoreError> {
    db.read(|tx| {
        let books =
            tx.rows("select b.book_id from book b join event e on e.event_id = b.book_id", &[], |row| {
                row.key()
            })?;
        let events: i64 = event::ends(tx)?.iter().sum();
        assert_eq!(events.unsigned_abs(), books.len() as u64, "a book and its event are kept together");
        Ok(books.into_iter().map(|key| u128::from_be_bytes(key) as u64).collect())
    })
}

fn file_of(scratch: &Scratch) -> String {
    scratch.path().join("shop.db").display().to_string()
}

/// Lets the database file grow to at most so many pages, as a disk with little room would.
fn room(db: &Db, pages: &'static str) {
    let limited: Result<_, StoreError> = db.write(move |tx| tx.rows(pages, &[], |row| row.int()));
    limited.expect("the limit is set");
}

#[test]
fn a_full_disk_is_said_loses_nothing_and_is_forgotten_when_there_is_room() {
    let scratch = Scratch::new("faults").expect("a directory");
    let db = Db::open(&Settings::new(file_of(&scratch))).expect("the books open");
    room(&db, "pragma max_page_count = 900");
    let mut answered = BTreeSet::new();
    let full = (0..10_000).find_map(|number| match keep(&db, number, 500) {
        Ok(()) => {
            answered.insert(number);
            None
        }
        Err(error) => Some(error),
    });
    let full = full.expect("the disk becomes full");
    assert!(matches!(&full, StoreError::Unavailable(why) if why.contains("the disk is full")), "{full}");
    assert!(full.is_passing() && answered.len() > 20);
    assert_eq!(kept(&db), Ok(answered.clone()), "readers go on");
    assert!(keep(&db, answered.len() as u64, 500).is_err(), "and it stays full for what did not fit");

    room(&db, "pragma max_page_count = 1000000");
    keep(&db, 30_000, 500).expect("it goes on by itself");
    answered.insert(30_000);
    assert_eq!(kept(&db), Ok(answered.clone()));
    drop(db);
    let again = Db::open(&Settings::new(file_of(&scratch))).expect("the books open again");
    assert_eq!(kept(&again), Ok(answered));
}

#[test]
fn a_file_locked_by_another_program_is_said_and_goes_on_when_it_is_free() {
    let scratch = Scratch::new("faults").expect("a directory");
    let db = Db::open(&Settings::new(file_of(&scratch))).expect("the books open");
    keep(&db, 1, 5).expect("kept");
    let other = rusqlite::Connection::open(file_of(&scratch)).expect("another program opens the file");
    other.execute_batch("begin immediate").expect("and locks it");
    let locked = keep(&db, 2, 5).expect_err("nobody can write");
    assert!(
        matches!(&locked, StoreError::Unavailable(why) if why.contains("locked the database file")),
        "{locked}"
    );
    assert_eq!(kept(&db), Ok(BTreeSet::from([1])), "readers go on");
    other.execute_batch("rollback").expect("it lets go");
    keep(&db, 2, 5).expect("it goes on by itself");
    assert_eq!(kept(&db), Ok(BTreeSet::from([1, 2])));
}

#[test]
fn crash_of_the_database_server_loses_nothing_that_was_answered_and_is_outlived() {
    let server = Private::start(Durability::Full).expect("a database server");
    let database = server.database().expect("a database");
    let db = Db::open(&Settings::new(database.url())).expect("the books open");
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = || {
        let (db, stop, next) = (db.clone(), stop.clone(), next.clone());
        thread::spawn(move || {
            let (mut answered, mut unsure, mut failed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                match keep(&db, number, 5) {
                    Ok(()) => answered.insert(number),
                    Err(StoreError::OutcomeUnknown) => unsure.insert(number),
                    Err(error) => {
                        assert!(error.is_passing(), "{error}");
                        failed.insert(number)
                    }
                };
            }
            (answered, unsure, failed)
        })
    };
    let writers: Vec<_> = (0..4).map(|_| writer()).collect();
    while next.load(Ordering::Relaxed) < 200 {
        thread::yield_now();
    }
    server.kill().expect("the server dies");
    let lost = keep(&db, 1_000_000, 5).expect_err("nothing can be kept");
    assert!(matches!(&lost, StoreError::Unavailable(why) if why.contains("PostgreSQL")), "{lost}");
    server.restart().expect("the server comes back");
    keep(&db, 1_000_001, 5).expect("it goes on by itself");
    stop.store(true, Ordering::Relaxed);

    let (mut answered, mut unsure) = (BTreeSet::from([1_000_001]), BTreeSet::new());
    for writer in writers {
        let (kept_by_it, unsure_of_it, failed) = writer.join().expect("the writer ends well");
        assert!(!kept_by_it.is_empty() && failed.len() < 1_000_000);
        answered.extend(kept_by_it);
        unsure.extend(unsure_of_it);
    }
    let kept = kept(&db).expect("read");
    assert!(answered.is_subset(&kept), "lost: {:?}", answered.difference(&kept).collect::<Vec<_>>());
    assert!(
        kept.difference(&answered).all(|number| unsure.contains(number)),
        "something was kept that was refused"
    );
}

#[test]
fn a_large_command_is_taken_back_whole_beside_the_others_of_its_commit() {
    let scratch = Scratch::new("faults").expect("a directory");
    let db = Db::open(&Settings::new(file_of(&scratch))).expect("the books open");
    (0..3000).try_for_each(|number| keep(&db, number, 3000)).expect("books are kept");
    let letters = |db: &Db| {
        let sum = "select cast(sum(length(unit)) as integer) from book";
        let read: Result<_, StoreError> = db.read(move |tx| tx.one(sum, &[], |row| row.int()));
        read.expect("the sum").expect("one row")
    };
    assert_eq!(letters(&db), 9_000_000);
    let (first_runs, go) = (crossbeam_channel::bounded(0), crossbeam_channel::bounded::<()>(0));
    let (answers, answered) = crossbeam_channel::bounded(3);
    let answer = |answers: &crossbeam_channel::Sender<_>| {
        let answers = answers.clone();
        move |outcome: Result<(), StoreError>| answers.send(outcome.is_ok()).expect("somebody waits")
    };
    let (begun, wait) = (first_runs.0.clone(), go.1.clone());
    let first = move |tx: &mut store::Tx<'_>| {
        begun.send(()).expect("the test waits");
        wait.recv().expect("the test says go");
        ledger::open_book(tx, id(9001), BookKind::Stock, "piece", Instant::EPOCH)
    };
    db.write_then(first, answer(&answers));
    first_runs.1.recv().expect("the first command runs, the others wait for it");
    let large = |tx: &mut store::Tx<'_>| {
        tx.execute("update book set unit = unit || 'x'", &[])?;
        Err(StoreError::Closed)
    };
    db.write_then(large, answer(&answers));
    let last =
        |tx: &mut store::Tx<'_>| ledger::open_book(tx, id(9002), BookKind::Stock, "piece", Instant::EPOCH);
    db.write_then(last, answer(&answers));
    go.0.send(()).expect("the first command goes on");
    let ends: Vec<bool> = (0..3).map(|_| answered.recv().expect("an answer")).collect();
    assert_eq!(ends.iter().filter(|kept| **kept).count(), 2, "only the large one is taken back: {ends:?}");
    assert_eq!(letters(&db), 9_000_000 + 10);
}
