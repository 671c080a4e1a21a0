//! By what the master key of these books is known again: a keyed hash, from which the key cannot be found.

use crate::{StoreError, Tx, params};

/// The fingerprint noted with these books; `None` in new ones.
///
/// # Errors
/// What the store says.
pub fn fingerprint(tx: &mut Tx<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    tx.one("select fingerprint from keyring where name = 'master'", &[], |row| row.bytes())
}

/// Notes the fingerprint, unless there is one.
///
/// # Errors
/// What the store says.
pub fn note_fingerprint(tx: &mut Tx<'_>, fingerprint: &[u8]) -> Result<(), StoreError> {
    tx.execute(
        "insert into keyring (name, fingerprint) values ('master', $1) on conflict (name) do nothing",
        params![fingerprint],
    )?;
    Ok(())
}
