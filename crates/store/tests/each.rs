//! Statements that are sent together over a wire are done as if one waited for the other; and what only reads begins and ends without anybody
//! waiting for it.

use std::sync::mpsc::{Sender, channel};
use std::{panic, thread};

use domain::value::{Id, Instant};
use sim::on_every_engine;
use sim::scratch::Scratch;
use sim::shop::TestShop;
use store::event::{self, Event};
use store::job::{self, Job};
use store::{Db, Param, Settings, StoreError};

/// More than is ever sent together.
const MANY: i64 = 500;
const COUNT: &str = "select count(*) from consumer where name = $1";

fn count(shop: &TestShop, name: &'static str) -> Result<Option<i64>, StoreError> {
    shop.shop.db.read(move |tx| tx.one(COUNT, &[Param::Text(name)], |row| row.int()))
}

#[test]
fn what_is_sent_together_is_done_in_order() {
    on_every_engine(|shop| {
        let touched: Result<Vec<u64>, StoreError> = shop.shop.db.write(|tx| {
            let all: Vec<_> =
                (1..=MANY).map(|number| vec!["one".into(), Param::Int(3), number.into()]).collect();
            tx.execute_each(
                "insert into consumer (name, partition, sequence) values ($1, $2, $3)
                 on conflict (name, partition) do update set sequence = excluded.sequence",
                &all,
            )
        });
        assert_eq!(touched.expect("written"), vec![1; MANY as usize], "one each");
        let cursor = shop.shop.db.read(|tx| store::event::cursor_of(tx, "one")).expect("a cursor");
        assert_eq!(cursor[3], MANY, "the last one holds");
        let told = shop.shop.db.write(|tx| {
            let all: Vec<_> = (1..=MANY).map(|number| vec!["one".into(), number.into()]).collect();
            tx.rows_each(
                "update consumer set sequence = sequence + $2 where name = $1 returning sequence",
                &all,
                |row| row.int(),
            )
        });
        let sums: Vec<i64> = (1..=MANY).map(|number| MANY + number * (number + 1) / 2).collect();
        assert_eq!(told.expect("told"), sums, "each sees what those before it did");
        let none: Result<Vec<u64>, StoreError> =
            shop.shop.db.write(|tx| tx.execute_each("delete from consumer where name = $1", &[]));
        assert_eq!((none.expect("nothing to do"), count(shop, "one").expect("a read")), (vec![], Some(1)));
    });
}

#[test]
fn all_is_undone_when_one_of_those_sent_together_fails() {
    on_every_engine(|shop| {
        let twice: Result<Vec<u64>, StoreError> = shop.shop.db.write(|tx| {
            let number = |number: i64| if number == 77 { 76 } else { number };
            let all: Vec<_> =
                (1..=MANY).map(|one| vec!["two".into(), number(one).into(), Param::Int(1)]).collect();
            tx.execute_each("insert into consumer (name, partition, sequence) values ($1, $2, $3)", &all)
        });
        assert!(matches!(twice, Err(StoreError::Statement(_))), "{twice:?}");
        assert_eq!(count(shop, "two").expect("a read"), Some(0), "nothing is kept");
        // Every connection that writes is asked once more and finds no transaction of before.
        for _ in 0..16 {
            let kept: Result<(), StoreError> =
                shop.shop.db.write(|tx| store::event::advance(tx, "three", 1, 1));
            kept.expect("it goes on");
        }
    });
}

/// An event of one subject.
fn telling(id: i64) -> Event {
    Event {
        id: Id::from_bytes(i128::from(id).to_be_bytes()),
        subject: "one subject".into(),
        kind: "told",
        at: Instant::EPOCH,
        actor: "system".into(),
        channel: None,
        transfer: None,
        body: format!("{{\"id\":{id}}}"),
    }
}

/// Advances a consumer and tells of it by events with these ids; the journal is written with the commit.
fn told(shop: &TestShop, name: &'static str, ids: Vec<i64>) -> Result<(), StoreError> {
    shop.shop.db.write(move |tx| {
        ids.iter().for_each(|id| tx.emit(telling(*id)));
        store::event::advance(tx, name, 1, 1)
    })
}

#[test]
fn what_the_journal_refuses_is_not_committed_however_much_it_is() {
    on_every_engine(|shop| {
        let partition = event::partition_of("one subject");
        let stone = |sql: &'static str| {
            let there = [partition.into(), Param::Int(5)];
            shop.shop.db.write(move |tx| tx.execute(sql, &there)).expect("written past the counter");
        };
        told(shop, "four", vec![1, 2, 3]).expect("committed");
        stone(
            "insert into event (partition, sequence, event_id, subject, kind, at, actor, body)
             select $1, $2, e.event_id, e.subject, e.kind, e.at, e.actor, e.body from event e where e.partition = $1 and e.sequence = 1",
        );
        for (name, ids) in [("five", vec![4, 5]), ("six", (4..MANY).collect())] {
            let refused = told(shop, name, ids);
            assert!(matches!(refused, Err(StoreError::Statement(_))), "{refused:?}");
            assert_eq!(count(shop, name).expect("a read"), Some(0), "nothing is kept");
        }
        stone("delete from event where partition = $1 and sequence = $2");
        told(shop, "seven", (4..MANY).collect()).expect("committed");
        let entries =
            shop.shop.db.read(move |tx| event::after(tx, partition, 0, 1_000)).expect("the journal");
        let of = |entry: &event::Entry| (entry.sequence, entry.body.clone());
        let expected: Vec<_> = (1..MANY).map(|place| (place, telling(place).body)).collect();
        assert_eq!(
            entries.iter().map(of).collect::<Vec<_>>(),
            expected,
            "in the order in which they were told"
        );
    });
}

