//! Customers over the API. What names a person is given in bodies only and answered by its own operation, so that no address, log or
//! kept answer holds it.

use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::{Reference, id, reference};
use engine::customer::{self, Change, Customer, NewCustomer};
use engine::{Failure, World, erasure, external, readdress};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::contact::{ContactShape, SoughtShape, named};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::proof::Given;
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of customers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_customer, list_customers))
        .routes(routes!(create_customers))
        .routes(routes!(find_customers))
        .routes(routes!(read_customer, update_customer))
        .routes(routes!(read_customer_contact))
        .routes(routes!(erase_customer))
        .routes(routes!(erase_contact))
}

/// A customer. Name, address, mail and phone are in the contact, read by its own operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Customer, example = json!({"id": "cus_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "external_id": "CRM-1001", "groups": ["trade"], "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct CustomerShape {
    /// Its id.
    id: String,
    /// The contact that is current.
    contact: String,
    /// What other systems know the customer by.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The groups the customer is in; the first decides on prices.
    groups: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// When the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    erased_at: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Customer> for CustomerShape {
    fn from(customer: &Customer) -> CustomerShape {
        CustomerShape {
            id: customer.id.to_string(),
            contact: customer.contact.to_string(),
            external_id: customer.external_id.clone(),
            groups: customer.groups.clone(),
            made_at: customer.made_at.to_string(),
            changed_at: customer.changed_at.to_string(),
            erased_at: customer.erased_at.map(|at| at.to_string()),
            version: customer.version,
        }
    }
}

/// A customer to be made.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCustomer, example = json!({"external_id": "CRM-1001", "contact": {"name": "Ada Lovelace", "email": "ada@example.com"},
    "groups": ["trade"]}))]
struct NewCustomerShape {
    /// What other systems know the customer by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// Name, address, mail and phone. The e-mail is no other customer's.
    contact: ContactShape,
    /// The groups the customer is in, at most 20 labels of 60 characters; the first decides on prices.
    #[serde(default)]
    #[schema(max_items = 20)]
    groups: Vec<String>,
}

impl NewCustomerShape {
    fn read(self) -> Result<NewCustomer, Refusal> {
        let mut fields = Fields::new();
        let external_id = fields.take_if(
            "external_id",
            self.external_id.as_deref(),
            reference::external_id::<id::Customer>,
        );
        let card = self.contact.read(&mut fields, "contact");
        let groups = read_groups(&mut fields, &self.groups);
        let read = (|| Some(NewCustomer { external_id: external_id?, card: card?, groups: groups? }))();
        fields.done(read)
    }
}

fn read_groups(fields: &mut Fields, labels: &[String]) -> Option<Vec<String>> {
    domain::customer::groups(labels)
        .map_err(|refusal| fields.refuse(refusal.field().unwrap_or("groups"), refusal.message()))
        .ok()
}

/// What of a customer is to change. What is left out stays.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerChange, example = json!({"groups": ["trade", "staff"]}))]
struct CustomerChangeShape {
    /// The whole new contact; the old one is kept for the orders that refer to it.
    contact: Option<ContactShape>,
    /// All groups from now on.
    #[schema(max_items = 20)]
    groups: Option<Vec<String>>,
    /// Needed of a customer who changes his own contact to an e-mail address that is not his yet: the code that was mailed to that address by
    /// `POST /v1/customer-session/codes`.
    #[schema(max_length = 20)]
    email_code: Option<String>,
}

impl CustomerChangeShape {
    fn read(self, if_match: Option<i64>) -> Result<(Change, Option<Given>), Refusal> {
        let mut fields = Fields::new();
        let code = Given::read(&mut fields, self.email_code.as_deref());
        if self.email_code.is_some() && self.contact.is_none() {
            fields.refuse("email_code", "give the contact with the e-mail address it was mailed to");
        }
        let card = self.contact.map(|contact| contact.read(&mut fields, "contact"));
        let groups = self.groups.map(|labels| read_groups(&mut fields, &labels));
        let change = match (card, groups) {
            (Some(None), _) | (_, Some(None)) => None,
            (card, groups) => {
                Some(Change { card: card.flatten(), groups: groups.flatten(), if_match, shown: None })
            }
        };
        fields.done(change.zip(code))
    }
}

/// The same refusal with the address of the body's own field: the e-mail stands in the contact.
fn in_contact<T>(outcome: Result<T, Failure>) -> Result<T, Failure> {
    outcome.map_err(|failure| match failure {
        Failure::Refused(refusal) if refusal.field() == Some("email") => refusal.within("contact").into(),
        other => other,
    })
}

/// Make a customer
#[utoipa::path(post, path = "/v1/customers", operation_id = "create_customer", tag = "customer", request_body = NewCustomerShape,
    responses((status = 201, body = CustomerShape), Problems))]
