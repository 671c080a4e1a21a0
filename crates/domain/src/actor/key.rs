//! Keys of programs: what kinds there are, what each may carry, and the text a program sends.

use std::fmt::Write;

use super::{Permission, Permissions};
use crate::refusal::Refusal;
use crate::value::Id;
use crate::value::id::ApiKey;
use crate::words;

words! {
    /// Whether a key must be kept secret.
    KeyKind {
        /// For programs on the retailer's own machines; must be kept secret.
        Secret 1 "secret";
        /// For web pages and apps that anybody can look into; may carry only what a passer-by may do.
        Storefront 2 "storefront";
    }
}

/// What a storefront key may carry. Guests then reach a cart only by knowing its id, which cannot be guessed.
pub const STOREFRONT: &[Permission] = &[Permission::ReadCatalogue, Permission::ReadPlaces, Permission::Shop];

/// The permissions named for a key of this kind.
///
/// # Errors
/// The refusal names an unknown permission, or one that a storefront key may not carry.
pub fn permissions(kind: KeyKind, names: &[String]) -> Result<Permissions, Refusal> {
    let permissions = Permissions::read(names)?;
    let forbidden = |name: &String| !STOREFRONT.iter().any(|permission| permission.text() == name);
    let place = names.iter().position(forbidden).filter(|_| kind == KeyKind::Storefront);
    let Some(place) = place else { return Ok(permissions) };
    let allowed: Vec<_> = STOREFRONT.iter().map(|permission| permission.text()).collect();
    let why = format!("a storefront key may carry only {}, because anybody can read it", allowed.join(", "));
    Err(Refusal::invalid(format!("permissions.{place}"), why))
}

/// The text a program sends to be recognised: the key's id and its secret, `key_01jd…_9f3c…`.
pub struct KeyToken {
    /// Which key.
    pub id: Id<ApiKey>,
    /// What only its holder knows.
    pub secret: [u8; 32],
}

impl KeyToken {
    /// Reads the text; `None` when it cannot be a key.
    pub fn parse(text: &str) -> Option<KeyToken> {
        let (id, digits) = text.rsplit_once('_')?;
        Some(KeyToken { id: Id::parse(id).ok()?, secret: from_hexadecimal(digits)? })
    }

    /// The text to hand out, once.
    pub fn text(&self) -> String {
        format!("{}_{}", self.id, hexadecimal(&self.secret))
    }
}

/// Thirty-two bytes as 64 hexadecimal digits.
pub fn hexadecimal(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Thirty-two bytes from 64 hexadecimal digits in lower case.
pub fn from_hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let token =
            KeyToken { id: Id::from_bytes([3; 16]), secret: std::array::from_fn(|place| place as u8 * 8) };
        let read = KeyToken::parse(&token.text()).unwrap();
        assert_eq!((read.id, read.secret), (token.id, token.secret));
        for wrong in [
            "",
            "key_",
            "key_1_2",
            &token.text().to_uppercase(),
            &token.text()[1..],
            &format!("{}0", token.text()),
        ] {
            assert!(KeyToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_storefront_key_carries_only_what_anybody_may_do() {
        let refusal =
            permissions(KeyKind::Storefront, &["carts:write".into(), "orders:read".into()]).unwrap_err();
        assert_eq!(refusal.field(), Some("permissions.1"));
        assert!(permissions(KeyKind::Secret, &["orders:read".into()]).unwrap().allow(Permission::ReadOrders));
        assert!(permissions(KeyKind::Secret, &["everything".into()]).is_err());
        assert!(permissions(KeyKind::Secret, &[]).is_err());
    }
}
