//! Counting: shelves are compared with the books while selling goes on, by several colleagues at once, and the differences are posted.

pub mod review;
pub mod rule;
pub mod tally;

use domain::actor::{Actor, Permission};
use domain::count::{LineState, Origin, State};
use domain::value::Id;
use domain::value::id::{Category, Count as CountKind, Location, Variant};
use domain::{Code, Refusal};
use serde_json::json;
use store::count::tally::Tally;
use store::count::{self as rows, find};
use store::{Tx, stock as shelves};

pub use store::count::{Count, Line};

use crate::event::emit;
use crate::stock::{must_be_stocked, must_be_there};
use crate::{Failure, World};

/// The most variants of one count.
pub const LINES_MAX: usize = 500;
/// How long a location gives none of a variant to orders after somebody missed it, in seconds.
const EXCLUDED_SECONDS: i64 = 24 * 3600;
/// The longest note, in characters.
pub const NOTE_MAX: usize = 200;

/// What is to be counted.
#[derive(Clone, Debug)]
pub enum Scope {
    /// These variants.
    Variants(Vec<Id<Variant>>),
    /// What lies on a shelf.
    Shelf(String),
    /// What a category and those below it have there.
    Categories(Vec<Id<Category>>),
    /// What looks wrong: missing, excluded, or wrong when it was last counted.
    Exceptions,
}

/// A count to be done.
#[derive(Clone, Debug)]
pub struct NewCount {
    /// Where.
    pub location: Id<Location>,
    /// What.
    pub scope: Scope,
    /// Is what the books have kept from who counts?
    pub blind: bool,
    /// The retailer's words, without personal data.
    pub note: Option<String>,
}

/// Asks for a count. What is in another open count there already is left to that one, unless it was named.
///
/// # Errors
/// [`Code::AlreadyExists`] for a named variant that is being counted there already; [`Code::NotFound`] when there is nothing to count.
pub fn request(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewCount) -> Result<Whole, Failure> {
    actor.may(Permission::PostCounts, Some(new.location))?;
    must_be_there(tx, new.location)?;
    let note = new.note.as_deref().map(str::trim);
    if note.is_some_and(|note| note.is_empty() || note.chars().count() > NOTE_MAX) {
        return Err(Refusal::invalid("note", format!("give 1 to {NOTE_MAX} characters")).into());
    }
    let most = LINES_MAX as i64;
    let (origin, variants) = match &new.scope {
        Scope::Variants(variants) => (Origin::List, named(tx, variants)?),
        Scope::Shelf(shelf) => (Origin::Shelf, find::on_shelf(tx, new.location, shelf, most)?),
        Scope::Categories(categories) => {
            (Origin::Category, find::in_categories(tx, new.location, categories, most)?)
        }
        Scope::Exceptions => (Origin::Exception, find::exceptions(tx, new.location, most)?),
    };
    let asked = Asked { location: new.location, origin, blind: new.blind, note, cause: None };
    let (count, lines) = ask(tx, actor, world, &asked, &variants)?;
    if lines == 0 {
        let message = "nothing there is to be counted that is not being counted already";
        return Err(Refusal::new(Code::NotFound, message).into());
    }
    whole(tx, actor, count)
}

/// Variants that were named, each once, all stocked.
fn named(tx: &mut Tx<'_>, variants: &[Id<Variant>]) -> Result<Vec<Id<Variant>>, Failure> {
    if variants.is_empty() || variants.len() > LINES_MAX {
        return Err(Refusal::invalid("variants", format!("name 1 to {LINES_MAX} variants")).into());
    }
    for variant in variants {
        must_be_stocked(tx, *variant)?;
    }
    let mut variants = variants.to_vec();
    variants.sort();
    variants.dedup();
    Ok(variants)
}

/// What is asked for, whoever asks.
struct Asked<'a> {
    location: Id<Location>,
    origin: Origin,
    blind: bool,
    note: Option<&'a str>,
    cause: Option<(&'static str, String)>,
}

/// Adds a count of the variants that are in no open count there; how many those are. None: no count.
fn ask(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    asked: &Asked<'_>,
    variants: &[Id<Variant>],
) -> Result<(Count, usize), Failure> {
    let count = Count {
        id: world.id(),
        location: asked.location,
        state: State::Requested,
        origin: asked.origin,
        blind: asked.blind,
        note: asked.note.map(str::to_owned),
        cause: asked.cause.as_ref().map(|(kind, id)| ((*kind).to_owned(), id.clone())),
        asked_at: world.now(),
        begun_at: None,
        counted_at: None,
        ended_at: None,
    };
    let mut lines = 0;
    for variant in variants {
        match rows::add_line(tx, &count, *variant)? {
            None => lines += 1,
            Some(other) if asked.origin == Origin::List => {
                let message = format!("{variant} is being counted there already, by count {other}");
                return Err(Refusal::new(Code::AlreadyExists, message).at("variants").into());
            }
            Some(_) => {}
        }
    }
    if lines > 0 {
        rows::add(tx, &count)?;
        let body = json!({
            "location": count.location.to_string(), "origin": count.origin.text(), "lines": lines,
            "cause": count.cause.as_ref().map(|(kind, id)| json!({ "kind": kind, "id": id }))
        });
        emit(tx, actor, world, count.id, "count.requested", body);
    }
    Ok((count, lines))
}

