//! `tandem import`: takes a file in, shows how far it is, and names every row that cannot be taken.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use domain::actor::Actor;
use domain::import::source::Precedence;
use domain::import::{FILE_BYTES_MAX, Kind, Mapping, Mode, State};
use domain::value::Id;
use domain::value::id::Import as ImportKind;
use engine::import::source::{self, Finding};
use engine::import::{self as engine_import, File, Import, Origin, RowError};
use engine::{Failure, Shop};
use serde_json::{Value, json};

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;
use crate::source::precedence;

pub mod mapping;

/// The most errors that are shown to people; programs get all that are kept.
const SHOWN_MAX: usize = 50;
/// Errors read at once.
const ERRORS_AT_ONCE: i64 = 500;

/// Take in a file: locations, products, prices, stock, customers, orders, promotions and more
///
/// Reads comma-, semicolon- or tab-separated values in any usual encoding, and JSON Lines. Rows of things that are known change them, and
/// rows that say what is so change nothing, so the same file can be taken in again. Cut off in the middle, it goes on where it
/// stopped with --resume. The columns of each kind, and mapping files, are explained in docs/IMPORT.md. Ends with 1 when a row
/// could not be taken.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem import locations.csv --kind locations --dry-run
  tandem import goods.csv --kind products --mapping goods.toml --on-error pass
  tandem import goods.csv --kind products --mapping goods.toml --resume imp_01jd0000000000000000000000
  tandem import people.csv --kind customers --source web --dry-run
  zcat stock.csv.gz | tandem import - --kind stock --json")]
pub struct Arguments {
    /// The file, or - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What the file holds.
    #[arg(long, value_parser = kind)]
    kind: Kind,

    /// A TOML file that says which of its columns are ours.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// The system the file comes from, named by `tandem source`: its mapping holds, and customers are found by its numbers.
    #[arg(long, value_name = "CODE")]
    source: Option<String>,

    /// Who is right where the source says something else than is known: fill_gaps, newer, trust or never.
    #[arg(long, requires = "source", value_parser = precedence)]
    precedence: Option<Precedence>,

    /// Try every row and change nothing.
    #[arg(long)]
    dry_run: bool,

    /// What becomes of the file when a row cannot be taken.
    #[arg(long, value_enum, default_value = "all")]
    on_error: OnError,

    /// Go on with an import that was cut off; give the same file, kind and mapping.
    #[arg(long, value_name = "ID", conflicts_with_all = ["dry_run", "on_error"])]
    resume: Option<String>,
}

/// What becomes of the file when a row cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// Nothing is taken: all rows or none, at most 50,000.
    All,
    /// The rows that pass are taken.
    Pass,
}

/// The kind of this name.
///
/// # Errors
/// The names there are.
pub fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name)
}

/// Runs it.
///
/// # Errors
/// [`Fault::Failed`] when the file cannot be read or a row could not be taken.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let shop = shop::open_or_make(config)?.shop;
    let mapping = match (&arguments.mapping, arguments.source.clone()) {
        (Some(path), _) => mapping::read(path)?,
        (None, Some(code)) => kept_mapping(&shop, arguments.kind, code)?,
        (None, None) => Mapping::default(),
    };
    let origin = arguments.source.clone().map(|source| Origin { source, precedence: arguments.precedence });
    let bytes = bytes(&arguments.file)?;
    let file = engine_import::read_from(arguments.kind, &mapping, origin, &bytes).map_err(|refusal| {
        let lines: Vec<String> = refusal.each().map(|one| one.message().to_owned()).collect();
        Fault::Failed(format!("{}: {}", arguments.file.display(), lines.join("\n  ")))
    })?;
    drop(bytes);
    let import = take(&shop, arguments, &Arc::new(file), screen)?;
    let errors = errors(&shop, import.id)?;
    let findings = findings(&shop, import.id)?;
    screen.tell(&in_words(&import, &errors, &findings), &in_json(&import, &errors, &findings));
    if import.refused > 0 {
        return Err(Fault::Failed(format!(
            "{} of {} rows could not be taken",
            import.refused, import.rows_total
        )));
    }
    Ok(())
}

