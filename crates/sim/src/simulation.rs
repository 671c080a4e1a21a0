//! The simulation: random trade, drawn from a seed, done by the real engine and by the model; whatever one of them says or has and
//! the other does not is a bug in one of them, told with the recipe to see it again.

mod between;
mod change;
mod compare;
mod draw;
mod goods;
mod later;
mod real;

use std::collections::{BTreeMap, VecDeque};

use domain::change::{AddedAt, Rule};
use domain::count::Tolerance;
use domain::location::Kind as LocationKind;
use domain::market::{CapturePolicy, HoldPolicy};
use domain::payment::Kind as PaymentKind;
use domain::returns::policy::{Scope, Terms, When};
use domain::stock::selling::{Rule as SellingRule, WhenOut};
use domain::value::id::{Channel, DeliveryMethod};
use domain::value::{Id, Reference};
use engine::catalogue::NewVariant;
use engine::change::rule as change_rule;
use engine::count::rule::{self as count_rule, Rule as CountRule};
use engine::delivery::sending::{self, Sending};
use engine::location::{self, LocationChange};
use engine::market::NewChannel;
use engine::returns::policy::{self, Draft};

use crate::chance::Chance;
use crate::model::{self, Command, Model, Plan};
use crate::retailer::{a_channel, a_variant};
use crate::shop::OPENING;
use crate::{Retailer, TestShop};
use compare::Differences;
use engine::stock::selling;
use real::{Real, key};

