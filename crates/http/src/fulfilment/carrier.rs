//! Carriers over the API: who carries parcels, on which days, what they took along, the tours of our own vans, and what carriers tell.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::actor::Actor;
use domain::fulfilment::parcel::{CarrierKind, Tracked};
use domain::value::hours::CutOffs;
use domain::value::id::{Carrier as CarrierId, Location, Manifest as ManifestKind};
use domain::value::{self, Id, Instant, LocalDay, Reference};
use domain::{Code, Refusal};
use engine::fulfilment::carrier::{self, Carrier, CarrierChange, Manifest, NewCarrier, SERVICES_MAX};
use engine::fulfilment::track::{self, Heard};
use engine::signature::{self, Headers, Secret};
use engine::{Key, Request, external};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parcel::ParcelShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};

use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a code, a service, an address or a secret.
const WORDS_MAX: usize = 200;
/// How often a carrier tries to deliver when nothing is said.
const ATTEMPTS: i64 = 3;

/// The routes of carriers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_carrier, list_carriers))
        .routes(routes!(get_carrier, change_carrier))
        .routes(routes!(close_manifest, list_manifests))
        .routes(routes!(read_manifest))
        .routes(routes!(read_tour))
        .routes(routes!(hear_from_carrier))
}

/// A carrier to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCarrier, example = json!({"code": "own-van", "name": "Own van", "kind": "own_van", "collections": "mo-sa 15:00"}))]
struct NewShape {
    /// The short word it goes by; unique, and never changed.
    #[schema(min_length = 1, max_length = 200)]
    code: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by.
    external_id: Option<String>,
    /// What it is: `own_van` or `test`; never changed.
    kind: String,
    /// Where it is asked; not for our own van.
    url: Option<String>,
    /// Where customers follow a parcel: an address that begins with `https://` and has `{tracking}` where the number stands.
    #[schema(max_length = 200)]
    tracking_url: Option<String>,
    /// What is shared with it, `whsec_` and base64 of 24 to 64 bytes: we show it when we ask, and it signs what it tells with it.
    secret: Option<String>,
    /// Its services, in its own words.
    #[serde(default)]
    #[schema(max_items = 50)]
    services: Vec<String>,
    /// On which days it comes, and until when goods go along, such as `mo-fr 16:00; sa 12:00`.
    collections: String,
    /// How often it tries to deliver; three times when not given.
    #[schema(minimum = 1, maximum = 10)]
    attempts_max: Option<i64>,
}

/// What of a carrier changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarrierChange, example = json!({"collections": "mo-fr 17:00"}))]
struct ChangeShape {
    /// What people call it.
    name: Option<String>,
    /// Where it is asked.
    url: Option<String>,
    /// Where customers follow a parcel.
    tracking_url: Option<String>,
    /// What is shared with it.
    secret: Option<String>,
    /// Its services.
    services: Option<Vec<String>>,
    /// On which days it comes.
    collections: Option<String>,
    /// How often it tries to deliver.
    attempts_max: Option<i64>,
    /// Parcels may be given to it.
    active: Option<bool>,
}

fn url(text: &str) -> Result<String, String> {
    let known = (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= WORDS_MAX;
    let clean = text.chars().all(|letter| letter.is_ascii_graphic());
    if known && clean {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("give an address that begins with https:// or http://".into())
    }
}

fn services(fields: &mut Fields, services: &[String]) -> Option<Vec<String>> {
    if services.len() > SERVICES_MAX {
        fields.refuse("services", format!("name at most {SERVICES_MAX}"));
    }
    let mut read = Vec::with_capacity(services.len());
    for (place, service) in services.iter().enumerate() {
        read.extend(
            fields.take(&format!("services.{place}"), value::text::bounded("service", service, 1, WORDS_MAX)),
        );
    }
    (read.len() == services.len() && read.len() <= SERVICES_MAX).then_some(read)
}

impl NewShape {
    fn read(self) -> Result<NewCarrier, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", value::text::bounded("code", &self.code, 1, WORDS_MAX));
        let name = fields.take("name", value::text::Name::new("name", &self.name));
        let external_id = fields.take_if("external_id", self.external_id, |text| {
            value::reference::external_id::<CarrierId>(&text)
        });
        let kind = fields.take("kind", CarrierKind::named(&self.kind).ok_or("give own_van or test"));
        let url = fields.take_if("url", self.url.as_deref(), url);
        let services = services(&mut fields, &self.services);
        let collections = fields.take("collections", CutOffs::parse(&self.collections));
        let (secret, attempts_max) = (self.secret, self.attempts_max.unwrap_or(ATTEMPTS));
        let read = code.zip(name).zip(external_id).zip(kind).zip(url).zip(services).zip(collections);
        let new =
            read.map(|((((((code, name), external_id), kind), url), services), collections)| NewCarrier {
                code,
                name: name.as_str().to_owned(),
                external_id,
                kind,
                url,
                tracking_url: self.tracking_url,
                secret,
                services,
                collections,
                attempts_max,
            });
        fields.done(new)
    }
}

