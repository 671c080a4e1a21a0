//! Opens the shop for a test: starts the real program on a free port with an empty house, waits
//! until it serves, pulls its plug when asked, and opens it again on what the crash left behind.
#![expect(clippy::disallowed_methods, reason = "waits in real time for a real process")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;
use crate::scratch::{self, Scratch};

/// Longest wait until a started server says it is ready.
const READY_WAIT: Duration = Duration::from_secs(60);
/// Longest wait until a server that was asked to stop has stopped.
const STOP_WAIT: Duration = Duration::from_secs(30);
/// Pause between two looks at a process.
const LOOK: Duration = Duration::from_millis(10);
/// How much of a server's log goes into a failure, in characters.
const LOG_TAIL: usize = 4_000;
/// How often another port is tried when somebody else took the one found free.
const PORTS_TRIED_MAX: u32 = 3;

/// How to start a server. `{port}` and `{data}` in arguments and environment values are replaced.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    ready_path: String,
}

impl Launch {
    /// `tandem serve`, from the program built last.
    ///
    /// # Errors
    /// If the program is not built.
    pub fn tandem() -> Result<Self, Failure> {
        let program = tandem_program()?;
        let launch = Self::program(program, "/health/ready")
            .argument("serve")
            .argument("--listen")
            .argument("127.0.0.1:{port}")
            .argument("--data")
            .argument("{data}");
        Ok(launch)
    }

    /// Any other server, ready once `ready_path` answers with success.
    pub fn program(program: impl Into<PathBuf>, ready_path: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            ready_path: ready_path.into(),
        }
    }

    /// With one more argument at the end.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With one more environment variable.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }
}

/// A running server, killed when dropped, and its data, removed then.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    child: Child,
    port: u16,
    scratch: Scratch,
}

impl Server {
    /// Starts a server on a free port with an empty data directory and waits until it is ready.
    ///
    /// # Errors
    /// If it cannot be started, ends early or is not ready in time; the failure carries the end
    /// of its log.
    pub fn start(launch: Launch) -> Result<Self, Failure> {
        let mut tried = 0;
        loop {
            tried += 1;
            match Self::start_once(launch.clone()) {
                Err(failure) if tried < PORTS_TRIED_MAX && failure.why.contains("in use") => {}
                other => return other,
            }
        }
    }

    fn start_once(launch: Launch) -> Result<Self, Failure> {
        let scratch = Scratch::new("server")?;
        fs::create_dir(scratch.path().join("data"))
            .map_err(|e| Failure::new("making the server's data directory", e))?;
        let port = scratch::free_port()?;
        let child = spawn(&launch, scratch.path(), port)?;
        let mut server = Self { launch, child, port, scratch };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where it serves, for example `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.url())
    }

    /// Where its data is; it outlives `kill` and `terminate`.
    pub fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// Its process number, to measure it by.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has written so far, over all its starts.
    pub fn log(&self) -> String {
        let bytes = fs::read(log_path(self.scratch.path())).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Pulls the plug (`kill -9`). Its data stays as it is at this instant.
    ///
    /// # Errors
    /// If the process cannot be killed.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(drop)
            .map_err(|e| Failure::new("killing the server", e))
    }

    /// Asks it to stop (`kill -TERM`) and waits until it has.
    ///
    /// # Errors
    /// If it does not stop in time.
    pub fn terminate(&mut self) -> Result<ExitStatus, Failure> {
        signal("TERM", &[self.child.id()])?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_WAIT {
            let ended = self.child.try_wait();
            if let Some(status) = ended.map_err(|e| Failure::new("waiting for the server", e))? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        Err(Failure::new(
            "stopping the server",
            format!("still running after {STOP_WAIT:?}\n{}", self.log_tail()),
        ))
    }

    /// Starts it again on the same port and data after `kill` or `terminate`.
    ///
    /// # Errors
    /// As `start`.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.child = spawn(&self.launch, self.scratch.path(), self.port)?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let client = self.client();
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < READY_WAIT {
            let ended = self.child.try_wait();
            if let Some(status) = ended.map_err(|e| Failure::new("waiting for the server", e))? {
                let why = format!("ended early, {status}\n{}", self.log_tail());
                return Err(Failure::new(self.starting(), why));
            }
            match client.get(&self.launch.ready_path) {
                Ok(reply) if (200..300).contains(&reply.status) => return Ok(()),
                Ok(reply) => last = format!("{} answered {}", self.launch.ready_path, reply.status),
                Err(failure) => last = failure.to_string(),
            }
            thread::sleep(LOOK);
        }
        let why = format!("not ready after {READY_WAIT:?}, {last}\n{}", self.log_tail());
        Err(Failure::new(self.starting(), why))
    }

    fn starting(&self) -> String {
        format!("starting {}", self.launch.program.display())
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let skipped = log.chars().count().saturating_sub(LOG_TAIL);
        log.chars().skip(skipped).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, and a drop has nobody to tell.
        let _ = self.kill();
    }
}

/// Sends a signal by its name, for example `TERM`, to processes this process started.
///
/// # Errors
/// If a process is gone or belongs to somebody else.
pub(crate) fn signal(name: &str, processes: &[u32]) -> Result<(), Failure> {
    let doing = || format!("sending signal {name} to {processes:?}");
    let output = Command::new("kill")
        .arg(format!("-{name}"))
        .args(processes.iter().map(u32::to_string))
        .output()
        .map_err(|e| Failure::new(doing(), e))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::new(doing(), why))
}

fn spawn(launch: &Launch, scratch: &Path, port: u16) -> Result<Child, Failure> {
    let doing = || format!("starting {}", launch.program.display());
    let data = scratch.join("data").display().to_string();
    let fill = |text: &String| text.replace("{port}", &port.to_string()).replace("{data}", &data);
    let environment = launch.environment.iter().map(|(name, value)| (name, fill(value)));
    let log = File::options().create(true).append(true).open(log_path(scratch));
    let log = log.map_err(|e| Failure::new(doing(), e))?;
    let log_again = log.try_clone().map_err(|e| Failure::new(doing(), e))?;
    Command::new(&launch.program)
        .args(launch.arguments.iter().map(fill))
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_again)
        .spawn()
        .map_err(|e| Failure::new(doing(), e))
}

fn log_path(scratch: &Path) -> PathBuf {
    scratch.join("log")
}

/// The program built with the profile of the running test: beside the directory tests are in.
fn tandem_program() -> Result<PathBuf, Failure> {
    let doing = "finding the program to test";
    let test = std::env::current_exe().map_err(|e| Failure::new(doing, e))?;
    let program =
        test.ancestors().skip(1).map(|directory| directory.join("tandem")).find(|program| program.is_file());
    program.ok_or_else(|| Failure::new(doing, "not built yet, run: cargo build -p tandem"))
}
