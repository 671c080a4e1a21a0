//! Tax zones and their rates over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::tax::{Area, class_code, class_name};
use domain::value::{Instant, Rate as PartsPerMillion, Reference, id, reference};
use engine::World;
use engine::tax::{self, NewRate, NewZone, Rate, Zone, ZoneChange};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most countries and regions of one zone.
const AREAS_MAX: usize = 1000;

/// The routes of tax zones.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_tax_zone, list_tax_zones))
        .routes(routes!(read_tax_zone, update_tax_zone))
        .routes(routes!(set_tax_rate, list_tax_rates))
        .routes(routes!(set_tax_rates))
}

/// A part of the world that is taxed alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxZone, example = json!({"id": "txz_01jd0000000000000000000000", "code": "gb", "name": "Britain", "areas": ["GB"], "version": 1}))]
struct ZoneShape {
    /// Its id.
    id: String,
    /// The short word it goes by in files; it also names it wherever its id does.
    code: String,
    /// What people call it.
    name: String,
    /// Its countries, such as `GB`, and regions of countries, such as `US-CA`.
    areas: Vec<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Zone> for ZoneShape {
    fn from(zone: &Zone) -> ZoneShape {
        ZoneShape {
            id: zone.id.to_string(),
            code: zone.code.clone(),
            name: zone.name.clone(),
            areas: zone.areas.iter().map(Area::text).collect(),
            version: zone.version,
        }
    }
}

/// A tax zone to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxZone, example = json!({"code": "gb", "name": "Britain", "areas": ["GB"]}))]
struct NewZoneShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// Its countries, such as `GB`, and regions of countries, such as `US-CA`; each belongs to one zone.
    #[schema(max_items = 1000)]
    areas: Vec<String>,
}

impl NewZoneShape {
    fn read(&self) -> Result<NewZone, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", class_code(&self.code));
        let name = fields.take("name", class_name(&self.name));
        let external_id =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<id::TaxZone>);
        let areas = read_areas(&mut fields, &self.areas);
        let read =
            (|| Some(NewZone { code: code?, name: name?, external_id: external_id?, areas: areas? }))();
        fields.done(read)
    }
}

fn read_areas(fields: &mut Fields, texts: &[String]) -> Option<Vec<Area>> {
    if texts.len() > AREAS_MAX {
        fields.refuse("areas", format!("give at most {AREAS_MAX} countries and regions"));
        return None;
    }
    let read = |(place, text): (usize, &String)| fields.take(&format!("areas.{place}"), Area::parse(text));
    let areas: Vec<Option<Area>> = texts.iter().enumerate().map(read).collect();
    areas.into_iter().collect()
}

/// A change of a tax zone: the whole of what can change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaxZoneChange, example = json!({"name": "Britain and Man", "areas": ["GB", "IM"]}))]
struct ZoneChangeShape {
    /// What people call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// All its countries and regions from now on.
    #[schema(max_items = 1000)]
    areas: Vec<String>,
}

impl ZoneChangeShape {
    fn read(&self, if_match: Option<i64>) -> Result<ZoneChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take("name", class_name(&self.name));
        let areas = read_areas(&mut fields, &self.areas);
        fields.done(name.zip(areas).map(|(name, areas)| ZoneChange { name, areas, if_match }))
    }
}

/// What a class of goods is taxed in a zone, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxRate, example = json!({"tax_class": "txc_01jd0000000000000000000000", "rate_ppm": 200000, "exempt": false,
    "valid_from": "2011-01-04T00:00:00Z"}))]
struct RateShape {
    /// The class.
    tax_class: String,
    /// The rate in parts per million: 200000 is 20 %.
    rate_ppm: i64,
    /// The goods are exempt, which documents say.
    exempt: bool,
    /// The first instant at which it holds.
    #[schema(format = DateTime)]
    valid_from: String,
    /// The first instant at which it does not hold any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    valid_until: Option<String>,
}

impl From<&Rate> for RateShape {
    fn from(rate: &Rate) -> RateShape {
        RateShape {
            tax_class: rate.class.to_string(),
            rate_ppm: rate.rate.parts_per_million(),
            exempt: rate.exempt,
            valid_from: rate.valid_from.to_string(),
            valid_until: rate.valid_until.map(|at| at.to_string()),
        }
    }
}

/// A rate to be set: it takes the place of the one of the same class from the same instant on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxRate, example = json!({"tax_class": "standard", "rate_ppm": 200000, "valid_from": "2011-01-04T00:00:00Z"}))]
struct NewRateShape {
    /// The class: its id or code.
    #[schema(max_length = 200)]
    tax_class: String,
    /// The rate in parts per million: 200000 is 20 %.
    #[schema(minimum = 0, maximum = 10_000_000)]
    rate_ppm: i64,
    /// The goods are exempt; the rate is then 0.
    #[serde(default)]
    exempt: bool,
    /// The first instant at which it holds, RFC 3339; since ever when absent.
    #[schema(format = DateTime)]
    valid_from: Option<String>,
    /// The first instant at which it does not hold any more, RFC 3339.
    #[schema(format = DateTime)]
    valid_until: Option<String>,
}