impl ChangeShape {
    fn read(self) -> Result<CarrierChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name, |text| value::text::Name::new("name", &text));
        let url = fields.take_if("url", self.url.as_deref(), url);
        let services = match &self.services {
            Some(named) => services(&mut fields, named).map(Some),
            None => Some(None),
        };
        let collections = fields.take_if("collections", self.collections.as_deref(), CutOffs::parse);
        let (secret, attempts_max, active) = (self.secret, self.attempts_max, self.active);
        let read = name.zip(url).zip(services).zip(collections);
        let change = read.map(|(((name, url), services), collections)| CarrierChange {
            name: name.map(|name| name.as_str().to_owned()),
            url,
            tracking_url: self.tracking_url,
            secret,
            services,
            collections,
            attempts_max,
            active,
        });
        fields.done(change)
    }
}

/// Who carries parcels. The secret is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Carrier)]
struct CarrierShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// What it is: `own_van` or `test`.
    kind: &'static str,
    /// Where it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Where customers follow a parcel, with `{tracking}` where the number stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<String>,
    /// Its services.
    services: Vec<String>,
    /// On which days it comes, and until when goods go along.
    collections: String,
    /// How often it tries to deliver.
    attempts_max: i64,
    /// Parcels may be given to it.
    active: bool,
    /// Rises with every change.
    version: i64,
}

impl From<&Carrier> for CarrierShape {
    fn from(carrier: &Carrier) -> CarrierShape {
        CarrierShape {
            id: carrier.id.to_string(),
            code: carrier.code.clone(),
            name: carrier.name.clone(),
            kind: carrier.kind.text(),
            url: carrier.url.clone(),
            tracking_url: carrier.tracking_url.clone(),
            services: carrier.services.clone(),
            collections: carrier.collections.to_string(),
            attempts_max: carrier.attempts_max,
            active: carrier.active,
            version: carrier.version,
        }
    }
}

/// Make a carrier
#[utoipa::path(post, path = "/v1/carriers", operation_id = "create_carrier", tag = "fulfilment", request_body = NewShape,
    responses((status = 201, body = CarrierShape), Problems))]
async fn create_carrier(State(app): State<App>, command: Command<NewShape>) -> Result<Response, Problem> {
    let new = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let carrier = carrier::create(tx, actor, world, new.clone())?;
        Reply::versioned(&CarrierShape::from(&carrier), carrier.version)
    })
    .await
}

/// List carriers
#[utoipa::path(get, path = "/v1/carriers", operation_id = "list_carriers", tag = "fulfilment", params(PageQuery),
    responses((status = 200, body = Page<CarrierShape>), Problems))]
async fn list_carriers(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| carrier::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(CarrierShape::from).collect();
    document(&Page::new(items, limit, |one: &CarrierShape| one.id.clone()), None)
}

/// Read a carrier
#[utoipa::path(get, path = "/v1/carriers/{id}", operation_id = "get_carrier", tag = "fulfilment",
    params(("id" = String, Path, description = "Id or external id")), responses((status = 200, body = CarrierShape), Problems))]
