//! The addresses of a customer or a company over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::id::{Address as AddressKind, Company, Customer};
use domain::value::{Id, Reference};
use domain::{Refusal, detail as rules};
use engine::address::{self, Address, Holder, Shown, Wanted};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::contact::ContactShape;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_addresses, add_address))
        .routes(routes!(set_address, remove_address))
        .routes(routes!(list_company_addresses, add_company_address))
        .routes(routes!(set_company_address, remove_company_address))
}

/// Where a customer or a company wants things sent, or the invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Address, example = json!({"id": "adr_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "for_delivery": true, "for_billing": false, "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct AddressShape {
    /// Its id.
    id: String,
    /// The contact it is now; it goes with carts and orders.
    contact: String,
    /// Do goods go there when nothing is said?
    for_delivery: bool,
    /// Do invoices go there when nothing is said?
    for_billing: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Address> for AddressShape {
    fn from(one: &Address) -> AddressShape {
        AddressShape {
            id: one.row.id.to_string(),
            contact: one.row.contact.to_string(),
            for_delivery: one.for_delivery,
            for_billing: one.for_billing,
            made_at: one.row.made_at.to_string(),
            changed_at: one.row.changed_at.to_string(),
            version: one.row.version,
        }
    }
}

/// An address with what is written on it.
#[derive(Serialize, ToSchema)]
#[schema(as = ShownAddress, example = json!({"id": "adr_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "for_delivery": true, "for_billing": false, "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1,
    "label": "home", "card": {"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB"}}))]
struct ShownShape {
    /// The address.
    #[serde(flatten)]
    address: AddressShape,
    /// What the holder calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Name and address.
    card: ContactShape,
}

impl From<&Shown> for ShownShape {
    fn from(one: &Shown) -> ShownShape {
        ShownShape {
            address: AddressShape::from(&one.address),
            label: one.label.clone(),
            card: ContactShape::from(&one.card),
        }
    }
}

/// An address as it shall be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddress, example = json!({"label": "home", "contact": {"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds",
    "postal_code": "LS1 4DY", "country": "GB"}, "for_delivery": true}))]
struct WantedShape {
    /// What the holder calls it: at most 60 characters. Kept sealed.
    #[schema(min_length = 1, max_length = 60)]
    label: Option<String>,
    /// Name and address, with whatever the country asks for.
    contact: ContactShape,
    /// Do goods go there when nothing is said? No when not given. The last address so chosen is the one.
    #[serde(default)]
    for_delivery: bool,
    /// Do invoices go there when nothing is said? No when not given. The last address so chosen is the one.
    #[serde(default)]
    for_billing: bool,
}

impl WantedShape {
    fn read(self) -> Result<Wanted, Refusal> {
        let mut fields = Fields::new();
        let label = self.label.as_deref().map(rules::label).transpose();
        let label = fields.take("label", label.map_err(|refusal| refusal.message().to_owned()));
        let card = self.contact.read(&mut fields, "contact");
        let (for_delivery, for_billing) = (self.for_delivery, self.for_billing);
        let read = label.zip(card).map(|(label, card)| Wanted { label, card, for_delivery, for_billing });
        fields.done(read)
    }
}

/// Whose addresses a path speaks of.
#[derive(Clone)]
enum Named {
    Customer(Reference<Customer>),
    Company(Reference<Company>),
}

impl Named {
    fn customer(text: &str) -> Named {
        Named::Customer(Reference::read(text))
    }

    fn company(text: &str) -> Named {
        Named::Company(Reference::read(text))
    }

    fn found(&self, tx: &mut Tx<'_>) -> Result<Holder, Failure> {
        Ok(match self {
            Named::Customer(reference) => Holder::Customer(external::resolve(tx, reference)?),
            Named::Company(reference) => Holder::Company(external::resolve(tx, reference)?),
        })
    }
}

/// Reads the id of an address in a path.
fn named(text: &str) -> Result<Id<AddressKind>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("address", text).into())
}

async fn listed(app: App, holder: Named, command: Command<()>) -> Result<Response, Problem> {
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let holder = holder.found(tx)?;
        let found = address::list(tx, actor, world, holder)?;
        Reply::json(&Page { items: found.iter().map(ShownShape::from).collect(), next_cursor: None })
    })
    .await
}

