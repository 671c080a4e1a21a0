//! How well and how fast persons are matched: `matching febrl FILE…` on records whose persons are known, `matching million [PERSONS]` on
//! people who do not exist. Prints rows of a table. tests/matching/run.sh gets the files and runs it.

#![expect(clippy::print_stdout, reason = "this program prints a table")]

mod people;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::time::{Duration, Instant};

use domain::customer::matching::block::{Key, candidates, finer, keys};
use domain::customer::matching::bulk::{BLOCK_MAX, Effort, Found, Pair, Threads, pairs};
use domain::customer::matching::cluster::{Linkage, clusters};
use domain::customer::matching::model::{BIT, Model, Parts, probability_ppm};
use domain::customer::matching::person::{Facts, Place};
use domain::customer::matching::train::train;
use domain::customer::matching::{Crowd, Person, pattern};

const SEED: u64 = 7;
const FLOOR: i32 = -10 * BIT;
const ABSENT: i32 = -12 * BIT;
/// So many records are asked about, each so often.
const ASKED: u32 = 5_000;
const RUNS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((which, files)) if which == "febrl" => files.iter().try_for_each(|file| febrl(file)),
        Some((which, rest)) if which == "million" => {
            million(rest.first().map_or(Ok(1_000_000), |many| many.parse())?)
        }
        _ => Err("say: matching febrl FILE… | matching million [PERSONS]".into()),
    }
}

/// What was done, the time by the clock, and the processor time of all threads.
#[expect(clippy::disallowed_methods, reason = "what is measured here is time")]
fn timed<R>(work: impl FnOnce() -> R) -> (R, Taken) {
    let (began, processor_began) = (Instant::now(), processor());
    let done = work();
    (done, Taken { clock: began.elapsed(), processor: processor().saturating_sub(processor_began) })
}

/// How long something took. On a machine that is shared, only the processor time can be compared.
struct Taken {
    clock: Duration,
    processor: Duration,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:.1?} (processor {:.1?})", self.clock, self.processor)
    }
}

/// The processor time of this process, in hundredths of a second.
fn processor() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = told.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Precision, recall and F1 of pairs, in a row.
fn row(what: &str, right: u64, wrong: u64, all: u64) {
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    println!(
        "| {what} | {:.4} | {:.4} | {:.4} |",
        share(right, right + wrong),
        share(right, all),
        share(2 * right, right + wrong + all)
    );
}

/// Prints how good the pairs are that clusters make, from a score on.
fn judge<W: Ord>(what: &str, found: &Found, least: i32, whose: &[W]) -> Taken {
    let scored: Vec<(u32, u32, i32)> =
        found.pairs.iter().map(|pair| (pair.one, pair.other, pair.score)).collect();
    let (clusters, taken) = timed(|| clusters(&scored, Linkage { least, absent: ABSENT }));
    let (mut right, mut wrong) = (0, 0);
    for members in clusters {
        for (at, one) in members.iter().enumerate() {
            for other in &members[at + 1..] {
                let is_right = whose[*one as usize] == whose[*other as usize];
                *(if is_right { &mut right } else { &mut wrong }) += 1;
            }
        }
    }
    row(what, right, wrong, same_pairs(whose));
    taken
}

/// How many pairs are of one person.
fn same_pairs<W: Ord>(whose: &[W]) -> u64 {
    let mut many: BTreeMap<&W, u64> = BTreeMap::new();
    whose.iter().for_each(|person| *many.entry(person).or_default() += 1);
    many.values().map(|many| many * (many - 1) / 2).sum()
}

/// Records of FEBRL; the number of the person stands in the name of the record only.
fn febrl(file: &str) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(file)?;
    let (mut whose, mut persons) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let [name, given, family, number, street, premises, city, postal_code, region, birth] = columns[..]
        else {
            return Err(format!("{file}: not ten columns: {line}").into());
        };
        whose.push(name.split('-').nth(1).ok_or("a record without a name")?.to_owned());
        let own = |text: &str| vec![text.to_owned()];
        persons.push(Person::new(&Facts {
            given_names: own(given),
            family_names: own(family),
            birth_dates: own(birth),
            addresses: vec![Place {
                street: vec![format!("{number} {street}"), premises.to_owned()],
                postal_code: Some(postal_code.to_owned()),
                city: Some(city.to_owned()),
                region: Some(region.to_owned()),
            }],
            ..Facts::default()
        }));
    }
    let crowd: Crowd = persons.into_iter().collect();
    let begin = Model::built_in().among(crowd.len());
    println!("\n{file}: {} records\n\n| what | precision | recall | F1 |\n|---|---|---|---|", crowd.len());
    let effort = Effort { threads: Threads::Two, floor: FLOOR };
    judge("never trained: more likely than not", &pairs(&crowd, &begin, effort)?, 0, &whose);
    let (model, training) = timed(|| train(&crowd, &begin, SEED));
    let model = model?;
    let (found, scoring) = timed(|| pairs(&crowd, &model, effort));
    let (found, bands) = (found?, model.parts().bands);
    judge("trained: more likely than not", &found, 0, &whose);
    judge("trained: joined without a look", &found, bands.automatic, &whose);
    let alone = Parts { household: 100 * BIT, ..model.parts().clone() };
    let alone = pairs(&crowd, &Model::new(alone)?, effort)?;
    judge("trained, as if nobody lived together: more likely than not", &alone, 0, &whose);
    println!("prior {}, household {}", model.parts().prior, model.parts().household);
    let reached = pairs(&crowd, &model, Effort { floor: i32::MIN, ..effort })?;
    let is_same = |pair: &&Pair| whose[pair.one as usize] == whose[pair.other as usize];
    let (reached, all) = (reached.pairs.iter().filter(is_same).count() as u64, same_pairs(&whose));
    println!("\n{reached} of {all} pairs are compared, among {} in all; bands {bands:?}", found.compared);
    println!("training {training}, comparing {scoring}");
    Ok(())
}

