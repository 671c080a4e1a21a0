//! The rows of the catalogue: products, their variants, and the tables by which a variant is found from what is printed on it.

use domain::catalogue::{Barcode, Choice, Given, Status, Wording};
use domain::value::id::{Category, Product as ProductKind, TaxClass, Variant as VariantKind};
use domain::value::{Id, Instant, Unit};

use crate::{Param, Row, StoreError, Tx, params};

pub mod attribute;
pub mod category;
mod code;
pub(crate) mod json;
pub mod label;
pub mod media;

pub use code::{claim_barcode, claim_sku, free_barcode, free_sku, variant_by_barcode, variant_by_sku};

/// A product: what a customer recognises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its identity.
    pub id: Id<ProductKind>,
    /// Whether it is on sale.
    pub status: Status,
    /// What it is called.
    pub title: Wording,
    /// What is said about it; may be empty.
    pub description: Wording,
    /// Whose name is on it.
    pub brand: Option<String>,
    /// Who it is bought from, by name.
    pub supplier: Option<String>,
    /// How new variants are taxed unless they say otherwise.
    pub tax_class: Id<TaxClass>,
    /// What tells its variants apart.
    pub options: Vec<Choice>,
    /// The values of the retailer's own attributes, by code.
    pub attributes: Vec<(String, Given)>,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
    /// When it was last changed.
    pub changed_at: Instant,
}

/// A variant: what is sold, priced and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its identity; its stock book shares it.
    pub id: Id<VariantKind>,
    /// The product it is a variant of.
    pub product: Id<ProductKind>,
    /// The retailer's own code of it; unique.
    pub sku: String,
    /// What it is called on a receipt: the product's title and its option values.
    pub title: String,
    /// Its value of each of the product's options, in their order.
    pub options: Vec<String>,
    /// What it is counted in.
    pub unit: Unit,
    /// What one base unit weighs, in grams.
    pub weight_grams: Option<i64>,
    /// How it is taxed.
    pub tax_class: Id<TaxClass>,
    /// What a scanner reads from it.
    pub barcodes: Vec<Barcode>,
    /// For a kit, what one of it consumes: variant and base units. Empty for everything else.
    pub components: Vec<(Id<VariantKind>, i64)>,
    /// Is it made of other variants' stock? Never changes.
    pub kit: bool,
    /// Is it a service, such as delivery or gift wrapping, that takes nothing from shelves? Never changes.
    pub service: bool,
    /// It is no longer sold, but stays readable.
    pub archived: bool,
    /// Can it be sold now: neither archived nor of a product that is not active?
    pub active: bool,
    /// The values of the retailer's own attributes, by code.
    pub attributes: Vec<(String, Given)>,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
    /// When it was last changed.
    pub changed_at: Instant,
}

impl Variant {
    /// What one of it takes from shelves: itself, a kit's components, nothing for a service.
    pub fn takes(&self) -> Vec<(Id<VariantKind>, i64)> {
        match (self.service, self.kit) {
            (true, _) => Vec::new(),
            (false, true) => self.components.clone(),
            (false, false) => vec![(self.id, 1)],
        }
    }
}

/// Which products are listed. What is not named does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this status.
    pub status: Option<Status>,
    /// Only in one of these categories.
    pub categories: Option<Vec<Id<Category>>>,
    /// Only whose title, or a variant's SKU, begins with this; capitals do not matter.
    pub prefix: Option<String>,
}

/// The bytes of the ids of a list, for `{in ids $n}`.
fn keys<K: domain::value::Kind>(ids: &[Id<K>]) -> Vec<[u8; 16]> {
    ids.iter().map(|id| id.bytes()).collect()
}

/// What titles and SKUs are searched by: lower case.
fn search_key(text: &str) -> Vec<u8> {
    text.to_lowercase().into_bytes()
}

fn product(row: &mut Row<'_>) -> Result<Product, StoreError> {
    Ok(Product {
        id: row.id()?,
        status: row.word(Status::coded)?,
        title: json::wording(&row.text()?)?,
        description: json::wording(&row.text()?)?,
        brand: row.text_or_null()?,
        supplier: row.text_or_null()?,
        tax_class: row.id()?,
        options: json::choices(&row.text()?)?,
        attributes: json::values(&row.text()?)?,
        external_id: row.text_or_null()?,
        version: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
    })
}

/// Adds a product.
///
/// # Errors
/// What the store says.
pub fn add_product(tx: &mut Tx<'_>, product: &Product) -> Result<(), StoreError> {
    tx.execute(
        "insert into product (product_id, status, title, title_key, description, brand, supplier, tax_class_id, options,
             attributes, external_id, version, made_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            product.id,
            product.status.code(),
            &json::of_wording(&product.title),
            &search_key(product.title.text()),
            &json::of_wording(&product.description),
            product.brand.as_deref(),
            product.supplier.as_deref(),
            product.tax_class,
            &json::of_choices(&product.options),
            &json::of_values(&product.attributes),
            product.external_id.as_deref(),
            product.version,
            product.made_at,
            product.changed_at,
        ],
    )?;
    Ok(())
}

