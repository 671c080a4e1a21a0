//! Products as a channel shows them: with their variants, pictures and what each costs there now, in a handful of statements however many.

pub mod promise;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::catalogue::Status;
use domain::value::id::{Category, Channel as ChannelKind, Location, Product as ProductKind};
use domain::value::{Id, Instant, Language, Reference};
use store::Tx;
use store::catalogue::{self as rows, Filter, Product, Variant, media};
use store::market::{Channel, Market, find_channel, find_market};

use crate::catalogue::{Media, category};
use crate::price::{self, Price};
use crate::stock::availability::{self, Availability};
use crate::{Failure, external};

/// Which products are shown.
#[derive(Clone, Debug)]
pub enum Shown {
    /// These, in this order.
    These(Vec<Reference<ProductKind>>),
    /// Those of a category and the ones below it; all when `None`.
    Category(Option<Reference<Category>>),
}

/// A variant as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownVariant {
    /// The variant.
    pub variant: Variant,
    /// What one costs; `None` when it has no price here.
    pub price: Option<Price>,
    /// How many the channel can promise, and how many each location it reaches can give.
    pub stock: Availability,
}

/// A product as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownProduct {
    /// The product.
    pub product: Product,
    /// Its variants that can be sold.
    pub variants: Vec<ShownVariant>,
    /// Its media, in order.
    pub media: Vec<Media>,
}

/// A page of products as a channel shows them.
#[derive(Clone, Debug)]
pub struct Page {
    /// The products; drafts and archived ones are left out.
    pub products: Vec<ShownProduct>,
    /// The language the channel's customers are spoken to in.
    pub language: Language,
    /// The locations the channel reaches, best first.
    pub locations: Vec<Id<Location>>,
}

/// How a page is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The channel.
    pub channel: Reference<ChannelKind>,
    /// Which products.
    pub shown: Shown,
    /// The group of customers whose prices count besides everybody's.
    pub customer_group: Option<String>,
    /// The page begins after this product.
    pub after: Id<ProductKind>,
    /// At most so many products.
    pub limit: i64,
}

/// Products as a channel shows them now.
///
/// # Errors
/// [`domain::Code::NotFound`] when channel or category do not exist.
pub fn page(tx: &mut Tx<'_>, actor: &Actor, asked: &Asked, now: Instant) -> Result<Page, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let (channel, market) = channel(tx, &asked.channel)?;
    let products = products(tx, asked)?;
    let ids: Vec<_> = products.iter().map(|product| product.id).collect();
    let mut variants = rows::variants_of(tx, &ids)?;
    variants.retain(|variant| variant.active);
    let pieces: Vec<_> = variants.iter().map(|variant| (variant.id, 1)).collect();
    let prices = price::prices(tx, &channel, asked.customer_group.as_deref(), &pieces, now)?;
    let pictures = media::of_products(tx, &ids)?;
    let reach = availability::reach(tx, &channel)?;
    let stock = availability::of_known(tx, &reach, &variants.iter().collect::<Vec<_>>())?;
    let mut shown: Vec<ShownProduct> = Vec::with_capacity(products.len());
    for product in products {
        let media = pictures.iter().filter(|medium| medium.product == product.id).cloned().collect();
        shown.push(ShownProduct { product, variants: Vec::new(), media });
    }
    for ((variant, price), stock) in variants.into_iter().zip(prices).zip(stock) {
        if let Some(own) = shown.iter_mut().find(|one| one.product.id == variant.product) {
            own.variants.push(ShownVariant { variant, price, stock });
        }
    }
    Ok(Page { products: shown, language: market.language, locations: reach.locations })
}

/// The channel a reference stands for, with its market.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn channel(tx: &mut Tx<'_>, reference: &Reference<ChannelKind>) -> Result<(Channel, Market), Failure> {
    let id = external::resolve(tx, reference)?;
    let channel = find_channel(tx, id)?.ok_or_else(|| Refusal::not_found("channel", id))?;
    let market = find_market(tx, channel.market)?;
    let market = market.ok_or_else(|| Refusal::not_found("market", channel.market))?;
    Ok((channel, market))
}

fn products(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Product>, Failure> {
    match &asked.shown {
        Shown::Category(category) => {
            let categories =
                category.as_ref().map(|category| category::with_below(tx, category)).transpose()?;
            let filter = Filter { status: Some(Status::Active), categories, prefix: None };
            Ok(rows::list_products(tx, &filter, asked.after, asked.limit)?)
        }
        Shown::These(references) => {
            let mut ids = Vec::with_capacity(references.len());
            for reference in references {
                ids.push(external::resolve(tx, reference)?);
            }
            let mut found = rows::products(tx, &ids)?;
            found.retain(|product| product.status == Status::Active);
            found.sort_by_key(|product| ids.iter().position(|id| *id == product.id));
            Ok(found)
        }
    }
}
