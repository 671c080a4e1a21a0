//! The rows of routing: profiles in versions, who goes by which, decisions, and what locations were given today.

pub mod capacity;
pub mod decision;
mod document;
pub mod outflow;
pub mod simulation;

use domain::routing::profile::{Profile, State};
use domain::value::id::{self, Channel, Network};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A version of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The profile.
    pub id: Id<id::RoutingProfile>,
    /// What it says, with its name and the number of the version.
    pub profile: Profile,
    /// Where it stands.
    pub state: State,
    /// From when on it routes orders.
    pub active_from: Option<Instant>,
    /// When it was made.
    pub made_at: Instant,
    /// Rises with every change.
    pub revision: i64,
}

/// Who goes by a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The orders of a channel.
    Channel(Id<Channel>),
    /// The orders of all channels that sell from a network and name none.
    Network(Id<Network>),
}

impl Place {
    const fn bytes(self) -> [u8; 16] {
        match self {
            Place::Channel(channel) => channel.bytes(),
            Place::Network(network) => network.bytes(),
        }
    }
}

fn version(row: &mut Row<'_>) -> Result<Version, StoreError> {
    let (id, number, name) = (row.id()?, row.int()?, row.text()?);
    Ok(Version {
        id,
        state: row.word(State::coded)?,
        active_from: row.instant_or_null()?,
        profile: row.value(|text| document::profile(text, &name, number))?,
        made_at: row.instant()?,
        revision: row.int()?,
    })
}

/// Adds a version; false when there is one with its number.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, version: &Version) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into routing_profile (profile_id, version, name, state, active_from, document, made_at, revision)
         values ($1, $2, $3, $4, $5, $6, $7, 1) on conflict (profile_id, version) do nothing",
        params![
            version.id,
            version.profile.version(),
            version.profile.name().as_str(),
            version.state.code(),
            version.active_from,
            &document::of_profile(&version.profile),
            version.made_at
        ],
    )?;
    Ok(made == 1)
}

/// Writes a version over the revision it was read at, and raises the revision; false when somebody else changed it meanwhile.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, version: &Version) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update routing_profile set name = $4, state = $5, active_from = $6, document = $7, revision = revision + 1
         where profile_id = $1 and version = $2 and revision = $3",
        params![
            version.id,
            version.profile.version(),
            version.revision,
            version.profile.name().as_str(),
            version.state.code(),
            version.active_from,
            &document::of_profile(&version.profile)
        ],
    )?;
    Ok(changed == 1)
}

/// The versions of a profile, the newest first.
///
/// # Errors
/// What the store says.
pub fn versions(tx: &mut Tx<'_>, profile: Id<id::RoutingProfile>) -> Result<Vec<Version>, StoreError> {
    tx.rows(
        "select profile_id, version, name, state, active_from, document, made_at, revision from routing_profile
         where profile_id = $1 order by version desc",
        params![profile],
        version,
    )
}

/// The newest version of each profile after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<id::RoutingProfile>, limit: i64) -> Result<Vec<Version>, StoreError> {
    tx.rows(
        "select profile_id, version, name, state, active_from, document, made_at, revision from routing_profile p
         where profile_id > $1
             and version = (select max(o.version) from routing_profile o where o.profile_id = p.profile_id)
         order by profile_id limit $2",
        params![after, limit],
        version,
    )
}

/// The version of a profile that routes orders at an instant.
///
/// # Errors
/// What the store says.
pub fn in_force(
    tx: &mut Tx<'_>,
    profile: Id<id::RoutingProfile>,
    at: Instant,
) -> Result<Option<Version>, StoreError> {
    tx.one(
        "select profile_id, version, name, state, active_from, document, made_at, revision from routing_profile
         where profile_id = $1 and state = 2 and active_from <= $2 order by active_from desc, version desc limit 1",
        params![profile, at],
        version,
    )
}

/// The profile a channel goes by: its own, else that of its network.
///
/// # Errors
/// What the store says.
pub fn used_by(
    tx: &mut Tx<'_>,
    (channel, network): (Id<Channel>, Id<Network>),
) -> Result<Option<Id<id::RoutingProfile>>, StoreError> {
    tx.one(
        "select profile_id from routing_use where place_id = $1 or place_id = $2
         order by case when place_id = $1 then 0 else 1 end limit 1",
        params![channel, network],
        |row| row.id(),
    )
}

/// The profile that a place itself names.
///
/// # Errors
/// What the store says.
pub fn named_by(tx: &mut Tx<'_>, place: Place) -> Result<Option<Id<id::RoutingProfile>>, StoreError> {
    tx.one("select profile_id from routing_use where place_id = $1", params![place.bytes()], |row| row.id())
}

/// Lets a place go by a profile, or by none of its own.
///
/// # Errors
/// What the store says.
pub fn name(
    tx: &mut Tx<'_>,
    place: Place,
    profile: Option<Id<id::RoutingProfile>>,
) -> Result<(), StoreError> {
    match profile {
        None => tx.execute("delete from routing_use where place_id = $1", params![place.bytes()])?,
        Some(profile) => tx.execute(
            "insert into routing_use (place_id, profile_id) values ($1, $2)
             on conflict (place_id) do update set profile_id = excluded.profile_id",
            params![place.bytes(), profile],
        )?,
    };
    Ok(())
}

/// Does any channel or network go by a profile?
///
/// # Errors
/// What the store says.
pub fn is_used(tx: &mut Tx<'_>, profile: Id<id::RoutingProfile>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select profile_id from routing_use where profile_id = $1 limit 1",
        params![profile],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}
