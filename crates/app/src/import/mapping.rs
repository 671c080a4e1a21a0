//! Mapping files: which columns of a file are ours, what goes into those it does not have, and how it is written.

use std::collections::BTreeMap;
use std::path::Path;

use domain::import::Mapping;
use domain::import::cell::{DayOrder, Habits};
use domain::value::Zone;
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

use crate::fault::Fault;

/// A mapping as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    reading: Reading,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    delimiter: Option<String>,
    decimal: Option<char>,
    dates: Option<String>,
    time_zone: Option<String>,
}

/// Reads a mapping file.
///
/// # Errors
/// [`Fault::Environment`] when it is not there, [`Fault::Usage`] when it cannot be understood.
pub fn read(path: &Path) -> Result<Mapping, Fault> {
    if !path.is_file() {
        return Err(Fault::Environment(format!("there is no mapping file {}", path.display())));
    }
    let wrong = |why: String| Fault::Usage(format!("mapping {}: {why}", path.display()));
    let written: Written =
        Figment::from(Toml::file_exact(path)).extract().map_err(|error| wrong(error.to_string()))?;
    let habits = habits(&written.reading).map_err(wrong)?;
    Ok(Mapping {
        columns: written.columns.into_iter().collect(),
        constants: written.constants.into_iter().collect(),
        defaults: written.defaults.into_iter().collect(),
        delimiter: written.reading.delimiter.as_deref().map(delimiter).transpose().map_err(wrong)?,
        habits,
    })
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [mark] if mark.is_ascii_punctuation() && *mark != b'"' || *mark == b'\t' => Ok(*mark),
        _ => Err("reading.delimiter: give one mark, such as \";\" or \"\\t\"".into()),
    }
}

fn habits(reading: &Reading) -> Result<Habits, String> {
    let dates = match reading.dates.as_deref() {
        None => None,
        Some("day_first") => Some(DayOrder::DayFirst),
        Some("month_first") => Some(DayOrder::MonthFirst),
        Some(_) => return Err("reading.dates: give \"day_first\" or \"month_first\"".into()),
    };
    if reading.decimal.is_some_and(|mark| !matches!(mark, '.' | ',')) {
        return Err("reading.decimal: give \".\" or \",\"".into());
    }
    let zone = reading.time_zone.as_deref().map(Zone::parse).transpose();
    let zone = zone.map_err(|error| format!("reading.time_zone: {error}"))?;
    Ok(Habits { decimal: reading.decimal, dates, zone })
}
