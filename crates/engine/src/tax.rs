//! Taxes: making and reading classes of goods that are taxed alike.

use domain::actor::{Actor, Permission};
use domain::value::Id;
use domain::value::id::TaxClass;
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, tax as rows};

pub use store::tax::Class;

use crate::event::emit;
use crate::{Failure, World};

/// A tax class to be made.
#[derive(Clone, Debug)]
pub struct NewClass {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
}

/// Makes a tax class.
///
/// # Errors
/// [`Code::AlreadyExists`] when the code is taken.
pub fn create_class(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewClass,
) -> Result<Class, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let class = Class { id: world.id(), code: new.code, name: new.name };
    if !rows::add_class(tx, &class)? {
        return Err(Refusal::new(
            Code::AlreadyExists,
            format!("a tax class \"{}\" exists already", class.code),
        )
        .at("code")
        .into());
    }
    emit(tx, actor, world, class.id, "tax_class.created", json!({ "code": class.code }));
    Ok(class)
}

/// The tax classes after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_classes(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<TaxClass>,
    limit: i64,
) -> Result<Vec<Class>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list_classes(tx, after, limit)?)
}
