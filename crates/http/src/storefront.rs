//! Products as customers see them: one product with what is asked for, and pages of products as a channel shows them.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::value::Reference;
use engine::price::{self, ListedPrice};
use engine::storefront::{self, Page as ShownPage, Shown, ShownProduct, ShownVariant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::catalogue::{MediaShape, ProductShape};
use crate::page::{Page, PageQuery};
use crate::price::{EffectivePriceShape, ListedPriceShape};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The most products asked for by name.
const IDS_MAX: usize = 100;

/// The routes of the storefront.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_product)).routes(routes!(list_shown_products))
}

/// What is read with a product.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IncludeQuery {
    /// Any of `variants`, `media` and `prices` (of every list, past and future ones too), with commas between them.
    include: Option<String>,
}

/// What is read with a product, as asked for.
#[derive(Clone, Copy, Default)]
struct Include {
    variants: bool,
    media: bool,
    prices: bool,
}

impl IncludeQuery {
    fn read(&self) -> Result<Include, Refusal> {
        let mut include = Include::default();
        for word in self.include.iter().flat_map(|text| text.split(',')).map(str::trim) {
            match word {
                "variants" => include.variants = true,
                "media" => include.media = true,
                "prices" => include.prices = true,
                _ => return Err(Refusal::invalid("include", "give any of variants, media, prices")),
            }
        }
        Ok(include)
    }
}

/// A product with what was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReadProduct)]
struct ReadShape {
    /// The product.
    #[serde(flatten)]
    product: ProductShape,
    /// The prices of its variants in every list; with `include=prices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    prices: Option<Vec<ListedPriceShape>>,
}

/// Read a product
#[utoipa::path(get, path = "/v1/products/{id}", operation_id = "read_product", tag = "catalogue",
    params(("id" = String, Path, description = "its id or external id"), IncludeQuery),
    responses((status = 200, body = ReadShape), Problems))]
async fn read_product(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<IncludeQuery>,
) -> Result<Response, Problem> {
    let (include, reference) = (asked.read()?, Reference::read(&id));
    let (detail, prices) = app
        .read(move |tx| {
            let detail = engine::catalogue::read_product(tx, &actor, &reference)?;
            let variants: Vec<_> = detail.variants.iter().map(|variant| variant.id).collect();
            let prices: Vec<(_, ListedPrice)> =
                if include.prices { price::prices_of(tx, &actor, &variants)? } else { Vec::new() };
            Ok((detail, prices))
        })
        .await?;
    let mut product = ProductShape::from(&detail);
    product.variants = product.variants.filter(|_| include.variants);
    product.media = product.media.filter(|_| include.media);
    let shapes = prices.iter().map(|(variant, price)| ListedPriceShape::of(*variant, price)).collect();
    document(&ReadShape { product, prices: include.prices.then_some(shapes) }, Some(detail.product.version))
}

/// Which products are shown, and for whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ShownQuery {
    /// The channel that shows them: its id or external id.
    channel: String,
    /// Only these, at most 100 ids or external ids with commas between them; the answer is then one page in this order.
    ids: Option<String>,
    /// Only those in this category or below it: its id or external id.
    category: Option<String>,
    /// The group of customers whose prices count besides everybody's.
    customer_group: Option<String>,
}

impl ShownQuery {
    fn shown(&self) -> Result<Shown, Refusal> {
        match (&self.ids, &self.category) {
            (Some(_), Some(_)) => Err(Refusal::invalid("ids", "give ids or a category, not both")),
            (None, category) => Ok(Shown::Category(category.as_deref().map(Reference::read))),
            (Some(ids), None) => {
                let ids: Vec<_> = ids.split(',').map(|id| Reference::read(id.trim())).collect();
                if ids.len() > IDS_MAX {
                    return Err(Refusal::invalid("ids", format!("give at most {IDS_MAX}")));
                }
                Ok(Shown::These(ids))
            }
        }
    }
}

/// A product as a channel shows it, in the language of its market.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownProduct)]
struct ShownProductShape {
    /// Its id.
    id: String,
    /// What it is called.
    title: String,
    /// Whose name is on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    /// The names of its options, such as size.
    options: Vec<String>,
    /// Its variants that can be sold.
    variants: Vec<ShownVariantShape>,
    /// Its media, in order.
    media: Vec<MediaShape>,
}

/// A variant as a channel shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownVariant, example = json!({"id": "var_01jd0000000000000000000000", "sku": "MUG-RED", "options": ["red"], "unit": "piece",
    "price": {"amount": 1299, "currency": "GBP", "was_amount": 1599, "price_list": "prl_01jd0000000000000000000000"}, "promisable": 7, "free": [4, 3]}))]
struct ShownVariantShape {
    /// Its id.
    id: String,
    /// The retailer's own code of it.
    sku: String,
    /// Its value of each option.
    options: Vec<String>,
    /// What it is counted in.
    unit: &'static str,
    /// What one base unit costs here now; absent when it has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<EffectivePriceShape>,
    /// How many the channel can promise now.
    promisable: i64,
    /// How many each location can give, in the order of the page's `locations`.
    free: Vec<i64>,
}

impl From<&ShownVariant> for ShownVariantShape {
    fn from(shown: &ShownVariant) -> ShownVariantShape {
        ShownVariantShape {
            id: shown.variant.id.to_string(),
            sku: shown.variant.sku.clone(),
            options: shown.variant.options.clone(),
            unit: shown.variant.unit.name(),
            price: shown.price.as_ref().map(EffectivePriceShape::from),
            promisable: shown.stock.promisable,
            free: shown.stock.locations.iter().map(|(_, free)| *free).collect(),
        }
    }
}

impl ShownProductShape {
    fn of(shown: &ShownProduct, page: &ShownPage) -> ShownProductShape {
        let product = &shown.product;
        ShownProductShape {
            id: product.id.to_string(),
            title: product.title.in_language(page.language).to_owned(),
            brand: product.brand.clone(),
            options: product.options.iter().map(|choice| choice.name.clone()).collect(),
            variants: shown.variants.iter().map(ShownVariantShape::from).collect(),
            media: shown.media.iter().map(MediaShape::from).collect(),
        }
    }
}

/// A page of products as a channel shows them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownPage)]
struct ShownPageShape {
    /// The locations the channel reaches, best first; each variant's `free` has one number for each.
    locations: Vec<String>,
    /// The products.
    #[serde(flatten)]
    page: Page<ShownProductShape>,
}

/// Show products in a channel
///
/// With their variants, pictures, what each costs there now and how many can be had where. Drafts and archived products are left out.
#[utoipa::path(get, path = "/v1/catalogue/products", operation_id = "list_shown_products", tag = "catalogue", params(ShownQuery, PageQuery),
    responses((status = 200, body = ShownPageShape), Problems))]
async fn list_shown_products(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<ShownQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let asked = storefront::Asked {
        channel: Reference::read(&query.channel),
        shown: query.shown()?,
        customer_group: query.customer_group,
        after: page.after_id()?,
        limit,
    };
    let (now, named) = (app.shop.source.now(), matches!(asked.shown, Shown::These(_)));
    let shown = app.read(move |tx| storefront::page(tx, &actor, &asked, now)).await?;
    let items: Vec<_> = shown.products.iter().map(|one| ShownProductShape::of(one, &shown)).collect();
    let page = match named {
        true => Page { items, next_cursor: None },
        false => Page::new(items, limit, |product: &ShownProductShape| product.id.clone()),
    };
    let locations = shown.locations.iter().map(ToString::to_string).collect();
    document(&ShownPageShape { locations, page }, None)
}
