//! Which web pages of others may ask the shop in a channel: a shop front that is served from another address.

use domain::actor::key::KeyKind;
use domain::actor::{Actor, Permission};
use domain::market::origin::{self as rules, Origin};
use domain::value::{Reference, id};
use serde_json::json;
use store::Tx;
use store::market::{Channel, origin as rows, update_channel};

use super::{find_channel, load_channel};
use crate::actor::key;
use crate::event::emit;
use crate::{Failure, World, edit, external};

/// A channel with its origins.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    channel: &Reference<id::Channel>,
) -> Result<(Channel, Vec<Origin>), Failure> {
    let channel = find_channel(tx, actor, channel)?;
    let origins = rows::of_channel(tx, channel.id)?;
    Ok((channel, origins))
}

/// Puts these origins in the place of those a channel has.
///
/// # Errors
/// [`domain::Code::NotFound`]; [`domain::Code::Stale`] when the channel is not at the version given; [`domain::Code::Invalid`] naming the field at fault.
pub fn replace(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, version): (&Reference<id::Channel>, Option<i64>),
    origins: Vec<Origin>,
) -> Result<(Channel, Vec<Origin>), Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, channel)?;
    let mut channel = load_channel(tx, id)?;
    edit::unchanged(id, channel.version, version)?;
    let origins = rules::each_once(origins)?;
    rows::replace(tx, id, &origins)?;
    if !update_channel(tx, &channel)? {
        return Err(edit::stale(id).into());
    }
    channel.version += 1;
    let body = json!({ "version": channel.version, "active": channel.active });
    emit(tx, actor, world, id, "channel.changed", body);
    Ok((channel, origins))
}

/// May a page of this origin read the answer to a request that came with this key, or with none?
///
/// Only what a storefront key of a channel with this origin may see; of requests without a valid key, what everybody may. Never what a
/// secret key sees.
///
/// # Errors
/// What the store says.
pub fn may_read(tx: &mut Tx<'_>, origin: &Origin, key: Option<&str>) -> Result<bool, Failure> {
    let channels = rows::channels_with(tx, origin)?;
    if channels.is_empty() {
        return Ok(false);
    }
    let key = key.map_or(Ok(None), |text| key::valid(tx, text))?;
    Ok(match key {
        None => true,
        Some(key) if key.kind != KeyKind::Storefront => false,
        Some(key) => key.channel.is_none_or(|channel| channels.contains(&channel)),
    })
}
