//! On what it was measured: the machine, the engine, the program and the command. Figures without these say nothing.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use store::dialect::Engine;

use crate::config::Config;
use crate::init::screen_name;

/// On what it was measured.
pub struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    load: String,
    engine: &'static str,
    build: &'static str,
    commit: String,
    command: String,
}

impl Machine {
    /// Looks at it, before anything is measured.
    pub fn look(config: &Config, commit: Option<&str>) -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map(|(_, name)| name.trim().to_owned());
        let load: Vec<String> = read("/proc/loadavg").split_whitespace().take(3).map(str::to_owned).collect();
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor.unwrap_or_else(unknown),
            kernel: some(read("/proc/sys/kernel/osrelease").trim()),
            load: some(&load.join(" ")),
            engine: match config.store().engine() {
                Engine::Sqlite => "SQLite",
                Engine::Postgres => "PostgreSQL",
            },
            build: if cfg!(debug_assertions) { "debug: NOT to be compared" } else { "release" },
            commit: commit.map(str::to_owned).or_else(commit_here).unwrap_or_else(unknown),
            command: command(),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        format!(
            "machine  {} cores, {}, kernel {}, load before {}\nengine   {}, every commit durable; the clients run on the same cores\nprogram  commit {}, built for {}\ncommand  {}",
            self.cores,
            self.processor,
            self.kernel,
            self.load,
            self.engine,
            self.commit,
            self.build,
            self.command
        )
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "processor": self.processor,
            "kernel": self.kernel,
            "load_before": self.load,
            "engine": self.engine,
            "commit": self.commit,
            "build": self.build,
            "command": self.command,
        })
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn some(text: &str) -> String {
    if text.is_empty() { unknown() } else { text.to_owned() }
}

/// The commit of the checkout we stand in, if there is one.
fn commit_here() -> Option<String> {
    let said = Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output().ok()?;
    let commit = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    (said.status.success() && !commit.is_empty()).then_some(commit)
}

/// What was typed, without the password an address may hold.
fn command() -> String {
    let typed = std::env::args().skip(1).map(|word| screen_name(&word));
    std::iter::once("tandem".to_owned()).chain(typed).collect::<Vec<_>>().join(" ")
}
