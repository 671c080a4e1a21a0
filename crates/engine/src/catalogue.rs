//! The catalogue: making, changing and finding products, their variants, categories, attributes and media.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::catalogue::{
    self as rules, Choice, Given, MediaKind, Status, Wording, attribute::AttributeScope,
};
use domain::value::id::{Category as CategoryKind, Product as ProductKind, TaxClass, Variant as VariantKind};
use domain::value::{Id, Reference};
use serde_json::json;
use store::Tx;
use store::catalogue::{self as rows, category as category_rows, media as media_rows};

pub use store::catalogue::media::Media;
pub use store::catalogue::{Filter, Product, Variant};

pub mod attribute;
pub mod category;
pub mod variant;

pub use variant::{NewVariant, VariantChange, add_variant, change_variant, variant_by_code};

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// A product to be made, with its variants.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// What it is called.
    pub title: Wording,
    /// What is said about it.
    pub description: Wording,
    /// Whether it is on sale at once.
    pub status: Status,
    /// Whose name is on it.
    pub brand: Option<String>,
    /// Who it is bought from, by name.
    pub supplier: Option<String>,
    /// How its variants are taxed unless they say otherwise.
    pub tax_class: Reference<TaxClass>,
    /// What tells its variants apart.
    pub options: Vec<Choice>,
    /// Values of the retailer's own attributes, by code.
    pub attributes: Vec<(String, Given)>,
    /// The categories it is in.
    pub categories: Vec<Reference<CategoryKind>>,
    /// Pictures, films and papers, in order.
    pub media: Vec<NewMedia>,
    /// Its variants, in order.
    pub variants: Vec<NewVariant>,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
}

/// A picture, film or paper to be shown.
#[derive(Clone, Debug)]
pub struct NewMedia {
    /// What it is.
    pub kind: MediaKind,
    /// Where it lies; see [`rules::media_address`].
    pub address: String,
    /// What is to be seen, for who cannot see it.
    pub alt: Wording,
    /// The one variant it shows, if it shows one.
    pub variant: Option<Reference<VariantKind>>,
}

/// What changes about a product; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProductChange {
    /// What it is called.
    pub title: Option<Wording>,
    /// What is said about it.
    pub description: Option<Wording>,
    /// Whether it is on sale.
    pub status: Option<Status>,
    /// Whose name is on it.
    pub brand: Option<Option<String>>,
    /// Who it is bought from.
    pub supplier: Option<Option<String>>,
    /// How new variants are taxed.
    pub tax_class: Option<Reference<TaxClass>>,
    /// What tells its variants apart; each variant must still fit.
    pub options: Option<Vec<Choice>>,
    /// All values of attributes, in the place of those before.
    pub attributes: Option<Vec<(String, Given)>>,
    /// All categories, in the place of those before.
    pub categories: Option<Vec<Reference<CategoryKind>>>,
    /// All media in order, in the place of those before.
    pub media: Option<Vec<NewMedia>>,
}

/// A product with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The product.
    pub product: Product,
    /// Its variants, archived ones too, in the order they were made.
    pub variants: Vec<Variant>,
    /// Its media, in order.
    pub media: Vec<Media>,
    /// The categories it is in.
    pub categories: Vec<Id<CategoryKind>>,
}