/// Pieces that the books have at a location were not found: it gives none of the variant to orders until the next day's count, which is
/// asked for.
///
/// # Errors
/// What the store says.
pub fn doubt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, location): (Id<Variant>, Id<Location>),
    (missing, cause): (i64, (&'static str, String)),
) -> Result<(), Failure> {
    let until = world.now().plus_seconds(EXCLUDED_SECONDS);
    shelves::exclude(tx, (variant, location), until)?;
    let body = json!({ "location": location.to_string(), "until": until.to_string(), "missing": missing });
    emit(tx, actor, world, variant, "stock.excluded", body);
    ask_for(tx, actor, world, location, variant, cause)?;
    Ok(())
}

/// A variant at a location is in doubt, by rule: somebody is to count it. While a count of it is open there, that is the one; if the
/// variant was counted in it already, it is counted again.
///
/// # Errors
/// What the store says.
pub fn ask_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    location: Id<Location>,
    variant: Id<Variant>,
    cause: (&'static str, String),
) -> Result<Id<CountKind>, Failure> {
    let asked = Asked { location, origin: Origin::Miss, blind: true, note: None, cause: Some(cause) };
    let (count, lines) = ask(tx, actor, world, &asked, &[variant])?;
    if lines > 0 {
        return Ok(count.id);
    }
    let Some(open) = rows::open_count(tx, variant, location)? else {
        // It ended between the two looks: look again.
        return Err(tx.begin_anew().into());
    };
    let mut count = rows::lock(tx, open)?.ok_or_else(|| Refusal::not_found("count", open))?;
    let line = rows::lines(tx, open)?.into_iter().find(|line| line.variant == variant);
    if let Some(line) = line.filter(|line| line.state == LineState::Counted && count.state.is_open()) {
        review::again(tx, actor, world, &mut count, vec![line])?;
    }
    Ok(open)
}

/// A count with its lines, as the asker may see them.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The count.
    pub count: Count,
    /// Its lines, in the order of shelves.
    pub lines: Vec<Seen>,
    /// May the asker see what the books have?
    pub sees_books: bool,
}

/// A line, with where it lies and what was counted of it until now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The line.
    pub line: Line,
    /// The shelf.
    pub shelf: Option<String>,
    /// What the books have on the shelf now, for an open line of a count that is not blind.
    pub booked_now: Option<i64>,
    /// What was counted in its round, by place and colleague.
    pub tallies: Vec<Tally>,
}

/// A count, for who counts at its location or looks at differences there. What the books have is told only to who reviews, and of a
/// blind count only when all is counted.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CountKind>) -> Result<Whole, Failure> {
    let count = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("count", id))?;
    may_see(actor, count.location)?;
    whole(tx, actor, count)
}

fn may_see(actor: &Actor, location: Id<Location>) -> Result<(), Refusal> {
    actor
        .may(Permission::CountStock, Some(location))
        .or_else(|refusal| actor.may(Permission::PostCounts, Some(location)).map_err(|_| refusal))
}

fn whole(tx: &mut Tx<'_>, actor: &Actor, count: Count) -> Result<Whole, Failure> {
    let reviews = actor.may(Permission::PostCounts, Some(count.location)).is_ok();
    let sees_books = !count.blind || (reviews && !count.state.takes_pieces());
    let lines = rows::lines(tx, count.id)?;
    let keys: Vec<_> = lines.iter().map(|line| line.variant.bytes()).collect();
    let levels = shelves::levels(tx, &keys)?;
    let mut tallies = rows::tally::of_count(tx, count.id)?;
    let mut seen = Vec::with_capacity(lines.len());
    for line in lines {
        let spot = (line.variant, count.location);
        let level = levels.iter().find(|level| (level.variant, level.location) == spot);
        let booked_now = if !count.blind && line.state == LineState::Open && count.state.is_open() {
            Some(find::as_of(tx, spot, domain::value::Instant::from_micros(i64::MAX))?.0)
        } else {
            None
        };
        let own = |tally: &Tally| tally.variant == line.variant && tally.round == line.round;
        let (own, rest) = tallies.into_iter().partition(own);
        tallies = rest;
        let shelf = level.and_then(|level| level.shelf.clone());
        seen.push(Seen { line, shelf, booked_now, tallies: own });
    }
    seen.sort_by(|a, b| (&a.shelf, a.line.variant).cmp(&(&b.shelf, b.line.variant)));
    Ok(Whole { count, lines: seen, sees_books })
}

/// The counts of a location before one, the newest first: the open ones, or all.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (location, open): (Id<Location>, bool),
    before: Id<CountKind>,
    limit: i64,
) -> Result<Vec<Count>, Failure> {
    may_see(actor, location)?;
    Ok(rows::list(tx, location, open, before, limit)?)
}

/// A count to be worked on, locked, for who has the permission at its location.
fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CountKind>,
    permission: Permission,
) -> Result<Count, Failure> {
    let count = rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("count", id))?;
    actor.may(permission, Some(count.location))?;
    Ok(count)
}

/// Brings a count into its next state, unless the rules forbid it.
fn go_to(count: &mut Count, next: State) -> Result<(), Refusal> {
    if !count.state.leads_to(next) {
        let message = format!("count {} is {}", count.id, count.state.text());
        return Err(Refusal::new(Code::WrongState, message));
    }
    count.state = next;
    Ok(())
}
