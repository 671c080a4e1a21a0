//! The page where colleagues sign in, by the company's own sign-on or by their password, and the page they come to; without any script.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::sign_in::sign_on::Audience;
use domain::sign_in::words::staff_words;
use engine::Failure;
use engine::actor::session::{self, LIFE_SECONDS, Opened};
use engine::sign_in::own::channel;
use engine::sign_in::{provider, sign_on};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::{BackQuery, Notice, PageQuery, Way, came_back, cookie, sent_away, spoken, why};
use crate::App;
use crate::actor::session::by_password;
use crate::asset::{self, private};
use crate::caller::{SESSION_COOKIE, of_session, refuse_other_sites, session_token};
use crate::problem::Problem;
use crate::query::Asked;

/// Where a sign-on sends colleagues back to.
const BACK: &str = "/staff/sign-in/back";
/// Colleagues at a sign-on.
const WAY: Way = Way { audience: Audience::Staff, cookie: "tandem_staff_sign_on", back: BACK };
/// What the pages are of where the shop sells nothing on the web.
const NAMELESS: &str = "Tandem";

/// The pages and what their forms do.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/staff", get(read_staff))
        .route("/staff/sign-out", post(sign_out))
        .route("/staff/sign-in", get(read_page))
        .route("/staff/sign-in/open", post(open_by_password))
        .route("/staff/sign-in/with/{provider}", get(leave))
        .route(BACK, get(come_back_in))
}

async fn read_page(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let notice = (query.did.as_deref() == Some("sign_out")).then_some(Notice::Did("did_sign_out"));
    shown(&app, &query, (None, notice), &headers).await
}

/// The words of the pages, with the name of the shop.
async fn begun(
    app: &App,
    query: &PageQuery,
    notice: Option<Notice>,
    headers: &HeaderMap,
) -> Result<Value, Problem> {
    let language = query.language(headers)?;
    let shop = app
        .read(|tx| match channel(tx, None) {
            Ok(channel) => Ok(channel.name),
            Err(Failure::Refused(_)) => Ok(NAMELESS.to_owned()),
            Err(failure) => Err(failure),
        })
        .await?;
    let mut view = spoken(staff_words(language), language, notice);
    view["shop"] = json!(shop);
    view["suffix"] = json!(query.suffix());
    Ok(view)
}

async fn shown(
    app: &App,
    query: &PageQuery,
    (email, notice): (Option<&str>, Option<Notice>),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let mut view = begun(app, query, notice, headers).await?;
    let providers = app.read(|tx| provider::open_to(tx, Audience::Staff)).await?;
    view["providers"] =
        providers.iter().map(|one| json!({ "id": one.id.to_string(), "name": one.name })).collect();
    view["email"] = json!(email);
    Ok(private(asset::page("staff-sign-in.html", view)?))
}

async fn refused(
    app: &App,
    query: &PageQuery,
    (email, problem, otherwise): (Option<&str>, &Problem, &'static str),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (status, why) = why(problem, otherwise);
    let mut page = shown(app, query, (email, Some(Notice::Refused(why))), headers).await?;
    *page.status_mut() = status;
    Ok(page)
}

#[derive(Deserialize)]
struct PasswordForm {
    email: String,
    password: String,
}

async fn open_by_password(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    match by_password(&app, &form.email, form.password, (&extensions, &headers)).await {
        Ok(opened) => let_in(&app, &query, &opened),
        Err(problem) => {
            refused(&app, &query, (Some(&form.email), &problem, "refused_password"), &headers).await
        }
    }
}

/// On to the colleagues' own page, with the cookie.
fn let_in(app: &App, query: &PageQuery, opened: &Opened) -> Result<Response, Problem> {
    let kept = cookie(app, SESSION_COOKIE, &opened.token, LIFE_SECONDS)?;
    let mut answer = to("/staff", query, "");
    answer.headers_mut().append(header::SET_COOKIE, kept);
    Ok(answer)
}

fn to(page: &str, query: &PageQuery, did: &str) -> Response {
    let suffix = query.suffix();
    let did = match (did, suffix.is_empty()) {
        ("", _) => String::new(),
        (did, true) => format!("?did={did}"),
        (did, false) => format!("&did={did}"),
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{page}{suffix}{did}"))]).into_response()
}

async fn leave(
    State(app): State<App>,
    Path(code): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match sent_away(&app, &code, WAY, &query).await {
        Ok(answer) => Ok(answer),
        Err(problem) => refused(&app, &query, (None, &problem, "refused_sign_on"), &headers).await,
    }
}

async fn come_back_in(
    State(app): State<App>,
    Asked(back): Asked<BackQuery>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (query, vouched_for) = came_back(&app, WAY, back, (&extensions, &headers)).await;
    let opened = match vouched_for {
        Ok(vouched_for) => {
            app.write(move |tx, world| sign_on::open_staff(tx, world, (&vouched_for.0, &vouched_for.1))).await
        }
        Err(problem) => Err(problem),
    };
    let mut answer = match opened {
        Ok(opened) => let_in(&app, &query, &opened)?,
        Err(problem) => refused(&app, &query, (None, &problem, "refused_sign_on"), &headers).await?,
    };
    answer.headers_mut().append(header::SET_COOKIE, cookie(&app, WAY.cookie, "", 0)?);
    Ok(answer)
}

async fn read_staff(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(token) = session_token(&headers).filter(|token| !token.is_empty()) else {
        return Ok(to("/staff/sign-in", &query, ""));
    };
    let actor = match of_session(&app, token, app.shop.source.now()).await {
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            return Ok(to("/staff/sign-in", &query, ""));
        }
        actor => actor?,
    };
    app.edge.limits.count_credential(actor.who)?;
    let keyring = app.shop.keyring.clone();
    let member = app.read(move |tx| session::who(tx, &keyring, &actor)).await?;
    let mut view = begun(&app, &query, None, &headers).await?;
    view["name"] = json!(member.map(|member| member.name.name));
    Ok(private(asset::page("staff.html", view)?))
}

async fn sign_out(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    if let Some(token) = session_token(&headers) {
        match of_session(&app, token.clone(), app.shop.source.now()).await {
            Ok(actor) => app.write(move |tx, world| session::sign_out(tx, &actor, world, &token)).await?,
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {}
            Err(problem) => return Err(problem),
        }
    }
    let mut answer = to("/staff/sign-in", &query, "sign_out");
    answer.headers_mut().append(header::SET_COOKIE, cookie(&app, SESSION_COOKIE, "", 0)?);
    Ok(answer)
}
