//! Markets and channels over the API: to whom is sold, in which currency and language, and through which door.

mod channel;
mod origin;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::market::{COUNTRIES_MAX, RoundingLevel};
use domain::value::{Country, Currency, Language, Reference, Rounding, Zone, id, reference, text};
use engine::market::{self, Market, MarketChange, NewMarket};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::location::CODE_CHARS_MAX;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

/// The routes of markets and channels.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_market, list_markets))
        .routes(routes!(read_market, update_market))
        .merge(channel::routes())
        .merge(origin::routes())
}

/// A country or group of countries sold to, with one currency, tax treatment and language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Market, example = json!({"id": "mkt_01jd0000000000000000000000", "code": "gb", "name": "Britain", "countries": ["GB"],
    "currency": "GBP", "prices_include_tax": true, "rounding_level": "line", "rounding": "half_up", "cash_rounding_minor": 1,
    "language": "en-GB", "time_zone": "Europe/London", "version": 1}))]
struct MarketShape {
    /// Its id.
    id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: String,
    /// Its countries, two letters of ISO 3166-1 each.
    countries: Vec<&'static str>,
    /// The currency everything in it is priced in, ISO 4217.
    currency: &'static str,
    /// Prices shown already contain the tax.
    prices_include_tax: bool,
    /// On what tax is rounded: `line` or `order`.
    rounding_level: &'static str,
    /// How half a minor unit is rounded: `half_up` or `half_even`.
    rounding: &'static str,
    /// Cash is paid in multiples of this many minor units.
    cash_rounding_minor: i64,
    /// The language its customers are spoken to in.
    language: String,
    /// The time zone of its days.
    time_zone: String,
    /// The tax zone where the address does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_zone: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Market> for MarketShape {
    fn from(market: &Market) -> MarketShape {
        MarketShape {
            id: market.id.to_string(),
            code: market.code.clone(),
            name: market.name.clone(),
            countries: market.countries.iter().map(|country| country.code()).collect(),
            currency: market.currency.code(),
            prices_include_tax: market.prices_include_tax,
            rounding_level: market.rounding_level.text(),
            rounding: market.rounding.name(),
            cash_rounding_minor: market.cash_rounding_minor,
            language: market.language.to_string(),
            time_zone: market.zone.to_string(),
            tax_zone: market.tax_zone.map(|zone| zone.to_string()),
            version: market.version,
        }
    }
}

fn rounding(name: &str) -> Result<Rounding, &'static str> {
    Rounding::named(name).ok_or("give one of half_up, half_even")
}

/// The countries named, each refused by its place.
fn read_countries(fields: &mut Fields, countries: &[String]) -> Option<Vec<Country>> {
    if countries.len() > COUNTRIES_MAX {
        fields.refuse("countries", format!("give at most {COUNTRIES_MAX} countries"));
        return None;
    }
    let mut read = Vec::with_capacity(countries.len());
    for (place, country) in countries.iter().enumerate() {
        read.extend(fields.take(&format!("countries.{place}"), Country::parse(country)));
    }
    (read.len() == countries.len()).then_some(read)
}

/// A market to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMarket, example = json!({"code": "gb", "name": "Britain", "countries": ["GB"], "currency": "GBP",
    "prices_include_tax": true, "language": "en-GB", "time_zone": "Europe/London"}))]
struct NewMarketShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// Its countries, two letters of ISO 3166-1 each.
    #[schema(min_items = 1, max_items = 249)]
    countries: Vec<String>,
    /// The currency everything in it is priced in, ISO 4217; never changed.
    currency: String,
    /// Prices shown already contain the tax.
    prices_include_tax: bool,
    /// On what tax is rounded: `line` (when absent) or `order`.
    rounding_level: Option<String>,
    /// How half a minor unit is rounded: `half_up` (when absent) or `half_even`.
    rounding: Option<String>,
    /// Cash is paid in multiples of this many minor units, such as 5; 1 when absent.
    #[schema(minimum = 1, maximum = 10_000)]
    cash_rounding_minor: Option<i64>,
    /// The language its customers are spoken to in, such as `en-GB`.
    language: String,
    /// The time zone of its days, such as `Europe/London`.
    time_zone: String,
    /// The tax zone where the address does not say: its id or external id.
    tax_zone: Option<String>,
}

