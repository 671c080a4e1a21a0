//! One's own page: orders, points, passkeys, and signing out.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::actor::Actor;
use domain::company::State as CompanyState;
use domain::sign_in::words::page_words;
use domain::status::words_for;
use domain::status::writing::date;
use domain::value::Id;
use domain::{Code, Refusal};
use engine::company::member::Membership;
use engine::sign_in::own::{self, Own, customer_of};
use engine::sign_in::{self, passkey};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::super::passkey::{AttestationShape, ChallengeShape, misfit, own_origin};
use super::join::{Vain, role_in_words};
use super::{COOKIE, Notice, PageQuery, cookie, spoken};
use crate::App;
use crate::app::document;
use crate::asset::{self, private};
use crate::caller::{cookie_named, of_customer, refuse_other_sites};
use crate::command::Public;
use crate::problem::Problem;
use crate::query::Asked;

/// The page and what its forms do.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/me", get(read_page))
        .route("/me/orders/{order}", post(show_order))
        .route("/me/passkey-challenge", post(invite))
        .route("/me/passkeys", post(register))
        .route("/me/passkeys/{passkey}/remove", post(remove))
        .route("/me/sign-out", post(sign_out))
}

/// Who is signed in here, if anybody.
pub(super) async fn signed_in(app: &App, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
    let Some(token) = cookie_named(headers, COOKIE).filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    match of_customer(app, token, app.shop.source.now()).await {
        Ok(actor) => {
            app.edge.limits.count_credential(actor.who)?;
            Ok(Some(actor))
        }
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => Ok(None),
        Err(problem) => Err(problem),
    }
}

pub(super) fn to(page: &str, query: &PageQuery, did: Option<&str>) -> Response {
    let suffix = query.suffix();
    let between = if suffix.is_empty() { '?' } else { '&' };
    let did = did.map(|did| format!("{between}did={did}")).unwrap_or_default();
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{page}{suffix}{did}"))]).into_response()
}

async fn read_page(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let notice = match query.did.as_deref() {
        Some("remove") => Some(Notice::Did("did_remove")),
        Some("add") => Some(Notice::Did("did_add")),
        Some("join") => Some(Notice::Did("did_join")),
        _ => None,
    };
    shown(&app, &query, (notice, None), &headers).await
}

/// One's own page, with what was just done, and with the code that was given in vain.
pub(super) async fn shown(
    app: &App,
    query: &PageQuery,
    (notice, vain): (Option<Notice>, Option<Vain<'_>>),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let Some(actor) = signed_in(app, headers).await? else { return Ok(to("/sign-in", query, None)) };
    let language = query.language(headers)?;
    let page = app.write(move |tx, world| own::page(tx, &actor, world, language)).await?;
    let mut view = spoken(page_words(language), language, notice);
    fill(&mut view, &page, language);
    view["vain"] = json!(vain.map(|vain| json!({ "code": vain.code, "why": view["words"][vain.why] })));
    view["suffix"] = json!(query.suffix());
    Ok(private(asset::page("me.html", view)?))
}

fn fill(view: &mut Value, page: &Own, language: domain::value::Language) {
    let day = |at| date(at, &page.zone, language);
    let order = |one: &own::Ordered| {
        json!({ "id": one.id.to_string(), "number": one.number, "placed": day(one.placed_at),
            "stage": words_for(one.stage.text(), language) })
    };
    let passkey = |one: &passkey::Passkey| json!({ "id": one.id.to_string(), "name": one.name, "made": day(one.made_at) });
    let company = |one: &Membership| {
        let role = role_in_words(&view["words"], (one.member.role, one.member.limit), language);
        json!({ "name": one.company, "role": role, "is_blocked": one.state == CompanyState::Blocked })
    };
    view["companies"] = page.companies.iter().map(company).collect();
    view["shop"] = json!(page.shop);
    view["name"] = json!(page.name.as_ref().or(page.email.as_ref()));
    view["email"] = json!(page.email);
    view["orders"] = page.orders.iter().map(order).collect();
    view["has_more"] = json!(page.has_more);
    view["points"] =
        page.points.iter().map(|(free, pending)| json!({ "free": free, "pending": pending })).collect();
    view["passkeys"] = page.passkeys.iter().map(passkey).collect();
}

async fn show_order(
    State(app): State<App>,
    Path(order): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Some(actor) = signed_in(&app, &headers).await? else { return Ok(to("/sign-in", &query, None)) };
    let link = match Id::parse(&order) {
        Ok(order) => app.write(move |tx, world| own::link_to(tx, &actor, world, order)).await,
        Err(_) => return Ok(to("/me", &query, None)),
    };
    match link {
        Ok(token) => {
            let language = PageQuery { language: query.language.clone(), ..PageQuery::default() };
            Ok(to(&format!("/o/{token}"), &language, None))
        }
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            let mut page =
                shown(&app, &query, (Some(Notice::Refused("refused_often")), None), &headers).await?;
            *page.status_mut() = StatusCode::CONFLICT;
            Ok(page)
        }
        Err(problem) if problem.status().is_client_error() => Ok(to("/me", &query, None)),
        Err(problem) => Err(problem),
    }
}

fn nobody() -> Problem {
    Refusal::new(Code::SignInNeeded, "the session has ended; sign in again").into()
}

async fn invite(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let actor = signed_in(&app, &headers).await?.ok_or_else(nobody)?;
    let own = own_origin(&app).ok_or_else(Problem::fault)?;
    let invitation = app
        .write(move |tx, world| passkey::invite(tx, &actor, world, customer_of(&actor)?, (&own, Some(&own))))
        .await?;
    document(&ChallengeShape::from(&invitation), None)
}

#[derive(Deserialize)]
struct NewPasskey {
    credential: AttestationShape,
    name: String,
}

async fn register(
    State(app): State<App>,
    headers: HeaderMap,
    Public(given): Public<NewPasskey>,
) -> Result<Response, Problem> {
    let actor = signed_in(&app, &headers).await?.ok_or_else(nobody)?;
    let given = given.credential.read(&given.name)?;
    let made = app
        .write(move |tx, world| passkey::register(tx, &actor, world, customer_of(&actor)?, &given))
        .await?;
    made.ok_or_else(|| misfit(Code::Invalid))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn remove(
    State(app): State<App>,
    Path(passkey): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    let Some(actor) = signed_in(&app, &headers).await? else { return Ok(to("/sign-in", &query, None)) };
    let Ok(id) = Id::parse(&passkey) else { return Ok(to("/me", &query, None)) };
    let removed =
        app.write(move |tx, world| passkey::remove(tx, &actor, world, (customer_of(&actor)?, id))).await;
    match removed {
        Err(problem) if !problem.status().is_client_error() => Err(problem),
        // One that is gone already is gone.
        _ => Ok(to("/me", &query, Some("remove"))),
    }
}

async fn sign_out(
    State(app): State<App>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    if let (Some(actor), Some(token)) = (signed_in(&app, &headers).await?, cookie_named(&headers, COOKIE)) {
        app.write(move |tx, world| sign_in::sign_out(tx, &actor, world, &token)).await?;
    }
    let mut answer = to("/sign-in", &query, Some("sign_out"));
    answer.headers_mut().insert(header::SET_COOKIE, cookie(&app, COOKIE, "", 0)?);
    Ok(answer)
}
