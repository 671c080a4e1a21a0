//! The simulation: random trade, drawn from a seed, done by the real engine and by the model; whatever one of them says or has and
//! the other does not is a bug in one of them, told with the recipe to see it again.

mod between;
mod change;
mod claim;
mod compare;
mod credit;
mod draw;
mod goods;
mod later;
mod opening;
mod real;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::TestShop;
use crate::chance::Chance;
use crate::model::{Command, Model};
use compare::Differences;
use opening::{VARIANTS_SECONDS, open_shop};
use real::{Real, key};

/// Pieces everywhere are compared after so many commands; what a command touched, after each.
const STOCK_EVERY: u64 = 25;
/// The books are checked after so many commands.
const BOOKS_EVERY: u64 = 1000;
/// So many of the last commands are told when something is wrong.
const TOLD: usize = 25;
/// So many of the last answers are asked for again.
const REPEATED: usize = 30;
/// Answers are asked for again unless time passed by more than this: the shop forgets them after a week.
const ANSWERS_KEPT_SECONDS: i64 = 86_400;
/// The lots of so many of a member's newest orders are compared when something of them changed; all of them at the end.
const LOTS_COMPARED: usize = 40;
/// So many of 100 commands were asked before.
const REPEAT_PERCENT: u64 = 4;

/// What a simulation did, to see that it did something.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Commands done, by name.
    pub done: BTreeMap<String, u64>,
    /// Commands refused, by name and code.
    pub refused: BTreeMap<String, u64>,
    /// Orders at the end.
    pub orders: usize,
    /// Their payments, by kind and state.
    pub payments: BTreeMap<String, u64>,
}

/// Plays `commands` random commands that follow from `seed` in an empty shop.
///
/// # Errors
/// What differs between the engine and the model, with the last commands and how to run them again.
pub fn play(shop: TestShop, seed: u64, commands: u64) -> Result<Told, String> {
    let mut simulation = Simulation::open(shop, seed);
    for step in 1..=commands {
        let differences = simulation.step(step).unwrap_or_else(|wrong| vec![wrong]);
        if !differences.is_empty() {
            return Err(simulation.recipe(seed, step, &differences));
        }
    }
    simulation.told.orders = simulation.model.orders.len();
    for one in simulation.model.orders.iter().flat_map(|order| &order.payments) {
        let name = format!("{} {}", one.kind.text(), one.state.text());
        *simulation.told.payments.entry(name).or_insert(0) += 1;
    }
    match simulation.compare_all() {
        differences if differences.is_empty() => Ok(simulation.told),
        differences => Err(simulation.recipe(seed, commands, &differences)),
    }
}

struct Simulation {
    chance: Chance,
    model: Model,
    real: Real,
    told: Told,
    last: VecDeque<String>,
    answered: VecDeque<(u64, Command, String)>,
}

impl Simulation {
    fn open(shop: TestShop, seed: u64) -> Simulation {
        let (plan, real, credits) = open_shop(shop);
        let members = real.members.iter().map(|_| Rc::default()).collect();
        let credits = credits.into_iter().map(Rc::new).collect();
        Simulation {
            chance: Chance::new(seed),
            model: Model { now: VARIANTS_SECONDS, credits, members, ..Model::new(plan) },
            real,
            told: Told::default(),
            last: VecDeque::new(),
            answered: VecDeque::new(),
        }
    }

    /// One command on both sides, and what differs afterwards.
    fn step(&mut self, step: u64) -> Result<Differences, String> {
        self.real.shop.pass(1);
        self.model.now += 1;
        if !self.answered.is_empty() && self.chance.happens(REPEAT_PERCENT) {
            self.repeat()?;
        } else {
            let command = draw::command(&mut self.chance, &self.model);
            self.note(format!("{step}: {command:?}"));
            self.obey(step, command)?;
        }
        let mut differences = self.compare_touched()?;
        if step.is_multiple_of(STOCK_EVERY) {
            differences.extend(compare::stock(&self.real, &self.model).map_err(|error| error.to_string())?);
        }
        if step.is_multiple_of(BOOKS_EVERY) {
            differences.extend(compare::books(&self.real).map_err(|error| error.to_string())?);
        }
        Ok(differences)
    }

    fn note(&mut self, line: String) {
        self.last.push_back(line);
        if self.last.len() > TOLD {
            self.last.pop_front();
        }
    }

    fn obey(&mut self, step: u64, command: Command) -> Result<(), String> {
        let expected = self.model.apply(&command);
        let name = name_of(&command);
        if let Command::Pass { seconds } = command {
            self.real.pass(seconds).map_err(|error| error.to_string())?;
            self.note_made()?;
            *self.told.done.entry(name).or_insert(0) += 1;
            if seconds > ANSWERS_KEPT_SECONDS {
                self.answered.clear();
            }
            return Ok(());
        }
        match (expected, self.real.perform(key(step, &command), &command)) {
            (Ok(()), Ok(answer)) if !answer.repeated => {
                self.real.note(&command, &answer.body);
                self.real.note_counts(&command).map_err(|error| error.to_string())?;
                self.note_made()?;
                *self.told.done.entry(name).or_insert(0) += 1;
                self.answered.push_back((step, command, answer.body));
                if self.answered.len() > REPEATED {
                    self.answered.pop_front();
                }
                Ok(())
            }
            (Err(code), Err(failure)) if real::code(&failure)? == code => {
                *self.told.refused.entry(format!("{name} {}", code.text())).or_insert(0) += 1;
                Ok(())
            }
            (expected, outcome) => {
                let said = outcome.map_or_else(|failure| failure.to_string(), |answer| format!("{answer:?}"));
                Err(format!("the model says {expected:?}, the engine says {said}"))
            }
        }
    }

