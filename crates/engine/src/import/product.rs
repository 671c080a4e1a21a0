//! Products from files: one variant a row, made, or changed where the SKU is known; with its price, if a list is named.

use domain::Refusal;
use domain::actor::Actor;
use domain::catalogue::{self as rules, Barcode, Choice, Status, Wording};
use domain::import::Outcome;
use domain::import::cell::{Habits, Oddity};
use domain::value::gtin::spreadsheet;
use domain::value::id::{Product as ProductKind, TaxClass, Variant as VariantKind};
use domain::value::{Gtin, Reference, Unit, reference};
use store::Tx;
use store::catalogue::{Product, Variant};

use super::price::{self, Priced};
use super::row::{CellError, Cells};
use crate::catalogue::{self, NewProduct, NewVariant, ProductChange, VariantChange};
use crate::{Failure, World};

/// A row of a file of products. What the file has no column for is `None` and stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub sku: String,
    title: Wording,
    /// The external id of the product.
    product: String,
    /// What tells its variants apart: name and the variant's value.
    options: Vec<(String, String)>,
    service: bool,
    unit: Unit,
    weight_grams: Option<Option<i64>>,
    barcodes: Option<Vec<Barcode>>,
    tax_class: Option<String>,
    status: Option<Status>,
    brand: Option<Option<String>>,
    supplier: Option<Option<String>>,
    description: Option<Wording>,
    external_id: Option<String>,
    price: Option<(String, Priced)>,
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let sku = row.need("sku", rules::sku);
    let title = row.need("name", |said| wording(Wording::title(said, &[])));
    let by = if row.said("product").is_empty() { "sku" } else { "product" };
    let product = row.need(by, reference::external_id::<ProductKind>);
    let options = options(&mut row);
    let service = row.may("kind", |said| match said.to_lowercase().as_str() {
        "goods" => Ok(false),
        "service" => Ok(true),
        _ => Err("give goods or service"),
    });
    let unit = row.may("unit", |said| {
        Unit::named(&said.to_lowercase()).ok_or("give piece, gram, millilitre or millimetre")
    });
    let weight = row.whole("weight_grams");
    let barcodes = row.odd("barcodes", barcodes);
    let status = row.may("status", |said| Status::parse(&said.to_lowercase()));
    let description = row.may("description", |said| wording(Wording::description(said, &[])));
    let external_id = row.may("external_id", reference::external_id::<VariantKind>);
    let price = priced(&mut row);
    let (brand, supplier) = (row.change("brand"), row.change("supplier"));
    let (has_weight, has_barcodes) = (row.layout.has("weight_grams"), row.layout.has("barcodes"));
    let has_description = row.layout.has("description");
    let empty = || Wording::stored(String::new(), Vec::new());
    let tax_class = row.text("tax_class");
    let read = (|| {
        let description = description?.unwrap_or_else(empty);
        let barcodes = barcodes?.unwrap_or_default();
        Some(Row {
            sku: sku?,
            title: title?,
            product: product?,
            options: options?,
            service: service?.unwrap_or(false),
            unit: unit?.unwrap_or(Unit::Piece),
            weight_grams: weight.map(|weight| has_weight.then_some(weight))?,
            barcodes: has_barcodes.then_some(barcodes),
            tax_class,
            status: status?,
            brand,
            supplier,
            description: has_description.then_some(description),
            external_id: external_id?,
            price: price?,
        })
    })();
    row.done(read)
}

fn wording(wording: Result<Wording, Refusal>) -> Result<Wording, String> {
    wording.map_err(|refusal| refusal.message().to_owned())
}

/// The options a row names: each with a name and a value.
fn options(row: &mut Cells<'_>) -> Option<Vec<(String, String)>> {
    let mut options = Vec::new();
    let mut whole = true;
    for (name, value) in [
        ("option1_name", "option1_value"),
        ("option2_name", "option2_value"),
        ("option3_name", "option3_value"),
    ] {
        match (row.text(name), row.text(value)) {
            (Some(name), Some(value)) => options.push((name, value)),
            (None, None) => {}
            (Some(_), None) => {
                (whole, _) = (false, row.refuse(value, "is empty; give the value beside the name"))
            }
            (None, Some(_)) => {
                (whole, _) = (false, row.refuse(name, "is empty; give the name beside the value"))
            }
        }
    }
    whole.then_some(options)
}

