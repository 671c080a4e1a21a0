//! The capabilities have one written order, and a file uses only words up to its own.

use crate::source::{self, Token};
use crate::tree::Tree;

/// Where a path to a capability may begin: our own crate, or one of the crates below.
const ROOTS: [&str; 6] = ["crate", "domain", "store", "engine", "connect", "tandem_http"];

/// The words, first to last.
pub struct Order {
    words: Vec<String>,
}

impl Order {
    /// Reads `docs/capabilities.txt`.
    pub fn parse(text: &str) -> Self {
        let words: Vec<String> =
            text.lines().filter_map(|line| line.split_once("  ")).map(|(word, _)| word.into()).collect();
        assert!(!words.is_empty(), "docs/capabilities.txt names no words");
        Self { words }
    }

    /// Every use of a word to the right, in every crate's `src`.
    pub fn findings(&self, tree: &Tree) -> Vec<String> {
        let mut findings = Vec::new();
        for (path, text) in tree.sources() {
            let Some(own) = self.capability_of(path) else {
                continue;
            };
            for (line, used) in uses(&source::tokens(text)) {
                let Some(place) = self.place(&used) else {
                    continue;
                };
                if place > own {
                    let own = &self.words[own];
                    findings.push(format!(
                        "{path}:{line}: {own} uses {used}, which stands after it in \
                         docs/capabilities.txt: move the code to {used} or a later word"
                    ));
                }
            }
        }
        findings
    }

    fn place(&self, word: &str) -> Option<usize> {
        self.words.iter().position(|known| known == word)
    }

    /// The place of the capability a file belongs to: `crates/X/src/stock.rs`, `…/src/stock/….rs`.
    fn capability_of(&self, path: &str) -> Option<usize> {
        let (_, inside) = path.split_once("/src/")?;
        let first = inside.split('/').next()?;
        self.place(first.strip_suffix(".rs").unwrap_or(first))
    }
}

/// The first word of every path under a root, with its line: `stock` for `domain::stock::hold`,
/// `stock` and `order` for `use crate::{stock, order::Line}`.
fn uses(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut uses = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_root = token.word().is_some_and(|word| ROOTS.contains(&word));
        let inside_a_path = at >= 2 && source::is_path_mark(tokens, at - 2);
        if !is_root || inside_a_path || !source::is_path_mark(tokens, at + 1) {
            continue;
        }
        let Some(next) = tokens.get(at + 3) else {
            continue;
        };
        if let Some(word) = next.word() {
            uses.push((next.line, word.into()));
        } else if next.is('{') {
            uses.extend(group(&tokens[at + 3..]));
        }
    }
    uses
}

/// The first word of each entry of a group in braces.
fn group(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut entry_begins = false;
    for token in tokens {
        if token.is('{') {
            depth += 1;
            entry_begins = depth == 1;
        } else if token.is('}') {
            depth -= 1;
            if depth == 0 {
                break;
            }
        } else if token.is(',') {
            entry_begins = depth == 1;
        } else {
            if let Some(word) = token.word().filter(|_| entry_begins) {
                words.push((token.line, word.into()));
            }
            entry_begins = false;
        }
    }
    words
}

#[test]
fn a_word_to_the_right_is_found_however_it_is_written() {
    let order = Order::parse("A list.\nstock   s\ncart    c\norder   o\ncheckout  x\n");
    let tree = Tree::of(&[
        ("crates/engine/src/stock.rs", "use domain::{stock::Hold, cart::{order}};\n"),
        ("crates/engine/src/cart/add.rs", "use crate::stock;\nfn f() { store::order::load() }"),
        ("crates/engine/src/checkout.rs", "use crate::{cart, order, stock};"),
        ("crates/engine/src/perform.rs", "use crate::checkout;"),
        ("crates/engine/tests/stock.rs", "use engine::order;"),
    ]);
    let findings = order.findings(&tree);
    let starts: Vec<&str> =
        findings.iter().map(|finding| finding.split(',').next().unwrap_or_default()).collect();
    let expected =
        ["crates/engine/src/cart/add.rs:2: cart uses order", "crates/engine/src/stock.rs:1: stock uses cart"];
    assert_eq!(starts, expected);
}
