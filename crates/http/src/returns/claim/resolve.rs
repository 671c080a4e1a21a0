//! Making claims good over the API, and what follows: what the carrier says, and what became of a parcel that turned up.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::returns::claim::{CarrierState, Remedy, Whereabouts};
use domain::value::id::{Location, OrderLine};
use domain::value::{Id, Money, Reference};
use engine::external;
use engine::returns::LINES_MAX;
use engine::returns::claim::found::{self, Said};
use engine::returns::claim::resolve::{self, Resolve};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::ClaimShape;
use super::{short, step};
use crate::App;
use crate::command::{Command, KeyRequired};
use crate::problem::{Problem, Problems};
use crate::returns::shape::read_wish;
use crate::shape::Fields;

/// The routes by which claims are made good.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(resolve_claim))
        .routes(routes!(note_carrier_claim))
        .routes(routes!(settle_claim))
}

/// How a claim is made good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimResolution, example = json!({"remedy": "refund", "amounts": [{"line": "oln_01jd0000000000000000000000", "amount": 500}]}))]
struct ResolveShape {
    /// `refund`: money back, and the customer keeps what came. `replacement`: the same goods again, free of charge. `send_back`: the goods
    /// come back by post free of charge, and their money follows.
    remedy: String,
    /// How much is given back for which lines of a refund; for the others what they were sold for.
    #[serde(default)]
    #[schema(max_items = 2000)]
    amounts: Vec<AmountShape>,
    /// How the money is given back: `original`, `store_credit`, `gift_card` or `cash`; the policy's first way when not given.
    means: Option<String>,
    /// Where goods go that are sent back: id or external id; the best place when not given.
    location: Option<String>,
    /// Why the policy shall not count: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
}

/// How much is given back for a line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimAmount)]
struct AmountShape {
    /// The order line's id.
    line: String,
    /// How much, in minor units.
    #[schema(minimum = 1)]
    amount: i64,
}

/// Make an approved claim good
#[utoipa::path(post, path = "/v1/claims/{claim}/resolve", operation_id = "resolve_claim", tag = "returns", request_body = ResolveShape,
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn resolve_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<ResolveShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let remedy = fields.take("remedy", Remedy::parse(&body.remedy));
    let wish = read_wish(&mut fields, body.means.as_deref(), body.override_reason.as_deref());
    if body.amounts.len() > LINES_MAX {
        fields.refuse("amounts", format!("give at most {LINES_MAX}"));
    }
    let amounts = fields.each("amounts", &body.amounts, |fields, one| {
        let line: Option<Id<OrderLine>> = fields.id("line", &one.line);
        if !(1..=Money::MAX).contains(&one.amount) {
            fields.refuse("amount", "give 1 or more minor units");
        }
        Some((line?, one.amount))
    });
    let ((remedy, wish), amounts) = fields.done(remedy.zip(wish).zip(amounts))?;
    let place = body.location.as_deref().map(Reference::<Location>::read);
    step(app, command.request, &one, move |tx, actor, world, id| {
        let location = place.as_ref().map(|place| external::resolve_at(tx, "location", place)).transpose()?;
        let how = Resolve { remedy, amounts: amounts.clone(), wish: wish.clone(), location };
        resolve::resolve(tx, actor, world, (id, how))
    })
    .await
}

/// What a carrier said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarrierSaid, example = json!({"state": "paid", "paid": 1500, "reference": "CL-2026-17"}))]
struct SaidShape {
    /// Where it stands now: `filed`, `paid`, `refused` or `withdrawn`.
    state: String,
    /// How much the carrier paid, in minor units; all that was wanted when not given.
    #[schema(minimum = 1)]
    paid: Option<i64>,
    /// The carrier's own number for it; as before when not given.
    #[schema(max_length = 200)]
    reference: Option<String>,
}

/// Note where what we want of the carrier for a claim stands
#[utoipa::path(post, path = "/v1/claims/{claim}/carrier", operation_id = "note_carrier_claim", tag = "returns", request_body = SaidShape,
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn note_carrier_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<SaidShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let state = fields.take("state", CarrierState::parse(&body.state));
    let reference = short(&mut fields, "reference", body.reference.as_deref());
    let (state, reference) = fields.done(state.zip(reference))?;
    let said = Said { state, reference, paid: body.paid };
    step(app, command.request, &one, move |tx, actor, world, id| {
        found::carrier_said(tx, actor, world, id, said.clone())
    })
    .await
}

/// What became of goods that were made good and turned up after all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimSettlement, example = json!({"whereabouts": "restocked", "location": "leeds"}))]
struct SettleShape {
    /// `kept` when the customer keeps them, `restocked` when they are back and wait for inspection.
    whereabouts: String,
    /// Where they are back: id or external id.
    location: Option<String>,
}

/// Say what became of a lost parcel's goods that turned up after they were made good
///
/// The loss is taken back in the books; no money moves.
#[utoipa::path(post, path = "/v1/claims/{claim}/settle", operation_id = "settle_claim", tag = "returns", request_body = SettleShape,
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn settle_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<SettleShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let whereabouts = fields.take("whereabouts", Whereabouts::parse(&command.body.whereabouts));
    let whereabouts = fields.done(whereabouts)?;
    let place = command.body.location.as_deref().map(Reference::<Location>::read);
    step(app, command.request, &one, move |tx, actor, world, id| {
        let location = place.as_ref().map(|place| external::resolve_at(tx, "location", place)).transpose()?;
        found::settle(tx, actor, world, id, (whereabouts, location))
    })
    .await
}
