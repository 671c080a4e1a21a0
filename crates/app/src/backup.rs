//! `tandem backup`: writes everything the books hold at one instant into one file, while the shop is open.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use clap::Args;
use engine::Source;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;
use store::Db;
use store::backup::{self, BackupError, Contents};

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;
use crate::world::RealWorld;

/// Write everything the books hold at one instant into one file
///
/// Run it while the shop is open. The file is compressed JSON, line by line, with a checksum; it is read again before this ends, and
/// it can be restored on either engine, so it is also the way from SQLite to PostgreSQL and back. It does not hold the master
/// key: without it the names and addresses in the backup cannot be read.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem backup shop.tandem.gz
  zcat shop.tandem.gz | head -3")]
pub struct Arguments {
    /// The file to write; it must not be there yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs it.
///
/// # Errors
/// When the books cannot be read, or the file is there already or cannot be written.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let file = &arguments.file;
    if file.exists() {
        return Err(Fault::Environment(format!("{} is there already; name another file", file.display())));
    }
    shop::must_exist(config)?;
    let db = Db::open(&config.store())?;
    let part = PathBuf::from(format!("{}.part", file.display()));
    let written = write(&db, &part, screen).and_then(|contents| {
        let read = verify(&part, screen)?;
        if read != contents {
            return Err(Fault::Failed(format!(
                "{} does not hold what was written: the disk is at fault",
                part.display()
            )));
        }
        fs::rename(&part, file)
            .map_err(|error| Fault::environment(format!("naming {}", file.display()), error))?;
        Ok(contents)
    });
    if written.is_err() {
        // A part of a backup is of no use to anybody.
        let _ = fs::remove_file(&part);
    }
    let contents = written?;
    let text = format!("{} rows of {} tables are in {}", contents.rows, contents.tables, file.display());
    screen.tell(&text, &json!({"file": file, "rows": contents.rows, "tables": contents.tables}));
    Ok(())
}

fn write(db: &Db, part: &Path, screen: &Screen) -> Result<Contents, Fault> {
    let counter = screen.counter("writing", "rows");
    let (shown, path) = (counter.clone(), part.to_owned());
    let written = db.read(move |tx| -> Result<Contents, BackupError> {
        let mut out = GzEncoder::new(BufWriter::new(create(&path)?), Compression::fast());
        let contents = backup::write(tx, RealWorld.now(), &mut out, &mut |rows| shown.set_position(rows))?;
        let file = out.finish()?.into_inner().map_err(|error| BackupError::File(error.into_error()))?;
        file.sync_all()?;
        Ok(contents)
    });
    counter.finish_and_clear();
    Ok(written?)
}

/// Reads a whole backup and sees whether it is complete and unchanged.
///
/// # Errors
/// [`Fault::Failed`] says what is wrong with it.
pub fn verify(path: &Path, screen: &Screen) -> Result<Contents, Fault> {
    let counter = screen.counter("reading", "rows");
    let verified = open(path).and_then(|mut file| backup::verify(&mut file));
    counter.finish_and_clear();
    Ok(verified?)
}

/// Opens a backup to be read.
///
/// # Errors
/// When the file cannot be opened.
pub fn open(path: &Path) -> Result<BufReader<MultiGzDecoder<BufReader<File>>>, BackupError> {
    Ok(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(BufReader::new(File::open(path)?))))
}

#[cfg(unix)]
fn create(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> std::io::Result<File> {
    File::create(path)
}
