//! Mail: messages are handed over by SMTP to who carries them, each between two transactions and, once it may have been taken, never again.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::actor::Actor;
use domain::message::Kind;
use engine::consent::link;
use engine::job::Job;
use engine::message::send::{self, Letter, MAIL, Outcome};
use engine::{Failure, Shop, World, contact};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};
use store::Tx;

use crate::job::Outside;

/// How long the carrier of mail may take for one step.
const STEP_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long it may take from the connection to the words; shorter than a job's call, so that what was not begun is known to be not taken.
const BEFORE_WAIT_MAX: Duration = Duration::from_secs(20);
/// The line in a message's words that stands for its link.
const LINK: &str = "{link}";

/// Where mail is handed over, and from whom it is.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `smtps://host:465` for a connection that is encrypted from the start, `smtp://host:587` for one that is from `STARTTLS` on.
    pub server: String,
    /// The name to sign in by; empty for none.
    pub user: String,
    /// The password to it.
    pub password: String,
    /// From whom it is, such as `The Shop <news@shop.example>`.
    pub from: String,
    /// Where customers reach the shop's pages, such as `https://shop.example`.
    pub public_address: String,
}

/// How the connection is encrypted.
#[derive(Clone)]
enum Encryption {
    /// From the start.
    Always(TlsParameters),
    /// From `STARTTLS` on, without which nothing is handed over.
    Upgraded(TlsParameters),
    /// Not at all, to a carrier on this machine.
    None,
}

/// Hands mail over.
#[derive(Clone)]
pub struct Mail {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    from: Mailbox,
    public_address: String,
    shop: Shop,
}

impl Mail {
    /// Mail by these settings; `roots` is a file with more root certificates that are believed.
    ///
    /// # Errors
    /// Which setting cannot be understood, and why.
    pub fn new(settings: &Settings, roots: Option<&Path>, shop: Shop) -> Result<Mail, String> {
        let from =
            settings.from.parse().map_err(|why| format!("mail_from: {why}; give Name <name@domain>"))?;
        let (is_encrypted, rest) = match settings.server.split_once("://") {
            Some(("smtps", rest)) => (true, rest),
            Some(("smtp", rest)) => (false, rest),
            _ => return Err("mail_server: give smtps://host:465 or smtp://host:587".into()),
        };
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or("mail_server: name the port")?;
        let port = port.parse().map_err(|_| "mail_server: the port is no number")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let is_here =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let encryption = match (is_encrypted, is_here && settings.password.is_empty()) {
            (true, _) => Encryption::Always(encrypted(&host, roots)?),
            (false, true) => Encryption::None,
            (false, false) => Encryption::Upgraded(encrypted(&host, roots)?),
        };
        let named = || Credentials::new(settings.user.clone(), settings.password.clone());
        let credentials = (!settings.user.is_empty()).then(named);
        let public_address = settings.public_address.trim_end_matches('/').to_owned();
        Ok(Mail { host, port, encryption, credentials, from, public_address, shop })
    }

