//! The files of the house: everything git tracks, and everything new that it would.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Texts by their path from the root, with `/` between the parts.
pub struct Tree {
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads all texts; files that are not text are left out.
    pub fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let listed = Command::new("git")
            // The checkout may belong to another user than the one who tests it.
            .args(["-c", "safe.directory=*", "ls-files", "-z"])
            .args(["--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output()
            .expect("git lists the files of a checkout, install git");
        let said = String::from_utf8_lossy(&listed.stderr);
        assert!(listed.status.success(), "git lists no files: {said}");
        let paths = String::from_utf8(listed.stdout).expect("paths are text");
        let texts = paths
            .split_terminator('\0')
            // A file may be deleted and not yet committed, or no text.
            .filter_map(|path| Some((path.into(), std::fs::read_to_string(root.join(path)).ok()?)))
            .collect();
        Self { texts }
    }

    /// A house made up for a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let texts = files.iter().map(|(path, text)| ((*path).into(), (*text).into()));
        Self { texts: texts.collect() }
    }

    /// One file's text.
    pub fn text(&self, path: &str) -> &str {
        match self.texts.get(path) {
            Some(text) => text,
            None => panic!("{path} is missing"),
        }
    }

    /// Whether there is such a file.
    pub fn has(&self, path: &str) -> bool {
        self.texts.contains_key(path)
    }

    /// Whether there is such a directory.
    pub fn has_directory(&self, path: &str) -> bool {
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.texts.keys().any(|path| path.starts_with(&inside))
    }

    /// All files, path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Our Rust sources, path and text.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.starts_with("crates/") && path.ends_with(".rs"))
    }
}
