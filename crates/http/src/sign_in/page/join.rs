//! The page that an invitation to buy for a company leads to, and the field on one's own page for its code. Looking accepts nothing: whoever is
//! invited says so by a button.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use domain::Code;
use domain::actor::Actor;
use domain::company::{Limit, Role, State as CompanyState};
use domain::sign_in::words::page_words;
use domain::status::writing::{date, money};
use domain::value::Language;
use engine::company::invitation;
use engine::sign_in::own::{Invited, channel, customer_of, invited};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::own::{self, signed_in, to};
use super::{CODE_CHARS_MAX, PageQuery, spoken, why};
use crate::App;
use crate::asset::{self, private};
use crate::caller::refuse_other_sites;
use crate::problem::Problem;
use crate::query::Asked;

/// The page and what its form and the one on one's own page do.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/join/{code}", get(read_page).post(accept)).route("/me/companies", post(join))
}

/// A code that was given on one's own page in vain, and the word for why.
pub(super) struct Vain<'c> {
    pub(super) code: &'c str,
    pub(super) why: &'static str,
}

/// What a member does and may spend, in words.
pub(super) fn role_in_words(
    words: &Value,
    (role, limit): (Role, Option<Limit>),
    language: Language,
) -> String {
    let word = |name: &str| words[name].as_str().unwrap_or_default();
    let role_word = word(role.text());
    match limit.filter(|_| role == Role::Buyer) {
        Some(limit) => {
            let amount = money(limit.minor, limit.currency, language);
            format!("{role_word} · {} {amount} {}", word("limit_to"), word("limit_each"))
        }
        None => format!("{role_word} · {}", word("limit_none")),
    }
}

async fn read_page(
    State(app): State<App>,
    Path(code): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = code.clone();
    let Some(actor) = signed_in(&app, &headers).await? else {
        let shop = app.shop.clone();
        let open = app.read(move |tx| invitation::open(tx, &shop.world(), &asked).map(drop)).await;
        return match open {
            Ok(()) => Ok(to("/sign-in", &query.invited_by(Some(&code)), None)),
            Err(problem) => refused(&app, &query, problem, &headers).await,
        };
    };
    match app.write(move |tx, world| invited(tx, &actor, world, &asked)).await {
        Ok(invited) => shown(&query.invited_by(Some(&code)), &invited, &headers),
        Err(problem) => refused(&app, &query, problem, &headers).await,
    }
}

fn shown(query: &PageQuery, invited: &Invited, headers: &HeaderMap) -> Result<Response, Problem> {
    let language = query.language(headers)?;
    let mut view = spoken(page_words(language), language, None);
    let one = &invited.offered.invitation;
    view["shop"] = json!(invited.shop);
    view["suffix"] = json!(query.invited_by(None).suffix());
    view["code"] = json!(query.invitation());
    view["company"] = json!(invited.offered.company);
    view["role"] = json!(role_in_words(&view["words"], (one.role, one.limit), language));
    view["is_blocked"] = json!(invited.offered.state == CompanyState::Blocked);
    view["until"] = json!(date(one.expires_at, &invited.zone, language));
    view["email"] = json!(invited.email);
    Ok(private(asset::page("join.html", view)?))
}

/// The page of an invitation that cannot be accepted: why, and what to do.
async fn refused(
    app: &App,
    query: &PageQuery,
    problem: Problem,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let Some((status, why)) = why_not(&problem) else { return Err(problem) };
    let (language, named) = (query.language(headers)?, query.channel());
    let shop = app.read(move |tx| Ok(channel(tx, named.as_ref())?.name)).await?;
    let mut view = spoken(page_words(language), language, None);
    view["shop"] = json!(shop);
    view["suffix"] = json!(query.invited_by(None).suffix());
    view["why"] = view["words"][why].clone();
    let mut page = private(asset::page("join.html", view)?);
    *page.status_mut() = status;
    Ok(page)
}

/// What is said of a code that was given in vain; nothing of a failure of the machinery.
fn why_not(problem: &Problem) -> Option<(StatusCode, &'static str)> {
    let (status, other) = why(problem, "refused_other");
    if status.is_server_error() {
        return None;
    }
    let words = [
        (Code::NotFound, true, "join_unknown"),
        (Code::AlreadyExists, true, "join_member"),
        (Code::WrongState, true, "join_over"),
        (Code::WrongState, false, "join_full"),
    ];
    let is_at_code = problem.names("code");
    let said = words.into_iter().find(|(code, at, _)| problem.is(*code) && *at == is_at_code);
    Some((status, said.map_or(other, |(_, _, word)| word)))
}

async fn accepted(app: &App, actor: Actor, code: String) -> Result<(), Problem> {
    app.write(move |tx, world| invitation::accept(tx, &actor, world, (customer_of(&actor)?, &code)).map(drop))
        .await
}

async fn accept(
    State(app): State<App>,
    Path(code): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Some(actor) = signed_in(&app, &headers).await? else {
        return Ok(to("/sign-in", &query.invited_by(Some(&code)), None));
    };
    match accepted(&app, actor, code).await {
        Ok(()) => Ok(to("/me", &query.invited_by(None), Some("join"))),
        Err(problem) => refused(&app, &query, problem, &headers).await,
    }
}

#[derive(Deserialize)]
struct CodeForm {
    code: String,
}

async fn join(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Some(actor) = signed_in(&app, &headers).await? else {
        return Ok(to("/sign-in", &query.invited_by(Some(&form.code)), None));
    };
    let Err(problem) = accepted(&app, actor, form.code.clone()).await else {
        return Ok(to("/me", &query, Some("join")));
    };
    let Some((status, why)) = why_not(&problem) else { return Err(problem) };
    let code: String = form.code.chars().take(CODE_CHARS_MAX).collect();
    let mut page = own::shown(&app, &query, (None, Some(Vain { code: &code, why })), &headers).await?;
    *page.status_mut() = status;
    Ok(page)
}