async fn get_carrier(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Reference::read(&id);
    let found = app.read(move |tx| carrier::read(tx, &actor, &id)).await?;
    document(&CarrierShape::from(&found), Some(found.version))
}

/// Change a carrier
#[utoipa::path(patch, path = "/v1/carriers/{id}", operation_id = "change_carrier", tag = "fulfilment", request_body = ChangeShape,
    params(("id" = String, Path, description = "Id or external id"), ("If-Match" = String, Header, description = "The version that was read")),
    responses((status = 200, body = CarrierShape), Problems))]
async fn change_carrier(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, version, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &id)?;
        let carrier = carrier::change(tx, actor, world, (id, version), change.clone())?;
        Reply::versioned(&CarrierShape::from(&carrier), carrier.version)
    })
    .await
}

/// From where a carrier takes along what is ready.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CloseManifest, example = json!({"location": "leeds"}))]
struct CloseShape {
    /// The location: id or external id.
    location: String,
}

/// What a carrier took along at one time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Manifest)]
struct ManifestShape {
    /// Its id.
    id: String,
    /// The carrier.
    carrier: String,
    /// From where.
    location: String,
    /// When.
    #[schema(format = DateTime)]
    made_at: String,
    /// How many parcels.
    parcels: i64,
}

impl From<&Manifest> for ManifestShape {
    fn from(manifest: &Manifest) -> ManifestShape {
        ManifestShape {
            id: manifest.id.to_string(),
            carrier: manifest.carrier.to_string(),
            location: manifest.location.to_string(),
            made_at: manifest.made_at.to_string(),
            parcels: manifest.parcels,
        }
    }
}

/// Close the list of what a carrier takes along from a location
#[utoipa::path(post, path = "/v1/carriers/{id}/manifests", operation_id = "close_manifest", tag = "fulfilment", request_body = CloseShape,
    params(("id" = String, Path, description = "The carrier's id or external id"), KeyRequired),
    responses((status = 201, body = ManifestShape), Problems))]
async fn close_manifest(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<CloseShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, location) = (Reference::read(&id), Reference::<Location>::read(&command.body.location));
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let which = (external::resolve(tx, &id)?, external::resolve_at(tx, "location", &location)?);
        Reply::json(&ManifestShape::from(&carrier::close(tx, actor, world, which)?))
    })
    .await
}

/// List what a carrier took along, the newest first
#[utoipa::path(get, path = "/v1/carriers/{id}/manifests", operation_id = "list_manifests", tag = "fulfilment",
    params(("id" = String, Path, description = "The carrier's id or external id"), PageQuery),
    responses((status = 200, body = Page<ManifestShape>), Problems))]
async fn list_manifests(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let id = Reference::<CarrierId>::read(&id);
    let list = move |tx: &mut Tx<'_>, before, limit| {
        let id = external::resolve(tx, &id)?;
        carrier::manifests(tx, &actor, id, before, limit)
    };
    page.newest(&app, list, |one: &ManifestShape| one.id.clone()).await
}

/// Read the parcels a carrier took along
#[utoipa::path(get, path = "/v1/manifests/{id}", operation_id = "read_manifest", tag = "fulfilment",
    params(("id" = String, Path, description = "The manifest's id")), responses((status = 200, body = [ParcelShape]), Problems))]
async fn read_manifest(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: Id<ManifestKind> = Id::parse(&id).map_err(|_| Refusal::not_found("manifest", &id))?;
    let found = app.read(move |tx| carrier::listed(tx, &actor, id)).await?;
    document(&found.iter().map(ParcelShape::from).collect::<Vec<_>>(), None)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TourQuery {
    /// The carrier: id or external id.
    #[param(example = "own-van")]
    carrier: String,
    /// The day, such as `2026-06-01`.
    #[param(format = Date, example = "2026-06-01")]
    day: String,
}

/// Read what a carrier takes along from a location on a day: the tour of a van
#[utoipa::path(get, path = "/v1/locations/{id}/tour", operation_id = "read_tour", tag = "fulfilment",
    params(("id" = String, Path, description = "The location's id or external id"), TourQuery, PageQuery),
    responses((status = 200, body = Page<ParcelShape>), Problems))]
