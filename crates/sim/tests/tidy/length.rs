//! Files stay under 500 lines and functions under 70, so that each can be read in one go. What is
//! longer already is listed with its length and may only shrink.

use std::collections::BTreeMap;

use crate::source::{self, Token};
use crate::tree::Tree;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const LIST: &str = "crates/sim/tests/tidy/longer.txt";
/// Files people write and read; data and generated files may be as long as they are.
const WRITTEN: [&str; 9] = [".rs", ".sql", ".ts", ".js", ".mjs", ".svelte", ".css", ".py", ".sh"];

/// Everything too long and not listed, and every line of the list that is out of date.
pub fn findings(tree: &Tree) -> Vec<String> {
    let mut listed = parse_list(tree.text(LIST));
    let mut findings = Vec::new();
    for (name, lines, lines_max) in lengths(tree) {
        match listed.remove(&name) {
            None if lines > lines_max => {
                findings.push(format!("{name} has {lines} lines, {lines_max} allowed: split it"))
            }
            None => {}
            Some(_) if lines <= lines_max => {
                findings.push(format!("{name} is short enough now: remove its line from {LIST}"))
            }
            Some(was) if lines > was => {
                findings.push(format!("{name} grew from {was} to {lines} lines: split it"))
            }
            Some(was) if lines < was => {
                findings.push(format!("{name} shrank from {was} to {lines} lines: write {lines} into {LIST}"))
            }
            Some(_) => {}
        }
    }
    let gone = listed.into_keys();
    findings.extend(gone.map(|name| format!("{name} is gone: remove its line from {LIST}")));
    findings
}

fn parse_list(text: &str) -> BTreeMap<String, usize> {
    text.lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, lines)| Some((name.into(), lines.parse().ok()?)))
        .collect()
}

/// Every file and function: its name, its length, and how long it may be.
fn lengths(tree: &Tree) -> Vec<(String, usize, usize)> {
    let mut lengths = Vec::new();
    for (path, text) in tree.files() {
        if WRITTEN.iter().any(|ending| path.ends_with(ending)) {
            lengths.push((path.into(), text.lines().count(), FILE_LINES_MAX));
        }
    }
    for (path, text) in tree.sources() {
        for (name, lines) in functions(&source::tokens(text)) {
            lengths.push((format!("{path}::{name}"), lines, FUNCTION_LINES_MAX));
        }
    }
    lengths
}

/// Each function with a body: its name and how many lines it has. Of functions of one name in a
/// file only the longest counts.
fn functions(tokens: &[Token]) -> BTreeMap<String, usize> {
    let mut functions = BTreeMap::new();
    for at in 0..tokens.len() {
        let name = tokens.get(at + 1).and_then(Token::word);
        let (Some("fn"), Some(name)) = (tokens[at].word(), name) else {
            continue;
        };
        if let Some(last_line) = body_end(&tokens[at..]) {
            let lines = last_line - tokens[at].line + 1;
            let longest: &mut usize = functions.entry(name.into()).or_default();
            *longest = lines.max(*longest);
        }
    }
    functions
}

/// The line of the brace that closes the body, or none if there is no body.
fn body_end(tokens: &[Token]) -> Option<usize> {
    let mut brackets = 0;
    let mut braces = 0;
    for token in tokens {
        if token.is('(') || token.is('[') {
            brackets += 1;
        } else if token.is(')') || token.is(']') {
            brackets -= 1;
        } else if token.is('{') {
            braces += 1;
        } else if token.is('}') {
            braces -= 1;
            if braces == 0 {
                return Some(token.line);
            }
        } else if token.is(';') && brackets == 0 && braces == 0 {
            return None;
        }
    }
    None
}

#[test]
fn what_is_too_long_and_what_the_list_has_wrong_is_found() {
    let long = format!("fn long(a: [u8; 2]) {{{}}}\nfn short();\nfn s() {{}}\n", "\n".repeat(70));
    let file = "//\n".repeat(501);
    let list = "Words.\ncrates/a/src/grown.rs 500\ncrates/a/src/gone.rs 600\n\
                crates/a/src/lib.rs 600\ncrates/a/src/shrunk.rs 502\n";
    let tree = Tree::of(&[
        (LIST, list),
        ("crates/a/src/lib.rs", &long),
        ("crates/a/src/grown.rs", &file),
        ("crates/a/src/shrunk.rs", &file),
        ("web/new.ts", &file),
        ("data.csv", &file),
    ]);
    let expected = [
        "crates/a/src/grown.rs grew from 500 to 501 lines: split it".to_owned(),
        format!("crates/a/src/lib.rs is short enough now: remove its line from {LIST}"),
        format!("crates/a/src/shrunk.rs shrank from 502 to 501 lines: write 501 into {LIST}"),
        "web/new.ts has 501 lines, 500 allowed: split it".to_owned(),
        "crates/a/src/lib.rs::long has 71 lines, 70 allowed: split it".to_owned(),
        format!("crates/a/src/gone.rs is gone: remove its line from {LIST}"),
    ];
    assert_eq!(findings(&tree), expected);
}
