//! `tandem match`: compares all customers with each other, or learns a model of them.

use clap::Args;
use domain::actor::Actor;
use engine::Source;
use engine::merging::bulk::{self, Found};
use serde_json::{Value, json};

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::shop;
use crate::world::RealWorld;

/// Compare all customers with each other, to find those who are one person
///
/// Reads every customer's contact into memory, compares those who share something, and notes the pairs that may be one person for a colleague to look at; the surest
/// 20,000 that were not noted before. Where `PUT /v1/matching/rule` says `automatic`, jobs of the running shop join the pairs the model is sure of, but for customers
/// who wrote the contact themselves. `POST /v1/matching/comparisons` does the same in the running shop. Run it after customers were imported, while the shop is open; later each customer is looked for
/// when he is new or changed. With --train a model is learnt of the shop's own customers instead; it is in force once `PUT /v1/matching/rule` names it.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem match --dry-run
  tandem match
  tandem match --train")]
pub struct Arguments {
    /// Only tell what would be noted.
    #[arg(long)]
    dry_run: bool,

    /// Learn a model instead.
    #[arg(long, conflicts_with = "dry_run")]
    train: bool,

    /// Where learning begins to take pairs at random; the same number learns the same again.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "train")]
    seed: u64,
}

/// Runs it.
///
/// # Errors
/// When the books cannot be read or written.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    shop::must_exist(config)?;
    let shop = shop::open_or_make(config)?.shop;
    let bar = screen.bar("reading", "customers");
    let shown = bar.clone();
    let mut progress = move |told: &Found| {
        shown.set_position(told.customers);
        Ok(())
    };
    let (actor, clock) = (Actor::system(), || RealWorld.now());
    let how: (&dyn Fn() -> domain::value::Instant, bulk::Progress<'_>) = (&clock, &mut progress);
    let found = if arguments.train {
        bulk::learn(&shop, &actor, arguments.seed, how)
    } else {
        bulk::compare_all(&shop, &actor, arguments.dry_run, how)
    };
    bar.finish_and_clear();
    let found = found?;
    screen.tell(&in_words(&found, arguments.dry_run), &in_json(&found));
    Ok(())
}

fn in_words(found: &Found, is_dry_run: bool) -> String {
    if let Some(number) = found.learnt {
        return format!("model {number} learnt of {} customers", found.customers);
    }
    let noted = match (is_dry_run, found.beyond) {
        (true, _) => "nothing was noted".to_owned(),
        (false, 0) => format!("{} new ones noted", found.noted),
        (false, beyond) => format!("{} new ones noted, {beyond} more after these", found.noted),
    };
    let joining = match found.joining {
        0 => String::new(),
        many => format!(", {many} are joined without a look"),
    };
    format!(
        "{} customers, {} pairs compared: {} surely one person, {} to be looked at; {noted}{joining}",
        found.customers, found.compared, found.automatic, found.review
    )
}

fn in_json(found: &Found) -> Value {
    let [read, compared] = found.took.map(|took| took.as_millis() as u64);
    json!({
        "customers": found.customers, "compared": found.compared, "automatic": found.automatic, "review": found.review,
        "noted": found.noted, "joining": found.joining, "held": found.held, "beyond": found.beyond, "model": found.learnt, "read_ms": read, "compare_ms": compared,
    })
}
