//! What a customer prefers, and what fits: language, store and medium, answers to the retailer's questions, sizes by kind and brand. Each is
//! said on its own, so nobody's word is lost; of several who were merged into one, what was said last counts.

use domain::actor::{Actor, Permission};
use domain::consent::Medium;
use domain::detail::{Kind, PREFERENCES_MAX, QUESTIONS_MAX, Question, SizeKind};
use domain::value::id::{Customer as CustomerKind, Location};
use domain::value::{Id, Instant, Language, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::detail::preference as rows;
use store::{StoreError, Tx, customer as customers};

use super::{admitted, held, whole};
use crate::event::emit;
use crate::{Failure, World, external};

pub use store::detail::preference::Preference;

/// A size that is said to fit, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidSize {
    /// The code of the kind of size.
    pub kind: String,
    /// The brand, checked by [`domain::detail::brand`]; empty for every brand.
    pub brand: String,
    /// The scale and the size; `None` when it is to be forgotten.
    pub size: Option<(String, String)>,
}

/// What a customer says. What is `None` stays as it was; `Some(None)` is said no longer.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The language to be written and spoken to in.
    pub language: Option<Option<Language>>,
    /// The store the customer likes to go to.
    pub store: Option<Option<Reference<Location>>>,
    /// The way the customer likes to be reached.
    pub medium: Option<Option<Medium>>,
    /// Codes of the retailer's questions, with the answers.
    pub answers: Vec<(String, Option<String>)>,
    /// What fits.
    pub sizes: Vec<SaidSize>,
}

/// What a customer prefers now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language to be written and spoken to in.
    pub language: Option<Language>,
    /// The store the customer likes to go to.
    pub store: Option<Id<Location>>,
    /// The way the customer likes to be reached.
    pub medium: Option<Medium>,
    /// Questions with their answers, and sizes, each as it was said.
    pub others: Vec<Preference>,
    /// When something was said last.
    pub changed_at: Option<Instant>,
}

/// What a customer prefers; a customer reads its own.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CustomerKind>) -> Result<Preferences, Failure> {
    let known = admitted(tx, actor, id, Permission::ReadContacts)?;
    now(tx, known.id)
}

