//! The retailer's own sign-on over the API: where to go, and coming back with a code. What the sign-on says is asked of itself, between two
//! commands.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use domain::sign_in::sign_on::{Audience, Claims};
use domain::value::{Id, Reference, id};
use domain::{Code, Refusal};
use engine::external;
use engine::sign_in::provider::{self, Provider};
use engine::sign_in::sign_on::{self, Away, Back};
use engine::sign_in::token::{self, Discovery, Doubt};
use engine::sign_in::{Entrance, Opened};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SignedInShape;
use super::passkey::own_origin;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::command::Command;
use crate::observe::address_of;
use crate::outside::Question;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of signing in by the retailer's own sign-on.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_sign_ons, begin_sign_on)).routes(routes!(finish_sign_on))
}

/// A sign-on that can be chosen.
#[derive(Serialize, ToSchema)]
#[schema(as = SignOn, example = json!({"code": "acme", "name": "Acme"}))]
pub(super) struct SignOnShape {
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
}

impl From<Provider> for SignOnShape {
    fn from(one: Provider) -> SignOnShape {
        SignOnShape { code: one.code, name: one.name }
    }
}

/// List the sign-ons customers can choose
#[utoipa::path(get, path = "/v1/customer-session/sign-ons", operation_id = "list_sign_ons", tag = "customer",
    responses((status = 200, body = Page<SignOnShape>), Problems))]
async fn list_sign_ons(State(app): State<App>, Caller(_): Caller) -> Result<Response, Problem> {
    let found = app.read(|tx| provider::open_to(tx, Audience::Customers)).await?;
    let items = found.into_iter().map(SignOnShape::from).collect();
    document(&Page { items, next_cursor: None }, None)
}

/// Who wants to go to which sign-on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSignOn, example = json!({"provider": "acme", "redirect_uri": "https://shop.example/signed-in"}))]
pub(super) struct NewSignOnShape {
    /// The sign-on: its code or id.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) provider: String,
    /// The page that the browser comes back to, of an origin of an active channel. The sign-on must know it too.
    #[schema(max_length = 500)]
    pub(super) redirect_uri: String,
}

/// Where to go.
#[derive(Serialize, ToSchema)]
#[schema(as = SignOnBegun, example = json!({"url": "https://id.example/authorize?client_id=shop", "state": "5f2c4d1e0b9a8877665544332211ffee",
    "expires_at": "2026-11-21T09:40:00Z"}))]
pub(super) struct AwayShape {
    /// Where the browser goes.
    url: String,
    /// What it brings back. Keep it in the browser, and take back nobody who brings another.
    state: String,
    /// From when on it is too late.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<Away> for AwayShape {
    fn from(away: Away) -> AwayShape {
        AwayShape { url: away.url, state: away.state, expires_at: away.expires_at.to_string() }
    }
}

/// Go to a sign-on
///
/// Send the browser to `url`; it comes back to `redirect_uri` with `code` and `state`. It can come back once, within ten minutes.
#[utoipa::path(post, path = "/v1/customer-session/sign-ons", operation_id = "begin_sign_on", tag = "customer", request_body = NewSignOnShape,
    responses((status = 200, body = AwayShape), Problems))]
async fn begin_sign_on(
    State(app): State<App>,
    command: Command<NewSignOnShape>,
) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let (actor, asked) = (command.request.actor, command.body);
    let reference = Reference::read(&asked.provider);
    let chosen = app.read(move |tx| sign_on::chosen(tx, &actor, &reference, Audience::Customers)).await?;
    let away = begin(&app, chosen, asked.redirect_uri).await?;
    document(&AwayShape::from(away), None)
}

/// Sends somebody to a sign-on.
pub(super) async fn begin(app: &App, provider: Provider, redirect_uri: String) -> Result<Away, Problem> {
    let own = own_origin(app);
    let (back, ours, audience) = (redirect_uri.clone(), own.clone(), provider.audience);
    app.read(move |tx| sign_on::check_redirect(tx, &back, ours.as_ref(), audience)).await?;
    let discovery = discovered(app, &provider).await?;
    app.write(move |tx, world| {
        sign_on::leave(tx, world, (&provider, &discovery), (&redirect_uri, own.as_ref()))
    })
    .await
}

/// Somebody who came back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignOnBack, example = json!({"state": "5f2c4d1e0b9a8877665544332211ffee5f2c4d1e0b9a8877665544332211ffee", "code": "SplxlOBeZQQYbYS6WxSbIA",
    "channel": "web"}))]
struct BackShape {
    /// What he took along; it is the one this browser was sent away with.
    #[schema(max_length = 64)]
    state: String,
    /// What the sign-on gave him.
    #[schema(min_length = 1, max_length = 4096)]
    code: String,
    /// The channel the customer comes through: its id or external id.
    #[schema(min_length = 1, max_length = 255)]
    channel: String,
    /// The basket filled before: it becomes the customer's, or its lines go into the one he has in this channel.
    #[schema(max_length = 64)]
    cart: Option<String>,
}

/// Sign a customer in who comes back from a sign-on
///
/// As by a code, into the same session. The customer is the one this person was before; else the one with the same address, if the sign-on has
/// verified it; else a new one.
#[utoipa::path(post, path = "/v1/customer-session/sign-ons/finish", operation_id = "finish_sign_on", tag = "customer", request_body = BackShape,
    responses((status = 200, body = SignedInShape), Problems))]
