//! Passkeys: a key pair that a phone, a computer or a password manager keeps for its owner. What is looked at of what it says, as in
//! [Web Authentication](https://www.w3.org/TR/webauthn-3/), sections 7.1 and 7.2, without the maker's attestation.

use crate::market::origin::Origin;

/// For how long a challenge can be answered, in seconds.
pub const CHALLENGE_SECONDS: i64 = 300;
/// The most passkeys of a customer.
pub const PASSKEYS_MAX: i64 = 20;
/// The most challenges for one customer who registers that are open at once.
pub const CHALLENGES_MAX: i64 = 10;
/// The most bytes of a credential's id.
pub const CREDENTIAL_BYTES_MAX: usize = 1023;
/// The most characters of a passkey's name.
pub const NAME_CHARS_MAX: usize = 100;
/// The bytes before the credential: the domain's hash, flags and the counter.
const HEAD_BYTES: usize = 37;
/// The bytes of the kind of authenticator, which says nothing that we need.
const KIND_BYTES: usize = 16;

/// What a challenge was given out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A customer who is signed in adds a passkey.
    Register,
    /// Somebody signs in.
    SignIn,
}

impl Purpose {
    /// The number it is kept as.
    pub const fn code(self) -> i64 {
        match self {
            Purpose::Register => 1,
            Purpose::SignIn => 2,
        }
    }

    /// The purpose of a number.
    pub const fn coded(code: i64) -> Option<Purpose> {
        match code {
            1 => Some(Purpose::Register),
            2 => Some(Purpose::SignIn),
            _ => None,
        }
    }

    /// What the browser calls it.
    pub const fn ceremony(self) -> &'static str {
        match self {
            Purpose::Register => "webauthn.create",
            Purpose::SignIn => "webauthn.get",
        }
    }
}

/// How a passkey signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: what nearly all use.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with PKCS #1 1.5 and SHA-256: what older Windows uses.
    Rs256,
}

impl Algorithm {
    /// All, those we like best first.
    pub const ALL: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];

    /// Its number in COSE (RFC 9053), as which it is kept.
    pub const fn code(self) -> i64 {
        match self {
            Algorithm::Es256 => -7,
            Algorithm::EdDsa => -8,
            Algorithm::Rs256 => -257,
        }
    }

    /// The algorithm of a number.
    pub fn coded(code: i64) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// What an authenticator says of itself and of what was done, before its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'d> {
    /// The SHA-256 of the domain it was asked for.
    pub domain_hash: [u8; 32],
    /// Somebody was there.
    pub is_present: bool,
    /// It was seen who: by finger, face or PIN.
    pub is_verified: bool,
    /// The key may be kept on several devices.
    pub may_be_copied: bool,
    /// It is.
    pub is_copied: bool,
    /// How often it has signed; 0 when it does not count.
    pub count: u32,
    /// A new credential: its id, and its public key in COSE with what may follow.
    pub credential: Option<(&'d [u8], &'d [u8])>,
}

impl<'d> Said<'d> {
    /// Reads what was said; none when it is cut off or contradicts itself.
    pub fn read(bytes: &'d [u8]) -> Option<Said<'d>> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let flags = head[32];
        let flag = |place: u8| flags & (1 << place) != 0;
        let credential = if flag(6) {
            let (_, rest) = rest.split_at_checked(KIND_BYTES)?;
            let (length, rest) = rest.split_at_checked(2)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            let (id, key) = rest.split_at_checked(length)?;
            (1..=CREDENTIAL_BYTES_MAX).contains(&length).then_some(())?;
            Some((id, key))
        } else {
            None
        };
        let said = Said {
            domain_hash: head[..32].try_into().ok()?,
            is_present: flag(0),
            is_verified: flag(2),
            may_be_copied: flag(3),
            is_copied: flag(4),
            count: u32::from_be_bytes(head[33..].try_into().ok()?),
            credential,
        };
        (said.may_be_copied || !said.is_copied).then_some(said)
    }

    /// Was it made for this domain, by somebody who showed who they are?
    pub fn holds_for(&self, domain_hash: &[u8; 32]) -> bool {
        self.domain_hash == *domain_hash && self.is_present && self.is_verified
    }
}

/// May a page at this origin use passkeys of a domain? The domain is its host or a part at its end. An app has no host: which domain's passkeys
/// it may use, its maker and the domain say to the telephone.
pub fn is_within(origin: &Origin, domain: &str) -> bool {
    if origin.is_app() {
        return true;
    }
    let host = host_of(origin);
    host == domain
        || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.') && domain.contains('.'))
}

/// The host of an origin, which is its domain for passkeys when nothing else is said.
pub fn host_of(origin: &Origin) -> &str {
    let rest = origin.text().split_once("://").map_or("", |(_, rest)| rest);
    match rest.rsplit_once(':') {
        Some((host, _)) if !rest.ends_with(']') => host,
        _ => rest,
    }
}

/// Passkeys are given only to pages that came encrypted, to those of this machine, and to apps.
pub fn is_secure(origin: &Origin) -> bool {
    origin.is_app() || origin.text().starts_with("https://") || host_of(origin) == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn what_is_said_is_read_to_the_byte() {
        let mut bytes = vec![7; 32];
        bytes.extend([0b0100_0101, 0, 0, 1, 2]);
        bytes.extend([9; 16]);
        bytes.extend([0, 3, 1, 2, 3, 0xa0]);
        let said = Said::read(&bytes).unwrap();
        assert_eq!(said.credential, Some((&[1, 2, 3][..], &[0xa0][..])));
        assert_eq!(said.count, 258);
        assert!(said.holds_for(&[7; 32]) && !said.holds_for(&[8; 32]));
        for end in 0..bytes.len() - 1 {
            assert_eq!(Said::read(&bytes[..end]), None, "cut off after {end}");
        }
        let unverified = [&bytes[..32], &[0b0000_0001, 0, 0, 0, 0]].concat();
        assert!(!Said::read(&unverified).unwrap().holds_for(&[7; 32]));
        let contradicts_itself = [&bytes[..32], &[0b0001_0101, 0, 0, 0, 0]].concat();
        assert_eq!(Said::read(&contradicts_itself), None);
    }

    #[test]
    fn a_domain_holds_for_its_own_pages_only() {
        for (page, domain, holds) in [
            ("https://shop.example", "shop.example", true),
            ("https://www.shop.example:8443", "shop.example", true),
            ("https://othershop.example", "shop.example", false),
            ("https://shop.example.evil.example", "shop.example", false),
            ("https://shop.example", "example", false),
            ("http://localhost:8080", "localhost", true),
        ] {
            assert_eq!(is_within(&origin(page), domain), holds, "{page} {domain}");
        }
        let app = origin(&format!("android:apk-key-hash:{}", "k".repeat(43)));
        assert!(is_secure(&app) && is_within(&app, "shop.example"));
        assert!(is_secure(&origin("http://localhost:8080")) && !is_secure(&origin("http://shop.example")));
    }
}
