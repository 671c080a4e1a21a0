//! Variants: what is sold, priced and counted; found by SKU, by barcode, or by what the shop's scales print.

use domain::actor::{Actor, Permission};
use domain::catalogue::attribute::AttributeScope;
use domain::catalogue::label::{self, Layout, Weighed};
use domain::catalogue::{self as rules, Barcode, Given, Part};
use domain::ledger::BookKind;
use domain::value::id::{Product as ProductKind, TaxClass, Variant as VariantKind};
use domain::value::{Id, Reference, Unit};
use domain::{Code, Refusal};
use serde_json::json;
use store::catalogue::{self as rows, Product, Variant, label as label_rows};
use store::{Tx, ledger};

use super::{attribute, find};
use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// A variant to be made.
#[derive(Clone, Debug)]
pub struct NewVariant {
    /// The retailer's own code of it; see [`rules::sku`].
    pub sku: String,
    /// Its value of each of the product's options, in their order.
    pub options: Vec<String>,
    /// What it is counted in; never changes.
    pub unit: Unit,
    /// What one base unit weighs, in grams.
    pub weight_grams: Option<i64>,
    /// How it is taxed; as the product says when `None`.
    pub tax_class: Option<Reference<TaxClass>>,
    /// What a scanner reads from it.
    pub barcodes: Vec<Barcode>,
    /// For a kit, what one of it consumes. Empty for everything else.
    pub components: Vec<(Reference<VariantKind>, i64)>,
    /// Is it a service that takes nothing from shelves?
    pub service: bool,
    /// Values of the retailer's own attributes, by code.
    pub attributes: Vec<(String, Given)>,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
}

/// What changes about a variant; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct VariantChange {
    /// The retailer's own code.
    pub sku: Option<String>,
    /// Its value of each option.
    pub options: Option<Vec<String>>,
    /// What one base unit weighs, in grams.
    pub weight_grams: Option<Option<i64>>,
    /// How it is taxed.
    pub tax_class: Option<Reference<TaxClass>>,
    /// All barcodes, in the place of those before.
    pub barcodes: Option<Vec<Barcode>>,
    /// All components of a kit, in the place of those before.
    pub components: Option<Vec<(Reference<VariantKind>, i64)>>,
    /// All values of attributes, in the place of those before.
    pub attributes: Option<Vec<(String, Given)>>,
    /// It is no longer sold.
    pub archived: Option<bool>,
}

/// Adds a variant to a product.
///
/// # Errors
/// As [`super::create_product`].
pub fn add_variant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    product: &Reference<ProductKind>,
    new: NewVariant,
) -> Result<Variant, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let id = find(tx, product)?.id;
    let product = touched(tx, world, id)?;
    let others = rows::variants_of(tx, &[id])?;
    if others.len() >= rules::VARIANTS_MAX {
        let message = format!("a product has at most {} variants", rules::VARIANTS_MAX);
        return Err(Refusal::invalid("product", message).into());
    }
    let variant = add(tx, world, &product, &others, new)?;
    tell(tx, actor, world, &variant, "variant.created");
    Ok(variant)
}

/// Writes a new variant, its codes, its kit and its stock book.
pub(super) fn add(
    tx: &mut Tx<'_>,
    world: &mut World,
    product: &Product,
    others: &[Variant],
    new: NewVariant,
) -> Result<Variant, Failure> {
    fits(product, others, &new.options)?;
    let class = new.tax_class.as_ref().map(|class| external::known_at(tx, "tax_class", class)).transpose()?;
    let id = world.id();
    let kit = !new.components.is_empty();
    if kit && new.service {
        return Err(
            Refusal::invalid("service", "a kit takes its components from shelves; it is no service").into()
        );
    }
    let variant = Variant {
        id,
        product: product.id,
        sku: new.sku,
        title: rules::variant_title(product.title.text(), &new.options),
        options: new.options,
        unit: new.unit,
        weight_grams: weight(new.weight_grams)?,
        tax_class: class.unwrap_or(product.tax_class),
        barcodes: new.barcodes,
        components: if kit { components(tx, id, &new.components)? } else { Vec::new() },
        kit,
        service: new.service,
        archived: false,
        active: product.status == rules::Status::Active,
        attributes: attribute::checked(tx, AttributeScope::Variant, &[], new.attributes)?,
        external_id: new.external_id,
        version: 1,
        made_at: world.now(),
        changed_at: world.now(),
    };
    claim(tx, &variant)?;
    rows::add_variant(tx, &variant)?;
    external::give(tx, id, variant.external_id.as_deref())?;
    if !kit && !variant.service {
        ledger::open_book(tx, id.shared_with(), BookKind::Stock, variant.unit.name(), world.now())?;
    }
    Ok(variant)
}

