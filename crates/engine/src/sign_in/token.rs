//! What a sign-on publishes of itself, and the tokens it signs: read, and checked against its keys. `ring` does the arithmetic.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::sign_in::sign_on::Claims;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

/// The most bytes of a token.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// The most keys of a sign-on that are looked at.
const KEYS_MAX: usize = 50;
/// A point of an elliptic curve that is not compressed begins so.
const POINT: u8 = 4;

/// Where a sign-on is asked what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where the code they bring back becomes a token.
    pub token_endpoint: String,
    /// Where its keys are.
    pub keys: String,
    /// Where it says more of a person.
    pub userinfo_endpoint: Option<String>,
    /// Our secret goes into the body, not the head.
    pub posts_secret: bool,
}

/// Where a sign-on publishes what it is.
pub fn discovery_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Discovery {
    /// Reads what was published for an issuer.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(issuer: &str, document: &[u8]) -> Result<Discovery, String> {
        let read: Value =
            serde_json::from_slice(document).map_err(|error| format!("it is no JSON: {error}"))?;
        if read["issuer"].as_str() != Some(issuer) {
            return Err(format!("it is published for {}, not for {issuer}", read["issuer"]));
        }
        let is_encrypted = issuer.starts_with("https://");
        let address = |field: &str| {
            let found = read[field].as_str().filter(|text| text.starts_with("https://") || !is_encrypted);
            found.map(str::to_owned).ok_or_else(|| format!("it names no address by https as {field}"))
        };
        let methods = read["token_endpoint_auth_methods_supported"].as_array();
        let knows = |method: &str| methods.is_some_and(|all| all.iter().any(|one| one == method));
        Ok(Discovery {
            authorization_endpoint: address("authorization_endpoint")?,
            token_endpoint: address("token_endpoint")?,
            keys: address("jwks_uri")?,
            userinfo_endpoint: address("userinfo_endpoint").ok(),
            posts_secret: knows("client_secret_post") && !knows("client_secret_basic"),
        })
    }
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is signed by a key we do not know; there may be new ones.
    UnknownKey,
    /// It is no token, or nobody signed it.
    Wrong,
}

/// How a token can be signed. What anybody could sign who knows what is public, and what nobody signed, is not in the list.
enum Method {
    Rsa(&'static RsaParameters),
    Curve(&'static str, usize, &'static dyn VerificationAlgorithm),
    Edwards,
}

fn method(name: &str) -> Option<Method> {
    Some(match name {
        "RS256" => Method::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Method::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Method::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Method::Rsa(&RSA_PSS_2048_8192_SHA256),
        "PS384" => Method::Rsa(&RSA_PSS_2048_8192_SHA384),
        "PS512" => Method::Rsa(&RSA_PSS_2048_8192_SHA512),
        "ES256" => Method::Curve("P-256", 32, &ECDSA_P256_SHA256_FIXED),
        "ES384" => Method::Curve("P-384", 48, &ECDSA_P384_SHA384_FIXED),
        "EdDSA" => Method::Edwards,
        _ => return None,
    })
}

/// What a token says, if one of the keys signed it.
///
/// # Errors
/// A [`Doubt`].
pub fn read(token: &str, keys: &[u8], (email, name): (&str, &str)) -> Result<Claims, Doubt> {
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Doubt::Wrong);
    };
    let header = document(head).filter(|_| token.len() <= TOKEN_BYTES_MAX).ok_or(Doubt::Wrong)?;
    let method = header["alg"].as_str().and_then(method).filter(|_| header["crit"].is_null());
    let method = method.ok_or(Doubt::Wrong)?;
    let signature = bytes(signature).ok_or(Doubt::Wrong)?;
    let message = &token[..head.len() + 1 + body.len()];
    let keys: Value = serde_json::from_slice(keys).map_err(|_| Doubt::UnknownKey)?;
    let named = |key: &&Value| header["kid"].is_null() || key["kid"] == header["kid"];
    let all = keys["keys"].as_array().into_iter().flatten().take(KEYS_MAX);
    let mut known = all.filter(|key| key["use"].as_str() != Some("enc")).filter(named).peekable();
    known.peek().ok_or(Doubt::UnknownKey)?;
    if !known.any(|key| is_signed(&method, key, message.as_bytes(), &signature)) {
        return Err(Doubt::Wrong);
    }
    document(body).map(|said| claims(&said, (email, name))).ok_or(Doubt::Wrong)
}

fn is_signed(method: &Method, key: &Value, message: &[u8], signature: &[u8]) -> bool {
    let part = |field: &str| key[field].as_str().and_then(bytes);
    let is_kind =
        |kind: &str, curve: Option<&str>| key["kty"] == kind && curve.is_none_or(|curve| key["crv"] == curve);
    match method {
        Method::Rsa(parameters) if is_kind("RSA", None) => match (part("n"), part("e")) {
            (Some(n), Some(e)) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            _ => false,
        },
        Method::Curve(curve, length, algorithm) if is_kind("EC", Some(curve)) => match (part("x"), part("y"))
        {
            (Some(x), Some(y)) if x.len() == *length && y.len() == *length => {
                let point = [&[POINT][..], &x, &y].concat();
                UnparsedPublicKey::new(*algorithm, point).verify(message, signature).is_ok()
            }
            _ => false,
        },
        Method::Edwards if is_kind("OKP", Some("Ed25519")) => {
            part("x").is_some_and(|x| UnparsedPublicKey::new(&ED25519, x).verify(message, signature).is_ok())
        }
        _ => false,
    }
}

