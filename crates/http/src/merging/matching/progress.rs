//! How far something is that reads all customers: learning a model of them, or comparing them with each other.

use domain::value::Id;
use domain::value::id::MatchTraining;
use domain::{Code, Refusal};
use engine::merging::training::Training;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// How far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingProgress, example = json!({"id": "mtr_01jd0000000000000000000000", "state": "done", "customers": 120000,
    "asked_by": "staff:stf_01jd0000000000000000000000", "made_at": "2026-06-01T10:00:00Z", "began_at": "2026-06-01T10:00:02Z", "ended_at": "2026-06-01T10:00:20Z"}))]
pub(super) struct Progress {
    /// Its id.
    pub id: String,
    /// `waiting`, `running`, `done`, `failed` or `stopped`.
    state: &'static str,
    /// How many customers were read so far.
    customers: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Who asked for it.
    asked_by: String,
    /// When it was asked for.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    began_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<&Training> for Progress {
    fn from(one: &Training) -> Progress {
        Progress {
            id: one.id.to_string(),
            state: one.state.text(),
            customers: one.customers,
            why: one.why.clone(),
            asked_by: one.asked_by.clone(),
            made_at: one.made_at.to_string(),
            began_at: one.began_at.map(|at| at.to_string()),
            ended_at: one.ended_at.map(|at| at.to_string()),
        }
    }
}

/// What came of it so far, once there is something.
pub(super) fn figures_of<F: DeserializeOwned>(one: &Training) -> Option<F> {
    one.figures.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

/// The id in a path.
pub(super) fn named(id: &str) -> Result<Id<MatchTraining>, Refusal> {
    Id::parse(id).map_err(|error| Refusal::new(Code::NotFound, error.to_string()))
}