    /// Learns the ids of what the engine made by itself, where the model made something by itself.
    fn note_made(&mut self) -> Result<(), String> {
        if self.model.transfers.len() > self.real.transfers.len() {
            let made = self.model.transfers[self.real.transfers.len()..].iter();
            let made: Vec<_> = made.map(|one| (one.waiting, one.source)).collect();
            self.real.note_transfers(&made).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// An answer asked for again is the same, and under its key nothing else is done.
    fn repeat(&mut self) -> Result<(), String> {
        let place = self.chance.below(self.answered.len() as u64) as usize;
        let (step, command, body) = self.answered[place].clone();
        self.note(format!("again {step}: {command:?}"));
        let again = self.real.perform(key(step, &command), &command).map_err(|error| error.to_string())?;
        if !again.repeated || again.body != body {
            return Err(format!("asked again, the engine answers {again:?} and not {body:?}"));
        }
        let other = Command::Pass { seconds: 0 };
        let reused = self.real.perform(key(step, &other), &command);
        let code = reused.as_ref().err().map(real::code).transpose()?;
        match code {
            Some(domain::Code::IdempotencyKeyReused) => Ok(()),
            _ => Err(format!("a key used for another input is answered {reused:?}")),
        }
    }

    fn compare_touched(&mut self) -> Result<Differences, String> {
        let touched = std::mem::take(&mut self.model.touched);
        let (carts, orders): (Vec<_>, Vec<_>) =
            (touched.carts.into_iter().collect(), touched.orders.into_iter().collect());
        let mut differences =
            compare::carts(&self.real, &self.model, &carts).map_err(|error| error.to_string())?;
        differences
            .extend(compare::orders(&self.real, &self.model, &orders).map_err(|error| error.to_string())?);
        let expected: Vec<_> = touched.expected.into_iter().collect();
        differences.extend(
            compare::expected(&self.real, &self.model, &expected).map_err(|error| error.to_string())?,
        );
        let credits: Vec<_> = touched.credits.into_iter().collect();
        let members: Vec<_> = touched.members.into_iter().collect();
        credit::rank(&self.real, &mut self.model, &members).map_err(|error| error.to_string())?;
        let found = credit::members(&self.real, &self.model, (&members, LOTS_COMPARED));
        differences.extend(found.map_err(|error| error.to_string())?);
        let found = credit::credits(&self.real, &self.model, &credits);
        differences.extend(found.map_err(|error| error.to_string())?);
        let (transfers, counts): (Vec<_>, Vec<_>) =
            (touched.transfers.into_iter().collect(), touched.counts.into_iter().collect());
        let between = compare::between(&self.real, &self.model, (&transfers, &counts));
        differences.extend(between.map_err(|error| error.to_string())?);
        Ok(differences)
    }

    /// Everything there is.
    fn compare_all(&self) -> Differences {
        let carts: Vec<_> = (0..self.model.carts.len()).collect();
        let orders: Vec<_> = (0..self.model.orders.len()).collect();
        let transfers: Vec<_> = (0..self.model.transfers.len()).collect();
        let counts: Vec<_> = (0..self.model.counts.len()).collect();
        let expected: Vec<_> = (0..self.model.expected.len()).collect();
        let credits: Vec<_> = (0..self.model.credits.len()).collect();
        let members: Vec<_> = (0..self.model.members.len()).collect();
        let all = [
            credit::credits(&self.real, &self.model, &credits),
            credit::members(&self.real, &self.model, (&members, usize::MAX)),
            compare::expected(&self.real, &self.model, &expected),
            compare::stock(&self.real, &self.model),
            compare::carts(&self.real, &self.model, &carts),
            compare::orders(&self.real, &self.model, &orders),
            compare::between(&self.real, &self.model, (&transfers, &counts)),
            compare::books(&self.real),
        ];
        all.into_iter().flat_map(|found| found.unwrap_or_else(|error| vec![error.to_string()])).collect()
    }

    fn recipe(&self, seed: u64, step: u64, differences: &[String]) -> String {
        let last = self.last.iter().map(|line| format!("  {line}\n")).collect::<String>();
        format!(
            "seed {seed}, step {step}:\n{}\nthe last commands:\n{last}\
             to see it again: TANDEM_SIM_SEED={seed} TANDEM_SIM_COMMANDS={step} cargo nextest run -p sim replay_random_trade",
            differences.join("\n")
        )
    }
}

/// The name of a command; of a step, the step's.
fn name_of(command: &Command) -> String {
    let text = match command {
        Command::GoOn { step, .. } => format!("{step:?}"),
        Command::GoOnWithTransfer { step, .. } => format!("Transfer{step:?}"),
        Command::GoOnWithCount { step, .. } => format!("Count{step:?}"),
        Command::GoOnWithExpected { step, .. } => format!("Expected{step:?}"),
        Command::GoOnWithReturn { step, .. } => format!("Return{step:?}"),
        Command::Parcel { step, .. } => format!("Parcel{step:?}"),
        Command::GoOnWithClaim { step, .. } => format!("Claim{step:?}"),
        other => format!("{other:?}"),
    };
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