/// Barcodes set apart by bars, semicolons or spaces. What looks like an article number must be a right one.
fn barcodes(said: &str, _habits: &Habits) -> Result<(Vec<Barcode>, Vec<Oddity>), String> {
    let whole = spreadsheet::read(said).map(|repaired| vec![repaired]);
    let parts: Vec<&str> = match whole {
        // Spaces inside one number, as it is printed below the bars.
        Ok(_) => vec![said],
        Err(_) => said.split(['|', ';', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect(),
    };
    let (mut barcodes, mut oddities) = (Vec::new(), Vec::new());
    for part in parts {
        match spreadsheet::read(part) {
            Ok(repaired) => {
                if !repaired.damage.is_empty() {
                    oddities.push(Oddity::Gtin);
                }
                barcodes.push(Barcode::Gtin(repaired.gtin));
            }
            Err(error) if looks_like_gtin(part) => return Err(error.to_string()),
            Err(_) => barcodes.push(Barcode::internal(part).map_err(|error| error.to_string())?),
        }
    }
    Ok((barcodes, oddities))
}

/// As many digits as an article number has, or a number that a spreadsheet shortened.
fn looks_like_gtin(part: &str) -> bool {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    let shortened = part.contains(['e', 'E'])
        && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b',' | b'+' | b'e' | b'E'));
    shortened || digits && matches!(part.len(), 8 | 12 | 13 | 14) && Gtin::parse(part).is_err()
}

/// The price a row gives, if it does; it needs the list it goes into.
fn priced(row: &mut Cells<'_>) -> Option<Option<(String, Priced)>> {
    let (amount, currency) = (row.amount("price", "price_minor"), row.currency());
    let (Some(amount), currency) = (amount?, currency?) else { return Some(None) };
    match row.text("price_list") {
        Some(list) => Some(Some((list, Priced { amount, was: None, currency }))),
        None => {
            row.refuse("price_list", "is empty; name the price list that the price goes into, in a column or as a constant of the mapping");
            None
        }
    }
}

/// Makes or changes the variant, its product and its price.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let known = store::catalogue::variant_by_sku(tx, &row.sku)?;
    let (variant, outcome) = match &known {
        Some(variant) => (variant.id, change(tx, actor, world, row, variant)?),
        None => (add(tx, actor, world, row)?, Outcome::Made),
    };
    let Some((list, priced)) = &row.price else { return Ok(outcome) };
    let set = price::set(tx, actor, world, (list, variant), priced, (1, None, None))?;
    Ok(match (outcome, set) {
        (Outcome::Same, Outcome::Made | Outcome::Changed) => Outcome::Changed,
        _ => outcome,
    })
}

/// Adds the variant to its product, which is made when nobody knows it.
fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
) -> Result<domain::value::Id<VariantKind>, Failure> {
    let new = NewVariant {
        sku: row.sku.clone(),
        options: row.options.iter().map(|(_, value)| value.clone()).collect(),
        unit: row.unit,
        weight_grams: row.weight_grams.flatten(),
        tax_class: None,
        barcodes: row.barcodes.clone().unwrap_or_default(),
        components: Vec::new(),
        service: row.service,
        attributes: Vec::new(),
        external_id: row.external_id.clone(),
    };
    let known = store::external::find::<ProductKind>(tx, &row.product)?;
    let Some(id) = known else {
        let choice =
            |(name, value): &(String, String)| Choice { name: name.clone(), values: vec![value.clone()] };
        let product = NewProduct {
            title: row.title.clone(),
            description: row
                .description
                .clone()
                .unwrap_or_else(|| Wording::stored(String::new(), Vec::new())),
            status: row.status.unwrap_or(Status::Active),
            brand: row.brand.clone().flatten(),
            supplier: row.supplier.clone().flatten(),
            tax_class: Reference::Id(tax_class(tx, row.tax_class.as_deref())?),
            options: row.options.iter().map(choice).collect(),
            attributes: Vec::new(),
            categories: Vec::new(),
            media: Vec::new(),
            variants: vec![new],
            external_id: Some(row.product.clone()),
        };
        let made = catalogue::create_product(tx, actor, world, product)?;
        let variant = made.variants.first().map(|variant| variant.id);
        return variant.ok_or_else(|| Refusal::invalid("sku", "no variant was made").into());
    };
    let product = catalogue::find(tx, &Reference::Id(id))?;
    change_product(tx, actor, world, row, &product)?;
    let tax_class = row.tax_class.as_deref().map(|code| tax_class(tx, Some(code))).transpose()?;
    let new = NewVariant { tax_class: tax_class.map(Reference::Id), ..new };
    Ok(catalogue::add_variant(tx, actor, world, &Reference::Id(id), new)?.id)
}

/// The tax class of a code or external id; the only one there is when none is named.
fn tax_class(tx: &mut Tx<'_>, named: Option<&str>) -> Result<domain::value::Id<TaxClass>, Failure> {
    let Some(named) = named else {
        let classes = store::tax::list_classes(tx, domain::value::Id::from_bytes([0; 16]), 2)?;
        let [only] = &classes[..] else {
            let message = "is empty; name the tax class, in a column or as a constant of the mapping";
            return Err(Refusal::invalid("tax_class", message).into());
        };
        return Ok(only.id);
    };
    if let Some(id) = store::import::tax_class_coded(tx, named)? {
        return Ok(id);
    }
    let found = store::external::find(tx, named)?;
    found.ok_or_else(|| Refusal::invalid("tax_class", "no tax class has this code; make it first").into())
}

