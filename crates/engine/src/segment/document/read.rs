//! Reading: every part at fault is named by its path, and what nobody knows is refused, so that a slip of the pen asks for nothing else.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::consent::Cell;
use domain::segment::goods::{Measure, Orders};
use domain::segment::life::Stage;
use domain::segment::occurrence::{Kind, Occurrence, Sequence, Test};
use domain::segment::rfm::Group;
use domain::segment::traits::{Aggregate, Trait};
use domain::segment::window::Window;
use domain::segment::{DEPTH_MAX, Expression, Leaf, PARTS_MAX, Shelf, VALUES_MAX};
use domain::value::{Country, Currency, Id, Kind as IdKind, Language};
use serde_json::{Map, Value};

use super::{number_of, scalar};

/// The words an expression may begin with.
const WORDS: &str = "all, any, not, event, sequence, trait, orders, loyalty, consent, groups, countries, languages, near, stock, segment, list, \
                     share, life_cycle or rfm";

/// Reads an expression and insists on its bounds.
///
/// # Errors
/// The refusal names every part at fault.
pub fn expression(document: &Value, field: &str) -> Result<Expression, Refusal> {
    let mut wrong = Vec::new();
    let read = part(document, field, 1, &mut wrong);
    if let Some(refusal) = Refusal::all(wrong) {
        return Err(refusal);
    }
    let read = read.ok_or_else(|| Refusal::invalid(field, format!("give one of {WORDS}")))?;
    read.checked().map_err(|refusal| within(refusal, field))
}

/// A refusal about a part; one of the whole has an empty path.
fn within(refusal: Refusal, field: &str) -> Refusal {
    let each: Vec<Refusal> = refusal
        .each()
        .map(|one| match one.field() {
            Some("") | None => Refusal::invalid(field, one.message()),
            Some(path) => Refusal::invalid(format!("{field}.{path}"), one.message()),
        })
        .collect();
    Refusal::all(each).unwrap_or(refusal)
}

/// Reads the definition of a trait and insists on its bounds.
///
/// # Errors
/// The refusal names every part at fault.
pub fn trait_of(document: &Value, field: &str) -> Result<Trait, Refusal> {
    let mut wrong = Vec::new();
    let mut fields = Fields::of(document, field, &mut wrong);
    let (kind, window) = (fields.kind(), fields.window());
    let aggregate = fields.text("aggregate").map(|text| Aggregate::parse(&text));
    let aggregate = fields.kept("aggregate", aggregate);
    let property = fields.text("property");
    fields.end();
    if let Some(refusal) = Refusal::all(wrong) {
        return Err(refusal);
    }
    let aggregate = aggregate.ok_or_else(|| Refusal::invalid(format!("{field}.aggregate"), "say how"))?;
    Trait { kind, window, aggregate, property }.checked().map_err(|refusal| within(refusal, field))
}

fn part(value: &Value, path: &str, depth: usize, wrong: &mut Vec<Refusal>) -> Option<Expression> {
    let only = value.as_object().filter(|parts| parts.len() == 1).and_then(|parts| parts.iter().next());
    let Some((word, inner)) = only.filter(|_| depth <= DEPTH_MAX) else {
        let why = match depth > DEPTH_MAX {
            true => format!("is nested deeper than {DEPTH_MAX}; make a part of it a segment of its own"),
            false => format!("give exactly one of {WORDS}"),
        };
        wrong.push(Refusal::invalid(path, why));
        return None;
    };
    let here = format!("{path}.{word}");
    let parts = |wrong: &mut Vec<Refusal>| {
        let Some(each) = inner.as_array().filter(|each| each.len() <= PARTS_MAX) else {
            wrong.push(Refusal::invalid(&here, format!("give a list of at most {PARTS_MAX} parts")));
            return None;
        };
        let read = |(place, one): (usize, &Value)| part(one, &format!("{here}.{place}"), depth + 1, wrong);
        each.iter().enumerate().map(read).collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()
    };
    match word.as_str() {
        "all" => parts(wrong).map(Expression::All),
        "any" => parts(wrong).map(Expression::Any),
        "not" => part(inner, &here, depth + 1, wrong).map(|one| Expression::Not(Box::new(one))),
        word => match leaf(word, inner, &here, wrong) {
            Some(leaf) => leaf.map(Expression::Is),
            None => {
                wrong.push(Refusal::invalid(
                    path,
                    format!("nothing is called \"{word}\"; give one of {WORDS}"),
                ));
                None
            }
        },
    }
}

