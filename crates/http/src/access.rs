//! What each operation needs. This is looked at before anything of a request is read, so that whoever may do nothing learns nothing;
//! the command itself then asks again, for the place it is about.
//!
//! A test holds that every operation of the API has a line here.

use std::collections::HashMap;
use std::sync::OnceLock;

use domain::Refusal;
use domain::actor::{Actor, Permission, Who};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};

use crate::caller::SESSION_COOKIE;

mod operations;

pub use operations::operations;

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is open to everybody, for this reason.
    Nothing(&'static str),
    /// Any credential: it tells or changes only what concerns who asks.
    Credential,
    /// One of these permissions, somewhere.
    OneOf(&'static [Permission]),
    /// One of these permissions, somewhere; or a customer who is signed in, for what is his own.
    Own(&'static [Permission]),
}

use Needs::{Credential, Nothing, OneOf, Own};

/// What the operation needs; `None` when it is not in the list.
pub fn needs_of(method: &str, path: &str) -> Option<Needs> {
    static BY_OPERATION: OnceLock<HashMap<(&str, &str), Needs>> = OnceLock::new();
    let by_operation = BY_OPERATION
        .get_or_init(|| operations().map(|(method, path, needs)| ((*method, *path), *needs)).collect());
    by_operation.get(&(method, path)).copied()
}

/// Refuses who has none of what the operation needs at any place.
///
/// # Errors
/// As [`Actor::may_somewhere`], naming the first of the permissions.
pub fn admit(actor: &Actor, needs: Needs) -> Result<(), Refusal> {
    let permissions = match needs {
        Nothing(_) | Credential => return Ok(()),
        Own(_) if matches!(actor.who, Who::Customer(_)) => return Ok(()),
        OneOf(permissions) | Own(permissions) => permissions,
    };
    let mut outcome = Ok(());
    for permission in permissions.iter().rev() {
        outcome = actor.may_somewhere(*permission);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Writes into the description which operations need a credential, of what kind, and which permissions.
pub(crate) fn describe(api: &mut OpenApi) {
    let mut key = Http::new(HttpAuthScheme::Bearer);
    key.description = Some("An API key: `Authorization: Bearer key_…`.".into());
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        SESSION_COOKIE,
        "A session; changes also need the header `X-CSRF-Token`.",
    ));
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    for (method, path, needs) in operations() {
        let item = api.paths.paths.get_mut(*path);
        let Some(operation) = item.and_then(|item| operation_of(item, method)) else { continue };
        let either =
            || ["key", "session"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
        operation.security = Some(if matches!(needs, Nothing(_)) { Vec::new() } else { either().to_vec() });
        if let OneOf(permissions) | Own(permissions) = needs {
            let names: Vec<String> =
                permissions.iter().map(|permission| format!("`{}`", permission.text())).collect();
            let told = operation.description.take().map_or_else(String::new, |told| told + "\n\n");
            let own = if matches!(needs, Own(_)) {
                "; or a customer who is signed in, for what is his own"
            } else {
                ""
            };
            operation.description = Some(format!("{told}Needs the permission {}{own}.", names.join(" or ")));
        }
    }
}

fn operation_of<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    let operation = match method {
        "GET" => &mut item.get,
        "PUT" => &mut item.put,
        "POST" => &mut item.post,
        "PATCH" => &mut item.patch,
        _ => &mut item.delete,
    };
    operation.as_mut()
}
