//! Products over the API: made one by one or many at once, listed and changed. One product is read at the storefront's routes.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::{Status, Wording};
use domain::value::id::Product as ProductKind;
use domain::value::{Reference, reference, text};
use engine::catalogue::{self, Detail, NewProduct, ProductChange, Wanted};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::{ChoiceShape, GivenShapes, NewMediaShape, ProductShape, WordingShape, given};
use super::variant::NewVariantShape;
use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

/// The routes of products.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_product, list_products))
        .routes(routes!(create_products))
        .routes(routes!(update_product))
}

/// A product to be made, with its variants.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProduct, example = json!({"title": {"text": "Mug", "translations": {"de": "Becher"}}, "status": "active",
    "tax_class": "standard", "options": [{"name": "colour", "values": ["red", "blue"]}],
    "variants": [{"sku": "MUG-RED", "options": ["red"], "barcodes": [{"code": "5012345678900"}], "weight_grams": 350}]}))]
struct NewProductShape {
    /// What it is called: 1 to 255 characters in each language.
    title: WordingShape,
    /// What is said about it: at most 20,000 characters in each language.
    description: Option<WordingShape>,
    /// `draft` (when absent), `active` or `archived`.
    status: Option<String>,
    /// Whose name is on it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    brand: Option<String>,
    /// Who it is bought from, by name: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    supplier: Option<String>,
    /// How its variants are taxed unless they say otherwise: a tax class's id or external id.
    tax_class: String,
    /// What tells its variants apart, at most 5 options.
    #[serde(default)]
    #[schema(max_items = 5)]
    options: Vec<ChoiceShape>,
    /// The values of the retailer's own attributes, by code.
    #[serde(default)]
    attributes: GivenShapes,
    /// The categories it is in: their ids or external ids.
    #[serde(default)]
    #[schema(max_items = 100)]
    categories: Vec<String>,
    /// Its media, in order.
    #[serde(default)]
    #[schema(max_items = 100)]
    media: Vec<NewMediaShape>,
    /// Its variants, in order; a product without options has one.
    #[serde(default)]
    #[schema(max_items = 1000)]
    variants: Vec<NewVariantShape>,
    /// What your other systems call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
}

impl NewProductShape {
    fn read(&self) -> Result<NewProduct, Refusal> {
        let mut fields = Fields::new();
        let title = fields.part("title", self.title.title());
        let description = match &self.description {
            None => Some(Wording::stored(String::new(), Vec::new())),
            Some(wording) => fields.part("description", wording.description()),
        };
        let status = fields.take_if("status", self.status.as_deref(), Status::parse);
        let brand = fields.take_if("brand", self.brand.as_deref(), |brand| name("brand", brand));
        let supplier = fields.take_if("supplier", self.supplier.as_deref(), |maker| name("supplier", maker));
        let external =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<ProductKind>);
        let media = fields.each("media", &self.media, |fields, media| media.read(fields));
        let variants = fields.each("variants", &self.variants, |fields, variant| variant.read(fields));
        let read = (|| {
            Some(NewProduct {
                title: title?,
                description: description?,
                status: status?.unwrap_or(Status::Draft),
                brand: brand?,
                supplier: supplier?,
                tax_class: Reference::read(&self.tax_class),
                options: self.options.iter().map(ChoiceShape::choice).collect(),
                attributes: given(&self.attributes),
                categories: self.categories.iter().map(|category| Reference::read(category)).collect(),
                media: media?,
                variants: variants?,
                external_id: external?,
            })
        })();
        fields.done(read)
    }
}

fn name(field: &'static str, text: &str) -> Result<String, text::TextError> {
    text::bounded(field, text, 1, text::NAME_CHARS_MAX)
}

/// What of a product is to change. What is left out stays; `null` takes away what may be absent. A list takes the place of the one before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductChange, example = json!({"status": "archived", "brand": null}))]
struct ProductChangeShape {
    /// What it is called.
    title: Option<WordingShape>,
    /// What is said about it.
    description: Option<WordingShape>,
    /// `draft`, `active` or `archived`.
    status: Option<String>,
    /// Whose name is on it.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    brand: Option<Option<String>>,
    /// Who it is bought from, by name.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    supplier: Option<Option<String>>,
    /// How new variants are taxed.
    tax_class: Option<String>,
    /// What tells its variants apart; each variant must still fit.
    #[schema(max_items = 5)]
    options: Option<Vec<ChoiceShape>>,
    /// All values of attributes.
    attributes: Option<GivenShapes>,
    /// All categories it is in.
    #[schema(max_items = 100)]
    categories: Option<Vec<String>>,
    /// All media, in order.
    #[schema(max_items = 100)]
    media: Option<Vec<NewMediaShape>>,
}

