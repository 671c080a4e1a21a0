//! Channels over the API: the ways in which customers meet the shop.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::market::{CapturePolicy, HoldPolicy, Kind, PaymentKind};
use domain::value::{Reference, id, reference, text};
use engine::market::{self, Channel, ChannelChange, NewChannel};
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

/// How long stock is held for a cart when nothing is said, in minutes.
const HOLD_MINUTES: i64 = 20;
/// How long an untouched cart lives when nothing is said, in minutes: thirty days.
const CART_EXPIRY_MINUTES: i64 = 30 * 24 * 60;
/// How long an unpaid order waits for its payment when nothing is said, in minutes.
const PAYMENT_MINUTES: i64 = 60;
/// How long goods wait for their customer at the counter when nothing is said, in days.
const COLLECT_DAYS: i64 = 14;

/// The routes of channels.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_channel, list_channels))
        .routes(routes!(read_channel, update_channel))
}

/// A way in which customers meet the shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel, example = json!({"id": "chn_01jd0000000000000000000000", "code": "web", "name": "Web shop", "kind": "web",
    "market": "mkt_01jd0000000000000000000000", "network": "net_01jd0000000000000000000000", "hold_policy": "at_basket",
    "hold_minutes": 20, "cart_expiry_minutes": 43200, "payment_minutes": 60, "collect_days": 7, "stock_threshold": 0,
    "payment_kinds": ["manual", "test"], "capture_policy": "at_fulfilment", "active": true, "version": 1}))]
struct ChannelShape {
    /// Its id.
    id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: String,
    /// `web`, `app`, `till`, `phone`, `social`, `marketplace`, `agent` or `other`.
    kind: &'static str,
    /// The market it sells to.
    market: String,
    /// The network it sells from.
    network: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// When stock is held: `none`, `at_order` or `at_basket`.
    hold_policy: &'static str,
    /// How long stock is held for a cart, in minutes.
    hold_minutes: i64,
    /// How long an untouched cart lives, in minutes.
    cart_expiry_minutes: i64,
    /// How long an unpaid order waits for its payment, in minutes.
    payment_minutes: i64,
    /// How long goods wait for their customer at the counter, in days.
    collect_days: i64,
    /// How many pieces of each variant it keeps out of its promise.
    stock_threshold: i64,
    /// The category tree it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    category_tree: Option<String>,
    /// The means of payment it allows: `cash`, `manual`, `card_record`, `test`.
    payment_kinds: Vec<&'static str>,
    /// When authorised money is taken: `at_order` or `at_fulfilment`.
    capture_policy: &'static str,
    /// It sells.
    active: bool,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Channel> for ChannelShape {
    fn from(channel: &Channel) -> ChannelShape {
        ChannelShape {
            id: channel.id.to_string(),
            code: channel.code.clone(),
            name: channel.name.clone(),
            kind: channel.kind.text(),
            market: channel.market.to_string(),
            network: channel.network.to_string(),
            location: channel.location.map(|location| location.to_string()),
            hold_policy: channel.hold_policy.text(),
            hold_minutes: channel.hold_minutes,
            cart_expiry_minutes: channel.cart_expiry_minutes,
            payment_minutes: channel.payment_minutes,
            collect_days: channel.collect_days,
            stock_threshold: channel.stock_threshold,
            category_tree: channel.category_tree.map(|tree| tree.to_string()),
            payment_kinds: channel.payment_kinds.iter().map(|kind| kind.text()).collect(),
            capture_policy: channel.capture_policy.text(),
            active: channel.active,
            version: channel.version,
        }
    }
}

/// The means of payment named, each refused by its place.
fn read_payment_kinds(fields: &mut Fields, kinds: &[String]) -> Option<Vec<PaymentKind>> {
    if kinds.len() > PaymentKind::ALL.len() {
        fields.refuse("payment_kinds", format!("give at most {}, each once", PaymentKind::ALL.len()));
        return None;
    }
    let mut read = Vec::with_capacity(kinds.len());
    for (place, kind) in kinds.iter().enumerate() {
        read.extend(fields.take(&format!("payment_kinds.{place}"), PaymentKind::parse(kind)));
    }
    (read.len() == kinds.len()).then_some(read)
}

/// A channel to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChannel, example = json!({"code": "web", "name": "Web shop", "kind": "web", "market": "mkt_01jd0000000000000000000000",
    "network": "net_01jd0000000000000000000000", "hold_policy": "at_basket", "payment_kinds": ["manual", "test"]}))]
