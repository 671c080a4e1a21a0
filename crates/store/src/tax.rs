//! The rows of taxes.

use domain::value::Id;
use domain::value::id::TaxClass;

use crate::{Row, StoreError, Tx, params};

/// A class of goods that are taxed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its identity.
    pub id: Id<TaxClass>,
    /// The short word it goes by in files; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
}

fn class(row: &mut Row<'_>) -> Result<Class, StoreError> {
    Ok(Class { id: row.id()?, code: row.text()?, name: row.text()? })
}

/// Adds a class; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_class(tx: &mut Tx<'_>, class: &Class) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into tax_class (tax_class_id, code, name) values ($1, $2, $3) on conflict (code) do nothing",
        params![class.id, &class.code, &class.name],
    )?;
    Ok(made == 1)
}

/// The classes after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_classes(tx: &mut Tx<'_>, after: Id<TaxClass>, limit: i64) -> Result<Vec<Class>, StoreError> {
    tx.rows("select tax_class_id, code, name from tax_class where tax_class_id > $1 order by tax_class_id limit $2", params![after, limit], class)
}
