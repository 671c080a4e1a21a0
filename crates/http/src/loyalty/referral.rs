//! Referral over the API: codes that bring friends, and what became of the friends.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::loyalty::programme::ENTRIES_MAX;
use domain::loyalty::referral::{Terms, Why};
use domain::promotion::limit::Period;
use domain::value::{id, text};
use engine::Failure;
use engine::loyalty::referral::{self, Referral};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::points::MemberPath;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The most characters of a member's code as it is typed.
const CODE_LENGTH_MAX: usize = 64;

/// The routes of referral.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(make_referral_code))
        .routes(routes!(read_referral, accept_referral))
        .routes(routes!(list_friends))
}

/// What is given for friends.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReferralTerms, example = json!({"points": 500, "friend_points": 200, "minimums": [{"amount": 2000, "currency": "GBP"}], "wait_days": 14,
    "within_days": 90, "member_max": 10, "period": "year"}))]
pub(super) struct ReferralTermsShape {
    /// How many points who brings a friend is given.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    points: i64,
    /// How many points the friend is given.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    friend_points: i64,
    /// The least that is kept of the friend's first order, by currency; an order in another currency is not enough. Any order is when absent.
    #[serde(default)]
    #[schema(max_items = 100)]
    minimums: Vec<MoneyShape>,
    /// How many days after the last goods left the points are given: the return window.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    wait_days: i64,
    /// Within how many days the friend must order; at any time when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 366)]
    within_days: Option<i64>,
    /// For how many friends one member is given points in a period; for any number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    member_max: Option<i64>,
    /// The period, by the clock of the programme: `day`, `week`, `month`, `year` or `ever`; `ever` when absent.
    #[serde(default = "ever")]
    period: String,
}

fn ever() -> String {
    Period::Ever.text().to_owned()
}

impl From<&Terms> for ReferralTermsShape {
    fn from(terms: &Terms) -> ReferralTermsShape {
        ReferralTermsShape {
            points: terms.points,
            friend_points: terms.friend_points,
            minimums: terms
                .minimums
                .iter()
                .map(|(currency, minor)| super::money(*minor, *currency))
                .collect(),
            wait_days: terms.wait_days,
            within_days: terms.within_days,
            member_max: terms.member_max,
            period: terms.period.text().to_owned(),
        }
    }
}

impl ReferralTermsShape {
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Terms> {
        if self.minimums.len() > ENTRIES_MAX {
            fields.refuse("minimums", format!("give at most {ENTRIES_MAX}"));
            return None;
        }
        let mut minimums = Vec::new();
        for (place, shape) in self.minimums.iter().enumerate() {
            let money = fields.money(&format!("minimums.{place}"), shape)?;
            minimums.push((money.currency(), money.minor()));
        }
        let period = fields.take("period", Period::parse(&self.period));
        Some(Terms {
            points: self.points,
            friend_points: self.friend_points,
            minimums,
            wait_days: self.wait_days,
            within_days: self.within_days,
            member_max: self.member_max,
            period: period?,
        })
    }
}

/// A friend that a member brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Referral, example = json!({"friend": "mem_01jd0000000000000000000001", "by": "mem_01jd0000000000000000000000", "version": 1, "state": "rewarded", "points": 500,
    "friend_points": 200, "made_at": "2026-11-21T09:30:00Z", "rewarded_at": "2026-12-12T09:30:00Z"}))]
struct ReferralShape {
    /// The friend: a member.
    friend: String,
    /// Who brought him: a member.
    by: String,
    /// The version of the programme under which he came.
    version: i64,
    /// What became of it: `open` (no order yet), `ordered` (it may still come back), `rewarded`, `refused` or `revoked` (what was given was taken back).
    state: &'static str,
    /// Why nothing is given or it was taken back: `not_kept`, `too_little`, `too_late`, `same_person`, `limit` or `left`.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// The points who brought him has of it.
    points: i64,
    /// The points the friend has of it.
    friend_points: i64,
    /// When the friend gave the code.
    #[schema(format = DateTime)]
    made_at: String,
    /// When both were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    rewarded_at: Option<String>,
}

impl From<&Referral> for ReferralShape {
    fn from(one: &Referral) -> ReferralShape {
        ReferralShape {
            friend: one.friend.to_string(),
            by: one.member.to_string(),
            version: one.number,
            state: one.state.text(),
            why: one.why.map(Why::text),
            points: one.points,
            friend_points: one.friend_points,
            made_at: one.made_at.to_string(),
            rewarded_at: one.rewarded_at.map(|at| at.to_string()),
        }
    }
}

/// A code that brings friends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReferralCode, example = json!({"code": "F-8KQ4-M2XD-77PT"}))]
struct CodeShape {
    /// The code, however it is typed.
    #[schema(max_length = 64)]
    code: String,
}

/// Give a member the code by which he brings friends
///
/// The same one every time. A link of the shop's own may carry it.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/referral-code", operation_id = "make_referral_code", tag = "loyalty",
    params(MemberPath), responses((status = 200, body = CodeShape), Problems))]
async fn make_referral_code(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let of = of.find(tx, actor)?;
        Reply::json(&CodeShape { code: referral::code(tx, actor, world, &of)? })
    })
    .await
}

/// Say who brought a member
///
/// Before his first order. Both are given their points when what is kept of that order is enough and its return window is over.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/referral", operation_id = "accept_referral", tag = "loyalty", request_body = CodeShape,
    params(MemberPath, KeyRequired), responses((status = 201, body = ReferralShape), Problems))]
async fn accept_referral(
    State(app): State<App>,
    Path(of): Path<MemberPath>,
    command: Command<CodeShape>,
) -> Result<Response, Problem> {
    let (command, of) = (command.keyed()?, of.read()?);
    let mut fields = Fields::new();
    let code = fields.take("code", text::bounded("code", &command.body.code, 1, CODE_LENGTH_MAX));
    let code = fields.done(code)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let of = of.find(tx, actor)?;
        let one = referral::accept(tx, actor, world, (&of, &code))?;
        Reply::json(&ReferralShape::from(&one))
    })
    .await
}

/// Read by whom a member came, and what became of it
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/referral", operation_id = "read_referral", tag = "loyalty",
    params(MemberPath), responses((status = 200, body = ReferralShape), Problems))]
async fn read_referral(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(of): Path<MemberPath>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    let read = move |tx: &mut Tx<'_>| {
        let of = of.find(tx, &actor)?;
        let none = || Refusal::not_found("referral of member", of.id);
        referral::came_by(tx, &of)?.ok_or_else(|| Failure::from(none()))
    };
    let one = app.read(read).await?;
    document(&ReferralShape::from(&one), None)
}

/// List the friends a member brought, the latest enrolled first
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/friends", operation_id = "list_friends", tag = "loyalty",
    params(MemberPath, PageQuery), responses((status = 200, body = Page<ReferralShape>), Problems))]
async fn list_friends(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(of): Path<MemberPath>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let of = of.read()?;
    let (limit, before) = (page.limit()?, page.before_id::<id::Member>()?);
    let read = move |tx: &mut Tx<'_>| {
        let of = of.find(tx, &actor)?;
        referral::friends(tx, &of, before, limit)
    };
    let found: Vec<_> = app.read(read).await?.iter().map(ReferralShape::from).collect();
    document(&Page::new(found, limit, |one: &ReferralShape| one.friend.clone()), None)
}
