//! Signing in and out over the API, and setting passwords: by the first owner's set-up link, by invitation, or anew.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::actor::{Actor, Permission, password};
use domain::value::Email;
use domain::{Code, Refusal};
use engine::actor::session::{self, Opened};
use engine::actor::{link, password as hashes, staff};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::staff::read_name;
use crate::App;
use crate::app::document;
use crate::caller::{Caller, SESSION_COOKIE, session_token};
use crate::command::{Command, Public};
use crate::observe::address_of;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of sessions.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, read_session, sign_out))
        .routes(routes!(change_password))
        .routes(routes!(set_up_shop))
        .routes(routes!(accept_invitation))
}

/// Permissions at a place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Grant, example = json!({"permissions": ["orders:read"]}))]
struct GrantShape {
    /// Where; everywhere when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// What is allowed there.
    permissions: Vec<&'static str>,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
#[schema(as = Session, example = json!({"who": "staff:stf_01jd0000000000000000000000", "name": "Ada Byron", "grants": [{"permissions": ["orders:read"]}],
    "csrf_token": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}))]
pub(crate) struct SessionShape {
    /// Kind and id: `staff:stf_…` or `key:key_…`.
    who: String,
    /// What colleagues call the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The sales channel all requests come through.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// What is allowed, and where.
    grants: Vec<GrantShape>,
    /// To be sent as `X-CSRF-Token` with every change; only for those signed in by cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
}

/// E-mail and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn, example = json!({"email": "ada@example.com", "password": "a few words to keep in mind"}))]
struct SignInShape {
    /// The e-mail.
    #[schema(max_length = 254)]
    email: String,
    /// The password.
    #[schema(max_length = 200)]
    password: String,
}

/// Sign in
///
/// Sets the cookie `tandem_session`. It ends after 8 hours without a request, and after 7 days. Too many attempts are refused for a while.
#[utoipa::path(post, path = "/v1/session", operation_id = "sign_in", tag = "access", request_body = SignInShape,
    responses((status = 200, body = SessionShape), Problems))]
async fn sign_in(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    Public(given): Public<SignInShape>,
) -> Result<Response, Problem> {
    let opened = by_password(&app, &given.email, given.password, (&extensions, &headers)).await?;
    welcome(&app, opened).await
}

/// A session for who knows the password of this address.
pub(crate) async fn by_password(
    app: &App,
    email: &str,
    password: String,
    (extensions, headers): (&Extensions, &HeaderMap),
) -> Result<Opened, Problem> {
    let mut fields = Fields::new();
    let email = fields.take("email", Email::parse(email));
    let email = fields.done(email)?;
    let keyring = app.shop.keyring.clone();
    let address = address_of(extensions, headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(staff::email_hash(&keyring, &email), address)?;
    let account = app.read(move |tx| session::account(tx, &keyring, &email)).await?;
    let stored = account.as_ref().map(|(_, stored)| stored.clone());
    let right = is_right(app, password, stored).await?;
    let Some((id, checked)) = account.filter(|_| right) else { return Err(session::wrong().into()) };
    app.write(move |tx, world| session::sign_in(tx, world, id, &checked)).await
}

/// Who am I?
///
/// For staff who are signed in and for programs with a key.
#[utoipa::path(get, path = "/v1/session", operation_id = "read_session", tag = "access",
    responses((status = 200, body = SessionShape), Problems))]
async fn read_session(
    State(app): State<App>,
    Caller(actor): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (keyring, asker) = (app.shop.keyring.clone(), actor.clone());
    let member = app.read(move |tx| session::who(tx, &keyring, &asker)).await?;
    let token = session_token(&headers).filter(|_| member.is_some());
    document(&shown(&actor, member.map(|member| member.name.name), token.as_deref()), None)
}

/// Sign out
#[utoipa::path(delete, path = "/v1/session", operation_id = "sign_out", tag = "access", responses((status = 204), Problems))]
async fn sign_out(
    State(app): State<App>,
    Caller(actor): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = session_token(&headers) {
        app.write(move |tx, world| session::sign_out(tx, &actor, world, &token)).await?;
    }
    let cookie = cookie("", 0, app.edge.settings.https)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPassword, example = json!({"current": "a few words to keep in mind", "password": "other words to keep in mind"}))]
struct NewPasswordShape {
    /// The password until now.
    #[schema(max_length = 200)]
    current: String,
    /// The new one: 12 to 200 characters, and not the e-mail.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}

/// Change the own password
///
/// Other sessions of the same member end.
#[utoipa::path(put, path = "/v1/session/password", operation_id = "change_password", tag = "access", request_body = NewPasswordShape,
    responses((status = 204), Problems))]
async fn change_password(
    State(app): State<App>,
    headers: HeaderMap,
    command: Command<NewPasswordShape>,
) -> Result<Response, Problem> {
    let (given, actor) = (command.body, command.request.actor);
    let (keyring, asker) = (app.shop.keyring.clone(), actor.clone());
    let (stored, member) = app
        .read(move |tx| Ok((session::own_password(tx, &asker)?.1, session::who(tx, &keyring, &asker)?)))
        .await?;
    if let Some(member) = member {
        password::check(&given.password, member.name.email.as_str())?;
        app.edge.limits.count_sign_in(staff::email_hash(&app.shop.keyring, &member.name.email), None)?;
    }
    let right = is_right(&app, given.current, stored.clone()).await?;
    let Some(checked) = stored.filter(|_| right) else {
        return Err(Refusal::new(Code::Invalid, "this is not the current password").at("current").into());
    };
    let change = session::NewPassword { checked, new: hash(&app, given.password).await? };
    let token = session_token(&headers).unwrap_or_default();
    app.write(move |tx, world| session::change_password(tx, &actor, world, &change, &token)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The first owner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetUp, example = json!({"token": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "name": "Ada Byron",
    "email": "ada@example.com", "password": "a few words to keep in mind"}))]
