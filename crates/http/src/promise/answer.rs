//! Asking over the API what can be promised: for a product page, a cart or an agent program.

use axum::extract::State;
use axum::response::Response;
use domain::Refusal;
use domain::delivery::Destination;
use domain::stock::selling::Later;
use domain::value::id::Variant;
use domain::value::{Country, Instant, Quantity, Reference, text};
use engine::promise::answer::{self, Answer, Asked, Delivery, LINES_MAX, Line, STORES_MAX, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::command::Command;
use crate::delivery::POSTAL_CODE_CHARS_MAX;
use crate::location::CoordinatesShape;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// How many stores are answered when nothing is said.
pub(crate) const STORES: usize = 10;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask_promise))
}

/// What somebody would buy, and where he is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromiseQuestion, example = json!({"channel": "web", "lines": [{"variant": "MUG-RED", "quantity": 2}],
    "destination": {"country": "GB", "postal_code": "LS1 4DY"}, "stores": 5}))]
struct QuestionShape {
    /// The channel it would be bought in: its id or external id.
    channel: String,
    /// What, 1 to 100 lines.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<QuestionLineShape>,
    /// Where parcels go. Without it no delivery is answered.
    destination: Option<DestinationShape>,
    /// Where the customer is; when absent, where the postal code of the destination lies.
    coordinates: Option<CoordinatesShape>,
    /// At most so many stores, 0 to 50; 10 when absent.
    #[schema(minimum = 0, maximum = 50)]
    stores: Option<usize>,
    /// As of which instant it is asked; now when absent.
    #[schema(format = DateTime)]
    at: Option<String>,
}

/// A variant, and how many of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromiseQuestionLine)]
struct QuestionLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// The part of an address that decides who delivers there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PromiseDestination)]
struct DestinationShape {
    /// Two letters of ISO 3166-1.
    country: String,
    /// The postal code, or its beginning: at most 16 characters.
    #[schema(max_length = 16)]
    postal_code: Option<String>,
}

/// A question as it was read; variants are looked up in the transaction.
#[derive(Clone)]
struct Question {
    channel: String,
    lines: Vec<(Reference<Variant>, i64)>,
    destination: Option<Destination>,
    point: Option<domain::value::Coordinates>,
    stores: usize,
    at: Option<Instant>,
}

impl QuestionShape {
    fn read(&self) -> Result<Question, Refusal> {
        let mut fields = Fields::new();
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            fields.refuse("lines", format!("give 1 to {LINES_MAX} lines"));
            return fields.done(None);
        }
        let lines = fields.each("lines", &self.lines, |fields, line| {
            let quantity = fields.take("quantity", Quantity::new(line.quantity))?;
            Some((Reference::read(&line.variant), quantity.units()))
        });
        let destination = self.destination.as_ref().map(|to| {
            fields.within("destination", |fields| {
                let country = fields.take("country", Country::parse(&to.country));
                let code = fields.take_if("postal_code", to.postal_code.as_deref(), |code| {
                    text::bounded("postal_code", code, 1, POSTAL_CODE_CHARS_MAX)
                });
                country.zip(code).map(|(country, postal_code)| Destination { country, postal_code })
            })
        });
        let point = self.coordinates.as_ref().map(|point| point.read(&mut fields));
        let stores = self.stores.unwrap_or(STORES);
        if stores > STORES_MAX {
            fields.refuse("stores", format!("give 0 to {STORES_MAX}"));
        }
        let at = fields.take_if("at", self.at.as_deref(), Instant::parse);
        let channel = self.channel.clone();
        let read = (|| {
            Some(Question {
                channel,
                lines: lines?,
                destination: destination.flatten(),
                point: point.flatten(),
                stores,
                at: at?,
            })
        })();
        fields.done(read)
    }
}

/// What can be promised. It is read and nothing is held: whoever buys is judged anew.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Promise, example = json!({"at": "2026-11-27T10:00:00Z", "lines": [{"variant": "var_01jd0000000000000000000000", "asked": 2, "there": 7}],
    "stores": [{"location": "loc_01jd0000000000000000000000", "code": "leeds", "name": "Leeds, Briggate", "distance_km": 1.2, "open": true,
        "next_closing": "2026-11-27T18:00:00Z", "here": [3], "ready_at": "2026-11-27T10:30:00Z", "ready": "today", "ready_in_minutes": 30, "ready_from": "shelf",
        "time_zone": "Europe/London"}],
    "deliveries": [{"method": "dlv_01jd0000000000000000000000", "code": "parcel", "from": "2026-11-30T08:00:00Z", "by": "2026-12-02T20:00:00Z",
        "parcels": 1, "later": false}]}))]
pub(crate) struct PromiseShape {
    /// As of when.
    #[schema(format = DateTime)]
    at: String,
    /// From where distances are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    coordinates: Option<CoordinatesShape>,
    /// Each line, in the order asked.
    lines: Vec<PromiseLineShape>,
    /// The stores where goods can be collected, the nearest first; by the network's rank where no distance is known.
    stores: Vec<PromiseStoreShape>,
    /// The ways parcels go to the destination; none when not everything can be had.
    deliveries: Vec<PromiseDeliveryShape>,
}

/// How many of a line can be had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromiseLine)]
struct PromiseLineShape {
    /// The variant.
    variant: String,
    /// How many were asked for.
    asked: i64,
    /// How many the channel can promise from what is there.
    there: i64,
    /// How many it sells beyond that.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<i64>,
    /// How these are served: `back_order` or `pre_order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    later: Option<&'static str>,
}

