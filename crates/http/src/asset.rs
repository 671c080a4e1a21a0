//! What pages are made of and the program carries within it: templates, styles, scripts, pictures. Nothing is fetched from elsewhere.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::value::Language;
use minijinja::{AutoEscape, Environment};
use rust_embed::RustEmbed;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::problem::Problem;

/// The files of `crates/http/pages`.
#[derive(RustEmbed)]
#[folder = "pages/"]
struct Pages;

/// What a page of ours may do in a browser: only what comes from here, and no script or style written into the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The templates, read once.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    for name in Pages::iter().filter(|name| name.ends_with(".html")) {
        let text = Pages::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
        if let Err(error) = templates.add_template_owned(name.into_owned(), text.unwrap_or_default()) {
            tracing::error!(%error, "a page's template cannot be read");
        }
    }
    templates
});

/// The route of styles, scripts and pictures.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/assets/{name}", get(read_asset))
}

/// A page made from a template and what it shows.
///
/// # Errors
/// When the template has a mistake, which is a mistake in the program.
pub(crate) fn page(template: &str, view: impl Serialize) -> Result<Response, Problem> {
    html(template, view).map(shown)
}

/// The text of a page made from a template and what it shows.
///
/// # Errors
/// As [`page`].
pub(crate) fn html(template: &str, view: impl Serialize) -> Result<String, Problem> {
    let made =
        TEMPLATES.get_template(template).and_then(|template| template.render(minijinja::value::Serde(view)));
    made.map_err(|error| {
        tracing::error!(%error, template, "a page could not be made");
        Problem::fault()
    })
}

/// A page as browsers are shown it.
pub(crate) fn shown(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, html).into_response()
}

/// A style of our pages, for a page that is taken along.
pub(crate) fn style(name: &str) -> Option<Vec<u8>> {
    Pages::get(&format!("assets/{name}")).map(|file| file.data.into_owned())
}

/// A page about somebody: nobody on the way keeps it, and nobody finds it.
pub(crate) fn private(mut page: Response) -> Response {
    let headers = page.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    page
}

/// The language a browser wishes first, if it is one; English for every other.
pub(crate) fn wished_language(headers: &HeaderMap) -> Result<Language, Problem> {
    let wished = headers.get(header::ACCEPT_LANGUAGE).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let first = wished.split([',', ';']).next().unwrap_or_default();
    Language::parse(first).or_else(|_| Language::parse("en")).map_err(|_| Problem::fault())
}

/// Browsers ask again each time whether it is still the same, so that a new program never meets an old script.
async fn read_asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let found = kind_of(&name).zip(Pages::get(&format!("assets/{name}")));
    let Some((kind, file)) = found else {
        let detail = format!("there is no file {name:?}; see /");
        return Problem::edge(StatusCode::NOT_FOUND, "not_found", domain::Code::NotFound.meaning(), detail)
            .into_response();
    };
    let tag = format!("\"{}\"", domain::actor::key::hexadecimal(&file.metadata.sha256_hash()));
    let kept: [(HeaderName, &str); 2] = [(header::ETAG, &tag), (header::CACHE_CONTROL, "no-cache")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, kind)], file.data).into_response()
}

fn kind_of(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "mjs" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
