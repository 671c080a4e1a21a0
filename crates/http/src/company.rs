//! Companies over the API. What names a company is answered by its own operation, whose reading is noted.

mod invitation;
mod member;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::company::{State as Standing, registration_number, vat_number};
use domain::customer::groups;
use domain::value::id::Company as CompanyKind;
use domain::value::{Country, Reference, reference};
use engine::company::{self, Company, Shown, Sought, Wanted};
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
use crate::shape::Fields;

/// The routes of companies.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_company, list_companies))
        .routes(routes!(find_companies))
        .routes(routes!(read_company, set_company))
        .routes(routes!(erase_company))
        .routes(routes!(set_company_terms))
        .merge(member::routes())
        .merge(invitation::routes())
}

/// A company that buys. What names it is read by its own operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Company, example = json!({"id": "com_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "external_id": "ERP-7", "state": "active", "groups": ["trade"], "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct CompanyShape {
    /// Its id.
    id: String,
    /// The contact that is current.
    contact: String,
    /// What other systems know it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// `active`, or `blocked`: then nothing is bought in its name.
    state: &'static str,
    /// The groups the retailer put it into; the first decides on prices.
    groups: Vec<String>,
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
            state: one.state.text(),
            groups: one.groups.clone(),
            made_at: one.made_at.to_string(),
            changed_at: one.changed_at.to_string(),
            erased_at: one.erased_at.map(|at| at.to_string()),
            version: one.version,
        }
    }
}

/// A company with what names it.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownCompany, example = json!({"id": "com_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000", "state": "active", "groups": [],
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

/// A company that is looked for, by one of the two.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SoughtCompany, example = json!({"name": "mugs"}))]
struct SoughtShape {
    /// Words of its name, in any order.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// Its VAT number, with the country before it.
    #[schema(max_length = 40)]
    vat_number: Option<String>,
}

impl SoughtShape {
    fn read(&self) -> Result<Sought, Refusal> {
        match (&self.name, &self.vat_number) {
            (Some(name), None) => Ok(Sought::Name(name.clone())),
            (None, Some(number)) => {
                let (country, _) = number.split_at_checked(2).unwrap_or_default();
                let country = Country::parse(if country == "EL" { "GR" } else { country });
                let country = country.map_err(|error| Refusal::invalid("vat_number", error))?;
                Ok(Sought::VatNumber(vat_number(number, country)?))
            }
            _ => Err(Refusal::invalid("name", "give the name or the VAT number")),
        }
    }
}

/// What the retailer grants a company.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompanyTerms, example = json!({"state": "active", "groups": ["trade"]}))]
struct TermsShape {
    /// `active`, or `blocked`: then nothing is bought in its name.
    state: String,
    /// Groups that count for prices and promotions before the member's own; the first decides on prices. At most 20.
    #[schema(max_items = 20)]
    groups: Vec<String>,
}

impl TermsShape {
    fn read(&self) -> Result<(Standing, Vec<String>), Refusal> {
        let mut fields = Fields::new();
        let state = fields.take("state", Standing::parse(&self.state));
        let groups = fields.part("groups", groups(&self.groups));
        fields.done(state.zip(groups))
    }
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

/// Find companies by name or VAT number
///
/// In the order they were made. A name is found by whole words; capitals and accents do not matter.
#[utoipa::path(post, path = "/v1/companies/find", operation_id = "find_companies", tag = "customer", request_body = SoughtShape, params(PageQuery),
    responses((status = 200, body = Page<CompanyShape>), Problems))]
async fn find_companies(
    State(app): State<App>,
    Asked(page): Asked<PageQuery>,
    command: Command<SoughtShape>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let sought = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let found = company::find(tx, actor, world, &sought, (after, limit))?;
        let shapes = found.iter().map(CompanyShape::from).collect();
        Reply::json(&Page::new(shapes, limit, |one: &CompanyShape| one.id.clone()))
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

/// Say what a company is granted
///
/// Its groups, and whether anything is bought in its name. For colleagues only.
#[utoipa::path(put, path = "/v1/companies/{company}/terms", operation_id = "set_company_terms", tag = "customer", request_body = TermsShape,
    params(("company" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = CompanyShape), Problems))]
async fn set_company_terms(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TermsShape>,
) -> Result<Response, Problem> {
    let reference: Reference<CompanyKind> = Reference::read(&id);
    let version = command.version()?;
    let terms = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let one = company::set_terms(tx, actor, world, (id, version), terms.clone())?;
        Reply::versioned(&CompanyShape::from(&one), one.version)
    })
    .await
}
