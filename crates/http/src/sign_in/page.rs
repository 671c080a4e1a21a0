//! The page where customers sign in, made by the shop for any browser: by a code without scripts, by a passkey with a small one, by the retailer's
//! own sign-on behind a link. What the browser keeps is a cookie that no script reads and no other site makes use of.

mod join;
mod own;
mod staff;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::Code;
use domain::message::words::language_of_words;
use domain::sign_in::sign_on::{AWAY_SECONDS, Audience, Claims};
use domain::sign_in::words::page_words;
use domain::sign_in::{LIFE_SECONDS, read_code};
use domain::value::{Email, Language, Reference};
use engine::sign_in::own::{channel, visitor};
use engine::sign_in::provider::{self, Provider};
use engine::sign_in::{self, Entrance, Opened, SignIn, passkey, sign_on};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;

use super::passkey::{AssertionShape, ChallengeShape, misfit, own_origin};
use super::sign_on::{begin, vouched};
use crate::App;
use crate::app::document;
use crate::asset::{self, private, wished_language};
use crate::caller::{cookie_named, refuse_other_sites};
use crate::command::Public;
use crate::observe::address_of;
use crate::problem::Problem;
use crate::query::Asked;
use crate::shape::Fields;

/// The cookie that holds the token of a customer's session.
const COOKIE: &str = "tandem_customer";
/// Where a sign-on sends customers back to.
const BACK: &str = "/sign-in/back";
/// The most letters and digits of an invitation's code that are kept.
const CODE_CHARS_MAX: usize = 64;
/// Customers at a sign-on.
const WAY: Way = Way { audience: Audience::Customers, cookie: "tandem_sign_on", back: BACK };

/// How people go to a sign-on and come back.
#[derive(Clone, Copy)]
struct Way {
    /// Who.
    audience: Audience,
    /// The cookie that holds what a browser was sent away with.
    cookie: &'static str,
    /// Where it comes back to.
    back: &'static str,
}

/// The pages and what their forms do. They are pages, not part of the API, and so not in its description.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/sign-in", get(read_page))
        .route("/sign-in/code", post(mail_code))
        .route("/sign-in/open", post(open_by_code))
        .route("/sign-in/passkey-challenge", post(challenge))
        .route("/sign-in/passkey", post(open_by_passkey))
        .route("/sign-in/with/{provider}", get(leave))
        .route(BACK, get(come_back))
        .merge(join::routes())
        .merge(own::routes())
        .merge(staff::routes())
}

/// How the page is asked for, and what goes along from one to the next.
#[derive(Clone, Debug, Default, Deserialize)]
struct PageQuery {
    /// The language of the words; the browser's when it is none we know.
    language: Option<String>,
    /// The channel the customer comes through; the first web channel when none is named.
    channel: Option<String>,
    /// The code of the invitation to buy for a company that is looked at again after signing in.
    invitation: Option<String>,
    /// What was just done.
    did: Option<String>,
}

impl PageQuery {
    fn language(&self, headers: &HeaderMap) -> Result<Language, Problem> {
        let named = self.language.as_deref().and_then(|text| Language::parse(text).ok());
        named.map_or_else(|| wished_language(headers), Ok)
    }

    fn channel(&self) -> Option<Reference<domain::value::id::Channel>> {
        self.channel.as_deref().filter(|text| !text.is_empty()).map(Reference::read)
    }