async fn added(app: App, holder: Named, command: Command<WantedShape>) -> Result<Response, Problem> {
    let wanted = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let holder = holder.found(tx)?;
        let one = address::add(tx, actor, world, holder, wanted.clone())?;
        Reply::versioned(&AddressShape::from(&one), one.row.version)
    })
    .await
}

async fn set(
    app: App,
    (holder, address): (Named, String),
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    let (address, version) = (named(&address)?, command.version()?);
    let wanted = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let holder = holder.found(tx)?;
        let one = address::change(tx, actor, world, (holder, address), (wanted.clone(), version))?;
        Reply::versioned(&AddressShape::from(&one), one.row.version)
    })
    .await
}

async fn removed(
    app: App,
    (holder, address): (Named, String),
    command: Command<()>,
) -> Result<Response, Problem> {
    let address = named(&address)?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let holder = holder.found(tx)?;
        address::remove(tx, actor, world, (holder, address))?;
        Reply::json(&())
    })
    .await
}

/// List a customer's addresses, the oldest first
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/addresses", operation_id = "list_addresses", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = Page<ShownShape>), Problems))]
async fn list_addresses(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    listed(app, Named::customer(&id), command).await
}

/// Add an address to a customer
///
/// At most 50.
#[utoipa::path(post, path = "/v1/customers/{id}/addresses", operation_id = "add_address", tag = "customer", request_body = WantedShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 201, body = AddressShape), Problems))]
async fn add_address(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    added(app, Named::customer(&id), command).await
}

/// Write a customer's address anew
///
/// The contact it was is kept for the orders that refer to it.
#[utoipa::path(put, path = "/v1/customers/{id}/addresses/{address}", operation_id = "set_address", tag = "customer", request_body = WantedShape,
    params(("id" = String, Path, description = "its id or external id"), ("address" = String, Path, description = "the address's id"),
        ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = AddressShape), Problems))]
async fn set_address(
    State(app): State<App>,
    Path((id, address)): Path<(String, String)>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    set(app, (Named::customer(&id), address), command).await
}

/// Take away a customer's address
#[utoipa::path(delete, path = "/v1/customers/{id}/addresses/{address}", operation_id = "remove_address", tag = "customer",
    params(("id" = String, Path, description = "its id or external id"), ("address" = String, Path, description = "the address's id")),
    responses((status = 204), Problems))]
async fn remove_address(
    State(app): State<App>,
    Path((id, address)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    removed(app, (Named::customer(&id), address), command).await
}

/// List a company's addresses, the oldest first
///
/// Its members read them too. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/companies/{company}/addresses", operation_id = "list_company_addresses", tag = "customer",
    params(("company" = String, Path, description = "its id or external id")), responses((status = 200, body = Page<ShownShape>), Problems))]
async fn list_company_addresses(
    State(app): State<App>,
    Path(company): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    listed(app, Named::company(&company), command).await
}

/// Add an address to a company
///
/// At most 50. Its administrators add them too.
#[utoipa::path(post, path = "/v1/companies/{company}/addresses", operation_id = "add_company_address", tag = "customer", request_body = WantedShape,
    params(("company" = String, Path, description = "its id or external id")), responses((status = 201, body = AddressShape), Problems))]
async fn add_company_address(
    State(app): State<App>,
    Path(company): Path<String>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    added(app, Named::company(&company), command).await
}

/// Write a company's address anew
///
/// The contact it was is kept for the orders that refer to it.
#[utoipa::path(put, path = "/v1/companies/{company}/addresses/{address}", operation_id = "set_company_address", tag = "customer", request_body = WantedShape,
    params(("company" = String, Path, description = "its id or external id"), ("address" = String, Path, description = "the address's id"),
        ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = AddressShape), Problems))]
async fn set_company_address(
    State(app): State<App>,
    Path((company, address)): Path<(String, String)>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    set(app, (Named::company(&company), address), command).await
}

/// Take away a company's address
#[utoipa::path(delete, path = "/v1/companies/{company}/addresses/{address}", operation_id = "remove_company_address", tag = "customer",
    params(("company" = String, Path, description = "its id or external id"), ("address" = String, Path, description = "the address's id")),
    responses((status = 204), Problems))]
async fn remove_company_address(
    State(app): State<App>,
    Path((company, address)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    removed(app, (Named::company(&company), address), command).await
}
