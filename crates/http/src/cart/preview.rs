//! What a cart would cost, over the API: as this customer, in this store, at that time, with promotions still being written; and why.

use axum::extract::State;
use axum::response::Response;
use domain::Refusal;
use domain::market::PaymentKind;
use domain::value::{Country, Instant, Reference, text};
use engine::cart::Choice;
use engine::cart::preview::{self, Looked, PROMOTIONS_MAX, Preview};
use engine::cart::{Destination, PricedCart};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::cost::{DeliveryShape, LinePriceShape, TotalsShape};
use super::coupon::{CartCouponShape, CartGiftShape};
use super::shape::{ChoiceShape, NewLineShape};
use crate::App;
use crate::app::document;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most groups of whoever buys.
const GROUPS_MAX: usize = 50;

/// The route of previews.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_prices))
}

/// Where a cart goes, as far as taxes and delivery depend on it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewDestination)]
struct DestinationShape {
    /// Two letters of ISO 3166-1.
    country: String,
    /// State, county or province.
    #[schema(max_length = 60)]
    region: Option<String>,
    /// The postal code, or its beginning.
    #[schema(max_length = 16)]
    postal_code: Option<String>,
}

impl DestinationShape {
    fn read(&self, fields: &mut Fields) -> Option<Destination> {
        let country = fields.take("country", Country::parse(&self.country));
        let bounded = |fields: &mut Fields, field: &'static str, given: &Option<String>, most| {
            fields.take_if(field, given.as_deref(), |given| text::bounded(field, given, 1, most))
        };
        let region = bounded(fields, "region", &self.region, 60)?;
        let code = bounded(fields, "postal_code", &self.postal_code, 16)?;
        let letters =
            |code: String| code.to_uppercase().chars().filter(|one| one.is_alphanumeric()).collect();
        Some(Destination {
            country: country?,
            region: region.map(|region| region.to_uppercase()),
            postal_area: code.map(letters).filter(|area: &String| !area.is_empty()),
        })
    }
}

/// A cart, and under what it is to be priced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PricePreviewQuestion, example = json!({"channel": "web", "lines": [{"sku": "84029G", "quantity": 3}], "groups": ["members"],
    "promotions": ["pro_01jd0000000000000000000000"], "at": "2026-12-24T10:00:00Z"}))]
struct QuestionShape {
    /// The channel: its id or external id. A store's own channel says in which store it is bought.
    #[schema(max_length = 200)]
    channel: String,
    /// What is in the cart: 1 to 500 lines at the prices of the lists.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<NewLineShape>,
    /// Who buys: the customer's id or external id.
    #[schema(max_length = 200)]
    customer: Option<String>,
    /// The groups of whoever buys, in place of the customer's own.
    #[schema(max_items = 50)]
    groups: Option<Vec<String>>,
    /// Where it goes.
    destination: Option<DestinationShape>,
    /// How it is delivered, or where it is collected.
    delivery: Option<ChoiceShape>,
    /// The codes of at most four coupons.
    #[serde(default)]
    #[schema(max_items = 4)]
    coupons: Vec<String>,
    /// How it is paid, such as `cash`.
    #[schema(max_length = 40)]
    payment: Option<String>,
    /// When it is bought; now when absent. Prices, taxes and promotions are those of that instant: of one that is past those that were in force
    /// then.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// Promotions that are asked about: a draft is tried as though it were in force, and of each is said why it gives nothing.
    #[serde(default)]
    #[schema(max_items = 20)]
    promotions: Vec<String>,
}

