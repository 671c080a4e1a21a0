//! `tandem source`: names a system whose files are taken in, says how far it is trusted, and keeps how its files are mapped.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use domain::actor::Actor;
use domain::catalogue::short_code;
use domain::import::Kind;
use domain::import::source::Precedence;
use engine::Shop;
use engine::import::source::{self, NewSource, Source};
use serde_json::{Value, json};

use crate::config::Config;
use crate::fault::Fault;
use crate::import::{kind, mapping};
use crate::screen::Screen;
use crate::shop;

/// Name a system whose files are taken in, or change what is said of it
///
/// A web shop, a till or a newsletter knows people under numbers of its own. What is not given stays as it is; a new source is trusted 50
/// and only fills gaps. The mapping of each kind of file is kept and used by every `tandem import --source CODE`.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem source web --name \"Web shop\" --trust 60 --precedence trust --mapping customers=web.toml
  tandem source till --trust 80
  tandem source web")]
pub struct Arguments {
    /// The short word it goes by.
    code: String,

    /// What people call it.
    #[arg(long)]
    name: Option<String>,

    /// How far it is trusted, from 1 to 100.
    #[arg(long)]
    trust: Option<i64>,

    /// Who is right where it says something else than is known: fill_gaps, newer, trust or never.
    #[arg(long, value_parser = precedence)]
    precedence: Option<Precedence>,

    /// How its files of a kind are mapped: the kind, and a TOML file as docs/IMPORT.md explains.
    #[arg(long = "mapping", value_name = "KIND=FILE", value_parser = mapped)]
    mappings: Vec<(Kind, PathBuf)>,
}

/// The precedence of this name.
///
/// # Errors
/// The names there are.
pub fn precedence(name: &str) -> Result<Precedence, String> {
    Precedence::parse(name)
}

fn mapped(text: &str) -> Result<(Kind, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("give a kind and a file, such as customers=web.toml")?;
    Ok((kind(name)?, PathBuf::from(path)))
}

/// Runs it.
///
/// # Errors
/// [`Fault::Usage`] when what is said cannot be.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let code = short_code(&arguments.code).map_err(|why| Fault::Usage(format!("code: {why}")))?;
    let mut read = BTreeMap::new();
    for (kind, path) in &arguments.mappings {
        read.insert(*kind, mapping::read(path)?);
    }
    let shop = shop::open_or_make(config)?.shop;
    let known = found(&shop, &code)?;
    let says_something = arguments.name.is_some()
        || arguments.trust.is_some()
        || arguments.precedence.is_some()
        || !read.is_empty();
    let source = match known {
        Some(known) if !says_something => known,
        known => set(&shop, arguments, code, (known, read))?,
    };
    let kinds: Vec<&str> = source::mappings(&source)?.keys().map(|kind| kind.text()).collect();
    let words = format!(
        "{}: {}, trusted {}, {}; mappings: {}",
        source.code,
        source.name,
        source.trust,
        source.precedence.text(),
        if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
    );
    screen.tell(&words, &in_json(&source, &kinds));
    Ok(())
}

fn found(shop: &Shop, code: &str) -> Result<Option<Source>, Fault> {
    let all = shop.db.read(|tx| source::list(tx, &Actor::system()))?;
    Ok(all.into_iter().find(|one| one.code == code))
}

fn set(
    shop: &Shop,
    arguments: &Arguments,
    code: String,
    (known, read): (Option<Source>, BTreeMap<Kind, domain::import::Mapping>),
) -> Result<Source, Fault> {
    let mut mappings = known.as_ref().map_or(Ok(BTreeMap::new()), source::mappings)?;
    mappings.extend(read);
    let new = NewSource {
        name: arguments
            .name
            .clone()
            .or_else(|| known.as_ref().map(|known| known.name.clone()))
            .unwrap_or_else(|| code.clone()),
        trust: arguments.trust.or_else(|| known.as_ref().map(|known| known.trust)).unwrap_or(50),
        precedence: arguments
            .precedence
            .or_else(|| known.as_ref().map(|known| known.precedence))
            .unwrap_or(Precedence::FillGaps),
        code,
        mappings,
    };
    let source_of = shop.clone();
    Ok(shop.db.write(move |tx| source::set(tx, &Actor::system(), &mut source_of.world(), &new))?)
}

fn in_json(source: &Source, kinds: &[&str]) -> Value {
    json!({ "code": source.code, "name": source.name, "trust": source.trust, "precedence": source.precedence.text(), "mappings": kinds })
}
