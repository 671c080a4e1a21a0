//! The JSON shapes of counts.

use domain::Refusal;
use domain::value::id::{Category, Variant};
use domain::value::{Instant, Reference, text};
use engine::count::{Count, NOTE_MAX, Seen, Whole, tally};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shape::{Fields, MoneyShape};

/// The most lines of one request.
const LINES_MAX: usize = 500;
/// The longest name of a shelf, in characters.
const SHELF_MAX: usize = 40;

/// A count to be done: of variants, of a shelf, of a category, or of what looks wrong.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCount, example = json!({"location": "leeds", "variants": ["22423"], "note": "before the sale"}))]
pub(super) struct NewCountShape {
    /// The location: id, external id or code.
    pub(super) location: String,
    /// These variants: ids, external ids or SKUs.
    #[schema(min_items = 1, max_items = 500)]
    variants: Option<Vec<String>>,
    /// What lies on this shelf, in the location's own words.
    #[schema(min_length = 1, max_length = 40)]
    shelf: Option<String>,
    /// What this category and those below it have there: id or external id.
    category: Option<String>,
    /// What looks wrong there: missing, kept from orders, or wrong when it was last counted.
    #[serde(default)]
    exceptions: bool,
    /// Keep from who counts what the books have; so when not given.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) blind: bool,
    /// In the retailer's words, without personal data.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) note: Option<String>,
}

const fn yes() -> bool {
    true
}

/// What is to be counted, as named by whoever asks.
pub(super) enum ScopeAsked {
    Variants(Vec<Reference<Variant>>),
    Shelf(String),
    Category(Reference<Category>),
    Exceptions,
}

impl NewCountShape {
    pub(super) fn scope(&self) -> Result<ScopeAsked, Refusal> {
        let mut fields = Fields::new();
        fields.take_if("note", self.note.as_ref(), |note| text::bounded("note", note, 1, NOTE_MAX));
        fields.take_if("shelf", self.shelf.as_ref(), |shelf| text::bounded("shelf", shelf, 1, SHELF_MAX));
        let mut scopes: Vec<ScopeAsked> = Vec::new();
        if let Some(named) = &self.variants {
            if named.is_empty() || named.len() > LINES_MAX {
                fields.refuse("variants", format!("name 1 to {LINES_MAX} variants"));
            }
            scopes.push(ScopeAsked::Variants(named.iter().map(|one| Reference::read(one)).collect()));
        }
        scopes.extend(self.shelf.clone().map(ScopeAsked::Shelf));
        scopes
            .extend(self.category.as_deref().map(|category| ScopeAsked::Category(Reference::read(category))));
        scopes.extend(self.exceptions.then_some(ScopeAsked::Exceptions));
        if scopes.len() != 1 {
            fields.refuse("variants", "give one of variants, shelf, category and exceptions");
        }
        fields.done(scopes.pop())
    }
}

/// Pieces that were counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountTally, example = json!({"lines": [{"variant": "22423", "pieces": 7, "place": "back room"}]}))]
pub(super) struct TallyShape {
    /// Which.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<TallyLineShape>,
}

/// Pieces of one variant at one place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountTallyLine)]
struct TallyLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units more: 0 when there are none, negative to take back what was counted by mistake.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    pieces: i64,
    /// Where at the location: on the shelf, in the back room.
    #[schema(max_length = 40)]
    place: Option<String>,
    /// When they were counted, for a scanner that sends later; now when not given.
    #[schema(format = DateTime)]
    at: Option<String>,
}

/// Pieces of one variant at one place, read.
pub(super) struct TallyLine {
    pub(super) variant: Reference<Variant>,
    pub(super) pieces: i64,
    pub(super) place: String,
    pub(super) at: Option<Instant>,
}

impl TallyShape {
    pub(super) fn read(&self) -> Result<Vec<TallyLine>, Refusal> {
        let mut fields = Fields::new();
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            fields.refuse("lines", format!("name 1 to {LINES_MAX} variants"));
        }
        let lines = fields.each("lines", &self.lines, |fields, line| {
            let place = fields.take_if("place", line.place.as_ref(), |place| {
                text::bounded("place", place, 0, tally::PLACE_MAX)
            });
            let at = fields.take_if("at", line.at.as_ref(), |at| Instant::parse(at));
            place.zip(at).map(|(place, at)| TallyLine {
                variant: Reference::read(&line.variant),
                pieces: line.pieces,
                place: place.unwrap_or_default(),
                at,
            })
        });
        fields.done(lines)
    }
}

/// That all is counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountFinish, example = json!({"rest_is_none": false}))]
pub(super) struct FinishShape {
    /// Of what nobody counted there is none; else every line must have been counted.
    #[serde(default)]
    pub(super) rest_is_none: bool,
}

