//! Who may reach what: SQL is written in the store, the network is used at the edges, and nothing
//! in the house knows on which machine it was built.

use crate::source::{self, Token};
use crate::tree::Tree;

/// Where SQL may stand. The test bench plays the database's administrator.
const SQL_CRATES: [&str; 2] = ["crates/store/", "crates/sim/"];
/// Where the network may be used: to the world, to customers, to wire both, to test both.
const NETWORK_CRATES: [&str; 4] = ["crates/connect/", "crates/http/", "crates/app/", "crates/sim/"];
/// What opens a connection or listens for one.
const NETWORK_WORDS: [&str; 9] = [
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "hyper",
    "hyper_util",
    "reqwest",
    "ureq",
];

/// SQL outside the store.
pub fn sql(tree: &Tree) -> Vec<String> {
    let tell = |path: &str, token: &Token| {
        let line = token.line;
        token
            .literal()
            .filter(|text| is_sql(text))
            .map(|_| format!("{path}:{line}: SQL outside crates/store: make it a function there"))
    };
    tokens_outside(tree, &SQL_CRATES, tell)
}

/// The network used inside.
pub fn network(tree: &Tree) -> Vec<String> {
    let tell = |path: &str, token: &Token| {
        let line = token.line;
        token
            .word()
            .filter(|word| NETWORK_WORDS.contains(word))
            .map(|word| format!("{path}:{line}: {word} belongs into crates/connect"))
    };
    tokens_outside(tree, &NETWORK_CRATES, tell)
}

/// What names one machine, or where this machine gets its packages from.
pub fn machines(tree: &Tree) -> Vec<String> {
    // Written in two pieces, so that this file does not find itself.
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (line, text) in (1..).zip(text.lines()) {
            for found in paths.iter().filter(|machine| text.contains(*machine)) {
                findings.push(format!("{path}:{line}: {found} exists on one machine only"));
            }
            let downloaded = path.ends_with("Cargo.lock")
                && text.starts_with("source = ")
                && text != format!("source = \"{registry}\"")
                || path.ends_with("package-lock.json") && text.contains("\"resolved\"");
            if downloaded {
                findings.push(format!("{path}:{line}: a download address of its own: {text}"));
            }
        }
    }
    findings
}

/// What `tell` finds in the tokens of all sources but those of `crates`.
fn tokens_outside(
    tree: &Tree,
    crates: &[&str],
    tell: impl Fn(&str, &Token) -> Option<String>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        if !crates.iter().any(|allowed| path.starts_with(allowed)) {
            let tokens = source::tokens(text);
            findings.extend(tokens.iter().filter_map(|token| tell(path, token)));
        }
    }
    findings
}

/// Whether a text is a statement: it begins like one and goes on like one.
pub fn is_sql(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let shapes = [
        ("select ", " from "),
        ("insert into ", ""),
        ("update ", " set "),
        ("delete from ", ""),
        ("with ", " as ("),
        ("create table ", ""),
        ("create index ", ""),
        ("create unique index ", ""),
        ("alter table ", ""),
        ("drop table ", ""),
        ("pragma ", ""),
    ];
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
    shapes.iter().any(|(begins, goes_on)| text.starts_with(begins) && text.contains(goes_on))
}

#[test]
fn sql_and_network_in_the_wrong_crate_are_found() {
    let statement = "fn f() { q(\"\n  Select a\n  from b\"); p(\"select a store\"); }";
    let connection = "use std::net::{IpAddr, TcpStream}; // UdpSocket";
    let tree = Tree::of(&[
        ("crates/store/src/a.rs", statement),
        ("crates/engine/src/a.rs", statement),
        ("crates/connect/src/a.rs", connection),
        ("crates/engine/src/b.rs", connection),
    ]);
    let sql_found = ["crates/engine/src/a.rs:1: SQL outside crates/store: make it a function there"];
    assert_eq!(sql(&tree), sql_found);
    let network_found = ["crates/engine/src/b.rs:1: TcpStream belongs into crates/connect"];
    assert_eq!(network(&tree), network_found);
}

#[test]
fn paths_and_addresses_of_one_machine_are_found() {
    let path = format!("cd {}here\n", concat!("/wo", "rk/"));
    let tree = Tree::of(&[
        ("docs/a.md", &path),
        ("Cargo.lock", "source = \"registry+https://mirror.example/index\"\n"),
        ("web/package-lock.json", "{\n \"resolved\": \"https://mirror.example/a.tgz\"\n}\n"),
    ]);
    assert_eq!(machines(&tree).len(), 3);
}
