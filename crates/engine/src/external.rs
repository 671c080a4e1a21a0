//! Finding a thing by its id or by the external id the retailer gave it.

use domain::Refusal;
use domain::value::{Id, Kind, Reference};
use store::{Tx, external};

use crate::Failure;

/// The id a reference stands for. An id is taken as it is; whether the thing exists shows when it is loaded.
///
/// # Errors
/// [`domain::Code::NotFound`] when no thing of this kind has the external id.
pub fn resolve<K: Kind>(tx: &mut Tx<'_>, reference: &Reference<K>) -> Result<Id<K>, Failure> {
    match reference {
        Reference::Id(id) => Ok(*id),
        Reference::External(text) => external::find(tx, text)?.ok_or_else(|| Refusal::not_found(K::NAME, text).into()),
    }
}
