//! Room for a test to make a mess in: directories that are gone when the test is over.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Failure;

/// A directory of its own, removed with everything in it when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An empty directory under the build directory, on the disk the sources are on. `purpose`
    /// becomes part of its name.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn new(purpose: &str) -> Result<Self, Failure> {
        Self::under(&build_directory().join("scratch"), purpose)
    }

    /// An empty directory in memory where the machine has one (`/dev/shm`), else as [`Scratch::new`]: for books nobody must find
    /// again after a power cut, written many times a second.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn in_memory(purpose: &str) -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::under(&memory.join("tandem-tests"), purpose) } else { Self::new(purpose) }
    }

    fn under(parent: &Path, purpose: &str) -> Result<Self, Failure> {
        let path = parent.join(name(purpose));
        let made = fs::create_dir_all(parent)
            .and_then(|()| remove_if_there(&path))
            .and_then(|()| fs::create_dir(&path));
        made.map_err(|e| Failure::new(format!("making directory {}", path.display()), e))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs cost disk space only, and a drop has nobody to tell.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A name no other test uses now: purpose, process, number.
pub fn name(purpose: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{purpose}-{}-{number}", process::id())
}

/// Where cargo builds to: `CARGO_TARGET_DIR`, or `target` beside the workspace's `Cargo.toml`.
pub fn build_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from)
}

/// A port of 127.0.0.1 that nobody listened on a moment ago. Another process may take it first:
/// whoever starts a server on it tries again with another.
///
/// # Errors
/// If the machine has no free port.
pub fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Failure::new("finding a free port", e))
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Scratch, free_port, name};

    #[test]
    fn a_scratch_directory_is_gone_afterwards() {
        let scratch = Scratch::new("scratch").unwrap();
        let path = scratch.path().to_owned();
        std::fs::write(path.join("mess"), "everywhere").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn names_differ_and_ports_can_be_listened_on() {
        assert_ne!(name("cart"), name("cart"));
        let port = free_port().unwrap();
        std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}
