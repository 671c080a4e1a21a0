//! How a replay ended: what went where, what it cost, and everything that is not as it should be.

use std::fmt::Write;

use engine::check::Report as Check;
use serde_json::{Value, json};
use store::Db;
use tandem::demo::report::{Report, aligned, signed};
use tandem::demo::source::Kind;

use super::books::Books;
use super::proportions;
use crate::check;
use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;

/// How a replay ended.
pub struct Outcome {
    /// What the books must say.
    pub source: Report,
    /// What they say.
    pub books: Books,
    /// Days of the months that were lived.
    pub days: i64,
    /// How many clients asked at once.
    pub clients: usize,
    /// From the first set-up call to the last return.
    pub whole_micros: i64,
    /// The months' sales alone, without deliveries and returns.
    pub selling_micros: i64,
    /// The server's processor time over the same; none for a shop that is not our own.
    pub selling_cpu_ms: Option<u64>,
    /// Everything worked out again; none for a shop that is not our own.
    pub check: Option<Check>,
}

impl Outcome {
    /// The same with the books checked as by `tandem check`.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn checked(mut self, config: &Config, screen: &Screen) -> Result<Outcome, Fault> {
        let db = Db::open(&config.store())?;
        self.check = Some(check::look(&db, screen)?);
        Ok(self)
    }

    /// Everything that is not as it should be.
    pub fn differences(&self) -> Vec<String> {
        let plain = self.books.explained.as_ref().map_or(&self.books.report, |(_, plain)| plain);
        let mut all = self.source.differences(plain);
        all.extend(self.books.contradictions.iter().cloned());
        let differences = self.check.iter().flat_map(|check| &check.differences);
        all.extend(differences.map(ToString::to_string));
        all
    }

    /// Fails when anything differs.
    ///
    /// # Errors
    /// [`Fault::Failed`] then.
    pub fn judge(&self) -> Result<(), Fault> {
        let more = self.check.as_ref().map_or(0, |check| check.more);
        match self.differences().len() as u64 + more {
            0 => Ok(()),
            count => {
                Err(Fault::Failed(format!("the shop's books differ from the source: {count} differences")))
            }
        }
    }

    /// Pieces of goods sold in a day.
    fn sold_daily(&self) -> i64 {
        self.books.report.trade(|_, _| true).pieces_sold / self.days.max(1)
    }

    fn orders(&self) -> u64 {
        self.books.report.invoices(Kind::Sale)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text =
            format!("What the shop's books say, read through its API:\n\n{}\n", self.books.report.text());
        if let Some((explained, _)) = &self.books.explained {
            text += &format!("{}\n", explained.text());
        }
        let mut events = vec![["event", "count"].map(str::to_owned).to_vec()];
        let all: u64 = self.books.events.values().sum();
        let counted = self.books.events.iter().map(|(kind, count)| (kind.as_str(), *count));
        for (kind, count) in counted.chain([("all", all)]) {
            events.push(vec![kind.to_owned(), signed(count.cast_signed())]);
        }
        text += &aligned(&events);
        text += "\n";
        text += &aligned(&self.books.chain.text(self.sold_daily(), &self.books.events));
        text += "\n";
        text += &aligned(&proportions::text(self.books.explained.is_some()));
        let seconds = self.whole_micros / 1_000_000;
        let per_second = self.orders().cast_signed() * 1_000_000 / self.selling_micros.max(1);
        let _ = write!(
            text,
            "\ntook {}:{:02} min with {} clients; {per_second} orders a second while selling",
            seconds / 60,
            seconds % 60,
            self.clients
        );
        if let Some(micros) = self.cpu_micros_per_order() {
            let _ = write!(
                text,
                "; {}.{:02} ms of the server's processor per order",
                micros / 1000,
                micros % 1000 / 10
            );
        }
        match &self.check {
            Some(found) => text += &format!("\n{}", check::in_words(found)),
            None => {
                text += "\nthe books of a shop that is not our own were not checked; run tandem check there"
            }
        }
        let differences = self.differences();
        for difference in &differences {
            let _ = write!(text, "\n{difference}");
        }
        if differences.is_empty() {
            text += match self.books.explained {
                None => "\nthe books equal the source to the penny, in every rule, channel and month",
                Some(_) => {
                    "\nthe books and what offers took off equal the source to the penny, in every rule, channel and month"
                }
            };
        }
        text
    }

    /// The server's processor time for a sale: basket, order, payment, parcel.
    fn cpu_micros_per_order(&self) -> Option<u64> {
        self.selling_cpu_ms?.saturating_mul(1000).checked_div(self.orders())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let differences = self.differences();
        json!({
            "equal": differences.is_empty(),
            "differences": differences,
            "source": self.source.json(),
            "shop": self.books.report.json(),
            "events": self.books.events,
            "chain": self.books.chain.json(self.sold_daily(), &self.books.events),
            "proportions": proportions::json(self.books.explained.is_some()),
            "clients": self.clients,
            "seconds": self.whole_micros / 1_000_000,
            "selling_ms": self.selling_micros / 1000,
            "cpu_micros_per_order": self.cpu_micros_per_order(),
            "offers": self.books.explained.as_ref().map(|(explained, _)| explained.json()),
            "check": self.check.as_ref().map(check::in_json),
        })
    }
}