    /// The code of the invitation. It is letters and digits, so that it leads nowhere but to our own page.
    fn invitation(&self) -> Option<&String> {
        let is_plain = |text: &&String| {
            (1..=CODE_CHARS_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.invitation.as_ref().filter(is_plain)
    }

    /// The same with the code of an invitation as somebody gave it, or with none.
    fn invited_by(&self, code: Option<&str>) -> PageQuery {
        let plain = |code: &str| code.chars().filter(char::is_ascii_alphanumeric).collect();
        PageQuery { invitation: code.map(plain), ..self.clone() }
    }

    /// Where who signed in goes on: to the invitation, else to the own page.
    fn after_sign_in(&self) -> String {
        let suffix = self.invited_by(None).suffix();
        self.invitation().map_or_else(|| format!("/me{suffix}"), |code| format!("/join/{code}{suffix}"))
    }

    /// The query that keeps language, channel and invitation.
    fn suffix(&self) -> String {
        let language = self.language.as_deref().and_then(|text| Language::parse(text).ok());
        let clean =
            |text: &&String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let channel = self.channel.as_ref().filter(clean);
        let pairs = [
            ("language", language.map(|one| one.to_string())),
            ("channel", channel.cloned()),
            ("invitation", self.invitation().cloned()),
        ];
        let pairs: Vec<String> =
            pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// What the page says before everything else, by a word of ours.
#[derive(Clone, Copy)]
enum Notice {
    Did(&'static str),
    Refused(&'static str),
}

/// Which part of the page is shown.
enum Step<'e> {
    Ask,
    Code(&'e str),
}

async fn read_page(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let notice = match query.did.as_deref() {
        Some("sign_out") => Some(Notice::Did("did_sign_out")),
        _ => query.invitation().map(|_| Notice::Did("join_first")),
    };
    shown(&app, &query, (Step::Ask, notice), &headers).await
}

async fn shown(
    app: &App,
    query: &PageQuery,
    (step, notice): (Step<'_>, Option<Notice>),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (language, named) = (query.language(headers)?, query.channel());
    let read = app
        .read(move |tx| Ok((channel(tx, named.as_ref())?.name, provider::open_to(tx, Audience::Customers)?)));
    let (shop, providers) = read.await?;
    let providers: Vec<Value> =
        providers.iter().map(|one| json!({ "id": one.id.to_string(), "name": one.name })).collect();
    let mut view = spoken(page_words(language), language, notice);
    view["shop"] = json!(shop);
    view["suffix"] = json!(query.suffix());
    view["providers"] = json!(providers);
    view["email"] = json!(match step {
        Step::Ask => None,
        Step::Code(email) => Some(email),
    });
    Ok(private(asset::page("sign-in.html", view)?))
}

/// The words of a page, and what it says first.
fn spoken(
    words: impl Iterator<Item = (&'static str, &'static str)>,
    language: Language,
    notice: Option<Notice>,
) -> Value {
    let words: Value = words.map(|(name, words)| (name.to_owned(), json!(words))).collect();
    let (said, is_refused) = match notice {
        Some(Notice::Did(word)) => (Some(words[word].clone()), false),
        Some(Notice::Refused(word)) => (Some(words[word].clone()), true),
        None => (None, false),
    };
    json!({ "language": language_of_words(language), "words": words, "notice": said, "is_refused": is_refused })
}

async fn refused(
    app: &App,
    query: &PageQuery,
    (step, status, why): (Step<'_>, StatusCode, &'static str),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let mut page = shown(app, query, (step, Some(Notice::Refused(why))), headers).await?;
    *page.status_mut() = status;
    Ok(page)
}

/// What the page says of a problem.
fn why(problem: &Problem, otherwise: &'static str) -> (StatusCode, &'static str) {
    match problem.status() {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => (problem.status(), "refused_often"),
        status if status.is_server_error() => (status, "refused_other"),
        status => (status, otherwise),
    }
}

#[derive(Deserialize)]
struct EmailForm {
    email: String,
}

async fn mail_code(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(form): Form<EmailForm>,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Ok(email) = Email::parse(&form.email) else {
        let no = (Step::Ask, StatusCode::UNPROCESSABLE_ENTITY, "refused_email");
        return refused(&app, &query, no, &headers).await;
    };
    let (to, language) = (email.clone(), query.language(&headers)?);
    let mailed = match super::count(&app, &email, (&extensions, &headers)) {
        Ok(()) => {
            let ask = move |tx: &mut store::Tx<'_>, world: &mut engine::World| {
                sign_in::ask(tx, &visitor(), world, (&to, Some(language))).map(drop)
            };
            app.write(ask).await
        }
        Err(problem) => Err(problem),
    };
    match mailed {
        Ok(()) => shown(&app, &query, (Step::Code(email.as_str()), None), &headers).await,
        Err(problem) => {
            let (status, why) = why(&problem, "refused_other");
            refused(&app, &query, (Step::Ask, status, why), &headers).await
        }
    }
}

#[derive(Deserialize)]
struct CodeForm {
    email: String,
    code: String,
}

async fn open_by_code(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Ok(email) = Email::parse(&form.email) else {
        let no = (Step::Ask, StatusCode::UNPROCESSABLE_ENTITY, "refused_email");
        return refused(&app, &query, no, &headers).await;
    };
    let opened = match (read_code(&form.code), super::count(&app, &email, (&extensions, &headers))) {
        (Err(refusal), _) => Err(refusal.into()),
        (_, Err(problem)) => Err(problem),
        (Ok(code), Ok(())) => {
            let (email, named) = (email.clone(), query.channel());
            let open = move |tx: &mut store::Tx<'_>, world: &mut engine::World| {
                let channel = Reference::Id(channel(tx, named.as_ref())?.id);
                let asked = SignIn { email: email.clone(), code, channel, cart: None, name: None };
                sign_in::open(tx, &visitor(), world, &asked)
            };
            app.write(open).await.and_then(|opened| Ok(opened.ok_or_else(sign_in::wrong)?))
        }
    };
    match opened {
        Ok(opened) => let_in(&app, &query, &opened),
        Err(problem) => {
            let (status, why) = why(&problem, "refused_code");
            refused(&app, &query, (Step::Code(email.as_str()), status, why), &headers).await
        }
    }
}

/// On to one's own page, or to the invitation one came for, with the cookie.
fn let_in(app: &App, query: &PageQuery, opened: &Opened) -> Result<Response, Problem> {
    let to = query.after_sign_in();
    let kept = cookie(app, COOKIE, &opened.token, LIFE_SECONDS)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)], [(header::SET_COOKIE, kept)]).into_response())
}

/// A cookie no script reads, and no other site's request brings along unless it leads the whole browser here.
fn cookie(app: &App, name: &str, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    let secure = if app.edge.settings.https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|_| Problem::fault())
}

