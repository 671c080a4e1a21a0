//! Reading stock over the API: balances now and as of a past instant, history, and what a channel can promise.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::stock::State as StockState;
use domain::value::id::{Channel, Variant};
use domain::value::{Id, Instant, Reference};
use engine::stock;
use engine::stock::availability::{Availability, availability};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::ledger::HistoryLine;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Spot;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The most variants asked for at once.
const VARIANTS_MAX: usize = 500;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_stock))
        .routes(routes!(list_stock_history))
        .routes(routes!(get_availability))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AsOf {
    /// As of the end of this instant, RFC 3339; now when not given.
    #[param(format = DateTime)]
    as_of: Option<String>,
}

/// The stock of one variant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock, example = json!({"variant": "var_01jd0000000000000000000000", "on_hand": 12, "balances": [{"place": "loc_01jd0000000000000000000000", "state": "available", "amount": 12}]}))]
struct StockShape {
    /// The variant.
    variant: String,
    /// Everything that is physically at locations, whatever its state.
    on_hand: i64,
    /// Each state at each place.
    balances: Vec<BalanceShape>,
}

/// One state at one place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockBalance)]
struct BalanceShape {
    /// A location; a network for promises that are not yet at a shelf.
    place: String,
    /// The state.
    state: &'static str,
    /// Base units.
    amount: i64,
}

/// Read the stock of a variant, now or as of a past instant
#[utoipa::path(get, path = "/v1/stock/{variant}", operation_id = "get_stock", tag = "stock",
    params(("variant" = String, Path, description = "Id, external id or SKU"), AsOf), responses((status = 200, body = StockShape), Problems))]
async fn get_stock(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(variant): Path<String>,
    Asked(query): Asked<AsOf>,
) -> Result<Response, Problem> {
    let as_of = query
        .as_of
        .map(|text| Instant::parse(&text).map_err(|error| Refusal::invalid("as_of", error)))
        .transpose()?;
    let reference = Reference::<Variant>::read(&variant);
    let shape = app
        .read(move |tx| {
            let variant = found(engine::catalogue::resolve_variant(tx, "variant", &reference))?;
            let balances = stock::balances(tx, &actor, variant, as_of)?;
            let on_hand =
                balances.iter().filter(|(_, state, _)| state.is_on_hand()).map(|(.., amount)| amount).sum();
            let balances =
                balances.into_iter().filter(|(.., amount)| *amount != 0).map(|(place, state, amount)| {
                    let pool = state.is_pool();
                    let place = if pool {
                        Id::<domain::value::id::Network>::from_bytes(place.bytes()).to_string()
                    } else {
                        place.to_string()
                    };
                    BalanceShape { place, state: state.text(), amount }
                });
            Ok(StockShape { variant: variant.to_string(), on_hand, balances: balances.collect() })
        })
        .await?;
    document(&shape, None)
}

/// What a path names and nobody knows is not found, rather than a bad value.
pub(super) fn found<T>(outcome: Result<T, Failure>) -> Result<T, Failure> {
    outcome.map_err(|failure| match failure {
        Failure::Refused(refusal) if refusal.code() == domain::Code::Invalid => {
            Refusal::new(domain::Code::NotFound, refusal.message()).into()
        }
        other => other,
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// Which state; `available` when not given.
    state: Option<String>,
}

/// Why a number is what it is: one change of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StockHistoryLine, example = json!({"transfer": "trf_01jd0000000000000000000000", "at": "2026-11-21T09:30:00Z", "before": 14, "change": -2, "after": 12, "reason": "committed", "cause_kind": "order", "cause_id": "ord_01jd0000000000000000000000", "actor": "system"}))]
struct HistoryShape {
    /// The transfer.
    transfer: String,
    /// When.
    at: String,
    /// The number before.
    before: i64,
    /// How much came, or went when negative.
    change: i64,
    /// The number after.
    after: i64,
    /// Why, in a word.
    reason: String,
    /// What kind of thing caused it.
    cause_kind: Option<String>,
    /// Its id.
    cause_id: Option<String>,
    /// Who did it.
    actor: String,
    /// Through which channel.
    channel: Option<String>,
    #[serde(skip)]
    key: String,
}

impl From<HistoryLine> for HistoryShape {
    fn from(line: HistoryLine) -> HistoryShape {
        HistoryShape {
            key: format!("{} {}", line.at.micros(), line.transfer),
            transfer: line.transfer.to_string(),
            at: line.at.to_string(),
            before: line.balance - line.amount,
            change: line.amount,
            after: line.balance,
            reason: line.reason,
            cause_kind: line.cause_kind,
            cause_id: line.cause_id,
            actor: line.actor,
            channel: line.channel.map(|channel| channel.to_string()),
        }
    }
}

/// Read why a number is what it is, newest change first
#[utoipa::path(get, path = "/v1/stock/{variant}/{location}/history", operation_id = "list_stock_history", tag = "stock",
    params(("variant" = String, Path, description = "Id, external id or SKU"), ("location" = String, Path, description = "Id or external id"), StateQuery, PageQuery),
    responses((status = 200, body = Page<HistoryShape>), Problems))]
