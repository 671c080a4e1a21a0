//! Gift cards that are sold over the API: which variants are gift cards, how long cards are valid, and what is owed on all of them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::loyalty::Validity;
use domain::value::id::Variant;
use domain::value::{Id, Instant, Money, Reference};
use engine::loyalty::sale::{self, Liability};
use engine::{catalogue, external};
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
use crate::shape::{Fields, MoneyShape};

/// The routes of gift cards that are sold.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_gift_card_variants))
        .routes(routes!(make_gift_card_variant, unmake_gift_card_variant))
        .routes(routes!(read_gift_card_validity, set_gift_card_validity))
        .routes(routes!(read_credit_liability))
}

/// A variant that is a gift card.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GiftCardVariant, example = json!({"variant": "var_01jd0000000000000000000000"}))]
struct GiftVariantShape {
    /// The variant's id.
    variant: String,
}

/// List the variants that are gift cards
#[utoipa::path(get, path = "/v1/gift-card-variants", operation_id = "list_gift_card_variants", tag = "loyalty",
    params(PageQuery), responses((status = 200, body = Page<GiftVariantShape>), Problems))]
async fn list_gift_card_variants(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id::<Variant>()?);
    let read = move |tx: &mut Tx<'_>| sale::list(tx, &actor, after, limit);
    let found = app.read(read).await?;
    let shapes: Vec<_> = found.iter().map(|id| GiftVariantShape { variant: id.to_string() }).collect();
    document(&Page::new(shapes, limit, |shape: &GiftVariantShape| shape.variant.clone()), None)
}

/// Make a variant a gift card
///
/// Whoever buys it gets a card with its price on it, as soon as the money is taken. The variant must be a service.
#[utoipa::path(put, path = "/v1/gift-card-variants/{variant}", operation_id = "make_gift_card_variant", tag = "loyalty",
    params(("variant" = String, Path, description = "The variant, by id, external id or SKU."), KeyRequired),
    responses((status = 200, body = GiftVariantShape), Problems))]
async fn make_gift_card_variant(
    State(app): State<App>,
    Path(variant): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    edit(app, &variant, command, sale::make).await
}

/// Make a variant no gift card any more
///
/// Cards that were sold stay.
#[utoipa::path(delete, path = "/v1/gift-card-variants/{variant}", operation_id = "unmake_gift_card_variant", tag = "loyalty",
    params(("variant" = String, Path, description = "The variant, by id, external id or SKU."), KeyRequired),
    responses((status = 200, body = GiftVariantShape), Problems))]
async fn unmake_gift_card_variant(
    State(app): State<App>,
    Path(variant): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    edit(app, &variant, command, sale::unmake).await
}

type Edit =
    fn(&mut Tx<'_>, &domain::actor::Actor, &mut engine::World, Id<Variant>) -> Result<(), engine::Failure>;

async fn edit(app: App, variant: &str, command: Command<()>, edit: Edit) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let variant = Reference::read(variant);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = catalogue::resolve_variant(tx, "variant", &variant)?;
        edit(tx, actor, world, id)?;
        Reply::json(&GiftVariantShape { variant: id.to_string() })
    })
    .await
}

/// How long gift cards are valid.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GiftCardValidity, example = json!({"months": 36, "to_year_end": true}))]
struct ValidityShape {
    /// So many months from the day of sale; for ever when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1200)]
    months: Option<i64>,
    /// And then to the end of that year.
    #[serde(default)]
    to_year_end: bool,
}

impl From<Option<Validity>> for ValidityShape {
    fn from(validity: Option<Validity>) -> ValidityShape {
        ValidityShape {
            months: validity.map(|rule| rule.months),
            to_year_end: validity.is_some_and(|rule| rule.to_year_end),
        }
    }
}

/// Read how long gift cards sold in a market are valid
#[utoipa::path(get, path = "/v1/markets/{market}/gift-card-validity", operation_id = "read_gift_card_validity", tag = "loyalty",
    params(("market" = String, Path, description = "The market, by id or external id.")), responses((status = 200, body = ValidityShape), Problems))]
async fn read_gift_card_validity(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(market): Path<String>,
) -> Result<Response, Problem> {
    let market = Reference::read(&market);
    let read = move |tx: &mut Tx<'_>| {
        let market = external::resolve(tx, &market)?;
        sale::validity(tx, &actor, market)
    };
    document(&ValidityShape::from(app.read(read).await?), None)
}