/// Makes a product with its variants.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when a SKU, barcode, external id or combination of options is taken; [`domain::Code::Invalid`] naming the field.
pub fn create_product(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewProduct,
) -> Result<Detail, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let product = Product {
        id: world.id(),
        status: new.status,
        title: new.title,
        description: new.description,
        brand: new.brand,
        supplier: new.supplier,
        tax_class: external::known_at(tx, "tax_class", &new.tax_class)?,
        options: rules::options(&new.options)?,
        attributes: attribute::checked(tx, AttributeScope::Product, &[], new.attributes)?,
        external_id: new.external_id,
        version: 1,
        made_at: world.now(),
        changed_at: world.now(),
    };
    rows::add_product(tx, &product)?;
    external::give(tx, product.id, product.external_id.as_deref())?;
    set_categories(tx, product.id, &new.categories)?;
    if new.variants.len() > rules::VARIANTS_MAX {
        let message = format!("give at most {} variants", rules::VARIANTS_MAX);
        return Err(Refusal::invalid("variants", message).into());
    }
    let mut variants: Vec<Variant> = Vec::with_capacity(new.variants.len());
    for (place, one) in new.variants.into_iter().enumerate() {
        let added = variant::add(tx, world, &product, &variants, one);
        variants.push(added.map_err(|failure| failure.within(&format!("variants.{place}")))?);
    }
    set_media(tx, world, product.id, &variants, new.media)?;
    emit(tx, actor, world, product.id, "product.created", json!({ "variants": variants.len() }));
    for one in &variants {
        variant::tell(tx, actor, world, one, "variant.created");
    }
    detail(tx, product, variants)
}

/// Changes a product; `version` is the one it was read with.
///
/// # Errors
/// [`domain::Code::Stale`] when it was changed since, or as [`create_product`].
pub fn change_product(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (reference, version): (Reference<ProductKind>, Option<i64>),
    change: ProductChange,
) -> Result<Detail, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let mut product = find(tx, &reference)?;
    edit::unchanged(product.id, product.version, version)?;
    let mut variants = rows::variants_of(tx, &[product.id])?;
    let titled = change.title.is_some();
    set(&mut product.title, change.title);
    set(&mut product.description, change.description);
    set(&mut product.status, change.status);
    set(&mut product.brand, change.brand);
    set(&mut product.supplier, change.supplier);
    if let Some(class) = change.tax_class {
        product.tax_class = external::known_at(tx, "tax_class", &class)?;
    }
    if let Some(options) = change.options {
        product.options = rules::options(&options)?;
        for variant in variants.iter().filter(|variant| !variant.archived) {
            rules::combination(&product.options, &variant.options, &[]).map_err(|refusal| {
                Refusal::invalid("options", format!("variant {}: {}", variant.sku, refusal.message()))
            })?;
        }
    }
    if let Some(values) = change.attributes {
        product.attributes = attribute::checked(tx, AttributeScope::Product, &product.attributes, values)?;
    }
    product.version += 1;
    product.changed_at = world.now();
    if !rows::update_product(tx, &product)? {
        return Err(edit::stale(product.id).into());
    }
    if titled {
        for variant in &variants {
            let title = rules::variant_title(product.title.text(), &variant.options);
            rows::retitle_variant(tx, variant.id, &title)?;
        }
    }
    if let Some(categories) = change.categories {
        set_categories(tx, product.id, &categories)?;
    }
    if let Some(media) = change.media {
        set_media(tx, world, product.id, &variants, media)?;
    }
    let body = json!({ "version": product.version, "status": product.status.text() });
    emit(tx, actor, world, product.id, "product.changed", body);
    variants = rows::variants_of(tx, &[product.id])?;
    detail(tx, product, variants)
}

/// A product with what belongs to it.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn read_product(
    tx: &mut Tx<'_>,
    actor: &Actor,
    reference: &Reference<ProductKind>,
) -> Result<Detail, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let product = find(tx, reference)?;
    let variants = rows::variants_of(tx, &[product.id])?;
    detail(tx, product, variants)
}

/// Which products are asked for; what is not named does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this status.
    pub status: Option<Status>,
    /// Only in this category or one below it.
    pub category: Option<Reference<CategoryKind>>,
    /// Only whose title, or a variant's SKU, begins with this; capitals do not matter.
    pub prefix: Option<String>,
}

