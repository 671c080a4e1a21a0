//! Invitations to buy in a company's name, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{Company as CompanyKind, CompanyInvitation, Customer};
use domain::value::{Email, Id, Language, Reference};
use engine::company::invitation::{self, Invitation, NewInvitation};
use engine::external;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::member::{MemberShape, granted};
use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, MoneyShape};

/// The routes of invitations.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_company_invitations, invite_company_member))
        .routes(routes!(end_company_invitation))
        .routes(routes!(accept_company_invitation))
}

/// Somebody who was asked to buy in a company's name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompanyInvitation, example = json!({"id": "cin_01jd0000000000000000000000", "company": "com_01jd0000000000000000000000", "role": "buyer",
    "made_at": "2026-06-01T10:00:00Z", "expires_at": "2026-06-15T10:00:00Z"}))]
struct InvitationShape {
    /// Its id.
    id: String,
    /// The company.
    company: String,
    /// What the member will be: `buyer`, `approver` or `administrator`.
    role: &'static str,
    /// What a buyer will be able to spend on one order; anything when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<MoneyShape>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it can be accepted.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&Invitation> for InvitationShape {
    fn from(one: &Invitation) -> InvitationShape {
        let limit = one
            .limit
            .map(|limit| MoneyShape { amount: limit.minor, currency: limit.currency.code().to_owned() });
        InvitationShape {
            id: one.id.to_string(),
            company: one.company.to_string(),
            role: one.role.text(),
            limit,
            made_at: one.made_at.to_string(),
            expires_at: one.expires_at.to_string(),
        }
    }
}

/// Somebody to be asked by mail.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCompanyInvitation, example = json!({"email": "ada@example.com", "role": "buyer", "limit": {"amount": 50000, "currency": "GBP"}}))]
struct InviteShape {
    /// Where the mail goes.
    #[schema(max_length = 254)]
    email: String,
    /// The language of the mail for who is not known: a language tag. English when not given.
    language: Option<String>,
    /// `buyer`, `approver` or `administrator`.
    role: String,
    /// What a buyer may spend on one order; anything when not given.
    limit: Option<MoneyShape>,
}

impl InviteShape {
    fn read(&self) -> Result<NewInvitation, Refusal> {
        let mut fields = Fields::new();
        let email = fields.take("email", Email::parse(&self.email));
        let language = fields.take_if("language", self.language.as_deref(), Language::parse);
        let granted = granted(&mut fields, &self.role, self.limit.as_ref());
        let read = (|| {
            let (role, limit) = granted?;
            Some(NewInvitation { email: email?, language: language?, role, limit })
        })();
        fields.done(read)
    }
}

/// The code an invitation brought.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompanyInvitationCode, example = json!({"code": "3f9a2c41d07be586"}))]
struct CodeShape {
    /// The sixteen letters and digits; what stands between them does not matter.
    #[schema(max_length = 64)]
    code: String,
}

/// List the invitations of a company that can be accepted
///
/// At most 50. The company's approvers and administrators may list them too.
#[utoipa::path(get, path = "/v1/companies/{company}/invitations", operation_id = "list_company_invitations", tag = "customer",
    params(("company" = String, Path, description = "its id or external id")),
    responses((status = 200, body = Page<InvitationShape>), Problems))]
async fn list_company_invitations(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let found = invitation::list(tx, actor, world, id)?;
        Reply::json(&Page { items: found.iter().map(InvitationShape::from).collect(), next_cursor: None })
    })
    .await
}

/// Ask somebody by mail to buy in a company's name
///
/// The mail brings a code that works once, for 14 days. The company's administrators may ask too; nobody learns whether the address was known.
#[utoipa::path(post, path = "/v1/companies/{company}/invitations", operation_id = "invite_company_member", tag = "customer",
    request_body = InviteShape, params(("company" = String, Path, description = "its id or external id")),
    responses((status = 201, body = InvitationShape), Problems))]
async fn invite_company_member(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<InviteShape>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let new = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let one = invitation::invite(tx, actor, world, id, new.clone())?;
        Reply::json(&InvitationShape::from(&one))
    })
    .await
}

/// End an invitation to a company that was not accepted
#[utoipa::path(delete, path = "/v1/companies/{company}/invitations/{invitation}", operation_id = "end_company_invitation", tag = "customer",
    params(("company" = String, Path, description = "its id or external id"), ("invitation" = String, Path, description = "its id")),
    responses((status = 204), Problems))]
async fn end_company_invitation(
    State(app): State<App>,
    Path((id, invitation)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let ended = Id::<CompanyInvitation>::parse(&invitation)
        .map_err(|_| Refusal::not_found("company invitation", &invitation))?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        invitation::end(tx, actor, world, (id, ended))?;
        Reply::json(&())
    })
    .await
}

/// Accept an invitation to buy in a company's name
#[utoipa::path(post, path = "/v1/customers/{id}/companies", operation_id = "accept_company_invitation", tag = "customer",
    request_body = CodeShape, params(("id" = String, Path, description = "its id or external id")),
    responses((status = 201, body = MemberShape), Problems))]
async fn accept_company_invitation(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CodeShape>,
) -> Result<Response, Problem> {
    let (reference, code) = (Reference::<Customer>::read(&id), command.body.code.clone());
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let who = external::resolve(tx, &reference)?;
        Reply::json(&MemberShape::from(&invitation::accept(tx, actor, world, (who, &code))?))
    })
    .await
}
