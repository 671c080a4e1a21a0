//! Who has which SKU and barcode: each is claimed in a look-up homed on the code, so that no two variants share one.

use domain::catalogue::Barcode;
use domain::value::Id;
use domain::value::id::Variant as VariantKind;

use crate::{StoreError, Tx, params};

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
