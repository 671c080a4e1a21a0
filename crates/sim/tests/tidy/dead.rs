//! Nothing lies about: every source file is part of a program, every document is linked, every
//! link leads somewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::source;
use crate::tree::Tree;

const DECISION_LINES_MAX: usize = 40;

/// Source files that do not begin with a sentence about themselves.
pub fn headless(tree: &Tree) -> Vec<String> {
    tree.sources()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| format!("{path} does not begin with `//!` and what it is, for a shopkeeper"))
        .collect()
}

/// Source files no program or test includes.
pub fn unreached(tree: &Tree) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> =
        tree.sources().filter(|(path, _)| is_root(path)).map(|(path, _)| path.into()).collect();
    while let Some(path) = next.pop() {
        let directory = modules_directory(&path);
        for module in modules(tree.text(&path)) {
            let places = [format!("{directory}/{module}.rs"), format!("{directory}/{module}/mod.rs")];
            next.extend(places.into_iter().filter(|place| tree.has(place)));
        }
        reached.insert(path);
    }
    tree.sources()
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| format!("{path} is in no program: name it by `mod` or remove it"))
        .collect()
}

/// Files cargo builds by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(2).collect();
    matches!(
        parts.as_slice(),
        ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["build.rs"]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

/// Where the modules of a file are looked for.
fn modules_directory(path: &str) -> &str {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    if is_root(path) || path.ends_with("/mod.rs") {
        directory
    } else {
        path.strip_suffix(".rs").unwrap_or(path)
    }
}

/// Names declared by `mod name;`.
fn modules(text: &str) -> Vec<String> {
    let tokens = source::tokens(text);
    let declared = tokens.windows(3).filter_map(|window| {
        let name = window[1].word()?;
        let declares = window[0].word() == Some("mod") && window[2].is(';');
        declares.then(|| name.into())
    });
    declared.collect()
}

/// Documents no other document names, and links in documents that lead nowhere.
pub fn unlinked(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut linked = BTreeSet::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for link in links(text) {
            let target = resolve(directory, link);
            if target != path && tree.has(&target) {
                linked.insert(target);
            } else if target != path && !tree.has_directory(&target) {
                findings.push(format!("{path} links to {link}, which is not there"));
            }
        }
    }
    for (path, _) in tree.files().filter(|(path, _)| path.starts_with("docs/")) {
        if !linked.contains(path) {
            findings.push(format!("{path} is linked from no document: link or remove it"));
        }
    }
    findings
}

/// Targets of `](…)` inside the house, without their anchors.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .filter_map(|(link, _)| link.split('#').next())
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .collect()
}

/// The path a link leads to, from the root.
fn resolve(directory: &str, link: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Decision records that are long, or named or numbered out of line.
pub fn decisions(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, text) in tree.files() {
        let Some(name) = path.strip_prefix("docs/decisions/") else {
            continue;
        };
        let lines = text.lines().count();
        if lines > DECISION_LINES_MAX {
            findings.push(format!("{path} has {lines} lines, {DECISION_LINES_MAX} allowed: shorten it"));
        }
        let number = name.split('-').next().unwrap_or_default();
        let numbered = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        if !numbered || !name.ends_with(".md") {
            findings.push(format!("{path} is not named like 0001-what-was-decided.md"));
        } else if let Some(other) = numbers.insert(number, path) {
            findings.push(format!("{path} has the number of {other}: take the next free one"));
        }
    }
    findings
}

#[test]
fn dead_and_headless_sources_are_found() {
    let tree = Tree::of(&[
        ("crates/a/src/lib.rs", "//! A.\nmod stock;\nmod tests {}"),
        ("crates/a/src/stock.rs", "//! S.\nmod hold; // mod dead;"),
        ("crates/a/src/stock/hold.rs", "//! H."),
        ("crates/a/src/stock/dead.rs", "//! D."),
        ("crates/a/tests/stock.rs", "//! T.\nmod shop;"),
        ("crates/a/tests/shop/mod.rs", "mod till;"),
        ("crates/a/tests/shop/till.rs", "//! T."),
    ]);
    assert_eq!(
        unreached(&tree),
        ["crates/a/src/stock/dead.rs is in no program: name it by `mod` or remove it"]
    );
    assert_eq!(headless(&tree).len(), 1);
    assert!(headless(&tree)[0].starts_with("crates/a/tests/shop/mod.rs does not begin"));
}

#[test]
fn unlinked_documents_and_broken_links_are_found() {
    let tree = Tree::of(&[
        ("README.md", "[a](docs/a.md#top) [b](docs/b.md) [c](https://example.org) [d](docs)"),
        ("docs/a.md", "[self](a.md) [up](../README.md) [words](./words.txt)"),
        ("docs/lonely.md", "[me](lonely.md)"),
        ("docs/words.txt", ""),
    ]);
    let expected = [
        "README.md links to docs/b.md, which is not there",
        "docs/lonely.md is linked from no document: link or remove it",
    ];
    assert_eq!(unlinked(&tree), expected);
}

#[test]
fn long_and_misnumbered_decisions_are_found() {
    let tree = Tree::of(&[
        ("docs/decisions/0001-one.md", &"line\n".repeat(41)),
        ("docs/decisions/0001-two.md", ""),
        ("docs/decisions/3.md", ""),
    ]);
    let expected = [
        "docs/decisions/0001-one.md has 41 lines, 40 allowed: shorten it",
        "docs/decisions/0001-two.md has the number of docs/decisions/0001-one.md: \
         take the next free one",
        "docs/decisions/3.md is not named like 0001-what-was-decided.md",
    ];
    assert_eq!(decisions(&tree), expected);
}
