//! A backup is made while four writers write; it is restored on the other engine, where the books are clean and nothing is missing.
//! A backup that is cut off or was changed is refused, and so is a database that holds something.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use domain::ledger::{AccountKey, BookKind, NewTransfer, Posting};
use domain::value::Id;
use domain::{Code, Refusal};
use engine::check::check;
use engine::ledger::{Notice, Told, post};
use engine::{Failure, seal};
use sim::shop::{OPENING, TestShop};
use store::backup::{BackupError, Contents, restore, verify, write};
use store::{Db, StoreError, event};

const WRITERS: u8 = 4;

/// Moves one piece in the writer's book and answers how many commands it did.
fn write_until(shop: &engine::Shop, stop: &AtomicBool, writer: u8) -> u64 {
    let book = Id::from_bytes([writer; 16]);
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) || done < 20 {
        let world_of = shop.clone();
        let moved = shop.db.write(move |tx| -> Result<(), Failure> {
            let mut world = world_of.world();
            store::ledger::open_book(tx, book, BookKind::Stock, "piece", world.now())?;
            let line =
                |place, amount| Posting { account: AccountKey { place, state: 1 }, amount, floor: None };
            let postings = vec![line([0; 16], -1), line([writer; 16], 1)];
            let transfer = NewTransfer { id: world.id(), book, reason: "received", cause: None, postings };
            let notice = Notice {
                subject: format!("writer {writer}"),
                kind: "stock.moved",
                body: serde_json::json!({"words": "naïve \"quotes\"\n"}),
            };
            let actor = domain::actor::Actor::system();
            let short = |_| Refusal::new(Code::OutOfStock, "too little");
            post(tx, &actor, &mut world, Told { transfer, notice }, short).map(drop)
        });
        moved.expect("the writer is not disturbed by the backup");
        done += 1;
    }
    done
}

fn backup_of(db: &Db) -> (Vec<u8>, Contents) {
    db.read(|tx| -> Result<_, BackupError> {
        let mut file = Vec::new();
        let contents = write(tx, OPENING, &mut file, &mut |_| ())?;
        Ok((file, contents))
    })
    .expect("the backup is written")
}

fn restored(db: &Db, file: &[u8]) -> Result<Contents, BackupError> {
    let file = file.to_vec();
    db.write(move |tx| restore(tx, &mut BufReader::new(file.as_slice()), &mut |_| ()))
}

fn entries(db: &Db) -> i64 {
    db.read(|tx| -> Result<i64, StoreError> { Ok(event::ends(tx)?.iter().sum()) }).expect("counted")
}

fn moves_to_the_other_engine(from: &TestShop, to: &TestShop) {
    let stop = Arc::new(AtomicBool::new(false));
    let writer = |number| {
        let (shop, stop) = (from.shop.clone(), stop.clone());
        thread::spawn(move || write_until(&shop, &stop, number))
    };
    let writers: Vec<_> = (1..=WRITERS).map(writer).collect();
    while entries(&from.shop.db) < 40 {}
    from.run(seal::round).expect("sealed");
    let before = entries(&from.shop.db);
    let (file, contents) = backup_of(&from.shop.db);
    stop.store(true, Ordering::Relaxed);
    let commands: u64 = writers.into_iter().map(|writer| writer.join().expect("the writer ends well")).sum();
    assert_eq!(entries(&from.shop.db).unsigned_abs(), commands);

    assert_eq!(restored(&to.shop.db, &file).expect("restored"), contents);
    assert!(entries(&to.shop.db) >= before, "what was done before the backup is in it");
    for shop in [from, to] {
        let report = shop.read(|tx| check(tx, [1; 32], &mut |_, _| ())).expect("checked");
        assert!(report.is_clean() && report.seals > 0, "{:#?}", report.differences);
    }
    let (again, _) = backup_of(&to.shop.db);
    assert_eq!(
        String::from_utf8(again).expect("text"),
        String::from_utf8(file.clone()).expect("text"),
        "the same books make the same file"
    );

    let refused = restored(&to.shop.db, &file).expect_err("it is not empty").to_string();
    assert!(refused.starts_with("the database is not empty, table "), "{refused}");
}

#[test]
fn a_shop_moves_from_one_engine_to_the_other_while_it_is_open() {
    moves_to_the_other_engine(&TestShop::on_sqlite(1), &TestShop::on_postgres(2));
    moves_to_the_other_engine(&TestShop::on_postgres(3), &TestShop::on_sqlite(4));
}

#[test]
fn a_backup_that_was_cut_off_or_changed_is_refused_before_anything_is_written() {
    let shop = TestShop::on_sqlite(1);
    write_until(&shop.shop, &AtomicBool::new(true), 1);
    let (file, _) = backup_of(&shop.shop.db);
    let refused = |file: &[u8]| match verify(&mut BufReader::new(file)) {
        Err(BackupError::Unfit(why)) => why,
        other => panic!("a bad backup passes: {other:?}"),
    };
    for part in [0, 1, file.len() / 3, file.len() / 2, file.len() - 1] {
        refused(&file[..part]);
    }
    for place in (0..file.len()).step_by(97) {
        let mut changed = file.clone();
        changed[place] ^= 1;
        refused(&changed);
    }
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().concat();
    assert!(refused(&without(3)).starts_with("the backup was changed after it was made"));
    assert!(refused(&[file.as_slice(), b"{}\n"].concat()).starts_with("the backup was changed"));
    assert_eq!(refused(b"{\"order\": 1}\n"), "this file is not a backup made by tandem");

    let into = TestShop::on_sqlite(2);
    let mut changed = file.clone();
    let last_digit = changed.len() - 10;
    changed[last_digit] = if changed[last_digit] == b'0' { b'1' } else { b'0' };
    restored(&into.shop.db, &changed).unwrap_err();
    assert_eq!(entries(&into.shop.db), 0, "nothing of it was kept");
    assert!(restored(&into.shop.db, &file).is_ok());
}