struct NewChannelShape {
    /// The short word it goes by in files: 1 to 60 characters, never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// `web`, `app`, `till`, `phone`, `social`, `marketplace`, `agent` or `other`.
    kind: String,
    /// The market it sells to: its id or external id; never changed.
    market: String,
    /// The network it sells from: its id or external id.
    network: String,
    /// Where it stands: a location's id or external id; every till stands somewhere.
    location: Option<String>,
    /// When stock is held: `none`, `at_order` (when absent) or `at_basket`.
    hold_policy: Option<String>,
    /// How long stock is held for a cart, in minutes; 20 when absent.
    #[schema(minimum = 1, maximum = 43_200)]
    hold_minutes: Option<i64>,
    /// How long an untouched cart lives, in minutes; 43,200 (30 days) when absent.
    #[schema(minimum = 1, maximum = 525_600)]
    cart_expiry_minutes: Option<i64>,
    /// How long an unpaid order waits for its payment, in minutes; 60 when absent.
    #[schema(minimum = 1, maximum = 129_600)]
    payment_minutes: Option<i64>,
    /// How long goods wait for their customer at the counter, in days; 14 when absent.
    #[schema(minimum = 1, maximum = 365)]
    collect_days: Option<i64>,
    /// How many pieces of each variant it keeps out of its promise; 0 when absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    stock_threshold: Option<i64>,
    /// The category tree it shows: its id or external id.
    category_tree: Option<String>,
    /// The means of payment it allows: `cash`, `manual`, `card_record`, `test`.
    #[schema(max_items = 4)]
    payment_kinds: Vec<String>,
    /// When authorised money is taken: `at_order` (when absent) or `at_fulfilment`.
    capture_policy: Option<String>,
}

impl NewChannelShape {
    fn read(&self) -> Result<NewChannel, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, CODE_CHARS_MAX));
        let name = fields.take("name", text::bounded("name", &self.name, 1, text::NAME_CHARS_MAX));
        let external_id =
            fields.take_if("external_id", self.external_id.as_deref(), reference::external_id::<id::Channel>);
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let hold_policy = fields.take_if("hold_policy", self.hold_policy.as_deref(), HoldPolicy::parse);
        let payment_kinds = read_payment_kinds(&mut fields, &self.payment_kinds);
        let capture_policy =
            fields.take_if("capture_policy", self.capture_policy.as_deref(), CapturePolicy::parse);
        let read = (|| {
            Some(NewChannel {
                code: code?,
                name: name?,
                external_id: external_id?,
                kind: kind?,
                market: Reference::read(&self.market),
                network: Reference::read(&self.network),
                location: self.location.as_deref().map(Reference::read),
                hold_policy: hold_policy?.unwrap_or(HoldPolicy::AtOrder),
                hold_minutes: self.hold_minutes.unwrap_or(HOLD_MINUTES),
                cart_expiry_minutes: self.cart_expiry_minutes.unwrap_or(CART_EXPIRY_MINUTES),
                payment_minutes: self.payment_minutes.unwrap_or(PAYMENT_MINUTES),
                collect_days: self.collect_days.unwrap_or(COLLECT_DAYS),
                stock_threshold: self.stock_threshold.unwrap_or(0),
                category_tree: self.category_tree.as_deref().map(Reference::read),
                payment_kinds: payment_kinds?,
                capture_policy: capture_policy?.unwrap_or(CapturePolicy::AtOrder),
            })
        })();
        fields.done(read)
    }
}