impl From<&Line> for PromiseLineShape {
    fn from(line: &Line) -> PromiseLineShape {
        PromiseLineShape {
            variant: line.variant.to_string(),
            asked: line.asked,
            there: line.there,
            beyond: line.beyond.map(|(_, quantity)| quantity),
            later: line.beyond.map(|(later, _)| Later::text(later)),
        }
    }
}

/// A store, and what lies on its shelves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromiseStore)]
struct PromiseStoreShape {
    /// Its id.
    location: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// How far it is, in kilometres as the crow flies.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
    /// Its door is open.
    open: bool,
    /// When it next opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_opening: Option<String>,
    /// When it next closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_closing: Option<String>,
    /// How many of each line lie there.
    here: Vec<i64>,
    /// When everything can be collected; absent when it cannot be had there, or no date is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ready_at: Option<String>,
    /// The same in a customer's words: `today`, `tomorrow` or `later`, by the store's calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<&'static str>,
    /// The same in minutes from now, rounded up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_in_minutes: Option<i64>,
    /// From where what the shelf lacks comes: `shelf` when it lacks nothing, `sent` by other locations, `back_order` or `pre_order`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_from: Option<&'static str>,
    /// When the first of what is missing is expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expected_at: Option<String>,
    /// The time zone of its clock on the wall.
    time_zone: String,
}

impl PromiseStoreShape {
    fn of(store: &Store, now: Instant) -> PromiseStoreShape {
        const MINUTE_MICROS: i64 = 60_000_000;
        let written = |at: Option<Instant>| at.map(|at| at.to_string());
        let minutes = |at: Instant| (at.micros() - now.micros() + MINUTE_MICROS - 1) / MINUTE_MICROS;
        PromiseStoreShape {
            location: store.location.id.to_string(),
            code: store.location.code.clone(),
            name: store.location.name.clone(),
            distance_km: store.distance_m.map(|metres| f64::from(metres / 100) / 10.0),
            open: store.open,
            next_opening: written(store.next.0),
            next_closing: written(store.next.1),
            here: store.here.clone(),
            ready_at: written(store.ready.map(|ready| ready.at)),
            ready: store.ready.map(|ready| ready.when.text()),
            ready_in_minutes: store.ready.map(|ready| minutes(ready.at)),
            ready_from: store.ready.map(|ready| ready.source.text()),
            expected_at: written(store.expected_at),
            time_zone: store.location.zone.to_string(),
        }
    }
}

/// A way parcels go, and when they are there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromiseDelivery)]
struct PromiseDeliveryShape {
    /// The delivery method.
    method: String,
    /// The short word it goes by.
    code: String,
    /// From when on the goods are there; absent when no date is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    from: Option<String>,
    /// By when the goods are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    by: Option<String>,
    /// How many locations send a parcel.
    parcels: usize,
    /// Part of it is not there yet.
    later: bool,
}

impl From<&Delivery> for PromiseDeliveryShape {
    fn from(delivery: &Delivery) -> PromiseDeliveryShape {
        PromiseDeliveryShape {
            method: delivery.method.to_string(),
            code: delivery.code.clone(),
            from: delivery.promised.from.map(|at| at.to_string()),
            by: delivery.promised.by.map(|at| at.to_string()),
            parcels: delivery.parcels,
            later: delivery.later,
        }
    }
}

impl From<&Answer> for PromiseShape {
    fn from(answer: &Answer) -> PromiseShape {
        PromiseShape {
            at: answer.at.to_string(),
            coordinates: answer.point.map(CoordinatesShape::from),
            lines: answer.lines.iter().map(PromiseLineShape::from).collect(),
            stores: answer.stores.iter().map(|store| PromiseStoreShape::of(store, answer.at)).collect(),
            deliveries: answer.deliveries.iter().map(PromiseDeliveryShape::from).collect(),
        }
    }
}

/// Ask what can be promised
///
/// For a product page, a cart or an agent program: how many can be had, what lies on the shelf of each store near the customer and when it
/// can be collected there, and by when each delivery method brings it. From stock, expected goods, opening hours and holidays, cut-offs,
/// preparation, capacity and the carrier's days. The answer holds nothing: the reservation or the checkout judges anew.
#[utoipa::path(post, path = "/v1/promises", operation_id = "ask_promise", tag = "promise", request_body = QuestionShape,
    responses((status = 200, body = PromiseShape), Problems))]
async fn ask_promise(State(app): State<App>, command: Command<QuestionShape>) -> Result<Response, Problem> {
    let question = command.body.read()?;
    let (actor, now) = (command.request.actor, app.shop.source.now());
    let answer = app
        .read(move |tx| {
            let mut lines = Vec::with_capacity(question.lines.len());
            for (place, (variant, quantity)) in question.lines.iter().enumerate() {
                let field = format!("lines.{place}.variant");
                lines.push((engine::catalogue::resolve_variant(tx, &field, variant)?, *quantity));
            }
            let asked = Asked {
                channel: Reference::read(&question.channel),
                lines,
                destination: question.destination.clone(),
                point: question.point,
                stores: question.stores,
                store: None,
                cart: None,
                at: question.at.unwrap_or(now),
            };
            answer::answer(tx, &actor, &asked)
        })
        .await?;
    document(&PromiseShape::from(&answer), None)
}