    /// A connection, greeted and signed in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let name = ClientId::Domain(self.from.email.domain().to_owned());
        let at_once = match &self.encryption {
            Encryption::Always(parameters) => Some(parameters.clone()),
            Encryption::Upgraded(_) | Encryption::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut open =
            AsyncSmtpConnection::connect_tokio1(server, Some(STEP_WAIT_MAX), &name, at_once, None).await?;
        if let Encryption::Upgraded(parameters) = &self.encryption {
            open.starttls(parameters.clone(), &name).await?;
        }
        if let Some(credentials) = &self.credentials {
            open.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(open)
    }

    /// Everything up to the words: until then nothing was taken, whatever happens.
    async fn prepare(&self, to: &Address, is_ascii: bool) -> Result<AsyncSmtpConnection, Outcome> {
        let mut open = self.connect().await.map_err(|error| {
            tracing::info!(%error, "the carrier of mail cannot be reached");
            Outcome::Later
        })?;
        let mut options = Vec::new();
        if !is_ascii && open.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = MailFrom::new(Some(self.from.email.clone()), options);
        open.command(from).await.map_err(|error| failed(&error, Outcome::Refused))?;
        let to = Rcpt::new(to.clone(), Vec::new());
        open.command(to).await.map_err(|error| failed(&error, Outcome::NoSuchAddress))?;
        open.command(Data).await.map_err(|error| failed(&error, Outcome::Refused))?;
        Ok(open)
    }

    /// Hands a mail over.
    async fn hand_over(&self, to: &Address, text: &[u8]) -> Outcome {
        let prepared = tokio::time::timeout(BEFORE_WAIT_MAX, self.prepare(to, text.is_ascii())).await;
        let mut open = match prepared {
            Ok(Ok(open)) => open,
            Ok(Err(outcome)) => return outcome,
            Err(_) => return Outcome::Later,
        };
        let outcome = match open.message(text).await {
            Ok(_) => Outcome::Taken,
            Err(error) if error.is_permanent() => Outcome::Refused,
            Err(error) if error.is_transient() => Outcome::Later,
            Err(_) => Outcome::Interrupted,
        };
        open.abort().await;
        outcome
    }

    /// The mail as it is read, and to which address.
    fn written(&self, letter: &Letter) -> Option<(Address, Vec<u8>)> {
        let card = contact::unsealed(&self.shop.keyring, letter.contact, &letter.sealed)?;
        let to: Address = card.text().email.as_deref()?.parse().ok()?;
        let message = &letter.message;
        let link = self.link(letter);
        let mut words = letter.in_full(&self.shop.keyring);
        words.paragraphs.retain(|one| link.is_some() || one != LINK);
        let (link, words) = (link.unwrap_or_default(), &words);
        let plain = words.paragraphs.join("\n\n").replace(LINK, &link);
        let id = format!("<{}.{}@{}>", message.id, message.tries, self.from.email.domain());
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(words.subject.clone())
            .message_id(Some(id))
            .date(self.now());
        let body = MultiPart::alternative_plain_html(plain, as_html(message.language.code(), words, &link));
        let mut mail = builder.multipart(body).ok()?;
        if message.kind == Kind::Marketing {
            let one_click = format!("<{link}/unsubscribe>");
            for (name, value) in [
                ("List-Unsubscribe", one_click),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
            ] {
                let name = HeaderName::new_from_ascii(name.to_owned()).ok()?;
                mail.headers_mut().insert_raw(HeaderValue::new(name, value));
            }
        }
        Some((to, mail.formatted()))
    }

    /// Where a letter leads on the shop's pages: to what a person chooses or confirms, or to an invitation, which can be accepted by its code alone
    /// where nobody says what the pages' address is.
    fn link(&self, letter: &Letter) -> Option<String> {
        let (keyring, at) = (&self.shop.keyring, &self.public_address);
        if let Some(id) = letter.message.link {
            return Some(format!("{at}/p/{}", link::token(keyring, id)));
        }
        let code = letter.invitation_code(keyring).filter(|_| !at.is_empty());
        code.map(|code| format!("{at}/join/{code}"))
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.shop.source.now().micros().unsigned_abs())
    }
}

/// The parameters of an encrypted connection to a host.
fn encrypted(host: &str, roots: Option<&Path>) -> Result<TlsParameters, String> {
    let mut builder =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(file) = roots {
        let failed = |why: &dyn std::fmt::Display| format!("root_certificates: {}: {why}", file.display());
        let text = std::fs::read(file).map_err(|error| failed(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&text).map_err(|error| failed(&error))?);
    }
    builder.build().map_err(|error| format!("mail_server: {error}"))
}

/// What an error before the words means: one that is for good means `refused`, any other that it may be tried again.
fn failed(error: &Error, refused: Outcome) -> Outcome {
    if error.is_permanent() { refused } else { Outcome::Later }
}