/// Changes a product that still has the version before `product.version`; false when somebody was faster.
///
/// # Errors
/// What the store says.
pub fn update_product(tx: &mut Tx<'_>, product: &Product) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update product set status = $2, title = $3, title_key = $4, description = $5, brand = $6, supplier = $7, tax_class_id = $8,
             options = $9, attributes = $10, version = $11, changed_at = $12
         where product_id = $1 and version = $11 - 1",
        params![
            product.id,
            product.status.code(),
            &json::of_wording(&product.title),
            &search_key(product.title.text()),
            &json::of_wording(&product.description),
            product.brand.as_deref(),
            product.supplier.as_deref(),
            product.tax_class,
            &json::of_choices(&product.options),
            &json::of_values(&product.attributes),
            product.version,
            product.changed_at,
        ],
    )?;
    if touched == 1 {
        let on_sale = product.status == Status::Active;
        tx.execute("update variant set on_sale = $2 where product_id = $1", params![product.id, on_sale])?;
    }
    Ok(touched == 1)
}

/// Counts a change of what belongs to a product, and holds its row until the commit, so that its variants change one at a time.
///
/// # Errors
/// What the store says.
pub fn touch_product(
    tx: &mut Tx<'_>,
    id: Id<ProductKind>,
    now: Instant,
) -> Result<Option<Product>, StoreError> {
    tx.one(
        "update product set version = version + 1, changed_at = $2 where product_id = $1
         returning product_id, status, title, description, brand, supplier, tax_class_id, options, attributes, external_id, version, made_at, changed_at",
        params![id, now],
        product,
    )
}

/// The product with this id.
///
/// # Errors
/// What the store says.
pub fn find_product(tx: &mut Tx<'_>, id: Id<ProductKind>) -> Result<Option<Product>, StoreError> {
    Ok(products(tx, &[id])?.pop())
}

/// The products with these ids, in the order they were made; unknown ids are passed over.
///
/// # Errors
/// What the store says.
pub fn products(tx: &mut Tx<'_>, ids: &[Id<ProductKind>]) -> Result<Vec<Product>, StoreError> {
    tx.rows(
        "select product_id, status, title, description, brand, supplier, tax_class_id, options, attributes, external_id, version, made_at, changed_at
         from product where product_id {in ids $1} order by product_id",
        &[Param::Ids(&keys(ids))],
        product,
    )
}

/// The products after one that pass the filter, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_products(
    tx: &mut Tx<'_>,
    filter: &Filter,
    after: Id<ProductKind>,
    limit: i64,
) -> Result<Vec<Product>, StoreError> {
    let categories = filter.categories.as_deref().map(keys);
    let from = search_key(filter.prefix.as_deref().unwrap_or_default());
    // No text in UTF-8 has the byte 255, so this is past every text that begins with the prefix.
    let to = [from.as_slice(), &[255]].concat();
    tx.rows(
        "select product_id, status, title, description, brand, supplier, tax_class_id, options, attributes, external_id, version, made_at, changed_at
         from product
         where product_id > $1 and (cast($2 as {int}) = 0 or status = $2)
             and (cast($3 as {int}) = 0 or product_id in (select product_id from product_category where category_id {in ids $4}))
             and (cast($5 as {int}) = 0 or (title_key >= $6 and title_key < $7)
                 or product_id in (select product_id from variant where sku_key >= $6 and sku_key < $7))
         order by product_id limit $8",
        params![
            after,
            filter.status.map_or(0, Status::code),
            categories.is_some(),
            categories.as_deref().unwrap_or_default(),
            filter.prefix.is_some(),
            &from,
            &to,
            limit,
        ],
        product,
    )
}

fn variant(row: &mut Row<'_>) -> Result<Variant, StoreError> {
    let id = row.id()?;
    let unit = |name: &str| Unit::named(name).ok_or_else(|| StoreError::Corrupt(format!("unit \"{name}\"")));
    let mut variant = Variant {
        id,
        product: row.id()?,
        sku: row.text()?,
        title: row.text()?,
        options: json::texts(&row.text()?)?,
        unit: unit(&row.text()?)?,
        weight_grams: row.int_or_null()?,
        tax_class: row.id()?,
        barcodes: json::barcodes(&row.text()?)?,
        components: Vec::new(),
        kit: row.yes()?,
        service: row.yes()?,
        archived: row.yes()?,
        active: row.yes()?,
        attributes: json::values(&row.text()?)?,
        external_id: row.text_or_null()?,
        version: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
    };
    variant.active &= !variant.archived;
    Ok(variant)
}

