//! What a person can choose on the page of preferences, and what follows from a choice: only what differs from what holds is said.

use domain::actor::Actor;
use domain::consent::{Basis, Cell, Medium, Source, Status};
use domain::value::Instant;
use store::Tx;

use super::link::{self, Deed};
use super::purpose::{self, Purpose, Topic};
use super::subscriber::{self, Subscriber};
use super::{Evidence, SAID_MAX, Said, Standing, of, write};
use crate::{Failure, World};

/// The longest pause, in days.
pub const PAUSE_DAYS_MAX: i64 = 365;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// One thing that is switched on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What of.
    pub cell: Cell,
    /// How the person stands to it.
    pub standing: Option<Status>,
}

impl Choice {
    /// Is it on?
    pub fn is_on(&self) -> bool {
        self.standing == Some(Status::Granted)
    }
}

/// What can be chosen of one purpose.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The purpose.
    pub purpose: Purpose,
    /// The purpose as a whole, over each medium.
    pub whole: Vec<Choice>,
    /// Each topic, over mail.
    pub topics: Vec<(Topic, Choice)>,
}

/// Everything that a subscriber can choose.
///
/// # Errors
/// What the store says.
pub fn choices(tx: &mut Tx<'_>, one: &Subscriber, now: Instant) -> Result<Vec<Choices>, Failure> {
    let standing = of(tx, one.id, now)?;
    let topics: Vec<Topic> = purpose::topics(tx)?.into_iter().filter(|topic| topic.active).collect();
    let purposes = purpose::list(tx)?.into_iter();
    let chosen = purposes.filter(|purpose| purpose.active && purpose.basis != Basis::Contract);
    Ok(chosen.map(|purpose| choices_of(purpose, &topics, &standing)).collect())
}

fn choices_of(purpose: Purpose, topics: &[Topic], standing: &Standing) -> Choices {
    let choice = |medium, topic: &str| {
        let cell = Cell { purpose: purpose.code.clone(), medium, topic: topic.to_owned() };
        Choice { standing: standing.to(&cell), cell }
    };
    if !sends(&purpose, standing) {
        return Choices { whole: vec![choice(Medium::Every, "")], topics: Vec::new(), purpose };
    }
    let said = |medium: &Medium| {
        standing.held.iter().any(|(held, _)| held.cell.purpose == purpose.code && held.cell.medium == *medium)
    };
    let media = Medium::ALL
        .iter()
        .copied()
        .filter(|medium| *medium == Medium::Mail || (*medium != Medium::Every && said(medium)));
    let whole = media.map(|medium| choice(medium, "")).collect();
    let topics = topics.iter().map(|topic| (topic.clone(), choice(Medium::Mail, &topic.code))).collect();
    Choices { whole, topics, purpose }
}

/// Are messages sent for a purpose? It is so when a yes to it must be confirmed, or was given for a way to send.
fn sends(purpose: &Purpose, standing: &Standing) -> bool {
    let by_message = |medium: Medium| !matches!(medium, Medium::Every | Medium::Web);
    purpose.double_opt_in
        || standing
            .held
            .iter()
            .any(|(held, _)| held.cell.purpose == purpose.code && by_message(held.cell.medium))
}

/// Keeps a choice: what is in `wanted` is on, everything else that could be chosen is off.
///
/// # Errors
/// As [`link::read`].
pub fn choose(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    wanted: &[Cell],
    evidence: &Evidence,
) -> Result<(), Failure> {
    let (one, actor) = chooser(tx, world, token)?;
    let all = choices(tx, &one, world.now())?;
    let mut said: Vec<Said> = all.iter().flat_map(|choices| follows(choices, wanted)).collect();
    said.truncate(SAID_MAX);
    if said.is_empty() {
        return Ok(());
    }
    let evidence = Evidence { source: Source::Preferences, ..evidence.clone() };
    write(tx, &actor, world, &one, &said, &evidence).map(drop)
}

/// What of a purpose differs from what holds. A whole that is switched off takes its topics along; single topics of a whole that was off
/// open it for themselves and for no other.
fn follows(choices: &Choices, wanted: &[Cell]) -> Vec<Said> {
    let is_wanted = |choice: &Choice| wanted.contains(&choice.cell);
    let topics = || choices.topics.iter().map(|(_, choice)| choice);
    let differs = |choice: &Choice| match (is_wanted(choice), choice.standing) {
        (true, Some(Status::Granted)) | (false, None | Some(Status::Denied | Status::Withdrawn)) => None,
        (on, _) => Some(say(choice, on)),
    };
    let mut said = Vec::new();
    for whole in &choices.whole {
        if whole.cell.medium != Medium::Mail {
            said.extend(differs(whole));
            continue;
        }
        match (whole.standing, is_wanted(whole)) {
            (Some(Status::Granted), false) => said.push(say(whole, false)),
            (Some(Status::Granted), true) => said.extend(topics().filter_map(differs)),
            (_, true) => {
                said.push(say(whole, true));
                said.extend(topics().filter(|choice| is_wanted(choice)).map(|choice| say(choice, true)));
            }
            (Some(Status::Denied | Status::Withdrawn), false) if topics().any(is_wanted) => {
                said.push(say(whole, true));
                said.extend(topics().map(|choice| say(choice, is_wanted(choice))));
            }
            (standing, false) => {
                said.extend((standing == Some(Status::Pending)).then(|| say(whole, false)));
                said.extend(topics().filter_map(differs));
            }
        }
    }
    said
}

fn say(choice: &Choice, on: bool) -> Said {
    Said { cell: choice.cell.clone(), status: if on { Status::Granted } else { Status::Withdrawn } }
}

/// Takes everything back for which messages are sent, whatever the medium.
///
/// # Errors
/// As [`link::read`].
pub fn unsubscribe(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    evidence: &Evidence,
) -> Result<(), Failure> {
    let (one, actor) = chooser(tx, world, token)?;
    let standing = of(tx, one.id, world.now())?;
    let purposes = purpose::list(tx)?;
    let said: Vec<Said> = purposes
        .iter()
        .filter(|purpose| purpose.basis != Basis::Contract && sends(purpose, &standing))
        .map(|purpose| Cell { purpose: purpose.code.clone(), medium: Medium::Every, topic: String::new() })
        .filter(|cell| !standing.to(cell).is_some_and(Status::refuses))
        .map(|cell| Said { cell, status: Status::Withdrawn })
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    let evidence = Evidence { source: Source::Preferences, ..evidence.clone() };
    write(tx, &actor, world, &one, &said, &evidence).map(drop)
}

/// Pauses what advertises for some days; none ends the pause.
///
/// # Errors
/// As [`link::read`].
pub fn pause(tx: &mut Tx<'_>, world: &mut World, token: &str, days: Option<i64>) -> Result<(), Failure> {
    let (one, _) = chooser(tx, world, token)?;
    let until = days.map(|days| world.now().plus_seconds(days.clamp(1, PAUSE_DAYS_MAX) * DAY));
    subscriber::pause(tx, one.id, until)
}

/// Who holds a link by which can be chosen, whom nobody else changes until the commit.
fn chooser(tx: &mut Tx<'_>, world: &World, token: &str) -> Result<(Subscriber, Actor), Failure> {
    let (link, deed, _) = link::read(tx, token, world.now())?;
    if deed == Deed::Verify {
        return Err(link::gone().into());
    }
    let one = subscriber::lock(tx, link.subscriber)?;
    let actor = link::holder(&one);
    Ok((one, actor))
}
