//! Companies over the API. What names a company is answered by its own operation, whose reading is noted.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::company::{Limit, Role, registration_number, vat_number};
use domain::value::id::{Cart, Company as CompanyKind, Customer, Order};
use domain::value::{Country, Currency, Id, Reference, reference};
use engine::company::{self, Company, Member, Shown, Wanted};
use engine::external;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::contact::ContactShape;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The routes of companies.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_company, list_companies))
        .routes(routes!(find_company))
        .routes(routes!(read_company, set_company))
        .routes(routes!(erase_company))
        .routes(routes!(list_company_members))
        .routes(routes!(set_company_member, remove_company_member))
        .routes(routes!(list_company_orders))
        .routes(routes!(list_companies_of_customer))
        .routes(routes!(set_cart_company, remove_cart_company))
}

/// A company that buys. What names it is read by its own operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Company, example = json!({"id": "com_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "external_id": "ERP-7", "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct CompanyShape {
    /// Its id.
    id: String,
    /// The contact that is current.
    contact: String,
    /// What other systems know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// When it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    erased_at: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Company> for CompanyShape {
    fn from(one: &Company) -> CompanyShape {
        CompanyShape {
            id: one.id.to_string(),
            contact: one.contact.to_string(),
            external_id: one.external_id.clone(),
            made_at: one.made_at.to_string(),
            changed_at: one.changed_at.to_string(),
            erased_at: one.erased_at.map(|at| at.to_string()),
            version: one.version,
        }
    }
}

/// A company with what names it.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownCompany, example = json!({"id": "com_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1,
    "card": {"company": "Mugs Ltd", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"},
    "registration_number": "01234567", "vat_number": "GB123456789"}))]
struct ShownShape {
    /// The company.
    #[serde(flatten)]
    company: CompanyShape,
    /// Its name and address.
    card: ContactShape,
    /// Its number at the court or chamber.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_number: Option<String>,
    /// Its VAT number, with the country before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_number: Option<String>,
}

impl From<&Shown> for ShownShape {
    fn from(one: &Shown) -> ShownShape {
        ShownShape {
            company: CompanyShape::from(&one.company),
            card: ContactShape::from(&one.card),
            registration_number: one.registration_number.clone(),
            vat_number: one.vat_number.clone(),
        }
    }
}

/// A company as it shall be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCompany, example = json!({"external_id": "ERP-7", "contact": {"company": "Mugs Ltd", "street": ["1 High Street"], "city": "Leeds",
    "postal_code": "LS1 4DY", "country": "GB"}, "registration_number": "01234567", "vat_number": "GB123456789"}))]
struct WantedShape {
    /// What other systems know it by, when it is made: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// Its name, in `company`, and address.
    contact: ContactShape,
    /// Its number at the court or chamber: at most 40 characters.
    #[schema(max_length = 40)]
    registration_number: Option<String>,
    /// Its VAT number, as the country of the address writes it. No other company has it.
    #[schema(max_length = 40)]
    vat_number: Option<String>,
}

impl WantedShape {
    fn read(self) -> Result<(Wanted, Option<String>), Refusal> {
        let mut fields = Fields::new();
        let external_id =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<CompanyKind>);
        let card = self.contact.read(&mut fields, "contact");
        let told = |refusal: Refusal| refusal.message().to_owned();
        let registration =
            fields.take_if("registration_number", self.registration_number.as_deref(), |text| {
                registration_number(text).map_err(told)
            });
        let country = card.as_ref().and_then(|card| card.country());
        let vat = fields.take_if("vat_number", self.vat_number.as_deref(), |text| match country {
            Some(country) => vat_number(text, country).map_err(told),
            None => Err("give the country of the contact, which says how the number is written".to_owned()),
        });
        let read = (|| {
            let wanted = Wanted { card: card?, registration_number: registration?, vat_number: vat? };
            Some((wanted, external_id?))
        })();
        fields.done(read)
    }
}

/// A company that is looked for.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SoughtCompany, example = json!({"vat_number": "GB123456789", "country": "GB"}))]
struct SoughtShape {
    /// Its VAT number.
    #[schema(max_length = 40)]
    vat_number: String,
    /// The country that gave it: two letters of ISO 3166-1.
    country: String,
}

/// A customer who may buy in a company's name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompanyMember, example = json!({"company": "com_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "role": "buyer", "limit": {"amount": 50000, "currency": "GBP"}, "since": "2026-06-01T10:00:00Z"}))]
struct MemberShape {
    /// The company.
    company: String,
    /// The customer.
    customer: String,
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
            role: one.role.text(),
            limit,
            since: one.since.to_string(),
        }
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
        let role = fields.take("role", Role::parse(&self.role));
        let limit = match &self.limit {
            None => Some(None),
            Some(limit) => {
                let currency = fields.take("limit.currency", Currency::parse(&limit.currency));
                let limit = currency.map(|currency| Limit::new(limit.amount, currency));
                let told = |refusal: Refusal| refusal.message().to_owned();
                limit.and_then(|limit| fields.take("limit.amount", limit.map_err(told))).map(Some)
            }
        };
        fields.done(role.zip(limit))
    }
}

/// An order that was bought for a company.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompanyOrder, example = json!({"order": "ord_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000"}))]
struct OrderShape {
    /// The order.
    order: String,
    /// The member who bought.
    customer: String,
}

/// For which company a cart is bought.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartCompany, example = json!({"company": "com_01jd0000000000000000000000"}))]
struct CartCompanyShape {
    /// The company: its id or external id.
    company: String,
}

/// Make a company
#[utoipa::path(post, path = "/v1/companies", operation_id = "create_company", tag = "customer", request_body = WantedShape,
    responses((status = 201, body = CompanyShape), Problems))]