/// The language a customer said to be written to in, over all who are one.
///
/// # Errors
/// What the store says.
pub(crate) fn language(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Language>, Failure> {
    let id = customers::merged_into(tx, id)?.unwrap_or(id);
    let whole = whole(tx, id)?;
    let newest = rows::languages(tx, &whole)?.into_iter().max_by_key(|(customer, _, at)| (*at, *customer));
    Ok(newest.and_then(|(_, code, _)| Language::parse(&code?).ok()))
}

/// Writes what a customer says; a customer says its own.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::Invalid`] names every question, answer, kind and size there is not;
/// [`Code::WrongState`] when there is too much, or the customer was erased.
pub fn say(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    said: &Said,
) -> Result<Preferences, Failure> {
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    let rows = checked(tx, said, world.now())?;
    for row in &rows {
        rows::set(tx, known.id, row)?;
    }
    if rows::count(tx, known.id)? > PREFERENCES_MAX {
        let why =
            format!("customer {} would have more than {PREFERENCES_MAX} preferences and sizes", known.id);
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let what: Vec<String> = rows.iter().map(told).collect();
    emit(tx, actor, world, known.id, "customer.preferred", json!({ "what": what }));
    now(tx, known.id)
}

/// What it is about, in codes.
fn told(row: &Preference) -> String {
    if row.key.is_empty() { row.kind.text().to_owned() } else { format!("{}:{}", row.kind.text(), row.key) }
}

fn checked(tx: &mut Tx<'_>, said: &Said, at: Instant) -> Result<Vec<Preference>, Failure> {
    let plain =
        |kind, value| Preference { kind, key: String::new(), brand: String::new(), scale: None, value, at };
    let mut rows = Vec::new();
    let mut bad = Vec::new();
    rows.extend(said.language.map(|one| plain(Kind::Language, one.map(|language| language.to_string()))));
    if let Some(store) = &said.store {
        match store.as_ref().map(|store| external::known_at(tx, "store", store)).transpose() {
            Ok(id) => rows.push(plain(Kind::Store, id.map(|id| id.to_string()))),
            Err(Failure::Refused(refusal)) => bad.push(refusal),
            Err(other) => return Err(other),
        }
    }
    rows.extend(said.medium.map(|one| plain(Kind::Medium, one.map(|medium| medium.text().to_owned()))));
    let questions = if said.answers.is_empty() { Vec::new() } else { rows::questions(tx, QUESTIONS_MAX)? };
    for (place, (code, answer)) in said.answers.iter().enumerate() {
        match answered(&questions, code, answer.as_deref()) {
            Ok(()) => {
                rows.push(Preference { key: code.clone(), ..plain(Kind::Answer, answer.clone()) });
            }
            Err(refusal) => bad.push(refusal.within(&format!("answers.{place}"))),
        }
    }
    let kinds = if said.sizes.is_empty() { Vec::new() } else { rows::size_kinds(tx, QUESTIONS_MAX)? };
    for (place, one) in said.sizes.iter().enumerate() {
        if let Err(refusal) = fits(&kinds, one) {
            bad.push(refusal.within(&format!("sizes.{place}")));
            continue;
        }
        let (scale, size) = one.size.clone().unzip();
        rows.push(Preference {
            key: one.kind.clone(),
            brand: one.brand.clone(),
            scale,
            ..plain(Kind::Size, size)
        });
    }
    Refusal::all(bad).map_or(Ok(rows), |refusal| Err(refusal.into()))
}

fn answered(questions: &[Question], code: &str, answer: Option<&str>) -> Result<(), Refusal> {
    let Some(question) = questions.iter().find(|one| one.code == code) else {
        let why = format!("no question \"{code}\"; GET /v1/preference-questions lists them");
        return Err(Refusal::invalid("question", why));
    };
    match answer {
        Some(answer) if !question.has(answer) => {
            let known: Vec<&str> = question.answers.iter().map(|(code, _)| code.as_str()).collect();
            Err(Refusal::invalid("answer", format!("give one of {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

fn fits(kinds: &[SizeKind], one: &SaidSize) -> Result<(), Refusal> {
    let Some(kind) = kinds.iter().find(|kind| kind.code == one.kind) else {
        let why = format!("no kind of size \"{}\"; GET /v1/size-kinds lists them", one.kind);
        return Err(Refusal::invalid("kind", why));
    };
    match &one.size {
        Some((scale, size)) if !kind.has(scale, size) => {
            let why = format!("\"{scale}\" of kind \"{}\" has no size \"{size}\"", kind.code);
            Err(Refusal::invalid("size", why))
        }
        _ => Ok(()),
    }
}

/// What holds: of what was said of the same thing, the newest.
fn now(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Preferences, Failure> {
    let whole = whole(tx, id)?;
    let mut said = rows::list(tx, &whole)?;
    said.dedup_by(|later, first| {
        (later.kind, &later.key, &later.brand) == (first.kind, &first.key, &first.brand)
    });
    let lost = || StoreError::Corrupt(format!("what customer {id} prefers cannot be read"));
    let mut held = Preferences { changed_at: said.iter().map(|one| one.at).max(), ..Preferences::default() };
    for one in said {
        let Some(value) = &one.value else { continue };
        match one.kind {
            Kind::Language => held.language = Some(Language::parse(value).map_err(|_| lost())?),
            Kind::Store => held.store = Some(Id::parse(value).map_err(|_| lost())?),
            Kind::Medium => held.medium = Some(Medium::named(value).ok_or_else(lost)?),
            Kind::Answer | Kind::Size => held.others.push(one),
        }
    }
    Ok(held)
}

/// Writes a question the retailer asks; the one with the same code is replaced.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::WrongState`] when there are too many.
pub fn set_question(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Question,
) -> Result<(), Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let known = rows::questions(tx, QUESTIONS_MAX)?;
    room("questions", known.iter().any(|other| other.code == one.code), known.len())?;
    rows::set_question(tx, one)?;
    let body = json!({ "answers": one.answers.len() });
    emit(tx, actor, world, format!("preference_question:{}", one.code), "preference_question.written", body);
    Ok(())
}

/// The questions the retailer asks, by code.
///
/// # Errors
/// What the store says.
pub fn questions(tx: &mut Tx<'_>) -> Result<Vec<Question>, Failure> {
    Ok(rows::questions(tx, QUESTIONS_MAX)?)
}

/// Writes a kind of size; the one with the same code is replaced.
///
/// # Errors
/// As [`set_question`].
pub fn set_size_kind(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &SizeKind,
) -> Result<(), Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let known = rows::size_kinds(tx, QUESTIONS_MAX)?;
    room("kinds of sizes", known.iter().any(|other| other.code == one.code), known.len())?;
    rows::set_size_kind(tx, one)?;
    let body = json!({ "scales": one.scales.len() });
    emit(tx, actor, world, format!("size_kind:{}", one.code), "size_kind.written", body);
    Ok(())
}

/// The kinds of sizes, by code.
///
/// # Errors
/// What the store says.
pub fn size_kinds(tx: &mut Tx<'_>) -> Result<Vec<SizeKind>, Failure> {
    Ok(rows::size_kinds(tx, QUESTIONS_MAX)?)
}

fn room(what: &str, is_known: bool, known: usize) -> Result<(), Refusal> {
    if !is_known && known as i64 >= QUESTIONS_MAX {
        let why = format!("there are {QUESTIONS_MAX} {what}, the most there may be; change one of them");
        return Err(Refusal::new(Code::WrongState, why));
    }
    Ok(())
}
