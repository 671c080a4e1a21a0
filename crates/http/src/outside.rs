//! What a request has to ask of another program before it can be answered: only the retailer's own sign-on. Whoever starts the shop hands in how.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::value::Instant;
use futures_util::future::BoxFuture;

/// For how long what a sign-on publishes is believed, in seconds.
const KEPT_SECONDS: i64 = 300;
/// The most documents that are kept.
const DOCUMENTS_MAX: usize = 200;

/// A question to another program: a form that is posted, or else something to be read.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where.
    pub url: String,
    /// With these headers.
    pub headers: Vec<(&'static str, String)>,
    /// The form.
    pub form: Option<String>,
}

/// The status and the body, or why there is no answer.
pub type Answer = Result<(u16, Bytes), String>;

/// Asks other programs. Cheap to clone.
#[derive(Clone)]
pub struct Outside(Arc<dyn Fn(Question) -> BoxFuture<'static, Answer> + Send + Sync>);

impl Outside {
    /// Asks by this.
    pub fn new(ask: impl Fn(Question) -> BoxFuture<'static, Answer> + Send + Sync + 'static) -> Outside {
        Outside(Arc::new(ask))
    }

    /// Asks.
    pub(crate) async fn ask(&self, question: Question) -> Answer {
        (self.0)(question).await
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Outside")
    }
}

/// Documents that others publish, kept for a while.
#[derive(Default)]
pub(crate) struct Published(Mutex<HashMap<String, (Instant, Bytes)>>);

impl Published {
    /// What was published at an address, if it was read not long ago.
    pub(crate) fn kept(&self, url: &str, now: Instant) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, document) = kept.get(url)?;
        (at.plus_seconds(KEPT_SECONDS) > now).then(|| document.clone())
    }

    /// Keeps what was read.
    pub(crate) fn keep(&self, url: &str, document: Bytes, now: Instant) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= DOCUMENTS_MAX {
            kept.clear();
        }
        kept.insert(url.to_owned(), (now, document));
    }
}
