//! The tables by which a variant is found from what is printed on it: its SKU and its barcodes.

use domain::catalogue::Barcode;
use domain::value::Id;
use domain::value::id::Variant as VariantKind;

use super::{Variant, variants};
use crate::{StoreError, Tx, params};

/// The variant with this SKU; capitals matter.
///
/// # Errors
/// What the store says.
pub fn variant_by_sku(tx: &mut Tx<'_>, sku: &str) -> Result<Option<Variant>, StoreError> {
    let found = tx.one("select variant_id from sku where sku = $1", params![sku], |row| row.id())?;
    found.map_or(Ok(None), |id| Ok(variants(tx, &[id])?.pop()))
}

/// The variant with this barcode.
///
/// # Errors
/// What the store says.
pub fn variant_by_barcode(tx: &mut Tx<'_>, barcode: &Barcode) -> Result<Option<Variant>, StoreError> {
    let key = barcode.key();
    let found = tx.one("select variant_id from barcode where code = $1", params![&key], |row| row.id())?;
    found.map_or(Ok(None), |id| Ok(variants(tx, &[id])?.pop()))
}

/// Gives a SKU to a variant; false when another has it.
///
/// # Errors
/// What the store says.
pub fn claim_sku(tx: &mut Tx<'_>, sku: &str, id: Id<VariantKind>) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into sku (sku, variant_id) values ($1, $2)
         on conflict (sku) do update set variant_id = excluded.variant_id where sku.variant_id = excluded.variant_id",
        params![sku, id],
    )?;
    Ok(made == 1)
}

/// Takes a SKU from its variant, so that another may have it.
///
/// # Errors
/// What the store says.
pub fn free_sku(tx: &mut Tx<'_>, sku: &str) -> Result<(), StoreError> {
    tx.execute("delete from sku where sku = $1", params![sku])?;
    Ok(())
}

/// Gives a barcode to a variant; false when another has it.
///
/// # Errors
/// What the store says.
pub fn claim_barcode(tx: &mut Tx<'_>, barcode: &Barcode, id: Id<VariantKind>) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into barcode (code, variant_id) values ($1, $2)
         on conflict (code) do update set variant_id = excluded.variant_id where barcode.variant_id = excluded.variant_id",
        params![&barcode.key(), id],
    )?;
    Ok(made == 1)
}

/// Takes a barcode from its variant, so that another may have it.
///
/// # Errors
/// What the store says.
pub fn free_barcode(tx: &mut Tx<'_>, barcode: &Barcode) -> Result<(), StoreError> {
    tx.execute("delete from barcode where code = $1", params![&barcode.key()])?;
    Ok(())
}