/// What is counted again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountAgain, example = json!({"variants": ["22423"]}))]
pub(super) struct AgainShape {
    /// The variants: ids, external ids or SKUs; all that differ when none is named.
    #[serde(default)]
    #[schema(max_items = 500)]
    variants: Vec<String>,
}

impl AgainShape {
    pub(super) fn read(&self) -> Result<Vec<Reference<Variant>>, Refusal> {
        if self.variants.len() > LINES_MAX {
            return Err(Refusal::invalid("variants", format!("name at most {LINES_MAX} variants")));
        }
        Ok(self.variants.iter().map(|variant| Reference::read(variant)).collect())
    }
}

/// Shelves to be counted, or that were.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Count)]
pub(crate) struct CountShape {
    /// Its id.
    pub(crate) id: String,
    /// The location.
    location: String,
    /// Where it stands: `requested`, `counting`, `recount`, `in_review`, `posted` or `cancelled`.
    state: &'static str,
    /// Why it is done: `list`, `shelf`, `category`, `exception`, `cycle` or `miss`.
    origin: &'static str,
    /// Is what the books have kept from who counts?
    blind: bool,
    /// In the retailer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseShape>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    asked_at: String,
    /// When the first piece was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    begun_at: Option<String>,
    /// When all was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    counted_at: Option<String>,
    /// When it was posted or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Its lines, in the order of shelves; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<CountLineShape>>,
}

/// What caused a count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountCause)]
struct CauseShape {
    /// A kind of thing, such as `order`.
    kind: String,
    /// Its id.
    id: String,
}

/// A variant of a count. What the books have is told only to who reviews, and of a blind count only when all is counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountLine)]
struct CountLineShape {
    /// The variant.
    variant: String,
    /// The shelf it lies on.
    #[serde(skip_serializing_if = "Option::is_none")]
    shelf: Option<String>,
    /// Where it stands: `open` or `counted`.
    state: &'static str,
    /// The round it is in, from 1.
    round: i64,
    /// What was counted in this round.
    tallies: Vec<TalliedShape>,
    /// Pieces counted in the last round that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<i64>,
    /// The least the books had while it was counted; for a line that is open and not blind, what they have now.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_least: Option<i64>,
    /// The most they had.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked_most: Option<i64>,
    /// How many more were counted, or fewer when negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<i64>,
    /// How many were missing then.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<i64>,
    /// What a piece was worth then.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<MoneyShape>,
}

/// Pieces counted by one colleague at one place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountTallied)]
struct TalliedShape {
    /// The place; empty when nobody said.
    place: String,
    /// Who.
    counted_by: String,
    /// How many.
    pieces: i64,
    /// When the last of them was counted.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Count> for CountShape {
    fn from(count: &Count) -> CountShape {
        let at = |at: Option<Instant>| at.map(|at| at.to_string());
        CountShape {
            id: count.id.to_string(),
            location: count.location.to_string(),
            state: count.state.text(),
            origin: count.origin.text(),
            blind: count.blind,
            note: count.note.clone(),
            cause: count.cause.clone().map(|(kind, id)| CauseShape { kind, id }),
            asked_at: count.asked_at.to_string(),
            begun_at: at(count.begun_at),
            counted_at: at(count.counted_at),
            ended_at: at(count.ended_at),
            lines: None,
        }
    }
}

impl From<&Whole> for CountShape {
    fn from(whole: &Whole) -> CountShape {
        let line = |seen: &Seen| line_of(seen, whole.sees_books);
        CountShape { lines: Some(whole.lines.iter().map(line).collect()), ..CountShape::from(&whole.count) }
    }
}

fn line_of(seen: &Seen, sees_books: bool) -> CountLineShape {
    let line = &seen.line;
    let known = line.counted.filter(|_| sees_books);
    let tallied = seen.tallies.iter().map(|tally| TalliedShape {
        place: tally.place.clone(),
        counted_by: tally.counted_by.clone(),
        pieces: tally.pieces,
        at: tally.last_at.to_string(),
    });
    CountLineShape {
        variant: line.variant.to_string(),
        shelf: seen.shelf.clone(),
        state: line.state.text(),
        round: line.round,
        tallies: tallied.collect(),
        counted: line.counted.map(|counted| counted.finding.counted),
        booked_least: seen.booked_now.or(known.map(|counted| counted.finding.booked_least)),
        booked_most: seen.booked_now.or(known.map(|counted| counted.finding.booked_most)),
        difference: known.map(|counted| counted.difference),
        missing: known.map(|_| line.missing),
        value: line.value.filter(|_| sees_books).map(MoneyShape::from),
    }
}
