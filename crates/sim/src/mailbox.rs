//! A mailbox for tests: a small carrier of mail on this machine that takes what is handed over by SMTP, keeps it to be looked at, and knows
//! nobody whose address begins with `nobody`.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// How long a mail is waited for.
const WAIT: Duration = Duration::from_secs(20);
/// How long it takes to be sure that no mail comes.
const QUIET: Duration = Duration::from_millis(1500);

/// A carrier of mail. It ends with the test.
pub struct Mailbox {
    address: SocketAddr,
    mails: Receiver<Mail>,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To which address.
    pub to: String,
    /// Head and body as they came, soft line breaks of `quoted-printable` undone.
    pub text: String,
}

impl Mail {
    /// A line of its head.
    pub fn head(&self, name: &str) -> Option<&str> {
        let beginning = format!("{}: ", name.to_lowercase());
        let line = self.text.lines().find(|line| line.to_lowercase().starts_with(&beginning))?;
        Some(&line[beginning.len()..])
    }

    /// The path of the link to preferences in it.
    pub fn link(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("/p/")?;
        let end = rest.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(rest.len());
        let start = self.text.len() - rest.len() - "/p/".len();
        Some(&self.text[start..start + "/p/".len() + end])
    }
}

impl Mailbox {
    /// Opens one on a free port of this machine.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn open() -> Result<Mailbox, Failure> {
        let failed = |error| Failure::new("opening a mailbox", error);
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (teller, mails) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let teller = teller.clone();
                thread::spawn(move || drop(talk(stream, &teller)));
            }
        });
        Ok(Mailbox { address, mails })
    }

    /// Where mail is handed over, as the settings name it.
    pub fn server(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The next mail.
    ///
    /// # Panics
    /// When none comes for a long time.
    pub fn next(&self) -> Mail {
        self.mails.recv_timeout(WAIT).expect("a mail comes")
    }

    /// Makes sure that no mail comes for a while.
    ///
    /// # Panics
    /// When one does.
    pub fn must_be_quiet(&self) {
        let came = self.mails.recv_timeout(QUIET);
        assert!(came.is_err(), "nothing was to be sent: {came:?}");
    }
}

/// One conversation with who hands mail over.
fn talk(stream: TcpStream, teller: &Sender<Mail>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    let mut say = |words: &str| out.write_all(format!("{words}\r\n").as_bytes());
    say("220 mailbox")?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let asked = line.trim_end().to_owned();
        match asked.to_ascii_uppercase() {
            word if word.starts_with("EHLO") => say("250-mailbox\r\n250 8BITMIME")?,
            word if word.starts_with("RCPT TO:<NOBODY") => say("550 5.1.1 nobody of this name")?,
            word if word.starts_with("RCPT") => {
                to = asked.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                say("250 ok")?;
            }
            word if word.starts_with("DATA") => {
                say("354 go on")?;
                let text = read_words(&mut lines)?;
                say("250 taken")?;
                let _ = teller.send(Mail { to: to.clone(), text });
            }
            word if word.starts_with("QUIT") => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

/// The words up to the lonely full stop.
fn read_words(lines: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line.trim_end() == "." {
            return Ok(text.replace("=\r\n", "").replace("=3D", "="));
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
