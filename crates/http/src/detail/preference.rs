//! What customers prefer and what fits them over the API, and the questions and kinds of sizes a retailer asks for.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::consent::Medium;
use domain::detail::{self as rules, Kind, Question, Scale, SizeKind};
use domain::identity::Part;
use domain::value::id::Customer;
use domain::value::{Language, Reference};
use domain::{Refusal, catalogue::Wording};
use engine::detail::preference::{self, Preferences, Said, SaidSize};
use engine::external;
use engine::identity::reading::Whom;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::catalogue::WordingShape;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, changed};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_preferences, say_preferences))
        .routes(routes!(list_preference_questions))
        .routes(routes!(set_preference_question))
        .routes(routes!(list_size_kinds))
        .routes(routes!(set_size_kind))
}

/// The answer to a question of the retailer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreferenceAnswer, example = json!({"question": "fit", "answer": "slim"}))]
struct AnswerShape {
    /// The code of the question.
    question: String,
    /// The code of the answer; when said, `null` takes it back.
    answer: Option<String>,
}

/// A size that fits.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Size, example = json!({"kind": "shoe", "scale": "EU", "size": "39"}))]
struct SizeShape {
    /// The code of the kind of size.
    kind: String,
    /// The brand it is of; every brand when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    brand: Option<String>,
    /// The scale it is told in; left out with the size.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<String>,
    /// The size; when said, left out takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
}

/// What a customer prefers and what fits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preferences, example = json!({"language": "en", "store": "loc_01jd0000000000000000000000", "medium": "mail",
    "answers": [{"question": "fit", "answer": "slim"}], "sizes": [{"kind": "shoe", "scale": "EU", "size": "39"}],
    "changed_at": "2026-06-01T10:00:00Z"}))]
struct PreferencesShape {
    /// The language to be written and spoken to in.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// The store the customer likes to go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The way the customer likes to be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    medium: Option<&'static str>,
    /// Answers to the retailer's questions.
    answers: Vec<AnswerShape>,
    /// What fits, by kind and brand.
    sizes: Vec<SizeShape>,
    /// When something was said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    changed_at: Option<String>,
}

impl From<&Preferences> for PreferencesShape {
    fn from(held: &Preferences) -> PreferencesShape {
        let of = |kind| held.others.iter().filter(move |one| one.kind == kind);
        let answers =
            of(Kind::Answer).map(|one| AnswerShape { question: one.key.clone(), answer: one.value.clone() });
        let sizes = of(Kind::Size).map(|one| SizeShape {
            kind: one.key.clone(),
            brand: (!one.brand.is_empty()).then(|| one.brand.clone()),
            scale: one.scale.clone(),
            size: one.value.clone(),
        });
        PreferencesShape {
            language: held.language.map(|language| language.to_string()),
            store: held.store.map(|store| store.to_string()),
            medium: held.medium.map(Medium::text),
            answers: answers.collect(),
            sizes: sizes.collect(),
            changed_at: held.changed_at.map(|at| at.to_string()),
        }
    }
}

/// What a customer says. What is left out stays as it was, `null` takes it back.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SaidPreferences, example = json!({"language": "en", "medium": "mail"}))]
struct SaidShape {
    /// The language to be written and spoken to in.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    /// The store the customer likes to go to: its id or external id.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    store: Option<Option<String>>,
    /// `mail`, `sms`, `whatsapp`, `push`, `phone` or `post`.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    medium: Option<Option<String>>,
    /// Answers to the retailer's questions: at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    answers: Vec<AnswerShape>,
    /// What fits: at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    sizes: Vec<SizeShape>,
}

impl SaidShape {
    fn read(self) -> Result<Said, Refusal> {
        let mut fields = Fields::new();
        for (field, many) in [("answers", self.answers.len()), ("sizes", self.sizes.len())] {
            if many > rules::CHOICES_MAX {
                fields.refuse(field, format!("give at most {}", rules::CHOICES_MAX));
            }
        }
        let language = maybe(&mut fields, ("language", self.language), Language::parse);
        let medium = maybe(&mut fields, ("medium", self.medium), |text| match Medium::parse(text)? {
            Medium::Every | Medium::Web => {
                Err("give one of mail, sms, whatsapp, push, phone, post".to_owned())
            }
            medium => Ok(medium),
        });
        let store = self.store.map(|store| store.as_deref().map(Reference::read));
        let sizes = fields.each("sizes", &self.sizes, |fields, one| {
            let brand = rules::brand(one.brand.as_deref());
            let brand = fields.take("brand", brand.map_err(|refusal| refusal.message().to_owned()));
            if one.scale.is_some() != one.size.is_some() {
                fields.refuse("size", "give the scale with the size, or neither");
                return None;
            }
            let size = one.scale.clone().zip(one.size.clone());
            Some(SaidSize { kind: one.kind.clone(), brand: brand?, size })
        });
        let answers = self.answers.into_iter().map(|one| (one.question, one.answer)).collect();
        let read = language.zip(medium).zip(sizes);
        let read = read.map(|((language, medium), sizes)| Said { language, store, medium, answers, sizes });
        fields.done(read)
    }
}

