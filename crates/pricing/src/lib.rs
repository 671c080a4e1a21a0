//! The price engine in JSON: promotions, goods and what they cost, as the API writes them, the books keep them and an off-line till asks.
//!
//! One shape in three places: the server keeps and answers it, the WebAssembly module (`pricing-wasm`) reads it, so that a till prices
//! by the very documents it got. Nothing is decided here; that is `domain::promotion`.

pub mod answer;
pub mod benefit;
pub mod condition;
pub mod promotion;
pub mod question;

use domain::Refusal;
use domain::promotion::{Rules, price};
use domain::value::{Id, Kind};
use serde::{Deserialize, Serialize};

use answer::AnswerShape;
use question::{QuestionShape, RulesShape};

/// What is asked: to keep rules from now on, or what a cart costs by them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    Rules(Box<RulesShape>),
    Price(Box<QuestionShape>),
}

/// What cannot be answered, and why.
#[derive(Debug, Serialize)]
struct Fault {
    code: &'static str,
    message: String,
}

/// Answers a question in JSON with JSON; keeps rules that are given.
///
/// `{"rules": {"promotions": […], "modes": […]}}` is answered `{"kept": 3}`, `{"price": {…}}` by what it costs, anything else by
/// `{"error": {…}}`.
pub fn answer(kept: &mut Option<Rules>, question: &[u8]) -> Vec<u8> {
    let answer = match serde_json::from_slice::<Ask>(question) {
        Err(error) => fault("invalid", error.to_string()),
        Ok(Ask::Rules(rules)) => match rules.read() {
            Ok(rules) => {
                let many = rules.promotions().len();
                *kept = Some(rules);
                serde_json::json!({ "kept": many })
            }
            Err(refusal) => fault(refusal.code().text(), refusal.to_string()),
        },
        Ok(Ask::Price(question)) => match (&*kept, question.read()) {
            (None, _) => fault("wrong_state", "give the rules first".into()),
            (_, Err(refusal)) => fault(refusal.code().text(), refusal.to_string()),
            (Some(rules), Ok((goods, occasion, policy))) => {
                let priced = price(&goods, rules, &occasion, policy);
                serde_json::json!({ "priced": AnswerShape::from(&priced) })
            }
        },
    };
    answer.to_string().into_bytes()
}

fn fault(code: &'static str, message: String) -> serde_json::Value {
    serde_json::json!({ "error": Fault { code, message } })
}

/// An id in a field.
fn id<K: Kind>(field: &str, text: &str) -> Result<Id<K>, Refusal> {
    Id::parse(text).map_err(|error| Refusal::invalid(field, error))
}

/// Every id of a list, each bad one named by its place.
fn ids<K: Kind>(field: &str, texts: &[String]) -> Result<Vec<Id<K>>, Refusal> {
    each(field, texts, |text| {
        Id::parse(text).map_err(|error| Refusal::new(domain::Code::Invalid, error.to_string()))
    })
}

/// Every thing of a list, the refusals of all bad ones together.
fn each<S, T>(
    field: &str,
    sources: &[S],
    read: impl Fn(&S) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let mut values = Vec::with_capacity(sources.len());
    let mut refusals = Vec::new();
    for (place, source) in sources.iter().enumerate() {
        match read(source) {
            Ok(value) => values.push(value),
            Err(refusal) => refusals.push(refusal.within(&format!("{field}.{place}"))),
        }
    }
    Refusal::all(refusals).map_or(Ok(values), Err)
}