async fn create_customer(
    State(app): State<App>,
    command: Command<NewCustomerShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let customer = in_contact(customer::create(tx, actor, world, input.clone()))?;
        Reply::versioned(&CustomerShape::from(&customer), customer.version)
    })
    .await
}

/// Make many customers
#[utoipa::path(post, path = "/v1/customers/bulk", operation_id = "create_customers", tag = "customer", request_body = Bulk<NewCustomerShape>,
    responses((status = 200, body = BulkAnswer<CustomerShape>), Problems))]
async fn create_customers(
    State(app): State<App>,
    command: Command<Bulk<NewCustomerShape>>,
) -> Result<Response, Problem> {
    let rows = command.body.read(|customer| customer.clone().read())?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let create = |tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new| {
            in_contact(customer::create(tx, actor, world, new))
        };
        rows.perform(tx, actor, world, create, |customer| CustomerShape::from(customer))
    })
    .await
}

/// List customers
#[utoipa::path(get, path = "/v1/customers", operation_id = "list_customers", tag = "customer", params(PageQuery),
    responses((status = 200, body = Page<CustomerShape>), Problems))]
async fn list_customers(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let customers = app.read(move |tx| customer::list(tx, &actor, after, limit)).await?;
    let shapes = customers.iter().map(CustomerShape::from).collect();
    document(&Page::new(shapes, limit, |customer: &CustomerShape| customer.id.clone()), None)
}

/// Find customers by e-mail or phone
///
/// One customer at most has an e-mail address; several may share a phone number.
#[utoipa::path(post, path = "/v1/customers/find", operation_id = "find_customers", tag = "customer", request_body = SoughtShape,
    responses((status = 200, body = Page<CustomerShape>), Problems))]
async fn find_customers(State(app): State<App>, command: Command<SoughtShape>) -> Result<Response, Problem> {
    let sought = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let found = customer::find(tx, actor, world, &sought)?;
        Reply::json(&Page { items: found.iter().map(CustomerShape::from).collect(), next_cursor: None })
    })
    .await
}

/// Read a customer
#[utoipa::path(get, path = "/v1/customers/{id}", operation_id = "read_customer", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = CustomerShape), Problems))]
async fn read_customer(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let customer = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            customer::read(tx, &actor, id)
        })
        .await?;
    document(&CustomerShape::from(&customer), Some(customer.version))
}

/// Change a customer
///
/// A customer may change himself. To an e-mail address that is not his yet he gives the code that was mailed there, because whoever signs in by it
/// is let in as him; colleagues with `customers:write` need none. An address that does not open the account any more is written to.
#[utoipa::path(patch, path = "/v1/customers/{id}", operation_id = "update_customer", tag = "customer", request_body = CustomerChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = CustomerShape), Problems))]
async fn update_customer(
    State(app): State<App>,
    Path(id): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    command: Command<CustomerChangeShape>,
) -> Result<Response, Problem> {
    let (reference, (change, code)) = (Reference::read(&id), command.body.read(command.if_match)?);
    let proof = change.card.clone().zip(code);
    if let Some((card, code)) = proof.clone() {
        code.count(&app, card, (&extensions, &headers)).await?;
    }
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let shown = proof.as_ref().map(|(card, code)| code.show(tx, world, card)).transpose()?;
        let change = Change { shown, ..change.clone() };
        let customer = in_contact(readdress::update(tx, actor, world, id, change))?;
        Reply::versioned(&CustomerShape::from(&customer), customer.version)
    })
    .await
}

/// Read a customer's contact
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/contact", operation_id = "read_customer_contact", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ContactShape), Problems))]
async fn read_customer_contact(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        Reply::json(&ContactShape::from(&customer::read_contact(tx, actor, world, id)?))
    })
    .await
}

/// Erase a customer
///
/// The key that opens the person's contacts is destroyed. Orders and books stay and name nobody.
#[utoipa::path(post, path = "/v1/customers/{id}/erase", operation_id = "erase_customer", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = CustomerShape), Problems))]
async fn erase_customer(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let customer = erasure::erase(tx, actor, world, id)?;
        Reply::versioned(&CustomerShape::from(&customer), customer.version)
    })
    .await
}

/// Erase whoever a contact is of
///
/// Somebody who bought as a guest, or the customer.
#[utoipa::path(post, path = "/v1/contacts/{id}/erase", operation_id = "erase_contact", tag = "contact",
    params(("id" = String, Path, description = "its id")),
    responses((status = 204), Problems))]
async fn erase_contact(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        erasure::erase_contact(tx, actor, world, id)?;
        Reply::json(&())
    })
    .await
}