impl QuestionShape {
    fn read(&self, now: Instant) -> Result<Preview, Refusal> {
        let mut fields = Fields::new();
        if self.lines.is_empty() || self.lines.len() > domain::cart::LINES_MAX {
            fields.refuse("lines", format!("give 1 to {} lines", domain::cart::LINES_MAX));
            return fields.done(None);
        }
        if self.promotions.len() > PROMOTIONS_MAX {
            fields.refuse("promotions", format!("name at most {PROMOTIONS_MAX}"));
            return fields.done(None);
        }
        let lines = fields.each("lines", &self.lines, |fields, line| {
            if line.unit_price.is_some() {
                fields.refuse("unit_price", "leave it out: what was agreed needs no preview");
                return None;
            }
            line.taken(fields)
        });
        if self.groups.as_ref().is_some_and(|groups| groups.len() > GROUPS_MAX) {
            fields.refuse("groups", format!("name at most {GROUPS_MAX}"));
        }
        let to = self.destination.as_ref().map(|to| fields.within("destination", |fields| to.read(fields)));
        let payment = fields.take_if("payment", self.payment.as_deref(), PaymentKind::parse);
        let at = fields.take_if("at", self.at.as_deref(), Instant::parse);
        let mut promotions = Vec::with_capacity(self.promotions.len());
        for (place, id) in self.promotions.iter().enumerate() {
            promotions.extend(fields.id(&format!("promotions.{place}"), id));
        }
        let read = (|| {
            Some(Preview {
                channel: Reference::read(&self.channel),
                lines: lines?,
                customer: self.customer.as_deref().map(Reference::read),
                groups: self.groups.clone(),
                destination: to.flatten(),
                delivery: self.delivery.as_ref().map(Choice::from),
                coupons: self.coupons.clone(),
                payment: payment?.map(PaymentKind::text),
                at: at?.unwrap_or(now),
                past: at?.is_some_and(|at| at < now),
                promotions,
            })
        })();
        fields.done(read)
    }
}

/// A line with what it costs, and what lowered it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewLine)]
struct LineShape {
    /// What.
    variant: String,
    /// How many base units.
    quantity: i64,
    #[serde(flatten)]
    priced: LinePriceShape,
}

/// What became of a promotion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewPromotion)]
struct LookedShape {
    /// The promotion.
    promotion: String,
    /// By how many minor units it lowers the cart.
    amount: i64,
    /// Why it gives nothing: `time`, `currency`, `channel`, `store`, `customer`, `payment`, `coupon`, `goods`, `budget`, or `outdone` by others.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// What the cart would cost, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PricePreview)]
struct PreviewShape {
    /// For which instant it was priced.
    #[schema(format = DateTime)]
    at: String,
    /// What everything is priced in.
    currency: &'static str,
    /// The lines in the order given.
    lines: Vec<LineShape>,
    /// How it is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryShape>,
    /// What it costs.
    totals: TotalsShape,
    /// The coupons.
    coupons: Vec<CartCouponShape>,
    /// What the customer may have for nothing.
    gifts: Vec<CartGiftShape>,
    /// The promotions that came near, and those that were asked about.
    promotions: Vec<LookedShape>,
    /// By how much another choice of promotions could lower it more at most; 0 when this is the best there is.
    slack_minor: i64,
}

impl PreviewShape {
    fn new(at: Instant, priced: &PricedCart, looked: &[Looked]) -> PreviewShape {
        let line = |line: &engine::cart::PricedLine| LineShape {
            variant: line.variant.to_string(),
            quantity: line.quantity,
            priced: LinePriceShape::new(line, priced.currency),
        };
        let told = |one: &Looked| LookedShape {
            promotion: one.promotion.to_string(),
            amount: one.minor,
            why: one.why.map(domain::promotion::rules::Why::text),
        };
        PreviewShape {
            at: at.to_string(),
            currency: priced.currency.code(),
            lines: priced.lines.iter().map(line).collect(),
            delivery: DeliveryShape::priced(priced),
            totals: TotalsShape::new(priced),
            coupons: priced.coupons.iter().map(CartCouponShape::from).collect(),
            gifts: priced.gifts.iter().map(CartGiftShape::from).collect(),
            promotions: looked.iter().map(told).collect(),
            slack_minor: priced.slack_minor(),
        }
    }
}

/// Ask what a cart would cost, and why
///
/// Nothing is kept and nothing is held. Limits of promotions count with what is left of them now.
#[utoipa::path(post, path = "/v1/prices/preview", operation_id = "preview_prices", tag = "price",
    request_body = QuestionShape, responses((status = 200, body = PreviewShape), Problems))]
async fn preview_prices(
    State(app): State<App>,
    command: Command<QuestionShape>,
) -> Result<Response, Problem> {
    let asked = command.body.read(app.shop.source.now())?;
    let (actor, at) = (command.request.actor, asked.at);
    let (priced, looked) = app.read(move |tx| preview::preview(tx, &actor, &asked)).await?;
    document(&PreviewShape::new(at, &priced, &looked), None)
}
