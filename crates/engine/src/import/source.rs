//! Sources of files: which systems know people under numbers of their own, how far each is trusted, and how its files are mapped.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::import::cell::{DayOrder, Habits};
use domain::import::source::{NAME_CHARS_MAX, Precedence, SOURCES_MAX, TRUST_MAX};
use domain::import::{Kind, Mapping};
use domain::value::text::bounded;
use domain::value::{Id, Zone, id};
use domain::{Code, Refusal};
use serde_json::{Map, Value, json};
use store::import::source as rows;
use store::{StoreError, Tx};

pub use store::import::source::{Finding, Source};

use crate::event::emit;
use crate::{Failure, World};

/// The most columns that a mapping names.
const COLUMNS_MAX: usize = 100;
/// The most characters of a name or a value in a mapping.
const TEXT_CHARS_MAX: usize = 500;

/// Where a file comes from, and who is right where it says something else than is known; the source's own rule when `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source's code.
    pub source: String,
    /// Who is right.
    pub precedence: Option<Precedence>,
}

/// A source as it shall be.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// The short word it goes by, checked by [`domain::catalogue::short_code`].
    pub code: String,
    /// What people call it.
    pub name: String,
    /// How far it is trusted, from 1 to [`TRUST_MAX`].
    pub trust: i64,
    /// Who is right where it says something else than is known.
    pub precedence: Precedence,
    /// How its files are mapped, by kind.
    pub mappings: BTreeMap<Kind, Mapping>,
}

/// Writes a source; the one with the same code is replaced.
///
/// # Errors
/// [`Code::Invalid`] names every bad field, [`Code::PolicyRefuses`] when there are [`SOURCES_MAX`].
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: &NewSource) -> Result<Source, Failure> {
    actor.may(Permission::Import, None)?;
    let mut refusals = Vec::new();
    let name = bounded("name", &new.name, 1, NAME_CHARS_MAX);
    let name = name.map_err(|why| refusals.push(Refusal::invalid("name", why))).unwrap_or_default();
    if !(1..=TRUST_MAX).contains(&new.trust) {
        refusals.push(Refusal::invalid("trust", format!("give 1 to {TRUST_MAX}")));
    }
    if let Some(refusal) = Refusal::all(refusals) {
        return Err(refusal.into());
    }
    let before = rows::find(tx, &new.code)?;
    if before.is_none() && rows::list(tx)?.len() >= SOURCES_MAX {
        let why = format!("there are {SOURCES_MAX} sources; change one that is not needed any more");
        return Err(Refusal::new(Code::PolicyRefuses, why).into());
    }
    let was = before.map_or(0, |before| before.version);
    let mappings: Map<String, Value> =
        new.mappings.iter().map(|(kind, mapping)| (kind.text().to_owned(), written(mapping))).collect();
    let source = Source {
        code: new.code.clone(),
        name,
        trust: new.trust,
        precedence: new.precedence,
        mappings: Value::Object(mappings).to_string(),
        version: was + 1,
        changed_at: world.now(),
    };
    if !rows::put(tx, &source)? {
        return Err(tx.begin_anew().into());
    }
    let body = json!({ "trust": source.trust, "precedence": source.precedence.text() });
    emit(tx, actor, world, &source.code, "import_source.changed", body);
    Ok(source)
}

/// The source with a code.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, code: &str) -> Result<Source, Failure> {
    actor.may(Permission::Import, None)?;
    rows::find(tx, code)?.ok_or_else(|| Refusal::not_found("source of files", code).into())
}

/// All sources, by code.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Source>, Failure> {
    actor.may(Permission::Import, None)?;
    Ok(rows::list(tx)?)
}

/// What an import found out about rows, after a place, in the order of the file.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn findings(
    tx: &mut Tx<'_>,
    actor: &Actor,
    import: Id<id::Import>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Finding)>, Failure> {
    super::find(tx, actor, import)?;
    Ok(rows::findings(tx, import, after, limit)?)
}

/// The source a file names.
pub(super) fn named(tx: &mut Tx<'_>, code: &str) -> Result<Source, Failure> {
    let known = rows::find(tx, code)?;
    let unknown =
        || Refusal::invalid("source", format!("no source \"{code}\"; GET /v1/import-sources lists them"));
    Ok(known.ok_or_else(unknown)?)
}

/// How a source's files of a kind are mapped.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] at `source` when there is none.
pub fn mapping(tx: &mut Tx<'_>, actor: &Actor, code: &str, kind: Kind) -> Result<Mapping, Failure> {
    actor.may(Permission::Import, None)?;
    Ok(mappings(&named(tx, code)?)?.remove(&kind).unwrap_or_default())
}

