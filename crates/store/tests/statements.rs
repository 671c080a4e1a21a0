//! Every SQL text of the store is read by both engines, so that none fails for the first time in front of a customer.

use std::fs;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::Chars;

use sim::shop::on_every_engine;
use store::StoreError;
use store::check::LOOKUPS;

/// Where statements differ by engine, or are put together from the names of tables; `sim/tests/backup.rs` runs all of those.
const APART: [&str; 3] = ["dialect.rs", "backup", "backup.rs"];
/// What a statement begins with.
const BEGINNINGS: [&str; 5] = ["select ", "insert into ", "update ", "delete from ", "with "];

#[test]
fn every_statement_is_understood_by_both_engines() {
    let mut statements: Vec<(String, &'static str)> =
        LOOKUPS.iter().map(|(kind, sql)| ((*kind).into(), *sql)).collect();
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = fs::read_to_string(&path).expect("a source can be read");
        for (line, literal) in literals(&text) {
            if BEGINNINGS.iter().any(|beginning| literal.starts_with(beginning)) {
                statements.push((format!("{}:{line}", path.display()), literal.leak()));
            }
        }
    }
    assert!(statements.len() > 100, "only {} statements were found", statements.len());
    on_every_engine(|shop| {
        let mut refused = Vec::new();
        for (place, sql) in statements.clone() {
            let read = shop.shop.db.read(move |tx| -> Result<(), StoreError> { tx.prepare(sql) });
            refused.extend(read.err().map(|error| format!("{place}: {error}\n{sql}")));
        }
        let engine = shop.shop.db.engine();
        assert!(refused.is_empty(), "{engine:?} does not understand:\n{}", refused.join("\n\n"));
    });
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the sources are there") {
        let path = entry.expect("a source").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if APART.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// The string literals of a source with the lines they begin on, up to its tests.
fn literals(source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = source.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' => line += 1,
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|next| *next != '\n').is_some() {},
            '\'' if rest.peek() == Some(&'"') => drop(rest.next()),
            '"' => {
                let begins = line;
                let (text, lines) = literal(&mut rest);
                line += lines;
                found.push((begins, text));
            }
            _ => {}
        }
    }
    found
}

/// The literal whose opening quote was just read, and over how many line ends it goes.
fn literal(rest: &mut Peekable<Chars<'_>>) -> (String, usize) {
    let (mut text, mut lines) = (String::new(), 0);
    while let Some(inside) = rest.next().filter(|inside| *inside != '"') {
        lines += usize::from(inside == '\n');
        if inside != '\\' {
            text.push(inside);
        } else if rest.next_if_eq(&'\n').is_some() {
            lines += 1;
            while let Some(space) = rest.next_if(|next| next.is_whitespace()) {
                lines += usize::from(space == '\n');
            }
        } else {
            text.extend(rest.next());
        }
    }
    (text, lines)
}

#[test]
fn literals_are_found_however_they_are_written() {
    let source =
        "// \"no\"\nlet a = '\"'; b(\"one\n two\"); c(\"a \\\"b\\\" \\\n   c\");\n#[cfg(test)] \"no\"";
    assert_eq!(literals(source), [(2, "one\n two".to_owned()), (3, "a \"b\" c".to_owned())]);
}
