//! Carriers: the retailer's own vans and other companies, with the days on which they come, and what they took along.

use domain::actor::{Actor, Permission};
use domain::fulfilment::parcel::{self, CarrierKind};
use domain::value::hours::CutOffs;
use domain::value::id::{self, Location, Manifest as ManifestKind};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::fulfilment::carrier as rows;
use store::fulfilment::parcel as parcels;

pub use store::fulfilment::carrier::{Carrier, Manifest};
pub use store::fulfilment::parcel::Parcel;

use crate::edit::{self, set};
use crate::event::emit;
use crate::signature::Secret;
use crate::{Failure, Keyring, World, external, order};

/// The most services of a carrier.
pub const SERVICES_MAX: usize = 50;
/// The most delivery attempts.
const ATTEMPTS_MAX: i64 = 10;
/// The most parcels of one manifest.
pub const MANIFEST_MAX: i64 = 500;

/// A carrier to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewCarrier {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// What it is; never changed.
    pub kind: CarrierKind,
    /// Where it is asked.
    pub url: Option<String>,
    /// Where customers follow a parcel: an address with `{tracking}` in the place of its number.
    pub tracking_url: Option<String>,
    /// What is shared with it: it signs what it sends with this, and knows us by it.
    pub secret: Option<String>,
    /// Its services, in its own words.
    pub services: Vec<String>,
    /// On which days it comes, and until when goods go along.
    pub collections: CutOffs,
    /// How often it tries to deliver.
    pub attempts_max: i64,
}

/// What of a carrier is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct CarrierChange {
    /// What people call it.
    pub name: Option<String>,
    /// Where it is asked.
    pub url: Option<String>,
    /// Where customers follow a parcel: an address with `{tracking}` in the place of its number.
    pub tracking_url: Option<String>,
    /// What is shared with it.
    pub secret: Option<String>,
    /// Its services.
    pub services: Option<Vec<String>>,
    /// On which days it comes.
    pub collections: Option<CutOffs>,
    /// How often it tries to deliver.
    pub attempts_max: Option<i64>,
    /// Parcels may be given to it.
    pub active: Option<bool>,
}

/// Makes a carrier.
///
/// # Errors
/// [`Code::AlreadyExists`] for a used code or external id; [`Code::Invalid`] for values that do not fit its kind.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewCarrier,
) -> Result<Carrier, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id: Id<id::Carrier> = world.id();
    let secret = new.secret.as_deref().map(|secret| sealed(world, id, secret)).transpose()?;
    let carrier = Carrier {
        id,
        code: new.code,
        name: new.name,
        kind: new.kind,
        url: new.url,
        tracking_url: new.tracking_url,
        secret,
        services: new.services,
        collections: new.collections,
        attempts_max: new.attempts_max,
        active: true,
        version: 1,
    };
    check(&carrier)?;
    if !rows::add(tx, &carrier)? {
        return Err(edit::code_taken::<id::Carrier>(&carrier.code).into());
    }
    external::give(tx, id, new.external_id.as_deref())?;
    emit(
        tx,
        actor,
        world,
        id,
        "carrier.created",
        json!({ "code": carrier.code, "kind": carrier.kind.text() }),
    );
    Ok(carrier)
}

/// What is shared with a carrier, sealed with the master key.
fn sealed(world: &mut World, id: Id<id::Carrier>, secret: &str) -> Result<Vec<u8>, Refusal> {
    Secret::parse(secret).map_err(|expected| Refusal::invalid("secret", expected))?;
    let nonce = world.bytes();
    Ok(world.keyring().seal_secret(nonce, secret.as_bytes(), &id.bytes()))
}

/// What is shared with a carrier; none for the retailer's own van.
pub fn secret_of(keyring: &Keyring, carrier: &Carrier) -> Option<String> {
    let opened = keyring.open_secret(carrier.secret.as_ref()?, &carrier.id.bytes())?;
    String::from_utf8(opened).ok()
}