async fn create_company(State(app): State<App>, command: Command<WantedShape>) -> Result<Response, Problem> {
    let wanted = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let one = company::create(tx, actor, world, wanted.clone())?;
        Reply::versioned(&CompanyShape::from(&one), one.version)
    })
    .await
}

/// List companies
#[utoipa::path(get, path = "/v1/companies", operation_id = "list_companies", tag = "customer", params(PageQuery),
    responses((status = 200, body = Page<CompanyShape>), Problems))]
async fn list_companies(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| company::list(tx, &actor, after, limit)).await?;
    let shapes = found.iter().map(CompanyShape::from).collect();
    document(&Page::new(shapes, limit, |one: &CompanyShape| one.id.clone()), None)
}

/// Find a company by its VAT number
#[utoipa::path(post, path = "/v1/companies/find", operation_id = "find_company", tag = "customer", request_body = SoughtShape,
    responses((status = 200, body = Page<CompanyShape>), Problems))]
async fn find_company(State(app): State<App>, command: Command<SoughtShape>) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let country = fields.take("country", Country::parse(&command.body.country));
    let country = fields.done(country)?;
    let number = vat_number(&command.body.vat_number, country)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let found = company::find(tx, actor, world, &number)?;
        Reply::json(&Page { items: found.iter().map(CompanyShape::from).collect(), next_cursor: None })
    })
    .await
}

/// Read a company with what names it
///
/// Each reading is noted in the audit trail. Its members may read it too.
#[utoipa::path(get, path = "/v1/companies/{company}", operation_id = "read_company", tag = "customer",
    params(("company" = String, Path, description = "its id or external id")), responses((status = 200, body = ShownShape), Problems))]
async fn read_company(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let shown = company::read(tx, actor, world, id)?;
        Reply::versioned(&ShownShape::from(&shown), shown.company.version)
    })
    .await
}

/// Write a company anew
///
/// The external id stays as it was. The company's administrators may write it too.
#[utoipa::path(put, path = "/v1/companies/{company}", operation_id = "set_company", tag = "customer", request_body = WantedShape,
    params(("company" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = CompanyShape), Problems))]
async fn set_company(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let version = command.version()?;
    let (wanted, _) = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let one = company::change(tx, actor, world, (id, version), wanted.clone())?;
        Reply::versioned(&CompanyShape::from(&one), one.version)
    })
    .await
}

/// Erase a company
///
/// The key that opens what names it is destroyed, and its memberships end. Orders stay.
#[utoipa::path(post, path = "/v1/companies/{company}/erase", operation_id = "erase_company", tag = "customer",
    params(("company" = String, Path, description = "its id or external id")), responses((status = 204), Problems))]
async fn erase_company(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        company::erase(tx, actor, world, id)?;
        Reply::json(&())
    })
    .await
}

/// List the members of a company
#[utoipa::path(get, path = "/v1/companies/{company}/members", operation_id = "list_company_members", tag = "customer",
    params(("company" = String, Path, description = "its id or external id")), responses((status = 200, body = Page<MemberShape>), Problems))]
async fn list_company_members(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            company::members(tx, &actor, id)
        })
        .await?;
    document(&Page { items: found.iter().map(MemberShape::from).collect(), next_cursor: None }, None)
}

/// Make a customer a member of a company, or give a member another role
///
/// At most 500 members. The company's administrators may do it too.
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
        Reply::json(&MemberShape::from(&company::set_member(tx, actor, world, both, shall)?))
    })
    .await
}

/// End a membership of a company
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
        company::remove_member(tx, actor, world, both)?;
        Reply::json(&())
    })
    .await
}

/// List the orders bought for a company, the newest first
#[utoipa::path(get, path = "/v1/companies/{company}/orders", operation_id = "list_company_orders", tag = "customer",
    params(("company" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<OrderShape>), Problems))]
async fn list_company_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let (limit, before) = (page.limit()?, page.before_id::<Order>()?);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            company::orders(tx, &actor, id, (before, limit))
        })
        .await?;
    let shape = |(order, customer): &(Id<Order>, Id<Customer>)| OrderShape {
        order: order.to_string(),
        customer: customer.to_string(),
    };
    let shapes = found.iter().map(shape).collect();
    document(&Page::new(shapes, limit, |one: &OrderShape| one.order.clone()), None)
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
            company::of_customer(tx, &actor, id)
        })
        .await?;
    document(&Page { items: found.iter().map(MemberShape::from).collect(), next_cursor: None }, None)
}

/// Say for which company a cart is bought
///
/// The cart's customer must be a member. Beyond a buyer's limit the order is refused when it is placed.
#[utoipa::path(put, path = "/v1/carts/{id}/company", operation_id = "set_cart_company", tag = "cart", request_body = CartCompanyShape,
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = CartCompanyShape), Problems))]
async fn set_cart_company(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CartCompanyShape>,
) -> Result<Response, Problem> {
    let cart = cart_named(&id)?;
    let reference: Reference<CompanyKind> = Reference::read(&command.body.company);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve_at(tx, "company", &reference)?;
        company::set_cart(tx, actor, world, (cart, Some(id)))?;
        Reply::json(&CartCompanyShape { company: id.to_string() })
    })
    .await
}

/// Say that a cart is bought for no company
#[utoipa::path(delete, path = "/v1/carts/{id}/company", operation_id = "remove_cart_company", tag = "cart",
    params(("id" = String, Path, description = "its id")), responses((status = 204), Problems))]
async fn remove_cart_company(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let cart = cart_named(&id)?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        company::set_cart(tx, actor, world, (cart, None))?;
        Reply::json(&())
    })
    .await
}

fn cart_named(text: &str) -> Result<Id<Cart>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("cart", text).into())
}
