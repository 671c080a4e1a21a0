//! A phone that keeps passkeys and signs with them, together with the browser that asks it: what both would send, and what a forger would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The most keys a phone of the bench keeps; each has its number as its id.
const KEYS_MAX: usize = 200;
/// Somebody was there, and it was seen who.
const SEEN: u8 = 0b0000_0101;
/// A new credential follows.
const NEW: u8 = 0b0100_0000;

/// A passkey on the phone.
struct Key {
    credential: Vec<u8>,
    domain: String,
    owner: Vec<u8>,
    pair: EcdsaKeyPair,
    count: u32,
}

/// The phone.
pub struct Authenticator {
    keys: Vec<Key>,
    random: SystemRandom,
    /// Does it count how often it signs?
    pub counts: bool,
    /// Does it look who is there?
    pub verifies: bool,
    /// The page that its browser says it shows.
    pub origin: String,
}

/// What phone and browser answer; each of it as bytes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The id of the passkey.
    pub credential: Vec<u8>,
    /// What the browser says it did.
    pub client_data: Vec<u8>,
    /// What the phone says: an attestation object for a new passkey, else what it signed.
    pub said: Vec<u8>,
    /// Its signature; empty for a new passkey.
    pub signature: Vec<u8>,
    /// Whose passkey it is.
    pub owner: Vec<u8>,
}

impl Authenticator {
    /// A phone without keys, whose browser shows this page.
    pub fn at(origin: &str) -> Authenticator {
        Authenticator {
            keys: Vec::new(),
            random: SystemRandom::new(),
            counts: true,
            verifies: true,
            origin: origin.to_owned(),
        }
    }

    /// Makes a passkey for its owner, as `navigator.credentials.create` does.
    ///
    /// # Panics
    /// When the phone is full.
    pub fn make(&mut self, domain: &str, challenge: &[u8], owner: &[u8]) -> Answer {
        assert!(self.keys.len() < KEYS_MAX, "the phone is full");
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &self.random);
        let pair = pair.expect("the key that was made");
        let credential = Sha256::digest(pair.public_key()).to_vec();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let cose =
            [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..], x, &[0x22, 0x58, 0x20], y];
        let rest = [&[0; 16][..], &[0, 32], &credential, &cose.concat()].concat();
        let data = [self.head(domain, NEW, 0), rest].concat();
        let length = u8::try_from(data.len()).expect("short data");
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let said = [b"\xa3cfmtdnonegattStmt\xa0hauthData\x58", &[length][..], &data].concat();
        let client_data = self.client_data("webauthn.create", challenge);
        let key = Key { credential, domain: domain.into(), owner: owner.to_vec(), pair, count: 0 };
        let answer = Answer {
            credential: key.credential.clone(),
            client_data,
            said,
            signature: Vec::new(),
            owner: key.owner.clone(),
        };
        self.keys.push(key);
        answer
    }

    /// Answers with its newest passkey of the domain, as `navigator.credentials.get` does; none when it has none.
    ///
    /// # Panics
    /// When chance fails.
    pub fn sign(&mut self, domain: &str, challenge: &[u8]) -> Option<Answer> {
        let place = self.keys.iter().rposition(|key| key.domain == domain)?;
        if self.counts {
            self.keys[place].count += 1;
        }
        let (client_data, count) = (self.client_data("webauthn.get", challenge), self.keys[place].count);
        let said = self.head(domain, 0, count);
        let key = &self.keys[place];
        let message = [&said[..], &Sha256::digest(&client_data)].concat();
        let signature = key.pair.sign(&self.random, &message).expect("a signature").as_ref().to_vec();
        Some(Answer {
            credential: key.credential.clone(),
            client_data,
            said,
            signature,
            owner: key.owner.clone(),
        })
    }

    /// Sets back how often the newest key has signed, as a copy of it would.
    ///
    /// # Panics
    /// When there is no key.
    pub fn set_back(&mut self) {
        self.keys.last_mut().expect("a key").count = 0;
    }

    fn head(&self, domain: &str, more: u8, count: u32) -> Vec<u8> {
        let flags = more | if self.verifies { SEEN } else { 1 };
        [&Sha256::digest(domain)[..], &[flags], &count.to_be_bytes()].concat()
    }

    fn client_data(&self, ceremony: &str, challenge: &[u8]) -> Vec<u8> {
        let data = json!({ "type": ceremony, "challenge": base64url(challenge), "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }
}

impl Answer {
    /// The answer as a browser writes it in JSON.
    pub fn json(&self) -> Value {
        let id = base64url(&self.credential);
        let response = if self.signature.is_empty() {
            json!({ "clientDataJSON": base64url(&self.client_data), "attestationObject": base64url(&self.said), "transports": ["internal"] })
        } else {
            json!({ "clientDataJSON": base64url(&self.client_data), "authenticatorData": base64url(&self.said),
                "signature": base64url(&self.signature), "userHandle": base64url(&self.owner) })
        };
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
    }
}

/// Bytes in base64 for addresses, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind such a text.
///
/// # Panics
/// When it is none.
pub fn from_base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