#[test]
fn a_change_is_one_whatever_it_begins_with() {
    on_every_engine(|shop| {
        let write = |name: &'static str, tells: i64, outcome: fn() -> Result<(), StoreError>| {
            shop.shop.db.write(move |tx| {
                let there = tx.one(COUNT, &[Param::Text(name)], |row| row.int())?;
                assert_eq!(there, Some(0), "the first statement reads");
                store::event::advance(tx, name, 1, 1)?;
                tx.emit(telling(tells));
                outcome()
            })
        };
        let kept: fn() -> Result<(), StoreError> = || Ok(());
        for round in 0..8 {
            let nothing: Result<(), StoreError> = shop.shop.db.write(|_| Ok(()));
            nothing.expect("nothing was done");
            let refused = write("eight", 900, || Err(StoreError::Closed));
            assert_eq!(refused, Err(StoreError::Closed), "the word of the work itself");
            let told: Result<(), StoreError> = shop.shop.db.write(move |tx| {
                tx.emit(telling(round));
                Ok(())
            });
            told.expect("nothing but told");
            let failed =
                shop.shop.db.write(|tx| tx.one("select 1 / $1", &[Param::Text("x")], |row| row.text()));
            assert!(failed.is_err(), "{failed:?}");
            assert_eq!(count(shop, "eight").expect("a read"), Some(0), "nothing is kept");
        }
        write("eight", 8, kept).expect("kept");
        assert_eq!(count(shop, "eight").expect("a read"), Some(1));
        let partition = event::partition_of("one subject");
        let entries =
            shop.shop.db.read(move |tx| event::after(tx, partition, 0, 1_000)).expect("the journal");
        let told: Vec<_> = entries.into_iter().map(|entry| entry.body).collect();
        assert_eq!(told, (0..=8).map(|place| telling(place).body).collect::<Vec<_>>(), "each once");
    });
}

#[test]
fn a_read_that_failed_or_asked_nothing_leaves_nothing_behind() {
    on_every_engine(|shop| {
        for _ in 0..8 {
            let nothing: Result<(), StoreError> = shop.shop.db.read(|_| Ok(()));
            nothing.expect("nothing was asked");
            let failed =
                shop.shop.db.read(|tx| tx.one("select 1 / $1", &[Param::Text("x")], |row| row.text()));
            assert!(failed.is_err(), "{failed:?}");
            let refused: Result<u64, StoreError> = shop
                .shop
                .db
                .read(|tx| tx.execute("delete from consumer where name = $1", &[Param::Text("one")]));
            assert!(refused.is_err(), "who only reads changes nothing");
            assert_eq!(count(shop, "one").expect("the next one reads"), Some(0));
        }
    });
}

#[test]
fn the_last_work_may_be_the_last_to_hold_the_books() {
    let (teller, panicked) = channel();
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let name = thread::current().name().unwrap_or_default().to_owned();
        if name.starts_with("tandem-") {
            let _ = teller.send(format!("{name}: {panic}"));
        }
        usual(panic);
    }));
    let scratch = Scratch::new("books").expect("a directory");
    let database = sim::postgres::database().expect("a database");
    for address in [scratch.path().join("shop.db").display().to_string(), database.url()] {
        let (done, ended) = channel();
        let (go, gone) = channel();
        let db = Db::open(&Settings::new(address)).expect("the books open");
        let held = (db.clone(), OnDrop(done));
        db.write_then(
            move |_| {
                let _ = (&held, gone.recv());
                Ok::<(), StoreError>(())
            },
            |kept| kept.expect("written"),
        );
        drop(db);
        go.send(()).expect("the work waits");
        ended.recv().expect("the work is let go of");
    }
    assert_eq!(panicked.try_recv().ok(), None);
}

/// Tells that it was let go of.
struct OnDrop(Sender<()>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn of_several_kinds_the_oldest_jobs_are_claimed_first_and_once() {
    on_every_engine(|shop| {
        let kept: Result<(), StoreError> = shop.shop.db.write(|tx| {
            for (number, kind) in (0u8..).zip(["mail", "match", "match", "mail", "other", "mail"]) {
                let made = Job {
                    id: Id::from_bytes([number; 16]),
                    kind: kind.into(),
                    subject: String::new(),
                    body: "{}".into(),
                    run_at: at(10 - i64::from(number)),
                    attempts: 0,
                    last_error: None,
                    dead: false,
                };
                job::add(tx, &made, at(0))?;
            }
            Ok(())
        });
        kept.expect("jobs");
        let claim = |now: i64, limit: i64| -> Vec<u8> {
            let kinds = ["mail".to_owned(), "match".to_owned()];
            let claimed = shop.shop.db.write(move |tx| job::claim(tx, &kinds, at(now), at(60), limit));
            let claimed: Vec<Job> = claimed.expect("claimed");
            let mut numbers: Vec<u8> = claimed.iter().map(|job| job.id.bytes()[0]).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(claim(9, 3), [2, 3, 5], "the oldest three that are due, of both kinds");
        assert_eq!((claim(9, 3), claim(10, 3)), (vec![1], vec![0]), "then the others, once");
        let next = shop.shop.db.read(|tx| job::next_due(tx, &["mail".to_owned(), "other".to_owned()]));
        assert_eq!(next.expect("a look"), Some(at(6)));
    });
}

fn at(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000)
}
