//! The program `tandem`: one word after it says what to do, `tandem help` lists the words.

mod backup;
mod bench;
mod check;
mod config;
mod export;
mod fault;
mod import;
mod init;
mod key;
mod log;
mod matching;
mod migrate;
mod open_day;
mod openapi;
mod reconcile;
mod replay;
mod restore;
mod screen;
mod serve;
mod shop;
mod source;
mod test_carrier;
mod test_provider;
mod trace;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Flags;
use crate::fault::Fault;
use crate::screen::Screen;

/// Said at the end of every long help.
const AFTER_HELP: &str = "\
Exit codes:
  0  done, and everything is as it should be
  1  failed, or something was found that is not as it should be
  2  the command line or the settings cannot be understood
  3  something around the program is missing: a file, a disk, a database, a port, a key

Settings come from tandem.toml, then the environment (TANDEM_LISTEN=…), then flags; `tandem init --print-config` shows
all of them with their defaults.";

/// Unified commerce in one program: stock, baskets, orders, payments and customers of all channels in one set of books.
///
/// Start with `tandem serve`: it makes what it needs in ./tandem-data, prints the address it serves on, and a link to
/// set up the first owner.
#[derive(Parser)]
#[command(name = "tandem", version, max_term_width = 120, after_long_help = AFTER_HELP)]
struct Line {
    #[command(flatten)]
    flags: Flags,

    /// Answer in JSON, for other programs.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    word: Word,
}

/// What to do.
#[derive(Subcommand)]
enum Word {
    Serve(serve::Arguments),
    Init(init::Arguments),
    Migrate(migrate::Arguments),
    Import(import::Arguments),
    Source(source::Arguments),
    Export(export::Arguments),
    Match(matching::Arguments),
    Check(check::Arguments),
    Reconcile(reconcile::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Openapi(openapi::Arguments),
    TestProvider(test_provider::Arguments),
    TestCarrier(test_carrier::Arguments),
    Replay(replay::Arguments),
    Demo(open_day::Arguments),
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let line = Line::parse();
    let screen = Screen::new(line.json);
    match run(&line, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            screen.fail(&fault);
            fault.exit_code()
        }
    }
}

fn run(line: &Line, screen: &Screen) -> Result<(), Fault> {
    let config = config::load(&line.flags)?;
    // Serving starts its own log: with traces, which are sent by its threads.
    if !matches!(line.word, Word::Serve(_)) {
        log::start(&config)?;
    }
    match &line.word {
        Word::Serve(arguments) => serve::run(&config, arguments, screen),
        Word::Init(arguments) => init::run(&config, arguments, screen),
        Word::Migrate(arguments) => migrate::run(&config, arguments, screen),
        Word::Import(arguments) => import::run(&config, arguments, screen),
        Word::Source(arguments) => source::run(&config, arguments, screen),
        Word::Export(arguments) => export::run(&config, arguments, screen),
        Word::Match(arguments) => matching::run(&config, arguments, screen),
        Word::Check(arguments) => check::run(&config, arguments, screen),
        Word::Reconcile(arguments) => reconcile::run(&config, arguments, screen),
        Word::Backup(arguments) => backup::run(&config, arguments, screen),
        Word::Restore(arguments) => restore::run(&config, arguments, screen),
        Word::Openapi(arguments) => {
            openapi::run(arguments, screen);
            Ok(())
        }
        Word::TestCarrier(arguments) => test_carrier::run(arguments, screen),
        Word::TestProvider(arguments) => test_provider::run(&config, arguments, screen),
        Word::Replay(arguments) => replay::run(&config, arguments, screen),
        Word::Demo(arguments) => open_day::run(&config, arguments, screen),
        Word::Bench(arguments) => bench::run(&config, arguments, screen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_every_word_teaches_by_example() {
        let mut line = Line::command();
        line.build();
        for word in line.get_subcommands().filter(|word| word.get_name() != "help") {
            let taught = word.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(taught.contains("Example"), "tandem {} --help shows no example", word.get_name());
        }
        line.debug_assert();
    }
}