/// How a source's files are mapped, by kind.
///
/// # Errors
/// [`StoreError::Corrupt`] when what was kept cannot be read.
pub fn mappings(source: &Source) -> Result<BTreeMap<Kind, Mapping>, Failure> {
    let lost = || StoreError::Corrupt(format!("the mappings of source {} cannot be read", source.code));
    let all: Map<String, Value> = serde_json::from_str(&source.mappings).map_err(|_| lost())?;
    let one =
        |(kind, mapping): (&String, &Value)| Some((Kind::parse(kind).ok()?, read_mapping(mapping).ok()?));
    let read: Option<BTreeMap<Kind, Mapping>> = all.iter().map(one).collect();
    Ok(read.ok_or_else(lost)?)
}

/// A mapping as a document: what mapping files say, too.
pub fn written(mapping: &Mapping) -> Value {
    let pairs = |pairs: &[(String, String)]| {
        Value::Object(pairs.iter().map(|(ours, theirs)| (ours.clone(), json!(theirs))).collect())
    };
    let dates = mapping.habits.dates.map(|dates| match dates {
        DayOrder::DayFirst => "day_first",
        DayOrder::MonthFirst => "month_first",
    });
    json!({
        "columns": pairs(&mapping.columns), "constants": pairs(&mapping.constants), "defaults": pairs(&mapping.defaults),
        "delimiter": mapping.delimiter.map(|mark| char::from(mark).to_string()),
        "decimal": mapping.habits.decimal.map(|mark| mark.to_string()), "dates": dates,
        "time_zone": mapping.habits.zone.as_ref().map(Zone::name),
    })
}

/// The mapping a document says.
///
/// # Errors
/// The refusal names every bad field.
pub fn read_mapping(from: &Value) -> Result<Mapping, Refusal> {
    let mut refusals = Vec::new();
    let mut pairs = |part: &str| -> Vec<(String, String)> {
        let all: Vec<(String, String)> = from[part]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(ours, theirs)| (ours.clone(), theirs.as_str().unwrap_or_default().to_owned()))
            .collect();
        let long = |text: &String| text.chars().count() > TEXT_CHARS_MAX;
        if all.len() > COLUMNS_MAX || all.iter().any(|(ours, theirs)| long(ours) || long(theirs)) {
            let why =
                format!("give at most {COLUMNS_MAX} columns, each with at most {TEXT_CHARS_MAX} characters");
            refusals.push(Refusal::invalid(part, why));
        }
        all
    };
    let (columns, constants, defaults) = (pairs("columns"), pairs("constants"), pairs("defaults"));
    let delimiter = from["delimiter"].as_str().and_then(|text| match text.as_bytes() {
        [mark] if mark.is_ascii_punctuation() && *mark != b'"' || *mark == b'\t' => Some(*mark),
        _ => {
            refusals.push(Refusal::invalid("delimiter", "give one mark, such as \";\" or a tab"));
            None
        }
    });
    let decimal = from["decimal"].as_str().and_then(|text| match text {
        "." | "," => text.chars().next(),
        _ => {
            refusals.push(Refusal::invalid("decimal", "give \".\" or \",\""));
            None
        }
    });
    let dates = from["dates"].as_str().and_then(|text| match text {
        "day_first" => Some(DayOrder::DayFirst),
        "month_first" => Some(DayOrder::MonthFirst),
        _ => {
            refusals.push(Refusal::invalid("dates", "give day_first or month_first"));
            None
        }
    });
    let zone = from["time_zone"].as_str().and_then(|text| {
        Zone::parse(text).map_err(|why| refusals.push(Refusal::invalid("time_zone", why))).ok()
    });
    let habits = Habits { decimal, dates, zone };
    Refusal::all(refusals).map_or(Ok(Mapping { columns, constants, defaults, delimiter, habits }), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_as_it_was_written() {
        let mapping = Mapping {
            columns: vec![("email".into(), "E-Mail".into())],
            constants: vec![("country".into(), "GB".into())],
            defaults: Vec::new(),
            delimiter: Some(b';'),
            habits: Habits {
                decimal: Some(','),
                dates: Some(DayOrder::DayFirst),
                zone: Zone::parse("Europe/Berlin").ok(),
            },
        };
        assert_eq!(read_mapping(&written(&mapping)).expect("a mapping"), mapping);
        assert_eq!(read_mapping(&written(&Mapping::default())).expect("none"), Mapping::default());
        let bad = json!({ "delimiter": "ab", "decimal": "x", "dates": "y", "time_zone": "z" });
        let told = read_mapping(&bad).unwrap_err();
        let fields: Vec<_> = told.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["delimiter", "decimal", "dates", "time_zone"]);
    }
}