/// A leaf by its word; `None` when there is no such word, `Some(None)` when it cannot be read.
fn leaf(word: &str, value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Option<Leaf>> {
    let listed = |wrong: &mut Vec<Refusal>| texts(value, path, wrong);
    Some(match word {
        "event" => occurrence(value, path, wrong),
        "sequence" => sequence(value, path, wrong),
        "trait" => computed(value, path, wrong),
        "orders" => orders(value, path, wrong),
        "loyalty" => loyalty(value, path, wrong),
        "consent" => consent(value, path, wrong),
        "groups" => listed(wrong).map(Leaf::Groups),
        "countries" => each(listed(wrong), path, wrong, Country::parse).map(Leaf::Countries),
        "languages" => each(listed(wrong), path, wrong, Language::parse).map(Leaf::Languages),
        "near" => near(value, path, wrong),
        "stock" => stock(value, path, wrong),
        "segment" => id(value, path, wrong).map(Leaf::Segment),
        "list" => id(value, path, wrong).map(Leaf::List),
        "share" => hundredth(value, path, wrong),
        "life_cycle" => each(listed(wrong), path, wrong, Stage::parse).map(Leaf::LifeCycle),
        "rfm" => each(listed(wrong), path, wrong, Group::parse).map(Leaf::Rfm),
        _ => return None,
    })
}

fn occurrence(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let one = Occurrence {
        kind: fields.kind(),
        window: fields.window(),
        at_least: fields.int("at_least"),
        at_most: fields.int("at_most"),
    };
    fields.end();
    Some(Leaf::Event(one))
}

fn sequence(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let (first, then) = (fields.inner("first"), fields.inner("then"));
    let (within_minutes, followed) = (fields.int("within_minutes"), fields.yes("followed"));
    let window = fields.window();
    fields.end();
    let mut kind = |value: Option<&Value>, name: &str| {
        let mut fields = Fields::of(value.unwrap_or(&Value::Null), &format!("{path}.{name}"), wrong);
        let kind = fields.kind();
        fields.end();
        kind
    };
    let (first, then) = (kind(first, "first"), kind(then, "then"));
    let followed = followed.unwrap_or(true);
    Some(Leaf::Sequence(Sequence {
        first,
        then,
        within_minutes: within_minutes.unwrap_or(0),
        followed,
        window,
    }))
}

fn computed(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let (code, test) = (fields.needed("code"), fields.test());
    fields.end();
    Some(Leaf::Trait { code: code?, test: test? })
}

fn orders(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let measure = fields.text("measure").unwrap_or_else(|| "count".into());
    let currency = fields.text("currency").map(|code| Currency::parse(&code));
    let currency = fields.kept("currency", currency);
    let measure = match (measure.as_str(), currency) {
        ("count", None) => Some(Measure::Count),
        ("first", None) => Some(Measure::First),
        ("last", None) => Some(Measure::Last),
        ("spend", Some(currency)) => Some(Measure::Spend(currency)),
        ("spend", None) => {
            fields.refuse("currency", "say in which currency");
            None
        }
        ("count" | "first" | "last", Some(_)) => {
            fields.refuse("currency", "leave it out: only spend has a currency");
            None
        }
        _ => {
            fields.refuse("measure", "give count, spend, first or last");
            None
        }
    };
    let window = fields.window();
    let (variants, products) = (fields.ids("variants"), fields.ids("products"));
    let (categories, channels) = (fields.ids("categories"), fields.ids("channels"));
    let (at_least, at_most) = (fields.int("at_least"), fields.int("at_most"));
    fields.end();
    let measure = measure?;
    Some(Leaf::Orders(Orders {
        measure,
        window,
        variants,
        products,
        categories,
        channels,
        at_least,
        at_most,
    }))
}

fn loyalty(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let programme = fields.needed("programme").map(|text| Id::parse(&text));
    let programme = fields.kept("programme", programme);
    let tiers = fields.list("tiers");
    let (at_least, at_most) = (fields.int("points_at_least"), fields.int("points_at_most"));
    fields.end();
    Some(Leaf::Loyalty { programme: programme?, tiers, at_least, at_most })
}

fn consent(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let purpose = fields.needed("purpose");
    let (medium, topic) = (fields.text("medium"), fields.text("topic"));
    fields.end();
    match Cell::read(&purpose?, medium.as_deref(), topic.as_deref()) {
        Ok(cell) => Some(Leaf::Consent(cell)),
        Err(refusal) => {
            wrong.push(within(refusal, path));
            None
        }
    }
}

fn near(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let location = fields.needed("location").map(|text| Id::parse(&text));
    let location = fields.kept("location", location);
    let km = fields.int("km").unwrap_or(0);
    fields.end();
    Some(Leaf::Near { location: location?, km })
}

fn stock(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let variant = fields.needed("variant").filter(|text| text != "last_viewed").map(|text| Id::parse(&text));
    let variant = fields.kept("variant", variant);
    let location = fields.text("location").map(|text| Id::parse(&text));
    let location = fields.kept("location", location);
    let (km, at_least) = (fields.int("km"), fields.int("at_least").unwrap_or(1));
    fields.end();
    Some(Leaf::Stock(Shelf { variant, location, km, at_least }))
}

fn hundredth(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Leaf> {
    let mut fields = Fields::of(value, path, wrong);
    let seed = fields.needed("seed");
    let (from, below) = (fields.int("from").unwrap_or(0), fields.int("below").unwrap_or(0));
    fields.end();
    Some(Leaf::Share { seed: seed?, from, below })
}

fn id<K: IdKind>(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Id<K>> {
    let read = value.as_str().ok_or_else(|| format!("give the id of a {}", K::NAME));
    let read = read.and_then(|text| Id::parse(text).map_err(|error| error.to_string()));
    read.map_err(|why| wrong.push(Refusal::invalid(path, why))).ok()
}

fn texts(value: &Value, path: &str, wrong: &mut Vec<Refusal>) -> Option<Vec<String>> {
    let each = value.as_array().filter(|each| each.len() <= VALUES_MAX);
    let read = |one: &Value| one.as_str().map(str::to_owned);
    let found = each.and_then(|each| each.iter().map(read).collect::<Option<Vec<_>>>());
    if found.is_none() {
        wrong.push(Refusal::invalid(path, format!("give a list of at most {VALUES_MAX} texts")));
    }
    found
}

fn each<T, E: std::fmt::Display>(
    given: Option<Vec<String>>,
    path: &str,
    wrong: &mut Vec<Refusal>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Option<Vec<T>> {
    let mut found = Vec::new();
    for (place, text) in given?.iter().enumerate() {
        match read(text) {
            Ok(one) => found.push(one),
            Err(error) => wrong.push(Refusal::invalid(format!("{path}.{place}"), error)),
        }
    }
    Some(found)
}

/// The fields of one part.
struct Fields<'v, 'w> {
    parts: Option<&'v Map<String, Value>>,
    path: String,
    asked: BTreeSet<&'static str>,
    wrong: &'w mut Vec<Refusal>,
}

impl<'v, 'w> Fields<'v, 'w> {
    fn of(value: &'v Value, path: &str, wrong: &'w mut Vec<Refusal>) -> Fields<'v, 'w> {
        if !value.is_object() {
            wrong.push(Refusal::invalid(path, "give an object"));
        }
        Fields { parts: value.as_object(), path: path.to_owned(), asked: BTreeSet::new(), wrong }
    }

    fn refuse(&mut self, field: &str, why: impl std::fmt::Display) {
        self.wrong.push(Refusal::invalid(format!("{}.{field}", self.path), why));
    }

    fn inner(&mut self, field: &'static str) -> Option<&'v Value> {
        self.asked.insert(field);
        self.parts.and_then(|parts| parts.get(field))
    }

    fn text(&mut self, field: &'static str) -> Option<String> {
        let value = self.inner(field)?;
        if value.as_str().is_none() {
            self.refuse(field, "give a text");
        }
        value.as_str().map(str::to_owned)
    }

    fn needed(&mut self, field: &'static str) -> Option<String> {
        if self.inner(field).is_none() && self.parts.is_some() {
            self.refuse(field, "is missing");
        }
        self.text(field)
    }

    fn int(&mut self, field: &'static str) -> Option<i64> {
        let value = self.inner(field)?;
        if value.as_i64().is_none() {
            self.refuse(field, "give a whole number");
        }
        value.as_i64()
    }

    fn yes(&mut self, field: &'static str) -> Option<bool> {
        let value = self.inner(field)?;
        if value.as_bool().is_none() {
            self.refuse(field, "give true or false");
        }
        value.as_bool()
    }

    fn list(&mut self, field: &'static str) -> Vec<String> {
        let Some(value) = self.inner(field) else { return Vec::new() };
        texts(value, &format!("{}.{field}", self.path), self.wrong).unwrap_or_default()
    }

    fn ids<K: IdKind>(&mut self, field: &'static str) -> Vec<Id<K>> {
        let given = self.list(field);
        let path = format!("{}.{field}", self.path);
        each(Some(given), &path, self.wrong, |text| Id::parse(text)).unwrap_or_default()
    }

    fn kept<T, E: std::fmt::Display>(&mut self, field: &str, read: Option<Result<T, E>>) -> Option<T> {
        match read? {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    fn window(&mut self) -> Window {
        Window { within_days: self.int("within_days"), older_days: self.int("older_than_days") }
    }

    /// A name of events, and conditions on them.
    fn kind(&mut self) -> Kind {
        let name = self.needed("name").unwrap_or_default();
        let mut conditions = Vec::new();
        let given = self.inner("where");
        if given.is_some_and(|given| !given.is_array()) {
            self.refuse("where", "give a list of conditions");
        }
        for (place, one) in given.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let mut fields = Fields::of(one, &format!("{}.where.{place}", self.path), self.wrong);
            let (property, test) = (fields.needed("property"), fields.test());
            fields.end();
            conditions.extend(property.zip(test));
        }
        Kind { name, conditions }
    }

    /// Exactly one question about values.
    fn test(&mut self) -> Option<Test> {
        let mut found = Vec::new();
        for field in ["is", "is_not"] {
            let Some(value) = self.inner(field) else { continue };
            let one = std::slice::from_ref(value);
            let values = value.as_array().map_or(one, Vec::as_slice).iter().map(scalar);
            match values.collect::<Option<Vec<_>>>() {
                Some(values) => {
                    found.push(if field == "is" { Test::Is(values) } else { Test::IsNot(values) })
                }
                None => self.refuse(field, "give texts, numbers of at most six decimals, or true and false"),
            }
        }
        for field in ["at_least", "at_most"] {
            let Some(value) = self.inner(field) else { continue };
            match value.as_number().and_then(number_of) {
                Some(number) if field == "at_least" => found.push(Test::AtLeast(number)),
                Some(number) => found.push(Test::AtMost(number)),
                None => self.refuse(field, "give a number"),
            }
        }
        found.extend(self.text("contains").map(Test::Contains));
        found.extend(self.yes("exists").map(Test::Exists));
        if found.len() != 1 && self.parts.is_some() {
            self.wrong.push(Refusal::invalid(
                &self.path,
                "give exactly one of is, is_not, at_least, at_most, contains or exists",
            ));
        }
        found.pop()
    }

    /// Refuses what nobody asked for.
    fn end(mut self) {
        let unknown = self.parts.into_iter().flat_map(Map::keys);
        let unknown: Vec<&String> = unknown.filter(|name| !self.asked.contains(name.as_str())).collect();
        for name in unknown {
            self.refuse(name, "is not known here; leave it out");
        }
    }
}