/// The mapping that is kept for a source's files.
fn kept_mapping(shop: &Shop, kind: Kind, code: String) -> Result<Mapping, Fault> {
    let found = shop.db.read(move |tx| source::mapping(tx, &Actor::system(), &code, kind));
    found.map_err(|failure| match failure {
        Failure::Refused(_) => {
            Fault::Usage("--source: there is no such source; name it first: tandem source CODE".into())
        }
        other => other.into(),
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let met = |error| Fault::environment(format!("reading {}", path.display()), error);
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX as u64 + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(met)?;
    } else {
        fs::File::open(path).map_err(met)?.take(limit).read_to_end(&mut bytes).map_err(met)?;
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Fault::Failed(format!(
            "{} is larger than {FILE_BYTES_MAX} bytes; split it",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Begins or goes on with the import, and takes rows until the end.
fn take(shop: &Shop, arguments: &Arguments, file: &Arc<File>, screen: &Screen) -> Result<Import, Fault> {
    let mut import = match &arguments.resume {
        Some(id) => resumed(shop, id)?,
        None => begin(shop, file, mode(arguments))?,
    };
    let bar = screen.bar("importing", "rows");
    bar.set_length(import.rows_total.unsigned_abs());
    if import.state == State::Running {
        bar.println(format!("this is import {}", import.id));
    }
    while import.state == State::Running {
        bar.set_position(import.rows_read.unsigned_abs());
        let (file, source, id) = (file.clone(), shop.clone(), import.id);
        import = shop
            .db
            .write(move |tx| engine_import::go_on(tx, &Actor::system(), &mut source.world(), id, &file))?;
    }
    bar.finish_and_clear();
    Ok(import)
}

fn begin(shop: &Shop, file: &Arc<File>, mode: Mode) -> Result<Import, Fault> {
    let (file, source) = (file.clone(), shop.clone());
    Ok(shop
        .db
        .write(move |tx| engine_import::begin(tx, &Actor::system(), &mut source.world(), &file, mode))?)
}

fn resumed(shop: &Shop, id: &str) -> Result<Import, Fault> {
    let id = Id::parse(id).map_err(|error| Fault::Usage(format!("--resume: {error}")))?;
    Ok(shop.db.read(move |tx| engine_import::find(tx, &Actor::system(), id))?)
}

fn mode(arguments: &Arguments) -> Mode {
    match (arguments.dry_run, arguments.on_error) {
        (true, _) => Mode::DryRun,
        (false, OnError::All) => Mode::AllOrNothing,
        (false, OnError::Pass) => Mode::RowsThatPass,
    }
}

fn errors(shop: &Shop, id: Id<ImportKind>) -> Result<Vec<RowError>, Fault> {
    let mut all: Vec<RowError> = Vec::new();
    loop {
        let after = all.last().map_or(0, |error| error.place);
        let page = shop.db.read(move |tx| -> Result<_, Failure> {
            engine_import::errors(tx, &Actor::system(), id, after, ERRORS_AT_ONCE)
        })?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn findings(shop: &Shop, id: Id<ImportKind>) -> Result<Vec<Finding>, Fault> {
    let mut all: Vec<Finding> = Vec::new();
    let mut after = 0;
    loop {
        let page = shop.db.read(move |tx| -> Result<_, Failure> {
            source::findings(tx, &Actor::system(), id, after, ERRORS_AT_ONCE)
        })?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = *last;
        all.extend(page.into_iter().map(|(_, finding)| finding));
    }
}

/// Whom a row is of, or may be of.
fn told(finding: &Finding) -> String {
    let whom = match (finding.other_line, finding.customer) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(customer)) => customer.to_string(),
        (None, None) => "somebody".to_owned(),
    };
    let line = finding.line;
    match finding.is_joined {
        true => format!("line {line}: the same as {whom}, by {}", finding.same_by.text()),
        false if finding.score == 0 => format!("line {line}: may be {whom}, by {}", finding.same_by.text()),
        false => format!("line {line}: may be {whom}, scored {}", finding.score),
    }
}

fn in_words(import: &Import, errors: &[RowError], findings: &[Finding]) -> String {
    let mut lines: Vec<String> = import.notes.lines().map(str::to_owned).collect();
    for error in errors.iter().take(SHOWN_MAX) {
        let column = error.column.as_ref().map(|column| format!("{column}: ")).unwrap_or_default();
        let value = error.value.as_ref().map(|value| format!("\"{value}\" ")).unwrap_or_default();
        lines.push(format!("line {}: {column}{value}{}", error.line, error.message));
    }
    if errors.len() > SHOWN_MAX {
        lines.push(format!("and {} more errors; --json shows them", errors.len() - SHOWN_MAX));
    }
    lines.extend(findings.iter().take(SHOWN_MAX).map(told));
    if findings.len() > SHOWN_MAX {
        lines.push(format!("and {} more findings; --json shows them", findings.len() - SHOWN_MAX));
    }
    let what = match (import.mode, import.state) {
        (Mode::DryRun, _) => "tried, and nothing was changed",
        (_, State::Refused) => "refused as a whole, and nothing was changed",
        _ => "taken in",
    };
    let people = match import.source {
        Some(_) => format!(", {} joined, {} to be looked at", import.joined, import.review),
        None => String::new(),
    };
    lines.push(format!(
        "{} rows of {} {what}: {} made, {} changed, {} the same{people}, {} refused ({})",
        import.rows_total,
        import.kind.text(),
        import.made,
        import.changed,
        import.same,
        import.refused,
        import.id
    ));
    lines.join("\n")
}

fn in_json(import: &Import, errors: &[RowError], findings: &[Finding]) -> Value {
    let error = |one: &RowError| json!({"line": one.line, "column": one.column, "value": one.value, "code": one.code, "message": one.message});
    let found = |one: &Finding| {
        json!({"line": one.line, "is_joined": one.is_joined, "same_by": one.same_by.text(), "score": one.score, "other_line": one.other_line,
            "customer": one.customer.filter(|_| one.other_line.is_none()).map(|id| id.to_string())})
    };
    json!({
        "id": import.id.to_string(), "kind": import.kind.text(), "mode": import.mode.text(), "state": import.state.text(),
        "rows": import.rows_total, "rows_read": import.rows_read, "made": import.made, "changed": import.changed,
        "same": import.same, "joined": import.joined, "review": import.review, "refused": import.refused, "notes": import.notes.lines().collect::<Vec<_>>(),
        "source": import.source, "precedence": import.precedence.map(Precedence::text),
        "errors": errors.iter().map(error).collect::<Vec<_>>(), "findings": findings.iter().map(found).collect::<Vec<_>>(),
    })
}