fn claims(said: &Value, (email, name): (&str, &str)) -> Claims {
    let text = |field: &str| said[field].as_str().map(str::to_owned);
    let audiences = match &said["aud"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    };
    // A time with a part of a second is as good as one without; a time that is no number is none.
    let seconds = |field: &str| said[field].as_i64().or_else(|| said[field].as_f64().map(|at| at as i64));
    Claims {
        issuer: text("iss").unwrap_or_default(),
        audiences,
        asked_by: text("azp"),
        subject: text("sub").unwrap_or_default(),
        expires_at: seconds("exp").unwrap_or(0),
        issued_at: seconds("iat").unwrap_or(0),
        nonce: text("nonce"),
        email: text(email),
        is_email_verified: is_verified(said),
        name: text(name),
    }
}

/// Some write it as a word.
fn is_verified(said: &Value) -> bool {
    said["email_verified"].as_bool().unwrap_or(said["email_verified"] == "true")
}

/// Adds what a sign-on says of the person beside the token; what is said of another is passed over.
pub fn add_userinfo(claims: &mut Claims, said: &[u8], (email, name): (&str, &str)) {
    let Ok(said) = serde_json::from_slice::<Value>(said) else { return };
    if said["sub"].as_str() != Some(&claims.subject) {
        return;
    }
    let text = |field: &str| said[field].as_str().map(str::to_owned);
    if claims.email.is_none() {
        claims.email = text(email);
        claims.is_email_verified = is_verified(&said);
    }
    claims.name = claims.name.take().or_else(|| text(name));
}

fn document(part: &str) -> Option<Value> {
    serde_json::from_slice(&bytes(part)?).ok()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    fn coded(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn signed(header: &Value, body: &Value) -> (String, Value) {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        let message = format!("{}.{}", coded(header.to_string()), coded(body.to_string()));
        let signature = pair.sign(&random, message.as_bytes()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let key = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "x": coded(x), "y": coded(y) });
        (format!("{message}.{}", coded(signature)), json!({ "keys": [key] }))
    }

    fn heard(token: &str, keys: &Value) -> Result<Claims, Doubt> {
        read(token, keys.to_string().as_bytes(), ("email", "name"))
    }

    #[test]
    fn only_what_a_known_key_signed_is_read() {
        let body = json!({ "iss": "i", "aud": ["a", "b"], "sub": "s", "exp": 5.5, "email_verified": "true" });
        let (token, keys) = signed(&json!({ "alg": "ES256", "kid": "1" }), &body);
        let claims = heard(&token, &keys).unwrap();
        assert_eq!((claims.audiences.len(), claims.expires_at, claims.is_email_verified), (2, 5, true));
        let (_, others) = signed(&json!({}), &json!({}));
        assert_eq!(heard(&token, &others), Err(Doubt::Wrong));
        assert_eq!(heard(&token, &json!({ "keys": [] })), Err(Doubt::UnknownKey));
        let mut new = others;
        new["keys"][0]["kid"] = json!("2");
        assert_eq!(heard(&token, &new), Err(Doubt::UnknownKey));
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let forged = format!("{head}.{}.{signature}", coded(r#"{"sub":"other"}"#));
        assert_eq!(heard(&forged, &keys), Err(Doubt::Wrong));
        for bad in ["", "a.b", "a.b.c", "a.b.c.d", &token[..token.len() - 4]] {
            assert_eq!(heard(bad, &keys), Err(Doubt::Wrong), "{bad}");
        }
    }

    #[test]
    fn what_nobody_signed_is_not_read() {
        for alg in ["none", "HS256", "es256", "ES512"] {
            let (token, keys) = signed(&json!({ "alg": alg, "kid": "1" }), &json!({ "sub": "s" }));
            assert_eq!(heard(&token, &keys), Err(Doubt::Wrong), "{alg}");
        }
        let (token, keys) = signed(&json!({ "alg": "ES256", "crit": ["b64"] }), &json!({ "sub": "s" }));
        assert_eq!(heard(&token, &keys), Err(Doubt::Wrong));
    }

    #[test]
    fn a_sign_on_publishes_only_for_itself() {
        let issuer = "https://id.example";
        let mut document = json!({ "issuer": issuer, "authorization_endpoint": "https://id.example/a",
            "token_endpoint": "https://id.example/t", "jwks_uri": "https://id.example/k",
            "token_endpoint_auth_methods_supported": ["client_secret_post"] });
        let read = |document: &Value| Discovery::read(issuer, document.to_string().as_bytes());
        assert!(read(&document).unwrap().posts_secret);
        document["token_endpoint"] = json!("http://id.example/t");
        assert!(read(&document).is_err());
        document["issuer"] = json!("https://evil.example");
        assert!(read(&document).is_err());
        assert_eq!(
            discovery_address("https://id.example/"),
            "https://id.example/.well-known/openid-configuration"
        );
    }

    #[test]
    fn what_is_said_of_another_is_passed_over() {
        let mut claims = Claims { subject: "1".into(), ..Claims::default() };
        add_userinfo(&mut claims, br#"{"sub":"2","email":"a@example.com"}"#, ("email", "name"));
        assert_eq!(claims.email, None);
        add_userinfo(
            &mut claims,
            br#"{"sub":"1","email":"a@example.com","email_verified":true,"name":"Ada"}"#,
            ("email", "name"),
        );
        assert_eq!(
            (claims.email.as_deref(), claims.is_email_verified, claims.name.as_deref()),
            (Some("a@example.com"), true, Some("Ada"))
        );
    }
}
