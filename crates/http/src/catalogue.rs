//! The catalogue over the API: products, variants, barcodes, categories and attributes.

use utoipa_axum::router::OpenApiRouter;

use crate::App;

mod attribute;
mod category;
mod code;
mod product;
mod shape;
mod variant;

pub(crate) use shape::{MediaShape, ProductShape, WordingShape};

/// The routes of the catalogue.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(product::routes())
        .merge(variant::routes())
        .merge(code::routes())
        .merge(category::routes())
        .merge(attribute::routes())
}
