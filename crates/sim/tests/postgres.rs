//! The bench's own proof that each test gets an empty database and that a killed server comes
//! back with everything it had committed.

use sim::postgres::{self, Durability, Private};

#[test]
fn each_database_is_empty_and_gone_afterwards() {
    let one = postgres::database().unwrap();
    let other = postgres::database().unwrap();
    assert_ne!(one.url(), other.url());
    one.connect()
        .unwrap()
        .batch_execute("create table shelf (sku text primary key, pieces bigint not null)")
        .unwrap();
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    let count = |database: &postgres::Database| -> i64 {
        let row = database.connect().unwrap().query_one(tables, &[]).unwrap();
        row.get(0)
    };
    assert_eq!((count(&one), count(&other)), (1, 0));

    // A connection that is still open does not keep the database.
    let mut open = one.connect().unwrap();
    let name: String = open.query_one("select current_database()", &[]).unwrap().get(0);
    drop(one);
    let left = "select count(*) from pg_database where datname = $1";
    let left: i64 = other.connect().unwrap().query_one(left, &[&name]).unwrap().get(0);
    assert_eq!(left, 0);
}

#[test]
fn a_killed_server_comes_back_with_what_was_committed() {
    let server = Private::start(Durability::Full).unwrap();
    let database = server.database().unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute("create table sale (id bigint primary key); insert into sale values (1)").unwrap();
    let mut unfinished = client.transaction().unwrap();
    unfinished.execute("insert into sale values (2)", &[]).unwrap();

    server.kill().unwrap();
    unfinished.execute("insert into sale values (3)", &[]).unwrap_err();
    assert!(database.connect().is_err());
    server.kill().unwrap_err();

    server.restart().unwrap();
    let mut client = database.connect().unwrap();
    let sales: i64 = client.query_one("select sum(id)::bigint from sale", &[]).unwrap().get(0);
    assert_eq!(sales, 1);
    let durable: String = client.query_one("show fsync", &[]).unwrap().get(0);
    assert_eq!(durable, "on");
}