/// Changes a variant; `version` is the one it was read with.
///
/// # Errors
/// [`Code::Stale`] when it was changed since, or as [`super::create_product`].
pub fn change_variant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (reference, version): (Reference<VariantKind>, Option<i64>),
    change: VariantChange,
) -> Result<Variant, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let before = find_variant(tx, &reference)?;
    let product = touched(tx, world, before.product)?;
    edit::unchanged(before.id, before.version, version)?;
    let mut after = before.clone();
    set(&mut after.sku, change.sku);
    set(&mut after.options, change.options);
    set(&mut after.archived, change.archived);
    set(&mut after.barcodes, change.barcodes);
    if let Some(grams) = change.weight_grams {
        after.weight_grams = weight(grams)?;
    }
    if let Some(class) = change.tax_class {
        after.tax_class = external::known_at(tx, "tax_class", &class)?;
    }
    if let Some(parts) = change.components {
        if before.kit == parts.is_empty() {
            let message =
                "a kit stays a kit and keeps a component, and nothing else becomes one; make a new variant";
            return Err(Refusal::new(Code::WrongState, message).at("components").into());
        }
        after.components = if before.kit { components(tx, before.id, &parts)? } else { Vec::new() };
    }
    if let Some(values) = change.attributes {
        after.attributes = attribute::checked(tx, AttributeScope::Variant, &before.attributes, values)?;
    }
    let moved = after.options != before.options || before.archived;
    if moved && !after.archived {
        let mut others = rows::variants_of(tx, &[product.id])?;
        others.retain(|other| other.id != before.id);
        fits(&product, &others, &after.options)?;
    }
    after.title = rules::variant_title(product.title.text(), &after.options);
    after.active = product.status == rules::Status::Active && !after.archived;
    after.version += 1;
    after.changed_at = world.now();
    reclaim(tx, &before, &after)?;
    if !rows::update_variant(tx, &after)? {
        return Err(edit::stale(after.id).into());
    }
    tell(tx, actor, world, &after, "variant.changed");
    Ok(after)
}

/// The variant a reference stands for.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find_variant(tx: &mut Tx<'_>, reference: &Reference<VariantKind>) -> Result<Variant, Failure> {
    let id = external::resolve(tx, reference)?;
    rows::variants(tx, &[id])?.pop().ok_or_else(|| Refusal::not_found("variant", id).into())
}

/// The variant a reference stands for, for who may see the catalogue.
///
/// # Errors
/// As [`find_variant`].
pub fn read_variant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    reference: &Reference<VariantKind>,
) -> Result<Variant, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    find_variant(tx, reference)
}

/// The variant that a scanned or typed code means: a barcode, the label of one of the shop's scales, or a SKU; in that order.
/// With a scale's label comes the price or weight of the piece in hand.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::Invalid`] when the label was misread.
pub fn variant_by_code(
    tx: &mut Tx<'_>,
    actor: &Actor,
    code: &str,
) -> Result<(Variant, Option<Weighed>), Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let scanned = Barcode::scanned(code).map_err(|error| Refusal::invalid("code", error))?;
    if let Some(variant) = rows::variant_by_barcode(tx, &scanned)? {
        return Ok((variant, None));
    }
    if let Some(weighed) = label::read(&label_rows::list(tx)?, &scanned)? {
        let found = rows::variant_by_barcode(tx, &weighed.barcode)?;
        let variant =
            found.ok_or_else(|| Refusal::not_found("variant with the barcode", &weighed.barcode))?;
        return Ok((variant, Some(weighed)));
    }
    let found = rows::variant_by_sku(tx, code.trim())?;
    Ok((found.ok_or_else(|| Refusal::not_found("variant with the code", &scanned))?, None))
}

/// Sets how the shop's scales lay out the codes of a prefix.
///
/// # Errors
/// [`Code::Invalid`] when the parts do not fill a code.
pub fn set_layout(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    layout: Layout,
) -> Result<Layout, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let layout = layout.checked()?;
    label_rows::set(tx, &layout)?;
    let body = json!({ "item_digits": layout.item_digits, "value_digits": layout.value_digits });
    emit(tx, actor, world, format!("label_layout:{}", layout.prefix), "label_layout.set", body);
    Ok(layout)
}

