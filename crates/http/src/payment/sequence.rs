//! The sequence in which several means on one order are taken and given back, over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::payment::Kind;
use domain::payment::sequence::{Rest, Rule, Sequence};
use domain::value::{Reference, id};
use engine::external;
use engine::payment::sequence::{self as command, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of sequences.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_payment_sequence, set_payment_sequence))
        .routes(routes!(list_payment_sequence_versions))
}

/// Which means come first, second, third.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentSequencePart, example = json!({"kinds": ["points", "gift_card", "store_credit"], "rest": "as_given"}))]
struct PartShape {
    /// Means of payment, each once; those that are not named come after them.
    #[schema(max_items = 9)]
    kinds: Vec<String>,
    /// The sequence of those that are not named, and of several of one kind: `as_given` or `latest_first`.
    rest: String,
}

/// How the means of one order follow each other.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentSequence, example = json!({"capture": {"kinds": ["points", "gift_card", "store_credit"], "rest": "as_given"},
    "refund": {"kinds": ["stripe"], "rest": "latest_first"}}))]
struct RuleShape {
    /// When money is taken for what leaves in parts.
    capture: PartShape,
    /// When money is given back.
    refund: PartShape,
}

/// How the means of one order follow each other, in a market.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentSequence, example = json!({"version": 1, "capture": {"kinds": ["points", "gift_card", "store_credit"], "rest": "as_given"},
    "refund": {"kinds": ["stripe"], "rest": "latest_first"}, "since": "2026-11-21T09:30:00Z"}))]
struct VersionShape {
    /// Counts the versions; 0 when none was set, and all are taken and given back as they were given.
    version: i64,
    /// When money is taken for what leaves in parts.
    capture: PartShape,
    /// When money is given back.
    refund: PartShape,
    /// Orders placed from then on follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
}

impl From<&Sequence> for PartShape {
    fn from(sequence: &Sequence) -> PartShape {
        PartShape {
            kinds: sequence.kinds().iter().map(|kind| kind.text().to_owned()).collect(),
            rest: sequence.rest().text().to_owned(),
        }
    }
}

impl VersionShape {
    fn new(number: i64, rule: &Rule, since: Option<String>) -> VersionShape {
        VersionShape {
            version: number,
            capture: (&rule.capture).into(),
            refund: (&rule.refund).into(),
            since,
        }
    }
}

impl From<&Version> for VersionShape {
    fn from(version: &Version) -> VersionShape {
        VersionShape::new(version.number, &version.rule, Some(version.since.to_string()))
    }
}

fn part(fields: &mut Fields, name: &str, shape: &PartShape) -> Option<Sequence> {
    let kinds = shape.kinds.iter().enumerate();
    let kinds: Vec<Option<Kind>> =
        kinds.map(|(place, text)| fields.take(&format!("{name}.kinds.{place}"), Kind::parse(text))).collect();
    let rest = fields.take(&format!("{name}.rest"), Rest::parse(&shape.rest));
    let kinds: Option<Vec<Kind>> = kinds.into_iter().collect();
    let (kinds, rest) = kinds.zip(rest)?;
    fields.part(name, Sequence::new("kinds", kinds, rest))
}

impl RuleShape {
    fn read(&self) -> Result<Rule, Refusal> {
        let mut fields = Fields::new();
        let capture = part(&mut fields, "capture", &self.capture);
        let refund = part(&mut fields, "refund", &self.refund);
        fields.done(capture.zip(refund).map(|(capture, refund)| Rule { capture, refund }))
    }
}

/// Read in which sequence means are taken and given back in a market
#[utoipa::path(get, path = "/v1/markets/{id}/payment-sequence", operation_id = "read_payment_sequence", tag = "payment",
    params(("id" = String, Path, description = "the market's id or external id")),
    responses((status = 200, body = VersionShape), Problems))]
async fn read_payment_sequence(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let market = Reference::<id::Market>::read(&id);
    let found = app
        .read(move |tx| {
            let market = external::resolve(tx, &market)?;
            command::read(tx, &actor, market)
        })
        .await?;
    let shape = found.as_ref().map_or_else(|| VersionShape::new(0, &Rule::usual(), None), VersionShape::from);
    document(&shape, Some(shape.version))
}

/// Set in which sequence means are taken and given back in a market
///
/// Orders that were placed before follow the version that was in force then.
#[utoipa::path(put, path = "/v1/markets/{id}/payment-sequence", operation_id = "set_payment_sequence", tag = "payment", request_body = RuleShape,
    params(("id" = String, Path, description = "the market's id or external id"), ("If-Match" = String, Header, description = "The version that was read")),
    responses((status = 200, body = VersionShape), Problems))]
async fn set_payment_sequence(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<RuleShape>,
) -> Result<Response, Problem> {
    let (market, version) = (Reference::<id::Market>::read(&id), command.if_match);
    let rule = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let market = external::resolve(tx, &market)?;
        let set = command::set(tx, actor, world, (market, version), rule.clone())?;
        Reply::versioned(&VersionShape::from(&set), set.number)
    })
    .await
}

/// List the versions of the sequence in which means are taken and given back in a market
///
/// The newest first.
#[utoipa::path(get, path = "/v1/markets/{id}/payment-sequence/versions", operation_id = "list_payment_sequence_versions", tag = "payment",
    params(("id" = String, Path, description = "the market's id or external id"), PageQuery),
    responses((status = 200, body = Page<VersionShape>), Problems))]
async fn list_payment_sequence_versions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (market, limit, after) = (Reference::<id::Market>::read(&id), page.limit()?, page.after()?);
    let unknown = |_| Problem::unreadable("the cursor belongs to another list; begin without a cursor");
    let before = if after.is_empty() { i64::MAX } else { after.parse().map_err(unknown)? };
    let found = app
        .read(move |tx| {
            let market = external::resolve(tx, &market)?;
            command::list(tx, &actor, market, before, limit)
        })
        .await?;
    let items = found.iter().map(VersionShape::from).collect();
    document(&Page::new(items, limit, |one: &VersionShape| one.version.to_string()), None)
}
