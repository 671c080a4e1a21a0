//! Crates depend downwards only: app → http, connect → engine → store → domain, analysis; the price engine in JSON, beside the store.

use crate::tree::Tree;

/// Each crate, by its directory and package name, and the directories it may depend on.
const ARROWS: [(&str, &str, &[&str]); 10] = [
    ("domain", "domain", &[]),
    ("analysis", "analysis", &[]),
    ("pricing", "pricing", &["domain"]),
    ("pricing-wasm", "pricing-wasm", &["pricing", "domain"]),
    ("store", "store", &["domain", "analysis"]),
    ("engine", "engine", &["store", "pricing", "domain", "analysis"]),
    ("connect", "connect", &["engine", "store", "domain", "analysis"]),
    ("http", "tandem-http", &["engine", "store", "pricing", "domain", "analysis"]),
    ("app", "tandem", &["http", "connect", "engine", "store", "domain", "analysis"]),
    ("sim", "sim", &["http", "connect", "engine", "store", "domain", "analysis"]),
];

/// Every dependency sideways or up. In tests a crate may also use the test bench and itself.
pub fn findings(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        let Some(directory) = crate_of(path) else {
            continue;
        };
        let Some((_, _, below)) = ARROWS.iter().find(|(known, ..)| *known == directory) else {
            findings.push(format!("{path}: add the crate to ARROWS in crates/sim/tests/tidy/arrows.rs"));
            continue;
        };
        for (used, in_tests) in dependencies(text) {
            let allowed = below.contains(&used) || in_tests && used == "sim";
            if !allowed {
                findings.push(format!(
                    "{path}: {directory} may not depend on {used}, only on {below:?}; \
                     the test bench sim belongs under dev-dependencies"
                ));
            }
        }
    }
    findings
}

fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
}

/// Our own crates a manifest names, by directory, and whether only its tests use them.
fn dependencies(manifest: &str) -> Vec<(&'static str, bool)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            // `[dependencies.store]`
            let table = section.split_once("dependencies.").map(|(_, name)| name);
            found.extend(table.and_then(|name| named(name, section)));
        } else if section.ends_with("dependencies") {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.extend(named(name, section));
        }
    }
    found
}

fn named(name: &str, section: &str) -> Option<(&'static str, bool)> {
    // `http` alone is the public crate of HTTP's types.
    let (directory, ..) = ARROWS.iter().find(|(_, package, _)| *package == name)?;
    Some((directory, section.starts_with("dev-")))
}

#[test]
fn arrows_that_point_up_or_sideways_are_found() {
    let tree = Tree::of(&[
        ("crates/domain/Cargo.toml", "[dependencies]\njiff = \"1\"\n[dependencies.store]\n"),
        ("crates/connect/Cargo.toml", "[dependencies]\ntandem-http.workspace = true\n"),
        ("crates/store/Cargo.toml", "[dependencies]\nsim = { path = \"\" }\n"),
        ("crates/engine/Cargo.toml", "[dependencies]\nhttp = \"1\"\n[dev-dependencies]\nsim = 1"),
        ("crates/extra/Cargo.toml", "[dependencies]\n"),
    ]);
    let found = findings(&tree);
    let expected = [
        "crates/connect/Cargo.toml: connect may not depend on http",
        "crates/domain/Cargo.toml: domain may not depend on store",
        "crates/extra/Cargo.toml: add the crate",
        "crates/store/Cargo.toml: store may not depend on sim",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}
