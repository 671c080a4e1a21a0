//! The rows of label layouts: how the shop's scales print price or weight into a code.

use domain::catalogue::Layout;
use domain::value::gtin::variable::Measure;

use crate::{Row, StoreError, Tx, params};

fn layout(row: &mut Row<'_>) -> Result<Layout, StoreError> {
    Ok(Layout {
        prefix: row.text()?,
        item_digits: row.int()?,
        value_digits: row.int()?,
        measure: if row.int()? == 1 { Measure::Price } else { Measure::Weight },
        verified: row.yes()?,
    })
}

/// Sets the layout of a prefix.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, layout: &Layout) -> Result<(), StoreError> {
    let measure: i64 = if layout.measure == Measure::Price { 1 } else { 2 };
    tx.execute(
        "insert into label_layout (prefix, item_digits, value_digits, measure, verified) values ($1, $2, $3, $4, $5)
         on conflict (prefix) do update set item_digits = excluded.item_digits, value_digits = excluded.value_digits,
             measure = excluded.measure, verified = excluded.verified",
        params![&layout.prefix, layout.item_digits, layout.value_digits, measure, layout.verified],
    )?;
    Ok(())
}

/// Every layout, at most one for each of the twelve prefixes.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Layout>, StoreError> {
    tx.rows(
        "select prefix, item_digits, value_digits, measure, verified from label_layout order by prefix",
        &[],
        layout,
    )
}