/// Adds a variant. Its codes are claimed by [`claim_sku`] and [`claim_barcode`].
///
/// # Errors
/// What the store says.
pub fn add_variant(tx: &mut Tx<'_>, variant: &Variant) -> Result<(), StoreError> {
    tx.execute(
        "insert into variant (variant_id, product_id, sku, sku_key, title, options, unit, weight_grams, tax_class_id, barcodes, kit, service,
             archived, on_sale, attributes, external_id, version, made_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        params![
            variant.id,
            variant.product,
            &variant.sku,
            &search_key(&variant.sku),
            &variant.title,
            &json::of_texts(&variant.options),
            variant.unit.name(),
            variant.weight_grams,
            variant.tax_class,
            &json::of_barcodes(&variant.barcodes),
            variant.kit,
            variant.service,
            variant.archived,
            variant.active,
            &json::of_values(&variant.attributes),
            variant.external_id.as_deref(),
            variant.version,
            variant.made_at,
            variant.changed_at,
        ],
    )?;
    write_components(tx, variant)
}

/// Changes a variant that still has the version before `variant.version`; false when somebody was faster.
/// Unit, kit and whether its product is on sale stay as they are.
///
/// # Errors
/// What the store says.
pub fn update_variant(tx: &mut Tx<'_>, variant: &Variant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update variant set sku = $2, sku_key = $3, title = $4, options = $5, weight_grams = $6, tax_class_id = $7, barcodes = $8,
             archived = $9, attributes = $10, version = $11, changed_at = $12
         where variant_id = $1 and version = $11 - 1",
        params![
            variant.id,
            &variant.sku,
            &search_key(&variant.sku),
            &variant.title,
            &json::of_texts(&variant.options),
            variant.weight_grams,
            variant.tax_class,
            &json::of_barcodes(&variant.barcodes),
            variant.archived,
            &json::of_values(&variant.attributes),
            variant.version,
            variant.changed_at,
        ],
    )?;
    if touched == 1 && variant.kit {
        tx.execute("delete from kit_component where kit_id = $1", params![variant.id])?;
        write_components(tx, variant)?;
    }
    Ok(touched == 1)
}

/// Gives a variant the title that follows from its product's.
///
/// # Errors
/// What the store says.
pub fn retitle_variant(tx: &mut Tx<'_>, id: Id<VariantKind>, title: &str) -> Result<(), StoreError> {
    tx.execute("update variant set title = $2 where variant_id = $1", params![id, title])?;
    Ok(())
}

fn write_components(tx: &mut Tx<'_>, kit: &Variant) -> Result<(), StoreError> {
    for (component, quantity) in &kit.components {
        tx.execute(
            "insert into kit_component (kit_id, component_id, quantity) values ($1, $2, $3)",
            params![kit.id, *component, *quantity],
        )?;
    }
    Ok(())
}

/// The variants with these ids and what kits among them are made of, in the order they were made; unknown ids are passed over.
///
/// # Errors
/// What the store says.
pub fn variants(tx: &mut Tx<'_>, ids: &[Id<VariantKind>]) -> Result<Vec<Variant>, StoreError> {
    let found = tx.rows(
        "select variant_id, product_id, sku, title, options, unit, weight_grams, tax_class_id, barcodes, kit, service, archived, on_sale,
             attributes, external_id, version, made_at, changed_at
         from variant where variant_id {in ids $1} order by variant_id",
        &[Param::Ids(&keys(ids))],
        variant,
    )?;
    with_components(tx, found)
}

/// The variants of these products, archived ones too, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn variants_of(tx: &mut Tx<'_>, products: &[Id<ProductKind>]) -> Result<Vec<Variant>, StoreError> {
    let found = tx.rows(
        "select variant_id, product_id, sku, title, options, unit, weight_grams, tax_class_id, barcodes, kit, service, archived, on_sale,
             attributes, external_id, version, made_at, changed_at
         from variant where product_id {in ids $1} order by variant_id",
        &[Param::Ids(&keys(products))],
        variant,
    )?;
    with_components(tx, found)
}

fn with_components(tx: &mut Tx<'_>, mut variants: Vec<Variant>) -> Result<Vec<Variant>, StoreError> {
    let kits: Vec<[u8; 16]> =
        variants.iter().filter(|variant| variant.kit).map(|kit| kit.id.bytes()).collect();
    if kits.is_empty() {
        return Ok(variants);
    }
    let parts = tx.rows(
        "select kit_id, component_id, quantity from kit_component where kit_id {in ids $1} order by kit_id, component_id",
        &[Param::Ids(&kits)],
        |row| Ok((row.id::<VariantKind>()?, row.id()?, row.int()?)),
    )?;
    for variant in variants.iter_mut().filter(|variant| variant.kit) {
        let own = parts.iter().filter(|(kit, ..)| *kit == variant.id);
        variant.components = own.map(|(_, component, quantity)| (*component, *quantity)).collect();
    }
    Ok(variants)
}
