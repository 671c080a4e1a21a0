//! What products, variants and media look like over the API.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::catalogue::{self as rules, Barcode, Choice, Given, MediaKind, Wording};
use domain::value::{Language, Reference};
use engine::catalogue::{Detail, Media, NewMedia, Product, Variant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shape::Fields;

/// A text in the shop's own language and in others.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Wording, example = json!({"text": "Mug", "translations": {"de": "Becher"}}))]
pub struct WordingShape {
    /// The text in the shop's own language.
    pub text: String,
    /// The text in other languages, by tag such as `de` or `pt-BR`.
    #[serde(default)]
    pub translations: BTreeMap<String, String>,
}

impl From<&Wording> for WordingShape {
    fn from(wording: &Wording) -> WordingShape {
        let translations = wording.translations().iter();
        let translations =
            translations.map(|(language, text)| (language.to_string(), text.clone())).collect();
        WordingShape { text: wording.text().to_owned(), translations }
    }
}

impl WordingShape {
    fn languages(&self) -> Result<Vec<(Language, String)>, Refusal> {
        let read = |(tag, text): (&String, &String)| match Language::parse(tag) {
            Ok(language) => Ok((language, text.clone())),
            Err(error) => Err(Refusal::invalid("translations", error)),
        };
        self.translations.iter().map(read).collect()
    }

    pub fn title(&self) -> Result<Wording, Refusal> {
        Wording::title(&self.text, &self.languages()?)
    }

    pub fn description(&self) -> Result<Wording, Refusal> {
        Wording::description(&self.text, &self.languages()?)
    }
}

/// A value of an attribute: a text, a whole number, or true or false.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AttributeValue)]
pub enum GivenShape {
    /// Yes or no.
    Yes(bool),
    /// A whole number.
    Whole(i64),
    /// A text, a decimal such as `"12.50"`, a choice, a day such as `"2026-12-25"`, or a product's id.
    Text(String),
}

/// The values of the retailer's own attributes, by code.
pub type GivenShapes = BTreeMap<String, GivenShape>;

pub fn given(shapes: &GivenShapes) -> Vec<(String, Given)> {
    let value = |shape: &GivenShape| match shape {
        GivenShape::Yes(yes) => Given::Yes(*yes),
        GivenShape::Whole(number) => Given::Whole(*number),
        GivenShape::Text(text) => Given::Text(text.clone()),
    };
    shapes.iter().map(|(code, shape)| (code.clone(), value(shape))).collect()
}

fn given_shapes(values: &[(String, Given)]) -> GivenShapes {
    let shape = |given: &Given| match given {
        Given::Yes(yes) => GivenShape::Yes(*yes),
        Given::Whole(number) => GivenShape::Whole(*number),
        Given::Text(text) => GivenShape::Text(text.clone()),
    };
    values.iter().map(|(code, given)| (code.clone(), shape(given))).collect()
}

/// What tells a product's variants apart, such as size.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductOption, example = json!({"name": "size", "values": ["S", "M", "L"]}))]
pub struct ChoiceShape {
    /// What it is called: 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// Its values in the order they are shown, 1 to 200.
    #[schema(min_items = 1, max_items = 200)]
    values: Vec<String>,
}

impl ChoiceShape {
    pub fn choice(&self) -> Choice {
        Choice { name: self.name.clone(), values: self.values.clone() }
    }
}

/// What a scanner reads from a variant.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Barcode, example = json!({"code": "5012345678900", "kind": "gtin"}))]
pub struct BarcodeShape {
    /// The digits of a GTIN with right check digit, or an internal code of 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64)]
    code: String,
    /// `gtin` (when absent) or `internal`.
    #[serde(default)]
    kind: BarcodeKind,
}

/// What kind of barcode it is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BarcodeKind {
    /// The world's number.
    #[default]
    Gtin,
    /// The retailer's own code.
    Internal,
}

impl From<&Barcode> for BarcodeShape {
    fn from(barcode: &Barcode) -> BarcodeShape {
        let kind = match barcode {
            Barcode::Gtin(_) => BarcodeKind::Gtin,
            Barcode::Internal(_) => BarcodeKind::Internal,
        };
        BarcodeShape { code: barcode.to_string(), kind }
    }
}

