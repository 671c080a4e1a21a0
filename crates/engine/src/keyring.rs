//! The keys that protect personal data: each person has a data key, wrapped by the master key; look-ups go by keyed hash.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) encrypts, HMAC-SHA-256 (RFC 2104) hashes. Destroying a person's wrapped key makes every
//! snapshot of that person unreadable, in every backup made since; one made before still holds the wrapped key (docs/OPERATE.md says how long to keep one).

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use store::{StoreError, Tx, keyring as rows};

/// A sealed text: 24 bytes of nonce, then the ciphertext with its tag.
const NONCE_LENGTH: usize = 24;

/// The master key and what is derived from it.
pub struct Keyring {
    wrapping: [u8; 32],
    lookup: [u8; 32],
}

/// A person's data key. Lives only while a command runs.
pub struct DataKey([u8; 32]);

impl Keyring {
    /// The keyring of a master key: 32 bytes from file or environment, never stored in the database.
    pub fn new(master: [u8; 32]) -> Keyring {
        Keyring {
            wrapping: keyed(&master, b"tandem wrapping key", b""),
            lookup: keyed(&master, b"tandem lookup key", b""),
        }
    }

    /// A new data key from chance, and its wrapped form for the database.
    pub fn new_data_key(
        &self,
        chance: [u8; 32],
        nonce: [u8; NONCE_LENGTH],
        person: &[u8; 16],
    ) -> (DataKey, Vec<u8>) {
        let wrapped = seal(&self.wrapping, nonce, &chance, person);
        (DataKey(chance), wrapped)
    }

    /// The data key in a wrapped form; `None` when it was wrapped by another master key or for another person.
    pub fn unwrap_data_key(&self, wrapped: &[u8], person: &[u8; 16]) -> Option<DataKey> {
        open(&self.wrapping, wrapped, person)?.try_into().ok().map(DataKey)
    }

    /// Seals what is shared with another program; `context` (such as the id of what it belongs to) must be given again to open it.
    pub fn seal_secret(&self, nonce: [u8; NONCE_LENGTH], secret: &[u8], context: &[u8]) -> Vec<u8> {
        seal(&self.wrapping, nonce, secret, context)
    }

    /// Opens what [`Keyring::seal_secret`] sealed; `None` when it was changed, belongs elsewhere or was sealed by another master key.
    pub fn open_secret(&self, sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        open(&self.wrapping, sealed, context)
    }

    /// The six digits of a code that works once; they follow from its id, so that they are written down nowhere.
    pub fn one_time_code(&self, id: &[u8; 16]) -> u32 {
        let hash = keyed(&self.lookup, b"one-time code", id);
        let wide =
            u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]);
        u32::try_from(wide % 1_000_000).unwrap_or(0)
    }

    /// The hash under which a normalised e-mail, phone or the like is found. `kind` keeps equal texts of different kinds apart.
    pub fn lookup_hash(&self, kind: &str, normalised: &str) -> [u8; 32] {
        keyed(&self.lookup, kind.as_bytes(), normalised.as_bytes())
    }
}

/// The fingerprint of the master key these books were made with; `None` in new books.
///
/// # Errors
/// What the store says.
pub fn noted(tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    rows::fingerprint(tx)
}

/// Is this the master key these books were made with? New books note it.
///
/// # Errors
/// What the store says.
pub fn same_or_note(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<bool, StoreError> {
    let ours = keyring.lookup_hash("fingerprint", "");
    rows::note_fingerprint(tx, &ours)?;
    Ok(rows::fingerprint(tx)?.is_some_and(|noted| noted == ours))
}

impl DataKey {
    /// Seals a text of this person; `context` (such as the snapshot's id) must be given again to open it.
    pub fn seal(&self, nonce: [u8; NONCE_LENGTH], text: &[u8], context: &[u8]) -> Vec<u8> {
        seal(&self.0, nonce, text, context)
    }

    /// Opens a sealed text; `None` when it was changed or belongs elsewhere.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        open(&self.0, sealed, context)
    }
}

fn keyed(key: &[u8; 32], label: &[u8], text: &[u8]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(label);
    mac.update(&[0]);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn seal(key: &[u8; 32], nonce: [u8; NONCE_LENGTH], text: &[u8], context: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let Ok(sealed) = cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: context }) else {
        unreachable!("a bounded text can be sealed")
    };
    [nonce.as_slice(), &sealed].concat()
}

fn open(key: &[u8; 32], sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LENGTH)?;
    let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(nonce), Payload { msg: body, aad: context })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_context() {
        let keyring = Keyring::new([7; 32]);
        let (key, wrapped) = keyring.new_data_key([1; 32], [2; 24], &[3; 16]);
        let sealed = key.seal([4; 24], b"Ada Lovelace", b"con_1");
        let again = keyring.unwrap_data_key(&wrapped, &[3; 16]).unwrap();
        assert_eq!(again.open(&sealed, b"con_1").unwrap(), b"Ada Lovelace");
        assert!(again.open(&sealed, b"con_2").is_none());
        assert!(keyring.unwrap_data_key(&wrapped, &[9; 16]).is_none());
        assert!(Keyring::new([8; 32]).unwrap_data_key(&wrapped, &[3; 16]).is_none());
        assert!(!sealed.windows(3).any(|part| part == b"Ada"));
    }

    #[test]
    fn look_ups_of_different_kinds_differ() {
        let keyring = Keyring::new([7; 32]);
        assert_ne!(
            keyring.lookup_hash("email", "a@example.com"),
            keyring.lookup_hash("phone", "a@example.com")
        );
    }
}