async fn list_stock_history(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((variant, location)): Path<(String, String)>,
    Asked(query): Asked<StateQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, before) = (page.limit()?, before(&page.after()?)?);
    let state =
        StockState::named(query.state.as_deref().unwrap_or("available")).filter(|state| !state.is_world());
    let state = state
        .ok_or_else(|| Refusal::invalid("state", "give a state such as available, held or committed"))?;
    let spot = Spot::read(&variant, &location);
    let lines = app
        .read(move |tx| {
            let (variant, location) = found(spot.find(tx, ""))?;
            stock::history(tx, &actor, (variant, location, state), before, limit)
        })
        .await?;
    document(
        &Page::new(lines.into_iter().map(HistoryShape::from).collect(), limit, |line: &HistoryShape| {
            line.key.clone()
        }),
        None,
    )
}

/// The point before which a page begins: the end of time at the start.
fn before(text: &str) -> Result<(Instant, Id<domain::value::id::Transfer>), Problem> {
    if text.is_empty() {
        return Ok((Instant::from_micros(i64::MAX), Id::from_bytes([255; 16])));
    }
    let point = text
        .split_once(' ')
        .and_then(|(at, id)| Some((Instant::from_micros(at.parse().ok()?), Id::parse(id).ok()?)));
    point.ok_or_else(|| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AvailabilityQuery {
    /// The channel: id or external id.
    channel: String,
    /// Variants, separated by commas, 1 to 500: ids, external ids or SKUs.
    variants: String,
}

/// What a channel can promise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Availability, example = json!({"items": [{"variant": "var_01jd0000000000000000000000", "promisable": 7, "locations": [{"location": "loc_01jd0000000000000000000000", "free": 7}]}]}))]
struct AvailabilityShape {
    /// Each variant.
    items: Vec<PromiseShape>,
}

/// What can be promised of one variant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VariantAvailability)]
struct PromiseShape {
    /// The variant.
    variant: String,
    /// How many the channel can promise.
    promisable: i64,
    /// What each location it reaches can give.
    locations: Vec<FreeShape>,
}

/// What a location can give.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LocationAvailability)]
struct FreeShape {
    /// The location.
    location: String,
    /// How many it can give.
    free: i64,
}

impl From<Availability> for PromiseShape {
    fn from(one: Availability) -> PromiseShape {
        let locations = one
            .locations
            .into_iter()
            .map(|(location, free)| FreeShape { location: location.to_string(), free });
        PromiseShape {
            variant: one.variant.to_string(),
            promisable: one.promisable,
            locations: locations.collect(),
        }
    }
}

/// Read what a channel can promise
#[utoipa::path(get, path = "/v1/availability", operation_id = "get_availability", tag = "stock", params(AvailabilityQuery),
    responses((status = 200, body = AvailabilityShape), Problems))]
async fn get_availability(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<AvailabilityQuery>,
) -> Result<Response, Problem> {
    let variants: Vec<Reference<Variant>> =
        query.variants.split(',').map(|text| Reference::read(text.trim())).collect();
    if variants.len() > VARIANTS_MAX {
        return Err(Refusal::invalid("variants", format!("give 1 to {VARIANTS_MAX}")).into());
    }
    let channel = Reference::<Channel>::read(&query.channel);
    let items = app
        .read(move |tx| {
            let channel = external::resolve_at(tx, "channel", &channel)?;
            let channel = store::market::find_channel(tx, channel)?
                .ok_or_else(|| Refusal::not_found("channel", channel))?;
            let ids =
                variants.iter().map(|variant| engine::catalogue::resolve_variant(tx, "variants", variant));
            let ids = ids.collect::<Result<Vec<_>, _>>()?;
            availability(tx, &actor, &channel, &ids)
        })
        .await?;
    document(&AvailabilityShape { items: items.into_iter().map(PromiseShape::from).collect() }, None)
}