impl ProductChangeShape {
    fn read(&self) -> Result<ProductChange, Refusal> {
        let mut fields = Fields::new();
        let title = match &self.title {
            None => Some(None),
            Some(wording) => fields.part("title", wording.title()).map(Some),
        };
        let description = match &self.description {
            None => Some(None),
            Some(wording) => fields.part("description", wording.description()).map(Some),
        };
        let status = fields.take_if("status", self.status.as_deref(), Status::parse);
        let brand = fields.take_if("brand", self.brand.as_ref(), |brand| {
            brand.as_deref().map(|brand| name("brand", brand)).transpose()
        });
        let supplier = fields.take_if("supplier", self.supplier.as_ref(), |maker| {
            maker.as_deref().map(|maker| name("supplier", maker)).transpose()
        });
        let media = match &self.media {
            None => Some(None),
            Some(media) => fields.each("media", media, |fields, media| media.read(fields)).map(Some),
        };
        let categories = self.categories.as_ref();
        let read = (|| {
            Some(ProductChange {
                title: title?,
                description: description?,
                status: status?,
                brand: brand?,
                supplier: supplier?,
                tax_class: self.tax_class.as_deref().map(Reference::read),
                options: self
                    .options
                    .as_ref()
                    .map(|options| options.iter().map(ChoiceShape::choice).collect()),
                attributes: self.attributes.as_ref().map(given),
                categories: categories
                    .map(|all| all.iter().map(|category| Reference::read(category)).collect()),
                media: media?,
            })
        })();
        fields.done(read)
    }
}

/// Which products are listed; what is not named does not matter.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ProductQuery {
    /// Only of this status: `draft`, `active` or `archived`.
    status: Option<String>,
    /// Only in this category or one below it: its id or external id.
    category: Option<String>,
    /// Only whose title, or a variant's SKU, begins with this; capitals do not matter.
    #[param(max_length = 255)]
    prefix: Option<String>,
}

impl ProductQuery {
    fn read(&self) -> Result<Wanted, Refusal> {
        let mut fields = Fields::new();
        let status = fields.take_if("status", self.status.as_deref(), Status::parse);
        let prefix = fields.take_if("prefix", self.prefix.as_deref(), |prefix| name("prefix", prefix));
        let category = self.category.as_deref().map(Reference::read);
        let read = (|| Some(Wanted { status: status?, category, prefix: prefix? }))();
        fields.done(read)
    }
}

fn answer(detail: &Detail) -> Result<Reply, engine::Failure> {
    Reply::versioned(&ProductShape::from(detail), detail.product.version)
}

/// Make a product with its variants
#[utoipa::path(post, path = "/v1/products", operation_id = "create_product", tag = "catalogue", request_body = NewProductShape,
    responses((status = 201, body = ProductShape), Problems))]
async fn create_product(
    State(app): State<App>,
    command: Command<NewProductShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        answer(&catalogue::create_product(tx, actor, world, input.clone())?)
    })
    .await
}

/// Make many products at once
#[utoipa::path(post, path = "/v1/products/bulk", operation_id = "create_products", tag = "catalogue", request_body = Bulk<NewProductShape>,
    responses((status = 200, body = BulkAnswer<ProductShape>), Problems))]
async fn create_products(
    State(app): State<App>,
    command: Command<Bulk<NewProductShape>>,
) -> Result<Response, Problem> {
    let rows = command.body.read(NewProductShape::read)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        rows.perform(tx, actor, world, catalogue::create_product, |detail| ProductShape::from(detail))
    })
    .await
}

/// List products
#[utoipa::path(get, path = "/v1/products", operation_id = "list_products", tag = "catalogue", params(ProductQuery, PageQuery),
    responses((status = 200, body = Page<ProductShape>), Problems))]
async fn list_products(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(asked): Asked<ProductQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (wanted, limit, after) = (asked.read()?, page.limit()?, page.after_id()?);
    let products = app.read(move |tx| catalogue::list_products(tx, &actor, &wanted, after, limit)).await?;
    let shapes = products.iter().map(ProductShape::from).collect();
    document(&Page::new(shapes, limit, |product: &ProductShape| product.id.clone()), None)
}

/// Change a product
#[utoipa::path(patch, path = "/v1/products/{id}", operation_id = "update_product", tag = "catalogue", request_body = ProductChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ProductShape), Problems))]
async fn update_product(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ProductChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&catalogue::change_product(tx, actor, world, (reference.clone(), read), change.clone())?)
    })
    .await
}