impl BarcodeShape {
    pub fn read(&self, fields: &mut Fields) -> Option<Barcode> {
        match self.kind {
            BarcodeKind::Gtin => fields.take("code", Barcode::gtin(&self.code)),
            BarcodeKind::Internal => fields.take("code", Barcode::internal(&self.code)),
        }
    }
}

/// What one of a kit consumes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KitComponent, example = json!({"variant": "var_01jd0000000000000000000000", "quantity": 6}))]
pub struct ComponentShape {
    /// The variant consumed: its id or external id.
    pub variant: String,
    /// Base units of it in one kit.
    #[schema(minimum = 1)]
    pub quantity: i64,
}

/// A picture, film or paper of a product.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Media, example = json!({"id": "med_01jd0000000000000000000000", "kind": "image",
    "address": "https://img.example/mug.jpg", "alt": {"text": "a red mug", "translations": {}}}))]
pub struct MediaShape {
    /// Its id.
    id: String,
    /// `image`, `video`, `model` or `document`.
    kind: &'static str,
    /// Where it lies.
    address: String,
    /// What is to be seen, for who cannot see it.
    alt: WordingShape,
    /// The one variant it shows, if it shows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

impl From<&Media> for MediaShape {
    fn from(media: &Media) -> MediaShape {
        MediaShape {
            id: media.id.to_string(),
            kind: media.kind.text(),
            address: media.address.clone(),
            alt: WordingShape::from(&media.alt),
            variant: media.variant.map(|id| id.to_string()),
        }
    }
}

/// A picture, film or paper to be shown.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMedia, example = json!({"kind": "image", "address": "https://img.example/mug.jpg", "alt": {"text": "a red mug"}}))]
pub struct NewMediaShape {
    /// `image` (when absent), `video`, `model` or `document`.
    kind: Option<String>,
    /// Where it lies: an address that begins with `https://` or `http://`.
    #[schema(max_length = 2000)]
    address: String,
    /// What is to be seen, for who cannot see it.
    alt: Option<WordingShape>,
    /// The one variant it shows: its id or external id.
    variant: Option<String>,
}

impl NewMediaShape {
    pub fn read(&self, fields: &mut Fields) -> Option<NewMedia> {
        let kind = fields.take_if("kind", self.kind.as_deref(), MediaKind::parse);
        let address = fields.take("address", rules::media_address(&self.address));
        let alt = match &self.alt {
            None => Some(Wording::stored(String::new(), Vec::new())),
            Some(alt) => fields.part("alt", alt.description()),
        };
        let variant = self.variant.as_deref().map(Reference::read);
        Some(NewMedia { kind: kind?.unwrap_or(MediaKind::Image), address: address?, alt: alt?, variant })
    }
}

/// A variant: what is sold, priced and counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Variant, example = json!({"id": "var_01jd0000000000000000000000", "product": "prd_01jd0000000000000000000000", "sku": "MUG-RED",
    "title": "Mug, red", "options": ["red"], "unit": "piece", "weight_grams": 350, "tax_class": "txc_01jd0000000000000000000000",
    "barcodes": [{"code": "5012345678900", "kind": "gtin"}], "components": [], "kit": false, "service": false, "archived": false, "active": true,
    "attributes": {}, "version": 1, "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z"}))]
pub struct VariantShape {
    /// Its id.
    id: String,
    /// The product it is a variant of.
    product: String,
    /// The retailer's own code of it.
    sku: String,
    /// What it is called on a receipt.
    title: String,
    /// Its value of each of the product's options, in their order.
    options: Vec<String>,
    /// What it is counted in: `piece`, `gram`, `millilitre` or `millimetre`.
    unit: &'static str,
    /// What one base unit weighs, in grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_grams: Option<i64>,
    /// How it is taxed.
    tax_class: String,
    /// What a scanner reads from it.
    barcodes: Vec<BarcodeShape>,
    /// For a kit, what one of it consumes.
    components: Vec<ComponentShape>,
    /// Is it made of other variants' stock?
    kit: bool,
    /// Is it a service that takes nothing from shelves?
    service: bool,
    /// It is no longer sold, but stays readable.
    archived: bool,
    /// Can it be sold now?
    active: bool,
    /// The values of the retailer's own attributes, by code.
    attributes: GivenShapes,
    /// What the retailer's other systems call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    changed_at: String,
}

