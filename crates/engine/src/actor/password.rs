//! Password hashes: argon2id with the parameters OWASP gives (19 MiB, 2 passes, 1 lane). Slow on purpose, so never done in a transaction.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use store::StoreError;

use crate::Failure;

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes worked on at once.
const LANES: u32 = 1;

/// The hash of a password, with everything needed to check it later.
///
/// # Errors
/// When there is no memory for it.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, Failure> {
    let hashed = hasher().and_then(|hasher| hasher.hash_password_with_salt(password.as_bytes(), &salt).ok());
    let hashed: Option<PasswordHash> = hashed;
    let failed = || Failure::from(StoreError::Unavailable("a password could not be hashed".into()));
    hashed.map(|hashed| hashed.to_string()).ok_or_else(failed)
}

/// Is this the password? Without a hash it takes as long to say no, so that nobody learns who has an account.
pub fn is_right(password: &str, stored: Option<&str>) -> bool {
    let text = match stored {
        Some(text) => text,
        None => nobodys(),
    };
    let Ok(parsed) = PasswordHash::new(text) else { return false };
    let right = hasher().is_some_and(|hasher| hasher.verify_password(password.as_bytes(), &parsed).is_ok());
    right && stored.is_some()
}

/// A hash that belongs to nobody.
fn nobodys() -> &'static str {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    NOBODYS.get_or_init(|| hash("nobody has this password", [0; 16]).unwrap_or_default())
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right() {
        let stored = hash("correct horse battery", [7; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(is_right("correct horse battery", Some(&stored)));
        assert!(!is_right("correct horse batterY", Some(&stored)));
        assert!(!is_right("nobody has this password", None));
        assert!(!is_right("", Some("")));
    }
}
