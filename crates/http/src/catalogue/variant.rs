//! Variants over the API: added to a product, read and changed.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue as rules;
use domain::value::id::Variant as VariantKind;
use domain::value::{Reference, Unit, reference};
use engine::catalogue::{self, NewVariant, VariantChange, variant::read_variant as read_one};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::{BarcodeShape, ComponentShape, GivenShapes, VariantShape, given};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, changed};

/// The routes of variants.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add_variant)).routes(routes!(read_variant, update_variant))
}

/// A variant to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVariant, example = json!({"sku": "MUG-RED", "options": ["red"], "barcodes": [{"code": "5012345678900"}], "weight_grams": 350}))]
pub(super) struct NewVariantShape {
    /// The retailer's own code of it: 1 to 64 characters; capitals matter.
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// Its value of each of the product's options, in their order.
    #[serde(default)]
    #[schema(max_items = 5)]
    options: Vec<String>,
    /// What it is counted in: `piece` (when absent), `gram`, `millilitre` or `millimetre`. Never changes.
    unit: Option<String>,
    /// What one base unit weighs, in grams.
    #[schema(minimum = 0, maximum = 100_000_000)]
    weight_grams: Option<i64>,
    /// How it is taxed, if not as the product says: a tax class's id or external id.
    tax_class: Option<String>,
    /// What a scanner reads from it.
    #[serde(default)]
    #[schema(max_items = 20)]
    barcodes: Vec<BarcodeShape>,
    /// For a kit, what one of it consumes; a kit stays one.
    #[serde(default)]
    #[schema(max_items = 50)]
    components: Vec<ComponentShape>,
    /// Is it a service, such as delivery or gift wrapping, that takes nothing from shelves? Never changes.
    #[serde(default)]
    service: bool,
    /// The values of the retailer's own attributes, by code.
    #[serde(default)]
    attributes: GivenShapes,
    /// What your other systems call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
}

impl NewVariantShape {
    pub(super) fn read(&self, fields: &mut Fields) -> Option<NewVariant> {
        let sku = fields.take("sku", rules::sku(&self.sku));
        let unit = |name| Unit::named(name).ok_or("give one of piece, gram, millilitre, millimetre");
        let unit = fields.take_if("unit", self.unit.as_deref(), unit);
        let barcodes = fields.each("barcodes", &self.barcodes, |fields, barcode| barcode.read(fields));
        let external =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<VariantKind>);
        Some(NewVariant {
            sku: sku?,
            options: self.options.clone(),
            unit: unit?.unwrap_or(Unit::Piece),
            weight_grams: self.weight_grams,
            tax_class: self.tax_class.as_deref().map(Reference::read),
            barcodes: barcodes?,
            components: components(&self.components),
            service: self.service,
            attributes: given(&self.attributes),
            external_id: external?,
        })
    }
}

fn components(shapes: &[ComponentShape]) -> Vec<(Reference<VariantKind>, i64)> {
    shapes.iter().map(|part| (Reference::read(&part.variant), part.quantity)).collect()
}

/// What of a variant is to change. What is left out stays; `null` takes away what may be absent. A list takes the place of the one before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariantChange, example = json!({"barcodes": [{"code": "5012345678900"}], "archived": false}))]
struct VariantChangeShape {
    /// The retailer's own code.
    #[schema(min_length = 1, max_length = 64)]
    sku: Option<String>,
    /// Its value of each option.
    #[schema(max_items = 5)]
    options: Option<Vec<String>>,
    /// What one base unit weighs, in grams.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100_000_000)]
    weight_grams: Option<Option<i64>>,
    /// How it is taxed.
    tax_class: Option<String>,
    /// All barcodes.
    #[schema(max_items = 20)]
    barcodes: Option<Vec<BarcodeShape>>,
    /// All components of a kit.
    #[schema(max_items = 50)]
    components: Option<Vec<ComponentShape>>,
    /// All values of attributes.
    attributes: Option<GivenShapes>,
    /// It is no longer sold.
    archived: Option<bool>,
}

impl VariantChangeShape {
    fn read(&self) -> Result<VariantChange, Refusal> {
        let mut fields = Fields::new();
        let sku = fields.take_if("sku", self.sku.as_deref(), rules::sku);
        let barcodes = match &self.barcodes {
            None => Some(None),
            Some(all) => fields.each("barcodes", all, |fields, barcode| barcode.read(fields)).map(Some),
        };
        let read = (|| {
            Some(VariantChange {
                sku: sku?,
                options: self.options.clone(),
                weight_grams: self.weight_grams,
                tax_class: self.tax_class.as_deref().map(Reference::read),
                barcodes: barcodes?,
                components: self.components.as_deref().map(components),
                attributes: self.attributes.as_ref().map(given),
                archived: self.archived,
            })
        })();
        fields.done(read)
    }
}

/// Add a variant to a product
#[utoipa::path(post, path = "/v1/products/{id}/variants", operation_id = "add_variant", tag = "catalogue", request_body = NewVariantShape,
    params(("id" = String, Path, description = "the product's id or external id")),
    responses((status = 201, body = VariantShape), Problems))]
async fn add_variant(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewVariantShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let read = command.body.read(&mut fields);
    let (product, input) = (Reference::read(&id), fields.done(read)?);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let variant = catalogue::add_variant(tx, actor, world, &product, input.clone())?;
        Reply::versioned(&VariantShape::from(&variant), variant.version)
    })
    .await
}

/// Read a variant
#[utoipa::path(get, path = "/v1/variants/{id}", operation_id = "read_variant", tag = "catalogue",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = VariantShape), Problems))]
async fn read_variant(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let variant = app.read(move |tx| read_one(tx, &actor, &reference)).await?;
    document(&VariantShape::from(&variant), Some(variant.version))
}

/// Change a variant
#[utoipa::path(patch, path = "/v1/variants/{id}", operation_id = "update_variant", tag = "catalogue", request_body = VariantChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = VariantShape), Problems))]
async fn update_variant(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<VariantChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variant = catalogue::change_variant(tx, actor, world, (reference.clone(), read), change.clone())?;
        Reply::versioned(&VariantShape::from(&variant), variant.version)
    })
    .await
}
