//! The master key, which protects personal data: made once, kept in a file only its owner can read or in the environment, never in the database.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use engine::Source;

use crate::config::Config;
use crate::fault::Fault;
use crate::world::RealWorld;

/// The name in the environment.
const NAME: &str = "TANDEM_MASTER_KEY";

/// The master key from the environment, else from its file; `None` when there is neither.
///
/// # Errors
/// When the key is not 64 hexadecimal digits, or its file cannot be read.
pub fn find(config: &Config) -> Result<Option<[u8; 32]>, Fault> {
    if let Ok(text) = std::env::var(NAME) {
        return read(&text)
            .map(Some)
            .ok_or_else(|| Fault::Usage(format!("{NAME} must be 64 hexadecimal digits")));
    }
    let path = config.master_key_file();
    match fs::read_to_string(&path) {
        Ok(text) => {
            warn_when_open_to_others(&path);
            let wrong = || Fault::Environment(format!("{} must hold 64 hexadecimal digits", path.display()));
            read(&text).map(Some).ok_or_else(wrong)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::environment(format!("reading the master key in {}", path.display()), error)),
    }
}

/// Makes a new master key and writes it to its file, which must not be there yet.
///
/// # Errors
/// When the file is there already or cannot be written.
pub fn make(config: &Config) -> Result<[u8; 32], Fault> {
    let path = config.master_key_file();
    let doing = || format!("writing the master key to {}", path.display());
    let key = RealWorld.seed();
    let mut file = create_private(&path).map_err(|error| Fault::environment(doing(), error))?;
    let text = key.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| Fault::environment(doing(), error))?;
    Ok(key)
}

fn read(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn warn_when_open_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
        tracing::warn!(file = %path.display(), "others on this machine may read the master key; allow only its owner: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_when_open_to_others(_path: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(read(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(read(&format!("{}\n", "0F".repeat(32))), Some([15; 32]));
        assert_eq!(read("0f"), None);
        assert_eq!(read(&"ü".repeat(32)), None);
    }
}
