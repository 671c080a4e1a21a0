//! The one door for every command: claims the idempotency key with the input's hash, opens the transaction, hands in the world,
//! and records the answer in the same transaction.

use std::sync::Arc;

use domain::actor::{Actor, Who};
use domain::{Code, Refusal};
use sha2::{Digest, Sha256};
use store::idempotency::{self, Claim};
use store::{Db, Tx};

use crate::{Failure, Keyring, Source, World};

/// The open shop: its books, its clock and chance, its keys.
#[derive(Clone)]
pub struct Shop {
    /// The books.
    pub db: Db,
    /// Where time, ids and chance come from.
    pub source: Arc<dyn Source>,
    /// The keys that protect personal data.
    pub keyring: Arc<Keyring>,
}

impl Shop {
    /// The world for one command, now.
    pub fn world(&self) -> World {
        let now = self.source.now();
        World::new((now, self.source.turns().next(now)), self.source.seed(), self.keyring.clone())
    }
}

/// A key chosen by whoever asks, under which a command is done once and answered the same way ever after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The text chosen, 1 to 255 characters.
    pub text: String,
    /// The hash of everything that was asked: the same key with another input is refused.
    pub input_hash: [u8; 32],
}

impl Key {
    /// What the key is kept under: it is the asker's own, nobody else can meet it.
    fn hash(&self, who: Who) -> [u8; 32] {
        Sha256::new().chain_update(who.label()).chain_update([0]).chain_update(&self.text).finalize().into()
    }
}

/// Who asks, and under which key.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// The idempotency key, if one was given.
    pub key: Option<Key>,
}

/// What was answered: a status of the edge and a body, recorded with the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status at the edge, such as 201.
    pub status: u16,
    /// The body, a JSON document.
    pub body: String,
    /// The version of the thing answered, for `ETag`.
    pub version: Option<i64>,
    /// It was answered before, and is only repeated.
    pub repeated: bool,
}

/// Runs a command through the door and calls `done` once it is durably kept, or undone.
///
/// `command` may run several times when commands meet on the same rows; only one run counts.
pub fn perform(
    shop: &Shop,
    request: Request,
    mut command: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<Answer, Failure> + Send + 'static,
    done: impl FnOnce(Result<Answer, Failure>) + Send + 'static,
) {
    let shop = shop.clone();
    let db = shop.db.clone();
    let work = move |tx: &mut Tx<'_>| {
        let mut world = shop.world();
        let Some(key) = &request.key else { return command(tx, &request.actor, &mut world) };
        let key_hash = key.hash(request.actor.who);
        match idempotency::claim(tx, &key_hash, &key.input_hash, world.now())? {
            Claim::New => {}
            Claim::Answered { status, answer } => {
                return Ok(Answer {
                    status: u16::try_from(status).unwrap_or(200),
                    body: answer,
                    version: None,
                    repeated: true,
                });
            }
            Claim::OtherInput => {
                return Err(Refusal::new(
                    Code::IdempotencyKeyReused,
                    "this idempotency key was used before with another input; use a new key",
                )
                .into());
            }
        }
        let answer = command(tx, &request.actor, &mut world)?;
        idempotency::record(tx, &key_hash, i64::from(answer.status), &answer.body)?;
        Ok(answer)
    };
    db.write_then(work, done);
}
