//! The rows of carriers, of the tracking numbers they know parcels by, and of what they took along.

use domain::fulfilment::parcel::CarrierKind;
use domain::value::hours::CutOffs;
use domain::value::id::{self, Location, Manifest as ManifestKind};
use domain::value::{Id, Instant};

use super::parcel::Which;
use crate::{Row, StoreError, Tx, params};

/// Who carries parcels to customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its identity.
    pub id: Id<id::Carrier>,
    /// The short word it goes by; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: CarrierKind,
    /// Where it is asked.
    pub url: Option<String>,
    /// Where customers follow a parcel: an address with `{tracking}` in the place of its number.
    pub tracking_url: Option<String>,
    /// What is shared with it, sealed with the master key.
    pub secret: Option<Vec<u8>>,
    /// Its services, in the carrier's own words.
    pub services: Vec<String>,
    /// On which days it comes, and until when goods go along.
    pub collections: CutOffs,
    /// How often it tries to deliver before the parcel goes back.
    pub attempts_max: i64,
    /// Parcels may be given to it.
    pub active: bool,
    /// Rises with every change.
    pub version: i64,
}

fn carrier(row: &mut Row<'_>) -> Result<Carrier, StoreError> {
    Ok(Carrier {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        kind: row.word(CarrierKind::coded)?,
        url: row.text_or_null()?,
        tracking_url: row.text_or_null()?,
        secret: row.bytes_or_null()?,
        services: row.value(|text| serde_json::from_str(text))?,
        collections: row.value(CutOffs::parse)?,
        attempts_max: row.int()?,
        active: row.yes()?,
        version: row.int()?,
    })
}

/// Adds a carrier, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Carrier) -> Result<bool, StoreError> {
    let (services, collections) = texts(new);
    let made = tx.execute(
        "insert into carrier (carrier_id, code, name, kind, url, tracking_url, secret, services, collections, attempts_max, active, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) on conflict (code) do nothing",
        params![
            new.id, &new.code, &new.name, new.kind.code(), new.url.as_ref(), new.tracking_url.as_ref(), new.secret.as_ref(), &services, &collections,
            new.attempts_max, new.active
        ],
    )?;
    Ok(made == 1)
}

fn texts(carrier: &Carrier) -> (String, String) {
    (serde_json::Value::from(carrier.services.clone()).to_string(), carrier.collections.to_string())
}

/// A carrier.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Carrier>) -> Result<Option<Carrier>, StoreError> {
    tx.one(
        "select carrier_id, code, name, kind, url, tracking_url, secret, services, collections, attempts_max, active, version
         from carrier where carrier_id = $1",
        params![id],
        carrier,
    )
}

/// The carriers after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<id::Carrier>, limit: i64) -> Result<Vec<Carrier>, StoreError> {
    tx.rows(
        "select carrier_id, code, name, kind, url, tracking_url, secret, services, collections, attempts_max, active, version
         from carrier where carrier_id > $1 order by carrier_id limit $2",
        params![after, limit],
        carrier,
    )
}

/// Changes a carrier at a version; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Carrier) -> Result<bool, StoreError> {
    let (services, collections) = texts(one);
    let changed = tx.execute(
        "update carrier set name = $3, url = $4, secret = $5, services = $6, collections = $7, attempts_max = $8, active = $9,
             tracking_url = $10, version = version + 1
         where carrier_id = $1 and version = $2",
        params![
            one.id, one.version, &one.name, one.url.as_ref(), one.secret.as_ref(), &services, &collections, one.attempts_max, one.active,
            one.tracking_url.as_ref()
        ],
    )?;
    Ok(changed == 1)
}

/// Notes by which number a carrier knows a parcel; false when it knows another one by it.
///
/// # Errors
/// What the store says.
pub fn add_tracking(
    tx: &mut Tx<'_>,
    carrier: Id<id::Carrier>,
    tracking: &str,
    (order, parcel): Which,
) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "insert into parcel_tracking (carrier_id, tracking, order_id, parcel_id) values ($1, $2, $3, $4)
         on conflict (carrier_id, tracking) do update set order_id = excluded.order_id
         where parcel_tracking.order_id = excluded.order_id and parcel_tracking.parcel_id = excluded.parcel_id",
        params![carrier, tracking, order, parcel],
    )?;
    Ok(noted == 1)
}

/// The parcel a carrier knows by a number.
///
/// # Errors
/// What the store says.
pub fn tracked(
    tx: &mut Tx<'_>,
    carrier: Id<id::Carrier>,
    tracking: &str,
) -> Result<Option<Which>, StoreError> {
    tx.one(
        "select order_id, parcel_id from parcel_tracking where carrier_id = $1 and tracking = $2",
        params![carrier, tracking],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// What a carrier took along from a location at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The carrier.
    pub carrier: Id<id::Carrier>,
    /// Its identity.
    pub id: Id<ManifestKind>,
    /// From where.
    pub location: Id<Location>,
    /// When.
    pub made_at: Instant,
    /// How many parcels.
    pub parcels: i64,
}

/// Adds a manifest.
///
/// # Errors
/// What the store says.
pub fn add_manifest(tx: &mut Tx<'_>, new: &Manifest) -> Result<(), StoreError> {
    tx.execute(
        "insert into manifest (carrier_id, manifest_id, location_id, made_at, parcels) values ($1, $2, $3, $4, $5)",
        params![new.carrier, new.id, new.location, new.made_at, new.parcels],
    )?;
    Ok(())
}

/// The manifests of a carrier before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn manifests(
    tx: &mut Tx<'_>,
    carrier: Id<id::Carrier>,
    before: Id<ManifestKind>,
    limit: i64,
) -> Result<Vec<Manifest>, StoreError> {
    tx.rows(
        "select carrier_id, manifest_id, location_id, made_at, parcels from manifest
         where carrier_id = $1 and manifest_id < $2 order by manifest_id desc limit $3",
        params![carrier, before, limit],
        |row| {
            Ok(Manifest {
                carrier: row.id()?,
                id: row.id()?,
                location: row.id()?,
                made_at: row.instant()?,
                parcels: row.int()?,
            })
        },
    )
}
