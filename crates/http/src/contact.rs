//! Contacts over the API: shown only through a command that writes the audit line, never kept with an answer, never named in an address.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::contact::{Card, Draft};
use domain::value::{Email, Id, Phone, id};
use engine::contact::{self, Known, Sought};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most people found at once.
const FOUND_MAX: i64 = 50;

/// The routes of contacts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_contact)).routes(routes!(find_contacts))
}

/// Name, address, mail and phone. Everything may be left out, but not all at once; a street needs the rest of its address.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Contact, example = json!({"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY",
    "country": "GB", "email": "ada@example.com", "phone": "+442079460958"}))]
pub(crate) struct ContactShape {
    /// Who receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// The firm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    company: Option<String>,
    /// Street, house and floor: at most three lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 3)]
    street: Vec<String>,
    /// The town.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    city: Option<String>,
    /// State, county or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    region: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16)]
    postal_code: Option<String>,
    /// Two letters of ISO 3166-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The telephone number; without `+` it is dialled within the country given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    phone: Option<String>,
    /// What whoever delivers should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl ContactShape {
    /// Reads a contact that is a part of a body, under its field.
    pub(crate) fn read(self, fields: &mut Fields, field: &str) -> Option<Card> {
        fields.part(field, Card::new(&self.into()))
    }
}

impl From<ContactShape> for Draft {
    fn from(shape: ContactShape) -> Draft {
        Draft {
            name: shape.name,
            company: shape.company,
            street: shape.street,
            city: shape.city,
            region: shape.region,
            postal_code: shape.postal_code,
            country: shape.country,
            email: shape.email,
            phone: shape.phone,
            note: shape.note,
        }
    }
}

impl From<&Card> for ContactShape {
    fn from(card: &Card) -> ContactShape {
        let text = card.text().clone();
        ContactShape {
            name: text.name,
            company: text.company,
            street: text.street,
            city: text.city,
            region: text.region,
            postal_code: text.postal_code,
            country: text.country,
            email: text.email,
            phone: text.phone,
            note: text.note,
        }
    }
}

/// What people are found by; give one of the two.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Sought, example = json!({"email": "ada@example.com"}))]
pub(crate) struct SoughtShape {
    /// The e-mail address; capitals do not matter.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The telephone number with `+` and country.
    #[schema(max_length = 40)]
    phone: Option<String>,
}

impl SoughtShape {
    pub(crate) fn read(&self) -> Result<Sought, Refusal> {
        let mut fields = Fields::new();
        let email = fields.take_if("email", self.email.as_deref(), Email::parse);
        let phone = fields.take_if("phone", self.phone.as_deref(), |text| Phone::parse(text, None));
        let sought = match (email.flatten(), phone.flatten()) {
            (Some(email), None) => Some(Sought::Email(email.lookup_form())),
            (None, Some(phone)) => Some(Sought::Phone(phone.as_str().to_owned())),
            _ => None,
        };
        if self.email.is_some() == self.phone.is_some() {
            fields.refuse("email", "give either an e-mail address or a phone number");
        }
        fields.done(sought)
    }
}

/// Somebody who was found.
#[derive(Serialize, ToSchema)]
#[schema(as = KnownPerson, example = json!({"person": "per_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000"}))]
struct KnownShape {
    /// The person.
    person: String,
    /// The newest contact with what was looked for.
    contact: String,
}

impl From<&Known> for KnownShape {
    fn from(known: &Known) -> KnownShape {
        KnownShape { person: known.person.to_string(), contact: known.contact.to_string() }
    }
}

/// The contact an address names.
pub(crate) fn named(id: &str) -> Result<Id<id::Contact>, Problem> {
    Id::parse(id).map_err(|_| Refusal::not_found("contact", id).into())
}

/// Read a contact
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/contacts/{id}", operation_id = "read_contact", tag = "contact",
    params(("id" = String, Path, description = "its id")),
    responses((status = 200, body = ContactShape), Problems))]
async fn read_contact(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ContactShape::from(&contact::read(tx, actor, world, id)?))
    })
    .await
}

/// Find people by e-mail or phone
///
/// Finds guests too. Somebody who bought as a guest three times is found three times.
#[utoipa::path(post, path = "/v1/contacts/find", operation_id = "find_contacts", tag = "contact", request_body = SoughtShape,
    responses((status = 200, body = Page<KnownShape>), Problems))]
async fn find_contacts(State(app): State<App>, command: Command<SoughtShape>) -> Result<Response, Problem> {
    let sought = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let found = contact::find(tx, actor, world, &sought, (Id::from_bytes([0; 16]), FOUND_MAX))?;
        Reply::json(&Page { items: found.iter().map(KnownShape::from).collect(), next_cursor: None })
    })
    .await
}
