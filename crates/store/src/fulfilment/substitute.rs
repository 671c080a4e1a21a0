//! The rows of substitutes: the retailer's rules, and what customers allow.

use domain::fulfilment::substitute::Allowed;
use domain::value::Id;
use domain::value::id::{Order, Variant};

use crate::{StoreError, Tx, params};

/// What a customer allows for a variant of an order, or for all that is not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// For which variant; for all others when `None`.
    pub variant: Option<Id<Variant>>,
    /// What is allowed.
    pub allowed: Allowed,
    /// What the customer named.
    pub named: Vec<Id<Variant>>,
}

/// The variant that stands for all that are not named.
const OTHERS: [u8; 16] = [0; 16];

/// What may take the place of a variant, the best first.
///
/// # Errors
/// What the store says.
pub fn of_variant(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select substitute_id from substitute where variant_id = $1 order by rank",
        params![variant],
        |row| row.id(),
    )
}

/// Sets what may take the place of a variant, the best first.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, variant: Id<Variant>, substitutes: &[Id<Variant>]) -> Result<(), StoreError> {
    tx.execute("delete from substitute where variant_id = $1", params![variant])?;
    for (rank, substitute) in (0i64..).zip(substitutes) {
        tx.execute(
            "insert into substitute (variant_id, rank, substitute_id) values ($1, $2, $3)",
            params![variant, rank, *substitute],
        )?;
    }
    Ok(())
}

/// Keeps what a customer allows; a second word replaces the first.
///
/// # Errors
/// What the store says.
pub fn allow(tx: &mut Tx<'_>, order: Id<Order>, consent: &Consent) -> Result<(), StoreError> {
    let named: Vec<String> = consent.named.iter().map(ToString::to_string).collect();
    let named = serde_json::Value::from(named).to_string();
    let variant = consent.variant.map_or(OTHERS, Id::bytes);
    tx.execute(
        "insert into substitution_consent (order_id, variant_id, allowed, named) values ($1, $2, $3, $4)
         on conflict (order_id, variant_id) do update set allowed = excluded.allowed, named = excluded.named",
        params![order, variant, consent.allowed.code(), &named],
    )?;
    Ok(())
}

/// What the customer of an order allows, what holds for all others first.
///
/// # Errors
/// What the store says.
pub fn consents(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Consent>, StoreError> {
    tx.rows(
        "select variant_id, allowed, named from substitution_consent where order_id = $1 order by variant_id",
        params![order],
        |row| {
            let variant: Id<Variant> = row.id()?;
            Ok(Consent {
                variant: (variant.bytes() != OTHERS).then_some(variant),
                allowed: row.word(Allowed::coded)?,
                named: row.value(|text| {
                    let texts: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    let read = |text: &String| Id::parse(text).map_err(|error| error.to_string());
                    texts.iter().map(read).collect::<Result<Vec<_>, String>>()
                })?,
            })
        },
    )
}