async fn read_tour(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(tour): Asked<TourQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let day = LocalDay::parse(&tour.day).map_err(|error| Refusal::invalid("day", error))?;
    let (location, carrier) =
        (Reference::<Location>::read(&location), Reference::<CarrierId>::read(&tour.carrier));
    let found = app
        .read(move |tx| {
            let which =
                (external::resolve_at(tx, "carrier", &carrier)?, external::resolve(tx, &location)?, day);
            track::tour(tx, &actor, which, after, limit)
        })
        .await?;
    let items = found.iter().map(ParcelShape::from).collect();
    document(&Page::new(items, limit, |one: &ParcelShape| one.id.clone()), None)
}

/// What a carrier tells of a parcel.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CarrierWebhook, example = json!({"tracking": "TC0000000001", "id": "evt_1", "tracked": "out_for_delivery", "at": "2026-06-02T07:30:00Z"}))]
struct WebhookShape {
    /// The parcel's tracking number.
    tracking: String,
    /// The carrier's own id of what happened; the same is heard once.
    id: String,
    /// `accepted`, `in_transit`, `out_for_delivery`, `attempt_failed`, `delivered` or `returned_to_sender`.
    tracked: String,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// In the carrier's words.
    note: Option<String>,
}

impl WebhookShape {
    fn read(self) -> Result<(String, Heard), Refusal> {
        let mut fields = Fields::new();
        let id = fields.take("id", value::text::bounded("id", &self.id, 1, WORDS_MAX));
        let known = Tracked::named(&self.tracked);
        let tracked = fields.take("tracked", known.ok_or("is nothing that happens to parcels"));
        let at = fields.instant("at", &self.at);
        let heard = id.zip(tracked).zip(at).map(|((id, tracked), at): ((String, Tracked), Instant)| Heard {
            id,
            tracked,
            at,
            note: self.note,
        });
        Ok((self.tracking, fields.done(heard)?))
    }
}

/// Hear from a carrier where a parcel is
///
/// The message is signed as Standard Webhooks defines it, with what is shared with the carrier; the signature is the credential.
#[utoipa::path(post, path = "/v1/carriers/{id}/webhooks", operation_id = "hear_from_carrier", tag = "fulfilment",
    params(("id" = String, Path, description = "The carrier's id or external id"),
        ("webhook-id" = String, Header, description = "The message's id, the same each time it is sent."),
        ("webhook-timestamp" = String, Header, description = "When it is sent, in seconds since 1970; within five minutes of our clock."),
        ("webhook-signature" = String, Header, description = "`v1,` and the base64 of the HMAC-SHA-256 of id, timestamp and body.")),
    request_body = WebhookShape, responses((status = 204, description = "It was heard."), Problems))]
async fn hear_from_carrier(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (message, timestamp, signature) =
        (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
    // Nobody learns which carriers there are: an unknown one has a secret nobody knows.
    let unknown = || Refusal::new(Code::SignInFailed, "the webhook is not accepted: no signature fits");
    let reference = Reference::<CarrierId>::read(&id);
    let found = app.read(move |tx| carrier::read(tx, &Actor::system(), &reference)).await;
    let found = found.map_err(|_| Problem::from(unknown()))?;
    let secret = carrier::secret_of(&app.shop.keyring, &found).ok_or_else(unknown)?;
    let secret = Secret::parse(&secret).map_err(|_| unknown())?;
    signature::verify(&secret, Headers { id: message, timestamp, signature }, &body, app.shop.source.now())?;
    let told: WebhookShape = serde_json::from_slice(&body)
        .map_err(|error| Problem::unreadable(format!("the body is not as agreed: {error}")))?;
    let (tracking, heard) = told.read()?;
    let key =
        Key { text: format!("webhook {} {message}", found.id), input_hash: Sha256::digest(&body).into() };
    let request = Request { actor: Actor::system(), key: Some(key) };
    app.perform(request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        track::hear(tx, actor, world, (found.id, &tracking), std::slice::from_ref(&heard))?;
        Reply::json(&())
    })
    .await
}
