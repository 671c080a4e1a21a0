//! Reading a command from a request: who asks, the JSON body, the idempotency key with the hash of everything asked, and `If-Match`.

mod named;

use std::any::TypeId;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::{HeaderMap, StatusCode, header};
use domain::actor::Actor;
use domain::{Code, Refusal};
use engine::{Key, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use crate::App;
use crate::caller::{Caller, refuse_other_sites};
use crate::problem::Problem;
use named::Named;

/// The most characters an idempotency key may have.
const KEY_LENGTH_MAX: usize = 255;

/// A command as asked: body of shape `T` (use `()` for none), who asks, and the idempotency key.
pub struct Command<T> {
    /// The body.
    pub body: T,
    /// Who asks and under which key; for [`App::perform`].
    pub request: Request,
    /// The version named in `If-Match`.
    pub if_match: Option<i64>,
}

/// The header of commands that move stock or money.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header; `Command` reads it")]
pub struct KeyRequired {
    /// A text of your own, 1 to 255 characters. The same key again gets the same answer and does nothing twice.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    key: String,
}

impl<T> Command<T> {
    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.request.actor
    }

    /// The version named in `If-Match`, for things that are changed only as they were read.
    ///
    /// # Errors
    /// The [`Problem`] that asks for it.
    pub fn version(&self) -> Result<i64, Problem> {
        let why = "give the ETag of what was read as If-Match, so that nobody's change is lost";
        self.if_match.ok_or_else(|| Refusal::new(Code::Stale, why).into())
    }

    /// Refuses unless an idempotency key was given, as everything that moves stock or money needs one.
    ///
    /// # Errors
    /// The [`Problem`] that says so.
    pub fn keyed(self) -> Result<Command<T>, Problem> {
        if self.request.key.is_some() {
            return Ok(self);
        }
        Err(Problem::unreadable(
            "give an Idempotency-Key header, so that repeating this after a lost answer does it only once",
        ))
    }
}

impl<T> Command<T> {
    /// Forgets the idempotency key, because the answer names a person or holds a secret and must not be kept.
    #[must_use]
    pub fn unkeyed(mut self) -> Command<T> {
        self.request.key = None;
        self
    }
}

impl<T: DeserializeOwned + 'static> FromRequest<App> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, app: &App) -> Result<Command<T>, Problem> {
        let (headers, bytes, request) = asked(request, app).await?;
        Ok(Command { body: read_json(&headers, &bytes)?, request, if_match: if_match(&headers)? })
    }
}

impl Command<Bytes> {
    /// A command whose body is a file, taken as it is.
    ///
    /// # Errors
    /// The [`Problem`] when it cannot be received, or nobody is known who asks.
    pub(crate) async fn of_file(
        request: axum::extract::Request,
        app: &App,
    ) -> Result<Command<Bytes>, Problem> {
        let (headers, body, request) = asked(request, app).await?;
        Command { body, request, if_match: if_match(&headers)? }.keyed()
    }
}

/// The headers and body of a request, who asks, and under which key.
async fn asked(request: axum::extract::Request, app: &App) -> Result<(HeaderMap, Bytes, Request), Problem> {
    let (mut parts, body) = request.into_parts();
    let Caller(actor) = Caller::from_request_parts(&mut parts, app).await?;
    let asked = Sha256::new()
        .chain_update(parts.method.as_str())
        .chain_update([0])
        .chain_update(parts.uri.to_string())
        .chain_update([0]);
    let headers = std::mem::take(&mut parts.headers);
    let bytes = receive(axum::extract::Request::from_parts(parts, body), app).await?;
    let key = key(&headers, asked.chain_update(&bytes).finalize().into())?;
    Ok((headers, bytes, Request { actor, key }))
}

/// The JSON body of a request that is open to everybody: nobody is asked for, and no idempotency key is kept.
pub(crate) struct Public<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest<App> for Public<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, app: &App) -> Result<Public<T>, Problem> {
        refuse_other_sites(request.headers())?;
        let headers = request.headers().clone();
        Ok(Public(read_json(&headers, &receive(request, app).await?)?))
    }
}

async fn receive(request: axum::extract::Request, app: &App) -> Result<Bytes, Problem> {
    Bytes::from_request(request, app).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::edge(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is larger than allowed",
            "send less at once, or use the bulk endpoints in parts",
        ),
        _ => Problem::unreadable("the body could not be received"),
    })
}

fn key(headers: &HeaderMap, input_hash: [u8; 32]) -> Result<Option<Key>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text =
        value.to_str().ok().map(str::trim).filter(|text| !text.is_empty() && text.len() <= KEY_LENGTH_MAX);
    let text = text.ok_or_else(|| {
        Problem::unreadable(format!(
            "the Idempotency-Key must be 1 to {KEY_LENGTH_MAX} visible ASCII characters"
        ))
    })?;
    Ok(Some(Key { text: text.to_owned(), input_hash }))
}

