//! Pages of lists: `limit` and an opaque `cursor`, by key, so that a page is as fast at the end of a long list as at its start.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::value::{Id, Kind};
use engine::Failure;
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::app::document;
use crate::problem::Problem;

/// The most things on one page.
pub const LIMIT_MAX: i64 = 200;
/// How many there are when nothing is said.
const LIMIT: i64 = 50;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many things, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// How many to load.
    ///
    /// # Errors
    /// When it is not 1 to [`LIMIT_MAX`].
    pub fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(LIMIT);
        if (1..=LIMIT_MAX).contains(&limit) {
            Ok(limit)
        } else {
            Err(domain::Refusal::invalid("limit", format!("give 1 to {LIMIT_MAX}")).into())
        }
    }

    /// The text the cursor stands for; empty at the start.
    ///
    /// # Errors
    /// When it is not a cursor that was given out.
    pub fn after(&self) -> Result<String, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(String::new()) };
        let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| {
            Problem::unreadable("the cursor is not one that was given out; begin without a cursor")
        })
    }

    /// The id the cursor stands for; the zero id at the start.
    ///
    /// # Errors
    /// As [`PageQuery::after`].
    pub fn after_id<K: Kind>(&self) -> Result<Id<K>, Problem> {
        let text = self.after()?;
        if text.is_empty() {
            return Ok(Id::from_bytes([0; 16]));
        }
        Id::parse(&text)
            .map_err(|_| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
    }
}

impl PageQuery {
    /// As [`PageQuery::after_id`] for a list that goes from the newest down: the largest id at the start.
    ///
    /// # Errors
    /// As [`PageQuery::after`].
    pub fn before_id<K: Kind>(&self) -> Result<Id<K>, Problem> {
        let cursor = self.after_id()?;
        Ok(if cursor.bytes() == [0; 16] { Id::from_bytes([255; 16]) } else { cursor })
    }

    /// Answers the page of a list that goes from the newest down: `list` reads at most so many before one, `id` names a thing's own id.
    ///
    /// # Errors
    /// As [`PageQuery::limit`] and [`PageQuery::after`], and what the list refuses.
    pub(crate) async fn newest<K: Kind, S: Send + 'static, T: Serialize + for<'s> From<&'s S>>(
        &self,
        app: &App,
        mut list: impl FnMut(&mut Tx<'_>, Id<K>, i64) -> Result<Vec<S>, Failure> + Send + 'static,
        id: impl Fn(&T) -> String,
    ) -> Result<Response, Problem> {
        let (limit, before) = (self.limit()?, self.before_id()?);
        let found = app.read(move |tx| list(tx, before, limit)).await?;
        document(&Page::new(found.iter().map(T::from).collect(), limit, id), None)
    }
}

/// A page of things.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The things, in the list's order.
    pub items: Vec<T>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page whose list says itself after which text the next begins, because not everything it looked at is shown.
    pub(crate) fn until(items: Vec<T>, next: Option<String>) -> Page<T> {
        Page { items, next_cursor: next.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }

    /// A page made of at most `limit` things; `key` names the text the next page begins after.
    pub fn new(items: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Page<T> {
        let full = items.len() as i64 >= limit;
        let next_cursor = items.last().filter(|_| full).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        Page { items, next_cursor }
    }
}