/// A value that may be left out, taken back or given.
fn maybe<T, E: std::fmt::Display>(
    fields: &mut Fields,
    (field, said): (&str, Option<Option<String>>),
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Option<Option<T>>> {
    match said {
        None => Some(None),
        Some(None) => Some(Some(None)),
        Some(Some(text)) => fields.take(field, read(&text)).map(|value| Some(Some(value))),
    }
}

/// What a customer prefers, and what fits
///
/// Each reading by somebody else is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/preferences", operation_id = "read_preferences", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = PreferencesShape), Problems))]
async fn read_preferences(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    app.show(command.unkeyed().request, Part::Preferences, move |tx, actor, _| {
        let id = external::resolve(tx, &reference)?;
        let held = preference::read(tx, actor, id)?;
        Ok((Whom::Customer(id), Reply::json(&PreferencesShape::from(&held))?))
    })
    .await
}

/// Say what a customer prefers, and what fits
///
/// Each thing by itself: what is left out stays as it was, so nobody's word is lost.
#[utoipa::path(post, path = "/v1/customers/{id}/preferences", operation_id = "say_preferences", tag = "customer", request_body = SaidShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = PreferencesShape), Problems))]
async fn say_preferences(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<SaidShape>,
) -> Result<Response, Problem> {
    let (reference, said) = (Reference::<Customer>::read(&id), command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        Reply::json(&PreferencesShape::from(&preference::say(tx, actor, world, id, &said)?))
    })
    .await
}

/// An answer that can be given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PossibleAnswer, example = json!({"code": "slim", "name": {"text": "slim", "translations": {"de": "schmal"}}}))]
struct PossibleShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
}

/// What the retailer wants to know of customers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreferenceQuestion, example = json!({"code": "fit", "name": {"text": "How should it fit?", "translations": {}},
    "answers": [{"code": "slim", "name": {"text": "slim", "translations": {"de": "schmal"}}}]}))]
struct QuestionShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
    /// The answers there are.
    answers: Vec<PossibleShape>,
}

impl From<&Question> for QuestionShape {
    fn from(one: &Question) -> QuestionShape {
        let possible = |(code, wording): &(String, Wording)| PossibleShape {
            code: code.clone(),
            name: WordingShape::from(wording),
        };
        QuestionShape {
            code: one.code.clone(),
            name: WordingShape::from(&one.wording),
            answers: one.answers.iter().map(possible).collect(),
        }
    }
}

/// A question as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreferenceQuestionChange, example = json!({"name": {"text": "How should it fit?"},
    "answers": [{"code": "slim", "name": {"text": "slim"}}, {"code": "wide", "name": {"text": "wide"}}]}))]
struct SetQuestionShape {
    /// What people read.
    name: WordingShape,
    /// The answers there are: 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    answers: Vec<PossibleShape>,
}

/// List what the retailer asks customers, by code
#[utoipa::path(get, path = "/v1/preference-questions", operation_id = "list_preference_questions", tag = "customer",
    responses((status = 200, body = Page<QuestionShape>), Problems))]
async fn list_preference_questions(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    let found = app.read(preference::questions).await?;
    document(&Page { items: found.iter().map(QuestionShape::from).collect(), next_cursor: None }, None)
}

/// Write a question the retailer asks customers; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/preference-questions/{code}", operation_id = "set_preference_question", tag = "customer",
    request_body = SetQuestionShape, params(("code" = String, Path, description = "The short word it goes by.")),
    responses((status = 200, body = QuestionShape), Problems))]
async fn set_preference_question(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetQuestionShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let name = fields.part("name", body.name.title());
    let answers = fields.each("answers", &body.answers, |fields, one| {
        Some((one.code.clone(), fields.part("name", one.name.title())?))
    });
    let (name, answers) = fields.done(name.zip(answers))?;
    let one = Question::new(&code, name, answers)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        preference::set_question(tx, actor, world, &one)?;
        Reply::json(&QuestionShape::from(&one))
    })
    .await
}

/// A scale that sizes are told in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SizeScale, example = json!({"name": "EU", "sizes": ["38", "39"]}))]
struct ScaleShape {
    /// What it is called: at most 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// The sizes from the smallest up: 1 to 100 of at most 60 characters.
    #[schema(min_items = 1, max_items = 100)]
    sizes: Vec<String>,
}

/// A kind of size.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SizeKind, example = json!({"code": "shoe", "name": {"text": "Shoes", "translations": {"de": "Schuhe"}},
    "scales": [{"name": "EU", "sizes": ["38", "39"]}]}))]
struct SizeKindShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
    /// The scales it is told in.
    scales: Vec<ScaleShape>,
}

impl From<&SizeKind> for SizeKindShape {
    fn from(one: &SizeKind) -> SizeKindShape {
        let scale = |one: &Scale| ScaleShape { name: one.name.clone(), sizes: one.sizes.clone() };
        SizeKindShape {
            code: one.code.clone(),
            name: WordingShape::from(&one.wording),
            scales: one.scales.iter().map(scale).collect(),
        }
    }
}

/// A kind of size as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SizeKindChange, example = json!({"name": {"text": "Shoes"}, "scales": [{"name": "EU", "sizes": ["38", "39"]}]}))]
struct SetSizeKindShape {
    /// What people read.
    name: WordingShape,
    /// The scales it is told in: 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    scales: Vec<ScaleShape>,
}

/// List the kinds of sizes, by code
#[utoipa::path(get, path = "/v1/size-kinds", operation_id = "list_size_kinds", tag = "customer",
    responses((status = 200, body = Page<SizeKindShape>), Problems))]
async fn list_size_kinds(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    let found = app.read(preference::size_kinds).await?;
    document(&Page { items: found.iter().map(SizeKindShape::from).collect(), next_cursor: None }, None)
}

/// Write a kind of size; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/size-kinds/{code}", operation_id = "set_size_kind", tag = "customer", request_body = SetSizeKindShape,
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = SizeKindShape), Problems))]
async fn set_size_kind(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetSizeKindShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let name = fields.part("name", body.name.title());
    let name = fields.done(name)?;
    let scales = body.scales.into_iter().map(|one| Scale { name: one.name, sizes: one.sizes }).collect();
    let one = SizeKind::new(&code, name, scales)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        preference::set_size_kind(tx, actor, world, &one)?;
        Reply::json(&SizeKindShape::from(&one))
    })
    .await
}
