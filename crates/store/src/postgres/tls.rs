//! An encrypted way to PostgreSQL, asked for in the database's address as PostgreSQL's own programs read it: `sslmode` and `sslrootcert`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::StoreError;

/// Reads an address: how to reach the server, and how the way to it is encrypted.
///
/// # Errors
/// [`StoreError::Unavailable`] says what cannot be read: the address, a mode nobody knows, the file with the root certificate.
pub(super) fn read_address(url: &str) -> Result<(Config, Encryption), StoreError> {
    let (front, options) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = ("prefer".to_owned(), None, Vec::new());
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let decoded = |value: &str| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into();
        match option.split_once('=') {
            Some(("sslmode", value)) => mode = value.to_owned(),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)),
            _ => others.push(option),
        }
    }
    let mut config: Config =
        format!("{front}?{}", others.join("&")).parse().map_err(|error| unreadable(&super::chain(&error)))?;
    let (mode, trust) = trusted(&mode, roots)?;
    config.ssl_mode(mode);
    Ok((config, Encryption::new(trust)?))
}

fn unreadable(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("the database address cannot be read: {why}"))
}

/// Whom we believe to be the server.
#[derive(Debug)]
enum Trust {
    /// Whoever answers: nobody listens in, but somebody may stand between.
    Anybody,
    /// Who has a certificate below a root certificate in this file.
    Signed(String),
    /// As `Signed`, and the certificate names the host of the address.
    Named(String),
}

fn trusted(mode: &str, roots: Option<String>) -> Result<(SslMode, Trust), StoreError> {
    match (mode, roots) {
        ("disable", None) => Ok((SslMode::Disable, Trust::Anybody)),
        ("prefer", None) => Ok((SslMode::Prefer, Trust::Anybody)),
        ("require", None) => Ok((SslMode::Require, Trust::Anybody)),
        ("require" | "verify-ca", Some(file)) => Ok((SslMode::Require, Trust::Signed(file))),
        ("verify-full", Some(file)) => Ok((SslMode::Require, Trust::Named(file))),
        ("verify-ca" | "verify-full", None) => {
            Err(unreadable(&format!("sslmode={mode} needs sslrootcert=FILE, the root certificates to trust")))
        }
        ("disable" | "prefer", Some(_)) => Err(unreadable(&format!(
            "sslmode={mode} looks at no certificate; with sslrootcert use sslmode=verify-full"
        ))),
        _ => Err(unreadable(&format!(
            "there is no sslmode={mode}; use disable, prefer, require, verify-ca or verify-full"
        ))),
    }
}

/// What encrypts a connection.
#[derive(Clone)]
pub(super) struct Encryption(TlsConnector);

impl Encryption {
    fn new(trust: Trust) -> Result<Encryption, StoreError> {
        let provider = Arc::new(ring::default_provider());
        let (roots, named) = match trust {
            Trust::Anybody => (None, false),
            Trust::Signed(file) => (Some(read_roots(&file, &provider)?), false),
            Trust::Named(file) => (Some(read_roots(&file, &provider)?), true),
        };
        let check = Arc::new(Check { provider: provider.clone(), roots, named });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unreadable(&error))?
            .dangerous()
            .with_custom_certificate_verifier(check)
            .with_no_client_auth();
        Ok(Encryption(TlsConnector::from(Arc::new(config))))
    }
}

fn read_roots(file: &str, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, StoreError> {
    let failed = |why: &dyn std::fmt::Display| {
        StoreError::Unavailable(format!("the root certificates in {file} cannot be read: {why}"))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))? {
        roots.add(certificate.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| failed(&error))
}

/// Looks at the certificate the server shows, as far as the mode asks for it.
#[derive(Debug)]
struct Check {
    provider: Arc<CryptoProvider>,
    roots: Option<Arc<WebPkiServerVerifier>>,
    named: bool,
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        match roots.verify_server_cert(certificate, between, host, ocsp, now) {
            // The name is looked at last, so all else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.named => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A connection that is about to be encrypted. A socket file has no host, and is never encrypted.
pub(super) struct Handshake(TlsConnector, Result<ServerName<'static>, String>);

impl<S> MakeTlsConnect<S> for Encryption
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        let name = ServerName::try_from(host.to_owned());
        Ok(Handshake(self.0.clone(), name.map_err(|error| format!("host {host:?}: {error}"))))
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let host = self.1.map_err(io::Error::other)?;
            self.0.connect(host, stream).await.map(Encrypted)
        })
    }
}

/// An encrypted connection.
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> String {
        read_address(address).err().expect("the address is refused").to_string()
    }

    #[test]
    fn an_address_says_how_the_way_is_encrypted() {
        let mode = |address: &str| read_address(address).expect("an address").0.get_ssl_mode();
        assert_eq!(mode("postgres://ada@db/shop"), SslMode::Prefer);
        assert_eq!(mode("postgres://ada@db/shop?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://ada@db/shop?connect_timeout=3&sslmode=require"), SslMode::Require);
    }

    #[test]
    fn what_would_look_safe_and_is_not_is_refused() {
        let needs = refused("postgres://ada@db/shop?sslmode=verify-full");
        assert!(needs.contains("sslmode=verify-full needs sslrootcert=FILE"), "{needs}");
        let unused = refused("postgres://ada@db/shop?sslrootcert=/etc/root.crt");
        assert!(unused.contains("sslmode=prefer looks at no certificate"), "{unused}");
        let unknown = refused("postgres://ada@db/shop?sslmode=always");
        assert!(unknown.contains("there is no sslmode=always"), "{unknown}");
        let gone = refused("postgres://ada@db/shop?sslmode=verify-full&sslrootcert=/no%2Fsuch.crt");
        assert!(gone.contains("the root certificates in /no/such.crt cannot be read"), "{gone}");
        let other = refused("postgres://ada@db/shop?sslkey=/etc/key");
        assert!(other.contains("sslkey"), "{other}");
    }
}
