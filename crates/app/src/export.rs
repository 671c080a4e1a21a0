//! `tandem export`: writes a file that `tandem import` takes in again.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use domain::actor::Actor;
use domain::import::Kind;
use engine::import::export;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;

/// Things read at once.
const AT_ONCE: i64 = 200;

/// Write a file: locations, products, prices, stock, customers, orders, promotions and more
///
/// The columns are those that import takes, so what was written can be taken in again, here or elsewhere. Kits and variants that are no
/// longer sold are left out. Writing customers opens their contacts, which leaves a line in the audit trail for each.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem export products > products.csv
  tandem export stock --format jsonl --output stock.jsonl")]
pub struct Arguments {
    /// What to write: locations, products, prices, stock, customers, orders, postal_areas, price_lists, promotions, coupons or balances.
    #[arg(value_parser = crate::import::kind)]
    kind: Kind,

    /// How to write it.
    #[arg(long, value_enum, default_value = "csv")]
    format: Form,

    /// The file to write; standard output when not given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Comma-separated values.
    Csv,
    /// JSON Lines: one object a line.
    Jsonl,
}

/// Runs it.
///
/// # Errors
/// When the books cannot be read or the file cannot be written.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let shop = shop::open_or_make(config)?.shop;
    let met = |error| Fault::environment("writing the file", error);
    let mut out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(create(path)?)),
        None => Box::new(BufWriter::new(stdout().lock())),
    };
    let kind = arguments.kind;
    let header: Vec<String> = export::header(kind).into_iter().map(str::to_owned).collect();
    if arguments.format == Form::Csv {
        out.write_all(&csv_line(&header)?).map_err(met)?;
    }
    let counter = screen.counter("exporting", "rows");
    let mut after = Some(export::start(kind));
    let mut rows = 0;
    while let Some(from) = after {
        let source = shop.clone();
        let page = shop.db.write(move |tx| {
            export::page(tx, &Actor::system(), &mut source.world(), kind, (from, AT_ONCE))
        })?;
        for row in &page.rows {
            let line = if arguments.format == Form::Csv { csv_line(row)? } else { json_line(&header, row) };
            out.write_all(&line).map_err(met)?;
        }
        rows += page.rows.len();
        counter.set_position(rows as u64);
        after = page.next;
    }
    out.flush().map_err(met)?;
    counter.finish_and_clear();
    if let Some(path) = &arguments.output {
        let text = format!("{rows} rows of {} are in {}", kind.text(), path.display());
        screen.tell(&text, &json!({"file": path, "kind": kind.text(), "rows": rows}));
    }
    Ok(())
}

fn create(path: &PathBuf) -> Result<File, Fault> {
    File::create_new(path).map_err(|error| Fault::environment(format!("making {}", path.display()), error))
}

fn csv_line(row: &[String]) -> Result<Vec<u8>, Fault> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(row).map_err(|error| Fault::environment("writing the file", error))?;
    writer.into_inner().map_err(|error| Fault::environment("writing the file", error))
}

/// A JSON object without the empty cells.
fn json_line(header: &[String], row: &[String]) -> Vec<u8> {
    let said = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    let object: Map<String, Value> =
        said.map(|(name, cell)| (name.clone(), Value::from(cell.as_str()))).collect();
    format!("{}\n", Value::Object(object)).into_bytes()
}