fn check(carrier: &Carrier) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    let is_own = carrier.kind == CarrierKind::OwnVan;
    for (field, given) in [("url", carrier.url.is_some()), ("secret", carrier.secret.is_some())] {
        if given == is_own {
            let why = if is_own {
                "leave it out: our own van is not asked"
            } else {
                "a carrier is asked somewhere: give it"
            };
            refusals.push(Refusal::invalid(field, why));
        }
    }
    if let Some(Err(why)) = carrier.tracking_url.as_deref().map(parcel::may_lead) {
        refusals.push(Refusal::invalid("tracking_url", why));
    }
    if carrier.services.is_empty() && !is_own {
        refusals.push(Refusal::invalid("services", "name at least one service"));
    }
    if !(1..=ATTEMPTS_MAX).contains(&carrier.attempts_max) {
        refusals.push(Refusal::invalid("attempts_max", format!("give 1 to {ATTEMPTS_MAX}")));
    }
    Refusal::all(refusals).map_or(Ok(()), Err)
}

/// Changes a carrier that is still at the version that was read.
///
/// # Errors
/// [`Code::Stale`], or as [`create`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<id::Carrier>, Option<i64>),
    change: CarrierChange,
) -> Result<Carrier, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let mut carrier = load(tx, id)?;
    edit::unchanged(id, carrier.version, version)?;
    set(&mut carrier.name, change.name);
    set(&mut carrier.services, change.services);
    set(&mut carrier.collections, change.collections);
    set(&mut carrier.attempts_max, change.attempts_max);
    set(&mut carrier.active, change.active);
    carrier.url = change.url.or(carrier.url);
    carrier.tracking_url = change.tracking_url.or(carrier.tracking_url);
    if let Some(secret) = change.secret {
        carrier.secret = Some(sealed(world, id, &secret)?);
    }
    check(&carrier)?;
    if !rows::change(tx, &carrier)? {
        return Err(edit::stale(id).into());
    }
    carrier.version += 1;
    emit(tx, actor, world, id, "carrier.changed", json!({ "version": carrier.version }));
    Ok(carrier)
}

/// A carrier.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn load(tx: &mut Tx<'_>, id: Id<id::Carrier>) -> Result<Carrier, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("carrier", id).into())
}

/// A carrier, for who may see places.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, carrier: &Reference<id::Carrier>) -> Result<Carrier, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, carrier)?;
    load(tx, id)
}

/// The carriers after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<id::Carrier>,
    limit: i64,
) -> Result<Vec<Carrier>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}

/// A carrier takes along what is ready for it at a location: its parcels are put on one list, each on one only.
///
/// # Errors
/// [`Code::WrongState`] when nothing is ready.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (carrier, location): (Id<id::Carrier>, Id<Location>),
) -> Result<Manifest, Failure> {
    actor.may(Permission::EditOrders, Some(location))?;
    load(tx, carrier)?;
    let id: Id<ManifestKind> = world.id();
    let mut listed = 0;
    for which in parcels::unlisted(tx, carrier, location, MANIFEST_MAX)? {
        order::lock(tx, which.0)?;
        let found = parcels::of_order(tx, which.0)?.into_iter().find(|one| one.id == which.1);
        let Some(mut parcel) = found.filter(|one| one.manifest.is_none()) else { continue };
        parcel.manifest = Some(id);
        parcels::update(tx, &parcel)?;
        listed += 1;
    }
    if listed == 0 {
        let message = "no parcel with a label of this carrier waits here";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let manifest = Manifest { carrier, id, location, made_at: world.now(), parcels: listed };
    rows::add_manifest(tx, &manifest)?;
    let body = json!({ "manifest": id.to_string(), "location": location.to_string(), "parcels": listed });
    emit(tx, actor, world, carrier, "carrier.manifest_closed", body);
    Ok(manifest)
}

/// What a carrier took along, before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn manifests(
    tx: &mut Tx<'_>,
    actor: &Actor,
    carrier: Id<id::Carrier>,
    before: Id<ManifestKind>,
    limit: i64,
) -> Result<Vec<Manifest>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::manifests(tx, carrier, before, limit)?)
}

/// The parcels of a list, in order.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn listed(tx: &mut Tx<'_>, actor: &Actor, manifest: Id<ManifestKind>) -> Result<Vec<Parcel>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(parcels::of_manifest(tx, manifest)?)
}
