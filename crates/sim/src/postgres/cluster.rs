//! The database server itself: laid out, started, killed. PostgreSQL refuses to run as root, so
//! it is run by another user of the machine then.
#![expect(clippy::disallowed_methods, reason = "waits in real time for a real process")]

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Durability, open_lock};
use crate::Failure;
use crate::certificate::{self, CERTIFICATE, KEY};
use crate::scratch;
use crate::server::signal;

/// The database user of all tests, who may do everything.
pub(super) const USER: &str = "tandem";
/// How often another port is tried when somebody else took the one found free.
const PORTS_TRIED_MAX: u32 = 3;
/// Longest wait until a killed server is gone.
const GONE_WAIT: Duration = Duration::from_secs(10);
/// Pause between two looks at a process.
const LOOK: Duration = Duration::from_millis(5);

/// A server that was laid out in `home`, running or not.
#[derive(Debug)]
pub(super) struct Cluster {
    home: PathBuf,
    port: u16,
}

impl Cluster {
    /// Lays out a server in `home` and starts it on a free port.
    pub(super) fn start(home: PathBuf, durability: Durability) -> Result<Self, Failure> {
        let data = home.join("data");
        let mut initdb = tool("initdb");
        initdb
            .args(["--username", USER, "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data);
        finish(initdb, &home)?;
        let settings = data.join("postgresql.conf");
        write_settings(&settings, &home, durability)
            .map_err(|e| Failure::new(format!("writing {}", settings.display()), e))?;
        let mut tried = 0;
        loop {
            tried += 1;
            let cluster = Self::at(home.clone(), scratch::free_port()?);
            match cluster.run() {
                Ok(()) => return Ok(cluster),
                Err(failure) if tried == PORTS_TRIED_MAX => return Err(failure),
                Err(_) => {}
            }
        }
    }

    /// The server in `home` that listens on `port`, whether it runs or not.
    pub(super) const fn at(home: PathBuf, port: u16) -> Self {
        Self { home, port }
    }

    /// Where everything of it is.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The port of 127.0.0.1 it listens on.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Starts what is laid out and waits until it takes connections.
    pub(super) fn run(&self) -> Result<(), Failure> {
        if self.process().is_none() {
            self.forget_killed();
        }
        let log = self.home.join("log");
        let mut start = tool("pg_ctl");
        start
            .args(["start", "--silent", "--wait", "--timeout=60", "--pgdata"])
            .arg(self.home.join("data"))
            .arg("--log")
            .arg(&log)
            .args(["--options", &format!("-p {}", self.port)]);
        finish(start, &self.home).map_err(|failure| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            Failure::new(failure.doing, format!("{}\n{log}", failure.why))
        })
    }

    /// Kills it and its children at once and waits until they are gone.
    pub(super) fn kill(&self) -> Result<(), Failure> {
        let doing = "killing postgresql";
        let process = self.process().ok_or_else(|| Failure::new(doing, "it does not run"))?;
        let mut processes = vec![process];
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))
            .map_err(|e| Failure::new(doing, e))?;
        processes.extend(children.split_whitespace().filter_map(|c| c.parse::<u32>().ok()));
        // The server first: it would start its children again. A child may be gone by then, which
        // `kill` calls an error, so what counts is looked at below.
        let _ = signal("KILL", &processes);
        let killed = Instant::now();
        while processes.iter().any(|process| runs(*process, "")) {
            if killed.elapsed() > GONE_WAIT {
                let why = format!("of {processes:?} some are left after {GONE_WAIT:?}");
                return Err(Failure::new(doing, why));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Removes the marks of a server that was killed. Where nobody collects dead processes, as in
    /// many containers, PostgreSQL would take the dead one for running and not start.
    fn forget_killed(&self) {
        let socket = self.home.join(format!(".s.PGSQL.{}.lock", self.port));
        for mark in [self.home.join("data/postmaster.pid"), socket] {
            // Not there is as good as removed.
            let _ = fs::remove_file(mark);
        }
    }

    /// Its process number, if it runs.
    pub(super) fn process(&self) -> Option<u32> {
        let lines = fs::read_to_string(self.home.join("data/postmaster.pid")).ok()?;
        let process = lines.lines().next()?.parse().ok()?;
        runs(process, &self.home.display().to_string()).then_some(process)
    }
}

/// An empty directory for a server, which only the user who will run it may enter. It lies in the
/// machine's temporary directory, because that user may not enter ours.
pub(super) fn make_home() -> Result<PathBuf, Failure> {
    let home = loop {
        let home = std::env::temp_dir().join(scratch::name("tandem-postgres"));
        match DirBuilder::new().mode(0o700).create(&home) {
            Ok(()) => break home,
            // A server that outlived its starter has the name, whose process number is used again.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => {
                let doing = format!("making directory {}", home.display());
                return Err(Failure::new(doing, e));
            }
        }
    };
    if let Some(user) = other_user()? {
        chown(&home, Some(user.user), Some(user.group))
            .map_err(|e| Failure::new(format!("giving away {}", home.display()), e))?;
    }
    Ok(home)
}

/// Makes an authority in `home`, and by it a certificate for `localhost`. A server that finds them encrypts.
pub(super) fn make_certificates(home: &Path) -> Result<(), Failure> {
    certificate::make(home, |openssl| finish(openssl, home))
}

/// Has a process of its own end the server in `home` once `office/wanted` was free for `seconds`.
/// Does nothing if one watches already.
pub(super) fn watch(office: &Path, home: &Path, seconds: u32) -> Result<(), Failure> {
    let doing = "watching postgresql";
    let watched = open_lock(&home.join("watched"))?;
    match watched.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(e)) => return Err(Failure::new(doing, e)),
        Ok(()) => drop(watched),
    }
    // A session of its own, and no pipe of ours: neither the end of the test run nor a key
    // pressed in its terminal may end the watcher, and nobody waits for it.
    Command::new("setsid")
        .args(["--fork", "bash"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres/watch.sh"))
        .args([office, home])
        .arg(seconds.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(drop)
        .map_err(|e| Failure::new(doing, e))
}

/// Settings on top of PostgreSQL's own. The port is given at each start.
fn write_settings(path: &Path, home: &Path, durability: Durability) -> std::io::Result<()> {
    let on = match durability {
        Durability::Full => "on",
        Durability::Fast => "off",
    };
    let mut settings = File::options().append(true).open(path)?;
    write!(
        settings,
        "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n\
         max_connections = 250\nshared_buffers = '64MB'\n\
         fsync = {on}\nfull_page_writes = {on}\n",
        home.display()
    )?;
    if home.join(certificate::ROOT).exists() {
        let home = home.display();
        write!(
            settings,
            "ssl = on\nssl_cert_file = '{home}/{CERTIFICATE}'\nssl_key_file = '{home}/{KEY}'\n"
        )?;
    }
    Ok(())
}

/// Whether process `number` runs with `text` in its command line; a dead one has none.
fn runs(number: u32, text: &str) -> bool {
    let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
    !line.is_empty() && String::from_utf8_lossy(&line).contains(text)
}

/// One of PostgreSQL's programs: Debian's newest, or whatever the path offers.
fn tool(name: &str) -> Command {
    let newest = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let directory = entry.ok()?.path();
            let version: u32 = directory.file_name()?.to_str()?.parse().ok()?;
            Some((version, directory.join("bin").join(name)))
        })
        .filter(|(_, program)| program.is_file())
        .max();
    Command::new(newest.map_or_else(|| PathBuf::from(name), |(_, program)| program))
}

/// Runs a program to its end, as the user who may, in a directory that user may
/// enter. What it said goes into the failure.
fn finish(mut program: Command, home: &Path) -> Result<(), Failure> {
    let doing = format!("running {}", program.get_program().display());
    if let Some(user) = other_user()? {
        program.uid(user.user).gid(user.group);
    }
    let output = program
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::new(&doing, format!("{e}; is it installed?")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Failure::new(doing, String::from_utf8_lossy(&said)))
}

/// Who runs PostgreSQL when we are root.
struct OtherUser {
    user: u32,
    group: u32,
}

/// Nobody else if we are not root; else `postgres`, whom Debian's package makes, or `nobody`.
fn other_user() -> Result<Option<OtherUser>, Failure> {
    let doing = "choosing the user who runs postgresql";
    let ourselves = fs::metadata("/proc/self").map_err(|e| Failure::new(doing, e))?;
    if ourselves.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|e| Failure::new(doing, e))?;
    let entry = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some(OtherUser { user: numbers.next()?.ok()?, group: numbers.next()?.ok()? })
    };
    match entry("postgres").or_else(|| entry("nobody")) {
        Some(user) => Ok(Some(user)),
        None => Err(Failure::new(doing, "there is no user postgres, make one")),
    }
}
