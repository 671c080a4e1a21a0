//! The settings: the default file, the retailer's own file, the environment and the flags, the later over the earlier.

use std::path::{Path, PathBuf};

use clap::Args;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use http::server::Rate;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Every setting with its default and what it means.
pub const DEFAULTS: &str = include_str!("../tandem.default.toml");
/// The data directory when none is named, as in the default file.
const DATA: &str = "tandem-data";
/// The retailer's own file, when none is named.
const FILE: &str = "tandem.toml";

/// The settings; what each means stands in `tandem.default.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    data: PathBuf,
    database: String,
    master_key_file: PathBuf,
    /// The address to serve on.
    pub listen: String,
    readers: usize,
    writers: usize,
    queue: usize,
    https: bool,
    behind_proxy: bool,
    metrics_open: bool,
    public_figures: bool,
    connections_at_once_max: usize,
    idle_seconds_max: u64,
    body_bytes_max: usize,
    request_seconds_max: u64,
    requests_at_once_max: usize,
    streams_at_once_max: usize,
    status_streams_at_once_max: usize,
    requests_per_minute_max: u32,
    sign_ins_per_minute_max: u32,
    stop_seconds_max: u64,
    /// The payment provider to try things on: `here`, an address, or empty for none.
    pub test_provider: String,
    /// A file with more root certificates that are believed when others are called by https; empty for none.
    pub root_certificates: PathBuf,
    /// May events be sent to addresses of a private network, and without encryption?
    pub webhooks_to_private_addresses: bool,
    /// May payment accounts lie at addresses of a private network?
    pub payments_to_private_addresses: bool,
    /// May the retailer's own sign-on lie at addresses of a private network, and without encryption?
    pub sign_on_to_private_addresses: bool,
    /// Where mail is handed over: `smtps://host:465` or `smtp://host:587`; empty for nowhere.
    pub mail_server: String,
    /// The name to sign in to it by; empty for none.
    pub mail_user: String,
    /// The password to it.
    pub mail_password: String,
    /// From whom mail is.
    pub mail_from: String,
    /// Where customers reach the shop's pages; where it serves when empty.
    pub public_address: String,
    /// The collector that traces are sent to; empty for none.
    pub otlp_endpoint: String,
    /// How log entries look.
    pub log_format: LogFormat,
    /// Which log entries are written.
    pub log_filter: String,
}

/// How log entries look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The settings that can be given as flags with every word.
#[derive(Args, Debug, Default, Serialize)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// Read settings from this file instead of ./tandem.toml.
    #[arg(long, global = true, value_name = "FILE", env = "TANDEM_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,

    /// The directory for the database file and the master key [default: tandem-data].
    #[arg(long, global = true, value_name = "DIRECTORY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,

    /// A database file, or an address such as postgres://tandem@127.0.0.1/tandem [default: tandem.db in the data directory].
    #[arg(long, global = true, value_name = "DATABASE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,

    /// The file with the master key [default: master.key in the data directory].
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    master_key_file: Option<PathBuf>,

    /// How log entries look.
    #[arg(long, global = true, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<LogFormat>,

    /// What is logged, such as `warn` or `info,tandem_http=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_filter: Option<String>,
}

impl Config {
    /// The same settings for books in another directory, unless a directory or a database was named.
    #[must_use]
    pub fn in_directory_unless_named(&self, directory: &Path) -> Config {
        let mut config = self.clone();
        if self.data == Path::new(DATA) && self.database.is_empty() {
            config.data = directory.to_owned();
        }
        config
    }

    /// The same settings for books in a file of this directory, whatever was named.
    #[must_use]
    pub fn in_directory(&self, directory: &Path) -> Config {
        Config {
            data: directory.to_owned(),
            database: String::new(),
            master_key_file: PathBuf::new(),
            ..self.clone()
        }
    }

    /// Are the books in a file of the data directory?
    pub fn keeps_books_in_data(&self) -> bool {
        self.database.is_empty()
    }

    /// The directory for the database file and the master key.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The database file's path or address.
    pub fn database(&self) -> String {
        if self.database.is_empty() {
            self.data.join("tandem.db").display().to_string()
        } else {
            self.database.clone()
        }
    }

    /// The file with the master key.
    pub fn master_key_file(&self) -> PathBuf {
        if self.master_key_file.as_os_str().is_empty() {
            self.data.join("master.key")
        } else {
            self.master_key_file.clone()
        }
    }

    /// How to open the books.
    pub fn store(&self) -> store::Settings {
        let mut settings = store::Settings::new(self.database());
        settings.readers = self.readers;
        settings.writers = self.writers;
        settings.queue = self.queue;
        settings
    }
}

