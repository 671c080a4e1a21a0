//! Members of staff who sign in by the retailer's own sign-on, into the same session as by their password.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;
use domain::sign_in::sign_on::Audience;
use domain::value::Reference;
use engine::sign_in::own::visitor;
use engine::sign_in::{provider, sign_on};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sign_on::{AwayShape, NewSignOnShape, SignOnShape, begin, vouched};
use crate::App;
use crate::actor::session::{SessionShape, welcome};
use crate::app::document;
use crate::command::Public;
use crate::observe::address_of;
use crate::page::Page;
use crate::problem::{Problem, Problems};

/// The routes of signing in staff by a sign-on.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_staff_sign_ons, begin_staff_sign_on))
        .routes(routes!(finish_staff_sign_on))
}

/// List the sign-ons members of staff can choose
#[utoipa::path(get, path = "/v1/session/sign-ons", operation_id = "list_staff_sign_ons", tag = "access",
    responses((status = 200, body = Page<SignOnShape>), Problems))]
async fn list_staff_sign_ons(State(app): State<App>) -> Result<Response, Problem> {
    let found = app.read(|tx| provider::open_to(tx, Audience::Staff)).await?;
    let items = found.into_iter().map(SignOnShape::from).collect();
    document(&Page { items, next_cursor: None }, None)
}

/// Go to a sign-on as a member of staff
///
/// As for customers; `redirect_uri` is a page of the shop itself.
#[utoipa::path(post, path = "/v1/session/sign-ons", operation_id = "begin_staff_sign_on", tag = "access", request_body = NewSignOnShape,
    responses((status = 200, body = AwayShape), Problems))]
async fn begin_staff_sign_on(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    Public(asked): Public<NewSignOnShape>,
) -> Result<Response, Problem> {
    let address = address_of(&extensions, &headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(Sha256::digest("staff sign-on").into(), address)?;
    let reference = Reference::read(&asked.provider);
    let chosen = app.read(move |tx| sign_on::chosen(tx, &visitor(), &reference, Audience::Staff)).await?;
    let away = begin(&app, chosen, asked.redirect_uri).await?;
    document(&AwayShape::from(away), None)
}

/// A member of staff who came back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StaffSignOnBack, example = json!({"state": "5f2c4d1e0b9a8877665544332211ffee5f2c4d1e0b9a8877665544332211ffee", "code": "SplxlOBeZQQYbYS6WxSbIA"}))]
struct StaffBackShape {
    /// What he took along; it is the one this browser was sent away with.
    #[schema(max_length = 64)]
    state: String,
    /// What the sign-on gave him.
    #[schema(min_length = 1, max_length = 4096)]
    code: String,
}

/// Sign a member of staff in who comes back from a sign-on
///
/// The member with the address that the sign-on has verified; nobody becomes a member by it. Sets the cookie `tandem_session`.
#[utoipa::path(post, path = "/v1/session/sign-ons/finish", operation_id = "finish_staff_sign_on", tag = "access", request_body = StaffBackShape,
    responses((status = 200, body = SessionShape), Problems))]
async fn finish_staff_sign_on(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    Public(asked): Public<StaffBackShape>,
) -> Result<Response, Problem> {
    let address = address_of(&extensions, &headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(Sha256::digest(&asked.state).into(), address)?;
    let (provider, claims) = vouched(&app, asked.state, &asked.code, Audience::Staff).await?;
    let opened = app.write(move |tx, world| sign_on::open_staff(tx, world, (&provider, &claims))).await?;
    welcome(&app, opened).await
}
