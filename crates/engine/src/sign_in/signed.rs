//! What others signed with a key of which we know the public half: their passkeys and their tokens. `ring` does the arithmetic.

use domain::sign_in::passkey::Algorithm;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

/// The longest modulus of an RSA key in bytes: 8192 bits.
const MODULUS_BYTES_MAX: usize = 1024;

/// The public half of an RSA key, as it is kept: the length of the modulus in two bytes, the modulus, the exponent.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(modulus.len()).ok().filter(|_| modulus.len() <= MODULUS_BYTES_MAX)?;
    (exponent.len() <= 8).then(|| [&length.to_be_bytes()[..], modulus, exponent].concat())
}

/// An RSA key that was kept.
pub(super) fn rsa_parts(kept: &[u8]) -> Option<RsaPublicKeyComponents<&[u8]>> {
    let (length, rest) = kept.split_at_checked(2)?;
    let (n, e) = rest.split_at_checked(usize::from(u16::from_be_bytes([length[0], length[1]])))?;
    Some(RsaPublicKeyComponents { n, e })
}

/// Is this the passkey's signature of the message?
pub(super) fn is_signed(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Es256 => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(message, signature).is_ok()
        }
        Algorithm::EdDsa => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
        Algorithm::Rs256 => rsa_parts(key)
            .is_some_and(|key| key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()),
    }
}