impl NewRateShape {
    fn read(&self) -> Result<NewRate, Refusal> {
        let mut fields = Fields::new();
        let rate = fields.take("rate_ppm", PartsPerMillion::from_parts_per_million(self.rate_ppm));
        let from = fields.take_if("valid_from", self.valid_from.as_deref(), Instant::parse);
        let until = fields.take_if("valid_until", self.valid_until.as_deref(), Instant::parse);
        let class = Reference::read(&self.tax_class);
        let read = (|| {
            Some(NewRate {
                class,
                rate: rate?,
                exempt: self.exempt,
                valid_from: from?.unwrap_or(Instant::from_micros(i64::MIN)),
                valid_until: until?,
            })
        })();
        fields.done(read)
    }
}

/// Make a tax zone
#[utoipa::path(post, path = "/v1/tax-zones", operation_id = "create_tax_zone", tag = "tax", request_body = NewZoneShape,
    responses((status = 201, body = ZoneShape), Problems))]
async fn create_tax_zone(
    State(app): State<App>,
    command: Command<NewZoneShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let zone = tax::create_zone(tx, actor, world, input.clone())?;
        Reply::versioned(&ZoneShape::from(&zone), zone.version)
    })
    .await
}

/// List tax zones
#[utoipa::path(get, path = "/v1/tax-zones", operation_id = "list_tax_zones", tag = "tax", params(PageQuery),
    responses((status = 200, body = Page<ZoneShape>), Problems))]
async fn list_tax_zones(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let zones = app.read(move |tx| tax::list_zones(tx, &actor, after, limit)).await?;
    let shapes = zones.iter().map(ZoneShape::from).collect();
    document(&Page::new(shapes, limit, |zone: &ZoneShape| zone.id.clone()), None)
}

/// Read a tax zone
#[utoipa::path(get, path = "/v1/tax-zones/{id}", operation_id = "read_tax_zone", tag = "tax",
    params(("id" = String, Path, description = "its id, code or external id")),
    responses((status = 200, body = ZoneShape), Problems))]
async fn read_tax_zone(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let zone = app.read(move |tx| tax::read_zone(tx, &actor, &reference)).await?;
    document(&ZoneShape::from(&zone), Some(zone.version))
}

/// Change a tax zone
#[utoipa::path(put, path = "/v1/tax-zones/{id}", operation_id = "update_tax_zone", tag = "tax", request_body = ZoneChangeShape,
    params(("id" = String, Path, description = "its id, code or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ZoneShape), Problems))]
async fn update_tax_zone(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ZoneChangeShape>,
) -> Result<Response, Problem> {
    let (reference, change) = (Reference::read(&id), command.body.read(command.if_match)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let zone = tax::update_zone(tx, actor, world, &reference, change.clone())?;
        Reply::versioned(&ZoneShape::from(&zone), zone.version)
    })
    .await
}

/// Set a tax rate
///
/// What was ordered before keeps its tax.
#[utoipa::path(put, path = "/v1/tax-zones/{id}/rates", operation_id = "set_tax_rate", tag = "tax", request_body = NewRateShape,
    params(("id" = String, Path, description = "the zone's id, code or external id")),
    responses((status = 200, body = RateShape), Problems))]
async fn set_tax_rate(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewRateShape>,
) -> Result<Response, Problem> {
    let (reference, input) = (Reference::read(&id), command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&RateShape::from(&tax::set_rate(tx, actor, world, &reference, input.clone())?))
    })
    .await
}

/// Set many tax rates of a zone
///
/// As one rate is set: each takes the place of the one of the same class from the same instant on.
#[utoipa::path(post, path = "/v1/tax-zones/{id}/rates/bulk", operation_id = "set_tax_rates", tag = "tax", request_body = Bulk<NewRateShape>,
    params(("id" = String, Path, description = "the zone's id, code or external id")),
    responses((status = 200, body = BulkAnswer<RateShape>), Problems))]
async fn set_tax_rates(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<Bulk<NewRateShape>>,
) -> Result<Response, Problem> {
    let (reference, rows) = (Reference::read(&id), command.body.read(NewRateShape::read)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let zone = &reference;
        let set = |tx: &mut Tx<'_>, actor: &Actor, world: &mut World, rate| {
            tax::set_rate(tx, actor, world, zone, rate)
        };
        rows.perform(tx, actor, world, set, |rate| RateShape::from(rate))
    })
    .await
}

/// List the tax rates of a zone
///
/// All of them, past and future ones too, by class and time.
#[utoipa::path(get, path = "/v1/tax-zones/{id}/rates", operation_id = "list_tax_rates", tag = "tax",
    params(("id" = String, Path, description = "the zone's id, code or external id")),
    responses((status = 200, body = Page<RateShape>), Problems))]
async fn list_tax_rates(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let rates = app.read(move |tx| tax::list_rates(tx, &actor, &reference)).await?;
    document(&Page { items: rates.iter().map(RateShape::from).collect(), next_cursor: None }, None)
}