/// Pieces everywhere are compared after so many commands; what a command touched, after each.
const STOCK_EVERY: u64 = 25;
/// The books are checked after so many commands.
const BOOKS_EVERY: u64 = 1000;
/// So many of the last commands are told when something is wrong.
const TOLD: usize = 25;
/// So many of the last answers are asked for again.
const REPEATED: usize = 30;
/// What a parcel costs, in minor units.
const PARCEL: i64 = 395;
/// Answers are asked for again unless time passed by more than this: the shop forgets them after a week.
const ANSWERS_KEPT_SECONDS: i64 = 86_400;
/// When channels give the money of announced returns back that do not wait for inspection.
const PAYS_RETURNS: [(&str, When); 2] = [("app", When::BeforeReceipt), ("till-leeds", When::AfterReceipt)];
/// Each variant is made a second after the one before, so that ids come in the order of numbers.
const VARIANTS_SECONDS: i64 = 9;
/// More pieces than these that differ at York are counted again.
const RECOUNTED_BEYOND: i64 = 1;
/// When what is pre-ordered of one variant is released.
const RELEASED_SECONDS: i64 = 30 * 86_400;
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
        let (plan, real) = open_shop(shop);
        Simulation {
            chance: Chance::new(seed),
            model: Model { now: VARIANTS_SECONDS, ..Model::new(plan) },
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
            self.real.note_transfers().map_err(|error| error.to_string())?;
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
        let all = [
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
        other => format!("{other:?}"),
    };
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// Four locations, each with a peculiarity; a web shop and an app that sell from everywhere, two tills; six goods, two kits and a service.
fn open_shop(shop: TestShop) -> (Plan, Real) {
    let retailer = Retailer::open(&shop, &["leeds", "york", "hull", "bath"]);
    limit(&shop, &retailer);
    let (mut channels, mut channel_ids) = (Vec::new(), Vec::new());
    for (new, planned) in planned_channels(&retailer) {
        channels.push(planned);
        channel_ids.push(retailer.channel(&shop, new).id);
    }
    write_rules(&shop, &retailer, &channel_ids);
    let (mut variants, mut ids) = (Vec::new(), Vec::new());
    for (number, price) in [499, 1250, 333, 5, 10_000, 77].into_iter().enumerate() {
        shop.pass(1);
        ids.push(retailer.sell(&shop, &format!("SKU-{number}"), price));
        variants.push(model::Variant { price, takes: vec![(number, 1)], stocked: true });
    }
    for (price, takes) in [(2199, vec![(0, 2), (1, 1)]), (1500, vec![(1, 1), (2, 3)])] {
        let parts: Vec<_> = takes.iter().map(|(part, each)| (ids[*part], *each)).collect();
        shop.pass(1);
        ids.push(retailer.sell_kit(&shop, &format!("KIT-{price}"), &parts, price));
        variants.push(model::Variant { price, takes, stocked: false });
    }
    let wrapping = NewVariant { service: true, ..a_variant("WRAP") };
    shop.pass(1);
    ids.push(retailer.sell_variant(&shop, wrapping, 250));
    variants.push(model::Variant { price: 250, takes: Vec::new(), stocked: false });
    let everything =
        model::Location { can_ship: true, can_receive: true, can_return: true, recounts_beyond: None };
    let locations = vec![
        everything.clone(),
        model::Location { recounts_beyond: Some(RECOUNTED_BEYOND), ..everything.clone() },
        model::Location { can_receive: false, ..everything.clone() },
        model::Location { can_ship: false, can_return: false, ..everything },
    ];
    let parcel = retailer.parcel(&shop, PARCEL, &["web", "app"]);
    let collected = retailer.collecting(&shop, &["web", "app"]);
    let sent = sending(&shop, &retailer);
    let real = Real {
        shop,
        parcel,
        collected,
        sent,
        variants: ids,
        locations: retailer.locations,
        channels: channel_ids,
        carts: Vec::new(),
        orders: Vec::new(),
        asides: Vec::new(),
        transfers: Vec::new(),
        counts: Vec::new(),
        expected: Vec::new(),
    };
    sell_what_is_not_there(&real, &channels);
    (Plan { parcel: PARCEL, channels, variants, locations }, real)
}

/// Collecting where others send what is not there.
fn sending(shop: &TestShop, retailer: &Retailer) -> Id<DeliveryMethod> {
    let method = retailer.collecting_as(shop, "collect-sent", &["web", "app"]);
    let sending = Sending { network: retailer.network, days: 2 };
    let set = shop.run(move |tx, actor, world| sending::set(tx, actor, world, method, Some(sending)));
    set.expect("sending");
    method
}

/// Hull receives nothing; Bath ships nothing and takes nothing back.
fn limit(shop: &TestShop, retailer: &Retailer) {
    let (hull, bath) = (retailer.locations[2], retailer.locations[3]);
    let limited = shop.run(move |tx, actor, world| {
        let hull_change = LocationChange { can_receive: Some(false), ..no_change() };
        location::update(tx, actor, world, (&Reference::Id(hull), Some(1)), hull_change)?;
        let bath_change = LocationChange { can_ship: Some(false), can_return: Some(false), ..no_change() };
        location::update(tx, actor, world, (&Reference::Id(bath), Some(1)), bath_change)
    });
    limited.expect("locations change");
}

/// When returns of each channel are paid, and when York counts again.
fn write_rules(shop: &TestShop, retailer: &Retailer, channels: &[Id<Channel>]) {
    let (location, channels) = (retailer.locations[1], channels.to_vec());
    let written = shop.run(move |tx, actor, world| {
        let tolerance = Tolerance { pieces: Some(RECOUNTED_BEYOND), ..Tolerance::default() };
        let rule =
            CountRule { location, tolerance, other_colleague: false, each_day: 0, next_at: world.now() };
        count_rule::set(tx, actor, world, rule)?;
        for channel in &channels {
            let code = store::market::find_channel(tx, *channel)?.expect("the channel is there").code;
            change_rule::set(tx, actor, world, (*channel, changes_of(&code)))?;
            let Some((_, when)) = PAYS_RETURNS.iter().find(|(paid, _)| *paid == code) else { continue };
            let scope = Scope { channel: Some(*channel), ..Scope::default() };
            let terms = Terms { when: *when, ..Terms::open() };
            policy::create(tx, actor, world, code.clone(), Draft { name: code, scope, active: true, terms })?;
        }
        Ok(())
    });
    written.expect("rules");
}

fn no_change() -> LocationChange {
    LocationChange {
        name: None,
        kind: None::<LocationKind>,
        can_ship: None,
        can_pick_up: None,
        can_receive: None,
        can_return: None,
        active: None,
        zone: None,
        hours: None,
        address: None,
        coordinates: None,
        cut_off: None,
        capacity: None,
        preparation_minutes: None,
    }
}

fn planned_channels(retailer: &Retailer) -> Vec<(NewChannel, model::Channel)> {
    let new = |code: &str| a_channel(code, retailer.market, retailer.network);
    let till = |code: &str, place: usize| NewChannel {
        location: Some(Reference::Id(retailer.locations[place])),
        kind: domain::market::Kind::Till,
        ..new(code)
    };
    let all = [
        (new("web"), None),
        (
            NewChannel {
                hold_policy: HoldPolicy::AtCart,
                stock_threshold: 1,
                capture_policy: CapturePolicy::AtFulfilment,
                ..new("app")
            },
            None,
        ),
        (till("till-leeds", 0), Some(0)),
        (
            NewChannel {
                hold_policy: HoldPolicy::AtCart,
                payment_kinds: vec![PaymentKind::Cash, PaymentKind::Test],
                ..till("till-bath", 3)
            },
            Some(3),
        ),
    ];
    all.into_iter().map(|(new, location)| (new.clone(), planned(&new, location))).collect()
}

/// What of which variants each channel sells though it is not there.
fn when_out(channel: &str) -> Vec<(usize, SellingRule)> {
    let none = SellingRule::REFUSE;
    let back = |cap| SellingRule { when_out: WhenOut::BackOrder, cap: Some(cap), lead_days: Some(3), ..none };
    let pre = |releases_at| SellingRule { when_out: WhenOut::PreOrder, releases_at, ..none };
    match channel {
        "web" => vec![(0, back(6)), (1, pre(None)), (3, pre(Some(OPENING.plus_seconds(RELEASED_SECONDS))))],
        "app" => vec![(1, SellingRule { cap: Some(4), ..pre(None) }), (2, back(3))],
        _ => Vec::new(),
    }
}

fn sell_what_is_not_there(real: &Real, channels: &[model::Channel]) {
    for (channel, planned) in real.channels.iter().copied().zip(channels) {
        for (variant, rule) in planned.when_out.iter().copied() {
            let variant = real.variants[variant];
            let set = real.shop.run(move |tx, actor, world| {
                let named = (&Reference::Id(channel), Some(&Reference::Id(variant)));
                selling::set(tx, actor, world, named, rule)
            });
            set.expect("a selling rule");
        }
    }
}

/// What channels allow of changes of orders: the app sells more at the price of the order, and charges the delivery anew.
fn changes_of(channel: &str) -> Rule {
    if channel == "app" {
        Rule { delivery_anew: true, added_at: AddedAt::Original, preview_minutes: 5, ..Rule::usual() }
    } else {
        Rule::usual()
    }
}

fn planned(new: &NewChannel, location: Option<usize>) -> model::Channel {
    model::Channel {
        location,
        holds: new.hold_policy == HoldPolicy::AtCart,
        threshold: new.stock_threshold,
        captures_at_order: new.capture_policy == CapturePolicy::AtOrder,
        delivers: location.is_none(),
        payment_kinds: new.payment_kinds.clone(),
        hold_seconds: new.hold_minutes * 60,
        cart_seconds: new.cart_expiry_minutes * 60,
        payment_seconds: new.payment_minutes * 60,
        collect_seconds: new.collect_days * 86_400,
        when_out: when_out(&new.code),
        changes: changes_of(&new.code),
        pays_returns: PAYS_RETURNS
            .iter()
            .find(|(code, _)| *code == new.code)
            .map_or(When::AfterInspection, |one| one.1),
    }
}
