//! What browsers and authenticators answer to a challenge, as Web Authentication writes it: JSON and CBOR around the bytes that are signed.

use domain::market::origin::Origin;
use domain::sign_in::passkey::{Algorithm, Said};
use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::signed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The most entries of a map that is read.
const ENTRIES_MAX: u64 = 32;
/// A point of P-256 that is not compressed begins so.
const POINT: u8 = 4;

/// What the browser says it did.
pub(super) struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    pub ceremony: String,
    /// The challenge it was given.
    pub challenge: Vec<u8>,
    /// The page that asked.
    pub origin: Origin,
}

impl ClientData {
    /// Reads it; none when it makes no sense, or the page stood within one of somebody else's.
    pub fn read(bytes: &[u8]) -> Option<ClientData> {
        let read: Value = serde_json::from_slice(bytes).ok()?;
        let text = |field: &str| read[field].as_str();
        let is_alone = read["crossOrigin"].as_bool() != Some(true);
        is_alone.then_some(ClientData {
            ceremony: text("type")?.to_owned(),
            challenge: URL_SAFE_NO_PAD.decode(text("challenge")?).ok()?,
            origin: Origin::parse(text("origin")?).ok()?,
        })
    }
}

/// A credential that was just made.
pub(super) struct Made {
    /// Its id.
    pub credential: Vec<u8>,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What its signatures are checked with.
    pub public_key: Vec<u8>,
    /// How often it has signed.
    pub sign_count: i64,
    /// Is it kept on several devices?
    pub is_copied: bool,
}

/// Reads a new credential out of an attestation object. Who made the authenticator is not asked, so that no statement of it is looked at.
pub(super) fn made(object: &[u8], domain: &str) -> Option<Made> {
    let mut reader = Decoder::new(object);
    let mut data = None;
    for _ in 0..entries(&mut reader)? {
        match reader.str().ok()? {
            "authData" => data = Some(reader.bytes().ok()?),
            _ => reader.skip().ok()?,
        }
    }
    let said = Said::read(data?).filter(|said| said.holds_for(&Sha256::digest(domain).into()))?;
    let (credential, key) = said.credential?;
    let (algorithm, public_key) = key_of(key)?;
    Some(Made {
        credential: credential.to_vec(),
        algorithm,
        public_key,
        sign_count: i64::from(said.count),
        is_copied: said.is_copied,
    })
}

fn entries(reader: &mut Decoder<'_>) -> Option<u64> {
    reader.map().ok()?.filter(|entries| *entries <= ENTRIES_MAX)
}

/// A public key in COSE (RFC 9052): its parts stand under small numbers that mean another thing for each kind of key.
fn key_of(cose: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    let mut reader = Decoder::new(cose);
    let (mut kind, mut algorithm, mut curve) = (0, 0, 0);
    let mut parts: [&[u8]; 3] = [&[]; 3];
    for _ in 0..entries(&mut reader)? {
        match (reader.i64().ok()?, reader.datatype().ok()?) {
            (1, _) => kind = reader.i64().ok()?,
            (3, _) => algorithm = reader.i64().ok()?,
            (part @ -3..=-1, Type::Bytes) => {
                parts[usize::try_from(-part - 1).ok()?] = reader.bytes().ok()?;
            }
            (-1, _) => curve = reader.i64().ok()?,
            _ => reader.skip().ok()?,
        }
    }
    let algorithm = Algorithm::coded(algorithm)?;
    let key = match (algorithm, kind, curve, parts) {
        (Algorithm::Es256, 2, 1, [[], x, y]) if x.len() == 32 && y.len() == 32 => {
            [&[POINT][..], x, y].concat()
        }
        (Algorithm::EdDsa, 1, 6, [[], x, []]) if x.len() == 32 => x.to_vec(),
        (Algorithm::Rs256, 3, 0, [modulus, exponent, []]) => signed::rsa_key(modulus, exponent)?,
        _ => return None,
    };
    Some((algorithm, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_or_refused() {
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend([1; 32]);
        key.extend([0x22, 0x58, 0x20]);
        key.extend([2; 32]);
        let (algorithm, point) = key_of(&key).unwrap();
        assert_eq!((algorithm, point.len(), point[0]), (Algorithm::Es256, 65, 4));
        for end in 0..key.len() {
            assert!(key_of(&key[..end]).is_none(), "cut off after {end}");
        }
        key[6] = 0x02;
        assert!(key_of(&key).is_none(), "another curve");
        assert!(key_of(&[0xbf, 0xff]).is_none() && key_of(&[0xbb; 9]).is_none());
    }

    #[test]
    fn a_page_within_another_is_not_heard() {
        let data = |rest: &str| {
            format!(r#"{{"type":"webauthn.get","challenge":"AQID","origin":"https://shop.example"{rest}}}"#)
        };
        let read = ClientData::read(data("").as_bytes()).unwrap();
        assert_eq!((read.ceremony.as_str(), read.challenge), ("webauthn.get", vec![1, 2, 3]));
        assert!(ClientData::read(data(r#","crossOrigin":false"#).as_bytes()).is_some());
        assert!(ClientData::read(data(r#","crossOrigin":true"#).as_bytes()).is_none());
        assert!(ClientData::read(b"{}").is_none());
    }
}
