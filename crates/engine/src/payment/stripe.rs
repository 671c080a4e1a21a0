//! Stripe's own words, read: what a payment intent or a refund of theirs means for a payment of ours, and whether a message is really theirs.
//!
//! Sources: <https://docs.stripe.com/payments/paymentintents/lifecycle>, <https://docs.stripe.com/refunds>,
//! <https://docs.stripe.com/webhooks/signature>.

use domain::payment::reconcile::{Side, Theirs};
use domain::value::id::Payment as PaymentKind;
use domain::value::{Currency, Id, Instant};
use domain::{Code, Refusal};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::{Operation, Verdict};
use crate::signature::TOLERANCE_SECONDS;

/// Under this name an intent or a refund of theirs carries our payment's id.
pub const PAYMENT: &str = "payment";
/// Under this name a refund of theirs carries the key we asked for it with.
pub const KEY: &str = "key";
/// The most signatures looked at in one message; more than one is sent while a secret is being changed.
const SIGNATURES_MAX: usize = 8;

/// What an intent means for the payment it was made for; `None` for a status that is not known.
pub fn intent(intent: &Value) -> Option<Verdict> {
    let reference = intent["id"].as_str().map(str::to_owned);
    match intent["status"].as_str()? {
        "succeeded" | "requires_capture" => Some(Verdict::Done { reference }),
        "processing" | "requires_confirmation" => Some(Verdict::Pending { reference }),
        "requires_action" => match (reference, intent["client_secret"].as_str()) {
            (Some(reference), Some(secret)) => {
                Some(Verdict::Questioned { reference, client_secret: secret.to_owned() })
            }
            (reference, _) => Some(Verdict::Pending { reference }),
        },
        "requires_payment_method" => {
            let reason = intent["last_payment_error"]["message"].as_str().unwrap_or("declined");
            Some(Verdict::Declined { reason: reason.to_owned() })
        }
        "canceled" => Some(Verdict::Declined { reason: "cancelled at the provider".into() }),
        _ => None,
    }
}

/// What a refund of theirs means for ours; `None` for a status that is not known.
pub fn refund(refund: &Value) -> Option<Verdict> {
    let reference = refund["id"].as_str().map(str::to_owned);
    match refund["status"].as_str()? {
        "succeeded" => Some(Verdict::Done { reference }),
        "pending" | "requires_action" => Some(Verdict::Pending { reference }),
        "failed" | "canceled" => {
            let reason = refund["failure_reason"].as_str().unwrap_or("the refund was not possible");
            Some(Verdict::Declined { reason: reason.to_owned() })
        }
        _ => None,
    }
}

/// A balance transaction of theirs as a movement of what they owe us; `None` when it cannot be read. Amounts are in the currency the customer
/// paid in, though Stripe may keep its books in another.
///
/// Source: <https://docs.stripe.com/reports/balance-transaction-types>.
pub fn movement(item: &Value) -> Option<Theirs> {
    let side = match item["type"].as_str()? {
        "charge" | "payment" => Side::Captured,
        "refund" | "payment_refund" => Side::Refunded,
        "payout" | "payout_cancel" | "payout_failure" | "transfer" => Side::PaidOut,
        "stripe_fee" | "stripe_fx_fee" | "tax_fee" => Side::Fee,
        _ => Side::Other,
    };
    let source = &item["source"];
    let kept_in = Currency::parse(&item["currency"].as_str()?.to_ascii_uppercase()).ok()?;
    let paid_in =
        source["currency"].as_str().and_then(|code| Currency::parse(&code.to_ascii_uppercase()).ok());
    let (amount, currency) = match (side, paid_in.filter(|own| *own != kept_in)) {
        (Side::Captured, Some(own)) => {
            (source["amount_captured"].as_i64().or(source["amount"].as_i64())?, own)
        }
        (Side::Refunded, Some(own)) => (-source["amount"].as_i64()?, own),
        _ => (item["amount"].as_i64()?, kept_in),
    };
    let text = |value: &Value| value.as_str().or_else(|| value["id"].as_str()).map(str::to_owned);
    let payment = source["metadata"][PAYMENT].as_str().and_then(|id| Id::parse(id).ok());
    let key = source["metadata"][KEY].as_str().map(str::to_owned);
    let operation = payment.zip(key.as_deref()).and_then(|(payment, key)| Operation::of_key(payment, key));
    Some(Theirs {
        side,
        reference: text(source).or_else(|| text(&item["id"]))?,
        key,
        payment,
        payment_reference: text(&source["payment_intent"]),
        amount,
        currency,
        fee: item["fee"].as_i64().filter(|fee| *fee != 0).map(|fee| (fee, kept_in)),
        at: Instant::from_micros(item["created"].as_i64()?.checked_mul(1_000_000)?),
        takes_back: operation == Some(Operation::Void),
    })
}

/// What an event tells of a payment of ours; `None` when it is about something else.
pub fn told(event: &Value) -> Option<(Id<PaymentKind>, Operation, Verdict)> {
    let object = &event["data"]["object"];
    let payment = Id::parse(object["metadata"][PAYMENT].as_str()?).ok()?;
    match object["object"].as_str()? {
        "payment_intent" => Some((payment, Operation::Authorise, intent(object)?)),
        "refund" => {
            let operation = Operation::of_key(payment, object["metadata"][KEY].as_str()?)?;
            matches!(operation, Operation::Refund(_)).then_some((payment, operation, refund(object)?))
        }
        _ => None,
    }
}

