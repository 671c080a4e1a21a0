//! Sources of behaviour events: pages, apps and programs, each with a write key, a tracking plan, and what becomes of events off it.

use domain::actor::{Actor, Permission};
use domain::behaviour::plan::{Plan, Planned, Property, ValueType};
use domain::behaviour::{SchemaMode, SourceKind, open};
use domain::value::id::{Channel, Source as SourceId};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::behaviour::source as rows;
use store::{StoreError, Tx};
use subtle::ConstantTimeEq;

pub use store::behaviour::source::Source;

use crate::consent::purpose;
use crate::event::emit;
use crate::external::known_at;
use crate::{Failure, World, edit};

/// The most sources there may be.
pub const SOURCES_MAX: i64 = 500;

/// The purpose that people are watched for when nothing else is said.
pub const USUAL_PURPOSE: &str = "analytics";

/// A source to be made.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// What becomes of events that are not as planned.
    pub mode: SchemaMode,
    /// The tracking plan.
    pub plan: Plan,
    /// The channel in which it meets people.
    pub channel: Option<Reference<Channel>>,
    /// The retailer's own names of properties that name nobody.
    pub countable: Vec<String>,
    /// The purpose that people are watched for; [`USUAL_PURPOSE`] when `None`.
    pub purpose: Option<String>,
}

/// A change of a source: what is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    /// What people call it.
    pub name: Option<String>,
    /// Are its events taken?
    pub enabled: Option<bool>,
    /// What becomes of events that are not as planned.
    pub mode: Option<SchemaMode>,
    /// The whole new tracking plan.
    pub plan: Option<Plan>,
    /// All names of properties that name nobody.
    pub countable: Option<Vec<String>>,
    /// The purpose that people are watched for.
    pub purpose: Option<String>,
    /// The version that was read.
    pub if_match: Option<i64>,
}

/// Makes a source; answers it with its write key, which for a server nobody can read again.
///
/// # Errors
/// [`Code::Forbidden`] without the permission, [`Code::Invalid`] for a channel or purpose that is not there, or a name that is none.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewSource,
) -> Result<(Source, String), Failure> {
    actor.may(Permission::EditSources, None)?;
    let channel = new.channel.map(|channel| known_at(tx, "channel", &channel)).transpose()?;
    let countable = written_names(&new.countable)?;
    let purpose = known_purpose(tx, new.purpose)?;
    if rows::list(tx, Id::from_bytes([0; 16]), SOURCES_MAX)?.len() as i64 >= SOURCES_MAX {
        let why = format!("there are {SOURCES_MAX} sources, the most there may be; disable and reuse one");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let id: Id<SourceId> = world.id();
    let secret: [u8; 16] = world.bytes();
    let key = format!("{id}_{:032x}", u128::from_be_bytes(secret));
    let source = Source {
        id,
        name: new.name,
        kind: new.kind,
        enabled: true,
        mode: new.mode,
        plan: written(&new.plan),
        channel,
        countable,
        purpose: purpose.unwrap_or_else(|| USUAL_PURPOSE.to_owned()),
        not_permitted: 0,
        key_hash: Sha256::digest(&key).to_vec(),
        key: (new.kind != SourceKind::Server).then(|| key.clone()),
        made_at: world.now(),
        changed_at: world.now(),
        version: 1,
    };
    rows::add(tx, &source)?;
    emit(tx, actor, world, id, "source.created", json!({ "kind": source.kind.text() }));
    Ok((source, key))
}

/// The source with this id.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<SourceId>) -> Result<Source, Failure> {
    actor.may_somewhere(Permission::EditSources)?;
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("source", id))?)
}

/// The sources after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: Id<SourceId>, limit: i64) -> Result<Vec<Source>, Failure> {
    actor.may_somewhere(Permission::EditSources)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The events of a source that were received before one, the latest first.
///
/// # Errors
/// [`Code::NotFound`].
pub fn events(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<SourceId>,
    before: Id<domain::value::id::Event>,
    limit: i64,
) -> Result<Vec<super::Event>, Failure> {
    read(tx, actor, id)?;
    Ok(store::behaviour::of_source(tx, id, before, limit)?)
}

