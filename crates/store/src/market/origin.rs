//! The rows of the web pages of others that may ask the shop in a channel.

use domain::market::origin::Origin;
use domain::value::Id;
use domain::value::id::Channel;

use crate::{StoreError, Tx, params};

/// The origins of a channel, in order.
///
/// # Errors
/// What the store says.
pub fn of_channel(tx: &mut Tx<'_>, channel: Id<Channel>) -> Result<Vec<Origin>, StoreError> {
    tx.rows(
        "select origin from channel_origin where channel_id = $1 order by origin",
        params![channel],
        |row| {
            let text = row.text()?;
            Origin::parse(&text).map_err(|_| StoreError::Corrupt(format!("\"{text}\" is no origin")))
        },
    )
}

/// Puts these origins in the place of those a channel has.
///
/// # Errors
/// What the store says.
pub fn replace(tx: &mut Tx<'_>, channel: Id<Channel>, origins: &[Origin]) -> Result<(), StoreError> {
    tx.execute("delete from channel_origin where channel_id = $1", params![channel])?;
    for origin in origins {
        tx.execute(
            "insert into channel_origin (channel_id, origin) values ($1, $2)",
            params![channel, origin.text()],
        )?;
    }
    Ok(())
}

/// The channels that sell and have this origin.
///
/// # Errors
/// What the store says.
pub fn channels_with(tx: &mut Tx<'_>, origin: &Origin) -> Result<Vec<Id<Channel>>, StoreError> {
    tx.rows(
        "select o.channel_id from channel_origin o join channel c on c.channel_id = o.channel_id
         where o.origin = $1 and c.active = 1",
        params![origin.text()],
        |row| row.id(),
    )
}