impl Config {
    /// How requests are bounded and answered.
    pub fn edge(&self) -> http::server::Settings {
        let defaults = http::server::Settings::default();
        let asked = |known: Rate| Rate { per_minute: self.requests_per_minute_max, ..known };
        http::server::Settings {
            body_bytes_max: self.body_bytes_max,
            connections_at_once_max: self.connections_at_once_max,
            idle_seconds_max: self.idle_seconds_max,
            request_seconds_max: self.request_seconds_max,
            requests_at_once_max: self.requests_at_once_max,
            streams_at_once_max: self.streams_at_once_max,
            status_streams_at_once_max: self.status_streams_at_once_max,
            stop_seconds_max: self.stop_seconds_max,
            per_credential: asked(defaults.per_credential),
            per_address: asked(defaults.per_address),
            sign_ins: Rate { per_minute: self.sign_ins_per_minute_max, ..defaults.sign_ins },
            behind_proxy: self.behind_proxy,
            https: self.https,
            public_address: self.public_address.clone(),
            metrics_open: self.metrics_open,
            public_figures: self.public_figures,
            webhooks_to_private_addresses: self.webhooks_to_private_addresses,
            payments_to_private_addresses: self.payments_to_private_addresses,
            sign_on_to_private_addresses: self.sign_on_to_private_addresses,
            outside: None,
            mail: !self.mail_server.is_empty(),
            join_trace: None,
        }
    }
}

/// Puts the settings together.
///
/// # Errors
/// [`Fault::Usage`] names the setting that cannot be understood and where it was given; [`Fault::Environment`] a file that is not there.
pub fn load(flags: &Flags) -> Result<Config, Fault> {
    let defaults: Config =
        Figment::from(Toml::string(DEFAULTS)).extract().map_err(|error| Fault::Failed(error.to_string()))?;
    let names = serde_json::to_value(&defaults).map_err(|error| Fault::Failed(error.to_string()))?;
    let known = move |name: &str| names.get(name).is_some();
    let mut figment = Figment::from(Serialized::defaults(&defaults));
    if let Some(file) = own_file(flags)? {
        figment = figment.merge(Toml::file_exact(file));
    }
    // Others may set names that begin like ours; only names of settings are read.
    let environment =
        Env::prefixed("TANDEM_").filter(move |name| known(name.as_str().to_lowercase().as_str()));
    let config: Config = figment
        .merge(environment)
        .merge(Serialized::defaults(flags))
        .extract()
        .map_err(|error| Fault::Usage(format!("settings: {error}")))?;
    bounded("readers", config.readers, 64)?;
    bounded("writers", config.writers, 64)?;
    bounded("queue", config.queue, 1_000_000)?;
    bounded("body_bytes_max", config.body_bytes_max, 1 << 30)?;
    bounded("requests_at_once_max", config.requests_at_once_max, 100_000)?;
    bounded("connections_at_once_max", config.connections_at_once_max, 1_000_000)?;
    bounded("idle_seconds_max", config.idle_seconds_max as usize, 86_400)?;
    bounded("streams_at_once_max", config.streams_at_once_max, 100_000)?;
    bounded("status_streams_at_once_max", config.status_streams_at_once_max, 100_000)?;
    bounded("requests_per_minute_max", config.requests_per_minute_max as usize, 1_000_000_000)?;
    bounded("sign_ins_per_minute_max", config.sign_ins_per_minute_max as usize, 1_000_000)?;
    Ok(config)
}

fn bounded(name: &str, number: usize, most: usize) -> Result<(), Fault> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(Fault::Usage(format!("settings: {name} is {number}; give 1 to {most}")))
}

fn own_file(flags: &Flags) -> Result<Option<PathBuf>, Fault> {
    match &flags.config {
        Some(file) if file.is_file() => Ok(Some(file.clone())),
        Some(file) => Err(Fault::Environment(format!("settings: there is no file {}", file.display()))),
        None => Ok(Some(PathBuf::from(FILE)).filter(|file| file.is_file())),
    }
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "the jail's own shape")]
mod tests {
    use super::*;
    use figment::Jail;

    #[test]
    fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
        Jail::expect_with(|jail| {
            jail.create_file(FILE, "listen = \"127.0.0.1:1\"\nqueue = 5\nreaders = 2\n")?;
            jail.set_env("TANDEM_LISTEN", "127.0.0.1:2");
            jail.set_env("TANDEM_READERS", "3");
            jail.set_env("TANDEM_MASTER_KEY", "secret");
            let flags = Flags { data: Some("elsewhere".into()), ..Flags::default() };
            let config = load(&flags).unwrap();
            assert_eq!(
                (config.listen.as_str(), config.queue, config.readers, config.writers),
                ("127.0.0.1:2", 5, 3, 8)
            );
            assert_eq!(config.database(), "elsewhere/tandem.db");
            Ok(())
        });
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        Jail::expect_with(|jail| {
            jail.create_file(FILE, "listne = \"127.0.0.1:1\"\n")?;
            let fault = load(&Flags::default()).unwrap_err();
            assert!(matches!(&fault, Fault::Usage(why) if why.contains("listne")), "{fault}");
            jail.create_file(FILE, "readers = 0\n")?;
            let fault = load(&Flags::default()).unwrap_err();
            assert_eq!(fault, Fault::Usage("settings: readers is 0; give 1 to 64".into()));
            let flags = Flags { config: Some("none.toml".into()), ..Flags::default() };
            assert_eq!(
                load(&flags).unwrap_err(),
                Fault::Environment("settings: there is no file none.toml".into())
            );
            Ok(())
        });
    }
}
