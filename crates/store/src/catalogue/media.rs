//! The rows of media: pictures, films and papers of products.

use domain::catalogue::{MediaKind, Wording};
use domain::value::Id;
use domain::value::id::{Media as MediaKey, Product, Variant};

use super::{json, keys};
use crate::{Param, Row, StoreError, Tx, params};

/// A picture, film or paper of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Its identity.
    pub id: Id<MediaKey>,
    /// The product it shows.
    pub product: Id<Product>,
    /// What it is.
    pub kind: MediaKind,
    /// Where it lies.
    pub address: String,
    /// What is to be seen, for who cannot see it; may be empty.
    pub alt: Wording,
    /// The one variant it shows, if it shows one.
    pub variant: Option<Id<Variant>>,
}

fn media(row: &mut Row<'_>) -> Result<Media, StoreError> {
    Ok(Media {
        id: row.id()?,
        product: row.id()?,
        kind: row.word(MediaKind::coded)?,
        address: row.text()?,
        alt: json::wording(&row.text()?)?,
        variant: row.id_or_null()?,
    })
}

/// The media of these products, each product's in their order.
///
/// # Errors
/// What the store says.
pub fn of_products(tx: &mut Tx<'_>, products: &[Id<Product>]) -> Result<Vec<Media>, StoreError> {
    tx.rows(
        "select media_id, product_id, kind, address, alt, variant_id from media where product_id {in ids $1} order by product_id, place",
        &[Param::Ids(&keys(products))],
        media,
    )
}

/// Gives a product exactly these media, in this order.
///
/// # Errors
/// What the store says.
pub fn set_of_product(tx: &mut Tx<'_>, product: Id<Product>, media: &[Media]) -> Result<(), StoreError> {
    tx.execute("delete from media where product_id = $1", params![product])?;
    for (place, one) in (1i64..).zip(media) {
        tx.execute(
            "insert into media (product_id, media_id, place, kind, address, alt, variant_id) values ($1, $2, $3, $4, $5, $6, $7)",
            params![product, one.id, place, one.kind.code(), &one.address, &json::of_wording(&one.alt), one.variant],
        )?;
    }
    Ok(())
}
