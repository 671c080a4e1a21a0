//! The way to PostgreSQL is encrypted when the address asks for it, and a server that is not who the address names is refused.

use sim::postgres::{Durability, Private};
use store::{Db, Settings, StoreError};

/// Opens the books; how many of its connections are encrypted: 1 or 0.
fn encrypted(address: &str) -> Result<i64, StoreError> {
    let db = Db::open(&Settings { readers: 1, writers: 1, ..Settings::new(address) })?;
    db.read(|tx| {
        let sql = "select count(*) from pg_stat_ssl where ssl and pid = pg_backend_pid()";
        Ok(tx.one(sql, &[], |row| row.int())?.unwrap_or(0))
    })
}

fn refused(address: &str) -> String {
    encrypted(address).expect_err("the address is refused").to_string()
}

#[test]
fn books_are_reached_by_an_encrypted_way_and_only_at_the_server_that_is_named() {
    let server = Private::start_encrypted(Durability::Fast).expect("a database server that encrypts");
    let database = server.database().expect("a database");
    let by_number = database.url();
    let by_name = by_number.replace("127.0.0.1", "localhost");
    let roots = server.root_certificate();
    let roots = roots.display();

    assert_eq!(encrypted(&by_number), Ok(1), "encrypted where the server can");
    assert_eq!(encrypted(&format!("{by_number}?sslmode=disable")), Ok(0));
    assert_eq!(encrypted(&format!("{by_number}?sslmode=require")), Ok(1));
    assert_eq!(encrypted(&format!("{by_number}?sslmode=verify-ca&sslrootcert={roots}")), Ok(1));
    assert_eq!(encrypted(&format!("{by_name}?sslmode=verify-full&sslrootcert={roots}")), Ok(1));

    let another_host = refused(&format!("{by_number}?sslmode=verify-full&sslrootcert={roots}"));
    assert!(another_host.contains("certificate not valid for name"), "{another_host}");
    let stranger = Private::start_encrypted(Durability::Fast).expect("another server");
    let unknown = stranger.root_certificate();
    let unknown = refused(&format!("{by_name}?sslmode=verify-full&sslrootcert={}", unknown.display()));
    assert!(unknown.contains("no connection to PostgreSQL") && unknown.contains("certificate"), "{unknown}");
}

#[test]
fn an_encrypted_way_that_is_required_is_never_given_up_silently() {
    let database = sim::postgres::database().expect("a database of a server that does not encrypt");
    assert_eq!(encrypted(&database.url()), Ok(0));
    let refused = refused(&format!("{}?sslmode=require", database.url()));
    assert!(refused.contains("server does not support TLS"), "{refused}");
}
