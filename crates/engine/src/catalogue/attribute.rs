//! Attributes: what the retailer wants to know of each product or variant, and checking the values given.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::catalogue::attribute::{AttributeKind, AttributeScope, VALUES_MAX};
use domain::catalogue::{Attribute as Definition, Given};
use domain::value::id::{Attribute as AttributeKey, Product};
use domain::value::{Id, Reference};
use serde_json::json;
use store::Tx;
use store::catalogue::{attribute as rows, find_product};

pub use store::catalogue::attribute::Attribute;

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// Makes an attribute.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when the code is taken.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    definition: Definition,
) -> Result<Attribute, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let attribute = Attribute { id: world.id(), definition: definition.checked()?, version: 1 };
    if !rows::add(tx, &attribute)? {
        return Err(edit::code_taken::<AttributeKey>(&attribute.definition.code).into());
    }
    let body = json!({ "code": attribute.definition.code, "kind": attribute.definition.kind.text() });
    emit(tx, actor, world, attribute.id, "attribute.created", body);
    Ok(attribute)
}

/// What changes about an attribute; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct AttributeChange {
    /// What people call it.
    pub name: Option<String>,
    /// All words to choose from, in the place of those before; values already given stay.
    pub choices: Option<Vec<String>>,
}

/// Changes an attribute's name or choices; `version` is the one it was read with.
///
/// # Errors
/// [`domain::Code::Stale`] when it was changed since.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<AttributeKey>, Option<i64>),
    change: AttributeChange,
) -> Result<Attribute, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let mut attribute = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("attribute", id))?;
    edit::unchanged(id, attribute.version, version)?;
    set(&mut attribute.definition.name, change.name);
    set(&mut attribute.definition.choices, change.choices);
    attribute.definition = attribute.definition.checked()?;
    attribute.version += 1;
    if !rows::update(tx, &attribute)? {
        return Err(edit::stale(id).into());
    }
    emit(tx, actor, world, id, "attribute.changed", json!({ "version": attribute.version }));
    Ok(attribute)
}

/// The attributes after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<AttributeKey>,
    limit: i64,
) -> Result<Vec<Attribute>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The values in the form in which they are kept. A value that stands there `already` stays, even if it could not be given today because
/// the attribute's choices have changed since: whoever changes something else need not know.
///
/// # Errors
/// The refusal names every value at fault: unknown attribute, wrong scope, wrong kind.
pub(super) fn checked(
    tx: &mut Tx<'_>,
    scope: AttributeScope,
    already: &[(String, Given)],
    values: Vec<(String, Given)>,
) -> Result<Vec<(String, Given)>, Failure> {
    if values.is_empty() {
        return Ok(values);
    }
    if values.len() > VALUES_MAX {
        return Err(Refusal::invalid("attributes", format!("give at most {VALUES_MAX} values")).into());
    }
    let codes: BTreeSet<String> = values.iter().map(|(code, _)| code.clone()).collect();
    let known = rows::by_codes(tx, &codes.into_iter().collect::<Vec<_>>())?;
    let (mut kept, mut refusals) = (Vec::with_capacity(values.len()), Vec::new());
    for (code, given) in values {
        if already.iter().any(|(known, value)| *known == code && *value == given) {
            kept.push((code, given));
            continue;
        }
        match value(tx, scope, &known, &code, &given)? {
            Ok(value) => kept.push((code, value)),
            Err(message) => refusals.push(Refusal::invalid(format!("attributes.{code}"), message)),
        }
    }
    Refusal::all(refusals).map_or(Ok(kept), |refusal| Err(refusal.into()))
}

fn value(
    tx: &mut Tx<'_>,
    scope: AttributeScope,
    known: &[Attribute],
    code: &str,
    given: &Given,
) -> Result<Result<Given, String>, Failure> {
    let Some(Attribute { definition, .. }) = known.iter().find(|one| one.definition.code == code) else {
        return Ok(Err("there is no such attribute; make it first".into()));
    };
    if definition.scope != scope {
        return Ok(Err(format!("the attribute describes each {}", definition.scope.text())));
    }
    let value = match definition.read(given) {
        Ok(Given::Text(text)) if definition.kind == AttributeKind::Reference => {
            let id =
                external::resolve_at(tx, &format!("attributes.{code}"), &Reference::<Product>::read(&text))?;
            if find_product(tx, id)?.is_none() {
                return Ok(Err(format!("no product \"{id}\"")));
            }
            Ok(Given::Text(id.to_string()))
        }
        other => other,
    };
    Ok(value)
}
