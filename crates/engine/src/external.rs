//! Finding a thing by its id or by the external id the retailer gave it.

use domain::value::id::Customer;
use domain::value::{Id, Kind, Reference, reference};
use domain::{Code, Refusal};
use store::{Tx, external};

use crate::Failure;

/// The id a reference stands for. An id is taken as it is; whether the thing exists shows when it is loaded. Who was merged into another
/// customer is that one.
///
/// # Errors
/// [`domain::Code::NotFound`] when no thing of this kind has the external id.
pub fn resolve<K: Kind>(tx: &mut Tx<'_>, reference: &Reference<K>) -> Result<Id<K>, Failure> {
    let id = named(tx, reference)?;
    if K::PREFIX != Customer::PREFIX {
        return Ok(id);
    }
    Ok(store::customer::merged_into(tx, id.shared_with())?.map_or(id, Id::shared_with))
}

fn named<K: Kind>(tx: &mut Tx<'_>, reference: &Reference<K>) -> Result<Id<K>, Failure> {
    match reference {
        Reference::Id(id) => Ok(*id),
        Reference::External(text) if !reference::can_be_external(text) => {
            Err(Refusal::new(Code::NotFound, format!("no {} has such an id", K::NAME)).into())
        }
        Reference::External(text) => {
            external::find(tx, text)?.ok_or_else(|| Refusal::not_found(K::NAME, text).into())
        }
    }
}

/// As [`resolve`] for a reference in a body, where it is a bad value of its field.
///
/// # Errors
/// [`domain::Code::Invalid`] at the field when no thing of this kind has the external id.
pub fn resolve_at<K: Kind>(tx: &mut Tx<'_>, field: &str, reference: &Reference<K>) -> Result<Id<K>, Failure> {
    resolve(tx, reference).map_err(|failure| match failure {
        Failure::Refused(refusal) => Refusal::invalid(field, refusal.message()).into(),
        store => store,
    })
}

/// As [`resolve_at`], and the thing exists: for ids that are kept, which nobody would look at again.
///
/// # Errors
/// [`domain::Code::Invalid`] at the field when it does not exist.
pub fn known_at<K: Kind>(tx: &mut Tx<'_>, field: &str, reference: &Reference<K>) -> Result<Id<K>, Failure> {
    let id = resolve_at(tx, field, reference)?;
    if external::exists(tx, id)? {
        return Ok(id);
    }
    Err(Refusal::invalid(field, format!("no {} \"{id}\"", K::NAME)).into())
}

/// Gives a thing the external id the retailer chose for it, if one was chosen.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when another thing of this kind has it.
pub fn give<K: Kind>(tx: &mut Tx<'_>, id: Id<K>, external_id: Option<&str>) -> Result<(), Failure> {
    let Some(text) = external_id else { return Ok(()) };
    if external::add(tx, text, id)? {
        return Ok(());
    }
    let message = format!("another {} has the external id \"{text}\"; choose another", K::NAME);
    Err(Refusal::new(Code::AlreadyExists, message).at("external_id").into())
}
