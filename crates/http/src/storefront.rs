//! Products as customers see them: one product with what is asked for, and pages of products as a channel shows them.

mod cart;
mod promise;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::{Instant, Quantity, Reference, id};
use engine::Failure;
use engine::catalogue::Detail;
use engine::price::{self, ListedPrice};
use engine::promise::answer::Answer;
use engine::storefront::promise::Near;
use engine::storefront::{self, Page as ShownPage, Shown, ShownProduct, ShownVariant};
use serde::{Deserialize, Serialize};
use store::Tx;
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
use crate::promise::PromiseShape;
use crate::query::Asked;
use promise::{NearQuery, quantity};

/// The most products asked for by name.
const IDS_MAX: usize = 100;

/// The routes of the storefront.
pub fn routes() -> OpenApiRouter<App> {
    let products = OpenApiRouter::new().routes(routes!(read_product)).routes(routes!(list_shown_products));
    products.merge(cart::routes())
}

/// What is read with a product.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IncludeQuery {
    /// Any of `variants`, `media`, `prices` (of every list, past and future ones too) and `promise` (where and when each variant can be had),
    /// with commas between them.
    #[param(example = "variants,media,promise")]
    include: Option<String>,
    /// With `include=promise`, the channel it would be bought in: its id or external id; the key's own when absent.
    channel: Option<String>,
    /// With `include=promise`, only this variant of the product: id, external id or SKU. All that are sold when absent, at most 20.
    variant: Option<String>,
    /// With `include=promise`, how many base units of a variant; 1 when absent.
    #[param(minimum = 1, maximum = 1_000_000_000)]
    quantity: Option<i64>,
}

/// What is read with a product, as asked for.
#[derive(Clone, Copy, Default)]
struct Include {
    variants: bool,
    media: bool,
    prices: bool,
    promise: bool,
}

impl IncludeQuery {
    fn read(&self) -> Result<Include, Refusal> {
        let mut include = Include::default();
        for word in self.include.iter().flat_map(|text| text.split(',')).map(str::trim) {
            match word {
                "variants" => include.variants = true,
                "media" => include.media = true,
                "prices" => include.prices = true,
                "promise" => include.promise = true,
                _ => return Err(Refusal::invalid("include", "give any of variants, media, prices, promise")),
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
    /// With `include=promise`: where and when each variant can be had that is sold, in their order and each by itself, as of now. It holds
    /// nothing: the reservation or the checkout judges anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    promises: Option<Vec<PromiseShape>>,
}

/// What is asked about the variants of a product.
#[derive(Clone)]
struct Question {
    channel: Option<Reference<id::Channel>>,
    variant: Option<Reference<id::Variant>>,
    quantity: Quantity,
    near: Near,
}

impl IncludeQuery {
    fn question(&self, near: &NearQuery) -> Result<Question, Refusal> {
        Ok(Question {
            channel: self.channel.as_deref().map(Reference::read),
            variant: self.variant.as_deref().map(Reference::read),
            quantity: quantity(self.quantity)?,
            near: near.read()?,
        })
    }
}

impl Question {
    fn ask(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        detail: &Detail,
        now: Instant,
    ) -> Result<Vec<Answer>, Failure> {
        let sold = detail.variants.iter().filter(|variant| variant.active).map(|variant| variant.id);
        let mut variants: Vec<_> = sold.collect();
        if let Some(named) = &self.variant {
            let named = engine::catalogue::resolve_variant(tx, "variant", named)?;
            variants.retain(|variant| *variant == named);
            if variants.is_empty() {
                let message = "this is no variant of the product that is sold";
                return Err(Refusal::invalid("variant", message).into());
            }
        }
        let asked = (self.channel.as_ref(), &self.near);
        storefront::promise::of_variants(tx, actor, asked, (&variants, self.quantity), now)
    }
}

/// Read a product
#[utoipa::path(get, path = "/v1/products/{id}", operation_id = "read_product", tag = "catalogue",
    params(("id" = String, Path, description = "its id or external id"), IncludeQuery, NearQuery),
    responses((status = 200, body = ReadShape), Problems))]
async fn read_product(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<IncludeQuery>,
    Asked(near): Asked<NearQuery>,
) -> Result<Response, Problem> {
    let (include, reference, now) = (asked.read()?, Reference::read(&id), app.shop.source.now());
    let question = asked.question(&near)?;
    let question = include.promise.then_some(question);
    let (detail, prices, answers) = app
        .read(move |tx| {
            let detail = engine::catalogue::read_product(tx, &actor, &reference)?;
            let variants: Vec<_> = detail.variants.iter().map(|variant| variant.id).collect();
            let prices: Vec<(_, ListedPrice)> =
                if include.prices { price::prices_of(tx, &actor, &variants)? } else { Vec::new() };
            let answers = match &question {
                Some(question) => Some(question.ask(tx, &actor, &detail, now)?),
                None => None,
            };
            Ok((detail, prices, answers))
        })
        .await?;
    let mut product = ProductShape::from(&detail);
    product.variants = product.variants.filter(|_| include.variants);
    product.media = product.media.filter(|_| include.media);
    let shapes = prices.iter().map(|(variant, price)| ListedPriceShape::of(*variant, price)).collect();
    let promises = answers.map(|answers| answers.iter().map(PromiseShape::from).collect());
    let shape = ReadShape { product, prices: include.prices.then_some(shapes), promises };
    document(&shape, Some(detail.product.version))
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