impl NewMarketShape {
    fn read(&self) -> Result<NewMarket, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, CODE_CHARS_MAX));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let external_id =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<id::Market>);
        let countries = read_countries(&mut fields, &self.countries);
        let currency = fields.take("currency", Currency::parse(&self.currency));
        let level = fields.take_if("rounding_level", self.rounding_level.as_deref(), RoundingLevel::parse);
        let rounding = fields.take_if("rounding", self.rounding.as_deref(), rounding);
        let language = fields.take("language", Language::parse(&self.language));
        let zone = fields.take("time_zone", Zone::parse(&self.time_zone));
        let read = (|| {
            Some(NewMarket {
                code: code?,
                name: name?,
                external_id: external_id?,
                countries: countries?,
                currency: currency?,
                prices_include_tax: self.prices_include_tax,
                rounding_level: level?.unwrap_or(RoundingLevel::Line),
                rounding: rounding?.unwrap_or(Rounding::HalfUp),
                cash_rounding_minor: self.cash_rounding_minor.unwrap_or(1),
                language: language?,
                zone: zone?,
                tax_zone: self.tax_zone.as_deref().map(Reference::read),
            })
        })();
        fields.done(read)
    }
}

/// What of a market is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MarketChange, example = json!({"name": "Britain and Ireland", "countries": ["GB", "IE"], "tax_zone": null}))]
struct MarketChangeShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// Its countries, in place of those it has.
    #[schema(min_items = 1, max_items = 249)]
    countries: Option<Vec<String>>,
    /// Prices shown already contain the tax.
    prices_include_tax: Option<bool>,
    /// On what tax is rounded: `line` or `order`.
    rounding_level: Option<String>,
    /// How half a minor unit is rounded: `half_up` or `half_even`.
    rounding: Option<String>,
    /// Cash is paid in multiples of this many minor units.
    #[schema(minimum = 1, maximum = 10_000)]
    cash_rounding_minor: Option<i64>,
    /// The language its customers are spoken to in.
    language: Option<String>,
    /// The time zone of its days.
    time_zone: Option<String>,
    /// The tax zone where the address does not say: its id or external id.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    tax_zone: Option<Option<String>>,
}

impl MarketChangeShape {
    fn read(&self) -> Result<MarketChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_deref(), |name| {
            text::bounded("name", name, 1, text::NAME_CHARS_MAX)
        });
        let countries = self
            .countries
            .as_deref()
            .map(|countries| read_countries(&mut fields, countries).unwrap_or_default());
        let level = fields.take_if("rounding_level", self.rounding_level.as_deref(), RoundingLevel::parse);
        let rounding = fields.take_if("rounding", self.rounding.as_deref(), rounding);
        let language = fields.take_if("language", self.language.as_deref(), Language::parse);
        let zone = fields.take_if("time_zone", self.time_zone.as_deref(), Zone::parse);
        let read = (|| {
            Some(MarketChange {
                name: name?,
                countries,
                prices_include_tax: self.prices_include_tax,
                rounding_level: level?,
                rounding: rounding?,
                cash_rounding_minor: self.cash_rounding_minor,
                language: language?,
                zone: zone?,
                tax_zone: self.tax_zone.as_ref().map(|zone| zone.as_deref().map(Reference::read)),
            })
        })();
        fields.done(read)
    }
}

/// Make a market
#[utoipa::path(post, path = "/v1/markets", operation_id = "create_market", tag = "market", request_body = NewMarketShape,
    responses((status = 201, body = MarketShape), Problems))]
async fn create_market(
    State(app): State<App>,
    command: Command<NewMarketShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let market = market::create(tx, actor, world, input.clone())?;
        Reply::versioned(&MarketShape::from(&market), market.version)
    })
    .await
}

/// List markets
#[utoipa::path(get, path = "/v1/markets", operation_id = "list_markets", tag = "market", params(PageQuery),
    responses((status = 200, body = Page<MarketShape>), Problems))]
async fn list_markets(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let markets = app.read(move |tx| market::list(tx, &actor, after, limit)).await?;
    let shapes = markets.iter().map(MarketShape::from).collect();
    document(&Page::new(shapes, limit, |market: &MarketShape| market.id.clone()), None)
}

/// Read a market
#[utoipa::path(get, path = "/v1/markets/{id}", operation_id = "read_market", tag = "market",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = MarketShape), Problems))]
async fn read_market(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let market = app.read(move |tx| market::find(tx, &actor, &reference)).await?;
    document(&MarketShape::from(&market), Some(market.version))
}

/// Change a market
///
/// Its currency stays: prices, carts and orders are counted in it.
#[utoipa::path(patch, path = "/v1/markets/{id}", operation_id = "update_market", tag = "market", request_body = MarketChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = MarketShape), Problems))]
async fn update_market(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<MarketChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let market = market::update(tx, actor, world, (&reference, read), change.clone())?;
        Reply::versioned(&MarketShape::from(&market), market.version)
    })
    .await
}
