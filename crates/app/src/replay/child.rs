//! A shop of a replay's or a measurement's own: fresh books, a key to them, and the program itself as a process that serves them, so that
//! what serving costs can be told from what asking costs.

use std::fs;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use domain::actor::key::KeyKind;
use domain::actor::{Actor, Permission, Permissions};
use engine::actor::key::{self, NewKey};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::config::Config;
use crate::fault::Fault;
use crate::shop::{self, Opened};

/// Lies in a directory that a replay or a measurement made, so that only such a one is ever cleared for the next.
const MARK: &str = "made-by-tandem-replay";
/// Ticks of a process's clock in a second, on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// A directory for fresh books. One that an earlier replay made is cleared.
///
/// # Errors
/// When something else lies there, or it cannot be made.
pub fn fresh_directory(path: &Path) -> Result<(), Fault> {
    let failed = |error| Fault::environment(format!("making the directory {}", path.display()), error);
    if path.join(MARK).is_file() {
        fs::remove_dir_all(path).map_err(failed)?;
    } else if fs::read_dir(path).is_ok_and(|mut found| found.next().is_some()) {
        let why = format!(
            "{} is not empty and neither replay nor bench made it; name another --data",
            path.display()
        );
        return Err(Fault::Usage(why));
    }
    fs::create_dir_all(path).map_err(failed)?;
    fs::write(path.join(MARK), "this directory is cleared by the next replay or bench\n").map_err(failed)
}

/// Makes the books and a key that may do everything in them; answers the key's secret text.
///
/// # Errors
/// When the books are not new: a replay into a real shop would be a mess.
pub fn key_to_fresh_books(config: &Config) -> Result<String, Fault> {
    let opened = shop::open_or_make(config)?;
    if !opened.first {
        return Err(Fault::Usage(format!(
            "{} is not a fresh database; name an empty one, or give --url and --key of a running shop",
            crate::init::screen_name(&config.database())
        )));
    }
    key_to(&opened)
}

/// The same to books that are there already.
///
/// # Errors
/// When they cannot be opened.
pub fn key_to_books(config: &Config) -> Result<String, Fault> {
    key_to(&shop::open_or_make(config)?)
}

fn key_to(opened: &Opened) -> Result<String, Fault> {
    let shop = opened.shop.clone();
    let made = opened.shop.db.write(move |tx| {
        let new = NewKey {
            name: "replay".into(),
            kind: KeyKind::Secret,
            permissions: Permissions::of(Permission::ALL),
            channel: None,
            location: None,
        };
        key::create(tx, &Actor::system(), &mut shop.world(), new)
    })?;
    Ok(made.1)
}

/// The program serving, as a process of its own. It stops when its input ends: when asked, and when the replay itself is killed.
pub struct Serving {
    process: Child,
    /// Kept apart: waiting for a process closes the input it still holds.
    input: Option<ChildStdin>,
    /// Where it serves.
    pub address: String,
    /// The link by which the first owner sets a password, while there is none.
    pub setup_link: Option<String>,
}

impl Serving {
    /// Starts it with these settings and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(config: &Config, listen: &str, public_figures: bool) -> Result<Serving, Fault> {
        let failed = |error: std::io::Error| Fault::environment("starting the shop", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut process = Command::new(program)
            .args(["serve", "--json", "--until-input-ends", "--log-filter", "warn", "--listen", listen])
            .arg("--data")
            .arg(config.data())
            .args(["--database", &config.database()])
            .arg("--master-key-file")
            .arg(config.master_key_file())
            .env("TANDEM_PUBLIC_FIGURES", public_figures.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let said = process.stdout.take().ok_or_else(|| Fault::Failed("the shop has no voice".into()))?;
        let line = BufReader::new(said).lines().next_line().await.map_err(failed)?.unwrap_or_default();
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        let Some(address) = told["address"].as_str().map(str::to_owned) else {
            return Err(Fault::Environment("the shop did not start; it said why above".into()));
        };
        let input = process.stdin.take();
        Ok(Serving { process, input, address, setup_link: told["setup_link"].as_str().map(str::to_owned) })
    }

    /// The processor time it has used so far, in milliseconds; none where the system does not tell.
    pub fn cpu_ms(&self) -> Option<u64> {
        cpu_ms_of(self.process.id()?)
    }

    /// The memory it has; none where the system does not tell.
    pub fn memory(&self) -> Option<Memory> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Memory { resident: field("VmRSS:")?, own: field("RssAnon:")?, most: field("VmHWM:")? })
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it ends with a failure.
    pub async fn stop(mut self) -> Result<(), Fault> {
        drop(self.input.take());
        let ended =
            self.process.wait().await.map_err(|error| Fault::environment("stopping the shop", error))?;
        judge(ended)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// As [`Serving::stop`].
    pub async fn wait(&mut self) -> Result<(), Fault> {
        judge(self.process.wait().await.map_err(|error| Fault::environment("serving", error))?)
    }
}

/// The memory of a process, in kilobytes.
#[derive(Clone, Copy)]
pub struct Memory {
    /// What lies in memory of it now, the pages of the program and of the database file included.
    pub resident: u64,
    /// What of that is its own and nobody else's.
    pub own: u64,
    /// The most that ever lay in memory.
    pub most: u64,
}

/// The processor time a process has used so far, in milliseconds; none where the system does not tell.
pub fn cpu_ms_of(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold blanks; user and system time are the 12th and 13th after it.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * 1000 / TICKS_PER_SECOND)
}

fn judge(ended: ExitStatus) -> Result<(), Fault> {
    if ended.success() { Ok(()) } else { Err(Fault::Failed(format!("the shop ended with {ended}"))) }
}
