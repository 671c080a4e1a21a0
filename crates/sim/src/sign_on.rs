//! A sign-on of another house for tests: it lets in whom the test names, by the rules of OpenID Connect, and signs tokens, right ones and wrong ones.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::value::Instant;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::authenticator::base64url;

/// The most bytes of a form that is read.
const FORM_BYTES_MAX: usize = 64 << 10;

/// What is wrong with the next tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// They are for somebody else.
    Audience,
    /// They have expired.
    Expired,
    /// Another issuer made them.
    Issuer,
    /// They belong to another sign-in.
    Nonce,
    /// Another key signed them.
    Key,
}

/// Somebody who is let in.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the sign-on calls the person.
    pub subject: String,
    /// The address it knows.
    pub email: String,
    /// Has it seen that the address is the person's?
    pub is_email_verified: bool,
}

/// Somebody who was let in and has not fetched the token yet.
struct Waiting {
    person: Person,
    redirect_uri: String,
    nonce: String,
    challenge: String,
}

/// The sign-on.
pub struct SignOn {
    /// Its address.
    pub issuer: String,
    client_id: String,
    pair: EcdsaKeyPair,
    other: EcdsaKeyPair,
    random: SystemRandom,
    waiting: Mutex<(BTreeMap<String, Waiting>, Fault)>,
}

fn a_key(random: &SystemRandom) -> EcdsaKeyPair {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), random).expect("that key")
}

impl SignOn {
    /// A sign-on at this address that knows the shop by this id.
    pub fn at(issuer: &str, client_id: &str) -> SignOn {
        let random = SystemRandom::new();
        SignOn {
            issuer: issuer.into(),
            client_id: client_id.into(),
            pair: a_key(&random),
            other: a_key(&random),
            random,
            waiting: Mutex::new((BTreeMap::new(), Fault::None)),
        }
    }

    /// Serves on a free port of this machine until the program ends, by the machine's clock.
    ///
    /// # Panics
    /// When there is no port.
    #[expect(clippy::disallowed_methods, reason = "the program that asks goes by the machine's clock too")]
    pub fn serve(client_id: &str) -> Arc<SignOn> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = Arc::new(SignOn::at(&format!("http://{address}"), client_id));
        let serving = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let passed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
                let now =
                    Instant::from_micros(i64::try_from(passed.as_micros()).expect("a clock before 294000"));
                // Whoever hangs up is not answered.
                let _ = serving.answer_stream(&stream, now);
            }
        });
        served
    }

    /// Spoils the tokens from now on.
    pub fn spoil(&self, fault: Fault) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = fault;
    }

    /// Lets a person in who was sent here: where the browser goes back to.
    ///
    /// # Panics
    /// When the address is not one of ours.
    pub fn let_in(&self, url: &str, person: &Person) -> String {
        let asked = pairs(url.split_once('?').expect("a question").1);
        assert_eq!((&*asked["client_id"], &*asked["response_type"]), (&*self.client_id, "code"), "{url}");
        assert_eq!(&*asked["code_challenge_method"], "S256", "{url}");
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let code = format!("code-{}", &asked["state"][..16]);
        let back = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
        let one = Waiting {
            person: person.clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
        };
        waiting.0.insert(code, one);
        back
    }

    /// Answers a program that asks: the status and a document.
    pub fn answer(&self, url: &str, form: Option<&str>, now: Instant) -> (u16, String) {
        let path = url.strip_prefix(&self.issuer).unwrap_or(url);
        let answer = match (path, form) {
            ("/.well-known/openid-configuration", None) => Some(json!({
                "issuer": self.issuer,
                "authorization_endpoint": format!("{}/authorize", self.issuer),
                "token_endpoint": format!("{}/token", self.issuer),
                "jwks_uri": format!("{}/keys", self.issuer),
            })),
            ("/keys", None) => {
                let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
                let key = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "use": "sig", "x": base64url(x), "y": base64url(y) });
                Some(json!({ "keys": [key] }))
            }
            ("/token", Some(form)) => self
                .token(&pairs(form), now)
                .map(|token| json!({ "id_token": token, "token_type": "Bearer" })),
            _ => None,
        };
        match answer {
            Some(document) => (200, document.to_string()),
            None => (400, json!({ "error": "invalid_grant" }).to_string()),
        }
    }

    /// The token for a code, which is taken once by whoever knows the verifier.
    fn token(&self, form: &BTreeMap<String, String>, now: Instant) -> Option<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let one = waiting.0.remove(form.get("code")?)?;
        let fits = base64url(&Sha256::digest(form.get("code_verifier")?)) == one.challenge
            && *form.get("redirect_uri")? == one.redirect_uri;
        let (fault, seconds) = (waiting.1, now.micros() / 1_000_000);
        let spoiled = |which: Fault, right: &str| {
            if fault == which { format!("not-{right}") } else { right.to_owned() }
        };
        let said = json!({
            "iss": spoiled(Fault::Issuer, &self.issuer),
            "aud": spoiled(Fault::Audience, &self.client_id),
            "sub": one.person.subject,
            "exp": if fault == Fault::Expired { seconds - 3600 } else { seconds + 300 },
            "iat": seconds,
            "nonce": spoiled(Fault::Nonce, &one.nonce),
            "email": one.person.email,
            "email_verified": one.person.is_email_verified,
            "name": "Ada of Acme",
        });
        let pair = if fault == Fault::Key { &self.other } else { &self.pair };
        fits.then(|| self.signed(pair, &said))
    }

    fn signed(&self, pair: &EcdsaKeyPair, said: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": "1" });
        let message = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(said.to_string().as_bytes())
        );
        let signature = pair.sign(&self.random, message.as_bytes()).expect("a signature");
        format!("{message}.{}", base64url(signature.as_ref()))
    }

    fn answer_stream(&self, mut stream: &TcpStream, now: Instant) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0).min(FORM_BYTES_MAX);
            }
        }
        let mut form = vec![0; length];
        reader.read_exact(&mut form)?;
        let form = String::from_utf8_lossy(&form).into_owned();
        let path = line.split(' ').nth(1).unwrap_or_default();
        let (status, body) = self.answer(path, line.starts_with("POST").then_some(&*form), now);
        let head = format!(
            "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }
}

/// The pairs of a query or form.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
