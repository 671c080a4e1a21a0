//! Merging customers over the API: shown before it is done, done, listed, and undone.

mod matching;

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::merging::{Cause, Part, WHY_CHARS_MAX};
use domain::value::id::{Customer, Merge as MergeKind};
use domain::value::text::bounded;
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use engine::merging::{self, Merge, Missing, Preview, Undone, Wish};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of merging.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(merge_customer))
        .routes(routes!(preview_merge))
        .routes(routes!(list_merges))
        .routes(routes!(read_merge))
        .routes(routes!(undo_merge))
        .merge(matching::routes())
}

/// One customer merged into another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Merge, example = json!({"id": "mrg_01jd0000000000000000000000", "winner": "cus_01jd0000000000000000000000",
    "loser": "cus_01jd0000000000000000000001", "cause": "staff", "why": "the same address and card", "by": "staff stf_01jd0000000000000000000000",
    "at": "2026-06-01T10:00:00Z", "moved": {"cart": 1, "order": 2, "membership": 1}}))]
struct MergeShape {
    /// Its id.
    id: String,
    /// Who stays.
    winner: String,
    /// Who was merged; whoever asks for him is answered with who stays.
    loser: String,
    /// What made them one: `rule`, `review`, `staff` or `system`.
    cause: &'static str,
    /// Why, in words.
    why: String,
    /// Who did it.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// When it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    undone_at: Option<String>,
    /// Who undid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<String>,
    /// How many of each sort went along; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<BTreeMap<&'static str, i64>>,
}

impl From<&Merge> for MergeShape {
    fn from(one: &Merge) -> MergeShape {
        MergeShape {
            id: one.id.to_string(),
            winner: one.winner.to_string(),
            loser: one.loser.to_string(),
            cause: one.cause.text(),
            why: one.why.clone(),
            by: one.actor.clone(),
            at: one.at.to_string(),
            undone_at: one.undone_at.map(|at| at.to_string()),
            undone_by: one.undone_by.clone(),
            moved: None,
        }
    }
}

fn counted(moved: &BTreeMap<Part, i64>) -> BTreeMap<&'static str, i64> {
    moved.iter().map(|(part, count)| (part.text(), *count)).collect()
}

/// Who is to be merged into the customer.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MergeWish, example = json!({"customer": "CRM-1002", "why": "the same address and card"}))]
struct WishShape {
    /// The customer whose everything goes to the other: its id or external id.
    customer: String,
    /// Why they are one person, for whoever looks at it later; nothing personal. 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// Who stays, who is merged, and why.
#[derive(Clone)]
struct Both {
    winner: Reference<Customer>,
    loser: Reference<Customer>,
    why: String,
}

impl WishShape {
    fn read(&self, winner: &str) -> Result<Both, Refusal> {
        let mut fields = Fields::new();
        let why = fields.take("why", bounded("why", &self.why, 1, WHY_CHARS_MAX));
        let (winner, loser) = (Reference::read(winner), Reference::read(&self.customer));
        fields.done(why.map(|why| Both { winner, loser, why }))
    }
}

impl Both {
    fn resolved(&self, tx: &mut Tx<'_>) -> Result<Wish, Failure> {
        let winner = external::resolve(tx, &self.winner)?;
        let loser = external::resolve_at(tx, "customer", &self.loser)?;
        Ok(Wish { winner, loser, cause: Cause::Staff, why: self.why.clone() })
    }
}

/// Who is named in the body is a bad value of its field when there is nobody.
fn in_body<T>(outcome: Result<T, Failure>) -> Result<T, Failure> {
    outcome.map_err(|failure| match failure {
        Failure::Refused(refusal)
            if refusal.code() == Code::NotFound && refusal.field() == Some("customer") =>
        {
            Refusal::invalid("customer", refusal.message()).into()
        }
        other => other,
    })
}

/// Merge another customer into one
///
/// Carts, orders, returns, claims, points, store credit, groups and what was used of promotions per customer are the one's from then on, all at
/// once. The other's id, external id, e-mail and phone lead to the one. It can be undone.
#[utoipa::path(post, path = "/v1/customers/{id}/merge", operation_id = "merge_customer", tag = "merging", request_body = WishShape,
    params(("id" = String, Path, description = "who stays: its id or external id"), KeyRequired),
    responses((status = 201, body = MergeShape), Problems))]
async fn merge_customer(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<WishShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let both = command.body.read(&id)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let wish = both.resolved(tx)?;
        let merged = in_body(merging::merge(tx, actor, world, wish))?;
        Reply::json(&whole(merging::read(tx, actor, merged.id)?))
    })
    .await
}

fn whole((one, moved): (Merge, BTreeMap<Part, i64>)) -> MergeShape {
    MergeShape { moved: Some(counted(&moved)), ..MergeShape::from(&one) }
}