async fn challenge(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let own = own_origin(&app).ok_or_else(Problem::fault)?;
    let asked = app.write(move |tx, world| passkey::ask(tx, &visitor(), world, (&own, Some(&own)))).await?;
    document(&ChallengeShape::from(&asked), None)
}

async fn open_by_passkey(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    extensions: Extensions,
    headers: HeaderMap,
    Public(given): Public<AssertionShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let given = given.read(&mut fields);
    let given = fields.done(given)?;
    let address = address_of(&extensions, &headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(Sha256::digest(&given.credential).into(), address)?;
    let named = query.channel();
    let opened = app
        .write(move |tx, world| {
            let channel = Reference::Id(channel(tx, named.as_ref())?.id);
            passkey::open(tx, &visitor(), world, (&given, &Entrance { channel, cart: None }))
        })
        .await?;
    let opened = opened.ok_or_else(|| misfit(Code::SignInFailed))?;
    let kept = cookie(&app, COOKIE, &opened.token, LIFE_SECONDS)?;
    let mut answer = document(&json!({ "page": query.after_sign_in() }), None)?;
    answer.headers_mut().insert(header::SET_COOKIE, kept);
    Ok(answer)
}

async fn leave(
    State(app): State<App>,
    Path(code): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match sent_away(&app, &code, WAY, &query).await {
        Ok(answer) => Ok(answer),
        Err(problem) => {
            let (status, why) = why(&problem, "refused_sign_on");
            refused(&app, &query, (Step::Ask, status, why), &headers).await
        }
    }
}

/// Sends the browser to a sign-on. It is a link, because a browser that keeps our policy follows no form to another site.
async fn sent_away(app: &App, code: &str, way: Way, query: &PageQuery) -> Result<Response, Problem> {
    let reference = Reference::read(code);
    let chosen = app.read(move |tx| sign_on::chosen(tx, &visitor(), &reference, way.audience)).await;
    let own = own_origin(app).ok_or_else(Problem::fault)?;
    let away = match chosen {
        Ok(chosen) => begin(app, chosen, format!("{own}{}", way.back)).await,
        Err(problem) => Err(problem),
    };
    let away = away.inspect_err(|problem| {
        tracing::info!(status = problem.status().as_u16(), "nobody could be sent to a sign-on");
    })?;
    // The query goes along in the cookie: the address to come back to is agreed to the letter.
    let kept = cookie(app, way.cookie, &format!("{}{}", away.state, query.suffix()), AWAY_SECONDS)?;
    let kept = [(header::SET_COOKIE, kept), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, away.url)], kept).into_response())
}

/// What a sign-on sends back; without a code when it let nobody in.
#[derive(Deserialize)]
struct BackQuery {
    code: Option<String>,
    state: Option<String>,
}

async fn come_back(
    State(app): State<App>,
    Asked(back): Asked<BackQuery>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (query, vouched_for) = came_back(&app, WAY, back, (&extensions, &headers)).await;
    let opened = match vouched_for {
        Ok((provider, claims)) => {
            let named = query.channel();
            let open = move |tx: &mut store::Tx<'_>, world: &mut engine::World| {
                let entrance =
                    Entrance { channel: Reference::Id(channel(tx, named.as_ref())?.id), cart: None };
                sign_on::open(tx, &visitor(), world, (&provider, &claims), &entrance)
            };
            app.write(open).await
        }
        Err(problem) => Err(problem),
    };
    let mut answer = match opened {
        Ok(opened) => let_in(&app, &query, &opened)?,
        Err(problem) => {
            let (status, why) = why(&problem, "refused_sign_on");
            refused(&app, &query, (Step::Ask, status, why), &headers).await?
        }
    };
    answer.headers_mut().append(header::SET_COOKIE, cookie(&app, WAY.cookie, "", 0)?);
    Ok(answer)
}

/// Who came back, as the sign-on says, and the query that went along.
async fn came_back(
    app: &App,
    way: Way,
    back: BackQuery,
    (extensions, headers): (&Extensions, &HeaderMap),
) -> (PageQuery, Result<(Provider, Claims), Problem>) {
    let kept = cookie_named(headers, way.cookie).unwrap_or_default();
    let (state, rest) = kept.split_once('?').unwrap_or((&kept, ""));
    let part = |name: &str| part_of(rest, name);
    let (language, channel, invitation) = (part("language"), part("channel"), part("invitation"));
    let query = PageQuery { language, channel, invitation, did: None };
    // Whoever was sent away from another browser does not come back in this one.
    let is_same = !state.is_empty() && back.state.as_deref() == Some(state);
    let address = address_of(extensions, headers, app.edge.settings.behind_proxy);
    let counted = app.edge.limits.count_sign_in(Sha256::digest(state).into(), address);
    let vouched_for = match (back.code.filter(|_| is_same), counted) {
        (_, Err(problem)) => Err(problem),
        (Some(code), Ok(())) => vouched(app, state.to_owned(), &code, way.audience).await,
        (None, Ok(())) => Err(misfit(Code::SignInFailed).into()),
    };
    (query, vouched_for)
}

fn part_of(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}
