//! Taxes: classes of goods that are taxed alike, zones of the world, and the rates of a class in a zone.

use domain::actor::{Actor, Permission};
use domain::tax::{self, Area};
use domain::value::id::{TaxClass, TaxZone};
use domain::value::{Id, Instant, Rate as PartsPerMillion, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, tax as rows};

pub use store::tax::{Class, Rate, Zone};

use crate::edit::{code_taken, stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, external};

/// A tax class to be made.
#[derive(Clone, Debug)]
pub struct NewClass {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
}

/// Makes a tax class. Its code also names it wherever its id does.
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
    external::give(tx, class.id, Some(&class.code))?;
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

/// A tax zone to be made.
#[derive(Clone, Debug)]
pub struct NewZone {
    /// What other systems know it by.
    pub external_id: Option<String>,
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The countries and regions in it.
    pub areas: Vec<Area>,
}

/// A change of a zone.
#[derive(Clone, Debug)]
pub struct ZoneChange {
    /// What people call it.
    pub name: String,
    /// All countries and regions in it from now on.
    pub areas: Vec<Area>,
    /// The version that was read.
    pub if_match: Option<i64>,
}

/// A rate to be set.
#[derive(Clone, Debug)]
pub struct NewRate {
    /// The class.
    pub class: Reference<TaxClass>,
    /// How much.
    pub rate: PartsPerMillion,
    /// The goods are exempt; the rate is then nothing.
    pub exempt: bool,
    /// The first instant at which it holds.
    pub valid_from: Instant,
    /// The first instant at which it does not hold any more.
    pub valid_until: Option<Instant>,
}

/// Makes a tax zone. Its code also names it wherever its id does.
///
/// # Errors
/// [`Code::AlreadyExists`] when the code is taken or an area belongs to another zone.
pub fn create_zone(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewZone) -> Result<Zone, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let zone = Zone { id: world.id(), code: new.code, name: new.name, areas: new.areas, version: 1 };
    if !rows::add_zone(tx, &zone)? {
        return Err(code_taken::<TaxZone>(&zone.code).into());
    }
    add_areas(tx, &zone)?;
    external::give(tx, zone.id, Some(&zone.code))?;
    external::give(tx, zone.id, new.external_id.as_deref())?;
    emit(tx, actor, world, zone.id, "tax_zone.created", json!({ "code": zone.code }));
    load_zone(tx, zone.id)
}

/// Changes a tax zone.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`] when it was changed since it was read, [`Code::AlreadyExists`] when an area belongs to
/// another zone.
pub fn update_zone(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    zone: &Reference<TaxZone>,
    change: ZoneChange,
) -> Result<Zone, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, zone)?;
    let before = load_zone(tx, id)?;
    let was = before.version;
    unchanged(id, was, change.if_match)?;
    let zone = Zone { name: change.name, areas: change.areas, version: was + 1, ..before };
    if !rows::change_zone(tx, &zone, was)? {
        return Err(stale(id).into());
    }
    add_areas(tx, &zone)?;
    emit(tx, actor, world, id, "tax_zone.changed", json!({}));
    load_zone(tx, id)
}

fn add_areas(tx: &mut Tx<'_>, zone: &Zone) -> Result<(), Failure> {
    for (place, area) in zone.areas.iter().enumerate() {
        if !rows::add_area(tx, zone.id, area)? {
            let message = format!("{} belongs to a tax zone already; take it out there first", area.text());
            return Err(Refusal::new(Code::AlreadyExists, message).at(format!("areas.{place}")).into());
        }
    }
    Ok(())
}

/// The tax zone with this id or external id.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read_zone(tx: &mut Tx<'_>, actor: &Actor, zone: &Reference<TaxZone>) -> Result<Zone, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, zone)?;
    load_zone(tx, id)
}

fn load_zone(tx: &mut Tx<'_>, id: Id<TaxZone>) -> Result<Zone, Failure> {
    Ok(rows::find_zone(tx, id)?.ok_or_else(|| Refusal::not_found("tax zone", id))?)
}

/// The tax zones after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_zones(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<TaxZone>,
    limit: i64,
) -> Result<Vec<Zone>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list_zones(tx, after, limit)?)
}

/// Sets what a class is taxed in a zone from an instant on. What was ordered before keeps its tax.
///
/// # Errors
/// [`Code::NotFound`] for the zone, [`Code::Invalid`] for an unknown class or a time that ends before it begins.
pub fn set_rate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    zone: &Reference<TaxZone>,
    new: NewRate,
) -> Result<Rate, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let zone = external::resolve(tx, zone)?;
    load_zone(tx, zone)?;
    let class = external::known_at(tx, "tax_class", &new.class)?;
    tax::check_validity(new.valid_from, new.valid_until)?;
    if new.exempt && new.rate != PartsPerMillion::ZERO {
        return Err(Refusal::invalid("rate", "what is exempt has the rate 0").into());
    }
    let rate = Rate {
        zone,
        class,
        valid_from: new.valid_from,
        valid_until: new.valid_until,
        rate: new.rate,
        exempt: new.exempt,
    };
    rows::set_rate(tx, &rate)?;
    let body = json!({ "tax_class": class.to_string(), "rate_ppm": rate.rate.parts_per_million(), "exempt": rate.exempt });
    emit(tx, actor, world, zone, "tax_rate.set", body);
    Ok(rate)
}

/// The rates of a zone, by class and time.
///
/// # Errors
/// [`Code::NotFound`] for the zone.
pub fn list_rates(tx: &mut Tx<'_>, actor: &Actor, zone: &Reference<TaxZone>) -> Result<Vec<Rate>, Failure> {
    let zone = read_zone(tx, actor, zone)?;
    Ok(rows::list_rates(tx, zone.id)?)
}

/// The rate that a class of goods bears now in a zone; nothing where no zone is.
///
/// # Errors
/// [`Code::NoTaxRate`] when the zone has none for the class: what is sold without its tax is paid by the retailer.
pub fn rate_for(
    tx: &mut Tx<'_>,
    zone: Option<Id<TaxZone>>,
    class: Id<TaxClass>,
    now: Instant,
) -> Result<PartsPerMillion, Failure> {
    let Some(zone) = zone else { return Ok(PartsPerMillion::ZERO) };
    let rate = rows::rate_at(tx, zone, class, now)?;
    rate.map(|rate| rate.rate).ok_or_else(|| {
        let message = format!("tax zone {zone} has no rate for tax class {class} now; set one");
        Refusal::new(Code::NoTaxRate, message).into()
    })
}
