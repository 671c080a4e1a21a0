//! Signed messages between programs, as Standard Webhooks defines them: we sign what we send, and check what we are sent.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, symmetric signatures (v1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::value::Instant;
use domain::{Code, Refusal};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far the sender's clock may be from ours.
pub const TOLERANCE_SECONDS: i64 = 5 * 60;
/// What the text form of a secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// The most signatures looked at in one message; more than one is sent while a secret is being changed.
const SIGNATURES_MAX: usize = 8;

/// What sender and receiver share.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes.to_vec())
    }

    /// Reads the text form, `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Secret, String> {
        let bytes = text.strip_prefix(SECRET_PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        let bytes = bytes.filter(|bytes| (24..=64).contains(&bytes.len()));
        bytes.map(Secret).ok_or_else(|| "a webhook secret is \"whsec_\" and base64 of 24 to 64 bytes".into())
    }

    /// The text form.
    pub fn text(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac
    }

    /// The text of the header `webhook-signature` for a message.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, timestamp, body).finalize().into_bytes()))
    }
}

/// A message's three headers.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    /// `webhook-id`: the same each time the same message is sent.
    pub id: &'a str,
    /// `webhook-timestamp`: seconds since 1970 of this attempt.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or several signatures, with spaces between.
    pub signature: &'a str,
}

/// Checks that a message was sent by who has the secret, and lately.
///
/// # Errors
/// [`Code::SignInFailed`], saying what does not fit.
pub fn verify(secret: &Secret, headers: Headers<'_>, body: &[u8], now: Instant) -> Result<(), Refusal> {
    let refused = |why: &str| Refusal::new(Code::SignInFailed, format!("the webhook is not accepted: {why}"));
    if headers.id.is_empty() || headers.id.len() > 128 {
        return Err(refused("webhook-id must be 1 to 128 characters"));
    }
    let timestamp: i64 =
        headers.timestamp.parse().map_err(|_| refused("webhook-timestamp must be seconds since 1970"))?;
    if timestamp.abs_diff(now.micros().div_euclid(1_000_000)) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(refused("webhook-timestamp is more than 5 minutes from our clock"));
    }
    let mac = secret.mac(headers.id, timestamp, body);
    let given = headers
        .signature
        .split(' ')
        .take(SIGNATURES_MAX)
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    // The comparison takes the same time wherever the first difference is.
    let fits = given.fold(false, |fits, signature| mac.clone().verify_slice(&signature).is_ok() | fits);
    if fits {
        Ok(())
    } else {
        Err(refused("no signature fits; check the secret and that the body is sent unchanged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> Secret {
        Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    #[test]
    fn the_published_vector_is_signed_and_accepted() {
        assert_eq!(secret().sign(ID, 1_614_265_330, BODY), SIGNATURE);
        assert_eq!(secret().text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let now = Instant::from_micros(1_614_265_330_000_000);
        let headers = |timestamp, signature| Headers { id: ID, timestamp, signature };
        assert_eq!(verify(&secret(), headers("1614265330", SIGNATURE), BODY, now), Ok(()));
        let old_and_new = format!("v1,AAAA v2,xyz {SIGNATURE}");
        assert_eq!(
            verify(&secret(), headers("1614265330", &old_and_new), BODY, now.plus_seconds(300)),
            Ok(())
        );
    }

    #[test]
    fn late_changed_and_foreign_messages_are_refused() {
        let now = Instant::from_micros(1_614_265_330_000_000);
        let headers = |timestamp, signature| Headers { id: ID, timestamp, signature };
        let refused =
            |headers, body, now| verify(&secret(), headers, body, now).unwrap_err().message().to_owned();
        assert!(refused(headers("1614265330", SIGNATURE), BODY, now.plus_seconds(301)).contains("5 minutes"));
        assert!(refused(headers("1614265330", SIGNATURE), b"{}", now).contains("no signature fits"));
        assert!(refused(headers("1614265331", SIGNATURE), BODY, now).contains("no signature fits"));
        assert!(refused(headers("soon", SIGNATURE), BODY, now).contains("seconds since 1970"));
        assert!(verify(&Secret::from_bytes([1; 32]), headers("1614265330", SIGNATURE), BODY, now).is_err());
        assert!(Secret::parse("whsec_AAAA").is_err());
    }
}
