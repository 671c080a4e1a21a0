//! The page behind a link to preferences: what a person may be written to about, confirming it, and one click to end it; made by the shop for
//! any browser, with or without scripts. What a mail program asks for by itself does not change anything: only a form does.

use axum::Form;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::consent::{Cell, Source, Status};
use domain::message::words::{language_of_words, page_words};
use domain::value::{Instant, Language};
use engine::consent::choice::{self, Choice, Choices};
use engine::consent::link::{self, Deed};
use engine::consent::subscriber::Subscriber;
use engine::consent::{self, Evidence, SAID_MAX};
use engine::{message, privacy};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::asset::{self, private, wished_language};
use crate::consent::is_signalled;
use crate::problem::Problem;
use crate::query::Asked;

/// The lengths of a pause that can be chosen, in days.
const PAUSES: [i64; 4] = [7, 30, 90, 365];

/// The page and what its forms do. It is a page, not part of the API, and so not in its description.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/p/{token}", get(read_page)).route("/p/{token}/{deed}", post(act))
}

#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    /// The language of the words; the person's when it is none we know.
    language: Option<String>,
    /// What was just done.
    did: Option<String>,
}

/// What a form does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Keeps what was chosen.
    Save,
    /// Takes everything back.
    Unsubscribe,
    /// Pauses.
    Pause,
    /// Ends the pause.
    Resume,
    /// Confirms.
    Confirm,
    /// Shows that a request about data is one's own.
    Check,
}

impl Step {
    fn named(name: &str) -> Option<Step> {
        use Step::*;
        [Save, Unsubscribe, Pause, Resume, Confirm, Check].into_iter().find(|step| step.text() == name)
    }

    const fn text(self) -> &'static str {
        match self {
            Step::Save => "save",
            Step::Unsubscribe => "unsubscribe",
            Step::Pause => "pause",
            Step::Resume => "resume",
            Step::Confirm => "confirm",
            Step::Check => "check",
        }
    }
}

async fn read_page(
    State(app): State<App>,
    Path(token): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let did = query.did.as_deref().and_then(Step::named).map(|step| format!("did_{}", step.text()));
    shown(&app, &token, &query, (did.as_deref(), false), &headers).await
}

/// What is shown behind a link.
struct Shown {
    deed: Deed,
    one: Subscriber,
    choices: Vec<Choices>,
    signal_is_news: bool,
}

async fn shown(
    app: &App,
    token: &str,
    query: &PageQuery,
    (notice, is_refused): (Option<&str>, bool),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (now, asked, signalled) = (app.shop.source.now(), token.to_owned(), is_signalled(headers));
    let read = app.read(move |tx| {
        let (_, deed, one) = link::read(tx, &asked, now)?;
        let signal_is_news = match one.customer.filter(|_| signalled) {
            Some(customer) => !consent::heeded_signal(tx, customer, now)?,
            None => signalled,
        };
        Ok(Shown { deed, choices: choice::choices(tx, &one, now)?, one, signal_is_news })
    });
    let shown = match read.await {
        Ok(shown) => shown,
        Err(problem) if problem.status().is_client_error() => return gone(headers),
        Err(problem) => return Err(problem),
    };
    if shown.signal_is_news {
        heed(app, token, headers).await?;
    }
    let language = query.language.as_deref().and_then(|text| Language::parse(text).ok());
    let view = view(&shown, (token, now), language, notice, is_refused);
    Ok(private(asset::page("preferences.html", view)?))
}

/// Notes what the browser says by itself with every request.
async fn heed(app: &App, token: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let (token, agent) = (token.to_owned(), agent(headers));
    app.write(move |tx, world| {
        let (_, _, one) = link::read(tx, &token, world.now())?;
        consent::heed_signal(tx, &link::holder(&one), world, &one, agent.clone()).map(drop)
    })
    .await
}

fn view(
    shown: &Shown,
    (token, now): (&str, Instant),
    asked: Option<Language>,
    notice: Option<&str>,
    is_refused: bool,
) -> Value {
    let language = asked.unwrap_or(shown.one.language);
    let words: Value = page_words(language).map(|(name, words)| (name.to_owned(), json!(words))).collect();
    let word = |name: &str| words[name].clone();
    let row = |choice: &Choice, name: Value| json!({ "value": value_of(&choice.cell), "name": name, "is_on": choice.is_on(), "waits": choice.standing == Some(Status::Pending) });
    let purpose = |choices: &Choices| {
        let whole: Vec<Value> =
            choices.whole.iter().map(|choice| row(choice, word(choice.cell.medium.text()))).collect();
        let topics = choices.topics.iter();
        let topics: Vec<Value> =
            topics.map(|(topic, choice)| row(choice, json!(topic.wording.in_language(language)))).collect();
        json!({ "name": choices.purpose.wording.in_language(language), "whole": whole, "topics": topics })
    };
    let paused_until = shown.one.paused_until.filter(|until| *until > now);
    let waits_for = match shown.deed {
        Deed::Confirm => Some("confirm"),
        Deed::Verify => Some("check"),
        Deed::Choose => None,
    };
    let suffix = asked.map(|language| format!("?language={language}")).unwrap_or_default();
    json!({
        "language": language_of_words(language),
        "path": format!("/p/{token}"),
        "suffix": suffix,
        "notice": notice.map(word),
        "is_refused": is_refused,
        "waits_for": waits_for,
        "purposes": shown.choices.iter().map(purpose).collect::<Vec<_>>(),
        "paused_until": paused_until.map(|until| until.to_string()[..10].to_owned()),
        "pauses": PAUSES,
        "words": words,
    })
}