struct SetUpShape {
    /// What stands in the link that the program printed at its first start.
    #[schema(max_length = 64)]
    token: String,
    /// What colleagues call the owner: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The e-mail to sign in with.
    #[schema(max_length = 254)]
    email: String,
    /// 12 to 200 characters, and not the e-mail.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}

/// Set up the shop
///
/// Makes the first owner and signs him in. The link works once, within a day.
#[utoipa::path(post, path = "/v1/setup", operation_id = "set_up_shop", tag = "access", request_body = SetUpShape,
    responses((status = 200, body = SessionShape), Problems))]
async fn set_up_shop(State(app): State<App>, Public(given): Public<SetUpShape>) -> Result<Response, Problem> {
    check_link(&app, &given.token).await?;
    let mut fields = Fields::new();
    let name = read_name(&mut fields, &given.name, &given.email);
    if let Err(refusal) = password::check(&given.password, given.email.trim()) {
        fields.refuse("password", refusal.message());
    }
    let name = fields.done(name)?;
    let hashed = hash(&app, given.password).await?;
    let opened = app.write(move |tx, world| link::set_up(tx, world, &given.token, &name, &hashed)).await?;
    welcome(&app, opened).await
}

/// An invitation with the password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptedInvitation, example = json!({"token": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    "password": "a few words to keep in mind"}))]
struct AcceptedShape {
    /// The invitation.
    #[schema(max_length = 64)]
    token: String,
    /// 12 to 200 characters, and not the e-mail.
    #[schema(min_length = 12, max_length = 200)]
    password: String,
}

/// Accept an invitation
///
/// Sets the member's password and signs him in. The invitation works once, within a day.
#[utoipa::path(post, path = "/v1/invitations", operation_id = "accept_invitation", tag = "access", request_body = AcceptedShape,
    responses((status = 200, body = SessionShape), Problems))]
async fn accept_invitation(
    State(app): State<App>,
    Public(given): Public<AcceptedShape>,
) -> Result<Response, Problem> {
    let invited = check_link(&app, &given.token).await?;
    password::check(&given.password, invited.as_ref().map_or("", |name| name.email.as_str()))?;
    let hashed = hash(&app, given.password).await?;
    let opened = app.write(move |tx, world| link::accept(tx, world, &given.token, &hashed)).await?;
    welcome(&app, opened).await
}

/// Refuses a link that does not work before anything costly is done for it.
async fn check_link(app: &App, token: &str) -> Result<Option<staff::Name>, Problem> {
    let (token, now, keyring) = (token.to_owned(), app.shop.source.now(), app.shop.keyring.clone());
    app.read(move |tx| link::check(tx, &keyring, &token, now)).await
}

/// Answers somebody who just signed in, with the cookie.
pub(crate) async fn welcome(app: &App, opened: Opened) -> Result<Response, Problem> {
    let (token, now) = (opened.token.clone(), app.shop.source.now());
    let actor = app.read(move |tx| session::recognise(tx, &token, now)).await?.actor;
    let mut response = document(&shown(&actor, Some(opened.member.name.name), Some(&opened.token)), None)?;
    let cookie = cookie(&opened.token, session::LIFE_SECONDS, app.edge.settings.https)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn shown(actor: &Actor, name: Option<String>, token: Option<&str>) -> SessionShape {
    let grant = |grant: &domain::actor::Grant| GrantShape {
        location: grant.location.map(|id| id.to_string()),
        permissions: grant.permissions.each().map(Permission::text).collect(),
    };
    SessionShape {
        who: actor.who.label(),
        name,
        channel: actor.channel.map(|id| id.to_string()),
        grants: actor.grants.iter().map(grant).collect(),
        csrf_token: token.map(session::csrf_token),
    }
}

/// The cookie of a session: unreadable for scripts, and not sent when another site posts.
fn cookie(token: &str, seconds: i64, https: bool) -> Result<HeaderValue, Problem> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|_| Problem::fault())
}

/// Checks a password away from the threads that serve, a few at once.
async fn is_right(app: &App, given: String, stored: Option<String>) -> Result<bool, Problem> {
    let _permit = app.edge.passwords.acquire().await.map_err(|_| Problem::fault())?;
    let check = move || hashes::is_right(&given, stored.as_deref());
    tokio::task::spawn_blocking(check).await.map_err(|_| Problem::fault())
}

/// Hashes a password likewise.
async fn hash(app: &App, given: String) -> Result<String, Problem> {
    let _permit = app.edge.passwords.acquire().await.map_err(|_| Problem::fault())?;
    let salt = app.shop.world().bytes();
    let hashed = tokio::task::spawn_blocking(move || hashes::hash(&given, salt)).await;
    Ok(hashed.map_err(|_| Problem::fault())??)
}
