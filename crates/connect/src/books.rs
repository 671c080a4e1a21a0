//! The way from here into the books: no thread is parked while a command or a reading waits for its turn.

use engine::{Failure, Shop, World};
use store::{StoreError, Tx};
use tokio::sync::oneshot;

/// Reads against one fixed state of the books.
pub(crate) async fn read<T: Send + 'static>(
    shop: &Shop,
    query: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (teller, told) = oneshot::channel();
    shop.db.read_then(query, move |outcome| drop(teller.send(outcome)));
    told.await.unwrap_or(Err(Failure::Store(StoreError::Closed)))
}

/// Does something in one transaction.
pub(crate) async fn write<T: Send + 'static>(
    shop: &Shop,
    mut command: impl FnMut(&mut Tx<'_>, &mut World) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (teller, told) = oneshot::channel();
    let world_of = shop.clone();
    let work = move |tx: &mut Tx<'_>| command(tx, &mut world_of.world());
    shop.db.write_then(work, move |outcome| drop(teller.send(outcome)));
    told.await.unwrap_or(Err(Failure::Store(StoreError::Closed)))
}