/// Set how long gift cards sold in a market are valid
///
/// Cards that were sold keep their day.
#[utoipa::path(put, path = "/v1/markets/{market}/gift-card-validity", operation_id = "set_gift_card_validity", tag = "loyalty", request_body = ValidityShape,
    params(("market" = String, Path, description = "The market, by id or external id."), KeyRequired),
    responses((status = 200, body = ValidityShape), Problems))]
async fn set_gift_card_validity(
    State(app): State<App>,
    Path(market): Path<String>,
    command: Command<ValidityShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let market = Reference::read(&market);
    let ValidityShape { months, to_year_end } = command.body;
    let validity = months.map(|months| Validity::new(months, to_year_end)).transpose()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let market = external::resolve(tx, &market)?;
        sale::set_validity(tx, actor, world, market, validity)?;
        Reply::json(&ValidityShape::from(validity))
    })
    .await
}

/// The time a report is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TimeQuery {
    /// Where it begins, RFC 3339; the beginning of the books when not given.
    from: Option<String>,
    /// Where it ends, RFC 3339; now when not given.
    until: Option<String>,
}

impl TimeQuery {
    fn read(&self) -> Result<(Instant, Instant), Problem> {
        let mut fields = Fields::new();
        let from = fields.take_if("from", self.from.as_deref(), Instant::parse);
        let until = fields.take_if("until", self.until.as_deref(), Instant::parse);
        let (from, until) = fields.done(from.zip(until))?;
        Ok((from.unwrap_or(Instant::from_micros(i64::MIN)), until.unwrap_or(Instant::from_micros(i64::MAX))))
    }
}

/// What customers have with us in one currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditLiability, example = json!({"kind": "gift_card", "outstanding": {"amount": 2500, "currency": "GBP"}, "issued": {"amount": 5000, "currency": "GBP"},
    "refunded": {"amount": 0, "currency": "GBP"}, "spent": {"amount": 2500, "currency": "GBP"}, "adjusted": {"amount": 0, "currency": "GBP"}, "expired": {"amount": 0, "currency": "GBP"}}))]
struct LiabilityShape {
    /// `gift_card` or `store_credit`.
    kind: &'static str,
    /// What was with us at the end of the time.
    outstanding: MoneyShape,
    /// Sold or given in the time.
    issued: MoneyShape,
    /// Put on for goods that came back.
    refunded: MoneyShape,
    /// Paid with, less what was given back.
    spent: MoneyShape,
    /// Corrected by hand, more (positive) or less.
    adjusted: MoneyShape,
    /// Lapsed with the last day of a card.
    expired: MoneyShape,
}

impl From<&Liability> for LiabilityShape {
    fn from(one: &Liability) -> LiabilityShape {
        let money = |minor| -> MoneyShape {
            Money::new(minor, one.currency).unwrap_or_else(|_| Money::zero(one.currency)).into()
        };
        LiabilityShape {
            kind: one.kind.text(),
            outstanding: money(one.outstanding),
            issued: money(one.issued),
            refunded: money(one.refunded),
            spent: money(one.spent),
            adjusted: money(one.adjusted),
            expired: money(one.expired),
        }
    }
}

/// What customers have with us.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditLiabilities)]
struct LiabilitiesShape {
    /// One for each kind and currency.
    items: Vec<LiabilityShape>,
}

/// Report what customers have with us on gift cards and as store credit
///
/// For every kind and currency what was outstanding at the end of the time, and what was issued, refunded, spent, adjusted and lapsed in it:
/// outstanding before + issued + refunded + adjusted − spent − expired = outstanding.
#[utoipa::path(get, path = "/v1/credit-liability", operation_id = "read_credit_liability", tag = "loyalty",
    params(TimeQuery), responses((status = 200, body = LiabilitiesShape), Problems))]
async fn read_credit_liability(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<TimeQuery>,
) -> Result<Response, Problem> {
    let time = query.read()?;
    let found = app.read(move |tx: &mut Tx<'_>| sale::liability(tx, &actor, time)).await?;
    document(&LiabilitiesShape { items: found.iter().map(LiabilityShape::from).collect() }, None)
}