/// What a merge would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MergePreview, example = json!({"moved": {"cart": 1, "order": 2, "membership": 1}}))]
struct PreviewShape {
    /// How many of each sort would go along.
    moved: BTreeMap<&'static str, i64>,
    /// Why it cannot be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedShape>,
}

/// Why something cannot be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MergeRefused, example = json!({"code": "wrong_state", "message": "customer cus_01jd0000000000000000000000 was erased and cannot be merged"}))]
struct RefusedShape {
    /// The code of the problem.
    code: &'static str,
    /// What is wrong and what to do.
    message: String,
}

impl From<Preview> for PreviewShape {
    fn from(preview: Preview) -> PreviewShape {
        let refused = preview.refused.map(|refusal| RefusedShape {
            code: refusal.code().text(),
            message: refusal.message().to_owned(),
        });
        PreviewShape { moved: counted(&preview.moved), refused }
    }
}

/// Show what merging another customer into one would do
///
/// It is done and all of it taken back, so it shows exactly what would be.
#[utoipa::path(post, path = "/v1/customers/{id}/merge-preview", operation_id = "preview_merge", tag = "merging", request_body = WishShape,
    params(("id" = String, Path, description = "who stays: its id or external id")), responses((status = 200, body = PreviewShape), Problems))]
async fn preview_merge(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<WishShape>,
) -> Result<Response, Problem> {
    let both = command.body.read(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let wish = both.resolved(tx)?;
        Reply::json(&PreviewShape::from(in_body(merging::preview(tx, actor, world, wish))?))
    })
    .await
}

/// Whose merges are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MergesQuery {
    /// Only those a customer had part in: its id.
    customer: Option<String>,
}

/// List merges, the newest first
#[utoipa::path(get, path = "/v1/merges", operation_id = "list_merges", tag = "merging", params(MergesQuery, PageQuery),
    responses((status = 200, body = Page<MergeShape>), Problems))]
async fn list_merges(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<MergesQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let of = fields.take_if("customer", query.customer.as_deref(), Id::<Customer>::parse);
    let of = fields.done(of)?;
    let list = move |tx: &mut Tx<'_>, before, limit| merging::list(tx, &actor, of, (before, limit));
    page.newest(&app, list, |one: &MergeShape| one.id.clone()).await
}

/// Read a merge
#[utoipa::path(get, path = "/v1/merges/{id}", operation_id = "read_merge", tag = "merging",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = MergeShape), Problems))]
async fn read_merge(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    document(&whole(app.read(move |tx| merging::read(tx, &actor, id)).await?), None)
}

fn named(id: &str) -> Result<Id<MergeKind>, Refusal> {
    Id::parse(id).map_err(|error| Refusal::new(Code::NotFound, error.to_string()))
}

/// A merge that was undone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UndoneMerge, example = json!({"merge": {"id": "mrg_01jd0000000000000000000000", "winner": "cus_01jd0000000000000000000000",
    "loser": "cus_01jd0000000000000000000001", "cause": "staff", "why": "the same address and card", "by": "staff stf_01jd0000000000000000000000",
    "at": "2026-06-01T10:00:00Z", "undone_at": "2026-06-02T10:00:00Z", "undone_by": "staff stf_01jd0000000000000000000000"},
    "missing": [{"of": "scr_01jd0000000000000000000000", "currency": "GBP", "amount": 500}]}))]
struct UndoneShape {
    /// The merge.
    merge: MergeShape,
    /// What had been spent meanwhile of what the other brought; give store credit or points if it is to be made good.
    missing: Vec<MissingShape>,
}

/// What had been spent of what somebody brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingOfMerge, example = json!({"of": "scr_01jd0000000000000000000000", "currency": "GBP", "amount": 500}))]
struct MissingShape {
    /// The store credit or membership.
    of: String,
    /// The currency; points when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// How much, in minor units or points.
    amount: i64,
}

impl From<&Missing> for MissingShape {
    fn from(one: &Missing) -> MissingShape {
        MissingShape { of: one.of.clone(), currency: one.currency.clone(), amount: one.amount }
    }
}

impl From<&Undone> for UndoneShape {
    fn from(undone: &Undone) -> UndoneShape {
        let missing = undone.missing.iter().map(MissingShape::from).collect();
        UndoneShape { merge: MergeShape::from(&undone.merge), missing }
    }
}

/// Undo a merge
///
/// What went along goes back, as far as it is still there; what was made since stays with who stayed. What had been spent counts against who
/// stayed first; what is missing then is named. Sessions of both, and passkeys and sign-ons of who stayed, end if they came since the merge: both
/// sign in anew.
#[utoipa::path(post, path = "/v1/merges/{id}/undo", operation_id = "undo_merge", tag = "merging",
    params(("id" = String, Path, description = "its id"), KeyRequired), responses((status = 200, body = UndoneShape), Problems))]
async fn undo_merge(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&UndoneShape::from(&merging::undo(tx, actor, world, id)?))
    })
    .await
}
