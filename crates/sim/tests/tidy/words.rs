//! The glossary decides: a word it says to avoid is no part of any name in Rust or SQL.

use crate::reach;
use crate::source::{self, Kind};
use crate::tree::Tree;

/// What to say, and what not.
pub struct Glossary {
    avoided: Vec<Avoided>,
}

struct Avoided {
    /// The words of the phrase, in lower case.
    phrase: Vec<String>,
    /// What to say.
    instead: String,
}

impl Glossary {
    /// Reads the tables of `docs/GLOSSARY.md`: term, meaning, avoid.
    pub fn parse(text: &str) -> Self {
        let mut avoided = Vec::new();
        for line in text.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ["", term, _meaning, avoid, ""] = cells.as_slice() else {
                continue;
            };
            if *avoid == "avoid" || avoid.starts_with('-') {
                continue;
            }
            for phrase in avoid.split(',').filter(|phrase| !phrase.trim().is_empty()) {
                avoided.push(Avoided {
                    phrase: phrase.split_whitespace().map(str::to_lowercase).collect(),
                    instead: (*term).into(),
                });
            }
        }
        assert!(!avoided.is_empty(), "docs/GLOSSARY.md has no table of terms");
        Self { avoided }
    }

    /// Every name that contains an avoided word.
    pub fn findings(&self, tree: &Tree) -> Vec<String> {
        let mut findings = Vec::new();
        for (path, text) in tree.sources() {
            for token in source::tokens(text) {
                let names = match &token.kind {
                    Kind::Word(name) => vec![name.as_str()],
                    Kind::Text(text) if reach::is_sql(text) => names_in_sql(text),
                    _ => continue,
                };
                findings.extend(self.tell(path, token.line, &names));
            }
        }
        for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".sql")) {
            for (line, text) in (1..).zip(text.lines()) {
                let code = text.split("--").next().unwrap_or_default();
                findings.extend(self.tell(path, line, &names_in_sql(code)));
            }
        }
        findings
    }

    fn tell(&self, path: &str, line: usize, names: &[&str]) -> Vec<String> {
        let mut findings = Vec::new();
        for name in names {
            let parts = parts(name);
            for avoided in self.avoided.iter().filter(|avoided| avoided.is_in(&parts)) {
                let instead = &avoided.instead;
                findings.push(format!("{path}:{line}: {name}: say {instead} (docs/GLOSSARY.md)"));
            }
        }
        findings
    }
}

impl Avoided {
    /// Whether the phrase stands in the name, its last word possibly in the plural.
    fn is_in(&self, parts: &[String]) -> bool {
        let last = self.phrase.len() - 1;
        parts.windows(self.phrase.len()).any(|window| {
            window[..last] == self.phrase[..last]
                && (window[last] == self.phrase[last]
                    || window[last].strip_suffix('s') == Some(&self.phrase[last]))
        })
    }
}

fn names_in_sql(text: &str) -> Vec<&str> {
    text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|name| !name.is_empty()).collect()
}

/// The words of a name, in lower case: `OrderLine`, `order_line` and `ORDER_LINE` have two.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && before.is_lowercase() {
            parts.push(String::new());
        }
        if let (true, Some(part)) = (c != '_', parts.last_mut()) {
            part.extend(c.to_lowercase());
        }
        before = c;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn avoided_words_in_names_are_found() {
    let glossary = Glossary::parse(
        "| term | meaning | avoid |\n|---|---|---|\n\
         | line | of an order | line thing, row |\n| stock | goods | wares |\n| x | y | |\n",
    );
    let tree = Tree::of(&[
        ("crates/a/src/a.rs", "//! wares\nstruct LineThings; fn line() { arrow(\"wares\") }"),
        ("crates/a/src/b.rs", "fn f() { q(\"select pieces from wares_levels\") }"),
        ("crates/a/migrations/1.sql", "create table t ( -- wares\n  line_thing text\n);"),
    ]);
    let expected = [
        "crates/a/src/a.rs:2: LineThings: say line (docs/GLOSSARY.md)",
        "crates/a/src/b.rs:1: wares_levels: say stock (docs/GLOSSARY.md)",
        "crates/a/migrations/1.sql:2: line_thing: say line (docs/GLOSSARY.md)",
    ];
    assert_eq!(glossary.findings(&tree), expected);
}
