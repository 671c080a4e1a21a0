//! What a person, or with `--json` a program, reads in the terminal. Answers go to standard output, everything else to standard error.

use std::io::{Write, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::fault::Fault;

/// Where answers are shown.
pub struct Screen {
    json: bool,
}

impl Screen {
    /// A screen that speaks to people, or JSON.
    pub fn new(json: bool) -> Screen {
        Screen { json }
    }

    /// Shows an answer: the text to people, the document to programs.
    ///
    /// Somebody who reads only the beginning and closes the pipe is no failure of ours.
    pub fn tell(&self, text: &str, document: &Value) {
        let _ = if self.json { writeln!(stdout(), "{document}") } else { writeln!(stdout(), "{text}") };
    }

    /// Shows a text that is the answer itself, to people and programs alike.
    pub fn print(&self, text: &str) {
        let _ = write!(stdout(), "{text}");
    }

    /// A bar for long work: what is done, and what is counted. Shown on a terminal only, and not to programs.
    pub fn bar(&self, doing: &'static str, counted: &str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let line = format!("{{msg}} {{wide_bar}} {{human_pos}} of {{human_len}} {counted}, {{eta}} left");
        let style = ProgressStyle::with_template(&line).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(0).with_style(style).with_message(doing)
    }

    /// As [`Screen::bar`] for work whose end is not known.
    pub fn counter(&self, doing: &'static str, counted: &str) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let line = format!("{{msg}} {{human_pos}} {counted}, {{elapsed}} so far");
        let style = ProgressStyle::with_template(&line).unwrap_or_else(|_| ProgressStyle::default_spinner());
        ProgressBar::no_length().with_style(style).with_message(doing)
    }

    /// Shows why the program ends.
    pub fn fail(&self, fault: &Fault) {
        let _ = if self.json {
            writeln!(stderr(), "{}", json!({"error": fault.to_string(), "exit_code": fault.number()}))
        } else {
            writeln!(stderr(), "tandem: {fault}")
        };
    }
}