fn mac(secret: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// The header `Stripe-Signature` of a message, as Stripe writes it.
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let digest = mac(secret, &seconds.to_string(), body).finalize().into_bytes();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={digits}")
}

/// Checks that a message was signed with the endpoint's secret, and lately: `t=` seconds, `v1=` the HMAC-SHA-256 of `t.body` in hexadecimal
/// digits, several of them while the secret is being changed.
///
/// # Errors
/// [`Code::SignInFailed`], saying what does not fit.
pub fn verify(secret: &str, signature: &str, body: &[u8], now: Instant) -> Result<(), Refusal> {
    let refused = |why: &str| Refusal::new(Code::SignInFailed, format!("the webhook is not accepted: {why}"));
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let timestamp = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let seconds: i64 = timestamp
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| refused("Stripe-Signature has no t= with seconds since 1970"))?;
    if seconds.abs_diff(now.micros().div_euclid(1_000_000)) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(refused("it was signed more than 5 minutes from our clock"));
    }
    let mac = mac(secret, timestamp.unwrap_or_default(), body);
    let given = parts().filter(|(name, _)| *name == "v1").take(SIGNATURES_MAX);
    // The comparison takes the same time wherever the first difference is.
    let fits = given
        .filter_map(|(_, digits)| unhex(digits))
        .fold(false, |fits, one| mac.clone().verify_slice(&one).is_ok() | fits);
    if fits {
        Ok(())
    } else {
        Err(refused("no v1 signature fits; check the webhook secret and that the body is sent unchanged"))
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    if digits.len().is_multiple_of(2) { pairs.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "whsec_test_secret";
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const AT: i64 = 1_800_000_000;

    fn signature(secret: &str, seconds: i64) -> String {
        sign(secret, seconds, BODY).split_once(',').unwrap().1.to_owned()
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_signature_known_from_elsewhere_fits() {
        // Reckoned with `printf '1800000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret`.
        let known = "v1=8a6563dbee1eccda632491deb091d19e764aadddcd0ace8d9516599526831c89";
        assert_eq!(signature(SECRET, AT), known);
        assert_eq!(verify(SECRET, &format!("t={AT},{known}"), BODY, at(AT)), Ok(()));
    }

    #[test]
    fn one_of_several_signatures_is_enough_for_five_minutes() {
        let (old, new) = (signature("whsec_old", AT), signature(SECRET, AT));
        let header = format!("t={AT}, v0=00, {old}, {new}");
        assert_eq!(verify(SECRET, &header, BODY, at(AT + 300)), Ok(()));
        let refused = |secret, header: &str, body, now| verify(secret, header, body, now).unwrap_err();
        assert!(refused(SECRET, &header, BODY, at(AT + 301)).message().contains("5 minutes"));
        assert!(refused(SECRET, &header, b"{}", at(AT)).message().contains("no v1 signature fits"));
        assert!(refused("whsec_x", &header, BODY, at(AT)).message().contains("no v1 signature fits"));
        assert!(refused(SECRET, &new, BODY, at(AT)).message().contains("no t="));
        assert!(verify(SECRET, &format!("t={AT},v1=0"), BODY, at(AT)).is_err());
        assert!(verify(SECRET, &format!("t={AT}"), BODY, at(AT)).is_err());
        assert!(verify(SECRET, "", BODY, at(AT)).is_err());
    }

    #[test]
    fn their_words_become_ours() {
        let payment: Id<PaymentKind> = Id::from_bytes([7; 16]);
        let event = |object: Value| json!({ "id": "evt_1", "data": { "object": object } });
        let own = json!({ PAYMENT: payment.to_string() });
        let status = |status: &str| {
            let object = json!({ "object": "payment_intent", "id": "pi_1", "status": status, "client_secret": "pi_1_s", "metadata": own });
            told(&event(object)).map(|(_, _, verdict)| verdict)
        };
        let reference = Some("pi_1".to_owned());
        assert_eq!(status("succeeded"), Some(Verdict::Done { reference: reference.clone() }));
        assert_eq!(status("requires_capture"), Some(Verdict::Done { reference: reference.clone() }));
        assert_eq!(status("processing"), Some(Verdict::Pending { reference }));
        let asked = Verdict::Questioned { reference: "pi_1".into(), client_secret: "pi_1_s".into() };
        assert_eq!(status("requires_action"), Some(asked));
        assert_eq!(status("requires_payment_method"), Some(Verdict::Declined { reason: "declined".into() }));
        assert_eq!(status("something_new"), None);
        let foreign =
            json!({ "object": "payment_intent", "id": "pi_1", "status": "succeeded", "metadata": {} });
        assert_eq!(told(&event(foreign)), None);
        let refund: Id<domain::value::id::Refund> = Id::from_bytes([8; 16]);
        let object = json!({ "object": "refund", "id": "re_1", "status": "succeeded",
            "metadata": { PAYMENT: payment.to_string(), KEY: refund.to_string() } });
        let done = Verdict::Done { reference: Some("re_1".into()) };
        assert_eq!(told(&event(object)), Some((payment, Operation::Refund(refund), done)));
    }
}
