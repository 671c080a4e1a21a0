//! The program as a person starts it: what is missing is made once, what is wrong is said with its own exit code.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sim::scratch::Scratch;

fn tandem(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(arguments)
        .current_dir(home)
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_shop_is_made_once_and_found_again() {
    let home = Scratch::new("program").unwrap();
    let first = tandem(home.path(), &["init", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let answer: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!((&answer["first"], &answer["key_made"]), (&true.into(), &true.into()));
    let key = fs::read_to_string(home.path().join("tandem-data/master.key")).unwrap();

    let again = tandem(home.path(), &["init"]);
    assert!(said(&again).contains("is there already"), "{}", said(&again));
    assert_eq!(fs::read_to_string(home.path().join("tandem-data/master.key")).unwrap(), key);
    assert!(said(&tandem(home.path(), &["migrate"])).contains("is up to date"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_master_key() {
    use std::os::unix::fs::PermissionsExt;
    let home = Scratch::new("program").unwrap();
    tandem(home.path(), &["init"]);
    let about = fs::metadata(home.path().join("tandem-data/master.key")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_missing_or_wrong_master_key_is_refused() {
    let home = Scratch::new("program").unwrap();
    tandem(home.path(), &["init"]);
    let key = home.path().join("tandem-data/master.key");
    fs::write(&key, "00".repeat(32)).unwrap();
    let wrong = tandem(home.path(), &["init"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(said(&wrong).contains("another master key"), "{}", said(&wrong));
    fs::remove_file(&key).unwrap();
    let missing = tandem(home.path(), &["init"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(said(&missing).contains("is missing: put it into"), "{}", said(&missing));
}

#[test]
fn each_kind_of_end_has_its_exit_code() {
    let home = Scratch::new("program").unwrap();
    assert_eq!(tandem(home.path(), &["help"]).status.code(), Some(0));
    assert_eq!(tandem(home.path(), &["dance"]).status.code(), Some(2));
    let none = tandem(home.path(), &["migrate", "--json"]);
    assert_eq!(none.status.code(), Some(3));
    let told: serde_json::Value = serde_json::from_slice(&none.stderr).unwrap();
    assert_eq!(told["exit_code"], 3);
    assert!(!home.path().join("tandem-data").exists(), "looking for a database must not make one");
    fs::write(home.path().join("tandem.toml"), "listen = 5\n").unwrap();
    let wrong = tandem(home.path(), &["init"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("listen"), "{}", said(&wrong));
}

#[test]
fn the_settings_shown_are_settings_that_can_be_given() {
    let home = Scratch::new("program").unwrap();
    let shown = tandem(home.path(), &["init", "--print-config"]);
    fs::write(home.path().join("tandem.toml"), &shown.stdout).unwrap();
    let made = tandem(home.path(), &["init"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
}

#[test]
fn a_backup_is_restored_into_a_new_database_and_no_other() {
    let home = Scratch::new("program").unwrap();
    tandem(home.path(), &["init"]);
    let made = tandem(home.path(), &["backup", "shop.gz"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    assert_eq!(
        tandem(home.path(), &["backup", "shop.gz"]).status.code(),
        Some(3),
        "a backup is never overwritten"
    );

    let restored = tandem(home.path(), &["restore", "shop.gz", "--into", "new.db"]);
    assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
    assert!(said(&restored).contains("clean"), "{}", said(&restored));
    let again = tandem(home.path(), &["restore", "shop.gz", "--into", "new.db"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("the database is not empty"), "{}", said(&again));

    let file = fs::read(home.path().join("shop.gz")).unwrap();
    fs::write(home.path().join("cut.gz"), &file[..file.len() - 20]).unwrap();
    let cut = tandem(home.path(), &["restore", "cut.gz", "--into", "other.db"]);
    assert_eq!(cut.status.code(), Some(1), "{}", said(&cut));
    assert!(!home.path().join("other.db").exists(), "nothing is made for an unfit backup");
}