/// The products after one, in the order they were made, at most `limit`.
///
/// # Errors
/// [`domain::Code::NotFound`] when the category does not exist.
pub fn list_products(
    tx: &mut Tx<'_>,
    actor: &Actor,
    wanted: &Wanted,
    after: Id<ProductKind>,
    limit: i64,
) -> Result<Vec<Product>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let categories =
        wanted.category.as_ref().map(|category| category::with_below(tx, category)).transpose()?;
    let filter = Filter { status: wanted.status, categories, prefix: wanted.prefix.clone() };
    Ok(rows::list_products(tx, &filter, after, limit)?)
}

/// The product a reference stands for.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, reference: &Reference<ProductKind>) -> Result<Product, Failure> {
    let id = external::resolve(tx, reference)?;
    rows::find_product(tx, id)?.ok_or_else(|| Refusal::not_found("product", id).into())
}

fn detail(tx: &mut Tx<'_>, product: Product, variants: Vec<Variant>) -> Result<Detail, Failure> {
    let media = media_rows::of_products(tx, &[product.id])?;
    let categories = category_rows::of_product(tx, product.id)?;
    Ok(Detail { product, variants, media, categories })
}

fn set_categories(
    tx: &mut Tx<'_>,
    product: Id<ProductKind>,
    references: &[Reference<CategoryKind>],
) -> Result<(), Failure> {
    if references.len() > rules::CATEGORIES_MAX {
        let message = format!("a product is in at most {} categories", rules::CATEGORIES_MAX);
        return Err(Refusal::invalid("categories", message).into());
    }
    let mut ids = Vec::with_capacity(references.len());
    for (place, reference) in references.iter().enumerate() {
        ids.push(external::resolve_at(tx, &format!("categories.{place}"), reference)?);
    }
    let known: BTreeSet<_> =
        category_rows::find_all(tx, &ids)?.into_iter().map(|category| category.id).collect();
    if let Some(place) = ids.iter().position(|id| !known.contains(id)) {
        let message = format!("no category \"{}\"", ids[place]);
        return Err(Refusal::invalid(format!("categories.{place}"), message).into());
    }
    Ok(category_rows::set_of_product(tx, product, &ids)?)
}

fn set_media(
    tx: &mut Tx<'_>,
    world: &mut World,
    product: Id<ProductKind>,
    variants: &[Variant],
    new: Vec<NewMedia>,
) -> Result<(), Failure> {
    if new.len() > rules::MEDIA_MAX {
        let message = format!("a product has at most {} media", rules::MEDIA_MAX);
        return Err(Refusal::invalid("media", message).into());
    }
    let mut media = Vec::with_capacity(new.len());
    for (place, one) in new.into_iter().enumerate() {
        let field = format!("media.{place}.variant");
        let variant = match &one.variant {
            None => None,
            Some(reference) => {
                let id = external::resolve_at(tx, &field, reference)?;
                if !variants.iter().any(|variant| variant.id == id) {
                    return Err(Refusal::invalid(field, "the variant is not one of this product").into());
                }
                Some(id)
            }
        };
        media.push(Media {
            id: world.id(),
            product,
            kind: one.kind,
            address: one.address,
            alt: one.alt,
            variant,
        });
    }
    Ok(media_rows::set_of_product(tx, product, &media)?)
}

/// The variant a field names by id, external id or SKU.
///
/// # Errors
/// [`Code::Invalid`] at the field when none has it. An id is taken as it is; whether the variant exists shows when it is loaded.
pub fn resolve_variant(
    tx: &mut Tx<'_>,
    field: &str,
    reference: &Reference<VariantKind>,
) -> Result<Id<VariantKind>, Failure> {
    let Reference::External(text) = reference else { return external::resolve(tx, reference) };
    if let Some(id) = store::external::find(tx, text)? {
        return Ok(id);
    }
    let by_sku = rows::variant_by_sku(tx, text)?.map(|variant| variant.id);
    by_sku.ok_or_else(|| {
        Refusal::invalid(field, format!("no variant has the id, external id or SKU \"{text}\"")).into()
    })
}