/// Changes a variant that is known, and its product.
fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    known: &Variant,
) -> Result<Outcome, Failure> {
    let product = catalogue::find(tx, &Reference::Id(known.product))?;
    unchangeable(row, known, &product)?;
    let product_changed = change_product(tx, actor, world, row, &product)?;
    let options: Vec<String> = row.options.iter().map(|(_, value)| value.clone()).collect();
    let tax_class = row.tax_class.as_deref().map(|code| tax_class(tx, Some(code))).transpose()?;
    let change = VariantChange {
        options: Some(options).filter(|options| *options != known.options),
        weight_grams: row.weight_grams.filter(|weight| *weight != known.weight_grams),
        barcodes: row.barcodes.clone().filter(|barcodes| *barcodes != known.barcodes),
        tax_class: tax_class.filter(|class| *class != known.tax_class).map(Reference::Id),
        ..VariantChange::default()
    };
    let nothing = change.options.is_none()
        && change.weight_grams.is_none()
        && change.barcodes.is_none()
        && change.tax_class.is_none();
    if nothing {
        return Ok(if product_changed { Outcome::Changed } else { Outcome::Same });
    }
    // Changing the product may have changed its variants' titles.
    let version = catalogue::variant::find_variant(tx, &Reference::Id(known.id))?.version;
    catalogue::change_variant(tx, actor, world, (Reference::Id(known.id), Some(version)), change)?;
    Ok(Outcome::Changed)
}

/// What a variant is for ever: its product, its unit, whether it is a service.
fn unchangeable(row: &Row, known: &Variant, product: &Product) -> Result<(), Refusal> {
    let other = |field: &str, has: &str| {
        Refusal::invalid(field, format!("the variant has \"{has}\" and keeps it; use another sku"))
    };
    if row.unit != known.unit {
        return Err(other("unit", known.unit.name()));
    }
    if row.service != known.service {
        return Err(other("kind", if known.service { "service" } else { "goods" }));
    }
    match &product.external_id {
        Some(external_id) if *external_id != row.product => Err(other("product", external_id)),
        _ => Ok(()),
    }
}

/// Changes what the row says otherwise of the product; true when something was.
fn change_product(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    product: &Product,
) -> Result<bool, Failure> {
    let title = Wording::stored(row.title.text().to_owned(), product.title.translations().to_vec());
    let description = row.description.as_ref().map(|description| {
        Wording::stored(description.text().to_owned(), product.description.translations().to_vec())
    });
    let change = ProductChange {
        title: Some(title).filter(|title| *title != product.title),
        description: description.filter(|description| *description != product.description),
        status: row.status.filter(|status| *status != product.status),
        brand: row.brand.clone().filter(|brand| *brand != product.brand),
        supplier: row.supplier.clone().filter(|supplier| *supplier != product.supplier),
        options: with_values(&product.options, &row.options),
        ..ProductChange::default()
    };
    let nothing = change.title.is_none()
        && change.description.is_none()
        && change.status.is_none()
        && change.brand.is_none()
        && change.supplier.is_none()
        && change.options.is_none();
    if nothing {
        return Ok(false);
    }
    catalogue::change_product(tx, actor, world, (Reference::Id(product.id), Some(product.version)), change)?;
    Ok(true)
}

/// The product's options with the values of the row, when there are new ones. Options the product does not have are refused later, where
/// the variant is made.
fn with_values(options: &[Choice], row: &[(String, String)]) -> Option<Vec<Choice>> {
    let mut with = options.to_vec();
    for (name, value) in row {
        if let Some(choice) = with.iter_mut().find(|choice| choice.name == *name)
            && !choice.values.contains(value)
        {
            choice.values.push(value.clone());
        }
    }
    Some(with).filter(|with| with != options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(said: &str) -> Result<(Vec<String>, bool), String> {
        let (barcodes, oddities) = barcodes(said, &Habits::default())?;
        Ok((barcodes.iter().map(ToString::to_string).collect(), !oddities.is_empty()))
    }

    #[test]
    fn barcodes_that_a_spreadsheet_damaged_are_put_right_or_refused() {
        let one = |code: &str, odd| Ok((vec![code.to_owned()], odd));
        assert_eq!(read("4006381333931"), one("4006381333931", false));
        assert_eq!(read("4 006381 333931"), one("4006381333931", true));
        assert_eq!(read("36000291452"), one("036000291452", true));
        assert_eq!(read("4.006381333931E+12"), one("4006381333931", true));
        assert_eq!(
            read("4006381333931|SHELF-7"),
            Ok((vec!["4006381333931".into(), "SHELF-7".into()], false))
        );
        assert!(read("4.00638E+12").unwrap_err().contains("digits are lost"));
        assert!(read("4006381333930").unwrap_err().contains("should end in 1"));
    }
}
