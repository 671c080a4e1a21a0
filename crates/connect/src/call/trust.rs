//! Whom we believe to be who an https address names: who has a certificate below a root certificate we know.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The root certificates that are believed. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities of the public network, as Mozilla lists them. The list came with the program: no machine is asked for its own.
    pub fn built_in() -> Trust {
        Trust::of(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// The authorities of the public network, and those in a PEM file: a house's own.
    ///
    /// # Errors
    /// What of the file cannot be read.
    pub fn and_those_in(file: &Path) -> Result<Trust, String> {
        let failed = |why: &dyn std::fmt::Display| {
            format!("the root certificates in {} cannot be read: {why}", file.display())
        };
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let known = roots.len();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
            roots.add(certificate.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
        }
        if roots.len() == known {
            return Err(failed(&"there is none in it"));
        }
        Ok(Trust::of(roots))
    }

    fn of(roots: RootCertStore) -> Trust {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let Ok(builder) = builder.with_safe_default_protocol_versions() else {
            unreachable!("ring knows TLS 1.2 and 1.3")
        };
        Trust(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }

    /// How connections are encrypted.
    pub(super) fn encryption(&self) -> ClientConfig {
        ClientConfig::clone(&self.0)
    }
}