async fn finish_sign_on(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    command: Command<BackShape>,
) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let (actor, asked) = (command.request.actor, command.body);
    let mut fields = Fields::new();
    let cart = fields.take_if("cart", asked.cart.as_deref(), Id::<id::Cart>::parse);
    let cart = fields.done(cart)?;
    let entrance = Entrance { channel: Reference::read(&asked.channel), cart };
    let address = address_of(&extensions, &headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(Sha256::digest(&asked.state).into(), address)?;
    let channel = entrance.channel.clone();
    app.read(move |tx| external::known_at(tx, "channel", &channel)).await?;
    let (provider, claims) = vouched(&app, asked.state, &asked.code, Audience::Customers).await?;
    let opened: Opened =
        app.write(move |tx, world| sign_on::open(tx, &actor, world, (&provider, &claims), &entrance)).await?;
    document(&SignedInShape::from(opened), None)
}

/// What a sign-on says of somebody who came back with a code.
pub(super) async fn vouched(
    app: &App,
    state: String,
    code: &str,
    audience: Audience,
) -> Result<(Provider, Claims), Problem> {
    let back = app.write(move |tx, world| sign_on::come_back(tx, world, &state, audience)).await?;
    let back = back.ok_or_else(|| {
        refused("the sign-in was not begun here, was ended already, or took too long; begin again")
    })?;
    let discovery = discovered(app, &back.provider).await?;
    let question = back.question(&app.shop.keyring, &discovery, code);
    let (headers, form) = question.ok_or_else(|| refused("this is no code of the sign-on; begin again"))?;
    let given =
        asked(app, Question { url: discovery.token_endpoint.clone(), headers, form: Some(form) }).await?;
    let given: Value = serde_json::from_slice(&given).unwrap_or_default();
    let token =
        given["id_token"].as_str().ok_or_else(|| refused("the sign-on gave no token; begin again"))?;
    let claims = believed(app, &back, &discovery, token).await?;
    let claims =
        with_userinfo(app, &back.provider, &discovery, claims, given["access_token"].as_str()).await?;
    Ok((back.provider, claims))
}

/// What a token says, checked against the keys of the sign-on, which may be new ones, and against what we asked.
async fn believed(app: &App, back: &Back, discovery: &Discovery, token: &str) -> Result<Claims, Problem> {
    let names = (back.provider.email_claim.as_str(), back.provider.name_claim.as_str());
    let keys = published(app, &discovery.keys).await?;
    let mut read = token::read(token, &keys, names);
    if read == Err(Doubt::UnknownKey) {
        let keys = fetched(app, &discovery.keys).await?;
        read = token::read(token, &keys, names);
    }
    let claims = read.map_err(|_| refused("the sign-on's token is not signed by it; begin again"))?;
    match back.doubt(&claims, app.shop.source.now()) {
        None => Ok(claims),
        Some(why) => Err(refused(&format!("the sign-on's token is not believed: {why}; begin again"))),
    }
}

/// Where the token names no address, the sign-on is asked for it.
async fn with_userinfo(
    app: &App,
    provider: &Provider,
    discovery: &Discovery,
    mut claims: Claims,
    access: Option<&str>,
) -> Result<Claims, Problem> {
    let (Some(url), Some(access), None) = (&discovery.userinfo_endpoint, access, &claims.email) else {
        return Ok(claims);
    };
    let headers =
        vec![("authorization", format!("Bearer {access}")), ("accept", "application/json".to_owned())];
    let said = asked(app, Question { url: url.clone(), headers, form: None }).await?;
    token::add_userinfo(&mut claims, &said, (&provider.email_claim, &provider.name_claim));
    Ok(claims)
}

async fn discovered(app: &App, provider: &Provider) -> Result<Discovery, Problem> {
    let document = published(app, &token::discovery_address(&provider.issuer)).await?;
    Discovery::read(&provider.issuer, &document).map_err(|why| unanswered(&why))
}

async fn published(app: &App, url: &str) -> Result<Bytes, Problem> {
    match app.edge.published.kept(url, app.shop.source.now()) {
        Some(kept) => Ok(kept),
        None => fetched(app, url).await,
    }
}

async fn fetched(app: &App, url: &str) -> Result<Bytes, Problem> {
    let headers = vec![("accept", "application/json".to_owned())];
    let document = asked(app, Question { url: url.to_owned(), headers, form: None }).await?;
    app.edge.published.keep(url, document.clone(), app.shop.source.now());
    Ok(document)
}

async fn asked(app: &App, question: Question) -> Result<Bytes, Problem> {
    let url = question.url.clone();
    let outside = app.edge.settings.outside.clone().ok_or_else(|| unanswered("this shop calls nobody"))?;
    match outside.ask(question).await {
        Ok((200..=299, body)) => Ok(body),
        // A code that was used or made up is refused by the sign-on itself.
        Ok((400..=401, _)) => {
            Err(refused("the sign-on does not know this sign-in, or not any more; begin again"))
        }
        Ok((status, _)) => Err(unanswered(&format!("{url}: it answered {status}"))),
        Err(why) => Err(unanswered(&why)),
    }
}

fn refused(why: &str) -> Problem {
    Refusal::new(Code::SignInFailed, why).into()
}

/// The sign-on itself fails: what is wrong is for the log, not for who signs in.
fn unanswered(why: &str) -> Problem {
    tracing::warn!(why, "a sign-on cannot be used");
    let detail = "sign in by a code meanwhile, or try again later";
    Problem::edge(
        StatusCode::SERVICE_UNAVAILABLE,
        "sign_on_unavailable",
        "the sign-on does not answer as agreed",
        detail,
    )
}