/// A cell as the value of a field: codes have no full stop.
fn value_of(cell: &Cell) -> String {
    format!("{}.{}.{}", cell.purpose, cell.medium.text(), cell.topic)
}

fn cell_of(value: &str) -> Option<Cell> {
    let mut parts = value.splitn(3, '.');
    let (purpose, medium, topic) = (parts.next()?, parts.next()?, parts.next()?);
    Cell::read(purpose, Some(medium), Some(topic).filter(|topic| !topic.is_empty())).ok()
}

/// Does what a form of the page asks for, and shows the page again. A mail program that unsubscribes by one click is answered shortly.
async fn act(
    State(app): State<App>,
    Path((token, name)): Path<(String, String)>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let Some(step) = Step::named(&name) else { return gone(&headers) };
    let (fields, is_one_click) = match Form::<Vec<(String, String)>>::from_request(request, &()).await {
        Ok(Form(fields)) => {
            let is_one_click =
                fields.iter().any(|field| field.0 == "List-Unsubscribe" && field.1 == "One-Click");
            (fields, is_one_click)
        }
        // Mail programs send a form of several parts, or nothing at all (RFC 8058): the address alone says what is meant.
        Err(_) if step == Step::Unsubscribe => (Vec::new(), true),
        Err(refused) => return Ok(refused.into_response()),
    };
    let evidence = Evidence { agent: agent(&headers), ..Evidence::of(Source::Preferences) };
    let (asked, given) = (token.clone(), fields);
    let done = app.write(move |tx, world| match step {
        Step::Save => {
            let wanted = given.iter().filter(|(name, _)| name == "on").take(SAID_MAX);
            let wanted: Vec<Cell> = wanted.filter_map(|(_, value)| cell_of(value)).collect();
            choice::choose(tx, world, &asked, &wanted, &evidence)
        }
        Step::Unsubscribe if is_one_click => message::unsubscribe(tx, world, &asked, &evidence),
        Step::Unsubscribe => choice::unsubscribe(tx, world, &asked, &evidence),
        Step::Pause => {
            let days = given.iter().find(|(name, _)| name == "days").and_then(|(_, days)| days.parse().ok());
            choice::pause(tx, world, &asked, Some(days.unwrap_or(PAUSES[0])))
        }
        Step::Resume => choice::pause(tx, world, &asked, None),
        Step::Confirm => link::confirm(tx, world, &asked, &evidence),
        Step::Check => privacy::verify_by_link(tx, world, &asked),
    });
    match done.await {
        Ok(()) if is_one_click => Ok(StatusCode::OK.into_response()),
        Ok(()) => Ok(back(&token, &query, step)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => gone(&headers),
        Err(problem) if problem.status().is_client_error() && !is_one_click => {
            let status = problem.status();
            let mut page = shown(&app, &token, &query, (Some("refused"), true), &headers).await?;
            if page.status().is_success() {
                *page.status_mut() = status;
            }
            Ok(page)
        }
        Err(problem) => Err(problem),
    }
}

/// Back to the page, so that loading it again does nothing twice.
fn back(token: &str, query: &PageQuery, step: Step) -> Response {
    let language = query.language.as_deref().and_then(|text| Language::parse(text).ok());
    let language = language.map(|language| format!("&language={language}")).unwrap_or_default();
    let to = format!("/p/{token}?did={}{language}", step.text());
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// A link that leads nowhere says the same whatever it was, in the language of who asks if we have words in it.
fn gone(headers: &HeaderMap) -> Result<Response, Problem> {
    let language = wished_language(headers)?;
    let words: Value = page_words(language).map(|(name, words)| (name.to_owned(), json!(words))).collect();
    let view = json!({ "words": words, "language": language_of_words(language) });
    let mut page = private(asset::page("gone.html", view)?);
    *page.status_mut() = StatusCode::NOT_FOUND;
    Ok(page)
}

fn agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned)
}
