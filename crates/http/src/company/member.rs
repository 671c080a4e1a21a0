//! Who may buy in a company's name, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::company::{Limit, Role};
use domain::value::id::{Company as CompanyKind, Customer};
use domain::value::{Currency, Reference};
use engine::company::member::{self, Member, Named};
use engine::external;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The routes of members.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_company_members))
        .routes(routes!(set_company_member, remove_company_member))
        .routes(routes!(list_companies_of_customer))
}

/// A customer who may buy in a company's name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompanyMember, example = json!({"company": "com_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "role": "buyer", "limit": {"amount": 50000, "currency": "GBP"}, "since": "2026-06-01T10:00:00Z"}))]
pub(super) struct MemberShape {
    /// The company.
    company: String,
    /// The customer.
    customer: String,
    /// The customer's name, in the list of a company's members.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `buyer` (up to the limit), `approver` or `administrator` (who says who is a member).
    role: &'static str,
    /// What a buyer may spend on one order; anything when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<MoneyShape>,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
}

impl From<&Member> for MemberShape {
    fn from(one: &Member) -> MemberShape {
        let limit = one
            .limit
            .map(|limit| MoneyShape { amount: limit.minor, currency: limit.currency.code().to_owned() });
        MemberShape {
            company: one.company.to_string(),
            customer: one.customer.to_string(),
            name: None,
            role: one.role.text(),
            limit,
            since: one.since.to_string(),
        }
    }
}

impl From<&Named> for MemberShape {
    fn from(one: &Named) -> MemberShape {
        MemberShape { name: one.name.clone(), ..MemberShape::from(&one.member) }
    }
}

/// What a member shall be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompanyMemberChange, example = json!({"role": "buyer", "limit": {"amount": 50000, "currency": "GBP"}}))]
struct SetMemberShape {
    /// `buyer`, `approver` or `administrator`.
    role: String,
    /// What a buyer may spend on one order; anything when not given.
    limit: Option<MoneyShape>,
}

impl SetMemberShape {
    fn read(&self) -> Result<(Role, Option<Limit>), Refusal> {
        let mut fields = Fields::new();
        let read = granted(&mut fields, &self.role, self.limit.as_ref());
        fields.done(read)
    }
}

/// What somebody may do, and up to what.
pub(super) fn granted(
    fields: &mut Fields,
    role: &str,
    limit: Option<&MoneyShape>,
) -> Option<(Role, Option<Limit>)> {
    let role = fields.take("role", Role::parse(role));
    let limit = match limit {
        None => Some(None),
        Some(limit) => {
            let currency = fields.take("limit.currency", Currency::parse(&limit.currency));
            let limit = currency.map(|currency| Limit::new(limit.amount, currency));
            let told = |refusal: Refusal| refusal.message().to_owned();
            limit.and_then(|limit| fields.take("limit.amount", limit.map_err(told))).map(Some)
        }
    };
    role.zip(limit)
}

/// List the members of a company
///
/// With their names, whose reading is noted. The company's approvers and administrators may list them too.
#[utoipa::path(get, path = "/v1/companies/{company}/members", operation_id = "list_company_members", tag = "customer",
    params(("company" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<MemberShape>), Problems))]
async fn list_company_members(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let (limit, after) = (page.limit()?, page.after_id()?);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let found = member::list(tx, actor, world, id, (after, limit))?;
        let shapes = found.iter().map(MemberShape::from).collect();
        Reply::json(&Page::new(shapes, limit, |one: &MemberShape| one.customer.clone()))
    })
    .await
}

/// Make a customer a member of a company, or give a member another role
///
/// At most 500 members. The company's administrators may give another role too; who is new they invite.
#[utoipa::path(put, path = "/v1/companies/{company}/members/{customer}", operation_id = "set_company_member", tag = "customer",
    request_body = SetMemberShape, params(("company" = String, Path, description = "its id or external id"),
        ("customer" = String, Path, description = "the customer's id or external id")),
    responses((status = 200, body = MemberShape), Problems))]
async fn set_company_member(
    State(app): State<App>,
    Path((id, who)): Path<(String, String)>,
    command: Command<SetMemberShape>,
) -> Result<Response, Problem> {
    let (company, who) = (Reference::<CompanyKind>::read(&id), Reference::<Customer>::read(&who));
    let shall = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let both = (external::resolve(tx, &company)?, external::resolve(tx, &who)?);
        Reply::json(&MemberShape::from(&member::set(tx, actor, world, both, shall)?))
    })
    .await
}

/// End a membership of a company
///
/// The company's administrators may do it too, and whoever's membership it is.
#[utoipa::path(delete, path = "/v1/companies/{company}/members/{customer}", operation_id = "remove_company_member", tag = "customer",
    params(("company" = String, Path, description = "its id or external id"),
        ("customer" = String, Path, description = "the customer's id or external id")),
    responses((status = 204), Problems))]
async fn remove_company_member(
    State(app): State<App>,
    Path((id, who)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (company, who) = (Reference::<CompanyKind>::read(&id), Reference::<Customer>::read(&who));
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let both = (external::resolve(tx, &company)?, external::resolve(tx, &who)?);
        member::remove(tx, actor, world, both)?;
        Reply::json(&())
    })
    .await
}

/// List the companies a customer may buy for
#[utoipa::path(get, path = "/v1/customers/{id}/companies", operation_id = "list_companies_of_customer", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = Page<MemberShape>), Problems))]
async fn list_companies_of_customer(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            member::of_customer(tx, &actor, id)
        })
        .await?;
    document(&Page { items: found.iter().map(MemberShape::from).collect(), next_cursor: None }, None)
}
