//! Attributes over the API: what the retailer wants to know of each product or variant.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::attribute::{AttributeKind, AttributeScope};
use domain::catalogue::{Attribute as Definition, short_code};
use domain::value::{Id, id, text};
use engine::catalogue::attribute::{self, Attribute, AttributeChange};
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
use crate::shape::Fields;

/// The routes of attributes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_attribute, list_attributes)).routes(routes!(update_attribute))
}

/// What the retailer wants to know of each product or variant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attribute, example = json!({"id": "att_01jd0000000000000000000000", "code": "material", "name": "Material", "kind": "choice",
    "scope": "product", "choices": ["wood", "steel"], "exponent": 0, "version": 1}))]
struct AttributeShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// `text`, `whole`, `decimal`, `yes_no`, `choice`, `date` or `reference` (another product).
    kind: &'static str,
    /// What it describes: `product` or `variant`.
    scope: &'static str,
    /// The words to choose from.
    choices: Vec<String>,
    /// Digits behind the point of a decimal.
    exponent: i64,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Attribute> for AttributeShape {
    fn from(attribute: &Attribute) -> AttributeShape {
        let Definition { code, name, kind, scope, choices, exponent } = attribute.definition.clone();
        AttributeShape {
            id: attribute.id.to_string(),
            code,
            name,
            kind: kind.text(),
            scope: scope.text(),
            choices,
            exponent,
            version: attribute.version,
        }
    }
}

/// An attribute to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAttribute, example = json!({"code": "material", "name": "Material", "kind": "choice", "choices": ["wood", "steel"]}))]
struct NewAttributeShape {
    /// The short word it goes by: 1 to 60 lower-case letters, digits, `_` or `-`.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// `text`, `whole`, `decimal`, `yes_no`, `choice`, `date` or `reference` (another product). Never changes.
    kind: String,
    /// What it describes: `product` (when absent) or `variant`. Never changes.
    scope: Option<String>,
    /// The words to choose from, for `choice`.
    #[serde(default)]
    #[schema(max_items = 500)]
    choices: Vec<String>,
    /// Digits behind the point, 1 to 9, for `decimal`. Never changes.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9)]
    exponent: i64,
}

impl NewAttributeShape {
    fn read(&self) -> Result<Definition, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", short_code(&self.code));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let kind = fields.take("kind", AttributeKind::parse(&self.kind));
        let scope = fields.take_if("scope", self.scope.as_deref(), AttributeScope::parse);
        let read = (|| {
            Some(Definition {
                code: code?,
                name: name?,
                kind: kind?,
                scope: scope?.unwrap_or(AttributeScope::Product),
                choices: self.choices.clone(),
                exponent: self.exponent,
            })
        })();
        fields.done(read)
    }
}

/// What of an attribute is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AttributeChange, example = json!({"choices": ["wood", "steel", "glass"]}))]
struct AttributeChangeShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// All words to choose from; values already given stay.
    #[schema(max_items = 500)]
    choices: Option<Vec<String>>,
}

impl AttributeChangeShape {
    fn read(&self) -> Result<AttributeChange, Refusal> {
        let mut fields = Fields::new();
        let bounded = |name: &str| text::bounded("name", name, 1, text::NAME_CHARS_MAX);
        let name = fields.take_if("name", self.name.as_deref(), bounded);
        fields.done(name.map(|name| AttributeChange { name, choices: self.choices.clone() }))
    }
}

/// Make an attribute
#[utoipa::path(post, path = "/v1/attributes", operation_id = "create_attribute", tag = "catalogue", request_body = NewAttributeShape,
    responses((status = 201, body = AttributeShape), Problems))]
async fn create_attribute(
    State(app): State<App>,
    command: Command<NewAttributeShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let attribute = attribute::create(tx, actor, world, input.clone())?;
        Reply::versioned(&AttributeShape::from(&attribute), attribute.version)
    })
    .await
}

/// List attributes
#[utoipa::path(get, path = "/v1/attributes", operation_id = "list_attributes", tag = "catalogue", params(PageQuery),
    responses((status = 200, body = Page<AttributeShape>), Problems))]
async fn list_attributes(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let attributes = app.read(move |tx| attribute::list(tx, &actor, after, limit)).await?;
    let shapes = attributes.iter().map(AttributeShape::from).collect();
    document(&Page::new(shapes, limit, |attribute: &AttributeShape| attribute.id.clone()), None)
}

/// Change an attribute's name or choices
#[utoipa::path(patch, path = "/v1/attributes/{id}", operation_id = "update_attribute", tag = "catalogue", request_body = AttributeChangeShape,
    params(("id" = String, Path, description = "its id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = AttributeShape), Problems))]
async fn update_attribute(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<AttributeChangeShape>,
) -> Result<Response, Problem> {
    let attribute: Id<id::Attribute> = Id::parse(&id).map_err(|_| Refusal::not_found("attribute", &id))?;
    let (read, change) = (command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let changed = attribute::change(tx, actor, world, (attribute, read), change.clone())?;
        Reply::versioned(&AttributeShape::from(&changed), changed.version)
    })
    .await
}
