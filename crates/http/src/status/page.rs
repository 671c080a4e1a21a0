//! The page behind a status link: how the order stands and what its customer can do, made by the shop for any browser, with or without
//! scripts.

mod deed;
mod shown;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::actor::key::hexadecimal;
use domain::status::{language_of_words, page_words};
use domain::value::{Id, Language, id};
use engine::status::page;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::shape::StatusShape;
use crate::App;
use crate::app::Reply;
use crate::asset::{self, private, wished_language};
use crate::paper::labelled;
use crate::problem::Problem;
use crate::query::Asked;
use deed::Deed;

/// The page and what its forms do. It is a page, not part of the API, and so not in its description.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .route("/o/{token}", get(read_page))
        .route("/o/{token}/{deed}", post(act))
        .route("/o/{token}/labels/{return}", get(print_label))
}

/// What a page says before everything else: what was just done, or why it was not.
struct Notice {
    words: &'static str,
    refused: bool,
}

#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    /// The language of the words; the market's when it is none we know.
    language: Option<String>,
    /// What was just done.
    did: Option<String>,
}

impl PageQuery {
    fn language(&self) -> Option<Language> {
        Language::parse(self.language.as_deref()?).ok()
    }

    fn notice(&self) -> Option<Notice> {
        let words = Deed::named(self.did.as_deref()?)?.done();
        Some(Notice { words, refused: false })
    }
}

async fn read_page(
    State(app): State<App>,
    Path(token): Path<String>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    shown(&app, token, &query, query.notice(), &headers).await
}

async fn shown(
    app: &App,
    token: String,
    query: &PageQuery,
    notice: Option<Notice>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (now, language) = (app.shop.source.now(), query.language());
    let (asked, key) = (token.clone(), hexadecimal(&app.shop.world().bytes::<32>())[..32].to_owned());
    let read = app.read(move |tx| {
        let page = page::page(tx, &asked, now, language)?;
        let told = Reply::json(&StatusShape::from(&page.status))?.into_text();
        Ok((page, super::stream::look_of(&told)))
    });
    match read.await {
        Ok((found, look)) => {
            let mut view = shown::view(&found, now);
            let said = page_words(found.status.language).collect::<Vec<_>>();
            let word = |name: &str| said.iter().find(|(known, _)| *known == name).map(|(_, words)| *words);
            view["words"] =
                said.iter().map(|(name, words)| ((*name).to_owned(), json!(words))).collect::<Value>();
            view["notice"] = json!(notice.as_ref().and_then(|notice| word(notice.words)));
            view["refused"] = json!(notice.is_some_and(|notice| notice.refused));
            view["language"] = json!(language_of_words(found.status.language));
            let suffix = language.map(|language| format!("?language={language}")).unwrap_or_default();
            view["suffix"] = json!(suffix);
            view["stream"] = json!(format!("/v1/order-status/{token}/stream{suffix}"));
            (view["path"], view["look"], view["key"]) =
                (json!(format!("/o/{token}")), json!(look), json!(key));
            Ok(private(asset::page("order.html", view)?))
        }
        Err(problem) if problem.status().is_client_error() => gone(headers),
        Err(problem) => Err(problem),
    }
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

/// Does what a form of the page asks for, and shows the page again.
async fn act(
    State(app): State<App>,
    Path((token, name)): Path<(String, String)>,
    Asked(query): Asked<PageQuery>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let Some(deed) = Deed::named(&name) else { return gone(&headers) };
    let refused = match deed::read(deed, &fields) {
        Some(wish) => match deed::perform(&app, &token, &fields, wish).await {
            Ok(_) => return Ok(back(&token, &query, deed)),
            Err(problem) if problem.status().is_server_error() => {
                (StatusCode::SERVICE_UNAVAILABLE, "refused_other")
            }
            Err(problem) => (problem.status(), deed::why(problem)),
        },
        None => (StatusCode::UNPROCESSABLE_ENTITY, "refused_values"),
    };
    let notice = Notice { words: refused.1, refused: true };
    let mut page = shown(&app, token, &query, Some(notice), &headers).await?;
    if page.status().is_success() {
        *page.status_mut() = refused.0;
    }
    Ok(page)
}

/// Back to the page, so that loading it again does nothing twice.
fn back(token: &str, query: &PageQuery, deed: Deed) -> Response {
    let language = query.language().map(|language| format!("&language={language}")).unwrap_or_default();
    let to = format!("/o/{token}?did={}{language}", deed.text());
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// The label of a return by post, for who holds the link to its order.
async fn print_label(
    State(app): State<App>,
    Path((token, one)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(one) = Id::<id::Return>::parse(&one) else { return gone(&headers) };
    match app.write(move |tx, world| page::return_label(tx, world, &token, one)).await {
        Ok(label) => labelled(&label).answer(),
        Err(problem) if problem.status().is_client_error() => gone(&headers),
        Err(problem) => Err(problem),
    }
}
