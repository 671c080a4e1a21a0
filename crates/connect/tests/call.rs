//! Calls to others over real connections on this machine: encrypted, bounded, and never further than allowed.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use connect::call::{Caller, Reach, Trust};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sim::certificate::Authority;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const WAIT: Duration = Duration::from_millis(500);

/// Answers every connection with this text, then keeps it open or closes it.
async fn answer(mut way: impl AsyncRead + AsyncWrite + Unpin, text: &'static str, closes: bool) {
    let mut heard = [0; 1024];
    if way.read(&mut heard).await.is_ok_and(|read| read > 0) {
        let _ = way.write_all(text.as_bytes()).await;
        let _ = way.flush().await;
    }
    if closes {
        let _ = way.shutdown().await;
        return;
    }
    while way.read(&mut heard).await.is_ok_and(|read| read > 0) {}
}

/// A server that answers so; its address.
async fn serve(text: &'static str, closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((way, _)) = listener.accept().await {
            tokio::spawn(answer(way, text, closes));
        }
    });
    address
}

/// As [`serve`], encrypted with a certificate for `localhost`.
async fn serve_encrypted(authority: &Authority, text: &'static str) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(authority.certificate()).unwrap();
    let key = PrivateKeyDer::from_pem_file(authority.key()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((way, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(way) = acceptor.accept(way).await {
                    answer(way, text, true).await;
                }
            });
        }
    });
    address
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthere";

#[tokio::test]
async fn an_encrypted_call_reaches_only_who_the_address_names() {
    let authority = Authority::new().unwrap();
    let port = serve_encrypted(&authority, OK).await.port();
    let by_name = format!("https://localhost:{port}/x");
    let trust = Trust::and_those_in(&authority.root()).unwrap();
    let caller = Caller::with(WAIT, &trust, Reach::Anywhere);
    assert_eq!(caller.get(&by_name).await, Ok((StatusCode::OK, Bytes::from("there"))));

    let unknown = Caller::new(WAIT).get(&by_name).await.unwrap_err().0;
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    let another = caller.get(&format!("https://127.0.0.1:{port}/x")).await.unwrap_err().0;
    assert!(another.contains("certificate not valid for name"), "{another}");
    let plain = serve(OK, true).await.port();
    assert!(caller.get(&format!("https://localhost:{plain}/x")).await.is_err(), "it does not encrypt");
}

#[test]
fn a_file_without_certificates_is_named() {
    let authority = Authority::new().unwrap();
    let why = Trust::and_those_in(&authority.key()).err().unwrap();
    assert!(why.contains("server.key cannot be read: there is none in it"), "{why}");
    let why = Trust::and_those_in(std::path::Path::new("/none.pem")).err().unwrap();
    assert!(why.contains("/none.pem cannot be read"), "{why}");
}

#[tokio::test]
async fn a_private_address_is_not_called_whatever_name_it_goes_by() {
    let port = serve(OK, true).await.port();
    let public = Caller::with(WAIT, &Trust::built_in(), Reach::Public);
    for host in ["127.0.0.1", "localhost", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"] {
        let answer = public.tell(&format!("http://{host}:{port}/"), &[], Bytes::new()).await;
        assert_eq!(answer.status, None, "{host}: {answer:?}");
        if host == "localhost" || host.contains("127.0.0.1") {
            assert!(
                answer.said.contains("a private network, which the operator does not allow"),
                "{answer:?}"
            );
        }
    }
    let anywhere = Caller::with(WAIT, &Trust::built_in(), Reach::Anywhere);
    let answer = anywhere.tell(&format!("http://127.0.0.1:{port}/"), &[], Bytes::new()).await;
    assert_eq!((answer.status, answer.said.as_str()), (Some(200), "there"));
}

#[tokio::test]
async fn only_the_status_counts_of_who_is_told() {
    let caller = Caller::new(WAIT);
    let tell = |address: SocketAddr| {
        let (caller, url) = (caller.clone(), format!("http://{address}/"));
        async move { caller.tell(&url, &[], Bytes::from("{}")).await }
    };
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nthe";
    let answer = tell(serve(endless, false).await).await;
    assert_eq!((answer.status, answer.said.as_str()), (Some(200), "the"), "the rest never comes");
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(tell(serve(moved, true).await).await.status, Some(302), "it is not followed");
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(tell(serve(busy, true).await).await.wait_seconds, Some(120));
    let silent = tell(serve("", false).await).await;
    assert_eq!((silent.status, silent.said.as_str()), (None, "no answer within 500 ms"));
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = tell(nobody).await;
    assert!(answer.status.is_none() && answer.said.contains("refused"), "{answer:?}");
}
