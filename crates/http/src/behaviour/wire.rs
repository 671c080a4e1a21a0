//! Reading what libraries send: whatever the content type says, packed or not, with the write key where each library puts it.

use std::collections::BTreeMap;
use std::io::Read;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::value::Instant;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answer::No;

/// The most bytes of a request, as sent and unpacked.
const BYTES_MAX: usize = 4 << 20;
/// What a packed body begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What was sent.
pub(super) struct Sent {
    pub headers: HeaderMap,
    pub uri: Uri,
    pub body: Value,
}

/// Reads a request.
pub(super) async fn receive(request: Request) -> Result<Sent, No> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, BYTES_MAX).await.map_err(|_| No::TooLarge)?;
    let body = read(&bytes)?;
    Ok(Sent { headers: parts.headers, uri: parts.uri, body })
}

fn read(bytes: &[u8]) -> Result<Value, No> {
    let bytes = unpacked(bytes)?;
    if let Some(field) = bytes.strip_prefix(b"data=") {
        let field = field.split(|byte| *byte == b'&').next().unwrap_or_default();
        let text = percent_decoded(field);
        if let Ok(document) = serde_json::from_slice(&text) {
            return Ok(document);
        }
        let packed = STANDARD.decode(&text).map_err(|_| No::Unreadable)?;
        return serde_json::from_slice(&unpacked(&packed)?).map_err(|_| No::Unreadable);
    }
    serde_json::from_slice(&bytes).map_err(|_| No::Unreadable)
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, No> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes.to_vec());
    }
    let mut unpacked = Vec::new();
    let most = BYTES_MAX as u64 + 1;
    GzDecoder::new(bytes).take(most).read_to_end(&mut unpacked).map_err(|_| No::Unreadable)?;
    if unpacked.len() > BYTES_MAX { Err(No::TooLarge) } else { Ok(unpacked) }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%');
        decoded.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

impl Sent {
    /// The write key: the user's name of basic access, a header, the address, or the body.
    pub(super) fn key(&self) -> Option<String> {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let in_body = |value: &Value| {
            let places = ["writeKey", "api_key", "token", "$token"].iter();
            places.map(|name| &value[*name]).chain([&value["properties"]["token"]]).find_map(text_of)
        };
        let first = self.body.get(0).or_else(|| self.body["batch"].get(0));
        header(header::AUTHORIZATION.as_str())
            .and_then(basic)
            .or_else(|| header("x-write-key").map(|key| key.split(':').next().unwrap_or_default().to_owned()))
            .or_else(|| self.asked("writeKey"))
            .or_else(|| in_body(&self.body))
            .or_else(|| first.and_then(in_body))
    }

    /// A value of the address, after the question mark.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        asked(&self.uri, name)
    }
}

/// Ids for events that came without one. They follow from what an event says, from when it was, and from how many that are alike went
/// before it in the request: so a request that is sent again is known, and two clicks that are alike are two.
#[derive(Default)]
pub(super) struct Ids(BTreeMap<[u8; 16], u32>);

impl Ids {
    /// The id of an event; `moment` is when it was sent or received, where the event itself does not say when it was.
    pub(super) fn id_of(&mut self, one: &Value, moment: Option<Instant>) -> String {
        let moment = moment.map_or(0, Instant::micros);
        let digest = Sha256::digest(format!("{moment} {one}"));
        let mut alike = [0; 16];
        alike.copy_from_slice(&digest[..16]);
        let before = self.0.entry(alike).or_default();
        *before += 1;
        format!("alike:{:032x}:{before}", u128::from_be_bytes(alike))
    }
}

pub(super) fn asked(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value).next()?;
    String::from_utf8(percent_decoded(value.as_bytes())).ok()
}

/// The name of basic access (RFC 7617); some leave the colon out.
pub(super) fn basic(value: &str) -> Option<String> {
    let (scheme, coded) = value.split_once(' ')?;
    let text = STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(text).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// A text, or a number as libraries send for ids; nothing when it is empty.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An instant as text, or in milliseconds.
pub(super) fn instant_of(value: &Value) -> Option<Instant> {
    match value {
        Value::String(text) => Instant::parse(text).ok(),
        Value::Number(number) => {
            number.as_i64().and_then(|millis| millis.checked_mul(1_000)).map(Instant::from_micros)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut coder = GzEncoder::new(Vec::new(), Compression::fast());
        coder.write_all(text).unwrap();
        coder.finish().unwrap()
    }

    #[test]
    fn a_body_is_read_however_it_is_packed() {
        let plain = br#"{"event":"a b"}"#;
        let form = format!("data={}&compression=base64", STANDARD.encode(plain).replace('=', "%3D"));
        for sent in
            [plain.to_vec(), packed(plain), form.into_bytes(), b"data=%7B%22event%22%3A%22a+b%22%7D".to_vec()]
        {
            assert_eq!(read(&sent).ok(), Some(json!({ "event": "a b" })));
        }
        assert!(matches!(read(b"{"), Err(No::Unreadable)));
        assert!(matches!(read(&packed(&vec![b' '; BYTES_MAX + 1])), Err(No::TooLarge)));
        assert!(matches!(read(&GZIP), Err(No::Unreadable)));
    }

    #[test]
    fn the_key_is_found_wherever_it_is() {
        let sent = |header: Option<(&'static str, &str)>, uri: &str, body: Value| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, value.parse().unwrap());
            }
            Sent { headers, uri: uri.parse().unwrap(), body }.key()
        };
        let key = || Some("k".to_owned());
        assert_eq!(sent(Some(("authorization", "Basic azo=")), "/", json!({})), key());
        assert_eq!(sent(Some(("authorization", "basic aw==")), "/", json!({})), key());
        assert_eq!(sent(Some(("x-write-key", "k:secret")), "/", json!({})), key());
        assert_eq!(sent(None, "/?a=b&writeKey=k", json!({})), key());
        assert_eq!(sent(None, "/", json!({ "batch": [{ "writeKey": "k" }] })), key());
        assert_eq!(
            sent(Some(("authorization", "Bearer x")), "/", json!([{ "properties": { "token": "k" } }])),
            key()
        );
        assert_eq!(sent(None, "/", json!({})), None);
    }
}