/// How the shop's scales lay out their codes, by prefix.
///
/// # Errors
/// What the store says.
pub fn list_layouts(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Layout>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(label_rows::list(tx)?)
}

pub(super) fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, variant: &Variant, kind: &'static str) {
    let body =
        json!({ "product": variant.product.to_string(), "sku": variant.sku, "version": variant.version });
    emit(tx, actor, world, variant.id, kind, body);
}

/// The product, held until the commit, so that its variants change one at a time.
fn touched(tx: &mut Tx<'_>, world: &World, id: Id<ProductKind>) -> Result<Product, Failure> {
    rows::touch_product(tx, id, world.now())?.ok_or_else(|| Refusal::not_found("product", id).into())
}

fn fits(product: &Product, others: &[Variant], options: &[String]) -> Result<(), Refusal> {
    let others = others.iter().filter(|other| !other.archived);
    let others: Vec<Vec<String>> = others.map(|other| other.options.clone()).collect();
    rules::combination(&product.options, options, &others)
}

fn weight(grams: Option<i64>) -> Result<Option<i64>, Refusal> {
    if grams.is_none_or(|grams| (0..=rules::WEIGHT_GRAMS_MAX).contains(&grams)) {
        return Ok(grams);
    }
    Err(Refusal::invalid("weight_grams", format!("give 0 to {} grams", rules::WEIGHT_GRAMS_MAX)))
}

/// The components of a kit, resolved and judged.
fn components(
    tx: &mut Tx<'_>,
    kit: Id<VariantKind>,
    given: &[(Reference<VariantKind>, i64)],
) -> Result<Vec<(Id<VariantKind>, i64)>, Failure> {
    let mut ids = Vec::with_capacity(given.len());
    for (place, (reference, quantity)) in given.iter().enumerate() {
        ids.push((external::resolve_at(tx, &format!("components.{place}.variant"), reference)?, *quantity));
    }
    let wanted: Vec<_> = ids.iter().map(|(id, _)| *id).collect();
    let known = rows::variants(tx, &wanted)?;
    let mut parts = Vec::with_capacity(ids.len());
    for (place, (id, quantity)) in ids.iter().enumerate() {
        let is_kit = match known.iter().find(|variant| variant.id == *id) {
            Some(variant) => variant.kit,
            None if *id == kit => true,
            None => {
                let field = format!("components.{place}.variant");
                return Err(Refusal::invalid(field, format!("no variant \"{id}\"")).into());
            }
        };
        parts.push(Part { variant: *id, quantity: *quantity, is_kit });
    }
    rules::kit(kit, &parts)?;
    ids.sort_unstable();
    Ok(ids)
}

/// Gives a new variant its SKU and barcodes.
fn claim(tx: &mut Tx<'_>, variant: &Variant) -> Result<(), Failure> {
    if !rows::claim_sku(tx, &variant.sku, variant.id)? {
        let message = format!("another variant has the sku \"{}\"", variant.sku);
        return Err(Refusal::new(Code::AlreadyExists, message).at("sku").into());
    }
    if variant.barcodes.len() > rules::BARCODES_MAX {
        let message = format!("a variant has at most {} barcodes", rules::BARCODES_MAX);
        return Err(Refusal::invalid("barcodes", message).into());
    }
    for (place, barcode) in variant.barcodes.iter().enumerate() {
        let field = format!("barcodes.{place}");
        if variant.barcodes[..place].iter().any(|earlier| earlier.key() == barcode.key()) {
            return Err(Refusal::invalid(field, "the barcode is named twice").into());
        }
        if !rows::claim_barcode(tx, barcode, variant.id)? {
            let message = format!("another variant has the barcode \"{barcode}\"");
            return Err(Refusal::new(Code::AlreadyExists, message).at(field).into());
        }
    }
    Ok(())
}

/// Gives back the codes a variant no longer has and takes those it has now.
fn reclaim(tx: &mut Tx<'_>, before: &Variant, after: &Variant) -> Result<(), Failure> {
    if before.sku != after.sku {
        rows::free_sku(tx, &before.sku)?;
    }
    for barcode in &before.barcodes {
        if !after.barcodes.iter().any(|kept| kept.key() == barcode.key()) {
            rows::free_barcode(tx, barcode)?;
        }
    }
    claim(tx, after)
}