/// Reads a JSON body. A command whose body may be absent may send none; one that takes none (`()`) is given none.
fn read_json<T: DeserializeOwned + 'static>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    let takes_none = TypeId::of::<T>() == TypeId::of::<()>();
    if takes_none && !says_nothing(bytes) {
        return Err(Refusal::invalid("body", "this operation takes no body; send none, or {}").into());
    }
    let is_none = takes_none || bytes.is_empty();
    if let Some(none) = is_none.then(|| serde_json::from_str("null").ok()).flatten() {
        return Ok(none);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::edge(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "the body is not JSON",
            "send Content-Type: application/json",
        ));
    }
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let body = serde_path_to_error::deserialize(Named(&mut text)).map_err(|error| {
        let field = field_at(error.path(), &error.inner().to_string());
        misread(&field, &error.into_inner())
    })?;
    text.end().map_err(|error| misread("body", &error))?;
    refuse_nul(bytes)?;
    Ok(body)
}

/// Is this a body of programs that always send one, though there is nothing to say?
fn says_nothing(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let within = text.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    text.is_empty() || text == b"null" || within.is_some_and(|fields| fields.trim_ascii().is_empty())
}

/// Refuses texts with a NUL character, which not every database can keep: no text that people write has one.
fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    const WRITTEN: &[u8] = br"\u0000";
    if !bytes.windows(WRITTEN.len()).any(|part| part == WRITTEN) {
        return Ok(());
    }
    let document = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let why = "a text holds the character U+0000, leave it out";
    nul_in(&document, "").map_or(Ok(()), |field| Err(Refusal::invalid(field, why).into()))
}

/// The path of the first text with a NUL character; the name of a field is a text too.
fn nul_in(value: &Value, path: &str) -> Option<String> {
    let within = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(parts) => {
            parts.iter().enumerate().find_map(|(place, part)| nul_in(part, &within(&place.to_string())))
        }
        Value::Object(parts) => parts.iter().find_map(|(name, part)| {
            let field = within(&name.replace('\0', ""));
            if name.contains('\0') { Some(field) } else { nul_in(part, &field) }
        }),
        _ => None,
    }
}

fn misread(field: &str, error: &serde_json::Error) -> Problem {
    if error.is_data() {
        Refusal::invalid(field, error).into()
    } else {
        Problem::unreadable(format!("the body is not valid JSON: {error}"))
    }
}

/// The path of a field as in every refusal, such as `lines.0.quantity`; `body` for the body as a whole. Of a field that is not there,
/// or there twice, the path is the one of what it belongs to: what was said names it.
fn field_at(path: &Path, said: &str) -> String {
    let mut words: Vec<String> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let ways = ["missing field `", "duplicate field `"];
    let rest = ways.iter().find_map(|way| said.strip_prefix(way));
    words.extend(rest.and_then(|rest| rest.split_once('`')).map(|(name, _)| name.to_owned()));
    if words.is_empty() { "body".to_owned() } else { words.join(".") }
}

fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    version
        .map(Some)
        .ok_or_else(|| Problem::unreadable("If-Match must be the ETag that was given, such as \"7\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Two {
        one: Option<i64>,
        other: Option<i64>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only how it is read is looked at")]
    enum Either {
        Wrapped(Box<Two>),
        Fields { two: Two },
        Pair(i64, i64),
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Deep {
        two: Option<Two>,
        many: Vec<Two>,
        named: std::collections::BTreeMap<String, Two>,
        either: Option<Either>,
        pair: Option<(i64, Option<Two>)>,
    }

    fn read<T: DeserializeOwned + 'static>(body: &str) -> Result<T, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
        read_json(&headers, body.as_bytes())
    }

    #[test]
    fn a_list_is_not_read_as_the_fields_of_an_object() {
        let two = read::<Two>(" \n{\"other\": 5}").map(|two| (two.one, two.other));
        assert_eq!(two.ok(), Some((None, Some(5))));
        let bodies = [
            (" \n[null, 5]", "body"),
            ("{\"two\": [null, 5]}", "two"),
            ("{\"many\": [{}, [null, 5]]}", "many.1"),
            ("{\"named\": {\"a\": [null, 5]}}", "named.a"),
            ("{\"either\": {\"wrapped\": [null, 5]}}", "either"),
            ("{\"either\": {\"fields\": [{}]}}", "either"),
            ("{\"either\": {\"fields\": {\"two\": []}}}", "either.two"),
            ("{\"pair\": [1, [null, 5]]}", "pair.1"),
        ];
        for (body, field) in bodies {
            let problem = read::<Deep>(body).expect_err("a refusal");
            assert!(problem.is(Code::Invalid) && problem.names(field), "{body}: {problem:?}");
            let said = format!("{problem:?}");
            assert!(said.contains("invalid type: sequence, expected an object with named fields"), "{said}");
        }
    }

    #[test]
    fn what_is_a_list_is_read_as_one() {
        let deep = read::<Deep>(
            "{\"two\": null, \"many\": [{\"one\": 1}], \"named\": {\"a\": {}}, \"either\": {\"pair\": [1, 2]}, \"pair\": [3, null]}",
        );
        let deep = deep.expect("an object");
        assert_eq!((deep.many[0].one, deep.named.len()), (Some(1), 1));
        assert!(matches!((deep.either, deep.pair), (Some(Either::Pair(1, 2)), Some((3, None)))));
    }
}