/// Changes a source.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`] when it was changed since it was read; [`Code::Invalid`] as [`create`].
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<SourceId>,
    change: Change,
) -> Result<Source, Failure> {
    actor.may(Permission::EditSources, None)?;
    let mut source = read(tx, actor, id)?;
    let was = source.version;
    edit::unchanged(id, was, change.if_match)?;
    edit::set(&mut source.name, change.name);
    edit::set(&mut source.enabled, change.enabled);
    edit::set(&mut source.mode, change.mode);
    edit::set(&mut source.plan, change.plan.as_ref().map(written));
    edit::set(&mut source.countable, change.countable.as_deref().map(written_names).transpose()?);
    edit::set(&mut source.purpose, known_purpose(tx, change.purpose)?);
    source.changed_at = world.now();
    source.version = was + 1;
    if !rows::change(tx, &source, was)? {
        return Err(edit::stale(id).into());
    }
    emit(
        tx,
        actor,
        world,
        id,
        "source.changed",
        json!({ "enabled": source.enabled, "mode": source.mode.text() }),
    );
    Ok(source)
}

/// The source whose write key this is; none when there is none.
///
/// # Errors
/// What the store says.
pub fn recognise(tx: &mut Tx<'_>, key: &str) -> Result<Option<Source>, StoreError> {
    let Some(Ok(id)) = key.rsplit_once('_').map(|(id, _)| Id::parse(id)) else { return Ok(None) };
    let hash = Sha256::digest(key);
    Ok(rows::find(tx, id)?.filter(|source| bool::from(source.key_hash[..].ct_eq(&hash[..]))))
}

/// The tracking plan of a source.
///
/// # Errors
/// What the store says.
pub fn plan_of(source: &Source) -> Result<Plan, StoreError> {
    let property = |value: &Value| {
        Some(Property {
            name: value["name"].as_str()?.to_owned(),
            value: ValueType::named(value["type"].as_str()?)?,
            required: value["required"].as_bool()?,
        })
    };
    let planned = |value: &Value| {
        let properties = value["properties"].as_array()?.iter().map(property);
        Some(Planned {
            name: value["name"].as_str()?.to_owned(),
            properties: properties.collect::<Option<_>>()?,
        })
    };
    let events: Option<Vec<Value>> = serde_json::from_str(&source.plan).ok();
    let events = events.and_then(|events| events.iter().map(planned).collect::<Option<Vec<Planned>>>());
    let plan = events.and_then(|events| Plan::new(events).ok());
    plan.ok_or_else(|| StoreError::Corrupt(format!("the plan of {}", source.id)))
}

/// The names of properties that the retailer opens, as they are looked for, in order.
pub(super) fn opened_by(source: &Source) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> = countable_of(source)?.iter().filter_map(|name| open::plain(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// The names of properties that the retailer opens, as it wrote them.
///
/// # Errors
/// What the store says.
pub fn countable_of(source: &Source) -> Result<Vec<String>, StoreError> {
    let corrupt = |_| StoreError::Corrupt(format!("what is countable of {}", source.id));
    serde_json::from_str(&source.countable).map_err(corrupt)
}

fn written_names(names: &[String]) -> Result<String, Refusal> {
    if names.len() > open::NAMED_MAX {
        return Err(Refusal::invalid("countable", format!("give at most {} names", open::NAMED_MAX)));
    }
    let wrong = names.iter().enumerate().filter(|(_, name)| open::plain(name).is_none());
    let why = "give a name of at most 32 letters and digits, such as heel_height";
    let refusals = wrong.map(|(place, _)| Refusal::invalid(format!("countable.{place}"), why)).collect();
    Refusal::all(refusals).map_or_else(|| Ok(Value::from(names).to_string()), Err)
}

fn known_purpose(tx: &mut Tx<'_>, code: Option<String>) -> Result<Option<String>, Failure> {
    code.map(|code| Ok(purpose::load(tx, &code)?.code)).transpose()
}

fn written(plan: &Plan) -> String {
    let property =
        |one: &Property| json!({ "name": one.name, "type": one.value.text(), "required": one.required });
    let planned = |one: &Planned| {
        let properties: Vec<Value> = one.properties.iter().map(property).collect();
        json!({ "name": one.name, "properties": properties })
    };
    Value::from(plan.events().iter().map(planned).collect::<Vec<Value>>()).to_string()
}
