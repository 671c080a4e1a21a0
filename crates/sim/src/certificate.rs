//! Certificates for tests: an authority that was made up a moment ago, and one for `localhost` that it signed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::scratch::Scratch;

/// The file of the authority's certificate.
pub(crate) const ROOT: &str = "root.crt";
/// The file of the certificate for `localhost`.
pub(crate) const CERTIFICATE: &str = "server.crt";
/// The file of its private key.
pub(crate) const KEY: &str = "server.key";

/// An authority, and a certificate of its for `localhost`.
#[derive(Debug)]
pub struct Authority {
    scratch: Scratch,
}

impl Authority {
    /// Makes one up.
    ///
    /// # Errors
    /// If openssl is not installed.
    pub fn new() -> Result<Authority, Failure> {
        let scratch = Scratch::new("authority")?;
        let home = scratch.path().to_owned();
        make(&home, |mut openssl| {
            let output = openssl.current_dir(&home).output();
            let output = output.map_err(|error| Failure::new("running openssl", error))?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(Failure::new("running openssl", said)) }
        })?;
        Ok(Authority { scratch })
    }

    /// The authority's certificate, a PEM file.
    pub fn root(&self) -> PathBuf {
        self.scratch.path().join(ROOT)
    }

    /// The certificate for `localhost`, a PEM file.
    pub fn certificate(&self) -> PathBuf {
        self.scratch.path().join(CERTIFICATE)
    }

    /// Its private key, a PEM file.
    pub fn key(&self) -> PathBuf {
        self.scratch.path().join(KEY)
    }
}

/// Makes an authority in `home`, and by it a certificate for `localhost`; `run` runs openssl there.
pub(crate) fn make(home: &Path, run: impl Fn(Command) -> Result<(), Failure>) -> Result<(), Failure> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let extensions = "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n";
    fs::write(home.join("extensions"), extensions)
        .map_err(|e| Failure::new(format!("writing into {}", home.display()), e))?;
    for command in [
        format!("req -x509 {key} -days 2 -subj /CN=authority -keyout root.key -out {ROOT}"),
        format!("req {key} -subj /CN=localhost -keyout {KEY} -out server.csr"),
        format!(
            "x509 -req -in server.csr -CA {ROOT} -CAkey root.key -CAcreateserial -days 2 \
             -extfile extensions -out {CERTIFICATE}"
        ),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(command.split_whitespace());
        run(openssl)?;
    }
    Ok(())
}