/// What of a channel is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelChange, example = json!({"hold_policy": "at_order", "stock_threshold": 2, "category_tree": null}))]
struct ChannelChangeShape {
    /// What people call it: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// `web`, `app`, `till`, `phone`, `social`, `marketplace`, `agent` or `other`.
    kind: Option<String>,
    /// The network it sells from: its id or external id.
    network: Option<String>,
    /// Where it stands: a location's id or external id.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    location: Option<Option<String>>,
    /// When stock is held: `none`, `at_order` or `at_basket`.
    hold_policy: Option<String>,
    /// How long stock is held for a cart, in minutes.
    #[schema(minimum = 1, maximum = 43_200)]
    hold_minutes: Option<i64>,
    /// How long an untouched cart lives, in minutes.
    #[schema(minimum = 1, maximum = 525_600)]
    cart_expiry_minutes: Option<i64>,
    /// How long an unpaid order waits for its payment, in minutes.
    #[schema(minimum = 1, maximum = 129_600)]
    payment_minutes: Option<i64>,
    /// How long goods wait for their customer at the counter, in days.
    #[schema(minimum = 1, maximum = 365)]
    collect_days: Option<i64>,
    /// How many pieces of each variant it keeps out of its promise.
    #[schema(minimum = 0, maximum = 1_000_000)]
    stock_threshold: Option<i64>,
    /// The category tree it shows: its id or external id.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    category_tree: Option<Option<String>>,
    /// The means of payment it allows, in place of those it has.
    #[schema(max_items = 4)]
    payment_kinds: Option<Vec<String>>,
    /// When authorised money is taken: `at_order` or `at_fulfilment`.
    capture_policy: Option<String>,
    /// False closes it; it stays readable, and true opens it again.
    active: Option<bool>,
}

impl ChannelChangeShape {
    fn read(&self) -> Result<ChannelChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name.as_deref(), |name| {
            text::bounded("name", name, 1, text::NAME_CHARS_MAX)
        });
        let kind = fields.take_if("kind", self.kind.as_deref(), Kind::parse);
        let hold_policy = fields.take_if("hold_policy", self.hold_policy.as_deref(), HoldPolicy::parse);
        let payment_kinds = self
            .payment_kinds
            .as_deref()
            .map(|kinds| read_payment_kinds(&mut fields, kinds).unwrap_or_default());
        let capture_policy =
            fields.take_if("capture_policy", self.capture_policy.as_deref(), CapturePolicy::parse);
        let read = (|| {
            Some(ChannelChange {
                name: name?,
                kind: kind?,
                network: self.network.as_deref().map(Reference::read),
                location: self.location.as_ref().map(|location| location.as_deref().map(Reference::read)),
                hold_policy: hold_policy?,
                hold_minutes: self.hold_minutes,
                cart_expiry_minutes: self.cart_expiry_minutes,
                payment_minutes: self.payment_minutes,
                collect_days: self.collect_days,
                stock_threshold: self.stock_threshold,
                category_tree: self.category_tree.as_ref().map(|tree| tree.as_deref().map(Reference::read)),
                payment_kinds,
                capture_policy: capture_policy?,
                active: self.active,
            })
        })();
        fields.done(read)
    }
}

/// Make a channel
#[utoipa::path(post, path = "/v1/channels", operation_id = "create_channel", tag = "market", request_body = NewChannelShape,
    responses((status = 201, body = ChannelShape), Problems))]
async fn create_channel(
    State(app): State<App>,
    command: Command<NewChannelShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let channel = market::create_channel(tx, actor, world, input.clone())?;
        Reply::versioned(&ChannelShape::from(&channel), channel.version)
    })
    .await
}

/// List channels
#[utoipa::path(get, path = "/v1/channels", operation_id = "list_channels", tag = "market", params(PageQuery),
    responses((status = 200, body = Page<ChannelShape>), Problems))]
async fn list_channels(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let channels = app.read(move |tx| market::list_channels(tx, &actor, after, limit)).await?;
    let shapes = channels.iter().map(ChannelShape::from).collect();
    document(&Page::new(shapes, limit, |channel: &ChannelShape| channel.id.clone()), None)
}

/// Read a channel
#[utoipa::path(get, path = "/v1/channels/{id}", operation_id = "read_channel", tag = "market",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ChannelShape), Problems))]
async fn read_channel(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let channel = app.read(move |tx| market::find_channel(tx, &actor, &reference)).await?;
    document(&ChannelShape::from(&channel), Some(channel.version))
}

/// Change a channel
///
/// Its market stays: carts and orders are in its currency.
#[utoipa::path(patch, path = "/v1/channels/{id}", operation_id = "update_channel", tag = "market", request_body = ChannelChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ChannelShape), Problems))]
async fn update_channel(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChannelChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let channel = market::update_channel(tx, actor, world, (&reference, read), change.clone())?;
        Reply::versioned(&ChannelShape::from(&channel), channel.version)
    })
    .await
}
