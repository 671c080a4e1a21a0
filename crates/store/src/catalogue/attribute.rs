//! The rows of attributes: what the retailer wants to know of each product or variant.

use domain::catalogue::Attribute as Definition;
use domain::catalogue::attribute::{AttributeKind, AttributeScope};
use domain::value::Id;
use domain::value::id::Attribute as AttributeKey;

use super::json;
use crate::{Param, Row, StoreError, Tx, params};

/// An attribute with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its identity.
    pub id: Id<AttributeKey>,
    /// What it is.
    pub definition: Definition,
    /// Counts its changes, from 1.
    pub version: i64,
}

fn attribute(row: &mut Row<'_>) -> Result<Attribute, StoreError> {
    let id = row.id()?;
    let definition = Definition {
        code: row.text()?,
        name: row.text()?,
        kind: row.word(AttributeKind::coded)?,
        scope: row.word(AttributeScope::coded)?,
        choices: json::texts(&row.text()?)?,
        exponent: row.int()?,
    };
    Ok(Attribute { id, definition, version: row.int()? })
}

/// Adds an attribute; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, attribute: &Attribute) -> Result<bool, StoreError> {
    let Definition { code, name, kind, scope, choices, exponent } = &attribute.definition;
    let made = tx.execute(
        "insert into attribute (attribute_id, code, name, kind, scope, choices, exponent, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (code) do nothing",
        params![
            attribute.id,
            code,
            name,
            kind.code(),
            scope.code(),
            &json::of_texts(choices),
            *exponent,
            attribute.version
        ],
    )?;
    Ok(made == 1)
}

/// Changes name and choices of an attribute that still has the version before; false when somebody was faster.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, attribute: &Attribute) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update attribute set name = $2, choices = $3, version = $4 where attribute_id = $1 and version = $4 - 1",
        params![
            attribute.id,
            &attribute.definition.name,
            &json::of_texts(&attribute.definition.choices),
            attribute.version
        ],
    )?;
    Ok(touched == 1)
}

/// The attribute with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<AttributeKey>) -> Result<Option<Attribute>, StoreError> {
    tx.one(
        "select attribute_id, code, name, kind, scope, choices, exponent, version from attribute where attribute_id = $1",
        params![id],
        attribute,
    )
}

/// The attributes with these codes.
///
/// # Errors
/// What the store says.
pub fn by_codes(tx: &mut Tx<'_>, codes: &[String]) -> Result<Vec<Attribute>, StoreError> {
    tx.rows(
        "select attribute_id, code, name, kind, scope, choices, exponent, version from attribute where code {in texts $1}",
        &[Param::Texts(codes)],
        attribute,
    )
}

/// The attributes after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<AttributeKey>, limit: i64) -> Result<Vec<Attribute>, StoreError> {
    tx.rows(
        "select attribute_id, code, name, kind, scope, choices, exponent, version from attribute
         where attribute_id > $1 order by attribute_id limit $2",
        params![after, limit],
        attribute,
    )
}