/// A million people who do not exist.
fn million(many: usize) -> Result<(), Box<dyn Error>> {
    let (people, making) = timed(|| people::make(many, SEED));
    let before = memory_megabytes();
    let (crowd, gathering) = timed(|| people.facts.iter().map(Person::new).collect::<Crowd>());
    let facts: Vec<Facts> = people.facts.into_iter().step_by((many / ASKED as usize).max(1)).collect();
    let model = Model::built_in().among(crowd.len());
    let effort = Effort { threads: Threads::Two, floor: FLOOR };
    let (found, scoring) = timed(|| pairs(&crowd, &model, effort));
    let found = found?;
    println!("\n{} records\n\n| what | precision | recall | F1 |\n|---|---|---|---|", crowd.len());
    let clustering = judge("never trained: more likely than not", &found, 0, &people.whose);
    let automatic = model.parts().bands.automatic;
    judge("never trained: joined without a look", &found, automatic, &people.whose);
    println!("\nmaking them up {making}, which is not counted");
    println!("reading {gathering} + pairs {scoring} + clusters {clustering}");
    println!(
        "{} compared, {} kept; blocks parted {}, left out {:?}",
        found.compared,
        found.pairs.len(),
        found.parted,
        found.left_out
    );
    println!("memory at its most {} MB; {before} MB were the raw records", memory_most_megabytes());
    ask(&crowd, &model, &facts);
    let (trained, training) = timed(|| train(&crowd, &model, SEED));
    let trained = trained?;
    let (found, bands) = (pairs(&crowd, &trained, effort)?, trained.parts().bands);
    judge("trained: more likely than not", &found, 0, &people.whose);
    judge("trained: joined without a look", &found, bands.automatic, &people.whose);
    println!("prior {}, household {}, {bands:?}", trained.parts().prior, trained.parts().household);
    println!("training {training}; memory at its most {} MB", memory_most_megabytes());
    calibration(&found, &people.whose);
    Ok(())
}

/// How many pairs are wrong, and how many the model says are, by their score in bits.
fn calibration(found: &Found, whose: &[u32]) {
    println!("\n| bits | pairs | two persons | as the model says |\n|---|---|---|---|");
    for (from, below) in [(-4, -2), (-2, 0), (0, 2), (2, 4), (4, 6), (6, 8), (8, 12), (12, 99)] {
        let within = |pair: &&Pair| (from * BIT..below * BIT).contains(&pair.score);
        let (mut all, mut wrong, mut said) = (0, 0, 0.0);
        for pair in found.pairs.iter().filter(within) {
            all += 1;
            wrong += u32::from(whose[pair.one as usize] != whose[pair.other as usize]);
            said += 1.0 - f64::from(probability_ppm(pair.score)) / 1e6;
        }
        println!("| {from} to {below} | {all} | {wrong} | {said:.1} |");
    }
}

/// One record against all: its keys, whom they find, and their scores.
fn ask(crowd: &Crowd, model: &Model, facts: &[Facts]) {
    let mut index: HashMap<Key, Vec<u32>> = HashMap::new();
    for at in 0..crowd.len() {
        keys(&crowd.one(at)).into_iter().for_each(|key| index.entry(key).or_default().push(at));
    }
    let large: Vec<Key> =
        index.iter().filter(|(_, all)| all.len() > BLOCK_MAX).map(|(key, _)| *key).collect();
    for key in &large {
        for at in index.remove(key).unwrap_or_default() {
            finer(&crowd.one(at), *key).into_iter().for_each(|key| index.entry(key).or_default().push(at));
        }
    }
    let (mut micros, mut scored) = (Vec::new(), 0);
    for facts in facts {
        let mut asked = facts.clone();
        asked.phones.clear();
        // The least of a few runs: what others do on the machine does not count.
        let runs = (0..RUNS).map(|_| timed(|| best(crowd, model, &index, &Person::new(&asked))));
        let (count, least) = runs
            .map(|((_, count), taken)| (count, taken.clock))
            .min_by_key(|(_, clock)| *clock)
            .unwrap_or_default();
        scored += count;
        micros.push(least.as_micros());
    }
    micros.sort_unstable();
    let at = |share: usize| micros[(micros.len() * share / 1000).min(micros.len() - 1)];
    println!(
        "one record against {}: p50 {} µs, p99 {} µs, p99.9 {} µs; {} candidates on average, {} asked",
        crowd.len(),
        at(500),
        at(990),
        at(999),
        scored / micros.len(),
        micros.len()
    );
}

/// The best score of anybody who shares a key, and how many were scored.
fn best(
    crowd: &Crowd,
    model: &Model,
    index: &HashMap<Key, Vec<u32>>,
    person: &Person,
) -> (Option<i32>, usize) {
    let mut found: Vec<(Key, Vec<u32>)> = Vec::new();
    for key in keys(person) {
        let asked = if index.contains_key(&key) { vec![key] } else { finer(person, key) };
        let block = |key: Key| Some((key, index.get(&key).filter(|all| all.len() <= BLOCK_MAX)?.clone()));
        found.extend(asked.into_iter().filter_map(block));
    }
    let others = candidates(&found);
    let scores = others.iter().map(|at| model.score(&pattern(person, &crowd.person(*at))));
    (scores.max(), others.len())
}

fn memory_megabytes() -> u64 {
    status("VmRSS:")
}

fn memory_most_megabytes() -> u64 {
    status("VmHWM:")
}

/// A figure of this process, where the system tells.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
