//! PostgreSQL for tests: one database server that all tests of a machine share, a fresh database
//! in it for each test, and a server of one's own for tests that pull its plug.
//!
//! The shared server starts with the first test that asks and ends about 20 seconds after the
//! last test that used it, however that test ended.

mod cluster;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::postgres::{Client, NoTls};

use crate::Failure;
use crate::scratch;
use cluster::Cluster;

/// How long the shared server waits for the next test before it ends, in seconds.
const SHARED_IDLE_SECONDS: u32 = 20;
/// How long a private server outlives its test, in seconds.
const PRIVATE_IDLE_SECONDS: u32 = 2;
/// Longest wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does, as in a real shop. For measuring, and for tests about losing power.
    Full,
    /// It does not. Killing the server loses nothing even so; only a power cut would.
    Fast,
}

/// A database of one test, empty at first, dropped with it.
#[derive(Debug)]
pub struct Database {
    name: String,
    port: u16,
}

/// A fresh database on the shared server, which is started if it does not run.
///
/// # Errors
/// If PostgreSQL is not installed or does not start.
pub fn database() -> Result<Database, Failure> {
    Database::create(shared_port()?)
}

impl Database {
    /// How a program reaches it: `postgres://tandem@127.0.0.1:40123/shop-4711-0`.
    pub fn url(&self) -> String {
        url(self.port, &self.name)
    }

    /// A connection to it.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn connect(&self) -> Result<Client, Failure> {
        connect(self.port, &self.name)
    }

    fn create(port: u16) -> Result<Self, Failure> {
        let name = scratch::name("shop");
        // A test that was killed may have left one under a process number that is used again.
        let remove = format!(r#"drop database if exists "{name}" with (force)"#);
        let create = format!(r#"create database "{name}" template template0"#);
        let mut client = connect(port, "postgres")?;
        for statement in [remove, create] {
            client.execute(&statement, &[]).map_err(|e| Failure::new(&statement, e))?;
        }
        Ok(Self { name, port })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be killed already, and a drop has nobody to tell.
        if let Ok(mut client) = connect(self.port, "postgres") {
            let statement = format!(r#"drop database if exists "{}" with (force)"#, self.name);
            let _ = client.execute(&statement, &[]);
        }
    }
}

/// A server of one's own, which may be killed and started again. It ends a few seconds after it is
/// dropped, or after its test was killed.
#[derive(Debug)]
pub struct Private {
    cluster: Cluster,
    /// Held for as long as the server is wanted; the watcher ends the server when it is free.
    _wanted: File,
}

impl Private {
    /// Starts a server.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not start.
    pub fn start(durability: Durability) -> Result<Self, Failure> {
        Self::start_in(cluster::make_home()?, durability)
    }

    /// Starts a server that encrypts, with a certificate for `localhost` of an authority made for it alone.
    ///
    /// # Errors
    /// If PostgreSQL or openssl is not installed or does not start.
    pub fn start_encrypted(durability: Durability) -> Result<Self, Failure> {
        let home = cluster::make_home()?;
        cluster::make_certificates(&home)?;
        Self::start_in(home, durability)
    }

    fn start_in(home: PathBuf, durability: Durability) -> Result<Self, Failure> {
        let wanted = open_lock(&home.join("wanted"))?;
        lock_shared(&wanted)?;
        cluster::watch(&home, &home, PRIVATE_IDLE_SECONDS)?;
        let cluster = Cluster::start(home, durability)?;
        Ok(Self { cluster, _wanted: wanted })
    }

    /// Where everything of it lies: its data, its log.
    pub fn directory(&self) -> &Path {
        self.cluster.home()
    }

    /// The root certificate of its authority, if it encrypts.
    pub fn root_certificate(&self) -> PathBuf {
        self.directory().join(crate::certificate::ROOT)
    }

    /// A fresh database on it.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn database(&self) -> Result<Database, Failure> {
        Database::create(self.cluster.port())
    }

    /// Kills the server and everything it runs, at this instant (`kill -9`).
    ///
    /// # Errors
    /// If it does not run.
    pub fn kill(&self) -> Result<(), Failure> {
        self.cluster.kill()
    }

    /// Starts it again after `kill`, on the same port and data, and waits until it has recovered.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&self) -> Result<(), Failure> {
        self.cluster.run()
    }
}

/// The port of the shared server, which is started if need be and is kept until this process ends.
fn shared_port() -> Result<u16, Failure> {
    static SHARED: Mutex<Option<(u16, File)>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((port, _)) = &*shared {
        return Ok(*port);
    }
    let (port, wanted) = join_shared()?;
    *shared = Some((port, wanted));
    Ok(port)
}

/// Finds the shared server of this build directory or starts it.
///
/// Two locks keep the many test processes apart. `wanted` is held shared by each process until it
/// ends; the watcher that stops the server takes it whole, so nobody can join a server that is
/// being stopped. `starting` is held while looking and starting, so only one is started.
fn join_shared() -> Result<(u16, File), Failure> {
    let office = scratch::build_directory().join("postgres-for-tests");
    fs::create_dir_all(&office)
        .map_err(|e| Failure::new(format!("making directory {}", office.display()), e))?;
    let wanted = open_lock(&office.join("wanted"))?;
    lock_shared(&wanted)?;
    let starting = open_lock(&office.join("starting"))?;
    starting.lock().map_err(|e| Failure::new("waiting for another test to start postgresql", e))?;

    let address = office.join("address");
    if let Some(cluster) = running(&address) {
        cluster::watch(&office, cluster.home(), SHARED_IDLE_SECONDS)?;
        return Ok((cluster.port(), wanted));
    }
    let home = cluster::make_home()?;
    cluster::watch(&office, &home, SHARED_IDLE_SECONDS)?;
    let cluster = Cluster::start(home, Durability::Fast)?;
    let line = format!("{} {}", cluster.port(), cluster.home().display());
    fs::write(&address, line).map_err(|e| Failure::new(format!("writing {}", address.display()), e))?;
    Ok((cluster.port(), wanted))
}

/// The server written down in `address`, if it still runs and answers.
fn running(address: &Path) -> Option<Cluster> {
    let line = fs::read_to_string(address).ok()?;
    let (port, home) = line.split_once(' ')?;
    let cluster = Cluster::at(PathBuf::from(home), port.parse().ok()?);
    let answers = cluster.process().is_some() && connect(cluster.port(), "postgres").is_ok();
    answers.then_some(cluster)
}

fn url(port: u16, name: &str) -> String {
    format!("postgres://{}@127.0.0.1:{port}/{name}", cluster::USER)
}

fn connect(port: u16, name: &str) -> Result<Client, Failure> {
    ::postgres::Config::new()
        .host("127.0.0.1")
        .port(port)
        .user(cluster::USER)
        .dbname(name)
        .connect_timeout(CONNECT_WAIT)
        .connect(NoTls)
        .map_err(|e| Failure::new(format!("connecting to {}", url(port, name)), e))
}

fn open_lock(path: &Path) -> Result<File, Failure> {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|e| Failure::new(format!("opening {}", path.display()), e))
}

fn lock_shared(lock: &File) -> Result<(), Failure> {
    lock.lock_shared().map_err(|e| Failure::new("asking for postgresql to be kept running", e))
}