impl From<&Variant> for VariantShape {
    fn from(variant: &Variant) -> VariantShape {
        let component = |(id, quantity): &(_, i64)| ComponentShape {
            variant: domain::value::Id::<domain::value::id::Variant>::to_string(id),
            quantity: *quantity,
        };
        VariantShape {
            id: variant.id.to_string(),
            product: variant.product.to_string(),
            sku: variant.sku.clone(),
            title: variant.title.clone(),
            options: variant.options.clone(),
            unit: variant.unit.name(),
            weight_grams: variant.weight_grams,
            tax_class: variant.tax_class.to_string(),
            barcodes: variant.barcodes.iter().map(BarcodeShape::from).collect(),
            components: variant.components.iter().map(component).collect(),
            kit: variant.kit,
            service: variant.service,
            archived: variant.archived,
            active: variant.active,
            attributes: given_shapes(&variant.attributes),
            external_id: variant.external_id.clone(),
            version: variant.version,
            made_at: variant.made_at.to_string(),
            changed_at: variant.changed_at.to_string(),
        }
    }
}

/// A product: what a customer recognises.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Product, example = json!({"id": "prd_01jd0000000000000000000000", "status": "active",
    "title": {"text": "Mug", "translations": {"de": "Becher"}}, "description": {"text": "Holds tea.", "translations": {}},
    "brand": "Acme", "tax_class": "txc_01jd0000000000000000000000", "options": [{"name": "colour", "values": ["red", "blue"]}],
    "attributes": {"material": "stoneware"}, "version": 1, "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z"}))]
pub struct ProductShape {
    /// Its id.
    pub id: String,
    /// `draft`, `active` or `archived`.
    status: &'static str,
    /// What it is called.
    title: WordingShape,
    /// What is said about it.
    description: WordingShape,
    /// Whose name is on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    /// Who it is bought from, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<String>,
    /// How new variants are taxed unless they say otherwise.
    tax_class: String,
    /// What tells its variants apart.
    options: Vec<ChoiceShape>,
    /// The values of the retailer's own attributes, by code.
    attributes: GivenShapes,
    /// The categories it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<String>>,
    /// Its variants, archived ones too; with `include=variants`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variants: Option<Vec<VariantShape>>,
    /// Its media in order; with `include=media`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Vec<MediaShape>>,
    /// What the retailer's other systems call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Rises with every change of it or its variants; given as `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    changed_at: String,
}

impl From<&Product> for ProductShape {
    fn from(product: &Product) -> ProductShape {
        let choice =
            |choice: &Choice| ChoiceShape { name: choice.name.clone(), values: choice.values.clone() };
        ProductShape {
            id: product.id.to_string(),
            status: product.status.text(),
            title: WordingShape::from(&product.title),
            description: WordingShape::from(&product.description),
            brand: product.brand.clone(),
            supplier: product.supplier.clone(),
            tax_class: product.tax_class.to_string(),
            options: product.options.iter().map(choice).collect(),
            attributes: given_shapes(&product.attributes),
            categories: None,
            variants: None,
            media: None,
            external_id: product.external_id.clone(),
            version: product.version,
            made_at: product.made_at.to_string(),
            changed_at: product.changed_at.to_string(),
        }
    }
}

impl From<&Detail> for ProductShape {
    fn from(detail: &Detail) -> ProductShape {
        ProductShape {
            categories: Some(detail.categories.iter().map(ToString::to_string).collect()),
            variants: Some(detail.variants.iter().map(VariantShape::from).collect()),
            media: Some(detail.media.iter().map(MediaShape::from).collect()),
            ..ProductShape::from(&detail.product)
        }
    }
}