/// The words as a page: every paragraph one, the link one that can be followed.
fn as_html(language: &str, words: &domain::message::words::Written, link: &str) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let paragraph = |text: &String| {
        if text == LINK {
            let link = escaped(link);
            format!("<p><a href=\"{link}\">{link}</a></p>\n")
        } else {
            format!("<p>{}</p>\n", escaped(text))
        }
    };
    let paragraphs: String = words.paragraphs.iter().map(paragraph).collect();
    let title = escaped(&words.subject);
    format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n{paragraphs}</body>\n</html>\n"
    )
}

impl Outside for Mail {
    type Ask = Arc<Letter>;
    type Answer = Outcome;

    fn kinds(&self) -> &'static [&'static str] {
        &[MAIL]
    }

    fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Arc<Letter>>, Failure> {
        Ok(send::letter(tx, job)?.map(Arc::new))
    }

    async fn call(&self, letter: Arc<Letter>) -> Result<Outcome, String> {
        if letter.begun_before {
            return Ok(Outcome::Interrupted);
        }
        let Some((to, text)) = self.written(&letter) else { return Ok(Outcome::Refused) };
        Ok(self.hand_over(&to, &text).await)
    }

    fn record(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        letter: &Arc<Letter>,
        outcome: &Outcome,
    ) -> Result<(), Failure> {
        send::record(tx, actor, world, letter, *outcome)
    }
}

#[cfg(test)]
mod tests {
    use domain::message::Template;
    use domain::value::Email;
    use domain::value::id::CompanyInvitation;
    use engine::consent::subscriber;
    use engine::job::{self, Registry};
    use engine::message::{self, NewMessage};
    use serde_json::json;
    use sim::shop::{TestShop, on_every_engine};

    use super::*;

    /// The mail that invites somebody, as it leaves where the shop's pages have this address; and the code of the invitation.
    fn invited(shop: &TestShop, public_address: &str) -> (String, String) {
        let email = Email::parse("ada@example.com").expect("an address");
        let invite = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World| {
            let to = subscriber::of_email(tx, actor, world, &email, None)?.0.id;
            let (template, id) = (Template::CompanyInvitation, world.id::<CompanyInvitation>());
            let parameters = json!({ "invitation": id.to_string(), "days": 14 });
            let (contact, cell, link, due_at, language) = (None, None, None, None, None);
            let new = NewMessage { to, contact, template, parameters, cell, link, due_at, language };
            message::write(tx, actor, world, new).map(drop)
        };
        shop.run(invite).expect("invited");
        let registry = Registry::default().on(message::SEND, send::leave);
        while job::turn(&shop.shop, &registry).expect("a turn") > 0 {}
        let due = job::due(&shop.shop, &[MAIL.to_owned()], 64).expect("jobs").pop().expect("a mail");
        let take = move |tx: &mut Tx<'_>, _: &Actor, _: &mut World| {
            assert!(job::take(tx, &due)?);
            send::letter(tx, &due)
        };
        let letter = shop.run(take).expect("a read").expect("a letter");
        let settings = Settings {
            server: "smtp://localhost:25".into(),
            from: "The Shop <news@shop.example>".into(),
            public_address: public_address.into(),
            ..Settings::default()
        };
        let mail = Mail::new(&settings, None, shop.shop.clone()).expect("settings that are understood");
        let (_, text) = mail.written(&letter).expect("words");
        let text = String::from_utf8_lossy(&text).replace("=\r\n", "").replace("=3D", "=");
        (text, letter.invitation_code(&shop.shop.keyring).expect("a code"))
    }

    #[test]
    fn an_invitation_brings_its_code_wherever_the_pages_are() {
        on_every_engine(|shop| {
            for address in ["", "https://shop.example/"] {
                let (text, code) = invited(shop, address);
                let link = format!("https://shop.example/join/{code}");
                assert_eq!(text.contains(&link), !address.is_empty(), "{text}");
                assert_eq!(text.contains("href"), !address.is_empty(), "{text}");
                let by_itself = format!("give this code within 14 days: {code}");
                assert!(text.contains(&by_itself) && !text.contains(LINK), "{text}");
            }
        });
    }
}
